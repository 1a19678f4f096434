//! Headers that are cut, short or malformed: what tshark 4.0.17 still shows of them, and what they leave behind.

#![cfg(test)]

use super::*;
use crate::decode::decode;
use crate::packet::Frame;
use crate::packet::Span;
use crate::tcp::dialect::Shape;

/// A segment as raw IPv4 octets, from the client or the server.
#[derive(Clone)]
struct Raw {
    from_client: bool,
    flags: u8,
    seq: u32,
    words: u8,
    options: Vec<u8>,
    payload: usize,
    /// Octets behind the IP header by its length field, where not all that is there.
    declared: Option<u16>,
    /// Octets of the frame that were captured, where not all.
    captured: Option<usize>,
}

const SYN: u8 = 2;
const ACK: u8 = 16;

fn raw(from_client: bool, flags: u8, seq: u32) -> Raw {
    Raw { from_client, flags, seq, words: 5, options: Vec::new(), payload: 0, declared: None, captured: None }
}

fn with(segment: Raw, options: &[u8]) -> Raw {
    Raw { words: 5 + options.len() as u8 / 4, options: options.to_vec(), ..segment }
}

impl Raw {
    fn octets(&self) -> Vec<u8> {
        let len = 20 + self.options.len() + self.payload;
        let declared = 20 + self.declared.unwrap_or(len as u16);
        let mut octets = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0];
        octets[2..4].copy_from_slice(&declared.to_be_bytes());
        let (client, server) = ([10, 0, 0, 9], [10, 0, 0, 2]);
        let (ends, ports) =
            if self.from_client { ([client, server], [40_000u16, 80]) } else { ([server, client], [80, 40_000]) };
        octets.extend(ends.concat());
        octets.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        octets.extend(self.seq.to_be_bytes());
        octets.extend(901u32.to_be_bytes());
        octets.extend([self.words << 4, self.flags, 3, 232, 0, 0, 0, 0]);
        octets.extend(&self.options);
        octets.resize(20 + len, 0);
        octets
    }
}

/// Both passes over them, 10 ms apart.
fn seen(segments: &[Raw]) -> Vec<Option<Tags>> {
    let octets: Vec<_> = segments.iter().map(Raw::octets).collect();
    let frames = octets.iter().zip(segments).zip(1u64..).map(|((octets, segment), number)| {
        let captured = segment.captured.unwrap_or(octets.len());
        let at = Timestamp::from_nanos(number as i64 * 10_000_000);
        let whole = FrameMeta::whole(number, at, LinkType::RAW, octets.len() as u32);
        Frame { meta: FrameMeta { caplen: captured as u32, ..whole }, bytes: &octets[..captured] }
    });
    let packets: Vec<_> = frames.map(|frame| decode(&frame)).collect();
    let mut first = FirstPass::new();
    packets.iter().for_each(|packet| first.observe(packet));
    let mut second = Dialect::second_pass(first.finish());
    packets.iter().map(|packet| second.observe(packet)).collect()
}

/// The multiplier that the second segment shows.
fn scale_after(syn: Raw) -> Option<Value> {
    let tags = seen(&[syn, raw(true, ACK, 101)]);
    field(tags[1].as_ref().expect("a whole segment"), "tcp.window_size_scalefactor")
}

fn number(value: i64) -> Option<Value> {
    Some(Value::Number(value))
}

#[test]
fn a_header_cut_behind_its_window_is_judged_and_shown_up_to_there() {
    let cut = |captured| Raw { payload: 6, captured: Some(captured), ..raw(true, ACK, 101) };
    let follows = Raw { payload: 6, ..raw(true, ACK, 107) };
    let tags = seen(&[with(raw(true, SYN, 100), &[3, 3, 7, 1]), cut(36), follows.clone()]);
    let shown = tags[1].expect("sixteen octets are enough");
    assert_eq!((shown.shape, shown.len, shown.window_size()), (Shape::Cut, 6, 128_000));
    assert_eq!(field(&shown, "tcp.analysis.bytes_in_flight"), None);
    assert_eq!(verdicts(&[tags[2].expect("whole")]), ["-"], "the cut segment moved the number on");
    let tags = seen(&[with(raw(true, SYN, 100), &[3, 3, 7, 1]), cut(35), follows]);
    assert!(tags[1].is_none(), "fifteen are not");
    assert_eq!(verdicts(&[tags[2].expect("whole")]), ["lost_segment"]);
}

#[test]
fn a_segment_that_ends_behind_its_window_is_short_and_its_window_stays_raw() {
    let short = |declared| Raw { payload: 6, declared: Some(declared), ..raw(true, ACK, 101) };
    let tags = seen(&[with(raw(true, SYN, 100), &[3, 3, 7, 1]), short(16), short(15)]);
    let shown = tags[1].expect("sixteen octets are enough");
    assert_eq!((shown.shape, shown.relative_seq, shown.window_size()), (Shape::Short, 101, 1000));
    assert_eq!(field(&shown, "tcp.window_size_scalefactor"), number(128));
    assert_eq!(field(&shown, "tcp.completeness"), number(5));
    assert!(tags[2].is_none());
}

#[test]
fn a_syn_whose_options_are_cut_does_not_say_that_scaling_is_unused() {
    let syn = with(raw(true, SYN, 100), &[2, 4, 5, 180, 3, 3, 7, 1]);
    assert_eq!(scale_after(Raw { captured: Some(46), ..syn.clone() }), number(-1));
    assert_eq!(scale_after(Raw { captured: Some(47), ..syn.clone() }), number(128), "the scale is all there");
    assert_eq!(scale_after(syn), number(128));
    assert_eq!(scale_after(with(raw(true, SYN, 100), &[2, 4, 5, 180])), number(-2));
}

#[test]
fn a_sack_option_without_a_block_ends_the_hearing() {
    assert_eq!(scale_after(with(raw(true, SYN, 100), &[5, 4, 0, 0, 3, 3, 7, 1])), number(-1));
    assert_eq!(scale_after(with(raw(true, SYN, 100), &[8, 4, 0, 0, 3, 3, 7, 1])), number(128));
    assert_eq!(scale_after(with(raw(true, SYN, 100), &[8, 0, 0, 0, 3, 3, 7, 1])), number(-2));
}

#[test]
fn a_short_syn_is_heard_as_far_as_it_goes() {
    let short = |options: &[u8]| Raw { words: 14, ..with(raw(true, SYN, 100), options) };
    assert_eq!(scale_after(short(&[3, 3, 7, 1])), number(128));
    assert_eq!(scale_after(short(&[2, 4, 5, 180])), number(-1));
}

#[test]
fn a_bogus_header_is_judged_and_adds_nothing_to_completeness() {
    let bogus = Raw { words: 4, payload: 4, ..raw(true, SYN, 100) };
    let tags = seen(&[bogus, raw(true, SYN, 100), raw(false, SYN | ACK, 900)]);
    let completeness = |tags: &Option<Tags>| field(&tags.expect("shown"), "tcp.completeness");
    assert_eq!(completeness(&tags[2]), number(2), "the first packet is past, and a later SYN is none");
    assert_eq!(verdicts(&[tags[1].expect("shown")]), ["retransmission"]);
}

#[test]
fn a_syn_on_used_ports_begins_at_one_even_with_data() {
    let tags = seen(&[raw(true, SYN, 100), Raw { payload: 5, ..raw(true, SYN, 5000) }]);
    let last = tags[1].expect("shown");
    assert_eq!((last.stream, last.completeness), (1, 1));
    let first = seen(&[Raw { payload: 5, ..raw(true, SYN, 100) }])[0].expect("shown");
    assert_eq!(first.completeness, 9);
}

#[test]
fn a_syn_ack_before_a_later_changed_one_has_a_record_in_the_second_pass() {
    // It acknowledges nothing, so nothing else earns it a record.
    let opening = [raw(true, SYN, 2000), raw(false, SYN | ACK, 900), raw(true, ACK, 2001)];
    let changed = [&opening[..], &[raw(false, SYN | ACK, 7000)]].concat();
    let shown = |segments: &[Raw]| field(&seen(segments)[1].expect("shown"), "tcp.analysis.initial_rtt");
    assert_eq!(shown(&changed), Some(Value::Seconds(Span(20_000_000))));
    assert_eq!(shown(&opening), None);
}

#[test]
fn a_short_syn_ack_moves_a_known_base_and_names_no_new_one() {
    let short = Raw { words: 14, ..raw(false, SYN | ACK, 7000) };
    let last = |segments: &[Raw]| seen(segments).pop().flatten().expect("shown").relative_seq;
    assert_eq!(last(&[raw(false, SYN | ACK, 900), short.clone(), raw(false, ACK, 7001)]), 1);
    assert_eq!(last(&[raw(false, ACK, 901), raw(false, ACK, 901)]), 1);
    // Two passes: in the second one the base that the first one ended with is known to the short segment.
    assert_eq!(last(&[short, raw(false, ACK, 901)]), 901u32.wrapping_sub(7000));
}
