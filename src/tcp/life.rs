//! What is kept of a connection's course beside its present state, where somebody asked for it: where its time went, how
//! long its round trips took, through which states it passed.
//!
//! In a box of its own, so that following connections without it costs a pointer each.

use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::budget::Budget;
use crate::tcp::budget::TimeBudget;
use crate::tcp::connection::Connection;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::rtt::RoundTrips;
use crate::tcp::silence::Silences;
use crate::tcp::state::State;
use crate::tcp::verdict::Judgement;

/// The course of one connection.
#[derive(Clone, Debug)]
pub struct Life {
    budget: Budget,
    round_trips: Option<RoundTrips>,
    silences: Option<Box<Silences>>,
    /// Latest timestamp of each side (RFC 7323 §3).
    stamps: [Option<u32>; 2],
    /// An endpoint enters no state twice, so there are few.
    steps: Option<Vec<StateStep>>,
}

/// How much of a connection's course is kept, each with what stands before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Course {
    /// Where its time went.
    Time,
    /// How long its round trips took, and its silences.
    RoundTrips,
    /// Through which states its ends passed: some hundred octets more per connection.
    States,
}

/// An endpoint entered a state (RFC 9293 §3.3.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StateStep {
    /// The packet that showed it.
    pub mark: Mark,
    /// Which endpoint.
    pub side: Side,
    /// Where it stood.
    pub from: State,
    /// Where it stands.
    pub to: State,
}

impl Life {
    fn new(first: Timestamp, course: Course) -> Self {
        Self {
            budget: Budget::new(first),
            round_trips: (course >= Course::RoundTrips).then(RoundTrips::default),
            silences: (course >= Course::RoundTrips).then(Box::default),
            stamps: [None; 2],
            steps: (course >= Course::States).then(Vec::new),
        }
    }
}

impl Connection {
    /// The same connection, keeping its course if it is to. Recoveries are known only where its segments are judged.
    #[must_use]
    pub fn keeping_life(mut self, course: Option<Course>) -> Self {
        self.life = course.map(|course| Box::new(Life::new(self.first.at, course)));
        self
    }

    /// Where its time went so far, if that was kept.
    pub fn time_budget(&self) -> Option<TimeBudget> {
        self.life.as_ref().map(|life| life.budget.until(self.last.at))
    }

    /// Its round trips, if they were kept.
    pub fn round_trips(&self) -> Option<&RoundTrips> {
        self.life.as_ref()?.round_trips.as_ref()
    }

    /// The same, to add to them.
    pub(super) fn round_trips_mut(life: &mut Option<Box<Life>>) -> Option<&mut RoundTrips> {
        life.as_mut()?.round_trips.as_mut()
    }

    /// Its silences, if they were kept.
    pub fn silences(&self) -> Option<&Silences> {
        self.life.as_ref()?.silences.as_deref()
    }

    /// Latest timestamp that `side` put into a segment, if that was kept.
    pub(super) fn latest_stamp(&self, side: Side) -> Option<u32> {
        self.life.as_ref()?.stamps[side.index()]
    }

    /// The states that both endpoints entered, in order, if that was kept.
    pub fn state_steps(&self) -> Option<&[StateStep]> {
        self.life.as_ref()?.steps.as_deref()
    }

    /// Takes a segment into its course, after everything was said of it.
    pub(super) fn lives(
        &mut self,
        mark: Mark,
        side: Side,
        tcp: &TcpHeader<'_>,
        events: &[Event],
        judgements: &[Judgement],
    ) {
        let Some(mut life) = self.life.take() else { return };
        life.budget.observe(mark, side, tcp, self, events, judgements);
        life.stamps[side.index()] = tcp.said.timestamps.map(|(value, _)| value).or(life.stamps[side.index()]);
        if let Some(silences) = &mut life.silences {
            silences.observe(mark, side, events);
        }
        if let Some(steps) = &mut life.steps {
            steps.extend(events.iter().filter_map(|event| match *event {
                Event::Moved { side, from, to } => Some(StateStep { mark, side, from, to }),
                _ => None,
            }));
        }
        self.life = Some(life);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_per_connection_is_what_the_documentation_says() {
        assert_eq!(size_of::<Life>(), 336);
    }
}
