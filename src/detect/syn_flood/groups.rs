//! The places that are called: address and port, host, prefix, in one bounded tree.
//!
//! An attempt belongs to the narrowest place that there is room for, and counts there and at every place above. Where a
//! level is full and all its places are in use, newcomers belong to the next wider one; so an attack on a million
//! addresses costs memory for the caps only, and shows at its prefix.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::detect::syn_flood::group::Group;
use crate::detect::syn_flood::group::Level;
use crate::detect::syn_flood::group::NONE;
use crate::detect::syn_flood::group::Place;
use crate::detect::syn_flood::thresholds::Caps;
use crate::flow::doorway::Address;
use crate::flow::list::Linked;
use crate::flow::list::Links;
use crate::flow::list::List;

/// Counters of the places.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PlaceStats {
    /// Places forgotten to make room, none of them in use.
    pub forgotten: u64,
    /// Attempts counted at a wider place only, because all narrower ones were in use.
    pub widened: u64,
}

/// All places.
#[derive(Debug)]
pub(super) struct Groups {
    groups: Vec<Group>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    levels: [LevelList; Level::COUNT],
    pub(super) stats: PlaceStats,
    /// Looks at a place, for the test that holds them to a bound.
    #[cfg(test)]
    pub(super) visits: std::cell::Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
struct LevelList {
    used: usize,
    cap: usize,
    /// Places that nothing points to.
    idle: List,
}

impl Linked for [Group] {
    fn links(&mut self, group: u32) -> &mut Links {
        &mut self[group as usize].idle
    }
}

impl Groups {
    pub(super) fn new(caps: &Caps, hasher: RandomState) -> Self {
        let level = |cap: usize| LevelList { used: 0, cap: cap.max(1), idle: List::EMPTY };
        Self {
            groups: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher,
            levels: [caps.ports, caps.hosts, caps.prefixes, caps.wide, 1].map(level),
            stats: PlaceStats::default(),
            #[cfg(test)]
            visits: std::cell::Cell::new(0),
        }
    }

    pub(super) fn get(&self, group: u32) -> &Group {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
        &self.groups[group as usize]
    }

    pub(super) fn get_mut(&mut self, group: u32) -> &mut Group {
        #[cfg(test)]
        self.visits.set(self.visits.get() + 1);
        &mut self.groups[group as usize]
    }

    /// The host that a group belongs to, where it has one.
    pub(super) fn host(&self, group: u32) -> Option<Address> {
        let place = self.get(group).place;
        matches!(place.level, Level::Port | Level::Host).then_some(place.addr)
    }

    /// The narrowest place for an address and port that there is room for.
    pub(super) fn port(&mut self, addr: Address, port: u16, now: i64) -> u32 {
        let place = Place { level: Level::Port, port, addr };
        if let Some(known) = self.find(&place) {
            return known;
        }
        let host = self.host_of(addr, now);
        if self.get(host).place.level != Level::Host {
            self.stats.widened += 1;
            return host;
        }
        self.place(place, host, now).unwrap_or_else(|| {
            self.stats.widened += 1;
            host
        })
    }

    /// The same for a whole host.
    pub(super) fn host_of(&mut self, addr: Address, now: i64) -> u32 {
        let host = Place { level: Level::Host, port: 0, addr };
        if let Some(known) = self.find(&host) {
            return known;
        }
        let prefix = Place { level: Level::Prefix, port: 0, addr: addr.prefix() };
        // A wider incident takes in the prefixes that come later, too.
        let above = self.overrun_wide(addr).unwrap_or(NONE);
        let Some(prefix) = self.place(prefix, above, now) else {
            return self.wide_of(addr, now);
        };
        self.place(host, prefix, now).unwrap_or(prefix)
    }

    /// The same for a /16 or /48, beyond which there is only the rest.
    pub(super) fn wide_of(&mut self, addr: Address, now: i64) -> u32 {
        let rest = Place { level: Level::Rest, port: 0, addr: Address::EDGES.0 };
        let rest = self.place(rest, NONE, now).expect("there is always room for the one rest");
        let wide = Place { level: Level::Wide, port: 0, addr: addr.wide_prefix() };
        self.place(wide, rest, now).unwrap_or(rest)
    }

    /// The /16 or /48 of an address, where it has an incident.
    pub(super) fn overrun_wide(&self, addr: Address) -> Option<u32> {
        if self.levels[Level::Wide as usize].used == 0 {
            return None;
        }
        let wide = self.find(&Place { level: Level::Wide, port: 0, addr: addr.wide_prefix() })?;
        (self.get(wide).incident != NONE).then_some(wide)
    }

    /// Puts a place below a wider one, where it was below none.
    pub(super) fn move_below(&mut self, group: u32, above: u32) {
        if self.get(group).parent == NONE && group != above {
            let answered = self.get(group).answered;
            self.get_mut(group).parent = above;
            self.get_mut(above).answered |= answered;
            self.hold(above);
        }
    }

    /// One more attempt, place or incident points there.
    pub(super) fn hold(&mut self, group: u32) {
        self.groups[group as usize].refs += 1;
        if self.groups[group as usize].refs == 1 {
            self.unlink_idle(group);
        }
    }

    /// One less.
    pub(super) fn release(&mut self, group: u32) {
        let held = &mut self.groups[group as usize];
        debug_assert!(held.refs > 0, "what is released was held");
        held.refs = held.refs.saturating_sub(1);
        if held.refs == 0 {
            self.link_idle(group);
        }
    }

    fn find(&self, place: &Place) -> Option<u32> {
        let hash = self.hasher.hash_one(place);
        self.index.find(hash, |&group| self.groups[group as usize].place == *place).copied()
    }

    /// Every /24 and /64 held.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = &Group> {
        let held = self.index.iter().map(|&group| &self.groups[group as usize]);
        held.filter(|group| group.place.level == Level::Prefix)
    }

    /// Places held.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    fn place(&mut self, place: Place, parent: u32, now: i64) -> Option<u32> {
        if let Some(known) = self.find(&place) {
            return Some(known);
        }
        // Held meanwhile: making room must not let go of the place above.
        if parent != NONE {
            self.hold(parent);
        }
        if !self.has_room(place.level) {
            if parent != NONE {
                self.release(parent);
            }
            return None;
        }
        let fresh = Group::new(place, parent, now);
        let group = match self.free.pop() {
            Some(group) => {
                self.groups[group as usize] = fresh;
                group
            }
            None => {
                self.groups.push(fresh);
                (self.groups.len() - 1) as u32
            }
        };
        self.levels[place.level as usize].used += 1;
        let (hasher, groups) = (&self.hasher, &self.groups);
        let hash = hasher.hash_one(place);
        self.index.insert_unique(hash, group, |&other| hasher.hash_one(groups[other as usize].place));
        self.link_idle(group);
        Some(group)
    }

    fn has_room(&mut self, level: Level) -> bool {
        let list = self.levels[level as usize];
        if list.used < list.cap {
            return true;
        }
        // The rest is never forgotten: it is where everything else ends up.
        let Some(oldest) = list.idle.oldest().filter(|_| level != Level::Rest) else { return false };
        self.unlink_idle(oldest);
        let place = self.get(oldest).place;
        if let Ok(entry) = self.index.find_entry(self.hasher.hash_one(place), |&group| group == oldest) {
            entry.remove();
        }
        self.levels[level as usize].used -= 1;
        self.free.push(oldest);
        self.stats.forgotten += 1;
        let parent = self.get(oldest).parent;
        if parent != NONE {
            self.release(parent);
        }
        true
    }

    fn link_idle(&mut self, group: u32) {
        let level = self.groups[group as usize].place.level as usize;
        self.levels[level].idle.push(&mut self.groups[..], group);
    }

    fn unlink_idle(&mut self, group: u32) {
        let level = self.groups[group as usize].place.level as usize;
        self.levels[level].idle.remove(&mut self.groups[..], group);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(caps: Caps) -> Groups {
        Groups::new(&caps, RandomState::default())
    }

    fn addr(text: &str) -> Address {
        Address::of(text.parse().expect("an address"))
    }

    #[test]
    fn a_port_counts_for_its_host_and_prefix() {
        let mut groups = groups(Caps::default());
        let port = groups.port(addr("192.0.2.1"), 80, 0);
        let host = groups.get(port).parent;
        let prefix = groups.get(host).parent;
        assert_eq!(groups.get(host).place.level, Level::Host);
        assert_eq!(groups.get(prefix).place.addr, addr("192.0.2.0"));
        assert_eq!(groups.get(prefix).parent, NONE);
        assert_eq!(groups.port(addr("192.0.2.1"), 80, 9), port);
        let other = groups.port(addr("192.0.2.1"), 443, 0);
        assert_eq!(groups.get(other).parent, host);
    }

    #[test]
    fn full_levels_widen_and_every_attempt_still_has_a_place() {
        let caps = Caps { ports: 4, hosts: 2, prefixes: 2, wide: 1, ..Caps::default() };
        let mut groups = groups(caps);
        for n in 0..60_000_u32 {
            let group = groups.port(Address::of(std::net::Ipv4Addr::from_bits(n << 12).into()), n as u16, 0);
            groups.hold(group);
        }
        assert!(groups.groups.len() <= 4 + 2 + 2 + 1 + 1, "{}", groups.groups.len());
        assert!(groups.stats.widened > 59_000);
    }

    #[test]
    fn places_in_use_are_never_forgotten_and_idle_ones_are_oldest_first() {
        let caps = Caps { ports: 2, ..Caps::default() };
        let mut groups = groups(caps);
        let held = groups.port(addr("192.0.2.1"), 1, 0);
        groups.hold(held);
        groups.port(addr("192.0.2.1"), 2, 0);
        let third = groups.port(addr("192.0.2.1"), 3, 0);
        assert_eq!(groups.get(third).place.port, 3);
        assert_eq!(groups.port(addr("192.0.2.1"), 1, 0), held);
        assert_eq!(groups.stats.forgotten, 1);
        groups.hold(third);
        let fourth = groups.port(addr("192.0.2.1"), 4, 0);
        assert_eq!(groups.get(fourth).place.level, Level::Host);
    }
}
