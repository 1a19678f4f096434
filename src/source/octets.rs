#![allow(unsafe_code)]
//! The octets of a file, as far as they have come: mapped, held in memory, or streaming in through a buffer.
//!
//! The walkers see one slice, whatever is behind it. The buffer of a stream grows with the octets that arrived,
//! never with a length that the file claims.
//!
//! A mapped file must not shrink while it is read: the kernel then answers the access with SIGBUS, which ends
//! the program. Growing is harmless (what was appended after opening is not seen), and so is renaming or deleting.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::thread;
use std::time::Duration;

use memmap2::Mmap;

/// Octets not yet consumed, and where they come from.
pub(super) struct Octets {
    store: Store,
    /// Consumed octets of `store`.
    start: usize,
    /// Octets consumed since the beginning of the file.
    position: u64,
}

/// What asking for more octets brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fill {
    /// There are more than before.
    Grew,
    /// None have arrived for now.
    Idle,
    /// There will never be more.
    Ended,
}

enum Store {
    Mapped(Mapped),
    Held(Cow<'static, [u8]>),
    Stream(Stream),
}

/// A mapped file, of which only the neighbourhood of the walk takes memory.
struct Mapped {
    map: Mmap,
    /// Octets at the front that were given back.
    released: usize,
}

struct Stream {
    input: Input,
    buffer: Vec<u8>,
    /// Octets of `buffer` that are valid.
    filled: usize,
    ended: bool,
}

enum Input {
    /// A pipe, FIFO or device: can be waited for.
    File(File),
    /// A regular file that somebody appends to: its end is not the end.
    Growing(File),
    /// Anything else that reads.
    Reader(Box<dyn Read + Send>),
    /// What a packed file holds, all of which is there.
    Unpacked(Box<dyn Read + Send>),
}

impl Mapped {
    /// Gives pages back in large pieces, so that resident memory does not follow the size of the file.
    fn release_before(&mut self, start: usize) {
        if start - self.released < RELEASE_SIZE {
            return;
        }
        let len = (start - self.released) / RELEASE_SIZE * RELEASE_SIZE;
        // SAFETY: the mapping is a private, read-only, unmodified view of a file: a page given back is read from the
        // file again if anybody still looks at it.
        #[cfg(unix)]
        let _ = unsafe { self.map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, self.released, len) };
        self.released += len;
    }
}

impl Octets {
    /// Of an open file: mapped if it is a regular one with something in it, else a stream.
    pub(super) fn of_file(mut file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        // Files of length 0 may still hold something (procfs): reading tells.
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(Self::stream(Input::File(file)));
        }
        // Standard input may have been read in part by someone before us.
        let position = file.stream_position()?;
        // SAFETY: the mapping is private and read-only, and we never write the file. That nobody else truncates
        // or rewrites it meanwhile cannot be proved; the module's head says what happens then.
        let map = unsafe { Mmap::map(&file)? };
        #[cfg(unix)]
        // A hint only; without it the walk is slower.
        let _ = map.advise(memmap2::Advice::Sequential);
        let start = usize::try_from(position).unwrap_or(usize::MAX).min(map.len());
        Ok(Self { store: Store::Mapped(Mapped { map, released: 0 }), start, position })
    }

    /// Of a file that is still being written, from where it stands.
    pub(super) fn growing(file: File) -> Self {
        Self::stream(Input::Growing(file))
    }

    /// Octets that are all there.
    pub(super) fn held(bytes: Cow<'static, [u8]>) -> Self {
        Self { store: Store::Held(bytes), start: 0, position: 0 }
    }

    /// Whatever `input` yields.
    pub(super) fn reader(input: Box<dyn Read + Send>) -> Self {
        Self::stream(Input::Reader(input))
    }

    /// What these octets hold when they are read through `unpack`.
    pub(super) fn unpacked<R: Read + Send + 'static>(self, unpack: impl FnOnce(Self) -> R) -> Self {
        let is_stream = self.is_stream();
        let reader = Box::new(unpack(self));
        Self::stream(if is_stream { Input::Reader(reader) } else { Input::Unpacked(reader) })
    }

    fn stream(input: Input) -> Self {
        let stream = Stream { input, buffer: vec![0; READ_SIZE], filled: 0, ended: false };
        Self { store: Store::Stream(stream), start: 0, position: 0 }
    }

    /// The octets that have come and were not consumed.
    pub(super) fn ready(&self) -> &[u8] {
        let bytes = match &self.store {
            Store::Mapped(mapped) => &mapped.map[..],
            Store::Held(bytes) => bytes,
            Store::Stream(stream) => &stream.buffer[..stream.filled],
        };
        &bytes[self.start..]
    }

    /// Leaves `count` octets behind, at most those that are ready.
    pub(super) fn consume(&mut self, count: usize) {
        debug_assert!(count <= self.ready().len(), "only octets that were seen are consumed");
        self.start += count;
        self.position += count as u64;
        if let Store::Mapped(mapped) = &mut self.store {
            mapped.release_before(self.start);
        }
    }

    /// Where in the file the first ready octet stands.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// More may arrive from outside: a pipe, a FIFO.
    pub(super) const fn is_stream(&self) -> bool {
        matches!(&self.store, Store::Stream(stream) if !matches!(stream.input, Input::Unpacked(_)))
    }

    /// Gets more octets, waiting up to `patience` milliseconds where the input can be waited for.
    pub(super) fn fill(&mut self, patience: i32) -> io::Result<Fill> {
        let Store::Stream(stream) = &mut self.store else { return Ok(Fill::Ended) };
        stream.make_room(&mut self.start);
        stream.read(patience)
    }
}

impl Stream {
    /// Makes free space behind the valid octets: by moving them to the front, or, when the buffer is full of one
    /// record that has in truth come so far, by doubling it.
    fn make_room(&mut self, start: &mut usize) {
        if self.filled < self.buffer.len() && *start < self.filled {
            return;
        }
        self.buffer.copy_within(*start..self.filled, 0);
        self.filled -= *start;
        *start = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
    }

    fn read(&mut self, patience: i32) -> io::Result<Fill> {
        if self.ended {
            return Ok(Fill::Ended);
        }
        let room = &mut self.buffer[self.filled..];
        let read = match &mut self.input {
            Input::File(file) if !can_read(file, patience)? => return Ok(Fill::Idle),
            Input::File(file) => file.read(room),
            Input::Growing(file) => match file.read(room) {
                Ok(0) => {
                    thread::sleep(GROWING_STEP);
                    return Ok(Fill::Idle);
                }
                read => read,
            },
            Input::Reader(reader) | Input::Unpacked(reader) => reader.read(room),
        };
        match read {
            Ok(0) => {
                self.ended = true;
                Ok(Fill::Ended)
            }
            Ok(count) => {
                self.filled += count;
                Ok(Fill::Grew)
            }
            // A signal: the caller may want to look at its stop flag.
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                Ok(Fill::Idle)
            }
            Err(error) => {
                self.ended = true;
                Err(error)
            }
        }
    }
}

/// Waits until a read would not block. Negative `patience` waits for ever.
#[cfg(unix)]
fn can_read(file: &File, patience: i32) -> io::Result<bool> {
    use std::os::fd::AsRawFd;

    let mut wish = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid pollfd, borrowed for the call; `file` keeps the descriptor open.
    let ready = unsafe { libc::poll(&mut wish, 1, patience) };
    match ready {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        // Hang-up and error count as ready: reading then tells the end or the error.
        count => Ok(count > 0),
    }
}

/// Without poll a read simply blocks.
#[cfg(not(unix))]
fn can_read(_file: &File, _patience: i32) -> io::Result<bool> {
    Ok(true)
}

/// How long a file that did not grow is left alone.
const GROWING_STEP: Duration = Duration::from_millis(10);
/// The buffer of a stream to begin with, and so the size of most reads.
const READ_SIZE: usize = 1 << 20;
/// Consumed octets of a mapped file are given back in pieces of this size, a multiple of every page size in use.
const RELEASE_SIZE: usize = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_buffer_grows_with_what_arrived_and_forgets_what_was_consumed() {
        let mut octets = Octets::reader(Box::new(io::repeat(7).take(3 << 20)));
        while octets.fill(0).expect("readable") == Fill::Grew {}
        assert_eq!(octets.ready().len(), 3 << 20);
        octets.consume((3 << 20) - 5);
        assert_eq!(octets.ready(), [7; 5]);
        assert_eq!(octets.position(), (3 << 20) - 5);
        assert_eq!(octets.fill(0).expect("readable"), Fill::Ended);
    }

    #[test]
    fn a_stream_that_is_consumed_as_it_comes_keeps_its_buffer_small() {
        let mut octets = Octets::reader(Box::new(io::repeat(7).take(64 << 20)));
        let mut total = 0;
        while octets.fill(0).expect("readable") == Fill::Grew {
            let ready = octets.ready().len();
            total += ready.saturating_sub(3);
            octets.consume(ready.saturating_sub(3));
        }
        assert_eq!(total, (64 << 20) - 3);
        let Store::Stream(stream) = &octets.store else { panic!("a reader is a stream") };
        assert_eq!(stream.buffer.len(), READ_SIZE);
    }
}
