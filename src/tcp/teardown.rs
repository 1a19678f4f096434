//! How a connection ends: who closed first, in how many segments, or by reset (RFC 9293 §3.6, figures 12 and 13).

use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;

/// The way of closing, in the words of the machine contract.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CloseKind {
    /// FIN, ACK, FIN, ACK.
    FourWay,
    /// The second side's FIN carries its ACK of the first: FIN, FIN,ACK, ACK.
    ThreeSegment,
    /// Both FINs were on their way before either arrived.
    Simultaneous,
    /// One side closed, the other went on sending, or has not closed yet.
    HalfClose,
    /// RST without any FIN.
    Abort,
    /// RST after a FIN.
    ResetAfterFin,
    /// Neither FIN nor RST so far.
    Open,
    /// There was no connection to close.
    NotSeen,
}

impl CloseKind {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FourWay => "four-way",
            Self::ThreeSegment => "three-segment",
            Self::Simultaneous => "simultaneous",
            Self::HalfClose => "half-close",
            Self::Abort => "abort",
            Self::ResetAfterFin => "reset-after-fin",
            Self::Open => "open",
            Self::NotSeen => "not-seen",
        }
    }
}

/// What a reset means where it stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ResetKind {
    /// Answer to a SYN: nobody listens.
    RefusesSyn,
    /// With ACK, in the stream: the process closed with data unread, with linger 0, or died so.
    Abort,
    /// Without ACK: answers a segment that found no connection any more.
    NoConnection,
}

impl ResetKind {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefusesSyn => "refuses the SYN",
            Self::Abort => "abort",
            Self::NoConnection => "no connection there any more",
        }
    }
}

/// The closing exchange of one connection.
#[derive(Clone, Debug, Default)]
pub struct Teardown {
    /// First FIN of each side, client first.
    pub fin: [Option<Mark>; 2],
    /// First acknowledgment of each side's FIN.
    pub fin_acked: [Option<Mark>; 2],
    /// First RST, its sender and what it means.
    pub reset: Option<(Side, Mark, ResetKind)>,
    /// RSTs in all.
    pub resets: u32,
    shape: Shape,
    told: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    second_fin_carried_the_ack: bool,
    crossed: bool,
    data_after_ack: bool,
}

impl Teardown {
    /// How it closed, as far as it has.
    pub fn kind(&self) -> CloseKind {
        let fins = self.fin.iter().flatten().count();
        match (self.reset, fins) {
            (Some((_, _, ResetKind::RefusesSyn)), 0) => CloseKind::NotSeen,
            (Some(_), 0) => CloseKind::Abort,
            // Both sides had said goodbye and heard it: a reset after that closes nothing.
            (Some(_), _) if !self.is_clean() => CloseKind::ResetAfterFin,
            (_, 2) if self.shape.crossed => CloseKind::Simultaneous,
            (_, 2) if self.shape.data_after_ack => CloseKind::HalfClose,
            (_, 2) if self.shape.second_fin_carried_the_ack => CloseKind::ThreeSegment,
            (_, 2) => CloseKind::FourWay,
            (_, 0) => CloseKind::Open,
            _ => CloseKind::HalfClose,
        }
    }

    /// Sender of the earliest FIN or RST.
    pub fn first_by(&self) -> Option<Side> {
        let fin = |side: Side| self.fin[side.index()].map(|mark| (mark.frame, side));
        let reset = self.reset.map(|(side, mark, _)| (mark.frame, side));
        [fin(Side::Client), fin(Side::Server), reset]
            .into_iter()
            .flatten()
            .min_by_key(|(frame, _)| *frame)
            .map(|(_, side)| side)
    }

    /// Both FINs were seen and acknowledged.
    pub fn is_clean(&self) -> bool {
        self.fin_acked.iter().all(Option::is_some)
    }

    /// Nothing more is to come: closed on both sides, or reset.
    pub fn is_over(&self) -> bool {
        self.is_clean() || self.reset.is_some()
    }

    /// Sides that must wait 2·MSL after this close: the one that closed first, both when the FINs crossed (RFC 9293 §3.6).
    pub fn time_wait(&self) -> [bool; 2] {
        let first = self.first_by();
        let holds = |side: Side| {
            self.is_clean() && self.fin[side.index()].is_some() && (self.shape.crossed || first == Some(side))
        };
        [holds(Side::Client), holds(Side::Server)]
    }

    /// Looks at one segment of `side`; `sender` and `peer` are the views after it.
    pub(super) fn observe(
        &mut self,
        mark: Mark,
        side: Side,
        tcp: &TcpHeader<'_>,
        sender: &EndpointView,
        peer: &EndpointView,
        events: &mut Vec<Event>,
    ) {
        let covers_peer_fin = tcp.flags.has(TcpFlags::ACK) && peer.fin.is_some_and(|fin| fin.before(tcp.ack));
        let first_cover = covers_peer_fin && self.fin_acked[side.peer().index()].is_none();
        let closes = tcp.flags.has(TcpFlags::FIN) && !tcp.flags.any(TcpFlags::RST.with(TcpFlags::SYN));
        if closes && self.fin[side.index()].is_none() {
            self.fin[side.index()] = Some(mark);
            if self.fin[side.peer().index()].is_some() {
                self.shape.crossed = !covers_peer_fin && self.fin_acked[side.peer().index()].is_none();
                self.shape.second_fin_carried_the_ack = first_cover;
            }
        }
        if first_cover && !tcp.flags.has(TcpFlags::RST) {
            self.fin_acked[side.peer().index()] = Some(mark);
            events.push(Event::FinAcked);
        } else if covers_peer_fin && tcp.len > 0 && sender.fin.is_none_or(|fin| !fin.before(tcp.seq)) {
            self.shape.data_after_ack = true;
        }
    }

    /// Takes note of a RST.
    pub(super) fn resets(&mut self, mark: Mark, side: Side, kind: ResetKind, events: &mut Vec<Event>) {
        self.resets = self.resets.saturating_add(1);
        if self.reset.is_none() {
            self.reset = Some((side, mark, kind));
        }
        events.push(Event::Reset(kind));
    }

    /// Tells once that nothing more is to come.
    pub(super) fn tell_if_over(&mut self, events: &mut Vec<Event>) {
        if self.told || !self.is_over() {
            return;
        }
        self.told = true;
        if let Some(first_by) = self.first_by() {
            events.push(Event::Closed { kind: self.kind(), first_by });
        }
    }
}
