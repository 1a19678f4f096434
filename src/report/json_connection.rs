//! A connection as the machine contract writes it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::flow::EndedConnection;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::pipeline::trial::Position;
use crate::pipeline::trial::Signs;
use crate::pipeline::trial::of_connection;
use crate::report::json::Address;
use crate::report::json::Text;
use crate::report::json_ledger::Tcptrace;
use crate::report::json_ledger::Zeek;
use crate::report::json_life::RoundTrips;
use crate::report::json_life::StateStep;
use crate::report::json_life::TimeBudget;
use crate::report::messages;
use crate::report::mss;
use crate::report::silence::Silence;
use crate::report::verdicts::Trial;
use crate::tcp;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::handshake::FastOpen;
use crate::tcp::predecessor;
use crate::tcp::reset::ResetCause;

/// Object `connection`.
#[derive(Serialize)]
pub(super) struct Connection<'a> {
    r#type: &'static str,
    file: &'a str,
    stream: u64,
    client: Address,
    server: Address,
    /// Who is client was seen, not assumed.
    oriented: bool,
    /// It was told of before, when very many attempts waited: this line takes that one's place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    resumed: bool,
    start: Text<Timestamp>,
    end: Text<Timestamp>,
    first_frame: u64,
    last_frame: u64,
    handshake: Handshake,
    close: Close,
    #[serde(skip_serializing_if = "Option::is_none")]
    completeness: Option<u8>,
    a2b: Sent,
    b2a: Sent,
    mss: mss::BothWays,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<messages::BothWays>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zeek: Option<Zeek<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcptrace: Option<Tcptrace<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt: Option<RoundTrips>,
    /// Steps of both endpoints, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    states: Option<Vec<StateStep>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<Silence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_budget: Option<TimeBudget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Answers>,
    /// How often what was found or broken on a segment, by code.
    verdict_counts: BTreeMap<&'static str, u32>,
    /// What the capture itself cannot know of it.
    trial: Trial,
}

#[derive(Serialize)]
struct Handshake {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    syn_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syn_ack_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_isn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_isn: Option<u32>,
    syn_retries: u16,
    syn_ack_retries: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_rtt: Option<Text<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_rtt: Option<Text<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt: Option<Text<Span>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syn_ack_check: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ack_check: Option<&'static str>,
    /// What both offered; absent where a SYN is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    negotiated: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fast_open: Option<&'static str>,
    /// Where on the path the capture was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    vantage: Option<&'static str>,
}

#[derive(Serialize)]
struct Close {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_by: Option<&'static str>,
    fin_frames: Vec<u64>,
    rst_frames: Vec<u64>,
    resets: u32,
    time_wait: Vec<&'static str>,
    /// How long that lasts is not on the wire: what is assumed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_wait_assumed: Option<TimeWait>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_cause: Option<&'static str>,
}

#[derive(Serialize)]
struct TimeWait {
    rfc9293: Text<Span>,
    linux: Text<Span>,
}

/// What one side sent.
#[derive(Serialize)]
struct Sent {
    packets: u64,
    bytes: u64,
    unique_bytes: u64,
    repeated_packets: u64,
    repeated_bytes: u64,
    unseen_bytes: u64,
    bad_checksums: u32,
    zero_windows: u32,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_scale: Option<u8>,
}

#[derive(Serialize)]
struct Answers {
    count: u32,
    mean: Text<Span>,
    longest: Text<Span>,
}

impl<'a> Connection<'a> {
    pub(super) fn of(file: &'a str, ended: &EndedConnection<'a>) -> Self {
        let connection = ended.connection;
        let turns = &connection.turns;
        Self {
            r#type: "connection",
            file,
            stream: ended.stream,
            client: ended.client.into(),
            server: ended.server.into(),
            oriented: connection.oriented,
            resumed: ended.resumed,
            start: Text(connection.first.at),
            end: Text(connection.last.at),
            first_frame: connection.first.frame,
            last_frame: connection.last.frame,
            handshake: handshake(connection),
            close: close(connection),
            completeness: ended.completeness,
            a2b: sent(connection, Side::Client),
            b2a: sent(connection, Side::Server),
            mss: mss::BothWays::of(ended, None),
            messages: messages::BothWays::of(ended),
            zeek: ended.ledger.map(|ledger| Zeek::of(ended, &ledger.zeek)),
            tcptrace: ended.ledger.map(|ledger| Tcptrace::of(ended, &ledger.tcptrace)),
            rtt: RoundTrips::of(connection),
            states: connection.state_steps().map(|steps| steps.iter().map(StateStep::of).collect()),
            silence: connection.silences().and_then(Silence::of),
            time_budget: connection.time_budget().map(TimeBudget),
            answers: turns.mean().map(|mean| Answers {
                count: turns.answers,
                mean: Text(mean),
                longest: Text(turns.longest),
            }),
            verdict_counts: connection.counts().iter().map(|count| (count.code.as_str(), count.count)).collect(),
            trial: Trial(of_connection(connection, &ended.blind)),
        }
    }
}

fn handshake(connection: &tcp::Connection) -> Handshake {
    let handshake = &connection.handshake;
    let frame = |mark: Option<Mark>| mark.map(|mark| mark.frame);
    let isn = |side| connection.side(side).isn.map(|SeqNumber(isn)| isn);
    Handshake {
        outcome: handshake.outcome().name(),
        syn_frame: frame(handshake.syn),
        syn_ack_frame: frame(handshake.syn_ack),
        ack_frame: frame(handshake.ack),
        client_isn: isn(Side::Client),
        server_isn: isn(Side::Server),
        syn_retries: handshake.syn_retries,
        syn_ack_retries: handshake.syn_ack_retries,
        server_rtt: handshake.server_rtt.map(Text),
        client_rtt: handshake.client_rtt.map(Text),
        rtt: handshake.rtt().map(Text),
        syn_ack_check: handshake.syn_ack_check.map(|check| check.name()),
        ack_check: handshake.ack_check.map(|check| check.name()),
        negotiated: connection.negotiated().map(Iterator::collect),
        fast_open: handshake.fast_open.map(FastOpen::name),
        vantage: Signs::of(connection).position().ok().map(Position::name),
    }
}

fn close(connection: &tcp::Connection) -> Close {
    let teardown = &connection.teardown;
    let mut fin_frames: Vec<u64> = teardown.fin.iter().flatten().map(|mark| mark.frame).collect();
    fin_frames.sort_unstable();
    let sides = [Side::Client, Side::Server].into_iter().zip(teardown.time_wait());
    Close {
        kind: connection.close_kind().name(),
        first_by: teardown.first_by().map(Side::name),
        fin_frames,
        rst_frames: teardown.reset.iter().map(|(_, mark, _)| mark.frame).collect(),
        resets: teardown.resets,
        time_wait: sides.filter(|(_, holds)| *holds).map(|(side, _)| side.name()).collect(),
        time_wait_assumed: teardown.time_wait().contains(&true).then_some(TimeWait {
            rfc9293: Text(predecessor::TIME_WAIT_RFC),
            linux: Text(predecessor::TIME_WAIT_LINUX),
        }),
        reset_cause: connection.reset_cause().map(ResetCause::name),
    }
}

fn sent(connection: &tcp::Connection, side: Side) -> Sent {
    let view = connection.side(side);
    Sent {
        packets: view.packets,
        bytes: view.bytes,
        unique_bytes: view.unique_bytes,
        repeated_packets: view.repeated_packets,
        repeated_bytes: view.repeated_bytes,
        unseen_bytes: view.unseen_bytes,
        bad_checksums: view.bad_checksums,
        zero_windows: view.zero_windows,
        state: view.state.name(),
        window_scale: connection.window_scale(side),
    }
}
