//! Fragments of IP datagrams, kept until each datagram is whole (RFC 791 §3.2, RFC 8200 §4.5).
//!
//! Bounded on every side: datagrams, octets, and the age of a datagram by the capture's own clock. Where fragments
//! overlap, the octets that came first count and the overlap is told: hosts differ in what they would have used, and
//! RFC 5722 has IPv6 hosts drop the datagram. Fragments sent again or captured twice are no overlap.

use std::collections::VecDeque;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::packet::Span;
use crate::packet::Timestamp;

/// Caps of what fragments can fill.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DefragLimits {
    /// Datagrams held at once; beyond this the oldest is given up.
    pub datagrams: usize,
    /// Octets held at once, bookkeeping counted in; likewise.
    pub octets: usize,
    /// A datagram that is not whole so long after its first fragment is given up.
    pub timeout: Span,
}

/// As many datagrams as a busy router sees in half a minute, 32 MiB, and the 30 s of Linux.
impl Default for DefragLimits {
    fn default() -> Self {
        Self { datagrams: 4096, octets: 32 << 20, timeout: Span(30_000_000_000) }
    }
}

/// What became of fragments so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DefragStats {
    /// Fragments taken in.
    pub fragments: u64,
    /// Datagrams that became whole.
    pub reassembled: u64,
    /// Datagrams given up for their age.
    pub expired: u64,
    /// Datagrams given up for want of room.
    pub evicted: u64,
    /// Fragments that contradicted earlier ones, in octets or in bounds.
    pub overlaps: u64,
    /// Datagrams that wait now.
    pub waiting: usize,
}

/// What makes fragments belong together: RFC 791 adds the protocol, RFC 8200 does not. One datagram seen in two VLANs
/// is two.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) id: u32,
    pub(super) protocol: u8,
    pub(super) vlan: u16,
}

/// One fragment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) frame: u64,
    pub(super) at: Timestamp,
    /// Where its octets belong.
    pub(super) offset: u32,
    pub(super) more: bool,
    /// Protocol of the payload as this fragment tells it; only the first one's counts.
    pub(super) protocol: u8,
    pub(super) octets: &'a [u8],
}

/// What a fragment did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Taken {
    /// Octets that were there already and are not the same again, and where the first of them belongs.
    pub(super) overlap: Option<(u32, u32)>,
    /// It reaches to the first octet, though the datagram ends at the second.
    pub(super) beyond: Option<(u32, u32)>,
    /// It made the datagram whole.
    pub(super) whole: Option<Whole>,
}

/// A datagram that is whole; its octets are in the buffer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Whole {
    pub(super) protocol: u8,
    pub(super) fragments: u32,
    pub(super) first_frame: u64,
    pub(super) octets: u32,
}

/// Datagrams that wait for fragments.
#[derive(Debug)]
pub(super) struct Defrag {
    limits: DefragLimits,
    waiting: HashMap<Key, Datagram, RandomState>,
    /// In order of their first fragment; entries whose datagram has gone are skipped.
    order: VecDeque<(Key, u64)>,
    held: usize,
    born: u64,
    stats: DefragStats,
}

#[derive(Debug)]
struct Datagram {
    /// Tells it from an earlier one with the same key.
    serial: u64,
    begun: Timestamp,
    first_frame: u64,
    fragments: u32,
    protocol: Option<u8>,
    /// Octets of its payload, once the last fragment has come.
    total: Option<u32>,
    /// Octets of it that are there.
    covered: u32,
    /// In order of `at`, never overlapping.
    pieces: Vec<Piece>,
    /// In order of arrival.
    octets: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    at: u32,
    len: u32,
    /// Where in `Datagram::octets` it begins.
    from: u32,
}

impl Defrag {
    pub(super) fn new(limits: DefragLimits) -> Self {
        Self {
            limits,
            waiting: HashMap::with_hasher(RandomState::default()),
            order: VecDeque::new(),
            held: 0,
            born: 0,
            stats: DefragStats::default(),
        }
    }

    pub(super) fn stats(&self) -> DefragStats {
        DefragStats { waiting: self.waiting.len(), ..self.stats }
    }

    /// Takes a fragment in. When it makes its datagram whole, the payload is appended to `into`.
    pub(super) fn take(&mut self, key: Key, fragment: &Fragment<'_>, into: &mut Vec<u8>) -> Taken {
        self.stats.fragments += 1;
        self.expire(fragment.at);
        if !self.waiting.contains_key(&key) {
            self.begin(key, fragment);
        }
        let datagram = self.waiting.get_mut(&key).expect("it was there or has just begun");
        let before = datagram.cost();
        let mut taken = datagram.add(fragment);
        self.held += datagram.cost() - before;
        self.stats.overlaps += u64::from(taken.overlap.is_some() || taken.beyond.is_some());
        if datagram.is_whole() {
            let datagram = self.waiting.remove(&key).expect("it was just looked at");
            self.held -= datagram.cost();
            self.stats.reassembled += 1;
            datagram.write(into);
            taken.whole = Some(Whole {
                protocol: datagram.protocol.unwrap_or(fragment.protocol),
                fragments: datagram.fragments,
                first_frame: datagram.first_frame,
                octets: datagram.covered,
            });
        }
        while self.held > self.limits.octets {
            self.evict();
        }
        taken
    }

    fn begin(&mut self, key: Key, fragment: &Fragment<'_>) {
        while self.waiting.len() >= self.limits.datagrams.max(1) {
            self.evict();
        }
        // Datagrams that became whole leave their place in the order behind.
        if self.order.len() >= 2 * self.limits.datagrams.max(1) {
            let waiting = &self.waiting;
            self.order.retain(|(key, serial)| waiting.get(key).is_some_and(|datagram| datagram.serial == *serial));
        }
        self.born += 1;
        let datagram = Datagram {
            serial: self.born,
            begun: fragment.at,
            first_frame: fragment.frame,
            fragments: 0,
            protocol: None,
            total: None,
            covered: 0,
            pieces: Vec::new(),
            octets: Vec::new(),
        };
        self.held += datagram.cost();
        self.order.push_back((key, self.born));
        self.waiting.insert(key, datagram);
    }

    /// Gives up what is too old at `now`. A clock that stepped back makes nothing old.
    fn expire(&mut self, now: Timestamp) {
        while let Some((key, serial)) = self.order.front() {
            match self.waiting.get(key) {
                Some(datagram) if datagram.serial == *serial => {
                    if now.since(datagram.begun) <= self.limits.timeout {
                        return;
                    }
                    self.give_up_oldest();
                    self.stats.expired += 1;
                }
                _ => {
                    self.order.pop_front();
                }
            }
        }
    }

    fn evict(&mut self) {
        while let Some((key, serial)) = self.order.front() {
            if self.waiting.get(key).is_some_and(|datagram| datagram.serial == *serial) {
                self.give_up_oldest();
                self.stats.evicted += 1;
                return;
            }
            self.order.pop_front();
        }
        debug_assert!(self.held == 0, "what is held belongs to a datagram that waits");
        self.held = 0;
    }

    fn give_up_oldest(&mut self) {
        let Some((key, _)) = self.order.pop_front() else { return };
        if let Some(datagram) = self.waiting.remove(&key) {
            self.held -= datagram.cost();
        }
    }
}

impl Datagram {
    /// Octets that it takes, by what it holds; the allocator may round up.
    fn cost(&self) -> usize {
        OVERHEAD + self.octets.len() + self.pieces.len() * size_of::<Piece>()
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.covered)
    }

    fn add(&mut self, fragment: &Fragment<'_>) -> Taken {
        self.fragments += 1;
        if fragment.offset == 0 {
            self.protocol.get_or_insert(fragment.protocol);
        }
        let (at, end) = (fragment.offset, fragment.offset.saturating_add(fragment.octets.len() as u32));
        let mut taken = Taken::default();
        let reached = self.pieces.last().map_or(0, |piece| piece.at + piece.len);
        let limit = match self.total {
            // The end may be told once; who tells another one contradicts.
            Some(total) => total,
            None if fragment.more => MAX_DATAGRAM,
            None if end >= reached && end <= MAX_DATAGRAM => {
                self.total = Some(end);
                end
            }
            None => {
                taken.beyond = Some((reached.max(end), end.min(MAX_DATAGRAM)));
                return taken;
            }
        };
        if end > limit {
            taken.beyond = Some((end, limit));
        }
        taken.overlap = self.fill(at, end.min(limit), fragment.octets);
        taken
    }

    /// Adds those octets of `at..end` that are not there yet. Tells how many of the others are not the same again, or
    /// how many there are where the bounds differ, and where the first of them is.
    fn fill(&mut self, at: u32, end: u32, octets: &[u8]) -> Option<(u32, u32)> {
        let (mut cursor, mut overlapped, mut first, mut same) = (at, 0, None, true);
        let mut index = self.pieces.partition_point(|piece| piece.at + piece.len <= at);
        let covered_before = self.covered;
        while cursor < end {
            let next = self.pieces.get(index).copied();
            let gap_end = next.map_or(end, |piece| piece.at.min(end));
            if cursor < gap_end {
                let span = &octets[(cursor - at) as usize..(gap_end - at) as usize];
                let piece = Piece { at: cursor, len: gap_end - cursor, from: self.octets.len() as u32 };
                self.octets.extend_from_slice(span);
                self.pieces.insert(index, piece);
                self.covered += piece.len;
                index += 1;
                cursor = gap_end;
            }
            if let Some(piece) = next.filter(|piece| piece.at < end) {
                let shared_end = (piece.at + piece.len).min(end);
                let from = (piece.from + cursor - piece.at) as usize;
                let old = &self.octets[from..from + (shared_end - cursor) as usize];
                same &= old == &octets[(cursor - at) as usize..(shared_end - at) as usize];
                first.get_or_insert(cursor);
                overlapped += shared_end - cursor;
                cursor = shared_end;
                index += 1;
            }
        }
        let is_repetition = same && self.covered == covered_before;
        first.filter(|_| !is_repetition).map(|first| (overlapped, first))
    }

    fn write(&self, into: &mut Vec<u8>) {
        for piece in &self.pieces {
            let from = piece.from as usize;
            into.extend_from_slice(&self.octets[from..from + piece.len as usize]);
        }
    }
}

/// A payload can be no longer than the length field of IP tells.
const MAX_DATAGRAM: u32 = 65_535;
/// An entry of the table, its place in the order, and two allocations.
const OVERHEAD: usize = size_of::<(Key, Datagram)>() + size_of::<(Key, u64)>() + 64;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(id: u32) -> Key {
        let addr = |last| IpAddr::from([10, 0, 0, last]);
        Key { src: addr(1), dst: addr(2), id, protocol: 17, vlan: 0 }
    }

    fn piece(second: i64, offset: u32, octets: &[u8], more: bool) -> Fragment<'_> {
        Fragment { frame: 1, at: Timestamp::from_parts(second, 0), offset, more, protocol: 17, octets }
    }

    fn table() -> Defrag {
        Defrag::new(DefragLimits::default())
    }

    /// Feeds fragments of one datagram; what the last one did, and the payload if it is whole.
    fn feed(fragments: &[(u32, &[u8], bool)]) -> (Taken, Vec<u8>) {
        let (mut table, mut payload, mut taken) = (table(), Vec::new(), Taken::default());
        for (offset, octets, more) in fragments {
            taken = table.take(key(1), &piece(0, *offset, octets, *more), &mut payload);
        }
        (taken, payload)
    }

    #[test]
    fn fragments_in_any_order_make_the_datagram_whole_with_the_last_to_arrive() {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let all: [(u32, &[u8], bool); 3] = [(0, b"abcdefgh", true), (8, b"ijklmnop", true), (16, b"qr", false)];
            let (taken, payload) = feed(&order.map(|index| all[index]));
            assert_eq!(payload, b"abcdefghijklmnopqr", "{order:?}");
            let whole = taken.whole.expect("whole");
            assert_eq!((whole.fragments, whole.octets, taken.overlap), (3, 18, None));
        }
    }

    #[test]
    fn a_fragment_sent_again_is_no_overlap() {
        let (taken, payload) = feed(&[(0, b"abcdefgh", true), (0, b"abcdefgh", true), (8, b"i", false)]);
        assert_eq!((taken.overlap, &payload[..]), (None, &b"abcdefghi"[..]));
        assert_eq!(taken.whole.expect("whole").fragments, 3);
    }

    #[test]
    fn other_octets_in_the_same_place_are_an_overlap_and_the_first_ones_count() {
        let (taken, _) = feed(&[(0, b"abcdefgh", true), (0, b"ABCDEFGH", true)]);
        assert_eq!(taken.overlap, Some((8, 0)));
        let (_, payload) = feed(&[(0, b"abcdefgh", true), (0, b"ABCDEFGH", true), (8, b"i", false)]);
        assert_eq!(payload, b"abcdefghi");
    }

    #[test]
    fn teardrop_is_told_and_fills_only_what_was_missing() {
        // The second begins inside the first and ends behind it.
        let (taken, payload) = feed(&[(0, &[1; 16], true), (8, &[2; 16], false)]);
        assert_eq!(taken.overlap, Some((8, 8)));
        assert_eq!(payload, [&[1; 16][..], &[2; 8]].concat());
        // And the classic one ends before the first does: it tells an end that cannot be.
        let (taken, payload) = feed(&[(0, &[1; 40], true), (24, &[2; 4], false)]);
        assert_eq!((taken.beyond, taken.whole, payload.len()), (Some((40, 28)), None, 0));
    }

    #[test]
    fn one_fragment_over_several_gaps_fills_each() {
        let (taken, payload) =
            feed(&[(8, &[1; 8], true), (24, &[2; 8], true), (40, &[3; 8], false), (0, &[9; 48], true)]);
        assert_eq!(taken.overlap, Some((24, 8)));
        let expected = [[9; 8], [1; 8], [9; 8], [2; 8], [9; 8], [3; 8]].concat();
        assert_eq!(payload, expected);
    }

    #[test]
    fn what_lies_behind_the_end_is_told_and_left_out() {
        let (taken, _) = feed(&[(8, b"end", false), (16, b"more", true)]);
        assert_eq!((taken.beyond, taken.whole), (Some((20, 11)), None));
        let (taken, payload) = feed(&[(8, b"end", false), (8, b"endless", true), (0, b"abcdefgh", true)]);
        assert!(taken.whole.is_some());
        assert_eq!(payload, b"abcdefghend");
    }

    #[test]
    fn a_ping_of_death_ends_where_ip_ends() {
        let (taken, payload) = feed(&[(65_528, &[1; 100], false)]);
        assert_eq!((taken.beyond, taken.whole, payload.len()), (Some((65_628, 65_535)), None, 0));
    }

    #[test]
    fn a_datagram_waits_as_long_as_the_limit_and_no_longer() {
        for (second, expired) in [(30, 0), (31, 1)] {
            let (mut table, mut payload) = (table(), Vec::new());
            table.take(key(1), &piece(0, 0, &[1; 8], true), &mut payload);
            let taken = table.take(key(1), &piece(second, 8, &[2; 8], false), &mut payload);
            assert_eq!((taken.whole.is_none(), table.stats().expired), (expired == 1, expired), "{second}");
        }
    }

    #[test]
    fn datagrams_and_octets_are_bounded_and_the_oldest_goes_first() {
        let limits = DefragLimits { datagrams: 4, octets: 64 << 10, ..DefragLimits::default() };
        let (mut table, mut payload) = (Defrag::new(limits), Vec::new());
        for id in 0..100 {
            table.take(key(id), &piece(0, 0, &[1; 8], true), &mut payload);
        }
        assert_eq!((table.stats().waiting, table.stats().evicted), (4, 96));
        assert!(table.take(key(99), &piece(0, 8, &[1; 8], false), &mut payload).whole.is_some(), "the newest is there");
        for id in 100..104 {
            table.take(key(id), &piece(0, 8, &vec![1; 40_000], true), &mut payload);
        }
        assert_eq!(table.stats().waiting, 1, "forty thousand octets fit once");
        assert!(table.held <= 64 << 10);
    }

    #[test]
    fn a_number_used_again_behind_a_whole_datagram_begins_a_new_one() {
        let (mut table, mut payload) = (table(), Vec::new());
        for round in 0..20_000 {
            for (offset, more) in [(0, true), (8, false)] {
                table.take(key(7), &piece(round, offset, &[1; 8], more), &mut payload);
            }
            payload.clear();
        }
        assert_eq!((table.stats().reassembled, table.stats().waiting, table.held), (20_000, 0, 0));
        assert!(table.order.len() <= 2 * table.limits.datagrams, "places left behind do not pile up");
    }

    proptest! {
        #[test]
        fn any_fragments_leave_the_books_balanced(
            fragments in vec((0u32..4, 0u32..12, 0usize..64, any::<bool>(), 0i64..90), 0..200),
        ) {
            let limits = DefragLimits { datagrams: 3, octets: 1 << 10, ..DefragLimits::default() };
            let (mut table, octets) = (Defrag::new(limits), [7u8; 64]);
            for (id, offset, len, more, second) in fragments {
                let mut payload = Vec::new();
                let taken = table.take(key(id), &piece(second, offset * 8, &octets[..len], more), &mut payload);
                prop_assert_eq!(taken.whole.map_or(0, |whole| whole.octets as usize), payload.len());
                let held: usize = table.waiting.values().map(Datagram::cost).sum();
                prop_assert_eq!(table.held, held);
                prop_assert!(held <= limits.octets && table.waiting.len() <= limits.datagrams);
            }
        }
    }
}
