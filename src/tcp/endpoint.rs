//! The numbers of one side: what it sent, what was acknowledged, what it offers to take (RFC 9293 §3.3.1, §3.4, §3.8.6).
//!
//! Variables carry their RFC names, but they are an observer's: `snd_una` is the highest acknowledgment *seen*, and
//! octets that the peer acknowledged without our having seen them are counted, not invented.

use arrayvec::ArrayVec;

use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::state::State;

/// Holes remembered per direction; when more open at once, the oldest is forgotten and its late octets count as repeated.
const MAX_HOLES: usize = 4;

/// One side of a connection.
#[derive(Clone, Debug, Default)]
pub struct EndpointView {
    /// RFC 9293 state, as far as it shows.
    pub state: State,
    /// Its initial sequence number; absent when neither its SYN nor an acknowledgment of it was seen.
    pub isn: Option<SeqNumber>,
    /// Highest number that the peer acknowledged.
    pub snd_una: Option<SeqNumber>,
    /// First number that it has not sent so far.
    pub snd_max: Option<SeqNumber>,
    /// Number of its FIN.
    pub fin: Option<SeqNumber>,
    /// Window it offers, scaled; absent while the scale cannot be known.
    pub rcv_wnd: Option<u32>,
    /// Highest number up to which it ever said it would take octets.
    pub right_edge: Option<SeqNumber>,
    /// What its SYN offered.
    pub offer: Offer,
    /// Packets it sent.
    pub packets: u64,
    /// Payload octets it sent, repetitions included.
    pub bytes: u64,
    /// Payload octets it sent for the first time.
    pub unique_bytes: u64,
    /// Segments that carried octets sent before.
    pub repeated_packets: u64,
    /// Octets sent again.
    pub repeated_bytes: u64,
    /// Octets that the peer acknowledged and the capture does not hold.
    pub unseen_bytes: u64,
    /// Largest payload of one segment.
    pub largest_segment: u32,
    /// Times it closed its window.
    pub zero_windows: u32,
    /// Segments whose checksum was bad.
    pub bad_checksums: u32,
    /// Segments whose checksum was left for the network card.
    pub partial_checksums: u32,
    /// Time to live of its first packet, at the capture point; 0 before it.
    pub ttl: u8,
    /// Its last segment announced no room.
    pub window_closed: bool,
    /// Most sides never have one.
    holes: Option<Box<ArrayVec<Hole, MAX_HOLES>>>,
    base: Option<SeqNumber>,
}

/// What the SYN of one side offered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Offer {
    /// A SYN of this side was captured with all of its options, so absence of one means it was not offered.
    pub seen: bool,
    /// MSS option.
    pub mss: Option<u16>,
    /// Window scale, limited to 14 (RFC 7323 §2.3).
    pub wscale: Option<u8>,
    /// SACK permitted.
    pub sack: bool,
    /// Timestamps.
    pub timestamps: bool,
    /// ECN: asked for by ECE and CWR together, granted by ECE alone (RFC 3168 §6.1.1).
    pub ecn: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Hole {
    left: SeqNumber,
    right: SeqNumber,
}

/// How the octets of one segment relate to those before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Placed {
    /// Payload octets never seen before, those that fill a hole included.
    pub new: u32,
    /// Payload octets seen before.
    pub repeated: u32,
    /// Octets missing between the highest number so far and this segment.
    pub gap: u32,
    /// Octets that an earlier hole was missing.
    pub fills: u32,
    /// Zero or one octet right below the next number, everything else acknowledged.
    pub keep_alive: bool,
}

/// What one acknowledgment added.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Acknowledged {
    /// Sequence numbers acknowledged for the first time.
    pub octets: u32,
    /// Of these, octets that the capture does not hold.
    pub unseen: u32,
}

impl EndpointView {
    /// A number relative to this side's first: its ISN is 0, its first octet of data 1. `None` before it sent anything.
    pub fn relative(&self, seq: SeqNumber) -> Option<u32> {
        self.base.map(|base| base.offset_to(seq))
    }

    /// Octets sent and not acknowledged so far, SYN and FIN counted.
    pub fn in_flight(&self) -> u32 {
        match (self.snd_una, self.snd_max) {
            (Some(una), Some(max)) if una.before(max) => una.offset_to(max),
            _ => 0,
        }
    }

    /// The peer acknowledged everything that was sent.
    pub fn all_acknowledged(&self) -> bool {
        self.snd_una.is_some() && self.in_flight() == 0
    }

    /// Takes note of its SYN: numbers and offer.
    pub(super) fn opens(&mut self, tcp: &TcpHeader<'_>) {
        self.isn = Some(tcp.seq);
        self.base = Some(tcp.seq);
        let whole = usize::from(tcp.header_len) == FIXED_HEADER + tcp.options.len();
        self.offer = Offer {
            seen: whole,
            mss: tcp.said.mss,
            wscale: tcp.said.window_scale.map(|shift| shift.min(MAX_SHIFT)),
            sack: tcp.said.sack_permitted,
            timestamps: tcp.said.timestamps.is_some(),
            ecn: tcp.flags.has(TcpFlags::ECE) && tcp.flags.has(TcpFlags::CWR) != tcp.flags.has(TcpFlags::ACK),
        };
        self.advance(tcp.end());
    }

    /// Believes an acknowledgment of a SYN that the capture does not hold.
    pub(super) fn assume_isn(&mut self, isn: SeqNumber) {
        if self.isn.is_none() {
            self.isn = Some(isn);
            self.base = Some(isn);
        }
    }

    /// Counts a segment and finds the place of its octets. Resets carry no octets of the stream.
    pub(super) fn sends(&mut self, tcp: &TcpHeader<'_>) -> Placed {
        self.packets += 1;
        if tcp.flags.has(TcpFlags::RST) {
            return Placed::default();
        }
        self.bytes += u64::from(tcp.len);
        self.largest_segment = self.largest_segment.max(tcp.len);
        if self.base.is_none() {
            self.base = Some(tcp.seq.minus(1));
        }
        // A FIN beside a SYN opens nothing and closes nothing (RFC 9293 §3.10.7.4 looks at SYN first).
        if tcp.flags.has(TcpFlags::FIN) && !tcp.flags.has(TcpFlags::SYN) && self.fin.is_none() {
            self.fin = Some(tcp.seq.plus(tcp.len));
        }
        let placed = self.place(tcp);
        self.unique_bytes += u64::from(placed.new);
        if placed.repeated > 0 && !placed.keep_alive {
            self.repeated_packets += 1;
            self.repeated_bytes += u64::from(placed.repeated);
        }
        placed
    }

    /// The peer acknowledged up to `ack`.
    pub(super) fn is_acknowledged(&mut self, ack: SeqNumber) -> Acknowledged {
        let Some(max) = self.snd_max else {
            // Nothing of this side was captured yet: all we know is what the peer has.
            self.snd_max = Some(ack);
            self.snd_una = Some(ack);
            self.base = self.base.or(Some(ack.minus(1)));
            return Acknowledged::default();
        };
        let octets = match self.snd_una {
            Some(una) if !una.before(ack) => return Acknowledged::default(),
            Some(una) => una.offset_to(ack),
            None => 0,
        };
        self.snd_una = Some(ack);
        let mut unseen: u32 = 0;
        if max.before(ack) {
            unseen = max.offset_to(ack);
            self.snd_max = Some(ack);
        }
        if let Some(holes) = &mut self.holes {
            holes.retain(|hole| {
                let passed = hole.right.at_or_before(ack);
                unseen = u32::saturating_add(unseen, if passed { hole.left.offset_to(hole.right) } else { 0 });
                !passed
            });
        }
        self.unseen_bytes += u64::from(unseen);
        Acknowledged { octets, unseen }
    }

    /// Takes note of the window it offers. `scale` is `None` where it cannot be known.
    pub(super) fn offers(&mut self, ack: SeqNumber, window: u16, scale: Option<u8>) {
        self.window_closed = window == 0;
        let Some(scale) = scale else {
            // Neither window nor edge can be known from here on.
            self.rcv_wnd = None;
            self.right_edge = None;
            return;
        };
        let window = u32::from(window) << scale;
        let edge = ack.plus(window);
        self.rcv_wnd = Some(window);
        self.right_edge = Some(self.right_edge.map_or(edge, |known| known.max(edge)));
    }

    fn advance(&mut self, end: SeqNumber) {
        self.snd_max = Some(self.snd_max.map_or(end, |max| max.max(end)));
    }

    fn place(&mut self, tcp: &TcpHeader<'_>) -> Placed {
        let data_end = tcp.seq.plus(tcp.len);
        let Some(max) = self.snd_max else {
            self.advance(tcp.end());
            return Placed { new: tcp.len, ..Placed::default() };
        };
        // A SYN's own number comes before its data; `opens` has moved past it.
        if tcp.flags.has(TcpFlags::SYN) {
            return Placed { new: tcp.len, ..Placed::default() };
        }
        let probe = tcp.len <= 1 && tcp.seq.plus(1) == max && !tcp.flags.has(TcpFlags::FIN);
        if probe && self.all_acknowledged() {
            return Placed { repeated: tcp.len, keep_alive: true, ..Placed::default() };
        }
        if tcp.seq_len() == 0 {
            return Placed::default();
        }
        self.advance(tcp.end());
        if max.before(tcp.seq) {
            self.remember_hole(Hole { left: max, right: tcp.seq });
            return Placed { new: tcp.len, gap: max.offset_to(tcp.seq), ..Placed::default() };
        }
        let beyond = if max.before(data_end) { max.offset_to(data_end).min(tcp.len) } else { 0 };
        // Numbers half a circle apart have no order; never more octets than the segment has.
        let fills = self.fill_holes(tcp.seq, data_end).min(tcp.len - beyond);
        Placed { new: beyond + fills, repeated: tcp.len - beyond - fills, fills, ..Placed::default() }
    }

    fn remember_hole(&mut self, hole: Hole) {
        if hole.left.offset_to(hole.right) > MAX_WINDOW {
            return;
        }
        let holes = self.holes.get_or_insert_default();
        if holes.is_full() {
            holes.remove(0);
        }
        holes.push(hole);
    }

    /// Takes [left, right) out of the holes and says how many octets of it lay in one.
    fn fill_holes(&mut self, left: SeqNumber, right: SeqNumber) -> u32 {
        let Some(holes) = self.holes.as_deref_mut().filter(|holes| !holes.is_empty()) else { return 0 };
        let mut filled: u32 = 0;
        let mut rest = ArrayVec::<Hole, MAX_HOLES>::new();
        for hole in holes.iter() {
            let from = hole.left.max(left);
            let to = if right.before(hole.right) { right } else { hole.right };
            if !from.before(to) {
                let _ = rest.try_push(*hole);
                continue;
            }
            filled = u32::saturating_add(filled, from.offset_to(to));
            for piece in [Hole { left: hole.left, right: from }, Hole { left: to, right: hole.right }] {
                if piece.left.before(piece.right) {
                    let _ = rest.try_push(piece);
                }
            }
        }
        *holes = rest;
        filled
    }
}

/// No window is larger, so no hole that can be filled is wider (RFC 7323 §2.3).
const MAX_WINDOW: u32 = 1 << 30;
/// Octets of a TCP header without options.
const FIXED_HEADER: usize = 20;
/// The largest shift that hosts use (RFC 7323 §2.3).
const MAX_SHIFT: u8 = 14;
