//! What time does to attempts: each is looked at when it gets old, and when the capture ends.

use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Tell;
use crate::detect::syn_flood::group::NONE;
use crate::detect::syn_flood::sums::Rule;
use crate::flow::Leaves;
use crate::flow::doorway::Attempt;
use crate::flow::doorway::Due;
use crate::flow::doorway::Marks;
use crate::flow::doorway::Outcome;
use crate::packet::Span;
use crate::packet::Timestamp;

/// Younger attempts are ordinary handshakes on their way, also where the capture ends.
const ON_ITS_WAY: Span = Span::from_millis(200);
/// Stages of age, see [`Doorway`](crate::flow::Doorway).
const YOUNG: usize = 0;
const AGED: usize = 1;
const LATE: usize = 2;

impl SynFlood {
    /// Moves trace time on and decides what falls due on the way, in order of time.
    pub(super) fn advance(&mut self, at: Timestamp, tell: Tell<'_>) -> i64 {
        if self.clock.leap_to(at) > self.th.forget_after {
            // A hole in the capture: what would have come in it cannot be missed, so the hole is treated as an end.
            let before = self.clock.now();
            self.judge_the_rest(before, tell);
            self.void_before = before;
        }
        let now = self.clock.advance(at);
        loop {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            let (incidents, surges) = (self.incidents.next_tick(), self.surges.next_tick());
            let tick = incidents.min(surges);
            let next = self.attempts.next_due().filter(|next| next.at <= tick);
            let due = next.map_or(tick, |next| next.at);
            self.due = due;
            if due > now {
                return now;
            }
            match next {
                Some(next) => self.grow_older(&next, tell),
                None if surges < incidents => self.tick_surges(due, tell),
                None => self.tick(due, now, tell),
            }
        }
    }

    /// The capture's end: what waits is judged where it is too much to be handshakes on their way, or belongs to an
    /// incident that is open.
    pub(super) fn judge_the_rest(&mut self, now: i64, tell: Tell<'_>) {
        self.each_waiting(|flood, slot, _| flood.unage(slot));
        self.each_waiting(|flood, _, attempt| {
            if attempt.age(now) >= ON_ITS_WAY {
                flood.above(attempt.group, |group| group.aged += 1);
            }
        });
        self.each_waiting(|flood, slot, attempt| {
            if attempt.age(now) < ON_ITS_WAY {
                return;
            }
            if attempt.is_orphan() {
                flood.charge_orphan(attempt, now, tell);
                return;
            }
            let outcome = attempt.left_as();
            flood.note_try(attempt, outcome, now, tell);
            if flood.is_flooded(attempt.group, now, true) {
                flood.attempts.get_mut(slot).judge(Some(outcome));
                flood.charge(attempt, outcome, now, tell);
            }
        });
        self.each_waiting(|flood, slot, attempt| {
            let young = attempt.age(now) < ON_ITS_WAY && !attempt.is_orphan();
            if young && flood.is_flooded(attempt.group, now, false) {
                flood.attempts.get_mut(slot).judge(Some(attempt.left_as()));
                flood.charge(attempt, attempt.left_as(), now, tell);
            }
        });
    }

    /// Those without a verdict, the oldest stage first. Walks through the ring: a list of them would be half a million long
    /// where memory is least.
    fn each_waiting(&mut self, mut visit: impl FnMut(&mut Self, u32, &Attempt)) {
        for slots in [LATE, AGED, YOUNG].map(|stage| self.attempts.stage(stage)) {
            for slot in slots {
                if self.attempts.has_left(slot) {
                    continue;
                }
                let attempt = self.attempts.get(slot);
                // Resent ones wait for an answer: they tell no flood.
                if attempt.verdict.is_none() && !attempt.is_resent() && attempt.at > self.void_before {
                    visit(self, slot, &attempt);
                }
            }
        }
    }

    /// In an incident, or, with `overrun`, about to be in one.
    fn is_flooded(&mut self, group: u32, now: i64, overrun: bool) -> bool {
        let mut at = group;
        while at != NONE {
            let group = self.groups.get_mut(at);
            group.sums.decay(now, group.is_port(), &self.th);
            if self.incidents.is_on(group.incident, now) || (overrun && group.is_overrun(&self.th)) {
                return true;
            }
            at = group.parent;
        }
        false
    }

    fn grow_older(&mut self, next: &Due, tell: Tell<'_>) {
        let Due { slot, stage, at: due } = *next;
        let attempt = self.attempts.get(slot);
        let waits = attempt.verdict.is_none() && attempt.at > self.void_before;
        if waits && stage <= LATE {
            let group = self.groups.get_mut(attempt.group);
            group.sums.decay(due, group.is_port(), &self.th);
            // A server that is never seen must be seen to serve; one that answers, not to have stopped.
            let idle = if group.answered { group.sums.fell_off() } else { group.sums.serves_nobody() };
            let outage = idle || attempt.marks.has(Marks::OUTAGE);
            self.attempts.get_mut(slot).marks.set(Marks::OUTAGE, outage);
        }
        match stage {
            YOUNG => {
                self.attempts.promote(stage);
                // What nobody answered and a live client may still repeat says nothing yet.
                let telling = attempt.is_answered() || attempt.options == 0;
                if waits && telling && !attempt.is_resent() && !attempt.is_orphan() {
                    self.attempts.get_mut(slot).marks.set(Marks::AGED, true);
                    self.age(&attempt, due, tell);
                }
            }
            AGED => {
                self.unage(slot);
                self.attempts.promote(stage);
                let silent = waits && attempt.is_answered() && !attempt.is_resent() && !attempt.is_orphan();
                if silent && !self.outage_at(attempt.group, due) {
                    self.judge_anew(slot, Outcome::HalfOpen, due, tell);
                }
            }
            LATE => {
                self.attempts.promote(stage);
                if waits && attempt.is_orphan() {
                    self.charge_orphan(&attempt, due, tell);
                } else if waits {
                    self.judge_anew(slot, attempt.left_as(), due, tell);
                }
            }
            _ => {
                let attempt = self.attempts.remove(slot, Leaves::TimedOut);
                self.leave(&attempt);
            }
        }
    }

    fn outage_at(&mut self, group: u32, now: i64) -> bool {
        let group = self.groups.get_mut(group);
        group.sums.decay(now, group.is_port(), &self.th);
        group.sums.fell_off()
    }

    fn age(&mut self, attempt: &Attempt, now: i64, tell: Tell<'_>) {
        let mut at = attempt.group;
        while at != NONE {
            let group = self.groups.get_mut(at);
            group.ages(attempt.at, attempt.frame, &self.th);
            let (parent, enough) = (group.parent, group.aged >= self.th.fast_pending);
            if enough || group.sums.evicted >= 1.0 {
                group.sums.decay(now, group.is_port(), &self.th);
                let overrun = group.is_overrun(&self.th) && !self.incidents.is_attack(group.incident);
                if overrun && self.suspect(at, attempt) {
                    self.consider(at, Rule::Open, now, tell);
                }
            }
            at = parent;
        }
    }
}
