//! Walks the records of a pcap file over a slice, without copying and without allocating.
//!
//! Follows draft-ietf-opsawg-pcap; where old writers departed from it, what libpcap does. The record layer of
//! `pcap_file` reads what was written by the rules; a tolerant reader of our own the two old departures:
//! Kuznetzov's longer record header, and lengths in the other order before version 2.4. Ixia's testers write by the rules,
//! behind a header of their own.

use std::borrow::Cow;

use pcap_file::Endianness;
use pcap_file::pcap::PcapParser;
use pcap_file::pcap::PcapTsResolution;

use crate::packet::Clock;
use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::LinkType;
use crate::packet::Timestamp;
use crate::source::CaptureInfo;
use crate::source::Flow;
use crate::source::InterfaceInfo;
use crate::source::Resolution;
use crate::source::SourceError;
use crate::source::Stats;
use crate::source::error::conversion;
use crate::source::error::shown;
use crate::source::order::Order;
use crate::source::piece::Take;

/// Where a walk over a slice got to.
#[derive(Debug, PartialEq)]
pub(super) struct Walked {
    /// Octets of whole records walked over.
    pub(super) consumed: usize,
    /// Why it ended there.
    pub(super) halt: Halt,
}

/// Why a walk ended.
#[derive(Debug, PartialEq)]
pub(super) enum Halt {
    /// A full batch was handed over.
    Batch,
    /// The taker said stop.
    Stopped,
    /// The next record needs this many octets in all.
    Starved(usize),
    /// The next record cannot be one, and why.
    Corrupt(String),
    /// Another pcap file begins there, put behind the first by `cat`.
    AnotherHeader,
}

/// A pcap file behind its header.
#[derive(Debug)]
pub(super) struct Pcap {
    reading: Reading,
    link_type: LinkType,
    /// Position in `CaptureInfo::interfaces`.
    interface: u32,
    /// Nanoseconds in a unit of the fraction.
    unit: i64,
}

#[derive(Debug)]
enum Reading {
    /// By the rules: left to `pcap_file`.
    Plain(PcapParser, Order),
    /// By the habits of old writers.
    Odd(Odd),
}

#[derive(Clone, Copy, Debug)]
struct Odd {
    order: Order,
    header_len: usize,
    lengths: Lengths,
}

/// Which of the two lengths comes first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    /// Version 2.3 was written both ways; what was captured cannot exceed what passed.
    SmallerCaptured,
}

struct Record<'a> {
    secs: u32,
    fraction: u32,
    origlen: u32,
    bytes: &'a [u8],
    rest: &'a [u8],
}

impl Pcap {
    /// Reads the file header, of which `bytes` holds all 24 octets, into `info`.
    pub(super) fn new(bytes: &[u8], info: &mut CaptureInfo) -> Result<Self, SourceError> {
        let refused = || SourceError::NotACapture { name: shown(&info.name), first: "a bad pcap header".to_owned() };
        let mut header = written(*bytes.first_chunk::<HEADER_LEN>().ok_or_else(refused)?);
        let kuznetzov = match header[..4] {
            // The record header is longer, the file header the same: let it be read as an ordinary one.
            [0xa1, 0xb2, 0xcd, 0x34] => Some([0xa1, 0xb2, 0xc3, 0xd4]),
            [0x34, 0xcd, 0xb2, 0xa1] => Some([0xd4, 0xc3, 0xb2, 0xa1]),
            _ => None,
        };
        if let Some(magic) = kuznetzov {
            header[..4].copy_from_slice(&magic);
        }
        let (_, parser) = PcapParser::new(&header).map_err(|_| refused())?;
        let header = parser.header();
        let (major, minor) = (header.version_major, header.version_minor);
        if major != 2 {
            return Err(SourceError::Version {
                name: shown(&info.name),
                major,
                minor,
                command: conversion(&info.name),
            });
        }
        let nanos = header.ts_resolution == PcapTsResolution::NanoSecond;
        let order = if header.endianness == Endianness::Big { Order::BIG } else { Order::LITTLE };
        let lengths = match minor {
            0..=2 => Lengths::OriginalFirst,
            3 => Lengths::SmallerCaptured,
            _ => Lengths::CapturedFirst,
        };
        // The upper half of the word tells about frame check sequences; the type is in the lower.
        let link_type = LinkType(u32::from(header.datalink) as u16);
        info.big_endian = order.is_big();
        info.version = (major, minor);
        info.sections += 1;
        let interface = info.interfaces.len() as u32;
        info.interfaces.push(InterfaceInfo {
            name: None,
            description: None,
            link_type,
            snaplen: header.snaplen,
            mtu: None,
            resolution: if nanos { Resolution::NANOS } else { Resolution::MICROS },
        });
        let reading = if kuznetzov.is_none() && lengths == Lengths::CapturedFirst {
            Reading::Plain(parser, order)
        } else {
            let header_len = if kuznetzov.is_some() { KUZNETZOV_LEN } else { RECORD_LEN };
            Reading::Odd(Odd { order, header_len, lengths })
        };
        Ok(Self { reading, link_type, interface, unit: if nanos { 1 } else { 1_000 } })
    }

    /// The byte order of records.
    pub(super) const fn order(&self) -> Order {
        match &self.reading {
            Reading::Plain(_, order) | Reading::Odd(Odd { order, .. }) => *order,
        }
    }

    /// Hands the whole records of `bytes` to `take`, at most `batch`.
    pub(super) fn walk<T: Take>(&self, bytes: &[u8], batch: u64, stats: &mut Stats, take: &mut T) -> Walked {
        match &self.reading {
            Reading::Plain(parser, order) => {
                self.each(bytes, batch, stats, take, |rest| plain_record(parser, *order, rest))
            }
            Reading::Odd(odd) => self.each(bytes, batch, stats, take, |rest| odd.record(rest)),
        }
    }

    fn each<'a, T: Take>(
        &self,
        bytes: &'a [u8],
        batch: u64,
        stats: &mut Stats,
        take: &mut T,
        next: impl Fn(&'a [u8]) -> Result<Record<'a>, usize>,
    ) -> Walked {
        let last = stats.frames + batch;
        let big_endian = self.order().is_big();
        let mut rest = bytes;
        let halt = loop {
            if stats.frames == last {
                break Halt::Batch;
            }
            let record = match next(rest) {
                Ok(record) if record.bytes.is_empty() && is_header(rest) => break Halt::AnotherHeader,
                Ok(record) if record.bytes.len() <= MAX_RECORD => record,
                Ok(record) => break too_long(record.bytes.len()),
                Err(need) if need > MAX_RECORD => break too_long(need),
                Err(need) => break Halt::Starved(need),
            };
            let raw = &rest[..rest.len() - record.rest.len()];
            rest = record.rest;
            stats.frames += 1;
            stats.bytes += record.bytes.len() as u64;
            let nanos = i64::from(record.fraction) * self.unit;
            let meta = FrameMeta {
                number: stats.frames,
                at: Timestamp::from_parts(i64::from(record.secs), nanos),
                clock: Clock::File,
                link_type: self.link_type,
                interface: self.interface,
                carried_seconds: (nanos / 1_000_000_000) as u32,
                caplen: record.bytes.len() as u32,
                origlen: record.origlen,
            };
            if take.frame(&Frame { meta, bytes: record.bytes }, raw, big_endian) == Flow::Stop {
                break Halt::Stopped;
            }
        };
        Walked { consumed: bytes.len() - rest.len(), halt }
    }
}

/// The file header as it may stand before records that are copied: Ixia's magic promises four octets more behind it.
///
/// What their hardware captured counts in nanoseconds, what their software did in microseconds.
pub(super) fn written(mut header: [u8; HEADER_LEN]) -> [u8; HEADER_LEN] {
    let magic: [u8; 4] = match header[..4] {
        [0x1c, 0x00, 0x01, 0xac] => [0xa1, 0xb2, 0x3c, 0x4d],
        [0xac, 0x01, 0x00, 0x1c] => [0x4d, 0x3c, 0xb2, 0xa1],
        [0x1c, 0x00, 0x01, 0xab] => [0xa1, 0xb2, 0xc3, 0xd4],
        [0xab, 0x01, 0x00, 0x1c] => [0xd4, 0xc3, 0xb2, 0xa1],
        _ => return header,
    };
    header[..4].copy_from_slice(&magic);
    header
}

/// The next record, or how many octets it needs in all.
#[inline]
fn plain_record<'a>(parser: &PcapParser, order: Order, rest: &'a [u8]) -> Result<Record<'a>, usize> {
    match parser.next_raw_packet(rest) {
        Ok((rest, raw)) => {
            let Cow::Borrowed(bytes) = raw.data else { unreachable!("a parser over a slice borrows from it") };
            Ok(Record { secs: raw.ts_sec, fraction: raw.ts_frac, origlen: raw.orig_len, bytes, rest })
        }
        // Nothing but want of octets can happen there.
        Err(_) if rest.len() < RECORD_LEN => Err(RECORD_LEN),
        Err(_) => Err(RECORD_LEN.saturating_add(order.u32(rest, 8) as usize)),
    }
}

impl Odd {
    #[inline]
    fn record<'a>(&self, rest: &'a [u8]) -> Result<Record<'a>, usize> {
        let Some((header, behind)) = rest.split_at_checked(self.header_len) else { return Err(self.header_len) };
        let word = |at: usize| self.order.u32(header, at);
        let (first, second) = (word(8), word(12));
        let swap = match self.lengths {
            Lengths::CapturedFirst => false,
            Lengths::OriginalFirst => true,
            Lengths::SmallerCaptured => first > second,
        };
        let (caplen, origlen) = if swap { (second, first) } else { (first, second) };
        let Some((bytes, rest)) = behind.split_at_checked(caplen as usize) else {
            return Err(self.header_len.saturating_add(caplen as usize));
        };
        Ok(Record { secs: word(0), fraction: word(4), origlen, bytes, rest })
    }
}

/// A file header where a record should be: a magic for a time, a version for its fraction, and the two lengths 0.
fn is_header(rest: &[u8]) -> bool {
    const MAGICS: [u32; 6] = [0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1, 0xa1b2_cd34, 0x34cd_b2a1];
    let Some(first) = rest.first_chunk::<16>() else { return false };
    MAGICS.map(u32::to_be_bytes).contains(first.first_chunk().unwrap_or(&[0; 4]))
        && [[2, 0, 4, 0], [0, 2, 0, 4]].contains(&[first[4], first[5], first[6], first[7]])
        && first[8..] == [0; 8]
}

fn too_long(octets: usize) -> Halt {
    Halt::Corrupt(format!("claims {octets} octets, and no frame is that long"))
}

/// The longest record believed, in octets. Frames end at 512 KiB (Linux BIG TCP), USB transfers at a few MiB.
pub(super) const MAX_RECORD: usize = 64 << 20;

const HEADER_LEN: usize = 24;
const RECORD_LEN: usize = 16;
/// The ordinary record header, then interface index, protocol, packet type and padding.
const KUZNETZOV_LEN: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileSource;
    use crate::source::Source;
    use crate::source::capture::MAX_INTERFACES;
    use crate::source::handmade::Ink;
    use crate::source::handmade::drain;
    use crate::source::handmade::times;

    const MICROS: u32 = 0xa1b2_c3d4;
    const NANOS: u32 = 0xa1b2_3c4d;
    const KUZNETZOV: u32 = 0xa1b2_cd34;

    #[test]
    fn both_resolutions_are_exact_to_the_nanosecond_in_both_byte_orders() {
        for big in [false, true] {
            for (magic, expected) in [(MICROS, 1_700_000_000_123_456_000), (NANOS, 1_700_000_000_000_123_456)] {
                let mut file = Ink::pcap(big, magic, (2, 4), 1).record(1_700_000_000, 123_456, (3, 60), b"abc").open();
                let frames = drain(&mut file);
                let [(meta, bytes)] = &frames[..] else { panic!("one frame: {frames:?}") };
                assert_eq!(meta.at.nanos(), expected);
                assert_eq!((meta.number, meta.caplen, meta.origlen, &bytes[..]), (1, 3, 60, &b"abc"[..]));
                assert_eq!((meta.link_type, meta.clock), (LinkType::ETHERNET, Clock::File));
                assert_eq!(file.info().big_endian, big);
                assert_eq!(file.info().problem, None);
            }
        }
    }

    #[test]
    fn seconds_beyond_2038_and_fractions_of_more_than_a_second_are_taken_at_their_word() {
        let file = Ink::pcap(true, MICROS, (2, 4), 1).record(u32::MAX, 1_500_000, (0, 0), &[]);
        assert_eq!(times(&mut file.open()), [(i64::from(u32::MAX) + 1) * 1_000_000_000 + 500_000_000]);
    }

    #[test]
    fn bits_about_frame_check_sequences_are_no_part_of_the_link_type() {
        let file = Ink::pcap(false, MICROS, (2, 4), 0x2400_0001).record(0, 0, (1, 1), &[0]);
        assert_eq!(drain(&mut file.open())[0].0.link_type, LinkType::ETHERNET);
    }

    #[test]
    fn the_longer_record_header_of_kuznetzov_is_stepped_over() {
        for big in [false, true] {
            let extra = [0xee; 8];
            let mut file = Ink::pcap(big, KUZNETZOV, (2, 4), 113);
            for n in 1..=3 {
                file = file.record(n, 7, (2, 2), &extra).raw(&[n as u8; 2]);
            }
            let frames = drain(&mut file.open());
            let seen: Vec<_> = frames.iter().map(|(meta, bytes)| (meta.at.nanos(), &bytes[..])).collect();
            let secs = 1_000_000_000;
            let expected: [(i64, &[u8]); 3] =
                [(secs + 7000, &[1, 1]), (2 * secs + 7000, &[2, 2]), (3 * secs + 7000, &[3, 3])];
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn files_of_ixia_testers_are_read_behind_the_size_that_they_tell() {
        for big in [false, true] {
            for (magic, unit) in [(0x1c00_01ac, 1), (0x1c00_01ab, 1000)] {
                // The size is of no use: believing it would lose the frames of a file that is still growing.
                for size in [2 * (16 + 3), 0, u32::MAX] {
                    let file = Ink::pcap(big, magic, (2, 4), 1).u32(size);
                    let file = file.record(7, 123_456, (3, 60), b"abc").record(8, 5, (3, 3), b"xyz");
                    let mut source = file.clone().open();
                    let frames = drain(&mut source);
                    let times: Vec<_> = frames.iter().map(|(meta, _)| meta.at.nanos()).collect();
                    assert_eq!(times, [7_000_000_000 + 123_456 * unit, 8_000_000_000 + 5 * unit]);
                    assert_eq!(
                        (&frames[0].1[..], frames[0].0.origlen, &frames[1].1[..]),
                        (&b"abc"[..], 60, &b"xyz"[..])
                    );
                    assert_eq!((source.info().big_endian, source.info().problem.clone()), (big, None));
                    let cut = FileSource::from_bytes("x", file.octets[..26].to_vec()).err().expect("too short");
                    assert!(cut.to_string().contains("26 of 28 octets"), "{cut}");
                }
            }
        }
    }

    #[test]
    fn lengths_of_old_versions_are_read_in_the_order_they_were_written() {
        let lengths = |version, first, second| {
            let file = Ink::pcap(true, MICROS, version, 1).record(0, 0, (first, second), &[1, 2]);
            drain(&mut file.open()).iter().map(|(meta, _)| (meta.caplen, meta.origlen)).collect::<Vec<_>>()
        };
        assert_eq!(lengths((2, 2), 60, 2), [(2, 60)], "the original first");
        assert_eq!(lengths((2, 3), 60, 2), [(2, 60)], "whichever is smaller");
        assert_eq!(lengths((2, 3), 2, 60), [(2, 60)]);
        assert_eq!(lengths((2, 4), 2, 60), [(2, 60)]);
        assert_eq!(lengths((2, 4), 2, 0), [(2, 0)], "captured more than passed: taken as written");
    }

    #[test]
    fn files_put_behind_each_other_are_read_one_after_the_other() {
        let one = |big, magic, link| Ink::pcap(big, magic, (2, 4), link).record(7, 5, (1, 1), b"x").octets;
        let both = [one(false, MICROS, 1), one(true, NANOS, 101), one(false, MICROS, 113)].concat();
        let mut source = FileSource::from_bytes("x", both.clone()).expect("a capture");
        let seen: Vec<_> = drain(&mut source)
            .iter()
            .map(|(meta, _)| (meta.number, meta.interface, meta.link_type.0, meta.at.nanos()))
            .collect();
        assert_eq!(seen, [(1, 0, 1, 7_000_005_000), (2, 1, 101, 7_000_000_005), (3, 2, 113, 7_000_005_000)]);
        assert_eq!((source.info().sections, source.info().problem.clone()), (3, None));

        let mut cut = FileSource::from_bytes("x", both[..50].to_vec()).expect("a capture");
        assert_eq!(drain(&mut cut).len(), 1);
        assert!(cut.info().problem.is_some(), "half a header is no end");
    }

    #[test]
    fn a_file_of_file_headers_alone_stops_being_believed() {
        let one = Ink::pcap(false, MICROS, (2, 4), 1).octets;
        for (headers, ends_well) in [(MAX_INTERFACES, true), (MAX_INTERFACES + 1, false)] {
            let mut source = FileSource::from_bytes("x", one.repeat(headers)).expect("a capture");
            assert_eq!((drain(&mut source).len(), source.info().interfaces.len()), (0, MAX_INTERFACES));
            let text = source.info().problem.as_ref().map(|problem| problem.text.as_str());
            let said = "after frame 0, the record at octet 1572864 begins one file more than 65536";
            assert_eq!(text, (!ends_well).then_some(said));
        }
    }

    #[test]
    fn another_major_version_is_refused_with_a_cure() {
        let file = Ink::pcap(true, MICROS, (3, 0), 1);
        let Err(error) = FileSource::from_bytes("x", file.octets) else { panic!("no such version") };
        assert_eq!(
            error.to_string(),
            "x: pcap version 3.0 is not known, only 2.x: rewrite it (editcap -F pcap x out.pcap)"
        );
    }
}
