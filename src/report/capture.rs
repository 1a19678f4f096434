//! The capture itself in a few lines: what it holds, and what it cannot show or shows wrongly.

use std::collections::HashSet;
use std::io;
use std::io::Write;

use crate::packet::DefectCode;
use crate::pipeline::Facts;
use crate::pipeline::Pressure;
use crate::report::findings::wrapped;
use crate::report::line::columns;
use crate::report::markdown::cell;
use crate::report::style::Style;
use crate::report::text;
use crate::report::text::harmless;
use crate::report::trial;
use crate::report::words::several;
use crate::source::CaptureInfo;
use crate::source::Remarks;
use crate::tcp::verdict::Judgement;

/// What is known when the capture is over.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// The source's part.
    pub info: &'a CaptureInfo,
    /// What the capture itself cannot know.
    pub trial: &'a [Judgement],
    /// The frames' part.
    pub facts: &'a Facts,
    /// How full the tables became.
    pub pressure: Pressure,
}

/// Writes the paragraph.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, whole: &Whole<'_>, style: &Style) -> io::Result<()> {
    let (name, what) = (name(whole), what(whole));
    if columns(&name) + columns(": ") + columns(&what) <= style.width {
        writeln!(out, "{}: {what}", style.bold(name))?;
    } else {
        writeln!(out, "{}:", style.bold(name))?;
        writeln!(out, "  {}", wrapped(&what, 2, 4, style.width))?;
    }
    for line in lines(whole) {
        writeln!(out, "  {}", wrapped(&line, 2, 4, style.width))?;
    }
    out.write_all(trial::section(whole.trial, 2, style).as_bytes())?;
    for warning in warnings(whole) {
        writeln!(out, "  {}", style.warn(format_args!("! {}", wrapped(&warning, 4, 4, style.width))))?;
    }
    Ok(())
}

/// Writes the same in markdown.
///
/// # Errors
/// Those of the writer.
pub fn write_markdown(out: &mut dyn Write, whole: &Whole<'_>) -> io::Result<()> {
    writeln!(out, "# {}\n", cell(&name(whole)))?;
    writeln!(out, "- {}", cell(&what(whole)))?;
    for line in lines(whole) {
        writeln!(out, "- {}", cell(&line))?;
    }
    for line in trial::plain(whole.trial) {
        writeln!(out, "- {}", cell(&line))?;
    }
    for warning in warnings(whole) {
        writeln!(out, "- **!** {}", cell(&warning))?;
    }
    Ok(())
}

fn name(whole: &Whole<'_>) -> String {
    if whole.info.name == "-" { "standard input".to_owned() } else { harmless(&whole.info.name) }
}

fn what(whole: &Whole<'_>) -> String {
    let Whole { info, facts, .. } = whole;
    let links: Vec<_> = facts.links.iter().map(|(link, _)| link.to_string()).collect();
    let space = if links.is_empty() { "" } else { " " };
    let (frames, octets) = (text::count(facts.frames), text::octets(facts.bytes));
    format!("{}{space}{}, {frames} frames, {octets}", info.format, links.join("+"))
}

/// Link types of a capture: those of its frames, and those that it only declares.
pub(super) fn link_types(info: &CaptureInfo, facts: &Facts) -> Vec<String> {
    let declared = info.interfaces.iter().map(|interface| interface.link_type);
    let mut known = HashSet::new();
    let all = facts.links.iter().map(|(link, _)| *link).chain(declared).map(|link| link.to_string());
    all.filter(|name| known.insert(name.clone())).collect()
}

fn lines(whole: &Whole<'_>) -> Vec<String> {
    let facts = whole.facts;
    let times = facts.times.map(|(first, _)| format!("{}, {} long", text::utc(first), text::span(facts.duration())));
    let kinds = [
        ("TCP", facts.tcp),
        ("UDP", facts.udp),
        ("ICMP", facts.icmp),
        ("other IP", facts.other_ip),
        ("not IP", facts.not_ip),
        ("fragments", facts.fragments),
    ];
    let sums = facts.checksums;
    let checksums = [
        ("good", sums.good),
        ("partial (offload)", sums.partial),
        ("bad", sums.bad),
        ("absent", sums.absent),
        ("not to be told", sums.unverifiable),
    ];
    let told = [times, counts("packets", &kinds), counts("checksums", &checksums)].into_iter().flatten();
    told.chain(remarks(&whole.info.remarks)).collect()
}

/// What the file says of itself: who captured, names of addresses, comments; the first ones of many.
fn remarks(remarks: &Remarks) -> Vec<String> {
    let mut lines = Vec::new();
    if !remarks.made_by.is_empty() {
        lines.push(format!("captured by: {}", harmless(&remarks.made_by.join(", "))));
    }
    let names: Vec<_> = remarks.names.iter().map(|(addr, name)| format!("{addr} {}", harmless(name))).collect();
    if !names.is_empty() {
        let more = names.len().saturating_sub(REMARKS);
        let behind = if more > 0 { format!(", and {more} more") } else { String::new() };
        lines.push(format!("names: {}{behind}", names[..names.len() - more].join(", ")));
    }
    lines.extend(remarks.comments.iter().take(REMARKS).map(|comment| format!("comment: {}", harmless(comment))));
    let more = remarks.comments.len().saturating_sub(REMARKS);
    if more > 0 {
        lines.push(format!("and {more} more comments"));
    }
    lines
}

fn counts(what: &str, counts: &[(&str, u64)]) -> Option<String> {
    let there = counts.iter().filter(|(_, count)| *count > 0);
    let told: Vec<_> = there.map(|(name, number)| format!("{} {name}", text::count(*number))).collect();
    (!told.is_empty()).then(|| format!("{what}: {}", told.join(", ")))
}

/// What the capture cannot show, or shows wrongly.
fn warnings(whole: &Whole<'_>) -> Vec<String> {
    let Whole { info, facts, pressure, .. } = whole;
    let mut warnings = Vec::new();
    let mut warn = |count: u64, text: String| {
        if count > 0 {
            warnings.push(text);
        }
    };
    if let Some(problem) = &info.problem {
        warn(1, format!("the capture ends badly: {problem}"));
    }
    if let Some((index, interface)) = info.interfaces.iter().enumerate().find(|(_, one)| one.resolution.is_too_fine()) {
        let (unit, stands) = (interface.resolution, "so all its frames seem to have passed at once");
        warn(1, format!("interface {index} counts time in {unit}: 2^64 of them make no nanosecond, {stands}"));
    }
    for (link, frames) in &facts.unread_links {
        warn(*frames, format!("{} of link type {link} are not decoded", several(*frames, "frame")));
    }
    // A frame of which no header can be read has none that is malformed.
    let malformed = facts.defective.saturating_sub(facts.defects[DefectCode::UnknownLink]);
    let codes = facts.defects.met().filter(|(code, _)| *code != DefectCode::UnknownLink);
    let codes: Vec<_> = codes.map(|(code, count)| format!("{} {}", text::count(count), code.code())).collect();
    warn(malformed, format!("{} have malformed headers: {}", several(malformed, "frame"), codes.join(", ")));
    let Pressure { tables: [tcp, udp], doorway } = pressure;
    let evicted = tcp.evicted + udp.evicted;
    warn(evicted, format!("{} conversations were let go early to save memory", text::count(evicted)));
    let early = text::count(tcp.told_early);
    warn(tcp.told_early, format!("{early} attempts are told as they stood when very many waited"));
    let lost = doorway.evicted_judged + doorway.evicted_unjudged;
    warn(lost, format!("{} attempts waited for longer than there was room for them", text::count(lost)));
    let left_out = text::count(doorway.sampled_out);
    let share = 1_u64 << doorway.deepest_sampling;
    warn(doorway.sampled_out, format!("{left_out} attempts were not waited for: at the peak one in {share} was"));
    let answers = text::count(doorway.answers_left_out);
    warn(doorway.answers_left_out, format!("{answers} SYN,ACKs without a SYN were not waited for: the room was full"));
    warnings
}

/// Names and comments shown.
const REMARKS: usize = 8;
