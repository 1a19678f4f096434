//! Segments on their way, oldest first. Most connections have one at a time, and that one costs no allocation.

use std::collections::VecDeque;

use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::event::Mark;

/// A segment on its way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// First number.
    pub seq: SeqNumber,
    /// First number behind it.
    pub end: SeqNumber,
    /// First transmission.
    pub first: Mark,
    /// Latest transmission.
    pub last: Mark,
    /// Transmissions seen.
    pub times: u16,
    /// TTL of the latest transmission.
    pub(super) ttl: u8,
    /// IPv4 id of the latest transmission; 0 for none.
    pub(super) ip_id: u16,
    /// TSval of the latest transmission.
    pub(super) ts_value: Option<u32>,
    /// First octets of the payload, hashed; 0 where not enough was captured.
    pub(super) print: u32,
}

impl Sent {
    /// Transmission that an acknowledgment at `at` answers: the latest, unless that was too soon before.
    pub(super) fn arrived_by(&self, at: Timestamp, too_soon: Span) -> Timestamp {
        if at.since(self.last.at) < too_soon { self.first.at } else { self.last.at }
    }
}

/// Segments in order of transmission, as far as they came in order.
#[derive(Clone, Debug, Default)]
pub struct Outstanding {
    /// The oldest; absent only where there is none at all.
    oldest: Option<Sent>,
    rest: VecDeque<Sent>,
}

impl Outstanding {
    /// How many.
    pub fn len(&self) -> usize {
        usize::from(self.oldest.is_some()) + self.rest.len()
    }

    /// Nothing is on its way.
    pub const fn is_empty(&self) -> bool {
        self.oldest.is_none()
    }

    /// The oldest.
    pub const fn front(&self) -> Option<&Sent> {
        self.oldest.as_ref()
    }

    /// The youngest.
    pub fn back(&self) -> Option<&Sent> {
        self.rest.back().or(self.oldest.as_ref())
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Sent> {
        self.oldest.iter().chain(&self.rest)
    }

    pub(super) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Sent> {
        self.oldest.iter_mut().chain(&mut self.rest)
    }

    pub(super) fn push_back(&mut self, sent: Sent) {
        if self.oldest.is_none() {
            self.oldest = Some(sent);
        } else {
            self.rest.push_back(sent);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Sent> {
        let oldest = self.oldest.take();
        self.oldest = self.rest.pop_front();
        oldest
    }

    /// Keeps those of which `stays` is true, asking in order.
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&Sent) -> bool) {
        self.oldest = self.oldest.take().filter(|sent| stays(sent));
        self.rest.retain(stays);
        if self.oldest.is_none() {
            self.oldest = self.rest.pop_front();
        }
    }

    /// Every segment begins behind the one before.
    pub(super) fn is_in_order(&self) -> bool {
        self.iter().zip(self.iter().skip(1)).all(|(a, b)| a.seq.before(b.seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(seq: u32) -> Sent {
        let mark = Mark { frame: 1, at: Timestamp::EPOCH };
        let (seq, end) = (SeqNumber(seq), SeqNumber(seq + 1));
        Sent { seq, end, first: mark, last: mark, times: 1, ttl: 64, ip_id: 0, ts_value: None, print: 0 }
    }

    fn numbers(all: &Outstanding) -> Vec<u32> {
        all.iter().map(|sent| sent.seq.0).collect()
    }

    #[test]
    fn the_oldest_stands_in_front_whatever_leaves() {
        let mut all = Outstanding::default();
        for seq in 1..=4 {
            all.push_back(sent(seq));
        }
        assert_eq!((numbers(&all), all.len(), all.is_in_order()), (vec![1, 2, 3, 4], 4, true));
        all.retain(|sent| sent.seq.0 != 1 && sent.seq.0 != 3);
        assert_eq!((numbers(&all), all.front().map(|sent| sent.seq.0)), (vec![2, 4], Some(2)));
        assert_eq!(all.pop_front().map(|sent| sent.seq.0), Some(2));
        assert_eq!((all.back().map(|sent| sent.seq.0), all.len()), (Some(4), 1));
        all.pop_front();
        assert!(all.is_empty() && all.back().is_none() && all.pop_front().is_none());
        all.push_back(sent(9));
        all.push_back(sent(7));
        assert!(!all.is_in_order());
    }
}
