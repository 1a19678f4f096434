//! Facts to findings: policy and thresholds live here, and nowhere else.
//!
//! [`connection`] and [`exchange`] judge a conversation at its end, [`half_open`] counts openings per server while
//! they happen.

pub mod connection;
pub mod exchange;
pub mod half_open;

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::tcp::Event;
use crate::tcp::Mark;

/// All detectors of one analysis.
#[derive(Debug, Default)]
pub struct Detectors {
    half_open: half_open::HalfOpenCounter,
}

/// Takes what is to be said.
pub type Say<'a> = &'a mut dyn FnMut(Finding);

impl Detectors {
    /// One segment did `events` on a connection to `server`.
    pub fn on_tcp(&mut self, mark: Mark, stream: u64, server: Endpoint, events: &[Event], say: Say<'_>) {
        self.half_open.on_tcp(mark, stream, server, events, say);
    }

    /// A connection left.
    pub fn on_connection(&mut self, ended: &EndedConnection<'_>, say: Say<'_>) {
        self.half_open.on_end(ended);
        connection::judge(ended, say);
    }

    /// A UDP conversation left.
    pub fn on_exchange(&mut self, ended: &EndedExchange<'_>, say: Say<'_>) {
        exchange::judge(ended, say);
    }
}
