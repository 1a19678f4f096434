#![cfg(test)]
//! RFC 9293 §3.4: octets sent, sent again, missing, acknowledged; windows of §3.8.6.

use super::open_then;
use super::play;
use crate::packet::Span;
use crate::tcp::Event;
use crate::tcp::Side;

#[test]
fn data_and_its_acknowledgment_are_counted_to_the_octet() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)  ack 1011  win 502
    ",
    );
    assert_eq!(seen.of(4), [Event::Data { new: 10, repeated: 0 }]);
    assert!(seen.of(5).contains(&Event::Acked { octets: 10, in_flight: 0 }));
    let client = seen.connection.side(Side::Client);
    assert_eq!((client.bytes, client.unique_bytes, client.in_flight()), (10, 10, 0));
}

#[test]
fn octets_sent_again_count_once_as_unique() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.300  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.300  C > S  P.  1006:1021(15) ack 5001  win 502
    ",
    );
    assert!(seen.of(5).contains(&Event::Data { new: 0, repeated: 10 }));
    assert!(seen.of(6).contains(&Event::Data { new: 10, repeated: 5 }));
    let client = seen.connection.side(Side::Client);
    assert_eq!((client.bytes, client.unique_bytes, client.repeated_bytes, client.repeated_packets), (35, 20, 15, 2));
}

#[test]
fn a_late_segment_fills_the_hole_and_is_no_repetition() {
    let seen = open_then(
        "
        +0.010  C > S  .   1001:1101(100) ack 5001  win 502
        +0.001  C > S  .   1201:1301(100) ack 5001  win 502
        +0.001  C > S  .   1101:1201(100) ack 5001  win 502
    ",
    );
    assert!(seen.of(5).contains(&Event::Gap { octets: 100 }));
    assert!(seen.of(6).contains(&Event::FillsGap { octets: 100 }));
    assert!(seen.of(6).contains(&Event::Data { new: 100, repeated: 0 }));
    assert_eq!(seen.connection.side(Side::Client).unique_bytes, 300);
}

#[test]
fn an_acknowledged_hole_was_not_captured_rather_than_lost() {
    let seen = open_then(
        "
        +0.010  C > S  .   1001:1101(100) ack 5001  win 502
        +0.001  C > S  .   1201:1301(100) ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)   ack 1301  win 502
    ",
    );
    assert!(seen.of(6).contains(&Event::AckedUnseen { octets: 100 }));
    assert_eq!(seen.connection.side(Side::Client).unseen_bytes, 100);
}

#[test]
fn an_acknowledgment_above_everything_seen_is_the_captures_loss() {
    let seen = open_then("+0.010  S > C  .   5001:5001(0)   ack 1501  win 502");
    assert!(seen.of(4).contains(&Event::AckedUnseen { octets: 500 }));
}

#[test]
fn the_first_octets_of_the_other_side_answer_the_latest_data() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.001  C > S  P.  1011:1021(10) ack 5001  win 502
        +0.050  S > C  P.  5001:5011(10) ack 1021  win 502
        +0.001  S > C  P.  5011:5021(10) ack 1021  win 502
    ",
    );
    let answers: Vec<_> = seen.events.iter().filter(|(_, event)| matches!(event, Event::Answer { .. })).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(
        matches!(answers[0], (6, Event::Answer { to, thought }) if to.frame == 5 && *thought == Span::from_millis(50))
    );
    assert_eq!(seen.connection.turns.answers, 1);
}

#[test]
fn one_octet_below_the_next_number_on_an_idle_connection_is_a_keep_alive() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)  ack 1011  win 502
        +9.000  C > S  .   1010:1011(1)  ack 5001  win 502
        +9.000  C > S  .   1010:1010(0)  ack 5001  win 502
    ",
    );
    assert!(seen.of(6).contains(&Event::KeepAlive));
    assert!(seen.of(7).contains(&Event::KeepAlive));
    assert_eq!(seen.connection.side(Side::Client).repeated_bytes, 0);
}

#[test]
fn the_same_octet_while_it_is_still_owed_is_a_repetition() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1002(1)  ack 5001  win 502
        +0.300  C > S  P.  1001:1002(1)  ack 5001  win 502
    ",
    );
    assert!(seen.of(5).contains(&Event::Data { new: 0, repeated: 1 }));
}

#[test]
fn a_segment_past_the_offered_edge_is_beyond_the_window_and_one_up_to_it_is_not() {
    let narrow = "
        +0.000  C > S  S   1000:1000(0)            win 65535
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 100
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    ";
    let over = play(&format!("{narrow}\n+0.010  C > S  P.  1001:1111(110) ack 5001  win 502"));
    assert!(over.of(4).contains(&Event::BeyondWindow { over_by: 10 }));
    let exact = play(&format!("{narrow}\n+0.010  C > S  P.  1001:1101(100) ack 5001  win 502"));
    assert!(!exact.has(|event| matches!(event, Event::BeyondWindow { .. })));
}

#[test]
fn without_the_handshake_nobody_can_be_beyond_a_window() {
    let seen = play(
        "
        +0.000  C > S  .   1001:2001(1000) ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)    ack 2001  win 1
        +0.001  C > S  .   2001:3001(1000) ack 5001  win 502
    ",
    );
    assert!(!seen.has(|event| matches!(event, Event::BeyondWindow { .. })));
}

#[test]
fn a_closed_window_is_told_once_and_its_opening_too() {
    let seen = open_then(
        "
        +0.010  C > S  P.  1001:1011(10) ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)  ack 1011  win 0
        +0.001  S > C  .   5001:5001(0)  ack 1011  win 0
        +0.500  S > C  .   5001:5001(0)  ack 1011  win 2
    ",
    );
    assert!(seen.of(5).contains(&Event::ZeroWindow));
    assert!(!seen.of(6).contains(&Event::ZeroWindow));
    assert!(seen.of(7).contains(&Event::WindowOpened { window: 512 }));
    assert_eq!(seen.connection.side(Side::Server).zero_windows, 1);
}

#[test]
fn numbers_count_by_ip_and_not_by_what_the_snap_length_left() {
    let seen = play(&format!(
        "snaplen 60\n{}
        +0.010  C > S  P.  1001:2001(1000) ack 5001  win 502
        +0.001  S > C  .   5001:5001(0)    ack 2001  win 502",
        super::OPEN
    ));
    assert!(seen.of(5).contains(&Event::Acked { octets: 1000, in_flight: 0 }));
}
