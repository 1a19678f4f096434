//! What an opening tells beside its outcome: what became of Fast Open, and where the capture was made.
//!
//! RFC 7413 §4.1 (Fast Open). The two halves of the handshake's round trip meet at the capture point, so their ratio tells
//! which end is near.

use crate::tcp::handshake::Handshake;

/// What became of Fast Open (RFC 7413 §4.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FastOpen {
    /// The client asked for a cookie.
    CookieAsked,
    /// The server gave one.
    CookieGiven,
    /// The SYN carried a cookie or data, and no answer is known.
    Offered,
    /// The SYN,ACK acknowledges data of the SYN.
    Accepted,
    /// It acknowledges the SYN alone, so the data goes again.
    Ignored,
}

impl FastOpen {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CookieAsked => "cookie-asked",
            Self::CookieGiven => "cookie-given",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
        }
    }
}

/// Where a capture was made, as the two halves of the handshake's round trip show.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Vantage {
    /// The client's half takes a quarter of the server's at most.
    NearClient,
    /// The other way round.
    NearServer,
    /// Neither.
    Between,
}

impl Vantage {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NearClient => "near-client",
            Self::NearServer => "near-server",
            Self::Between => "between",
        }
    }
}

impl Handshake {
    /// Where the capture was made, where both halves of the round trip are known and none is negative.
    pub fn vantage(&self) -> Option<Vantage> {
        let (server, client) = (self.server_rtt?.0, self.client_rtt?.0);
        if server < 0 || client < 0 {
            return None;
        }
        Some(match () {
            () if client <= server / 4 => Vantage::NearClient,
            () if server <= client / 4 => Vantage::NearServer,
            () => Vantage::Between,
        })
    }
}
