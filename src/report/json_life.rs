//! The course of a connection as the machine contract writes it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::value::RawValue;

use crate::packet::Span;
use crate::packet::Timestamp;
use crate::report::json::Text;
use crate::report::json::unchanging;
use crate::tcp::Connection;
use crate::tcp::Side;
use crate::tcp::budget;
use crate::tcp::budget::Part;
use crate::tcp::life;
use crate::tcp::rtt;
use crate::tcp::rtt::How;

/// Object `time_budget`: seconds of each part, and their sum.
pub(super) struct TimeBudget(pub(super) budget::TimeBudget);

impl Serialize for TimeBudget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        static NOTHING: OnceLock<Box<RawValue>> = OnceLock::new();
        match self.0.total() {
            0 => unchanging(&Parts(&self.0), &NOTHING, serializer),
            _ => Parts(&self.0).serialize(serializer),
        }
    }
}

struct Parts<'a>(&'a budget::TimeBudget);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_map(Some(Part::ALL.len() + 1))?;
        for part in Part::ALL {
            parts.serialize_entry(part.key(), &Text(Seconds(self.0.nanos(part))))?;
        }
        parts.serialize_entry("total", &Text(Seconds(self.0.total())))?;
        parts.end()
    }
}

/// Object `rtt`: the handshake's, and samples of each direction.
#[derive(Serialize)]
pub(super) struct RoundTrips {
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<Text<Span>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    client_to_server: BTreeMap<&'static str, Samples>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    server_to_client: BTreeMap<&'static str, Samples>,
}

#[derive(Serialize)]
struct Samples {
    samples: u64,
    min: Text<Span>,
    median: Text<Span>,
    p95: Text<Span>,
    max: Text<Span>,
    /// How much median and p95 may be off, as a part of their value.
    quantile_error: f64,
    histogram: Vec<Bucket>,
}

#[derive(Serialize)]
struct Bucket {
    from: Text<Span>,
    to: Text<Span>,
    count: u32,
}

impl RoundTrips {
    /// Nothing where nothing is known.
    pub(super) fn of(connection: &Connection) -> Option<Self> {
        let handshake = connection.handshake.rtt().map(Text);
        let direction = |sender| {
            let kinds = How::ALL.into_iter().filter_map(move |how| {
                let samples = connection.round_trips()?.of(sender, how)?;
                Some((how.key(), Samples::of(samples)?))
            });
            kinds.collect::<BTreeMap<_, _>>()
        };
        let [client_to_server, server_to_client] = [Side::Client, Side::Server].map(direction);
        let known = handshake.is_some() || !client_to_server.is_empty() || !server_to_client.is_empty();
        known.then_some(Self { handshake, client_to_server, server_to_client })
    }
}

impl Samples {
    fn of(samples: &rtt::Samples) -> Option<Self> {
        Some(Self {
            samples: samples.count(),
            min: Text(samples.least()?),
            median: Text(samples.quantile(50)?),
            p95: Text(samples.quantile(95)?),
            max: Text(samples.most()?),
            quantile_error: if samples.is_exact() { 0.0 } else { rtt::QUANTILE_ERROR },
            histogram: samples
                .histogram()
                .map(|(from, to, count)| Bucket { from: Text(from), to: Text(to), count })
                .collect(),
        })
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
