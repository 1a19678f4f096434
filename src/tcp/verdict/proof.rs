//! Was a repetition needed? The receiver's answer may prove it, one way or the other.
//!
//! RFC 2883 §4 (a duplicate SACK reports octets that came twice), RFC 3522 §3 (Eifel: an echo older than the repetition
//! answers the original).

use crate::finding::Code;
use crate::finding::Gap;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::tcb::Tcb;

/// `peer` is the side whose octets this segment acknowledges.
pub(super) fn check(segment: &Segment<'_>, _own: &Tcb, peer: &mut Tcb, said: &mut Said<'_>) {
    if peer.repeats.is_empty() {
        return;
    }
    let ack = segment.tcp.ack;
    let first = segment.tcp.said.sack.first().copied();
    let second = segment.tcp.said.sack.get(1).copied();
    let reported = first.filter(|block| {
        let inside = |outer: &crate::packet::SackBlock| {
            outer.left.at_or_before(block.left) && block.right.at_or_before(outer.right)
        };
        block.right.at_or_before(ack) || second.as_ref().is_some_and(inside)
    });
    let advances = segment.before.receiver.snd_una.is_none_or(|una| una.before(ack));
    let echo = segment.tcp.said.timestamps.map(|(_, echo)| echo);
    peer.repeats.retain(|repeat| {
        let judged = |judgement: Judgement| {
            judgement.peer_seq("seq", repeat.seq).peer_seq("end", repeat.end).peer_seq("ack", ack).on(repeat.mark.frame)
        };
        if reported.is_some_and(|block| block.left.before(repeat.end) && repeat.seq.before(block.right)) {
            said.say(judged(Judgement::broken(Code::SpuriousRetransmission)).count("by_dsack", 1u32));
            return false;
        }
        if repeat.covered || !advances || !repeat.end.at_or_before(ack) {
            return true;
        }
        repeat.covered = true;
        match (repeat.ts_value, echo) {
            (Some(value), Some(echo)) => {
                let older = (value.wrapping_sub(echo) as i32) > 0;
                let judgement = judged(Judgement::of(Code::SpuriousRetransmission, older));
                said.say(judgement.count("ts_value", value).count("ts_echo", echo));
                // The repetition came first. A duplicate SACK may still tell that the original came after all.
                !older
            }
            _ => {
                said.say(judged(Judgement::cannot_tell(Code::SpuriousRetransmission, Gap::NoIdentity)));
                true
            }
        }
    });
}
