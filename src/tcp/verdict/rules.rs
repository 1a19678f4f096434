//! Rules that every segment must keep: numbers inside windows, acknowledgments of what was sent, options in their place.
//!
//! RFC 9293 §3.10.7.4 (acceptability), §3.8.6 (windows), RFC 5961 §3–5 (resets, acknowledgments), RFC 7323 §2, §5 (scale,
//! PAWS), RFC 9293 §3.2 (MSS), RFC 2018 §3–4 (SACK). An observer knows the receiver's `rcv_nxt` only from its
//! acknowledgments, so the true one lies between `snd_una` and `snd_max` of the sender: what both bounds refuse is broken.

use crate::finding::Code;
use crate::finding::Gap;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::rtt::MIN_RTO;
use crate::tcp::verdict::tcb::Owed;
use crate::tcp::verdict::tcb::Tcb;

/// RFC 7323 §2.3.
const MAX_SHIFT: u8 = 14;
/// No window is larger (RFC 7323 §2.3).
const MAX_WINDOW: u32 = 1 << 30;
const HALF_CIRCLE: u32 = 1 << 31;
/// Timestamps older than this may have wrapped (RFC 7323 §5.5).
const TS_VALID: Span = Span::from_secs(24 * 86_400);

pub(super) fn check(segment: &Segment<'_>, own: &mut Tcb, peer: &mut Tcb, said: &mut Said<'_>) {
    options(segment, said);
    paws(segment, own, peer, said);
    if segment.tcp.flags.has(TcpFlags::RST) {
        reset(segment, own, peer, said);
        return;
    }
    sequence(segment, peer, said);
    if segment.tcp.flags.has(TcpFlags::ACK) {
        acknowledgment(segment, peer, said);
        shrink(segment, said);
        sack(segment, peer, said);
        challenge(segment, own, said);
    }
}

fn options(segment: &Segment<'_>, said: &mut Said<'_>) {
    let tcp = segment.tcp;
    let syn = tcp.flags.has(TcpFlags::SYN);
    if let Some(shift) = tcp.said.window_scale.filter(|_| syn) {
        said.rule(Code::WindowScaleLimit, shift > MAX_SHIFT, |judged| judged.count("shift", shift));
    }
    if let Some(mss) = tcp.said.mss.filter(|_| !syn) {
        said.say(Judgement::broken(Code::MssOutsideSyn).count("mss", mss));
    }
    if syn {
        return;
    }
    if tcp.said.window_scale.is_some() {
        said.say(Judgement::broken(Code::OptionOutsideSyn).word("option", "window scale"));
    }
    if tcp.said.sack_permitted {
        said.say(Judgement::broken(Code::OptionOutsideSyn).word("option", "SACK-permitted"));
    }
}

/// A timestamp that runs back: the receiver drops the segment and acknowledges (RFC 7323 §5.3).
fn paws(segment: &Segment<'_>, own: &Tcb, peer: &mut Tcb, said: &mut Said<'_>) {
    let (Some((value, _)), Some((recent, since))) = (segment.tcp.said.timestamps, own.ts_recent) else { return };
    if segment.tcp.flags.any(TcpFlags::RST.with(TcpFlags::SYN)) {
        return;
    }
    let (sent, taken) = (segment.before.sender.offer, segment.before.receiver.offer);
    if sent.seen && taken.seen && !segment.before.timestamps {
        // Not agreed on: the receiver does not look at them (RFC 7323 §3.2).
        return;
    }
    let behind = recent.wrapping_sub(value) as i32;
    let idle = segment.mark.at.since(since);
    let with = |judged: Judgement| judged.count("ts_value", value).count("ts_recent", recent);
    if behind <= 0 {
        return said.rule(Code::Paws, false, with);
    }
    // A segment that was overtaken on the way has an older value and is dropped only if the younger one arrived first.
    // So has an acknowledgment that left at the same moment by another queue.
    let overtaken = match segment.carries() {
        true => segment.before.sender.snd_una.is_some_and(|una| una.before(segment.tcp.end())),
        false => idle < MIN_RTO,
    };
    let stepped = own.previous.and_then(|previous| segment.stepped_since(previous.mark.frame));
    let gap = match () {
        () if idle >= TS_VALID => Some(Gap::ClockMayHaveWrapped),
        () if segment.before.receiver.snd_una.is_none() => Some(Gap::OneSided),
        () if !segment.before.timestamps => Some(segment.before.why_unknown()),
        () if overtaken => Some(Gap::OrderAtReceiver),
        () if !segment.carries() => stepped,
        () => None,
    };
    match gap {
        Some(gap) => said.open(Code::Paws, gap, with),
        None => {
            peer.owe(Owed::Challenge, segment.mark.frame);
            said.rule(Code::Paws, true, with);
        }
    }
}

/// Where the segment lies in what the receiver would take.
fn sequence(segment: &Segment<'_>, peer: &mut Tcb, said: &mut Said<'_>) {
    let tcp = segment.tcp;
    if tcp.flags.has(TcpFlags::SYN) {
        return;
    }
    let sender = segment.before.sender;
    let Some(edge) = segment.before.receiver.right_edge else {
        let gap = segment.before.why_unknown();
        said.open(Code::SegmentAcceptable, gap, |judged| judged);
        if tcp.len > 0 {
            said.open(Code::BeyondWindow, gap, |judged| judged);
        }
        return;
    };
    // What it offered since may have been lost.
    let lost = segment.lost_since(peer.previous.map(|previous| previous.mark.frame));
    let rcv_nxt = sender.snd_una.unwrap_or(tcp.seq);
    let end = tcp.seq.plus(tcp.seq_len());
    let data_end = tcp.seq.plus(tcp.len);
    let judged =
        |judgement: Judgement| judgement.seq("seq", tcp.seq).seq("end", end).seq("rcv_nxt", rcv_nxt).seq("edge", edge);
    if tcp.len > 1 && edge.before(data_end) {
        said.rule_unless(lost, Code::BeyondWindow, true, |rule| {
            judged(rule).count("over_by", edge.offset_to(data_end))
        });
    } else if tcp.len > 0 {
        said.rule(Code::BeyondWindow, false, judged);
    }
    let old = tcp.seq_len() > 0 && end.at_or_before(rcv_nxt) || tcp.seq_len() == 0 && tcp.seq.plus(1).before(rcv_nxt);
    let ahead = edge.before(tcp.seq);
    if old && tcp.seq_len() > 0 || ahead {
        peer.owe(Owed::Challenge, segment.mark.frame);
    }
    // A pure acknowledgment whose numbers are a little old was overtaken by data of its own side: acceptable when sent.
    let overtaken = tcp.seq_len() == 0 && old && !ahead;
    if overtaken {
        said.open(Code::SegmentAcceptable, Gap::OrderAtReceiver, judged);
    } else {
        said.rule_unless(lost.filter(|_| ahead), Code::SegmentAcceptable, old || ahead, judged);
    }
}

/// RFC 5961 §5.2: SND.UNA − MAX.SND.WND ≤ SEG.ACK ≤ SND.NXT of the peer.
fn acknowledgment(segment: &Segment<'_>, peer: &Tcb, said: &mut Said<'_>) {
    let receiver = segment.before.receiver;
    let ack = segment.tcp.ack;
    let (Some(una), Some(max)) = (receiver.snd_una.or(receiver.isn), receiver.snd_max) else {
        // The first packet of all says nothing of the other side yet.
        let first = segment.before.sender.packets == 0 && receiver.packets == 0;
        let gap = if first { Gap::NoHandshake } else { Gap::OneSided };
        said.open(Code::AckRange, gap, |judged| judged.peer_seq("ack", ack));
        return;
    };
    let judged =
        |judgement: Judgement| judgement.peer_seq("ack", ack).peer_seq("snd_una", una).peer_seq("snd_max", max);
    if max.before(ack) {
        // In the opening the peer has sent its SYN and nothing else; later the capture may have missed octets.
        let lost = segment.lost_since(peer.previous.map(|previous| previous.mark.frame));
        let opening = !segment.before.open && receiver.isn.is_some_and(|isn| max == isn.plus(1));
        let judgement = match (opening, receiver.packets) {
            (_, 0) => Judgement::cannot_tell(Code::AckRange, Gap::OneSided),
            _ if lost.is_some() => Judgement::cannot_tell(Code::AckRange, Gap::KernelDrops),
            (true, _) => Judgement::broken(Code::AckRange),
            (false, _) => Judgement::cannot_tell(Code::AckRange, Gap::NotCaptured),
        };
        said.say(judged(judgement).count("over_by", max.offset_to(ack)));
        if !opening && segment.before.open && receiver.packets > 0 {
            // More than any window holds: the capture missed a lot, or nobody sent it.
            if max.offset_to(ack) > MAX_WINDOW {
                return;
            }
            let said_hole = peer.duplicate_acks > 0 || !peer.trouble().sacked.is_empty();
            let judgement = judged(Judgement::of(Code::NotCaptured, !said_hole)).count("octets", max.offset_to(ack));
            said.say(if said_hole { judgement.why("the receiver had asked for what is missing") } else { judgement });
        } else if receiver.packets == 0 {
            said.open(Code::NotCaptured, Gap::OneSided, judged);
        }
        return;
    }
    // Half a circle away is neither before nor behind, and nothing that was ever sent.
    let opposite = una.offset_to(ack) == HALF_CIRCLE;
    let too_old = opposite || ack.before(una) && peer_window(segment).is_some_and(|window| ack.offset_to(una) > window);
    said.rule(Code::AckRange, too_old, judged);
}

/// Largest window that the segment's sender ever offered, which bounds how old an acknowledgment may be.
fn peer_window(segment: &Segment<'_>) -> Option<u32> {
    let sender = segment.before.sender;
    let (edge, una) = (sender.right_edge?, segment.before.receiver.snd_una?);
    Some(una.offset_to(edge).max(sender.rcv_wnd.unwrap_or(0)))
}

/// The right edge ack + window moved left by a whole unit of the scale (RFC 9293 §3.8.6: should not).
fn shrink(segment: &Segment<'_>, said: &mut Said<'_>) {
    let tcp = segment.tcp;
    if tcp.flags.has(TcpFlags::SYN) {
        return;
    }
    let Some(scale) = segment.before.sender_scale else {
        said.open(Code::WindowShrunk, segment.before.why_unknown(), |judged| judged);
        return;
    };
    let Some(before) = segment.before.sender.right_edge else { return };
    // An older acknowledgment that was overtaken takes nothing back.
    if segment.before.receiver.snd_una.is_some_and(|una| tcp.ack.before(una)) {
        return;
    }
    // Nothing more can come that would need the room.
    if segment.before.receiver.fin.is_some_and(|fin| fin.before(tcp.ack)) {
        return;
    }
    let edge = tcp.ack.plus(u32::from(tcp.window) << scale);
    let unit = 1u32 << scale;
    let back = edge.distance_to(before);
    let shrunk = back > 0 && back as u32 >= unit;
    said.rule(Code::WindowShrunk, shrunk, |judged| {
        let judged = judged.peer_seq("edge_before", before).peer_seq("edge", edge);
        judged.count("back_by", back.max(0) as u64).count("unit", unit)
    });
}

/// RFC 2018 §3: blocks lie in order within what was sent; RFC 2883 §4: the first may report a duplicate.
fn sack(segment: &Segment<'_>, peer: &Tcb, said: &mut Said<'_>) {
    let lost = segment.lost_since(peer.previous.map(|previous| previous.mark.frame));
    let receiver = segment.before.receiver;
    for (place, block) in segment.tcp.said.sack.iter().enumerate() {
        let judged = |judgement: Judgement| judgement.peer_seq("left", block.left).peer_seq("right", block.right);
        if !block.left.before(block.right) {
            said.say(judged(Judgement::broken(Code::SackSane)));
            continue;
        }
        let duplicate = place == 0 && block.right.at_or_before(segment.tcp.ack);
        let beyond = receiver.snd_max.is_some_and(|max| max.before(block.right));
        let young = receiver.bytes < u64::from(MAX_WINDOW);
        let unborn = young && receiver.isn.is_some_and(|isn| block.left.before(isn));
        let below = block.left.before(segment.tcp.ack) && !duplicate;
        let judgement = match (beyond, below) {
            (true, _) if receiver.packets == 0 => Judgement::cannot_tell(Code::SackSane, Gap::OneSided),
            (true, _) if lost.is_some() => Judgement::cannot_tell(Code::SackSane, Gap::KernelDrops),
            (true, _) => Judgement::cannot_tell(Code::SackSane, Gap::NotCaptured),
            (false, _) if unborn => Judgement::broken(Code::SackSane),
            (false, true) if place == 0 => Judgement::holds(Code::SackSane),
            (false, below) => Judgement::of(Code::SackSane, below),
        };
        said.say(judged(judgement).peer_seq("ack", segment.tcp.ack));
    }
}

/// RFC 5961 §3.2: only the exact next number resets; elsewhere in the window it earns a challenge, outside nothing.
fn reset(segment: &Segment<'_>, own: &Tcb, peer: &mut Tcb, said: &mut Said<'_>) {
    let sender = segment.before.sender;
    let seq = segment.tcp.seq;
    if !segment.before.open {
        return;
    }
    let (Some(una), Some(max), Some(edge)) = (sender.snd_una, sender.snd_max, segment.before.receiver.right_edge)
    else {
        said.say(Judgement::cannot_tell(Code::ResetValid, segment.before.why_unknown()).seq("seq", seq));
        return;
    };
    let judged =
        |judgement: Judgement| judgement.seq("seq", seq).seq("rcv_nxt", una).seq("snd_max", max).seq("edge", edge);
    let within = |low: SeqNumber, high: SeqNumber| low.at_or_before(seq) && seq.at_or_before(high);
    if within(una, max) {
        said.say(judged(Judgement::holds(Code::ResetValid)));
    } else {
        if within(max, edge) {
            peer.owe(Owed::Challenge, segment.mark.frame);
        }
        // Behind all that was seen: something of this side that was lost would make the number the next one.
        let lost = segment.lost_since(own.previous.map(|previous| previous.mark.frame));
        said.rule_unless(lost.filter(|_| max.before(seq)), Code::ResetValid, true, judged);
    }
}

/// The acknowledgment that a segment out of place earns (RFC 5961 §3–4, RFC 9293 §3.10.7.4).
fn challenge(segment: &Segment<'_>, own: &mut Tcb, said: &mut Said<'_>) {
    let Some((Owed::Challenge, frame)) = own.trouble().owes else { return };
    own.trouble_mut().owes = None;
    let repeats = own
        .previous
        .is_some_and(|previous| previous.ack == segment.tcp.ack && previous.seq.at_or_before(segment.tcp.seq));
    if segment.is_pure_ack() && repeats {
        said.say(Judgement::broken(Code::ChallengeAck).peer_seq("ack", segment.tcp.ack).on(frame));
    }
}
