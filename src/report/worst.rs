//! The worst few of any number of things, in bounded memory.

use std::cmp::Ordering;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Things among which one is looked for.
const FEW: usize = 4_096;

/// Keeps what ranks highest.
#[derive(Clone, Debug)]
pub(super) struct Worst<R, T> {
    limit: usize,
    heap: BinaryHeap<Reverse<Ranked<R, T>>>,
    seen: u64,
}

#[derive(Clone, Debug)]
struct Ranked<R, T> {
    rank: R,
    row: T,
}

impl<R: Ord, T> Worst<R, T> {
    /// At most `limit` things, 0 for all of them.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heap: BinaryHeap::new(), seen: 0 }
    }

    /// Things seen, kept or not.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Things not kept.
    pub(super) fn left_out(&self) -> u64 {
        self.seen.saturating_sub(self.heap.len() as u64)
    }

    pub(super) fn add(&mut self, rank: R, row: T) {
        self.seen += 1;
        self.heap.push(Reverse(Ranked { rank, row }));
        if self.limit > 0 && self.heap.len() > self.limit {
            self.heap.pop();
        }
    }

    /// What was added before, and is to be added anew: it is not seen twice, nor kept twice. Among very many things
    /// kept it is not looked for.
    pub(super) fn retract(&mut self, is_it: impl Fn(&T) -> bool) {
        self.seen -= 1;
        if self.heap.len() <= FEW {
            self.heap.retain(|Reverse(ranked)| !is_it(&ranked.row));
        }
    }

    /// The worst first.
    pub(super) fn sorted(self) -> impl Iterator<Item = T> {
        self.heap.into_sorted_vec().into_iter().map(|Reverse(ranked)| ranked.row)
    }
}

impl<R: Ord, T> Ord for Ranked<R, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<R: Ord, T> PartialOrd for Ranked<R, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: Ord, T> PartialEq for Ranked<R, T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl<R: Ord, T> Eq for Ranked<R, T> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(limit: usize) -> (Vec<char>, u64) {
        let mut worst = Worst::new(limit);
        for (rank, row) in [(3, 'c'), (1, 'a'), (4, 'd'), (2, 'b')] {
            worst.add(rank, row);
        }
        let left_out = worst.left_out();
        (worst.sorted().collect(), left_out)
    }

    #[test]
    fn the_worst_are_kept_and_stand_first_and_the_others_are_counted() {
        assert_eq!(kept(2), (vec!['d', 'c'], 2));
    }

    #[test]
    fn a_limit_of_zero_keeps_everything() {
        assert_eq!(kept(0), (vec!['d', 'c', 'b', 'a'], 0));
    }
}
