//! Findings by kind: how many, the gravest first, a few of each in words.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::report::markdown::cell;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::text::harmless;

/// Findings of one capture. Memory grows with the kinds there are, not with the findings.
#[derive(Debug)]
pub(super) struct Groups {
    groups: BTreeMap<Code, Group>,
    /// Kept of each kind.
    examples: usize,
}

#[derive(Debug, Default)]
struct Group {
    count: u64,
    worst: Option<Severity>,
    examples: Vec<Finding>,
}

impl Groups {
    pub(super) fn new(examples: usize) -> Self {
        Self { groups: BTreeMap::new(), examples }
    }

    pub(super) fn add(&mut self, finding: Finding) {
        let group = self.groups.entry(finding.code).or_default();
        group.count += 1;
        group.worst = group.worst.max(Some(finding.severity));
        if group.examples.len() < self.examples {
            group.examples.push(finding);
        }
    }

    pub(super) fn write(self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        writeln!(out)?;
        if self.groups.is_empty() {
            return writeln!(out, "{}", style.good("findings: none"));
        }
        let count = self.groups.values().map(|group| group.count).sum();
        writeln!(out, "{}", style.bold(format_args!("findings: {}", text::count(count))))?;
        self.in_order().iter().try_for_each(|(code, group)| write_group(out, *code, group, style))
    }

    /// The same in markdown.
    pub(super) fn write_markdown(self, out: &mut dyn Write) -> io::Result<()> {
        let count = self.groups.values().map(|group| group.count).sum();
        writeln!(out, "\n## Findings: {}\n", text::count(count))?;
        for (code, group) in self.in_order() {
            let severity = group.worst.unwrap_or(code.severity());
            let times = if group.count > 1 { format!(" × {}", text::count(group.count)) } else { String::new() };
            writeln!(out, "- **{severity} `{code}`**{times}: {} ({})", cell(code.title()), cell(code.rfc()))?;
            for example in &group.examples {
                writeln!(out, "  - {}", cell(&in_words(example)))?;
            }
            let shown = group.examples.len() as u64;
            if group.count > shown && shown > 0 {
                writeln!(out, "  - … and {} more", text::count(group.count - shown))?;
            }
        }
        Ok(())
    }

    /// The gravest first.
    fn in_order(self) -> Vec<(Code, Group)> {
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        groups.sort_by_key(|(code, group)| (Reverse(group.worst), Reverse(group.count), *code));
        groups
    }
}

fn write_group(out: &mut dyn Write, code: Code, group: &Group, style: &Style) -> io::Result<()> {
    let severity = group.worst.unwrap_or(code.severity());
    let ink = match severity {
        Severity::Error => Ink::Bad,
        Severity::Warning => Ink::Warn,
        Severity::Note => Ink::Plain,
    };
    let times = if group.count > 1 { format!(" × {}", text::count(group.count)) } else { String::new() };
    let told = format!("{code}{times}: {} ({})", code.title(), code.rfc());
    let told = wrapped(&told, INDENT, INDENT, style.width);
    writeln!(out, "{:<INDENT$}{}", style.paint(ink, severity), style.bold(told))?;
    for example in &group.examples {
        writeln!(out, "{:INDENT$}{}", "", wrapped(&in_words(example), INDENT, INDENT, style.width))?;
    }
    let shown = group.examples.len() as u64;
    if group.count > shown && shown > 0 {
        writeln!(out, "{:INDENT$}… and {} more", "", text::count(group.count - shown))?;
    }
    Ok(())
}

fn in_words(finding: &Finding) -> String {
    let stream = match finding.streams[..] {
        [] => String::new(),
        [stream] => format!("stream {stream}, "),
        [first, .., last] => format!("streams {first} to {last}, "),
    };
    let frames = match finding.frames[..] {
        [] => String::new(),
        [frame] => format!("frame {frame}: "),
        _ => {
            let listed: Vec<_> = finding.frames.iter().take(FRAMES_LISTED).map(u64::to_string).collect();
            let more = if finding.frames.len() > FRAMES_LISTED { ", …" } else { "" };
            format!("frames {}{more}: ", listed.join(", "))
        }
    };
    format!("{stream}{frames}{}", harmless(&finding.text))
}

/// Breaks text that begins at column `column` between words; what goes on below begins at `indent`.
pub(super) fn wrapped(text: &str, column: usize, indent: usize, width: usize) -> String {
    let mut lines = String::new();
    let mut column = column;
    for (at, word) in text.split(' ').enumerate() {
        let len = word.chars().count();
        if at > 0 && column + 1 + len > width && column > indent {
            lines.push('\n');
            lines.push_str(&" ".repeat(indent));
            column = indent;
        } else if at > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += len;
    }
    lines
}

/// Where words begin; as wide as the longest severity and a blank.
const INDENT: usize = 8;
/// Frames named one by one.
const FRAMES_LISTED: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Timestamp;

    fn finding(code: Code, severity: Severity, stream: u64) -> Finding {
        Finding {
            code,
            severity,
            at: Timestamp::EPOCH,
            streams: vec![stream],
            frames: vec![1, 2],
            text: format!("the SYN of stream {stream} was refused"),
            evidence: Vec::new(),
        }
    }

    fn written(groups: Groups, width: usize) -> String {
        let mut out = Vec::new();
        groups.write(&mut out, &Style::plain(width)).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn findings_are_grouped_gravest_first_with_their_count_and_a_few_examples() {
        let mut groups = Groups::new(2);
        groups.add(finding(Code::HalfOpen, Severity::Warning, 9));
        for stream in 0..4 {
            groups.add(finding(Code::Refused, Severity::Error, stream));
        }
        let text = written(groups, 80);
        let refused = text.find("error   refused × 4: ").unwrap_or_else(|| panic!("{text}"));
        let half_open = text.find("warning half-open: ").unwrap_or_else(|| panic!("{text}"));
        assert!(refused < half_open, "{text}");
        assert!(text.contains("        stream 1, frames 1, 2: the SYN of stream 1 was refused\n"), "{text}");
        assert!(text.contains("        … and 2 more\n") && !text.contains("stream 2,"), "{text}");
    }

    #[test]
    fn on_a_narrow_screen_every_line_is_broken_to_fit() {
        let mut groups = Groups::new(2);
        groups.add(finding(Code::Refused, Severity::Error, 1));
        let text = written(groups, 40);
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
    }

    #[test]
    fn no_finding_is_said_in_words() {
        assert_eq!(written(Groups::new(5), 80), "\nfindings: none\n");
    }

    #[test]
    fn long_lines_break_between_words_and_go_on_indented() {
        assert_eq!(wrapped("one two three", 4, 4, 11), "one two\n    three");
        assert_eq!(wrapped("unbreakableword", 0, 4, 5), "unbreakableword");
    }
}
