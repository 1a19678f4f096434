//! A whole capture on a screen: what it holds, its worst conversations, and what is wrong, by kind.
//!
//! Fed through [`Sink`] while the capture is read; keeps the rows that will be shown and no more.

use std::cmp::Reverse;
use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::flow::TableStats;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::pipeline::Facts;
use crate::pipeline::Sink;
use crate::report::budget::Budgets;
use crate::report::findings::Groups;
use crate::report::findings::wrapped;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::style::Style;
use crate::report::text;
use crate::report::text::harmless;
use crate::report::worst::Worst;
use crate::source::CaptureInfo;
use crate::tcp::CloseKind;
use crate::tcp::Outcome;
use crate::tcp::Side;

/// How much to keep.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keep {
    /// Rows of a table, 0 for all.
    pub rows: usize,
    /// Findings of a kind in words.
    pub examples: usize,
}

/// What is known when the capture is over.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// The source's part.
    pub info: &'a CaptureInfo,
    /// Frames that the capturing side lost.
    pub dropped: Option<u64>,
    /// The frames' part.
    pub facts: &'a Facts,
    /// Counters of the TCP and the UDP table.
    pub tables: [TableStats; 2],
}

/// Collects the rows of one capture.
#[derive(Debug)]
pub struct Summary {
    connections: Worst<Rank, ConnectionRow>,
    exchanges: Worst<Rank, ExchangeRow>,
    budgets: Budgets,
    findings: Groups,
    /// Findings since the last conversation ended: they come right before the one they are about.
    fresh: Vec<(u64, Severity)>,
}

/// Gravest finding, octets, and the earlier stream first.
type Rank = (Option<Severity>, u64, Reverse<u64>);

#[derive(Debug)]
struct ConnectionRow {
    stream: u64,
    client: Endpoint,
    server: Endpoint,
    outcome: Outcome,
    close: CloseKind,
    first_by: Option<Side>,
    bytes: [u64; 2],
    rtt: Option<Span>,
    duration: Span,
    findings: usize,
}

#[derive(Debug)]
struct ExchangeRow {
    stream: u64,
    a: Endpoint,
    b: Endpoint,
    packets: [u64; 2],
    bytes: [u64; 2],
    pairs: u64,
    unanswered: u64,
    latency: Option<Span>,
    duration: Span,
    findings: usize,
}

impl Summary {
    /// Nothing seen yet.
    pub fn new(keep: Keep) -> Self {
        Self {
            connections: Worst::new(keep.rows),
            exchanges: Worst::new(keep.rows),
            budgets: Budgets::new(keep.examples),
            findings: Groups::new(keep.examples),
            fresh: Vec::new(),
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, out: &mut dyn Write, whole: &Whole<'_>, style: &Style) -> io::Result<()> {
        write_capture(out, whole, style)?;
        write_connections(out, self.connections, style)?;
        self.budgets.write(out, style)?;
        write_exchanges(out, self.exchanges, style)?;
        self.findings.write(out, style)
    }

    /// Number and gravity of the findings about a conversation that has just ended.
    fn take_fresh(&mut self, stream: u64) -> (usize, Option<Severity>) {
        let about = || self.fresh.iter().filter(|(about, _)| *about == stream).map(|(_, severity)| *severity);
        let found = (about().count(), about().max());
        self.fresh.clear();
        found
    }
}

impl Sink for Summary {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.budgets.add(ended);
        let (findings, worst) = self.take_fresh(ended.stream);
        let connection = ended.connection;
        let bytes = [Side::Client, Side::Server].map(|side| connection.side(side).bytes);
        let row = ConnectionRow {
            stream: ended.stream,
            client: ended.client,
            server: ended.server,
            outcome: connection.outcome(),
            close: connection.close_kind(),
            first_by: connection.teardown.first_by(),
            bytes,
            rtt: connection.handshake.rtt(),
            duration: connection.last.at.since(connection.first.at),
            findings,
        };
        self.connections.add((worst, bytes[0].saturating_add(bytes[1]), Reverse(ended.stream)), row);
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        let (findings, worst) = self.take_fresh(ended.stream);
        let exchange = ended.exchange;
        let row = ExchangeRow {
            stream: ended.stream,
            a: ended.a,
            b: ended.b,
            packets: exchange.packets,
            bytes: exchange.bytes,
            pairs: exchange.pairs,
            unanswered: exchange.unanswered(),
            latency: exchange.mean_latency(),
            duration: exchange.last.at.since(exchange.first.at),
            findings,
        };
        let bytes = exchange.bytes[0].saturating_add(exchange.bytes[1]);
        self.exchanges.add((worst, bytes, Reverse(ended.stream)), row);
    }

    fn finding(&mut self, finding: Finding) {
        if let [stream] = finding.streams[..] {
            self.fresh.push((stream, finding.severity));
        }
        self.findings.add(finding);
    }
}

fn write_capture(out: &mut dyn Write, whole: &Whole<'_>, style: &Style) -> io::Result<()> {
    let Whole { info, facts, .. } = whole;
    let links: Vec<_> = facts.links.iter().map(|(link, _)| link.to_string()).collect();
    let name = if info.name == "-" { "standard input".to_owned() } else { harmless(&info.name) };
    writeln!(
        out,
        "{}: {} {}, {} frames, {}",
        style.bold(name),
        info.format,
        links.join("+"),
        text::count(facts.frames),
        text::octets(facts.bytes),
    )?;
    if let Some((first, _)) = facts.times {
        writeln!(out, "  {}, {} long", text::utc(first), text::span(facts.duration()))?;
    }
    let kinds = [
        ("TCP", facts.tcp),
        ("UDP", facts.udp),
        ("ICMP", facts.icmp),
        ("other IP", facts.other_ip),
        ("not IP", facts.not_ip),
        ("fragments", facts.fragments),
    ];
    counts(out, "packets", &kinds)?;
    let sums = facts.checksums;
    let checksums = [
        ("good", sums.good),
        ("partial (offload)", sums.partial),
        ("bad", sums.bad),
        ("absent", sums.absent),
        ("not to be told", sums.unverifiable),
    ];
    counts(out, "checksums", &checksums)?;
    for warning in warnings(whole) {
        writeln!(out, "  {}", style.warn(format_args!("! {}", wrapped(&warning, 4, 4, style.width))))?;
    }
    Ok(())
}

fn counts(out: &mut dyn Write, what: &str, counts: &[(&str, u64)]) -> io::Result<()> {
    let there = counts.iter().filter(|(_, count)| *count > 0);
    let told: Vec<_> = there.map(|(name, number)| format!("{} {name}", text::count(*number))).collect();
    if told.is_empty() { Ok(()) } else { writeln!(out, "  {what}: {}", told.join(", ")) }
}

/// What the capture cannot show, or shows wrongly.
fn warnings(whole: &Whole<'_>) -> Vec<String> {
    let Whole { info, dropped, facts, tables } = whole;
    let mut warnings = Vec::new();
    let mut warn = |count: u64, text: String| {
        if count > 0 {
            warnings.push(text);
        }
    };
    if let Some(problem) = &info.problem {
        warn(1, format!("the capture ends badly: {problem}"));
    }
    let lost = dropped.unwrap_or(0);
    warn(lost, format!("{} frames were dropped while capturing: gaps may be the capture's own", text::count(lost)));
    warn(facts.snapped, format!("{} frames were cut by the snap length", text::count(facts.snapped)));
    warn(facts.defective, format!("{} frames have malformed headers", text::count(facts.defective)));
    let step = text::span(facts.widest_step);
    let times = text::count(facts.clock_steps);
    warn(facts.clock_steps, format!("the clock stepped back {times} times, by up to {step}"));
    let evicted = tables[0].evicted + tables[1].evicted;
    warn(evicted, format!("{} conversations were let go early to save memory", text::count(evicted)));
    warnings
}

fn write_connections(out: &mut dyn Write, rows: Worst<Rank, ConnectionRow>, style: &Style) -> io::Result<()> {
    let left_out = rows.left_out();
    if rows.seen() == 0 {
        return Ok(());
    }
    heading(out, "TCP connections", rows.seen(), style)?;
    let mut grid = Grid::new(&[
        Column::number("#"),
        Column::text("client → server"),
        Column::text("opened"),
        Column::text("closed").spared(1),
        Column::text("by").spared(3),
        Column::number("sent").spared(5),
        Column::number("received").spared(4),
        Column::number("rtt").spared(6),
        Column::number("duration").spared(7),
        Column::number("findings").spared(2),
    ]);
    for row in rows.sorted() {
        grid.row(vec![
            row.stream.to_string(),
            format!("{} → {}", row.client, row.server),
            row.outcome.name().to_owned(),
            if row.close == CloseKind::NotSeen { "-".to_owned() } else { row.close.name().to_owned() },
            row.first_by.filter(|_| row.close != CloseKind::NotSeen).map_or("", Side::name).to_owned(),
            text::octets(row.bytes[0]),
            text::octets(row.bytes[1]),
            row.rtt.map_or_else(String::new, text::span),
            text::span(row.duration),
            if row.findings == 0 { String::new() } else { row.findings.to_string() },
        ]);
    }
    grid.write(out, style.width)?;
    more(out, left_out)
}

fn write_exchanges(out: &mut dyn Write, rows: Worst<Rank, ExchangeRow>, style: &Style) -> io::Result<()> {
    let left_out = rows.left_out();
    if rows.seen() == 0 {
        return Ok(());
    }
    heading(out, "UDP conversations", rows.seen(), style)?;
    let mut grid = Grid::new(&[
        Column::number("#"),
        Column::text("a → b"),
        Column::number("packets"),
        Column::number("sent").spared(3),
        Column::number("received").spared(2),
        Column::number("answered").spared(1),
        Column::number("unanswered"),
        Column::number("latency").spared(4),
        Column::number("duration").spared(6),
        Column::number("findings").spared(5),
    ]);
    for row in rows.sorted() {
        grid.row(vec![
            row.stream.to_string(),
            format!("{} → {}", row.a, row.b),
            format!("{}+{}", row.packets[0], row.packets[1]),
            text::octets(row.bytes[0]),
            text::octets(row.bytes[1]),
            row.pairs.to_string(),
            row.unanswered.to_string(),
            row.latency.map_or_else(String::new, text::span),
            text::span(row.duration),
            if row.findings == 0 { String::new() } else { row.findings.to_string() },
        ]);
    }
    grid.write(out, style.width)?;
    more(out, left_out)
}

fn heading(out: &mut dyn Write, what: &str, number: u64, style: &Style) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "{}", style.bold(format!("{what}: {}", text::count(number))))
}

fn more(out: &mut dyn Write, left_out: u64) -> io::Result<()> {
    if left_out == 0 {
        return Ok(());
    }
    writeln!(out, "… and {} more, less grave or smaller: --limit 0 shows all", text::count(left_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;
    use crate::packet::Timestamp;

    fn finding(severity: Severity, stream: u64) -> Finding {
        Finding {
            code: Code::Refused,
            severity,
            at: Timestamp::EPOCH,
            streams: vec![stream],
            frames: Vec::new(),
            text: String::new(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn findings_count_for_the_conversation_that_ends_after_them() {
        let mut summary = Summary::new(Keep { rows: 0, examples: 5 });
        summary.finding(finding(Severity::Error, 3));
        summary.finding(finding(Severity::Warning, 3));
        assert_eq!(summary.take_fresh(3), (2, Some(Severity::Error)));
        assert_eq!(summary.take_fresh(3), (0, None));
    }
}
