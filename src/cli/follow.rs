//! A capture on its way through the analysis to a sink that shows it.

use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::metrics::Metrics;
use crate::cli::select::Chosen;
use crate::cli::select::Selection;
use crate::cli::sinks::Show;
use crate::packet::Frame;
use crate::packet::Packet;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::pipeline::Limits;
use crate::source::Flow;
use crate::source::Source;

/// One analysis and where it is shown.
#[derive(Debug)]
pub(super) struct Follow<S> {
    pub(super) analyzer: Analyzer,
    pub(super) chosen: Chosen<S>,
    /// Packets shown.
    pub(super) shown: u64,
    /// Packets to show at most.
    pub(super) count: Option<u64>,
    /// Trace time to follow at most, from the first packet on.
    pub(super) span: Option<Span>,
    /// Write out what there is whenever nothing more is there for the moment.
    pub(super) eager: bool,
    /// Who asks for numbers while it goes on.
    pub(super) metrics: Option<Metrics>,
    first: Option<Timestamp>,
}

impl<S: Show> Follow<S> {
    pub(super) fn new(limits: Limits, selection: Selection, sink: S) -> Self {
        Self {
            analyzer: Analyzer::new(limits).judging(selection.judging(Judging::Broken)),
            chosen: Chosen::new(selection, sink),
            shown: 0,
            count: None,
            span: None,
            eager: false,
            metrics: None,
            first: None,
        }
    }

    /// Follows `source` to its end, or until somebody has enough.
    pub(super) fn run(&mut self, source: &mut dyn Source, until: &Until) -> Result<(), Failure> {
        drive(source, until, self)?;
        self.analyzer.finish(&mut self.chosen);
        self.chosen.settle();
        let dropped = source.stats().dropped;
        self.chosen.sink.over(source.info(), dropped, &self.analyzer);
        self.chosen.sink.flush()?;
        self.chosen.selection.settle()
    }
}

impl<S: Show> Taker for Follow<S> {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.chosen.selection.look(frame);
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let first = *self.first.get_or_insert(packet.meta.at);
        self.chosen.selection.begins(first);
        if self.span.is_some_and(|span| packet.meta.at.since(first) > span) {
            return Ok(Flow::Stop);
        }
        let seen = self.analyzer.observe(packet, &mut self.chosen);
        if self.chosen.wants(packet, &seen) {
            self.shown += 1;
            self.chosen.sink.packet(packet, &seen);
        }
        self.chosen.settle();
        self.chosen.sink.passed(packet);
        self.chosen.sink.check()?;
        Ok(if self.count.is_some_and(|count| self.shown >= count) { Flow::Stop } else { Flow::Continue })
    }

    fn lost(&mut self, total: u64) {
        self.analyzer.capture_lost(total);
        if let Some(metrics) = &self.metrics {
            metrics.dropped(total);
        }
    }

    fn pause(&mut self) -> Result<(), Failure> {
        if let Some(metrics) = &self.metrics {
            metrics.update(self.analyzer.facts(), self.analyzer.flood_detector());
        }
        if self.eager { self.chosen.sink.flush() } else { Ok(()) }
    }
}
