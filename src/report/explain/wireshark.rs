//! Wireshark's flags of a frame, and why ours differ where they do.

use crate::report::explain::does;
use crate::report::explain::reasons::REASONS;
use crate::report::explain::reasons::Reason;
use crate::report::explain::reasons::rule;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::words::Segment;
use crate::tcp::dialect::Tags;
use crate::tcp::dialect::Verdicts;
use crate::tcp::verdict::Judgement;

/// The flags as Wireshark words them, then a line for each that says something else than we do.
pub(super) fn facts(tags: &Tags, segment: &Segment<'_>) -> Vec<Facts> {
    let ours: Vec<_> = segment.seen.judgements.iter().filter(|judgement| judgement.is_broken()).collect();
    let label = tags.label().to_string();
    let mut first = Facts::default();
    let mut lines = Vec::new();
    if label.is_empty() {
        first.plain("4.0: no flags");
        if let Some(unseen) = ours.iter().find_map(|judgement| unseen(judgement)) {
            lines.push(differs(unseen));
        }
    } else {
        first.say(Ink::Warn, format!("4.0: {label}"));
        lines.extend(
            Verdicts::NAMED
                .iter()
                .filter(|(flag, _)| tags.verdicts.has(*flag))
                .filter(|(flag, _)| !agrees(*flag, segment))
                .filter_map(|(flag, _)| why(*flag, &ours)),
        );
    }
    lines.insert(0, first);
    lines
}

/// What the segment does is told in the same sense, without a code.
fn agrees(flag: Verdicts, segment: &Segment<'_>) -> bool {
    flag == Verdicts::DUPLICATE_ACK && does::duplicates(segment) > 0
        || flag == Verdicts::WINDOW_FULL && segment.receiver().right_edge == Some(segment.tcp.seq.plus(segment.tcp.len))
}

fn why(flag: Verdicts, ours: &[&Judgement]) -> Option<Facts> {
    let reasons = REASONS.iter().filter(|(of, code, _)| *of == flag && ours.iter().any(|judged| judged.code == *code));
    let mut differing: Option<&str> = None;
    for (_, _, reason) in reasons {
        match reason {
            Reason::Same => return None,
            Reason::Differs(why) => differing = differing.or(Some(why)),
        }
    }
    match differing {
        Some(why) => Some(differs(why)),
        // We say nothing about it: tell what Wireshark looked at.
        None => {
            let mut facts = Facts::default();
            facts.say(Ink::Dim, format!("its rule: {}", rule(flag)));
            Some(facts)
        }
    }
}

/// Why Wireshark is silent where we are not.
fn unseen(judgement: &Judgement) -> Option<&'static str> {
    REASONS.iter().find(|(flag, code, _)| *flag == Verdicts::NONE && *code == judgement.code).and_then(
        |(_, _, reason)| match reason {
            Reason::Same => None,
            Reason::Differs(why) => Some(*why),
        },
    )
}

fn differs(why: &str) -> Facts {
    let mut facts = Facts::default();
    facts.plain(format!("differs: {why}"));
    facts
}
