//! Tables in markdown (GitHub's pipes), to be pasted where people write to each other. The same cells as on a screen, but
//! no column leaves and none is cut.

use std::io;
use std::io::Write;

use crate::report::grid::Kind;
use crate::report::view::Field;

/// Writes a table with all of its columns.
///
/// # Errors
/// Those of the writer.
pub(super) fn table<R>(out: &mut dyn Write, fields: &[Field<R>], rows: impl Iterator<Item = R>) -> io::Result<()> {
    let heads: Vec<_> = fields.iter().map(|field| cell(field.column.head)).collect();
    writeln!(out, "| {} |", heads.join(" | "))?;
    let rules: Vec<_> = fields
        .iter()
        .map(|field| match field.column.kind {
            Kind::Text => "---",
            Kind::Number => "---:",
        })
        .collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    for row in rows {
        let cells: Vec<_> = fields.iter().map(|field| cell(&(field.value)(&row).shown())).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// Text that means only itself: what markdown or HTML would read as a sign is escaped.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => safe.extend(['\\', c]),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::grid::Column;
    use crate::report::view::Value;

    #[test]
    fn a_table_has_its_rules_and_no_cell_can_leave_it() {
        let fields: &[Field<&str>] = &[
            Field { keys: &["n"], column: Column::number("#"), value: |_| Value::Number(7) },
            Field { keys: &["t"], column: Column::text("text").spared(9), value: |row| Value::Text((*row).to_owned()) },
        ];
        let mut out = Vec::new();
        table(&mut out, fields, ["a|b <i>", ""].into_iter()).expect("a vector takes everything");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "| \\# | text |\n| ---: | --- |\n| 7 | a\\|b &lt;i&gt; |\n| 7 |  |\n"
        );
    }
}
