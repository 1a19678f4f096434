//! The places that are called: address and port, host, prefix, in one bounded tree.
//!
//! An attempt belongs to the narrowest place that there is room for, and counts there and at every place above. Where a
//! level is full and all its places are in use, newcomers belong to the next wider one; so an attack on a million
//! addresses costs memory for the caps only, and shows at its prefix.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::detect::syn_flood::attempt::Address;
use crate::detect::syn_flood::attempt::Outcome;
use crate::detect::syn_flood::sums::Rule;
use crate::detect::syn_flood::sums::SHORT;
use crate::detect::syn_flood::sums::Sums;
use crate::detect::syn_flood::thresholds::Caps;
use crate::detect::syn_flood::thresholds::Thresholds;
use crate::packet::Span;

/// Index of no group.
pub(super) const NONE: u32 = u32::MAX;
/// Slow handshakes that any busy place has.
const A_FEW: u32 = 8;

/// How wide a place is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    /// Address and port.
    Port,
    /// Address.
    Host,
    /// /24 or /64.
    Prefix,
    /// /16 or /48, for what found no room at its prefix.
    Wide,
    /// Whatever found no room at all.
    Rest,
}

impl Level {
    const COUNT: usize = 5;
}

/// Which place.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    pub(super) level: Level,
    pub(super) port: u16,
    pub(super) addr: Address,
}

/// A place and what happened there.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) place: Place,
    pub(super) parent: u32,
    /// Attempts, narrower places and incidents that point here; at 0 it may be forgotten.
    refs: u32,
    idle_previous: u32,
    idle_next: u32,
    pub(super) sums: Sums,
    /// Outcomes since the place is known, less what was taken back.
    pub(super) counts: [u32; Outcome::COUNT],
    /// The same when the sums of attacks last left zero.
    pub(super) base: [u32; Outcome::COUNT],
    /// First SYNs of the bad attempts that started the latest rise.
    pub(super) firsts: Firsts,
    /// Attempts that wait and are `aged_after` old, not repeated.
    pub(super) aged: u32,
    /// Trace time of the SYN since which there are more than a few of them.
    pub(super) aged_since: i64,
    /// Trace time when an alarm was last thought over.
    pub(super) considered: i64,
    /// Alarms since then.
    pub(super) alarms: u32,
    /// Completions per second when the sums of attacks last left zero.
    pub(super) usual: f32,
    /// Bad verdicts taken back since the sums left zero.
    pub(super) taken_back: u32,
    /// Unanswered SYN,ACKs of the last 63 s, and most so far.
    pub(super) unacknowledged: u32,
    pub(super) unacknowledged_peak: u32,
    /// SYNs, of the current second and of the busiest.
    pub(super) syns: u64,
    second: i64,
    seconds: [u32; 4],
    pub(super) peak_syns: u32,
    /// SYN,ACKs repeated.
    pub(super) syn_acks_resent: u32,
    /// Attempts whose SYN came again.
    pub(super) resent: u32,
    /// Bit per hashed port (of a host) or host (of a prefix) with bad attempts since the sums left zero.
    pub(super) members: u64,
    /// Completions of which no SYN,ACK was seen.
    pub(super) blind_completions: u32,
    /// The open incident here.
    pub(super) incident: u32,
    /// Rules whose detail is kept.
    pub(super) warm: u8,
    /// It ever answered: SYN,ACK, RST or data.
    pub(super) answered: bool,
}

/// Times of the first four bad SYNs of a rise.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Firsts {
    times: [i64; 4],
    len: u8,
}

impl Firsts {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn push(&mut self, at: i64) {
        if let Some(slot) = self.times.get_mut(usize::from(self.len)) {
            *slot = at;
            self.len += 1;
        }
    }

    /// Where a rise of about `rate` per second began: a lone bad attempt long before does not belong to it.
    pub(super) fn start(&self, rate: f64) -> Option<i64> {
        let times = &self.times[..usize::from(self.len)];
        let wide = (8.0e9 / rate.max(0.1)) as i64;
        let gap = times.windows(2).rposition(|pair| pair[1].saturating_sub(pair[0]) > wide);
        times.get(gap.map_or(0, |at| at + 1)).copied()
    }
}

impl Group {
    fn new(place: Place, parent: u32, now: i64) -> Self {
        Self {
            place,
            parent,
            refs: 0,
            idle_previous: NONE,
            idle_next: NONE,
            sums: Sums::new(now),
            counts: [0; Outcome::COUNT],
            base: [0; Outcome::COUNT],
            firsts: Firsts::default(),
            aged: 0,
            aged_since: now,
            considered: i64::MIN,
            alarms: 0,
            usual: 0.0,
            taken_back: 0,
            unacknowledged: 0,
            unacknowledged_peak: 0,
            syns: 0,
            second: 0,
            seconds: [0; 4],
            peak_syns: 0,
            syn_acks_resent: 0,
            resent: 0,
            members: 0,
            blind_completions: 0,
            incident: NONE,
            warm: 0,
            answered: false,
        }
    }

    pub(super) fn is_port(&self) -> bool {
        self.place.level == Level::Port
    }

    /// An attempt on it began.
    pub(super) fn count_syn(&mut self, now: i64) {
        self.syns += 1;
        let second = now / Span::from_secs(1).0;
        if second != self.second {
            self.turn_to(second);
        }
        let current = &mut self.seconds[(second & 3) as usize];
        *current += 1;
        self.peak_syns = self.peak_syns.max(*current);
    }

    /// An attack is known some seconds after it began: four are kept while nothing is in the air.
    fn turn_to(&mut self, second: i64) {
        let passed = second.saturating_sub(self.second).clamp(1, 4);
        for back in 0..passed {
            self.seconds[((second - back) & 3) as usize] = 0;
        }
        self.second = second;
        if self.incident == NONE && self.sums.is_calm() {
            self.peak_syns = self.seconds.into_iter().max().unwrap_or(0);
        }
    }

    /// A SYN,ACK went out.
    pub(super) fn opens(&mut self) {
        self.unacknowledged += 1;
        self.unacknowledged_peak = self.unacknowledged_peak.max(self.unacknowledged);
    }

    /// An attempt of trace time `at` became old without an end.
    pub(super) fn ages(&mut self, at: i64) {
        self.aged += 1;
        if self.aged < A_FEW {
            self.aged_since = at;
        }
    }

    /// So many attempts wait that nothing harmless explains them, well above what usually comes and goes here.
    pub(super) fn is_overrun(&self, th: &Thresholds) -> bool {
        let waiting = self.aged as f32 + self.sums.evicted;
        let usual = self.sums.completions * (th.half_open_after.0 - th.aged_after.0) as f32 * 1e-9;
        waiting >= th.fast_pending as f32
            && waiting >= th.fast_ratio * self.sums.completions_short * SHORT
            && waiting >= 3.0 * usual
    }

    /// Outcomes since the sums left zero.
    pub(super) fn since_base(&self) -> [u32; Outcome::COUNT] {
        std::array::from_fn(|i| self.counts[i].saturating_sub(self.base[i]))
    }

    /// Where the sums of attacks leave zero, counting begins anew.
    pub(super) fn rises(&mut self) {
        if self.incident == NONE && self.sums.is_calm() {
            self.base = self.counts;
            self.usual = self.sums.completions;
            self.members = 0;
            self.taken_back = 0;
        }
    }

    pub(super) fn limit(&self, rule: Rule, th: &Thresholds) -> f32 {
        match rule {
            Rule::Open if self.is_port() => th.port_limit,
            Rule::Open => th.wide_limit,
            Rule::Orphaned => th.port_limit,
            Rule::Reset => th.reset_limit,
            Rule::Resent | Rule::Retried => th.resent_limit,
            Rule::Refused | Rule::PortClosed => th.refused_limit,
            Rule::Reflected => th.reflected_limit,
        }
    }
}

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
}

#[derive(Clone, Copy, Debug)]
struct LevelList {
    used: usize,
    cap: usize,
    idle_oldest: u32,
    idle_newest: u32,
}

impl Groups {
    pub(super) fn new(caps: &Caps, hasher: RandomState) -> Self {
        let level = |cap: usize| LevelList { used: 0, cap: cap.max(1), idle_oldest: NONE, idle_newest: NONE };
        Self {
            groups: Vec::new(),
            free: Vec::new(),
            index: HashTable::new(),
            hasher,
            levels: [caps.ports, caps.hosts, caps.prefixes, caps.wide, 1].map(level),
            stats: PlaceStats::default(),
        }
    }

    pub(super) fn get(&self, group: u32) -> &Group {
        &self.groups[group as usize]
    }

    pub(super) fn get_mut(&mut self, group: u32) -> &mut Group {
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
        let Some(prefix) = self.place(prefix, NONE, now) else {
            let wide = Place { level: Level::Wide, port: 0, addr: addr.wide_prefix() };
            let rest = Place { level: Level::Rest, port: 0, addr: Address::default() };
            return match self.place(wide, NONE, now) {
                Some(wide) => wide,
                None => self.place(rest, NONE, now).expect("there is always room for the one rest"),
            };
        };
        self.place(host, prefix, now).unwrap_or(prefix)
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
        let oldest = list.idle_oldest;
        // The rest is never forgotten: it is where everything else ends up.
        if oldest == NONE || level == Level::Rest {
            return false;
        }
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
        let list = &mut self.levels[self.groups[group as usize].place.level as usize];
        let newest = list.idle_newest;
        list.idle_newest = group;
        if newest == NONE {
            list.idle_oldest = group;
        } else {
            self.groups[newest as usize].idle_next = group;
        }
        self.groups[group as usize].idle_previous = newest;
        self.groups[group as usize].idle_next = NONE;
    }

    fn unlink_idle(&mut self, group: u32) {
        let (previous, next) = {
            let group = &self.groups[group as usize];
            (group.idle_previous, group.idle_next)
        };
        let level = self.groups[group as usize].place.level as usize;
        match previous {
            NONE => self.levels[level].idle_oldest = next,
            _ => self.groups[previous as usize].idle_next = next,
        }
        match next {
            NONE => self.levels[level].idle_newest = previous,
            _ => self.groups[next as usize].idle_previous = previous,
        }
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

    #[test]
    fn a_lone_bad_attempt_long_before_is_not_the_start() {
        let mut firsts = Firsts::default();
        let ms = |n: i64| Span::from_millis(n).0;
        for at in [1_000, 1_900, 1_902, 1_904] {
            firsts.push(ms(at));
        }
        assert_eq!(firsts.start(500.0), Some(ms(1_900)));
        assert_eq!(firsts.start(2.0), Some(ms(1_000)));
    }
}
