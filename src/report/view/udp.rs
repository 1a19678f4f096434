//! A row per UDP conversation.

use crate::finding::Severity;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::report::grid::Column;
use crate::report::order::Ranked;
use crate::report::order::Sort;
use crate::report::order::worst_first;
use crate::report::view::Field;
use crate::report::view::Value;
use crate::report::view::fresh::Found;

/// What the columns are made of.
#[derive(Clone, Debug)]
pub(in crate::report) struct ExchangeRow {
    stream: u64,
    a: Endpoint,
    b: Endpoint,
    start: Timestamp,
    duration: Span,
    packets: [u64; 2],
    bytes: [u64; 2],
    pairs: u64,
    unanswered: u64,
    latency: Option<Span>,
    found: Found,
}

impl ExchangeRow {
    pub(in crate::report) fn of(ended: &EndedExchange<'_>, found: Found) -> Self {
        let exchange = ended.exchange;
        Self {
            stream: ended.stream,
            a: ended.a,
            b: ended.b,
            start: exchange.first.at,
            duration: exchange.last.at.since(exchange.first.at),
            packets: exchange.packets,
            bytes: exchange.bytes,
            pairs: exchange.pairs,
            unanswered: exchange.unanswered(),
            latency: exchange.mean_latency(),
            found,
        }
    }
}

impl Ranked for ExchangeRow {
    fn stream(&self) -> u64 {
        self.stream
    }

    fn rank(&self, sort: Sort) -> i128 {
        let bytes = self.bytes[0].saturating_add(self.bytes[1]);
        match sort {
            Sort::Worst => worst_first(self.found.worst, bytes),
            Sort::Start => -i128::from(self.start.nanos()),
            Sort::Duration => self.duration.0.into(),
            Sort::Bytes => bytes.into(),
            Sort::Packets => self.packets[0].saturating_add(self.packets[1]).into(),
            Sort::Rtt => self.latency.map_or(i128::MIN, |latency| latency.0.into()),
            // UDP knows no repetition; what asks for one is a request without an answer.
            Sort::Retransmissions => self.unanswered.into(),
            Sort::Findings => self.found.count.into(),
        }
    }
}

/// The columns, in order.
pub(in crate::report) const FIELDS: &[Field<ExchangeRow>] = &[
    Field { keys: &["stream"], column: Column::number("#"), value: |row| Value::Number(row.stream) },
    Field {
        keys: &["a", "a_port", "b", "b_port"],
        column: Column::text("a → b"),
        value: |row| Value::Ends(row.a, row.b),
    },
    Field {
        keys: &["packets_sent", "packets_received"],
        column: Column::number("packets"),
        value: |row| Value::Sum(row.packets[0], row.packets[1]),
    },
    Field { keys: &["bytes_sent"], column: Column::number("sent").spared(3), value: |row| Value::Octets(row.bytes[0]) },
    Field {
        keys: &["bytes_received"],
        column: Column::number("received").spared(2),
        value: |row| Value::Octets(row.bytes[1]),
    },
    Field { keys: &["answered"], column: Column::number("answered").spared(1), value: |row| Value::Number(row.pairs) },
    Field { keys: &["unanswered"], column: Column::number("unanswered"), value: |row| Value::Number(row.unanswered) },
    Field {
        keys: &["latency"],
        column: Column::number("latency").spared(4),
        value: |row| row.latency.map_or(Value::Absent, Value::Span),
    },
    Field { keys: &["duration"], column: Column::number("duration").spared(6), value: |row| Value::Span(row.duration) },
    Field {
        keys: &["findings"],
        column: Column::number("findings").spared(5),
        value: |row| Value::Count(row.found.count),
    },
    Field {
        keys: &["gravest"],
        column: Column::text("gravest").spared(7),
        value: |row| row.found.worst.map_or(Value::Absent, |severity| Value::Word(Severity::name(severity))),
    },
    Field { keys: &["start"], column: Column::text("start").spared(8), value: |row| Value::Time(row.start) },
];
