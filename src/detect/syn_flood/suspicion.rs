//! When more is kept of a place than its sums: once it is under suspicion, and until it is calm again.

use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::detail::Hit;
use crate::detect::syn_flood::group::Level;
use crate::detect::syn_flood::ledger::member_of;
use crate::detect::syn_flood::sums::Rule;
use crate::flow::doorway::Address;
use crate::flow::doorway::Attempt;
use crate::packet::Span;

/// Attempts that show what an overrun place is overrun by: more than a tool's mark needs (`kinds`).
const ENOUGH: u64 = 128;
/// Completions per second, of the last moment, of a place that serves hardly anybody.
const HARDLY_SERVED: f32 = 0.5;
/// How often details that nobody needs are looked for, where all are in use.
const SWEEP: Span = Span::from_secs(1);

impl SynFlood {
    /// What an attempt called.
    pub(super) fn hit_of(&self, attempt: &Attempt) -> Hit {
        let called = self.groups.get(attempt.group);
        let place = called.place;
        let near = match place.level {
            Level::Port | Level::Host | Level::Prefix => (place.addr, place.addr),
            Level::Wide => (place.addr, place.addr.wide_end()),
            Level::Rest => Address::EDGES,
        };
        let port = (place.level == Level::Port).then_some(place.port);
        let old = attempt.age(self.clock.now()) >= self.th.half_open_after;
        let unserved = called.sums.completions_short < HARDLY_SERVED;
        Hit { host: self.groups.host(attempt.group), near, port, old, unserved }
    }

    /// An attempt that waits at an overrun place tells who is behind it, before there is a verdict. `true` where enough
    /// of them have.
    pub(super) fn suspect(&mut self, at: u32, attempt: &Attempt) -> bool {
        let called = self.groups.get(attempt.group).place;
        let group = self.groups.get_mut(at);
        group.members |= 1 << member_of(attempt, called, group.place.level, &self.marks);
        let hit = self.hit_of(attempt);
        self.warm(at, Rule::Open, attempt, hit);
        self.details.get(at, Rule::Open).is_none_or(|detail| detail.attempts >= ENOUGH)
    }

    /// Notes an attempt with the detail of a place under suspicion.
    pub(super) fn warm(&mut self, at: u32, rule: Rule, attempt: &Attempt, hit: Hit) {
        let kept = self.details.insert((at, rule), attempt, hit);
        self.warmed(at, rule, kept);
    }

    /// A wider place goes on with what is known of a narrower one.
    pub(super) fn join_details(&mut self, wide: u32, narrow: u32, rule: Rule) {
        let kept = self.details.join((wide, rule), (narrow, rule));
        self.warmed(wide, rule, kept);
    }

    fn warmed(&mut self, at: u32, rule: Rule, kept: bool) {
        let group = self.groups.get_mut(at);
        let bit = 1 << rule.index();
        if kept && group.warm & bit == 0 {
            group.warm |= bit;
            self.groups.hold(at);
        } else if !kept && self.clock.now().saturating_sub(self.swept) > SWEEP.0 {
            self.swept = self.clock.now();
            self.sweep();
        }
    }

    /// Forgets the detail of a sum that went back to zero.
    pub(super) fn cool(&mut self, at: u32, rule: Rule) {
        let group = self.groups.get_mut(at);
        let bit = 1 << rule.index();
        if group.warm & bit != 0 {
            group.warm &= !bit;
            self.details.remove(at, rule);
            self.groups.release(at);
        }
    }

    fn sweep(&mut self) {
        let now = self.clock.now();
        for (at, rule) in self.details.places() {
            let group = self.groups.get_mut(at);
            group.sums.decay(now, group.is_port(), &self.th);
            if group.sums.sum(rule).s <= 0.0 && !self.incidents.is_open(group.incident) {
                self.cool(at, rule);
            }
        }
    }
}
