//! One attempt to open a connection, and what became of it.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

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

    /// All of them with their names in evidence.
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

/// An attempt in the table: one cache line.
///
/// Its slot number stays the same while it lives, so a flow tracker that wants half-open connections to live here only
/// can keep its own column beside this one; the tuple comes with the packet that completes the attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// Keyed hash of the canonical tuple.
    pub(super) key: u64,
    /// The client's address.
    pub(super) source: Address,
    /// Trace time of the first SYN.
    pub(super) at: i64,
    /// Frame of the first SYN, low 32 bits.
    pub(super) frame: u32,
    /// The place called, an index into [`Groups`](super::group::Groups).
    pub(super) group: u32,
    pub(super) client_isn: SeqNumber,
    pub(super) server_isn: SeqNumber,
    pub(super) previous: u32,
    pub(super) next: u32,
    pub(super) window: u16,
    pub(super) ttl: u8,
    /// Length of the options and whether there were any: tools often send none.
    pub(super) options: u8,
    pub(super) tries: Tries,
    /// Six bits of a hash of what its place does not tell: the port, or the host.
    pub(super) member: u8,
    pub(super) verdict: Option<Outcome>,
    pub(super) marks: Marks,
}

/// SYNs and SYN,ACKs seen, up to fifteen of each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tries(u8);

impl Tries {
    const MOST: u8 = 15;

    pub(super) const fn new(syns: u8, syn_acks: u8) -> Self {
        Self(syns | syn_acks << 4)
    }

    pub(super) const fn syns(self) -> u8 {
        self.0 & Self::MOST
    }

    pub(super) const fn syn_acks(self) -> u8 {
        self.0 >> 4
    }

    pub(super) const fn add_syn(&mut self) {
        if self.syns() < Self::MOST {
            self.0 += 1;
        }
    }

    pub(super) const fn add_syn_ack(&mut self) {
        if self.syn_acks() < Self::MOST {
            self.0 += 16;
        }
    }
}

/// Yes-or-no facts of an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks(u8);

impl Marks {
    /// The client is the smaller endpoint of the tuple.
    pub(super) const CLIENT_IS_LOW: u8 = 1;
    /// Known from the server's answer only: its SYN was not seen.
    pub(super) const ORPHAN: u8 = 2;
    /// Counts for the fast path of its group.
    pub(super) const AGED: u8 = 4;
    /// Completions at its place had fallen off while it waited.
    pub(super) const OUTAGE: u8 = 8;
    /// Age list, two bits.
    const STAGE: u32 = 4;

    pub(super) const fn new(bits: u8) -> Self {
        Self(bits)
    }

    pub(super) const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    pub(super) const fn set(&mut self, bit: u8, on: bool) {
        if on {
            self.0 |= bit;
        } else {
            self.0 &= !bit;
        }
    }

    pub(super) const fn stage(self) -> usize {
        (self.0 >> Self::STAGE) as usize
    }

    pub(super) const fn set_stage(&mut self, stage: usize) {
        self.0 = (self.0 & ((1 << Self::STAGE) - 1)) | (stage as u8) << Self::STAGE;
    }
}

impl Attempt {
    pub(super) const fn is_answered(&self) -> bool {
        self.tries.syn_acks() > 0
    }

    pub(super) const fn is_resent(&self) -> bool {
        self.tries.syns() > 1
    }

    pub(super) const fn is_orphan(&self) -> bool {
        self.marks.has(Marks::ORPHAN)
    }

    pub(super) const fn age(&self, now: i64) -> Span {
        Span(now.saturating_sub(self.at))
    }

    /// What an attempt that is old enough amounts to.
    pub(super) const fn left_as(&self) -> Outcome {
        match (self.is_answered(), self.is_resent()) {
            (true, false) => Outcome::HalfOpen,
            (true, true) => Outcome::ResentHalfOpen,
            (false, false) => Outcome::Unanswered,
            (false, true) => Outcome::ResentUnanswered,
        }
    }
}

/// An IP address in 16 octets of alignment 8; IPv4 as ::ffff:0:0/96.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Address {
    pub(super) high: u64,
    pub(super) low: u64,
}

impl Address {
    const MAPPED: u64 = 0xffff_0000_0000;

    pub(super) fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(v4) => Self { high: 0, low: Self::MAPPED | u64::from(v4.to_bits()) },
            IpAddr::V6(v6) => Self { high: (v6.to_bits() >> 64) as u64, low: v6.to_bits() as u64 },
        }
    }

    pub(super) const fn is_v4(self) -> bool {
        self.high == 0 && self.low >> 32 == Self::MAPPED >> 32
    }

    pub(super) fn ip(self) -> IpAddr {
        if self.is_v4() {
            IpAddr::V4(Ipv4Addr::from_bits(self.low as u32))
        } else {
            IpAddr::V6(Ipv6Addr::from_bits(u128::from(self.high) << 64 | u128::from(self.low)))
        }
    }

    /// The first and the last IPv4 address.
    pub(super) const EDGES: (Self, Self) =
        (Self { high: 0, low: Self::MAPPED }, Self { high: 0, low: Self::MAPPED | 0xffff_ffff });

    /// /24 or /64.
    pub(super) const fn prefix(self) -> Self {
        if self.is_v4() { Self { high: 0, low: self.low & !0xff } } else { Self { high: self.high, low: 0 } }
    }

    /// /16 or /48.
    pub(super) const fn wide_prefix(self) -> Self {
        if self.is_v4() {
            Self { high: 0, low: self.low & !0xffff }
        } else {
            Self { high: self.high & !0xffff, low: 0 }
        }
    }

    /// The first octet of IPv4; of IPv6 the octet that ends a /32, where registries' blocks differ.
    pub(super) const fn spread_octet(self) -> u8 {
        if self.is_v4() { (self.low >> 24) as u8 } else { (self.high >> 32) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_takes_one_cache_line() {
        assert_eq!(size_of::<Attempt>(), 64);
    }

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

    #[test]
    fn addresses_come_back_as_they_went_in() {
        for text in ["192.0.2.1", "255.255.255.255", "0.0.0.0", "2001:db8:1:2:3:4:5:6", "::1"] {
            let addr: IpAddr = text.parse().expect("an address");
            assert_eq!(Address::of(addr).ip(), addr);
        }
        assert_eq!(Address::of("192.0.2.77".parse().expect("an address")).prefix().ip().to_string(), "192.0.2.0");
        assert_eq!(
            Address::of("2001:db8:1:2:3::1".parse().expect("v6")).wide_prefix().ip().to_string(),
            "2001:db8:1::"
        );
    }

    #[test]
    fn marks_and_stage_do_not_disturb_each_other() {
        let mut marks = Marks::new(Marks::CLIENT_IS_LOW);
        marks.set_stage(3);
        marks.set(Marks::AGED, true);
        assert_eq!((marks.stage(), marks.has(Marks::CLIENT_IS_LOW), marks.has(Marks::AGED)), (3, true, true));
        marks.set_stage(1);
        marks.set(Marks::AGED, false);
        assert_eq!((marks.stage(), marks.has(Marks::CLIENT_IS_LOW), marks.has(Marks::AGED)), (1, true, false));
    }
}
