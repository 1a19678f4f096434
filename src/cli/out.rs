//! Standard output, locked and buffered once.

use std::io;
use std::io::BufWriter;
use std::io::StdoutLock;
use std::io::Write;

/// Where data goes. Everything is written at the latest when it is flushed; what is left over at a failure is lost
/// with it.
#[derive(Debug)]
pub(super) struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    pub(super) fn stdout() -> Self {
        Self(BufWriter::with_capacity(BUFFER, io::stdout().lock()))
    }
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

const BUFFER: usize = 1 << 16;
