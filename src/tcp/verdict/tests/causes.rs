#![cfg(test)]
//! Octets sent again or out of order: each cause, its near twin, and the case that cannot be told.

use super::*;
use crate::packet::Span;
use Code::*;

/// Five segments of 100 octets from 101 on, packets 4 to 8.
const FIVE: &str = "
    +0.001 C > S . 101:201(100) ack 901 win 10000
    +0.001 C > S . 201:301(100) ack 901 win 10000
    +0.001 C > S . 301:401(100) ack 901 win 10000
    +0.001 C > S . 401:501(100) ack 901 win 10000
    +0.001 C > S . 501:601(100) ack 901 win 10000
";

/// The first arrived, the second is asked for again; packet 9 moves on, each repetition is a duplicate.
fn asked(times: usize) -> String {
    format!(
        "{FIVE}+0.010 S > C . 901:901(0) ack 201 win 10000\n{}",
        "+0.001 S > C . 901:901(0) ack 201 win 10000\n".repeat(times)
    )
}

#[test]
fn three_duplicate_acknowledgments_ask_for_the_segment() {
    let seen = open_then(&format!("{}+0.005 C > S . 201:301(100) ack 901 win 10000", asked(3)));
    assert_eq!(seen.broken(13), [FastRetransmission]);
    assert_eq!(seen.connection.judged(Side::Client).map(|tcb| tcb.duplicate_acks), Some(3));
}

#[test]
fn two_duplicates_do_not_and_too_early_for_a_timer_it_stays_unexplained() {
    let seen = open_then(&format!("{}+0.005 C > S . 201:301(100) ack 901 win 10000", asked(2)));
    assert_eq!(seen.verdict(12, FastRetransmission), HOLDS);
    assert_eq!(seen.broken(12), [RetransmissionUnexplained]);
}

#[test]
fn sack_of_three_segments_above_asks_as_well() {
    let seen = judge_from(
        "+0.000  C > S  S   100:100(0)            win 10000  <mss 100, sackOK>
         +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 100, sackOK>
         +0.010  C > S  .   101:101(0)   ack 901  win 10000
         +0.001 C > S . 101:201(100) ack 901 win 10000
         +0.001 C > S . 201:301(100) ack 901 win 10000
         +0.001 C > S . 301:401(100) ack 901 win 10000
         +0.001 C > S . 401:501(100) ack 901 win 10000
         +0.010 S > C . 901:901(0)   ack 101 win 10000 <sack 201:501>
         +0.001 C > S . 101:201(100) ack 901 win 10000",
        0,
    );
    assert_eq!(seen.broken(9), [FastRetransmission]);
}

#[test]
fn the_oldest_segment_after_its_timer_is_a_timeout() {
    let seen = open_then(&format!("{}+0.500 C > S . 201:301(100) ack 901 win 10000", asked(0)));
    assert_eq!(seen.broken(10), [TimeoutRetransmission]);
    let early = open_then(&format!("{}+0.100 C > S . 201:301(100) ack 901 win 10000", asked(0)));
    assert_eq!(early.verdict(10, TimeoutRetransmission), HOLDS);
}

#[test]
fn without_a_round_trip_a_timer_between_the_bounds_cannot_be_told() {
    let seen = mid_stream(
        "+0.001 S > C . 901:911(10)  ack 101 win 10000
         +0.001 C > S . 101:201(100) ack 901 win 10000
         +0.500 C > S . 101:201(100) ack 901 win 10000",
    );
    assert_eq!(seen.verdict(3, TimeoutRetransmission), cannot_tell(Gap::NoRoundTrip));
    let sure = mid_stream(
        "+0.001 S > C . 901:911(10)  ack 101 win 10000
         +0.001 C > S . 101:201(100) ack 901 win 10000
         +1.500 C > S . 101:201(100) ack 901 win 10000",
    );
    assert_eq!(sure.verdict(3, TimeoutRetransmission), Some(BROKEN));
}

#[test]
fn the_youngest_segment_again_after_two_round_trips_is_a_tail_loss_probe() {
    let seen = open_then(
        "+0.001 C > S . 101:201(100) ack 901 win 10000
         +0.010 S > C . 901:901(0)   ack 201 win 10000
         +0.001 C > S . 201:301(100) ack 901 win 10000
         +0.001 C > S . 301:401(100) ack 901 win 10000
         +0.045 C > S . 301:401(100) ack 901 win 10000",
    );
    assert_eq!(seen.broken(8), [TailLossProbe]);
    let timer = open_then(
        "+0.001 C > S . 101:201(100) ack 901 win 10000
         +0.010 S > C . 901:901(0)   ack 201 win 10000
         +0.001 C > S . 201:301(100) ack 901 win 10000
         +0.300 C > S . 201:301(100) ack 901 win 10000",
    );
    assert_eq!(timer.verdict(7, TailLossProbe), HOLDS, "a timer that ran out is no probe");
    let blind = mid_stream(
        "+0.001 S > C . 901:911(10)  ack 101 win 10000
         +0.001 C > S . 101:201(100) ack 901 win 10000
         +0.050 C > S . 101:201(100) ack 901 win 10000",
    );
    assert_eq!(blind.verdict(3, TailLossProbe), cannot_tell(Gap::NoRoundTrip));
}

/// One segment acknowledged after 20 ms, packets 4 and 5; one on its way, packet 6.
const TAIL: &str = "
    +0.001 C > S . 101:201(100) ack 901 win 10000
    +0.020 S > C . 901:901(0)   ack 201 win 10000
    +0.001 C > S . 201:301(100) ack 901 win 10000
";
const NO_SACK: &str = "
    +0.000  C > S  S   100:100(0)            win 10000  <mss 1460>
    +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 1460>
    +0.010  C > S  .   101:101(0)   ack 901  win 10000
";

#[test]
fn a_lone_tail_is_probed_as_late_as_the_timer_where_sack_was_agreed_on() {
    let again = "+0.230 C > S . 201:301(100) ack 901 win 10000";
    assert_eq!(open_then(&format!("{TAIL}{again}")).broken(7), [TailLossProbe]);
    let without = judge_from(&format!("{NO_SACK}{TAIL}{again}"), 0);
    assert_eq!(without.verdict(7, TailLossProbe), HOLDS, "probes rest on SACK");
    assert_eq!(without.broken(7), [TimeoutRetransmission]);
    let unknown = mid_stream(&format!("{TAIL}{again}"));
    assert_eq!(unknown.verdict(4, TailLossProbe), cannot_tell(Gap::NoHandshake));
}

#[test]
fn the_timer_of_a_tail_starts_over_with_each_acknowledgment() {
    let seen = open_then(
        "+0.001 C > S . 101:201(100) ack 901 win 10000
         +0.020 S > C . 901:901(0)   ack 201 win 10000
         +0.001 C > S . 201:301(100) ack 901 win 10000
         +0.001 C > S . 301:401(100) ack 901 win 10000
         +0.060 S > C . 901:901(0)   ack 301 win 10000
         +0.215 C > S . 301:401(100) ack 901 win 10000",
    );
    assert_eq!(seen.broken(9), [TailLossProbe], "275 ms after it was sent, 215 ms after the acknowledgment");
}

#[test]
fn the_youngest_again_while_older_ones_are_owed_is_a_probe_however_late() {
    let seen = open_then(&format!(
        "{TAIL}+0.001 C > S . 301:401(100) ack 901 win 10000
         +0.400 C > S . 301:401(100) ack 901 win 10000"
    ));
    assert_eq!(seen.broken(8), [TailLossProbe]);
    let oldest = open_then(&format!(
        "{TAIL}+0.001 C > S . 301:401(100) ack 901 win 10000
         +0.400 C > S . 201:301(100) ack 901 win 10000"
    ));
    assert_eq!(oldest.broken(8), [TimeoutRetransmission]);
}

/// The second of three is lost and repeated after the third: both are acknowledged at once, the fourth is not.
const REPAIRED: &str = "
    +0.001 C > S . 101:201(100) ack 901 win 10000
    +0.020 S > C . 901:901(0)   ack 201 win 10000
    +0.001 C > S . 201:301(100) ack 901 win 10000
    +0.001 C > S . 301:401(100) ack 901 win 10000
    +0.001 C > S . 401:501(100) ack 901 win 10000
    +0.019 S > C . 901:901(0)   ack 201 win 10000 <sack 301:401>
    +0.005 C > S . 201:301(100) ack 901 win 10000
";

#[test]
fn what_was_sent_before_something_that_arrived_goes_again_without_being_asked_for() {
    let overtaken = open_then(&format!(
        "{REPAIRED}+0.030 S > C . 901:901(0) ack 401 win 10000
         +0.001 C > S . 401:501(100) ack 901 win 10000"
    ));
    let judgement = overtaken.of(12, FastRetransmission).expect("judged");
    assert_eq!(judgement.verdict, BROKEN);
    assert!(judgement.inputs.contains(&("later", Number::Span(Span::from_millis(24)))), "{judgement:?}");
    let youngest = open_then(&format!(
        "{REPAIRED}+0.001 C > S . 501:601(100) ack 901 win 10000
         +0.030 S > C . 901:901(0) ack 401 win 10000
         +0.005 C > S . 501:601(100) ack 901 win 10000"
    ));
    assert_eq!(youngest.verdict(13, FastRetransmission), HOLDS, "nothing sent after it has arrived");
}

#[test]
fn what_a_timeout_gave_up_goes_again_because_of_it_and_what_came_later_does_not() {
    let given_up = "+0.500 C > S . 201:301(100) ack 901 win 10000
         +0.001 C > S . 601:701(100) ack 901 win 10000
         +0.020 S > C . 901:901(0)   ack 301 win 10000 <sack 601:701>\n";
    let same_flight = open_then(&format!("{}{given_up}+0.001 C > S . 301:401(100) ack 901 win 10000", asked(0)));
    assert_eq!(same_flight.broken(13), [TimeoutRetransmission]);
    let later = open_then(&format!(
        "{TAIL}+0.500 C > S . 201:301(100) ack 901 win 10000
         +0.001 C > S . 301:401(100) ack 901 win 10000
         +0.020 S > C . 901:901(0)   ack 301 win 10000
         +0.001 C > S . 401:501(100) ack 901 win 10000
         +0.020 S > C . 901:901(0)   ack 301 win 10000 <sack 401:501>
         +0.005 C > S . 301:401(100) ack 901 win 10000"
    ));
    assert_eq!(later.broken(12), [FastRetransmission]);
}

#[test]
fn without_sack_a_lost_repetition_waits_for_the_timer_however_many_duplicates_came() {
    let asked_and_lost = format!("{NO_SACK}{}+0.005 C > S . 201:301(100) ack 901 win 10000\n", asked(3));
    let seen = judge_from(&format!("{asked_and_lost}+0.300 C > S . 201:301(100) ack 901 win 10000"), 0);
    assert_eq!((seen.broken(13), seen.broken(14)), (vec![FastRetransmission], vec![TimeoutRetransmission]));
    let early = judge_from(&format!("{asked_and_lost}+0.030 C > S . 201:301(100) ack 901 win 10000"), 0);
    assert_eq!(early.broken(14), [RetransmissionUnexplained]);
}

#[test]
fn a_repetition_goes_again_when_something_sent_after_it_is_held() {
    let again = "+0.003 C > S . 201:301(100) ack 901 win 10000";
    let lost = open_then(&format!(
        "{REPAIRED}+0.001 C > S . 501:601(100) ack 901 win 10000
         +0.020 S > C . 901:901(0) ack 201 win 10000 <sack 301:601>\n{again}"
    ));
    assert_eq!(lost.broken(13), [FastRetransmission]);
    let too_early =
        open_then(&format!("{REPAIRED}+0.020 S > C . 901:901(0) ack 201 win 10000 <sack 301:501>\n{again}"));
    assert_eq!(too_early.broken(12), [RetransmissionUnexplained], "all that is held was sent before it");
    // Two holes are repeated, the second repetition arrives: the block that joins is the proof.
    let joined = open_then(&format!(
        "{FIVE}+0.010 S > C . 901:901(0) ack 201 win 10000
         +0.001 S > C . 901:901(0) ack 201 win 10000 <sack 301:401>
         +0.001 S > C . 901:901(0) ack 201 win 10000 <sack 501:601, sack 301:401>
         +0.020 C > S . 201:301(100) ack 901 win 10000
         +0.001 C > S . 401:501(100) ack 901 win 10000
         +0.020 S > C . 901:901(0) ack 201 win 10000 <sack 301:601>
         +0.001 C > S . 201:301(100) ack 901 win 10000"
    ));
    assert_eq!(joined.broken(15), [FastRetransmission]);
}

#[test]
fn a_duplicate_sack_still_counts_after_an_echo_of_the_repetition() {
    let resent = "+0.001 C > S . 101:201(100) ack 901 win 10000 <ts 1030 7000>
         +0.500 C > S . 101:201(100) ack 901 win 10000 <ts 1530 7000>
         +0.010 S > C . 901:901(0)   ack 201 win 10000 <ts 7500 1530>\n";
    let late =
        open_ts_then(&format!("{resent}+0.010 S > C . 901:901(0) ack 201 win 10000 <ts 7510 1530, sack 101:201>"));
    assert_eq!(late.verdict(6, SpuriousRetransmission), HOLDS, "so far");
    assert_eq!(late.verdict(7, SpuriousRetransmission), Some(BROKEN));
    let lost = open_ts_then(&format!("{resent}+0.010 S > C . 901:901(0) ack 201 win 10000 <ts 7510 1530>"));
    assert_eq!(lost.verdict(7, SpuriousRetransmission), None);
}

#[test]
fn a_duplicate_sack_proves_the_repetition_needless() {
    let again = "+0.500 C > S . 201:301(100) ack 901 win 10000";
    let proved = open_then(&format!("{}{again}\n+0.010 S > C . 901:901(0) ack 601 win 10000 <sack 201:301>", asked(0)));
    let judgement = proved.of(11, SpuriousRetransmission).expect("judged");
    assert_eq!((judgement.verdict, judgement.rests_on.as_slice()), (BROKEN, &[10][..]));
    let silent = open_then(&format!("{}{again}\n+0.010 S > C . 901:901(0) ack 601 win 10000", asked(0)));
    assert_eq!(silent.verdict(11, SpuriousRetransmission), cannot_tell(Gap::NoIdentity));
}

#[test]
fn an_echo_older_than_the_repetition_proves_it_needless_and_its_own_echo_needed() {
    let resent = "+0.001 C > S . 101:201(100) ack 901 win 10000 <ts 1030 7000>
         +0.500 C > S . 101:201(100) ack 901 win 10000 <ts 1530 7000>\n";
    let original = open_ts_then(&format!("{resent}+0.010 S > C . 901:901(0) ack 201 win 10000 <ts 7500 1030>"));
    assert_eq!(original.verdict(6, SpuriousRetransmission), Some(BROKEN));
    let repetition = open_ts_then(&format!("{resent}+0.010 S > C . 901:901(0) ack 201 win 10000 <ts 7500 1530>"));
    assert_eq!(repetition.verdict(6, SpuriousRetransmission), HOLDS);
}

#[test]
fn a_late_segment_with_an_older_timestamp_was_overtaken_one_with_a_younger_was_sent_again() {
    let overtaken = open_ts_then(
        "+0.001 C > S . 101:201(100) ack 901 win 10000 <ts 1030 7000>
         +0.001 C > S . 301:401(100) ack 901 win 10000 <ts 1040 7000>
         +0.001 C > S . 201:301(100) ack 901 win 10000 <ts 1035 7000>",
    );
    assert_eq!(overtaken.verdict(6, Reordering), Some(BROKEN));
    assert_eq!(overtaken.verdict(5, LostSegment), Some(BROKEN), "at that moment it was missing");
    let resent = open_ts_then(
        "+0.001 C > S . 101:201(100) ack 901 win 10000 <ts 1030 7000>
         +0.001 C > S . 301:401(100) ack 901 win 10000 <ts 1040 7000>
         +0.500 C > S . 201:301(100) ack 901 win 10000 <ts 1540 7000>",
    );
    assert_eq!(resent.verdict(6, Reordering), HOLDS);
}

#[test]
fn a_late_segment_without_id_or_timestamp_cannot_be_told() {
    let seen = open_then(
        "+0.001 C > S . 101:201(100) ack 901 win 10000 id 0
         +0.001 C > S . 301:401(100) ack 901 win 10000 id 0
         +0.001 C > S . 201:301(100) ack 901 win 10000 id 0",
    );
    assert_eq!(seen.verdict(6, Reordering), cannot_tell(Gap::NoIdentity));
}

#[test]
fn the_same_ip_id_within_moments_is_one_packet_captured_twice() {
    let twice = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 id 7
         +0.0001 C > S P. 101:111(10) ack 901 win 10000 id 7 ttl 63",
    );
    assert_eq!(twice.broken(5), [CaptureDuplicate]);
    let resent = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 id 7
         +0.0001 C > S P. 101:111(10) ack 901 win 10000 id 8",
    );
    assert_eq!(resent.verdict(5, CaptureDuplicate), HOLDS);
    let nameless = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 id 0
         +0.0001 C > S P. 101:111(10) ack 901 win 10000 id 0",
    );
    assert_eq!(nameless.verdict(5, CaptureDuplicate), cannot_tell(Gap::NoIdentity));
}

#[test]
fn other_octets_under_the_same_numbers_are_told() {
    let differs = open_then(
        "+0.010 C > S P. 101:105(4) ack 901 win 10000 \"good\"
         +0.500 C > S P. 101:105(4) ack 901 win 10000 \"evil\"",
    );
    assert_eq!(differs.verdict(5, OverlapDiffers), Some(BROKEN));
    let same = open_then(
        "+0.010 C > S P. 101:105(4) ack 901 win 10000 \"good\"
         +0.500 C > S P. 101:105(4) ack 901 win 10000 \"good\"",
    );
    assert_eq!(same.verdict(5, OverlapDiffers), HOLDS);
    let cut = judge_from(
        &format!(
            "snaplen 54\n{OPEN}
         +0.010 C > S P. 101:105(4) ack 901 win 10000 \"good\"
         +0.500 C > S P. 101:105(4) ack 901 win 10000 \"evil\""
        ),
        0,
    );
    assert_eq!(cut.verdict(5, OverlapDiffers), cannot_tell(Gap::Snapped));
}

#[test]
fn a_repeated_syn_is_named_as_such() {
    let seen = judge_from(
        "+0.000  C > S  S   100:100(0)  win 10000
         +1.000  C > S  S   100:100(0)  win 10000",
        0,
    );
    assert_eq!(seen.broken(2), [SynRetransmission]);
}

#[test]
fn new_data_in_order_has_no_cause_to_look_for() {
    let seen = open_then(FIVE);
    for frame in 4..=8 {
        assert_eq!(seen.broken(frame), [], "packet {frame}");
        assert_eq!(seen.verdict(frame, LostSegment), HOLDS);
    }
}

#[test]
fn a_timer_that_backs_off_shows_in_one_direction_alone_and_equal_waits_do_not() {
    let backs_off = mid_stream(
        "+0.000 C > S . 101:201(100) ack 901 win 10000
         +0.206 C > S . 101:201(100) ack 901 win 10000
         +0.600 C > S . 101:201(100) ack 901 win 10000",
    );
    assert_eq!(backs_off.verdict(2, TimeoutRetransmission), cannot_tell(Gap::OneSided));
    assert_eq!(backs_off.broken(3), [TimeoutRetransmission]);
    let even = mid_stream(
        "+0.000 C > S . 101:201(100) ack 901 win 10000
         +0.300 C > S . 101:201(100) ack 901 win 10000
         +0.100 C > S . 101:201(100) ack 901 win 10000",
    );
    assert_eq!(even.verdict(3, TimeoutRetransmission), cannot_tell(Gap::OneSided));
}

#[test]
fn nobody_asks_for_the_youngest_segment_so_a_second_later_it_was_the_timer() {
    let late = mid_stream(
        "+0.000 C > S F. 101:101(0) ack 901 win 10000
         +2.100 C > S F. 101:101(0) ack 901 win 10000",
    );
    assert_eq!(late.broken(2), [TimeoutRetransmission]);
}

#[test]
fn octets_on_their_way_when_the_capture_began_are_not_lost() {
    let began = mid_stream(
        "+0.000 C > S . 101:101(0)    ack 901 win 10000
         +0.001 S > C . 2001:2101(100) ack 101 win 10000
         +0.001 S > C . 2201:2301(100) ack 101 win 10000",
    );
    assert_eq!(began.verdict(2, LostSegment), cannot_tell(Gap::NoHandshake));
    assert_eq!(began.verdict(3, LostSegment), Some(BROKEN));
}

#[test]
fn a_fin_again_that_acknowledges_the_peers_fin_is_no_retransmission_of_need() {
    let crossed = "+0.100 C > S F. 101:101(0) ack 901 win 10000
         +0.000 S > C F. 901:901(0) ack 101 win 10000\n";
    let answers = open_then(&format!("{crossed}+0.001 C > S F. 101:101(0) ack 902 win 10000"));
    assert_eq!(answers.broken(6), [FinOnAck]);
    let again = open_then(&format!("{crossed}+0.400 C > S F. 101:101(0) ack 901 win 10000"));
    assert_eq!(again.verdict(6, FinOnAck), HOLDS);
    assert_eq!(again.broken(6), [TimeoutRetransmission]);
}

#[test]
fn a_copy_is_known_also_when_another_packet_passed_between_the_taps() {
    let copied = |id| {
        open_then(&format!(
            "+0.010 C > S P. 101:111(10) ack 901 win 10000 id 7
             +0.0001 C > S P. 111:121(10) ack 901 win 10000 id 8
             +0.0009 C > S P. 101:111(10) ack 901 win 10000 id {id} ttl 63"
        ))
    };
    assert_eq!(copied(7).broken(6), [CaptureDuplicate]);
    assert_eq!(copied(9).verdict(6, CaptureDuplicate), None, "not even the packet before");
}

#[test]
fn a_duplicate_sack_that_comes_after_the_acknowledgment_still_proves() {
    let again = "+0.500 C > S . 501:601(100) ack 901 win 10000
         +0.001 S > C . 901:901(0) ack 601 win 10000\n";
    let proved = open_then(&format!("{}{again}+0.020 S > C . 901:901(0) ack 601 win 10000 <sack 501:601>", asked(0)));
    assert_eq!(proved.verdict(11, SpuriousRetransmission), cannot_tell(Gap::NoIdentity));
    assert_eq!(proved.verdict(12, SpuriousRetransmission), Some(BROKEN));
}

#[test]
fn one_report_of_a_duplicate_is_about_one_repetition_the_youngest_that_had_time_to_arrive() {
    let twice = "+0.500 C > S . 201:301(100) ack 901 win 10000
         +1.000 C > S . 201:301(100) ack 901 win 10000
         +0.020 S > C . 901:901(0) ack 601 win 10000 <sack 201:301>";
    let seen = open_then(&format!("{}{twice}", asked(0)));
    let proofs: Vec<_> = seen.all.iter().filter(|(_, judged)| judged.code == SpuriousRetransmission).collect();
    assert_eq!(proofs.len(), 1);
    assert_eq!(proofs[0].1.rests_on.as_slice(), [11]);
}

#[test]
fn equal_stamps_and_an_echo_of_nothing_prove_nothing() {
    let resent = |first, second, echo| {
        open_ts_then(&format!(
            "+0.001 C > S . 101:201(100) ack 901 win 10000 <ts {first} 7000>
             +0.500 C > S . 101:201(100) ack 901 win 10000 <ts {second} 7000>
             +0.010 S > C . 901:901(0) ack 201 win 10000 <ts 7500 {echo}>"
        ))
    };
    assert_eq!(resent(1030, 1030, 1030).verdict(6, SpuriousRetransmission), cannot_tell(Gap::NoIdentity));
    assert_eq!(resent(1030, 1530, 0).verdict(6, SpuriousRetransmission), cannot_tell(Gap::NoIdentity));
    assert_eq!(resent(1030, 1530, 1030).verdict(6, SpuriousRetransmission), Some(BROKEN));
}

#[test]
fn a_segment_numbered_anew_is_no_copy() {
    let resent = open_then(
        "+0.010 C > S P. 101:111(10) ack 901 win 10000 id 7
         +0.0001 C > S P. 101:111(10) ack 901 win 10000 id 8",
    );
    assert_eq!(resent.verdict(5, CaptureDuplicate), HOLDS);
}

#[test]
fn both_syn_acks_of_a_simultaneous_open_are_no_repetitions() {
    let crossed = judge_from(
        "+0.000 C > S S  100:100(0) win 10000
         +0.001 S > C S  900:900(0) win 10000
         +0.010 C > S S. 100:100(0) ack 901 win 10000
         +0.001 S > C S. 900:900(0) ack 101 win 10000",
        0,
    );
    assert_eq!((crossed.broken(3), crossed.broken(4)), (vec![], vec![]));
    let again = judge_from(
        "+0.000 C > S S  100:100(0) win 10000
         +0.010 S > C S. 900:900(0) ack 101 win 10000
         +1.000 S > C S. 900:900(0) ack 101 win 10000",
        0,
    );
    assert_eq!(again.broken(3), [SynRetransmission]);
}

#[test]
fn a_late_segment_of_which_nothing_was_acknowledged_is_not_called_acknowledged() {
    let late = mid_stream(
        "+0.000 C > S . 101:201(100) ack 901 win 10000 id 0
         +0.001 C > S . 301:401(100) ack 901 win 10000 id 0
         +0.003 C > S . 201:301(100) ack 901 win 10000 id 0",
    );
    assert_eq!(late.verdict(3, Reordering), cannot_tell(Gap::NoIdentity));
    assert_eq!(late.broken(3), []);
}
