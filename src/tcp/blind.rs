//! What the capturing side is known to have missed or garbled, as far as one connection is concerned.
//!
//! The network is not blamed for what the capture did: where frames were lost, or the clock was set back, between the
//! two packets that a judgement compares, it cannot be told. Places are frame numbers: the clock is under suspicion itself.

use crate::packet::TcpHeader;

/// What is known of the capture by the time of one packet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Blind {
    /// The first frame behind the latest loss that the capturing side told of; 0 where it told of none.
    pub lost_before: u64,
    /// The latest frame whose time lies behind that of the frame before it by more than stamps of two queues do; 0 for
    /// none.
    pub stepped_at: u64,
    /// Of the connections that have ended so far only one side each was captured.
    pub one_sided: bool,
    /// The capturing side counts its losses and tells of them.
    pub losses_told: bool,
    /// Segments are judged: a packet that was captured twice is noticed.
    pub judged: bool,
}

impl Blind {
    /// Frames were lost between frame `since` and this one.
    pub const fn lost_since(&self, since: u64) -> bool {
        since < self.lost_before
    }

    /// The clock was set back between frame `since` and this one.
    pub const fn stepped_since(&self, since: u64) -> bool {
        since < self.stepped_at
    }
}

/// How to judge a segment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Hearing {
    /// Also tell what holds and what cannot be told.
    pub thorough: bool,
    /// What the capture is known to have missed.
    pub blind: Blind,
}

/// What of it has touched one connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Blemishes {
    /// Frames were lost between its packets, or before a first one that is no SYN.
    pub lost: bool,
    /// The clock was set back between its packets.
    pub stepped: bool,
    /// Payload was cut by the snap length.
    pub cut: bool,
    /// Options were cut by it: what they said is not known.
    pub options_cut: bool,
}

impl Blemishes {
    /// Takes note of a packet; `since` is the number of the connection's packet before it.
    pub(super) const fn note(&mut self, blind: &Blind, since: u64, tcp: &TcpHeader<'_>) {
        self.lost |= blind.lost_since(since);
        self.stepped |= since > 0 && blind.stepped_since(since);
        self.cut |= tcp.payload.len() < tcp.len as usize;
        self.options_cut |= options_cut(tcp);
    }
}

/// The header says that there are more options than were captured.
pub(super) const fn options_cut(tcp: &TcpHeader<'_>) -> bool {
    tcp.header_len as usize > FIXED_HEADER + tcp.options.len()
}

/// Octets of a TCP header without options.
const FIXED_HEADER: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_lies_between_two_frames_or_it_does_not() {
        let blind = Blind { lost_before: 7, stepped_at: 9, ..Blind::default() };
        assert!(blind.lost_since(6) && !blind.lost_since(7), "between 6 and 7");
        assert!(blind.stepped_since(8) && !blind.stepped_since(9), "from 8 to 9");
        assert!(!Blind::default().lost_since(0) && !Blind::default().stepped_since(0));
    }
}
