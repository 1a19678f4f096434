//! What is kept of a connection's course beside its present state, where somebody asked for it: where its time went.
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
use crate::tcp::verdict::Judgement;

/// The course of one connection.
#[derive(Clone, Debug)]
pub struct Life {
    budget: Budget,
}

impl Life {
    fn new(first: Timestamp) -> Self {
        Self { budget: Budget::new(first) }
    }
}

impl Connection {
    /// The same connection, keeping its course. Recoveries are known only where its segments are judged as well.
    #[must_use]
    pub fn keeping_life(mut self) -> Self {
        self.life = Some(Box::new(Life::new(self.first.at)));
        self
    }

    /// Where its time went so far, if that was kept.
    pub fn time_budget(&self) -> Option<TimeBudget> {
        self.life.as_ref().map(|life| life.budget.until(self.last.at))
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
        self.life = Some(life);
    }
}
