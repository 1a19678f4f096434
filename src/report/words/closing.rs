//! How a connection ends: FIN and its sum, RST and its kind, who waits afterwards (RFC 9293 §3.6, §3.10.7).

use crate::flow::EndedConnection;
use crate::flow::Leaves;
use crate::flow::Stage;
use crate::packet::Span;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::several;
use crate::report::words::side_name;
use crate::tcp::CloseKind;
use crate::tcp::Connection;
use crate::tcp::Event;
use crate::tcp::Outcome;
use crate::tcp::Side;
use crate::tcp::teardown::ResetKind;

/// What a segment did for the end.
pub(super) fn say(segment: &Segment<'_>, facts: &mut Facts) {
    for event in segment.seen.events {
        match *event {
            Event::Fin { retry, idle } => fin(segment, retry, idle, facts),
            Event::Reset(kind) => reset(segment, kind, facts),
            Event::ResetIgnored { seq } => facts.say(
                Ink::Warn,
                format!("ends nothing: seq {} is not the number that is expected next", segment.own_number(seq)),
            ),
            _ => {}
        }
    }
    if segment.has(|event| matches!(event, Event::FinAcked)) {
        fin_sum(segment, facts);
    }
}

/// The line below the last segment: who closed, in which way, who waits.
pub(in crate::report) fn closed(connection: &Connection, kind: CloseKind, first_by: Side) -> Facts {
    let mut facts = Facts::default();
    let who = side_name(connection, first_by);
    let resetter = connection.teardown.reset.map_or(first_by, |(side, _, _)| side);
    match kind {
        CloseKind::FourWay => closed_by(&mut facts, who, "four-way close"),
        CloseKind::ThreeSegment => closed_by(&mut facts, who, "three-segment close"),
        CloseKind::Simultaneous => closed_by(&mut facts, "both at once", "simultaneous close"),
        CloseKind::HalfClose => {
            let other = side_name(connection, first_by.peer());
            closed_by(&mut facts, who, &format!("half-close: the {other} went on sending before it closed too"));
        }
        CloseKind::Abort => {
            facts.say(Ink::Bad, format!("aborted by {who}: RST without FIN"));
            facts.plain("closed or killed with data unread, or linger 0");
        }
        CloseKind::ResetAfterFin => {
            facts.say(Ink::Bad, format!("closed by {who}, then reset by {}", side_name(connection, resetter)));
            if resetter == first_by {
                facts.plain("its process was gone while data still came: ended, killed, or closed without reading on");
            }
        }
        // Refused: told where it happened.
        CloseKind::NotSeen | CloseKind::Open => return facts,
    }
    match connection.teardown.time_wait() {
        [true, true] => facts.plain(format!("both hold TIME_WAIT {TWO_MSL}")),
        [true, false] => facts.plain(format!("{} holds TIME_WAIT {TWO_MSL}", side_name(connection, Side::Client))),
        [false, true] => facts.plain(format!("{} holds TIME_WAIT {TWO_MSL}", side_name(connection, Side::Server))),
        [false, false] => {}
    }
    totals(connection, &mut facts);
    let orderly = matches!(kind, CloseKind::FourWay | CloseKind::ThreeSegment);
    if orderly && first_by == Side::Client && connection.turns.answers > 0 {
        // The kernel closes the sockets of a process that was killed as it does for one that exits.
        facts.say(Ink::Dim, "exit, close and kill send the same FIN");
    }
    facts
}

/// How a connection ended, whether a segment told it or not.
pub(in crate::report) fn end_of(whole: &EndedConnection<'_>) -> Facts {
    let connection = whole.connection;
    let kind = connection.close_kind();
    let over = connection.teardown.is_over() && !matches!(kind, CloseKind::NotSeen | CloseKind::Open);
    match connection.teardown.first_by().filter(|_| over) {
        Some(first_by) => closed(connection, kind, first_by),
        None => ended(whole),
    }
}

/// What is left to say of a connection whose end no segment told; empty where one did.
pub(in crate::report) fn ended(ended: &EndedConnection<'_>) -> Facts {
    let connection = ended.connection;
    let mut facts = Facts::default();
    if connection.teardown.is_over() {
        return facts;
    }
    match connection.outcome() {
        Outcome::Refused | Outcome::Unreachable => return facts,
        Outcome::NoAnswer => no_answer(connection, &mut facts),
        Outcome::HalfOpen => {
            let times = several(u64::from(connection.handshake.syn_ack_retries) + 1, "SYN,ACK");
            facts.say(Ink::Warn, format!("never completed: {times}, no acknowledgment of K+1 was seen"));
        }
        _ => still_open(connection, &mut facts),
    }
    match ended.why {
        Leaves::TimedOut => {
            let stage = if connection.handshake.is_settled() { Stage::Open } else { Stage::Attempt };
            facts.plain(format!("silent for more than {}, forgotten", text::span(stage.timeout())));
        }
        Leaves::Reused => facts.plain("its ports were taken by a new connection"),
        Leaves::Evicted => facts.say(Ink::Warn, "no longer followed: too many connections at once"),
        Leaves::CaptureEnd => facts.plain("the capture ended"),
    }
    totals(connection, &mut facts);
    facts
}

fn fin(segment: &Segment<'_>, retry: bool, idle: Option<Span>, facts: &mut Facts) {
    let fin = segment.own_number(segment.tcp.seq.plus(segment.tcp.len));
    facts.plain(if segment.tcp.len > 0 { format!("FIN is {fin}") } else { format!("seq {fin}") });
    if retry {
        facts.say(Ink::Warn, "retransmission: the same FIN again");
    }
    if let Some(idle) = idle {
        let text = format!("FIN after {} of silence: the pattern of a read deadline", text::span(idle));
        facts.say(Ink::Warn, text);
    }
}

/// `ack 8 = 7+1 ✓`: the acknowledgment covers the peer's FIN, and nothing more.
fn fin_sum(segment: &Segment<'_>, facts: &mut Facts) {
    let Some(fin) = segment.receiver().fin else { return };
    let ack = segment.tcp.ack;
    let (fin_number, ack_number) = (segment.peer_number(fin), segment.peer_number(ack));
    match fin.offset_to(ack) {
        1 => facts.say(Ink::Good, format!("ack {ack_number} = {fin_number}+1 ✓")),
        more => facts.say(Ink::Bad, format!("ack {ack_number} = {fin_number}+{more} ✗ {} too many", more - 1)),
    }
}

fn reset(segment: &Segment<'_>, kind: ResetKind, facts: &mut Facts) {
    match kind {
        // The opening has told it.
        ResetKind::RefusesSyn => {}
        ResetKind::Abort => facts.say(Ink::Bad, "abort: closed with octets unread, with linger 0, or the process died"),
        ResetKind::NoConnection => {
            facts.say(Ink::Bad, "reset: it found no connection there any more");
        }
    }
    if kind != ResetKind::RefusesSyn {
        facts.plain(format!("seq {}", segment.own_number(segment.tcp.seq)));
    }
}

fn closed_by(facts: &mut Facts, who: &str, how: &str) {
    facts.say(Ink::Good, format!("closed by {who}"));
    facts.plain(how);
}

fn no_answer(connection: &Connection, facts: &mut Facts) {
    if connection.handshake.syn_ack_check.is_some_and(|check| check.fault().is_some()) {
        facts.say(Ink::Bad, "no acceptable answer to the SYN");
        return;
    }
    let retries = u64::from(connection.handshake.syn_retries);
    let tried = connection.handshake.syn.map(|first| connection.last.at.since(first.at));
    facts.say(
        Ink::Bad,
        match tried.filter(|_| retries > 0) {
            Some(span) => format!("no answer to {} in {}", several(retries + 1, "SYN"), text::span(span)),
            None => "no answer to the SYN".to_owned(),
        },
    );
}

fn still_open(connection: &Connection, facts: &mut Facts) {
    let closers = [Side::Client, Side::Server].map(|side| connection.teardown.fin[side.index()].is_some());
    let name = |side| side_name(connection, side);
    match closers {
        [false, false] => facts.plain("still open"),
        [true, true] => facts.say(Ink::Warn, "both sides sent FIN, the last acknowledgment was not seen"),
        [client, _] => {
            let (closer, other) = if client { (Side::Client, Side::Server) } else { (Side::Server, Side::Client) };
            facts.say(Ink::Warn, format!("half closed: {} sent FIN, {} did not", name(closer), name(other)));
        }
    }
}

fn totals(connection: &Connection, facts: &mut Facts) {
    if let Some(mean) = connection.turns.mean() {
        let answers = several(connection.turns.answers.into(), "answer");
        facts.plain(format!("{answers}, mean {}", text::span(mean)));
    }
    let again: u64 = [Side::Client, Side::Server].iter().map(|side| connection.side(*side).repeated_packets).sum();
    if again > 0 {
        facts.say(Ink::Warn, format!("{} retransmitted", several(again, "segment")));
    }
}

/// What hosts make of 2·MSL.
const TWO_MSL: &str = "(60 s assumed on Linux, 240 s by RFC)";
