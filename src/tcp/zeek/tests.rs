#![cfg(test)]
//! Every word of `conn_state`, every letter of `history`, and what the octets of conn.log rest on.

use super::delivery::MAX_STRETCHES;
use super::history::MAX_LETTERS;
use crate::packet::Span;
use crate::tcp::Ledger;
use crate::tcp::Side;
use crate::tcp::ledger::Cell;
use crate::tcp::ledger::testing::written;

const SYN: &str = "+0.000  C > S  S   1000:1000(0)            win 500\n";
const SYN_ACK: &str = "+0.010  S > C  S.  5000:5000(0)  ack 1001  win 500\n";
const ACK: &str = "+0.010  C > S  .   1001:1001(0)  ack 5001  win 500\n";
const ASK: &str = "+0.010  C > S  P.  1001:1011(10) ack 5001  win 500\n";
const ANSWER: &str = "+0.010  S > C  P.  5001:5021(20) ack 1011  win 500\n";

/// The lines of a script, one after the other.
fn play(lines: &[&str]) -> Ledger {
    written(&lines.join("\n"))
}

/// State and history.
fn story(lines: &[&str]) -> (&'static str, String) {
    let ledger = play(lines);
    let log = ledger.zeek.conn_log();
    (log.conn_state, log.history.expect("a history that fits").to_owned())
}

fn told(lines: &[&str], state: &str, history: &str) {
    assert_eq!(story(lines), (state, history.to_owned()));
}

#[test]
fn an_attempt_without_answer_is_s0_and_takes_no_time() {
    told(&[SYN], "S0", "S");
    let ledger = play(&[SYN]);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.bytes, log.duration, log.packets), (None, None, [1, 0]));
}

#[test]
fn a_retried_syn_adds_a_letter_only_with_another_number() {
    told(&[SYN, "+1.0 C > S S 1000:1000(0) win 500"], "S0", "S");
}

#[test]
fn an_open_connection_is_s1() {
    told(&[SYN, SYN_ACK], "S1", "Sh");
    told(&[SYN, SYN_ACK, ACK, ASK, ANSWER], "S1", "ShADd");
}

#[test]
fn an_ack_of_the_responder_before_its_syn_ack_opens_nothing() {
    told(&[SYN, "+0.01 S > C . 5000:5000(0) ack 1001 win 500"], "S0", "Sa");
    told(&[SYN, "+0.01 S > C . 5000:5000(0) ack 1001 win 500", SYN_ACK], "S1", "Sah");
}

#[test]
fn both_fins_make_sf_and_count_no_octet() {
    let closed = &[
        SYN,
        SYN_ACK,
        ACK,
        ASK,
        ANSWER,
        "+0.01 C > S F. 1011:1011(0) ack 5021 win 500",
        "+0.01 S > C F. 5021:5021(0) ack 1012 win 500",
        "+0.01 C > S .  1012:1012(0) ack 5022 win 500",
    ];
    told(closed, "SF", "ShADdFf");
    let ledger = play(closed);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.bytes, log.packets, log.missed_bytes), (Some([10, 20]), [5, 3], Some(0)));
    assert_eq!(log.duration, Some(Span::from_millis(60)), "the last ACK is no part of it");
}

#[test]
fn one_fin_makes_s2_or_s3_of_an_open_connection() {
    told(&[SYN, SYN_ACK, ACK, "+0.01 C > S F. 1001:1001(0) ack 5001 win 500"], "S2", "ShAF");
    told(&[SYN, SYN_ACK, ACK, "+0.01 S > C F. 5001:5001(0) ack 1001 win 500"], "S3", "ShAf");
}

#[test]
fn a_fin_into_silence_is_sh_and_one_without_a_syn_before_it_shr() {
    told(&[SYN, "+0.01 C > S F 1001:1001(0) win 500"], "SH", "SF");
    told(&[ASK, "+0.01 S > C F. 5001:5001(0) ack 1011 win 500"], "SHR", "Df");
}

#[test]
fn a_refused_syn_is_rej() {
    told(&[SYN, "+0.01 S > C R. 0:0(0) ack 1001 win 0"], "REJ", "Sr");
}

#[test]
fn two_resets_without_an_octet_are_rej_and_with_one_rstr() {
    let resets = ["+0.01 S > C R. 5001:5001(0) ack 1001 win 500", "+0.01 C > S R 1001:1001(0) win 0"];
    told(&[SYN, SYN_ACK, resets[0], resets[1]], "REJ", "ShrR");
    told(&[SYN, SYN_ACK, ACK, ASK, resets[0], "+0.01 C > S R 1011:1011(0) win 0"], "RSTR", "ShADrR");
}

#[test]
fn a_reset_of_an_open_connection_names_who_sent_it() {
    told(&[SYN, SYN_ACK, ACK, "+0.01 C > S R. 1001:1001(0) ack 5001 win 500"], "RSTO", "ShAR");
    told(&[SYN, SYN_ACK, ACK, "+0.01 S > C R. 5001:5001(0) ack 1001 win 500"], "RSTR", "ShAr");
}

#[test]
fn a_syn_taken_back_is_rstos0_unless_more_than_syns_came_before() {
    told(&[SYN, "+0.01 C > S R 1001:1001(0) win 0"], "RSTOS0", "SR");
    told(&[SYN, "+0.01 S > C . 77:77(0) ack 1001 win 500", "+0.01 C > S R 1001:1001(0) win 0"], "RSTOS0", "SaR");
    told(&[SYN, "+0.01 C > S F 1001:1001(0) win 500", "+0.01 C > S R 1002:1002(0) win 0"], "OTH", "SFR");
    told(&["+0.01 C > S R 1001:1001(0) win 0"], "OTH", "R");
}

#[test]
fn a_reset_of_the_responder_to_somebody_without_a_syn_is_rstrh() {
    told(&[ASK, "+0.01 S > C R. 5001:5001(0) ack 1011 win 500"], "RSTRH", "Dr");
}

#[test]
fn traffic_without_beginning_and_end_is_oth() {
    told(&[ASK, ANSWER], "OTH", "Dd");
    told(&[SYN_ACK], "OTH", "^h");
    told(&["S = 10.0.0.2:33333", SYN_ACK], "OTH", "H");
}

#[test]
fn a_fin_a_reset_and_the_other_fin_are_an_orderly_end() {
    let end = ["+0.01 C > S F. 1001:1001(0) ack 5001 win 500", "+0.01 C > S R 1002:1002(0) win 0"];
    told(&[SYN, SYN_ACK, ACK, end[0], end[1]], "RSTO", "ShAFR");
    told(&[SYN, SYN_ACK, ACK, end[0], end[1], "+0.01 S > C F. 5001:5001(0) ack 1002 win 500"], "SF", "ShAFRf");
    let other = "+0.01 S > C F. 5001:5001(0) ack 1002 win 500";
    told(&[SYN, SYN_ACK, ACK, end[0], other, end[1]], "SF", "ShAFfR");
}

#[test]
fn a_likely_server_port_turns_a_late_capture_round() {
    let ledger = play(&["+0.00 S > C P. 5001:5021(20) ack 1011 win 500"]);
    assert_eq!(ledger.zeek.conn_log().originator, Side::Client);
    assert_eq!(ledger.zeek.conn_log().history, Some("^d"));
    let twin = play(&["S = 10.0.0.2:33333", "+0.00 S > C P. 5001:5021(20) ack 1011 win 500"]);
    assert_eq!(twin.zeek.conn_log().originator, Side::Server);
    assert_eq!(twin.zeek.conn_log().history, Some("D"));
}

#[test]
fn a_lone_syn_ack_turns_round_with_the_next_data_or_ack_of_either_side() {
    let port = "S = 10.0.0.2:33333";
    told(&[port, SYN_ACK, ACK], "OTH", "^hA");
    told(&[port, SYN_ACK, "+0.01 S > C P. 5001:5021(20) ack 1001 win 500"], "OTH", "^hd");
    // A scan: what it elicits is a RST.
    told(&[port, SYN_ACK, "+0.01 C > S R 1001:1001(0) win 0"], "REJ", "Hr");
}

#[test]
fn a_syn_behind_its_own_syn_ack_turns_the_connection_round() {
    told(&["S = 10.0.0.2:33333", SYN_ACK, SYN, ACK], "S1", "Hs^A");
    assert_eq!(play(&["S = 10.0.0.2:33333", SYN_ACK, SYN]).zeek.conn_log().originator, Side::Client);
}

#[test]
fn an_answer_from_a_server_that_was_seen_alone_makes_its_client_whole() {
    told(&[SYN_ACK, ACK, ASK, ANSWER], "S1", "^hADd");
}

#[test]
fn fins_and_resets_repeat_their_letter_with_another_number() {
    let fin = "+0.01 C > S F. 1001:1001(0) ack 5001 win 500";
    told(&[SYN, SYN_ACK, ACK, fin, fin], "S2", "ShAF");
    told(&[SYN, SYN_ACK, ACK, fin, "+0.01 C > S F. 1005:1005(0) ack 5001 win 500"], "S2", "ShAFF");
    let reset = "+0.01 S > C R 5001:5001(0) win 0";
    told(&[SYN, SYN_ACK, ACK, reset, reset, "+0.01 S > C R 5009:5009(0) win 0"], "RSTR", "ShArr");
}

#[test]
fn flags_that_never_belong_together_have_letters_of_their_own() {
    told(&[SYN, "+0.01 S > C FR 5000:5000(0) win 500"], "REJ", "Si");
    told(&["+0.01 C > S SF 1000:1000(0) win 500"], "SH", "Q");
}

#[test]
fn a_wrong_checksum_is_a_letter_and_nothing_else() {
    let bad = "+0.01 C > S P. 1001:1011(10) ack 5001 win 500 checksum bad";
    told(&[SYN, SYN_ACK, ACK, bad, bad], "S1", "ShAC");
    assert_eq!(play(&[SYN, SYN_ACK, ACK, bad]).zeek.conn_log().packets, [2, 1]);
    told(&[SYN, SYN_ACK, ACK, &bad.replace("bad", "partial")], "S1", "ShAD");
}

#[test]
fn repeated_payload_is_told_at_the_first_tenth_and_hundredth_time() {
    let mut lines = vec![SYN, SYN_ACK, ACK, ASK];
    lines.extend(std::iter::repeat_n(ASK, 9));
    told(&lines, "S1", "ShADT");
    lines.push(ASK);
    told(&lines, "S1", "ShADTT");
    told(&[SYN, SYN_ACK, ACK, ACK], "S1", "ShA");
}

#[test]
fn a_closed_window_is_told_while_its_sender_lives_and_its_peer_still_sends() {
    let shut = "+0.01 S > C . 5001:5001(0) ack 1001 win 0";
    told(&[SYN, SYN_ACK, ACK, shut], "S1", "ShAaw");
    told(&[SYN, SYN_ACK, ACK, "+0.01 C > S F. 1001:1001(0) ack 5001 win 500", shut], "S2", "ShAFa");
    told(&[SYN, "+0.01 S > C R. 0:0(0) ack 1001 win 0", shut], "REJ", "Sra");
}

#[test]
fn what_is_acknowledged_but_was_not_seen_is_a_gap() {
    let late = "+0.01 C > S P. 1011:1021(10) ack 5001 win 500";
    let ledger = play(&[SYN, SYN_ACK, ACK, late, "+0.01 S > C . 5001:5001(0) ack 1021 win 500", ASK]);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.history, log.missed_bytes), (Some("ShADaGT"), Some(10)));
    let twin = play(&[SYN, SYN_ACK, ACK, late, ASK, "+0.01 S > C . 5001:5001(0) ack 1021 win 500"]);
    let log = twin.zeek.conn_log();
    assert_eq!((log.history, log.missed_bytes), (Some("ShADTa"), Some(0)), "it came in time");
}

#[test]
fn each_hole_below_an_acknowledgment_is_a_gap_of_its_own() {
    let data = ["+0.01 C > S P. 1011:1021(10) ack 5001 win 500", "+0.01 C > S P. 1031:1041(10) ack 5001 win 500"];
    let ledger = play(&[SYN, SYN_ACK, ACK, data[1], data[0], "+0.01 S > C . 5001:5001(0) ack 1051 win 500"]);
    assert_eq!(ledger.zeek.conn_log().missed_bytes, Some(30));
}

#[test]
fn a_gap_that_a_reset_reveals_is_not_told() {
    let ledger = play(&[SYN, SYN_ACK, ACK, "+0.01 S > C R. 5001:5001(0) ack 1021 win 500"]);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.history, log.missed_bytes), (Some("ShAr"), Some(0)));
}

#[test]
fn octets_that_the_snap_length_cut_are_missed() {
    let cut = "+0.01 C > S P. 1001:1011(10) ack 5001 win 500 snaplen 58";
    let ledger = play(&[SYN, SYN_ACK, ACK, cut, "+0.01 S > C . 5001:5001(0) ack 1011 win 500"]);
    assert_eq!(ledger.zeek.conn_log().missed_bytes, Some(10));
    let twin = play(&[SYN, SYN_ACK, ACK, ASK, "+0.01 S > C . 5001:5001(0) ack 1011 win 500"]);
    assert_eq!(twin.zeek.conn_log().missed_bytes, Some(0));
}

#[test]
fn a_fin_is_no_missing_octet() {
    let fin = "+0.01 C > S F. 1001:1001(0) ack 5001 win 500";
    let ledger = play(&[SYN, SYN_ACK, ACK, fin, "+0.01 S > C . 5001:5001(0) ack 1002 win 500"]);
    assert_eq!(ledger.zeek.conn_log().missed_bytes, Some(0));
}

#[test]
fn octets_follow_numbers_so_a_wild_one_inflates_them_but_not_on_a_reset() {
    let wild = "+0.01 C > S P. 5001001:5001011(10) ack 5001 win 500";
    assert_eq!(play(&[SYN, SYN_ACK, ACK, wild]).zeek.conn_log().bytes, Some([5_000_010, 0]));
    let reset = "+0.01 C > S R 5001001:5001001(0) win 0";
    assert_eq!(play(&[SYN, SYN_ACK, ACK, reset]).zeek.conn_log().bytes, Some([0, 0]));
}

#[test]
fn octets_are_counted_across_the_wrap() {
    let ledger = play(&[
        "+0.00 C > S S  4294967290:4294967290(0)           win 500",
        "+0.01 S > C S. 5000:5000(0) ack 4294967291        win 500",
        "+0.01 C > S P. 4294967291:5(10) ack 5001          win 500",
        "+0.01 C > S P. 5:15(10)         ack 5001          win 500",
        "+0.01 S > C .  5001:5001(0)     ack 15            win 500",
    ]);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.bytes, log.missed_bytes, log.history), (Some([20, 0]), Some(0), Some("ShDa")));
}

#[test]
fn a_header_that_is_cut_is_passed_over() {
    let ledger = play(&[SYN, "+0.01 S > C S. 5000:5000(0) ack 1001 win 500 <mss 1460> snaplen 54"]);
    assert_eq!(ledger.zeek.conn_log().packets, [1, 0]);
}

#[test]
fn an_unanswered_attempt_is_over_after_five_seconds_and_the_first_line_stays() {
    let ledger = play(&[SYN, "+4.9 C > S S 1000:1000(0) win 500", "+0.2 C > S S 1000:1000(0) win 500"]);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.packets, log.goes_on), ([2, 0], true));
    assert!(log.pairs().any(|pair| pair == ("goes_on", Cell::Yes(true))));
    let answered = |gap: &str| {
        let answer = format!("+{gap} S > C S. 5000:5000(0) ack 1001 win 500");
        play(&[SYN, &answer, "+5.1 C > S . 1001:1001(0) ack 5001 win 500"]).zeek.conn_log().goes_on
    };
    assert!(answered("5.0"));
    assert!(!answered("4.9"));
}

#[test]
fn silence_ends_a_connection_after_five_minutes() {
    let open = [SYN, SYN_ACK, ACK];
    let late = |gap: &str| {
        let ask = format!("+{gap} C > S P. 1001:1011(10) ack 5001 win 500");
        play(&[open[0], open[1], open[2], &ask]).zeek.conn_log().goes_on
    };
    assert!(late("300.0"));
    assert!(!late("299.9"));
}

#[test]
fn a_straggler_five_seconds_behind_both_fins_is_another_line() {
    let closed = [
        "+0.01 C > S F. 1001:1001(0) ack 5001 win 500",
        "+0.01 S > C F. 5001:5001(0) ack 1002 win 500",
        "+0.01 C > S .  1002:1002(0) ack 5002 win 500",
    ];
    let straggler = |gap: &str| {
        let packet = format!("+{gap} S > C R 5002:5002(0) win 0");
        play(&[SYN, SYN_ACK, ACK, closed[0], closed[1], closed[2], &packet]).zeek.conn_log().goes_on
    };
    assert!(straggler("5.1"));
    assert!(!straggler("4.0"));
}

#[test]
fn a_syn_from_the_other_side_is_another_line() {
    let ledger = play(&[SYN, "+0.01 S > C S 5000:5000(0) win 500"]);
    let log = ledger.zeek.conn_log();
    assert_eq!((log.conn_state, log.goes_on), ("S0", true));
}

#[test]
fn a_history_that_does_not_fit_is_not_told() {
    let fins = |count: usize| {
        let lines: Vec<String> =
            (0..count as u32).map(|n| format!("+0.001 C > S F. {0}:{0}(0) ack 5001 win 500", 1001 + n)).collect();
        let mut script = vec![SYN, SYN_ACK];
        script.extend(lines.iter().map(String::as_str));
        play(&script)
    };
    assert!(fins(MAX_LETTERS - 2).zeek.conn_log().history.is_some());
    assert!(fins(MAX_LETTERS - 1).zeek.conn_log().history.is_none());
}

#[test]
fn gaps_among_too_many_stretches_are_not_told() {
    let islands = |count: usize| {
        let lines: Vec<String> = (0..count as u32)
            .map(|n| 1011 + 20 * n)
            .map(|seq| format!("+0.001 C > S P. {seq}:{}(10) ack 5001 win 500", seq + 10))
            .collect();
        let mut script = vec![SYN, SYN_ACK];
        script.extend(lines.iter().map(String::as_str));
        play(&script)
    };
    assert!(islands(MAX_STRETCHES).zeek.conn_log().missed_bytes.is_some());
    assert!(islands(MAX_STRETCHES + 1).zeek.conn_log().missed_bytes.is_none());
}

#[test]
fn columns_come_in_the_order_of_the_log() {
    let ledger = play(&[SYN, SYN_ACK, ACK, ASK]);
    let names: Vec<_> = ledger.zeek.conn_log().pairs().map(|(name, _)| name).collect();
    let expected =
        ["conn_state", "history", "orig_bytes", "resp_bytes", "orig_pkts", "resp_pkts", "missed_bytes", "duration"];
    assert_eq!(names, expected);
}
