use super::*;
use crate::report::testing::CONVERSATION;
use crate::report::testing::IDLE_CLOSE;
use crate::report::testing::LOSS;
use crate::report::testing::MID_STREAM;
use crate::report::testing::REFUSED;
use crate::report::testing::UDP;
use crate::report::testing::V6_WRONG_ACK;
use crate::report::testing::assert_fits;
use crate::report::testing::watch;
use crate::report::testing::without_escapes;

fn drawn_by(script: &str, ladder: &mut Ladder) -> String {
    let mut out = Vec::new();
    watch(
        script,
        |packet, seen| ladder.packet(&mut out, packet, seen).expect("a vector takes everything"),
        |_| {},
        |_| {},
    );
    ladder.finish(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

fn drawn(script: &str, style: Style) -> String {
    drawn_by(script, &mut Ladder::new(style, 0))
}

#[test]
fn a_conversation_is_drawn_from_the_syn_to_time_wait() {
    assert_eq!(
        drawn(CONVERSATION, Style::plain(80)),
        r#"  #0 tcp from 2023-11-14 22:13:20.000000 UTC
  client 127.0.0.1:45876   server 127.0.0.1:47011
  │ ── SYN J=2557618400 ──────────────────────▶ │  +0
  │ ◀────────── SYN,ACK K=1609717634 ack J+1 ── │  +10 µs
  │ ── ACK K+1 ───────────────────────────────▶ │  +22 µs    ESTABLISHED 22 µs
  │ ══ "1 2 3\n" 6 B seq 1..7 ════════════════▶ │  +55 µs
  │ ◀───────────────────────────────── ACK 7 ── │  +60 µs
  │ ◀════════════════════ "6\n" 2 B seq 1..3 ══ │  +2.71 ms  thought 2.66 ms
  │ ── ACK 3 ─────────────────────────────────▶ │  +2.73 ms
  │ ── FIN seq 7 ─────────────────────────────▶ │  +2.76 ms
  │ ◀─────────────────── FIN,ACK seq 3 ack 8 ── │  +2.78 ms
  │ ── ACK 4 ─────────────────────────────────▶ │  +2.79 ms  closed by client
  │                                             │            client TIME-WAIT
  ╵                                             ╵
"#
    );
}

#[test]
fn a_closed_udp_port_is_drawn_as_an_arrow_back() {
    assert_eq!(
        drawn_by(UDP, &mut Ladder::udp(Style::plain(80), 1)),
        r#"  #u1 udp from 2023-11-14 22:13:20.000095 UTC
  A 127.0.0.1:40000              B 127.0.0.1:5657
  │ ══ "{\"A\":7,\"B\":4}" 13 B ══════════════▶ │  +0
  │ ◀───────────────── ICMP port unreachable ── │  +95 µs    from 127.0.0.1
  │                                             │            undeliverable
  ╵                                             ╵
"#
    );
}

#[test]
fn only_the_wanted_stream_is_drawn_and_its_packets_are_counted() {
    let mut ladder = Ladder::new(Style::plain(80), 1);
    let text = drawn_by(REFUSED, &mut ladder);
    assert_eq!(ladder.drawn(), 4);
    assert!(text.contains("retry 2") && !text.contains("REFUSED"), "{text}");
    let mut nobody = Ladder::new(Style::plain(80), 7);
    assert_eq!((drawn_by(REFUSED, &mut nobody).as_str(), nobody.drawn()), ("", 0));
}

#[test]
fn what_is_out_of_the_ordinary_stands_at_the_side() {
    let losses = drawn(LOSS, Style::plain(80));
    for note in [
        "gap of 1460 B",
        "fills a gap",
        "zero window",
        "bad checksum",
        "retransmission",
        "window open again",
        "keep-alive",
    ] {
        assert!(losses.contains(note), "{note}\n{losses}");
    }
    assert!(drawn(MID_STREAM, Style::plain(80)).contains("opening not seen"));
    assert!(drawn(V6_WRONG_ACK, Style::plain(80)).contains("SYN,ACK K=5000 ack J+5 ── │  +20.0 ms  ✗ wrong ack"));
    assert!(drawn(IDLE_CLOSE, Style::plain(80)).contains("30.0 s of silence"));
}

#[test]
fn segments_that_only_move_data_are_folded_once_the_drawing_is_long() {
    let mut ladder = Ladder { fold_after: 4, ..Ladder::new(Style::plain(80), 0) };
    let text = drawn_by(CONVERSATION, &mut ladder);
    assert!(text.contains("  ┆ … 3 segments, 2 B                           ┆  +2.73 ms\n  │ ── FIN seq 7"), "{text}");
    assert_eq!(ladder.drawn(), 10);
}

#[test]
fn a_long_stream_keeps_what_is_out_of_the_ordinary() {
    let text = drawn_by(LOSS, &mut Ladder { fold_after: 3, ..Ladder::new(Style::plain(80), 0) });
    assert!(text.contains("gap of 1460 B") && text.contains("retransmission"), "{text}");
    assert!(text.contains("… 1 segment, 1460 B"), "{text}");
}

#[test]
fn the_drawing_fits_the_screen_and_colour_changes_no_character() {
    for script in [CONVERSATION, REFUSED, MID_STREAM, IDLE_CLOSE, V6_WRONG_ACK, LOSS] {
        for width in [72, 80, 120] {
            let plain = drawn(script, Style::plain(width));
            assert_fits(&plain, width);
            let coloured = drawn(script, Style { colour: true, ..Style::plain(width) });
            assert_eq!(without_escapes(&coloured), plain);
        }
    }
}

#[test]
fn words_too_long_for_an_arrow_stand_above_it_whole() {
    let script = "+0 C > S S 4000000000:4000000000(0)
                  +1 S > C S. 4100000000:4100000000(0) ack 4000000001
                  +1 C > S P. 4000000001:4000001461(1460) ack 4100000001";
    let style = Style { numbers: crate::report::style::Numbers::Absolute, ..Style::plain(70) };
    let text = drawn(script, style);
    assert!(text.contains("│ 1460 B seq"), "{text}");
    assert!(text.contains("4000000001..4000001461"), "{text}");
}
