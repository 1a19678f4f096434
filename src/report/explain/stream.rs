//! What is noteworthy on one connection: a paragraph per frame, how it opened and closed, and how often what.
//!
//! Bounded: sixty paragraphs are kept, the rest is counted. Where nothing is wrong, that is what is said.

use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::report::explain::because::lower_first;
use crate::report::explain::because::main_of;
use crate::report::explain::object;
use crate::report::explain::object::Noteworthy;
use crate::report::explain::sum::Numbering;
use crate::report::json;
use crate::report::json::SCHEMA;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::report::words::closing;
use crate::report::words::several;
use crate::tcp::Side;

/// Explains one TCP connection.
#[derive(Debug)]
pub struct StreamExplainer {
    style: Style,
    stream: u64,
    title: String,
    packets: u64,
    opening: Vec<Facts>,
    noteworthy: Vec<(u64, Facts)>,
    left_out: u64,
    closing: Vec<Facts>,
    summary: Facts,
    counts: Facts,
    /// Streams of TCP that were seen, wanted or not.
    pub streams: u64,
}

impl StreamExplainer {
    /// Explains the connection of this number.
    pub fn new(style: Style, stream: u64) -> Self {
        Self {
            style,
            stream,
            title: String::new(),
            packets: 0,
            opening: Vec::new(),
            noteworthy: Vec::new(),
            left_out: 0,
            closing: Vec::new(),
            summary: Facts::default(),
            counts: Facts::default(),
            streams: 0,
        }
    }

    /// Takes one packet, in capture order.
    pub fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) {
        let (Seen::Tcp(seen), Some(tcp)) = (seen, packet.tcp()) else { return };
        self.streams = self.streams.max(seen.stream + 1);
        if seen.stream != self.stream {
            return;
        }
        if self.packets == 0 {
            let sign = if seen.connection.oriented { '→' } else { '↔' };
            self.title = format!("stream {}  {} {sign} {}", seen.stream, seen.client, seen.server);
        }
        self.packets += 1;
        let style = self.style;
        let segment = Segment { packet, tcp, seen, style: &style };
        if main_of(seen.judgements).is_some() {
            self.note(&segment);
        } else if segment.opens() && self.opening.len() < MAX_LINES {
            self.opening.push(segment.line(PAYLOAD));
        } else if segment.closes() && self.closing.len() < MAX_LINES {
            self.closing.push(segment.line(PAYLOAD));
        }
    }

    /// Writes everything. `false` where the stream never came.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self, out: &mut dyn Write) -> io::Result<bool> {
        if self.packets == 0 {
            return Ok(false);
        }
        let mut page = Page::new(&self.style);
        page.head(&self.title);
        page.sections("opening", &self.opening);
        for (frame, facts) in &self.noteworthy {
            page.section(&frame.to_string(), facts);
        }
        let mut rest = Facts::default();
        if self.left_out > 0 {
            rest.say(Ink::Dim, format!("{} more packets, counted below", self.left_out));
        }
        page.section("…", &rest);
        page.sections("closing", &self.closing);
        if self.noteworthy.is_empty() {
            let mut clean = Facts::default();
            clean.say(Ink::Good, format!("nothing out of the ordinary in {}", several(self.packets, "packet")));
            page.section("verdict", &clean);
        }
        page.section("counts", &self.counts);
        page.section("end", &self.summary);
        out.write_all(page.text.as_bytes())?;
        Ok(true)
    }

    /// Writes the same as an object, one line. `false` where the stream never came.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish_object(self, out: &mut dyn Write, file: &str) -> io::Result<bool> {
        if self.packets == 0 {
            return Ok(false);
        }
        let told = |(frame, facts): &(u64, Facts)| Noteworthy { frame: *frame, text: facts.in_words() };
        let object = object::Stream {
            r#type: "stream",
            schema: SCHEMA,
            file,
            stream: self.stream,
            title: &self.title,
            opening: object::lines(&self.opening),
            packets: self.noteworthy.iter().map(told).collect(),
            left_out: self.left_out,
            closing: object::lines(&self.closing),
            counts: self.counts.each(),
            end: self.summary.each(),
        };
        json::line(out, &object)?;
        Ok(true)
    }

    fn note(&mut self, segment: &Segment<'_>) {
        if self.noteworthy.len() >= MAX_PARAGRAPHS {
            self.left_out += 1;
            return;
        }
        let seen = segment.seen;
        let numbering = Numbering { connection: seen.connection, side: seen.side, style: segment.style };
        let mut facts = Facts::default();
        let since = text::span(segment.packet.meta.at.since(seen.connection.first.at));
        facts.plain(format!("{} {} +{since}", arrow(seen.connection, seen.side), segment.verb()));
        let main = main_of(seen.judgements);
        let others = seen.judgements.iter().filter(|other| other.is_broken() && main.is_none_or(|main| main != *other));
        for judgement in main.into_iter().chain(others) {
            let ink = if judgement.code.severity() == Severity::Note { Ink::Bold } else { Ink::Warn };
            facts.say(ink, format!("{} ({})", lower_first(judgement.code.title()), judgement.code));
            let sum = numbering.sum(judgement);
            if !sum.is_empty() {
                facts.plain(sum);
            }
            let frames: Vec<_> = judgement.rests_on.iter().map(u64::to_string).collect();
            if !frames.is_empty() {
                facts.say(Ink::Dim, format!("see packet {}", frames.join(", ")));
            }
        }
        self.noteworthy.push((segment.packet.meta.number, facts));
    }
}

impl Sink for StreamExplainer {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        if ended.stream != self.stream {
            return;
        }
        let connection = ended.connection;
        for count in connection.counts() {
            self.counts.plain(format!("{} × {}", count.count, count.code));
        }
        let octets = [Side::Client, Side::Server].map(|side| connection.side(side).unique_bytes);
        self.summary.plain(format!("handshake {}", connection.outcome().name()));
        self.summary.plain(format!("{} there, {} back", text::octets(octets[0]), text::octets(octets[1])));
        self.summary.append(closing::end_of(ended));
    }

    fn exchange(&mut self, _ended: &EndedExchange<'_>) {}

    fn finding(&mut self, _finding: Finding) {}
}

/// Packets told one by one.
const MAX_PARAGRAPHS: usize = 60;
/// Packets of the opening and of the closing.
const MAX_LINES: usize = 8;
/// Columns for a payload.
const PAYLOAD: usize = 24;
