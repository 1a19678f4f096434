//! A conversation drawn: client left, server right, one arrow per packet, time and states at the side
//! (the manner of RFC 9293's figures 6 and 12).
//!
//! Arrows that carry data are double. Drawn packet by packet, so a stream of any length needs no memory; when it is
//! long, the segments that only move data are folded into one row.

mod arrow;
mod label;

use std::io;
use std::io::Write;

use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::UdpHeader;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::pipeline::UdpSeen;
use crate::report::ladder::arrow::ARROW;
use crate::report::ladder::arrow::arrow;
use crate::report::ladder::arrow::between;
use crate::report::ladder::arrow::wrapped;
use crate::report::line::Facts;
use crate::report::line::columns;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::datagram;
use crate::report::words::several;
use crate::report::words::side_name;
use crate::tcp::Event;
use crate::tcp::Side;
use crate::udp;

/// Draws one stream.
#[derive(Debug)]
pub struct Ladder {
    /// Rows after which segments that only move data are folded together; [`u64::MAX`] draws them all.
    pub fold_after: u64,
    style: Style,
    protocol: Protocol,
    stream: u64,
    start: Option<Timestamp>,
    packets: u64,
    rows: u64,
    folded: Folded,
    lines: String,
}

/// Segments that were not drawn since the latest row.
#[derive(Debug, Default)]
struct Folded {
    segments: u64,
    octets: u64,
    since_start: Span,
}

/// One arrow.
struct Row<'a> {
    to_right: bool,
    carries_data: bool,
    since_start: Span,
    /// In front of the words; shortened or left out where there is no room.
    payload: &'a [u8],
    words: String,
    notes: Facts,
}

impl Ladder {
    /// Draws the TCP connection of this number.
    pub const fn new(style: Style, stream: u64) -> Self {
        Self {
            fold_after: FOLD_AFTER,
            style,
            protocol: Protocol::Tcp,
            stream,
            start: None,
            packets: 0,
            rows: 0,
            folded: Folded { segments: 0, octets: 0, since_start: Span::ZERO },
            lines: String::new(),
        }
    }

    /// Draws the UDP conversation of this number.
    pub const fn udp(style: Style, stream: u64) -> Self {
        let mut ladder = Self::new(style, stream);
        ladder.protocol = Protocol::Udp;
        ladder
    }

    /// Packets of the stream so far, folded ones included.
    pub const fn drawn(&self) -> u64 {
        self.packets
    }

    /// Draws one packet, if it belongs to the stream.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn packet(&mut self, out: &mut dyn Write, packet: &Packet<'_>, seen: &Seen<'_>) -> io::Result<()> {
        match (seen, packet.tcp(), packet.udp()) {
            (Seen::Tcp(seen), Some(tcp), _) if self.is_of(Protocol::Tcp, seen.stream) => {
                self.segment(packet, tcp, seen);
            }
            (Seen::Udp(seen), _, Some(udp)) if self.is_of(Protocol::Udp, seen.stream) => {
                self.datagram(packet, udp, seen);
            }
            (&Seen::Unreachable { protocol, stream, ends }, _, _) if self.is_of(protocol, stream) => {
                self.icmp(packet, ends);
            }
            _ => return Ok(()),
        }
        self.packets += 1;
        self.flush(out)
    }

    /// Ends the drawing.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.unfold();
        if self.packets > 0 {
            self.lines.push_str(&between('╵', "", self.inner()));
            self.lines.push('\n');
        }
        self.flush(out)
    }

    fn is_of(&self, protocol: Protocol, stream: u64) -> bool {
        self.protocol == protocol && self.stream == stream
    }

    fn segment(&mut self, packet: &Packet<'_>, tcp: &TcpHeader<'_>, seen: &TcpSeen<'_>) {
        let connection = seen.connection;
        if self.packets == 0 {
            let names = [Side::Client, Side::Server].map(|side| side_name(connection, side));
            let ends = [seen.client, seen.server];
            self.title(packet, [0, 1].map(|index| format!("{} {}", names[index], ends[index])));
        }
        let style = self.style;
        let segment = Segment { packet, tcp, seen, style: &style };
        let mut notes = label::notes(&segment);
        let since_start = self.since_start(packet);
        let bare = !tcp.flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST));
        if self.rows >= self.fold_after && bare && notes.is_empty() {
            self.fold(tcp.len, since_start);
            return;
        }
        for event in seen.events {
            if let Event::Answer { thought, .. } = event {
                notes.say(Ink::Dim, format!("thought {}", text::span(*thought)));
            }
        }
        self.row(&Row {
            to_right: seen.side == Side::Client,
            carries_data: tcp.len > 0,
            since_start,
            payload: tcp.payload,
            words: label::words(&segment),
            notes,
        });
    }

    fn datagram(&mut self, packet: &Packet<'_>, udp: &UdpHeader<'_>, seen: &UdpSeen<'_>) {
        if self.packets == 0 {
            self.title(packet, [format!("A {}", seen.a), format!("B {}", seen.b)]);
        }
        let since_start = self.since_start(packet);
        let mut notes = Facts::default();
        match seen.event {
            udp::Event::Answer { latency, .. } => notes.plain(format!("answer, {}", text::span(latency))),
            udp::Event::Unsolicited => notes.say(Ink::Warn, "nobody asked"),
            udp::Event::Request | udp::Event::PortClosed { .. } => {}
        }
        if self.rows >= self.fold_after && !matches!(seen.event, udp::Event::Unsolicited) {
            self.fold(udp.len, since_start);
            return;
        }
        self.row(&Row {
            to_right: seen.by_a,
            carries_data: true,
            since_start,
            payload: udp.payload,
            words: format!("{} B", udp.len),
            notes,
        });
    }

    /// Drawn from the right: whoever says it stands on the way to the server.
    fn icmp(&mut self, packet: &Packet<'_>, ends: bool) {
        let since_start = self.since_start(packet);
        let mut notes = Facts::default();
        if let Some(ip) = &packet.ip {
            notes.plain(format!("from {}", ip.src));
        }
        if ends {
            notes.say(Ink::Bad, "undeliverable");
        }
        let words = format!("ICMP {}", datagram::icmp_words(packet));
        self.row(&Row { to_right: false, carries_data: false, since_start, payload: &[], words, notes });
    }

    fn since_start(&mut self, packet: &Packet<'_>) -> Span {
        let at = packet.meta.at;
        at.since(*self.start.get_or_insert(at))
    }

    fn title(&mut self, packet: &Packet<'_>, [left, right]: [String; 2]) {
        let sign = if self.protocol == Protocol::Udp { "u" } else { "" };
        let title = format!("#{sign}{} {} from {}", self.stream, self.protocol.name(), text::utc(packet.meta.at));
        self.lines.push_str(&format!("  {}\n", self.style.bold(title)));
        let inner = self.inner();
        if columns(&left) + columns(&right) + 2 <= inner + 2 {
            let gap = inner + 2 - columns(&left) - columns(&right);
            self.lines.push_str(&format!("  {left}{:gap$}{right}\n", ""));
        } else {
            // IPv6: one below the other, each at its own line.
            let indent = (inner + 4).saturating_sub(columns(&right)).max(2);
            self.lines.push_str(&format!("  {left}\n{:indent$}{right}\n", ""));
        }
    }

    fn fold(&mut self, octets: u32, since_start: Span) {
        self.folded.segments += 1;
        self.folded.octets += u64::from(octets);
        self.folded.since_start = since_start;
    }

    /// One row for everything that was folded.
    fn unfold(&mut self) {
        let folded = std::mem::take(&mut self.folded);
        if folded.segments == 0 {
            return;
        }
        let what = if self.protocol == Protocol::Udp { "datagram" } else { "segment" };
        let words = format!("… {}, {}", several(folded.segments, what), text::octets(folded.octets));
        let line = between('┆', &format!(" {words}"), self.inner());
        self.side(&line, folded.since_start, &Facts::default());
    }

    fn row(&mut self, row: &Row<'_>) {
        self.unfold();
        self.rows += 1;
        let inner = self.inner();
        let room = inner - ARROW;
        let mut words = row.words.clone();
        let payload_room = room.saturating_sub(columns(&words) + QUOTES);
        if !row.payload.is_empty() && payload_room >= PAYLOAD_LEAST {
            words = format!("{} {words}", text::preview(row.payload, payload_room));
        }
        if columns(&words) > room {
            self.lines.push_str(&wrapped(&words, inner));
            words = String::new();
        }
        let arrow = arrow(row.to_right, row.carries_data, &words, inner);
        self.side(&between('│', &arrow, inner), row.since_start, &row.notes);
    }

    /// Ends a row: its time, its notes.
    fn side(&mut self, line: &str, since_start: Span, notes: &Facts) {
        self.lines.push_str(line);
        let time = match since_start.0 {
            0 => "+0".to_owned(),
            1.. => format!("+{}", text::span(since_start)),
            _ => text::span(since_start),
        };
        let time = format!("  {time:<TIME$} ");
        let margin = between('│', "", self.inner());
        let indent = columns(&margin) + 2 + TIME + 1;
        let column = columns(line) + columns(&time);
        self.lines.push_str(&time);
        notes.write(&mut self.lines, column, &margin, indent, &self.style);
    }

    /// Columns between the two lifelines.
    fn inner(&self) -> usize {
        self.style.width.saturating_sub(between('│', "", 0).chars().count() + SIDE).clamp(INNER_LEAST, INNER_MOST)
    }

    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let written = if self.lines.is_empty() { Ok(()) } else { out.write_all(self.lines.as_bytes()) };
        self.lines.clear();
        written
    }
}

/// Rows drawn before folding begins.
const FOLD_AFTER: u64 = 200;
/// Columns for the time at the side, its sign included.
const TIME: usize = 9;
/// Columns to the right of the server's line: time and notes.
const SIDE: usize = 2 + TIME + 1 + 19;
/// Narrower than this no opening can be drawn; the drawing is then wider than the screen.
const INNER_LEAST: usize = 36;
/// Longer arrows are no clearer.
const INNER_MOST: usize = 64;
/// What a payload needs beside its characters: quotation marks, a cut sign, a blank.
const QUOTES: usize = 4;
const PAYLOAD_LEAST: usize = 6;

#[cfg(test)]
mod tests;
