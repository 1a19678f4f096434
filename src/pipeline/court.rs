//! Who hears of each conversation that is over: the capture's own trial first, then the detectors, then the sink.

use crate::detect::Detectors;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::pipeline::seen::Sink;
use crate::pipeline::trial::Trial;
use crate::tcp::Blind;

/// Detectors and the trial, with what is known of the capture so far.
#[derive(Debug, Default)]
pub(super) struct Court {
    pub(super) detectors: Detectors,
    pub(super) trial: Trial,
    pub(super) blind: Blind,
    /// Frames lost by the capturing side, by its latest word.
    lost: u64,
}

impl Court {
    pub(super) fn new(detectors: Detectors) -> Self {
        Self { detectors, ..Self::default() }
    }

    /// The capturing side has lost `total` frames so far; `frame` is the latest that passed.
    pub(super) const fn lost(&mut self, total: u64, frame: u64) {
        self.blind.losses_told = true;
        if total > self.lost {
            self.lost = total;
            self.blind.lost_before = frame + 1;
        }
    }

    /// A connection is over. What it says of the capture counts for itself already.
    pub(super) fn connection(&mut self, mut ended: EndedConnection<'_>, sink: &mut dyn Sink) {
        self.trial.connection(ended.connection, ended.why);
        self.blind.one_sided = self.trial.is_one_sided();
        ended.blind = self.blind;
        self.detectors.on_connection(&ended, &mut |finding| sink.finding(finding));
        sink.connection(&ended);
    }

    /// A UDP conversation is over.
    pub(super) fn exchange(&mut self, ended: &EndedExchange<'_>, sink: &mut dyn Sink) {
        self.detectors.on_exchange(ended, &mut |finding| sink.finding(finding));
        sink.exchange(ended);
    }
}
