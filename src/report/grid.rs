//! A table that fits its screen: the columns that can best be spared leave first, then the widest text is cut.

use std::io;
use std::io::Write;

use tabled::builder::Builder;
use tabled::settings::Alignment;
use tabled::settings::Padding;
use tabled::settings::Style as Border;
use tabled::settings::object::Columns;

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its heading.
    pub(super) head: &'static str,
    /// How it is treated.
    pub(super) kind: Kind,
    /// Columns with higher numbers leave first where the screen is too narrow; those with 0 stay.
    pub(super) spare: u8,
}

/// How cells of a column stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// To the left; may be cut.
    Text,
    /// To the right; never cut, since a cut number is another number.
    Number,
}

impl Column {
    /// Text that stays.
    pub(super) const fn text(head: &'static str) -> Self {
        Self { head, kind: Kind::Text, spare: 0 }
    }

    /// A number that stays.
    pub(super) const fn number(head: &'static str) -> Self {
        Self { head, kind: Kind::Number, spare: 0 }
    }

    /// The same, that leaves in this turn.
    pub(super) const fn spared(self, spare: u8) -> Self {
        Self { spare, ..self }
    }
}

/// Rows of ready cells under their columns.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// No rows yet.
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a row has a cell for each column");
        self.rows.push(cells);
    }

    /// Writes heading and rows, at most `width` columns wide as far as text can be cut.
    ///
    /// # Errors
    /// Those of the writer.
    pub(super) fn write(self, out: &mut dyn Write, width: usize) -> io::Result<()> {
        self.lines(width).iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    /// The same as lines, for a table within a page.
    pub(super) fn lines(mut self, width: usize) -> Vec<String> {
        self.drop_empty();
        while self.total() > width {
            let widest_spare = (0..self.columns.len()).max_by_key(|&at| self.columns[at].spare);
            match widest_spare.filter(|&at| self.columns[at].spare > 0) {
                Some(at) => self.remove(at),
                None => break,
            }
        }
        self.cut(width);
        let mut builder = Builder::with_capacity(self.rows.len() + 1, self.columns.len());
        builder.push_record(self.columns.iter().map(|column| column.head));
        for row in self.rows {
            builder.push_record(row);
        }
        let mut table = builder.build();
        table.with(Border::empty()).with(Padding::new(0, GAP, 0, 0));
        for (at, column) in self.columns.iter().enumerate() {
            if column.kind == Kind::Number {
                table.modify(Columns::one(at), Alignment::right());
            }
        }
        table.to_string().lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// A column that says nothing in any row only takes room.
    fn drop_empty(&mut self) {
        for at in (0..self.columns.len()).rev() {
            if self.columns[at].spare > 0 && self.rows.iter().all(|row| row[at].is_empty() || row[at] == "-") {
                self.remove(at);
            }
        }
    }

    fn remove(&mut self, at: usize) {
        self.columns.remove(at);
        for row in &mut self.rows {
            row.remove(at);
        }
    }

    fn width_of(&self, at: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[at].chars().count());
        cells.chain([self.columns[at].head.chars().count()]).max().unwrap_or(0)
    }

    fn total(&self) -> usize {
        (0..self.columns.len()).map(|at| self.width_of(at) + GAP).sum::<usize>().saturating_sub(GAP)
    }

    /// Cuts the widest text column until everything fits, but leaves something of it.
    fn cut(&mut self, width: usize) {
        for _ in 0..self.columns.len() {
            let excess = self.total().saturating_sub(width);
            let texts = (0..self.columns.len()).filter(|&at| self.columns[at].kind == Kind::Text);
            let Some(widest) = texts.max_by_key(|&at| self.width_of(at)).filter(|_| excess > 0) else { return };
            let room = self.width_of(widest).saturating_sub(excess).max(LEAST);
            for row in &mut self.rows {
                row[widest] = cut(&row[widest], room);
            }
        }
    }
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// Blanks between columns.
const GAP: usize = 2;
/// Characters that are left of a cut cell.
const LEAST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: usize) -> String {
        let columns = [
            Column::number("#"),
            Column::text("who"),
            Column::text("why").spared(1),
            Column::number("bytes").spared(2),
            Column::text("never").spared(9),
        ];
        let mut grid = Grid::new(&columns);
        grid.row(["0", "10.0.0.1:40000", "half-open", "14", ""].map(str::to_owned).to_vec());
        grid.row(["11", "10.0.0.2:1", "ok", "100000", "-"].map(str::to_owned).to_vec());
        let mut out = Vec::new();
        grid.write(&mut out, width).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn on_a_wide_screen_every_column_that_says_something_stands() {
        assert_eq!(
            written(80),
            " #  who             why         bytes\n \
             0  10.0.0.1:40000  half-open      14\n\
             11  10.0.0.2:1      ok         100000\n"
        );
    }

    #[test]
    fn the_columns_that_can_be_spared_leave_first() {
        let narrow = written(32);
        assert!(!narrow.contains("bytes") && narrow.contains("why"), "{narrow}");
        let narrower = written(20);
        assert!(!narrower.contains("why") && narrower.contains("10.0.0.1:40000"), "{narrower}");
    }

    #[test]
    fn text_is_cut_before_a_line_is_broken_and_numbers_are_not() {
        let narrow = written(16);
        assert!(narrow.contains("10.0.0.1:40…") && narrow.contains("11  "), "{narrow}");
        assert!(narrow.lines().all(|line| line.chars().count() <= 16), "{narrow}");
    }
}
