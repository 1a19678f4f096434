#![cfg(test)]
//! RFC 9293 §3.6: four segments, three, crossing FINs, half-close, reset.

use super::OPEN;
use super::lived;
use super::open_then;
use super::play;
use crate::craft;
use crate::decode::decode;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::CloseKind;
use crate::tcp::Event;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::State;
use crate::tcp::predecessor::Left;
use crate::tcp::predecessor::Predecessor;
use crate::tcp::reset::ResetCause;
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

/// [`OPEN`] and what follows, judged: what its reset most likely came from.
fn cause(rest: &str) -> Option<ResetCause> {
    lived(&format!("{OPEN}{rest}")).reset_cause()
}

const TALK: &str = "
    +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
    +0.020  S > C  P.  5001:5011(10) ack 1011  win 502
    +0.001  C > S  .   1011:1011(0)  ack 5011  win 502
";

#[test]
fn a_reset_with_ack_after_data_of_the_peer_may_have_left_it_unread_and_one_after_own_data_is_linger() {
    let by_client = "+0.010  C > S  R.  1011:1011(0)  ack 5011  win 502";
    let by_server = "+0.010  S > C  R.  5011:5011(0)  ack 1011  win 502";
    assert_eq!(cause(&format!("{TALK}{by_client}")), Some(ResetCause::UnreadData));
    assert_eq!(cause(&format!("{TALK}{by_server}")), Some(ResetCause::Linger));
    assert_eq!(cause(TALK), None, "there is no reset");
    assert_eq!(
        play(&format!("{OPEN}{TALK}{by_client}")).connection.reset_cause(),
        None,
        "not judged: it cannot be told"
    );
}

#[test]
fn a_bare_reset_finds_no_connection_and_after_own_fin_it_is_a_write_after_the_close() {
    let bare = "+0.020  S > C  R   5011:5011(0)            win 0";
    let question = "+1.000  C > S  P.  1011:1021(10) ack 5011  win 502\n";
    assert_eq!(cause(&format!("{TALK}{question}{bare}")), Some(ResetCause::NoConnection));
    let closed = "
        +0.010  S > C  F.  5011:5011(0)  ack 1011  win 502
        +0.010  C > S  P.  1011:1021(10) ack 5012  win 502
        +0.020  S > C  R   5012:5012(0)            win 0
    ";
    assert_eq!(cause(&format!("{TALK}{closed}")), Some(ResetCause::WriteAfterClose));
    let gave_up = "
        +0.010  S > C  F.  5011:5011(0)  ack 1011  win 502
        +9.000  S > C  R.  5012:5012(0)  ack 1011  win 502
    ";
    assert_eq!(cause(&format!("{TALK}{gave_up}")), Some(ResetCause::AfterFin));
}

#[test]
fn a_reset_right_after_a_long_silence_is_the_path_that_forgot_and_a_short_one_is_not() {
    let after = |silence: &str| {
        cause(&format!(
            "{TALK}{silence}  C > S  P.  1011:1021(10) ack 5011  win 502\n+0.020  S > C  R   5011:5011(0) win 0"
        ))
    };
    assert_eq!(after("+600"), Some(ResetCause::IdlePath));
    assert_eq!(after("+5"), Some(ResetCause::NoConnection));
    let later = "
        +600    C > S  P.  1011:1021(10) ack 5011  win 502
        +0.020  S > C  P.  5011:5021(10) ack 1021  win 502
        +20.000 C > S  R.  1021:1021(0)  ack 5021  win 502
    ";
    assert_eq!(
        cause(&format!("{TALK}{later}")),
        Some(ResetCause::UnreadData),
        "the connection lived on after the silence"
    );
}

#[test]
fn a_reset_from_another_distance_or_whose_sender_goes_on_was_not_sent_by_it() {
    let reset = |ttl: u8| format!("{TALK}+0.010  S > C  R.  5011:5011(0)  ack 1011  win 502 ttl {ttl}\n");
    assert_eq!(cause(&reset(64)), Some(ResetCause::Linger));
    assert_eq!(cause(&reset(63)), Some(ResetCause::Linger), "a hop more or less is a change of route");
    assert_eq!(cause(&reset(55)), Some(ResetCause::Injected));
    let goes_on = "+0.001  S > C  P.  5011:5021(10) ack 1011  win 502";
    assert_eq!(cause(&format!("{}{goes_on}", reset(64))), Some(ResetCause::Injected));
    let peer_goes_on = "+0.001  C > S  P.  1011:1021(10) ack 5011  win 502";
    assert_eq!(cause(&format!("{}{peer_goes_on}", reset(64))), Some(ResetCause::Linger), "it had not heard of it");
}

#[test]
fn what_a_clean_close_leaves_behind_judges_the_next_syn_and_an_abort_leaves_nothing() {
    let clean = "
        +0.100  C > S  F.  1001:1001(0)  ack 5001  win 502
        +0.001  S > C  F.  5001:5001(0)  ack 1002  win 502
        +0.001  C > S  .   1002:1002(0)  ack 5002  win 502
    ";
    let left = |rest: &str, seconds: i64, isn: u32| {
        let connection = open_then(rest).connection;
        let trace = craft::play(&format!("0 C > S S {isn}:{isn}(0) win 65535")).expect("a script");
        let frame = trace.frames().next().expect("a packet");
        let packet = decode(&frame);
        let at = connection.last.at.plus(Span::from_secs(seconds));
        match connection.leaves_behind(Mark { frame: 99, at }, Side::Client, packet.tcp().expect("a segment")) {
            Some(Left::TimeWait(before)) => Some(before),
            Some(Left::HalfAnOpening) | None => None,
        }
    };
    let above = left(clean, 1, 1002).expect("TIME-WAIT is held");
    assert!(above.is_acceptable() && above.next == SeqNumber(1002) && above.since == Span::from_secs(1));
    assert!(!left(clean, 1, 1001).expect("it is held").is_acceptable());
    assert_eq!(left(clean, 241, 1001), None, "that is over by any reckoning");
    assert_eq!(left("+0.1 C > S R. 1001:1001(0) ack 5001 win 502", 1, 1001), None, "nobody waits after a reset");
}

#[test]
fn a_younger_timestamp_lets_a_lower_number_pass() {
    let before = |stamps| Predecessor {
        ended: Mark { frame: 1, at: Timestamp::EPOCH },
        since: Span::from_secs(1),
        next: SeqNumber(9000),
        isn: SeqNumber(1000),
        stamps,
    };
    assert!(before(Some((100, 101))).is_acceptable());
    assert!(!before(Some((100, 100))).is_acceptable(), "the same tick tells nothing");
    assert!(!before(None).is_acceptable());
    assert!(before(Some((u32::MAX, 3))).is_acceptable(), "the clock came round");
}
