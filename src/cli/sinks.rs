//! Sinks that write as they go: lines for people, or an object per line. A failed write is kept until somebody asks.

use std::io;
use std::io::Write;

use crate::cli::failure::Failure;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::pipeline::Analyzer;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::report::connection::Details;
use crate::report::csv::Sheet;
use crate::report::json;
use crate::report::json::Totals;
use crate::report::json_order::Queue;
use crate::report::messages;
use crate::report::messages::MessageTable;
use crate::report::order::Sort;
use crate::report::ranking::Ranking;
use crate::report::servers::Servers;
use crate::report::style::Style;
use crate::report::summary::Summary;
use crate::report::trace::TraceWriter;
use crate::source::CaptureInfo;

/// A sink that is also shown packets.
pub(super) trait Show: Sink {
    /// Any packet, wanted or not, after what ended before it was told.
    fn passed(&mut self, _packet: &Packet<'_>) {}

    /// A packet that is wanted.
    fn packet(&mut self, _packet: &Packet<'_>, _seen: &Seen<'_>) {}

    /// The capture is over.
    fn over(&mut self, _info: &CaptureInfo, _dropped: Option<u64>, _analyzer: &Analyzer) {}

    /// Whether everything so far could be written.
    fn check(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Hands on what is buffered.
    fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }
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
    servers: Servers,
    /// Where an order or a limit is asked for.
    queue: Option<Queue>,
}

impl<W: Write> Objects<W> {
    /// Begins with the header line.
    pub(super) fn new(out: W) -> Self {
        let paper = Paper { out, failed: None };
        let mut objects =
            Self { paper, file: String::new(), totals: Totals::default(), servers: Servers::default(), queue: None };
        objects.paper.write(|out| json::header(out));
        objects
    }

    /// The same, with conversations in an order, or only the first ones of each capture.
    pub(super) fn in_order(mut self, sort: Option<Sort>, limit: usize) -> Self {
        self.queue = (sort.is_some() || limit > 0).then(|| Queue::new(sort, limit));
        self
    }

    /// What follows is about this capture.
    pub(super) fn begin(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    /// Ends with the summary line.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.paper.write(|out| json::summary(out, &self.totals));
        self.paper.flush()
    }
}

fn in_memory(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    write(&mut line)?;
    Ok(line)
}

impl<W: Write> Sink for Objects<W> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.totals.connections += u64::from(!ended.resumed);
        self.paper.write(|out| messages::unfinished(out, &self.file, ended));
        let line = |out: &mut dyn Write| json::connection(out, &self.file, ended);
        match &mut self.queue {
            None => self.paper.write(line),
            Some(queue) => self.paper.write(|out| out.write_all(&queue.connection(ended, in_memory(line)?))),
        }
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.totals.udp_flows += 1;
        self.servers.add(ended);
        let line = |out: &mut dyn Write| json::exchange(out, &self.file, ended);
        match &mut self.queue {
            None => self.paper.write(line),
            Some(queue) => self.paper.write(|out| out.write_all(&queue.exchange(ended, in_memory(line)?))),
        }
    }

    fn finding(&mut self, finding: Finding) {
        *self.totals.findings.entry(finding.code).or_default() += 1;
        let line = |out: &mut dyn Write| json::finding(out, &self.file, &finding);
        match &mut self.queue {
            None => self.paper.write(line),
            Some(queue) => self.paper.write(|_| in_memory(line).map(|line| queue.finding(&finding, line))),
        }
    }
}

impl<W: Write> Show for Objects<W> {
    fn packet(&mut self, _packet: &Packet<'_>, seen: &Seen<'_>) {
        self.paper.write(|out| messages::objects(out, &self.file, seen));
    }

    fn over(&mut self, info: &CaptureInfo, dropped: Option<u64>, analyzer: &Analyzer) {
        if let Some(queue) = &mut self.queue {
            self.paper.write(|out| queue.end().try_for_each(|lines| out.write_all(&lines)));
            self.totals.left_out = Some(queue.left_out());
        }
        let servers = std::mem::take(&mut self.servers);
        self.paper.write(|out| servers.objects(out, &self.file));
        let facts = analyzer.facts();
        self.totals.captures += 1;
        self.totals.frames += facts.frames;
        self.totals.bytes += facts.bytes;
        let (pressure, trial) = (analyzer.pressure(), analyzer.trial_of(info, dropped));
        self.paper.write(|out| json::capture(out, info, facts, dropped, &pressure, &trial));
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.paper.check()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.paper.flush()
    }
}

/// Pages, and tables below them where somebody asked for some.
#[derive(Debug)]
pub(super) struct WithTables<S> {
    pub(super) pages: S,
    pub(super) messages: Option<MessageTable>,
    pub(super) servers: Option<Servers>,
}

impl<S: Sink> Sink for WithTables<S> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.pages.connection(ended);
        self.messages.iter_mut().for_each(|messages| messages.connection(ended));
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.pages.exchange(ended);
        self.servers.iter_mut().for_each(|servers| servers.add(ended));
    }

    fn finding(&mut self, finding: Finding) {
        self.pages.finding(finding);
    }
}

/// All is written at the end.
impl<S: Show> Show for WithTables<S> {
    fn passed(&mut self, packet: &Packet<'_>) {
        self.pages.passed(packet);
    }

    fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) {
        self.pages.packet(packet, seen);
        self.messages.iter_mut().for_each(|messages| messages.packet(seen));
    }
}

/// Everything for the table at the end: nothing is written on the way.
impl Show for Summary {}

/// The same.
impl Show for Ranking {}

/// Pages are written at the end as well.
impl Show for Details {
    fn passed(&mut self, packet: &Packet<'_>) {
        self.passed(packet);
    }

    fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) {
        self.packet(packet, seen);
    }
}

/// Rows of one table, of one capture after the other.
#[derive(Debug)]
pub(super) struct Rows<W: Write> {
    sheet: Sheet<W>,
    failed: Option<io::Error>,
}

impl<W: Write> Rows<W> {
    pub(super) const fn new(sheet: Sheet<W>) -> Self {
        Self { sheet, failed: None }
    }

    /// What follows is about this capture.
    pub(super) fn begin(&mut self, file: &str) {
        self.sheet.begin(file);
    }

    /// Rows that the limit kept out.
    pub(super) const fn left_out(&self) -> u64 {
        self.sheet.left_out()
    }

    fn write(&mut self, write: impl FnOnce(&mut Sheet<W>) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(&mut self.sheet).err();
        }
    }
}

impl<W: Write> Sink for Rows<W> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.write(|sheet| sheet.connection(ended));
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.write(|sheet| sheet.exchange(ended));
    }

    fn finding(&mut self, finding: Finding) {
        self.write(|sheet| sheet.finding(&finding));
    }
}

impl<W: Write> Show for Rows<W> {
    fn over(&mut self, _info: &CaptureInfo, _dropped: Option<u64>, _analyzer: &Analyzer) {
        self.write(Sheet::end);
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.check()?;
        Ok(self.sheet.flush()?)
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
