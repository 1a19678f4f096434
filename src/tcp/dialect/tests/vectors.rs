//! Short traces whose verdicts were read off tshark 4.0.17.

use super::*;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::time::Span;
use crate::tcp::dialect::Scale;

const RETRANSMISSION: &str = "retransmission";

/// Both sides close, the client first.
const CLOSED: &str = "HS
    10> FA 101 901
    10< FA 901 102
    10> A 102 902";

#[test]
fn a_handshake_alone_earns_no_verdict_and_times_itself() {
    let tags = play("HS");
    assert_eq!(verdicts(&tags), ["-", "-", "-"]);
    assert_eq!(tags[1].acks, Some((1, Span::from_millis(10))));
    assert_eq!(tags[2].initial_rtt, Some(Span::from_millis(20)));
    assert_eq!(tags.map_completeness(), [7, 7, 7]);
}

#[test]
fn a_repeated_syn_is_a_retransmission() {
    assert_eq!(last(3, "0> S 100\n1000> S 100\n1> S 100"), ["-", RETRANSMISSION, RETRANSMISSION]);
}

#[test]
fn a_refused_connect_ends_with_completeness_37() {
    let tags = play("0> S 100\n1< RA 0 101 w0");
    assert_eq!(verdicts(&tags), ["-", "-"]);
    assert_eq!(tags.map_completeness(), [37, 37]);
}

#[test]
fn a_syn_with_another_number_reuses_the_ports_as_a_new_stream() {
    let tags = play(&format!("{CLOSED}\n1000> S 5000000"));
    let opened = tags.last().expect("seven segments");
    assert_eq!((opened.verdicts.to_string().as_str(), opened.stream, opened.completeness), ("reused_ports", 1, 1));
    assert_eq!(tags[0].completeness, 23);
}

#[test]
fn a_connection_with_the_same_initial_number_stays_in_its_stream() {
    let tags = play(&format!("{CLOSED}\n70000> S 100\n10< SA 900 101"));
    assert_eq!(verdicts(&tags[6..]), [RETRANSMISSION, RETRANSMISSION]);
    assert!(tags.iter().all(|tags| tags.stream == 0));
}

#[test]
fn a_capture_that_begins_with_the_syn_ack_never_counts_it_in_the_first_pass() {
    let script = "0< SA 900 101\n10> A 101 901";
    assert_eq!(verdicts(&play(script)), ["-", "-"]);
    assert_eq!(play_once(script).map_completeness(), [0, 0]);
    // The second pass comes by the SYN+ACK again, and then it is no longer the first of its connection.
    assert_eq!(play(script).map_completeness(), [4, 6]);
}

#[test]
fn both_syn_acks_of_a_simultaneous_open_count_as_retransmissions() {
    let script = "0> S 100\n1< S 900\n1> SA 100 901\n1< SA 900 101";
    assert_eq!(last(2, script), [RETRANSMISSION, RETRANSMISSION]);
}

#[test]
fn data_in_a_syn_sets_the_data_bit_at_once() {
    assert_eq!(play_once("0> S 100 0 5\n10< SA 900 106\n10> A 106 901").map_completeness(), [0, 9, 11]);
}

#[test]
fn an_octet_before_the_next_one_is_a_keep_alive_and_so_is_its_answer() {
    for len in [0, 1] {
        let script = format!("HS\n100> A 101 901 10\n10< A 901 111\n9000> A 110 901 {len}\n10< A 901 111");
        assert_eq!(last(2, &script), ["keep_alive", "keep_alive_ack"], "length {len}");
    }
}

#[test]
fn a_late_ack_after_fin_is_mistaken_for_a_keep_alive() {
    assert_eq!(last(1, "HS\n100> FA 101 901\n10< A 901 102\n5000> A 101 901"), ["keep_alive"]);
}

#[test]
fn a_probe_of_one_new_octet_is_answered_by_a_probe_ack() {
    let script = "HS
        > A 101 901 10
        < A 901 111 w0
        1000> A 111 901 1
        10< A 901 111 w0";
    let probe_ack = "zero_window,zero_window_probe_ack";
    assert_eq!(last(3, script), ["zero_window", "zero_window_probe", probe_ack]);
    let tags = play(script);
    let shown = tags.last().expect("segments").label().to_string();
    assert_eq!(shown, "[TCP ZeroWindowProbeAck] [TCP ZeroWindow]");
}

#[test]
fn a_probe_that_is_eaten_misleads_everything_after_it() {
    let script = "HS
        > A 101 901 10
        < A 901 111 w0
        1000> A 111 901 1
        10< A 901 111 w0
        1000> A 111 901 1
        10< A 901 112 w0
        1000< A 901 112 w500
        10> A 112 901 20";
    let seen = last(4, script);
    assert_eq!(seen, ["zero_window_probe", "ack_lost_segment,zero_window", "window_update", "lost_segment"]);
}

#[test]
fn a_linux_probe_is_called_a_keep_alive_and_never_gets_a_probe_ack() {
    let script = "HS
        > A 101 901 10
        < A 901 111 w0
        1000> A 110 901 0
        10< A 901 111 w0";
    assert_eq!(last(3, script), ["zero_window", "keep_alive", "zero_window"]);
}

/// Five segments of 100, of which the second got lost.
const ONE_LOST: &str = "HS
    1> A 101 901 100
    1> A 201 901 100
    1> A 301 901 100
    1> A 401 901 100
    1> A 501 901 100
    10< A 901 201";

#[test]
fn three_duplicate_acks_and_a_prompt_answer_make_a_fast_retransmission() {
    let script = format!("{ONE_LOST}\n1< A 901 201\n1< A 901 201\n1< A 901 201\n5> A 201 901 100");
    let tags = play(&script);
    let duplicates: Vec<_> = tags[9..12].iter().map(|tags| tags.duplicate_ack).collect();
    assert_eq!(duplicates, [Some((1, 9)), Some((2, 9)), Some((3, 9))]);
    assert_eq!(tags[11].label().to_string(), "[TCP Dup ACK 9#3]");
    assert_eq!(verdicts(&tags[12..]), ["fast_retransmission"]);
    assert_eq!(field(&tags[12], "tcp.analysis.retransmission"), Some(Value::True));
    assert_eq!(tags[12].label().to_string(), "[TCP Fast Retransmission]");
}

#[test]
fn a_slow_answer_to_duplicate_acks_is_a_plain_retransmission() {
    assert_eq!(last(1, &format!("{ONE_LOST}\n1< A 901 201\n1< A 901 201\n25> A 201 901 100")), [RETRANSMISSION]);
}

#[test]
fn one_duplicate_ack_lets_a_true_resend_pass_for_reordering() {
    let script = "HS
        1> A 101 901 100
        1> A 201 901 100
        1> A 301 901 100
        1< A 901 201
        1< A 901 201
        5> A 201 901 100";
    assert_eq!(last(1, script), ["out_of_order"]);
}

#[test]
fn resending_what_was_acknowledged_is_spurious() {
    let script = format!(
        "{ONE_LOST}\n1< A 901 201\n1< A 901 201\n1< A 901 201\n5> A 201 901 100\n10< A 901 601\n10> A 201 901 100"
    );
    assert_eq!(last(1, &script), ["spurious_retransmission"]);
}

#[test]
fn swapped_segments_are_a_hole_and_then_out_of_order() {
    assert_eq!(last(2, "HS\n> A 101 901 100\n1> A 301 901 100\n1> A 201 901 100"), ["lost_segment", "out_of_order"]);
}

#[test]
fn a_late_segment_that_ends_at_the_edge_is_a_retransmission() {
    assert_eq!(last(1, "HS\n> A 101 901 100\n1> A 301 901 100\n1> A 201 901 200"), [RETRANSMISSION]);
}

#[test]
fn without_a_round_trip_time_three_milliseconds_decide() {
    let script = "0> A 101 901 100
        > A 301 901 100
        2.9> A 201 901 100
        > A 501 901 100
        3.1> A 401 901 100";
    assert_eq!(last(3, script), ["out_of_order", "lost_segment", RETRANSMISSION]);
}

#[test]
fn acknowledging_the_unseen_is_said_once() {
    let script = "HS\n< A 901 500\n< A 901 500\n< A 901 700\n> A 700 901 10";
    assert_eq!(last(4, script), ["ack_lost_segment", "duplicate_ack", "-", "lost_segment"]);
    let tags = play(script);
    assert_eq!(tags[4].duplicate_ack, Some((1, 4)));
    // No verdict, and yet a record: the round trip time is shown.
    assert_eq!(tags[5].initial_rtt, Some(Span::from_millis(20)));
}

#[test]
fn a_window_counts_unscaled_until_the_first_ack() {
    let script = "0> S 100 ws2
        10< SA 900 101 w100 ws2
        10> A 101 901 100
        10< A 901 201 w100
        10> A 201 901 400";
    assert_eq!(last(3, script), ["window_full", "-", "window_full"]);
    let tags = play(script);
    assert_eq!((tags[1].window_size(), tags[3].window_size()), (100, 400));
    assert_eq!(tags[3].scale, Scale::Shift(2));
    assert_eq!(field(&tags[1], "tcp.window_size_scalefactor"), None);
}

#[test]
fn a_full_window_stands_before_the_retransmission_that_fills_it() {
    let script = "0> S 100 ws0
        10< SA 900 101 w100 ws0
        10> A 101 901
        10> A 101 901 100
        500> A 101 901 100";
    let tags = play(script);
    assert_eq!(tags[4].label().to_string(), "[TCP Window Full] [TCP Retransmission]");
}

#[test]
fn verdicts_hold_across_the_wrap() {
    let script = "0> S 4294967246
        10< SA 900 4294967247
        10> A 4294967247 901
        10> A 4294967247 901 40
        10> A 4294967287 901 40
        10< A 901 31
        50> A 4294967287 901 40
        10> A 91 901 10";
    assert_eq!(last(2, script), ["spurious_retransmission", "lost_segment"]);
    assert_eq!(play(script)[4].relative_seq, 41);
}

#[test]
fn an_ack_after_data_with_the_same_numbers_duplicates_it() {
    let tags = play("0> A 100 1 3000\n1> A 3100 1 0");
    assert_eq!((tags[1].verdicts.to_string().as_str(), tags[1].duplicate_ack), ("duplicate_ack", Some((1, 1))));
}

#[test]
fn one_packet_captured_twice_looks_sent_twice() {
    assert_eq!(last(1, "HS\n> A 101 901 100\n0.1> A 101 901 100"), [RETRANSMISSION]);
}

#[test]
fn a_bogus_header_is_judged_but_hardly_shown() {
    let tags = play("0> S 1 0 0 hlen16\n1> S 1");
    assert_eq!(verdicts(&tags[1..]), [RETRANSMISSION]);
    let shown: Vec<_> = tags[0].fields().map(|(name, _)| name).collect();
    assert_eq!(shown, ["tcp.stream", "tcp.len", "tcp.seq", "tcp.seq_raw", "tcp.hdr_len", "tcp.completeness"]);
}

#[test]
fn octets_held_by_sack_are_not_in_flight_and_an_absurd_flight_is_not_shown() {
    let script = "HS
        1> A 101 901 100
        1> A 201 901 100
        10< A 901 101 0 sack201-301
        1> A 301 901 100
        10< A 901 101 0 sack201-301 sack301-401 sack101-401
        1> A 401 901 100";
    let tags = play(script);
    assert_eq!(tags[4].bytes_in_flight, Some(200));
    assert_eq!((tags[6].bytes_in_flight, tags[6].push_bytes_sent), (Some(200), Some(300)));
    // 400 outstanding, 500 held: no number, but still a record.
    assert_eq!((tags[8].bytes_in_flight, tags[8].push_bytes_sent), (None, None));
    assert_eq!(tags[8].initial_rtt, Some(Span::from_millis(20)));
}

#[test]
fn a_clock_that_steps_back_gives_a_negative_timeout() {
    let script = "HS\n10> A 101 901 100\n10> A 301 901 100\n-30> A 201 901 100";
    let tags = play(script);
    assert_eq!(verdicts(&tags[5..]), [RETRANSMISSION]);
    assert_eq!(tags[5].rto, Some((4, Span::from_millis(-20))));
}

#[test]
fn a_record_that_claims_more_than_half_the_circle_counts_up_to_there() {
    // Read off a fuzzer's file: raw IP, 3,599,899,676 octets claimed, a header of 20 + 20: 2^31 − 1 − 40 are shown.
    let packets = trace("0> A 100 1 10");
    let longer = |len| {
        let mut packet = packets[0].clone();
        packet.layers.push(Layer { kind: LayerKind::Ipv4, offset: 0, len: 20 });
        packet.layers.push(Layer { kind: LayerKind::Tcp, offset: 20, len: 20 });
        let Transport::Tcp(tcp) = &mut packet.transport else { panic!("a segment") };
        tcp.len = len;
        replay(&[packet])[0].len
    };
    assert_eq!((longer(3_599_899_636), longer(2_147_483_607)), (2_147_483_607, 2_147_483_607));
    assert_eq!(longer(2_147_483_606), 2_147_483_606);
}

trait Completeness {
    fn map_completeness(&self) -> Vec<u8>;
}

impl Completeness for Vec<Tags> {
    fn map_completeness(&self) -> Vec<u8> {
        self.iter().map(|tags| tags.completeness).collect()
    }
}
