//! The course of a connection as the machine contract writes it.

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::packet::Timestamp;
use crate::report::json::Text;
use crate::tcp::budget;
use crate::tcp::budget::Part;
use crate::tcp::life;

/// Object `time_budget`: seconds of each part, and their sum.
pub(super) struct TimeBudget(pub(super) budget::TimeBudget);

impl Serialize for TimeBudget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_map(Some(Part::ALL.len() + 1))?;
        for part in Part::ALL {
            parts.serialize_entry(part.key(), &Text(Seconds(self.0.nanos(part))))?;
        }
        parts.serialize_entry("total", &Text(Seconds(self.0.total())))?;
        parts.end()
    }
}

/// An element of `states`.
#[derive(Serialize)]
pub(super) struct StateStep {
    frame: u64,
    time: Text<Timestamp>,
    side: &'static str,
    from: &'static str,
    to: &'static str,
}

impl StateStep {
    pub(super) fn of(step: &life::StateStep) -> Self {
        Self {
            frame: step.mark.frame,
            time: Text(step.mark.at),
            side: step.side.name(),
            from: step.from.name(),
            to: step.to.name(),
        }
    }
}

/// Nanoseconds, written as seconds with nine decimals.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:09}", self.0 / NANOS, self.0 % NANOS)
    }
}

const NANOS: u64 = 1_000_000_000;
