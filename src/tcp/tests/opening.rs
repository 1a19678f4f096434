#![cfg(test)]
//! RFC 9293 §3.5: the three segments, and everything that goes otherwise.

use super::OPEN;
use super::open_then;
use super::play;
use super::play_from;
use crate::finding::Gap;
use crate::finding::Verdict::Broken;
use crate::finding::Verdict::CannotTell;
use crate::finding::Verdict::Holds;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::Event;
use crate::tcp::Mark;
use crate::tcp::Outcome;
use crate::tcp::Side;
use crate::tcp::State;
use crate::tcp::handshake::AckFault;
use crate::tcp::handshake::FastOpen;

#[test]
fn three_segments_that_acknowledge_each_other_establish_a_connection() {
    let seen = play(OPEN);
    let handshake = &seen.connection.handshake;
    assert_eq!(handshake.outcome(), Outcome::Established);
    assert_eq!((handshake.syn_ack_check, handshake.ack_check), (Some(Holds), Some(Holds)));
    assert_eq!(handshake.server_rtt, Some(Span::from_millis(20)));
    assert_eq!(handshake.client_rtt, Some(Span::from_millis(1)));
    assert_eq!(handshake.rtt(), Some(Span::from_millis(21)));
    assert_eq!(seen.connection.side(Side::Client).isn, Some(SeqNumber(1000)));
    assert_eq!(seen.connection.side(Side::Server).isn, Some(SeqNumber(5000)));
}

#[test]
fn third_ack_one_past_the_syn_ack_completes_nothing() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
        +0.001  C > S  .   1001:1001(0)  ack 5002  win 502    // one too many
    ",
    );
    let fault = AckFault::AboveSent { ack: SeqNumber(5002), snd_nxt: SeqNumber(5001), over_by: 1 };
    assert_eq!(seen.connection.handshake.ack_check, Some(Broken(fault)));
    assert_eq!(seen.connection.outcome(), Outcome::HalfOpen);
    assert!(seen.of(3).contains(&Event::WrongAck(fault)));
}

#[test]
fn third_ack_of_an_unseen_syn_ack_cannot_be_told() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460>
        +0.020  C > S  .   1001:1001(0)  ack 5001  win 502
    ",
    );
    assert_eq!(seen.connection.handshake.ack_check, Some(CannotTell(Gap::OneSided)));
    assert_eq!(seen.connection.outcome(), Outcome::Partial);
}

#[test]
fn a_syn_ack_that_acknowledges_more_than_the_syn_is_broken() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1005  win 65535
    ",
    );
    let fault = AckFault::AboveSent { ack: SeqNumber(1005), snd_nxt: SeqNumber(1001), over_by: 4 };
    assert_eq!(seen.connection.handshake.syn_ack_check, Some(Broken(fault)));
    assert_eq!(seen.connection.outcome(), Outcome::NoAnswer, "nothing acceptable came back");
}

#[test]
fn a_syn_ack_without_its_syn_cannot_be_judged() {
    let seen = play_from(OPEN, 1);
    assert_eq!(seen.connection.handshake.syn_ack_check, Some(CannotTell(Gap::NoHandshake)));
    assert_eq!(seen.connection.handshake.ack_check, Some(Holds), "K + 1 can be");
    assert_eq!(seen.connection.outcome(), Outcome::Partial);
    assert_eq!(seen.connection.side(Side::Server).state, State::SynReceived);
}

#[test]
fn a_capture_that_begins_later_says_so_and_claims_no_sum() {
    let seen = play_from(OPEN, 2);
    assert_eq!(seen.connection.outcome(), Outcome::NotSeen);
    assert!(seen.of(3).contains(&Event::MidStream));
    assert_eq!(seen.connection.handshake.ack_check, None);
}

#[test]
fn j_plus_one_holds_across_the_wrap() {
    let seen = play(
        "
        +0.000  C > S  S   4294967295:4294967295(0)       win 65535
        +0.020  S > C  S.  4294967295:4294967295(0) ack 0 win 65535
        +0.001  C > S  .   0:0(0)                   ack 0 win 502
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::Established);
    assert_eq!(seen.connection.handshake.ack_check, Some(Holds));
}

#[test]
fn a_repeated_syn_is_a_retry_and_makes_the_round_trip_ambiguous() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +1.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::Established);
    assert_eq!(seen.connection.handshake.syn_retries, 1);
    assert_eq!(seen.connection.handshake.server_rtt, None, "either SYN may be the one that was answered");
    assert_eq!(seen.connection.handshake.client_rtt, Some(Span::from_millis(1)));
    assert_eq!(seen.connection.handshake.rtt(), None);
}

#[test]
fn a_syn_without_answer_is_no_answer_and_one_with_is_half_open() {
    let alone = play("+0.000  C > S  S   1000:1000(0)  win 65535");
    assert_eq!(alone.connection.outcome(), Outcome::NoAnswer);
    let answered = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
        +1.000  S > C  S.  5000:5000(0)  ack 1001  win 65535
    ",
    );
    assert_eq!(answered.connection.outcome(), Outcome::HalfOpen);
    assert_eq!(answered.connection.handshake.syn_ack_retries, 1);
}

#[test]
fn a_reset_that_acknowledges_the_syn_refuses_it() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)         win 65535
        +0.001  S > C  R.  0:0(0)     ack 1001  win 0
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::Refused);
    assert!(seen.of(2).contains(&Event::Refused { after: Span::from_millis(1) }));
    assert_eq!(seen.connection.side(Side::Client).state, State::Closed);
}

#[test]
fn a_reset_that_does_not_acknowledge_the_syn_refuses_nothing() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)         win 65535
        +0.001  S > C  R.  0:0(0)     ack 77    win 0
    ",
    );
    assert_ne!(seen.connection.outcome(), Outcome::Refused);
    assert!(seen.has(|event| matches!(event, Event::WrongAck(_))));
}

#[test]
fn data_instead_of_the_third_segment_shows_that_it_was_lost() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
        +0.010  C > S  P.  1011:1021(10) ack 5001  win 502
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::EstablishedAckLost);
    assert_eq!(seen.connection.handshake.client_rtt, None);
}

#[test]
fn data_on_the_third_segment_completes_the_opening() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::Established);
}

#[test]
fn crossing_syns_are_a_simultaneous_open_and_no_anomaly() {
    let seen = play(
        "
        +0.000  C > S  S   100:100(0)            win 1000
        +0.001  S > C  S   900:900(0)            win 1000
        +0.001  C > S  S.  100:100(0)   ack 901  win 1000
        +0.001  S > C  S.  900:900(0)   ack 101  win 1000
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::Simultaneous);
    assert!(seen.of(2).contains(&Event::SimultaneousOpen));
    assert!(!seen.has(|event| matches!(event, Event::Unexpected { .. } | Event::WrongAck(_))));
}

#[test]
fn data_on_the_syn_is_fast_open_only_if_it_was_acknowledged() {
    let accepted = play(
        "
        +0.000  C > S  S   100:105(5)             win 1000 <mss 1460, tfo 0102030405060708>
        +0.010  S > C  S.  900:900(0)    ack 106  win 1000
        +0.001  C > S  .   106:106(0)    ack 901  win 1000
    ",
    );
    assert_eq!(accepted.connection.outcome(), Outcome::FastOpen);
    let ignored = play(
        "
        +0.000  C > S  S   100:105(5)             win 1000 <mss 1460, tfo 0102030405060708>
        +0.010  S > C  S.  900:900(0)    ack 101  win 1000
        +0.001  C > S  P.  101:106(5)    ack 901  win 1000
    ",
    );
    assert_eq!(ignored.connection.outcome(), Outcome::Established);
}

#[test]
fn a_second_syn_ack_with_another_isn_is_told_and_changes_no_numbers() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
        +0.001  S > C  S.  7000:7000(0)  ack 1001  win 65535
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    ",
    );
    assert!(seen.of(3).contains(&Event::SynAckChanged { before: SeqNumber(5000) }));
    assert_eq!(seen.connection.outcome(), Outcome::Established);
}

#[test]
fn windows_are_scaled_only_after_both_syns_offered_it() {
    assert_eq!(play(OPEN).connection.side(Side::Client).rcv_wnd, Some(502 << 7));
    let one = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535 <wscale 7>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    ",
    );
    assert_eq!(one.connection.side(Side::Client).rcv_wnd, Some(502));
    assert_eq!(play_from(OPEN, 2).connection.side(Side::Client).rcv_wnd, None, "no SYN, no scale");
}

#[test]
fn the_effective_mss_is_the_smaller_offer_less_timestamps() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535 <mss 65495, sackOK, ts 1 0, wscale 7>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535 <mss 65495, sackOK, ts 9 1, wscale 7>
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502   <ts 2 9>
    ",
    );
    assert_eq!(seen.connection.effective_mss(Side::Client).map(|sum| sum.value), Some(65_483));
    assert_eq!(open_then("").connection.effective_mss(Side::Client).map(|sum| sum.value), Some(1400));
    assert_eq!(play_from(OPEN, 2).connection.effective_mss(Side::Client), None);
}

#[test]
fn a_syn_with_a_bad_checksum_opens_nothing() {
    let seen = play(
        "
        checksum bad
        +0.000  C > S  S   1000:1000(0)            win 65535
    ",
    );
    assert_eq!(seen.connection.outcome(), Outcome::NotSeen);
    assert_eq!(seen.connection.side(Side::Client).bad_checksums, 1);
}

#[test]
fn a_syn_apart_from_its_acknowledgment_is_a_split_handshake_and_opens() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  .   5001:5001(0)  ack 1001  win 65535
        +0.001  S > C  S   5000:5000(0)            win 65535
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 65535
    ",
    );
    assert!(seen.of(3).contains(&Event::SplitHandshake), "{:?}", seen.of(3));
    assert!(
        !seen.has(|event| matches!(event, Event::SimultaneousOpen | Event::Unexpected { .. })),
        "{:?}",
        seen.events
    );
    assert_eq!(seen.connection.outcome(), Outcome::Established);
    assert_eq!(seen.connection.side(Side::Server).isn, Some(SeqNumber(5000)));
}

#[test]
fn crossing_syns_are_no_split_and_an_acknowledgment_alone_opens_nothing() {
    let alone = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  .   5001:5001(0)  ack 1001  win 65535
    ",
    );
    assert_eq!(alone.connection.outcome(), Outcome::NoAnswer);
    assert!(alone.connection.handshake.is_acknowledged_alone());
    assert_eq!(alone.connection.side(Side::Server).state, State::NotSeen, "its SYN is still to come");
    let crossed = play(
        "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.001  S > C  S   5000:5000(0)            win 65535
    ",
    );
    assert!(crossed.of(2).contains(&Event::SimultaneousOpen) && !crossed.of(2).contains(&Event::SplitHandshake));
}

/// A SYN, an acknowledgment of something else, and what the client does about it.
fn rescued(answer: &str) -> super::Seen {
    play(&format!(
        "
        +0.000  C > S  S   9000:9000(0)            win 65535
        +0.020  S > C  .   5000:5000(0)  ack 1001  win 65535
        {answer}
        +1.000  C > S  S   9000:9000(0)            win 65535
        +0.020  S > C  S.  7000:7000(0)  ack 9001  win 65535
        +0.001  C > S  .   9001:9001(0)  ack 7001  win 65535
    "
    ))
}

#[test]
fn a_challenge_ack_is_of_an_older_connection_and_the_reset_of_it_rescues_the_opening() {
    let seen = rescued("+0.001  C > S  R   1001:1001(0)            win 0");
    assert_eq!(seen.of(2), [Event::StrayAck { ack: SeqNumber(1001) }]);
    assert!(
        !seen.has(|event| matches!(event, Event::ResetIgnored { .. } | Event::AckedUnseen { .. })),
        "{:?}",
        seen.events
    );
    let notable = seen.connection.notable();
    assert_eq!(notable.stray_reset.map(|mark| mark.frame), Some(3));
    assert_eq!(seen.connection.outcome(), Outcome::Established);
    assert_eq!(seen.connection.handshake.syn_ack_check, Some(Holds), "the stray has moved no number");
}

#[test]
fn a_reset_of_another_number_is_no_rescue_and_without_the_syn_nothing_is_stray() {
    let seen = rescued("+0.001  C > S  R   3333:3333(0)            win 0");
    assert_eq!(seen.connection.notable().stray_reset, None);
    assert!(seen.of(3).iter().any(|event| matches!(event, Event::ResetIgnored { .. })));
    let late = play("+0.020  S > C  .   5000:5000(0)  ack 1001  win 65535");
    assert!(
        !late.has(|event| matches!(event, Event::StrayAck { .. })),
        "the SYN is not in the capture: it cannot be told"
    );
}

#[test]
fn an_unreachable_that_quotes_another_number_ends_nothing() {
    let mark = |frame| Mark { frame, at: Timestamp::EPOCH };
    let quoting = |seq: Option<u32>| {
        let mut seen = play("0 C > S S 1000:1000(0) win 65535");
        let ends = seen.connection.unreachable(mark(2), Side::Client, seq.map(SeqNumber));
        (ends, seen.connection.outcome())
    };
    assert_eq!(quoting(Some(1000)), (true, Outcome::Unreachable));
    assert_eq!(quoting(Some(1001)), (false, Outcome::NoAnswer), "nobody on the path knows our number otherwise");
    assert_eq!(quoting(None), (true, Outcome::Unreachable), "the quote was cut before the number");
}

#[test]
fn fast_open_is_accepted_ignored_or_only_asked_for() {
    let after = |syn: &str, ack: u32, answer: &str| {
        let seen =
            play(&format!("0 C > S S {syn}\n+0.02 S > C S. 5000:5000(0) ack {ack} win 65535 <mss 1460{answer}>"));
        seen.connection.handshake.fast_open
    };
    let data = "1000:1005(5) win 65535 <mss 1460, tfo 0123456789abcdef>";
    assert_eq!(after(data, 1006, ""), Some(FastOpen::Accepted));
    assert_eq!(after(data, 1001, ""), Some(FastOpen::Ignored));
    assert_eq!(
        after("1000:1000(0) win 65535 <mss 1460, tfo>", 1001, ", tfo 0123456789abcdef"),
        Some(FastOpen::CookieGiven)
    );
    assert_eq!(after("1000:1000(0) win 65535 <mss 1460, tfo>", 1001, ""), Some(FastOpen::CookieAsked));
    assert_eq!(after("1000:1000(0) win 65535 <mss 1460>", 1001, ""), None);
    let alone = play(&format!("0 C > S S {data}"));
    assert_eq!(alone.connection.handshake.fast_open, Some(FastOpen::Offered), "no answer: it cannot be told");
}

#[test]
fn only_what_both_offered_is_negotiated() {
    let negotiated = |client: &str, server: &str| {
        let seen =
            play(&format!("0 C > S {client}\n+0.02 S > C {server}\n+0.001 C > S . 1001:1001(0) ack 5001 win 500"));
        seen.connection.negotiated().map(Iterator::collect::<Vec<_>>)
    };
    let syn = "SEW 1000:1000(0) win 65535 <mss 1460, sackOK, ts 1 0, wscale 7>";
    let all = negotiated(syn, "S.E 5000:5000(0) ack 1001 win 65535 <mss 1460, sackOK, ts 9 1, wscale 7>");
    assert_eq!(all, Some(vec!["mss", "wscale", "sack", "timestamps", "ecn"]));
    let some = negotiated(syn, "S. 5000:5000(0) ack 1001 win 65535 <mss 1460, sackOK>");
    assert_eq!(some, Some(vec!["mss", "sack"]));
    let late = play("+0.02 S > C S. 5000:5000(0) ack 1001 win 65535 <mss 1460>");
    assert!(late.connection.negotiated().is_none(), "the SYN was not captured: it cannot be told");
}
