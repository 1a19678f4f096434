//! Objects in an order, or only the first ones: a conversation's line with those of its findings, kept until its turn.

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::report::order::Sort;
use crate::report::order::Turns;
use crate::report::view::connections::ConnectionRow;
use crate::report::view::fresh::Fresh;
use crate::report::view::udp::ExchangeRow;

/// Lines on their way out.
#[derive(Debug)]
pub struct Queue {
    fresh: Fresh,
    /// Lines of findings that came since the last conversation ended, and what they are about.
    held: Vec<(Option<u64>, Vec<u8>)>,
    connections: Turns<Vec<u8>>,
    exchanges: Turns<Vec<u8>>,
}

impl Queue {
    /// Of each capture at most `limit` connections and as many UDP conversations, 0 for all of them.
    pub fn new(sort: Option<Sort>, limit: usize) -> Self {
        Self {
            fresh: Fresh::default(),
            held: Vec::new(),
            connections: Turns::new(sort, limit),
            exchanges: Turns::new(sort, limit),
        }
    }

    /// A finding's line waits for the conversation that it is about.
    pub fn finding(&mut self, finding: &Finding, line: Vec<u8>) {
        self.fresh.add(finding);
        let about = if let [stream] = finding.streams[..] { Some(stream) } else { None };
        self.held.push((about, line));
    }

    /// A connection's line: gives back what may be written at once.
    pub fn connection(&mut self, ended: &EndedConnection<'_>, line: Vec<u8>) -> Vec<u8> {
        let row = ConnectionRow::of(ended, self.fresh.take(ended.stream));
        let (mut at_once, lines) = self.claim(ended.stream, line);
        at_once.extend(self.connections.take(&row, lines).into_iter().flatten());
        at_once
    }

    /// The line of a UDP conversation: gives back what may be written at once.
    pub fn exchange(&mut self, ended: &EndedExchange<'_>, line: Vec<u8>) -> Vec<u8> {
        let row = ExchangeRow::of(ended, self.fresh.take(ended.stream));
        let (mut at_once, lines) = self.claim(ended.stream, line);
        at_once.extend(self.exchanges.take(&row, lines).into_iter().flatten());
        at_once
    }

    /// The capture is over: everything that waited and is wanted.
    pub fn end(&mut self) -> impl Iterator<Item = Vec<u8>> + use<> {
        let held = std::mem::take(&mut self.held);
        let lines: Vec<_> = self.connections.rest().chain(self.exchanges.rest()).collect();
        lines.into_iter().chain(held.into_iter().map(|(_, line)| line))
    }

    /// Conversations that were not written.
    pub const fn left_out(&self) -> u64 {
        self.connections.left_out() + self.exchanges.left_out()
    }

    /// Lines of findings that wait for nobody, and those of a conversation that has just ended, its own first.
    fn claim(&mut self, stream: u64, mut own: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
        let mut others = Vec::new();
        for (about, line) in self.held.drain(..) {
            if about == Some(stream) { own.extend(line) } else { others.extend(line) }
        }
        (others, own)
    }
}
