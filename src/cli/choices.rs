//! Words to choose from: how a report looks, the order in which it stands, what of it counts.

use clap::ValueEnum;

use crate::finding::Severity;
use crate::report::csv::Table;
use crate::report::order::Sort;

/// For whom to write what can be a table.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Shape {
    #[default]
    Table,
    Jsonl,
    Csv,
    Markdown,
}

/// The tables that a capture becomes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum CsvTable {
    Connections,
    Udp,
    Findings,
}

/// By what conversations are put in order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Order {
    /// Gravest finding first, then most octets
    Worst,
    /// Earliest first
    Start,
    /// Longest first
    Duration,
    /// Most octets first
    Bytes,
    /// Most packets first
    Packets,
    /// Slowest round trip first; of UDP, slowest answers
    Rtt,
    /// Most segments sent again first; of UDP, most requests without answer
    Retransmissions,
    /// Most findings first
    Findings,
}

impl From<CsvTable> for Table {
    fn from(table: CsvTable) -> Self {
        match table {
            CsvTable::Connections => Self::Connections,
            CsvTable::Udp => Self::Udp,
            CsvTable::Findings => Self::Findings,
        }
    }
}

impl From<Order> for Sort {
    fn from(order: Order) -> Self {
        match order {
            Order::Worst => Self::Worst,
            Order::Start => Self::Start,
            Order::Duration => Self::Duration,
            Order::Bytes => Self::Bytes,
            Order::Packets => Self::Packets,
            Order::Rtt => Self::Rtt,
            Order::Retransmissions => Self::Retransmissions,
            Order::Findings => Self::Findings,
        }
    }
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Colour {
    Auto,
    Always,
    Never,
}

/// For whom to write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Table,
    Jsonl,
}

/// From which gravity on findings change the exit code.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum FailOn {
    Note,
    Warning,
    #[default]
    Error,
    Never,
}

impl FailOn {
    /// The least gravity that counts.
    pub(super) const fn threshold(self) -> Option<Severity> {
        match self {
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
            Self::Never => None,
        }
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Outcome {
    Broken,
    Holds,
    CannotTell,
}

/// Whose words to add.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Dialect {
    #[value(name = "wireshark-4.0")]
    Wireshark40,
}
