//! What of one direction could be handed on in order, and what an acknowledgment shows to be missing.
//!
//! Zeek counts as missed what the peer acknowledged although it was not there *when* it was acknowledged: what arrives
//! later, or was cut by the snap length, does not count any more.

use std::ops::Range;

/// Stretches kept behind holes per direction. With more, gaps are no longer told.
pub(super) const MAX_STRETCHES: usize = 128;
/// Octets behind a hole of a stream without any acknowledgment, after which Zeek gives the stream up.
const MAX_ABOVE_HOLE: u64 = 16_384;
/// Octets waiting for an acknowledgment, after which Zeek gives the stream up.
const MAX_WAITING: u64 = 10 * 1024 * 1024;

/// One direction. Positions count from the SYN, which has 0.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// All below was handed on, or given up.
    pub(super) next: u64,
    /// All below is done with.
    trimmed: u64,
    /// What lies behind holes, in order, apart from each other.
    waiting: Vec<Range<u64>>,
    /// Given up: nothing is kept or missed any more.
    abandoned: bool,
    /// More stretches than fit: gaps cannot be told.
    overflowed: bool,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { next: 1, trimmed: 1, waiting: Vec::new(), abandoned: false, overflowed: false }
    }
}

impl Delivery {
    /// Payload was sent. `acked` is what the peer has acknowledged, `none_acked` that this is nothing but the SYN.
    pub(super) fn sent(&mut self, octets: Range<u64>, acked: u64, none_acked: bool) {
        let start = octets.start.max(acked).max(self.trimmed);
        if self.abandoned || start >= octets.end {
            return;
        }
        self.insert(start..octets.end);
        let behind_hole = self.waiting.last().map_or(0, |last| last.end - self.next);
        let waiting: u64 = self.waiting.iter().map(|stretch| stretch.end - stretch.start).sum();
        let unacknowledged = self.next.saturating_sub(self.trimmed);
        if none_acked && behind_hole > MAX_ABOVE_HOLE || waiting.saturating_add(unacknowledged) > MAX_WAITING {
            self.waiting.clear();
            self.abandoned = true;
        }
    }

    /// The peer acknowledged everything below `edge`: calls `gap` with the length of each hole below it.
    ///
    /// `numbered_by_guess`: the capture began in the middle, so the first octet is no more than a guess.
    pub(super) fn acknowledged(&mut self, edge: u64, numbered_by_guess: bool, mut gap: impl FnMut(u64)) {
        if edge <= self.trimmed {
            return;
        }
        if edge > self.next && !(edge <= 2 && numbered_by_guess) {
            while let Some(first) = self.waiting.first().filter(|first| first.start < edge && !self.abandoned) {
                gap(first.start - self.next);
                self.next = first.end;
                self.waiting.remove(0);
            }
            if edge > self.next {
                if !self.abandoned {
                    gap(edge - self.next);
                }
                self.next = edge;
            }
        }
        self.trimmed = edge;
        if self.waiting.first().is_some_and(|first| first.start == self.next) {
            self.next = self.waiting.remove(0).end;
        }
    }

    /// Gaps were counted without exception.
    pub(super) const fn is_exact(&self) -> bool {
        !self.overflowed
    }

    /// Stretches and what waits for an acknowledgment are there.
    pub(super) const fn holds_any(&self) -> bool {
        !self.waiting.is_empty() || self.next > self.trimmed
    }

    /// Given up.
    pub(super) const fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    fn insert(&mut self, new: Range<u64>) {
        if new.start <= self.next {
            self.next = self.next.max(new.end);
            while self.waiting.first().is_some_and(|first| first.start <= self.next) {
                self.next = self.next.max(self.waiting.remove(0).end);
            }
            return;
        }
        let from = self.waiting.partition_point(|stretch| stretch.end < new.start);
        let to = self.waiting.partition_point(|stretch| stretch.start <= new.end);
        if from < to {
            let joined = self.waiting[from].start.min(new.start)..self.waiting[to - 1].end.max(new.end);
            self.waiting[from] = joined;
            self.waiting.drain(from + 1..to);
        } else if self.waiting.len() < MAX_STRETCHES {
            self.waiting.insert(from, new);
        } else {
            self.overflowed = true;
        }
    }
}
