#![cfg(test)]
//! Traces that a stranger can draw, and where their time went, in milliseconds.

use proptest::prelude::*;

use super::Budget;
use super::Part;
use super::TimeBudget;
use crate::tcp::tests::lived;

use Part::*;

/// J = 100, K = 900; 10 ms between the capture and either side, there and back.
const OPEN: &str = "
    +0.000  C > S  S   100:100(0)            win 10000  <mss 1000, sackOK>
    +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 1000, sackOK>
    +0.010  C > S  .   101:101(0)   ack 901  win 10000
";

/// Time from the first packet to the last, and the budget.
fn budget(script: &str) -> (u64, TimeBudget) {
    let connection = lived(script);
    let life = connection.last.at.since(connection.first.at);
    (life.0.max(0) as u64, connection.time_budget().expect("it was kept"))
}

/// Parts that got something, in milliseconds, behind [`OPEN`] with its 20.
fn spent(rest: &str) -> Vec<(Part, u64)> {
    spent_alone(&format!("{OPEN}{rest}")).into_iter().filter(|pair| *pair != (Handshake, 20)).collect()
}

fn spent_alone(script: &str) -> Vec<(Part, u64)> {
    let (life, budget) = budget(script);
    assert_eq!(budget.total(), life, "the parts are the whole");
    Part::ALL.into_iter().map(|part| (part, budget.nanos(part) / 1_000_000)).filter(|(_, ms)| *ms > 0).collect()
}

#[test]
fn question_answer_silence_and_close_each_get_their_time() {
    let spent = spent(
        "
        +0.100  C > S  P.  101:201(100) ack 901  win 10000
        +0.010  S > C  .   901:901(0)   ack 201  win 10000
        +0.050  S > C  P.  901:951(50)  ack 201  win 10000
        +0.010  C > S  .   201:201(0)   ack 951  win 10000
        +0.200  C > S  F.  201:201(0)   ack 951  win 10000
        +0.010  S > C  F.  951:951(0)   ack 202  win 10000
        +0.010  C > S  .   202:202(0)   ack 952  win 10000
    ",
    );
    // 10 ms to the client and back are in front of its question, and of its FIN.
    let transfer = 10 + 10 + 10 + 10;
    assert_eq!(spent, [(ClientThinking, 90), (ServerThinking, 50), (Transfer, transfer), (Idle, 190), (Close, 20)]);
}

#[test]
fn an_answer_that_brings_the_acknowledgment_is_thinking_less_the_way_to_the_server() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:201(100) ack 901  win 10000
        +0.050  S > C  P.  901:951(50)  ack 201  win 10000
    ",
    );
    assert_eq!(spent, [(ServerThinking, 40), (Transfer, 20)]);
}

#[test]
fn keep_alives_in_between_do_not_cut_thinking_into_pieces() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:201(100) ack 901  win 10000
        +0.010  S > C  .   901:901(0)   ack 201  win 10000
        +5.000  C > S  .   200:200(0)   ack 901  win 10000
        +0.010  S > C  .   901:901(0)   ack 201  win 10000
        +5.000  S > C  P.  901:951(50)  ack 201  win 10000
    ",
    );
    assert_eq!(spent, [(ServerThinking, 10_010), (Transfer, 20)]);
}

#[test]
fn a_sender_that_goes_on_after_everything_arrived_had_paused() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:201(100) ack 901  win 10000
        +0.010  S > C  .   901:901(0)   ack 201  win 10000
        +0.500  C > S  P.  201:301(100) ack 901  win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 30), (SenderLimited, 490)]);
}

#[test]
fn a_sender_that_goes_on_after_a_long_silence_had_stopped() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:201(100) ack 901  win 10000
        +0.010  S > C  .   901:901(0)   ack 201  win 10000
        +9.000  C > S  P.  201:301(100) ack 901  win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 30), (Idle, 8_990)]);
}

#[test]
fn a_short_segment_shows_that_its_sender_had_no_more_and_a_full_one_does_not() {
    let go_on = |octets: u32| {
        format!(
            "+0.010 C > S P. 101:{0}({octets}) ack 901 win 10000\n+0.300 C > S P. {0}:{1}(10) ack 901 win 10000",
            101 + octets,
            111 + octets
        )
    };
    assert_eq!(spent(&go_on(100)), [(Transfer, 10), (SenderLimited, 300)]);
    assert_eq!(spent(&go_on(1000)), [(Transfer, 310)]);
}

#[test]
fn a_closed_window_holds_back_until_it_opens() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:1101(1000) ack 901  win 10000
        +0.010  S > C  .   901:901(0)     ack 1101 win 0
        +0.200  C > S  .   1100:1100(0)   ack 901  win 10000
        +0.010  S > C  .   901:901(0)     ack 1101 win 0
        +0.300  S > C  .   901:901(0)     ack 1101 win 10000
        +0.010  C > S  P.  1101:2101(1000) ack 901 win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 30), (ZeroWindow, 510)]);
}

#[test]
fn a_receiver_that_closes_its_window_and_speaks_itself_holds_nobody_back() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:201(100)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)    ack 201  win 10000
        +0.010  S > C  P.  901:951(50)   ack 201  win 0
        +0.010  C > S  .   201:201(0)    ack 951  win 10000
        +0.300  S > C  .   951:951(0)    ack 201  win 10000
        +0.010  C > S  P.  201:301(100)  ack 951  win 10000
    ",
    );
    assert_eq!(spent, [(ClientThinking, 310), (ServerThinking, 10), (Transfer, 30)]);
}

#[test]
fn all_of_the_window_on_its_way_is_the_receivers_limit_and_room_for_more_is_none() {
    let two_segments = |window: u32| {
        format!(
            "
            +0.010  S > C  .   901:901(0)      ack 101  win {window}
            +0.000  C > S  .   101:1101(1000)  ack 901  win 10000
            +0.000  C > S  .   1101:2101(1000) ack 901  win 10000
            +0.100  S > C  .   901:901(0)      ack 2101 win {window}
        "
        )
    };
    // The first 10 ms are the client's way to its first octet.
    let open = |window: u32| {
        OPEN.replace("S.  900:900(0)   ack 101  win 10000", &format!("S. 900:900(0) ack 101 win {window}"))
    };
    let spent = |window: u32| spent_alone(&format!("{}{}", open(window), two_segments(window)));
    assert_eq!(spent(2000), [(Handshake, 20), (Transfer, 10), (FullWindow, 100)]);
    assert_eq!(spent(9000), [(Handshake, 20), (Transfer, 110)]);
}

#[test]
fn a_window_under_a_segment_makes_the_sender_wait_for_its_override_timer() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:1101(1000)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 1101 win 500
        +0.210  C > S  P.  1101:1601(500)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 1601 win 500
        +0.210  C > S  P.  1601:2101(500)  ack 901  win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 20), (FullWindow, 10), (SmallWindow, 420)]);
}

#[test]
fn room_for_a_segment_that_is_used_at_once_was_waited_for_and_room_that_is_not_used_was_not() {
    let then = |pause: &str| {
        spent(&format!(
            "
            +0.010  C > S  P.  101:1101(1000)  ack 901  win 10000
            +0.010  S > C  .   901:901(0)      ack 1101 win 500
            +0.300  S > C  .   901:901(0)      ack 1101 win 10000
            {pause}  C > S  P.  1101:2101(1000) ack 901  win 10000
        "
        ))
    };
    assert_eq!(then("+0.012"), [(Transfer, 32), (SmallWindow, 300)]);
    assert_eq!(then("+0.500"), [(Transfer, 30), (SenderLimited, 790)]);
}

#[test]
fn a_loss_that_the_receiver_tells_of_is_mended_in_fast_recovery() {
    let spent = spent(
        "
        +0.010  C > S  .   101:1101(1000)  ack 901  win 10000
        +0.000  C > S  .   1101:2101(1000) ack 901  win 10000
        +0.000  C > S  .   2101:3101(1000) ack 901  win 10000
        +0.000  C > S  .   3101:4101(1000) ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 101  win 10000  <sack 1101:2101>
        +0.000  S > C  .   901:901(0)      ack 101  win 10000  <sack 1101:3101>
        +0.000  S > C  .   901:901(0)      ack 101  win 10000  <sack 1101:4101>
        +0.010  C > S  .   101:1101(1000)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 4101 win 10000
        +0.010  C > S  P.  4101:4201(100)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 4201 win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 30), (FastRecovery, 30)]);
}

#[test]
fn a_timer_that_runs_out_takes_all_the_time_since_anything_moved() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:1101(1000)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 1101 win 10000
        +0.010  C > S  P.  1101:2101(1000) ack 901  win 10000
        +0.000  C > S  P.  2101:3101(1000) ack 901  win 10000
        +0.300  C > S  P.  1101:2101(1000) ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 2101 win 10000
        +0.010  C > S  P.  2101:3101(1000) ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 3101 win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 30), (TimeoutRecovery, 330)]);
}

#[test]
fn the_last_segment_again_is_a_probe_and_the_time_is_its() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:1101(1000)  ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 1101 win 10000
        +0.010  C > S  P.  1101:2101(1000) ack 901  win 10000
        +0.060  C > S  P.  1101:2101(1000) ack 901  win 10000
        +0.010  S > C  .   901:901(0)      ack 2101 win 10000
    ",
    );
    assert_eq!(spent, [(Transfer, 30), (ProbeRecovery, 70)]);
}

#[test]
fn an_attempt_without_answer_is_all_opening() {
    assert_eq!(spent_alone("0 C > S S 100:100(0) win 10000\n+1 C > S S 100:100(0) win 10000"), [(Handshake, 1_000)]);
}

#[test]
fn data_in_a_half_closed_connection_is_no_closing() {
    let spent = spent(
        "
        +0.010  C > S  P.  101:201(100) ack 901  win 10000
        +0.000  C > S  F.  201:201(0)   ack 901  win 10000
        +0.010  S > C  .   901:901(0)   ack 202  win 10000
        +0.400  S > C  P.  901:951(50)  ack 202  win 10000
        +0.010  C > S  .   202:202(0)   ack 951  win 10000
        +0.100  S > C  F.  951:951(0)   ack 202  win 10000
        +0.010  C > S  .   202:202(0)   ack 952  win 10000
    ",
    );
    assert_eq!(spent, [(ServerThinking, 400), (Transfer, 30), (Close, 110)]);
}

#[test]
fn a_capture_that_begins_inside_a_connection_has_no_opening_to_tell_of() {
    let spent = spent_alone(
        "
        +0.000  C > S  P.  101:201(100) ack 901  win 10000
        +0.050  S > C  P.  901:951(50)  ack 201  win 10000
        +0.010  C > S  .   201:201(0)   ack 951  win 10000
    ",
    );
    assert_eq!(spent, [(ServerThinking, 50), (Transfer, 10)]);
}

#[test]
fn a_clock_that_steps_back_spends_nothing_until_it_has_caught_up() {
    let (_, budget) = budget(&format!(
        "{OPEN}
        +0.100  C > S  P.  101:201(100) ack 901  win 10000
        -0.050  S > C  .   901:901(0)   ack 201  win 10000
        +0.030  S > C  P.  901:951(50)  ack 201  win 10000
        +0.100  C > S  .   201:201(0)   ack 951  win 10000
    "
    ));
    assert_eq!(budget.total(), 200_000_000, "from 0 to 200 ms; the latest stamp before the last was 120");
}

#[test]
fn state_per_connection_is_what_the_documentation_says() {
    assert_eq!(size_of::<Budget>(), 240);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_passes_the_parts_add_up_to_the_time_between_first_and_last(
        open: bool,
        packets in proptest::collection::vec((0u32..400_000, any::<bool>(), 0u8..64, 0u32..4000, 0u32..4000, 0u16..1200, 0u16..3000), 1..40),
    ) {
        let mut script = if open { OPEN.to_owned() } else { String::new() };
        for (micros, from_client, flags, seq, ack, len, window) in packets {
            let letters: String = "FSRP.U".chars().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, letter)| letter).collect();
            let ((from, to), (seq, ack)) = if from_client { (("C", "S"), (100 + seq, 900 + ack)) } else { (("S", "C"), (900 + seq, 100 + ack)) };
            let letters = if letters.is_empty() { "none".to_owned() } else { letters };
            let end = seq + u32::from(len);
            script.push_str(&format!("+0.{micros:06} {from} > {to} {letters} {seq}:{end}({len}) ack {ack} win {window}\n"));
        }
        let (life, budget) = budget(&script);
        prop_assert_eq!(budget.total(), life);
        prop_assert_eq!(budget.permille().map_or(1_000, |permille| permille.iter().sum::<u32>()), 1_000);
    }
}
