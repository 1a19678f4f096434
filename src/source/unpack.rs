//! Packed captures, unpacked as they are read: gzip (RFC 1952), zstd (RFC 8878), lz4 frames.
//!
//! Nothing is unpacked to disk, and no more of it stands in memory than the packer's own window and one buffer: a bomb
//! costs time, not memory. Several streams behind each other are one file, as the packers' own tools have it.

use std::io;
use std::io::BufRead;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4;
use ruzstd::decoding::BlockDecodingStrategy;
use ruzstd::decoding::FrameDecoder as Zstd;

use crate::source::octets::Fill;
use crate::source::octets::Octets;

/// A packer whose files we read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Packer {
    Gzip,
    Zstd,
    Lz4,
}

impl Packer {
    /// As its users call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

/// What a packed file holds, in order.
pub(super) struct Unpacked {
    decoder: Decoder,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Packed>>),
    Zstd(Box<ZstdStream>),
    Lz4(Box<Lz4<Packed>>),
}

impl Unpacked {
    /// Of octets that begin with the magic of `packer`.
    pub(super) fn new(packer: Packer, octets: Octets) -> Self {
        // Only gzip's decoder can be asked again after it was told that nothing has come yet; the others wait.
        let packed = Packed { octets, waits: packer != Packer::Gzip, ended: false };
        let decoder = match packer {
            Packer::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(packed))),
            Packer::Zstd => Decoder::Zstd(Box::new(ZstdStream { decoder: Zstd::new(), packed })),
            Packer::Lz4 => Decoder::Lz4(Box::new(Lz4::new(packed))),
        };
        Self { decoder }
    }

    fn packer(&self) -> Packer {
        match self.decoder {
            Decoder::Gzip(_) => Packer::Gzip,
            Decoder::Zstd(_) => Packer::Zstd,
            Decoder::Lz4(_) => Packer::Lz4,
        }
    }

    fn has_ended(&self) -> bool {
        match &self.decoder {
            Decoder::Gzip(gzip) => gzip.get_ref().ended,
            Decoder::Zstd(zstd) => zstd.packed.ended,
            Decoder::Lz4(lz4) => lz4.get_ref().ended,
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.decoder {
            Decoder::Gzip(gzip) => gzip.read(into),
            Decoder::Zstd(zstd) => zstd.read(into),
            Decoder::Lz4(lz4) => next_lz4(lz4, into),
        };
        read.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => error,
            // Whatever the packer makes of it: it wanted octets, and there were no more.
            _ if self.has_ended() => {
                let text = format!("the {} stream is cut off", self.packer().name());
                io::Error::new(io::ErrorKind::UnexpectedEof, text)
            }
            _ => {
                let text = format!("the {} stream is damaged: {error}", self.packer().name());
                io::Error::new(io::ErrorKind::InvalidData, text)
            }
        })
    }
}

/// The decoder ends with each frame, and goes on when it is asked again.
fn next_lz4(lz4: &mut Lz4<Packed>, into: &mut [u8]) -> io::Result<usize> {
    loop {
        let count = lz4.read(into)?;
        if count > 0 || into.is_empty() || lz4.get_mut().ready(1)?.is_empty() {
            return Ok(count);
        }
    }
}

/// The packed octets, as a reader.
struct Packed {
    octets: Octets,
    /// Waits for a pipe however long it takes.
    waits: bool,
    /// There will never be more.
    ended: bool,
}

impl Packed {
    /// Waits until `count` octets are ready or no more will come.
    fn ready(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.octets.ready().len() < count && !self.ended {
            match self.octets.fill(PATIENCE)? {
                Fill::Grew => {}
                Fill::Idle if self.waits => {}
                Fill::Idle => return Err(io::ErrorKind::WouldBlock.into()),
                Fill::Ended => self.ended = true,
            }
        }
        Ok(self.octets.ready())
    }
}

impl Read for Packed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ready = self.ready(1)?;
        let count = ready.len().min(into.len());
        into[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Packed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ready(1)
    }

    fn consume(&mut self, count: usize) {
        self.octets.consume(count);
    }
}

/// Frame after frame; those that are to be skipped are.
struct ZstdStream {
    decoder: Zstd,
    packed: Packed,
}

impl ZstdStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.packed, one).map_err(io::Error::other)?;
            } else if !self.next_frame()? {
                return Ok(0);
            }
        }
    }

    /// Begins the next frame, `false` where there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            let first = self.packed.ready(8)?;
            if first.is_empty() {
                return Ok(false);
            }
            match *first {
                // Magic of frames for somebody else, and their length.
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                    let mut left = u64::from(u32::from_le_bytes([a, b, c, d])) + 8;
                    while left > 0 {
                        let there = self.packed.ready(1)?.len() as u64;
                        if there == 0 {
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        }
                        let step = there.min(left);
                        self.packed.consume(step as usize);
                        left -= step;
                    }
                }
                _ => {
                    self.decoder.reset(&mut self.packed).map_err(io::Error::other)?;
                    return Ok(true);
                }
            }
        }
    }
}

/// Milliseconds that a pipe is waited for at a time.
const PATIENCE: i32 = 100;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use lz4_flex::frame::BlockSize;
    use lz4_flex::frame::FrameEncoder;
    use lz4_flex::frame::FrameInfo;
    use ruzstd::encoding::CompressionLevel;

    use super::*;
    use crate::source::FileSource;
    use crate::source::ProblemKind;
    use crate::source::Source;
    use crate::source::handmade::Ink;
    use crate::source::handmade::drain;

    fn packed(packer: Packer, octets: &[u8]) -> Vec<u8> {
        match packer {
            Packer::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(octets).expect("memory takes all");
                encoder.finish().expect("memory takes all")
            }
            Packer::Zstd => ruzstd::encoding::compress_to_vec(octets, CompressionLevel::Fastest),
            Packer::Lz4 => {
                let blocks = FrameInfo::new().block_size(BlockSize::Max64KB);
                let mut encoder = FrameEncoder::with_frame_info(blocks, Vec::new());
                encoder.write_all(octets).expect("memory takes all");
                encoder.finish().expect("memory takes all")
            }
        }
    }

    const ALL: [Packer; 3] = [Packer::Gzip, Packer::Zstd, Packer::Lz4];

    fn capture(frames: u32) -> Ink {
        (0..frames)
            .fold(Ink::pcap(false, 0xa1b2_c3d4, (2, 4), 1), |file, n| file.record(n, 0, (60, 60), &[n as u8; 60]))
    }

    fn open(octets: Vec<u8>) -> FileSource {
        FileSource::from_bytes("packed", octets).expect("a capture file")
    }

    #[test]
    fn a_packed_file_gives_the_frames_of_the_file_that_was_packed() {
        let pcapng = Ink::new(true).section(true).interface(1, 0, &[]).enhanced(0, 1, 3, b"abc");
        for file in [capture(5000), pcapng] {
            let whole = drain(&mut file.clone().open());
            for packer in ALL {
                let mut source = open(packed(packer, &file.octets));
                assert_eq!(drain(&mut source), whole, "{packer:?}");
                assert_eq!(source.info().problem, None, "{packer:?}");
                assert_eq!(source.info().compression, Some(packer.name()));
            }
        }
    }

    #[test]
    fn a_packed_stream_that_drips_in_is_the_same() {
        struct Drip(io::Cursor<Vec<u8>>);
        impl Read for Drip {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0.read(&mut into[..1])
            }
        }
        let whole = drain(&mut capture(300).open());
        for packer in ALL {
            let input = Drip(io::Cursor::new(packed(packer, &capture(300).octets)));
            let mut source = FileSource::from_reader("-", input).expect("a capture file");
            assert_eq!(drain(&mut source), whole, "{packer:?}");
        }
    }

    #[test]
    fn packed_streams_behind_each_other_are_one_file() {
        let file = capture(400).octets;
        let (front, back) = file.split_at(1000);
        for packer in ALL {
            let both = [packed(packer, front), packed(packer, back)].concat();
            assert_eq!(drain(&mut open(both)).len(), 400, "{packer:?}");
        }
        let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let both = [&packed(Packer::Zstd, front)[..], &skipped, &packed(Packer::Zstd, back)].concat();
        assert_eq!(drain(&mut open(both)).len(), 400, "frames to be skipped are");
    }

    #[test]
    fn a_packed_file_cut_off_gives_its_whole_frames_and_says_so() {
        for packer in ALL {
            let mut octets = packed(packer, &capture(20_000).octets);
            octets.truncate(octets.len() * 9 / 10);
            let mut source = open(octets);
            let frames = drain(&mut source).len();
            let problem = source.info().problem.clone().expect("a bad end");
            assert!((1_000..20_000).contains(&frames), "{packer:?}: {frames} frames");
            assert_eq!((problem.kind, problem.frames), (ProblemKind::Truncated, frames as u64), "{problem}");
            let end = format!("of the unpacked file could not be read: the {} stream is cut off", packer.name());
            assert!(problem.text.ends_with(&end), "{problem}");
        }
    }

    #[test]
    fn a_damaged_packed_file_gives_the_frames_before_the_damage() {
        let mut octets = packed(Packer::Gzip, &capture(60_000).octets);
        let middle = octets.len() / 2;
        octets[middle..middle + 64].fill(0xff);
        let mut source = open(octets);
        assert!(drain(&mut source).len() > 1_000);
        let problem = source.info().problem.clone().expect("a bad end");
        assert!(problem.kind == ProblemKind::Corrupt, "{problem}");
    }

    #[test]
    fn what_was_packed_twice_is_refused_with_the_command_that_unpacks_it() {
        let twice = packed(Packer::Zstd, &packed(Packer::Gzip, &capture(3).octets));
        let error = FileSource::from_bytes("x.gz.zst", twice).err().expect("no capture inside");
        assert!(
            error.to_string().starts_with("x.gz.zst is compressed with gzip inside zstd: unpack it first"),
            "{error}"
        );
    }

    #[test]
    fn a_finished_packed_file_ends_where_it_stands() {
        let mut source = open(packed(Packer::Gzip, &capture(3).octets));
        source.finish();
        assert_eq!(drain(&mut source).len(), 0);
    }

    proptest::proptest! {
        #[test]
        fn damaged_packed_files_end_without_panic(
            packer in 0..3_usize,
            damage in proptest::collection::vec((4..4000_usize, proptest::num::u8::ANY), 1..6),
        ) {
            let mut octets = packed(ALL[packer], &capture(50).octets);
            for (at, octet) in damage {
                let at = 4 + at % (octets.len() - 4);
                octets[at] = octet;
            }
            if let Ok(mut source) = FileSource::from_bytes("damaged", octets) {
                drain(&mut source);
            }
        }
    }
}
