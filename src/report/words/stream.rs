//! The octets in between: what was said, what was answered, acknowledged, missed, sent again (RFC 9293 §3.8).

use crate::packet::SackBlock;
use crate::packet::TcpFlags;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::opening;
use crate::report::words::side_name;
use crate::tcp::Event;

/// What a segment did for the stream. A payload takes `room` columns at most.
pub(super) fn say(segment: &Segment<'_>, room: usize, facts: &mut Facts) {
    let keep_alive = segment.has(|event| matches!(event, Event::KeepAlive));
    if segment.tcp.len > 0 && !keep_alive {
        payload(segment, room, facts);
    }
    acknowledgment(segment, facts);
    for event in segment.seen.events {
        event_words(segment, event, facts);
    }
}

fn payload(segment: &Segment<'_>, room: usize, facts: &mut Facts) {
    let tcp = segment.tcp;
    if !tcp.payload.is_empty() {
        facts.plain(text::preview(tcp.payload, room));
    }
    // A SYN's own number comes before its data (RFC 9293 §3.4).
    let first = tcp.seq.plus(u32::from(tcp.flags.has(TcpFlags::SYN)));
    let from = segment.own_number(first);
    let to = segment.own_number(first.plus(tcp.len));
    facts.plain(format!("seq {from}..{to}"));
    if (tcp.payload.len() as u64) < u64::from(tcp.len) {
        facts.say(Ink::Dim, format!("{} of {} B captured", tcp.payload.len(), tcp.len));
    }
}

/// `ack 7` on a segment that carries nothing else; an opening or a FIN spells its sum out.
fn acknowledgment(segment: &Segment<'_>, facts: &mut Facts) {
    let tcp = segment.tcp;
    let bare = tcp.len == 0 && !tcp.flags.any(TcpFlags::SYN.with(TcpFlags::RST).with(TcpFlags::FIN));
    let sum_follows = opening::is_opening(segment) || segment.has(|event| matches!(event, Event::FinAcked));
    if bare && !sum_follows && tcp.flags.has(TcpFlags::ACK) {
        facts.plain(format!("ack {}", segment.peer_number(tcp.ack)));
    }
    sack(segment, facts);
    if bare && segment.seen.events.is_empty() {
        let window = segment.sender().rcv_wnd.map_or(u32::from(tcp.window), |window| window);
        let scaled = if segment.sender().rcv_wnd.is_some() { "" } else { " (not scaled)" };
        facts.say(Ink::Dim, format!("window {window}{scaled}"));
    }
}

/// RFC 2018 §3; a first block below the acknowledgment tells of a duplicate (RFC 2883 §4).
fn sack(segment: &Segment<'_>, facts: &mut Facts) {
    let blocks = &segment.tcp.said.sack;
    for (index, block) in blocks.iter().enumerate() {
        let (left, right) = (segment.peer_number(block.left), segment.peer_number(block.right));
        let covers = |outer: &SackBlock| outer.left.at_or_before(block.left) && block.right.at_or_before(outer.right);
        let duplicate = index == 0 && (block.right.at_or_before(segment.tcp.ack) || blocks.get(1).is_some_and(covers));
        if duplicate {
            facts.say(Ink::Warn, format!("D-SACK {left}..{right}: came twice"));
        } else {
            facts.plain(format!("sack {left}..{right}"));
        }
    }
}

fn event_words(segment: &Segment<'_>, event: &Event, facts: &mut Facts) {
    let sender = side_name(segment.connection(), segment.seen.side);
    match *event {
        Event::Data { repeated, .. } if repeated > 0 => {
            let all = repeated >= segment.tcp.len;
            let how_many = if all { format!("all {repeated} B") } else { format!("{repeated} B of it") };
            facts.say(Ink::Warn, format!("retransmission: {how_many} seen before"));
        }
        Event::Gap { octets } => {
            facts.say(Ink::Warn, format!("gap: {octets} B before it not seen (lost, late or not captured)"));
        }
        Event::FillsGap { octets } => facts.say(Ink::Warn, format!("fills a gap: {octets} B late or sent again")),
        Event::Answer { to, thought } => {
            facts.plain(format!("answer to frame {}, {sender} thought {}", to.frame, text::span(thought)));
        }
        Event::Acked { octets, in_flight } => acked(segment, octets, in_flight, facts),
        Event::AckedUnseen { octets } => {
            facts.say(Ink::Warn, format!("acknowledges {octets} B that were not captured"));
        }
        // On an idle connection an old number only asks for an answer; while the peer has no room it asks for that.
        Event::KeepAlive if segment.receiver().window_closed => {
            let seq = segment.own_number(segment.tcp.seq);
            facts.plain(format!("zero-window probe: seq {seq} is one below the next, and the peer has no room"));
        }
        Event::KeepAlive => facts.plain(match segment.tcp.len {
            0 => format!("keep-alive: seq {} is one below the next", segment.own_number(segment.tcp.seq)),
            _ => format!("keep-alive: repeats octet {}", segment.own_number(segment.tcp.seq)),
        }),
        Event::ZeroWindow => facts.say(Ink::Warn, format!("ZERO WINDOW: the {sender} has no room")),
        Event::WindowOpened { window } => facts.plain(format!("window open again: {window} B")),
        Event::BeyondWindow { over_by } => {
            facts.say(Ink::Warn, format!("ends {over_by} B beyond the window that was offered"));
        }
        _ => {}
    }
}

/// Octets of data; the numbers that SYN and FIN take are told by their own sums.
fn acked(segment: &Segment<'_>, octets: u32, in_flight: u32, facts: &mut Facts) {
    let of_syn = opening::is_opening(segment);
    let of_fin = segment.has(|event| matches!(event, Event::FinAcked));
    match octets.saturating_sub(u32::from(of_syn)).saturating_sub(u32::from(of_fin)) {
        0 => {}
        octets if in_flight == 0 => facts.plain(format!("all {octets} B acknowledged, 0 in flight")),
        octets => facts.plain(format!("{octets} B acknowledged, {in_flight} in flight")),
    }
}
