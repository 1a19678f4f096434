//! The catalogue of codes as text: one code for a screen, all of them as the page `docs/findings.md`.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crate::finding::Code;
use crate::finding::Kind;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::style::Style;

/// Title, severity, meaning, sum and section of one code.
///
/// # Errors
/// Those of the writer.
pub fn code(out: &mut dyn Write, code: Code, style: &Style) -> io::Result<()> {
    let mut page = Page::new(style);
    page.head(&format!("{code}  {}", code.title()));
    let mut section = |label: &str, ink: Ink, text: &str| {
        let mut facts = Facts::default();
        if !text.is_empty() {
            facts.say(ink, text);
        }
        page.section(label, &facts);
    };
    section("about", Ink::Plain, about(code.kind()));
    section("severity", Ink::Plain, code.severity().name());
    section("means", Ink::Plain, code.meaning());
    section("sum", Ink::Plain, &code.sum().replace(['{', '}'], ""));
    section("unless", Ink::Plain, &gaps(code).join(" · "));
    section("weakens", Ink::Plain, &weakens(code).join(", "));
    section("source", Ink::Dim, code.rfc());
    out.write_all(page.text.as_bytes())
}

/// All codes, as the documentation has them.
///
/// # Errors
/// Those of the writer.
pub fn page(out: &mut dyn Write) -> io::Result<()> {
    let mut text = String::from(PREFACE);
    for (kind, title, preface) in PARTS {
        let _ = write!(text, "\n## {title}\n\n{preface}\n");
        for &code in Code::ALL.iter().filter(|code| code.kind() == kind) {
            let _ = write!(text, "\n### `{code}`\n\n**{}.** {}\n\n", code.title(), code.meaning());
            let _ = writeln!(text, "- severity: {}", code.severity());
            if !code.sum().is_empty() {
                let _ = writeln!(text, "- sum: `{}`", code.sum().replace(['{', '}'], ""));
            }
            let gaps = gaps(code);
            if !gaps.is_empty() {
                let _ = writeln!(text, "- cannot be told when: {}", gaps.join("; "));
            }
            let weakens: Vec<_> = weakens(code).iter().map(|code| format!("`{code}`")).collect();
            if !weakens.is_empty() {
                let _ = writeln!(text, "- where it is found, cannot be told: {}", weakens.join(", "));
            }
            let _ = writeln!(text, "- source: {}", code.rfc());
        }
    }
    out.write_all(text.as_bytes())
}

/// The codes whose names are most like `name`, best first: what was probably meant.
pub fn nearest(name: &str) -> Vec<Code> {
    let mut all: Vec<_> = Code::ALL.iter().map(|&code| (distance(name, code.as_str()), code)).collect();
    all.sort_by_key(|(distance, code)| (*distance, *code));
    all.into_iter().take(SUGGESTED).map(|(_, code)| code).collect()
}

/// Characters to put in, take out or change (Levenshtein); a part that is there whole counts as near.
fn distance(typed: &str, name: &str) -> usize {
    if !typed.is_empty() && name.contains(typed) {
        return 0;
    }
    let typed: Vec<char> = typed.chars().take(LONGEST).collect();
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (at, letter) in name.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (place, other) in typed.iter().enumerate() {
            let changed = diagonal + usize::from(*other != letter);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row[typed.len()]
}

/// What a capture may lack so that the code cannot be told, in words and by the name that verdicts give it.
fn gaps(code: Code) -> Vec<String> {
    code.gaps().iter().map(|gap| format!("{gap} ({})", gap.code())).collect()
}

/// Codes that rest on what a capture lacks where this one is found.
fn weakens(code: Code) -> Vec<&'static str> {
    let Some(gap) = code.opens() else { return Vec::new() };
    let rests = Code::ALL.iter().filter(|other| **other != code && other.gaps().contains(&gap));
    rests.map(|other| other.as_str()).collect()
}

const fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Rule => "a rule that a segment keeps or breaks",
        Kind::Segment => "one segment",
        Kind::Whole => "a conversation, a host or the capture",
    }
}

/// Codes named where one is not known.
const SUGGESTED: usize = 3;
/// Characters of a typed name that are looked at.
const LONGEST: usize = 64;

const PREFACE: &str = "\
# Codes

Every code that synscope prints: as a finding of `analyze` and `trace`, in `verdicts` and `verdict_counts` of the JSON
lines, in `explain`. Codes are stable; titles and texts may change. This page is generated from the catalogue
(`synscope explain --catalogue`), and `synscope explain --code CODE` prints one entry.

In the lists of `headers --format jsonl` each verdict has the keys `code`, `verdict` and `frames` (packets that it rests
on), and the numbers of its sum under the names that the sum uses. `verdict` is `holds` or `broken` for a rule, `found`
or `ruled-out` for everything else, and `cannot-tell` with a `gap` where the capture does not show what would decide.
Each entry lists the gaps that it may have. A finding of `analyze` that such a gap touches becomes a note with the same
two keys: the facts stand, the accusation does not.

The capture itself stands on trial first: `trial` of the objects `capture` and `connection` has one verdict of this form
for each thing that a capture can lack.
";

const PARTS: [(Kind, &str, &str); 3] = [
    (Kind::Rule, "Rules", "Checked on every segment that they apply to. The title is what keeping the rule means."),
    (Kind::Segment, "Segments", "What a segment is, or what caused it."),
    (Kind::Whole, "Conversations, hosts, captures", "Said once, at the end or when it becomes known."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_the_code_that_was_meant() {
        assert_eq!(nearest("keep-alvie")[0], Code::KeepAlive);
        assert_eq!(nearest("tail-loss")[0], Code::TailLossProbe);
        assert_eq!(nearest("").len(), SUGGESTED);
    }

    #[test]
    fn each_code_has_its_entry_on_the_page_and_on_the_screen() {
        let mut all = Vec::new();
        page(&mut all).expect("a vector");
        let all = String::from_utf8(all).expect("text");
        for &each in Code::ALL {
            assert_eq!(all.matches(&format!("### `{each}`\n")).count(), 1, "{each}");
            let mut one = Vec::new();
            code(&mut one, each, &Style::plain(80)).expect("a vector");
            let one = String::from_utf8(one).expect("text");
            assert!(
                one.starts_with(&format!("{each}  ")) && one.contains(each.rfc().split(';').next().unwrap_or("")),
                "{one}"
            );
            assert!(one.lines().all(|line| line.chars().count() <= 80), "{one}");
        }
    }
}
