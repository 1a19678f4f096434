//! A table of conversations with a fixed number of places; when all are taken, the one idle for longest goes.
//!
//! Places are linked in the order of use, so finding, adding and evicting cost the same whatever the traffic does.
//! Keys come off the wire: the hash is seeded at random.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::packet::tuple::Tuple;

const NOWHERE: u32 = u32::MAX;

/// See the module.
#[derive(Debug)]
pub(super) struct Table<V> {
    places: Vec<Place<V>>,
    index: HashTable<u32>,
    hasher: RandomState,
    newest: u32,
    oldest: u32,
    limit: usize,
    evicted: u64,
}

#[derive(Debug)]
struct Place<V> {
    tuple: Tuple,
    value: V,
    newer: u32,
    older: u32,
}

impl<V> Table<V> {
    /// A table of at most `limit` conversations, at least one.
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            places: Vec::new(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            newest: NOWHERE,
            oldest: NOWHERE,
            limit: limit.clamp(1, NOWHERE as usize),
            evicted: 0,
        }
    }

    /// The place of `tuple`, marked as just used.
    pub(super) fn find(&mut self, tuple: &Tuple) -> Option<usize> {
        let hash = self.hasher.hash_one(tuple);
        let at = *self.index.find(hash, |&at| self.places[at as usize].tuple == *tuple)?;
        if at != self.newest {
            self.unlink(at);
            self.link(at);
        }
        Some(at as usize)
    }

    /// The value at a place that [`find`](Self::find) or [`add`](Self::add) gave.
    pub(super) fn at(&mut self, place: usize) -> &mut V {
        &mut self.places[place].value
    }

    /// Adds `tuple`, which must not be there. Gives its place, and what had to go for it.
    pub(super) fn add(&mut self, tuple: Tuple, value: V) -> (usize, Option<V>) {
        let hash = self.hasher.hash_one(tuple);
        let (at, gone) = if self.places.len() < self.limit {
            self.places.push(Place { tuple, value, newer: NOWHERE, older: NOWHERE });
            ((self.places.len() - 1) as u32, None)
        } else {
            let at = self.oldest;
            let old_hash = self.hasher.hash_one(self.places[at as usize].tuple);
            if let Ok(entry) = self.index.find_entry(old_hash, |&other| other == at) {
                entry.remove();
            }
            self.unlink(at);
            self.evicted += 1;
            let place = &mut self.places[at as usize];
            place.tuple = tuple;
            (at, Some(std::mem::replace(&mut place.value, value)))
        };
        self.link(at);
        let (places, hasher) = (&self.places, &self.hasher);
        self.index.insert_unique(hash, at, |&other| hasher.hash_one(places[other as usize].tuple));
        (at as usize, gone)
    }

    /// How many conversations had to go.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.places.iter().map(|place| &place.value)
    }

    fn unlink(&mut self, at: u32) {
        let Place { newer, older, .. } = self.places[at as usize];
        match newer {
            NOWHERE => self.newest = older,
            _ => self.places[newer as usize].older = older,
        }
        match older {
            NOWHERE => self.oldest = newer,
            _ => self.places[older as usize].newer = newer,
        }
    }

    fn link(&mut self, at: u32) {
        let older = std::mem::replace(&mut self.newest, at);
        let place = &mut self.places[at as usize];
        place.newer = NOWHERE;
        place.older = older;
        match older {
            NOWHERE => self.oldest = at,
            _ => self.places[older as usize].newer = at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::tuple::Endpoint;
    use crate::packet::tuple::Protocol;

    fn tuple(port: u16) -> Tuple {
        let end = |port| Endpoint { addr: "10.0.0.1".parse().expect("an address"), port };
        Tuple::of(Protocol::Tcp, end(1), end(port)).0
    }

    fn value<V: Copy>(table: &mut Table<V>, port: u16) -> Option<V> {
        table.find(&tuple(port)).map(|place| *table.at(place))
    }

    #[test]
    fn the_conversation_idle_for_longest_makes_room() {
        let mut table = Table::with_limit(2);
        assert_eq!(table.add(tuple(10), 'a'), (0, None));
        assert_eq!(table.add(tuple(11), 'b'), (1, None));
        assert_eq!(value(&mut table, 10), Some('a'));
        assert_eq!(table.add(tuple(12), 'c'), (1, Some('b')));
        assert_eq!(value(&mut table, 11), None);
        assert_eq!(value(&mut table, 10), Some('a'));
        assert_eq!(value(&mut table, 12), Some('c'));
        assert_eq!(table.evicted(), 1);
    }

    #[test]
    fn a_table_that_turns_over_many_times_stays_at_its_limit() {
        let mut table = Table::with_limit(8);
        for port in 2..2000 {
            assert_eq!(value(&mut table, port), None);
            table.add(tuple(port), port);
        }
        assert_eq!(table.values().count(), 8);
        assert_eq!(table.evicted(), 1990);
        assert!((1992..2000).all(|port| value(&mut table, port) == Some(port)));
    }
}
