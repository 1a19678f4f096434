//! (rules follow)
use crate::detect::Say;
use crate::flow::EndedConnection;
use crate::packet::Endpoint;
use crate::tcp::Event;
use crate::tcp::Mark;

/// Counts.
#[derive(Debug, Default)]
pub struct HalfOpenCounter {}

impl HalfOpenCounter {
    /// Event.
    pub fn on_tcp(&mut self, _mark: Mark, _stream: u64, _server: Endpoint, _events: &[Event], _say: Say<'_>) {}
    /// End.
    pub fn on_end(&mut self, _ended: &EndedConnection<'_>) {}
    /// Done.
    pub fn finish(&mut self, _say: Say<'_>) {}
}
