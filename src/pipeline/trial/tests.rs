#![cfg(test)]
//! Each item of the trial: a capture in which it is found, a near twin in which it is ruled out, and one that cannot tell.

use crate::craft;
use crate::decode::decode;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Gap;
use crate::finding::Severity;
use crate::finding::Verdict;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::LinkType;
use crate::packet::Timestamp;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::pipeline::Sink;
use crate::pipeline::trial::of_connection;
use crate::source::FileSource;
use crate::source::Flow;
use crate::source::MemorySource;
use crate::source::Poll;
use crate::source::Source;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;
use Code::*;

const FOUND: Verdict<()> = Verdict::Broken(());
const NONE: Verdict<()> = Verdict::Holds;

const fn open(gap: Gap) -> Verdict<()> {
    Verdict::CannotTell(gap)
}

/// What was said of the capture, of each connection, and found.
#[derive(Default)]
struct Heard {
    capture: Vec<Judgement>,
    connections: Vec<Vec<Judgement>>,
    findings: Vec<Finding>,
}

impl Sink for Heard {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.connections.push(of_connection(ended.connection, &ended.blind));
    }
    fn exchange(&mut self, _: &EndedExchange<'_>) {}
    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Heard {
    fn item(&self, code: Code) -> &Judgement {
        self.capture.iter().find(|item| item.code == code).expect("every item is on every list")
    }

    /// Of the capture, and of its first connection.
    fn both(&self, code: Code) -> (Verdict<()>, Verdict<()>) {
        let first = self.connections.first().expect("a connection");
        let of_first = first.iter().find(|item| item.code == code).expect("every item is on every list");
        (self.item(code).verdict, of_first.verdict)
    }

    fn of_first(&self, code: Code, name: &str) -> Option<Number> {
        self.connections[0].iter().find(|item| item.code == code).and_then(|item| item.input(name))
    }

    fn finding(&self, code: Code) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.code == code)
    }
}

/// Plays a script; before each of the frames in `lost` the capturing side says that it has lost so many in all.
fn hear_losing(script: &str, dropped: Option<u64>, lost: &[(u64, u64)], judging: Judging) -> Heard {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let (mut analyzer, mut heard) = (Analyzer::default().judging(judging), Heard::default());
    if dropped.is_some() {
        analyzer.capture_lost(0);
    }
    for frame in trace.frames() {
        if let Some((_, total)) = lost.iter().find(|(before, _)| *before == frame.meta.number) {
            analyzer.capture_lost(*total);
        }
        analyzer.observe(&decode(&frame), &mut heard);
    }
    analyzer.finish(&mut heard);
    let source = MemorySource::new(LinkType::RAW, Vec::<(Timestamp, Vec<u8>)>::new());
    heard.capture = analyzer.trial_of(source.info(), dropped);
    heard
}

fn hear(script: &str) -> Heard {
    hear_losing(script, None, &[], Judging::Broken)
}

/// 20 ms to the server and back, `client` to the client and back.
fn opened(server: &str, client: &str) -> String {
    format!(
        "+0.000    C > S  S   100:100(0)            win 10000  <mss 1460, sackOK>
         +{server} S > C  S.  900:900(0)   ack 101  win 10000  <mss 1460, sackOK>
         +{client} C > S  .   101:101(0)   ack 901  win 10000\n"
    )
}

const TALK: &str = "+0.010 C > S P. 101:111(10) ack 901 win 10000
     +0.020 S > C P. 901:911(10) ack 111 win 10000
     +0.001 C > S .  111:111(0)  ack 911 win 10000\n";

fn talk() -> String {
    opened("0.020", "0.001") + TALK
}

#[test]
fn one_direction_alone_is_found_where_it_acknowledges_what_never_came() {
    let only = |way: &str| talk().lines().filter(|line| line.contains(way)).collect::<Vec<_>>().join("\n");
    assert_eq!(hear(&talk()).both(CaptureOneSided), (NONE, NONE));
    let client = hear(&only("C > S"));
    assert_eq!(client.both(CaptureOneSided), (FOUND, FOUND));
    assert_eq!(client.of_first(CaptureOneSided, "side"), Some(Number::Word("client")));
    assert_eq!(hear(&only("S > C")).both(CaptureOneSided), (FOUND, FOUND));
    let unanswered = hear("+0 C > S S 100:100(0) win 10000");
    assert_eq!(unanswered.both(CaptureOneSided), (open(Gap::NothingSeen), open(Gap::NothingSeen)));
}

#[test]
fn a_start_in_mid_stream_is_found_unless_the_syn_may_have_been_dropped() {
    assert_eq!(hear(TALK).both(MidStream), (FOUND, FOUND));
    assert_eq!(hear(&talk()).both(MidStream), (NONE, NONE));
    let dropped = hear_losing(TALK, Some(3), &[(1, 3)], Judging::Broken);
    assert_eq!(dropped.both(MidStream).1, open(Gap::KernelDrops));
    assert_eq!(hear("+0 C > S udp \"x\"").item(MidStream).verdict, open(Gap::NothingSeen));
}

#[test]
fn a_snap_length_shows_by_what_it_cut() {
    let cut = hear(&format!("snaplen 60\n{}", talk()));
    assert_eq!(cut.both(CaptureSnapped), (FOUND, FOUND));
    assert_eq!(cut.item(CaptureSnapped).input("snaplen"), Some(Number::Count(60)));
    assert_eq!(hear(&talk()).both(CaptureSnapped), (NONE, NONE));
    assert_eq!(hear("").item(CaptureSnapped).verdict, open(Gap::NothingSeen));
}

#[test]
fn dropped_frames_are_found_where_they_are_told_and_between_which_packets() {
    let told = |dropped, lost: &[(u64, u64)]| hear_losing(&talk(), dropped, lost, Judging::Broken).both(CaptureDrops);
    assert_eq!(told(Some(5), &[(4, 5)]), (FOUND, FOUND));
    assert_eq!(told(Some(5), &[(1, 5)]), (FOUND, NONE), "before its SYN");
    assert_eq!(told(Some(0), &[]), (NONE, NONE));
    assert_eq!(told(None, &[]), (open(Gap::NotTold), open(Gap::NotTold)));
}

#[test]
fn losses_that_are_only_told_at_the_end_may_have_been_anywhere() {
    let trace = craft::play(&talk()).expect("a script");
    let (mut analyzer, mut heard) = (Analyzer::default(), Heard::default());
    for frame in trace.frames() {
        analyzer.observe(&decode(&frame), &mut heard);
    }
    analyzer.capture_lost(7);
    analyzer.finish(&mut heard);
    let item = heard.connections[0].iter().find(|item| item.code == CaptureDrops).expect("the item");
    assert_eq!(item.verdict, open(Gap::NotTold));
}

#[test]
fn octets_acknowledged_and_not_captured_are_the_captures_own_loss() {
    let gap = hear(&(talk() + "+0.010 S > C . 911:911(0) ack 611 win 10000"));
    assert_eq!(gap.both(CaptureGap), (FOUND, FOUND));
    assert_eq!(gap.item(CaptureGap).input("octets"), Some(Number::Count(500)));
    assert_eq!(hear(&talk()).both(CaptureGap), (NONE, NONE));
    let one_sided = hear(
        "+0 S > C . 901:901(0) ack 101 win 10000
         +1 S > C . 901:901(0) ack 611 win 10000",
    );
    assert_eq!(one_sided.both(CaptureGap), (open(Gap::OneSided), open(Gap::OneSided)));
}

const TWICE: &str = "+0.010  C > S P. 111:121(10) ack 911 win 10000 id 7
     +0.0001 C > S P. 111:121(10) ack 911 win 10000 id 7 ttl 63\n";

#[test]
fn copies_are_found_by_who_judges_and_are_no_retransmissions() {
    let copied = hear(&(talk() + TWICE));
    assert_eq!(copied.both(CaptureDuplicate), (FOUND, FOUND));
    assert!(copied.finding(Retransmission).is_none(), "{:?}", copied.findings);
    let resent = hear(&(talk() + &TWICE.replace("id 7 ttl 63", "id 8").replace("+0.0001", "+0.400")));
    assert_eq!(resent.both(CaptureDuplicate), (NONE, NONE));
    assert!(resent.finding(Retransmission).is_some());
    let unjudged = hear_losing(&(talk() + TWICE), None, &[], Judging::Off);
    assert_eq!(unjudged.both(CaptureDuplicate), (open(Gap::NotTold), open(Gap::NotTold)));
}

#[test]
fn a_clock_that_steps_back_is_found_and_stamps_of_two_queues_touch_no_connection() {
    let back = |by: &str| hear(&(talk() + &format!("{by} C > S P. 111:121(10) ack 911 win 10000")));
    assert_eq!(back("-0.500").both(ClockSteps), (FOUND, FOUND));
    assert_eq!(back("-0.00001").both(ClockSteps), (FOUND, NONE));
    assert_eq!(back("+0.500").both(ClockSteps), (NONE, NONE));
    assert_eq!(hear("").item(ClockSteps).verdict, open(Gap::NothingSeen));
}

#[test]
fn super_segments_are_found_with_their_sum_and_whose_card_made_them() {
    let big = |open: String| hear(&(open + "+0.010 C > S P. 101:4481(4380) ack 901 win 10000"));
    let near_sender = big(opened("0.020", "0.001"));
    assert_eq!(near_sender.both(SuperSegments), (FOUND, FOUND));
    assert_eq!(near_sender.of_first(SuperSegments, "times"), Some(Number::Count(3)), "4380 = 3 × 1460");
    let merged = |heard: &Heard| match heard.of_first(SuperSegments, "merged") {
        Some(Number::Word(word)) => word.split(' ').next(),
        _ => None,
    };
    assert_eq!(merged(&near_sender), Some("not"), "not cut yet");
    assert_eq!(merged(&big(opened("0.001", "0.020"))), Some("merged"));
    assert_eq!(merged(&big(opened("0.010", "0.010"))), None, "in between nobody merges");
    let whole = hear(&(talk() + "+0.010 C > S P. 111:1571(1460) ack 911 win 10000"));
    assert_eq!(whole.both(SuperSegments), (NONE, NONE));
    let unknown = hear("+0.010 C > S P. 101:4481(4380) ack 901 win 10000");
    assert_eq!(unknown.both(SuperSegments), (open(Gap::NoHandshake), open(Gap::NoHandshake)));
}

#[test]
fn the_place_of_the_capture_follows_from_how_the_round_trip_splits() {
    let at = |server, client| {
        let heard = hear(&(opened(server, client) + TALK));
        (heard.both(CapturePosition), heard.of_first(CapturePosition, "at"), heard.item(CapturePosition).input("at"))
    };
    let found = |word| ((FOUND, FOUND), Some(Number::Word(word)), Some(Number::Word(word)));
    assert_eq!(at("0.020", "0.001"), found("client-side"));
    assert_eq!(at("0.001", "0.020"), found("server-side"));
    assert_eq!(at("0.010", "0.012"), found("middle"));
    let close = open(Gap::TooClose);
    assert_eq!(at("0.00001", "0.000012"), ((close, close), None, None));
    let mid = hear(TALK);
    assert_eq!(mid.both(CapturePosition), (open(Gap::NoHandshake), open(Gap::NoHandshake)));
}

#[test]
fn routers_passed_tell_the_place_where_the_round_trip_does_not_and_contradict_where_they_must() {
    let hops = |split: String, client: u8, server: u8| {
        let lines = split + TALK;
        let lines = lines.lines().map(|line| match line.contains("C > S") {
            true => format!("{line} ttl {client}\n"),
            false => format!("{line} ttl {server}\n"),
        });
        let script: String = lines.collect();
        let heard = hear(&script);
        (heard.both(CapturePosition).1, heard.of_first(CapturePosition, "at"))
    };
    let close = || opened("0.00001", "0.00002");
    assert_eq!(hops(close(), 64, 52), (FOUND, Some(Number::Word("client-side"))));
    assert_eq!(hops(close(), 120, 64), (FOUND, Some(Number::Word("server-side"))));
    assert_eq!(hops(close(), 64, 128), (open(Gap::TooClose), None), "no router on either side");
    assert_eq!(hops(opened("0.020", "0.001"), 52, 64), (open(Gap::SignsDisagree), None));
}

#[test]
fn a_finding_that_rests_on_what_was_dropped_is_a_note_that_says_so() {
    let jump = talk() + "+0.010 C > S P. 211:221(10) ack 911 win 10000";
    let blamed = hear(&jump);
    assert!(blamed.finding(LostSegment).is_some_and(|finding| !finding.text.contains("cannot be told")));
    let dropped = hear_losing(&jump, Some(2), &[(7, 2)], Judging::Broken);
    let finding = dropped.finding(LostSegment).expect("the jump is a fact");
    assert!(finding.text.ends_with("frames were lost while capturing around then"), "{}", finding.text);
    assert!(finding.evidence.contains(&("gap", "kernel-drops".into())));
    let early = hear_losing(&jump, Some(2), &[(5, 2)], Judging::Broken);
    assert!(
        early.finding(LostSegment).is_some_and(|finding| !finding.text.contains("cannot be told")),
        "lost elsewhere"
    );
}

#[test]
fn silence_in_a_capture_of_one_direction_is_nobodys_silence() {
    let syn = "+0 C > S S 100:100(0) win 10000\n+3 C > S S 100:100(0) win 10000\n+9 D > E udp \"x\"\n";
    let hosts = "D = 10.0.0.3:999\nE = 10.0.0.4:999\nF = 10.0.0.5:2000\n";
    let dead = hear(&format!("{hosts}{syn}"));
    assert_eq!(dead.finding(NoAnswer).map(|finding| finding.severity), Some(Severity::Error));
    let one_sided = "+0 F > S . 1:1(0) ack 501 win 10000\n+1 F > S R 1:1(0) win 0\n";
    let blind = hear(&format!("{hosts}{one_sided}{syn}"));
    assert_eq!(blind.finding(NoAnswer).map(|finding| finding.severity), Some(Severity::Note));
}

#[test]
fn a_syn_right_before_the_end_of_the_capture_may_still_be_answered() {
    let syn = "+0 C > S S 100:100(0) win 10000\n";
    let severity = |script: &str| hear(script).finding(NoAnswer).map(|finding| finding.severity);
    assert_eq!(severity(syn), Some(Severity::Note));
    assert_eq!(severity(&format!("{syn}+2 C > S udp \"later\"")), Some(Severity::Error));
}

#[test]
fn checksums_left_for_the_card_tell_whose_card_it_was() {
    let partial = |ways: &[&str]| {
        let script = opened("0.00001", "0.00002") + TALK;
        let left = |line: &str| ways.iter().any(|way| line.contains(way));
        let lines = script.lines().map(|line| format!("{line}{}\n", if left(line) { " checksum partial" } else { "" }));
        hear(&lines.collect::<String>())
    };
    let sender = partial(&["C > S"]);
    assert_eq!(sender.both(PartialChecksums), (FOUND, FOUND));
    assert_eq!(sender.of_first(CapturePosition, "at"), Some(Number::Word("client-side")));
    assert_eq!(partial(&["S > C"]).of_first(CapturePosition, "at"), Some(Number::Word("server-side")));
    let inside = partial(&["C > S", "S > C"]);
    assert_eq!(inside.both(PartialChecksums), (FOUND, FOUND));
    assert_eq!(inside.both(CapturePosition).1, open(Gap::TooClose), "a link inside one machine");
    assert_eq!(partial(&[]).both(PartialChecksums), (NONE, NONE));
    let cut = hear("snaplen 54\n+0 C > S P. 101:201(100) ack 901 win 10000");
    assert_eq!(cut.both(PartialChecksums), (open(Gap::Snapped), open(Gap::Snapped)));
}

#[test]
fn a_tail_that_is_cut_off_is_told_by_the_file_and_by_what_was_open() {
    let whole = craft::play(&talk()).expect("a script").to_pcap();
    let judged = |octets: &[u8]| {
        let mut source = FileSource::from_bytes("test", octets.to_vec()).expect("a capture");
        let (mut analyzer, mut heard) = (Analyzer::default(), Heard::default());
        while source
            .poll(&mut |frame| {
                analyzer.observe(&decode(frame), &mut heard);
                Flow::Continue
            })
            .expect("a file in memory")
            != Poll::End
        {}
        analyzer.finish(&mut heard);
        heard.capture = analyzer.trial_of(source.info(), None);
        (heard.item(CaptureTruncated).verdict, heard.item(CaptureTruncated).input("open"))
    };
    assert_eq!(judged(&whole), (NONE, Some(Number::Count(1))));
    assert_eq!(judged(&whole[..whole.len() - 5]), (FOUND, Some(Number::Count(1))));
}
