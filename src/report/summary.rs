//! A whole capture on a screen: what it holds, its worst conversations, and what is wrong, by kind.
//!
//! Fed through [`Sink`] while the capture is read; keeps the rows that will be shown and no more.

use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::pipeline::Sink;
use crate::report::budget::Budgets;
use crate::report::capture;
use crate::report::capture::Whole;
use crate::report::findings::Groups;
use crate::report::markdown;
use crate::report::order;
use crate::report::order::Kept;
use crate::report::order::Sort;
use crate::report::style::Style;
use crate::report::text;
use crate::report::view;
use crate::report::view::Field;
use crate::report::view::connections;
use crate::report::view::connections::ConnectionRow;
use crate::report::view::fresh::Fresh;
use crate::report::view::udp;
use crate::report::view::udp::ExchangeRow;
use crate::report::worst::Worst;

/// How much to keep, and what of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Keep {
    /// Rows of a table, 0 for all.
    pub rows: usize,
    /// What stands first, and stays where not all rows are kept.
    pub sort: Sort,
    /// Findings of a kind in words.
    pub examples: usize,
}

/// Collects the rows of one capture.
#[derive(Debug)]
pub struct Summary {
    sort: Sort,
    connections: Kept<ConnectionRow>,
    exchanges: Kept<ExchangeRow>,
    budgets: Budgets,
    findings: Groups,
    fresh: Fresh,
}

impl Summary {
    /// Nothing seen yet.
    pub fn new(keep: Keep) -> Self {
        Self {
            sort: keep.sort,
            connections: Worst::new(keep.rows),
            exchanges: Worst::new(keep.rows),
            budgets: Budgets::new(keep.examples),
            findings: Groups::new(keep.examples),
            fresh: Fresh::default(),
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, out: &mut dyn Write, whole: &Whole<'_>, style: &Style) -> io::Result<()> {
        capture::write(out, whole, style)?;
        table(out, "TCP connections", connections::FIELDS, self.connections, style)?;
        self.budgets.write(out, style)?;
        table(out, "UDP conversations", udp::FIELDS, self.exchanges, style)?;
        self.findings.write(out, style)
    }

    /// Writes everything in markdown.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_markdown(self, out: &mut dyn Write, whole: &Whole<'_>) -> io::Result<()> {
        capture::write_markdown(out, whole)?;
        markdown_table(out, "TCP connections", connections::FIELDS, self.connections)?;
        markdown_table(out, "UDP conversations", udp::FIELDS, self.exchanges)?;
        self.findings.write_markdown(out)
    }
}

impl Sink for Summary {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.budgets.add(ended);
        let row = ConnectionRow::of(ended, self.fresh.take(ended.stream));
        self.connections.add(order::place(&row, self.sort), row);
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        let row = ExchangeRow::of(ended, self.fresh.take(ended.stream));
        self.exchanges.add(order::place(&row, self.sort), row);
    }

    fn finding(&mut self, finding: Finding) {
        self.fresh.add(&finding);
        self.findings.add(finding);
    }
}

fn table<R>(out: &mut dyn Write, what: &str, fields: &[Field<R>], rows: Kept<R>, style: &Style) -> io::Result<()> {
    let left_out = rows.left_out();
    if rows.seen() == 0 {
        return Ok(());
    }
    heading(out, what, rows.seen(), style)?;
    view::grid(fields, rows.sorted()).write(out, style.width)?;
    more(out, left_out)
}

fn markdown_table<R>(out: &mut dyn Write, what: &str, fields: &[Field<R>], rows: Kept<R>) -> io::Result<()> {
    let left_out = rows.left_out();
    if rows.seen() == 0 {
        return Ok(());
    }
    writeln!(out, "\n## {what}: {}\n", text::count(rows.seen()))?;
    markdown::table(out, fields, rows.sorted())?;
    if left_out > 0 {
        writeln!(out)?;
    }
    more(out, left_out)
}

fn heading(out: &mut dyn Write, what: &str, number: u64, style: &Style) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "{}", style.bold(format!("{what}: {}", text::count(number))))
}

fn more(out: &mut dyn Write, left_out: u64) -> io::Result<()> {
    if left_out == 0 {
        return Ok(());
    }
    writeln!(out, "… and {} more: --limit 0 shows all", text::count(left_out))
}
