//! Who answers a SYN, and how: listening sockets with a backlog and cookies, closed ports, dead hosts, bad spells.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::HashMap;
use std::net::IpAddr;

use crate::craft::traffic::Random;
use crate::packet::Endpoint;

/// What a port does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Does {
    /// It listens.
    Serves {
        /// Half-open connections that it holds; `None` for as many as come.
        backlog: Option<usize>,
        /// Where the backlog is full: SYN cookies (RFC 4987 §3.6) instead of silence.
        cookies: bool,
        /// How often an unacknowledged SYN,ACK is sent again, after 1, 3, 7 … seconds.
        resends: u8,
    },
    /// It is closed: RST.
    Refuses,
    /// Nobody lives there.
    Nothing,
}

impl Does {
    /// A listening socket as it comes: room for 4,096, cookies beyond, two repetitions.
    pub const SERVES: Self = Self::Serves { backlog: Some(4_096), cookies: true, resends: 2 };
}

/// A time in which something is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    /// First second of it.
    pub from: f64,
    /// First second after it.
    pub to: f64,
    /// What is wrong.
    pub trouble: Trouble,
}

/// What can be wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// It is silent.
    Dead,
    /// Its process is down: RST.
    Refusing,
    /// Its queue of connections to accept is full: this share of SYNs is dropped, and as many last acknowledgments.
    Overloaded(f64),
    /// Its answers are lost behind the capture point, for this share of the clients.
    NoWayBack(f64),
}

/// What a SYN brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    Silence,
    Rst,
    /// With so many repetitions, while nobody acknowledges.
    SynAck {
        resends: u8,
        heard: bool,
        accepted: bool,
    },
}

/// Every port there is, by the first rule that names it.
#[derive(Clone, Debug, Default)]
pub struct World {
    rules: Vec<Rule>,
    spells: Vec<Spell>,
    queues: HashMap<Endpoint, BinaryHeap<Reverse<i64>>>,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    net: IpAddr,
    len: u8,
    port: Option<u16>,
    does: Does,
}

impl World {
    /// A world in which nobody lives yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every host of `net`/`len` does this at `port`, or at every port that has no earlier rule.
    #[must_use]
    pub fn with(mut self, net: IpAddr, len: u8, port: Option<u16>, does: Does) -> Self {
        self.rules.push(Rule { net, len, port, does });
        self
    }

    /// Something is wrong with every listening port for a while.
    #[must_use]
    pub fn with_spell(mut self, from: f64, to: f64, trouble: Trouble) -> Self {
        self.spells.push(Spell { from, to, trouble });
        self
    }

    /// What a SYN brings at `at`; `holds` is how long the client lets the server wait, endless where it never answers.
    pub(super) fn answer(&mut self, at: f64, server: Endpoint, holds: f64, random: &mut Random) -> Answer {
        let rule = self.rules.iter().find(|rule| {
            rule.port.is_none_or(|port| port == server.port) && is_within(server.addr, rule.net, rule.len)
        });
        let Does::Serves { backlog, cookies, resends } = rule.map_or(Does::Nothing, |rule| rule.does) else {
            return if rule.is_some_and(|rule| rule.does == Does::Refuses) { Answer::Rst } else { Answer::Silence };
        };
        let (mut heard, mut accepted) = (true, true);
        for spell in self.spells.iter().filter(|spell| spell.from <= at && at < spell.to) {
            match spell.trouble {
                Trouble::Dead => return Answer::Silence,
                Trouble::Refusing => return Answer::Rst,
                Trouble::Overloaded(share) if random.hits(share) => return Answer::Silence,
                Trouble::Overloaded(share) => accepted = !random.hits(share),
                Trouble::NoWayBack(share) => heard = !random.hits(share),
            }
        }
        let Some(backlog) = backlog else { return Answer::SynAck { resends, heard, accepted } };
        let queue = self.queues.entry(server).or_default();
        let now = (at * 1e9) as i64;
        while queue.peek().is_some_and(|Reverse(leaves)| *leaves <= now) {
            queue.pop();
        }
        if queue.len() >= backlog {
            return if cookies { Answer::SynAck { resends: 0, heard, accepted } } else { Answer::Silence };
        }
        // Where the queue is half full, Linux gives up sooner.
        let resends = if queue.len() * 2 > backlog { resends.min(2) } else { resends };
        let given_up = f64::from((1_u32 << (resends + 1)) - 1);
        queue.push(Reverse(now + (holds.min(given_up) * 1e9) as i64));
        Answer::SynAck { resends, heard, accepted }
    }
}

fn is_within(addr: IpAddr, net: IpAddr, len: u8) -> bool {
    match (addr, net) {
        (IpAddr::V4(addr), IpAddr::V4(net)) => {
            len == 0 || (addr.to_bits() ^ net.to_bits()) >> 32_u8.saturating_sub(len).min(31) == 0
        }
        (IpAddr::V6(addr), IpAddr::V6(net)) => {
            len == 0 || (addr.to_bits() ^ net.to_bits()) >> 128_u8.saturating_sub(len).min(127) == 0
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
