//! Who spoke last, who answered, and how long that took: the conversation above the segments.
//!
//! A turn ends when the other side sends its first octets. Request and answer may each take any number of segments;
//! TCP knows no messages (RFC 9293 §2.2), so this counts turns, not requests.

use crate::packet::Span;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;

/// Turns of one connection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Turns {
    /// Who sent data last, and its latest segment.
    pub last: Option<(Side, Mark)>,
    /// Answers that the server gave to data of the client.
    pub answers: u32,
    /// Longest time that the server took for one.
    pub longest: Span,
    /// All of them together.
    pub total: Span,
}

/// One answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answered {
    /// The latest segment it answers.
    pub to: Mark,
    /// Time since then.
    pub thought: Span,
}

impl Turns {
    /// New octets of `side`.
    pub(super) fn speaks(&mut self, mark: Mark, side: Side) -> Option<Answered> {
        let before = self.last.replace((side, mark));
        let (_, to) = before.filter(|(speaker, _)| *speaker == side.peer())?;
        let thought = mark.at.since(to.at);
        if side == Side::Server {
            self.answers = self.answers.saturating_add(1);
            self.longest = self.longest.max(thought);
            self.total = Span(self.total.0.saturating_add(thought.0));
        }
        Some(Answered { to, thought })
    }

    /// The client spoke last: something may have been left unanswered.
    pub fn unanswered(&self) -> Option<Mark> {
        self.last.filter(|(side, _)| *side == Side::Client).map(|(_, mark)| mark)
    }

    /// Mean time that the server took.
    pub fn mean(&self) -> Option<Span> {
        (self.answers > 0).then(|| Span(self.total.0 / i64::from(self.answers)))
    }
}
