//! What holds for every verdict: a capture that begins later accuses nobody whom the whole one does not, numbers are
//! relative, and other people's traffic changes nothing.
//!
//! The lives in `lives.txt` show every code that can be said of a segment; each claim is checked on all of them.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

mod bad;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use proptest::prelude::*;
use synscope::craft;
use synscope::craft::Trace;
use synscope::decode::decode;
use synscope::finding::Code;
use synscope::finding::Finding;
use synscope::finding::Kind;
use synscope::finding::Verdict;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::Frame;
use synscope::packet::Packet;
use synscope::packet::SeqNumber;
use synscope::packet::Span;
use synscope::packet::TcpFlags;
use synscope::packet::Transport;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Seen;
use synscope::pipeline::Sink;
use synscope::tcp::Side;
use synscope::tcp::verdict::Judgement;
use synscope::tcp::verdict::Number;

const OPEN: &str = "\
+0.000 C > S S  100:100(0) win 10000 <mss 1460, sackOK>
+0.010 S > C S. 900:900(0) ack 101 win 10000 <mss 1460, sackOK>
+0.010 C > S .  101:101(0) ack 901 win 10000";
const OPEN_TS: &str = "\
+0.000 C > S S  100:100(0) win 10000 <mss 1460, sackOK, ts 1000 0>
+0.010 S > C S. 900:900(0) ack 101 win 10000 <mss 1460, sackOK, ts 7000 1000>
+0.010 C > S .  101:101(0) ack 901 win 10000 <ts 1020 7000>";

/// A life of one connection.
struct Life {
    name: &'static str,
    script: String,
}

fn lives() -> Vec<Life> {
    include_str!("lives.txt").trim().split("\n\n").map(life).collect()
}

fn life(text: &'static str) -> Life {
    let (name, lines) = text.split_once('\n').unwrap();
    let whole = |line: &str| match line {
        "open" => OPEN.to_owned(),
        "open ts" => OPEN_TS.to_owned(),
        packet => packet.to_owned(),
    };
    Life { name, script: lines.lines().map(|line| whole(line) + "\n").collect() }
}

impl Life {
    fn trace(&self) -> Trace {
        craft::play(&self.script).unwrap_or_else(|error| panic!("{}: {error}\n{}", self.name, self.script))
    }
}

struct Nobody;

impl Sink for Nobody {
    fn connection(&mut self, _: &EndedConnection<'_>) {}
    fn exchange(&mut self, _: &EndedExchange<'_>) {}
    fn finding(&mut self, _: Finding) {}
}

/// What is said of one segment: whose it is and all judgements.
type Said = (Side, Vec<Judgement>);

/// What is said of each segment, by frame number, when the packets are judged in this order.
fn judge<'a>(packets: impl IntoIterator<Item = Packet<'a>>) -> BTreeMap<u64, Said> {
    let mut analyzer = Analyzer::default().patient().judging(Judging::Everything);
    let mut said = BTreeMap::new();
    for packet in packets {
        if let Seen::Tcp(seen) = analyzer.observe(&packet, &mut Nobody) {
            said.insert(packet.meta.number, (seen.side, seen.judgements.to_vec()));
        }
    }
    said
}

fn is_broken(judgement: &Judgement) -> bool {
    judgement.verdict == Verdict::Broken(())
}

#[test]
fn the_lives_show_every_code_that_is_said_of_a_segment() {
    let mut shown = BTreeSet::new();
    for life in lives() {
        let trace = life.trace();
        for (_, said) in judge(trace.frames().map(|frame| decode(&frame))).into_values() {
            shown.extend(said.iter().filter(|judgement| is_broken(judgement)).map(|judgement| judgement.code));
        }
    }
    let missing: Vec<_> = Code::ALL.iter().filter(|code| code.kind() != Kind::Whole && !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no life shows {missing:?}: the claims below are not checked on them");
}

#[test]
fn a_capture_that_begins_later_never_turns_holds_into_broken() {
    let mut wrong = Vec::new();
    for life in lives() {
        let trace = life.trace();
        let frames: Vec<Frame<'_>> = trace.frames().collect();
        let whole = judge(frames.iter().map(decode));
        for skipped in 1..frames.len() {
            for (frame, (_, said)) in judge(frames[skipped..].iter().map(decode)) {
                // Where it begins is what that code says.
                let accused = said.iter().filter(|judged| is_broken(judged) && judged.code != Code::MidStream);
                let held = |code| whole[&frame].1.iter().any(|judged| judged.code == code && judged.verdict.holds());
                wrong.extend(accused.filter(|judged| held(judged.code)).map(|judged| {
                    format!("{}: packet {frame} without the first {skipped}: {}", life.name, judged.code)
                }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules whose breaking accuses somebody: silence in the whole capture is as good as a `Holds` there.
const ACCUSING: [Code; 12] = [
    Code::SynAckAck,
    Code::HandshakeAck,
    Code::FinAck,
    Code::SegmentAcceptable,
    Code::AckRange,
    Code::WindowShrunk,
    Code::BeyondWindow,
    Code::ResetValid,
    Code::Paws,
    Code::SackSane,
    Code::OverlapDiffers,
    Code::StateUnexpected,
];

#[test]
fn a_capture_that_begins_later_accuses_nobody_whom_the_whole_one_does_not() {
    let mut wrong = Vec::new();
    for life in lives() {
        let trace = life.trace();
        let frames: Vec<Frame<'_>> = trace.frames().collect();
        let whole = judge(frames.iter().map(decode));
        for skipped in 1..frames.len() {
            for (frame, (_, said)) in judge(frames[skipped..].iter().map(decode)) {
                let accused = said.iter().filter(|judged| is_broken(judged) && ACCUSING.contains(&judged.code));
                let known = |code| whole[&frame].1.iter().any(|judged| judged.code == code && is_broken(judged));
                wrong.extend(accused.filter(|judged| !known(judged.code)).map(|judged| {
                    format!("{}: packet {frame} without the first {skipped}: {}", life.name, judged.code)
                }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The packet with its sender's numbers moved by `own` and its receiver's by `peer`.
fn moved<'a>(mut packet: Packet<'a>, own: u32, peer: u32) -> Packet<'a> {
    if let Transport::Tcp(tcp) = &mut packet.transport {
        tcp.seq = tcp.seq.plus(own);
        if tcp.flags.has(TcpFlags::ACK) {
            tcp.ack = tcp.ack.plus(peer);
        }
        for block in &mut tcp.said.sack {
            (block.left, block.right) = (block.left.plus(peer), block.right.plus(peer));
        }
    }
    packet
}

/// The judgements with the numbers moved back.
fn moved_back((side, said): Said, client: u32, server: u32) -> Said {
    let (own, peer) = if side == Side::Client { (client, server) } else { (server, client) };
    let back = |number: Number| match number {
        Number::Seq(SeqNumber(seq)) => Number::Seq(SeqNumber(seq.wrapping_sub(own))),
        Number::PeerSeq(SeqNumber(seq)) => Number::PeerSeq(SeqNumber(seq.wrapping_sub(peer))),
        Number::Count(_) | Number::Span(_) | Number::Word(_) => number,
    };
    let said = said.into_iter().map(|mut judged| {
        judged.inputs.iter_mut().for_each(|(_, number)| *number = back(*number));
        judged
    });
    (side, said.collect())
}

/// Lives put into one capture, each with a client port of its own, counted from `first`, and a start of its own.
struct Merged {
    frames: Vec<(usize, u64, Span, usize)>,
    traces: Vec<Trace>,
}

impl Merged {
    fn of(scripts: Vec<String>, starts: &[u32], first: usize) -> Self {
        let port = |n: usize| format!("C = 10.0.0.1:{}\n", 20_000 + first + n);
        let play = |(n, script): (usize, String)| craft::play(&(port(n) + &script)).unwrap();
        let traces: Vec<Trace> = scripts.into_iter().enumerate().map(play).collect();
        let mut frames = Vec::new();
        for (flow, trace) in traces.iter().enumerate() {
            let start = Span::from_millis(i64::from(starts[flow % starts.len()]));
            frames.extend(trace.frames.iter().enumerate().map(|(at, (meta, _))| (flow, meta.number, start, at)));
        }
        let mut merged = Self { frames, traces };
        let at = |&(flow, number, start, at): &(usize, u64, Span, usize)| {
            (merged.traces[flow].frames[at].0.at.plus(start), flow, number)
        };
        let mut order: Vec<_> = merged.frames.iter().map(|frame| (at(frame), *frame)).collect();
        order.sort_by_key(|(key, _)| *key);
        merged.frames = order.into_iter().map(|(_, frame)| frame).collect();
        merged
    }

    /// Judgements by flow and by the number that a frame had there.
    fn judge(&self) -> BTreeMap<(usize, u64), Said> {
        let packets = self.frames.iter().enumerate().map(|(at, &(flow, _, start, place))| {
            let (meta, bytes) = &self.traces[flow].frames[place];
            let mut meta = *meta;
            meta.number = at as u64 + 1;
            meta.at = meta.at.plus(start);
            decode(&Frame { meta, bytes })
        });
        let home = |number: u64| self.frames[number as usize - 1];
        let said = judge(packets).into_iter().map(|(number, (side, mut said))| {
            let (flow, old, ..) = home(number);
            for judged in &mut said {
                judged.rests_on.iter_mut().for_each(|frame| *frame = home(*frame).1);
            }
            ((flow, old), (side, said))
        });
        said.collect()
    }
}

/// Other people's traffic: datagrams, and a connection inside a tunnel.
fn noise() -> Vec<String> {
    let datagrams: String = (0..40).map(|_| "+0.007 C > S udp \"ask\"\n+0.001 S > C udp \"answer\"\n").collect();
    let tunnelled =
        format!("tunnel vxlan 192.0.2.1 > 192.0.2.2\n{OPEN}\n+0.010 C > S P. 101:111(10) ack 901 win 10000\n");
    let lost = tunnelled.clone() + "+0.300 C > S P. 101:111(10) ack 901 win 10000\n";
    vec![datagrams, tunnelled, lost]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn moving_all_numbers_of_a_side_changes_no_verdict(client: u32, server: u32) {
        for life in lives() {
            let trace = life.trace();
            let frames: Vec<Frame<'_>> = trace.frames().collect();
            let plain = judge(frames.iter().map(decode));
            let sides: BTreeMap<u64, Side> = plain.iter().map(|(frame, (side, _))| (*frame, *side)).collect();
            let there = judge(frames.iter().map(|frame| {
                let of_client = sides.get(&frame.meta.number) == Some(&Side::Client);
                let (own, peer) = if of_client { (client, server) } else { (server, client) };
                moved(decode(frame), own, peer)
            }));
            for (frame, said) in there {
                prop_assert_eq!(&moved_back(said, client, server), &plain[&frame], "{}: packet {}", life.name, frame);
            }
        }
    }

    #[test]
    fn other_peoples_traffic_changes_no_verdict(starts in proptest::collection::vec(0u32..500, 1..40)) {
        let alone: Vec<_> = lives().into_iter().map(|life| life.script).chain(noise()).collect();
        let merged = Merged::of(alone.clone(), &starts, 0).judge();
        for (flow, script) in alone.into_iter().enumerate() {
            for ((_, frame), said) in Merged::of(vec![script.clone()], &[0], flow).judge() {
                prop_assert_eq!(merged.get(&(flow, frame)), Some(&said), "packet {} of\n{}", frame, script);
            }
        }
    }
}
