//! Our own judgement of one frame, as machines read it: a code of the catalogue, how it came out, and the numbers that
//! show it.
//!
//! What was found, what is broken and what cannot be told; sums of opening and closing also where they hold. No code is
//! written out in here: each is a [`Code`].

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::Value;
use serde_json::json;

use crate::finding::Code;
use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::pipeline::Seen;
use crate::report::json::Text;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;

/// What is to be said of one packet: `{code, verdict, frames, …numbers}` each.
pub(super) fn of(packet: &Packet<'_>, seen: &Seen<'_>) -> Vec<Value> {
    match seen {
        Seen::Tcp(seen) => seen.judgements.iter().filter(|judgement| is_told(judgement)).map(object).collect(),
        &Seen::Unreachable { protocol, ends: true, .. } => vec![returned(packet, protocol)],
        Seen::Unreachable { .. } | Seen::Udp(_) | Seen::Other => Vec::new(),
    }
}

/// The code under which an ICMP error is told that ended an attempt or answered a request.
pub const fn code_of_icmp(protocol: Protocol) -> Code {
    match protocol {
        Protocol::Tcp => Code::Unreachable,
        Protocol::Udp => Code::UdpPortClosed,
    }
}

/// Worth telling of a packet without being asked.
pub fn is_told(judgement: &Judgement) -> bool {
    let sum = matches!(judgement.code, Code::SynAckAck | Code::HandshakeAck | Code::FinAck);
    match judgement.verdict {
        Verdict::Broken(()) => true,
        Verdict::Holds => sum,
        // What the whole capture lacks is said once, by `mid-stream` or the missing side, and not of every segment.
        Verdict::CannotTell(Gap::NoHandshake | Gap::OneSided) => sum,
        Verdict::CannotTell(Gap::Snapped) => sum || judgement.code == Code::OverlapDiffers,
        Verdict::CannotTell(_) => true,
    }
}

/// The same as [`object`]s in a list, written without making them: every connection has ten.
pub(super) struct Trial(pub(super) Vec<Judgement>);

impl Serialize for Trial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Told))
    }
}

struct Told<'a>(&'a Judgement);

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let judgement = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", judgement.code.as_str())?;
        map.serialize_entry("verdict", judgement.outcome())?;
        if let Verdict::CannotTell(gap) = judgement.verdict {
            map.serialize_entry("gap", gap.code())?;
        }
        if !judgement.rests_on.is_empty() {
            map.serialize_entry("frames", judgement.rests_on.as_slice())?;
        }
        for (name, number) in &judgement.inputs {
            match *number {
                Number::Seq(seq) | Number::PeerSeq(seq) => map.serialize_entry(name, &seq.0)?,
                Number::Count(count) => map.serialize_entry(name, &count)?,
                Number::Span(span) => map.serialize_entry(name, &Text(span))?,
                Number::Word(word) => map.serialize_entry(name, word)?,
            }
        }
        map.end()
    }
}

/// `{code, verdict, gap, frames, …numbers}`.
pub(super) fn object(judgement: &Judgement) -> Value {
    // Only what is not finite or no text could fail, and there is neither.
    serde_json::to_value(Told(judgement)).unwrap_or_default()
}

fn returned(packet: &Packet<'_>, protocol: Protocol) -> Value {
    let mut object = json!({"code": code_of_icmp(protocol).as_str(), "verdict": "found"});
    if let Some(seq) = packet.icmp().and_then(|icmp| icmp.quoted).and_then(|quoted| quoted.seq) {
        object["seq"] = json!(seq.0);
    }
    object
}
