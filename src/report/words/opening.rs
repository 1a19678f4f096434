//! The three segments of an opening: numbers, sums, what was negotiated (RFC 9293 §3.5, §3.7.1; RFC 7323, RFC 2018).

use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::report::words::letter;
use crate::report::words::side_name;
use crate::tcp::Connection;
use crate::tcp::Event;
use crate::tcp::Outcome;
use crate::tcp::Side;
use crate::tcp::handshake::AckFault;
use crate::tcp::mss;

/// What a segment did for the opening.
pub(super) fn say(segment: &Segment<'_>, facts: &mut Facts) {
    for event in segment.seen.events {
        match *event {
            Event::Syn { retry } => syn(segment, retry, facts),
            Event::SynAck { retry, check, server_side } => syn_ack(segment, retry, check, server_side, facts),
            Event::SynAckChanged { before } => {
                let other = letter(segment.seen.side);
                facts.say(Ink::Bad, format!("another SYN,ACK: {other}={}, {other} was {before}", segment.tcp.seq));
            }
            Event::SplitHandshake => facts.say(Ink::Warn, "a SYN apart from its acknowledgment (split handshake)"),
            Event::StrayAck { ack } => {
                facts.say(Ink::Warn, format!("ack {ack} is none of this SYN: of an older connection (challenge ACK)"));
            }
            Event::SimultaneousOpen => facts.say(Ink::Warn, "SYNs crossed: both sides open (simultaneous open)"),
            Event::Established { outcome, client_side, rtt } => {
                established(segment, outcome, client_side, rtt, facts);
            }
            Event::WrongAck(fault) => wrong_ack(segment, fault, facts),
            Event::Refused { after } => refused(segment, after, facts),
            _ => {}
        }
    }
}

/// The segment belongs to the opening, so its numbers stand there as sums.
pub(super) fn is_opening(segment: &Segment<'_>) -> bool {
    segment.has(|event| {
        matches!(
            event,
            Event::Syn { .. }
                | Event::SynAck { .. }
                | Event::SynAckChanged { .. }
                | Event::Established { .. }
                | Event::WrongAck(_)
                | Event::Refused { .. }
        )
    })
}

/// `effective MSS 65483 = 65495 − 12 (timestamps)` for each direction, or for both at once.
pub(in crate::report) fn effective_mss(connection: &Connection) -> Vec<Facts> {
    let sums = [Side::Client, Side::Server].map(|sender| connection.effective_mss(sender));
    let line = |arrow: &str, sum: &mss::Sum| {
        let mut facts = Facts::default();
        let (text, remark) = mss_sum(sum);
        facts.plain(format!("{arrow} {text}"));
        if let Some(remark) = remark {
            facts.plain(remark);
        }
        facts
    };
    if let [Some(there), Some(back)] = &sums
        && there == back
    {
        return vec![line(if connection.oriented { "C↔S" } else { "A↔B" }, there)];
    }
    [Side::Client, Side::Server]
        .into_iter()
        .zip(&sums)
        .filter_map(|(sender, sum)| Some(line(arrow(connection, sender), sum.as_ref()?)))
        .collect()
}

/// The sum, and a word about its first term where that is not simply the receiver's option.
fn mss_sum(sum: &mss::Sum) -> (String, Option<String>) {
    let Some((first, rest)) = sum.terms.split_first() else {
        return (format!("effective MSS {}", sum.value), None);
    };
    let mut text = format!("effective MSS {}", sum.value);
    if !rest.is_empty() {
        text += &format!(" = {}", first.octets);
        for term in rest {
            let what = term.what.split(" in every").next().unwrap_or(term.what);
            text += &format!(" − {} ({what})", term.octets.unsigned_abs());
        }
    }
    let usual = first.what.starts_with("receiver");
    (text, (!usual).then(|| format!("{}: {}", first.octets, first.what)))
}

fn syn(segment: &Segment<'_>, retry: u16, facts: &mut Facts) {
    facts.plain(format!("{}={}", letter(segment.seen.side), segment.tcp.seq));
    if retry > 0 {
        let first = segment.connection().handshake.syn.filter(|_| segment.seen.side == Side::Client);
        let since = first.map(|first| segment.packet.meta.at.since(first.at));
        let since = since.map(|span| format!(", {} after the first", text::span(span))).unwrap_or_default();
        facts.say(Ink::Warn, format!("retry {retry}: the same SYN again{since}"));
    }
    if segment.tcp.len > 0 {
        facts.plain(format!("{} B of data on the SYN", segment.tcp.len));
    }
    offers(segment, facts);
}

fn syn_ack(segment: &Segment<'_>, retry: u16, check: Verdict<AckFault>, server_side: Option<Span>, facts: &mut Facts) {
    facts.plain(format!("{}={}", letter(segment.seen.side), segment.tcp.seq));
    ack_sum(segment, check, facts);
    if retry > 0 {
        facts.say(Ink::Warn, format!("retry {retry}: the same SYN,ACK again"));
    }
    if let Some(span) = server_side {
        facts.plain(format!("server side {}", text::span(span)));
    }
    offers(segment, facts);
}

/// Does the segment's acknowledgment fit the peer's SYN? `ack 1001 = J+1 ✓`.
fn ack_sum(segment: &Segment<'_>, check: Verdict<AckFault>, facts: &mut Facts) {
    let peer = segment.seen.side.peer();
    let (ack, letter) = (segment.tcp.ack, letter(peer));
    let isn = segment.receiver().isn;
    let as_sum = |isn: Option<SeqNumber>| match isn.map(|isn| isn.offset_to(ack)) {
        Some(offset @ ..=MAX_OFFSET) => format!("ack {ack} = {letter}+{offset}"),
        _ => format!("ack {ack}"),
    };
    match check {
        Verdict::Holds => {
            let octets = isn.map_or(0, |isn| isn.offset_to(ack).saturating_sub(1));
            let data = if octets > 0 { format!(" (SYN and {octets} B)") } else { String::new() };
            facts.say(Ink::Good, format!("{} ✓{data}", as_sum(isn)));
        }
        Verdict::Broken(AckFault::AboveSent { snd_nxt, over_by, .. }) => {
            let who = side_name(segment.connection(), peer);
            let sum = as_sum(isn);
            facts.say(Ink::Bad, format!("{sum} ✗ {over_by} too many: the {who}'s next is {snd_nxt}"));
        }
        Verdict::Broken(AckFault::BelowSyn { isn, .. }) => {
            let wanted = isn.plus(1);
            let off = i64::from(wanted.distance_to(ack));
            facts.say(Ink::Bad, format!("ack {ack} ✗ {letter}+1 is {wanted}: off by {}", signed(off)));
        }
        Verdict::CannotTell(gap) => facts.say(Ink::Dim, format!("ack {ack}, cannot tell: {gap}")),
    }
}

fn established(
    segment: &Segment<'_>,
    outcome: Outcome,
    client_side: Option<Span>,
    rtt: Option<Span>,
    facts: &mut Facts,
) {
    let handshake = &segment.connection().handshake;
    // A SYN,ACK that completes has its sum already (simultaneous open).
    if !segment.tcp.flags.has(TcpFlags::SYN) {
        if handshake.syn.is_some() && outcome != Outcome::Partial {
            own_sum(segment, facts);
        }
        ack_sum(segment, handshake.ack_check.unwrap_or(Verdict::CannotTell(Gap::NoHandshake)), facts);
    }
    if let Some(span) = client_side {
        facts.plain(format!("client side {}", text::span(span)));
    }
    let rtt = rtt.map(|span| format!(", rtt {}", text::span(span))).unwrap_or_default();
    match outcome {
        Outcome::EstablishedAckLost => facts.say(
            Ink::Good,
            format!("ESTABLISHED{rtt}: the third segment is not here, this one shows that it was sent"),
        ),
        Outcome::Simultaneous => facts.say(Ink::Good, format!("ESTABLISHED{rtt} by simultaneous open")),
        Outcome::FastOpen => facts.say(Ink::Good, format!("ESTABLISHED{rtt}, the SYN's data was taken (Fast Open)")),
        Outcome::Partial => facts.plain("open, as far as captured"),
        _ => facts.say(Ink::Good, format!("ESTABLISHED{rtt}")),
    }
}

/// `seq J+1 ✓`: the segment goes on where the SYN, and data that it carried, ended.
fn own_sum(segment: &Segment<'_>, facts: &mut Facts) {
    let (Some(isn), letter) = (segment.sender().isn, letter(segment.seen.side)) else { return };
    let syn_data = segment.connection().handshake.syn_data();
    match isn.offset_to(segment.tcp.seq) {
        1 => facts.say(Ink::Good, format!("seq {letter}+1 ✓")),
        offset if offset == 1 + syn_data => facts.say(Ink::Good, format!("seq {letter}+{offset} ✓")),
        offset @ ..=MAX_OFFSET => facts.plain(format!("seq {letter}+{offset}")),
        _ => facts.plain(format!("seq {}", segment.tcp.seq)),
    }
}

fn wrong_ack(segment: &Segment<'_>, fault: AckFault, facts: &mut Facts) {
    ack_sum(segment, Verdict::Broken(fault), facts);
    if segment.tcp.flags.has(TcpFlags::RST) {
        facts.plain("it resets nothing");
    } else {
        facts.say(Ink::Bad, "completes nothing");
    }
}

fn refused(segment: &Segment<'_>, after: Span, facts: &mut Facts) {
    let offset = segment.receiver().isn.map_or(1, |isn| isn.offset_to(segment.tcp.ack));
    let text = format!(
        "REFUSED after {}: RST,ACK acknowledges {}+{offset} — the host is up, nobody listens on port {}",
        text::span(after),
        letter(segment.seen.side.peer()),
        segment.seen.server.port,
    );
    facts.say(Ink::Bad, text);
}

/// The options of a SYN.
fn offers(segment: &Segment<'_>, facts: &mut Facts) {
    let said = &segment.tcp.said;
    facts.plain(match said.mss {
        Some(option) => mss_words(option, segment.connection().ipv6),
        None => "no mss".to_owned(),
    });
    if let Some(shift) = said.window_scale {
        // RFC 7323 §2.3.
        let used = if shift > 14 { " (14 used)" } else { "" };
        facts.plain(format!("wscale {shift}{used}"));
    }
    if said.sack_permitted {
        facts.plain("sack");
    }
    if said.timestamps.is_some() {
        facts.plain("ts");
    }
    match said.fast_open {
        Some(0) => facts.plain("Fast Open: asks for a cookie"),
        Some(cookie) => facts.plain(format!("Fast Open cookie of {cookie} B")),
        None => {}
    }
    if said.mptcp != 0 {
        facts.plain("mptcp");
    }
    // RFC 3168 §6.1.1: ECN is asked for with both, granted with ECE alone.
    match (segment.tcp.flags.has(TcpFlags::ECE), segment.tcp.flags.has(TcpFlags::CWR)) {
        (true, true) => facts.plain("ecn asked"),
        (true, false) => facts.plain("ecn granted"),
        _ => {}
    }
}

/// `mss 1460 (MTU 1500 −20 −20)`: the option and the link that it tells of.
fn mss_words(option: u16, ipv6: bool) -> String {
    if option == 0 {
        return "mss 0 (hosts ignore it)".to_owned();
    }
    let mtu = mss::implied_mtu(option, ipv6);
    let ip = if ipv6 { mss::IPV6_HEADER } else { mss::IPV4_HEADER };
    match (ipv6, mtu) {
        (false, 65_535) => format!("mss {option} (65535−40, loopback)"),
        (true, 65_536) => format!("mss {option} (MTU 65536 −40 −20, loopback)"),
        _ => format!("mss {option} (MTU {mtu} −{ip} −{})", mss::TCP_HEADER),
    }
}

fn signed(number: i64) -> String {
    if number < 0 { format!("−{}", number.unsigned_abs()) } else { format!("+{number}") }
}

/// Sums with more than this are no sums that anybody meant.
const MAX_OFFSET: u32 = 65_536;
