//! Was a repetition needed? The receiver's answer may prove it, one way or the other.
//!
//! RFC 2883 §4 (a duplicate SACK reports octets that came twice), RFC 3522 §3 (Eifel: an echo older than the repetition
//! answers the original).

use crate::finding::Code;
use crate::finding::Gap;
use crate::packet::SackBlock;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::tcp::blind::options_cut;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::tcb::Repeat;
use crate::tcp::verdict::tcb::Tcb;

/// `peer` is the side whose octets this segment acknowledges.
pub(super) fn check(segment: &Segment<'_>, peer: &mut Tcb, said: &mut Said<'_>) {
    if peer.trouble().repeats.is_empty() {
        return;
    }
    if let Some(block) = duplicate(segment)
        && let Some(at) = reported(segment, peer, block)
    {
        let repeat = peer.trouble_mut().repeats.remove(at);
        let proved = judged(Judgement::broken(Code::SpuriousRetransmission), &repeat, segment.tcp.ack);
        said.say(proved.peer_seq("left", block.left).peer_seq("right", block.right));
        return;
    }
    let ack = segment.tcp.ack;
    if !segment.before.receiver.snd_una.is_none_or(|una| una.before(ack)) {
        return;
    }
    // An echo of 0 is none (RFC 7323 §3.2).
    let echo = segment.tcp.said.timestamps.map(|(_, echo)| echo).filter(|echo| *echo != 0);
    peer.trouble_mut().repeats.retain_mut(|repeat| {
        if repeat.asked || !repeat.end.at_or_before(ack) {
            return true;
        }
        repeat.asked = true;
        match (repeat.ts_value, repeat.ts_original, echo) {
            // The echo of another segment says nothing about this one, and equal stamps cannot be told apart.
            (Some(value), Some(original), Some(echo)) if repeat.was_oldest && value != original => {
                let older = (value.wrapping_sub(echo) as i32) > 0;
                let judgement = Judgement::of(Code::SpuriousRetransmission, older);
                let judgement = judged(judgement, repeat, ack).count("ts_value", value).count("ts_echo", echo);
                said.say(if older { judgement } else { judgement.why("the receiver echoes the repetition") });
                // The repetition came first. A duplicate SACK may still tell that the original came after all.
                !older
            }
            _ => {
                // What would tell may stand in options behind the cut.
                let gap = if options_cut(segment.tcp) { Gap::Snapped } else { Gap::NoIdentity };
                let open = Judgement::cannot_tell(Code::SpuriousRetransmission, gap);
                said.say(judged(open, repeat, ack));
                // A duplicate SACK may still come, about one round trip after the repetition.
                true
            }
        }
    });
}

fn judged(judgement: Judgement, repeat: &Repeat, ack: SeqNumber) -> Judgement {
    judgement.peer_seq("seq", repeat.seq).peer_seq("end", repeat.end).peer_seq("ack", ack).on(repeat.mark.frame)
}

/// The first block, where it reports octets that came twice.
fn duplicate(segment: &Segment<'_>) -> Option<SackBlock> {
    let blocks = &segment.tcp.said.sack;
    let first = *blocks.first()?;
    let inside = |outer: &SackBlock| outer.left.at_or_before(first.left) && first.right.at_or_before(outer.right);
    (first.right.at_or_before(segment.tcp.ack) || blocks.get(1).is_some_and(inside)).then_some(first)
}

/// The repetition that a duplicate SACK is about. One report answers one arrival: of several repetitions the youngest
/// that had the time to get there.
fn reported(segment: &Segment<'_>, peer: &Tcb, block: SackBlock) -> Option<usize> {
    let overlaps = |repeat: &Repeat| block.left.before(repeat.end) && repeat.seq.before(block.right);
    let least = Span(peer.rtt.srtt.map_or(0, |srtt| srtt.0 / 2));
    let arrived = |repeat: &Repeat| segment.mark.at.since(repeat.mark.at) >= least;
    let repeats = &peer.trouble().repeats;
    repeats.iter().rposition(|repeat| overlaps(repeat) && arrived(repeat)).or_else(|| repeats.iter().position(overlaps))
}
