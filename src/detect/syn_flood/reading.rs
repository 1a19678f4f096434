//! The innocent reading of an incident: what else it could be, and what became of that.

use crate::detect::syn_flood::kinds::Class;
use crate::detect::syn_flood::kinds::Judgement;
use crate::detect::syn_flood::kinds::Kind;
use crate::detect::syn_flood::kinds::Picture;
use crate::detect::syn_flood::sums::Rule;

/// Where this share of the attempts is repeated, many of them are live clients.
const LIVE: f64 = 0.2;

/// The most likely harmless explanation, and what speaks for or against it.
pub(super) fn innocent_reading(judged: &Judgement, picture: &Picture) -> String {
    let completed =
        picture.completion().map_or_else(|| "unknown".to_owned(), |share| format!("{:.0} %", share * 100.0));
    let resent = picture.resent;
    let many_insist = f64::from(resent) >= LIVE * picture.attempts.max(1) as f64;
    match (judged.class, judged.kind) {
        (Class::Undetermined, _) => format!("cannot be ruled out: {}", judged.reasons.join("; ")),
        (Class::Flood, Kind::SynAckReflection) => {
            "a host whose own SYNs the capture misses: ruled out by its resets or the servers' repetitions".to_owned()
        }
        (Class::Flood, Kind::SingleSource) if picture.rule == Rule::Reset => format!(
            "health checks or a prober that resets what it has opened: only their pace speaks against them, {:.0} a second \
             from one address; {completed} of all attempts complete. The address may be forged, and then be the true victim",
            picture.rate()
        ),
        (Class::Flood, Kind::SingleSource) => format!(
            "a benchmark or many clients behind one address: ruled out, those would complete or repeat their SYN; here \
             {completed} of the attempts complete, {resent} SYNs were repeated. The address may be forged, and then be the \
             true victim"
        ),
        (Class::Flood, _) if picture.rule == Rule::Resent => {
            "the way back to some clients is broken: not ruled out, although others complete".to_owned()
        }
        (Class::Flood, _) if picture.answered => format!(
            "a crowd, or answers lost on the way back: {}, live clients repeat their SYN within one to three seconds, here \
             {resent} of {} attempts did; {completed} of all complete",
            if many_insist { "not ruled out" } else { "ruled out" },
            picture.attempts
        ),
        (Class::Flood, _) => format!(
            "a dead host with live clients: {}, they would repeat their SYN, here {resent} of {} attempts did",
            if many_insist { "not ruled out" } else { "ruled out" },
            picture.attempts
        ),
        (Class::Scan, _) => {
            "monitoring or a load balancer: those try few ports, insist on each target, and get through to most"
                .to_owned()
        }
        (Class::Overload | Class::Unanswered | Class::Surge, _) => {
            "this is the innocent reading; nothing points to an attack".to_owned()
        }
    }
}
