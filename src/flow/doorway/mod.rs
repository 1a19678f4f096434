//! The tracker's doorway: attempts that are not complete, bounded, oldest out first, constant time per packet.
//!
//! An attempt takes 68 octets here and nothing else; once it is complete it leaves for the table of connections. Every
//! age at which something is decided is a constant, so attempts in order of arrival are also in order of each decision:
//! one ring of them and a cursor for each age replace a timer wheel, and a flood walks through memory in order. Keys are
//! hashes of 64 bits under a secret of this run, so nobody can choose addresses that collide, and among 2^19 attempts a
//! stranger meets another one's key once in 2^45 packets. Refusing newcomers when full would lose nearly all honest
//! handshakes of a flood; letting the oldest go loses none that are younger than the ring's depth in time. Where even
//! that gets too short, one flow in 2^n is followed, chosen by its key, so that a flow is followed as a whole or not at
//! all.

mod address;
mod attempt;
mod entry;
mod index;
mod wide;

use std::collections::VecDeque;

use crate::flow::doorway::index::Index;
use crate::flow::doorway::wide::Wide;
use crate::flow::timeouts::Leaves;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::Mark;

pub(crate) use address::Address;
pub(crate) use attempt::Attempt;
pub(crate) use attempt::Marks;
pub use attempt::Outcome;
pub(crate) use attempt::Tries;
pub(crate) use entry::Entry;
pub use entry::Kept;
pub use entry::LetGo;

/// Stages of age: young, aged, late, judged.
pub(crate) const STAGES: usize = 4;
/// A table that turns over faster than this is sampled.
const SHALLOW: Span = Span::from_millis(250);
/// At most one step of sampling in this time.
const STEP: Span = Span::from_millis(250);
/// No more than one in 2^16.
const MAX_SHIFT: u32 = 16;
/// What an attempt counts for in the cap, by the octets it takes: one of IPv6 keeps its addresses elsewhere.
const NARROW: usize = 5;
const WIDE: usize = 7;

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
    /// Answers to what was not seen asked that found the table full, and took nobody's place.
    pub answers_left_out: u64,
    /// Largest n of that 2^n.
    pub deepest_sampling: u32,
    /// Most slots in use at once.
    pub peak: usize,
}

/// Attempts by keyed hash of their tuple. A slot is a number that stays the same until something is put in.
#[derive(Debug)]
pub struct Doorway {
    ring: VecDeque<Entry>,
    /// Slot of the ring's front, which is never one that has left.
    first: u32,
    /// When the front began, or the last one that stood there: those behind it tell how much later they did.
    base: i64,
    /// Slots in the ring whose attempt has left.
    left: usize,
    index: Index,
    wide: Wide,
    /// Where each stage begins; it reaches to where the younger one begins.
    stages: [u32; STAGES],
    delays: [i64; STAGES],
    cap: usize,
    used: usize,
    shift: u32,
    stepped: i64,
    stats: AttemptStats,
    leaving: Vec<(Entry, Attempt, Leaves)>,
}

/// An attempt about which something is to be decided, the oldest of its stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Due {
    pub(crate) slot: u32,
    pub(crate) stage: usize,
    /// Trace time when it is.
    pub(crate) at: i64,
}

impl Doorway {
    /// A table of at most `cap` attempts that leave stage n at age `delays[n]`, after nine minutes at most. Of IPv6, it holds five sevenths as many.
    /// Memory grows with use and is reused, never given back.
    pub fn new(cap: usize, delays: [Span; STAGES]) -> Self {
        let cap = cap.clamp(1, 1 << 30);
        Self {
            ring: VecDeque::new(),
            first: 0,
            base: 0,
            left: 0,
            index: Index::new(cap),
            wide: Wide::default(),
            stages: [0; STAGES],
            delays: delays.map(|delay| delay.min(entry::REACH).0),
            cap,
            used: 0,
            shift: 0,
            stepped: i64::MIN,
            stats: AttemptStats::default(),
            leaving: Vec::new(),
        }
    }

    /// Attempts held now.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// None is held.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Counters so far.
    pub const fn stats(&self) -> AttemptStats {
        self.stats
    }

    /// One in 2^n attempts is followed.
    pub(crate) const fn sampling(&self) -> u32 {
        self.shift
    }

    /// This flow is one of those followed.
    pub(crate) fn keeps(&mut self, key: u64) -> bool {
        let kept = self.shift == 0 || (key >> 32) & ((1 << self.shift) - 1) == 0;
        self.stats.sampled_out += u64::from(!kept);
        kept
    }

    /// Whether there is room for an attempt that is known from its answer only. In a full table it takes the place of its
    /// like, of nobody whose SYN was seen: under a flood most such answers are repeated to attempts that had to leave, and
    /// each would push out a handshake on its way.
    pub(crate) fn takes_orphan(&mut self, source: Address) -> bool {
        let takes = self.has_room(source) || self.ring.front().is_none_or(|entry| entry.marks.has(Marks::ORPHAN));
        self.stats.answers_left_out += u64::from(!takes);
        takes
    }

    pub(crate) fn find(&self, key: u64) -> Option<u32> {
        let is = |low| self.ring.get(self.index.place(low, self.first)).is_some_and(|entry| entry.key() == key);
        self.index.find(key, is).map(|low| self.first.wrapping_add(self.index.place(low, self.first) as u32))
    }

    pub(crate) fn get(&self, slot: u32) -> Attempt {
        self.read(&self.ring[self.place(slot)])
    }

    fn read(&self, entry: &Entry) -> Attempt {
        let [source, server] = match entry.marks.has(Marks::WIDE) {
            true => self.wide.get(entry.ends[0]),
            false => entry.ends.map(Address::of_v4),
        };
        Attempt { source, server, ..entry.attempt(self.base) }
    }

    pub(crate) fn get_mut(&mut self, slot: u32) -> &mut Entry {
        let place = self.place(slot);
        &mut self.ring[place]
    }

    /// Keeps what a connection that is let go can be followed on from, beside its attempt. `stamp` is the time of its
    /// first segment, as trace time has it. `false` where that does not fit, or the attempt is not what it was.
    pub(crate) fn keep(&mut self, slot: u32, kept: &Kept, stamp: Timestamp) -> bool {
        self.get_mut(slot).keep(kept, stamp)
    }

    /// What was kept so, at a time when frames and streams have come to `now` and `streams`.
    pub(crate) fn kept(&self, slot: u32, stamp: Timestamp, now: Mark, streams: u64) -> Option<Kept> {
        self.ring[self.place(slot)].kept(stamp, now, streams)
    }

    /// The connection of an attempt is a whole one again.
    pub(crate) fn is_back(&mut self, slot: u32) {
        self.get_mut(slot).marks.set(Marks::LET_GO, false);
    }

    /// One of those that left although only their entry was left of a connection, if there is any.
    pub(crate) fn leaving(&mut self) -> Option<(Entry, Attempt, Leaves)> {
        self.leaving.pop()
    }

    /// The next attempt from `slot` on, in order of arrival, that is all that is left of a connection.
    pub(crate) fn let_go_from(&self, slot: Option<u32>) -> Option<u32> {
        let from = slot.unwrap_or(self.first);
        let places = self.place(from)..self.ring.len();
        let place = places
            .into_iter()
            .find(|&place| !self.ring[place].has_left() && self.ring[place].marks.has(Marks::LET_GO))?;
        Some(self.first.wrapping_add(place as u32))
    }

    /// Puts in an attempt that is not there yet; make room before.
    pub(crate) fn insert(&mut self, mut attempt: Attempt) -> u32 {
        if self.ring.len() == self.ring.capacity() {
            if self.left > self.ring.len() / 2 {
                self.close_ranks();
            } else {
                // A ring walks through all of its room, so the last half grows in small steps: wide ones fill less of it.
                let len = self.ring.len();
                let step = if len < self.cap / 2 { len.max(64) } else { self.cap / 64 };
                self.ring.reserve_exact(step.min(self.cap.saturating_sub(len)).max(1));
            }
        }
        let ends = [attempt.source, attempt.server];
        let is_wide = !ends[0].is_v4() || !ends[1].is_v4();
        attempt.marks.set(Marks::WIDE, is_wide);
        let ends = if is_wide { [self.wide.put(ends), 0] } else { ends.map(|end| end.low as u32) };
        let slot = self.end();
        if self.ring.is_empty() {
            self.base = attempt.at;
        }
        self.ring.push_back(Entry::new(&attempt, ends));
        if self.index.is_full() {
            self.index.grow(held(&self.ring, self.first));
        } else {
            self.index.insert(attempt.key, slot);
        }
        self.used += weight(is_wide);
        self.stats.opened += 1;
        self.stats.peak = self.stats.peak.max(self.index.len());
        slot
    }

    /// Takes an attempt out. Who was let go for it and never came back stands among the [`leaving`](Self::leaving).
    pub(crate) fn remove(&mut self, slot: u32, why: Leaves) -> Attempt {
        let attempt = self.get(slot);
        if attempt.marks.has(Marks::LET_GO) {
            self.leaving.push((self.ring[self.place(slot)], attempt, why));
        }
        self.index.remove(attempt.key, slot);
        let is_wide = attempt.marks.has(Marks::WIDE);
        let entry = self.get_mut(slot);
        entry.leave();
        let place = entry.ends[0];
        if is_wide {
            self.wide.take(place);
        }
        self.used -= weight(is_wide);
        self.left += 1;
        while self.ring.front().is_some_and(Entry::has_left) {
            self.ring.pop_front();
            self.base = self.ring.front().map_or(self.base, |entry| entry.at(self.base));
            self.first = self.first.wrapping_add(1);
            self.left -= 1;
        }
        for stage in &mut self.stages {
            if (stage.wrapping_sub(self.first) as i32) < 0 {
                *stage = self.first;
            }
        }
        attempt
    }

    /// What is decided on next.
    pub(crate) fn next_due(&mut self) -> Option<Due> {
        let mut next: Option<Due> = None;
        let mut end = self.end();
        for stage in 0..STAGES {
            let slot = self.skip_gone(stage, end);
            if slot != end {
                let at = self.ring[self.place(slot)].at(self.base).saturating_add(self.delays[stage]);
                if next.is_none_or(|next| at < next.at) {
                    next = Some(Due { slot, stage, at });
                }
            }
            end = slot;
        }
        next
    }

    /// Moves the oldest attempt of a stage to the next one.
    pub(crate) fn promote(&mut self, stage: usize) {
        self.stages[stage] = self.stages[stage].wrapping_add(1);
    }

    /// Takes out the attempt that can best be spared, if there is no room for another like `source`: the oldest. To be
    /// asked until there is. Follows fewer flows where the table turned over too fast for anything to be learned.
    pub(crate) fn pop_for_room(&mut self, source: Address, now: i64) -> Option<Attempt> {
        // A ring of which half has left has room; one that is full of those that wait has not.
        if self.ring.len() >= self.cap && self.left > self.cap / 2 {
            self.close_ranks();
        }
        if self.has_room(source) || self.index.is_empty() {
            let calm = self.index.len() < self.cap / 2;
            if self.shift > 0 && calm && now.saturating_sub(self.stepped) > STEP.0 {
                self.shift -= 1;
                self.stepped = now;
            }
            return None;
        }
        let attempt = self.remove(self.first, Leaves::Evicted);
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

    /// Another one like `source` fits in.
    fn has_room(&self, source: Address) -> bool {
        self.used + weight(!source.is_v4()) <= self.cap * NARROW && self.ring.len() < self.cap
    }

    /// The slots of one stage, oldest first, those [`gone`](Self::has_left) among them; for the end of a capture.
    pub(crate) fn stage(&self, stage: usize) -> impl Iterator<Item = u32> + use<> {
        let end = if stage == 0 { self.end() } else { self.stages[stage - 1] };
        let from = self.stages[stage];
        (0..end.wrapping_sub(from)).map(move |n| from.wrapping_add(n))
    }

    /// Nobody stands in this slot any more.
    pub(crate) fn has_left(&self, slot: u32) -> bool {
        self.ring[self.place(slot)].has_left()
    }

    /// The slot behind the youngest.
    fn end(&self) -> u32 {
        self.first.wrapping_add(self.ring.len() as u32)
    }

    fn place(&self, slot: u32) -> usize {
        slot.wrapping_sub(self.first) as usize
    }

    /// The oldest slot of a stage that reaches to `end`, or `end`.
    fn skip_gone(&mut self, stage: usize, end: u32) -> u32 {
        let mut slot = self.stages[stage];
        while slot != end && self.has_left(slot) {
            slot = slot.wrapping_add(1);
        }
        self.stages[stage] = slot;
        slot
    }

    /// Those that wait move together. Costs a step for each of them, and at least as many have left since the last time.
    fn close_ranks(&mut self) {
        let mut stages = [self.first; STAGES];
        let mut kept = 0;
        for place in 0..self.ring.len() {
            let entry = self.ring[place];
            if !entry.has_left() {
                self.ring[kept] = entry;
                kept += 1;
            }
            let behind = self.first.wrapping_add(place as u32 + 1);
            for (stage, new) in self.stages.iter().zip(&mut stages) {
                if *stage == behind {
                    *new = self.first.wrapping_add(kept as u32);
                }
            }
        }
        self.ring.truncate(kept);
        self.stages = stages;
        self.left = 0;
        self.index.fill(held(&self.ring, self.first));
    }
}

/// Keys and slots of those that are here.
fn held(ring: &VecDeque<Entry>, first: u32) -> impl Iterator<Item = (u64, u32)> + '_ {
    let slots = ring.iter().enumerate().map(move |(place, entry)| (entry, first.wrapping_add(place as u32)));
    slots.filter(|(entry, _)| !entry.has_left()).map(|(entry, slot)| (entry.key(), slot))
}

const fn weight(is_wide: bool) -> usize {
    if is_wide { WIDE } else { NARROW }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::SeqNumber;

    fn attempt(key: u64, at_ms: i64) -> Attempt {
        Attempt {
            key,
            source: Address::of_v4(7),
            server: Address::of_v4(8),
            ports: [0; 2],
            at: Span::from_millis(at_ms).0,
            late: Span::ZERO,
            frame: 0,
            group: 0,
            client_isn: SeqNumber(0),
            server_isn: SeqNumber(0),
            window: 0,
            ttl: 64,
            options: 0,
            tries: Tries::new(1, 0),
            member: 0,
            verdict: None,
            marks: Marks::new(0),
        }
    }

    fn table(cap: usize) -> Doorway {
        Doorway::new(cap, [500, 1_600, 3_300, 63_000].map(Span::from_millis))
    }

    fn keys(doorway: &Doorway, stage: usize) -> Vec<u64> {
        doorway.stage(stage).filter(|&slot| !doorway.has_left(slot)).map(|slot| doorway.get(slot).key).collect()
    }

    #[test]
    fn an_index_that_many_have_left_keeps_its_size_and_finds_who_is_there() {
        let mut attempts = table(4_096);
        for n in 1..=100_000_u64 {
            while attempts.pop_for_room(Address::of_v4(7), n as i64).is_some() {}
            attempts.insert(attempt(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0));
            assert!(attempts.index.octets() <= 4_096 * 4 * 3 / 2, "{n}: {}", attempts.index.octets());
        }
        let held = |n: u64| attempts.find(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).is_some();
        assert!((95_905..=100_000).all(held) && !(1..=95_904).any(held));
    }

    #[test]
    fn decisions_fall_due_in_order_of_time_across_all_stages() {
        let mut attempts = table(8);
        attempts.insert(attempt(1, 0));
        attempts.insert(attempt(2, 1_200));
        let mut seen = Vec::new();
        for _ in 0..6 {
            let due = attempts.next_due().expect("two attempts wait");
            seen.push((attempts.get(due.slot).key, due.at / 1_000_000));
            attempts.promote(due.stage);
        }
        assert_eq!(seen, [(1, 500), (1, 1_600), (2, 1_700), (2, 2_800), (1, 3_300), (2, 4_500)]);
        assert_eq!(attempts.next_due().map(|due| due.stage), Some(3));
    }

    #[test]
    fn who_left_in_between_is_passed_over() {
        let mut attempts = table(16);
        let slots: Vec<u32> = (1..=6).map(|key| attempts.insert(attempt(key, key as i64 * 10))).collect();
        (0..4).for_each(|_| attempts.promote(0));
        (0..2).for_each(|_| attempts.promote(1));
        assert_eq!([0, 1, 2].map(|stage| keys(&attempts, stage)), [vec![5, 6], vec![3, 4], vec![1, 2]]);
        for leaver in [slots[1], slots[2], slots[4]] {
            attempts.remove(leaver, Leaves::TimedOut);
        }
        assert_eq!([0, 1, 2].map(|stage| keys(&attempts, stage)), [vec![6], vec![4], vec![1]]);
        assert_eq!(attempts.next_due(), Some(Due { slot: slots[5], stage: 0, at: 560_000_000 }));
        attempts.remove(slots[0], Leaves::TimedOut);
        assert_eq!((attempts.ring.len(), attempts.left), (3, 1), "what left in front is gone for good");
        assert_eq!([0, 1, 2].map(|stage| keys(&attempts, stage)), [vec![6], vec![4], vec![]]);
    }

    #[test]
    fn a_full_table_lets_the_oldest_go_and_counts_it() {
        let mut attempts = table(2);
        attempts.insert(attempt(1, 0));
        attempts.insert(attempt(2, 300));
        let source = Address::of_v4(7);
        let spared = attempts.pop_for_room(source, Span::from_millis(600).0).expect("the table is full");
        assert_eq!((spared.key, attempts.stats.evicted_unjudged, attempts.len()), (1, 1, 1));
        assert!(attempts.find(1).is_none() && attempts.find(2).is_some());
        assert!(attempts.pop_for_room(source, Span::from_millis(600).0).is_none());
    }

    #[test]
    fn addresses_of_ipv6_come_back_and_take_more_of_the_cap() {
        let mut attempts = table(100);
        let source = |key| Address { high: 0x2001_0db8 << 32, low: key };
        for key in 1..=200 {
            while attempts.pop_for_room(source(key), 0).is_some() {}
            let slot = attempts.insert(Attempt { source: source(key), ..attempt(key, 0) });
            assert_eq!(attempts.get(slot).source, source(key));
        }
        assert_eq!((attempts.len(), attempts.stats.evicted_unjudged), (71, 129));
        while attempts.pop_for_room(Address::of_v4(1), 0).is_some() {}
        let slot = attempts.insert(Attempt { source: Address::of_v4(1), ..attempt(1_000, 0) });
        assert_eq!(attempts.get(slot).source.ip().to_string(), "0.0.0.1");
    }

    #[test]
    fn a_table_that_turns_over_too_fast_follows_every_second_flow_and_recovers() {
        let mut attempts = table(64);
        for n in 1..=200_u64 {
            let now = Span::from_millis(n as i64 / 10).0;
            attempts.pop_for_room(Address::of_v4(7), now);
            attempts.insert(attempt(n << 32, n as i64 / 10));
        }
        assert_eq!((attempts.sampling(), attempts.stats.deepest_sampling), (1, 1));
        assert!(attempts.keeps(2 << 32) && !attempts.keeps(1 << 32));
        assert_eq!(attempts.stats.sampled_out, 1);
        for slot in attempts.stage(0).take(40).collect::<Vec<_>>() {
            attempts.remove(slot, Leaves::TimedOut);
        }
        attempts.pop_for_room(Address::of_v4(7), Span::from_secs(1).0);
        assert_eq!(attempts.sampling(), 0);
    }

    #[test]
    fn an_answer_without_a_question_takes_the_place_of_its_like_only() {
        const FROM: Address = Address::of_v4(7);
        let orphan = |key| Attempt { marks: Marks::new(Marks::ORPHAN), ..attempt(key, 0) };
        let mut attempts = table(8);
        attempts.insert(orphan(1));
        for key in 2..=8 {
            assert!(attempts.takes_orphan(FROM), "there is room beside {} others", key - 1);
            attempts.insert(attempt(key, 0));
        }
        assert!(attempts.takes_orphan(FROM), "another one stands first");
        attempts.pop_for_room(FROM, 0).expect("the table was full");
        attempts.insert(attempt(9, 0));
        assert!(!attempts.takes_orphan(FROM), "nobody leaves for it whose SYN was seen");
        assert_eq!((attempts.stats.answers_left_out, attempts.len()), (1, 8));
    }

    #[test]
    fn a_ring_closes_its_ranks_instead_of_growing_and_loses_nobody() {
        let mut attempts = table(1 << 12);
        attempts.insert(attempt(1, 0));
        attempts.promote(0);
        for n in 2..40_000_u64 {
            while attempts.pop_for_room(Address::of_v4(7), n as i64).is_some() {}
            let slot = attempts.insert(attempt(n, n as i64));
            if n % 1_000 != 0 {
                attempts.remove(slot, Leaves::TimedOut);
            } else {
                attempts.promote(0);
            }
            assert_eq!(attempts.next_due().map(|due| attempts.get(due.slot).key), Some(1));
        }
        assert_eq!((attempts.len(), attempts.stats.evicted_unjudged), (40, 0));
        assert!(attempts.ring.capacity() <= 128, "{}", attempts.ring.capacity());
        let all: Vec<u64> = (1..40).map(|n| n * 1_000).collect();
        assert_eq!(keys(&attempts, 1), [vec![1], all.clone()].concat());
        assert!(all.iter().all(|&key| attempts.find(key).is_some()));
    }

    #[test]
    fn a_ring_of_those_that_wait_is_as_large_as_its_cap_and_no_larger() {
        let mut attempts = table(1_000);
        for n in 1..5_000_u64 {
            while attempts.pop_for_room(Address::of_v4(7), 0).is_some() {}
            attempts.insert(attempt(n, n as i64));
            if n.is_multiple_of(5) {
                attempts.remove(attempts.find(n).expect("just put in"), Leaves::TimedOut);
            }
        }
        assert!(attempts.ring.capacity() <= 1_000, "{}", attempts.ring.capacity());
        assert!(attempts.len() >= 799, "{}", attempts.len());
    }
}
