//! A capture file piece by piece as it stands there, for those who write it again.
//!
//! Frames are what is analysed; names, comments, secrets and statistics stand between and behind them. The walkers hand
//! over each record or block whole, and with it the frame it holds, if any.

use crate::packet::Frame;
use crate::source::Flow;
use crate::source::Format;
use crate::source::Poll;
use crate::source::Source;
use crate::source::SourceError;

/// One record of a pcap file or its header, or one block of a pcapng file.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Which of the files that are read together it is from, counted from 0.
    pub file: usize,
    /// Pcap or pcapng.
    pub format: Format,
    /// The byte order in which it is written.
    pub big_endian: bool,
    /// All its octets.
    pub raw: &'a [u8],
    /// The frame that it holds; `None` for a file header, an interface, names and the like.
    pub frame: Option<Frame<'a>>,
}

/// A source that can hand over all that stands in its files, not only the frames.
pub trait PieceSource: Source {
    /// Like [`Source::poll`], for everything in order. A batch ends as there.
    ///
    /// # Errors
    /// As for [`Source::poll`].
    fn pieces(&mut self, take: &mut dyn FnMut(&Piece<'_>) -> Flow) -> Result<Poll, SourceError>;
}

/// Who takes what a walker finds.
pub(super) trait Take {
    /// A frame, and the record or block that holds it.
    fn frame(&mut self, frame: &Frame<'_>, raw: &[u8], big_endian: bool) -> Flow;

    /// Anything else.
    fn other(&mut self, raw: &[u8], big_endian: bool) -> Flow;
}

/// Takes frames only.
pub(super) struct Frames<'a>(pub(super) &'a mut dyn FnMut(&Frame<'_>) -> Flow);

impl Take for Frames<'_> {
    #[inline]
    fn frame(&mut self, frame: &Frame<'_>, _raw: &[u8], _big_endian: bool) -> Flow {
        (self.0)(frame)
    }

    fn other(&mut self, _raw: &[u8], _big_endian: bool) -> Flow {
        Flow::Continue
    }
}

/// Takes everything.
pub(super) struct Pieces<'a> {
    pub(super) format: Format,
    pub(super) take: &'a mut dyn FnMut(&Piece<'_>) -> Flow,
}

impl Take for Pieces<'_> {
    fn frame(&mut self, frame: &Frame<'_>, raw: &[u8], big_endian: bool) -> Flow {
        (self.take)(&Piece { file: 0, format: self.format, big_endian, raw, frame: Some(*frame) })
    }

    fn other(&mut self, raw: &[u8], big_endian: bool) -> Flow {
        (self.take)(&Piece { file: 0, format: self.format, big_endian, raw, frame: None })
    }
}
