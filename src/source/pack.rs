//! Captures packed as they are written: gzip (RFC 1952), zstd (RFC 8878), lz4 frames.
//!
//! The zstd encoder takes its input whole, so pieces become frames behind each other: one file to every reader.

use std::io;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use lz4_flex::frame::FrameEncoder;
use ruzstd::encoding::CompressionLevel;
use ruzstd::encoding::compress_to_vec;

/// What to pack with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Packing {
    /// Nothing: as it is.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
    /// `.lz4`
    Lz4,
}

impl Packing {
    /// By the ending of a file's name.
    pub fn of_ending(ending: &str) -> Self {
        match ending {
            "gz" => Self::Gzip,
            "zst" => Self::Zstd,
            "lz4" => Self::Lz4,
            _ => Self::Plain,
        }
    }
}

/// A writer that packs. Must be [finished](Packer::finish): dropped, it leaves a file that ends too early.
pub struct Packer<W: Write>(Kind<W>);

enum Kind<W: Write> {
    Plain(W),
    Gzip(Box<GzEncoder<W>>),
    Zstd { out: W, waiting: Vec<u8> },
    Lz4(Box<FrameEncoder<W>>),
}

impl<W: Write> Packer<W> {
    /// Packs into `out`.
    pub fn new(out: W, packing: Packing) -> Self {
        Self(match packing {
            Packing::Plain => Kind::Plain(out),
            Packing::Gzip => Kind::Gzip(Box::new(GzEncoder::new(out, Compression::default()))),
            Packing::Zstd => Kind::Zstd { out, waiting: Vec::with_capacity(ZSTD_FRAME) },
            Packing::Lz4 => Kind::Lz4(Box::new(FrameEncoder::new(out))),
        })
    }

    /// Writes what is left, and how the packed file ends.
    ///
    /// # Errors
    /// Those of the writer below.
    pub fn finish(self) -> io::Result<W> {
        let mut out = match self.0 {
            Kind::Plain(out) => out,
            Kind::Gzip(gzip) => gzip.finish()?,
            Kind::Zstd { mut out, waiting } => {
                out.write_all(&zstd_frame(&waiting))?;
                out
            }
            Kind::Lz4(lz4) => lz4.finish().map_err(io::Error::other)?,
        };
        out.flush()?;
        Ok(out)
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(out) => out.write(octets),
            Kind::Gzip(gzip) => gzip.write(octets),
            Kind::Zstd { out, waiting } => {
                if waiting.len() >= ZSTD_FRAME {
                    out.write_all(&zstd_frame(waiting))?;
                    waiting.clear();
                }
                let count = octets.len().min(ZSTD_FRAME - waiting.len());
                waiting.extend_from_slice(&octets[..count]);
                Ok(count)
            }
            Kind::Lz4(lz4) => lz4.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Plain(out) => out.flush(),
            Kind::Gzip(gzip) => gzip.flush(),
            // Its frames are written when they are full, or at the end.
            Kind::Zstd { out, .. } => out.flush(),
            Kind::Lz4(lz4) => lz4.flush(),
        }
    }
}

fn zstd_frame(octets: &[u8]) -> Vec<u8> {
    compress_to_vec(octets, CompressionLevel::Fastest)
}

/// Octets that become one zstd frame.
const ZSTD_FRAME: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileSource;
    use crate::source::Source;
    use crate::source::handmade::Ink;
    use crate::source::handmade::drain;

    #[test]
    fn what_was_packed_is_read_again_whatever_it_was_packed_with() {
        let mut file = Ink::pcap(true, 0xa1b2_c3d4, (2, 4), 1);
        for n in 0..40_000_u32 {
            file = file.record(n, 0, (64, 64), &[n as u8; 64]);
        }
        let plain = drain(&mut file.clone().open());
        for (packing, name) in [(Packing::Gzip, "gzip"), (Packing::Zstd, "zstd"), (Packing::Lz4, "lz4")] {
            let mut packer = Packer::new(Vec::new(), packing);
            packer.write_all(&file.octets).expect("memory takes everything");
            let packed = packer.finish().expect("memory takes everything");
            assert!(packed.len() < file.octets.len() / 2, "{name}: {} octets", packed.len());
            let mut again = FileSource::from_bytes("packed", packed).expect("what we packed can be read");
            assert_eq!(again.info().compression, Some(name));
            assert!(drain(&mut again) == plain, "{name}");
        }
        let mut as_it_is = Packer::new(Vec::new(), Packing::of_ending("pcap"));
        as_it_is.write_all(b"x").expect("memory takes everything");
        assert_eq!(as_it_is.finish().expect("memory takes everything"), b"x");
    }
}
