//! The numbers of both directions beside each other, by the names of tcptrace's long report.
//!
//! Lines in which both directions say 0 or no are only counted, so that the others can be seen.

use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words::arrow;
use crate::report::words::several;
use crate::tcp::ledger::Cell;

/// Keeps nothing: the ledger knows, where the analysis was asked to keep one.
#[derive(Debug)]
pub(super) struct Numbers;

impl Section for Numbers {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        let Some(ledger) = told.ended.ledger else { return };
        let report = ledger.tcptrace.report(told.ended.until);
        let connection = told.ended.connection;
        let [there, back] = report.directions.map(|sheet| sheet.pairs().collect::<Vec<_>>());
        let mut grid = Grid::new(&[
            Column::text("per direction"),
            Column::number(arrow(connection, report.a)),
            Column::number(arrow(connection, report.a.peer())),
        ]);
        let mut nothing = 0;
        for name in names(&there, &back) {
            let cells = [&there, &back].map(|pairs| pairs.iter().find(|(key, _)| *key == name).map(|(_, cell)| *cell));
            if cells.iter().flatten().all(is_nothing) {
                nothing += 1;
            } else {
                let [a, b] = cells.map(|cell| cell.map_or_else(|| "?".to_owned(), shown));
                grid.row(vec![in_words(name), a, b]);
            }
        }
        let mut facts = Facts::default();
        facts.say(Ink::Dim, format!("by tcptrace's names; {} more are 0 or no both ways", several(nothing, "line")));
        page.section("numbers", &facts);
        page.grid(grid);
    }
}

/// The names of both, in the order of the report.
fn names<'a>(there: &[(&'a str, Cell<'_>)], back: &[(&'a str, Cell<'_>)]) -> Vec<&'a str> {
    let mut names: Vec<&str> = there.iter().map(|(name, _)| *name).collect();
    for (name, _) in back {
        if !names.contains(name) {
            names.push(name);
        }
    }
    names
}

fn in_words(name: &str) -> String {
    name.replace('_', " ")
}

fn is_nothing(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Number(number) => *number == 0,
        Cell::Signed(number) => *number == 0,
        Cell::Yes(yes) => !yes,
        Cell::Time(span) => span.0 == 0,
        Cell::Word(word) => word.is_empty(),
    }
}

fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Number(number) => number.to_string(),
        Cell::Signed(number) => number.to_string(),
        Cell::Yes(true) => "yes".to_owned(),
        Cell::Yes(false) => "no".to_owned(),
        Cell::Time(span) => text::span(span),
        Cell::Word(word) => word.to_owned(),
    }
}
