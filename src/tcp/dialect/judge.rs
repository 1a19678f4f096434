//! Wireshark 4.0's verdicts on one segment, step by step and in its order, quirks included.
//!
//! The order *is* the dialect: a later step sees what an earlier one changed. Numbers called "unknown when 0" are that
//! in Wireshark too, so a stream whose next number lands exactly on 0 is briefly taken for a new one.

use crate::packet::flags::TcpFlags;
use crate::packet::seq::SeqNumber;
use crate::packet::time::Span;
use crate::tcp::dialect::before;
use crate::tcp::dialect::hearing::Heard;
use crate::tcp::dialect::unacked::Sent;
use crate::tcp::dialect::unacked::Unacked;
use crate::tcp::dialect::verdict::Verdicts;

/// A stale segment this soon after the ACK that names it is a fast retransmission.
const FAST_WITHIN: u64 = 20_000_000;
/// Without a round trip time, a stale segment this soon after the highest one is out of order.
const REORDERED_WITHIN: u64 = 3_000_000;
/// Bytes in flight beyond this are taken for an accident of arithmetic.
const FLIGHT_LIMIT: u32 = 2_000_000_000;

/// One segment as the steps need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) frame: u64,
    /// Nanoseconds since the epoch.
    pub(super) at: i64,
    pub(super) seq: SeqNumber,
    pub(super) ack: SeqNumber,
    pub(super) flags: TcpFlags,
    pub(super) window: u16,
    pub(super) len: u32,
    pub(super) heard: Heard,
}

impl Segment {
    /// None of the control bits that take part in opening and closing.
    fn is_clean(&self) -> bool {
        !self.flags.any(SYN_FIN.with(TcpFlags::RST))
    }

    fn has_syn_or_fin(&self) -> bool {
        self.flags.any(SYN_FIN)
    }

    /// Takes sequence space.
    pub(super) fn takes_space(&self) -> bool {
        self.len > 0 || self.has_syn_or_fin()
    }

    /// End of the payload, SYN and FIN not counted.
    fn payload_end(&self) -> SeqNumber {
        self.seq.plus(self.len)
    }

    /// End with SYN and FIN, for which Wireshark adds one together, not one each.
    fn end(&self) -> SeqNumber {
        self.payload_end().plus(u32::from(self.has_syn_or_fin()))
    }

    /// Nanoseconds since `then`, unsigned: a clock that stepped back makes a huge number.
    fn since(&self, then: i64) -> u64 {
        self.at.wrapping_sub(then) as u64
    }

    fn span_since(&self, then: i64) -> Span {
        Span(self.at.saturating_sub(then))
    }
}

/// What one side has shown of itself so far.
#[derive(Debug)]
pub(super) struct Side {
    /// Highest number seen, plus what that segment took; 0 is unknown.
    next: SeqNumber,
    next_at: i64,
    next_frame: u64,
    /// End of what was captured without a hole: the highest number the peer may acknowledge. 0 is unknown.
    max_ack: SeqNumber,
    last_ack: SeqNumber,
    last_at: i64,
    /// Duplicate ACKs so far; -1 after an ACK of something that was not captured.
    duplicates: i32,
    original_frame: u64,
    window: u32,
    pub(super) scale: i8,
    pub(super) awaits_first_ack: bool,
    last_verdicts: Verdicts,
    pub(super) unacked: Unacked,
    /// Octets in the SACK blocks of this side's latest segment.
    sacked: u32,
    flight_is_known: bool,
    pushed: u32,
    push_was_last: bool,
    /// One before the first octet.
    pub(super) base: Option<SeqNumber>,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            next: SeqNumber(0),
            next_at: 0,
            next_frame: 0,
            max_ack: SeqNumber(0),
            last_ack: SeqNumber(0),
            last_at: 0,
            duplicates: 0,
            original_frame: 0,
            window: u32::MAX,
            scale: SCALE_UNKNOWN,
            awaits_first_ack: false,
            last_verdicts: Verdicts::NONE,
            unacked: Unacked::default(),
            sacked: 0,
            flight_is_known: true,
            pushed: 0,
            push_was_last: false,
            base: None,
        }
    }
}

impl Side {
    /// A SYN with the number already known: what odd resets did to the highest number is undone.
    pub(super) fn reopen(&mut self) {
        self.next = self.max_ack;
    }

    /// What the options change, after the verdicts: the segment's own window is not yet scaled by its own option.
    pub(super) fn hear_options(&mut self, segment: &Segment) {
        if let Some(shift) = segment.heard.window_scale {
            // RFC 7323 §2.3 allows 14 at most. In any segment, not only in a SYN.
            self.scale = shift.min(14) as i8;
        }
        self.sacked = segment.heard.sacked;
    }
}

/// What the steps found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judgement {
    pub(super) verdicts: Verdicts,
    pub(super) duplicate_ack: Option<(i32, u64)>,
    pub(super) acks: Option<(u64, Span)>,
    pub(super) rto: Option<(u64, Span)>,
    pub(super) bytes_in_flight: Option<u32>,
    pub(super) push_bytes_sent: Option<u32>,
    /// Wireshark keeps a record of the segment, be it empty: only with one does it show the round trip time.
    pub(super) is_recorded: bool,
}

/// A segment from `f` to `r`. `has_room` is false when no more segments may be noted anywhere.
pub(super) fn judge(f: &mut Side, r: &mut Side, first_rtt: i64, has_room: bool, segment: &Segment) -> Judgement {
    let mut found = Judgement::default();
    f.sacked = 0;
    if segment.flags.has(TcpFlags::ACK) {
        r.flight_is_known = true;
    }
    found.verdicts = at_the_edge(f, r, segment);
    if duplicates(f, segment, found.verdicts) {
        f.duplicates = if f.duplicates == -1 { 1 } else { f.duplicates.saturating_add(1) };
        found.verdicts.add(Verdicts::DUPLICATE_ACK);
        found.duplicate_ack = Some((f.duplicates, f.original_frame));
    }
    if segment.ack != f.last_ack {
        f.original_frame = segment.frame;
        f.duplicates = 0;
    }
    if segment.flags.has(TcpFlags::ACK) && r.max_ack.0 != 0 && before(r.max_ack, segment.ack) {
        found.is_recorded = true;
        found.verdicts.add(beyond_the_captured(r));
    }
    if segment.takes_space() && !found.verdicts.has(Verdicts::KEEP_ALIVE) {
        let (verdict, rto) = sent_again(f, r, first_rtt, segment);
        found.verdicts.add(verdict);
        found.rto = rto;
    }
    remember(f, has_room, segment, found.verdicts);
    found.acks = r.unacked.acknowledge(segment.ack).map(|sent| (sent.frame, segment.span_since(sent.at)));
    if segment.len > 0 && !f.unacked.is_empty() && f.flight_is_known {
        found.is_recorded = true;
        let pushed = push(f, segment);
        found.bytes_in_flight = flight(f, r, segment);
        // Counted always, shown only beside a plausible flight.
        found.push_bytes_sent = found.bytes_in_flight.map(|_| pushed);
    }
    found.is_recorded |= !found.verdicts.is_empty() || found.acks.is_some();
    found
}

/// Empty, and nothing has changed since this side's last segment but perhaps the window.
fn repeats(f: &Side, segment: &Segment) -> bool {
    segment.len == 0 && segment.seq == f.next && segment.ack == f.last_ack && segment.is_clean()
}

/// Steps 1 to 8: probes, windows, holes, keep-alives.
fn at_the_edge(f: &mut Side, r: &Side, segment: &Segment) -> Verdicts {
    let Segment { seq, len, flags, .. } = *segment;
    let window = u32::from(segment.window);
    if len == 1 && seq == f.next && r.window == 0 {
        return Verdicts::ZERO_WINDOW_PROBE;
    }
    let mut verdicts = Verdicts::NONE;
    if window == 0 && segment.is_clean() {
        verdicts.add(Verdicts::ZERO_WINDOW);
    }
    if f.next.0 != 0 && before(f.next, seq) && !flags.has(TcpFlags::RST) {
        verdicts.add(Verdicts::LOST_SEGMENT);
        f.flight_is_known = false;
    }
    if len <= 1 && seq == f.next.minus(1) && segment.is_clean() {
        verdicts.add(Verdicts::KEEP_ALIVE);
    }
    let repeats = repeats(f, segment);
    if repeats && window != 0 && window != f.window {
        verdicts.add(Verdicts::WINDOW_UPDATE);
    }
    if len > 0 && segment.is_clean() && r.scale != SCALE_UNKNOWN && segment.payload_end() == right_edge(r) {
        verdicts.add(Verdicts::WINDOW_FULL);
    }
    if repeats && window != 0 && window == f.window && r.last_verdicts.has(Verdicts::KEEP_ALIVE) {
        verdicts.add(Verdicts::KEEP_ALIVE_ACK);
    } else if repeats && window == 0 && f.window == 0 && r.last_verdicts.has(Verdicts::ZERO_WINDOW_PROBE) {
        verdicts.add(Verdicts::ZERO_WINDOW_PROBE_ACK);
    }
    verdicts
}

/// The last number that `r` has offered to take. Its window counts unscaled until its first ACK after the SYN.
fn right_edge(r: &Side) -> SeqNumber {
    let shift = if r.awaits_first_ack || r.scale < 0 { 0 } else { r.scale as u32 };
    r.last_ack.plus(r.window.wrapping_shl(shift))
}

/// Step 9.
fn duplicates(f: &Side, segment: &Segment, verdicts: Verdicts) -> bool {
    let window = u32::from(segment.window);
    repeats(f, segment) && window != 0 && window == f.window && !verdicts.has(Verdicts::KEEP_ALIVE_ACK)
}

/// Step 11: acknowledges what the capture does not hold. Said once; the next data segment of `r` clears the slate.
fn beyond_the_captured(r: &mut Side) -> Verdicts {
    if before(r.max_ack, r.next) {
        r.max_ack = r.next;
        return Verdicts::ACK_LOST_SEGMENT;
    }
    let first = r.duplicates == 0;
    r.duplicates = -1;
    if first { Verdicts::ACK_LOST_SEGMENT } else { Verdicts::NONE }
}

/// Step 12: which kind of repetition this is, if one.
fn sent_again(f: &Side, r: &Side, first_rtt: i64, segment: &Segment) -> (Verdicts, Option<(u64, Span)>) {
    let Segment { seq, len, .. } = *segment;
    if len > 0 && r.last_ack.0 != 0 && !before(r.last_ack, segment.payload_end()) {
        return (Verdicts::SPURIOUS_RETRANSMISSION, None);
    }
    let one_octet_early = len > 1 && seq == f.next.minus(1);
    if f.next.0 == 0 || !before(seq, f.next) || one_octet_early {
        return (Verdicts::NONE, None);
    }
    let asked_for = r.duplicates >= 2 || r.duplicates == -1;
    if asked_for && r.last_ack == seq && segment.since(r.last_at) < FAST_WITHIN {
        return (Verdicts::FAST_RETRANSMISSION, None);
    }
    let soon = if first_rtt == 0 { REORDERED_WITHIN } else { first_rtt as u64 };
    if segment.since(f.next_at) < soon && f.next != segment.end() {
        return (Verdicts::OUT_OF_ORDER, None);
    }
    let waited_for = f.unacked.oldest().map_or((f.next_frame, f.next_at), |sent| (sent.frame, sent.at));
    (Verdicts::RETRANSMISSION, Some((waited_for.0, segment.span_since(waited_for.1))))
}

/// Steps 13 to 15.
fn remember(f: &mut Side, has_room: bool, segment: &Segment, verdicts: Verdicts) {
    // A segment that no longer fits into the list loses the number of its SYN or FIN as well. Wireshark's slip.
    let mut end = segment.payload_end();
    if segment.takes_space() && has_room && !f.unacked.is_full() {
        end = segment.end();
        f.unacked.push(Sent { frame: segment.frame, at: segment.at, seq: segment.seq, end });
    }
    if !verdicts.has(Verdicts::ZERO_WINDOW_PROBE) {
        if f.next.0 == 0 || before(f.next, end) {
            f.next = end;
            f.next_at = segment.at;
            f.next_frame = segment.frame;
        }
        if segment.seq == f.max_ack || f.max_ack.0 == 0 {
            f.max_ack = f.next;
        }
    }
    f.window = u32::from(segment.window);
    f.last_ack = segment.ack;
    f.last_at = segment.at;
    f.last_verdicts = verdicts;
}

/// Step 17: octets outstanding, less what the peer's latest SACK blocks hold.
fn flight(f: &Side, r: &Side, segment: &Segment) -> Option<u32> {
    let octets = f.unacked.extent(f.base.unwrap_or_default()).wrapping_sub(r.sacked);
    let plausible = octets > 0 && octets < FLIGHT_LIMIT;
    plausible.then(|| octets - u32::from(segment.has_syn_or_fin()))
}

/// Step 17, the other half: octets since the last PSH.
fn push(f: &mut Side, segment: &Segment) -> u32 {
    f.pushed = if f.push_was_last { segment.len } else { f.pushed.wrapping_add(segment.len) };
    f.push_was_last = segment.flags.has(TcpFlags::PSH);
    f.pushed
}

/// No SYN of this side was seen.
pub(super) const SCALE_UNKNOWN: i8 = -1;
/// A SYN without the option was seen.
pub(super) const SCALE_UNUSED: i8 = -2;

const SYN_FIN: TcpFlags = TcpFlags::SYN.with(TcpFlags::FIN);
