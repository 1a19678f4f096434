//! A row per TCP connection.

use crate::finding::Severity;
use crate::flow::EndedConnection;
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
use crate::tcp::CloseKind;
use crate::tcp::Outcome;
use crate::tcp::Side;

/// What the columns are made of.
#[derive(Clone, Debug)]
pub(in crate::report) struct ConnectionRow {
    pub(in crate::report) stream: u64,
    pub(in crate::report) client: Endpoint,
    pub(in crate::report) server: Endpoint,
    pub(in crate::report) outcome: Outcome,
    pub(in crate::report) close: CloseKind,
    first_by: Option<Side>,
    pub(in crate::report) start: Timestamp,
    pub(in crate::report) duration: Span,
    packets: [u64; 2],
    pub(in crate::report) bytes: [u64; 2],
    repeated: u64,
    rtt: Option<Span>,
    pub(in crate::report) found: Found,
}

impl ConnectionRow {
    pub(in crate::report) fn of(ended: &EndedConnection<'_>, found: Found) -> Self {
        let connection = ended.connection;
        let sides = [Side::Client, Side::Server].map(|side| connection.side(side));
        let close = connection.close_kind();
        Self {
            stream: ended.stream,
            client: ended.client,
            server: ended.server,
            outcome: connection.outcome(),
            close,
            first_by: connection.teardown.first_by().filter(|_| close != CloseKind::NotSeen),
            start: connection.first.at,
            duration: connection.last.at.since(connection.first.at),
            packets: sides.map(|side| side.packets),
            bytes: sides.map(|side| side.bytes),
            repeated: sides[0].repeated_packets.saturating_add(sides[1].repeated_packets),
            rtt: connection.handshake.rtt(),
            found,
        }
    }
}

impl Ranked for ConnectionRow {
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
            Sort::Rtt => self.rtt.map_or(i128::MIN, |rtt| rtt.0.into()),
            Sort::Retransmissions => self.repeated.into(),
            Sort::Findings => self.found.count.into(),
        }
    }
}

/// The columns, in order; the ones that can best be spared have the highest numbers.
pub(in crate::report) const FIELDS: &[Field<ConnectionRow>] = &[
    Field { keys: &["stream"], column: Column::number("#"), value: |row| Value::Number(row.stream) },
    Field {
        keys: &["client", "client_port", "server", "server_port"],
        column: Column::text("client → server"),
        value: |row| Value::Ends(row.client, row.server),
    },
    Field { keys: &["opened"], column: Column::text("opened"), value: |row| Value::Word(row.outcome.name()) },
    Field { keys: &["closed"], column: Column::text("closed").spared(1), value: closed },
    Field {
        keys: &["closed_by"],
        column: Column::text("by").spared(3),
        value: |row| row.first_by.map_or(Value::Absent, |side| Value::Word(side.name())),
    },
    Field { keys: &["bytes_sent"], column: Column::number("sent").spared(5), value: |row| Value::Octets(row.bytes[0]) },
    Field {
        keys: &["bytes_received"],
        column: Column::number("received").spared(4),
        value: |row| Value::Octets(row.bytes[1]),
    },
    Field {
        keys: &["packets_sent", "packets_received"],
        column: Column::number("packets").spared(9),
        value: |row| Value::Sum(row.packets[0], row.packets[1]),
    },
    Field {
        keys: &["retransmissions"],
        column: Column::number("again").spared(8),
        value: |row| Value::Count(row.repeated),
    },
    Field {
        keys: &["rtt"],
        column: Column::number("rtt").spared(6),
        value: |row| row.rtt.map_or(Value::Absent, Value::Span),
    },
    Field { keys: &["duration"], column: Column::number("duration").spared(7), value: |row| Value::Span(row.duration) },
    Field {
        keys: &["findings"],
        column: Column::number("findings").spared(2),
        value: |row| Value::Count(row.found.count),
    },
    Field {
        keys: &["gravest"],
        column: Column::text("gravest").spared(10),
        value: |row| row.found.worst.map_or(Value::Absent, |severity| Value::Word(Severity::name(severity))),
    },
    Field { keys: &["start"], column: Column::text("start").spared(11), value: |row| Value::Time(row.start) },
];

fn closed(row: &ConnectionRow) -> Value {
    match row.close {
        CloseKind::NotSeen => Value::Nothing(row.close.name()),
        CloseKind::FourWay
        | CloseKind::ThreeSegment
        | CloseKind::Simultaneous
        | CloseKind::HalfClose
        | CloseKind::Abort
        | CloseKind::ResetAfterFin
        | CloseKind::Open => Value::Word(row.close.name()),
    }
}
