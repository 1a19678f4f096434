//! What attempts and time do to the pace of a port, and how a rise of it is told.

use std::hash::BuildHasher;

use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Tell;
use crate::detect::syn_flood::group::NONE;
use crate::detect::syn_flood::incident::Incident;
use crate::detect::syn_flood::incident::Phase;
use crate::detect::syn_flood::incident::Victim;
use crate::detect::syn_flood::kinds::Class;
use crate::detect::syn_flood::kinds::Confidence;
use crate::detect::syn_flood::kinds::Judgement;
use crate::detect::syn_flood::kinds::Kind;
use crate::detect::syn_flood::surge::Rise;
use crate::detect::syn_flood::surge::Turn;
use crate::flow::doorway::Address;
use crate::flow::doorway::Outcome;

impl SynFlood {
    /// A port is called: one attempt more, of a source that matters only while a rise is on.
    pub(super) fn called(&mut self, at: u32, source: Address, frame: u32, now: i64, tell: Tell<'_>) {
        if !self.groups.get(at).is_port() {
            return;
        }
        if self.groups.get(at).pace.is_due(now) {
            self.turn(at, now, tell);
        }
        let pace = &mut self.groups.get_mut(at).pace;
        pace.attempt();
        if pace.rise == NONE
            && let Some(rise) = pace.rises(at, frame, &self.th)
            && let Some(rise) = self.surges.put(rise, now)
        {
            self.groups.get_mut(at).pace.rise = rise;
            self.groups.hold(at);
        }
        let rise = self.groups.get(at).pace.rise;
        if let Some(rise) = self.surges.get_mut(rise) {
            rise.sources.insert(self.marks.hash_one(source));
        }
    }

    /// One attempt of trace time `began` completed. Those from before the rise are none of its.
    pub(super) fn completes(&mut self, at: u32, began: i64) {
        let group = self.groups.get_mut(at);
        let from = self.surges.get_mut(group.pace.rise).map_or(group.pace.began(), |rise| rise.start);
        if group.is_port() && began >= from {
            group.pace.completes();
        }
    }

    /// Looks after the rises, where nobody calls any more.
    pub(super) fn tick_surges(&mut self, due: i64, tell: Tell<'_>) {
        self.surges.ticked(due);
        for rise in self.surges.all() {
            let Some(at) = self.surges.get_mut(rise).map(|rise| rise.at) else { continue };
            if self.groups.get(at).pace.is_due(due) {
                self.turn(at, due, tell);
            }
        }
    }

    /// The capture is over: what is told goes on, for all we know.
    pub(super) fn close_surges(&mut self, now: i64, tell: Tell<'_>) {
        for rise in self.surges.all() {
            let Some(at) = self.surges.get_mut(rise).map(|rise| rise.at) else { continue };
            self.turn(at, now, tell);
            self.surge_over(at, false, tell);
        }
    }

    /// One look at the pace of a port is over.
    fn turn(&mut self, at: u32, now: i64, tell: Tell<'_>) {
        let group = self.groups.get_mut(at);
        let look = group.pace.turn(now);
        let Some(rise) = self.surges.get_mut(group.pace.rise) else { return };
        let turn = rise.take(look, &mut group.pace, now, &self.th);
        // An attack, or any trouble at the port itself, has more to say.
        let outdone = self.incidents.is_open(group.incident) || self.is_attacked(at);
        match turn {
            _ if outdone => self.surge_over(at, true, tell),
            Turn::GoesOn => {}
            Turn::Over => self.surge_over(at, true, tell),
            Turn::IsSurge => {
                let id = self.incidents.number();
                let Some(rise) = self.surges.get_mut(self.groups.get(at).pace.rise) else { return };
                (rise.id, rise.told) = (id, now);
                let rise = rise.clone();
                tell(self.describe_surge(&rise, Phase::Start, false));
            }
        }
    }

    fn surge_over(&mut self, at: u32, ended: bool, tell: Tell<'_>) {
        let rise = std::mem::replace(&mut self.groups.get_mut(at).pace.rise, NONE);
        let Some(rise) = self.surges.take(rise) else { return };
        if rise.id != 0 {
            self.totals.incidents[Class::Surge as usize] += 1;
            tell(self.describe_surge(&rise, Phase::End, ended));
        }
        self.groups.release(at);
    }

    fn describe_surge(&self, rise: &Rise, phase: Phase, ended: bool) -> Incident {
        let group = self.groups.get(rise.at);
        let both = group.answered;
        let reason = if both {
            "far more attempts than usual, and nearly all complete"
        } else {
            "far more attempts than usual, and nearly all complete, as far as the clients' side shows"
        };
        let judged = Judgement {
            class: Class::Surge,
            kind: Kind::Surge,
            confidence: if both { Confidence::High } else { Confidence::Medium },
            reasons: vec![reason],
        };
        let mut told = self.blank(&judged, "pace", Victim::Port(group.place.addr.ip(), group.place.port));
        told.id = rise.id;
        told.phase = phase;
        told.start = self.clock.stamp(rise.start);
        told.first_frame = rise.frame;
        told.flagged_at = self.clock.stamp(rise.told);
        told.end = ended.then(|| self.clock.stamp(rise.last));
        told.attempts = rise.attempts;
        told.outcomes[Outcome::Completed.index()] = u32::try_from(rise.completed).unwrap_or(u32::MAX);
        told.rate = rise.rate();
        told.usual_rate = Some(rise.usual);
        told.peak_syn_rate = rise.peak as u32;
        told.completion = Some(rise.completion());
        told.distinct_sources = rise.sources.estimate();
        told.per_source = rise.attempts as f64 / told.distinct_sources.max(1.0);
        told.direction = if both { "both" } else { "inbound" };
        told.innocent_reading = "this is the innocent reading: clients that get through. An attack that completes its \
                                 handshakes looks the same to TCP"
            .to_owned();
        told
    }
}
