//! What a segment did, in words: one fact after the other, for every screen that tells or draws a conversation.
//!
//! Sums are spelled out so that they can be redone by hand; J is the client's initial sequence number, K the server's
//! (RFC 9293 §3.5). A ✓ stands only behind a sum whose every number was captured.

pub(super) mod closing;
pub(super) mod datagram;
pub(super) mod opening;
pub(super) mod stream;

use crate::finding::Finding;
use crate::finding::Severity;
use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::Packet;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::pipeline::TcpSeen;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::style::Numbers;
use crate::report::style::Style;
use crate::report::text;
use crate::tcp::Connection;
use crate::tcp::EndpointView;
use crate::tcp::Event;
use crate::tcp::Side;

/// One segment with everything that its wording needs.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) packet: &'a Packet<'a>,
    pub(super) tcp: &'a TcpHeader<'a>,
    pub(super) seen: &'a TcpSeen<'a>,
    pub(super) style: &'a Style,
}

impl<'a> Segment<'a> {
    pub(super) const fn connection(&self) -> &'a Connection {
        self.seen.connection
    }

    pub(super) const fn sender(&self) -> &'a EndpointView {
        self.seen.connection.side(self.seen.side)
    }

    pub(super) const fn receiver(&self) -> &'a EndpointView {
        self.seen.connection.side(self.seen.side.peer())
    }

    pub(super) fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.seen.events.iter().any(wanted)
    }

    /// A number of `side`'s stream as the style wants it; below the first one seen with a minus sign.
    pub(super) fn number(&self, side: Side, seq: SeqNumber) -> String {
        number(self.connection(), side, seq, self.style.numbers)
    }

    pub(super) fn own_number(&self, seq: SeqNumber) -> String {
        self.number(self.seen.side, seq)
    }

    pub(super) fn peer_number(&self, seq: SeqNumber) -> String {
        self.number(self.seen.side.peer(), seq)
    }

    /// What kind of segment it is, in a word: `SYN,ACK`, `6 B`, `FIN`. A FIN or RST is said to carry an ACK where that
    /// ACK does something: nearly every segment has the flag.
    pub(super) fn verb(&self) -> String {
        let flags = self.tcp.flags;
        let acks_fin = self.has(|event| matches!(event, Event::FinAcked));
        let control = match (flags.has(TcpFlags::RST), flags.has(TcpFlags::SYN), flags.has(TcpFlags::FIN)) {
            (true, _, _) if flags.has(TcpFlags::ACK) => "RST,ACK",
            (true, _, _) => "RST",
            (_, true, true) => return flags.to_string(),
            // Data on a SYN is told apart.
            (_, true, _) if flags.has(TcpFlags::ACK) => return "SYN,ACK".to_owned(),
            (_, true, _) => return "SYN".to_owned(),
            (_, _, true) if acks_fin => "FIN,ACK",
            (_, _, true) => "FIN",
            _ if self.tcp.len > 0 => return format!("{} B", self.tcp.len),
            _ if flags.has(TcpFlags::ACK) => "ACK",
            _ => return flags.to_string(),
        };
        match self.tcp.len {
            0 => control.to_owned(),
            len => format!("{len} B,{control}"),
        }
    }

    /// It belongs to the opening: a SYN, or what completes it.
    pub(super) fn opens(&self) -> bool {
        self.tcp.flags.has(TcpFlags::SYN) || self.has(|event| matches!(event, Event::Established { .. }))
    }

    /// It belongs to the closing: a FIN, a RST, or what acknowledges a FIN.
    pub(super) fn closes(&self) -> bool {
        self.tcp.flags.any(TcpFlags::FIN.with(TcpFlags::RST)) || self.has(|event| matches!(event, Event::FinAcked))
    }

    /// The packet in a line, its number first: `packet 3 C→S ACK`, and everything that is to be said.
    pub(super) fn line(&self, room: usize) -> Facts {
        let mut facts = Facts::default();
        let way = arrow(self.connection(), self.seen.side);
        facts.plain(format!("packet {} {way} {}", self.packet.meta.number, self.verb()));
        facts.append(self.facts(room));
        facts
    }

    /// Everything that is to be said, most important first. `room` is how many columns a payload may take.
    pub(super) fn facts(&self, room: usize) -> Facts {
        let mut facts = Facts::default();
        if let ChecksumState::Bad { expected } = self.tcp.checksum {
            let field = self.tcp.checksum_field;
            let text = format!("checksum {field:#06x} is bad, {expected:#06x} computed: the receiver drops it unread");
            facts.say(Ink::Bad, text);
        }
        opening::say(self, &mut facts);
        stream::say(self, room, &mut facts);
        closing::say(self, &mut facts);
        self.oddities(&mut facts);
        facts
    }

    fn oddities(&self, facts: &mut Facts) {
        for event in self.seen.events {
            if let Event::Unexpected { state, .. } = event {
                let who = side_name(self.connection(), self.seen.side);
                facts.say(Ink::Warn, format!("unexpected: {} from {who} in {}", self.tcp.flags, state.name()));
            }
        }
        defects(self.packet, facts);
    }
}

/// What is wrong with the bytes of a packet; a bad TCP checksum has its own words.
pub(super) fn defects(packet: &Packet<'_>, facts: &mut Facts) {
    for defect in packet.defects.iter().filter(|defect| defect.code != DefectCode::TcpChecksum) {
        facts.say(Ink::Warn, defect.to_string());
    }
}

/// A finding with its gravity and code, its sum, and where the rule stands.
pub(super) fn finding(finding: &Finding) -> Facts {
    let ink = match finding.severity {
        Severity::Error => Ink::Bad,
        Severity::Warning => Ink::Warn,
        Severity::Note => Ink::Plain,
    };
    let mut facts = Facts::default();
    facts.say(ink, format!("{} {}: {}", finding.severity, finding.code, text::harmless(&finding.text)));
    facts.say(Ink::Dim, finding.code.rfc());
    facts
}

/// A number of `side`'s stream as `numbers` wants it.
pub(super) fn number(connection: &Connection, side: Side, seq: SeqNumber, numbers: Numbers) -> String {
    match (numbers, connection.side(side).relative(seq)) {
        (Numbers::Absolute, _) | (_, None) => seq.to_string(),
        (Numbers::Relative, Some(offset @ ..BELOW)) => offset.to_string(),
        (Numbers::Relative, Some(offset)) => format!("−{}", offset.wrapping_neg()),
    }
}

/// `client`, `server`; A and B where nobody was seen opening.
pub(super) const fn side_name(connection: &Connection, side: Side) -> &'static str {
    match (connection.oriented, side) {
        (true, _) => side.name(),
        (false, Side::Client) => "A",
        (false, Side::Server) => "B",
    }
}

/// `C→S`, or `A→B` where nobody was seen opening.
pub(super) const fn arrow(connection: &Connection, from: Side) -> &'static str {
    match (connection.oriented, from) {
        (true, Side::Client) => "C→S",
        (true, Side::Server) => "S→C",
        (false, Side::Client) => "A→B",
        (false, Side::Server) => "B→A",
    }
}

/// The letter of a side's initial sequence number.
pub(super) const fn letter(side: Side) -> char {
    match side {
        Side::Client => 'J',
        Side::Server => 'K',
    }
}

/// `1 answer`, `5 answers`.
pub(in crate::report) fn several(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", text::count(count))
}

/// Offsets above this are a little below the first number, not four gigabytes behind it.
const BELOW: u32 = u32::MAX - (1 << 24);
