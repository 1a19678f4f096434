//! Sinks that write as they go: lines for people, or an object per line. A failed write is kept until somebody asks.

use std::io;
use std::io::Write;

use crate::cli::failure::Failure;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Tuple;
use crate::pipeline::Analyzer;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::report::json;
use crate::report::json::Totals;
use crate::report::messages;
use crate::report::messages::MessageTable;
use crate::report::style::Style;
use crate::report::summary::Summary;
use crate::report::trace::TraceWriter;
use crate::source::CaptureInfo;
use crate::tcp::dialect::Dialect;

/// A sink that is also shown packets.
pub(super) trait Show: Sink {
    /// Any packet, wanted or not, after what ended before it was told.
    fn passed(&mut self, _packet: &Packet<'_>) {}

    /// A packet that is wanted.
    fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>);

    /// The capture is over.
    fn over(&mut self, info: &CaptureInfo, dropped: Option<u64>, analyzer: &Analyzer);

    /// Whether everything so far could be written.
    fn check(&mut self) -> Result<(), Failure>;

    /// Hands on what is buffered.
    fn flush(&mut self) -> Result<(), Failure>;
}

/// A writer that remembers its first failure and writes no more after it.
#[derive(Debug)]
struct Paper<W> {
    out: W,
    failed: Option<io::Error>,
}

impl<W: Write> Paper<W> {
    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(&mut self.out).err();
        }
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.check()?;
        Ok(self.out.flush()?)
    }
}

/// Lines for people.
#[derive(Debug)]
pub(super) struct Lines<W> {
    paper: Paper<W>,
    writer: TraceWriter,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W, style: Style) -> Self {
        Self { paper: Paper { out, failed: None }, writer: TraceWriter::new(style) }
    }
}

impl<W: Write> Sink for Lines<W> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.paper.write(|out| self.writer.connection(out, ended));
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.paper.write(|out| self.writer.exchange(out, ended));
    }

    fn finding(&mut self, finding: Finding) {
        self.paper.write(|out| self.writer.finding(out, &finding));
    }
}

impl<W: Write> Show for Lines<W> {
    fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) {
        self.paper.write(|out| self.writer.packet(out, packet, seen));
    }

    fn over(&mut self, _info: &CaptureInfo, _dropped: Option<u64>, _analyzer: &Analyzer) {}

    fn check(&mut self) -> Result<(), Failure> {
        self.paper.check()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.paper.flush()
    }
}

/// Objects for programs, of one capture after the other.
#[derive(Debug)]
pub(super) struct Objects<W> {
    paper: Paper<W>,
    file: String,
    totals: Totals,
    /// Runs along for what the contract wants in Wireshark's words.
    dialect: Dialect,
}

impl<W: Write> Objects<W> {
    /// Begins with the header line.
    pub(super) fn new(out: W) -> Self {
        let paper = Paper { out, failed: None };
        let mut objects = Self { paper, file: String::new(), totals: Totals::default(), dialect: Dialect::default() };
        objects.paper.write(|out| json::header(out));
        objects
    }

    /// What follows is about this capture.
    pub(super) fn begin(&mut self, file: &str) {
        file.clone_into(&mut self.file);
        self.dialect = Dialect::default();
    }

    /// Wireshark's `tcp.completeness` of a connection, where its numbering agrees with ours.
    fn completeness(&mut self, ended: &EndedConnection<'_>) -> Option<u8> {
        let (tuple, _) = Tuple::of(Protocol::Tcp, ended.client, ended.server);
        let (number, last) = self.dialect.stream(&tuple)?;
        (u64::from(number) == ended.stream).then(|| last.completeness())
    }

    /// Ends with the summary line.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.paper.write(|out| json::summary(out, &self.totals));
        self.paper.flush()
    }
}

impl<W: Write> Sink for Objects<W> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.totals.connections += 1;
        let completeness = self.completeness(ended);
        self.paper.write(|out| messages::unfinished(out, &self.file, ended));
        self.paper.write(|out| json::connection(out, &self.file, ended, completeness));
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.totals.udp_flows += 1;
        self.paper.write(|out| json::exchange(out, &self.file, ended));
    }

    fn finding(&mut self, finding: Finding) {
        *self.totals.findings.entry(finding.code).or_default() += 1;
        self.paper.write(|out| json::finding(out, &self.file, &finding));
    }
}

impl<W: Write> Show for Objects<W> {
    fn passed(&mut self, packet: &Packet<'_>) {
        self.dialect.observe(packet);
    }

    fn packet(&mut self, _packet: &Packet<'_>, seen: &Seen<'_>) {
        self.paper.write(|out| messages::objects(out, &self.file, seen));
    }

    fn over(&mut self, info: &CaptureInfo, dropped: Option<u64>, analyzer: &Analyzer) {
        let facts = analyzer.facts();
        self.totals.captures += 1;
        self.totals.frames += facts.frames;
        self.totals.bytes += facts.bytes;
        let evicted = analyzer.tables().iter().map(|table| table.evicted).sum();
        self.paper.write(|out| json::capture(out, info, facts, dropped, evicted));
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.paper.check()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.paper.flush()
    }
}

/// A summary, and a table of messages where somebody asked for one.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) summary: Summary,
    pub(super) messages: Option<MessageTable>,
}

impl Sink for Tables {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.summary.connection(ended);
        self.messages.iter_mut().for_each(|messages| messages.connection(ended));
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.summary.exchange(ended);
    }

    fn finding(&mut self, finding: Finding) {
        self.summary.finding(finding);
    }
}

/// Everything for the tables at the end: nothing is written on the way.
impl Show for Tables {
    fn packet(&mut self, _packet: &Packet<'_>, seen: &Seen<'_>) {
        self.messages.iter_mut().for_each(|messages| messages.packet(seen));
    }

    fn over(&mut self, _info: &CaptureInfo, _dropped: Option<u64>, _analyzer: &Analyzer) {}

    fn check(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Where conversations are followed only for the numbers that they give to packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nobody;

impl Sink for Nobody {
    fn connection(&mut self, _ended: &EndedConnection<'_>) {}
    fn exchange(&mut self, _ended: &EndedExchange<'_>) {}
    fn finding(&mut self, _finding: Finding) {}
}
