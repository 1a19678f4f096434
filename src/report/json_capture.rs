//! A capture as the machine contract writes it.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use serde::Serialize;

use crate::packet::Timestamp;
use crate::pipeline::Facts;
use crate::pipeline::Pressure;
use crate::report::capture::link_types;
use crate::report::json::SCHEMA;
use crate::report::json::Text;
use crate::report::json::line;
use crate::report::trial;
use crate::source::CaptureInfo;
use crate::tcp::verdict::Judgement;

/// What a capture was, once it has been read.
///
/// # Errors
/// Those of the writer.
pub fn capture(
    out: &mut dyn Write,
    info: &CaptureInfo,
    facts: &Facts,
    dropped: Option<u64>,
    pressure: &Pressure,
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
            defects: facts.defects.met().map(|(code, count)| (code.code(), count)).collect(),
            unread_link_types: facts.unread_links.iter().map(|(link, frames)| (link.to_string(), *frames)).collect(),
            clock_steps: facts.clock_steps,
            evicted: pressure.tables.iter().map(|table| table.evicted).sum(),
            attempts: Attempts::of(pressure),
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    defects: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unread_link_types: BTreeMap<String, u64>,
    clock_steps: u64,
    evicted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Attempts>,
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

/// What the number of attempts that waited at once has cost; absent where nothing.
#[derive(Serialize)]
struct Attempts {
    let_go: u64,
    told_early: u64,
    resumed: u64,
    evicted: u64,
    sampled_out: u64,
    answers_left_out: u64,
    peak: usize,
}

impl Attempts {
    fn of(pressure: &Pressure) -> Option<Self> {
        let ([tcp, _], doorway) = (pressure.tables, pressure.doorway);
        let (evicted, sampled_out) = (doorway.evicted_unjudged + doorway.evicted_judged, doorway.sampled_out);
        let (let_go, told_early, resumed) = (tcp.let_go, tcp.told_early, tcp.resumed);
        let answers_left_out = doorway.answers_left_out;
        let attempts = Self { let_go, told_early, resumed, evicted, sampled_out, answers_left_out, peak: doorway.peak };
        (let_go + told_early + evicted + sampled_out + answers_left_out > 0).then_some(attempts)
    }
}
