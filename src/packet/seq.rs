//! Sequence numbers on their circle, and what a segment occupies there (RFC 9293 §3.4).

use std::fmt;

use crate::packet::flags::TcpFlags;

/// A point on a circle of 2^32 octets (RFC 9293 §3.4).
///
/// Not `Ord`: on a circle "less" only holds for points under 2^31 apart, so a sort would lie.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct SeqNumber(pub u32);

impl SeqNumber {
    /// Octets from `self` forward to `other`; negative when `other` lies behind. Never panics:
    /// both numbers came off the wire.
    pub const fn distance_to(self, other: Self) -> i32 {
        other.0.wrapping_sub(self.0) as i32
    }

    /// Octets from `self` forward to `other`, going round the circle if need be.
    pub const fn offset_to(self, other: Self) -> u32 {
        other.0.wrapping_sub(self.0)
    }

    /// `self` lies strictly behind `other`.
    pub const fn before(self, other: Self) -> bool {
        self.distance_to(other) > 0
    }

    /// `self` lies behind `other` or is the same point.
    pub const fn at_or_before(self, other: Self) -> bool {
        self.distance_to(other) >= 0
    }

    /// The point `octets` further on.
    pub const fn plus(self, octets: u32) -> Self {
        Self(self.0.wrapping_add(octets))
    }

    /// The point `octets` back.
    pub const fn minus(self, octets: u32) -> Self {
        Self(self.0.wrapping_sub(octets))
    }

    /// The later of two points less than half a circle apart.
    pub const fn max(self, other: Self) -> Self {
        if self.before(other) { other } else { self }
    }
}

impl fmt::Display for SeqNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Octets of sequence space that a segment occupies: payload, one for SYN, one for FIN (RFC 9293 §3.4).
pub const fn seq_len(payload: u32, flags: TcpFlags) -> u32 {
    payload + flags.has(TcpFlags::SYN) as u32 + flags.has(TcpFlags::FIN) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_holds_across_the_wrap() {
        let late = SeqNumber(u32::MAX - 9);
        let early = SeqNumber(10);
        assert!(late.before(early));
        assert!(!early.before(late));
        assert_eq!(late.distance_to(early), 20);
        assert_eq!(early.distance_to(late), -20);
        assert_eq!(late.plus(20), early);
        assert_eq!(early.minus(20), late);
        assert_eq!(late.max(early), early);
    }

    #[test]
    fn a_point_is_not_before_itself() {
        assert!(!SeqNumber(7).before(SeqNumber(7)));
        assert!(SeqNumber(7).at_or_before(SeqNumber(7)));
    }

    #[test]
    fn syn_and_fin_each_take_one_number() {
        assert_eq!(seq_len(10, TcpFlags::ACK), 10);
        assert_eq!(seq_len(0, TcpFlags::SYN), 1);
        assert_eq!(seq_len(3, TcpFlags::FIN.with(TcpFlags::ACK)), 4);
        assert_eq!(seq_len(0, TcpFlags::SYN.with(TcpFlags::FIN)), 2);
    }
}
