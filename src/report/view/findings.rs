//! A row per finding.

use crate::finding::Finding;
use crate::report::grid::Column;
use crate::report::view::Field;
use crate::report::view::Value;

/// The columns, in order. Streams and frames are lists with blanks between.
pub(in crate::report) const FIELDS: &[Field<Finding>] = &[
    Field { keys: &["severity"], column: Column::text("severity"), value: |row| Value::Word(row.severity.name()) },
    Field { keys: &["code"], column: Column::text("code"), value: |row| Value::Word(row.code.as_str()) },
    Field { keys: &["streams"], column: Column::text("streams"), value: |row| Value::Text(listed(&row.streams)) },
    Field { keys: &["frames"], column: Column::text("frames"), value: |row| Value::Text(listed(&row.frames)) },
    Field { keys: &["text"], column: Column::text("what"), value: |row| Value::Text(row.text.clone()) },
    Field { keys: &["rfc"], column: Column::text("rule"), value: |row| Value::Text(row.code.rfc().to_owned()) },
    Field { keys: &["time"], column: Column::text("known at"), value: |row| Value::Time(row.at) },
];

fn listed(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}
