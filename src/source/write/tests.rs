//! What was read can be written back: byte for byte where the file stays as it is, frame for frame everywhere.

#![cfg(test)]

use super::*;
use crate::packet::FrameMeta;
use crate::source::FileSource;
use crate::source::Flow;
use crate::source::MergedSource;
use crate::source::PieceSource;
use crate::source::Poll;
use crate::source::Source;
use crate::source::handmade::Ink;
use crate::source::handmade::drain;

/// Copies the frames that `keep` wants, and everything else.
fn copy(source: &mut dyn PieceSource, manner: Manner, keep: impl Fn(u64) -> bool) -> (Vec<u8>, Vec<String>) {
    let mut writer = CaptureWriter::new(Vec::new(), manner);
    loop {
        let poll = source.pieces(&mut |piece| {
            if piece.frame.is_none_or(|frame| keep(frame.meta.number)) {
                writer.piece(piece).expect("memory takes everything");
            }
            Flow::Continue
        });
        if poll.expect("files do not fail once open") == Poll::End {
            let lost = writer.lost();
            return (writer.finish().expect("memory takes everything"), lost);
        }
    }
}

const WHOLE: Manner = Manner { format: Format::Pcapng, merged: false, selective: false };
const CHOSEN: Manner = Manner { selective: true, ..WHOLE };
const MERGED: Manner = Manner { merged: true, selective: true, ..WHOLE };
const CLASSIC: Manner = Manner { format: Format::Pcap, merged: false, selective: true };

/// Every kind of block, in a section of each byte order, the first one with its length told.
fn everything() -> Ink {
    let blocks = |ink: Ink| {
        ink.interface(1, 96, &[(1, b"an uplink"), (2, b"eth0"), (9, &[9]), (3, b"")])
            .block(4, |b| b.u16(1).u16(9).raw(&[10, 0, 0, 1]).raw(b"gate\0").pad().u16(0).u16(0))
            .block(6, |b| {
                let b = b.u32(0).u32(1).u32(2).u32(3).u32(9).raw(b"abc").pad();
                let b = b.u16(1).u16(5).raw(b"hello").pad().u16(2).u16(4).u32(1).u16(4).u16(8).u64(7);
                b.u16(2988).u16(8).u32(77).raw(b"mine").u32(0)
            })
            .interface(101, 0, &[])
            .block(2, |b| b.u16(1).u16(3).u64(5).u32(1).u32(1).raw(b"o").pad().u16(2).u16(4).u32(2).u32(0))
            .block(3, |b| b.u32(4).raw(b"spam"))
            .block(10, |b| b.u32(0x544c_534b).u32(3).raw(b"key").pad())
            .block(0x0bad, |b| b.u32(77).raw(b"whatever"))
            .block(9, |b| b.raw(b"__REALTIME=1").pad())
            .block(5, |b| b.u32(1).u32(1).u32(2).u16(2).u16(8).u32(0).u32(3).u16(5).u16(8).u64(9).u32(0))
    };
    let first = Ink::new(false).block(0x0a0d_0d0a, |b| {
        b.u32(0x1a2b_3c4d).u16(1).u16(0).u64(4444).options(&[(1, b"of the lab"), (4, b"dumper")])
    });
    blocks(blocks(first).section(true))
}

/// What counts of a frame: not its number.
fn frames(source: &mut FileSource) -> Vec<(i64, u16, u32, Vec<u8>)> {
    let told = |(meta, bytes): (FrameMeta, Vec<u8>)| (meta.at.nanos(), meta.link_type.0, meta.origlen, bytes);
    drain(source).into_iter().map(told).collect()
}

fn reopen(octets: &[u8]) -> FileSource {
    FileSource::from_bytes("again", octets.to_vec()).expect("what we wrote can be read")
}

#[test]
fn a_pcapng_file_that_is_copied_whole_is_the_same_byte_for_byte() {
    let file = everything();
    let (copied, lost) = copy(&mut file.clone().open(), WHOLE, |_| true);
    assert!(copied == file.octets);
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn of_a_cut_pcapng_file_every_other_block_stays_as_it_was_and_the_length_of_its_section_is_unsaid() {
    let file = everything();
    let (cut, _) = copy(&mut file.clone().open(), CHOSEN, |number| number != 1);
    assert_eq!(cut[16..24], u64::MAX.to_le_bytes());
    let mut expected = file.octets.clone();
    expected[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    let first_packet = [6_u32.to_le_bytes(), 84_u32.to_le_bytes()].concat();
    let at = expected.windows(8).position(|window| window == first_packet).expect("the first packet");
    expected.drain(at..at + 84);
    assert!(cut == expected);
    assert_eq!(drain(&mut reopen(&cut)).len(), 5);
}

#[test]
fn a_file_of_an_ixia_tester_is_written_as_the_pcap_file_that_it_is_but_for_its_header() {
    for (magic, plain) in [(0x1c00_01ac, 0xa1b2_3c4d), (0x1c00_01ab, 0xa1b2_c3d4)] {
        for big in [false, true] {
            let record = |ink: Ink| ink.record(7, 123_456, (3, 60), b"abc");
            let file = record(Ink::pcap(big, magic, (2, 4), 1).u32(19));
            let (copied, _) = copy(&mut file.open(), CLASSIC, |_| true);
            assert!(copied == record(Ink::pcap(big, plain, (2, 4), 1)).octets);
        }
    }
}

#[test]
fn a_pcap_file_becomes_a_section_with_its_times_to_the_last_digit() {
    for (big, magic, network) in [(false, 0xa1b2_c3d4, 1), (true, 0xa1b2_3c4d, 0x2400_0065)] {
        let file = Ink::pcap(big, magic, (2, 4), network)
            .record(1_700_000_000, 123_456, (3, 60), b"abc")
            .record(u32::MAX, 999_999, (0, 0), b"")
            .record(5, 3_500_000, (1, 1), b"x");
        let (copied, lost) = copy(&mut file.clone().open(), WHOLE, |_| true);
        let mut again = reopen(&copied);
        assert_eq!(frames(&mut again), frames(&mut file.open()));
        assert_eq!((again.info().format, again.info().interfaces[0].snaplen), (Format::Pcapng, 65535));
        assert_eq!(again.info().problem, None);
        assert_eq!(lost, Vec::<String>::new());
    }
}

#[test]
fn pcap_files_put_behind_each_other_become_interfaces_of_one_section() {
    let one = |link| Ink::pcap(false, 0xa1b2_c3d4, (2, 4), link).record(7, 5, (1, 1), b"x").octets;
    let both = [one(1), one(101)].concat();
    let (copied, _) = copy(&mut reopen(&both), WHOLE, |_| true);
    let mut again = reopen(&copied);
    assert_eq!(frames(&mut again), frames(&mut reopen(&both)));
    assert_eq!((again.info().sections, again.info().interfaces.len()), (1, 2));
}

#[test]
fn a_pcap_file_written_as_pcap_is_the_same_byte_for_byte() {
    for (big, magic) in [(false, 0xa1b2_c3d4), (true, 0xa1b2_3c4d)] {
        let file = Ink::pcap(big, magic, (2, 4), 0x2400_0001).record(1, 2, (3, 60), b"abc").record(2, 0, (0, 0), b"");
        let (copied, lost) = copy(&mut file.clone().open(), CLASSIC, |_| true);
        assert_eq!(copied, file.octets);
        assert_eq!(lost, Vec::<String>::new());
    }
}

#[test]
fn what_a_pcap_file_cannot_hold_is_counted_and_frames_of_two_link_types_are_refused() {
    let one_link = Ink::new(false)
        .section(false)
        .interface(1, 0, &[(2, b"eth0"), (9, &[9])])
        .block(4, |b| b.u32(0))
        .block(6, |b| b.u32(0).u32(0).u32(7).u32(1).u32(1).raw(b"x").pad().options(&[(1, b"mark")]));
    let (copied, lost) = copy(&mut one_link.clone().open(), CLASSIC, |_| true);
    assert_eq!(lost, ["blocks of names (1)", "comments (1)", "interface names (1)"]);
    assert_eq!(frames(&mut reopen(&copied)), frames(&mut one_link.clone().open()));

    let mut writer = CaptureWriter::new(Vec::new(), CLASSIC);
    let mut told = None;
    let two_links = one_link.interface(101, 0, &[]).enhanced(1, 1, 1, b"y");
    two_links
        .open()
        .pieces(&mut |piece| {
            told = writer.piece(piece).err().map(|error| error.to_string()).or(told.take());
            Flow::Continue
        })
        .expect("a sound file");
    assert!(told.is_some_and(|text| text.contains("ETHERNET, RAW") && text.contains("write pcapng")));
}

#[test]
fn files_of_both_byte_orders_put_together_in_time_keep_frames_interfaces_names_and_options() {
    let (little, big) = (Ink::new(false).section(false), Ink::new(true).section(true));
    let packet = |ink: Ink, octet: &'static [u8], comment: &'static [u8]| {
        ink.block(6, move |b| {
            let b = b.u32(0).u64(0).u32(1).u32(9).raw(octet).pad().u16(1).u16(comment.len() as u16);
            b.raw(comment).pad().u16(2).u16(4).u32(0x0102_0304).u16(4).u16(8).u64(0x0a0b).u32(0)
        })
    };
    let little = little.interface(1, 0, &[(2, b"one")]).enhanced(0, 1, 1, b"a").enhanced(0, 5, 1, b"c");
    let big = packet(big.interface(101, 7, &[(2, b"two"), (14, &0_u64.to_be_bytes())]), b"0", b"first of all");
    let big = big.enhanced(0, 3, 1, b"b").block(4, |b| b.u16(2).u16(18).raw(&[1; 16]).raw(b"n\0").pad().u32(0));
    let sources = vec![little.open(), big.open()];
    let (merged, lost) = copy(&mut MergedSource::new(sources), MERGED, |_| true);
    let mut again = reopen(&merged);
    let told: Vec<_> = frames(&mut again).into_iter().map(|(at, link, _, bytes)| (at, link, bytes[0])).collect();
    assert_eq!(told, [(0, 101, b'0'), (1000, 1, b'a'), (3000, 101, b'b'), (5000, 1, b'c')]);
    let names: Vec<_> = again.info().interfaces.iter().map(|one| one.name.clone().unwrap_or_default()).collect();
    assert!(names.len() == 2 && names.contains(&"one".to_owned()) && names.contains(&"two".to_owned()));
    assert_eq!((again.info().sections, again.info().problem.clone(), lost), (1, None, Vec::new()));
    assert_eq!(again.stats().dropped, Some(0x0a0b), "the drop count of a packet came through the byte orders");
    let holds = |text: &[u8]| merged.windows(text.len()).any(|window| window == text);
    assert!(holds(b"first of all") && holds(b"n\0") && (holds(&[4, 3, 2, 1]) || holds(&[1, 2, 3, 4])));
}

#[test]
fn every_kind_of_block_survives_being_put_together_in_another_byte_order() {
    let begin = |big| Ink::new(big).section(big).interface(1, 0, &[]).enhanced(0, 1, 1, b"x");
    for big in [false, true] {
        let sources = vec![begin(big).open(), everything().open()];
        let (merged, lost) = copy(&mut MergedSource::new(sources), MERGED, |_| true);
        let mut again = reopen(&merged);
        let mut all: Vec<_> = frames(&mut again);
        let mut expected = [frames(&mut begin(big).open()), frames(&mut everything().open())].concat();
        all.sort();
        expected.sort();
        assert_eq!(all, expected, "first file big endian: {big}");
        assert_eq!(again.info().problem, None);
        assert_eq!(again.stats().dropped, everything_dropped());
        assert_eq!(lost, ["names of capturing machines and programs (1)"]);
        assert!(merged.windows(10).any(|window| window == b"of the lab"), "the comment on the section moved");
    }
}

fn everything_dropped() -> Option<u64> {
    let mut source = everything().open();
    drain(&mut source);
    source.stats().dropped
}

proptest::proptest! {
    #[test]
    fn damaged_files_are_copied_without_panic_and_give_the_same_frames(
        damage in proptest::collection::vec((28..600_usize, proptest::num::u8::ANY), 1..4),
    ) {
        let mut octets = everything().octets;
        for (at, octet) in damage {
            let at = at % octets.len();
            octets[at] = octet;
        }
        if let Ok(mut source) = FileSource::from_bytes("damaged", octets.clone()) {
            let (copied, _) = copy(&mut source, WHOLE, |_| true);
            assert!(octets.starts_with(&copied), "as far as it could be read, byte for byte");
            let sources = vec![reopen(&octets), everything().open()];
            copy(&mut MergedSource::new(sources), MERGED, |_| true);
            let _ = copy_classic(&octets);
        }
    }
}

/// Into pcap, which may refuse.
fn copy_classic(octets: &[u8]) -> Result<(), WriteError> {
    let mut writer = CaptureWriter::new(Vec::new(), CLASSIC);
    let mut source = reopen(octets);
    let mut result = Ok(());
    while result.is_ok() {
        let poll = source.pieces(&mut |piece| {
            result = writer.piece(piece);
            if result.is_ok() { Flow::Continue } else { Flow::Stop }
        });
        if poll.expect("files do not fail once open") == Poll::End {
            break;
        }
    }
    result
}
