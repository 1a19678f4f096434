//! One direction's messages: what each segment carried of them, and what cannot be told.

use arrayvec::ArrayVec;

use crate::tcp::event::Mark;
use crate::tcp::framing::rule::Beyond;
use crate::tcp::framing::rule::Framing;
use crate::tcp::framing::rule::Place;
use crate::tcp::framing::rule::Used;
use crate::tcp::reassembly::Missing;
use crate::tcp::reassembly::Piece;

/// First octets of a message that are kept.
pub const HEAD: usize = 64;
/// First segments of a message that are kept by frame number.
pub const SEGMENTS: usize = 8;

/// A message, or as much of it as has passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Counted from 1 in its direction.
    pub number: u64,
    /// Octets of the stream before it, from the first that was captured.
    pub offset: u64,
    /// Its octets, length field or line feed and missing ones included.
    pub octets: u64,
    /// Of these, octets that the capture does not hold.
    pub lacks: u64,
    /// The segment with its first octet, if that was captured.
    pub first: Option<Mark>,
    /// The latest segment with octets of it.
    pub last: Option<Mark>,
    /// Frames of its first segments, [`SEGMENTS`] at most.
    pub frames: ArrayVec<u64, SEGMENTS>,
    /// All its segments.
    pub segments: u32,
    /// Its first octets, [`HEAD`] at most; none behind a missing one.
    pub head: ArrayVec<u8, HEAD>,
    /// Its end was found.
    pub ended: bool,
}

/// What one segment carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Share {
    /// The segment; an earlier one where it had waited behind a hole.
    pub by: Mark,
    /// First message that it carried octets of.
    pub number: u64,
    /// It ends a message that an earlier segment began.
    pub ends: bool,
    /// Messages that lie in it from their first octet to their last.
    pub whole: u32,
    /// It begins a message and does not end it.
    pub begins: bool,
    /// All of it lies within one message that began before and goes on.
    pub inside: bool,
}

/// Why messages cannot be told apart for a while, or any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unknown {
    /// The stream began before the capture.
    BeganBefore,
    /// Octets that may have held a boundary are missing.
    Missing,
    /// An octet stands where no message can begin.
    Wrong,
}

/// What became known. Boxed by nobody: it passes by.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a few per packet, in one vector that is used again")]
pub enum Told {
    /// A message ended, or its end will never be known.
    Message(Message),
    /// What a segment carried.
    Share(Share),
    /// Octets are missing in the stream.
    Missing {
        /// How many.
        octets: u32,
        /// Why.
        why: Missing,
    },
    /// Where the next message begins is not known from here on; a line feed may show it.
    Unknown(Unknown),
    /// A line feed showed where the next message begins.
    FoundAgain,
    /// A segment carried other octets under numbers that had passed before.
    Differs {
        /// Which.
        frame: u64,
    },
}

/// Numbers of one direction.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Messages whose end was found.
    pub messages: u64,
    /// Messages that lie wholly among missing octets, by their fixed length.
    pub unseen: u64,
    /// Messages that began and whose end cannot be told.
    pub broken: u64,
    /// Octets that were missing.
    pub missing: u64,
    /// Octets that could not be given to any message.
    pub unframed: u64,
    /// Places where no message could begin.
    pub wrong: u32,
    /// Segments that carried something new.
    pub segments: u64,
    /// Most messages that ended in one segment.
    pub most_in_segment: u32,
    /// Most segments of one message.
    pub most_segments: u32,
}

/// Cuts one direction into messages.
#[derive(Clone, Debug)]
pub struct Framer {
    framing: Framing,
    place: Place,
    mode: Mode,
    open: Option<Message>,
    offset: u64,
    begun: u64,
    /// Totals so far.
    pub counts: Counts,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    Reading,
    /// Goes on behind the next line feed.
    Seeking(Unknown),
    /// Nothing shows where a message begins.
    Lost(Unknown),
}

impl Framer {
    /// At the beginning of a stream.
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            place: Place::new(framing),
            mode: Mode::Reading,
            open: None,
            offset: 0,
            begun: 0,
            counts: Counts::default(),
        }
    }

    /// The message that has begun and not ended.
    pub const fn open(&self) -> Option<&Message> {
        self.open.as_ref()
    }

    /// Octets that the open message still wants, where its rule says so.
    pub fn wants(&self) -> Option<u64> {
        self.open.as_ref().and_then(|_| self.place.wants())
    }

    /// Why it cannot be told at the moment where messages begin.
    pub const fn unknown(&self) -> Option<Unknown> {
        match self.mode {
            Mode::Reading => None,
            Mode::Seeking(why) | Mode::Lost(why) => Some(why),
        }
    }

    /// The first octets to come are not the stream's first.
    pub(super) fn starts_in_the_middle(&mut self, tell: &mut dyn FnMut(Told)) {
        self.lose(Unknown::BeganBefore, tell);
    }

    /// Takes what comes next in the stream.
    pub(super) fn take(&mut self, piece: Piece<'_>, tell: &mut dyn FnMut(Told)) {
        match piece {
            Piece::Octets { by, octets } => self.octets(by, octets, tell),
            Piece::Missing { octets, why } => self.missing(octets, why, tell),
        }
    }

    fn octets(&mut self, by: Mark, mut octets: &[u8], tell: &mut dyn FnMut(Told)) {
        let mut open_before = self.open.is_some();
        let number = self.begun + u64::from(!open_before);
        let mut share = Share { by, number, ends: false, whole: 0, begins: false, inside: false };
        self.counts.segments += 1;
        while !octets.is_empty() {
            let used = match self.mode {
                Mode::Reading => self.read(by, octets, tell),
                Mode::Seeking(_) => Read { used: self.seek(octets, tell), ended: false },
                Mode::Lost(_) => {
                    self.counts.unframed += octets.len() as u64;
                    self.offset += octets.len() as u64;
                    Read { used: octets.len(), ended: false }
                }
            };
            if used.ended {
                share.ends |= open_before;
                share.whole += u32::from(!open_before);
                open_before = false;
            }
            octets = &octets[used.used..];
        }
        share.inside = open_before && self.open.is_some();
        share.begins = !open_before && self.open.is_some();
        let ended = share.whole + u32::from(share.ends);
        self.counts.most_in_segment = self.counts.most_in_segment.max(ended);
        if ended > 0 || share.inside || share.begins {
            tell(Told::Share(share));
        }
    }

    fn read(&mut self, by: Mark, octets: &[u8], tell: &mut dyn FnMut(Told)) -> Read {
        match self.place.go(octets) {
            Used::Between(used) => {
                self.offset += used as u64;
                Read { used, ended: false }
            }
            Used::More(used) => {
                self.extend(by, &octets[..used]);
                Read { used, ended: false }
            }
            Used::Ends(used) => {
                self.extend(by, &octets[..used]);
                self.end(tell);
                Read { used, ended: true }
            }
            Used::EndedBefore => {
                self.end(tell);
                Read { used: 0, ended: true }
            }
            Used::Wrong(used) => {
                self.offset += used as u64;
                self.counts.wrong = self.counts.wrong.saturating_add(1);
                self.lose(Unknown::Wrong, tell);
                Read { used, ended: false }
            }
        }
    }

    /// Goes over octets up to a line feed and says how many.
    fn seek(&mut self, octets: &[u8], tell: &mut dyn FnMut(Told)) -> usize {
        let feed = octets.iter().position(|&octet| octet == b'\n');
        let used = feed.map_or(octets.len(), |at| at + 1);
        self.offset += used as u64;
        self.counts.unframed += used as u64;
        if feed.is_some() {
            self.mode = Mode::Reading;
            self.place.restart();
            tell(Told::FoundAgain);
        }
        used
    }

    fn missing(&mut self, octets: u32, why: Missing, tell: &mut dyn FnMut(Told)) {
        self.counts.missing += u64::from(octets);
        tell(Told::Missing { octets, why });
        let wanted = self.place.wants();
        let beyond = match self.mode {
            Mode::Reading => self.place.skip(octets),
            Mode::Seeking(_) | Mode::Lost(_) => {
                self.offset += u64::from(octets);
                return;
            }
        };
        match beyond {
            Beyond::Within => self.lack(octets.into()),
            Beyond::Ends => self.end_unseen(octets.into(), tell),
            Beyond::Passed { whole, begun } => {
                self.end_unseen(wanted.unwrap_or(0), tell);
                self.counts.unseen += whole;
                self.begun += whole;
                self.offset += whole * u64::from(self.fixed());
                if begun > 0 {
                    self.lack(begun.into());
                }
            }
            Beyond::AtNextLine | Beyond::Lost => {
                self.lose(Unknown::Missing, tell);
                self.offset += u64::from(octets);
            }
        }
    }

    const fn fixed(&self) -> u32 {
        match self.framing {
            Framing::Fixed(octets) => octets,
            Framing::Line | Framing::Json | Framing::Len16 | Framing::Len32 => 0,
        }
    }

    /// Missing octets up to a message's end: of one that had begun, or of one of which nothing was seen.
    fn end_unseen(&mut self, octets: u64, tell: &mut dyn FnMut(Told)) {
        if self.open.is_some() {
            self.lack(octets);
            self.end(tell);
        } else {
            self.offset += octets;
            self.begun += 1;
            self.counts.unseen += 1;
        }
    }

    /// From here on it is not known where messages begin, unless a line feed shows it.
    fn lose(&mut self, why: Unknown, tell: &mut dyn FnMut(Told)) {
        if let Some(message) = self.open.take() {
            self.counts.broken += 1;
            tell(Told::Message(message));
        }
        self.mode = match self.framing {
            Framing::Line | Framing::Json => Mode::Seeking(why),
            Framing::Len16 | Framing::Len32 | Framing::Fixed(_) => Mode::Lost(why),
        };
        tell(Told::Unknown(why));
    }

    fn open_mut(&mut self) -> &mut Message {
        let (offset, begun) = (self.offset, &mut self.begun);
        self.open.get_or_insert_with(|| {
            *begun += 1;
            Message {
                number: *begun,
                offset,
                octets: 0,
                lacks: 0,
                first: None,
                last: None,
                frames: ArrayVec::new(),
                segments: 0,
                head: ArrayVec::new(),
                ended: false,
            }
        })
    }

    fn extend(&mut self, by: Mark, octets: &[u8]) {
        let message = self.open_mut();
        if message.octets == 0 {
            message.first = Some(by);
        }
        if message.last.is_none_or(|last| last.frame != by.frame) {
            message.segments = message.segments.saturating_add(1);
            let _ = message.frames.try_push(by.frame);
        }
        message.last = Some(by);
        if message.lacks == 0 {
            let room = message.head.remaining_capacity().min(octets.len());
            message.head.extend(octets[..room].iter().copied());
        }
        message.octets += octets.len() as u64;
        self.offset += octets.len() as u64;
    }

    fn lack(&mut self, octets: u64) {
        let message = self.open_mut();
        message.octets += octets;
        message.lacks += octets;
        self.offset += octets;
    }

    fn end(&mut self, tell: &mut dyn FnMut(Told)) {
        let Some(mut message) = self.open.take() else { return };
        message.ended = true;
        self.counts.messages += 1;
        self.counts.most_segments = self.counts.most_segments.max(message.segments);
        tell(Told::Message(message));
    }
}

struct Read {
    used: usize,
    ended: bool,
}
