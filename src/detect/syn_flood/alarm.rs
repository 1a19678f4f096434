//! From a sum at its limit to one incident per attack: opened, kept up to date, closed.
//!
//! An incident of a host takes over those of its ports, one of a prefix those of its hosts; what a narrower one
//! explains does not count again above it.

use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Tell;
use crate::detect::syn_flood::describe::Subject;
use crate::detect::syn_flood::group::Group;
use crate::detect::syn_flood::group::Level;
use crate::detect::syn_flood::group::NONE;
use crate::detect::syn_flood::incident::Incident;
use crate::detect::syn_flood::incident::Phase;
use crate::detect::syn_flood::incident::covering;
use crate::detect::syn_flood::kinds;
use crate::detect::syn_flood::kinds::Class;
use crate::detect::syn_flood::open::Open;
use crate::detect::syn_flood::open::TICK;
use crate::detect::syn_flood::scan;
use crate::detect::syn_flood::sums::Rule;
use crate::flow::doorway::Address;
use crate::packet::Span;

/// An alarm whose conditions do not hold is thought over again after this long.
const THINK_AGAIN: Span = Span::from_millis(50);
/// Or after so many more of them.
const MANY_ALARMS: u32 = 64;
/// So many prefixes attacked beside one another are one attack on what contains them.
const PREFIXES_BESIDE: usize = 3;
/// Neighbours of which two are attacked within this time are one attack already, this near each other: 16 of them.
const TOGETHER: Span = Span::from_secs(5);
const NEAR: u8 = 4;
/// A scan is over after this long without a try: slow ones are the rule.
const SCAN_QUIET: Span = Span::from_secs(60);
/// An attack that stopped less than this before the capture's end goes on, for all we know.
const GOES_ON: Span = Span::from_secs(1);

impl SynFlood {
    /// A sum stands at its limit: is it an incident, and a new one?
    pub(super) fn consider(&mut self, at: u32, rule: Rule, now: i64, tell: Tell<'_>) {
        let group = self.groups.get_mut(at);
        group.alarms += 1;
        if now.saturating_sub(group.considered) < THINK_AGAIN.0 && group.alarms < MANY_ALARMS {
            return;
        }
        (group.considered, group.alarms) = (now, 0);
        if self.is_told(at, rule) || !self.conditions_hold(at, rule) {
            return;
        }
        let (start, frame) = self.start_of(at, rule);
        let sum = self.groups.get(at).sums.sum(rule);
        let latest = (sum.s >= self.groups.get(at).limit(rule, &self.th)).then(|| sum.latest());
        let Some(at) = self.widen(at, rule, start, now) else { return };
        let picture = self.picture(at, rule);
        let judged = kinds::judge(&picture, &self.th);
        let mut open = Open {
            id: 0,
            subject: Subject::Place(at, rule),
            class: judged.class,
            kind: judged.kind,
            start,
            frame,
            flagged: now,
            end: start,
            last: start,
            bad: picture.counted.max(1),
            next_update: now.saturating_add(self.th.update_every.0),
            checked: now,
        };
        open.end = latest.unwrap_or_else(|| self.latest_bad(at, now)).max(start);
        open.last = open.end;
        let over = self.absorb(at, &mut open);
        let phase = if open.id == 0 { Phase::Start } else { Phase::Update };
        let Some(incident) = self.incidents.put(open) else { return };
        self.groups.get_mut(at).incident = incident;
        self.groups.hold(at);
        let id = self.incidents.get(incident).map(|open| open.id);
        for mut told in over {
            told.merged_into = id;
            tell(told);
        }
        self.tell(incident, phase, tell);
    }

    /// A source tries what scanners try.
    pub(super) fn consider_scan(&mut self, scanner: u32, now: i64, tell: Tell<'_>) {
        let known = self.scans.get(scanner);
        if known.incident != scan::NONE || known.sweep(&self.th).is_none() {
            return;
        }
        let (start, frame, last) = (known.start, known.frame, known.last);
        let judged = self.judge_scan(scanner);
        let open = Open {
            id: 0,
            subject: Subject::Scanner(scanner),
            class: judged.class,
            kind: judged.kind,
            start,
            frame,
            flagged: now,
            end: last,
            last,
            bad: known.tries.into(),
            next_update: now.saturating_add(self.th.update_every.0),
            checked: now,
        };
        let Some(incident) = self.incidents.put(open) else { return };
        self.scans.get_mut(scanner).incident = incident;
        self.tell(incident, Phase::Start, tell);
    }

    /// Looks after open incidents. `now` may lie far ahead of the tick.
    pub(super) fn tick(&mut self, due: i64, now: i64, tell: Tell<'_>) {
        self.incidents.tick = due.saturating_add(TICK.0);
        let judged_by = self.th.unanswered_after.0;
        for incident in self.incidents.all() {
            self.follow_scanner(incident);
            let Some(open) = self.incidents.get_mut(incident) else { continue };
            let quiet = match open.subject {
                Subject::Place(..) => self.th.quiet.0.saturating_add(judged_by),
                Subject::Scanner(_) => SCAN_QUIET.0,
            };
            if due.saturating_sub(open.end) > quiet {
                self.close(incident, false, tell);
                continue;
            }
            let overdue = due >= open.next_update;
            if overdue {
                // One update, also where time leapt over several.
                open.next_update = now.saturating_add(self.th.update_every.0);
            }
            let undecided = open.class != Class::Flood && due.saturating_sub(open.checked) >= Span::from_secs(1).0;
            if undecided {
                open.checked = due;
            }
            let changed = undecided && self.rejudge(incident, due);
            if overdue || changed {
                self.tell(incident, Phase::Update, tell);
            }
        }
    }

    pub(super) fn close_all(&mut self, now: i64, tell: Tell<'_>) {
        for incident in self.incidents.all() {
            self.follow_scanner(incident);
            let Some(open) = self.incidents.get(incident) else { continue };
            let goes_on = now.saturating_sub(open.end) <= GOES_ON.0.max(open.gap());
            self.close(incident, goes_on, tell);
        }
    }

    /// Something is said here already, or at a place that includes this one.
    fn is_told(&self, at: u32, rule: Rule) -> bool {
        let own = self.groups.get(at).incident;
        // What is known from one side only gives way to what is known from both.
        let gives_way = self.incidents.rule_of(own) == Some(Rule::Orphaned) && rule != Rule::Orphaned;
        let attack = self.incidents.is_attack(own) && !gives_way;
        if attack || (self.incidents.is_open(own) && rule.is_trouble()) {
            return true;
        }
        let mut above = self.groups.get(at).parent;
        while above != NONE {
            let group = self.groups.get(above);
            if self.incidents.is_attack(group.incident) {
                return true;
            }
            above = group.parent;
        }
        false
    }

    /// The place to open an incident for: this one, or what contains it where several beside it are attacked already.
    /// `None` where that has an incident.
    fn widen(&mut self, at: u32, rule: Rule, start: i64, now: i64) -> Option<u32> {
        let place = self.groups.get(at).place;
        if place.level != Level::Prefix {
            return Some(at);
        }
        if let Some(wide) = self.groups.overrun_wide(place.addr) {
            self.groups.move_below(at, wide);
            return None;
        }
        let mut beside = self.incidents.attacked();
        beside.retain(|&other| {
            let other = self.groups.get(other).place;
            other.level == Level::Prefix && other.addr.wide_prefix() == place.addr.wide_prefix()
        });
        if beside.len() < PREFIXES_BESIDE {
            beside.retain(|&other| {
                let begun = self.incidents.get(self.groups.get(other).incident).map_or(i64::MIN, |open| open.start);
                start.abs_diff(begun) <= TOGETHER.0 as u64
            });
            if !beside.iter().any(|&other| is_neighbour(place.addr, self.groups.get(other).place.addr)) {
                return Some(at);
            }
        }
        let wide = self.groups.wide_of(place.addr, now);
        for prefix in beside.into_iter().chain([at]) {
            self.groups.move_below(prefix, wide);
            self.join_details(wide, prefix, rule);
        }
        Some(wide)
    }

    /// What a rule asks for beyond its sum.
    fn conditions_hold(&self, at: u32, rule: Rule) -> bool {
        let group = self.groups.get(at);
        if rule.is_trouble() {
            return group.is_port();
        }
        let Some(detail) = self.details.get(at, rule) else {
            // Without detail (all in use, or the fast path before any verdict) only a port speaks for itself.
            return group.is_port() && rule == Rule::Open;
        };
        let members = group.members.count_ones();
        let sources = detail.sources.estimate();
        let (leader, top_share) = detail.top.leader().unwrap_or_default();
        match (rule, group.place.level) {
            (Rule::Reflected, level) => level == Level::Host && sources >= self.th.reflected_peers,
            (_, Level::Port) => true,
            (Rule::Refused, Level::Host) => {
                detail.ports.estimate() >= f64::from(self.th.refused_ports)
                    && sources >= self.th.refused_sources * detail.attempts as f64
            }
            (_, Level::Host) => {
                let scanned = top_share >= self.th.single_source && self.scans_ports(leader);
                members >= self.th.many_ports && !scanned
            }
            (_, level) => {
                let one_host = detail.top_host.leader().is_some_and(|(_, share)| share >= self.th.carpet_top);
                // What has no room at its prefix is spread over more than any prefix.
                let spread = level == Level::Wide || (members >= self.th.carpet_hosts && !one_host);
                spread && sources >= self.th.carpet_sources && top_share < self.th.carpet_top
            }
        }
    }

    fn scans_ports(&self, source: Address) -> bool {
        self.scans.find(source).is_some_and(|scanner| self.scans.get(scanner).looks_like_one(&self.th))
    }

    /// The first bad SYN of a rise, and its frame.
    fn start_of(&self, at: u32, rule: Rule) -> (i64, u32) {
        let group = self.groups.get(at);
        let sum = group.sums.sum(rule);
        if sum.s <= 0.0 || (rule == Rule::Open && sum.s < group.limit(rule, &self.th)) {
            return self.before_it_widened(group.place.level, group.overrun_since(), self.th.fast_pending.into());
        }
        let rate = sum.rate();
        let first = if rule == Rule::Open { group.firsts.start(rate) } else { None };
        let (start, frame) = first.unwrap_or((sum.start, sum.frame));
        let start = if rule == Rule::Open { group.began(start) } else { start };
        self.before_it_widened(group.place.level, (start, frame), rate)
    }

    /// What found no room at its prefix came after what did: the first SYNs of an attack on very many counted there.
    fn before_it_widened(&self, level: Level, found: (i64, u32), rate: f64) -> (i64, u32) {
        if !matches!(level, Level::Wide | Level::Rest) {
            return found;
        }
        let (mut start, mut frame) = found;
        let mut firsts: Vec<(i64, u32)> = self.groups.prefixes().flat_map(Group::earliest_known).collect();
        firsts.retain(|&(at, _)| at < start);
        firsts.sort_unstable();
        let gap = (16.0e9 / rate.max(1.0)) as i64;
        while let Some((at, earlier)) = firsts.pop().filter(|&(at, _)| start.saturating_sub(at) <= gap) {
            (start, frame) = (at, earlier);
        }
        (start, frame)
    }

    /// Where nothing has been judged: the youngest of what waits, as far as its age tells.
    fn latest_bad(&self, at: u32, now: i64) -> i64 {
        let group = self.groups.get(at);
        let age = if group.aged >= self.th.fast_pending { self.th.aged_after } else { self.th.half_open_after };
        now.saturating_sub(age.0)
    }

    /// Takes over the incidents of places within, and an ordinary trouble at the same place. The earliest attack among
    /// them goes on under its number; the others are handed back as they end.
    fn absorb(&mut self, at: u32, open: &mut Open) -> Vec<Incident> {
        let mut over = Vec::new();
        for incident in self.incidents.all() {
            let Some(other) = self.incidents.get(incident) else { continue };
            let Subject::Place(place, rule) = other.subject else { continue };
            let (class, kind) = (other.class, other.kind);
            let (start, frame, flagged, attack) = (other.start, other.frame, other.flagged, !rule.is_trouble());
            if !self.is_within(place, at) || (!attack && place != at) {
                continue;
            }
            if attack && open.id == 0 {
                open.id = other.id;
            } else {
                over.push(self.describe(other, Phase::End, false));
            }
            self.incidents.take(incident);
            self.forget(place, rule);
            if class == Class::Flood {
                (open.class, open.kind) = (class, kind);
            }
            if attack && start < open.start {
                (open.start, open.frame) = (start, frame);
                open.flagged = open.flagged.min(flagged);
            }
        }
        over
    }

    fn is_within(&self, place: u32, at: u32) -> bool {
        let mut up = place;
        while up != NONE && up != at {
            up = self.groups.get(up).parent;
        }
        up == at
    }

    fn follow_scanner(&mut self, incident: u32) {
        let Some(open) = self.incidents.get_mut(incident) else { return };
        if let Subject::Scanner(scanner) = open.subject {
            open.end = self.scans.get(scanner).last;
        }
    }

    /// Judges again. `true` where the class is another now.
    fn rejudge(&mut self, incident: u32, now: i64) -> bool {
        let Some(open) = self.incidents.get(incident) else { return false };
        let judged = match open.subject {
            Subject::Place(_, rule) if rule.is_trouble() => return false,
            Subject::Place(at, rule) => kinds::judge(&self.picture_of(open, at, rule), &self.th),
            Subject::Scanner(scanner) => self.judge_scan(scanner),
        };
        let Some(open) = self.incidents.get_mut(incident) else { return false };
        let changed = open.class != judged.class;
        if changed {
            open.flagged = now;
        }
        (open.class, open.kind) = (judged.class, judged.kind);
        changed
    }

    fn close(&mut self, incident: u32, goes_on: bool, tell: Tell<'_>) {
        let Some(open) = self.incidents.get(incident) else { return };
        let told = self.describe(open, Phase::End, goes_on);
        let subject = open.subject;
        self.totals.incidents[told.class as usize] += 1;
        tell(told);
        match subject {
            Subject::Place(at, rule) => self.forget(at, rule),
            Subject::Scanner(scanner) => self.scans.get_mut(scanner).incident = scan::NONE,
        }
        self.incidents.take(incident);
    }

    /// The place is calm again.
    fn forget(&mut self, at: u32, rule: Rule) {
        self.cool(at, rule);
        let group = self.groups.get_mut(at);
        if rule.is_trouble() {
            group.sums.take(rule, f32::MAX);
        } else {
            group.sums.calm();
        }
        group.incident = NONE;
        self.groups.release(at);
    }

    fn tell(&mut self, incident: u32, phase: Phase, tell: Tell<'_>) {
        if let Some(open) = self.incidents.get(incident) {
            tell(self.describe(open, phase, true));
        }
    }
}

/// Two prefixes stand side by side, or nearly so.
fn is_neighbour(one: Address, other: Address) -> bool {
    let (_, len) = covering(one, other);
    len >= if one.is_v4() { 24 - NEAR } else { 64 - NEAR }
}
