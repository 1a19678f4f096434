//! Who is behind the bad attempts of a place under suspicion, and what their SYNs look like.
//!
//! Kept only while a sum stands above a quarter of its limit, for a bounded number of places.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use foldhash::quality::RandomState;

use crate::detect::syn_flood::sketch::Distinct;
use crate::detect::syn_flood::sketch::Few;
use crate::detect::syn_flood::sketch::Top;
use crate::detect::syn_flood::sums::Rule;
use crate::flow::doorway::Address;
use crate::flow::doorway::Attempt;
use crate::flow::doorway::Marks;

/// What an attempt called, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// The host, unless it was counted at a wider place only.
    pub(super) host: Option<Address>,
    /// Lowest and highest address that it may have been.
    pub(super) near: (Address, Address),
    /// The port, unless it was counted at a wider place only.
    pub(super) port: Option<u16>,
    /// The attempt has waited for as long as makes it half-open: a server that keeps it has repeated its SYN,ACK.
    pub(super) old: bool,
    /// Hardly anybody completes there now.
    pub(super) unserved: bool,
}

/// Sources and fingerprints of one place under one rule.
#[derive(Clone, Debug)]
pub(super) struct Detail {
    pub(super) attempts: u64,
    pub(super) sources: Distinct,
    pub(super) top: Top<Address, 32>,
    pub(super) prefixes: Top<Address, 16>,
    pub(super) ttls: Top<u8, 8>,
    pub(super) windows: Top<u16, 8>,
    pub(super) options: Top<u8, 8>,
    pub(super) octets: Few<4>,
    pub(super) ports: Few<16>,
    /// Attempts whose SYN carried no option at all: real stacks always send their MSS.
    pub(super) bare: u64,
    /// Attempts with three SYNs and more, as live clients send them.
    pub(super) insistent: u64,
    /// Attempts during which completions at the place had fallen off.
    pub(super) in_outage: u64,
    /// Attempts at whose verdict hardly anybody completed.
    pub(super) unserved: u64,
    /// Old attempts that were answered, and those of them whose SYN,ACK was never repeated, as with SYN cookies.
    pub(super) answered: u64,
    pub(super) answered_once: u64,
    /// The most called port.
    pub(super) top_port: Top<u16, 8>,
    /// The most hit host.
    pub(super) top_host: Top<Address, 8>,
    /// Lowest and highest address hit.
    pub(super) hit: Option<(Address, Address)>,
}

impl Detail {
    fn new() -> Self {
        Self {
            attempts: 0,
            sources: Distinct::new(),
            top: Top::new(),
            prefixes: Top::new(),
            ttls: Top::new(),
            windows: Top::new(),
            options: Top::new(),
            octets: Few::new(),
            ports: Few::new(),
            bare: 0,
            insistent: 0,
            in_outage: 0,
            unserved: 0,
            answered: 0,
            answered_once: 0,
            top_port: Top::new(),
            top_host: Top::new(),
            hit: None,
        }
    }

    fn insert(&mut self, attempt: &Attempt, hit: Hit, marks: &FixedState) {
        let peer = attempt.source;
        self.attempts += 1;
        self.sources.insert(marks.hash_one(peer));
        self.top.insert(peer);
        self.prefixes.insert(peer.wide_prefix());
        self.ttls.insert(attempt.ttl);
        self.windows.insert(attempt.window);
        self.options.insert(attempt.options);
        self.octets.insert(u64::from(peer.spread_octet()));
        match hit.port {
            Some(port) => {
                self.ports.insert(marks.hash_one(port));
                self.top_port.insert(port);
            }
            None => self.ports.insert(attempt.member.into()),
        }
        if let Some(host) = hit.host {
            self.top_host.insert(host);
        }
        let (from, to) = self.hit.unwrap_or(hit.near);
        self.hit = Some((from.min(hit.near.0), to.max(hit.near.1)));
        self.bare += u64::from(attempt.options == 0 && !attempt.is_orphan());
        self.insistent += u64::from(attempt.tries.syns() >= 3);
        let waited = hit.old && attempt.is_answered() && !attempt.is_orphan();
        self.answered += u64::from(waited);
        self.answered_once += u64::from(waited && attempt.tries.syn_acks() == 1);
        self.in_outage += u64::from(attempt.marks.has(Marks::OUTAGE));
        self.unserved += u64::from(hit.unserved);
    }

    /// Adds what another one has counted.
    fn join(&mut self, other: &Self) {
        self.attempts += other.attempts;
        self.sources.join(&other.sources);
        self.top.join(&other.top);
        self.prefixes.join(&other.prefixes);
        self.ttls.join(&other.ttls);
        self.windows.join(&other.windows);
        self.options.join(&other.options);
        self.octets.join(&other.octets);
        self.ports.join(&other.ports);
        self.bare += other.bare;
        self.insistent += other.insistent;
        self.in_outage += other.in_outage;
        self.unserved += other.unserved;
        self.answered += other.answered;
        self.answered_once += other.answered_once;
        self.top_port.join(&other.top_port);
        self.top_host.join(&other.top_host);
        if let Some((from, to)) = other.hit {
            let (first, last) = self.hit.unwrap_or((from, to));
            self.hit = Some((first.min(from), last.max(to)));
        }
    }
}

/// Details by place and rule.
#[derive(Debug)]
pub(super) struct Details {
    kept: HashMap<(u32, Rule), Box<Detail>, RandomState>,
    /// Decides what the sketches hold.
    pub(super) marks: FixedState,
    cap: usize,
    /// Suspicions without detail, because too many were kept.
    pub(super) refused: u64,
    /// Details asked for, for the test that holds them to a bound.
    #[cfg(test)]
    pub(super) touched: u64,
}

impl Details {
    pub(super) fn new(cap: usize, hasher: RandomState, marks: FixedState) -> Self {
        Self {
            kept: HashMap::with_hasher(hasher),
            marks,
            cap,
            refused: 0,
            #[cfg(test)]
            touched: 0,
        }
    }

    pub(super) fn get(&self, group: u32, rule: Rule) -> Option<&Detail> {
        self.kept.get(&(group, rule)).map(|detail| &**detail)
    }

    /// Notes one attempt. `true` where there is a detail for it.
    pub(super) fn insert(&mut self, at: (u32, Rule), attempt: &Attempt, hit: Hit) -> bool {
        #[cfg(test)]
        {
            self.touched += 1;
        }
        let room = self.kept.len() < self.cap;
        match self.kept.get_mut(&at) {
            Some(detail) => detail.insert(attempt, hit, &self.marks),
            None if room => {
                let mut detail = Box::new(Detail::new());
                detail.insert(attempt, hit, &self.marks);
                self.kept.insert(at, detail);
            }
            None => {
                self.refused += 1;
                return false;
            }
        }
        true
    }

    /// Adds what is known of `from` to what is known of `to`. `true` where there is a detail for it.
    pub(super) fn join(&mut self, to: (u32, Rule), from: (u32, Rule)) -> bool {
        let Some(known) = self.kept.get(&from).cloned() else { return self.kept.contains_key(&to) };
        let room = self.kept.len() < self.cap;
        match self.kept.get_mut(&to) {
            Some(detail) => detail.join(&known),
            None if room => drop(self.kept.insert(to, known)),
            None => return false,
        }
        true
    }

    /// Forgets everything about a place.
    pub(super) fn remove(&mut self, group: u32, rule: Rule) {
        self.kept.remove(&(group, rule));
    }

    /// Every place and rule with a detail.
    pub(super) fn places(&self) -> Vec<(u32, Rule)> {
        self.kept.keys().copied().collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}
