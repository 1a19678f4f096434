//! What stands first.

use std::cmp::Reverse;

use crate::finding::Severity;
use crate::report::worst::Worst;

/// By what conversations are put in order; what is equal stands by its number.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// Gravest finding first, then most octets.
    #[default]
    Worst,
    /// Earliest first.
    Start,
    /// Longest first.
    Duration,
    /// Most octets first.
    Bytes,
    /// Most packets first.
    Packets,
    /// Slowest first: round-trip time of the handshake, mean latency of UDP. Unknown ones last.
    Rtt,
    /// Most segments sent again first; of UDP, most requests without an answer.
    Retransmissions,
    /// Most findings first.
    Findings,
}

/// Something with a place in an order.
pub(super) trait Ranked {
    /// Its number.
    fn stream(&self) -> u64;

    /// Higher stands first.
    fn rank(&self, sort: Sort) -> i128;
}

/// Rows of which those that stand first are kept.
pub(super) type Kept<T> = Worst<Place, T>;

/// A row's place among others: rank, and the earlier number first.
pub(super) type Place = (i128, Reverse<u64>);

/// A row's place among others.
pub(super) fn place(row: &impl Ranked, sort: Sort) -> Place {
    (row.rank(sort), Reverse(row.stream()))
}

/// Rows on their way out: at once in the order in which they come, or the first ones of an order when all are known.
#[derive(Debug)]
pub(super) struct Turns<T> {
    sort: Option<Sort>,
    limit: usize,
    kept: Kept<T>,
    passed: u64,
    left_out: u64,
}

impl<T> Turns<T> {
    /// At most `limit` of each capture, 0 for all of them.
    pub(super) fn new(sort: Option<Sort>, limit: usize) -> Self {
        Self { sort, limit, kept: Worst::new(limit), passed: 0, left_out: 0 }
    }

    /// Takes what belongs to a row that comes; gives back what may go at once.
    pub(super) fn take(&mut self, row: &impl Ranked, what: T) -> Option<T> {
        self.put(self.sort.map(|sort| place(row, sort)), what)
    }

    /// Takes a row that comes; gives back what may go at once.
    pub(super) fn pass(&mut self, row: T) -> Option<T>
    where
        T: Ranked,
    {
        self.put(self.sort.map(|sort| place(&row, sort)), row)
    }

    fn put(&mut self, place: Option<Place>, what: T) -> Option<T> {
        if let Some(place) = place {
            self.kept.add(place, what);
            return None;
        }
        if self.limit > 0 && self.passed >= self.limit as u64 {
            self.left_out += 1;
            return None;
        }
        self.passed += 1;
        Some(what)
    }

    /// The capture is over: what was kept, in order.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.passed = 0;
        let kept = std::mem::replace(&mut self.kept, Worst::new(self.limit));
        self.left_out += kept.left_out();
        kept.sorted()
    }

    /// Rows that came and were not given back, of all captures that are over.
    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Gravest finding, then octets, in one number.
pub(super) fn worst_first(worst: Option<Severity>, bytes: u64) -> i128 {
    let gravity: i128 = match worst {
        None => 0,
        Some(Severity::Note) => 1,
        Some(Severity::Warning) => 2,
        Some(Severity::Error) => 3,
    };
    (gravity << 64) + i128::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(u64, i128);

    impl Ranked for Row {
        fn stream(&self) -> u64 {
            self.0
        }

        fn rank(&self, _sort: Sort) -> i128 {
            self.1
        }
    }

    /// What goes at once, and what goes at the end, of five rows in two captures; how many were left out.
    fn gone(sort: Option<Sort>, limit: usize) -> (Vec<u64>, Vec<u64>, u64) {
        let (mut turns, mut at_once, mut at_end) = (Turns::new(sort, limit), Vec::new(), Vec::new());
        for capture in [&[Row(0, 5), Row(1, 9), Row(2, 7)][..], &[Row(3, 1), Row(4, 1)]] {
            at_once.extend(capture.iter().filter_map(|row| turns.take(row, row.0)));
            at_end.extend(turns.rest());
        }
        (at_once, at_end, turns.left_out())
    }

    #[test]
    fn without_an_order_rows_go_as_they_come_up_to_the_limit_of_each_capture() {
        assert_eq!(gone(None, 0), (vec![0, 1, 2, 3, 4], vec![], 0));
        assert_eq!(gone(None, 2), (vec![0, 1, 3, 4], vec![], 1));
    }

    #[test]
    fn with_an_order_the_first_ones_go_at_the_end_and_equal_ones_by_their_number() {
        assert_eq!(gone(Some(Sort::Bytes), 2), (vec![], vec![1, 2, 3, 4], 1));
        assert_eq!(gone(Some(Sort::Bytes), 0), (vec![], vec![1, 2, 0, 3, 4], 0));
    }

    #[test]
    fn no_number_of_octets_outweighs_a_graver_finding() {
        assert!(worst_first(Some(Severity::Note), 0) > worst_first(None, u64::MAX));
        assert!(worst_first(Some(Severity::Error), 0) > worst_first(Some(Severity::Warning), u64::MAX));
        assert!(worst_first(None, 2) > worst_first(None, 1));
    }
}
