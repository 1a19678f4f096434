//! One TCP client's side of the talk, without its socket: octets heard become answers to say.

use crate::adder::framer::Framer;
use crate::adder::protocol::Answer;
use crate::adder::server::totals::Tally;
use crate::adder::server::totals::count;

/// What was heard and is not yet complete, and what was answered and is not yet sent.
///
/// The answers waiting stay bounded because nobody hears on before they are said: one read of
/// [`READ_SIZE`] octets holds at most half as many messages.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    framer: Framer,
    answers: Vec<u8>,
    said: usize,
}

impl Dialogue {
    /// A talk that begins, and ends, with `answer`.
    pub(super) fn with(answer: Vec<u8>) -> Self {
        Self { answers: answer, ..Self::default() }
    }

    /// Takes octets from the client and answers every message that they complete.
    pub(super) fn hear(&mut self, mut octets: &[u8], tally: &Tally) {
        while let Some(framed) = self.framer.next(&mut octets) {
            say(Answer::to(framed), &mut self.answers, tally);
        }
    }

    /// The client says no more: a message cut short is an error.
    pub(super) fn hear_end(&mut self, tally: &Tally) {
        if let Some(framed) = self.framer.finish() {
            say(Answer::to(framed), &mut self.answers, tally);
        }
    }

    /// Answers still to send.
    pub(super) fn to_say(&self) -> &[u8] {
        &self.answers[self.said..]
    }

    /// `octets` of them were sent.
    pub(super) fn said(&mut self, octets: usize) {
        self.said += octets;
        if self.said >= self.answers.len() {
            self.answers.clear();
            self.said = 0;
        }
    }

    /// Whether the stream holds no more beginnings to wait for.
    pub(super) fn is_lost(&self) -> bool {
        self.framer.is_lost()
    }
}

/// An answer as TCP carries it: JSON and a newline, as Go's encoder ends a value.
pub(super) fn line(answer: &Answer) -> Vec<u8> {
    let mut out = Vec::new();
    answer.write(&mut out);
    out.push(b'\n');
    out
}

fn say(answer: Answer, out: &mut Vec<u8>, tally: &Tally) {
    count(match answer {
        Answer::Sum(_) => &tally.tcp_sums,
        Answer::Error(_) => &tally.errors,
    });
    answer.write(out);
    out.push(b'\n');
}

/// Octets read from a client at a time.
pub(super) const READ_SIZE: usize = 4096;
