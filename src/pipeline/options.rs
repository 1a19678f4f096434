//! What an analysis may hold, what that cost, and how much it says.

use crate::flow::TableStats;
use crate::flow::doorway::AttemptStats;

use std::net::IpAddr;

use crate::packet::Tuple;
use crate::tcp::framing::Framing;

/// Caps of everything that traffic can fill.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// TCP connections held at once.
    pub connections: usize,
    /// UDP conversations held at once.
    pub exchanges: usize,
    /// Attempts to open a connection that are held as whole connections; more of them wait in the doorway only.
    pub attempts: usize,
    /// Attempts that wait in the doorway, 68 octets each.
    pub half_open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1 << 18, exchanges: 1 << 18, attempts: 1 << 9, half_open: 1 << 19 }
    }
}

/// In which connections messages are looked for, and by which rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Framed {
    /// Where messages end.
    pub framing: Framing,
    /// Only in these TCP streams; none for all.
    pub streams: Vec<u64>,
    /// Only where this port is at either end.
    pub port: Option<u16>,
    /// Only where this address is at either end.
    pub host: Option<IpAddr>,
}

impl Framed {
    /// Whether messages are looked for in this connection.
    pub fn wants(&self, stream: u64, tuple: &Tuple) -> bool {
        let ends = [tuple.low, tuple.high];
        (self.streams.is_empty() || self.streams.contains(&stream))
            && self.port.is_none_or(|port| ends.iter().any(|end| end.port == port))
            && self.host.is_none_or(|host| ends.iter().any(|end| end.addr == host))
    }
}

/// How much is said about each segment beside the facts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Judging {
    /// Nothing: the connection's own findings suffice.
    #[default]
    Off,
    /// Rules that are broken, and causes.
    Broken,
    /// Also what holds, and what cannot be told.
    Everything,
}

/// How full the tables became, and what had to leave them for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pressure {
    /// Counters of the TCP and the UDP table.
    pub tables: [TableStats; 2],
    /// Counters of the doorway, where attempts wait.
    pub doorway: AttemptStats,
}
