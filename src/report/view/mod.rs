//! Rows of ready cells, so that table, CSV and markdown cannot disagree: each column is defined once, with its heading
//! for people, its key for programs, and the value that both are made of.
//!
//! A value is shown rounded and with its unit, and written exactly: seconds with nine decimals, octets as a number.

pub(super) mod connections;
pub(super) mod findings;
pub(super) mod fresh;
pub(super) mod udp;

use crate::packet::Endpoint;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::text;
use crate::report::text::harmless;

/// One column of rows of type `R`.
pub(super) struct Field<R: 'static> {
    /// Keys of the cells that programs are given: one, or as many as [`Value::exact`] gives of this field.
    pub(super) keys: &'static [&'static str],
    /// Heading and treatment for people.
    pub(super) column: Column,
    /// What stands in it.
    pub(super) value: fn(&R) -> Value,
}

/// What a cell says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Value {
    /// Not known, or not there.
    Absent,
    /// A count: 0 says nothing to people.
    Count(u64),
    /// A number.
    Number(u64),
    /// Octets.
    Octets(u64),
    /// A length of time.
    Span(Span),
    /// A point in time.
    Time(Timestamp),
    /// One of a few words.
    Word(&'static str),
    /// A word for programs that people need not read: nothing was there.
    Nothing(&'static str),
    /// Text, perhaps from strangers.
    Text(String),
    /// Two numbers that belong together.
    Sum(u64, u64),
    /// Two ends: address and port each.
    Ends(Endpoint, Endpoint),
}

impl Value {
    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Absent | Self::Count(0) => String::new(),
            Self::Count(number) | Self::Number(number) => number.to_string(),
            Self::Octets(octets) => text::octets(*octets),
            Self::Span(span) => text::span(*span),
            Self::Time(at) => text::utc(*at),
            Self::Word(word) => (*word).to_owned(),
            Self::Nothing(_) => "-".to_owned(),
            Self::Text(text) => harmless(text),
            Self::Sum(one, other) => format!("{one}+{other}"),
            Self::Ends(from, to) => format!("{from} → {to}"),
        }
    }

    /// For programs: as many cells as the field has keys.
    pub(super) fn exact(&self) -> Vec<String> {
        match self {
            Self::Absent => vec![String::new()],
            Self::Count(number) | Self::Number(number) | Self::Octets(number) => vec![number.to_string()],
            Self::Span(span) => vec![span.to_string()],
            Self::Time(at) => vec![at.to_string()],
            Self::Word(word) | Self::Nothing(word) => vec![(*word).to_owned()],
            Self::Text(text) => vec![text.clone()],
            Self::Sum(one, other) => vec![one.to_string(), other.to_string()],
            Self::Ends(from, to) => {
                vec![from.addr.to_string(), from.port.to_string(), to.addr.to_string(), to.port.to_string()]
            }
        }
    }
}

/// The keys of all fields, in order.
pub(super) fn keys<R>(fields: &'static [Field<R>]) -> impl Iterator<Item = &'static str> {
    fields.iter().flat_map(|field| field.keys).copied()
}

/// The cells of a row for programs.
pub(super) fn exact<R>(fields: &[Field<R>], row: &R) -> Vec<String> {
    let mut cells = Vec::with_capacity(fields.len() + 3);
    for field in fields {
        let values = (field.value)(row).exact();
        debug_assert_eq!(values.len(), field.keys.len(), "a cell for each key of {:?}", field.keys);
        cells.extend(values);
    }
    cells
}

/// The rows as a table for people.
pub(super) fn grid<R>(fields: &[Field<R>], rows: impl Iterator<Item = R>) -> Grid {
    let columns: Vec<_> = fields.iter().map(|field| field.column).collect();
    let mut grid = Grid::new(&columns);
    for row in rows {
        grid.row(fields.iter().map(|field| (field.value)(&row).shown()).collect());
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_shown_what_they_read_and_programs_are_given_what_they_compute_with() {
        let end: Endpoint = Endpoint { addr: "::1".parse().expect("an address"), port: 80 };
        let cases = [
            (Value::Count(0), "", "0"),
            (Value::Octets(3_000_000), "3.0 MB", "3000000"),
            (Value::Span(Span(2_651_000)), "2.65 ms", "0.002651000"),
            (
                Value::Time(Timestamp::from_parts(1_700_000_000, 5)),
                "2023-11-14 22:13:20.000000005 UTC",
                "1700000000.000000005",
            ),
            (Value::Nothing("not-seen"), "-", "not-seen"),
            (Value::Text("a\x1bb".to_owned()), "a\\x1bb", "a\x1bb"),
            (Value::Sum(3, 4), "3+4", "3|4"),
            (Value::Ends(end, end), "[::1]:80 → [::1]:80", "::1|80|::1|80"),
        ];
        for (value, shown, exact) in cases {
            assert_eq!((value.shown().as_str(), value.exact().join("|").as_str()), (shown, exact));
        }
    }
}
