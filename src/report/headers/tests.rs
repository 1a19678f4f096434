use super::*;
use crate::packet::Packet;
use crate::packet::Timestamp;
use crate::pipeline::Seen;
use crate::report::style::Numbers;
use crate::report::style::Style;
use crate::report::testing::CONVERSATION;
use crate::report::testing::IDLE_CLOSE;
use crate::report::testing::LOSS;
use crate::report::testing::REFUSED;
use crate::report::testing::UDP;
use crate::report::testing::V6_WRONG_ACK;
use crate::report::testing::assert_fits;
use crate::report::testing::watch;
use crate::report::testing::without_escapes;
use crate::tcp::dialect::Dialect;

fn tables(script: &str, style: Style) -> String {
    let (mut out, mut wireshark) = (Vec::new(), Dialect::new());
    let show = |packet: &Packet<'_>, seen: &Seen<'_>| {
        table(&mut out, packet, seen, &style, wireshark.observe(packet).as_ref()).expect("a vector");
    };
    watch(script, show, |_| {}, |_| {});
    String::from_utf8(out).expect("text")
}

fn lines(script: &str, style: Style) -> String {
    let (mut out, mut wireshark) = (Vec::new(), Dialect::new());
    let mut base = None;
    let show = |packet: &Packet<'_>, seen: &Seen<'_>| {
        let base: Timestamp = *base.get_or_insert(packet.meta.at);
        brief(&mut out, packet, seen, &style, base, wireshark.observe(packet).as_ref()).expect("a vector");
    };
    watch(script, show, |_| {}, |_| {});
    String::from_utf8(out).expect("text")
}

/// Blanks reduced to one.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_syn_is_taken_apart_field_by_field_with_its_sums_below() {
    let script = CONVERSATION.lines().take(4).collect::<Vec<_>>().join("\n");
    let text = squeezed(&tables(&script, Style::plain(100)));
    for cells in [
        "frame 1 · 2023-11-14 22:13:20.000000 UTC · 74 octets · link type ETHERNET · interface 0",
        "ethernet octets 0..14",
        "ipv4 octets 14..34",
        "tcp octets 34..74",
        "field bits raw meaning",
        "source_port 0..16 0xb334 45876 (user)",
        "sequence_number 32..64 0x987228e0 2557618400",
        "syn 110 1 set",
        "option: window scale 288..312 03 03 0a kind 3, length 3: shift 10, times 1024",
        "sequence_number: 2557618400 + SYN = 2557618401 comes next",
        "data_offset: 10 × 4 = 40 octets = 20 + 20 of options",
        "total_length: 60 octets − 20 IP − 40 TCP = 0 octets of payload",
        "checksum: good: computed 0x1a79 too",
        "relative seq: 0..1, counted from J = 2557618400",
    ] {
        assert!(text.contains(cells), "{cells}\n{text}");
    }
}

#[test]
fn a_window_is_scaled_once_both_syns_are_known() {
    let text = tables(CONVERSATION, Style::plain(80));
    assert!(text.contains("scaled window: 64 × 2^10 = 65536 octets"), "{text}");
    assert!(text.contains("relative ack: 7, counted from J = 2557618400"), "{text}");
}

#[test]
fn no_line_of_a_table_is_wider_than_the_screen_and_nothing_is_cut() {
    for script in [CONVERSATION, REFUSED, UDP, V6_WRONG_ACK, LOSS] {
        for width in [60, 80, 120] {
            let plain = tables(script, Style::plain(width));
            assert_fits(&plain, width);
            let coloured = tables(script, Style { colour: true, ..Style::plain(width) });
            assert!(!plain.contains('\x1b') && coloured.contains('\x1b'));
            assert_eq!(without_escapes(&coloured), plain);
        }
    }
    let narrow = tables(V6_WRONG_ACK, Style::plain(60));
    let digits: Vec<_> = ["20010db81234", "56789abcdef0", "12345678"].to_vec();
    assert!(digits.iter().all(|digits| narrow.contains(digits)), "{narrow}");
}

#[test]
fn defects_are_listed_with_layer_and_octet() {
    let text = squeezed(&tables("+0 C > S S 1000:1000(0) checksum bad", Style::plain(100)));
    assert!(text.contains("defects tcp-checksum · tcp at octet 50 · TCP checksum 0x"), "{text}");
}

#[test]
fn a_payload_is_shown_in_hexadecimal_and_characters_up_to_64_octets() {
    let text = tables(r#"+0 C > S udp "{\"A\":7}\x1b\x07é""#, Style::plain(80));
    assert!(text.contains("  0000  7b 22 41 22 3a 37 7d 1b 07 c3 a9                 {\"A\":7}....\n"), "{text}");
    let text = tables("+0 C > S udp (1000)", Style::plain(80));
    assert!(text.contains("payload  1000 octets, the first 64 of them") && text.contains("  0030  "), "{text}");
    assert!(!text.contains("  0040  "), "{text}");
}

#[test]
fn a_cut_frame_says_how_much_of_it_was_captured() {
    let text = tables("+0 C > S S 1000:1000(0) snaplen 40", Style::plain(100));
    assert!(text.contains("40 of 54 octets captured"), "{text}");
    assert!(text.contains("header-cut"), "{text}");
}

#[test]
fn a_brief_line_is_written_in_tcpdumps_alphabet() {
    let text = lines(CONVERSATION, Style::plain(80));
    let expected = [
        "2 0.000010 IP 127.0.0.1.47011 > 127.0.0.1.45876: Flags [S.], seq 0, ack 1, win 65483, \
         options [mss 65495,sackOK,TS val 200 ecr 100,wscale 10,nop], length 0",
        "4 0.000055 IP 127.0.0.1.45876 > 127.0.0.1.47011: Flags [P.], seq 1:7, ack 1, win 64, \
         options [TS val 101 ecr 200,nop,nop], length 6",
        "5 0.000060 IP 127.0.0.1.47011 > 127.0.0.1.45876: Flags [.], ack 7, win 64, \
         options [TS val 201 ecr 101,nop,nop], length 0",
        "8 0.002762 IP 127.0.0.1.45876 > 127.0.0.1.47011: Flags [F.], seq 7, ack 3, win 64, \
         options [TS val 101 ecr 200,nop,nop], length 0",
    ];
    for line in expected {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[test]
fn brief_lines_name_other_protocols_defects_and_cuts() {
    let udp = lines(UDP, Style::plain(80));
    assert!(udp.contains("1 0.000000 IP 127.0.0.1.40000 > 127.0.0.1.5656: UDP, length 13\n"), "{udp}");
    assert!(udp.contains("4 0.000190 IP 127.0.0.1 > 127.0.0.1: ICMP port unreachable, length 49\n"), "{udp}");
    assert!(lines(LOSS, Style::plain(80)).contains("length 1460 [bad cksum] [TCP Spurious Retransmission]\n"));
    assert!(lines(LOSS, Style::plain(80)).contains("options [sack 1 {2921:4381},nop,nop]"));
    let cut = lines("+0 C > S P. 1000:1100(100) ack 5000 snaplen 60", Style::plain(80));
    assert!(cut.ends_with("length 100 [60 of 154 octets captured]\n"), "{cut}");
    assert!(lines(V6_WRONG_ACK, Style::plain(80)).starts_with("1 0.000000 IP6 2001:db8::1.40000 > 2001:db8:"));
    assert!(lines(IDLE_CLOSE, Style::plain(80)).contains("Flags [R], seq 1, win 502, length 0\n"));
    let none = lines("+0 C > S none 1:1(0)", Style::plain(80));
    assert!(none.contains("Flags [none]") && none.ends_with("[tcp-flags-none]\n"), "{none}");
}

#[test]
fn brief_lines_show_the_numbers_on_the_wire_if_asked() {
    let text = lines(CONVERSATION, Style { numbers: Numbers::Absolute, ..Style::plain(80) });
    assert!(text.contains("Flags [P.], seq 2557618401:2557618407, ack 1609717635,"), "{text}");
}
