//! Several capture files as one, in time order.
//!
//! Of each file one frame is held, the next one; the earliest goes first, of equal ones that of the file named first. So
//! memory follows the number of files, and frames of one file never change places, even where its clock stepped back.
//! Frames are numbered through; interfaces of each file are kept apart. Which file a frame is from, and its number there,
//! is told by [`Origin`].

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::rc::Rc;

use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::Timestamp;
use crate::source::CaptureInfo;
use crate::source::FileSource;
use crate::source::Flow;
use crate::source::Margin;
use crate::source::Notes;
use crate::source::Piece;
use crate::source::PieceSource;
use crate::source::Poll;
use crate::source::Problem;
use crate::source::Source;
use crate::source::SourceError;
use crate::source::Stats;

/// Files read together.
pub struct MergedSource {
    files: Vec<File>,
    /// Files that hold a frame, the earliest first.
    queue: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// Files of which the next frame must be fetched before any is handed on.
    wanting: Vec<usize>,
    info: CaptureInfo,
    frames: u64,
    bytes: u64,
    origin: Origin,
    margin: Option<Margin>,
}

/// Where the frame that was handed over last comes from. Shared with the source: look while the frame is there.
#[derive(Clone, Debug, Default)]
pub struct Origin(Rc<Cell<(usize, u64)>>);

struct File {
    source: FileSource,
    /// The next frame of the file.
    head: Option<Head>,
    /// Room for the next frame.
    raw: Vec<u8>,
    /// Positions of its interfaces among those of all files.
    interfaces: Vec<u32>,
    /// Where its notes stand, once somebody wants them.
    margin: Option<Margin>,
    is_over: bool,
}

/// A frame that waits for its turn.
struct Head {
    meta: FrameMeta,
    /// The frame within its record or block.
    bytes: Range<usize>,
    big_endian: bool,
    notes: Option<Notes>,
}

impl Origin {
    /// The file, counted from 0, and the frame's number in it.
    pub fn latest(&self) -> (usize, u64) {
        self.0.get()
    }
}

impl MergedSource {
    /// Reads `files` together. Their names are joined by ` + `.
    pub fn new(files: Vec<FileSource>) -> Self {
        let mut info = match files.first() {
            Some(first) => CaptureInfo { interfaces: Vec::new(), ..first.info().clone() },
            None => CaptureInfo::new("", crate::source::Format::Memory),
        };
        info.name = files.iter().map(|file| file.info().name.as_str()).collect::<Vec<_>>().join(" + ");
        // The last one is fetched first.
        let wanting = (0..files.len()).rev().collect();
        let files = files.into_iter().map(|source| File {
            source,
            head: None,
            raw: Vec::new(),
            interfaces: Vec::new(),
            margin: None,
            is_over: false,
        });
        Self {
            files: files.collect(),
            queue: BinaryHeap::new(),
            wanting,
            info,
            frames: 0,
            bytes: 0,
            origin: Origin::default(),
            margin: None,
        }
    }

    /// Tells where each frame comes from.
    pub fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// Fetches the next frame of a file; what stands before it is handed over at once. `false` where it has not come.
    fn fetch(&mut self, index: usize, take: &mut dyn FnMut(&Piece<'_>) -> Flow) -> Result<Fetched, SourceError> {
        let file = &mut self.files[index];
        let mut head = None;
        let mut stopped = false;
        let (raw, margin) = (&mut file.raw, &file.margin);
        let poll = file.source.pieces(&mut |piece| match &piece.frame {
            Some(frame) => {
                raw.clear();
                raw.extend_from_slice(piece.raw);
                // The frame lies inside its record.
                let begin = frame.bytes.as_ptr().addr() - piece.raw.as_ptr().addr();
                let bytes = begin..begin + frame.bytes.len();
                let notes = margin.as_ref().map(Margin::latest);
                head = Some(Head { meta: frame.meta, bytes, big_endian: piece.big_endian, notes });
                Flow::Stop
            }
            None => {
                stopped = take(&Piece { file: index, ..*piece }) == Flow::Stop;
                if stopped { Flow::Stop } else { Flow::Continue }
            }
        })?;
        self.learn(index);
        let file = &mut self.files[index];
        if let Some(head) = head {
            self.queue.push(Reverse((head.meta.at, index)));
            file.head = Some(head);
            return Ok(Fetched::Frame);
        }
        Ok(match poll {
            _ if stopped => Fetched::Stopped,
            Poll::More => Fetched::Nothing,
            Poll::Idle => Fetched::Idle,
            Poll::End => {
                file.is_over = true;
                self.note_problem(index);
                self.note_remarks(index);
                Fetched::Frame
            }
        })
    }

    /// Takes over interfaces that a file has described since.
    fn learn(&mut self, index: usize) {
        let file = &mut self.files[index];
        let known = file.interfaces.len();
        let told = file.source.info();
        for interface in &told.interfaces[known..] {
            file.interfaces.push(self.info.interfaces.len() as u32);
            self.info.interfaces.push(interface.clone());
        }
        if known == 0 && self.info.version == (0, 0) {
            (self.info.version, self.info.big_endian) = (told.version, told.big_endian);
        }
        self.info.sections = self.files.iter().map(|file| file.source.info().sections).sum();
    }

    /// Everything that was remarked on a file that is over.
    fn note_remarks(&mut self, index: usize) {
        let told = self.files[index].source.info().remarks.clone();
        self.info.remarks.append(told);
    }

    /// The first problem counts, all of them are told.
    fn note_problem(&mut self, index: usize) {
        let info = self.files[index].source.info();
        let Some(problem) = &info.problem else { return };
        let text = format!("{}: {problem}", crate::source::error::shown(&info.name));
        let told = match self.info.problem.take() {
            None => Problem { text, ..problem.clone() },
            Some(first) => Problem { text: format!("{first}; {text}"), ..first },
        };
        self.info.problem = Some(told);
    }

    /// Hands over the earliest frame.
    fn hand_over(&mut self, index: usize, take: &mut dyn FnMut(&Piece<'_>) -> Flow) -> Flow {
        let file = &mut self.files[index];
        let Some(head) = file.head.take() else { return Flow::Continue };
        self.wanting.push(index);
        self.frames += 1;
        self.bytes += head.bytes.len() as u64;
        self.origin.0.set((index, head.meta.number));
        if let Some(margin) = &self.margin {
            margin.set(head.notes.unwrap_or_default());
        }
        let interface = file.interfaces.get(head.meta.interface as usize).copied().unwrap_or(0);
        let meta = FrameMeta { number: self.frames, interface, ..head.meta };
        let frame = Frame { meta, bytes: &file.raw[head.bytes] };
        let format = file.source.info().format;
        take(&Piece { file: index, format, big_endian: head.big_endian, raw: &file.raw, frame: Some(frame) })
    }
}

enum Fetched {
    /// A frame, or the end.
    Frame,
    /// Not yet.
    Nothing,
    Idle,
    Stopped,
}

impl PieceSource for MergedSource {
    fn pieces(&mut self, take: &mut dyn FnMut(&Piece<'_>) -> Flow) -> Result<Poll, SourceError> {
        for _ in 0..BATCH {
            while let Some(&index) = self.wanting.last() {
                match self.fetch(index, take)? {
                    Fetched::Frame => _ = self.wanting.pop(),
                    Fetched::Nothing => {}
                    Fetched::Stopped => return Ok(Poll::More),
                    Fetched::Idle => return Ok(Poll::Idle),
                }
            }
            let Some(Reverse((_, index))) = self.queue.pop() else { return Ok(Poll::End) };
            if self.hand_over(index, take) == Flow::Stop {
                break;
            }
        }
        Ok(Poll::More)
    }
}

impl Source for MergedSource {
    fn poll(&mut self, take: &mut dyn FnMut(&Frame<'_>) -> Flow) -> Result<Poll, SourceError> {
        self.pieces(&mut |piece| piece.frame.as_ref().map_or(Flow::Continue, &mut *take))
    }

    fn stats(&mut self) -> Stats {
        let dropped = self.files.iter_mut().filter_map(|file| file.source.stats().dropped).reduce(u64::saturating_add);
        Stats { frames: self.frames, bytes: self.bytes, dropped }
    }

    fn info(&self) -> &CaptureInfo {
        &self.info
    }

    fn margin(&mut self) -> Option<Margin> {
        for file in &mut self.files {
            file.margin = file.source.margin();
        }
        Some(self.margin.get_or_insert_default().clone())
    }

    fn finish(&mut self) {
        for file in &mut self.files {
            file.source.finish();
        }
    }
}

/// Frames handed over in one poll at most.
const BATCH: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::LinkType;
    use crate::source::handmade::Ink;

    const MICROS: u32 = 0xa1b2_c3d4;

    /// A pcap file of one octet per frame, at these seconds.
    fn pcap(name: &str, link: u32, frames: &[(u32, u8)]) -> FileSource {
        let begin = Ink::pcap(false, MICROS, (2, 4), link);
        let file = frames.iter().fold(begin, |ink, &(secs, octet)| ink.record(secs, 0, (1, 1), &[octet]));
        FileSource::from_bytes(name, file.octets).expect("a capture")
    }

    /// Second, octet, number, interface and origin of a frame.
    type Seen = (i64, u8, u64, u32, (usize, u64));

    fn seen(source: &mut MergedSource) -> Vec<Seen> {
        let origin = source.origin();
        let mut seen = Vec::new();
        loop {
            let poll = source.poll(&mut |frame| {
                let meta = frame.meta;
                let secs = meta.at.nanos() / 1_000_000_000;
                seen.push((secs, frame.bytes[0], meta.number, meta.interface, origin.latest()));
                Flow::Continue
            });
            if poll.expect("files do not fail") == Poll::End {
                return seen;
            }
        }
    }

    #[test]
    fn frames_come_in_time_order_and_keep_their_file_and_number() {
        let one = pcap("a", 1, &[(1, b'a'), (4, b'b'), (9, b'c')]);
        let two = pcap("b", 101, &[(2, b'x'), (4, b'y'), (5, b'z')]);
        let mut merged = MergedSource::new(vec![one, two]);
        let expected = [
            (1, b'a', 1, 0, (0, 1)),
            (2, b'x', 2, 1, (1, 1)),
            (4, b'b', 3, 0, (0, 2)),
            (4, b'y', 4, 1, (1, 2)),
            (5, b'z', 5, 1, (1, 3)),
            (9, b'c', 6, 0, (0, 3)),
        ];
        let seen = seen(&mut merged);
        assert_eq!(seen, expected);
        for (_, _, _, interface, (file, _)) in &seen {
            let link = merged.info().interfaces[*interface as usize].link_type;
            assert_eq!(link, if *file == 0 { LinkType::ETHERNET } else { LinkType::RAW });
        }
        assert_eq!(merged.info().name, "a + b");
        assert_eq!(merged.stats(), Stats { frames: 6, bytes: 6, dropped: None });
    }

    #[test]
    fn frames_of_one_file_never_change_places() {
        let steps_back = pcap("a", 1, &[(5, b'a'), (1, b'b'), (6, b'c')]);
        let mut merged = MergedSource::new(vec![steps_back, pcap("b", 1, &[(2, b'x'), (7, b'y')])]);
        let order: Vec<_> = seen(&mut merged).iter().map(|&(_, octet, ..)| octet).collect();
        assert_eq!(order, *b"xabcy");
    }

    #[test]
    fn one_file_that_ends_badly_does_not_end_the_others() {
        let whole = Ink::pcap(false, MICROS, (2, 4), 1).record(1, 0, (1, 1), b"a").record(2, 0, (1, 1), b"b").octets;
        let cut = FileSource::from_bytes("cut", whole[..whole.len() - 1].to_vec()).expect("a capture");
        let mut merged = MergedSource::new(vec![cut, pcap("b", 1, &[(0, b'x'), (8, b'y')])]);
        let order: Vec<_> = seen(&mut merged).iter().map(|&(_, octet, ..)| octet).collect();
        assert_eq!(order, *b"xay");
        let problem = merged.info().problem.clone().expect("one is cut off");
        assert!(problem.text.starts_with("cut: after frame 1, "), "{problem}");
    }

    #[test]
    fn a_taker_that_stops_goes_on_where_it_stopped() {
        let mut merged = MergedSource::new(vec![pcap("a", 1, &[(1, b'a'), (3, b'b')]), pcap("b", 1, &[(2, b'x')])]);
        let mut order = Vec::new();
        loop {
            let mut calls = 0;
            let poll = merged.poll(&mut |frame| {
                calls += 1;
                order.push(frame.bytes[0]);
                Flow::Stop
            });
            assert!(calls <= 1, "not called again after a stop");
            if poll.expect("files do not fail") == Poll::End {
                break;
            }
        }
        assert_eq!(order, *b"axb");
    }

    #[test]
    fn no_files_at_all_are_an_empty_capture() {
        assert_eq!(seen(&mut MergedSource::new(Vec::new())), []);
    }
}
