#![cfg(test)]
//! Segments that carry nothing new on purpose.

use super::*;
use Code::*;

const TEN_ACKED: &str = "+0.100 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 10000\n";

#[test]
fn an_old_octet_on_an_idle_connection_is_a_keep_alive_and_its_answer_is_known() {
    let seen = open_then(&format!(
        "{TEN_ACKED}+9.000 C > S . 110:111(1) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 10000"
    ));
    assert_eq!(seen.verdict(6, KeepAlive), Some(BROKEN));
    let answer = seen.of(7, KeepAliveAnswer).expect("an answer");
    assert_eq!(answer.rests_on.as_slice(), [6]);
}

#[test]
fn the_same_number_while_octets_are_owed_is_no_keep_alive() {
    let seen = open_then(
        "+0.100 C > S P. 101:111(10) ack 901 win 10000
         +9.000 C > S .  110:110(0)  ack 901 win 10000",
    );
    assert_eq!(seen.verdict(5, KeepAlive), HOLDS);
}

#[test]
fn a_linux_probe_of_a_closed_window_is_a_probe_and_no_keep_alive() {
    let seen = open_then(
        "+0.100 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 0
         +1.000 C > S .  110:110(0)  ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 0",
    );
    assert_eq!(seen.broken(6), [SegmentAcceptable, ZeroWindowProbe].map(|code| code)[1..]);
    assert_eq!(seen.of(7, ZeroWindowProbeAnswer).map(|answer| answer.rests_on.as_slice()), Some(&[6][..]));
}

#[test]
fn a_bsd_probe_carries_the_next_octet() {
    let seen = open_then(
        "+0.100 C > S P. 101:111(10) ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 111 win 0
         +1.000 C > S .  111:112(1)  ack 901 win 10000",
    );
    assert!(seen.broken(6).contains(&ZeroWindowProbe), "{:?}", seen.broken(6));
}

#[test]
fn an_old_number_after_the_own_fin_is_a_late_ack() {
    let seen = open_then(
        "+0.100 C > S F. 101:101(0)  ack 901 win 10000
         +0.010 S > C .  901:901(0)  ack 102 win 10000
         +5.000 C > S .  101:101(0)  ack 901 win 10000",
    );
    assert_eq!(seen.verdict(6, LateAck), Some(BROKEN));
    assert_eq!(seen.verdict(6, KeepAlive), None);
}

const SMALL: &str = "
    +0.000  C > S  S   100:100(0)            win 65535  <mss 1460>
    +0.010  S > C  S.  900:900(0)   ack 101  win 8192   <mss 1460>
    +0.010  C > S  .   101:101(0)   ack 901  win 65535
    +0.010  C > S  P.  101:1561(1460) ack 901 win 65535
";

#[test]
fn data_that_waits_for_a_window_under_a_segment_is_held_back_by_it() {
    let held = judge_from(
        &format!(
            "{SMALL}+0.001 S > C . 901:901(0) ack 1561 win 1000
         +0.210 C > S P. 1561:2561(1000) ack 901 win 65535"
        ),
        0,
    );
    let judgement = held.of(6, WindowUnderSegment).expect("judged");
    assert_eq!(judgement.verdict, BROKEN);
    assert!(judgement.inputs.contains(&("window", Number::Count(1000))), "{judgement:?}");
}

#[test]
fn a_window_of_a_segment_or_data_at_once_is_not_held_back() {
    let wide = judge_from(
        &format!(
            "{SMALL}+0.001 S > C . 901:901(0) ack 1561 win 4000
         +0.210 C > S P. 1561:2561(1000) ack 901 win 65535"
        ),
        0,
    );
    assert_eq!(wide.verdict(6, WindowUnderSegment), HOLDS);
    let at_once = judge_from(
        &format!(
            "{SMALL}+0.001 S > C . 901:901(0) ack 1561 win 1000
         +0.001 C > S P. 1561:2561(1000) ack 901 win 65535"
        ),
        0,
    );
    assert_eq!(at_once.verdict(6, WindowUnderSegment), HOLDS);
}

#[test]
fn an_old_number_into_an_open_window_is_no_probe_and_into_an_unseen_one_nobody_knows() {
    let old = "+9.000 C > S . 110:110(0) ack 901 win 10000";
    let idle = open_then(&format!("{TEN_ACKED}{old}"));
    assert_eq!((idle.verdict(6, ZeroWindowProbe), idle.verdict(6, LateAck)), (HOLDS, HOLDS));
    assert_eq!(idle.broken(6), [KeepAlive]);
    let one_sided = mid_stream(&format!("+0.100 C > S P. 101:111(10) ack 901 win 10000\n{old}"));
    for code in [ZeroWindowProbe, KeepAlive, LateAck] {
        assert_eq!(one_sided.verdict(2, code), cannot_tell(Gap::OneSided), "{code}");
    }
}

#[test]
fn an_octet_again_in_one_direction_alone_is_called_neither_keep_alive_nor_timeout() {
    let seen = mid_stream(
        "+0.100 C > S P. 101:111(10) ack 901 win 10000
         +75.00 C > S .  110:111(1)  ack 901 win 10000",
    );
    assert_eq!(seen.verdict(2, KeepAlive), cannot_tell(Gap::OneSided));
    assert_eq!(seen.broken(2), []);
    let both = open_then(&format!("{TEN_ACKED}+75.0 C > S . 110:111(1) ack 901 win 10000"));
    assert_eq!(both.verdict(6, KeepAlive), Some(BROKEN));
}

#[test]
fn the_first_that_is_seen_of_a_side_may_be_late_behind_a_fin_before_the_capture() {
    let first = mid_stream(
        "+0.000 S > C . 901:901(0) ack 102 win 10000
         +5.000 C > S . 101:101(0) ack 901 win 10000
         +5.000 C > S . 101:102(1) ack 901 win 10000",
    );
    assert_eq!(first.verdict(2, LateAck), cannot_tell(Gap::NoHandshake));
    assert_eq!(first.verdict(2, KeepAlive), cannot_tell(Gap::NoHandshake));
    assert_eq!(first.verdict(3, KeepAlive), Some(BROKEN), "a late acknowledgment has no octet");
}
