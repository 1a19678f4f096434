#![cfg(test)]
//! RFC 9293 §3.6: four segments, three, crossing FINs, half-close, reset.

use super::open_then;
use super::play;
use crate::packet::Span;
use crate::tcp::CloseKind;
use crate::tcp::Event;
use crate::tcp::Side;
use crate::tcp::State;
use crate::tcp::teardown::ResetKind;

#[test]
fn fin_ack_fin_ack_is_a_four_way_close_and_the_first_closer_waits() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)  ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)  ack 1002  win 502
        +0.010  S > C  F.  5001:5001(0)  ack 1002  win 502
        +0.001  C > S  .   1002:1002(0)  ack 5002  win 502
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::FourWay);
    assert_eq!(seen.connection.teardown.first_by(), Some(Side::Client));
    assert_eq!(seen.connection.teardown.time_wait(), [true, false]);
    assert_eq!(seen.connection.side(Side::Client).state, State::TimeWait);
    assert_eq!(seen.connection.side(Side::Server).state, State::Closed);
    assert!(seen.of(7).contains(&Event::Closed { kind: CloseKind::FourWay, first_by: Side::Client }));
}

#[test]
fn a_fin_that_carries_the_ack_makes_it_three_segments() {
    let seen = open_then(
        "
        +0.100  S > C  F.  5001:5001(0)  ack 1001  win 502
        +0.001  C > S  F.  1001:1001(0)  ack 5002  win 502
        +0.001  S > C  .   5002:5002(0)  ack 1002  win 502
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::ThreeSegment);
    assert_eq!(seen.connection.teardown.first_by(), Some(Side::Server));
    assert_eq!(seen.connection.teardown.time_wait(), [false, true]);
    let moves: Vec<State> = seen
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Moved { side: Side::Client, to, .. } => Some(*to),
            _ => None,
        })
        .collect();
    assert_eq!(moves, [State::SynSent, State::Established, State::CloseWait, State::LastAck, State::Closed]);
    assert_eq!(seen.connection.side(Side::Server).state, State::TimeWait);
}

#[test]
fn fins_that_acknowledge_neither_crossed_and_both_sides_wait() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)  ack 5001  win 502
        +0.001  S > C  F.  5001:5001(0)  ack 1001  win 502
        +0.001  C > S  .   1002:1002(0)  ack 5002  win 502
        +0.001  S > C  .   5002:5002(0)  ack 1002  win 502
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::Simultaneous);
    assert_eq!(seen.connection.teardown.time_wait(), [true, true]);
    assert_eq!(seen.connection.side(Side::Server).state, State::TimeWait);
}

#[test]
fn data_after_the_acknowledged_fin_is_a_half_close() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)    ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)    ack 1002  win 502
        +0.010  S > C  P.  5001:5101(100)  ack 1002  win 502
        +0.001  C > S  .   1002:1002(0)    ack 5101  win 502
        +0.001  S > C  F.  5101:5101(0)    ack 1002  win 502
        +0.001  C > S  .   1002:1002(0)    ack 5102  win 502
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::HalfClose);
    assert!(seen.connection.teardown.is_clean());
}

#[test]
fn one_fin_only_leaves_the_other_side_in_close_wait() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)  ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)  ack 1002  win 502
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::HalfClose);
    assert!(!seen.connection.teardown.is_over());
    assert_eq!(seen.connection.side(Side::Client).state, State::FinWait2);
    assert_eq!(seen.connection.side(Side::Server).state, State::CloseWait);
}

#[test]
fn no_fin_and_no_reset_is_still_open_not_lost() {
    assert_eq!(open_then("").connection.teardown.kind(), CloseKind::Open);
}

#[test]
fn a_reset_with_ack_aborts() {
    let seen = open_then("+0.100  C > S  R.  1001:1001(0)  ack 5001  win 502");
    assert_eq!(seen.connection.teardown.kind(), CloseKind::Abort);
    assert_eq!(seen.connection.teardown.first_by(), Some(Side::Client));
    assert!(seen.of(4).contains(&Event::Reset(ResetKind::Abort)));
}

#[test]
fn data_to_a_closed_side_brings_a_bare_reset() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)   ack 5001  win 502
        +0.001  S > C  P.  5001:5011(10)  ack 1002  win 502
        +0.001  C > S  R   1002:1002(0)   win 0
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::ResetAfterFin);
    assert_eq!(
        seen.connection.teardown.reset.map(|(side, _, kind)| (side, kind)),
        Some((Side::Client, ResetKind::NoConnection))
    );
}

#[test]
fn a_reset_after_a_clean_close_does_not_change_how_it_closed() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)  ack 5001  win 502
        +0.001  S > C  F.  5001:5001(0)  ack 1002  win 502
        +0.001  C > S  .   1002:1002(0)  ack 5002  win 502
        +0.001  S > C  R   5002:5002(0)  win 0
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::ThreeSegment);
}

#[test]
fn a_refused_connection_has_nothing_to_close() {
    let seen = play(
        "
        +0.000  C > S  S   1000:1000(0)         win 65535
        +0.001  S > C  R.  0:0(0)     ack 1001  win 0
    ",
    );
    assert_eq!(seen.connection.teardown.kind(), CloseKind::NotSeen);
}

#[test]
fn a_fin_after_thirty_silent_seconds_tells_how_long_nobody_spoke() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.001  S > C  P.  5001:5011(10) ack 1011  win 502
        +0.001  C > S  .   1011:1011(0)  ack 5011  win 502
        +29.999 S > C  F.  5011:5011(0)  ack 1011  win 502
    ",
    );
    assert!(seen.of(7).contains(&Event::Fin { retry: false, idle: Some(Span::from_secs(30)) }), "{:?}", seen.of(7));
}

#[test]
fn a_fin_while_an_octet_is_unacknowledged_is_no_idle_close() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +30.000 S > C  F.  5001:5001(0)  ack 1001  win 502
    ",
    );
    assert!(seen.of(5).contains(&Event::Fin { retry: false, idle: None }));
}

#[test]
fn a_repeated_fin_is_no_second_close() {
    let seen = open_then(
        "
        +0.100  C > S  F.  1001:1001(0)  ack 5001  win 502
        +0.200  C > S  F.  1001:1001(0)  ack 5001  win 502
    ",
    );
    assert!(seen.of(5).contains(&Event::Fin { retry: true, idle: None }));
    assert_eq!(seen.connection.teardown.fin[0].map(|mark| mark.frame), Some(4));
}
