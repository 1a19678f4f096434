//! A conversation told while it happens: one line per packet, with its sums (RFC 9293 §3.5, §3.6).
//!
//! Every line begins with its stream, so that streams that interleave can be told apart and searched for, and is
//! written in one piece. Times are relative to the first packet of the stream. A packet with much to say goes on in
//! the next line, in the same column.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::finding::Gap;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Span;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::UdpHeader;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::pipeline::UdpSeen;
use crate::report::line::Facts;
use crate::report::line::columns;
use crate::report::messages;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::report::words::closing;
use crate::report::words::datagram;
use crate::report::words::opening;
use crate::tcp::Event;

/// Writes the trace of any number of streams.
#[derive(Debug)]
pub struct TraceWriter {
    style: Style,
    /// When the latest streams began, for ICMP errors about them: at most [`MAX_STARTS`], the oldest is forgotten.
    starts: VecDeque<(Protocol, u64, Timestamp)>,
    lines: String,
}

/// The columns before the facts of a line.
struct Head<'a> {
    tag: &'a str,
    since_start: Option<Span>,
    arrow: &'a str,
    verb: &'a str,
}

impl TraceWriter {
    /// Nothing is written before the first packet.
    pub const fn new(style: Style) -> Self {
        Self { style, starts: VecDeque::new(), lines: String::new() }
    }

    /// Tells what one packet did. Packets of no stream are passed over.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn packet(&mut self, out: &mut dyn Write, packet: &Packet<'_>, seen: &Seen<'_>) -> io::Result<()> {
        match (seen, packet.tcp(), packet.udp()) {
            (Seen::Tcp(seen), Some(tcp), _) => self.segment(packet, tcp, seen),
            (Seen::Udp(seen), _, Some(udp)) => self.datagram(packet, udp, seen),
            (&Seen::Unreachable { protocol, stream, ends }, _, _) => self.icmp(packet, protocol, stream, ends),
            (Seen::Tcp(_) | Seen::Udp(_) | Seen::Other, _, _) => {}
        }
        self.flush(out)
    }

    /// Tells how a TCP connection ended, unless its last segment did.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn connection(&mut self, out: &mut dyn Write, ended: &EndedConnection<'_>) -> io::Result<()> {
        let facts = closing::ended(ended);
        if !facts.is_empty() {
            self.note(&tag(Protocol::Tcp, ended.stream), &facts);
        }
        for found in messages::ended(ended) {
            self.note(&tag(Protocol::Tcp, ended.stream), &found);
        }
        self.flush(out)
    }

    /// Tells what became of the requests of a UDP conversation.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn exchange(&mut self, out: &mut dyn Write, ended: &EndedExchange<'_>) -> io::Result<()> {
        self.note(&tag(Protocol::Udp, ended.stream), &datagram::ended(ended));
        self.flush(out)
    }

    /// Tells a finding: code, sentence, where the rule stands.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finding(&mut self, out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
        let ink = match finding.severity {
            Severity::Note => Ink::Bold,
            Severity::Warning => Ink::Warn,
            Severity::Error => Ink::Bad,
        };
        let mut facts = Facts::default();
        facts.say(ink, format!("{} {}", finding.severity, finding.code));
        facts.plain(text::harmless(&finding.text));
        if let [stream] = finding.streams[..] {
            facts.plain(format!("stream {stream}"));
        }
        facts.say(Ink::Dim, finding.code.rfc());
        self.lines.push_str("!  ");
        facts.write(&mut self.lines, FINDING_INDENT, "!", FINDING_INDENT, &self.style);
        self.flush(out)
    }

    fn segment(&mut self, packet: &Packet<'_>, tcp: &TcpHeader<'_>, seen: &TcpSeen<'_>) {
        let (style, connection) = (self.style, seen.connection);
        let tag = tag(Protocol::Tcp, seen.stream);
        if seen.is_first {
            self.starts(Protocol::Tcp, seen.stream, connection.first.at);
            let sign = if connection.oriented { '→' } else { '↔' };
            self.title(&tag, format!("{} {sign} {}  tcp", seen.client, seen.server));
        }
        if seen.events.contains(&Event::MidStream) {
            let mut facts = Facts::default();
            facts.plain(format!("A is {}", seen.client));
            facts.plain("no handshake seen");
            facts.say(Ink::Warn, format!("cannot tell: {}", Gap::NoHandshake));
            self.note(&tag, &facts);
        }
        let segment = Segment { packet, tcp, seen, style: &style };
        let head = Head {
            tag: &tag,
            since_start: Some(packet.meta.at.since(connection.first.at)),
            arrow: arrow(connection, seen.side),
            verb: &segment.verb(),
        };
        let mut facts = segment.facts(self.payload_room());
        messages::say(seen, packet.meta.number, &mut facts);
        self.line(&head, &facts);
        for event in seen.events {
            match *event {
                Event::Established { outcome, .. } if outcome.is_open() => {
                    for facts in opening::effective_mss(connection) {
                        self.note(&tag, &facts);
                    }
                }
                Event::Closed { kind, first_by } => {
                    let facts = closing::closed(connection, kind, first_by);
                    if !facts.is_empty() {
                        self.note(&tag, &facts);
                    }
                }
                _ => {}
            }
        }
    }

    fn datagram(&mut self, packet: &Packet<'_>, udp: &UdpHeader<'_>, seen: &UdpSeen<'_>) {
        let tag = tag(Protocol::Udp, seen.stream);
        let start = seen.exchange.first.at;
        if seen.is_first {
            self.starts(Protocol::Udp, seen.stream, start);
            self.title(&tag, format!("{} → {}  udp", seen.a, seen.b));
        }
        let head = Head {
            tag: &tag,
            since_start: Some(packet.meta.at.since(start)),
            arrow: if seen.by_a { "A→B" } else { "B→A" },
            verb: &format!("{} B", udp.len),
        };
        let facts = datagram::facts(packet, udp, seen, self.payload_room());
        self.line(&head, &facts);
    }

    fn icmp(&mut self, packet: &Packet<'_>, protocol: Protocol, stream: u64, ends: bool) {
        let tag = tag(protocol, stream);
        let start = self.starts.iter().rev().find(|(p, s, _)| (*p, *s) == (protocol, stream)).map(|(_, _, at)| *at);
        let since_start = start.map(|start| packet.meta.at.since(start));
        let facts = datagram::icmp_facts(packet, protocol, ends);
        self.line(&Head { tag: &tag, since_start, arrow: "", verb: "ICMP" }, &facts);
    }

    fn starts(&mut self, protocol: Protocol, stream: u64, at: Timestamp) {
        if self.starts.len() == MAX_STARTS {
            self.starts.pop_front();
        }
        self.starts.push_back((protocol, stream, at));
    }

    fn title(&mut self, tag: &str, text: String) {
        let mut facts = Facts::default();
        facts.say(Ink::Bold, text);
        let _ = write!(self.lines, "{} ", self.style.bold(tag));
        facts.write(&mut self.lines, columns(tag) + 1, tag, TAG + 1, &self.style);
    }

    /// A line of facts about the stream, not about a packet.
    fn note(&mut self, tag: &str, facts: &Facts) {
        let _ = write!(self.lines, "{tag:<NOTE_INDENT$}");
        facts.write(&mut self.lines, NOTE_INDENT.max(columns(tag)), tag, NOTE_INDENT, &self.style);
    }

    fn line(&mut self, head: &Head<'_>, facts: &Facts) {
        let time = head.since_start.map(text::seconds).unwrap_or_default();
        let fixed = format!("{:<TAG$} {time:>TIME$} {:<3} ", head.tag, head.arrow);
        let verb = format!("{:<VERB$} ", head.verb);
        let column = columns(&fixed) + columns(&verb);
        let _ = write!(self.lines, "{fixed}{}", self.style.bold(verb));
        facts.write(&mut self.lines, column, head.tag, FACTS, &self.style);
    }

    fn payload_room(&self) -> usize {
        self.style.width.saturating_sub(FACTS + BESIDE_PAYLOAD).clamp(PAYLOAD_LEAST, PAYLOAD_MOST)
    }

    /// Hands over what was put together, in one piece.
    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let written = if self.lines.is_empty() { Ok(()) } else { out.write_all(self.lines.as_bytes()) };
        self.lines.clear();
        written
    }
}

/// `#3`; UDP conversations are counted apart: `#u3`.
fn tag(protocol: Protocol, stream: u64) -> String {
    match protocol {
        Protocol::Tcp => format!("#{stream}"),
        Protocol::Udp => format!("#u{stream}"),
    }
}

const TAG: usize = 4;
const TIME: usize = 10;
const VERB: usize = 7;
/// Tag, time, direction and verb, a blank behind each.
const FACTS: usize = TAG + 1 + TIME + 1 + 3 + 1 + VERB + 1;
/// Notes begin where directions stand.
const NOTE_INDENT: usize = TAG + 1 + TIME + 1;
const FINDING_INDENT: usize = 3;
/// Quotation marks and the sequence numbers that follow a payload.
const BESIDE_PAYLOAD: usize = 18;
const PAYLOAD_LEAST: usize = 12;
const PAYLOAD_MOST: usize = 120;
/// A start is only needed when an ICMP error comes back, which takes no longer than a round trip.
const MAX_STARTS: usize = 1024;

#[cfg(test)]
mod tests;
