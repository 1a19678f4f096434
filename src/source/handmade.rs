//! Capture files written octet by octet, for the tests of this floor.

use crate::packet::FrameMeta;
use crate::source::FileSource;
use crate::source::Flow;
use crate::source::Poll;
use crate::source::Source;

/// Octets in one byte order.
#[derive(Clone)]
pub(super) struct Ink {
    pub(super) big: bool,
    pub(super) octets: Vec<u8>,
}

impl Ink {
    pub(super) fn new(big: bool) -> Self {
        Self { big, octets: Vec::new() }
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.octets.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.octets.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.octets.extend(if self.big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.octets.extend(bytes);
        self
    }

    /// Zeros up to the next multiple of four.
    pub(super) fn pad(mut self) -> Self {
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        self
    }

    /// A pcap file header.
    pub(super) fn pcap(big: bool, magic: u32, version: (u16, u16), network: u32) -> Self {
        Self::new(big).u32(magic).u16(version.0).u16(version.1).u32(0).u32(0).u32(65535).u32(network)
    }

    /// A pcap record with its two lengths as given.
    pub(super) fn record(self, secs: u32, fraction: u32, lengths: (u32, u32), bytes: &[u8]) -> Self {
        self.u32(secs).u32(fraction).u32(lengths.0).u32(lengths.1).raw(bytes)
    }

    /// A pcapng block around `body`.
    pub(super) fn block(self, kind: u32, body: impl FnOnce(Self) -> Self) -> Self {
        let body = body(Self::new(self.big)).pad().octets;
        let len = body.len() as u32 + 12;
        self.u32(kind).u32(len).raw(&body).u32(len)
    }

    /// A section header in the byte order `big`, which what follows is written in.
    pub(super) fn section(self, big: bool) -> Self {
        Self { big, ..self }.block(0x0a0d_0d0a, |body| body.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX))
    }

    /// An interface description with `options` as (code, value).
    pub(super) fn interface(self, link_type: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Self {
        self.block(1, |body| body.u16(link_type).u16(0).u32(snaplen).options(options))
    }

    /// An enhanced packet.
    pub(super) fn enhanced(self, interface: u32, ticks: u64, origlen: u32, bytes: &[u8]) -> Self {
        self.block(6, |body| {
            let body = body.u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
            body.u32(bytes.len() as u32).u32(origlen).raw(bytes)
        })
    }

    /// A list of options and its end mark; nothing for an empty one.
    pub(super) fn options(self, options: &[(u16, &[u8])]) -> Self {
        let all =
            options.iter().fold(self, |ink, (code, value)| ink.u16(*code).u16(value.len() as u16).raw(value).pad());
        if options.is_empty() { all } else { all.u32(0) }
    }

    /// The octets as a source.
    pub(super) fn open(self) -> FileSource {
        FileSource::from_bytes("handmade", self.octets).expect("a capture file")
    }
}

/// Everything a source hands over until its end.
pub(super) fn drain(source: &mut FileSource) -> Vec<(FrameMeta, Vec<u8>)> {
    let mut frames = Vec::new();
    loop {
        let poll = source.poll(&mut |frame| {
            assert_eq!(frame.bytes.len(), frame.meta.caplen as usize);
            frames.push((frame.meta, frame.bytes.to_vec()));
            Flow::Continue
        });
        if poll.expect("files do not fail once open") == Poll::End {
            return frames;
        }
    }
}

/// The time of each frame in nanoseconds.
pub(super) fn times(source: &mut FileSource) -> Vec<i64> {
    drain(source).iter().map(|(meta, _)| meta.at.nanos()).collect()
}
