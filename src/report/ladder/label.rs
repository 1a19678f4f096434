//! What stands on an arrow and at its side: fewer words than a trace has, the same facts.

use crate::finding::Verdict;
use crate::packet::ChecksumState;
use crate::packet::TcpFlags;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::letter;
use crate::report::words::side_name;
use crate::tcp::CloseKind;
use crate::tcp::Connection;
use crate::tcp::Event;
use crate::tcp::Side;
use crate::tcp::teardown::ResetKind;

/// `SYN,ACK K=5000 ack J+1`, `6 B seq 1..7`, `ACK 7`, `FIN,ACK seq 3 ack 8`.
pub(super) fn words(segment: &Segment<'_>) -> String {
    let (tcp, verb) = (segment.tcp, segment.verb());
    let peer = segment.seen.side.peer();
    if tcp.flags.has(TcpFlags::SYN) {
        let own = format!("{verb} {}={}", letter(segment.seen.side), tcp.seq);
        return match syn_sum(segment) {
            Some(sum) => format!("{own} ack {sum}"),
            None => own,
        };
    }
    if tcp.flags.has(TcpFlags::RST) {
        return format!("{verb} seq {}", segment.own_number(tcp.seq));
    }
    if segment.has(|event| matches!(event, Event::Established { .. } | Event::WrongAck(_)))
        && tcp.len == 0
        && !tcp.flags.has(TcpFlags::FIN)
        && let Some(offset) = segment.receiver().isn.map(|isn| isn.offset_to(tcp.ack))
    {
        return format!("{verb} {}+{offset}", letter(peer));
    }
    let ack = segment.peer_number(tcp.ack);
    match (tcp.len, tcp.flags.has(TcpFlags::FIN)) {
        (0, true) if segment.has(|event| matches!(event, Event::FinAcked)) => {
            format!("{verb} seq {} ack {ack}", segment.own_number(tcp.seq))
        }
        (0, true) => format!("{verb} seq {}", segment.own_number(tcp.seq)),
        (0, false) if tcp.flags.has(TcpFlags::ACK) => format!("{verb} {ack}"),
        (0, false) => verb,
        (len, _) => {
            let to = tcp.seq.plus(len);
            format!("{verb} seq {}..{}", segment.own_number(tcp.seq), segment.own_number(to))
        }
    }
}

/// `J+1` on a SYN,ACK; the bare number where the SYN was not captured.
fn syn_sum(segment: &Segment<'_>) -> Option<String> {
    segment.tcp.flags.has(TcpFlags::ACK).then(|| {
        let checked =
            segment.has(|event| matches!(event, Event::SynAck { check: Verdict::Holds | Verdict::Broken(_), .. }));
        match segment.receiver().isn.filter(|_| checked) {
            Some(isn) => format!("{}+{}", letter(segment.seen.side.peer()), isn.offset_to(segment.tcp.ack)),
            None => segment.tcp.ack.to_string(),
        }
    })
}

/// What is worth a word at the side. Nothing for segments that only move data.
pub(super) fn notes(segment: &Segment<'_>) -> Facts {
    let mut notes = Facts::default();
    if let ChecksumState::Bad { .. } = segment.tcp.checksum {
        notes.say(Ink::Bad, "bad checksum");
    }
    for event in segment.seen.events {
        if let Some((ink, text)) = note(segment, event) {
            notes.say(ink, text);
        }
        if let Event::Closed { .. } = event {
            time_wait(segment.connection(), &mut notes);
        }
    }
    notes
}

fn note(segment: &Segment<'_>, event: &Event) -> Option<(Ink, String)> {
    let connection = segment.connection();
    let warn = |text: &str| Some((Ink::Warn, text.to_owned()));
    let bad = |text: &str| Some((Ink::Bad, text.to_owned()));
    match *event {
        Event::MidStream => warn("opening not seen"),
        Event::Syn { retry } | Event::SynAck { retry, check: Verdict::Holds | Verdict::CannotTell(_), .. } => {
            (retry > 0).then(|| (Ink::Warn, format!("retry {retry}")))
        }
        Event::SynAck { check: Verdict::Broken(_), .. } | Event::WrongAck(_) => bad("✗ wrong ack"),
        Event::SplitHandshake => warn("split handshake"),
        Event::StrayAck { .. } => warn("of an older one"),
        Event::SynAckChanged { .. } => bad("another K"),
        Event::SimultaneousOpen => warn("SYNs crossed"),
        Event::Established { outcome, rtt, .. } if outcome.is_open() => {
            let rtt = rtt.map(|rtt| format!(" {}", text::span(rtt))).unwrap_or_default();
            Some((Ink::Good, format!("ESTABLISHED{rtt}")))
        }
        Event::Established { .. } => warn("partly captured"),
        Event::Refused { .. } => bad("REFUSED"),
        Event::Data { repeated, .. } if repeated > 0 => warn("retransmission"),
        Event::Gap { octets } => Some((Ink::Warn, format!("gap of {octets} B"))),
        Event::FillsGap { .. } => warn("fills a gap"),
        Event::AckedUnseen { octets } => Some((Ink::Warn, format!("{octets} B unseen"))),
        Event::KeepAlive => warn("keep-alive"),
        Event::ZeroWindow => warn("zero window"),
        Event::WindowOpened { .. } => warn("window open again"),
        Event::BeyondWindow { .. } => warn("beyond the window"),
        Event::Fin { retry: true, .. } => warn("retransmission"),
        Event::Fin { idle: Some(idle), .. } => Some((Ink::Warn, format!("{} of silence", text::span(idle)))),
        Event::Reset(ResetKind::Abort) => bad("abort"),
        Event::Reset(ResetKind::NoConnection) => bad("no connection"),
        Event::ResetIgnored { .. } => warn("ends nothing"),
        Event::Closed { kind, first_by } => closed(connection, kind, first_by),
        Event::Unexpected { .. } => warn("unexpected"),
        Event::Data { .. }
        | Event::Answer { .. }
        | Event::Acked { .. }
        | Event::Fin { .. }
        | Event::FinAcked
        | Event::Reset(ResetKind::RefusesSyn)
        | Event::Moved { .. } => None,
    }
}

/// Who waits 2·MSL now (RFC 9293 §3.6).
fn time_wait(connection: &Connection, notes: &mut Facts) {
    for (side, waits) in [Side::Client, Side::Server].into_iter().zip(connection.teardown.time_wait()) {
        if waits {
            notes.plain(format!("{} TIME-WAIT", side_name(connection, side)));
        }
    }
}

fn closed(connection: &Connection, kind: CloseKind, first_by: Side) -> Option<(Ink, String)> {
    let who = side_name(connection, first_by);
    match kind {
        CloseKind::NotSeen | CloseKind::Open => None,
        CloseKind::Abort => Some((Ink::Bad, format!("aborted by {who}"))),
        CloseKind::ResetAfterFin => Some((Ink::Bad, "reset after FIN".to_owned())),
        CloseKind::Simultaneous => Some((Ink::Good, "closed by both".to_owned())),
        CloseKind::FourWay | CloseKind::ThreeSegment | CloseKind::HalfClose => {
            Some((Ink::Good, format!("closed by {who}")))
        }
    }
}
