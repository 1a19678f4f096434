//! One connection told whole: how it opened, what passed, how it closed, what others say, what is wrong with it.
//!
//! A page is a list of sections, one file each, read from the top down. **To add a section**: a file with a type that
//! is a `Section`, and a line in `sections`. A section may look at the packets of its connection as they pass, and
//! says its part when the connection has ended; what it keeps of packets must be bounded.

mod closing;
mod findings;
mod mss;
mod numbers;
mod observers;
mod opening;
mod time;
mod trial;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::packet::Span;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::report::completeness::Completeness;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::report::words::several;
use crate::tcp::Side;

/// A part of the page.
trait Section: fmt::Debug {
    /// A segment of the connection, in capture order.
    fn packet(&mut self, _segment: &Segment<'_>) {}

    /// The connection has ended: says its part, or nothing.
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>);
}

/// Every section, in the order of the page.
fn sections() -> Vec<Box<dyn Section>> {
    vec![
        Box::new(opening::Opening::default()),
        Box::new(closing::Closing::default()),
        Box::new(findings::Findings),
        Box::new(time::Time),
        Box::new(time::RoundTrips),
        Box::new(time::Silence),
        Box::new(mss::SegmentSizes),
        Box::new(numbers::Numbers),
        Box::new(observers::Observers),
        Box::new(trial::Trial),
    ]
}

/// What a section may speak of.
struct Told<'a> {
    ended: &'a EndedConnection<'a>,
    /// What was found about this connection, as it was found; at most [`MAX_FINDINGS`].
    findings: &'a [Finding],
    /// Findings that are not kept any more.
    more_findings: u64,
    /// Wireshark's `tcp.completeness`, where its numbering agrees with ours.
    completeness: Option<u8>,
}

/// Writes a page for each connection that it is shown: feed it the packets of those that were asked for.
#[derive(Debug)]
pub struct Details {
    style: Style,
    open: BTreeMap<u64, Open>,
    pages: BTreeMap<u64, String>,
    completeness: Completeness,
}

#[derive(Debug)]
struct Open {
    sections: Vec<Box<dyn Section>>,
    findings: Vec<Finding>,
    more_findings: u64,
}

impl Default for Open {
    fn default() -> Self {
        Self { sections: sections(), findings: Vec::new(), more_findings: 0 }
    }
}

impl Details {
    /// No connection yet.
    pub fn new(style: Style) -> Self {
        Self { style, open: BTreeMap::new(), pages: BTreeMap::new(), completeness: Completeness::default() }
    }

    /// Any packet, asked for or not, after what ended before it was told.
    pub fn passed(&mut self, packet: &Packet<'_>) {
        self.completeness.observe(packet);
    }

    /// A packet of a connection that was asked for, in capture order.
    pub fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) {
        let (Seen::Tcp(seen), Some(tcp)) = (seen, packet.tcp()) else { return };
        let segment = Segment { packet, tcp, seen, style: &self.style };
        for section in &mut self.open.entry(seen.stream).or_default().sections {
            section.packet(&segment);
        }
    }

    /// Writes the pages of all connections that have ended, by number.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        self.pages.values().try_for_each(|page| write!(out, "\n{page}"))
    }

    /// The same in markdown: each page as it stands on a screen.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_markdown(self, out: &mut dyn Write) -> io::Result<()> {
        self.pages.iter().try_for_each(|(stream, page)| write!(out, "\n## Stream {stream}\n\n```text\n{page}```\n"))
    }
}

impl Sink for Details {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let open = self.open.remove(&ended.stream).unwrap_or_default();
        let told = Told {
            ended,
            findings: &open.findings,
            more_findings: open.more_findings,
            completeness: self.completeness.of(ended),
        };
        let mut page = Page::new(&self.style);
        begin(&told, &mut page);
        for section in &open.sections {
            section.tell(&told, &mut page);
        }
        self.pages.insert(ended.stream, page.text);
    }

    fn exchange(&mut self, _ended: &EndedExchange<'_>) {}

    fn finding(&mut self, finding: Finding) {
        for &stream in &finding.streams {
            let open = self.open.entry(stream).or_default();
            if open.findings.len() < MAX_FINDINGS {
                open.findings.push(finding.clone());
            } else {
                open.more_findings += 1;
            }
        }
    }
}

/// Who with whom, when, how much.
fn begin(told: &Told<'_>, page: &mut Page<'_>) {
    let (ended, connection) = (told.ended, told.ended.connection);
    let sign = if connection.oriented { '→' } else { '↔' };
    page.head(&format!("stream {}  {} {sign} {}", ended.stream, ended.client, ended.server));
    let mut when = Facts::default();
    when.plain(text::utc(connection.first.at));
    let lasted = connection.last.at.since(connection.first.at).max(Span::ZERO);
    when.plain(format!("{} long", text::span(lasted)));
    when.say(Ink::Dim, format!("packets {} to {}", connection.first.frame, connection.last.frame));
    page.section("when", &when);
    let mut passed = Facts::default();
    for side in [Side::Client, Side::Server] {
        let view = connection.side(side);
        let way = arrow(connection, side);
        let packets = several(view.packets, "packet");
        passed.plain(format!("{way} {packets}, {}", text::octets(view.bytes)));
    }
    page.section("passed", &passed);
}

/// Findings of one connection that are told one by one: more than any connection has had that was not made for it.
const MAX_FINDINGS: usize = 200;
/// Columns for a payload.
const PAYLOAD: usize = 24;
/// Packets of the opening and of the closing.
const MAX_LINES: usize = 8;
