//! SYN floods, scans, and what looks like them: counts what became of every connection attempt, not SYNs.
//!
//! An attempt is a SYN without ACK, FIN or RST; the same numbers again are the same attempt. Each place that is called
//! (port, host, prefix) has a sum that unexplained outcomes raise and ordinary background lowers; an alarm is a sum at
//! its limit. Late evidence takes a verdict back. RFC 4987 §2 describes the attack, `docs/syn-flood.md` the alerts.
//!
//! | file | part |
//! |---|---|
//! | [`flow::doorway`](crate::flow::doorway) | the bounded table of attempts that are not complete |
//! | `group`, `groups`, `sums` | the places called; their rates and sums |
//! | `segment`, `ageing`, `ledger` | what a segment, time and an outcome do to them |
//! | `totals` | sums over all of them |
//! | `suspicion`, `detail`, `sketch` | who is behind it, in constant memory |
//! | `scan` | the same by source |
//! | `surge`, `crowd` | the pace of a port, and a crowd that is served |
//! | `alarm`, `open`, `kinds`, `reading`, `describe`, `incident`, `telling` | from a sum to an incident, its kind, its words |

mod ageing;
mod alarm;
mod clock;
mod crowd;
mod describe;
mod detail;
mod group;
mod groups;
mod incident;
mod kinds;
mod ledger;
mod open;
mod reading;
mod scan;
mod segment;
mod settings;
mod sketch;
mod sums;
mod surge;
mod suspicion;
mod telling;
#[cfg(test)]
mod tests;
mod thresholds;
mod totals;

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use foldhash::quality::RandomState;

use crate::detect::syn_flood::clock::TraceClock;
use crate::detect::syn_flood::detail::Details;
use crate::detect::syn_flood::groups::Groups;
use crate::detect::syn_flood::open::Incidents;
use crate::detect::syn_flood::scan::Scans;
use crate::detect::syn_flood::surge::Surges;
use crate::flow::Doorway;
use crate::flow::Leaves;
use crate::flow::doorway::Attempt;
use crate::flow::doorway::Kept;
use crate::flow::doorway::LetGo;
use crate::packet::Clock;
use crate::packet::Control;
use crate::packet::Dir;
use crate::packet::IpHeader;
use crate::packet::Packet;
use crate::packet::Quoted;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::Tuple;
use crate::tcp::Mark;

pub use crate::flow::doorway::AttemptStats;
pub use crate::flow::doorway::Outcome;
pub use groups::PlaceStats;
pub use incident::Incident;
pub use incident::Phase;
pub use incident::Share;
pub use incident::Victim;
pub use kinds::Class;
pub use kinds::Confidence;
pub use kinds::Kind;
pub use settings::BadSetting;
pub use settings::Setting;
pub use thresholds::Caps;
pub use thresholds::Thresholds;
pub use totals::Totals;

/// Takes incidents as they start, go on and end.
pub type Tell<'a> = &'a mut dyn FnMut(Incident);

/// A capture with fewer plain segments holds none, for all that can be concluded.
const HARDLY_ANY: u64 = 10;

/// A TCP segment and what the tracker knows of its connection.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// When it passed.
    pub at: Timestamp,
    /// Its frame.
    pub frame: u64,
    /// Its IP header.
    pub ip: &'a IpHeader,
    /// Its TCP header.
    pub tcp: &'a TcpHeader<'a>,
    /// Keyed hash of its connection's tuple ([`Table::key`](crate::flow::Table::key)).
    pub key: u64,
    /// Which way it goes in that tuple.
    pub dir: Dir,
    /// Before it came, the opening of its connection was decided already, or lay before the capture: nothing that it
    /// says can matter here. When in doubt, `false`.
    pub settled: bool,
}

/// The detector. See the module's text.
#[derive(Debug)]
pub struct SynFlood {
    th: Thresholds,
    clock: TraceClock,
    /// Decides what the sketches hold. The tables have keys of their own, which nobody knows.
    marks: FixedState,
    attempts: Doorway,
    groups: Groups,
    details: Details,
    scans: Scans,
    incidents: Incidents,
    surges: Surges,
    /// Trace time before which there is nothing to do.
    due: i64,
    /// Attempts before this trace time that have no verdict will never have one.
    void_before: i64,
    /// Segments without SYN, FIN and RST.
    plain: u64,
    /// Trace time of the last search for details that nobody needs.
    swept: i64,
    totals: Totals,
    /// Steps of time, for the test that holds them to a bound.
    #[cfg(test)]
    steps: u64,
}

impl Default for SynFlood {
    fn default() -> Self {
        Self::new(Thresholds::default())
    }
}

impl SynFlood {
    /// A detector with these thresholds.
    pub fn new(th: Thresholds) -> Self {
        let hasher = RandomState::default();
        let marks = FixedState::with_seed(hasher.hash_one(0));
        let delays = [th.aged_after, th.half_open_after, th.unanswered_after, th.forget_after];
        Self {
            clock: TraceClock::default(),
            attempts: Doorway::new(th.caps.attempts, delays),
            groups: Groups::new(&th.caps, hasher.clone()),
            details: Details::new(th.caps.details, hasher.clone(), marks.clone()),
            scans: Scans::new(th.caps.scanners, hasher, marks.clone()),
            incidents: Incidents::new(th.caps.incidents),
            surges: Surges::new(th.caps.surges),
            due: i64::MIN,
            void_before: i64::MIN,
            plain: 0,
            swept: 0,
            totals: Totals::default(),
            #[cfg(test)]
            steps: 0,
            marks,
            th,
        }
    }

    /// The first packet of a capture, before anything is fed. What is estimated of a file follows from this packet, so
    /// that the same file gives the same words each time; what is estimated live follows from chance.
    ///
    /// Whoever wrote the packet, or knows it, can choose addresses that spoil estimates. Time and memory they cannot touch:
    /// the tables' keys are random always.
    pub fn begins_with(&mut self, packet: &Packet<'_>) {
        let meta = &packet.meta;
        if meta.clock != Clock::File {
            return;
        }
        let what = (meta.at.nanos(), meta.caplen, meta.origlen, packet.endpoints().map(|(_, src, dst)| (src, dst)));
        self.marks = FixedState::with_seed(FixedState::default().hash_one(what));
        self.details.marks = self.marks.clone();
        self.scans.marks = self.marks.clone();
    }

    /// The thresholds in force.
    pub const fn thresholds(&self) -> &Thresholds {
        &self.th
    }

    /// Counters of the table of attempts.
    pub const fn attempt_stats(&self) -> AttemptStats {
        self.attempts.stats()
    }

    /// Counters of the places.
    pub const fn place_stats(&self) -> PlaceStats {
        self.groups.stats
    }

    /// Counters over everything that was called.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Places that are called and held now: ports, hosts and prefixes together.
    pub fn places(&self) -> usize {
        self.groups.len()
    }

    /// One in 2^n attempts is followed now.
    pub const fn sampling(&self) -> u32 {
        self.attempts.sampling()
    }

    /// Incidents that are open now.
    pub const fn open_incidents(&self) -> usize {
        self.incidents.len()
    }

    /// Attempts held now.
    pub fn held(&self) -> usize {
        self.attempts.len()
    }

    /// Incidents not opened because too many were; details refused; sources no longer watched; rises not followed.
    pub const fn neglected(&self) -> [u64; 4] {
        [self.incidents.refused, self.details.refused, self.scans.forgotten, self.surges.refused]
    }

    /// Feeds one segment, in capture order.
    pub fn on_segment(&mut self, segment: &Segment<'_>, tell: Tell<'_>) {
        let control = segment.tcp.flags.control();
        self.plain += u64::from(control == Control::None);
        if segment.settled {
            if !self.clock.is_idle(segment.at, self.due) {
                self.advance(segment.at, tell);
            }
            return;
        }
        let now = self.advance(segment.at, tell);
        let key = segment.key;
        let known = self.attempts.find(key);
        match (control, known) {
            (Control::Syn, _) if !segment.tcp.flags.is_pure_syn() => {}
            (Control::Syn, Some(slot)) => self.syn_again(slot, segment, now, tell),
            (Control::Syn, None) => self.syn(key, segment, now, tell),
            (Control::SynAck, Some(slot)) => self.syn_ack(slot, segment, now),
            (Control::SynAck, None) => self.orphan(key, segment, now, tell),
            (Control::Rst, Some(slot)) => self.reset(slot, segment, now, tell),
            (Control::None | Control::Fin, Some(slot)) => self.plain(slot, segment, now, tell),
            (Control::Rst | Control::None | Control::Fin, None) => {}
        }
    }

    /// A router or the host says that the quoted segment cannot be delivered (ICMP type 3, ICMPv6 type 1). `key` is that
    /// of its tuple.
    pub fn on_unreachable(&mut self, at: Timestamp, key: u64, quoted: &Quoted, tell: Tell<'_>) {
        let now = self.advance(at, tell);
        let (_, dir) = Tuple::of(quoted.protocol, quoted.src, quoted.dst);
        let Some(slot) = self.attempts.find(key) else { return };
        let attempt = self.attempts.get(slot);
        let ours = quoted.seq.is_none_or(|seq| seq == attempt.client_isn) && segment::from_client(&attempt, dir);
        if ours && !attempt.is_answered() && !attempt.is_orphan() {
            self.finish_as(slot, Outcome::Refused, now, tell);
        }
    }

    /// Lets time pass without a packet, for a live capture that is idle.
    pub fn on_time(&mut self, at: Timestamp, tell: Tell<'_>) {
        self.advance(at, tell);
    }

    /// The capture is over: judges what waits and ends what is open.
    pub fn finish(&mut self, tell: Tell<'_>) {
        let now = self.clock.now();
        self.judge_the_rest(now, tell);
        self.close_surges(now, tell);
        self.close_all(now, tell);
    }

    /// A connection whose attempt waits here was told of and is let go. `false` where it cannot be brought back.
    pub fn let_go(&mut self, key: u64, kept: &Kept) -> bool {
        let Some(slot) = self.attempts.find(key) else { return false };
        let stamp = self.clock.stamp(self.attempts.get(slot).at);
        self.attempts.keep(slot, kept, stamp)
    }

    /// A connection that was let go, now that a segment has come for it; `streams` have begun. Say [`is_back`](
    /// Self::is_back) where it is followed on.
    pub fn let_go_as(&self, key: u64, now: Mark, streams: u64) -> Option<LetGo> {
        let slot = self.attempts.find(key)?;
        self.read(self.attempts.get(slot), slot, now, streams)
    }

    /// It is followed on.
    pub fn is_back(&mut self, key: u64) {
        if let Some(slot) = self.attempts.find(key) {
            self.attempts.is_back(slot);
        }
    }

    /// A connection that was let go, never came back, and has left the doorway by now.
    pub fn leaving(&mut self, now: Mark, streams: u64) -> Option<(LetGo, Leaves)> {
        while let Some((entry, attempt, why)) = self.attempts.leaving() {
            if let Some(kept) = entry.kept(self.clock.stamp(attempt.at), now, streams) {
                return Some((LetGo::of(&attempt, kept), why));
            }
        }
        None
    }

    /// At the capture's end: the connection that was let go first, from `slot` on, and the slot behind it.
    pub fn waiting(&self, slot: Option<u32>, now: Mark, streams: u64) -> Option<(LetGo, u32)> {
        let slot = self.attempts.let_go_from(slot)?;
        Some((self.read(self.attempts.get(slot), slot, now, streams)?, slot.wrapping_add(1)))
    }

    fn read(&self, attempt: Attempt, slot: u32, now: Mark, streams: u64) -> Option<LetGo> {
        let kept = self.attempts.kept(slot, self.clock.stamp(attempt.at), now, streams)?;
        Some(LetGo::of(&attempt, kept))
    }
}
