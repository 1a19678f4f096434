//! What a segment does, whether or not anything is wrong with it: its step in the opening or closing, its octets, what
//! it acknowledges (RFC 9293 §3.5, §3.6, §3.8).

use crate::packet::TcpFlags;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::words::Segment;
use crate::report::words::side_name;
use crate::tcp::Event;

/// The step, then the facts that every screen tells.
pub(super) fn facts(segment: &Segment<'_>) -> Facts {
    let mut facts = Facts::default();
    let room = segment.style.width.saturating_sub(BESIDE_PAYLOAD).clamp(PAYLOAD_LEAST, PAYLOAD_MOST);
    if let Some(step) = step(segment) {
        facts.say(Ink::Bold, step);
    }
    facts.append(segment.facts(room));
    window(segment, &mut facts);
    facts
}

/// Where the rules stand that the segment follows.
pub(super) fn sources(segment: &Segment<'_>) -> Vec<&'static str> {
    let flags = segment.tcp.flags;
    vec![match (flags.has(TcpFlags::RST), flags.has(TcpFlags::SYN), flags.has(TcpFlags::FIN)) {
        (true, _, _) => "RFC 9293 §3.5.2",
        (_, true, _) => "RFC 9293 §3.5",
        (_, _, true) => "RFC 9293 §3.6",
        _ if opens(segment) => "RFC 9293 §3.5",
        _ if segment.has(|event| matches!(event, Event::FinAcked)) => "RFC 9293 §3.6",
        _ if duplicates(segment) > 0 => "RFC 5681 §2",
        _ => "RFC 9293 §3.4, §3.8",
    }]
}

fn opens(segment: &Segment<'_>) -> bool {
    segment.has(|event| matches!(event, Event::Established { .. }))
}

fn step(segment: &Segment<'_>) -> Option<String> {
    let tcp = segment.tcp;
    let closed = segment.has(|event| matches!(event, Event::Closed { .. }));
    let sender = side_name(segment.connection(), segment.seen.side);
    for event in segment.seen.events {
        match *event {
            Event::Syn { retry: 0 } => return Some("handshake, step 1 of 3: asks to open".to_owned()),
            Event::SynAck { .. } => {
                return Some("handshake, step 2 of 3: agrees, and opens its own direction".to_owned());
            }
            Event::Established { outcome, .. } if outcome.is_open() => {
                return Some("handshake, step 3 of 3: completes the opening".to_owned());
            }
            Event::Refused { .. } => return Some("refuses: the SYN is answered by a reset".to_owned()),
            Event::Fin { retry: false, .. } => {
                let both = segment.receiver().fin.is_some();
                return Some(format!(
                    "closes {}: no more octets from the {sender}",
                    if both { "as well" } else { "first" }
                ));
            }
            _ => {}
        }
    }
    if tcp.flags.has(TcpFlags::RST) {
        return Some(format!("ends the connection at once, as far as the {sender} is concerned"));
    }
    if segment.has(|event| matches!(event, Event::FinAcked)) {
        return Some(if closed {
            "acknowledges the FIN: the connection is closed".to_owned()
        } else {
            "acknowledges the FIN".to_owned()
        });
    }
    let data = segment.seen.events.iter().find_map(|event| match event {
        Event::Data { new, repeated } => Some((*new, *repeated)),
        _ => None,
    });
    match data {
        Some((new, 0)) => return Some(format!("carries {new} new octets")),
        // Told as a fact.
        Some((0, _)) => return None,
        Some((new, repeated)) => return Some(format!("carries {new} new octets and {repeated} sent before")),
        None => {}
    }
    if !tcp.flags.has(TcpFlags::ACK) || tcp.seq_len() > 0 {
        return None;
    }
    Some(match duplicates(segment) {
        0 if segment.has(|event| matches!(event, Event::Acked { .. })) => {
            "acknowledges, and carries nothing".to_owned()
        }
        0 => "acknowledges nothing new, and carries nothing".to_owned(),
        count => {
            format!("duplicate acknowledgment number {count}: {} is still what is due", segment.peer_number(tcp.ack))
        }
    })
}

/// Which duplicate acknowledgment this is (RFC 5681 §2); 0 for none.
pub(super) fn duplicates(segment: &Segment<'_>) -> u32 {
    let again = !segment.has(|event| matches!(event, Event::Acked { .. })) && segment.tcp.len == 0;
    let counted = segment.connection().judged(segment.seen.side.peer()).map_or(0, |tcb| tcb.duplicate_acks);
    if again && segment.receiver().snd_una == Some(segment.tcp.ack) { counted } else { 0 }
}

/// `in flight 62476 B, the offered window is exactly full`.
fn window(segment: &Segment<'_>, facts: &mut Facts) {
    let tcp = segment.tcp;
    let (Some(edge), Some(una)) = (segment.receiver().right_edge, segment.sender().snd_una) else { return };
    let youngest = segment.sender().snd_max == Some(tcp.end());
    if tcp.len == 0 || !youngest || tcp.flags.any(TcpFlags::SYN.with(TcpFlags::RST)) {
        return;
    }
    let (end, offered) = (tcp.seq.plus(tcp.len), una.offset_to(edge));
    let in_flight = u64::from(segment.sender().in_flight());
    let sum = format!("in flight {in_flight} of {offered} B offered");
    match end.distance_to(edge) {
        0 => facts.say(Ink::Warn, format!("{sum}: the offered window is exactly full")),
        room if room > 0 => facts.say(Ink::Dim, format!("{sum}, room for {room} more")),
        // Told as an event.
        _ => {}
    }
}

/// Label, quotation marks and the numbers that follow a payload.
const BESIDE_PAYLOAD: usize = 34;
const PAYLOAD_LEAST: usize = 12;
const PAYLOAD_MOST: usize = 120;
