//! What is kept about one side beyond its numbers: segments on their way, the scoreboard, the peer's requests.
//!
//! Bounded: at most [`MAX_SENT`] segments per side; beyond, the oldest is forgotten and counted, and what rests on it
//! cannot be told any more.

use std::collections::VecDeque;

use arrayvec::ArrayVec;

use crate::packet::SackBlock;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::Timestamp;
use crate::tcp::event::Mark;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::rtt::RttEstimate;

/// Segments remembered per side until they are acknowledged.
pub const MAX_SENT: usize = 4_096;
/// Repetitions remembered per side until they are proved needed or not.
const MAX_REPEATS: usize = 32;
/// Octets of payload that are compared when the same numbers come again.
const COMPARED: usize = 64;

/// One side, as far as judgements need it.
#[derive(Clone, Debug, Default)]
pub struct Tcb {
    /// RTT and RTO of this side as a sender.
    pub rtt: RttEstimate,
    /// Segments sent and not acknowledged so far, in order of their numbers as far as they came in order.
    pub sent: VecDeque<Sent>,
    /// Segments forgotten because too many were on their way.
    pub forgotten: u64,
    /// Blocks that the peer says it holds, its latest word.
    pub sacked: ArrayVec<SackBlock, 4>,
    /// Duplicate acknowledgments that the peer sent since it last moved on (RFC 5681 §2).
    pub duplicate_acks: u32,
    /// The recovery that goes on, and the number where it ends.
    pub recovery: Option<(Recovery, SeqNumber)>,
    /// When that recovery began: a timeout gives up what was sent before.
    pub recovering_since: Option<Timestamp>,
    /// Transmission of the youngest packet that is known to have arrived (RACK.xmit_ts, RFC 8985 §6.1).
    pub delivered: Option<Timestamp>,
    /// When the peer last acknowledged something new: timers start over then (RFC 6298 §5.3).
    pub moved_on: Option<Timestamp>,
    /// Latest TSval that moved it on (TS.Recent of the peer, RFC 7323 §4.3), and when.
    pub ts_recent: Option<(u32, Timestamp)>,
    /// Largest window it ever offered, octets.
    pub largest_window: u32,
    /// Repetitions waiting for proof.
    pub(super) repeats: ArrayVec<Repeat, MAX_REPEATS>,
    /// Its previous packet.
    pub(super) previous: Option<Previous>,
    /// The peer did something that is owed an acknowledgment from this side.
    pub(super) owes: Option<(Owed, u64)>,
    /// When it last offered its present window.
    pub(super) offered: Option<Mark>,
    /// `sent` is not in order of numbers.
    disordered: bool,
}

/// Why octets are being sent again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Recovery {
    /// The peer asked: duplicate acknowledgments or SACK.
    Fast,
    /// The timer ran out.
    Timeout,
}

/// What the peer's next acknowledgment answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owed {
    KeepAlive,
    ZeroWindowProbe,
    Challenge,
}

/// A segment on its way.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// First number.
    pub seq: SeqNumber,
    /// First number behind it.
    pub end: SeqNumber,
    /// First transmission.
    pub first: Mark,
    /// Latest transmission.
    pub last: Mark,
    /// Transmissions seen.
    pub times: u16,
    /// First octets of the payload, hashed; 0 where not enough was captured.
    pub(super) print: u64,
}

impl Sent {
    /// Transmission that an acknowledgment at `at` answers.
    fn arrived_by(&self, at: Timestamp, too_soon: Span) -> Timestamp {
        if at.since(self.last.at) < too_soon { self.first.at } else { self.last.at }
    }
}

/// A repetition that may prove needless.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    pub(super) seq: SeqNumber,
    pub(super) end: SeqNumber,
    pub(super) mark: Mark,
    pub(super) ts_value: Option<u32>,
    /// An acknowledgment covered it already; only a duplicate SACK can add something.
    pub(super) covered: bool,
}

/// The latest packet of a side, to know it again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Previous {
    pub(super) mark: Mark,
    pub(super) ip_id: Option<u32>,
    pub(super) ttl: u8,
    pub(super) seq: SeqNumber,
    pub(super) ack: SeqNumber,
    pub(super) flags: TcpFlags,
    pub(super) window: u16,
    pub(super) len: u32,
    pub(super) ts: Option<(u32, u32)>,
}

impl Tcb {
    /// The segment on its way that begins at `seq`, or covers it.
    pub(super) fn covering(&self, seq: SeqNumber) -> Option<&Sent> {
        self.sent.iter().rev().find(|sent| sent.seq.at_or_before(seq) && seq.before(sent.end))
    }

    /// Octets above `seq` that the peer says it holds.
    pub(super) fn sacked_above(&self, seq: SeqNumber) -> u32 {
        self.sacked
            .iter()
            .filter(|block| seq.before(block.right))
            .map(|block| block.left.max(seq).offset_to(block.right))
            .sum()
    }

    /// Takes note of a segment of this side, after it was judged.
    pub(super) fn sends(&mut self, segment: &Segment<'_>, probe: bool) {
        let tcp = segment.tcp;
        if segment.carries() && !probe {
            self.remember(segment, print(segment));
        }
        if let Some((value, _)) = tcp.said.timestamps
            && self.ts_recent.is_none_or(|(recent, _)| (value.wrapping_sub(recent) as i32) >= 0)
        {
            self.ts_recent = Some((value, segment.mark.at));
        }
        let moved = self.previous.is_none_or(|before| before.window != tcp.window || before.ack != tcp.ack);
        if moved {
            self.offered = Some(segment.mark);
        }
        let scale = if tcp.flags.has(TcpFlags::SYN) { 0 } else { segment.before.sender_scale.unwrap_or(0) };
        self.largest_window = self.largest_window.max(u32::from(tcp.window) << scale);
        self.previous = Some(Previous {
            mark: segment.mark,
            ip_id: segment.ip.id,
            ttl: segment.ip.ttl,
            seq: tcp.seq,
            ack: tcp.ack,
            flags: tcp.flags,
            window: tcp.window,
            len: tcp.len,
            ts: tcp.said.timestamps,
        });
    }

    fn remember(&mut self, segment: &Segment<'_>, print: u64) {
        let (seq, end) = (segment.tcp.seq, segment.tcp.end());
        if self.sent.back().is_none_or(|youngest| youngest.end.at_or_before(seq)) {
            self.push(Sent { seq, end, first: segment.mark, last: segment.mark, times: 1, print });
            return;
        }
        let known =
            self.sent.iter_mut().rev().find(|sent| sent.seq == seq || sent.seq.before(end) && seq.before(sent.end));
        if let Some(known) = known {
            known.last = segment.mark;
            known.times = known.times.saturating_add(1);
            let ts_value = segment.tcp.said.timestamps.map(|(value, _)| value);
            if self.repeats.is_full() {
                self.repeats.remove(0);
            }
            self.repeats.push(Repeat { seq, end, mark: segment.mark, ts_value, covered: false });
            let beyond = known.end.before(end).then_some(known.end);
            let Some(rest) = beyond else { return };
            self.disordered |= self.sent.back().is_some_and(|youngest| rest.before(youngest.end));
            self.push(Sent { seq: rest, end, first: segment.mark, last: segment.mark, times: 1, print: 0 });
            return;
        }
        self.push(Sent { seq, end, first: segment.mark, last: segment.mark, times: 1, print });
        self.disordered = true;
    }

    fn push(&mut self, sent: Sent) {
        if self.sent.len() >= MAX_SENT {
            self.sent.pop_front();
            self.forgotten += 1;
        }
        self.sent.push_back(sent);
    }

    /// The peer's segment acknowledges: what arrived leaves, samples are taken, duplicates counted (RFC 5681 §2).
    pub(super) fn is_acknowledged(&mut self, segment: &Segment<'_>) {
        let ack = segment.tcp.ack;
        let una = segment.before.receiver.snd_una;
        if una.is_none_or(|una| una.before(ack)) {
            self.duplicate_acks = 0;
            self.moved_on = Some(segment.mark.at);
            self.retire(segment, ack);
            if self.recovery.is_some_and(|(_, until)| until.at_or_before(ack)) {
                self.recovery = None;
            }
        } else if una == Some(ack) && segment.is_pure_ack() && !self.sent.is_empty() && self.same_window(segment) {
            self.duplicate_acks = self.duplicate_acks.saturating_add(1);
        }
        self.is_held(segment);
        self.sacked.clear();
        for block in &segment.tcp.said.sack {
            if ack.before(block.right) && block.left.before(block.right) {
                let _ = self.sacked.try_push(*block);
            }
        }
    }

    /// The first block holds what has just arrived (RFC 2018 §4): at one of its ends, or between blocks that it joins.
    fn is_held(&mut self, segment: &Segment<'_>) {
        let Some(block) = segment.tcp.said.sack.first() else { return };
        let too_soon = self.too_soon();
        let before = |seq: SeqNumber| seq.plus(u32::MAX);
        let joins = self.sacked.iter().flat_map(|known| [before(known.left), known.right]);
        let places = [block.left, before(block.right)].into_iter().chain(joins);
        let inside = places.filter(|&seq| block.left.at_or_before(seq) && seq.before(block.right));
        let arrived =
            inside.filter_map(|seq| self.covering(seq)).map(|sent| sent.arrived_by(segment.mark.at, too_soon));
        self.delivered = arrived.max().max(self.delivered);
    }

    /// Sooner than this it is the original that is acknowledged, not its repetition (RFC 8985 §6.2, step 2).
    fn too_soon(&self) -> Span {
        self.rtt.srtt.map_or(Span::ZERO, |srtt| Span(srtt.0 / 2))
    }

    /// RFC 5681 §2: a duplicate acknowledgment does not change the window. SACK makes up for it where it does.
    fn same_window(&self, segment: &Segment<'_>) -> bool {
        !segment.tcp.said.sack.is_empty()
            || segment.before.sender.rcv_wnd.is_some_and(|window| {
                segment.before.sender_scale.is_some_and(|scale| window == u32::from(segment.tcp.window) << scale)
            })
    }

    /// Lets go of what arrived. The youngest of it gives a sample, unless some of it was sent twice (Karn, RFC 6298 §3).
    fn retire(&mut self, segment: &Segment<'_>, ack: SeqNumber) {
        let mut youngest: Option<Sent> = None;
        let mut ambiguous = false;
        let mut delivered = self.delivered;
        let too_soon = self.too_soon();
        let mut leave = |sent: &Sent| {
            ambiguous |= sent.times > 1;
            youngest = Some(*sent);
            delivered = delivered.max(Some(sent.arrived_by(segment.mark.at, too_soon)));
        };
        if self.disordered {
            self.sent.retain(|sent| {
                let stays = !sent.end.at_or_before(ack);
                if !stays {
                    leave(sent);
                }
                stays
            });
            self.disordered = !self.sent.iter().zip(self.sent.iter().skip(1)).all(|(a, b)| a.seq.before(b.seq));
        } else {
            while self.sent.front().is_some_and(|sent| sent.end.at_or_before(ack)) {
                if let Some(sent) = self.sent.pop_front() {
                    leave(&sent);
                }
            }
        }
        self.delivered = delivered;
        if let Some(sent) = youngest.filter(|_| !ambiguous) {
            self.rtt.sample(segment.mark.at.since(sent.last.at));
        }
    }

    /// Round trip as the sender itself feels it: what the capture point sees, and its own way there and back.
    pub fn full_rtt(&self, sender_half: Option<Span>) -> Option<Span> {
        self.rtt.srtt.map(|srtt| Span(srtt.0.saturating_add(sender_half.map_or(0, |half| half.0))))
    }
}

/// A print of the first octets of the payload, so that other octets under the same numbers show.
pub(super) fn print(segment: &Segment<'_>) -> u64 {
    let enough = segment.tcp.payload.len() >= (segment.tcp.len as usize).min(COMPARED);
    if segment.tcp.len == 0 || !enough {
        return 0;
    }
    // FNV-1a: tiny, and a collision only hides a difference.
    let head = &segment.tcp.payload[..segment.tcp.payload.len().min(COMPARED)];
    head.iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &octet| (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3))
}
