use super::*;
use crate::packet::Packet;
use crate::packet::Timestamp;
use crate::pipeline::Seen;
use crate::report::line::columns;
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
    pages(script, style, Layout::Table)
}

fn pages(script: &str, style: Style, layout: Layout) -> String {
    let (mut out, mut wireshark) = (Vec::new(), Dialect::new());
    let show = |packet: &Packet<'_>, seen: &Seen<'_>| {
        page(&mut out, packet, seen, &style, wireshark.observe(packet).as_ref(), layout).expect("a vector");
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
fn a_ruler_draws_a_header_as_its_rfc_does_with_values_in_place() {
    let text = pages(CONVERSATION, Style::plain(80), Layout::Ruler);
    for lines in [
        "   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1\n",
        "  |          source_port          |       destination_port        |\n  \
         |     0xb334 = 45876 (user)     |     0xb7a3 = 47011 (user)     |\n",
        "  |                   0x987228e0 = 2557618400                     |\n",
        "  | data  |     |A|C|E|U|A|P|R|S|F|                               |\n  \
         |offset |rsvd |E|W|C|R|C|S|S|Y|I|            window             |\n  \
         |       |     | |R|E|G|K|H|T|N|N|                               |\n  \
         |0xa=10 | 0x0 |0|0|0|0|0|0|0|1|0|        0xffd7 = 65495         |\n",
        "  options: 20 octets of 40 that fit\n    \
         0 02 04 ff d7|04 02|08 0a 00 00 00 64 00 00 00 00|03 03 0a|01|\n      \
         MSS        |SackP|timestamps                   |WScale  |NO|\n   \
         20 ·· ·· ·· ··",
        "data_offset: 10 × 4 = 40 octets = 20 + 20 of options\n",
        "total_length: 60 octets − 20 IP − 40 TCP = 0 octets of payload\n",
    ] {
        let is_there = squeezed(&text).contains(&squeezed(lines));
        assert!(is_there && lines.lines().all(|line| columns(line) <= 72), "{lines}\n{text}");
    }
}

#[test]
fn the_eight_octets_of_udp_are_two_rows() {
    let text = pages("+0 C > S udp \"one?\"", Style::plain(80), Layout::Ruler);
    let udp = text.split("udp  octets 34..42").nth(1).expect("the header");
    let rows: Vec<_> = udp.lines().filter(|line| line.starts_with("  |")).map(squeezed).collect();
    assert_eq!(rows[0], "| source_port | destination_port |");
    assert_eq!((&*rows[2], rows.len()), ("| length | checksum |", 4));
    assert!(rows[3].starts_with("| 0x000c = 12 | 0x") && rows[3].ends_with("= good |"), "{}", rows[3]);
}

#[test]
fn a_field_of_many_rows_is_open_between_them() {
    let script = "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n+0 A > B udp (8)";
    let text = pages(script, Style::plain(80), Layout::Ruler);
    let blank = " ".repeat(63);
    assert_eq!(text.matches(&format!("  +{blank}+\n")).count(), 6, "{text}");
    for word in ["0x20010db8", "0x00000002"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
}

#[test]
fn octets_stand_beside_the_fields_that_they_make() {
    let text = pages(CONVERSATION, Style::plain(80), Layout::Hex);
    for line in [
        "  000e  45                       E         version 4, ihl 5\n",
        "  0022  b3 34                    .4        source_port  45876 (user)\n",
        "  002f  02                       .         set: syn, not set: cwr ece urg ack\n",
        "  0036  02 04 ff d7              ....      option: MSS  kind 2, length 4: 65495\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn beside_octets_the_payload_is_whole_and_padding_has_a_place_of_its_own() {
    let text = pages("+0 C > S udp (100) trailer 6", Style::plain(80), Layout::Hex);
    assert!(text.contains("payload  100 octets\n  002a  ") && text.contains("  008a  "), "{text}");
    assert!(text.contains("trailer  6 octets behind the packet\n  008e  "), "{text}");
}

#[test]
fn rulers_and_octets_fit_the_screen() {
    for script in [CONVERSATION, REFUSED, UDP, V6_WRONG_ACK, LOSS] {
        for (layout, width) in [(Layout::Ruler, 72), (Layout::Ruler, 120), (Layout::Hex, 60), (Layout::Hex, 80)] {
            let plain = pages(script, Style::plain(width), layout);
            assert_fits(&plain, width);
            assert_eq!(without_escapes(&pages(script, Style { colour: true, ..Style::plain(width) }, layout)), plain);
        }
    }
}

/// The additions that are written out, as `(terms, sum)`, and the complements.
fn additions(text: &str) -> (Vec<(Vec<u64>, u64)>, Vec<u64>) {
    let number = |word: &str| u64::from_str_radix(word.trim_matches(['(', ')', ';', ',']), 16).ok();
    let (mut additions, mut complements) = (Vec::new(), Vec::new());
    let names = ["header: ", "pseudo-header: ", "payload: ", "sum: "];
    // A line that goes on below begins with four blanks.
    for line in text.replace("\n    ", " ").lines().map(str::trim) {
        let Some(name) = names.iter().find(|name| line.starts_with(**name)) else { continue };
        for part in line[name.len()..].split([';', ',']) {
            if let Some(word) = part.trim().strip_prefix("complemented ") {
                complements.push(number(word).expect("a number"));
            } else if let Some((terms, sum)) = part.split_once(" = ") {
                let terms = terms.trim_start().trim_start_matches("folded ");
                let terms = terms.split(" + ").map(|term| number(term.trim()).expect(part)).collect();
                additions.push((terms, number(sum.trim()).expect(part)));
            }
        }
    }
    (additions, complements)
}

#[test]
fn every_sum_of_a_checksum_can_be_redone_by_hand() {
    for script in [
        "+0 C > S P. 1:6(5) ack 2 <ts 1 2>",
        "+0 C > S P. 1:1461(1460) ack 2",
        "+0 C > S udp (9)",
        "+0 C > S icmp echo-request (30)",
        "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n+0 A > B udp (33)",
        "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n+0 A > B icmp echo-request (3)",
    ] {
        let text = tables(script, Style::plain(80));
        let (additions, complements) = additions(&text);
        assert!(additions.len() >= 2, "{text}");
        for (terms, sum) in additions {
            assert_eq!(terms.iter().sum::<u64>(), sum, "{terms:x?}\n{text}");
        }
        let good = text.lines().filter_map(|line| line.trim().split_once("checksum: good: computed 0x"));
        let good: Vec<_> =
            good.map(|(_, rest)| u64::from_str_radix(&rest[..4], 16).expect("a sum in hexadecimal")).collect();
        assert_eq!(good, complements, "{text}");
    }
}

#[test]
fn a_checksum_left_for_the_card_is_the_pseudo_header_and_one_that_cannot_be_summed_says_why() {
    let lo = "C = 127.0.0.1:1\nS = 127.0.0.1:2\n";
    let text = tables(&format!("{lo}+0 C > S . 1:1(0) checksum partial"), Style::plain(80));
    assert!(text.contains("pseudo-header: 7f00 + 0001 + 7f00 + 0001 + 0006 + 0014 = fe1c\n"), "{text}");
    assert!(text.contains("pseudo-header alone: fe1c; the field holds fe1c\n"), "{text}");
    for (line, words) in [
        ("+0 C > S . 1:101(100) snaplen 74", "not summed: it covers 120 octets, of which 40 were captured"),
        ("+0 C > S udp (100) mf", "not summed: it covers the whole datagram, of which this is a fragment"),
        ("+0 C > S . 1:11(10) iplen 60", "not summed: the length field promises more octets than the frame ever held"),
    ] {
        assert!(squeezed(&tables(line, Style::plain(80))).contains(words), "{words}");
    }
    let absent = tables("+0 C > S udp (4) checksum zero", Style::plain(80));
    assert!(absent.contains("checksum: absent: the sender computed none\n"), "{absent}");
    let sum = "sum, not sent: 1420 + 9c9c + c4c6 = 17582; folded 1 + 7582 = 7583; complemented 8a7c";
    assert!(squeezed(&absent).contains(sum), "{absent}");
    let v6 = "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n+0 A > B udp (4) checksum zero";
    let illegal = tables(v6, Style::plain(80));
    assert!(illegal.contains("checksum: illegal: IPv6 needs one\n"), "{illegal}");
    let sum = "sum, not sent: 5b92 + f + c4c6 = 12067; folded 1 + 2067 = 2068; complemented df97";
    assert!(squeezed(&illegal).contains(sum), "{illegal}");
    for cut in ["+0 C > S udp (100) checksum zero snaplen 50", "+0 C > S udp (100) checksum zero mf"] {
        assert!(!tables(cut, Style::plain(80)).contains("not sent"), "{cut}");
    }
}

#[test]
fn the_header_that_an_error_quotes_is_taken_apart_too() {
    let script = "+0 C > S . 5:9(4)\n+0 S > C icmp fragmentation-needed mtu 1400 quote 8";
    let text = squeezed(&tables(script, Style::plain(80)));
    let quote = text.split("frame 2").nth(1).expect("the message");
    for cells in [
        "quoted ipv4 octets 42..62",
        "total_length: 44 octets",
        "quoted tcp octets 62..70",
        "source_port 0..16 0x9c40 40000 (user)",
        "sequence_number 32..64 0x00000005 5",
    ] {
        assert!(quote.contains(cells), "{cells}\n{quote}");
    }
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

const ROUTED: &str = "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n\
    +0 A > B udp (4) ext 0 0x050200000100 ext 43 0x000000000000 ext 60 0x040104000000 mf id 7\n\
    +0 A > B udp (4) ext 43 0x04000000000020010db8000000000000000000000002 ext 51 0x0000000000010000000200000003\n\
    +0 A > B udp (4) ext 60 0x05ff00000100";

#[test]
fn what_stands_between_ip_and_its_payload_is_in_the_brief_line() {
    let text = lines(ROUTED, Style::plain(80));
    for words in [
        "2001:db8::2.2: HBH (router-alert value 0) (padn) srcrt (type=0, segleft=0) \
         DSTOPT (tunnel-encapsulation-limit limit 4) (pad1 count 3) frag (0x00000007:0|12) UDP, length 4",
        "srcrt (type=4, segleft=0, 2001:db8::2) AH(spi=0x00000001,seq=2): UDP, length 4\n",
        "DSTOPT (5 malformed) UDP, length 4 [ip-option-length]\n",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let text = lines("+0 C > S . 1:1(0) ack 2 ipopt 0x01070704000000004d030900 <nop, nop, ts 1 2>", Style::plain(80));
    let words = "length 0, ip options [nop,RR pointer 4 recorded none free 1,77 unknown octets 09,eol]\n";
    assert!(text.contains(words), "{text}");
}

#[test]
fn options_of_ip_are_a_strip_under_the_ruler_and_lines_in_the_table() {
    let script = "+0 C > S udp (4) ipopt 0x94040000";
    let ruler = pages(script, Style::plain(80), Layout::Ruler);
    assert!(ruler.contains("options: 4 octets of 40 that fit\n    0 94 04 00 00|··"), "{ruler}");
    let routed = pages(ROUTED, Style::plain(80), Layout::Ruler);
    assert!(routed.contains("options: 6 octets\n    0 05 02 00 00|01 00|\n      alert      |PadN |\n"), "{routed}");
    assert!(routed.contains("|                            segment                            |\n"), "{routed}");
    let table = squeezed(&tables(script, Style::plain(100)));
    let cells =
        "option: router alert 160..192 94 04 00 00 kind 148, length 4: value 0, meaning every router examines it";
    assert!(table.contains(cells), "{table}");
    for layout in [Layout::Table, Layout::Hex, Layout::Ruler] {
        assert_fits(&pages(ROUTED, Style::plain(72), layout), 72);
    }
}

#[test]
fn experiments_read_in_a_brief_line_as_tcpdump_writes_them() {
    for (option, words) in [
        ("opt 254 0xf989", "[exp-tfo cookiereq]"),
        ("opt 254 0xf98901020304", "[exp-tfo cookie 01020304]"),
        ("opt 254 0xface", "[exp-face]"),
        ("opt 254 0xface0102", "[exp-face 0x0102,"),
        ("opt 253 0xface", "[unknown-253 0xface]"),
        ("opt 253", "[unknown-253,"),
        ("opt 172", "[accecn0,"),
    ] {
        let text = lines(&format!("+0 C > S S 1:1(0) <{option}>"), Style::plain(80));
        assert!(text.contains(&format!("options {words}")), "{words}\n{text}");
    }
}
