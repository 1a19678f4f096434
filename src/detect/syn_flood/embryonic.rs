//! The table of attempts that are not complete: bounded, oldest out first, constant time per packet.
//!
//! Every age at which something is decided is a constant, so attempts in order of arrival are also in order of each
//! decision: four lists replace a timer wheel. Keys are hashes under a secret of this run, so nobody can choose
//! addresses that collide. Refusing newcomers when full would lose nearly all honest handshakes of a flood; letting the
//! oldest go loses none that are younger than the table's depth in time. Where even that gets too short, one flow in
//! 2^n is followed, chosen by its key, so that a flow is followed as a whole or not at all.

use hashbrown::HashTable;

use crate::detect::syn_flood::attempt::Attempt;
use crate::packet::Span;

/// Index of no slot.
const NONE: u32 = u32::MAX;
/// Stages of age: young, aged, late, judged.
pub(super) const STAGES: usize = 4;
/// A table that turns over faster than this is sampled.
const SHALLOW: Span = Span::from_millis(250);
/// At most one step of sampling in this time.
const STEP: Span = Span::from_millis(250);
/// No more than one in 2^16.
const MAX_SHIFT: u32 = 16;

/// Counters of the table, shown in every report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct AttemptStats {
    /// Attempts that ever had a slot.
    pub opened: u64,
    /// Let go because the table was full, already judged: nothing is lost.
    pub evicted_judged: u64,
    /// Let go because the table was full, outcome unknown.
    pub evicted_unjudged: u64,
    /// Not followed because one in 2^n was.
    pub sampled_out: u64,
    /// Largest n of that 2^n.
    pub deepest_sampling: u32,
    /// Most slots in use at once.
    pub peak: usize,
}

/// Attempts by keyed hash of their tuple.
#[derive(Debug)]
pub(super) struct Attempts {
    slots: Vec<Attempt>,
    free: u32,
    index: HashTable<u32>,
    lists: [List; STAGES],
    delays: [i64; STAGES],
    cap: usize,
    shift: u32,
    stepped: i64,
    pub(super) stats: AttemptStats,
}

#[derive(Clone, Copy, Debug)]
struct List {
    oldest: u32,
    newest: u32,
}

const EMPTY: List = List { oldest: NONE, newest: NONE };

impl Attempts {
    /// A table of at most `cap` attempts that leave stage n at age `delays[n]`. Its memory is asked for at once, and
    /// touched only as it fills.
    pub(super) fn new(cap: usize, delays: [Span; STAGES]) -> Self {
        let cap = cap.clamp(1, 1 << 30);
        Self {
            slots: Vec::with_capacity(cap),
            free: NONE,
            index: HashTable::with_capacity(cap),
            lists: [EMPTY; STAGES],
            delays: delays.map(|delay| delay.0),
            cap,
            shift: 0,
            stepped: i64::MIN,
            stats: AttemptStats::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// One in 2^n attempts is followed.
    pub(super) const fn sampling(&self) -> u32 {
        self.shift
    }

    /// This flow is one of those followed.
    pub(super) fn keeps(&mut self, key: u64) -> bool {
        let kept = self.shift == 0 || (key >> 32) & ((1 << self.shift) - 1) == 0;
        self.stats.sampled_out += u64::from(!kept);
        kept
    }

    pub(super) fn find(&self, key: u64) -> Option<u32> {
        let slots = &self.slots;
        self.index.find(key, |&slot| slots[slot as usize].key == key).copied()
    }

    pub(super) fn get(&self, slot: u32) -> &Attempt {
        &self.slots[slot as usize]
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Attempt {
        &mut self.slots[slot as usize]
    }

    /// Puts in an attempt that is not there yet; make room before.
    pub(super) fn insert(&mut self, attempt: Attempt) -> u32 {
        let slot = if self.free == NONE {
            self.slots.push(attempt);
            (self.slots.len() - 1) as u32
        } else {
            let slot = self.free;
            self.free = self.slots[slot as usize].next;
            self.slots[slot as usize] = attempt;
            slot
        };
        let slots = &self.slots;
        self.index.insert_unique(attempt.key, slot, |&slot| slots[slot as usize].key);
        self.slots[slot as usize].marks.set_stage(0);
        self.link(slot, 0);
        self.stats.opened += 1;
        self.stats.peak = self.stats.peak.max(self.index.len());
        slot
    }

    /// Takes an attempt out.
    pub(super) fn remove(&mut self, slot: u32) -> Attempt {
        self.unlink(slot);
        let attempt = self.slots[slot as usize];
        if let Ok(entry) = self.index.find_entry(attempt.key, |&candidate| candidate == slot) {
            entry.remove();
        }
        self.slots[slot as usize].next = self.free;
        self.free = slot;
        attempt
    }

    /// The slot that is decided on next, and when.
    pub(super) fn next_due(&self) -> Option<(u32, i64)> {
        let mut first: Option<(u32, i64)> = None;
        for (list, delay) in self.lists.iter().zip(self.delays) {
            if list.oldest != NONE {
                let due = self.slots[list.oldest as usize].at.saturating_add(delay);
                if first.is_none_or(|(_, earliest)| due < earliest) {
                    first = Some((list.oldest, due));
                }
            }
        }
        first
    }

    /// Moves an attempt to the next stage of age.
    pub(super) fn promote(&mut self, slot: u32) {
        self.unlink(slot);
        let stage = (self.slots[slot as usize].marks.stage() + 1).min(STAGES - 1);
        self.slots[slot as usize].marks.set_stage(stage);
        self.link(slot, stage);
    }

    /// Takes out the attempt that can best be spared, if the table is full: the oldest. Follows fewer flows where the
    /// table turned over too fast for anything to be learned.
    pub(super) fn pop_for_room(&mut self, now: i64) -> Option<Attempt> {
        if self.index.len() < self.cap {
            if self.shift > 0 && self.index.len() < self.cap / 2 && now.saturating_sub(self.stepped) > STEP.0 {
                self.shift -= 1;
                self.stepped = now;
            }
            return None;
        }
        let oldest = self.lists.iter().rev().map(|list| list.oldest).find(|&slot| slot != NONE)?;
        let attempt = self.remove(oldest);
        if attempt.verdict.is_some() {
            self.stats.evicted_judged += 1;
        } else {
            self.stats.evicted_unjudged += 1;
            let shallow = attempt.age(now) < SHALLOW && now.saturating_sub(self.stepped) > STEP.0;
            if shallow && self.shift < MAX_SHIFT {
                self.shift += 1;
                self.stepped = now;
                self.stats.deepest_sampling = self.stats.deepest_sampling.max(self.shift);
            }
        }
        Some(attempt)
    }

    /// The slots of one stage, oldest first; for the end of a capture.
    pub(super) fn stage(&self, stage: usize) -> impl Iterator<Item = u32> + '_ {
        let mut at = self.lists[stage].oldest;
        std::iter::from_fn(move || {
            let slot = at;
            if slot == NONE {
                return None;
            }
            at = self.slots[slot as usize].next;
            Some(slot)
        })
    }

    fn link(&mut self, slot: u32, stage: usize) {
        let newest = self.lists[stage].newest;
        self.lists[stage].newest = slot;
        if newest == NONE {
            self.lists[stage].oldest = slot;
        } else {
            self.slots[newest as usize].next = slot;
        }
        self.slots[slot as usize].previous = newest;
        self.slots[slot as usize].next = NONE;
    }

    fn unlink(&mut self, slot: u32) {
        let Attempt { previous, next, marks, .. } = self.slots[slot as usize];
        let list = &mut self.lists[marks.stage()];
        match previous {
            NONE => list.oldest = next,
            _ => self.slots[previous as usize].next = next,
        }
        let list = &mut self.lists[marks.stage()];
        match next {
            NONE => list.newest = previous,
            _ => self.slots[next as usize].previous = previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::syn_flood::attempt::Address;
    use crate::detect::syn_flood::attempt::Marks;
    use crate::detect::syn_flood::attempt::Tries;
    use crate::packet::SeqNumber;

    fn attempt(key: u64, at_ms: i64) -> Attempt {
        Attempt {
            key,
            source: Address::default(),
            at: Span::from_millis(at_ms).0,
            frame: 0,
            group: 0,
            client_isn: SeqNumber(0),
            server_isn: SeqNumber(0),
            previous: NONE,
            next: NONE,
            window: 0,
            ttl: 64,
            options: 0,
            tries: Tries::new(1, 0),
            member: 0,
            verdict: None,
            marks: Marks::new(0),
        }
    }

    fn table(cap: usize) -> Attempts {
        Attempts::new(cap, [500, 1_600, 3_300, 63_000].map(Span::from_millis))
    }

    #[test]
    fn decisions_fall_due_in_order_of_time_across_all_stages() {
        let mut attempts = table(8);
        attempts.insert(attempt(1, 0));
        attempts.insert(attempt(2, 1_200));
        let mut seen = Vec::new();
        for _ in 0..6 {
            let (slot, due) = attempts.next_due().expect("two attempts wait");
            seen.push((attempts.get(slot).key, due / 1_000_000));
            attempts.promote(slot);
        }
        assert_eq!(seen, [(1, 500), (1, 1_600), (2, 1_700), (2, 2_800), (1, 3_300), (2, 4_500)]);
    }

    #[test]
    fn a_full_table_lets_the_oldest_go_and_counts_it() {
        let mut attempts = table(2);
        attempts.insert(attempt(1, 0));
        attempts.insert(attempt(2, 300));
        let spared = attempts.pop_for_room(Span::from_millis(600).0).expect("the table is full");
        assert_eq!((spared.key, attempts.stats.evicted_unjudged, attempts.len()), (1, 1, 1));
        assert!(attempts.find(1).is_none() && attempts.find(2).is_some());
    }

    #[test]
    fn a_table_that_turns_over_too_fast_follows_every_second_flow_and_recovers() {
        let mut attempts = table(64);
        for n in 0..200_u64 {
            let now = Span::from_millis(n as i64 / 10).0;
            attempts.pop_for_room(now);
            attempts.insert(attempt(n << 32, n as i64 / 10));
        }
        assert_eq!((attempts.sampling(), attempts.stats.deepest_sampling), (1, 1));
        assert!(attempts.keeps(2 << 32) && !attempts.keeps(1 << 32));
        assert_eq!(attempts.stats.sampled_out, 1);
        for slot in attempts.stage(0).take(40).collect::<Vec<_>>() {
            attempts.remove(slot);
        }
        attempts.pop_for_room(Span::from_secs(1).0);
        assert_eq!(attempts.sampling(), 0);
    }

    #[test]
    fn slots_are_reused_and_lists_stay_whole() {
        let mut attempts = table(4);
        for n in 0..1_000_u64 {
            let slot = attempts.insert(attempt(n, n as i64));
            attempts.insert(attempt(n + 10_000, n as i64));
            attempts.remove(slot);
            let slot = attempts.find(n + 10_000).expect("just put in");
            attempts.promote(slot);
            attempts.remove(slot);
        }
        assert_eq!((attempts.len(), attempts.slots.len()), (0, 2));
        assert!(attempts.next_due().is_none());
    }
}
