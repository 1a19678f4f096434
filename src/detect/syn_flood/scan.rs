//! Sources that try many ports or many hosts in vain.
//!
//! Judged by source, not by victim: failed tries only (a client that gets through is none), few tries per target (a
//! client that insists is none). Forged sources fail once each and never get past the nursery.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::detect::syn_flood::sketch::Few;
use crate::detect::syn_flood::sketch::Top;
use crate::detect::syn_flood::thresholds::Thresholds;
use crate::flow::doorway::Address;
use crate::flow::doorway::Outcome;
use crate::flow::list::Linked;
use crate::flow::list::Links;
use crate::flow::list::List;
use crate::packet::Span;

/// Index of no incident.
pub(super) use crate::flow::list::NONE;

/// Failures within [`MEMORY`] from which a source is watched.
const PROMOTED_AFTER: u8 = 4;
/// The nursery forgets a source after this long.
const MEMORY: Span = Span::from_secs(60);
/// A watched source that was silent for this long starts anew.
const FRESH_AFTER: Span = Span::from_secs(300);
/// Slots of the nursery, 32 octets each; a newcomer takes the slot of whoever was there.
const NURSERY: usize = 1 << 14;

/// One ended try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    pub(super) source: Address,
    pub(super) host: Address,
    pub(super) port: u16,
    pub(super) outcome: Outcome,
    pub(super) at: i64,
    pub(super) frame: u32,
}

/// A source under watch.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    pub(super) source: Address,
    pub(super) start: i64,
    pub(super) frame: u32,
    pub(super) last: i64,
    pub(super) tries: u32,
    pub(super) refused: u32,
    pub(super) unanswered: u32,
    pub(super) completed: u32,
    pub(super) ports: Few<16>,
    pub(super) hosts: Few<16>,
    pub(super) targets: Few<16>,
    pub(super) top_host: Top<Address, 4>,
    pub(super) top_port: Top<u16, 4>,
    /// Lowest and highest host tried.
    pub(super) hosts_from: Address,
    pub(super) hosts_to: Address,
    pub(super) incident: u32,
    links: Links,
}

impl Linked for [Scanner] {
    fn links(&mut self, scanner: u32) -> &mut Links {
        &mut self[scanner as usize].links
    }
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sweep {
    /// Many ports of few hosts.
    Vertical,
    /// Few ports of many hosts.
    Horizontal,
}

impl Scanner {
    fn new(tried: &Try, seed: &Seed) -> Self {
        let mut fresh = Self {
            source: tried.source,
            start: seed.start,
            frame: seed.frame,
            last: tried.at,
            tries: u32::from(seed.failures) - 1,
            refused: seed.refused.into(),
            unanswered: u32::from(seed.failures) - 1 - u32::from(seed.refused),
            completed: 0,
            ports: Few::new(),
            hosts: Few::new(),
            targets: Few::new(),
            top_host: Top::new(),
            top_port: Top::new(),
            hosts_from: tried.host,
            hosts_to: tried.host,
            incident: NONE,
            links: Links::ALONE,
        };
        fresh.start = fresh.start.min(tried.at);
        fresh
    }

    pub(super) fn sweep(&self, th: &Thresholds) -> Option<Sweep> {
        let failed = f64::from(self.refused + self.unanswered);
        let (ports, hosts) = (self.ports.estimate(), self.hosts.estimate());
        let tries = f64::from(self.tries);
        if failed < th.scan_failed * tries || tries > th.scan_tries * self.targets.estimate() {
            return None;
        }
        if ports >= th.scan_ports && hosts <= ports / 4.0 {
            Some(Sweep::Vertical)
        } else if hosts >= th.scan_hosts && ports <= hosts / 4.0 {
            Some(Sweep::Horizontal)
        } else {
            None
        }
    }

    /// Tries as scanners do, whether or not there were enough yet.
    pub(super) fn looks_like_one(&self, th: &Thresholds) -> bool {
        let failed = f64::from(self.refused + self.unanswered);
        let spread = self.ports.estimate().max(self.hosts.estimate()) >= 8.0;
        spread
            && failed >= th.scan_failed * f64::from(self.tries)
            && f64::from(self.tries) <= th.scan_tries * self.targets.estimate() + f64::from(PROMOTED_AFTER)
    }

    fn count(&mut self, tried: &Try, marks: &FixedState) {
        self.tries += 1;
        self.last = self.last.max(tried.at);
        match tried.outcome {
            Outcome::Refused => self.refused += 1,
            Outcome::Unanswered => self.unanswered += 1,
            Outcome::Completed => self.completed += 1,
            _ => {}
        }
        self.ports.insert(marks.hash_one(tried.port));
        self.hosts.insert(marks.hash_one(tried.host));
        self.targets.insert(marks.hash_one((tried.host, tried.port)));
        self.top_host.insert(tried.host);
        self.top_port.insert(tried.port);
        self.hosts_from = self.hosts_from.min(tried.host);
        self.hosts_to = self.hosts_to.max(tried.host);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Seed {
    source: Address,
    start: i64,
    frame: u32,
    failures: u8,
    refused: u8,
}

/// Sources that failed more than a few times.
#[derive(Debug)]
pub(super) struct Scans {
    nursery: Vec<Seed>,
    scanners: Vec<Scanner>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// Decides what the sketches hold, and who shares a slot of the nursery.
    pub(super) marks: FixedState,
    /// The longest silent first.
    list: List,
    cap: usize,
    /// Watched sources let go because there were too many.
    pub(super) forgotten: u64,
}

impl Scans {
    pub(super) fn new(cap: usize, hasher: RandomState, marks: FixedState) -> Self {
        Self {
            nursery: Vec::new(),
            scanners: Vec::new(),
            index: HashTable::new(),
            hasher,
            marks,
            list: List::EMPTY,
            cap: cap.max(1),
            forgotten: 0,
        }
    }

    pub(super) fn get(&self, scanner: u32) -> &Scanner {
        &self.scanners[scanner as usize]
    }

    pub(super) fn get_mut(&mut self, scanner: u32) -> &mut Scanner {
        &mut self.scanners[scanner as usize]
    }

    pub(super) fn find(&self, source: Address) -> Option<u32> {
        let hash = self.hasher.hash_one(source);
        self.index.find(hash, |&scanner| self.scanners[scanner as usize].source == source).copied()
    }

    /// Counts a try. The scanner, where the source is watched.
    pub(super) fn note(&mut self, tried: &Try) -> Option<u32> {
        let scanner = match self.find(tried.source) {
            Some(scanner) => scanner,
            None => {
                let fails = matches!(tried.outcome, Outcome::Refused | Outcome::Unanswered);
                let seed = if fails { self.nurse(tried) } else { None }?;
                self.promote(tried, &seed)?
            }
        };
        let known = &mut self.scanners[scanner as usize];
        if known.incident == NONE && tried.at.saturating_sub(known.last) > FRESH_AFTER.0 {
            let seed = Seed { start: tried.at, frame: tried.frame, failures: 1, ..Seed::default() };
            *known = Scanner { links: known.links, ..Scanner::new(tried, &seed) };
        }
        known.count(tried, &self.marks);
        self.unlink(scanner);
        self.link(scanner);
        Some(scanner)
    }

    fn nurse(&mut self, tried: &Try) -> Option<Seed> {
        if self.nursery.is_empty() {
            self.nursery.resize(NURSERY, Seed::default());
        }
        let slot = self.marks.hash_one(tried.source) as usize % NURSERY;
        let seed = &mut self.nursery[slot];
        let known = seed.failures > 0 && seed.source == tried.source;
        if !known || tried.at.saturating_sub(seed.start) > MEMORY.0 {
            *seed = Seed { source: tried.source, start: tried.at, frame: tried.frame, failures: 0, refused: 0 };
        }
        seed.failures += 1;
        if seed.failures >= PROMOTED_AFTER {
            return Some(std::mem::take(seed));
        }
        seed.refused += u8::from(tried.outcome == Outcome::Refused);
        None
    }

    fn promote(&mut self, tried: &Try, seed: &Seed) -> Option<u32> {
        let fresh = Scanner::new(tried, seed);
        let scanner = if self.scanners.len() < self.cap {
            self.scanners.push(fresh);
            (self.scanners.len() - 1) as u32
        } else {
            let spare = self.spare()?;
            self.unlink(spare);
            let source = self.scanners[spare as usize].source;
            if let Ok(entry) = self.index.find_entry(self.hasher.hash_one(source), |&other| other == spare) {
                entry.remove();
            }
            self.scanners[spare as usize] = fresh;
            self.forgotten += 1;
            spare
        };
        let (hasher, scanners) = (&self.hasher, &self.scanners);
        let hash = hasher.hash_one(tried.source);
        self.index.insert_unique(hash, scanner, |&other| hasher.hash_one(scanners[other as usize].source));
        self.link(scanner);
        Some(scanner)
    }

    /// The longest silent one that is in no incident, among the first few.
    fn spare(&self) -> Option<u32> {
        let next = |&at: &u32| self.scanners[at as usize].links.next();
        let mut first = std::iter::successors(self.list.oldest(), next).take(9);
        first.find(|&at| self.scanners[at as usize].incident == NONE)
    }

    fn link(&mut self, scanner: u32) {
        self.list.push(&mut self.scanners[..], scanner);
    }

    fn unlink(&mut self, scanner: u32) {
        self.list.remove(&mut self.scanners[..], scanner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Address {
        Address::of(std::net::Ipv4Addr::from_bits(n).into())
    }

    fn tried(source: u32, host: u32, port: u16, outcome: Outcome) -> Try {
        Try { source: address(source), host: address(host), port, outcome, at: 0, frame: 0 }
    }

    fn sweep_of(tries: impl Iterator<Item = Try>) -> Option<Sweep> {
        let mut scans = Scans::new(16, RandomState::default(), FixedState::default());
        let th = Thresholds::default();
        tries.filter_map(|tried| scans.note(&tried)).collect::<Vec<_>>().last().and_then(|&s| scans.get(s).sweep(&th))
    }

    #[test]
    fn fifty_ports_of_one_host_refused_are_a_vertical_scan() {
        assert_eq!(sweep_of((0..50).map(|n| tried(1, 2, n, Outcome::Refused))), Some(Sweep::Vertical));
    }

    #[test]
    fn forty_hosts_silent_on_one_port_are_a_horizontal_scan() {
        assert_eq!(sweep_of((0..40).map(|n| tried(1, 100 + n, 80, Outcome::Unanswered))), Some(Sweep::Horizontal));
    }

    #[test]
    fn a_client_that_gets_through_on_one_port_in_five_is_none() {
        let outcome = |n: u16| if n.is_multiple_of(5) { Outcome::Completed } else { Outcome::Refused };
        assert_eq!(sweep_of((0..200).map(|n| tried(1, 2, n, outcome(n)))), None);
    }

    #[test]
    fn a_client_that_tries_each_target_again_and_again_is_none() {
        assert_eq!(sweep_of((0..400).map(|n| tried(1, 2, n % 50, Outcome::Refused))), None);
    }

    #[test]
    fn probes_that_reset_what_was_answered_are_none() {
        assert_eq!(sweep_of((0..200).map(|n| tried(1, 100 + n, 80, Outcome::Reset))), None);
    }

    #[test]
    fn sources_that_fail_once_each_take_no_room() {
        let mut scans = Scans::new(16, RandomState::default(), FixedState::default());
        assert!((0..100_000).all(|n| scans.note(&tried(n, 1, 80, Outcome::Unanswered)).is_none()));
        assert_eq!(scans.scanners.len(), 0);
    }

    #[test]
    fn watched_sources_are_limited_in_number() {
        let mut scans = Scans::new(16, RandomState::default(), FixedState::default());
        for n in 0..100 {
            (0..6).for_each(|port| assert!(scans.note(&tried(n, 1, port, Outcome::Refused)).is_none() || port >= 3));
        }
        assert_eq!((scans.scanners.len(), scans.forgotten), (16, 84));
    }
}
