//! What is kept about one side beyond its numbers: segments on their way, the scoreboard, the peer's requests.
//!
//! Bounded: at most [`MAX_SENT`] segments per side; beyond, the oldest is forgotten and counted, and what rests on it
//! cannot be told any more.

use crate::packet::SackBlock;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::Timestamp;
use crate::packet::seq::seq_len;
use crate::tcp::event::Mark;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::rtt::RttEstimate;
use crate::tcp::verdict::sent::Outstanding;
use crate::tcp::verdict::sent::Sent;

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
    pub sent: Outstanding,
    /// Duplicate acknowledgments that the peer sent since it last moved on (RFC 5681 §2).
    pub duplicate_acks: u32,
    /// Transmission of the youngest packet that is known to have arrived (RACK.xmit_ts, RFC 8985 §6.1).
    pub delivered: Option<Timestamp>,
    /// When the peer last acknowledged something new: timers start over then (RFC 6298 §5.3).
    pub moved_on: Option<Timestamp>,
    /// Latest TSval that moved it on (TS.Recent of the peer, RFC 7323 §4.3), and when.
    pub ts_recent: Option<(u32, Timestamp)>,
    /// Largest window it ever offered, octets.
    pub largest_window: u32,
    /// Its previous packet.
    pub(in crate::tcp) previous: Option<Previous>,
    /// When it last offered its present window.
    pub(super) offered: Option<Mark>,
    /// What most connections never need to remember.
    trouble: Option<Box<Trouble>>,
}

/// What is kept of a side once something out of the ordinary has happened on its way.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Segments forgotten because too many were on their way.
    pub forgotten: u64,
    /// Blocks that the peer says it holds, its latest word.
    pub sacked: Vec<SackBlock>,
    /// The recovery that goes on, and the number where it ends.
    pub recovery: Option<(Recovery, SeqNumber)>,
    /// When that recovery began: a timeout gives up what was sent before.
    pub recovering_since: Option<Timestamp>,
    /// Repetitions waiting for proof.
    pub(super) repeats: Vec<Repeat>,
    /// The peer did something that is owed an acknowledgment from this side.
    pub(super) owes: Option<(Owed, u64)>,
    /// The segments on their way are not in order of numbers.
    disordered: bool,
}

impl Trouble {
    const NONE: Self = Self {
        forgotten: 0,
        sacked: Vec::new(),
        recovery: None,
        recovering_since: None,
        repeats: Vec::new(),
        owes: None,
        disordered: false,
    };
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

/// A repetition that may prove needless.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    pub(super) seq: SeqNumber,
    pub(super) end: SeqNumber,
    pub(super) mark: Mark,
    pub(super) ts_value: Option<u32>,
    /// TSval of the transmission before.
    pub(super) ts_original: Option<u32>,
    /// Nothing older was owed when it was sent.
    pub(super) was_oldest: bool,
    /// An acknowledgment has covered it without telling.
    pub(super) asked: bool,
}

/// The latest packet of a side, to know it again.
#[derive(Clone, Copy, Debug)]
pub(in crate::tcp) struct Previous {
    pub(super) mark: Mark,
    pub(super) ip_id: Option<u32>,
    pub(in crate::tcp) ttl: u8,
    pub(super) seq: SeqNumber,
    pub(in crate::tcp) ack: SeqNumber,
    pub(super) flags: TcpFlags,
    pub(super) window: u16,
    pub(super) len: u32,
    pub(super) ts: Option<(u32, u32)>,
}

impl Recovery {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Timeout => "timeout",
        }
    }
}

impl Tcb {
    /// Number behind its latest packet, SYN and FIN counted: where it goes on from, as far as an observer can tell.
    pub fn snd_nxt(&self) -> Option<SeqNumber> {
        self.previous.map(|previous| previous.seq.plus(seq_len(previous.len, previous.flags)))
    }

    /// The SYN again, now with an acknowledgment of the peer's that crossed it: the answer of a simultaneous open, and no
    /// repetition (RFC 9293 §3.5, figure 7).
    pub(super) fn answers_crossing_syn(&self, flags: TcpFlags) -> bool {
        let syn_ack = TcpFlags::SYN.with(TcpFlags::ACK);
        flags.has(syn_ack) && self.previous.is_some_and(|previous| previous.flags.is_pure_syn())
    }

    /// What is out of the ordinary.
    pub fn trouble(&self) -> &Trouble {
        const NONE: &Trouble = &Trouble::NONE;
        self.trouble.as_deref().unwrap_or(NONE)
    }

    /// The same, to change it: a connection without trouble begins to pay for it here.
    pub(super) fn trouble_mut(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_with(|| Box::new(Trouble::NONE))
    }

    /// The peer did something that is owed an acknowledgment from this side.
    pub(super) fn owe(&mut self, owed: Owed, frame: u64) {
        self.trouble_mut().owes = Some((owed, frame));
    }

    /// The segment on its way that begins at `seq`, or covers it.
    pub(super) fn covering(&self, seq: SeqNumber) -> Option<&Sent> {
        self.sent.iter().rev().find(|sent| sent.seq.at_or_before(seq) && seq.before(sent.end))
    }

    /// The oldest segment on its way that bears this timestamp (RFC 7323 §3).
    pub(in crate::tcp) fn stamped(&self, ts_value: u32) -> Option<&Sent> {
        let younger = |sent: &Sent| sent.ts_value.is_some_and(|value| (value.wrapping_sub(ts_value) as i32) > 0);
        let older = self.sent.iter().take_while(|sent| !younger(sent));
        older.into_iter().find(|sent| sent.ts_value == Some(ts_value))
    }

    /// Octets above `seq` that the peer says it holds.
    pub(super) fn sacked_above(&self, seq: SeqNumber) -> u32 {
        self.trouble()
            .sacked
            .iter()
            .filter(|block| seq.before(block.right))
            .map(|block| block.left.max(seq).offset_to(block.right))
            .sum()
    }

    /// Takes note of a segment of this side, after it was judged.
    pub(super) fn sends(&mut self, segment: &Segment<'_>, probe: bool) {
        let tcp = segment.tcp;
        if segment.carries() && !probe && !self.answers_crossing_syn(tcp.flags) {
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

    fn remember(&mut self, segment: &Segment<'_>, print: u32) {
        let (seq, end) = (segment.tcp.seq, segment.tcp.end());
        let ts_value = segment.tcp.said.timestamps.map(|(value, _)| value);
        let (ip_id, ttl) = (ip_id(segment), segment.ip.ttl);
        let (first, last) = (segment.mark, segment.mark);
        let new = |seq, print| Sent { seq, end, first, last, times: 1, ts_value, ip_id, ttl, print };
        if segment.before.sender.snd_una.is_some_and(|una| end.at_or_before(una)) {
            // On its way to nobody: only a duplicate SACK may still come for it.
            self.repeats(Repeat {
                seq,
                end,
                mark: segment.mark,
                ts_value,
                ts_original: None,
                was_oldest: false,
                asked: true,
            });
            return;
        }
        if self.sent.back().is_none_or(|youngest| youngest.end.at_or_before(seq)) {
            self.push(new(seq, print));
            return;
        }
        let known =
            self.sent.iter_mut().rev().find(|sent| sent.seq == seq || sent.seq.before(end) && seq.before(sent.end));
        if let Some(known) = known {
            known.last = segment.mark;
            known.times = known.times.saturating_add(1);
            (known.ip_id, known.ttl) = (ip_id, ttl);
            let ts_original = std::mem::replace(&mut known.ts_value, ts_value);
            let was_oldest = segment.before.sender.snd_una.is_none_or(|una| seq.at_or_before(una));
            let (last_end, mark) = (known.end, segment.mark);
            self.repeats(Repeat { seq, end, mark, ts_value, ts_original, was_oldest, asked: false });
            let beyond = last_end.before(end).then_some(last_end);
            let Some(rest) = beyond else { return };
            if self.sent.back().is_some_and(|youngest| rest.before(youngest.end)) {
                self.trouble_mut().disordered = true;
            }
            self.push(new(rest, 0));
            return;
        }
        self.push(new(seq, print));
        self.trouble_mut().disordered = true;
    }

    fn repeats(&mut self, repeat: Repeat) {
        let repeats = &mut self.trouble_mut().repeats;
        if repeats.len() >= MAX_REPEATS {
            repeats.remove(0);
        }
        repeats.push(repeat);
    }

    fn push(&mut self, sent: Sent) {
        if self.sent.len() >= MAX_SENT {
            self.sent.pop_front();
            self.trouble_mut().forgotten += 1;
        }
        self.sent.push_back(sent);
    }

    /// The peer's segment acknowledges: what arrived leaves, samples are taken, duplicates counted (RFC 5681 §2). The sample, if
    /// there was one.
    pub(super) fn is_acknowledged(&mut self, segment: &Segment<'_>) -> Option<Span> {
        let ack = segment.tcp.ack;
        let mut sample = None;
        let una = segment.before.receiver.snd_una;
        if una.is_none_or(|una| una.before(ack)) {
            self.duplicate_acks = 0;
            self.moved_on = Some(segment.mark.at);
            sample = self.retire(segment, ack);
            if self.trouble().recovery.is_some_and(|(_, until)| until.at_or_before(ack)) {
                self.trouble_mut().recovery = None;
            }
        } else if una == Some(ack) && segment.is_pure_ack() && !self.sent.is_empty() && self.same_window(segment) {
            self.duplicate_acks = self.duplicate_acks.saturating_add(1);
        }
        self.is_held(segment);
        let blocks = &segment.tcp.said.sack;
        if blocks.is_empty() && self.trouble.is_none() {
            return sample;
        }
        let above = blocks.iter().filter(|block| ack.before(block.right) && block.left.before(block.right));
        let sacked = &mut self.trouble_mut().sacked;
        sacked.clear();
        sacked.extend(above);
        sample
    }

    /// The first block holds what has just arrived (RFC 2018 §4): at one of its ends, or between blocks that it joins.
    fn is_held(&mut self, segment: &Segment<'_>) {
        let Some(block) = segment.tcp.said.sack.first() else { return };
        let too_soon = self.too_soon();
        let before = |seq: SeqNumber| seq.plus(u32::MAX);
        let joins = self.trouble().sacked.iter().flat_map(|known| [before(known.left), known.right]);
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
    fn retire(&mut self, segment: &Segment<'_>, ack: SeqNumber) -> Option<Span> {
        let mut youngest: Option<Sent> = None;
        let mut ambiguous = false;
        let mut delivered = self.delivered;
        let too_soon = self.too_soon();
        let mut leave = |sent: &Sent| {
            ambiguous |= sent.times > 1;
            youngest = Some(*sent);
            delivered = delivered.max(Some(sent.arrived_by(segment.mark.at, too_soon)));
        };
        if self.trouble().disordered {
            self.sent.retain(|sent| {
                let stays = !sent.end.at_or_before(ack);
                if !stays {
                    leave(sent);
                }
                stays
            });
            let disordered = !self.sent.is_in_order();
            self.trouble_mut().disordered = disordered;
        } else {
            while self.sent.front().is_some_and(|sent| sent.end.at_or_before(ack)) {
                if let Some(sent) = self.sent.pop_front() {
                    leave(&sent);
                }
            }
        }
        self.delivered = delivered;
        let sample = segment.mark.at.since(youngest.filter(|_| !ambiguous)?.last.at);
        self.rtt.sample(sample);
        Some(sample)
    }

    /// Round trip as the sender itself feels it: what the capture point sees, and its own way there and back.
    pub fn full_rtt(&self, sender_half: Option<Span>) -> Option<Span> {
        self.rtt.srtt.map(|srtt| Span(srtt.0.saturating_add(sender_half.map_or(0, |half| half.0))))
    }
}

/// A print of the first octets of the payload, so that other octets under the same numbers show.
pub(super) fn print(segment: &Segment<'_>) -> u32 {
    let enough = segment.tcp.payload.len() >= (segment.tcp.len as usize).min(COMPARED);
    if segment.tcp.len == 0 || !enough {
        return 0;
    }
    let head = &segment.tcp.payload[..segment.tcp.payload.len().min(COMPARED)];
    let word = |octets: &[u8]| octets.iter().fold(0, |word, &octet| word << 8 | u64::from(octet));
    // FNV-1a, eight octets at a time: tiny, and a collision only hides a difference.
    let hash = head.chunks(8).fold(0xcbf2_9ce4_8422_2325, |hash: u64, octets| {
        (hash ^ word(octets)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
    });
    (hash >> 32) as u32
}

/// The IPv4 id; an IPv6 packet has none.
pub(super) fn ip_id(segment: &Segment<'_>) -> u16 {
    segment.ip.id.and_then(|id| u16::try_from(id).ok()).unwrap_or(0)
}
