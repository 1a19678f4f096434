//! Bytes in: capture files, pipes and live interfaces become [`Frame`]s, in order, each exactly once.
//!
//! The only module that knows `pnet` and `pcap_file`, and the only one where `unsafe` may be allowed, file by
//! file. A source judges nothing: a file that ends badly gives every whole frame and then says how it ended.

mod capture;
mod config;
mod error;
mod file;
mod filter;
mod follow;
mod interfaces;
mod libpcap;
mod machine;
mod memory;
mod merge;
mod octets;
mod order;
mod pack;
mod pcap;
mod pcapng;
mod piece;
mod remarks;
mod sniff;
mod unit;
mod unpack;
mod words;
mod write;

#[cfg(not(all(target_os = "linux", feature = "live")))]
mod absent;
#[cfg(all(target_os = "linux", feature = "live"))]
mod batch;
#[cfg(all(target_os = "linux", feature = "live"))]
mod bpf;
#[cfg(all(target_os = "linux", feature = "live"))]
mod live;
#[cfg(all(target_os = "linux", feature = "live"))]
mod socket;

#[cfg(test)]
mod handmade;

use crate::packet::Frame;

#[cfg(not(all(target_os = "linux", feature = "live")))]
pub use absent::LiveSource;
pub use capture::{CaptureInfo, Format, InterfaceInfo, Problem, ProblemKind, Resolution};
pub use config::LiveConfig;
pub use error::SourceError;
pub use file::FileSource;
pub use filter::Filter;
pub use follow::FollowSource;
pub use interfaces::{Address, Interface, interfaces};
#[cfg(all(target_os = "linux", feature = "live"))]
pub use live::LiveSource;
pub use memory::MemorySource;
pub use merge::MergedSource;
pub use merge::Origin;
pub use pack::Packer;
pub use pack::Packing;
pub use piece::Piece;
pub use piece::PieceSource;
pub use remarks::Margin;
pub use remarks::Notes;
pub use remarks::Remarks;

pub use write::CaptureWriter;
pub use write::Manner;
pub use write::WriteError;

/// Where frames come from.
pub trait Source {
    /// Hands frames that are ready to `take`, in order, one batch at most. A live source blocks for at most
    /// about 100 ms when there are none; a pipe likewise.
    ///
    /// # Errors
    /// When the source cannot go on at all. What can be said about a capture that merely ended badly is in
    /// [`CaptureInfo::problem`], after [`Poll::End`].
    fn poll(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError>;

    /// Counts so far.
    fn stats(&mut self) -> Stats;

    /// What is known of the capture so far. Interfaces of a pcapng file appear while it is read.
    fn info(&self) -> &CaptureInfo;

    /// Where notes on each frame can be read while it is handed over; from then on they are kept for that. `None` where
    /// there are never any.
    fn margin(&mut self) -> Option<Margin> {
        None
    }

    /// No new frames, please: a live source or a pipe hands over what was sent by now and then answers
    /// [`Poll::End`], within some 50 ms of the last frame; a file ends where it stands. Keep polling until the end.
    /// Sources that never wait may ignore it.
    fn finish(&mut self) {}
}

/// What the taker of a frame answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Enough for now: [`Source::poll`] returns at once. The frame just handed over counts as taken.
    Stop,
}

/// How a [`Source::poll`] ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Poll {
    /// There may be more: ask again.
    More,
    /// Nothing has arrived for now. Only live sources and pipes answer so.
    Idle,
    /// Nothing will come any more. Stays so.
    End,
}

/// Counts since the source was opened.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Frames handed over.
    pub frames: u64,
    /// Octets of those frames, as captured.
    pub bytes: u64,
    /// Frames that the capturing kernel or card threw away, where that is known: counted by the kernel for a live
    /// source, written into a pcapng file by whoever captured it.
    pub dropped: Option<u64>,
}

/// Opens a capture file by name; `-` is standard input.
///
/// # Errors
/// When there is no such file, it may not be read, or it is no capture file.
pub fn open(name: &str) -> Result<FileSource, SourceError> {
    if name == "-" { FileSource::stdin() } else { FileSource::open(name) }
}
