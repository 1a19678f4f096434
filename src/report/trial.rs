//! The capture on trial: what it cannot know, for people and for programs.
//!
//! For people a line per item that was found or cannot be told, and the names of those that were ruled out; for programs
//! every item with its numbers, in the form of all verdicts.

use serde_json::Value;

use crate::finding::Code;
use crate::finding::Gap;
use crate::finding::Severity;
use crate::finding::Verdict;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::verdicts;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;

/// The section of a capture, or of a connection, between other lines that begin at column `indent`.
pub(super) fn section(items: &[Judgement], indent: usize, style: &Style) -> String {
    let mut written = String::new();
    for (index, (label, facts)) in lines(items).iter().enumerate() {
        let head = if index == 0 { HEAD } else { "" };
        let label = format!("{:indent$}{head:<width$}{label:<LABEL$}", "", width = HEAD.len() + 1);
        written.push_str(&style.dim(&label).to_string());
        let column = label.chars().count();
        facts.write(&mut written, column, "", column, style);
    }
    written
}

/// The same lines without columns and colour: `capture, found: …`.
pub(super) fn plain(items: &[Judgement]) -> Vec<String> {
    lines(items).iter().map(|(label, facts)| format!("capture, {label}: {}", facts.in_words())).collect()
}

/// Label and facts of each line: what was found, what cannot be told, what was ruled out.
pub(super) fn lines(items: &[Judgement]) -> Vec<(&'static str, Facts)> {
    let mut lines: Vec<_> = items.iter().filter(|item| item.is_broken()).map(|item| ("found", found(item))).collect();
    let mut gaps = Vec::new();
    for item in items {
        let Verdict::CannotTell(gap) = item.verdict else { continue };
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    for gap in gaps {
        let open = items.iter().filter(|item| item.verdict == Verdict::CannotTell(gap));
        let mut facts = Facts::default();
        facts.plain(format!("{}: {gap}", open.map(|item| item.code.as_str()).collect::<Vec<_>>().join(", ")));
        lines.push((OPEN, facts));
    }
    let none: Vec<_> = items.iter().filter(|item| item.verdict.holds()).map(|item| item.code.as_str()).collect();
    if !none.is_empty() {
        let mut facts = Facts::default();
        facts.say(Ink::Dim, none.join(", "));
        lines.push(("none", facts));
    }
    lines
}

fn found(item: &Judgement) -> Facts {
    let mut facts = Facts::default();
    let ink = match item.code.severity() {
        Severity::Note => Ink::Plain,
        Severity::Warning | Severity::Error => Ink::Warn,
    };
    let told = |name: &str| item.input(name).filter(|number| !(*number == Number::Count(0) && NOTHING.contains(&name)));
    let clauses = text::filled(item.code.sum(), |name| told(name).map(number));
    for (index, clause) in clauses.into_iter().enumerate() {
        facts.say(ink, if index == 0 { format!("{}: {clause}", item.code) } else { clause });
    }
    if facts.is_empty() {
        facts.say(ink, item.code.as_str());
    }
    facts
}

fn number(number: Number) -> String {
    match number {
        Number::Seq(seq) | Number::PeerSeq(seq) => seq.to_string(),
        Number::Count(count) => text::count(count),
        Number::Span(span) => text::span(span),
        Number::Word(word) => word.to_owned(),
    }
}

/// Every item: `{code, verdict, …numbers}`.
pub(super) fn objects(items: &[Judgement]) -> Vec<Value> {
    items.iter().map(verdicts::object).collect()
}

/// What the capture may hide from the judgements of one segment: all that was found against it, and of what cannot be
/// told the items on which one of them rests.
pub(super) fn beside(items: &[Judgement], judgements: &[Judgement]) -> Vec<Facts> {
    let rests_on = |gap: Gap| judgements.iter().any(|judged| judged.is_broken() && judged.code.gaps().contains(&gap));
    let matters = |item: &&Judgement| match item.verdict {
        // The place is no flaw: it matters where something was lost.
        Verdict::Broken(()) => item.code != Code::CapturePosition || rests_on(Gap::KernelDrops),
        Verdict::Holds => false,
        Verdict::CannotTell(_) => item.code.opens().is_some_and(rests_on),
    };
    let (found, open): (Vec<_>, Vec<_>) = items.iter().filter(matters).partition(|item| item.is_broken());
    let mut told: Vec<_> = found.into_iter().map(self::found).collect();
    for item in open {
        let Verdict::CannotTell(gap) = item.verdict else { continue };
        let mut facts = Facts::default();
        facts.plain(format!("the capture itself cannot know: {}, {gap}", item.code));
        told.push(facts);
    }
    told
}

/// Numbers of which none is not worth a word.
const NOTHING: [&str; 8] =
    ["near_client", "between", "near_server", "untold", "by_client", "by_server", "two_sided", "open"];
const HEAD: &str = "capture:";
const OPEN: &str = "open";
/// Columns of `found`, `open`, `none` and a blank.
const LABEL: usize = 6;
