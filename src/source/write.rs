//! Captures written again from their pieces: whole, or what was chosen of them.
//!
//! Into pcapng, nothing is lost: blocks are copied as they stand, byte for byte, file after file, each with sections of
//! its own; pcap files become sections. Only files that are put together in time share one section, and their blocks are
//! written anew with interface numbers of their own and one byte order. Into pcap goes what a pcap file can hold, and
//! what it cannot is counted.

mod block;
mod ng;
mod pcap;
mod recode;

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::source::Format;
use crate::source::Piece;
use crate::source::write::ng::Ng;
use crate::source::write::pcap::Classic;

/// How to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Manner {
    /// Pcap or pcapng.
    pub format: Format,
    /// Pieces of several files come mixed.
    pub merged: bool,
    /// Not all frames are to be kept: what describes the file as a whole is then no longer true.
    pub selective: bool,
}

/// Writes a capture piece by piece.
pub struct CaptureWriter<W> {
    out: W,
    kind: Kind,
    selective: bool,
    lost: Lost,
    frames: u64,
}

enum Kind {
    Ng(Ng),
    Classic(Classic),
}

/// Why a capture cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output refused.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// A pcap file has one link type.
    #[error("the frames have several link types ({one}, {other}), and a pcap file holds one: write pcapng")]
    LinkTypes {
        /// That of the first frame.
        one: String,
        /// Another.
        other: String,
    },
    /// A pcap file counts seconds from 1970 in 32 bits.
    #[error("frame {frame} was stamped outside the years 1970 to 2106, which a pcap file can say: write pcapng")]
    Time {
        /// Its number.
        frame: u64,
    },
}

impl<W: Write> CaptureWriter<W> {
    /// A writer that has written nothing yet.
    pub fn new(out: W, manner: Manner) -> Self {
        let kind = match manner.format {
            Format::Pcap => Kind::Classic(Classic::default()),
            Format::Pcapng | Format::Live | Format::Memory => Kind::Ng(Ng::new(manner.merged)),
        };
        Self { out, kind, selective: manner.selective, lost: Lost::default(), frames: 0 }
    }

    /// Writes a piece. A frame that is not wanted is simply not handed over; everything else must be.
    ///
    /// # Errors
    /// When the output refuses, or the format cannot hold the frame.
    pub fn piece(&mut self, piece: &Piece<'_>) -> Result<(), WriteError> {
        self.frames += u64::from(piece.frame.is_some());
        match &mut self.kind {
            Kind::Ng(ng) => ng.piece(&mut self.out, piece, self.selective, &mut self.lost),
            Kind::Classic(classic) => classic.piece(&mut self.out, piece, &mut self.lost),
        }
    }

    /// Frames written so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// What could not be written, in words with their counts: `comments (3)`.
    pub fn lost(&self) -> Vec<String> {
        self.lost.0.iter().map(|(what, count)| format!("{what} ({count})")).collect()
    }

    /// Everything was handed over: the output, flushed.
    ///
    /// # Errors
    /// When the output refuses.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// What the format of the output cannot hold, counted.
#[derive(Debug, Default)]
struct Lost(BTreeMap<&'static str, u64>);

impl Lost {
    fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;
