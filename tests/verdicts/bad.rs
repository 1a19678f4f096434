//! Input that breaks the rules of the format: a defect or a verdict on the frame, and never a panic.

use proptest::prelude::*;
use synscope::craft;
use synscope::decode::decode;
use synscope::packet::Packet;
use synscope::packet::SackBlock;
use synscope::packet::SeqNumber;
use synscope::packet::TcpFlags;
use synscope::packet::Timestamp;
use synscope::packet::Transport;

use super::OPEN;
use super::is_broken;
use super::judge;

/// Defects and codes of the last frame.
fn last_of(script: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let packets: Vec<Packet<'_>> = trace.frames().map(|frame| decode(&frame)).collect();
    let last = packets.last().unwrap();
    let defects = last.defects.iter().map(|defect| defect.code.code()).collect();
    let number = last.meta.number;
    let said = judge(packets).remove(&number).map(|(_, said)| said).unwrap_or_default();
    (defects, said.iter().filter(|judged| is_broken(judged)).map(|judged| judged.code.as_str()).collect())
}

/// A frame behind a handshake, with the defects and the codes that it earns.
const CASES: &[(&str, &str, &[&str], &[&str])] = &[
    ("SYN and FIN at once", "+1 C > S SF 101:101(0) win 10000", &["tcp-flags-illegal"], &["state-unexpected"]),
    ("every flag at once", "+1 C > S SFRPU. 101:101(0) ack 901 win 10000", &["tcp-flags-illegal"], &["reset"]),
    ("no flag at all", "+1 C > S none 101:111(10) win 10000", &["tcp-flags-none"], &[]),
    ("data offset of four words", "+1 C > S P. 101:111(10) ack 901 win 10000 hlen 16", &["tcp-data-offset"], &[]),
    ("beyond the segment", "+1 C > S P. 101:111(10) ack 901 win 10000 hlen 60", &["tcp-data-offset-beyond"], &[]),
    ("IP says too little", "+1 C > S P. 101:111(10) ack 901 win 10000 iplen 45", &["tcp-checksum"], &["bad-checksum"]),
    ("IP says too much", "+1 C > S P. 101:111(10) ack 901 win 10000 iplen 4000", &["ip-total-length"], &[]),
    ("IP ends within the header", "+1 C > S P. 101:111(10) ack 901 win 10000 iplen 30", &["header-short"], &[]),
    (
        "nearly half the circle ahead",
        "+1 C > S P. 2147483748:2147483758(10) ack 901 win 10000",
        &[],
        &["beyond-window", "segment-acceptable", "lost-segment"],
    ),
    ("acknowledges half the circle", "+1 C > S . 101:101(0) ack 2147484549 win 10000", &[], &["ack-range"]),
    ("acknowledges one less: not seen, or forged", "+1 C > S . 101:101(0) ack 2147484548 win 10000", &[], &[]),
    ("SACK across zero", "+1 S > C . 901:901(0) ack 101 win 10000 <sack 4294967295:5>", &[], &["sack-sane"]),
    ("urgent beyond the segment, as is allowed", "+1 C > S PU. 101:111(10) ack 901 win 10000 urg 60000", &[], &[]),
];

#[test]
fn each_broken_form_earns_a_defect_or_a_verdict() {
    let mut wrong = Vec::new();
    for (name, line, defects, codes) in CASES {
        let seen = last_of(&format!("{OPEN}\n{line}"));
        if seen != (defects.to_vec(), codes.to_vec()) {
            wrong.push(format!("{name}: {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "as it is now:\n{}", wrong.join("\n"));
}

#[test]
fn numbers_that_pass_zero_are_judged_as_any_others() {
    let around = "+0.000 C > S S  4294967246:4294967246(0) win 10000 <mss 1460, sackOK>
        +0.010 S > C S. 4294967295:4294967295(0) ack 4294967247 win 10000 <mss 1460, sackOK>
        +0.010 C > S .  4294967247:4294967247(0) ack 0 win 10000
        +0.010 C > S P. 4294967247:51(100) ack 0 win 10000
        +0.010 S > C .  0:0(0) ack 51 win 10000
        +0.500 C > S P. 4294967247:51(100) ack 0 win 10000";
    assert_eq!(last_of(around), (vec![], vec!["segment-acceptable", "retransmission-of-acknowledged"]));
}

type Field = (bool, u16, (u32, u32), (u32, u32), u16, i64, (Option<u8>, Option<(u32, u32)>, Option<u16>));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_segments_in_any_order_are_judged_without_panic(
        fields in proptest::collection::vec(
            (any::<bool>(), 0u16..512, (any::<u32>(), 0u32..200_000), (any::<u32>(), any::<u32>()), any::<u16>(),
             any::<i64>(), (any::<Option<u8>>(), any::<Option<(u32, u32)>>(), any::<Option<u16>>())),
            1..40,
        ),
        near: bool,
    ) {
        let trace = craft::play("+0 C > S . 1:1(0) ack 1 win 1\n+0 S > C . 1:1(0) ack 1 win 1").unwrap();
        let frames: Vec<_> = trace.frames().collect();
        let packets: Vec<Packet<'_>> = fields.iter().zip(1..).map(|(field, number)| {
            segment(decode(&frames[usize::from(field.0)]), number, field, near)
        }).collect();
        prop_assert_eq!(judge(packets).len(), fields.len());
    }
}

/// The packet with other fields; `near` keeps all numbers close together, so that they meet.
fn segment<'a>(mut packet: Packet<'a>, number: u64, field: &Field, near: bool) -> Packet<'a> {
    let &(_, flags, (seq, len), (ack, block), window, at, (scale, stamps, mss)) = field;
    let close = |number: u32| SeqNumber(if near { (number % 3000).wrapping_sub(1500) } else { number });
    packet.meta.number = number;
    packet.meta.at = Timestamp::from_nanos(if near { number as i64 * 1_000_000 + at % 2_000_000 } else { at });
    if let Transport::Tcp(tcp) = &mut packet.transport {
        (tcp.seq, tcp.ack, tcp.window) = (close(seq), close(ack), window);
        tcp.len = if near { len % 1000 } else { len };
        tcp.flags = TcpFlags::from_bits(flags);
        tcp.said.window_scale = scale;
        tcp.said.timestamps = stamps;
        tcp.said.mss = mss;
        tcp.said.sack.push(SackBlock { left: close(block), right: close(block).plus(len) });
    }
    packet
}
