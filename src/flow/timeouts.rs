//! How long a conversation is remembered after its last packet, by the stage it is in.

use crate::packet::Span;

/// Where a conversation stands, as far as forgetting goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// An opening that nobody has completed.
    Attempt,
    /// The same, of which a segment came more than once: a live client, or server.
    Insistent,
    /// Open.
    Open,
    /// Closed or reset: kept for stragglers.
    Closed,
    /// UDP.
    Datagrams,
}

impl Stage {
    /// Number of stages.
    pub const COUNT: usize = 5;

    /// Position in arrays by stage.
    pub const fn index(self) -> usize {
        match self {
            Self::Attempt => 0,
            Self::Open => 1,
            Self::Closed => 2,
            Self::Datagrams => 3,
            Self::Insistent => 4,
        }
    }

    /// Nobody has completed it.
    pub const fn is_attempt(self) -> bool {
        match self {
            Self::Attempt | Self::Insistent => true,
            Self::Open | Self::Closed | Self::Datagrams => false,
        }
    }

    /// Silence after which it is forgotten.
    pub const fn timeout(self) -> Span {
        match self {
            // Longer than Linux's last SYN,ACK retry (RFC 4987 §2 speaks of 75 s).
            Self::Attempt | Self::Insistent => Span::from_secs(75),
            // RFC 5382 REQ-5: 2 hours 4 minutes.
            Self::Open => Span::from_secs(7_440),
            // 2·MSL (RFC 9293 §3.4.2): after that the tuple may mean a new connection.
            Self::Closed => Span::from_secs(240),
            Self::Datagrams => Span::from_secs(60),
        }
    }
}

/// Why a conversation leaves the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leaves {
    /// Silent for longer than its stage allows.
    TimedOut,
    /// Its tuple was taken by a new connection.
    Reused,
    /// The table was full: it was the one that had been silent longest in the stage that can spare most.
    Evicted,
    /// The capture ended.
    CaptureEnd,
}
