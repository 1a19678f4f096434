#![cfg(test)]
//! Numbers, windows, options.

use super::*;
use Code::*;

#[test]
fn a_segment_inside_the_window_is_acceptable_one_ahead_of_it_is_not() {
    let inside = open_then("+0.010 C > S P. 101:111(10) ack 901 win 10000");
    assert_eq!(inside.verdict(4, SegmentAcceptable), HOLDS);
    let ahead = open_then("+0.010 C > S P. 20102:20112(10) ack 901 win 10000");
    assert_eq!(ahead.verdict(4, SegmentAcceptable), Some(BROKEN));
    let unknown = mid_stream("+0.010 C > S P. 101:111(10) ack 901 win 10000");
    assert_eq!(unknown.verdict(1, SegmentAcceptable), cannot_tell(Gap::NoHandshake));
}

#[test]
fn octets_that_the_receiver_has_acknowledged_are_not_acceptable_again() {
    let seen = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 10000
         +0.500 C > S P. 101:111(10) ack 901 win 10000",
    );
    assert_eq!(seen.verdict(6, SegmentAcceptable), Some(BROKEN));
    assert_eq!(seen.verdict(6, RetransmissionOfAcknowledged), Some(BROKEN));
}

#[test]
fn one_octet_past_the_edge_is_beyond_the_window_the_last_one_inside_is_not() {
    let exact = open_then("+0.010 C > S P. 8641:10101(1460) ack 901 win 10000");
    assert_eq!(exact.verdict(4, BeyondWindow), HOLDS);
    let over = open_then("+0.010 C > S P. 8642:10102(1460) ack 901 win 10000");
    assert_eq!(over.verdict(4, BeyondWindow), Some(BROKEN));
    assert!(
        over.of(4, BeyondWindow).is_some_and(|judgement| judgement.inputs.contains(&("over_by", Number::Count(1))))
    );
    let unknown = mid_stream("+0.010 C > S P. 8642:10102(1460) ack 901 win 10000");
    assert_eq!(unknown.verdict(1, BeyondWindow), cannot_tell(Gap::NoHandshake), "no edge");
}

#[test]
fn an_acknowledgment_is_judged_by_what_was_sent() {
    let covered = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 10000",
    );
    assert_eq!(covered.verdict(5, AckRange), HOLDS);
    let never_sent = judge_from(
        "+0.000  C > S  S   100:100(0)            win 10000
         +0.010  S > C  S.  900:900(0)   ack 101  win 10000
         +0.010  C > S  .   101:101(0)   ack 902  win 10000",
        0,
    );
    assert_eq!(never_sent.verdict(3, AckRange), Some(BROKEN));
    let unseen = open_then("+0.010 S > C .  901:901(0)  ack 611 win 10000");
    assert_eq!(unseen.verdict(4, AckRange), cannot_tell(Gap::NotCaptured));
}

#[test]
fn an_acknowledgment_far_below_what_is_acknowledged_is_too_old() {
    let lots: String = (0..10)
        .map(|n| {
            let (from, to) = (101 + n * 5000, 5101 + n * 5000);
            format!(
                "+0.010 C > S P. {from}:{to}(5000) ack 901 win 10000\n+0.010 S > C . 901:901(0) ack {to} win 10000\n"
            )
        })
        .collect();
    let old = open_then(&format!("{lots}+0.010 S > C . 901:901(0) ack 101 win 10000"));
    assert_eq!(old.verdict(24, AckRange), Some(BROKEN));
    let a_little = open_then(&format!("{lots}+0.010 S > C . 901:901(0) ack 45101 win 10000"));
    assert_eq!(a_little.verdict(24, AckRange), HOLDS);
}

#[test]
fn an_acknowledgment_beyond_the_capture_is_not_captured_unless_the_receiver_asked() {
    let missed = open_then("+0.010 S > C .  901:901(0)  ack 611 win 10000");
    assert_eq!(missed.verdict(4, NotCaptured), Some(BROKEN));
    let seen = open_then(
        "+0.010 C > S P. 101:611(510) ack 901 win 10000
         +0.010 S > C .  901:901(0)   ack 611 win 10000",
    );
    assert_eq!(seen.verdict(5, NotCaptured), None);
}

#[test]
fn a_window_edge_that_moves_left_is_shrunk_one_that_stays_is_not() {
    let shrunk = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 9000",
    );
    assert_eq!(shrunk.verdict(5, WindowShrunk), Some(BROKEN));
    let eaten = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 9990",
    );
    assert_eq!(eaten.verdict(5, WindowShrunk), HOLDS);
    let unknown = mid_stream("+0.010 S > C . 901:901(0) ack 111 win 9000");
    assert_eq!(unknown.verdict(1, WindowShrunk), cannot_tell(Gap::NoHandshake));
}

#[test]
fn rounding_by_the_window_scale_is_no_shrinking() {
    let seen = judge_from(
        "+0.000  C > S  S   100:100(0)            win 10000 <wscale 7>
         +0.010  S > C  S.  900:900(0)   ack 101  win 12800 <wscale 7>
         +0.010  C > S  .   101:101(0)   ack 901  win 100
         +0.010  C > S  P.  101:111(10)  ack 901  win 100
         +0.010  S > C  .   901:901(0)   ack 111  win 99",
        0,
    );
    assert_eq!(seen.verdict(5, WindowShrunk), HOLDS, "12801+100 − (111+12672) = 118 < 128");
}

#[test]
fn only_a_reset_with_the_exact_number_is_valid() {
    let exact = open_then("+0.010 C > S R. 101:101(0) ack 901 win 0");
    assert_eq!(exact.verdict(4, ResetValid), HOLDS);
    let guessed = open_then("+0.010 C > S R. 5101:5101(0) ack 901 win 0");
    assert_eq!(guessed.verdict(4, ResetValid), Some(BROKEN));
    let unknown = mid_stream(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.010 C > S R. 5101:5101(0) ack 901 win 0",
    );
    assert_eq!(unknown.verdict(2, ResetValid), cannot_tell(Gap::NoHandshake));
}

#[test]
fn an_acknowledgment_after_a_guessed_reset_is_a_challenge() {
    let seen = open_then(
        "+0.010 S > C .  901:901(0)   ack 101 win 10000
         +0.010 C > S R. 5101:5101(0) ack 901 win 0
         +0.001 S > C .  901:901(0)   ack 101 win 10000",
    );
    let challenge = seen.of(6, ChallengeAck).expect("a challenge");
    assert_eq!((challenge.verdict, challenge.rests_on.as_slice()), (BROKEN, &[5][..]));
    let ordinary = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000
         +0.001 S > C .  901:901(0)  ack 111 win 10000",
    );
    assert_eq!(ordinary.verdict(5, ChallengeAck), None);
}

#[test]
fn a_timestamp_that_runs_back_is_refused_unless_it_was_overtaken() {
    let back = open_ts_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 <ts 1030 7000>
         +0.010 S > C .  901:901(0)  ack 111 win 10000 <ts 7030 1030>
         +0.010 C > S P. 101:111(10) ack 901 win 10000 <ts 500 7000>",
    );
    assert_eq!(back.verdict(6, Paws), Some(BROKEN));
    let forward = open_ts_then("+0.010 C > S P. 101:111(10) ack 901 win 10000 <ts 1030 7000>");
    assert_eq!(forward.verdict(4, Paws), HOLDS);
    let overtaken = open_ts_then(
        "+0.010 C > S P. 111:121(10) ack 901 win 10000 <ts 1040 7000>
         +0.001 C > S P. 101:111(10) ack 901 win 10000 <ts 1030 7000>",
    );
    assert_eq!(overtaken.verdict(5, Paws), cannot_tell(Gap::OrderAtReceiver));
    let idle = open_ts_then("+2592000 C > S P. 101:111(10) ack 901 win 10000 <ts 500 7000>");
    assert_eq!(idle.verdict(4, Paws), cannot_tell(Gap::ClockMayHaveWrapped), "thirty days of silence");
}

#[test]
fn a_shift_of_fourteen_holds_and_fifteen_does_not() {
    let fourteen = judge_from("+0.000 C > S S 100:100(0) win 10000 <wscale 14>", 0);
    assert_eq!(fourteen.verdict(1, WindowScaleLimit), HOLDS);
    let fifteen = judge_from("+0.000 C > S S 100:100(0) win 10000 <wscale 15>", 0);
    assert_eq!(fifteen.verdict(1, WindowScaleLimit), Some(BROKEN));
}

#[test]
fn an_mss_outside_a_syn_is_told() {
    let seen = open_then("+0.010 C > S P. 101:111(10) ack 901 win 10000 <mss 1460>");
    assert_eq!(seen.verdict(4, MssOutsideSyn), Some(BROKEN));
    assert_eq!(seen.verdict(1, MssOutsideSyn), None, "a SYN is its place");
}

#[test]
fn sack_blocks_must_lie_above_the_acknowledgment_and_run_forward() {
    let data = "+0.010 C > S . 101:201(100) ack 901 win 10000
         +0.001 C > S .  201:301(100) ack 901 win 10000
         +0.001 C > S .  301:401(100) ack 901 win 10000\n";
    let sane = open_then(&format!("{data}+0.010 S > C . 901:901(0) ack 201 win 10000 <sack 301:401>"));
    assert_eq!(sane.verdict(7, SackSane), HOLDS);
    let backward = open_then(&format!("{data}+0.010 S > C . 901:901(0) ack 201 win 10000 <sack 401:301>"));
    assert_eq!(backward.verdict(7, SackSane), Some(BROKEN));
    let unseen = open_then(&format!("{data}+0.010 S > C . 901:901(0) ack 201 win 10000 <sack 501:601>"));
    assert_eq!(unseen.verdict(7, SackSane), cannot_tell(Gap::NotCaptured));
}

#[test]
fn what_a_side_never_captured_sent_is_not_missing_in_the_capture() {
    let one_sided = mid_stream(
        "+0.000 C > S . 101:101(0) ack 901 win 10000
         +0.001 C > S . 101:101(0) ack 2361 win 10000",
    );
    assert_eq!(one_sided.verdict(2, Code::AckRange), cannot_tell(Gap::OneSided));
    assert_eq!(one_sided.verdict(2, Code::NotCaptured), cannot_tell(Gap::OneSided));
    let both = mid_stream(
        "+0.000 C > S . 101:101(0) ack 901 win 10000
         +0.000 S > C . 901:911(10) ack 101 win 10000
         +0.001 C > S . 101:101(0) ack 2361 win 10000",
    );
    assert_eq!(both.verdict(3, Code::NotCaptured), Some(BROKEN));
}

#[test]
fn an_acknowledgment_with_an_older_stamp_at_the_same_moment_may_have_been_overtaken() {
    let older = |wait| {
        open_ts_then(&format!(
            "+0.010 S > C . 901:901(0) ack 101 win 10000 <ts 7040 1020>
             +{wait} S > C . 901:901(0) ack 101 win 10001 <ts 7039 1020>"
        ))
    };
    assert_eq!(older("0.001").verdict(5, Code::Paws), cannot_tell(Gap::OrderAtReceiver));
    assert_eq!(older("2.000").verdict(5, Code::Paws), Some(BROKEN));
}

#[test]
fn a_window_that_nobody_needs_any_more_may_shrink() {
    let shrinks = |fin| {
        open_then(&format!(
            "+0.010 C > S {fin} ack 901 win 10000
             +0.010 S > C . 901:901(0) ack 111 win 10000
             +0.010 S > C F. 901:901(0) ack 111 win 100"
        ))
    };
    assert_eq!(shrinks("F. 101:110(9)").verdict(6, Code::WindowShrunk), None);
    assert_eq!(shrinks("P. 101:111(10)").verdict(6, Code::WindowShrunk), Some(BROKEN));
}

#[test]
fn options_of_the_opening_are_told_where_they_have_no_effect() {
    let late = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 <wscale 15>
         +0.010 C > S P. 111:121(10) ack 901 win 10000 <sackOK>",
    );
    assert_eq!(late.verdict(4, OptionOutsideSyn), Some(BROKEN));
    assert_eq!(late.verdict(5, OptionOutsideSyn), Some(BROKEN));
    assert_eq!(late.verdict(4, WindowScaleLimit), None, "what nobody obeys has no limit");
    assert_eq!(late.verdict(1, OptionOutsideSyn), None, "a SYN is its place");
    assert_eq!(late.connection.window_scale(Side::Client), Some(0), "and nothing changes");
}

#[test]
fn the_window_of_the_syn_ack_is_not_scaled_and_later_ones_are() {
    let early = |rest: &str| {
        judge_from(
            &format!(
                "+0.000 C > S S  100:100(0) win 1000 <wscale 2>
                 +0.010 S > C S. 900:900(0) ack 101 win 100 <wscale 2>
                 +0.010 C > S .  101:101(0) ack 901 win 250
                 {rest}"
            ),
            0,
        )
    };
    let data = "+0.001 C > S P. 101:301(200) ack 901 win 250";
    assert_eq!(early(data).verdict(4, BeyondWindow), Some(BROKEN), "100 octets, not 400");
    let told = early(&format!("+0.001 S > C . 901:901(0) ack 101 win 100\n{data}"));
    assert_eq!(told.verdict(5, BeyondWindow), HOLDS, "100 × 4");
    assert_eq!(mid_stream(data).verdict(1, BeyondWindow), cannot_tell(Gap::NoHandshake));
}

#[test]
fn octets_that_the_receiver_had_asked_for_are_not_called_missing_in_the_capture() {
    let asked = open_then(
        "+0.010 C > S . 101:201(100) ack 901 win 10000
         +0.010 S > C . 901:901(0) ack 101 win 10000 <sack 201:301>
         +0.010 S > C . 901:901(0) ack 301 win 10000",
    );
    assert_eq!(asked.verdict(6, NotCaptured), HOLDS);
    let silent = open_then("+0.010 S > C . 901:901(0) ack 301 win 10000");
    assert_eq!(silent.verdict(4, NotCaptured), Some(BROKEN));
    let one_sided = mid_stream(
        "+0.000 C > S . 101:101(0) ack 901 win 10000
         +0.001 C > S . 101:101(0) ack 2361 win 10000",
    );
    assert_eq!(one_sided.verdict(2, NotCaptured), cannot_tell(Gap::OneSided));
}

#[test]
fn a_reset_in_answer_to_a_syn_must_acknowledge_it() {
    let answered = |ack: u32| {
        told_of(&format!(
            "+0.000 C > S S  100:100(0) win 1000
             +0.010 S > C R. 0:0(0) ack {ack} win 0"
        ))
    };
    assert_eq!(answered(5000), [(2, ResetValid)]);
    assert_eq!(answered(101), [(2, Refused)]);
    let unknown = mid_stream("+0.010 S > C R. 0:0(0) ack 101 win 0");
    assert_eq!(unknown.verdict(1, ResetValid), cannot_tell(Gap::NoHandshake));
}

#[test]
fn a_socket_connected_to_itself_is_told_once_and_nothing_else_is_judged() {
    let life = |ends: &str| {
        told_of(&format!(
            "{ends}
             +0.000 C > S S  100:100(0) win 1000
             +0.010 C > S S. 100:100(0) ack 101 win 1000
             +0.010 C > S P. 101:111(10) ack 101 win 1000
             +0.010 C > S .  111:111(0) ack 111 win 1000
             +0.010 C > S F. 111:111(0) ack 111 win 1000
             +0.010 C > S .  112:112(0) ack 112 win 1000"
        ))
    };
    assert_eq!(life("C = 127.0.0.1:4000\nS = 127.0.0.1:4000"), [(1, SelfConnect)]);
    let two = life("C = 127.0.0.1:4000\nS = 127.0.0.1:4001");
    assert!(two.iter().all(|(_, code)| *code != SelfConnect), "{two:?}");
}
