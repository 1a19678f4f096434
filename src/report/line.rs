//! One line on the screen: a head in fixed columns, then facts, wrapped between facts and never within a number.

use std::fmt::Write;

use crate::report::style::Ink;
use crate::report::style::Style;

/// What a line says, piece by piece.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    facts: Vec<(Ink, String)>,
}

impl Facts {
    /// Adds a fact.
    pub(super) fn say(&mut self, ink: Ink, text: impl Into<String>) {
        self.facts.push((ink, text.into()));
    }

    /// Adds a fact without colour.
    pub(super) fn plain(&mut self, text: impl Into<String>) {
        self.say(Ink::Plain, text);
    }

    /// Adds the facts of another line behind its own.
    pub(super) fn append(&mut self, other: Self) {
        self.facts.extend(other.facts);
    }

    /// All of them in one line, without colour.
    pub(super) fn in_words(&self) -> String {
        self.facts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(SEPARATOR)
    }

    /// Each of them, without colour.
    pub(super) fn each(&self) -> Vec<String> {
        self.facts.iter().map(|(_, text)| text.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Writes all of them behind what fills the line up to `column`, and ends the line. A line that is full goes on
    /// below, behind `margin` and blanks up to `indent`.
    pub(super) fn write(&self, out: &mut String, column: usize, margin: &str, indent: usize, style: &Style) {
        let mut column = column;
        for (index, (ink, text)) in self.facts.iter().enumerate() {
            let len = columns(text);
            if index > 0 {
                if column + columns(SEPARATOR) + len <= style.width {
                    let _ = write!(out, "{}", style.dim(SEPARATOR));
                    column += columns(SEPARATOR);
                } else {
                    next_line(out, margin, indent);
                    column = indent;
                }
            }
            if column + len <= style.width {
                let _ = write!(out, "{}", style.paint(*ink, text));
                column += len;
            } else {
                column = write_words(out, (text, *ink), column, margin, indent, style);
            }
        }
        end_line(out);
    }
}

/// Columns that a text takes: everything that reports write is one column wide.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// A fact longer than a line: broken between words. Says in which column it ends.
fn write_words(
    out: &mut String,
    (text, ink): (&str, Ink),
    from: usize,
    margin: &str,
    indent: usize,
    style: &Style,
) -> usize {
    let mut column = from;
    let mut piece = String::new();
    for word in text.split(' ') {
        let len = columns(word);
        let gap = usize::from(!piece.is_empty());
        if column + gap + len > style.width && !piece.is_empty() {
            let _ = write!(out, "{}", style.paint(ink, &piece));
            next_line(out, margin, indent);
            piece.clear();
            column = indent;
        } else if gap == 1 {
            piece.push(' ');
            column += 1;
        }
        piece.push_str(word);
        column += len;
    }
    let _ = write!(out, "{}", style.paint(ink, &piece));
    column
}

fn next_line(out: &mut String, margin: &str, indent: usize) {
    end_line(out);
    let _ = write!(out, "{margin:<indent$}");
}

fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

const SEPARATOR: &str = " · ";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(facts: &[&str], width: usize) -> String {
        let mut line = Facts::default();
        for fact in facts {
            line.plain(*fact);
        }
        let mut out = String::from("#0  ");
        line.write(&mut out, 4, "#0", 4, &Style::plain(width));
        out
    }

    #[test]
    fn facts_that_fit_stand_on_one_line() {
        assert_eq!(written(&["one", "two"], 13), "#0  one · two\n");
    }

    #[test]
    fn a_full_line_goes_on_below_in_the_same_column() {
        assert_eq!(written(&["one", "two"], 12), "#0  one\n#0  two\n");
    }

    #[test]
    fn a_fact_longer_than_a_line_breaks_between_words_and_numbers_stay_whole() {
        assert_eq!(written(&["ack 5002 is not 5001"], 13), "#0  ack 5002\n#0  is not\n#0  5001\n");
        assert_eq!(written(&["1234567890"], 8), "#0  1234567890\n");
    }
}
