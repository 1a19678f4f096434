//! One attempt to open a connection, and what became of it.
//!
//! Which outcome an attempt has is for `detect` to say.

use crate::flow::doorway::address::Address;
use crate::packet::SeqNumber;
use crate::packet::Span;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// The client acknowledged the server's SYN, or the server sent data.
    Completed,
    /// The server, or a router, refused.
    Refused,
    /// The client reset it before it was complete.
    Reset,
    /// Answered, never acknowledged, the SYN never repeated.
    HalfOpen,
    /// Not answered, the SYN never repeated: no live client gives up so soon.
    Unanswered,
    /// Answered, never acknowledged, and the SYN came again.
    ResentHalfOpen,
    /// Not answered, and the SYN came again: a live client that waits.
    ResentUnanswered,
    /// Acknowledged with a number that the server never sent.
    Forged,
}

impl Outcome {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// All of them, in the order of [`index`](Self::index), with their names in evidence.
    pub const NAMED: [(Self, &'static str); Self::COUNT] = [
        (Self::Completed, "completed"),
        (Self::Refused, "refused"),
        (Self::Reset, "reset"),
        (Self::HalfOpen, "half_open"),
        (Self::Unanswered, "unanswered"),
        (Self::ResentHalfOpen, "resent_half_open"),
        (Self::ResentUnanswered, "resent_unanswered"),
        (Self::Forged, "forged_ack"),
    ];

    /// Position in arrays by outcome.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Nothing that a well-meaning client or network does often.
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::HalfOpen | Self::Unanswered | Self::Forged)
    }
}

/// An attempt as it is worked on; [`Entry`](super::entry::Entry) is how it is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Attempt {
    /// Keyed hash of the canonical tuple, never 0.
    pub(crate) key: u64,
    /// The client's address.
    pub(crate) source: Address,
    /// The server's.
    pub(crate) server: Address,
    /// Ports of client and server.
    pub(crate) ports: [u16; 2],
    /// Trace time of the first SYN.
    pub(crate) at: i64,
    /// How far the clock of that SYN lay behind trace time.
    pub(crate) late: Span,
    /// Frame of the first SYN, low 32 bits.
    pub(crate) frame: u32,
    /// The place called, a number of whoever judges attempts.
    pub(crate) group: u32,
    pub(crate) client_isn: SeqNumber,
    pub(crate) server_isn: SeqNumber,
    pub(crate) window: u16,
    pub(crate) ttl: u8,
    /// Length of the options, whole words: tools often send none.
    pub(crate) options: u8,
    pub(crate) tries: Tries,
    /// Six bits of a hash of what its place does not tell: the port, or the host.
    pub(crate) member: u8,
    pub(crate) verdict: Option<Outcome>,
    pub(crate) marks: Marks,
}

/// SYNs and SYN,ACKs seen, up to fifteen of each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tries(u8);

impl Tries {
    const MOST: u8 = 15;

    pub(crate) const fn new(syns: u8, syn_acks: u8) -> Self {
        Self(syns | syn_acks << 4)
    }

    pub(crate) const fn syns(self) -> u8 {
        self.0 & Self::MOST
    }

    pub(crate) const fn syn_acks(self) -> u8 {
        self.0 >> 4
    }

    pub(crate) const fn add_syn(&mut self) {
        if self.syns() < Self::MOST {
            self.0 += 1;
        }
    }

    pub(crate) const fn add_syn_ack(&mut self) {
        if self.syn_acks() < Self::MOST {
            self.0 += 16;
        }
    }
}

/// Yes-or-no facts of an attempt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// The client is the smaller endpoint of the tuple.
    pub(crate) const CLIENT_IS_LOW: u8 = 1;
    /// Known from the server's answer only: its SYN was not seen.
    pub(crate) const ORPHAN: u8 = 2;
    /// Counts for the fast path of its group.
    pub(crate) const AGED: u8 = 4;
    /// Completions at its place had fallen off while it waited.
    pub(crate) const OUTAGE: u8 = 8;
    /// The client's address is one of IPv6.
    pub(super) const WIDE: u8 = 16;
    /// Its connection was told of and let go; the entry holds what it is followed on from, these two among it.
    pub(super) const LET_GO: u8 = 32;
    pub(super) const CLIENT_SACK: u8 = 64;
    pub(super) const CLIENT_TIMESTAMPS: u8 = 128;

    pub(crate) const fn new(bits: u8) -> Self {
        Self(bits)
    }

    pub(crate) const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    pub(crate) const fn set(&mut self, bit: u8, on: bool) {
        if on {
            self.0 |= bit;
        } else {
            self.0 &= !bit;
        }
    }
}

impl Attempt {
    pub(crate) const fn is_answered(&self) -> bool {
        self.tries.syn_acks() > 0
    }

    pub(crate) const fn is_resent(&self) -> bool {
        self.tries.syns() > 1
    }

    pub(crate) const fn is_orphan(&self) -> bool {
        self.marks.has(Marks::ORPHAN)
    }

    pub(crate) const fn age(&self, now: i64) -> Span {
        Span(now.saturating_sub(self.at))
    }

    /// What an attempt that is old enough amounts to.
    pub(crate) const fn left_as(&self) -> Outcome {
        match (self.is_answered(), self.is_resent()) {
            (true, false) => Outcome::HalfOpen,
            (true, true) => Outcome::ResentHalfOpen,
            (false, false) => Outcome::Unanswered,
            (false, true) => Outcome::ResentUnanswered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_counted_up_to_fifteen_of_each() {
        let mut tries = Tries::new(1, 0);
        for _ in 0..20 {
            tries.add_syn_ack();
        }
        assert_eq!((tries.syns(), tries.syn_acks()), (1, 15));
        (0..20).for_each(|_| tries.add_syn());
        assert_eq!((tries.syns(), tries.syn_acks()), (15, 15));
    }
}
