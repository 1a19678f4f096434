//! What a first pass hands to the second: one small record per stream.

use crate::tcp::dialect::stream::Final;

/// Final values by stream number.
#[derive(Debug, Default)]
pub struct Finals {
    streams: Vec<Option<Final>>,
    refused: u64,
}

impl Finals {
    /// The final values of a TCP stream.
    pub fn stream(&self, number: u32) -> Option<&Final> {
        self.streams.get(number as usize)?.as_ref()
    }

    /// Streams beyond [`MAX_FINALS`]: a second pass shows their values so far.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Keeps what became of a stream.
    pub(super) fn keep(&mut self, number: u32, last: Final) {
        let at = number as usize;
        if at >= MAX_FINALS {
            self.refused += 1;
            return;
        }
        if at >= self.streams.len() {
            self.streams.resize(at + 1, None);
        }
        self.streams[at] = Some(last);
    }
}

/// Streams remembered from a first pass, 32 octets each.
pub const MAX_FINALS: usize = 1 << 22;
