//! The worst few connections of a capture, each with what is wrong with it in sentences.

use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::pipeline::Sink;
use crate::report::budget;
use crate::report::capture;
use crate::report::capture::Whole;
use crate::report::line::Facts;
use crate::report::order;
use crate::report::order::Kept;
use crate::report::order::Sort;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::view::connections::ConnectionRow;
use crate::report::view::fresh::Fresh;
use crate::report::words;
use crate::report::words::closing;
use crate::report::worst::Worst;

/// Keeps the worst connections of one capture.
#[derive(Debug)]
pub struct Ranking {
    kept: Kept<Plight>,
    fresh: Fresh,
    findings: Vec<Finding>,
}

/// One connection and what is wrong with it.
#[derive(Debug)]
struct Plight {
    row: ConnectionRow,
    findings: Vec<Finding>,
    end: Facts,
    time: Vec<Facts>,
}

impl Ranking {
    /// At most `rows` connections, 0 for all of them.
    pub fn new(rows: usize) -> Self {
        Self { kept: Worst::new(rows), fresh: Fresh::default(), findings: Vec::new() }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, out: &mut dyn Write, whole: &Whole<'_>, style: &Style) -> io::Result<()> {
        capture::write(out, whole, style)?;
        let (seen, left_out) = (self.kept.seen(), self.kept.left_out());
        let shown = seen - left_out;
        if seen == 0 {
            return writeln!(out, "\nno TCP connection in this capture");
        }
        writeln!(out)?;
        let of = format!("the worst {} of {} TCP connections", text::count(shown), text::count(seen));
        writeln!(out, "{}", style.bold(of))?;
        for plight in self.kept.sorted() {
            out.write_all(in_words(&plight, style).as_bytes())?;
        }
        Ok(())
    }
}

impl Sink for Ranking {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let row = ConnectionRow::of(ended, self.fresh.take(ended.stream));
        let mut findings = std::mem::take(&mut self.findings);
        findings.retain(|finding| finding.streams == [ended.stream]);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let end = closing::end_of(ended);
        let time =
            budget::Row::of(ended).filter(budget::Row::is_worth_telling).map(|row| row.lines()).unwrap_or_default();
        self.kept.add(order::place(&row, Sort::Worst), Plight { row, findings, end, time });
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.fresh.take(ended.stream);
        self.findings.clear();
    }

    fn finding(&mut self, finding: Finding) {
        self.fresh.add(&finding);
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}

fn in_words(plight: &Plight, style: &Style) -> String {
    let row = &plight.row;
    let mut told = format!("\n{} ", style.bold(format_args!("#{:<3}", row.stream)));
    let mut head = Facts::default();
    head.say(Ink::Bold, format!("{} → {}", row.client, row.server));
    head.plain(row.outcome.name());
    head.plain(format!("{} there, {} back", text::octets(row.bytes[0]), text::octets(row.bytes[1])));
    head.plain(text::span(row.duration));
    head.write(&mut told, INDENT, "", INDENT, style);
    let mut line = |facts: &Facts| {
        told.push_str(&" ".repeat(INDENT));
        facts.write(&mut told, INDENT, "", INDENT, style);
    };
    if !plight.end.is_empty() {
        line(&plight.end);
    }
    plight.time.iter().for_each(&mut line);
    for finding in &plight.findings {
        line(&words::finding(finding));
    }
    let mut rest = Facts::default();
    match row.found.count - plight.findings.len() as u64 {
        0 if plight.findings.is_empty() => rest.say(Ink::Good, "nothing was found on it"),
        0 => {}
        more => rest.say(Ink::Dim, format!("… and {} more", text::count(more))),
    }
    if !rest.is_empty() {
        line(&rest);
    }
    told
}

/// Columns before the words; `#0` and a blank fit into it.
const INDENT: usize = 5;
/// Findings of one connection in words: there are few kinds that one connection can show.
const MAX_FINDINGS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::play;
    use crate::decode::decode;
    use crate::packet::LinkType;
    use crate::pipeline::Analyzer;
    use crate::pipeline::Facts as CaptureFacts;
    use crate::report::testing::CONVERSATION;
    use crate::report::testing::REFUSED;
    use crate::report::testing::assert_fits;
    use crate::source::MemorySource;
    use crate::source::Source;

    fn ranked(rows: usize, width: usize) -> String {
        let trace = play(&format!("{CONVERSATION}{REFUSED}")).unwrap_or_else(|error| panic!("{error}"));
        let (mut analyzer, mut ranking) = (Analyzer::default(), Ranking::new(rows));
        for frame in trace.frames() {
            analyzer.observe(&decode(&frame), &mut ranking);
        }
        analyzer.finish(&mut ranking);
        let source = MemorySource::new(LinkType::ETHERNET, Vec::new());
        let facts = CaptureFacts::default();
        let whole = Whole { info: source.info(), trial: &[], facts: &facts, tables: Default::default() };
        let mut out = Vec::new();
        ranking.write(&mut out, &whole, &Style::plain(width)).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_worst_stand_first_with_their_sentences_and_the_others_are_counted() {
        let text = ranked(2, 80);
        assert!(text.contains("the worst 2 of 3 TCP connections"), "{text}");
        assert!(text.contains("error refused: ") && !text.contains("#0 "), "{text}");
    }

    #[test]
    fn a_connection_without_findings_says_so_and_how_it_ended() {
        let text = ranked(0, 80);
        let clean = text.split("\n#0 ").nth(1).unwrap_or_else(|| panic!("{text}"));
        assert!(clean.contains("closed by client") && clean.contains("nothing was found on it"), "{text}");
    }

    #[test]
    fn it_fits_narrow_and_wide_screens() {
        for width in [60, 80, 120, 200] {
            assert_fits(&ranked(0, width), width);
        }
    }
}
