//! A page: labels in one column, facts in the other, wrapped between facts.

use std::fmt::Write;

use crate::report::grid::Grid;
use crate::report::line::Facts;
use crate::report::line::columns;
use crate::report::style::Ink;
use crate::report::style::Style;

/// Text under labels.
pub(super) struct Page<'a> {
    pub(super) style: &'a Style,
    pub(super) text: String,
}

impl<'a> Page<'a> {
    pub(super) const fn new(style: &'a Style) -> Self {
        Self { style, text: String::new() }
    }

    /// The first line.
    pub(super) fn head(&mut self, head: &str) {
        let mut facts = Facts::default();
        facts.say(Ink::Bold, head);
        facts.write(&mut self.text, 0, "", INDENT, self.style);
    }

    /// One label with its facts; nothing where there are none.
    pub(super) fn section(&mut self, label: &str, facts: &Facts) {
        if facts.is_empty() {
            return;
        }
        let padded = format!("{label:<width$}", width = LABEL - INDENT);
        let _ = write!(self.text, "{:INDENT$}{}", "", self.style.dim(&padded));
        facts.write(&mut self.text, LABEL.max(INDENT + columns(&padded)), "", LABEL, self.style);
    }

    /// One label with lines of facts; the label stands beside the first.
    pub(super) fn sections(&mut self, label: &str, lines: &[Facts]) {
        for (index, facts) in lines.iter().enumerate() {
            self.section(if index == 0 { label } else { "" }, facts);
        }
    }

    /// A small table, indented, below the label before it.
    pub(super) fn grid(&mut self, grid: Grid) {
        let indent = 2 * INDENT;
        for line in grid.lines(self.style.width.saturating_sub(indent)) {
            let _ = writeln!(self.text, "{:indent$}{line}", "");
        }
    }
}

/// Columns before the labels.
pub(super) const INDENT: usize = 2;
/// Columns of the labels, their indent included.
const LABEL: usize = 13;
