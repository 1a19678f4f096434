//! The same through the program: the words on the screen, with memory and processor time held down by the system.
//!
//! 256 MiB of address space, which is more than what is in use, and seconds of processor time, which no busy machine
//! uses up: who needs more is ended by a signal.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use lz4_flex::frame::BlockSize;
use lz4_flex::frame::FrameEncoder;
use lz4_flex::frame::FrameInfo;
use tempfile::TempDir;

use crate::bomb;
use crate::chain;
use crate::ipv4;
use crate::pcap;
use crate::pcapng;
use crate::record;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");
/// KiB of address space.
const MEMORY: u32 = 256 << 10;
/// Seconds of processor time for a case, and for one that has a gibibyte to unpack without an optimising compiler.
const TIME: u32 = 5;
const TIME_TO_UNPACK: u32 = 60;

struct Desk {
    dir: TempDir,
}

struct Run {
    code: Option<i32>,
    /// In one line: where the screen's edge breaks it is no part of the words.
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, mut content: impl Read) -> PathBuf {
        let path = self.dir.path().join(name);
        io::copy(&mut content, &mut File::create(&path).unwrap()).unwrap();
        path
    }

    fn run(&self, seconds: u32, args: &[&str], input: Stdio) -> Run {
        self.run_within(MEMORY, seconds, args, input)
    }

    fn run_within(&self, memory: u32, seconds: u32, args: &[&str], input: Stdio) -> Run {
        let mut command = limited(memory, seconds, PROGRAM, args);
        let output = command.current_dir(self.dir.path()).stdin(input).output().unwrap();
        let words = |text: &[u8]| String::from_utf8_lossy(text).split_whitespace().collect::<Vec<_>>().join(" ");
        Run { code: output.status.code(), out: words(&output.stdout), err: words(&output.stderr) }
    }

    /// What `analyze` says of a file; the same where it comes through a pipe.
    fn analyzed(&self, seconds: u32, name: &str, content: impl Read) -> Run {
        let path = self.file(name, content);
        let run = self.run(seconds, &["analyze", name], Stdio::null());
        let piped = self.run(seconds, &["analyze", "-"], File::open(path).unwrap().into());
        let shared = |run: &Run, name: &str| (run.code, run.out.replace(name, "?"), run.err.replace(name, "?"));
        assert_eq!(shared(&run, name), shared(&piped, "standard input"), "from a pipe");
        run
    }

    /// What `headers` says of a pcap file with these frames.
    fn headers(&self, link_type: u8, frames: &[&[u8]]) -> Run {
        let mut file = pcap();
        file[20] = link_type;
        for frame in frames {
            file.extend(record(frame.len() as u32));
            file.extend(*frame);
        }
        self.file("x.pcap", &file[..]);
        let run = self.run(TIME, &["headers", "x.pcap"], Stdio::null());
        assert_eq!((run.code, &run.err[..]), (Some(0), ""));
        run
    }
}

impl Run {
    fn says(&self, code: i32, words: &str) {
        assert!(self.code == Some(code), "{:?}: {}", self.code, self.err);
        let shown: String = self.out.chars().take(4000).collect();
        assert!(self.out.contains(words), "{shown} {}", self.err);
        assert_eq!(self.err, "");
    }

    /// One line on stderr, nothing on stdout.
    fn refuses(&self, words: &str) {
        assert_eq!((self.code, &self.out[..], &self.err[..]), (Some(2), "", words));
    }
}

/// A program that is ended beyond so many KiB, so many seconds.
fn limited(memory: u32, seconds: u32, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let limits = format!("ulimit -v {memory} && ulimit -t {seconds} && exec \"$0\" \"$@\"");
    command.args(["-c", &limits, program]).args(args).env_remove("RUST_BACKTRACE").env_remove("COLUMNS");
    command
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A record of a mebibyte, its header included.
fn mebibyte() -> Vec<u8> {
    let octets = (1 << 20) - 16;
    [record(octets), vec![0; octets as usize]].concat()
}

#[test]
fn who_needs_more_than_the_limits_is_ended() {
    let succeeds = |output: io::Result<Output>| output.unwrap().status.success();
    let hungry = ["-c", "x=x; while [ ${#x} -lt 9999999 ]; do x=$x$x; done"];
    assert!(succeeds(limited(MEMORY, TIME, "sh", &hungry).output()));
    assert!(!succeeds(limited(8 << 10, TIME, "sh", &hungry).output()));
    assert_eq!(limited(MEMORY, 1, "sh", &["-c", "while :; do :; done"]).output().unwrap().status.code(), None);
}

#[test]
fn a_gibibyte_of_packed_zeros_is_refused_in_one_line() {
    let desk = Desk::new();
    let zeros = "00 ".repeat(16);
    let words = format!(
        "zeros.gz is no capture file: it begins with the octets {}; tcpdump -w FILE writes one that can be read",
        zeros.trim_end()
    );
    desk.analyzed(TIME, "zeros.gz", bomb(&[], &[0; 1 << 20], 1024)).refuses(&format!("synscope: {words}"));
    desk.run(TIME, &["headers", "zeros.gz"], Stdio::null()).refuses(&format!("synscope: {words}"));
}

#[test]
fn a_gibibyte_behind_a_packed_header_is_read_to_its_end() {
    let desk = Desk::new();
    desk.file("bomb.gz", bomb(&pcap(), &mebibyte(), 1024));
    let run = desk.run(TIME_TO_UNPACK, &["analyze", "bomb.gz"], Stdio::null());
    run.says(0, "bomb.gz: pcap ETHERNET, 1,024 frames, 1.1 GB");
    run.says(
        0,
        "! the capture ends badly: after frame 1024, the record at octet 1073741848 of the unpacked file could not be \
         read: the gzip stream is cut off",
    );
}

#[test]
fn a_gibibyte_in_a_zstd_stream_with_the_widest_window_is_read_to_its_end() {
    // RFC 8878 §3.1.1: the magic, no size, a window of 2^27 octets; then blocks as they are (kind 0) and of one octet
    // repeated (kind 1), the last of them marked.
    let block = |kind: u32, len: u32, last: u32| (len << 3 | kind << 1 | last).to_le_bytes()[..3].to_vec();
    let zeros = |last| [block(1, 1 << 17, last), vec![0]].concat();
    let stored = |octets: Vec<u8>| [block(0, octets.len() as u32, 0), octets].concat();
    let mut file = [vec![0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3], stored(pcap())].concat();
    for _ in 0..32 {
        file.extend(stored(record(32 << 20)));
        file.extend(zeros(0).repeat(256));
    }
    file.extend([block(0, 0, 1)].concat());
    let desk = Desk::new();
    desk.file("bomb.zst", &file[..]);
    desk.run(TIME_TO_UNPACK, &["analyze", "bomb.zst"], Stdio::null())
        .says(0, "bomb.zst: pcap ETHERNET, 32 frames, 1.1 GB");

    file[5] = 18 << 3;
    let run = desk.analyzed(TIME, "wide.zst", &file[..]);
    assert_eq!((run.code, &run.out[..]), (Some(2), ""));
    assert!(run.err.starts_with("synscope: wide.zst: cannot be read: the zstd stream is damaged: "), "{}", run.err);
}

#[test]
fn an_lz4_stream_of_more_than_there_is_memory_for_is_read_to_its_end() {
    let info = FrameInfo::new().block_size(BlockSize::Max4MB);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    // Blocks stand for themselves: the second can be sent again as often as it is asked for.
    let record = [record((4 << 20) - 16), vec![0; (4 << 20) - 16]].concat();
    let front = [pcap(), record.clone()].concat();
    encoder.write_all(&front[..4 << 20]).unwrap();
    encoder.flush().unwrap();
    let head = encoder.get_ref().len();
    encoder.write_all(&[&record[record.len() - 24..], &record[..record.len() - 24]].concat()).unwrap();
    encoder.flush().unwrap();
    let block = encoder.get_ref()[head..].to_vec();
    let file = [&encoder.get_ref()[..head], &block.repeat(29), &[0; 4]].concat();
    let desk = Desk::new();
    desk.file("bomb.lz4", &file[..]);
    let run = desk.run_within(64 << 10, TIME_TO_UNPACK, &["analyze", "bomb.lz4"], Stdio::null());
    run.says(0, "bomb.lz4: pcap ETHERNET, 29 frames, 121.6 MB");
    run.says(0, "needs 4194304 octets, 4194280 are there: the file is cut off, or still being written");
}

#[test]
fn a_gzip_header_with_a_name_of_many_mebibytes_is_refused() {
    let desk = Desk::new();
    let header: &[u8] = &[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0xff];
    let run = desk.analyzed(TIME, "name.gz", header.chain(io::repeat(b'x').take(100 << 20)));
    assert_eq!((run.code, &run.out[..]), (Some(2), ""));
    assert!(run.err.starts_with("synscope: name.gz: cannot be read: the gzip stream is damaged: "), "{}", run.err);
}

#[test]
fn a_block_of_four_gibibytes_is_told_of_and_not_waited_for() {
    let desk = Desk::new();
    let file = pcapng(&[], &words(&[6, 0xffff_fffc, 0, 0, 0]));
    let told = "after frame 0, the block at octet 48 claims a length of 4294967292 octets, which no block has";
    let run = desk.analyzed(TIME, "x.pcapng", &file[..]);
    run.says(0, "x.pcapng: pcapng, 0 frames, 0 B");
    run.says(0, &format!("! the capture ends badly: {told}"));
    assert_eq!(desk.run(TIME, &["headers", "x.pcapng"], Stdio::null()).err, format!("synscope: x.pcapng: {told}"));
    let packed = desk.analyzed(TIME, "x.pcapng.gz", &gzip(&file)[..]);
    packed.says(0, "the block at octet 48 of the unpacked file claims a length of 4294967292 octets");
}

#[test]
fn a_record_of_all_the_octets_there_could_be_is_told_of_and_not_waited_for() {
    let desk = Desk::new();
    let file = [pcap(), record(u32::MAX)].concat();
    // 16 of its header and 2^32 − 1.
    let told = "the record at octet 24 claims 4294967311 octets, and no frame is that long";
    desk.analyzed(TIME, "x.pcap", &file[..]).says(0, &format!("! the capture ends badly: after frame 0, {told}"));
    assert_eq!(
        desk.run(TIME, &["headers", "x.pcap"], Stdio::null()).err,
        format!("synscope: x.pcap: after frame 0, {told}")
    );
}

#[test]
fn a_clock_finer_than_can_be_counted_is_said_to_stand_still() {
    let desk = Desk::new();
    let resolved = |power| {
        let packet = words(&[6, 36, 0, u32::MAX, u32::MAX, 1, 1, 7, 36]);
        desk.analyzed(TIME, "x.pcapng", &pcapng(&[9, 0, 1, 0, power, 0, 0, 0, 0, 0, 0, 0], &packet)[..])
    };
    for (power, unit) in [(127, "10^-127 s"), (29, "10^-29 s"), (255, "2^-127 s"), (128 | 94, "2^-94 s")] {
        let run = resolved(power);
        run.says(0, "1970-01-01 00:00:00.000000 UTC, 0 ns long");
        let stands = "2^64 of them make no nanosecond, so all its frames seem to have passed at once";
        run.says(0, &format!("! interface 0 counts time in {unit}: {stands}"));
    }
    for power in [28, 128 | 93] {
        assert!(!resolved(power).out.contains("counts time in"), "{power}: a nanosecond can pass");
    }
}

#[test]
fn a_thousand_tags_are_shown_as_far_as_layers_go() {
    let bytes = [&[0; 12][..], &[0x81, 0, 0, 1].repeat(1000), &[8, 0]].concat();
    // Ethernet and 15 tags of four octets each.
    let run = Desk::new().headers(1, &[&bytes]);
    run.says(0, "defects layer-depth · vlan at octet 74 · more than 16 layers payload 3940 octets");
    assert_eq!(run.out.matches("vlan octets").count(), 15);
}

#[test]
fn sixty_four_tunnels_are_shown_as_far_as_layers_go() {
    let bytes = (0..64).fold(ipv4(17, &[0xc3, 0x50, 0, 9, 0, 8, 0, 0]), |inner, _| ipv4(4, &inner));
    let run = Desk::new().headers(101, &[&bytes]);
    run.says(0, "defects layer-depth · ipv4 at octet 320 · more than 16 layers payload 988 octets");
    assert_eq!(run.out.matches("ipv4 octets").count(), 16);
}

#[test]
fn two_hundred_extension_headers_are_said_to_be_too_many_and_the_datagram_is_shown() {
    let run = Desk::new().headers(101, &[&chain()]);
    run.says(0, "udp octets 1640..1648");
    run.says(0, "extension-chain · ipv6-destination-options at octet 104 more than 8 extension headers");
}

#[test]
fn a_jumbogram_full_of_extension_headers_is_shown_in_bounded_memory() {
    // RFC 8200 §4.6: as long as a header can be, 2,048 octets, of padding; RFC 2675 §2 for the length of all of them.
    let padding = [&[60, 255, 1, 252][..], &[0; 252], &[[1, 254].as_slice(), &[0; 254]].concat().repeat(7)].concat();
    let chain = padding.repeat(32 << 9);
    let [a, b, c, d] = (8 + chain.len() as u32 + 8).to_be_bytes();
    let hop_by_hop = [60, 0, 0xc2, 4, a, b, c, d];
    let head = [&[0x60, 0, 0, 0, 0, 0, 0, 64][..], &[0x20; 32], &hop_by_hop].concat();
    let frame = [&head[..], &chain, &[59, 0, 1, 4, 0, 0, 0, 0]].concat();
    let desk = Desk::new();
    let run = desk.headers(101, &[&frame]);
    run.says(0, "extension-chain · ipv6-destination-options at octet 14384 more than 8 extension headers");
    for args in
        [["headers", "--hex"], ["headers", "--ruler"], ["headers", "--format=jsonl"], ["analyze", "--format=jsonl"]]
    {
        let args = [&args[..], &["x.pcap"]].concat();
        let run = desk.run(TIME, &args, Stdio::null());
        assert_eq!((run.code, &run.err[..]), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn teardrop_is_a_finding_that_names_the_octets() {
    let fragment = |offset: u8, more: u8, len: usize| {
        let mut bytes = ipv4(17, &vec![0; len]);
        (bytes[4..8]).copy_from_slice(&[0, 7, more << 5, offset]);
        bytes
    };
    let (first, second) = (fragment(0, 1, 32), fragment(1, 0, 8));
    let desk = Desk::new();
    let run = desk.headers(101, &[&first, &second]);
    run.says(0, "fragment-beyond · ipv4 at octet 20 fragment reaches to octet 32, its datagram ends at 16");
    desk.run(TIME, &["analyze", "x.pcap"], Stdio::null()).says(
        0,
        "warning fragment-overlap: Fragments contradict each other (RFC 791 §3.2; RFC 5722 §4; RFC 1858 §4) frame 2: 1 \
         fragments from 192.0.2.1 to 192.0.2.2 contradict earlier ones; frame 2, id 0x0007: fragment reaches to octet \
         32, its datagram ends at 16",
    );
}

#[test]
fn a_gibibyte_of_file_headers_is_read_as_far_as_interfaces_go() {
    let desk = Desk::new();
    // 43,691 headers are a mebibyte and 8 octets.
    let run = desk.analyzed(TIME, "headers.gz", bomb(&pcap(), &pcap().repeat(43_691), 1024));
    run.says(
        0,
        "! the capture ends badly: after frame 0, the record at octet 1572864 of the unpacked file begins one file more \
         than 65536",
    );
}

#[test]
fn every_link_type_there_could_be_is_listed_once() {
    let interfaces: Vec<u8> = (1..=u16::MAX).flat_map(|kind| words(&[1, 20, u32::from(kind), 0, 20])).collect();
    let desk = Desk::new();
    desk.file("links.pcapng", &pcapng(&[], &interfaces)[..]);
    let run = desk.run(TIME, &["analyze", "--format", "jsonl", "links.pcapng"], Stdio::null());
    run.says(0, "\"link_types\":[\"ETHERNET\",");
    run.says(0, "\"LINKTYPE 65534\",\"LINKTYPE 65535\"]");
}

#[test]
fn losses_told_again_and_again_beside_very_many_interfaces_cost_what_they_say() {
    let interfaces = words(&[1, 20, 1, 0, 20]).repeat(65_535);
    // isb_ifdrop; epb_dropcount.
    let statistics = |drops: u32| words(&[5, 36, 65_535, 0, 0, 5 | 8 << 16, drops, 0, 36]);
    let packet = |drops: u32| words(&[6, 48, 65_535, 0, 0, 4, 4, 7, 4 | 8 << 16, drops, 0, 48]);
    let desk = Desk::new();
    let told = |more: Vec<u8>| {
        desk.file("drops.pcapng", &pcapng(&[], &[interfaces.clone(), more].concat())[..]);
        desk.run(TIME, &["analyze", "drops.pcapng"], Stdio::null())
    };
    told((1..=100_000).flat_map(statistics).collect()).says(0, "100,000 frames lost beside 0 captured");
    told((1..=50_000).flat_map(|_| packet(2)).collect()).says(0, "100,000 frames lost beside 50,000 captured");
}
