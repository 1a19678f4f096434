//! Capture files: pcap and pcapng of any byte order, mapped, streamed from a pipe, held in memory, or packed.
//!
//! Every whole record is handed over. Where a file ends inside a record, or a record cannot be one, the walk ends
//! there and [`CaptureInfo::problem`] says where and why: lengths are all that leads from one record to the next.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::packet::Frame;
use crate::source::CaptureInfo;
use crate::source::Flow;
use crate::source::Format;
use crate::source::Margin;
use crate::source::PieceSource;
use crate::source::Poll;
use crate::source::Problem;
use crate::source::ProblemKind;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Stats;
use crate::source::capture::MAX_INTERFACES;
use crate::source::error::shown;
use crate::source::octets::Fill;
use crate::source::octets::Octets;
use crate::source::pcap;
use crate::source::pcap::Halt;
use crate::source::pcap::Pcap;
use crate::source::pcapng::Pcapng;
use crate::source::piece::Frames;
use crate::source::piece::Piece;
use crate::source::piece::Pieces;
use crate::source::piece::Take;
use crate::source::sniff::Kind;
use crate::source::sniff::SNIFF_LEN;
use crate::source::sniff::kind_of;
use crate::source::sniff::sniff;
use crate::source::unpack::Unpacked;

/// Frames of a capture file.
pub struct FileSource {
    octets: Octets,
    walker: Walker,
    info: CaptureInfo,
    stats: Stats,
    state: State,
    /// The header of a pcap file that begins here, and its byte order.
    header: Option<([u8; 24], bool)>,
}

enum Walker {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Reading,
    /// [`Source::finish`] was called on a stream: so many octets may still be read, what a pipe can hold.
    Draining(usize),
    Over,
}

impl FileSource {
    /// Opens a file. A regular one is mapped into memory and must not be cut shorter while it is read; a FIFO or
    /// device is read as a stream, and opening waits for its file header.
    ///
    /// # Errors
    /// When there is no such file, it may not be read, or it is no capture file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        let name = path.to_string_lossy();
        let octets = File::open(path).and_then(Octets::of_file).map_err(|error| SourceError::reading(&name, error))?;
        Self::over(&name, octets)
    }

    /// Reads standard input, which may be a pipe or a file. Waits for the file header.
    ///
    /// # Errors
    /// As for [`FileSource::open`].
    pub fn stdin() -> Result<Self, SourceError> {
        let octets = stdin_octets().map_err(|error| SourceError::reading("-", error))?;
        Self::over("-", octets)
    }

    /// A file whose octets are all in memory; `name` is for messages.
    ///
    /// # Errors
    /// When they are no capture file.
    pub fn from_bytes(name: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, SourceError> {
        Self::over(name, Octets::held(bytes.into()))
    }

    /// Whatever `input` yields, read in large pieces; `name` is for messages. Waits for the file header.
    ///
    /// # Errors
    /// When it cannot be read or is no capture file.
    pub fn from_reader(name: &str, input: impl Read + Send + 'static) -> Result<Self, SourceError> {
        Self::over(name, Octets::reader(Box::new(input)))
    }

    /// Where the next record begins.
    pub(super) const fn position(&self) -> u64 {
        self.octets.position()
    }

    /// Octets that have come of a record that is not whole.
    pub(super) fn waiting(&self) -> usize {
        self.octets.ready().len()
    }

    pub(super) fn over(name: &str, octets: Octets) -> Result<Self, SourceError> {
        let (octets, kind) = begun(name, octets)?;
        let Kind::Packed(packer) = kind else { return Self::walking(name, octets, kind, None) };
        let (octets, kind) = begun(name, octets.unpacked(|octets| Unpacked::new(packer, octets)))?;
        match kind {
            Kind::Packed(inner) => {
                let (inner, outer) = (inner.name(), packer.name());
                Err(SourceError::CompressedTwice { name: shown(name), inner, outer })
            }
            kind => Self::walking(name, octets, kind, Some(packer.name())),
        }
    }

    fn walking(
        name: &str,
        mut octets: Octets,
        kind: Kind,
        compression: Option<&'static str>,
    ) -> Result<Self, SourceError> {
        let is_pcap = matches!(kind, Kind::Pcap | Kind::Lcap);
        let format = if is_pcap { Format::Pcap } else { Format::Pcapng };
        let mut info = CaptureInfo { compression, ..CaptureInfo::new(name, format) };
        let mut header = None;
        let walker = if is_pcap {
            let pcap = Pcap::new(octets.ready(), &mut info)?;
            header = octets.ready().first_chunk().map(|octets| (pcap::written(*octets), info.big_endian));
            octets.consume(kind.header_len());
            Walker::Pcap(pcap)
        } else {
            // The section header is a block like any other: the walk reads it.
            Walker::Pcapng(Pcapng::new())
        };
        Ok(Self { octets, walker, info, stats: Stats::default(), state: State::Reading, header })
    }

    fn go_on<T: Take>(&mut self, take: &mut T) -> Poll {
        let before = self.stats.frames;
        loop {
            if self.state == State::Over {
                return Poll::End;
            }
            if let Some((header, big_endian)) = self.header.take()
                && take.other(&header, big_endian) == Flow::Stop
            {
                return Poll::More;
            }
            let bytes = self.octets.ready();
            let walked = match &mut self.walker {
                Walker::Pcap(pcap) => pcap.walk(bytes, BATCH, &mut self.stats, take),
                Walker::Pcapng(pcapng) => pcapng.walk(bytes, BATCH, &mut self.info, &mut self.stats, take),
            };
            self.octets.consume(walked.consumed);
            match walked.halt {
                Halt::Batch | Halt::Stopped => return Poll::More,
                Halt::AnotherHeader => {
                    if let Some(poll) = self.another_header() {
                        return poll;
                    }
                }
                Halt::Corrupt(what) => return self.end(Some((ProblemKind::Corrupt, what))),
                // Hand over what came before waiting for more.
                Halt::Starved(_) if self.octets.is_stream() && self.stats.frames > before => return Poll::More,
                Halt::Starved(need) => {
                    if let Some(poll) = self.starved(need) {
                        return poll;
                    }
                }
            }
        }
    }

    /// Gets more of a stream, or finds out that this is all there is, in the middle of a record of `need` octets.
    fn starved(&mut self, need: usize) -> Option<Poll> {
        let patience = match self.state {
            State::Reading => PATIENCE,
            // What was cut off by our own wish to end is no problem of the file.
            State::Draining(0) | State::Over => return Some(self.end(None)),
            State::Draining(_) => 0,
        };
        let before = self.octets.ready().len();
        match self.octets.fill(patience) {
            Ok(Fill::Grew) => {
                let arrived = self.octets.ready().len() - before;
                if let State::Draining(left) = &mut self.state {
                    *left = left.saturating_sub(arrived);
                }
                None
            }
            Ok(Fill::Idle) if self.state == State::Reading => Some(Poll::Idle),
            Ok(Fill::Idle) => Some(self.end(None)),
            Ok(Fill::Ended) if self.octets.ready().is_empty() => Some(self.end(None)),
            Ok(Fill::Ended) => {
                let have = self.octets.ready().len();
                let text =
                    format!("needs {need} octets, {have} are there: the file is cut off, or still being written");
                Some(self.end(Some((ProblemKind::Truncated, text))))
            }
            Err(error) => {
                let kind = match error.kind() {
                    io::ErrorKind::UnexpectedEof => ProblemKind::Truncated,
                    io::ErrorKind::InvalidData => ProblemKind::Corrupt,
                    _ => ProblemKind::ReadFailed,
                };
                Some(self.end(Some((kind, format!("could not be read: {error}")))))
            }
        }
    }

    /// Goes on with the pcap file that begins where a record should.
    fn another_header(&mut self) -> Option<Poll> {
        let need = Kind::Pcap.header_len();
        if self.octets.ready().len() < need {
            return self.starved(need);
        }
        if self.info.is_full() {
            let text = format!("begins one file more than {MAX_INTERFACES}");
            return Some(self.end(Some((ProblemKind::Corrupt, text))));
        }
        match Pcap::new(self.octets.ready(), &mut self.info) {
            Ok(pcap) => {
                self.header = self.octets.ready().first_chunk().map(|octets| (*octets, self.info.big_endian));
                self.octets.consume(need);
                self.walker = Walker::Pcap(pcap);
                None
            }
            Err(error) => Some(self.end(Some((ProblemKind::Corrupt, format!("begins another file: {error}"))))),
        }
    }

    /// Nothing more will come, and why if that is bad.
    fn end(&mut self, problem: Option<(ProblemKind, String)>) -> Poll {
        self.state = State::Over;
        self.info.problem = problem.map(|(kind, what)| {
            let (offset, frames) = (self.octets.position(), self.stats.frames);
            let unit = match self.info.format {
                Format::Pcapng => "the block",
                _ => "the record",
            };
            let place = if self.info.compression.is_some() { " of the unpacked file" } else { "" };
            let text = format!("after frame {frames}, {unit} at octet {offset}{place} {what}");
            Problem { kind, offset, frames, text }
        });
        Poll::End
    }
}

impl Source for FileSource {
    fn poll(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError> {
        Ok(self.go_on(&mut Frames(take)))
    }

    fn stats(&mut self) -> Stats {
        self.stats
    }

    fn info(&self) -> &CaptureInfo {
        &self.info
    }

    fn margin(&mut self) -> Option<Margin> {
        match &mut self.walker {
            Walker::Pcap(_) => None,
            Walker::Pcapng(pcapng) => Some(pcapng.margin.get_or_insert_default().clone()),
        }
    }

    /// A file ends where it stands; of a pipe, what had arrived is still handed over.
    fn finish(&mut self) {
        if self.state == State::Reading {
            self.state = if self.octets.is_stream() { State::Draining(PIPE) } else { State::Over };
        }
    }
}

impl PieceSource for FileSource {
    fn pieces(&mut self, take: &mut dyn FnMut(&Piece<'_>) -> Flow) -> Result<Poll, SourceError> {
        let format = self.info.format;
        Ok(self.go_on(&mut Pieces { format, take }))
    }
}

/// Waits for as much of a file as tells its kind.
fn begun(name: &str, mut octets: Octets) -> Result<(Octets, Kind), SourceError> {
    while octets.ready().len() < SNIFF_LEN && !has_pcap_header(octets.ready()) {
        match octets.fill(FOR_EVER) {
            Ok(Fill::Grew | Fill::Idle) => {}
            Ok(Fill::Ended) => break,
            Err(error) => return Err(SourceError::reading(name, error)),
        }
    }
    let kind = sniff(name, octets.ready())?;
    Ok((octets, kind))
}

/// A pcap header is shorter than what tells a pcapng file; a pipe may hold that and no more for a long time.
fn has_pcap_header(ready: &[u8]) -> bool {
    ready.len() >= Kind::Pcap.header_len() && !matches!(kind_of(ready), Some(Kind::Lcap | Kind::Pcapng))
}

#[cfg(unix)]
fn stdin_octets() -> io::Result<Octets> {
    use std::os::fd::AsFd;

    Octets::of_file(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

#[cfg(not(unix))]
fn stdin_octets() -> io::Result<Octets> {
    Ok(Octets::reader(Box::new(io::stdin())))
}

/// Frames handed over in one poll at most.
const BATCH: u64 = 4096;
/// Milliseconds that a poll waits for a pipe.
const PATIENCE: i32 = 100;
const FOR_EVER: i32 = -1;
/// The most that a pipe holds on Linux, unless root raised it: what may have arrived before `finish`.
const PIPE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::handmade::Ink;
    use crate::source::handmade::drain;
    use std::io::Write;

    /// Three records, and where each ends.
    fn small_pcap(big: bool) -> (Ink, Vec<usize>) {
        let mut file = Ink::pcap(big, 0xa1b2_c3d4, (2, 4), 1);
        let mut ends = Vec::new();
        for n in 1..=3_u32 {
            file = file.record(n, 0, (n, n + 40), &[n as u8; 3][..n as usize]);
            ends.push(file.octets.len());
        }
        (file, ends)
    }

    /// A section of each byte order, every kind of packet block, and where each block and each frame ends.
    fn small_pcapng() -> (Ink, Vec<usize>, Vec<usize>) {
        let (mut blocks, mut frames) = (Vec::new(), Vec::new());
        let mut file = Ink::new(false);
        for big in [false, true] {
            file = file.section(big);
            blocks.push(file.octets.len());
            file = file.interface(1, 0, &[(2, b"lo"), (9, &[9])]);
            blocks.push(file.octets.len());
            let packets: [fn(Ink) -> Ink; 3] = [
                |ink| ink.enhanced(0, 1, 9, b"abcde"),
                |ink| ink.block(3, |body| body.u32(3).raw(b"xyz")),
                |ink| ink.block(2, |body| body.u16(0).u16(0).u64(0).u32(1).u32(1).raw(b"o")),
            ];
            for packet in packets {
                file = packet(file);
                blocks.push(file.octets.len());
                frames.push(file.octets.len());
            }
        }
        (file, blocks, frames)
    }

    /// Yields one octet at a time.
    struct Drip(std::vec::IntoIter<u8>);

    impl Read for Drip {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.next() {
                Some(octet) => {
                    into[0] = octet;
                    Ok(1)
                }
                None => Ok(0),
            }
        }
    }

    /// Cuts `whole` at every octet: the frames before the cut come, and a problem is told exactly when the cut
    /// is not at one of `seams`.
    fn cut_everywhere(whole: &[u8], header: usize, seams: &[usize], ends: &[usize]) {
        for cut in 0..=whole.len() {
            let opened = FileSource::from_bytes("cut", whole[..cut].to_vec());
            if cut < header {
                let error = opened.err().expect("no whole header").to_string();
                let expected = if cut == 0 {
                    "is empty"
                } else if cut < 4 {
                    "no capture file"
                } else {
                    "cut off"
                };
                assert!(error.contains(expected), "cut at {cut}: {error}");
                continue;
            }
            let mut mapped = opened.expect("a whole header");
            let frames = drain(&mut mapped);
            assert_eq!(frames.len(), ends.iter().filter(|&&end| end <= cut).count(), "cut at {cut}");
            let problem = mapped.info().problem.clone();
            assert_eq!(problem.is_none(), cut == header || seams.contains(&cut), "cut at {cut}: {problem:?}");
            if let Some(problem) = &problem {
                assert_eq!(problem.kind, ProblemKind::Truncated);
                let begin = seams.iter().copied().filter(|&seam| seam <= cut).max();
                let begin = begin.unwrap_or(if mapped.info().format == Format::Pcap { header } else { 0 });
                assert_eq!((problem.offset, problem.frames), (begin as u64, frames.len() as u64));
                assert!(problem.text.contains(&format!("{} are there", cut - begin)), "{problem}");
            }

            let mut dripped =
                FileSource::from_reader("cut", Drip(Vec::from(&whole[..cut]).into_iter())).expect("the same");
            assert_eq!(drain(&mut dripped), frames, "octet by octet, cut at {cut}");
            assert_eq!(dripped.info().problem, problem);
            assert_eq!(dripped.info().interfaces, mapped.info().interfaces);
            assert_eq!(dripped.stats(), mapped.stats());
        }
    }

    #[test]
    fn a_pcap_cut_at_any_octet_gives_its_whole_records_mapped_or_octet_by_octet() {
        for big in [false, true] {
            let (file, ends) = small_pcap(big);
            cut_everywhere(&file.octets, 24, &ends, &ends);
        }
    }

    #[test]
    fn a_pcapng_cut_at_any_octet_gives_its_whole_blocks_mapped_or_octet_by_octet() {
        let (file, blocks, frames) = small_pcapng();
        cut_everywhere(&file.octets, 28, &blocks, &frames);
    }

    proptest::proptest! {
        #[test]
        fn damaged_files_end_without_panic_and_alike_mapped_and_streamed(
            ng: bool,
            damage in proptest::collection::vec((4..400_usize, proptest::num::u8::ANY), 1..6),
        ) {
            let mut octets = if ng { small_pcapng().0.octets } else { small_pcap(false).0.octets };
            for (at, octet) in damage {
                let at = at % octets.len();
                octets[at] = octet;
            }
            if let Ok(mut mapped) = FileSource::from_bytes("damaged", octets.clone()) {
                let frames = drain(&mut mapped);
                let mut dripped = FileSource::from_reader("damaged", Drip(octets.into_iter())).expect("the same");
                assert_eq!(drain(&mut dripped), frames);
                assert_eq!(dripped.info(), mapped.info());
            }
        }
    }

    #[test]
    fn the_end_stays_the_end_and_keeps_its_problem() {
        let (mut file, _) = small_pcap(false);
        file.octets.pop();
        let mut source = file.open();
        assert_eq!(drain(&mut source).len(), 2);
        let problem = source.info().problem.clone().expect("one octet is missing");
        assert_eq!(
            problem.text,
            "after frame 2, the record at octet 59 needs 19 octets, 18 are there: the file is cut off, or still being written"
        );
        assert_eq!(drain(&mut source).len(), 0);
        assert_eq!(source.info().problem, Some(problem));
    }

    #[test]
    fn a_length_beyond_belief_is_corrupt_and_one_within_is_missing_octets() {
        for (caplen, kind) in [(u32::MAX, ProblemKind::Corrupt), (60 << 20, ProblemKind::Truncated)] {
            let (file, _) = small_pcap(false);
            let octets = file.record(9, 9, (caplen, caplen), b"few").octets;
            let mut mapped = FileSource::from_bytes("x", octets.clone()).expect("a capture");
            assert_eq!(drain(&mut mapped).len(), 3);
            let problem = mapped.info().problem.clone().expect("a bad end");
            assert_eq!(problem.kind, kind, "{problem}");
            let mut streamed = FileSource::from_reader("x", io::Cursor::new(octets)).expect("a capture");
            assert_eq!(drain(&mut streamed).len(), 3);
            assert_eq!(streamed.info().problem, Some(problem));
        }
    }

    #[test]
    fn a_taker_that_stops_goes_on_where_it_stopped() {
        let (file, ..) = small_pcapng();
        let whole: Vec<_> = drain(&mut file.clone().open()).into_iter().map(|(meta, _)| meta).collect();
        let mut source = file.open();
        let mut metas = Vec::new();
        loop {
            let mut calls = 0;
            let poll = source.poll(&mut |frame| {
                calls += 1;
                metas.push(frame.meta);
                Flow::Stop
            });
            assert!(calls <= 1, "not called again after a stop");
            if poll.expect("readable") == Poll::End {
                break;
            }
        }
        assert_eq!(metas, whole);
    }

    #[test]
    fn a_file_on_disk_is_read_like_one_in_memory() {
        let (file, ..) = small_pcapng();
        let mut disk = tempfile::NamedTempFile::new().expect("a temporary file");
        disk.write_all(&file.octets).expect("written");
        let mut mapped = FileSource::open(disk.path()).expect("a capture");
        assert!(!mapped.octets.is_stream());
        assert_eq!(drain(&mut mapped), drain(&mut file.open()));
        assert_eq!(mapped.info().format, Format::Pcapng);
    }

    #[test]
    fn files_that_cannot_be_opened_say_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let message = |path: &Path| FileSource::open(path).err().expect("not a capture").to_string();
        assert!(message(folder.path()).ends_with("is a directory: name a capture file in it"));
        assert!(message(&folder.path().join("none.pcap")).ends_with("none.pcap: no such file"));
        let empty = folder.path().join("empty.pcap");
        std::fs::write(&empty, []).expect("written");
        assert!(message(&empty).ends_with("empty.pcap is empty: 0 octets; is the capture still running?"));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_hands_over_what_has_come_idles_without_blocking_and_drains_when_finished() {
        let (file, ends) = small_pcap(true);
        let (reader, mut writer) = io::pipe().expect("a pipe");
        writer.write_all(&file.octets[..ends[0] + 5]).expect("written");
        let input = File::from(std::os::fd::OwnedFd::from(reader));
        let mut source = FileSource::over("pipe", Octets::of_file(input).expect("open")).expect("a header");
        let mut count = 0;
        let mut poll = |source: &mut FileSource| {
            let poll = source.poll(&mut |_| {
                count += 1;
                Flow::Continue
            });
            (poll.expect("readable"), count)
        };
        assert_eq!(poll(&mut source), (Poll::More, 1));
        assert_eq!(poll(&mut source), (Poll::Idle, 1));
        writer.write_all(&file.octets[ends[0] + 5..ends[1] + 3]).expect("written");
        source.finish();
        assert_eq!(poll(&mut source), (Poll::More, 2), "what had arrived is kept");
        assert_eq!(poll(&mut source), (Poll::End, 2));
        assert_eq!(source.info().problem, None, "we ended it, it did not end badly");
        assert_eq!(poll(&mut source), (Poll::End, 2));
    }

    #[test]
    fn a_finished_file_ends_where_it_stands() {
        let (file, _) = small_pcap(true);
        let mut source = file.open();
        source.finish();
        assert_eq!(drain(&mut source).len(), 0);
        assert_eq!(source.info().problem, None);
    }

    #[test]
    fn reading_that_fails_half_way_keeps_the_frames_before() {
        struct Broken(io::Cursor<Vec<u8>>);
        impl Read for Broken {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                match self.0.read(into)? {
                    0 => Err(io::Error::other("the disk is gone")),
                    count => Ok(count),
                }
            }
        }
        let (file, _) = small_pcap(false);
        let mut source = FileSource::from_reader("x", Broken(io::Cursor::new(file.octets))).expect("a capture");
        assert_eq!(drain(&mut source).len(), 3);
        let problem = source.info().problem.clone().expect("a bad end");
        assert_eq!(problem.kind, ProblemKind::ReadFailed);
        assert!(problem.text.contains("the disk is gone"), "{problem}");
    }
}
