//! Stands in for the live source where there is none: same names, and an error that says why.

use std::convert::Infallible;

use crate::packet::Frame;
use crate::source::CaptureInfo;
use crate::source::Flow;
use crate::source::LiveConfig;
use crate::source::Poll;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Stats;

/// A live capture; in this build there can be none.
#[derive(Debug)]
pub struct LiveSource(Infallible);

impl LiveSource {
    /// Always fails.
    ///
    /// # Errors
    /// [`SourceError::NoLive`].
    pub fn open(_config: &LiveConfig) -> Result<Self, SourceError> {
        Err(SourceError::NoLive)
    }
}

impl Source for LiveSource {
    fn poll(&mut self, _take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError> {
        match self.0 {}
    }

    fn stats(&mut self) -> Stats {
        match self.0 {}
    }

    fn info(&self) -> &CaptureInfo {
        match self.0 {}
    }
}
