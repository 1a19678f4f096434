//! A capture file that is still being written, followed like a log: what is appended comes as frames.
//!
//! Polled, not watched: a read and a look at the name every 10 ms cost nothing that can be measured, and work where
//! inotify is silent: on network and FUSE file systems, and on names that do not exist for a moment. The file is read, not
//! mapped, for it may shrink.
//!
//! Survives rotation: when another file stands under the name, what is left of the old one is read and the new one
//! followed from its beginning; so is a file that was cut short. Frames and interfaces are numbered through. A file that is
//! cut short and grows beyond the old length within those 10 ms cannot be told from one that only grew.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::source::CaptureInfo;
use crate::source::FileSource;
use crate::source::Flow;
use crate::source::Poll;
use crate::source::Problem;
use crate::source::ProblemKind;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Stats;
use crate::source::octets::Octets;
use crate::source::sniff::Kind;
use crate::source::sniff::SNIFF_LEN;
use crate::source::sniff::kind_of;
use crate::source::sniff::sniff;

/// Frames of a growing file.
pub struct FollowSource {
    name: String,
    path: PathBuf,
    current: Option<Followed>,
    info: CaptureInfo,
    /// What the files before the current one gave.
    before: Stats,
    finishing: bool,
    is_over: bool,
}

/// The file that stands under the name, or stood there a moment ago.
struct Followed {
    source: FileSource,
    /// The same file, for questions about it.
    file: File,
    /// Interfaces of the files before it.
    base: u32,
    /// Another file has its name: it is read to its end and left.
    is_leaving: bool,
}

impl FollowSource {
    /// Follows the file of this name from its beginning. It may be empty still.
    ///
    /// # Errors
    /// When there is no such file, it may not be read, or it is no plain capture file: packed ones cannot be followed.
    pub fn open(name: &str) -> Result<Self, SourceError> {
        let mut follow = Self {
            name: name.to_owned(),
            path: PathBuf::from(name),
            current: None,
            info: CaptureInfo::new(name, crate::source::Format::Pcap),
            before: Stats::default(),
            finishing: false,
            is_over: false,
        };
        let file = File::open(&follow.path).map_err(|error| SourceError::reading(name, error))?;
        if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(SourceError::reading(name, io::ErrorKind::IsADirectory.into()));
        }
        follow.begin(file)?;
        Ok(follow)
    }

    /// Begins with a file if its header is there.
    fn begin(&mut self, file: File) -> Result<(), SourceError> {
        let failed = |error| SourceError::reading(&self.name, error);
        let Some(first) = header(&file).map_err(failed)? else { return Ok(()) };
        if let Kind::Packed(packer) = sniff(&self.name, &first)? {
            return Err(SourceError::FollowPacked {
                name: crate::source::error::shown(&self.name),
                packer: packer.name(),
            });
        }
        let same = file.try_clone().map_err(failed)?;
        let source = FileSource::over(&self.name, Octets::growing(file))?;
        let base = self.info.interfaces.len() as u32;
        let told = source.info();
        (self.info.format, self.info.version, self.info.big_endian) = (told.format, told.version, told.big_endian);
        self.current = Some(Followed { source, file: same, base, is_leaving: false });
        self.learn();
        Ok(())
    }

    /// Takes over what the current file has told of itself since.
    fn learn(&mut self) {
        let Some(current) = &self.current else { return };
        let told = current.source.info();
        let known = self.info.interfaces.len() - current.base as usize;
        self.info.interfaces.extend_from_slice(&told.interfaces[known..]);
        self.info.sections = self.info.sections.max(told.sections);
    }

    /// Looks for the file when none is there to be read.
    fn look(&mut self) -> Result<Poll, SourceError> {
        match File::open(&self.path) {
            Ok(file) => self.begin(file)?,
            // Moved away, and the new one is not there yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(SourceError::reading(&self.name, error)),
        }
        if self.current.is_some() {
            return Ok(Poll::More);
        }
        if self.finishing {
            self.is_over = true;
            return Ok(Poll::End);
        }
        thread::sleep(STEP);
        Ok(Poll::Idle)
    }

    /// The current file has no more for now.
    fn idle(&mut self) -> Poll {
        let Some(current) = &mut self.current else { return Poll::Idle };
        if current.is_leaving {
            self.leave();
            return Poll::More;
        }
        if has_shrunk(&current.file, current.source.position() + current.source.waiting() as u64) {
            self.leave();
            return Poll::More;
        }
        if is_another(&current.file, &self.path) {
            // What was appended before it was moved away is still to be read.
            current.is_leaving = true;
            return Poll::More;
        }
        Poll::Idle
    }

    /// Leaves the current file behind.
    fn leave(&mut self) {
        self.learn();
        let Some(mut current) = self.current.take() else { return };
        let stats = current.source.stats();
        self.before.frames += stats.frames;
        self.before.bytes += stats.bytes;
        self.before.dropped = self.before.dropped.into_iter().chain(stats.dropped).reduce(u64::saturating_add);
        self.info.remarks.append(current.source.info().remarks.clone());
        let waiting = current.source.waiting();
        if waiting > 0 {
            let (kind, offset, frames) = (ProblemKind::Truncated, current.source.position(), self.before.frames);
            let text = format!("after frame {frames}, the file was replaced with {waiting} octets of a record written");
            self.info.problem = Some(Problem { kind, offset, frames, text });
        }
    }
}

impl Source for FollowSource {
    fn poll(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError> {
        if self.is_over {
            return Ok(Poll::End);
        }
        let Some(current) = &mut self.current else { return self.look() };
        let (frames, base) = (self.before.frames, current.base);
        let poll = current.source.poll(&mut |frame| {
            let number = frames + frame.meta.number;
            let meta = FrameMeta { number, interface: base + frame.meta.interface, ..frame.meta };
            take(&Frame { meta, bytes: frame.bytes })
        })?;
        self.learn();
        Ok(match poll {
            Poll::More => Poll::More,
            Poll::Idle => self.idle(),
            Poll::End => {
                let problem = self.current.as_ref().and_then(|current| current.source.info().problem.clone());
                // What was written over a file that we were reading looks like damage.
                if !self.finishing && matches!(self.idle(), Poll::More) {
                    self.leave();
                    return Ok(Poll::More);
                }
                if let Some(current) = &self.current {
                    self.info.remarks.append(current.source.info().remarks.clone());
                }
                self.info.problem = problem.or(self.info.problem.take());
                self.is_over = true;
                Poll::End
            }
        })
    }

    fn stats(&mut self) -> Stats {
        let now = self.current.as_mut().map(|current| current.source.stats()).unwrap_or_default();
        Stats {
            frames: self.before.frames + now.frames,
            bytes: self.before.bytes + now.bytes,
            dropped: self.before.dropped.into_iter().chain(now.dropped).reduce(u64::saturating_add),
        }
    }

    fn info(&self) -> &CaptureInfo {
        &self.info
    }

    /// What stands in the file by now is still handed over.
    fn finish(&mut self) {
        self.finishing = true;
        if let Some(current) = &mut self.current {
            current.source.finish();
        }
    }
}

/// The first octets of a file, where they are enough to tell what it is.
fn header(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut first = Vec::with_capacity(SNIFF_LEN);
    let mut reader = file;
    reader.take(SNIFF_LEN as u64).read_to_end(&mut first)?;
    io::Seek::rewind(&mut reader)?;
    let is_long = matches!(kind_of(&first), Some(Kind::Pcapng | Kind::Lcap));
    let needed = if is_long { SNIFF_LEN } else { Kind::Pcap.header_len() };
    Ok((first.len() >= needed).then_some(first))
}

/// The file ends before what was read of it.
fn has_shrunk(file: &File, position: u64) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.len() < position)
}

/// Another file than this one stands under the name. None at all is no other: it may come back.
#[cfg(unix)]
fn is_another(file: &File, path: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => identity(ours) != identity(theirs),
        _ => false,
    }
}

/// Without a file's identity only its length tells.
#[cfg(not(unix))]
fn is_another(_file: &File, _path: &std::path::Path) -> bool {
    false
}

/// How often the name is looked at.
const STEP: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::source::handmade::Ink;

    const MICROS: u32 = 0xa1b2_c3d4;

    fn begin() -> Ink {
        Ink::pcap(false, MICROS, (2, 4), 1)
    }

    fn record(octet: u8) -> Vec<u8> {
        Ink::new(false).record(1, 0, (1, 1), &[octet]).octets
    }

    fn append(path: &Path, octets: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).open(path).expect("there");
        file.write_all(octets).expect("written");
    }

    /// Numbers and octets of frames until so many have come; a hang ends after ten seconds.
    fn take(source: &mut FollowSource, count: usize) -> Vec<(u64, u8, u32)> {
        let mut seen = Vec::new();
        let begun = std::time::Instant::now();
        while seen.len() < count && begun.elapsed() < Duration::from_secs(10) {
            source
                .poll(&mut |frame| {
                    seen.push((frame.meta.number, frame.bytes[0], frame.meta.interface));
                    if seen.len() == count { Flow::Stop } else { Flow::Continue }
                })
                .expect("readable");
        }
        seen
    }

    /// Polls until the end.
    fn rest(source: &mut FollowSource) -> Vec<u8> {
        let mut seen = Vec::new();
        while source
            .poll(&mut |frame| {
                seen.push(frame.bytes[0]);
                Flow::Continue
            })
            .expect("readable")
            != Poll::End
        {}
        seen
    }

    #[test]
    fn what_is_appended_comes_record_by_record_and_a_half_one_waits() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcap");
        fs::write(&path, []).expect("written");
        let mut source = FollowSource::open(path.to_str().expect("a name")).expect("it may be empty still");
        assert_eq!(source.poll(&mut |_| Flow::Continue).expect("readable"), Poll::Idle);
        append(&path, &begin().octets[..11]);
        assert_eq!(source.poll(&mut |_| Flow::Continue).expect("readable"), Poll::Idle);
        append(&path, &begin().octets[11..]);
        append(&path, &record(b'a'));
        assert_eq!(take(&mut source, 1), [(1, b'a', 0)]);
        append(&path, &record(b'b')[..9]);
        assert_eq!(source.poll(&mut |_| Flow::Continue).expect("readable"), Poll::Idle);
        append(&path, &record(b'b')[9..]);
        append(&path, &record(b'c'));
        assert_eq!(take(&mut source, 2), [(2, b'b', 0), (3, b'c', 0)]);
        append(&path, &record(b'd'));
        source.finish();
        assert_eq!(rest(&mut source), b"d", "what stands there is still handed over");
        assert_eq!((source.info().problem.clone(), source.stats().frames), (None, 4));
    }

    #[test]
    fn a_file_that_was_moved_away_is_read_to_its_end_and_the_new_one_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcap");
        fs::write(&path, begin().record(1, 0, (1, 1), b"a").octets).expect("written");
        let mut source = FollowSource::open(path.to_str().expect("a name")).expect("a capture");
        assert_eq!(take(&mut source, 1), [(1, b'a', 0)]);
        let old = folder.path().join("a.pcap.1");
        fs::rename(&path, &old).expect("moved");
        assert_eq!(source.poll(&mut |_| Flow::Continue).expect("readable"), Poll::Idle, "no new one yet");
        append(&old, &record(b'b'));
        let ng = Ink::new(true).section(true).interface(101, 0, &[]).enhanced(0, 1, 1, b"x");
        fs::write(&path, ng.octets).expect("written");
        assert_eq!(take(&mut source, 2), [(2, b'b', 0), (3, b'x', 1)]);
        let links: Vec<_> = source.info().interfaces.iter().map(|one| one.link_type.0).collect();
        assert_eq!((links, source.info().problem.clone()), (vec![1, 101], None));
    }

    #[test]
    fn a_file_that_was_cut_short_is_followed_from_its_new_beginning() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcap");
        let long = begin().record(1, 0, (1, 1), b"a").record(2, 0, (1, 1), b"b").octets;
        fs::write(&path, &long).expect("written");
        let mut source = FollowSource::open(path.to_str().expect("a name")).expect("a capture");
        assert_eq!(take(&mut source, 2), [(1, b'a', 0), (2, b'b', 0)]);
        append(&path, &record(b'c')[..5]);
        source.poll(&mut |_| Flow::Continue).expect("readable");
        fs::write(&path, begin().record(3, 0, (1, 1), b"x").octets).expect("written anew");
        assert_eq!(take(&mut source, 1), [(3, b'x', 1)]);
        let problem = source.info().problem.clone().expect("half a record was lost");
        assert!(problem.text.contains("replaced with 5 octets"), "{problem}");
    }

    #[test]
    fn what_cannot_be_followed_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.gz");
        let open = |path: &Path| FollowSource::open(path.to_str().expect("a name")).err().expect("refused").to_string();
        fs::write(&path, [0x1f, 0x8b, 8].iter().copied().chain([0; 40]).collect::<Vec<u8>>()).expect("written");
        assert!(open(&path).contains("packed with gzip"));
        assert!(open(folder.path()).contains("is a directory"));
        assert!(open(&folder.path().join("none")).contains("no such file"));
        fs::write(&path, "this is no capture file, but some text").expect("written");
        assert!(open(&path).contains("is no capture file"));
    }

    #[test]
    fn damage_ends_it_with_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pcap");
        fs::write(&path, begin().record(1, 0, (1, 1), b"a").record(1, 0, (u32::MAX, 1), b"").octets).expect("written");
        let mut source = FollowSource::open(path.to_str().expect("a name")).expect("a capture");
        assert_eq!(rest(&mut source), b"a");
        assert_eq!(source.info().problem.as_ref().map(|problem| problem.kind), Some(ProblemKind::Corrupt));
    }
}
