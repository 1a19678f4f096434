//! A bounded table of conversations.
//!
//! Slots stand in one slab; an index maps a keyed hash of the tuple to them, so nobody outside can choose tuples that
//! collide. Each stage has one constant timeout, so its slots in order of their last packet are also in order of
//! expiry: four [lists](crate::flow::list) replace a timer wheel, and forgetting costs constant time per packet, whatever
//! the clock does.

use hashbrown::HashTable;

use crate::flow::keys::Keys;
use crate::flow::list::Linked;
use crate::flow::list::Links;
use crate::flow::list::List;
use crate::flow::list::NONE;
use crate::flow::timeouts::Leaves;
use crate::flow::timeouts::Stage;
use crate::packet::Timestamp;
use crate::packet::Tuple;

/// Closed conversations kept for stragglers; beyond this the oldest leaves before its time.
pub const MAX_CLOSED: usize = 16_384;
/// The same while as many attempts wait as are held at once: memory is for those then.
pub const MAX_CLOSED_UNDER_PRESSURE: usize = 512;
/// Conversations up to which a patient table forgets nobody.
pub const CALM: usize = 65_536;
/// Slots looked at per packet for expiry: more than one, so that the table shrinks after a burst.
const EXPIRE_PER_PACKET: usize = 4;

/// Counters of a table, shown in every report.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TableStats {
    /// Conversations that ever had a slot.
    pub opened: u64,
    /// Let go because the table was full.
    pub evicted: u64,
    /// Attempts let go, because many waited, but for their entry in the doorway.
    pub let_go: u64,
    /// Attempts of which no entry could keep everything: told of as they stood then.
    pub told_early: u64,
    /// Of the latter, times that a later segment brought one back.
    pub resumed: u64,
    /// Most slots in use at once.
    pub peak: usize,
}

/// Conversations by tuple.
#[derive(Debug)]
pub struct Table<T> {
    slots: Vec<Slot>,
    /// What stands in each slot, apart from it: who looks for a tuple, or for a neighbour in a list, reads slots only.
    values: Vec<Option<T>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    keys: Keys,
    lists: [List; Stage::COUNT],
    now: Timestamp,
    cap: usize,
    calm: usize,
    most_attempts: usize,
    stats: TableStats,
}

#[derive(Debug)]
struct Slot {
    tuple: Tuple,
    hash: u64,
    last: Timestamp,
    stage: Stage,
    links: Links,
}

impl Linked for [Slot] {
    fn links(&mut self, slot: u32) -> &mut Links {
        &mut self[slot as usize].links
    }
}

/// A slot found by tuple.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lookup {
    slot: u32,
}

impl<T> Table<T> {
    /// A table of at most `cap` conversations. Memory grows with use and is reused, never given back.
    pub fn new(cap: usize) -> Self {
        Self {
            slots: Vec::new(),
            values: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            keys: Keys::default(),
            lists: [List::EMPTY; Stage::COUNT],
            now: Timestamp::from_nanos(i64::MIN),
            cap: cap.clamp(1, NONE as usize - 1),
            calm: 0,
            most_attempts: usize::MAX,
            stats: TableStats::default(),
        }
    }

    /// The same table, in which nobody's time is over while at most [`CALM`] conversations are held.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.calm = CALM;
        self
    }

    /// The same table, of which at most so many conversations are attempts, insistent ones included: see
    /// [`pop_attempt`](Self::pop_attempt).
    #[must_use]
    pub fn with_attempts(mut self, most: usize) -> Self {
        self.most_attempts = most.max(1);
        self
    }

    /// Octets that one conversation takes here, its index entry not counted.
    pub const fn slot_size() -> usize {
        size_of::<Slot>() + size_of::<Option<T>>()
    }

    /// Counters so far.
    pub const fn stats(&self) -> TableStats {
        self.stats
    }

    /// Conversations held now.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Nothing is held.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Hash of a tuple under this run's secret, never 0: what this table and the doorway know it by.
    pub fn key(&self, tuple: &Tuple) -> u64 {
        self.keys.of(tuple)
    }

    /// Finds the conversation of a tuple with this [`key`](Self::key).
    pub fn find(&self, hash: u64, tuple: &Tuple) -> Option<Lookup> {
        let slots = &self.slots;
        self.index.find(hash, |&slot| slots[slot as usize].tuple == *tuple).map(|&slot| Lookup { slot })
    }

    /// The conversation in a slot that [`find`](Self::find) or [`insert`](Self::insert) gave.
    pub fn get(&self, found: Lookup) -> &T {
        self.values[found.slot as usize].as_ref().expect("a slot that was looked up is taken")
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, found: Lookup) -> &mut T {
        self.values[found.slot as usize].as_mut().expect("a slot that was looked up is taken")
    }

    /// Puts in a conversation that is not there yet. Make room with [`pop_for_room`](Self::pop_for_room) before.
    pub fn insert(&mut self, hash: u64, tuple: Tuple, at: Timestamp, stage: Stage, value: T) -> Lookup {
        let fresh = Slot { tuple, hash, last: at, stage, links: Links::ALONE };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = fresh;
                self.values[slot as usize] = Some(value);
                slot
            }
            None => {
                self.slots.push(fresh);
                self.values.push(Some(value));
                (self.slots.len() - 1) as u32
            }
        };
        let slots = &self.slots;
        self.index.insert_unique(hash, slot, |&slot| slots[slot as usize].hash);
        self.link(slot);
        self.stats.opened += 1;
        self.stats.peak = self.stats.peak.max(self.index.len());
        Lookup { slot }
    }

    /// A packet of this conversation passed: it is the youngest of `stage` now.
    pub fn touch(&mut self, found: Lookup, at: Timestamp, stage: Stage) {
        self.unlink(found.slot);
        let slot = &mut self.slots[found.slot as usize];
        slot.last = slot.last.max(at);
        slot.stage = stage;
        self.link(found.slot);
    }

    /// Counts an attempt that was popped: its entry keeps everything, or it was told of.
    pub const fn count_let_go(&mut self, kept: bool) {
        if kept {
            self.stats.let_go += 1;
        } else {
            self.stats.told_early += 1;
        }
    }

    /// Counts a conversation that is about to be put in again; it may have been told of already.
    pub const fn count_back(&mut self, told: bool) {
        self.stats.opened -= 1;
        self.stats.resumed += told as u64;
    }

    /// Takes a conversation out.
    pub fn remove(&mut self, found: Lookup) -> (Tuple, T) {
        self.unlink(found.slot);
        let value = self.values[found.slot as usize].take().expect("a slot that was looked up is taken");
        let Slot { tuple, hash, .. } = self.slots[found.slot as usize];
        if let Ok(entry) = self.index.find_entry(hash, |&candidate| candidate == found.slot) {
            entry.remove();
        }
        self.free.push(found.slot);
        (tuple, value)
    }

    /// Moves trace time on and takes out one conversation whose time is over, a few per packet at most: call until
    /// `None` or [`EXPIRE_PER_PACKET`](Self::expire_budget) times. A clock that steps back does not move trace time.
    pub fn pop_expired(&mut self, at: Timestamp) -> Option<(Tuple, T, Leaves)> {
        self.now = self.now.max(at);
        let pressed = self.waiting() >= self.most_attempts;
        if self.index.len() <= self.calm && !pressed {
            return None;
        }
        let most_closed = if pressed { MAX_CLOSED_UNDER_PRESSURE } else { MAX_CLOSED };
        for stage in [Stage::Attempt, Stage::Insistent, Stage::Open, Stage::Closed, Stage::Datagrams] {
            let list = self.lists[stage.index()];
            let Some(oldest) = list.oldest() else { continue };
            let calm = self.index.len() <= self.calm;
            let overdue = !calm && self.now.since(self.slots[oldest as usize].last) > stage.timeout();
            if overdue || (stage == Stage::Closed && list.len() > most_closed) {
                let (tuple, value) = self.remove(Lookup { slot: oldest });
                return Some((tuple, value, Leaves::TimedOut));
            }
        }
        None
    }

    /// Takes out the attempt that was silent longest, with its key, if with another one there would be more than
    /// [`with_attempts`](Self::with_attempts) allows. A plain one, of which nothing is lost, while more than a quarter
    /// are; then an insistent one.
    pub fn pop_attempt(&mut self) -> Option<(u64, Tuple, T)> {
        if self.waiting() < self.most_attempts {
            return None;
        }
        let [plain, insistent] = [Stage::Attempt, Stage::Insistent].map(|stage| self.lists[stage.index()]);
        let spared = if plain.len() > self.most_attempts / 4 { plain } else { insistent };
        let slot = spared.oldest()?;
        let key = self.slots[slot as usize].hash;
        let (tuple, value) = self.remove(Lookup { slot });
        Some((key, tuple, value))
    }

    fn waiting(&self) -> usize {
        self.lists[Stage::Attempt.index()].len() + self.lists[Stage::Insistent.index()].len()
    }

    /// How often to call [`pop_expired`](Self::pop_expired) per packet.
    pub const fn expire_budget() -> usize {
        EXPIRE_PER_PACKET
    }

    /// Takes out the conversation that can best be spared, if the table is full: closed before unanswered before open,
    /// the longest silent first.
    pub fn pop_for_room(&mut self) -> Option<(Tuple, T, Leaves)> {
        if self.index.len() < self.cap {
            return None;
        }
        let spare = [Stage::Closed, Stage::Attempt, Stage::Insistent, Stage::Datagrams, Stage::Open]
            .into_iter()
            .find_map(|stage| self.lists[stage.index()].oldest())?;
        let (tuple, value) = self.remove(Lookup { slot: spare });
        self.stats.evicted += 1;
        Some((tuple, value, Leaves::Evicted))
    }

    /// Empties the table at the capture's end, in ascending order of `key`; whose time was over by then has timed out.
    /// Sixteen octets per conversation beside the table itself.
    pub fn drain_by(&mut self, key: impl Fn(&T) -> u64) -> impl Iterator<Item = (Tuple, T, Leaves)> + '_ {
        let now = self.now;
        self.index.clear();
        self.free.clear();
        self.lists = [List::EMPTY; Stage::COUNT];
        let keyed = |(at, value): (usize, &Option<T>)| value.as_ref().map(|value| (key(value), at as u32));
        let mut order: Vec<(u64, u32)> = self.values.iter().enumerate().filter_map(keyed).collect();
        order.sort_unstable();
        let (slots, mut values) = (std::mem::take(&mut self.slots), std::mem::take(&mut self.values));
        order.into_iter().filter_map(move |(_, at)| {
            let slot = &slots[at as usize];
            let overdue = now.since(slot.last) > slot.stage.timeout();
            let why = if overdue { Leaves::TimedOut } else { Leaves::CaptureEnd };
            values[at as usize].take().map(|value| (slot.tuple, value, why))
        })
    }

    fn link(&mut self, slot: u32) {
        let stage = self.slots[slot as usize].stage;
        self.lists[stage.index()].push(&mut self.slots[..], slot);
    }

    fn unlink(&mut self, slot: u32) {
        let stage = self.slots[slot as usize].stage;
        self.lists[stage.index()].remove(&mut self.slots[..], slot);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::packet::Endpoint;
    use crate::packet::Protocol;

    fn tuple(n: u32) -> Tuple {
        let end = |addr: u32, port| Endpoint { addr: IpAddr::V4(Ipv4Addr::from_bits(addr)), port };
        Tuple::of(Protocol::Tcp, end(n, 40_000), end(0x0a00_0001, 80)).0
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_parts(secs, 0)
    }

    fn put<T>(table: &mut Table<T>, tuple: Tuple, at: Timestamp, stage: Stage, value: T) -> Lookup {
        table.insert(table.key(&tuple), tuple, at, stage, value)
    }

    fn find<T>(table: &Table<T>, tuple: &Tuple) -> Option<Lookup> {
        table.find(table.key(tuple), tuple)
    }

    #[test]
    fn what_was_put_in_is_found_and_what_was_taken_out_is_not() {
        let mut table = Table::new(10);
        put(&mut table, tuple(1), at(0), Stage::Open, "one");
        let two = put(&mut table, tuple(2), at(0), Stage::Open, "two");
        assert_eq!(find(&table, &tuple(1)).map(|found| *table.get(found)), Some("one"));
        assert_eq!(table.remove(two), (tuple(2), "two"));
        assert_eq!(find(&table, &tuple(2)), None);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_conversation_leaves_after_its_stages_silence_by_trace_time() {
        let mut table = Table::new(10);
        put(&mut table, tuple(1), at(0), Stage::Attempt, 1);
        put(&mut table, tuple(2), at(0), Stage::Open, 2);
        assert_eq!(table.pop_expired(at(75)), None, "exactly the timeout is not over it");
        assert_eq!(table.pop_expired(at(76)), Some((tuple(1), 1, Leaves::TimedOut)));
        assert_eq!(table.pop_expired(at(76)), None);
    }

    #[test]
    fn a_packet_keeps_its_conversation_young() {
        let mut table = Table::new(10);
        let one = put(&mut table, tuple(1), at(0), Stage::Attempt, 1);
        put(&mut table, tuple(2), at(10), Stage::Attempt, 2);
        table.touch(one, at(70), Stage::Attempt);
        assert_eq!(table.pop_expired(at(100)), Some((tuple(2), 2, Leaves::TimedOut)));
        assert_eq!(table.pop_expired(at(100)), None);
    }

    #[test]
    fn a_patient_table_forgets_nobody_while_it_is_calm() {
        let mut table = Table::new(1 << 20).patient();
        put(&mut table, tuple(0), at(0), Stage::Attempt, 0);
        assert_eq!(table.pop_expired(at(1_000)), None);
        for n in 1..=CALM as u32 {
            put(&mut table, tuple(n), at(1_000), Stage::Open, n);
        }
        assert_eq!(table.pop_expired(at(1_000)), Some((tuple(0), 0, Leaves::TimedOut)), "one more than is calm");
        assert_eq!(table.pop_expired(at(100_000)), None, "calm again");
    }

    #[test]
    fn who_was_silent_for_too_long_has_timed_out_at_the_end_patience_or_not() {
        let mut table = Table::new(10).patient();
        put(&mut table, tuple(1), at(0), Stage::Attempt, 1);
        put(&mut table, tuple(2), at(0), Stage::Open, 2);
        assert_eq!(table.pop_expired(at(76)), None);
        let why: Vec<_> = table.drain_by(|&value| value).map(|(_, value, why)| (value, why)).collect();
        assert_eq!(why, [(1, Leaves::TimedOut), (2, Leaves::CaptureEnd)]);
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nobody() {
        let mut table = Table::new(10);
        put(&mut table, tuple(1), at(1_000), Stage::Attempt, 1);
        assert_eq!(table.pop_expired(at(1_000)), None);
        assert_eq!(table.pop_expired(at(3)), None);
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_full_table_spares_the_open_and_lets_the_oldest_attempt_go() {
        let mut table = Table::new(3);
        put(&mut table, tuple(1), at(0), Stage::Open, 1);
        put(&mut table, tuple(2), at(1), Stage::Attempt, 2);
        put(&mut table, tuple(3), at(2), Stage::Attempt, 3);
        assert_eq!(table.pop_for_room(), Some((tuple(2), 2, Leaves::Evicted)));
        assert_eq!(table.pop_for_room(), None, "there is room now");
        assert_eq!(table.stats().evicted, 1);
    }

    #[test]
    fn plain_attempts_go_before_insistent_ones_until_a_quarter_is_left() {
        let mut table = Table::new(100).with_attempts(8);
        for n in 0..4 {
            put(&mut table, tuple(n), at(0), Stage::Insistent, n);
        }
        for n in 4..7 {
            put(&mut table, tuple(n), at(1), Stage::Attempt, n);
        }
        assert_eq!(table.pop_attempt(), None, "seven, and room for one");
        put(&mut table, tuple(7), at(1), Stage::Attempt, 7);
        let popped: Vec<_> = (8..14)
            .map(|n| {
                let gone = table.pop_attempt().map(|(_, _, value)| value);
                put(&mut table, tuple(n), at(2), if n < 10 { Stage::Insistent } else { Stage::Attempt }, n);
                gone
            })
            .collect();
        assert_eq!(popped, [4, 5, 0, 6, 7, 10].map(Some));
        assert_eq!(table.len(), 8);
    }

    #[test]
    fn slots_are_used_again_so_memory_follows_what_is_open() {
        let mut table = Table::new(100);
        for n in 0..10_000 {
            let found = put(&mut table, tuple(n), at(n.into()), Stage::Open, n);
            table.remove(found);
        }
        assert_eq!(table.slots.len(), 1);
        assert_eq!(table.stats().peak, 1);
    }

    #[test]
    fn closed_conversations_are_limited_in_number() {
        let mut table = Table::new(1 << 20);
        for n in 0..=MAX_CLOSED as u32 {
            put(&mut table, tuple(n), at(0), Stage::Closed, n);
        }
        assert_eq!(table.pop_expired(at(0)), Some((tuple(0), 0, Leaves::TimedOut)));
        assert_eq!(table.pop_expired(at(0)), None);
    }

    #[test]
    fn drain_empties_it_in_the_order_asked_for() {
        let mut table = Table::new(10);
        put(&mut table, tuple(1), at(0), Stage::Open, 1);
        put(&mut table, tuple(2), at(0), Stage::Closed, 2);
        assert_eq!(table.drain_by(|value| 10 - value).map(|(_, value, _)| value).collect::<Vec<_>>(), [2, 1]);
        assert!(table.is_empty());
    }
}
