//! JSON Lines, version 1 of the machine contract: an object per line, a key keeps its name, type and meaning.
//!
//! Times and durations are strings of seconds with nine decimals. A key whose value is not known is absent. Long
//! because the objects of a run stand here together.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::io::Write;

use serde::Serialize;
use serde::Serializer;

use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::pipeline::Facts;
use crate::report::capture::link_types;
use crate::report::json_connection::Connection;
use crate::report::trial;
use crate::source::CaptureInfo;
use crate::tcp::verdict::Judgement;

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

/// A TCP connection that ended, with Wireshark's completeness where somebody knows it.
///
/// # Errors
/// Those of the writer.
pub fn connection(
    out: &mut dyn Write,
    file: &str,
    ended: &EndedConnection<'_>,
    completeness: Option<u8>,
) -> io::Result<()> {
    line(out, &Connection::of(file, ended, completeness))
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

/// What a capture was, once it has been read.
///
/// # Errors
/// Those of the writer.
pub fn capture(
    out: &mut dyn Write,
    info: &CaptureInfo,
    facts: &Facts,
    dropped: Option<u64>,
    evicted: u64,
    trial: &[Judgement],
) -> io::Result<()> {
    line(
        out,
        &Capture {
            r#type: "capture",
            schema: SCHEMA,
            file: &info.name,
            format: info.format.to_string(),
            link_types: link_types(info, facts),
            frames: facts.frames,
            bytes: facts.bytes,
            captured_bytes: facts.captured_bytes,
            first_time: facts.times.map(|(first, _)| Text(first)),
            last_time: facts.times.map(|(_, last)| Text(last)),
            truncated: info.problem.is_some(),
            problem: info.problem.as_ref().map(|problem| problem.text.as_str()),
            comments: &info.remarks.comments,
            names: info.remarks.names.iter().map(|(addr, name)| Named { addr: addr.to_string(), name }).collect(),
            captured_by: &info.remarks.made_by,
            dropped,
            tcp: facts.tcp,
            udp: facts.udp,
            icmp: facts.icmp,
            other_ip: facts.other_ip,
            not_ip: facts.not_ip,
            fragments: facts.fragments,
            snapped: facts.snapped,
            defective: facts.defective,
            clock_steps: facts.clock_steps,
            evicted,
            trial: trial::objects(trial),
            checksums: Checksums {
                good: facts.checksums.good,
                partial: facts.checksums.partial,
                bad: facts.checksums.bad,
                absent: facts.checksums.absent,
                unverifiable: facts.checksums.unverifiable,
            },
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
    addr: String,
    port: u16,
}

impl From<Endpoint> for Address {
    fn from(end: Endpoint) -> Self {
        Self { addr: end.addr.to_string(), port: end.port }
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

#[derive(Serialize)]
struct Capture<'a> {
    r#type: &'static str,
    schema: u32,
    file: &'a str,
    format: String,
    link_types: Vec<String>,
    frames: u64,
    bytes: u64,
    captured_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_time: Option<Text<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_time: Option<Text<Timestamp>>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    comments: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<Named<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    captured_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
    tcp: u64,
    udp: u64,
    icmp: u64,
    other_ip: u64,
    not_ip: u64,
    fragments: u64,
    snapped: u64,
    defective: u64,
    clock_steps: u64,
    evicted: u64,
    /// What the capture itself cannot know: every item, found, ruled out or not to be told.
    trial: Vec<serde_json::Value>,
    checksums: Checksums,
}

/// A name that the file gives to an address.
#[derive(Serialize)]
struct Named<'a> {
    addr: String,
    name: &'a str,
}

#[derive(Serialize)]
struct Checksums {
    good: u64,
    partial: u64,
    bad: u64,
    absent: u64,
    unverifiable: u64,
}

/// One object, one line.
pub(super) fn line(out: &mut dyn Write, object: &impl Serialize) -> io::Result<()> {
    // Serde's own error stands around that of the writer.
    serde_json::to_writer(&mut *out, object).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Keys of a finding that evidence must not overwrite.
const TAKEN: [&str; 9] = ["type", "file", "code", "severity", "time", "streams", "frames", "text", "rfc"];
