//! Where mutations begin: our fixtures, as files of every container format and as single frames; and the mutations
//! themselves, by a generator whose seed is told so that a failure can be played again.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::CompressionLevel;
use synscope::packet::Frame;
use synscope::source::FileSource;
use synscope::source::Flow;
use synscope::source::Poll;
use synscope::source::Source;

/// The container formats, by the names that [`container`] knows.
pub(crate) const FORMATS: [&str; 5] = ["pcap", "pcapng", "gzip", "zstd", "lz4"];

/// The captures in a folder and below it, in order of their names, with their octets; none longer than `most`.
pub(crate) fn files(dir: &Path, most: u64) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    collect(dir, most, &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, most: u64, found: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => collect(&path, most, found),
            Ok(meta) if meta.len() <= most => {
                if let Ok(octets) = fs::read(&path) {
                    found.push((path.display().to_string(), octets));
                }
            }
            _ => {}
        }
    }
}

/// Our own captures.
pub(crate) fn fixtures() -> Vec<(String, Vec<u8>)> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap"), 1 << 20)
}

/// What a target begins with.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let files = fixtures();
    let frames = || files.iter().flat_map(|(_, octets)| frames(octets));
    match target {
        "container" => {
            let wrapped = |(_, octets): &(String, Vec<u8>)| FORMATS.map(|format| container(format, octets));
            files.iter().take(8).flat_map(wrapped).collect()
        }
        "analyzer" => files.into_iter().map(|(_, octets)| octets).collect(),
        "decode" => {
            let seed = |(link_type, octets): (u16, Vec<u8>)| [&link_type.to_be_bytes()[..], &[0], &octets].concat();
            frames().map(seed).step_by(7).collect()
        }
        // Behind the fixed header, wherever that begins: 40 octets from the end of the first frames.
        "options" => {
            frames().step_by(5).map(|(_, octets)| octets[octets.len().saturating_sub(40)..].to_vec()).collect()
        }
        _ => (1..64_u8).map(|length| (0..length).map(|index| index.wrapping_mul(length)).collect()).collect(),
    }
}

/// Link type and octets of each frame of a capture.
pub(crate) fn frames(octets: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut frames = Vec::new();
    let Ok(mut source) = FileSource::from_bytes("seed", octets.to_vec()) else { return frames };
    let mut take = |frame: &Frame<'_>| {
        frames.push((frame.meta.link_type.0, frame.bytes.to_vec()));
        Flow::Continue
    };
    while source.poll(&mut take).is_ok_and(|poll| poll != Poll::End) {}
    frames
}

/// A pcap file as another container holds it.
pub(crate) fn container(format: &str, pcap: &[u8]) -> Vec<u8> {
    match format {
        "pcapng" => pcapng(pcap),
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(pcap).and_then(|()| encoder.finish()).expect("memory takes all")
        }
        "zstd" => ruzstd::encoding::compress_to_vec(pcap, CompressionLevel::Fastest),
        "lz4" => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(pcap).expect("memory takes all");
            encoder.finish().expect("memory takes all")
        }
        _ => pcap.to_vec(),
    }
}

/// One of each block: section, interface with resolution and offset, names, packets of all three kinds, statistics,
/// secrets, and one that nobody knows.
fn pcapng(pcap: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut block = |kind: u32, body: Vec<u8>| {
        let mut body = body;
        body.resize(body.len().next_multiple_of(4), 0);
        let len = 12 + body.len() as u32;
        file.extend([words(&[kind, len]), body, words(&[len])].concat());
    };
    let frames = frames(pcap);
    let link_type = frames.first().map_or(1, |frame| u32::from(frame.0));
    block(0x0a0d_0d0a, words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    let options = [9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    block(1, [words(&[link_type, 0]), options.to_vec()].concat());
    block(4, [&[1, 0, 6, 0, 10, 0, 0, 1, b'a', 0, 0, 0][..], &[0; 4]].concat());
    for (index, (_, octets)) in frames.iter().enumerate() {
        let len = octets.len() as u32;
        let at = index as u32 * 1_000_000;
        let comment =
            [1, 0, 2, 0, b'h', b'i', 0, 0, 2, 0, 4, 0, 1, 0, 0, 0, 4, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        let padded = [octets.clone(), vec![0; octets.len().next_multiple_of(4) - octets.len()]].concat();
        match index % 8 {
            6 => block(3, [words(&[len]), padded].concat()),
            7 => block(2, [words(&[0, 0, at, len, len]), padded].concat()),
            _ => block(6, [words(&[0, 0, at, len, len]), padded, comment.to_vec()].concat()),
        }
    }
    block(5, [words(&[0, 0, 0]), vec![5, 0, 8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
    block(10, words(&[0x544c_534b, 4, 0x6162_6364]));
    block(0x7777, words(&[1, 2, 3]));
    file
}

/// SplitMix64: the same seed gives the same cases on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..count`; 0 where there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { (self.roll() % count as u64) as usize }
    }

    /// A few wounds: octets changed, bits turned, numbers at their limits, stretches cut, doubled or swapped.
    pub(crate) fn wound(&mut self, octets: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(octets.len().max(1));
            let len = self.below(32.min(octets.len() - at.min(octets.len())) + 1);
            match self.below(8) {
                0 | 1 => {
                    if let Some(octet) = octets.get_mut(at) {
                        *octet = self.roll() as u8;
                    }
                }
                2 => {
                    if let Some(octet) = octets.get_mut(at) {
                        *octet ^= 1 << self.below(8);
                    }
                }
                3 => {
                    let limits = [[0; 4], [0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 1], [0x80, 0, 0, 0]];
                    let limit = limits[self.below(limits.len())];
                    octets.iter_mut().skip(at).zip(limit).for_each(|(octet, value)| *octet = value);
                }
                4 => {
                    octets.drain(at.min(octets.len())..(at + len).min(octets.len()));
                }
                5 => {
                    let again = octets.get(at..at + len).unwrap_or(&[]).to_vec();
                    let to = self.below(octets.len() + 1);
                    octets.splice(to..to, again);
                }
                6 => octets.truncate(at),
                _ => {
                    let noise: Vec<u8> = (0..len).map(|_| self.roll() as u8).collect();
                    octets.splice(at.min(octets.len())..at.min(octets.len()), noise);
                }
            }
        }
    }
}
