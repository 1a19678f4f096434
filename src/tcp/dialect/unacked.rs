//! Segments that one side has sent and the other has not acknowledged, as Wireshark remembers them.

use std::collections::VecDeque;

use crate::packet::seq::SeqNumber;
use crate::tcp::dialect::before;

/// Entries kept per direction; beyond it Wireshark stops taking notes.
pub(super) const MAX_UNACKED: usize = 10_000;
/// An empty list keeps room for this many entries and gives back the rest.
const KEPT_ROOM: usize = 128;

/// One segment in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) frame: u64,
    pub(super) at: i64,
    pub(super) seq: SeqNumber,
    pub(super) end: SeqNumber,
}

/// The list, oldest first.
#[derive(Debug, Default)]
pub(super) struct Unacked(VecDeque<Sent>);

impl Unacked {
    /// The list holds as many entries as Wireshark would keep.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_UNACKED
    }

    /// Nothing is outstanding.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Entries there is memory for: what this list costs.
    pub(super) fn room(&self) -> usize {
        self.0.capacity()
    }

    /// The oldest segment outstanding.
    pub(super) fn oldest(&self) -> Option<&Sent> {
        self.0.front()
    }

    /// Notes a segment.
    pub(super) fn push(&mut self, sent: Sent) {
        self.0.push_back(sent);
    }

    /// Drops what `ack` covers, trims what it covers in part, and gives back the segment that ends exactly there,
    /// the oldest if several do.
    pub(super) fn acknowledge(&mut self, ack: SeqNumber) -> Option<Sent> {
        let mut exact = None;
        self.0.retain_mut(|sent| {
            if sent.end == ack {
                exact = exact.or(Some(*sent));
                return false;
            }
            if before(sent.seq, ack) && before(ack, sent.end) {
                sent.seq = ack;
            }
            before(ack, sent.end)
        });
        if self.0.is_empty() && self.0.capacity() > KEPT_ROOM {
            self.0 = VecDeque::new();
        }
        exact
    }

    /// Octets from the lowest number outstanding to the highest, both counted from `base`.
    pub(super) fn extent(&self, base: SeqNumber) -> u32 {
        let (low, high) = self.0.iter().fold((u32::MAX, 0), |(low, high), sent| {
            (low.min(base.offset_to(sent.seq)), high.max(base.offset_to(sent.end)))
        });
        high.wrapping_sub(low)
    }
}
