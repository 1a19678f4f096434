//! Sequence numbers of one endpoint as Zeek counts them: from the SYN on, in 64 bits, wraps counted.

use crate::packet::SeqNumber;
use crate::packet::TcpFlags;

/// A SYN or RST further away than this from what was sent so far is not believed; nor is an ACK of 0.
const FAR: i32 = 1 << 20;

/// A number relative to the SYN. Wraps below zero like Zeek's, so that what it prints then is printed here too.
pub(super) type Relative = u64;

/// Numbers of one endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers {
    /// Number of the SYN, or one below the first octet seen.
    start: SeqNumber,
    /// First number behind what was sent.
    last: SeqNumber,
    /// Highest number that the peer acknowledged.
    acked: SeqNumber,
    last_wraps: u32,
    acked_wraps: u32,
}

/// What a segment did to the numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Advance {
    /// It was new, or is not believed.
    Fine,
    /// Payload that brought nothing new.
    Repeats,
}

impl Numbers {
    /// A SYN begins the numbering, once more if need be. The wraps of before stay, as they do in Zeek.
    pub(super) const fn begin_with_syn(&mut self, seq: SeqNumber, end: SeqNumber) {
        self.start = seq;
        self.acked = seq;
        self.last = end;
    }

    /// The first segment seen is no SYN: as if one had come right before it.
    pub(super) const fn begin_in_the_middle(&mut self, seq: SeqNumber) {
        self.start = seq.minus(1);
        self.acked = seq.minus(1);
        // Not its end, or it would repeat itself.
        self.last = seq;
    }

    /// Nothing was seen of it, but its peer acknowledges.
    pub(super) const fn begin_by_ack(&mut self, ack: SeqNumber) {
        self.start = ack.minus(1);
        self.acked = ack.minus(1);
        self.last = ack.minus(1);
    }

    /// Number of the SYN.
    pub(super) const fn start(&self) -> SeqNumber {
        self.start
    }

    /// Relative number of a segment sent, and whether it lies before the SYN.
    pub(super) const fn of_sent(&self, seq: SeqNumber) -> (Relative, bool) {
        self.relative(seq, self.last, self.last_wraps)
    }

    /// The same for an acknowledgment received.
    pub(super) const fn of_ack(&self, ack: SeqNumber) -> (Relative, bool) {
        self.relative(ack, self.acked, self.acked_wraps)
    }

    const fn relative(&self, seq: SeqNumber, near: SeqNumber, wraps: u32) -> (Relative, bool) {
        let ahead = near.distance_to(seq);
        let wraps = if ahead < 0 && wraps > 0 && seq.0 > near.0 {
            wraps - 1
        } else if ahead > 0 && seq.0 < near.0 {
            wraps + 1
        } else {
            wraps
        };
        if wraps == 0 {
            let distance = self.start.distance_to(seq);
            return (distance as i64 as u64, distance < 0);
        }
        (full(seq, wraps).wrapping_sub(self.start.0 as u64), false)
    }

    /// The peer acknowledged up to `ack`.
    pub(super) const fn is_acknowledged(&mut self, ack: SeqNumber) {
        let ahead = self.acked.distance_to(ack);
        if ahead > 0 && !(ack.0 == 0 && ahead > FAR) {
            self.acked_wraps += (ack.0 < self.acked.0) as u32;
            self.acked = ack;
        }
    }

    /// A segment ended before `end`. `reset`: its sender had reset the connection before.
    pub(super) fn advance(&mut self, end: SeqNumber, flags: TcpFlags, has_payload: bool, reset: bool) -> Advance {
        let ahead = self.last.distance_to(end);
        let far = ahead.unsigned_abs() > FAR.unsigned_abs();
        if flags.any(TcpFlags::SYN.with(TcpFlags::RST)) && far {
            return Advance::Fine;
        }
        // Nothing but SYN and FIN was seen: more than half the circle may lie between them.
        let only_syn = self.last == self.start.plus(1);
        let moves = if flags.has(TcpFlags::FIN) && only_syn { true } else { !reset && ahead > 0 };
        if moves {
            self.last_wraps += u32::from(end.0 < self.last.0);
            self.last = end;
            return Advance::Fine;
        }
        if !reset && has_payload { Advance::Repeats } else { Advance::Fine }
    }

    /// Relative number up to which the peer has acknowledged.
    pub(super) const fn acked(&self) -> Relative {
        full(self.acked, self.acked_wraps).wrapping_sub(self.start.0 as u64)
    }

    /// The peer acknowledged nothing but the SYN, if that.
    pub(super) const fn none_acked(&self) -> bool {
        matches!(self.acked(), 0 | 1)
    }

    /// Relative number behind what was sent.
    pub(super) const fn last(&self) -> Relative {
        full(self.last, self.last_wraps).wrapping_sub(self.start.0 as u64)
    }

    /// Octets sent, by numbers alone: a wild one inflates it.
    pub(super) fn size(&self, has_fin: bool) -> u64 {
        let last = full(self.last, self.last_wraps);
        let acked = full(self.acked, self.acked_wraps);
        let size = last.max(acked).wrapping_sub(u64::from(self.start.0));
        let size = size.saturating_sub(1);
        if has_fin { size.saturating_sub(1) } else { size }
    }
}

const fn full(number: SeqNumber, wraps: u32) -> u64 {
    (wraps as u64) << 32 | number.0 as u64
}
