//! Counting what is too many to list: distinct values, the most frequent ones, sets of small numbers.
//!
//! Fixed size, constant time per value, whatever the values are. Hashes come from outside, under a key of the capture
//! ([`SynFlood::begins_with`](super::SynFlood::begins_with)): who knows it can spoil an estimate, and nothing else.

/// Distinct values, to within about 3 % (HyperLogLog with 1,024 registers, linear counting while few).
#[derive(Clone, Debug)]
pub(super) struct Distinct {
    registers: [u8; Self::REGISTERS],
}

impl Distinct {
    const REGISTERS: usize = 1024;
    const INDEX_BITS: u32 = 10;

    pub(super) const fn new() -> Self {
        Self { registers: [0; Self::REGISTERS] }
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let register = (hash >> (64 - Self::INDEX_BITS)) as usize;
        let rank = ((hash << Self::INDEX_BITS) | 1).leading_zeros() as u8 + 1;
        self.registers[register] = self.registers[register].max(rank);
    }

    /// Adds the values that another one has seen.
    pub(super) fn join(&mut self, other: &Self) {
        for (own, theirs) in self.registers.iter_mut().zip(other.registers) {
            *own = (*own).max(theirs);
        }
    }

    pub(super) fn estimate(&self) -> f64 {
        let m = Self::REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|&rank| (-f64::from(rank)).exp2()).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().filter(|&&rank| rank == 0).count();
        if raw <= 2.5 * m && empty > 0 { m * (m / empty as f64).ln() } else { raw }
    }
}

/// The `N` most frequent values; each count is at most `error` too high (SpaceSaving).
#[derive(Clone, Debug)]
pub(super) struct Top<T, const N: usize> {
    slots: [Counted<T>; N],
    len: usize,
    total: u64,
}

/// A value with its count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counted<T> {
    pub(super) value: T,
    pub(super) count: u32,
    pub(super) error: u32,
}

impl<T: Copy + Default + Eq, const N: usize> Top<T, N> {
    pub(super) fn new() -> Self {
        Self { slots: [Counted::default(); N], len: 0, total: 0 }
    }

    pub(super) fn insert(&mut self, value: T) {
        self.total += 1;
        if let Some(known) = self.slots[..self.len].iter_mut().find(|slot| slot.value == value) {
            known.count = known.count.saturating_add(1);
        } else if self.len < N {
            self.slots[self.len] = Counted { value, count: 1, error: 0 };
            self.len += 1;
        } else if let Some(rarest) = self.slots.iter_mut().min_by_key(|slot| slot.count) {
            *rarest = Counted { value, count: rarest.count.saturating_add(1), error: rarest.count };
        }
    }

    /// Adds what another one has counted. What is not listed there may have come as often as its rarest.
    pub(super) fn join(&mut self, other: &Self) {
        let rarest =
            |top: &Self| if top.len < N { 0 } else { top.slots.iter().map(|slot| slot.count).min().unwrap_or(0) };
        let (unseen, unlisted) = (rarest(self), rarest(other));
        let mut all = self.slots[..self.len].to_vec();
        for slot in &mut all {
            let known = other.slots[..other.len].iter().find(|theirs| theirs.value == slot.value);
            let (count, error) = known.map_or((unlisted, unlisted), |theirs| (theirs.count, theirs.error));
            (slot.count, slot.error) = (slot.count.saturating_add(count), slot.error.saturating_add(error));
        }
        for theirs in &other.slots[..other.len] {
            if self.slots[..self.len].iter().all(|own| own.value != theirs.value) {
                let (count, error) = (theirs.count.saturating_add(unseen), theirs.error.saturating_add(unseen));
                all.push(Counted { value: theirs.value, count, error });
            }
        }
        all.sort_by_key(|slot| std::cmp::Reverse(slot.count));
        all.truncate(N);
        self.len = all.len();
        self.slots[..all.len()].copy_from_slice(&all);
        self.total += other.total;
    }

    /// All that was counted.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Most frequent first.
    pub(super) fn sorted(&self) -> Vec<Counted<T>> {
        let mut sorted = self.slots[..self.len].to_vec();
        sorted.sort_by_key(|slot| std::cmp::Reverse(slot.count - slot.error));
        sorted
    }

    /// The most frequent value and the share that it surely has.
    pub(super) fn leader(&self) -> Option<(T, f64)> {
        let best = self.slots[..self.len].iter().max_by_key(|slot| slot.count - slot.error)?;
        Some((best.value, f64::from(best.count - best.error) / self.total.max(1) as f64))
    }
}

/// A set of hashed values in `W` words of 64 bits; says how many there are, up to some six times its bits.
#[derive(Clone, Debug)]
pub(super) struct Few<const W: usize>([u64; W]);

impl<const W: usize> Few<W> {
    pub(super) const fn new() -> Self {
        Self([0; W])
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let bit = hash as usize % (W * 64);
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Adds the values of another one.
    pub(super) fn join(&mut self, other: &Self) {
        for (own, theirs) in self.0.iter_mut().zip(other.0) {
            *own |= theirs;
        }
    }

    /// Bits set: at most the number of distinct values.
    pub(super) fn bits(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Distinct values (linear counting).
    pub(super) fn estimate(&self) -> f64 {
        let m = (W * 64) as f64;
        let empty = (m - f64::from(self.bits())).max(0.5);
        m * (m / empty).ln()
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use foldhash::quality::RandomState;

    use super::*;

    #[test]
    fn distinct_values_are_counted_to_within_a_tenth_however_often_they_come() {
        let hasher = RandomState::default();
        for n in [1_u64, 10, 300, 3_000, 100_000] {
            let mut distinct = Distinct::new();
            for value in (0..n).chain(0..n / 2) {
                distinct.insert(hasher.hash_one(value));
            }
            let error = (distinct.estimate() - n as f64).abs() / n as f64;
            assert!(error < 0.12, "{n}: off by {error}");
        }
    }

    #[test]
    fn a_source_of_half_the_traffic_leads_whatever_crowd_surrounds_it() {
        let mut top = Top::<u32, 8>::new();
        for n in 0..10_000 {
            top.insert(if n % 2 == 0 { 7 } else { n });
        }
        let (leader, share) = top.leader().expect("something was counted");
        assert_eq!(leader, 7);
        assert!(share > 0.3 && share <= 0.51, "{share}");
        assert_eq!(top.total(), 10_000);
    }

    #[test]
    fn what_two_have_counted_is_joined_within_the_error_that_is_told() {
        let (mut one, mut other) = (Top::<u32, 4>::new(), Top::<u32, 4>::new());
        let mut true_count = [0_u32; 40];
        for n in 0..4_000_u32 {
            let value = if n % 3 == 0 { 7 } else { n * n % 40 };
            true_count[value as usize] += 1;
            if n % 5 < 2 { one.insert(value) } else { other.insert(value) }
        }
        one.join(&other);
        assert_eq!((one.total(), one.leader().map(|(value, _)| value)), (4_000, Some(7)));
        for Counted { value, count, error } in one.sorted() {
            let truth = true_count[value as usize];
            assert!(truth <= count && count - error <= truth, "{value}: {truth}, said {count} less {error} at most");
        }
    }

    #[test]
    fn a_crowd_without_leader_has_none() {
        let mut top = Top::<u32, 32>::new();
        (0..10_000).for_each(|n| top.insert(n));
        assert!(top.leader().is_some_and(|(_, share)| share < 0.01));
    }

    #[test]
    fn few_values_are_told_apart_nearly_exactly() {
        let hasher = RandomState::default();
        let mut few = Few::<16>::new();
        (0..100_u64).for_each(|n| few.insert(hasher.hash_one(n)));
        assert!((few.estimate() - 100.0).abs() < 15.0, "{}", few.estimate());
    }
}
