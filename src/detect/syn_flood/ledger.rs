//! What outcomes do to attempts, places and sources.

use std::hash::BuildHasher;

use arrayvec::ArrayVec;
use foldhash::quality::FixedState;

use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Tell;
use crate::detect::syn_flood::detail::Hit;
use crate::detect::syn_flood::group::Group;
use crate::detect::syn_flood::group::Level;
use crate::detect::syn_flood::group::NONE;
use crate::detect::syn_flood::group::Place;
use crate::detect::syn_flood::scan::Try;
use crate::detect::syn_flood::sums::Rule;
use crate::flow::Leaves;
use crate::flow::doorway::Attempt;
use crate::flow::doorway::Marks;
use crate::flow::doorway::Outcome;

impl SynFlood {
    /// Lets `change` see a place and every one above it.
    pub(super) fn above(&mut self, group: u32, change: impl Fn(&mut Group)) {
        let mut at = group;
        while at != NONE {
            let group = self.groups.get_mut(at);
            change(group);
            at = group.parent;
        }
    }

    /// Puts an attempt into the table.
    pub(super) fn put(&mut self, attempt: Attempt, now: i64, tell: Tell<'_>) {
        // Held before room is made, so that room is not made of it.
        self.groups.hold(attempt.group);
        while let Some(spared) = self.attempts.pop_for_room(attempt.source, now) {
            self.spare(&spared, now, tell);
        }
        self.attempts.insert(attempt);
        self.due = self.due.min(now.saturating_add(self.th.aged_after.0));
    }

    /// An attempt that evidence ends.
    pub(super) fn finish_as(&mut self, slot: u32, outcome: Outcome, now: i64, tell: Tell<'_>) {
        self.unage(slot);
        let attempt = self.attempts.remove(slot, Leaves::TimedOut);
        if let Some(verdict) = attempt.verdict {
            self.take_back(&attempt, verdict, now);
        }
        // Who had to repeat the SYN is not served well: that is how an overload begins.
        if outcome == Outcome::Completed && !attempt.is_orphan() && !attempt.is_resent() {
            self.completes(attempt.group, attempt.at);
        }
        if outcome == Outcome::Completed && !attempt.is_answered() {
            self.above(attempt.group, |group| group.blind_completions += 1);
        }
        if outcome == Outcome::Completed && attempt.is_resent() {
            self.above(attempt.group, |group| group.late = group.late.saturating_add(1));
        }
        self.settle(&attempt, outcome, now, tell);
        self.leave(&attempt);
    }

    /// An attempt that stays, under another verdict.
    pub(super) fn judge_anew(&mut self, slot: u32, outcome: Outcome, now: i64, tell: Tell<'_>) {
        let before = self.attempts.get(slot);
        if let Some(verdict) = before.verdict {
            self.take_back(&before, verdict, now);
        }
        self.attempts.get_mut(slot).judge(Some(outcome));
        let attempt = self.attempts.get(slot);
        if before.verdict.is_none() {
            self.settle(&attempt, outcome, now, tell);
        } else {
            self.charge(&attempt, outcome, now, tell);
        }
    }

    /// The same ports, a new first number: the older attempt is over.
    pub(super) fn supersede(&mut self, slot: u32, now: i64, tell: Tell<'_>) {
        self.unage(slot);
        let attempt = self.attempts.remove(slot, Leaves::Reused);
        let given_up = attempt.age(now) >= self.th.aged_after;
        if attempt.verdict.is_none() && given_up && !attempt.is_orphan() {
            self.settle(&attempt, attempt.left_as(), now, tell);
        }
        self.leave(&attempt);
    }

    /// Takes an attempt out of the count for the fast path.
    pub(super) fn unage(&mut self, slot: u32) {
        let attempt = self.attempts.get(slot);
        if attempt.marks.has(Marks::AGED) {
            self.attempts.get_mut(slot).marks.set(Marks::AGED, false);
            let group = attempt.group;
            self.above(group, |group| group.aged = group.aged.saturating_sub(1));
        }
    }

    /// What the full table let go before its time.
    fn spare(&mut self, attempt: &Attempt, now: i64, tell: Tell<'_>) {
        let aged = attempt.marks.has(Marks::AGED);
        if attempt.verdict.is_none() && !attempt.is_resent() && !attempt.is_orphan() {
            if self.is_attacked(attempt.group) {
                self.charge(attempt, attempt.left_as(), now, tell);
            } else {
                self.above(attempt.group, |group| group.sums.evicted += 1.0);
            }
        }
        if aged {
            self.above(attempt.group, |group| group.aged = group.aged.saturating_sub(1));
        }
        self.leave(attempt);
    }

    pub(super) fn leave(&mut self, attempt: &Attempt) {
        if attempt.is_answered() {
            self.above(attempt.group, |group| group.unacknowledged = group.unacknowledged.saturating_sub(1));
            self.totals.closes();
        }
        self.groups.release(attempt.group);
    }

    /// An attack is told of a place, or of one that contains it.
    pub(super) fn is_attacked(&self, group: u32) -> bool {
        let mut at = group;
        while at != NONE && !self.incidents.is_attack(self.groups.get(at).incident) {
            at = self.groups.get(at).parent;
        }
        at != NONE
    }

    /// The first verdict on an attempt.
    fn settle(&mut self, attempt: &Attempt, outcome: Outcome, now: i64, tell: Tell<'_>) {
        self.note_try(attempt, outcome, now, tell);
        self.charge(attempt, outcome, now, tell);
        if attempt.is_orphan() && outcome == Outcome::Reset {
            self.reflect(attempt, outcome, now, tell);
        }
    }

    pub(super) fn note_try(&mut self, attempt: &Attempt, outcome: Outcome, now: i64, tell: Tell<'_>) {
        let place = self.groups.get(attempt.group).place;
        if place.level != Level::Port || attempt.is_orphan() {
            return;
        }
        let (at, frame) = (attempt.at, attempt.frame);
        let tried = Try { source: attempt.source, host: place.addr, port: place.port, outcome, at, frame };
        if let Some(scanner) = self.scans.note(&tried) {
            self.consider_scan(scanner, now, tell);
        }
    }

    fn take_back(&mut self, attempt: &Attempt, verdict: Outcome, now: i64) {
        if verdict == Outcome::Unanswered
            && let Some(scanner) = self.scans.find(attempt.source)
        {
            let scanner = self.scans.get_mut(scanner);
            scanner.unanswered = scanner.unanswered.saturating_sub(1);
        }
        let rule = if attempt.is_orphan() { Rule::Orphaned } else { Rule::Open };
        if !attempt.is_orphan() {
            self.totals.take_back(verdict);
        }
        let mut at = attempt.group;
        while at != NONE {
            let group = self.groups.get_mut(at);
            group.sums.decay(now, group.is_port(), &self.th);
            let count = &mut group.counts[verdict.index()];
            *count = count.saturating_sub(1);
            match verdict {
                Outcome::HalfOpen | Outcome::Unanswered | Outcome::Forged => {
                    group.sums.take(rule, 1.0);
                    group.taken_back += 1;
                }
                Outcome::ResentHalfOpen => {
                    group.sums.take(Rule::Resent, 1.0);
                    group.sums.take(Rule::Retried, 1.0);
                }
                Outcome::ResentUnanswered => group.sums.take(Rule::Retried, 1.0),
                Outcome::Completed | Outcome::Refused | Outcome::Reset => {}
            }
            at = group.parent;
        }
    }

    /// Charges an outcome to the place of an attempt and those above.
    pub(super) fn charge(&mut self, attempt: &Attempt, outcome: Outcome, now: i64, tell: Tell<'_>) {
        let called = self.groups.get_mut(attempt.group);
        called.sums.decay(now, called.is_port(), &self.th);
        let place = called.place;
        let hit = self.hit_of(attempt);
        if !attempt.is_orphan() {
            self.totals.count(outcome);
        }
        let mut alarms = ArrayVec::<(u32, Rule), 16>::new();
        let mut explained_below = false;
        let mut at = attempt.group;
        while at != NONE {
            let group = self.groups.get_mut(at);
            group.sums.decay(now, group.is_port(), &self.th);
            let mut rules = rules(attempt, outcome, group);
            if rules.first() == Some(&Rule::Open) && group.sums.excuse(outcome) {
                group.excused(attempt.at);
                rules.clear();
            }
            let attack = self.incidents.is_attack(group.incident);
            // Where a port's incident explains it, its host need not explain it again.
            let charged = rules.into_iter().filter(|rule| !explained_below || rule.is_trouble());
            for rule in charged {
                if self.add(at, rule, attempt, hit) {
                    let _ = alarms.try_push((at, rule));
                }
            }
            let group = self.groups.get_mut(at);
            if outcome.is_bad() || matches!(outcome, Outcome::Reset | Outcome::ResentHalfOpen) {
                group.members |= 1 << member_of(attempt, place, group.place.level, &self.marks);
            }
            group.counts[outcome.index()] = group.counts[outcome.index()].saturating_add(1);
            group.sums.count(outcome, group.doubt());
            explained_below |= attack;
            at = group.parent;
        }
        for (group, rule) in alarms {
            self.consider(group, rule, now, tell);
        }
    }

    /// Raises one sum. `true` where it stands at its limit.
    fn add(&mut self, at: u32, rule: Rule, attempt: &Attempt, hit: Hit) -> bool {
        let group = self.groups.get_mut(at);
        let limit = group.limit(rule, &self.th);
        let begins = group.sums.sum(rule).s <= 0.0 && !group.sums.goes_on(rule, attempt.at, group.is_port(), &self.th);
        if begins && !self.incidents.is_open(group.incident) {
            if !rule.is_trouble() {
                group.rises();
            }
            if rule == Rule::Open {
                group.firsts.clear();
            }
            self.cool(at, rule);
        }
        let group = self.groups.get_mut(at);
        if rule == Rule::Open {
            group.firsts.push(attempt.at, attempt.frame);
        }
        let s = group.sums.add(rule, attempt.at, attempt.frame, limit, begins);
        if rule == Rule::Open && group.is_port() {
            self.totals.unexplained_peak = self.totals.unexplained_peak.max(s);
        }
        let group = self.groups.get_mut(at);
        let (incident, is_warm) = (group.incident, group.warm & 1 << rule.index() != 0);
        if !rule.is_trouble() && (is_warm || s > limit / 4.0) {
            self.warm(at, rule, attempt, hit);
        }
        self.incidents.note(incident, rule, attempt.at, attempt.frame);
        s >= limit
    }

    pub(super) fn charge_orphan(&mut self, attempt: &Attempt, now: i64, tell: Tell<'_>) {
        if let Some(slot) = self.attempts.find(attempt.key) {
            self.attempts.get_mut(slot).judge(Some(Outcome::HalfOpen));
        }
        self.charge(attempt, Outcome::HalfOpen, now, tell);
        self.reflect(attempt, Outcome::HalfOpen, now, tell);
    }

    /// The other end of an unsolicited SYN,ACK: the host that gets it.
    fn reflect(&mut self, attempt: &Attempt, outcome: Outcome, now: i64, tell: Tell<'_>) {
        let Some(server) = self.groups.host(attempt.group) else { return };
        let port = self.groups.get(attempt.group).place.port;
        let host = self.groups.host_of(attempt.source, now);
        let group = self.groups.get_mut(host);
        if group.place.level != Level::Host {
            return;
        }
        group.sums.decay(now, false, &self.th);
        let near = (attempt.source, attempt.source);
        let hit = Hit { host: Some(attempt.source), near, port: Some(port), old: false, unserved: false };
        let seen_from_there = Attempt { source: server, ..*attempt };
        let alarm = self.add(host, Rule::Reflected, &seen_from_there, hit);
        let group = self.groups.get_mut(host);
        group.counts[outcome.index()] = group.counts[outcome.index()].saturating_add(1);
        group.syn_acks_resent += u32::from(attempt.tries.syn_acks() > 1);
        if alarm {
            self.consider(host, Rule::Reflected, now, tell);
        }
    }
}

/// The bit of what was called, among the members of a place of that level.
pub(super) fn member_of(attempt: &Attempt, called: Place, level: Level, marks: &FixedState) -> u64 {
    let hash = match (level, called.level) {
        (Level::Port, _) => 0,
        // Counted at a wider place only: six bits are kept of what it does not tell.
        (Level::Host, Level::Port) => marks.hash_one(called.port),
        (Level::Prefix | Level::Wide, Level::Port | Level::Host) => marks.hash_one(called.addr),
        (Level::Rest, Level::Rest) | (Level::Host | Level::Prefix | Level::Wide, _) => attempt.member.into(),
        (Level::Rest, _) => marks.hash_one(called.addr.wide_prefix()),
    };
    hash & 63
}

/// Which sums an outcome raises at a place.
fn rules(attempt: &Attempt, outcome: Outcome, group: &Group) -> ArrayVec<Rule, 2> {
    let level = group.place.level;
    let mut rules = ArrayVec::new();
    match outcome {
        Outcome::Completed => {}
        _ if attempt.is_orphan() => {
            if outcome == Outcome::HalfOpen && level == Level::Port {
                rules.push(Rule::Orphaned);
            }
        }
        Outcome::HalfOpen | Outcome::Unanswered | Outcome::Forged => rules.push(Rule::Open),
        Outcome::Reset => rules.push(Rule::Reset),
        Outcome::Refused if level == Level::Port => rules.push(Rule::PortClosed),
        Outcome::Refused if level == Level::Host => rules.push(Rule::Refused),
        Outcome::Refused => {}
        Outcome::ResentHalfOpen | Outcome::ResentUnanswered => {
            let outage = attempt.marks.has(Marks::OUTAGE) || group.sums.fell_off();
            if outcome == Outcome::ResentHalfOpen && !outage {
                rules.push(Rule::Resent);
            }
            if level == Level::Port {
                rules.push(Rule::Retried);
            }
        }
    }
    rules
}
