//! Our own judgement of one segment, as machines read it: a code, and the numbers that show it.
//!
//! Only judgements, no facts that stand in the headers anyway. Sums say `holds`, `broken` or `cannot-tell`.

use serde_json::Value;
use serde_json::json;

use crate::finding::Verdict;
use crate::packet::Packet;
use crate::packet::SeqNumber;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::tcp::Event;
use crate::tcp::handshake::AckFault;
use crate::tcp::teardown::ResetKind;

/// What is to be said of one packet: `{code, …evidence}` each.
pub(super) fn of(packet: &Packet<'_>, seen: &Seen<'_>) -> Vec<Value> {
    let (Seen::Tcp(seen), Some(tcp)) = (seen, packet.tcp()) else { return Vec::new() };
    seen.events.iter().filter_map(|event| verdict(event, seen, tcp.ack)).collect()
}

fn verdict(event: &Event, seen: &TcpSeen<'_>, ack: SeqNumber) -> Option<Value> {
    let peer = seen.connection.side(seen.side.peer());
    Some(match *event {
        Event::MidStream => json!({"code": "opening-not-seen"}),
        Event::Syn { retry: 1.. } => json!({"code": "syn-retry"}),
        Event::SynAck { check, .. } => ack_verdict("syn-ack-ack", check, ack, peer.isn),
        Event::Established { outcome, .. } => {
            let mut object = match seen.connection.handshake.ack_check {
                Some(check) => ack_verdict("handshake-ack", check, ack, peer.isn),
                None => json!({"code": "handshake-ack"}),
            };
            object["outcome"] = json!(outcome.name());
            object
        }
        Event::WrongAck(fault) => ack_verdict("handshake-ack", Verdict::Broken(fault), ack, peer.isn),
        Event::SynAckChanged { before } => json!({"code": "syn-ack-changed", "isn_before": before.0}),
        Event::SimultaneousOpen => json!({"code": "simultaneous-open"}),
        Event::Refused { after } => json!({"code": "refused", "after": after.to_string()}),
        Event::Data { repeated: 0, .. } => return None,
        Event::Data { repeated, .. } => json!({"code": "retransmission", "octets": repeated}),
        Event::Gap { octets } => json!({"code": "gap", "octets": octets}),
        Event::FillsGap { octets } => json!({"code": "fills-gap", "octets": octets}),
        Event::AckedUnseen { octets } => json!({"code": "acked-unseen", "octets": octets}),
        Event::KeepAlive => json!({"code": "keep-alive"}),
        Event::ZeroWindow => json!({"code": "zero-window"}),
        Event::WindowOpened { window } => json!({"code": "window-opened", "window": window}),
        Event::BeyondWindow { over_by } => json!({"code": "beyond-window", "over_by": over_by}),
        Event::Fin { idle: Some(idle), .. } => json!({"code": "fin-after-silence", "idle": idle.to_string()}),
        Event::Fin { retry: true, .. } => json!({"code": "retransmission", "octets": 0}),
        Event::FinAcked => fin_verdict(ack, peer.fin?),
        // Told as `refused`.
        Event::Reset(ResetKind::RefusesSyn) => return None,
        Event::ResetIgnored { seq } => json!({"code": "reset-ignored", "seq": seq.0}),
        Event::Reset(kind) => json!({"code": "reset", "meaning": kind.name()}),
        Event::Unexpected { state, .. } => json!({"code": "unexpected", "state": state.name()}),
        Event::Syn { .. }
        | Event::Answer { .. }
        | Event::Acked { .. }
        | Event::Fin { .. }
        | Event::Closed { .. }
        | Event::Moved { .. } => return None,
    })
}

fn ack_verdict(code: &str, check: Verdict<AckFault>, ack: SeqNumber, isn: Option<SeqNumber>) -> Value {
    let mut object = json!({"code": code, "verdict": check.name(), "ack": ack.0});
    match check {
        Verdict::Holds | Verdict::Broken(_) => {
            if let Some(isn) = isn {
                object["isn"] = json!(isn.0);
            }
        }
        Verdict::CannotTell(gap) => object["gap"] = json!(gap.code()),
    }
    match check.fault() {
        Some(AckFault::AboveSent { snd_nxt, over_by, .. }) => {
            object["snd_nxt"] = json!(snd_nxt.0);
            object["over_by"] = json!(over_by);
        }
        Some(AckFault::BelowSyn { isn, .. }) => object["isn"] = json!(isn.0),
        None => {}
    }
    object
}

/// An acknowledgment of a FIN is the FIN's number plus one, and nothing more.
fn fin_verdict(ack: SeqNumber, fin: SeqNumber) -> Value {
    let holds = fin.plus(1) == ack;
    json!({"code": "fin-ack", "verdict": if holds { "holds" } else { "broken" }, "ack": ack.0, "fin": fin.0})
}
