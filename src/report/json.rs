//! JSON Lines, version 1 of the machine contract: an object per line, a key keeps its name, type and meaning.
//!
//! Times and durations are strings of seconds with nine decimals. A key whose value is not known is absent. Long
//! because the objects of a run stand here together.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::io::Write;
use std::net::IpAddr;
use std::sync::OnceLock;

use serde::Serialize;
use serde::Serializer;
use serde::ser::Error;
use serde_json::value::RawValue;
use serde_json::value::to_raw_value;

use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::report::json_connection::Connection;

pub use crate::report::json_capture::capture;

/// Number of the schema, in the first line of every run.
pub const SCHEMA: u32 = 1;

/// The first line: which schema, written by which program.
///
/// # Errors
/// Those of the writer.
pub fn header(out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Header {
        r#type: &'static str,
        schema: u32,
        program: &'static str,
    }
    line(out, &Header { r#type: "header", schema: SCHEMA, program: concat!("synscope ", env!("CARGO_PKG_VERSION")) })
}

/// A TCP connection that ended.
///
/// # Errors
/// Those of the writer.
pub fn connection(out: &mut dyn Write, file: &str, ended: &EndedConnection<'_>) -> io::Result<()> {
    line(out, &Connection::of(file, ended))
}

/// A UDP conversation that ended.
///
/// # Errors
/// Those of the writer.
pub fn exchange(out: &mut dyn Write, file: &str, ended: &EndedExchange<'_>) -> io::Result<()> {
    let exchange = ended.exchange;
    let latency = exchange.latency.min.zip(exchange.mean_latency()).map(|(min, mean)| Latency {
        min: Text(min),
        median: Text(exchange.median_latency().map_or(mean, |(median, _)| median)),
        mean: Text(mean),
        max: Text(exchange.latency.max),
    });
    line(
        out,
        &UdpFlow {
            r#type: "udp_flow",
            file,
            stream: ended.stream,
            a: ended.a.into(),
            b: ended.b.into(),
            start: Text(exchange.first.at),
            end: Text(exchange.last.at),
            first_frame: exchange.first.frame,
            last_frame: exchange.last.frame,
            packets: exchange.packets,
            bytes: exchange.bytes,
            pairs: exchange.pairs,
            unanswered: exchange.unanswered(),
            unsolicited: exchange.unsolicited,
            port_closed: exchange.port_closed,
            bad_checksums: exchange.bad_checksums,
            without_checksum: exchange.without_checksum,
            wrong_lengths: exchange.wrong_lengths.count,
            duplicates: exchange.copies.count,
            reordered: exchange.overtaken.count,
            largest: exchange.largest,
            read_short: exchange.read_size.map(|size| ReadShort {
                size,
                datagrams: exchange.cut.count,
                octets_lost: exchange.cut_octets,
            }),
            latency,
        },
    )
}

/// Something to be said. Evidence stands under its own keys.
///
/// # Errors
/// Those of the writer.
pub fn finding(out: &mut dyn Write, file: &str, finding: &Finding) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        r#type: &'static str,
        file: &'a str,
        code: &'static str,
        severity: &'static str,
        time: Text<Timestamp>,
        streams: &'a [u64],
        frames: &'a [u64],
        text: &'a str,
        rfc: &'static str,
        #[serde(flatten)]
        evidence: BTreeMap<&'static str, Evidence<'a>>,
    }
    let evidence = finding.evidence.iter().filter(|(key, _)| !TAKEN.contains(key));
    line(
        out,
        &Line {
            r#type: "finding",
            file,
            code: finding.code.as_str(),
            severity: finding.severity.name(),
            time: Text(finding.at),
            streams: &finding.streams,
            frames: &finding.frames,
            text: &finding.text,
            rfc: finding.code.rfc(),
            evidence: evidence.map(|(key, value)| (*key, Evidence(value))).collect(),
        },
    )
}

/// Totals of a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Captures read.
    pub captures: u64,
    /// Their frames.
    pub frames: u64,
    /// Octets on the wire.
    pub bytes: u64,
    /// Connections told of.
    pub connections: u64,
    /// UDP conversations told of.
    pub udp_flows: u64,
    /// Conversations among these that a limit kept out, where there is a limit or an order.
    pub left_out: Option<u64>,
    /// Findings, by code; those of conversations that were kept out included.
    pub findings: BTreeMap<Code, u64>,
}

/// The last line.
///
/// # Errors
/// Those of the writer.
pub fn summary(out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
    #[derive(Serialize)]
    struct Summary {
        r#type: &'static str,
        captures: u64,
        frames: u64,
        bytes: u64,
        connections: u64,
        udp_flows: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u64>,
        findings: BTreeMap<&'static str, u64>,
    }
    line(
        out,
        &Summary {
            r#type: "summary",
            captures: totals.captures,
            frames: totals.frames,
            bytes: totals.bytes,
            connections: totals.connections,
            udp_flows: totals.udp_flows,
            left_out: totals.left_out,
            findings: totals.findings.iter().map(|(code, count)| (code.as_str(), *count)).collect(),
        },
    )
}

/// Address and port.
#[derive(Serialize)]
pub(super) struct Address {
    addr: IpAddr,
    port: u16,
}

impl From<Endpoint> for Address {
    fn from(end: Endpoint) -> Self {
        Self { addr: end.addr, port: end.port }
    }
}

/// Written as its text.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

struct Evidence<'a>(&'a Value);

impl Serialize for Evidence<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => serializer.serialize_u64(*number),
            Value::Ratio(ratio) => serializer.serialize_f64(*ratio),
            Value::Span(span) => serializer.collect_str(span),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

#[derive(Serialize)]
struct UdpFlow<'a> {
    r#type: &'static str,
    file: &'a str,
    stream: u64,
    a: Address,
    b: Address,
    start: Text<Timestamp>,
    end: Text<Timestamp>,
    first_frame: u64,
    last_frame: u64,
    packets: [u64; 2],
    bytes: [u64; 2],
    pairs: u64,
    unanswered: u64,
    unsolicited: u64,
    port_closed: u64,
    bad_checksums: u64,
    without_checksum: u64,
    wrong_lengths: u64,
    duplicates: u64,
    reordered: u64,
    largest: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_short: Option<ReadShort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<Latency>,
}

/// What reads of a size would lose.
#[derive(Serialize)]
struct ReadShort {
    size: u32,
    datagrams: u64,
    octets_lost: u64,
}

#[derive(Serialize)]
struct Latency {
    min: Text<Span>,
    median: Text<Span>,
    mean: Text<Span>,
    max: Text<Span>,
}

/// One object, one line.
pub(super) fn line(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    // Put together in memory, where each of its hundreds of pieces costs a copy and not a call of the writer.
    let mut line = Vec::with_capacity(USUAL_LINE);
    serde_json::to_writer(&mut line, object).map_err(io::Error::from)?;
    line.push(b'\n');
    out.write_all(&line)
}

/// Writes an object that reads the same each time, as of a side that sent nothing: its text is put together once.
/// A flood is millions of these.
pub(super) fn unchanging<S: Serializer>(
    object: &impl Serialize,
    text: &OnceLock<Box<RawValue>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let raw = match text.get() {
        Some(raw) => raw,
        None => {
            let raw = to_raw_value(object).map_err(S::Error::custom)?;
            text.get_or_init(|| raw)
        }
    };
    debug_assert!(
        to_raw_value(object).is_ok_and(|fresh| fresh.get() == raw.get()),
        "what is written once for all reads the same each time: {raw}"
    );
    raw.serialize(serializer)
}

/// Octets of a line about a connection, in round numbers.
const USUAL_LINE: usize = 4_096;

/// Keys of a finding that evidence must not overwrite.
const TAKEN: [&str; 9] = ["type", "file", "code", "severity", "time", "streams", "frames", "text", "rfc"];
