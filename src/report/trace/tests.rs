use std::cell::RefCell;

use super::*;
use crate::finding::Code;
use crate::report::style::Numbers;
use crate::report::testing::CONVERSATION;
use crate::report::testing::IDLE_CLOSE;
use crate::report::testing::LOSS;
use crate::report::testing::MID_STREAM;
use crate::report::testing::REFUSED;
use crate::report::testing::UDP;
use crate::report::testing::V6_WRONG_ACK;
use crate::report::testing::WRONG_ACK_THEN_FOUR_WAY;
use crate::report::testing::assert_fits;
use crate::report::testing::watch;
use crate::report::testing::without_escapes;

/// What the program shows of a script.
fn told(script: &str, style: Style) -> String {
    let screen = RefCell::new((TraceWriter::new(style), Vec::new()));
    let show = |write: &dyn Fn(&mut TraceWriter, &mut Vec<u8>) -> io::Result<()>| {
        let (writer, out) = &mut *screen.borrow_mut();
        write(writer, out).expect("a vector takes everything");
    };
    watch(
        script,
        |packet, seen| show(&|writer, out| writer.packet(out, packet, seen)),
        |ended| show(&|writer, out| writer.connection(out, ended)),
        |ended| show(&|writer, out| writer.exchange(out, ended)),
    );
    String::from_utf8(screen.into_inner().1).expect("text")
}

fn at_80(script: &str) -> String {
    told(script, Style::plain(80))
}

/// The lines of a trace, the blanks between their columns reduced to one: for claims about words.
fn words(script: &str) -> String {
    let wide = told(script, Style::plain(400));
    wide.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

#[test]
fn a_conversation_is_told_with_its_sums_from_the_syn_to_time_wait() {
    assert_eq!(
        at_80(CONVERSATION),
        r#"#0 127.0.0.1:45876 → 127.0.0.1:47011  tcp
#0     0.000000 C→S SYN     J=2557618400 · mss 65495 (65535−40, loopback)
#0                          wscale 10 · sack · ts
#0     0.000010 S→C SYN,ACK K=1609717634 · ack 2557618401 = J+1 ✓
#0                          server side 10 µs · mss 65495 (65535−40, loopback)
#0                          wscale 10 · sack · ts
#0     0.000022 C→S ACK     seq J+1 ✓ · ack 1609717635 = K+1 ✓
#0                          client side 12 µs · ESTABLISHED, rtt 22 µs
#0              C↔S effective MSS 65483 = 65495 − 12 (timestamps)
#0     0.000055 C→S 6 B     "1 2 3\n" · seq 1..7
#0     0.000060 S→C ACK     ack 7 · all 6 B acknowledged, 0 in flight
#0     0.002711 S→C 2 B     "6\n" · seq 1..3
#0                          answer to frame 4, server thought 2.66 ms
#0     0.002731 C→S ACK     ack 3 · all 2 B acknowledged, 0 in flight
#0     0.002762 C→S FIN     seq 7
#0     0.002778 S→C FIN,ACK seq 3 · ack 8 = 7+1 ✓
#0     0.002790 C→S ACK     ack 4 = 3+1 ✓
#0              closed by client · three-segment close
#0              client holds TIME_WAIT (60 s assumed on Linux, 240 s by RFC)
#0              1 answer, mean 2.66 ms · exit, close and kill send the same FIN
"#
    );
}

#[test]
fn a_wide_screen_takes_each_packet_in_one_line() {
    let text = told(CONVERSATION, Style::plain(200));
    assert!(text.contains(
        "#0     0.000010 S→C SYN,ACK K=1609717634 · ack 2557618401 = J+1 ✓ · server side 10 µs · \
         mss 65495 (65535−40, loopback) · wscale 10 · sack · ts\n"
    ));
    assert_eq!(text.lines().count(), 13, "{text}");
}

#[test]
fn a_refused_syn_names_the_port_where_nobody_listens() {
    let text = words(REFUSED);
    assert!(text.contains(
        "S→C RST,ACK REFUSED after 12 µs: RST,ACK acknowledges J+1 — the host is up, nobody listens on port 5656\n"
    ));
    assert!(!text.contains("closed by"), "{text}");
}

#[test]
fn a_syn_that_is_tried_again_tells_its_retries_and_the_icmp_error_that_ends_it() {
    let text = words(REFUSED);
    assert!(
        text.contains("#1 3.000000 C→S SYN J=1000 · retry 2: the same SYN again, 3.00 s after the first"),
        "{text}"
    );
    assert!(text.contains(
        "#1 3.500000 ICMP port unreachable from 127.0.0.1 · about 127.0.0.1:45877 > 127.0.0.1:5656, seq 1000 · \
         the attempt is over\n"
    ));
}

#[test]
fn a_syn_without_answer_is_told_when_the_capture_ends() {
    let text = words("+0 C > S S 1000:1000(0)\n +1 C > S S 1000:1000(0)");
    assert!(text.ends_with("#0 no answer to 2 SYNs in 1.00 s · the capture ended\n"), "{text}");
}

#[test]
fn a_handshake_without_its_third_segment_is_told_as_never_completed() {
    let text = words("+0 C > S S 1000:1000(0)\n +1 S > C S. 5000:5000(0) ack 1001\n +1 S > C S. 5000:5000(0) ack 1001");
    let last = "#0 never completed: 2 SYN,ACKs, no acknowledgment of K+1 was seen · the capture ended\n";
    assert!(text.ends_with(last), "{text}");
}

#[test]
fn a_capture_that_began_in_mid_stream_names_nobody_client_and_says_what_it_cannot_tell() {
    let text = at_80(MID_STREAM);
    assert!(text.starts_with(
        "#0 10.0.0.1:40000 ↔ 10.0.0.2:80  tcp\n\
         #0              A is 10.0.0.1:40000 · no handshake seen\n\
         #0              cannot tell: the connection began before the capture\n\
         #0     0.000000 A→B 4 B     \"ping\" · seq 1..5\n"
    ));
    assert!(!text.contains("client") && !text.contains("C→S") && !text.contains("J+1"), "{text}");
    assert!(text.ends_with("closed by A, then reset by B · 1 answer, mean 12 µs\n"), "{text}");
}

#[test]
fn a_syn_ack_whose_syn_was_not_captured_gets_no_tick() {
    let text = words("+0 S > C S. 5000:5000(0) ack 1001\n +1 C > S . 1001:1001(0) ack 5001");
    assert!(text.contains("SYN,ACK K=5000 · ack 1001, cannot tell: the connection began before the capture"), "{text}");
    // Both numbers of this one are there.
    assert!(text.contains("C→S ACK ack 5001 = K+1 ✓"), "{text}");
    assert!(!text.contains("J+1 ✓") && !text.contains("ESTABLISHED"), "{text}");
}

#[test]
fn one_captured_direction_cannot_tell_whether_the_acknowledgment_fits() {
    let text = words("+0 C > S S 1000:1000(0)\n +1 C > S . 1001:1001(0) ack 5001");
    assert!(text.contains("ack 5001, cannot tell: only one direction was captured"), "{text}");
    assert!(!text.contains('✓'), "{text}");
}

#[test]
fn a_third_segment_two_too_high_is_crossed_out_with_the_difference_and_the_right_one_ticked() {
    let text = words(WRONG_ACK_THEN_FOUR_WAY);
    assert!(
        text.contains("ACK ack 5003 = K+3 ✗ 2 too many: the server's next is 5001 · completes nothing\n"),
        "{text}"
    );
    assert!(text.contains("ACK seq J+1 ✓ · ack 5001 = K+1 ✓ · client side 2.00 ms · ESTABLISHED, rtt 22.0 ms\n"));
}

#[test]
fn a_syn_ack_that_does_not_cover_the_syn_tells_how_far_it_is_off() {
    let text = words("+0 C > S S 1000:1000(0)\n +1 S > C S. 5000:5000(0) ack 1000");
    assert!(text.contains("ack 1000 ✗ J+1 is 1001: off by −1"), "{text}");
    assert!(text.ends_with("no acceptable answer to the SYN · the capture ended\n"), "{text}");
}

#[test]
fn a_close_in_four_segments_ticks_both_fins() {
    let text = words(WRONG_ACK_THEN_FOUR_WAY);
    assert!(text.ends_with(
        "C→S FIN seq 1\n\
         #0 0.024000 S→C ACK ack 2 = 1+1 ✓\n\
         #0 0.025000 S→C FIN seq 1\n\
         #0 0.026000 C→S ACK ack 2 = 1+1 ✓\n\
         #0 closed by client · four-way close · client holds TIME_WAIT (60 s assumed on Linux, 240 s by RFC)\n"
    ));
}

#[test]
fn different_mss_options_give_a_line_per_direction() {
    let text = words(WRONG_ACK_THEN_FOUR_WAY);
    assert!(text.contains(
        "#0 C→S effective MSS 1400\n#0 S→C effective MSS 1400 · 1400: sender's own MSS (its MTU is smaller)\n"
    ));
    assert!(text.contains("mss 1460 (MTU 1500 −20 −20)"), "{text}");
}

#[test]
fn a_fin_after_half_a_minute_of_silence_shows_the_pattern_of_a_deadline() {
    let text = words(IDLE_CLOSE);
    assert!(
        text.contains("#0 30.021000 S→C FIN seq 1 · FIN after 30.0 s of silence: the pattern of a read deadline\n")
    );
    assert!(text.contains("C→S RST reset: it found no connection there any more · seq 1\n"), "{text}");
}

#[test]
fn udp_requests_and_answers_are_paired_and_a_closed_port_is_told() {
    assert_eq!(
        at_80(UDP),
        r#"#u0 127.0.0.1:40000 → 127.0.0.1:5656  udp
#u0    0.000000 A→B 13 B    "{\"A\":7,\"B\":4}" · request
#u0    0.000095 B→A 10 B    "{\"sum\":11}" · answer to frame 1, 95 µs
#u1 127.0.0.1:40000 → 127.0.0.1:5657  udp
#u1    0.000000 A→B 13 B    "{\"A\":7,\"B\":4}" · request
#u1    0.000095     ICMP    port unreachable from 127.0.0.1
#u1                         about 127.0.0.1:40000 > 127.0.0.1:5657
#u1                         nobody listens on port 5657
#u0             1 request, 1 answered · latency 95 µs
#u1             1 request, 0 answered · 1 returned by ICMP
"#
    );
}

#[test]
fn ipv6_has_its_own_mss_sum() {
    let text = at_80(V6_WRONG_ACK);
    assert!(text.contains("mss 1440 (MTU 1500 −40 −20)"), "{text}");
    assert!(text.starts_with("#0 [2001:db8::1]:40000 → [2001:db8:1234:5678:9abc:def0:1234:5678]:5656  tcp\n"));
}

#[test]
fn losses_windows_and_keep_alives_are_worded() {
    let text = words(LOSS);
    for fact in [
        "seq 2921..4381 · gap: 1460 B before it not seen (lost, late or not captured)",
        "ack 1461 · sack 2921..4381 · 1460 B acknowledged, 2920 in flight",
        "fills a gap: 1460 B late or sent again",
        "ack 4381 · all 2920 B acknowledged, 0 in flight · ZERO WINDOW: the server has no room",
        "1460 B checksum 0xec4f is bad, 0xec4e computed: the receiver drops it unread",
        "retransmission: all 1460 B seen before",
        "D-SACK 1461..2921: came twice · window open again: 128512 B",
        "keep-alive: seq 4380 is one below the next",
        "still open · the capture ended · 1 segment retransmitted",
    ] {
        assert!(text.contains(fact), "{fact}\n{text}");
    }
}

#[test]
fn no_line_is_wider_than_the_screen_and_every_line_begins_with_its_stream() {
    for script in [CONVERSATION, REFUSED, MID_STREAM, IDLE_CLOSE, UDP, V6_WRONG_ACK, WRONG_ACK_THEN_FOUR_WAY, LOSS] {
        for width in [60, 80, 132] {
            let text = told(script, Style::plain(width));
            assert_fits(&text, width);
            assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
        }
    }
}

#[test]
fn streams_that_interleave_are_told_apart_by_their_tag() {
    let text = words(
        "D = 10.0.0.9:50000
         +0 C > S S 1000:1000(0)
         +0 D > S S 7000:7000(0)
         +1 S > C S. 5000:5000(0) ack 1001
         +1 S > D S. 9000:9000(0) ack 7001",
    );
    let tags: Vec<_> = text.lines().filter(|line| line.contains("SYN")).map(|line| &line[..2]).collect();
    assert_eq!(tags, ["#0", "#1", "#0", "#1", "#0", "#1"], "{text}");
}

#[test]
fn colour_adds_escapes_and_nothing_else() {
    for script in [CONVERSATION, REFUSED, MID_STREAM, UDP, LOSS] {
        let plain = at_80(script);
        assert!(!plain.contains('\x1b'));
        let coloured = told(script, Style { colour: true, ..Style::plain(80) });
        assert!(coloured.contains("\x1b["));
        assert_eq!(without_escapes(&coloured), plain);
    }
}

#[test]
fn control_octets_of_a_payload_never_reach_the_screen() {
    let text = at_80(r#"+0 C > S P. 1000:1011(11) ack 5000 "ok\x1b[2J\x07\r\n\x9b!""#);
    assert!(text.contains(r#""ok\x1b[2J\x07\r\n"#), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn absolute_numbers_are_those_on_the_wire() {
    let style = Style { numbers: Numbers::Absolute, ..Style::plain(160) };
    let text = told(CONVERSATION, style);
    assert!(text.contains("\"1 2 3\\n\" · seq 2557618401..2557618407"), "{text}");
    assert!(text.contains("ack 2557618408 = 2557618407+1 ✓"), "{text}");
}

#[test]
fn numbers_go_round_the_circle_without_a_stumble() {
    let text = words(
        "+0 C > S S 4294967295:4294967295(0)
         +1 S > C S. 5000:5000(0) ack 0
         +1 C > S . 0:0(0) ack 5001
         +1 C > S P. 0:4(4) ack 5001 \"ping\"",
    );
    assert!(text.contains("ack 0 = J+1 ✓") && text.contains("seq J+1 ✓"), "{text}");
    assert!(text.contains("\"ping\" · seq 1..5"), "{text}");
}

#[test]
fn a_payload_that_the_capture_cut_says_so() {
    let text = words("+0 C > S P. 1000:1100(100) ack 5000 snaplen 64");
    assert!(text.contains("seq 1..101 · 10 of 100 B captured"), "{text}");
}

#[test]
fn a_header_that_makes_no_sense_is_told_and_moves_nothing() {
    let text = words("+0 C > S S 1000:1000(0) hlen 60");
    assert!(text.contains("data offset 60 octets, the segment has 20"), "{text}");
    assert!(!text.contains("J="), "{text}");
}

#[test]
fn every_packet_is_written_in_one_piece() {
    struct Pieces(Vec<Vec<u8>>);
    impl Write for Pieces {
        fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
            self.0.push(piece.to_vec());
            Ok(piece.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (mut writer, mut out) = (TraceWriter::new(Style::plain(80)), Pieces(Vec::new()));
    let mut packets = 0;
    watch(
        CONVERSATION,
        |packet, seen| {
            packets += 1;
            writer.packet(&mut out, packet, seen).expect("pieces are taken");
        },
        |_| {},
        |_| {},
    );
    assert_eq!(out.0.len(), packets);
    assert!(out.0.iter().all(|piece| piece.ends_with(b"\n")));
}

#[test]
fn a_finding_is_told_with_its_code_and_rule() {
    let finding = Finding {
        code: Code::Refused,
        severity: Severity::Error,
        at: Timestamp::EPOCH,
        streams: vec![3],
        frames: vec![1, 2],
        text: "nobody listens on \x1b[31m10.0.0.2:80".to_owned(),
        evidence: Vec::new(),
    };
    let mut out = Vec::new();
    TraceWriter::new(Style::plain(100)).finding(&mut out, &finding).expect("a vector takes everything");
    assert_eq!(
        String::from_utf8(out).expect("text"),
        "!  error refused · nobody listens on \\x1b[31m10.0.0.2:80 · stream 3 · RFC 9293 §3.10.7.1\n"
    );
}
#[test]
fn data_on_a_syn_is_numbered_behind_it() {
    let text = words(
        "+0 C > S S 1000:1004(4) <mss 1460, tfo 0011223344556677> \"ping\"
         +1 S > C S. 5000:5000(0) ack 1005 <mss 1460>
         +1 C > S . 1005:1005(0) ack 5001",
    );
    assert!(text.contains("C→S SYN J=1000 · 4 B of data on the SYN · "), "{text}");
    assert!(text.contains("Fast Open cookie of 8 B · \"ping\" · seq 1..5\n"), "{text}");
    assert!(text.contains("ack 1005 = J+5 ✓ (SYN and 4 B)"), "{text}");
    assert!(text.contains("seq J+5 ✓ · ack 5001 = K+1 ✓"), "{text}");
    assert!(text.contains("the SYN's data was taken (Fast Open)"), "{text}");
}

#[test]
fn a_third_segment_that_was_not_captured_is_told_from_the_one_after_it() {
    let text = words(
        "+0 C > S S 1000:1000(0)
         +1 S > C S. 5000:5000(0) ack 1001
         +1 C > S P. 1011:1015(4) ack 5001 \"ping\"",
    );
    assert!(text.contains("seq J+11 · ack 5001 = K+1 ✓ · ESTABLISHED: the third segment is not here"), "{text}");
}

#[test]
fn crossing_syns_and_crossing_fins_are_told_as_such() {
    let text = words(
        "+0 C > S S  1000:1000(0)
         +1 S > C S  5000:5000(0)
         +1 C > S S. 1000:1000(0) ack 5001
         +1 S > C S. 5000:5000(0) ack 1001
         +1 S > C F. 5001:5001(0) ack 1001
         +0 C > S F. 1001:1001(0) ack 5001
         +1 C > S .  1002:1002(0) ack 5002
         +0 S > C .  5002:5002(0) ack 1002",
    );
    assert!(text.contains("K=5000 · no mss · SYNs crossed: both sides open (simultaneous open)"), "{text}");
    assert!(text.contains("ack 1001 = J+1 ✓ · server side 2.00 s · no mss · ESTABLISHED by simultaneous open"));
    assert!(text.contains("closed by both at once · simultaneous close · both hold TIME_WAIT"), "{text}");
}
