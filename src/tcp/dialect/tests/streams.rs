//! Stream numbers, what takes them, what is shown of them, and the bounds of the tables.

use super::*;
use crate::packet::flags::TcpFlags;
use crate::packet::headers::Icmp;
use crate::packet::headers::OuterTransport;
use crate::packet::headers::Quoted;
use crate::packet::headers::UdpHeader;
use crate::packet::time::Span;
use crate::packet::tuple::Dir;
use crate::packet::tuple::Endpoint;
use crate::packet::tuple::Protocol;
use crate::tcp::dialect::Losses;
use crate::tcp::dialect::NANOS;
use crate::tcp::dialect::Shape;
use crate::tcp::dialect::unacked::MAX_UNACKED;

fn udp(length_field: u16, src_port: u16) -> Packet<'static> {
    let checksum = ChecksumState::Good;
    let udp = UdpHeader { src_port, dst_port: 53, length_field, checksum_field: 0, checksum, len: 0, payload: &[] };
    packet(1, 0, "10.0.0.9", "10.0.0.2", Transport::Udp(udp))
}

/// A router tells the client that the packet quoted went nowhere.
fn icmp(protocol: Protocol, src_port: u16, octets: u32) -> Packet<'static> {
    let quoted = Quoted {
        protocol,
        src: Endpoint { addr: "10.0.0.9".parse().expect("an address"), port: src_port },
        dst: Endpoint { addr: "10.0.0.2".parse().expect("an address"), port: 80 },
        seq: Some(SeqNumber(100)),
        octets,
        flags: (octets >= 14).then_some(TcpFlags::SYN),
    };
    let checksum = ChecksumState::Good;
    let icmp = Icmp { version: 4, kind: 3, code: 3, checksum, mtu: None, quoted: Some(quoted) };
    packet(1, 0, "10.0.0.1", "10.0.0.9", Transport::Icmp(icmp))
}

fn syn_from(port: u16) -> Packet<'static> {
    let mut packet = segment(1, &mut 1, "0> S 100");
    if let Transport::Tcp(tcp) = &mut packet.transport {
        tcp.src_port = port;
    }
    packet
}

fn number(dialect: &mut Dialect, packet: &Packet<'_>) -> Option<u32> {
    dialect.observe(packet).map(|tags| tags.stream)
}

#[test]
fn tcp_and_udp_are_numbered_apart_and_both_directions_share_a_number() {
    let mut dialect = Dialect::new();
    assert_eq!(number(&mut dialect, &udp(8, 5000)), Some(0));
    assert_eq!(number(&mut dialect, &udp(8, 5001)), Some(1));
    for packet in trace("HS") {
        assert_eq!(number(&mut dialect, &packet), Some(0));
    }
    assert_eq!(number(&mut dialect, &udp(8, 5000)), Some(0));
}

#[test]
fn a_udp_length_below_eight_makes_no_stream() {
    let mut dialect = Dialect::new();
    assert_eq!(number(&mut dialect, &udp(7, 5000)), None);
    assert_eq!(number(&mut dialect, &udp(0, 5000)), None);
    assert_eq!(number(&mut dialect, &udp(8, 5001)), Some(0));
}

#[test]
fn a_quote_of_sixteen_octets_takes_a_tcp_number_and_one_of_fifteen_does_not() {
    for (octets, expected) in [(8, 0), (15, 0), (16, 1), (40, 1)] {
        let mut dialect = Dialect::new();
        assert!(dialect.observe(&icmp(Protocol::Tcp, 1234, octets)).is_none(), "a quote is no packet");
        assert_eq!(number(&mut dialect, &syn_from(5678)), Some(expected), "{octets} octets");
    }
}

#[test]
fn a_quote_of_eight_octets_takes_a_udp_number() {
    let mut dialect = Dialect::new();
    assert!(dialect.observe(&icmp(Protocol::Udp, 1234, 8)).is_none());
    assert_eq!(number(&mut dialect, &udp(8, 5000)), Some(1));
}

#[test]
fn a_quoted_syn_opens_the_stream_that_its_packet_then_joins() {
    let mut dialect = Dialect::new();
    dialect.observe(&icmp(Protocol::Tcp, 40000, 20));
    let tags = dialect.observe(&segment(2, &mut 1, "0> S 100")).expect("TCP always has tags");
    assert_eq!((tags.stream, tags.completeness, tags.verdicts.to_string().as_str()), (0, 1, "-"));
}

#[test]
fn the_outer_header_of_a_tunnel_takes_its_number_first() {
    let end = |addr: [u8; 4], port| Endpoint { addr: addr.into(), port };
    let (src, dst) = (end([192, 0, 2, 1], 40_000), end([192, 0, 2, 2], 4_789));
    let mut inner = udp(8, 5000);
    inner.outer.push(OuterTransport { protocol: Protocol::Udp, src, dst });
    let mut dialect = Dialect::new();
    assert_eq!(number(&mut dialect, &inner), Some(1));
    assert_eq!(number(&mut dialect, &inner), Some(1));
    assert_eq!(number(&mut dialect, &udp(8, 6000)), Some(2));
}

#[test]
fn a_short_segment_is_numbered_and_shown_raw_but_not_judged() {
    let mut packets = trace("HS\n10> A 101 901 0 hlen40\n10> A 101 901 10");
    if let Transport::Tcp(tcp) = &mut packets[3].transport {
        tcp.sound = false;
    }
    let tags = replay(&packets);
    assert_eq!((tags[3].shape, tags[3].relative_seq, tags[3].relative_ack), (Shape::Short, 101, 901));
    assert_eq!(field(&tags[3], "tcp.len"), None);
    assert_eq!(field(&tags[3], "tcp.window_size_scalefactor"), Some(Value::Number(-2)));
    assert_eq!(verdicts(&tags[4..]), ["-"]);
}

#[test]
fn a_first_fragment_gets_its_number_and_no_verdict() {
    let mut packets = trace("HS\n10> A 101 901 1400\n10> A 101 901 1400");
    packets[3].ip.as_mut().expect("IP").more_fragments = true;
    let tags = replay(&packets);
    assert_eq!((tags[3].shape, tags[3].stream), (Shape::Short, 0));
    assert_eq!(verdicts(&tags[3..]), ["-", "-"]);
}

#[test]
fn a_changed_syn_ack_moves_the_base_from_there_on_in_both_passes() {
    let script = "0> S 100\n10< SA 900 101\n10< SA 7000 101\n10< A 7001 101 5";
    let shown: Vec<_> = play(script).iter().map(|tags| tags.relative_seq).collect();
    assert_eq!(shown, [0, 0, 0, 1]);
    assert_eq!(verdicts(&play(script)), ["-", "-", "lost_segment,reused_ports", "-"]);
    let tuple = trace(script)[0].tuple().expect("a tuple").0;
    let mut dialect = Dialect::new();
    for packet in trace(script) {
        dialect.observe(&packet);
    }
    let (number, last) = dialect.stream(&tuple).expect("the stream");
    assert_eq!((number, last.base(Dir::LowToHigh)), (0, Some(SeqNumber(7000))));
}

#[test]
fn window_scales_are_final_in_two_passes_and_growing_in_one() {
    let script = "0> A 101 901\n10> A 101 901 0 ws3\n10> A 101 901 5";
    let sizes = |tags: Vec<Tags>| tags.iter().map(Tags::window_size).collect::<Vec<_>>();
    assert_eq!(sizes(play(script)), [8000, 8000, 8000]);
    assert_eq!(sizes(play_once(script)), [1000, 1000, 8000]);
}

#[test]
fn a_full_table_forgets_the_idlest_stream_and_says_so() {
    let mut dialect = Dialect::with_limit(2);
    let numbers: Vec<_> = [1, 2, 3, 2, 1].map(|port| number(&mut dialect, &syn_from(port))).into();
    assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(1), Some(3)]);
    assert_eq!(dialect.losses(), Losses { evicted: 2, unnoted: 0 });
}

#[test]
fn notes_on_unacknowledged_segments_end_at_ten_thousand() {
    let mut dialect = Dialect::new();
    let mut seq = 1000;
    for index in 0..MAX_UNACKED as u32 + 50 {
        dialect.observe(&segment(u64::from(index), &mut 0, &format!("0> A {seq} 1 10")));
        seq += 10;
    }
    let ack = format!("0< A 1 {seq}");
    let tags = dialect.observe(&segment(99999, &mut 0, &ack)).expect("TCP always has tags");
    // The last segment was not noted, so nobody knows which frame this acknowledges.
    assert_eq!(tags.acks, None);
    assert_eq!(dialect.losses(), Losses::default());
}

#[test]
fn the_machine_writes_what_the_contract_asks_for() {
    let tags = play("HS\n10> PA 101 901 5")[3];
    let written = serde_json::to_string(&tags).expect("JSON");
    assert_eq!(
        written,
        r#"{"tcp.stream":0,"tcp.len":5,"tcp.seq":1,"tcp.ack":1,"tcp.seq_raw":101,"tcp.ack_raw":901,"tcp.hdr_len":20,"#
            .to_owned()
            + r#""tcp.flags":24,"tcp.window_size_value":1000,"tcp.window_size":1000,"tcp.window_size_scalefactor":-2,"#
            + r#""tcp.completeness":15,"tcp.analysis.bytes_in_flight":5,"tcp.analysis.push_bytes_sent":5,"#
            + r#""tcp.analysis.initial_rtt":"0.020000000"}"#
    );
}

#[test]
fn a_fraction_beyond_32_bits_wraps() {
    let mut packets = trace("0> S 100\n2000< SA 900 101\n10> A 101 901");
    // 8.915240 s in the fraction of the first stamp: 8 of them carried, and 2^32 ns fit twice into it.
    let meta = &mut packets[0].meta;
    meta.at = Timestamp::from_nanos(1_700_000_000 * NANOS + 8_915_240_000);
    meta.carried_seconds = 8;
    packets[2].meta.at = Timestamp::from_nanos(1_700_000_000 * NANOS + 558_549_000);
    let shown = field(&replay(&packets)[2], "tcp.analysis.initial_rtt");
    assert_eq!(shown, Some(Value::Seconds(Span(558_549_000 - (8_915_240_000 - 2 * (1 << 32))))));
}
