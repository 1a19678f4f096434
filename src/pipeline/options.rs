//! What an analysis may hold, and how much it says.

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
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1 << 18, exchanges: 1 << 18 }
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
