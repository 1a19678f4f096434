//! Where an attempt stands, by its key: four octets for each, and a third of that free.
//!
//! A bucket is as long as a line of the processor's cache: sixteen numbers. Each key has two buckets and goes into the emptier one,
//! which keeps all of them nearly even: at twelve in each on average, one in which a seventeenth would have to go is
//! rare, and that one stands aside. A number holds the low bits of a slot and, above, a tag of its key, so that
//! few entries are looked at in vain. Who leaves leaves an empty place and no mark, so the table never fills up with
//! those that were here. (Power of two choices: Azar, Broder, Karlin, Upfal 1994.)

/// Numbers in a bucket, and how many of them are taken on average when all are.
const WIDTH: usize = 16;
const USUAL: usize = 12;
const EMPTY: u32 = 0;

/// Slots by key. See the module.
#[derive(Debug)]
pub(super) struct Index {
    buckets: Vec<[u32; WIDTH]>,
    /// Those whose buckets were full; hardly ever one.
    aside: Vec<u32>,
    len: usize,
    /// Most that are held.
    cap: usize,
    /// Low bits of a slot that tell all of them apart.
    bits: u32,
}

impl Index {
    /// Of at most `cap` slots, 2^30 and fewer, that follow each other closely: none is `cap` or more behind another.
    pub(super) fn new(cap: usize) -> Self {
        let bits = cap.next_power_of_two().trailing_zeros();
        Self { buckets: Vec::new(), aside: Vec::new(), len: 0, cap, bits }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One more wants [`grow`](Self::grow) first.
    pub(super) const fn is_full(&self) -> bool {
        self.len >= self.buckets.len() * USUAL
    }

    /// How far behind slot `first` the one stands of which [`find`](Self::find) knows the low bits.
    pub(super) const fn place(&self, low: u32, first: u32) -> usize {
        (low.wrapping_sub(first) & self.mask()) as usize
    }

    /// Low bits of the slot of a key that `is` says is the right one.
    pub(super) fn find(&self, key: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        let (mask, tag) = (self.mask(), self.tag(key));
        let right = |&&number: &&u32| number & !mask == tag && is(number & mask);
        let found = self
            .choices(key)
            .and_then(|choices| choices.into_iter().find_map(|bucket| self.buckets[bucket].iter().find(right)));
        found.or_else(|| self.aside.iter().find(right)).map(|number| number & mask)
    }

    /// Puts in a slot whose key is not there yet. Not [`full`](Self::is_full).
    pub(super) fn insert(&mut self, key: u64, slot: u32) {
        let number = self.tag(key) | slot & self.mask();
        let free = |bucket: usize| self.buckets[bucket].iter().filter(|&&number| number == EMPTY).count();
        let emptier = self.choices(key).map(|[one, other]| if free(one) >= free(other) { one } else { other });
        let place = emptier.and_then(|bucket| self.buckets[bucket].iter_mut().find(|number| **number == EMPTY));
        match place {
            Some(place) => *place = number,
            None => self.aside.push(number),
        }
        self.len += 1;
    }

    /// Takes out a slot.
    pub(super) fn remove(&mut self, key: u64, slot: u32) {
        let number = self.tag(key) | slot & self.mask();
        for bucket in self.choices(key).into_iter().flatten() {
            if let Some(place) = self.buckets[bucket].iter_mut().find(|place| **place == number) {
                *place = EMPTY;
                self.len -= 1;
                return;
            }
        }
        if let Some(at) = self.aside.iter().position(|&other| other == number) {
            self.aside.swap_remove(at);
            self.len -= 1;
        }
    }

    /// Twice the room, up to what all of them need, with `held` in it.
    pub(super) fn grow(&mut self, held: impl Iterator<Item = (u64, u32)>) {
        let most = self.cap.div_ceil(USUAL);
        let wanted = (self.buckets.len() * 2).max(4);
        // Beyond its cap, which is not a promise of the caller's that memory rests on, it grows on.
        let buckets = if self.buckets.len() < most { wanted.min(most) } else { wanted };
        // Nothing is copied, so the old ones go first.
        self.buckets = Vec::new();
        self.buckets = vec![[EMPTY; WIDTH]; buckets];
        self.fill(held);
    }

    /// Anew, with `held` in it.
    pub(super) fn fill(&mut self, held: impl Iterator<Item = (u64, u32)>) {
        self.buckets.fill([EMPTY; WIDTH]);
        self.aside.clear();
        self.len = 0;
        for (key, slot) in held {
            self.insert(key, slot);
        }
    }

    const fn mask(&self) -> u32 {
        (1 << self.bits) - 1
    }

    /// The bits above a slot's; never none, so that no number is [`EMPTY`].
    const fn tag(&self, key: u64) -> u32 {
        let tags = (1_u64 << (u32::BITS - self.bits)) - 1;
        let mixed = (key ^ key >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (((mixed * tags) >> 32) as u32 + 1) << self.bits
    }

    /// The two buckets of a key, by its halves.
    const fn choices(&self, key: u64) -> Option<[usize; 2]> {
        let buckets = self.buckets.len() as u64;
        let [low, high] = [key & 0xffff_ffff, key >> 32];
        if buckets == 0 { None } else { Some([((low * buckets) >> 32) as usize, ((high * buckets) >> 32) as usize]) }
    }

    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        size_of_val(&self.buckets[..]) + 4 * self.aside.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys as a keyed hash would give them, and never 0.
    fn key(n: u32) -> u64 {
        let mixed = (u64::from(n) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93) | 1
    }

    fn filled(cap: usize, slots: std::ops::Range<u32>) -> Index {
        let mut index = Index::new(cap);
        for slot in slots.clone() {
            if index.is_full() {
                index.grow((slots.start..=slot).map(|slot| (key(slot), slot)));
            } else {
                index.insert(key(slot), slot);
            }
        }
        index
    }

    #[test]
    fn everybody_who_was_put_in_is_found_and_nobody_else() {
        let index = filled(1 << 16, 0..1 << 16);
        for slot in 0..1 << 16 {
            assert_eq!(index.find(key(slot), |low| low == slot), Some(slot));
        }
        let looked_at = std::cell::Cell::new(0);
        for slot in 1 << 16..1 << 17 {
            let found = index.find(key(slot), |_| {
                looked_at.set(looked_at.get() + 1);
                false
            });
            assert_eq!(found, None);
        }
        // 24 numbers in two buckets, one tag of 65,535.
        assert!(looked_at.get() < 200, "{} looked at in vain", looked_at.get());
    }

    #[test]
    fn hardly_anybody_stands_aside_though_the_table_turns_over_many_times() {
        let cap = 1 << 14;
        let mut index = filled(cap, 0..cap as u32);
        let octets = index.octets();
        for slot in cap as u32..40 * cap as u32 {
            index.remove(key(slot - cap as u32), slot - cap as u32);
            index.insert(key(slot), slot);
        }
        assert_eq!(index.len(), cap);
        assert!(index.aside.len() <= 8, "{} stand aside", index.aside.len());
        assert!(index.octets() <= octets + 32 && octets <= cap * 4 * WIDTH / USUAL + 64, "{octets}");
        let all = 39 * cap as u32..40 * cap as u32;
        assert!(all.clone().all(|slot| index.find(key(slot), |low| low == slot & (cap as u32 - 1)).is_some()));
    }

    #[test]
    fn slots_that_pass_the_end_of_their_numbers_keep_their_places() {
        let first = u32::MAX - 5;
        let mut index = Index::new(10);
        index.grow((0..10).map(|n| (key(n), first.wrapping_add(n))));
        for n in 0..10 {
            let place = |low| index.place(low, first);
            assert_eq!(index.find(key(n), |low| place(low) == n as usize).map(place), Some(n as usize));
        }
    }

    #[test]
    fn those_for_whom_there_was_no_room_stand_aside_and_are_found_and_let_go() {
        let (mut index, alike) = (Index::new(100), 7 | 0xffff_ffff << 32);
        index.grow(std::iter::empty());
        // All of one key: 32 go into its two buckets.
        (0..39).for_each(|slot| index.insert(alike, slot));
        assert_eq!((index.len(), index.aside.len()), (39, 7));
        assert!((0..39).all(|slot| index.find(alike, |low| low == slot).is_some()));
        (0..39).for_each(|slot| index.remove(alike, slot));
        assert_eq!((index.len(), index.aside.len()), (0, 0));
    }
}
