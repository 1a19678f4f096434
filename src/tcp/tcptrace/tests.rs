#![cfg(test)]
//! Every line of the long report, with numbers that tcptrace 6.6.7 gives for the same packets.

use super::segments::MAX_SEGMENTS;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::Ledger;
use crate::tcp::Side;
use crate::tcp::ledger::Cell;
use crate::tcp::ledger::testing::written;

const SYN: &str = "+0.000  C > S  S   1000:1000(0)            win 8000  <mss 1460>\n";
const SYN_ACK: &str = "+0.010  S > C  S.  5000:5000(0)  ack 1001  win 9000  <mss 65495>\n";
const ACK: &str = "+0.010  C > S  .   1001:1001(0)  ack 5001  win 500\n";
const DATA: &str = "+0.010  C > S  P.  1001:1011(10) ack 5001  win 500\n";
const MORE: &str = "+0.010  C > S  .   1011:1031(20) ack 5001  win 500\n";
const ACKED: &str = "+0.010  S > C  .   5001:5001(0)  ack 1011  win 500\n";
const ALL_ACKED: &str = "+0.010  S > C  .   5001:5001(0)  ack 1031  win 500\n";

/// The report on a script, with the capture's end at its last packet.
struct Told(Ledger);

fn play(lines: &[&str]) -> Told {
    Told(written(&lines.join("\n")))
}

impl Told {
    fn get(&self, direction: usize, name: &str) -> Option<Cell<'_>> {
        let report = self.0.tcptrace.report(Some(Timestamp::EPOCH));
        report.directions[direction].pairs().find(|(key, _)| *key == name).map(|(_, cell)| cell)
    }

    fn number(&self, direction: usize, name: &str) -> u64 {
        match self.get(direction, name) {
            Some(Cell::Number(number)) => number,
            other => panic!("{name} is {other:?}"),
        }
    }

    /// Numbers of what the sender of the first packet sent.
    #[track_caller]
    fn sent(&self, wanted: &[(&str, u64)]) {
        for &(name, value) in wanted {
            assert_eq!(self.number(0, name), value, "{name}");
        }
    }

    fn time(&self, name: &str) -> Span {
        match self.get(0, name) {
            Some(Cell::Time(span)) => span,
            other => panic!("{name} is {other:?}"),
        }
    }

    fn complete(&self) -> &'static str {
        self.0.tcptrace.report(None).complete
    }
}

fn millis(millis: i64) -> Span {
    Span::from_millis(millis)
}

#[test]
fn packets_are_counted_by_their_flags() {
    let told = play(&[SYN, SYN_ACK, ACK, DATA, MORE, "+0.01 C > S R. 1031:1031(0) ack 5001 win 0"]);
    told.sent(&[("total_packets", 5), ("ack_pkts_sent", 4), ("pure_acks_sent", 1), ("pushed_data_pkts", 1)]);
    told.sent(&[("syn_pkts", 1), ("fin_pkts", 0), ("actual_data_pkts", 2), ("actual_data_bytes", 30)]);
    assert_eq!(told.number(1, "total_packets"), 1);
    assert_eq!(told.0.tcptrace.report(None).a, Side::Client);
}

#[test]
fn complete_needs_both_syns_and_fins_and_no_reset() {
    let fins = ["+0.01 C > S F. 1001:1001(0) ack 5001 win 500", "+0.01 S > C F. 5001:5001(0) ack 1002 win 500"];
    assert_eq!(play(&[SYN, SYN_ACK, ACK, fins[0], fins[1]]).complete(), "yes");
    assert_eq!(play(&[SYN, SYN_ACK, ACK, fins[0]]).complete(), "no");
    assert_eq!(play(&[ACK, fins[0], fins[1]]).complete(), "no");
    assert_eq!(play(&[SYN, SYN_ACK, ACK, fins[0], fins[1], "+0 S > C R 5002:5002(0) win 0"]).complete(), "reset");
}

#[test]
fn what_was_sent_before_counts_once_as_unique_and_the_rest_as_rexmt() {
    play(&[SYN, DATA, DATA]).sent(&[("unique_bytes_sent", 10), ("rexmt_data_pkts", 1), ("rexmt_data_bytes", 10)]);
    let part = "+0.01 C > S . 1006:1021(15) ack 5001 win 500";
    play(&[SYN, DATA, part]).sent(&[("unique_bytes_sent", 20), ("rexmt_data_pkts", 1), ("rexmt_data_bytes", 5)]);
    play(&[SYN, DATA, MORE]).sent(&[("unique_bytes_sent", 30), ("rexmt_data_pkts", 0), ("rexmt_data_bytes", 0)]);
}

#[test]
fn a_repeated_syn_is_a_repeated_octet_and_no_unique_one() {
    play(&[SYN, SYN]).sent(&[("rexmt_data_pkts", 1), ("rexmt_data_bytes", 1), ("unique_bytes_sent", 0)]);
}

#[test]
fn a_second_fin_elsewhere_counts_as_an_octet() {
    let fins = ["+0.01 C > S F. 1011:1011(0) ack 5001 win 500", "+0.01 C > S F. 1020:1020(0) ack 5001 win 500"];
    play(&[SYN, DATA, fins[0]]).sent(&[("unique_bytes_sent", 10), ("ttl_stream_length", 10)]);
    play(&[SYN, DATA, fins[0], fins[1]]).sent(&[("unique_bytes_sent", 11), ("ttl_stream_length", 19)]);
}

#[test]
fn what_begins_before_a_segment_and_ends_before_its_end_is_out_of_order() {
    play(&[SYN, MORE, DATA]).sent(&[("outoforder_pkts", 1), ("rexmt_data_pkts", 0)]);
    let across = "+0.01 C > S . 1006:1016(10) ack 5001 win 500";
    play(&[SYN, MORE, across]).sent(&[("outoforder_pkts", 1), ("rexmt_data_pkts", 1), ("rexmt_data_bytes", 5)]);
    let over = "+0.01 C > S . 1001:1031(30) ack 5001 win 500";
    play(&[SYN, MORE, over]).sent(&[("outoforder_pkts", 0), ("rexmt_data_bytes", 20), ("unique_bytes_sent", 30)]);
}

#[test]
fn data_against_a_closed_window_is_a_probe_and_nothing_else() {
    let shut = "+0.01 S > C . 5001:5001(0) ack 1001 win 0";
    let told = play(&[SYN, SYN_ACK, ACK, shut, DATA]);
    told.sent(&[("zwnd_probe_pkts", 1), ("zwnd_probe_bytes", 10), ("unique_bytes_sent", 0), ("actual_data_bytes", 10)]);
    play(&[SYN, SYN_ACK, ACK, ACKED, DATA]).sent(&[("zwnd_probe_pkts", 0), ("unique_bytes_sent", 10)]);
    let told = play(&["+0.01 S > C R. 5001:5001(0) ack 1001 win 500", DATA]);
    assert_eq!(told.number(1, "zwnd_probe_pkts"), 1, "no window was ever seen");
}

#[test]
fn options_are_requests_wherever_they_stand() {
    let told = play(&["+0 C > S S 1000:1000(0) win 500 <mss 1460, sackOK, wscale 7, ts 1 0>", SYN_ACK]);
    told.sent(&[("mss_requested", 1460), ("adv_wind_scale", 7)]);
    assert_eq!(told.get(0, "req_1323_ws"), Some(Cell::Yes(true)));
    assert_eq!(told.get(0, "req_1323_ts"), Some(Cell::Yes(true)));
    assert_eq!(told.get(0, "req_sack"), Some(Cell::Yes(true)));
    assert_eq!(told.number(1, "mss_requested"), 65_495);
    assert_eq!(told.get(1, "req_1323_ws"), Some(Cell::Yes(false)));
    let late = play(&[SYN, "+0.01 C > S . 1001:1001(0) ack 5001 win 500 <mss 3000>"]);
    late.sent(&[("mss_requested", 3000)]);
}

#[test]
fn a_scale_that_only_one_side_offered_is_forgotten_at_the_first_other_packet() {
    let syn = "+0 C > S S 1000:1000(0) win 500 <wscale 7>";
    play(&[syn, SYN_ACK]).sent(&[("adv_wind_scale", 7)]);
    play(&[syn, SYN_ACK, ACK]).sent(&[("adv_wind_scale", 0), ("max_win_adv", 500)]);
}

#[test]
fn sack_blocks_count_on_acknowledgments() {
    let sack = "+0.01 C > S . 1001:1001(0) ack 5001 win 500 <nop, nop, sack 5011:5021 5031:5041>";
    let told = play(&[SYN, sack, sack]);
    told.sent(&[("sack_pkts_sent", 2), ("sacks_sent", 2), ("max_sack_blks_ack", 2), ("dsack_pkts_sent", 0)]);
    let below = "+0.01 C > S . 1001:1001(0) ack 5001 win 500 <nop, nop, sack 4991:5001>";
    play(&[SYN, below]).sent(&[("dsack_pkts_sent", 1)]);
    let inside = "+0.01 C > S . 1001:1001(0) ack 5001 win 500 <nop, nop, sack 5015:5020 5011:5021>";
    play(&[SYN, inside]).sent(&[("dsack_pkts_sent", 1)]);
}

#[test]
fn urgent_counts_on_data_only() {
    let told = play(&[SYN, "+0.01 C > S U. 1001:1011(10) ack 5001 win 500 urg 5"]);
    told.sent(&[("urgent_data_pkts", 1), ("urgent_data_bytes", 5)]);
    let told = play(&[SYN, "+0.01 C > S U. 1001:1001(0) ack 5001 win 500 urg 5"]);
    told.sent(&[("urgent_data_pkts", 0), ("urgent_data_bytes", 0)]);
}

#[test]
fn segment_sizes_are_those_of_data() {
    play(&[SYN, ACK, DATA, MORE]).sent(&[("max_segm_size", 20), ("min_segm_size", 10), ("avg_segm_size", 14)]);
    play(&[SYN, ACK]).sent(&[("max_segm_size", 0), ("min_segm_size", 0), ("avg_segm_size", 0)]);
}

#[test]
fn windows_begin_anew_with_the_first_scaled_one() {
    let syn = "+0 C > S S 1000:1000(0) win 8000 <wscale 2>";
    let syn_ack = "+0.01 S > C S. 5000:5000(0) ack 1001 win 9000 <wscale 1>";
    let other = "+0.01 C > S . 1001:1001(0) ack 5001 win 100";
    let told = play(&[syn, syn_ack, ACK, other, ACKED]);
    told.sent(&[("max_win_adv", 2000), ("min_win_adv", 400), ("avg_win_adv", 1200)]);
    assert_eq!(told.number(1, "max_win_adv"), 1000);
    let unscaled = play(&[SYN, SYN_ACK, ACK]);
    unscaled.sent(&[("max_win_adv", 8000), ("min_win_adv", 500), ("avg_win_adv", 4250)]);
}

#[test]
fn the_mean_is_over_all_packets_until_both_sides_scale() {
    let syn = "+0 C > S S 1000:1000(0) win 8000 <wscale 2>";
    let syn_ack = "+0.01 S > C S. 5000:5000(0) ack 1001 win 9000 <wscale 1>";
    play(&[syn, syn_ack, ACK]).sent(&[("max_win_adv", 2000), ("avg_win_adv", 1000)]);
}

#[test]
fn closed_windows_count_on_acknowledgments_but_not_on_resets() {
    let shut = "+0.01 C > S . 1001:1001(0) ack 5001 win 0";
    play(&[SYN, SYN_ACK, shut, shut]).sent(&[("zero_win_adv", 2), ("min_win_adv", 8000)]);
    play(&[SYN, SYN_ACK, "+0.01 C > S R. 1001:1001(0) ack 5001 win 0"]).sent(&[("zero_win_adv", 0)]);
}

#[test]
fn the_initial_window_lasts_until_more_than_the_syn_is_acknowledged() {
    let third = "+0.01 C > S . 1031:1041(10) ack 5001 win 500";
    let told = play(&[SYN, SYN_ACK, ACK, DATA, DATA, MORE, ALL_ACKED, third]);
    told.sent(&[("initial_window_bytes", 30), ("initial_window_pkts", 2)]);
}

#[test]
fn the_stream_runs_from_syn_to_fin_and_what_is_not_seen_of_it_is_missed() {
    let fin = "+0.01 C > S F. 1051:1051(0) ack 5001 win 500";
    let told = play(&[SYN, DATA, fin]);
    told.sent(&[("ttl_stream_length", 50)]);
    assert_eq!(told.get(0, "missed_data"), Some(Cell::Signed(40)));
    let told = play(&[DATA, fin]);
    assert_eq!((told.get(0, "ttl_stream_length"), told.get(0, "missed_data")), (None, None));
}

#[test]
fn after_a_reset_the_stream_ends_where_its_sender_stopped() {
    let fin = "+0.01 C > S F. 1011:1011(0) ack 5001 win 500";
    play(&[SYN, DATA, fin, "+0 C > S . 1012:1012(0) ack 5001 win 500"]).sent(&[("ttl_stream_length", 10)]);
    play(&[SYN, DATA, fin, "+0 C > S R 1012:1012(0) win 0"]).sent(&[("ttl_stream_length", 11)]);
}

#[test]
fn octets_that_the_snap_length_cut_are_truncated() {
    let told = play(&[SYN, "+0.01 C > S . 1001:1021(20) ack 5001 win 500 snaplen 60", DATA]);
    told.sent(&[("truncated_data", 14), ("truncated_packets", 1), ("actual_data_bytes", 30)]);
}

#[test]
fn times_are_those_of_data_of_own_packets_and_of_the_whole() {
    let told = play(&[SYN, SYN_ACK, ACK, DATA, MORE, ALL_ACKED]);
    assert_eq!(told.time("data_xmit_time"), millis(10));
    assert_eq!(told.time("idletime_max"), millis(20));
    told.sent(&[("throughput", 600)]);
}

#[test]
fn an_open_connection_is_idle_until_the_capture_ends() {
    let ledger = play(&[SYN, SYN_ACK]).0;
    let end = Timestamp::from_parts(1_700_000_009, 0);
    let idle = |until| ledger.tcptrace.report(until).directions[0].pairs().find(|(name, _)| *name == "idletime_max");
    assert_eq!(idle(Some(end)), Some(("idletime_max", Cell::Time(Span::from_secs(9)))));
    assert_eq!(idle(None), None, "nobody knows");
}

#[test]
fn an_exact_ack_of_what_was_sent_once_is_a_sample() {
    let told = play(&[SYN, SYN_ACK, ACK, DATA, ACKED]);
    told.sent(&[("rtt_samples", 2), ("segs_cum_acked", 0)]);
    assert_eq!((told.time("rtt_min"), told.time("rtt_max")), (millis(10), millis(10)));
    assert_eq!(told.time("rtt_from_3whs"), millis(10));
    assert_eq!(told.time("rtt_stdev"), Span::ZERO, "two samples do not deviate");
}

#[test]
fn an_ack_of_what_was_sent_twice_is_no_sample() {
    play(&[DATA, DATA, ACKED]).sent(&[("rtt_samples", 0), ("post_loss_acks", 0), ("max_retrans", 1)]);
}

#[test]
fn an_ack_behind_something_sent_later_is_post_loss() {
    let told = play(&[DATA, MORE, DATA, ALL_ACKED]);
    told.sent(&[("rtt_samples", 0), ("post_loss_acks", 1), ("segs_cum_acked", 1)]);
    play(&[DATA, MORE, ALL_ACKED]).sent(&[("rtt_samples", 1), ("post_loss_acks", 0), ("segs_cum_acked", 1)]);
}

#[test]
fn the_handshakes_round_trip_needs_a_single_syn() {
    assert_eq!(play(&[SYN, SYN, SYN_ACK]).time("rtt_from_3whs"), Span::ZERO);
}

#[test]
fn a_late_ack_of_the_syn_takes_the_latest_sample_for_the_handshakes() {
    let late = "+0.01 S > C . 5001:5001(0) ack 1001 win 500";
    let slow = "+0.05 S > C . 5001:5001(0) ack 1011 win 500";
    assert_eq!(play(&[SYN, SYN_ACK, DATA, slow, late]).time("rtt_from_3whs"), millis(50));
    assert_eq!(play(&[SYN, SYN_ACK, DATA, DATA, slow, late]).time("rtt_from_3whs"), Span::ZERO, "it had been resent");
}

#[test]
fn an_ack_that_changes_nothing_is_a_duplicate_and_its_third_a_triple() {
    play(&[DATA, ACKED, ACKED, ACKED]).sent(&[("duplicate_acks", 2), ("triple_dupacks", 0)]);
    play(&[DATA, ACKED, ACKED, ACKED, ACKED]).sent(&[("duplicate_acks", 3), ("triple_dupacks", 1)]);
    play(&[DATA, ACKED, ACKED, ACKED, ACKED, ACKED]).sent(&[("duplicate_acks", 4), ("triple_dupacks", 1)]);
}

#[test]
fn another_window_or_data_is_no_duplicate_and_begins_the_count_anew() {
    let window = "+0.01 S > C . 5001:5001(0) ack 1011 win 400";
    play(&[DATA, ACKED, window]).sent(&[("duplicate_acks", 0)]);
    play(&[DATA, ACKED, ACKED, window, window, window]).sent(&[("duplicate_acks", 3), ("triple_dupacks", 0)]);
    play(&[DATA, ACKED, "+0.01 S > C . 5001:5002(1) ack 1011 win 500"]).sent(&[("duplicate_acks", 0)]);
}

#[test]
fn a_lone_fin_has_no_duplicates_and_one_behind_data_has() {
    let fin = "+0.01 C > S F. 1011:1011(0) ack 5001 win 500";
    let acked = "+0.01 S > C . 5001:5001(0) ack 1012 win 500";
    play(&[fin, acked, acked]).sent(&[("duplicate_acks", 0)]);
    play(&[DATA, fin, acked, acked]).sent(&[("duplicate_acks", 1)]);
}

#[test]
fn most_repetitions_are_those_of_one_segment_before_it_was_acknowledged() {
    play(&[DATA, DATA, DATA, MORE, MORE]).sent(&[("max_retrans", 2)]);
    play(&[DATA, ACKED, DATA, DATA]).sent(&[("max_retrans", 0), ("rexmt_data_pkts", 2)]);
}

#[test]
fn numbers_hold_across_the_edges_of_the_circle() {
    for base in [u32::MAX - 4, (1 << 30) - 5, (1 << 31) - 5] {
        let at = |offset: u32| base.wrapping_add(offset);
        let told = play(&[
            &format!("+0.00 C > S . {}:{}(10) ack 5001 win 500", at(0), at(10)),
            &format!("+0.01 C > S . {}:{}(10) ack 5001 win 500", at(10), at(20)),
            &format!("+0.01 C > S . {}:{}(10) ack 5001 win 500", at(0), at(10)),
            &format!("+0.01 S > C . 5001:5001(0) ack {} win 500", at(20)),
        ]);
        told.sent(&[("unique_bytes_sent", 20), ("rexmt_data_bytes", 10), ("outoforder_pkts", 0)]);
        told.sent(&[("rtt_samples", 0), ("post_loss_acks", 1), ("segs_cum_acked", 2), ("max_retrans", 1)]);
    }
}

/// So many segments of ten octets in a row, or with holes of ten between them.
fn many(count: usize, step: u32) -> Vec<String> {
    let seqs = (0..count as u32).map(|n| 1001 + n * step);
    seqs.map(|seq| format!("+0.001 C > S . {seq}:{}(10) ack 5001 win 500", seq + 10)).collect()
}

fn after_many(count: usize, step: u32, last: &str) -> Told {
    let mut script = many(count, step);
    script.push(last.to_owned());
    play(&script.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn more_segments_than_fit_stay_exact_until_one_of_the_joined_is_touched() {
    let count = MAX_SEGMENTS * 2;
    let all = after_many(count, 10, "+0 C > S . 900001:900001(0) ack 5001 win 500");
    all.sent(&[("unique_bytes_sent", count as u64 * 10), ("rexmt_data_pkts", 0), ("rtt_samples", 0)]);
    let touched = after_many(count, 10, DATA);
    touched.sent(&[("unique_bytes_sent", count as u64 * 10), ("rexmt_data_bytes", 10)]);
    assert_eq!(touched.get(0, "max_retrans"), None, "which of the joined it was is not known");
    assert_eq!(touched.get(0, "rtt_samples"), None);
    assert_eq!(after_many(8, 10, DATA).number(0, "max_retrans"), 1);
}

#[test]
fn joined_holes_make_octets_unknown_once_they_are_touched() {
    let hole = "+0 C > S . 1011:1021(10) ack 5001 win 500";
    let told = after_many(MAX_SEGMENTS * 2, 20, hole);
    for name in ["unique_bytes_sent", "rexmt_data_bytes", "outoforder_pkts", "throughput", "max_retrans"] {
        assert_eq!(told.get(0, name), None, "{name}");
    }
    told.sent(&[("total_packets", MAX_SEGMENTS as u64 * 2 + 1)]);
    after_many(8, 20, hole).sent(&[("outoforder_pkts", 1), ("rexmt_data_bytes", 0)]);
}

#[test]
fn acknowledged_segments_take_no_room() {
    let acked = |seq: u32| format!("+0.001 S > C . 5001:5001(0) ack {} win 500", seq + 10);
    let mut script = Vec::new();
    for (n, line) in many(MAX_SEGMENTS * 2, 10).into_iter().enumerate() {
        script.push(line);
        script.push(acked(1001 + n as u32 * 10));
    }
    script.push(DATA.to_owned());
    let told = play(&script.iter().map(String::as_str).collect::<Vec<_>>());
    told.sent(&[("rtt_samples", MAX_SEGMENTS as u64 * 2), ("rexmt_data_bytes", 10), ("max_retrans", 0)]);
}
