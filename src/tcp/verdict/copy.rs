//! Packets that the capture holds twice although the network carried them once. A copy moves nothing and accuses nobody.

use crate::finding::Code;
use crate::finding::Gap;
use crate::packet::Span;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::tcb::Tcb;
use crate::tcp::verdict::tcb::ip_id;

/// Two taps on one path see a packet this close at most.
const TAP_DISTANCE: Span = Span::from_millis(5);

/// The same packet captured twice: on two interfaces, before and after a router, by a mirror port.
pub(super) fn is_one(segment: &Segment<'_>, own: &Tcb, said: &mut Said<'_>) -> bool {
    let Some(previous) = own.previous else { return false };
    let (ip, tcp) = (segment.ip, segment.tcp);
    let same = previous.seq == tcp.seq
        && previous.ack == tcp.ack
        && previous.flags == tcp.flags
        && previous.window == tcp.window
        && previous.len == tcp.len
        && previous.ts == tcp.said.timestamps;
    if !same {
        return segment.carries() && was_on_its_way(segment, own, said);
    }
    let apart = segment.mark.at.since(previous.mark.at);
    if !hops_apart(previous.ttl, ip.ttl) {
        return false;
    }
    if apart < Span::ZERO {
        let same_id = ip.id.is_some_and(|id| id != 0 && previous.ip_id == Some(id));
        if same_id {
            let open = Judgement::cannot_tell(Code::CaptureDuplicate, Gap::ClockStepped);
            said.say(
                open.span("apart", apart).span("limit", TAP_DISTANCE).count("ttl", ip.ttl).on(previous.mark.frame),
            );
        }
        return false;
    }
    let judged = |judgement: Judgement| judgement.span("apart", apart).count("ttl", ip.ttl).on(previous.mark.frame);
    // A host that repeats a segment numbers its packet anew; equal non-zero ids tell one packet from two.
    match (previous.ip_id, ip.id) {
        (Some(before), Some(now)) if before != now => {
            if segment.carries() {
                let anew = |rule| judged(rule).why("its sender numbered it anew");
                said.rule(Code::CaptureDuplicate, false, anew);
            }
            false
        }
        (Some(1..), Some(id)) => {
            let duplicate = apart < TAP_DISTANCE;
            if duplicate {
                said.say(
                    judged(Judgement::broken(Code::CaptureDuplicate)).span("limit", TAP_DISTANCE).count("ip_id", id),
                );
            }
            duplicate
        }
        // Without an IP id only a timestamp could tell, and equal ones within a clock tick do not.
        _ => {
            let limit = own.rtt.srtt.map_or(TAP_DISTANCE, |srtt| Span(srtt.0 / 2).min(TAP_DISTANCE));
            if apart < limit && segment.carries() {
                let open = Judgement::cannot_tell(Code::CaptureDuplicate, Gap::NoIdentity);
                said.say(judged(open).span("limit", limit));
            }
            false
        }
    }
}

/// The other copy is not the packet just before: others passed between the two taps.
fn was_on_its_way(segment: &Segment<'_>, own: &Tcb, said: &mut Said<'_>) -> bool {
    let (ip, tcp) = (segment.ip, segment.tcp);
    let id = ip_id(segment);
    if id == 0 {
        return false;
    }
    let ts_value = tcp.said.timestamps.map(|(value, _)| value);
    let Some(sent) = own.covering(tcp.seq) else { return false };
    let apart = segment.mark.at.since(sent.last.at);
    let same = sent.seq == tcp.seq && sent.end == tcp.end() && sent.ip_id == id && sent.ts_value == ts_value;
    let duplicate = same && hops_apart(sent.ttl, ip.ttl) && apart >= Span::ZERO && apart < TAP_DISTANCE;
    if duplicate {
        let judged = Judgement::broken(Code::CaptureDuplicate).span("apart", apart).count("ttl", ip.ttl);
        said.say(judged.span("limit", TAP_DISTANCE).count("ip_id", id).on(sent.last.frame));
    }
    duplicate
}

/// The two taps lie on one link, or one router apart.
const fn hops_apart(before: u8, now: u8) -> bool {
    before.abs_diff(now) <= 1
}
