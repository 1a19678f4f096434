//! Flood or popularity? One incident for the person on call: what, since when, how sure, what else it could be.
//!
//! The first line answers, the others are the evidence, label by label, so that two alerts can be held beside each other.

use std::io;
use std::io::Write;

use crate::detect::syn_flood::Class;
use crate::detect::syn_flood::Incident;
use crate::detect::syn_flood::Kind;
use crate::detect::syn_flood::Outcome;
use crate::detect::syn_flood::Phase;
use crate::detect::syn_flood::Share;
use crate::detect::syn_flood::SynFlood;
use crate::packet::Timestamp;
use crate::report::findings::wrapped;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;

/// An incident, as it stands now. `dropped`: frames that the kernel threw away so far, where that is known.
///
/// # Errors
/// Those of the writer.
pub fn incident(out: &mut dyn Write, told: &Incident, dropped: Option<u64>, style: &Style) -> io::Result<()> {
    let (answer, ink) = answer(told.class);
    let state = match (told.phase, told.merged_into) {
        (Phase::End, Some(other)) => format!("goes on as #{other}"),
        (phase, _) => phase.name().to_owned(),
    };
    let head = format!("#{} {state}: {answer}", told.id);
    writeln!(out, "{}", style.paint(ink, head))?;
    let mut line = |label: &str, words: String| -> io::Result<()> {
        let words = wrapped(&words, INDENT, INDENT, style.width);
        writeln!(out, "  {label:<LABEL$}{words}")
    };
    line("what", what(told))?;
    line("when", when(told))?;
    if told.merged_into.is_some() {
        return Ok(());
    }
    if told.usual_rate.is_some() {
        line("rate", pace(told))?;
        line("capture", capture(told, dropped))?;
        line("sure?", format!("{}: {}", told.confidence.name(), told.reasons.join("; ")))?;
        line("innocent?", told.innocent_reading.clone())?;
        return line("limits", format!("{}; rule {}", told.thresholds, told.rule));
    }
    line("rate", rate(told))?;
    line("became of", told.outcomes_in_words())?;
    if told.scanner.is_none() {
        line("service", service(told))?;
    }
    // What goes on is known; the rest is said again when it is over.
    if told.phase == Phase::Update {
        return line("sure?", told.confidence.name().to_owned());
    }
    if told.scanner.is_none() {
        if told.distinct_sources > 0.0 {
            line("sources", sources(told))?;
        }
        for (label, shares) in [("top", &told.top_sources), ("networks", &told.top_prefixes)] {
            if !shares.is_empty() {
                line(label, shares.iter().map(share).collect::<Vec<_>>().join(", "))?;
            }
        }
        if !told.fingerprint.is_empty() {
            line("SYNs", look(told))?;
        }
        line("server", server(told))?;
    }
    line("capture", capture(told, dropped))?;
    line("sure?", format!("{}: {}", told.confidence.name(), told.reasons.join("; ")))?;
    line("innocent?", told.innocent_reading.clone())?;
    line("limits", format!("{}; rule {}", told.thresholds, told.rule))
}

/// The last word about a capture, or a watch.
///
/// # Errors
/// Those of the writer.
pub fn over(out: &mut dyn Write, detector: &SynFlood, style: &Style) -> io::Result<()> {
    let totals = detector.totals();
    let count = |class: Class| totals.incidents[class as usize];
    let attempts = totals.attempts();
    let completed = totals.of(Outcome::Completed);
    let share = |part: u64| 100.0 * part as f64 / attempts.max(1) as f64;
    let service = format!(
        "{} attempts, {:.1} % completed, half-open peak {}, unexplained at most {:.0} (limit {})",
        text::count(attempts),
        share(completed),
        text::count(totals.half_open_peak.into()),
        totals.unexplained_peak,
        detector.thresholds().port_limit
    );
    let crowds = match count(Class::Surge) {
        0 => String::new(),
        1 => "; 1 crowd that was served".to_owned(),
        n => format!("; {} crowds that were served", text::count(n)),
    };
    let service = service + &crowds;
    let named = |class: Class, one: &str, many: &str| match count(class) {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{} {many}", text::count(n))),
    };
    let found: Vec<String> = [
        named(Class::Flood, "flood", "floods"),
        named(Class::Scan, "scan", "scans"),
        named(Class::Undetermined, "that cannot be told", "that cannot be told"),
        named(Class::Overload, "overload", "overloads"),
        named(Class::Unanswered, "service that does not answer", "services that do not answer"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (words, ink) = match (count(Class::Flood), attempts, found.is_empty()) {
        (0, 0, true) => ("no flood: no connection attempts".to_owned(), Ink::Good),
        (0, _, true) => (format!("no flood: {service}"), Ink::Good),
        (0, _, false) => (format!("no flood, but {}: {service}", found.join(", ")), Ink::Warn),
        (_, _, _) => (format!("{}: {service}", found.join(", ")), Ink::Bad),
    };
    writeln!(out, "{}", style.paint(ink, wrapped(&words, 0, 2, style.width)))?;
    let others = others(totals.outcomes, attempts);
    if !others.is_empty() {
        writeln!(out, "{}", wrapped(&format!("  the others: {others}"), 0, 2, style.width))?;
    }
    pressure(out, detector, style)
}

/// Attempts that did not complete, by what became of them.
fn others(outcomes: [u64; Outcome::COUNT], attempts: u64) -> String {
    let words: Vec<String> = Outcome::NAMED
        .iter()
        .filter(|(outcome, _)| *outcome != Outcome::Completed && outcomes[outcome.index()] > 0)
        .map(|(outcome, name)| {
            let count = outcomes[outcome.index()];
            let share = 100.0 * count as f64 / attempts.max(1) as f64;
            format!("{} {} ({share:.1} %)", text::count(count), name.replace('_', " "))
        })
        .collect();
    words.join(", ")
}

/// What did not fit into the tables.
fn pressure(out: &mut dyn Write, detector: &SynFlood, style: &Style) -> io::Result<()> {
    let (attempts, places) = (detector.attempt_stats(), detector.place_stats());
    let [incidents, details, scanners, rises] = detector.neglected();
    let counts = [
        (attempts.evicted_unjudged, "attempts left the table before their outcome was known"),
        (attempts.sampled_out, "attempts were not followed (sampling)"),
        (attempts.answers_left_out, "SYN,ACKs without a SYN were not followed"),
        (places.widened, "attempts were counted at a wider place"),
        (incidents, "incidents found no room"),
        (details, "suspicions were kept without sources"),
        (scanners, "sources were no longer watched for scans"),
        (rises, "rises of a port's pace were not followed"),
    ];
    for (count, what) in counts {
        if count > 0 {
            let words = format!("  full: {} {what}", text::count(count));
            writeln!(out, "{}", style.warn(wrapped(&words, 0, 2, style.width)))?;
        }
    }
    Ok(())
}

/// Flood or popularity?
const fn answer(class: Class) -> (&'static str, Ink) {
    match class {
        Class::Flood => ("FLOOD", Ink::Bad),
        Class::Scan => ("SCAN, no flood", Ink::Warn),
        Class::Overload => ("NO ATTACK, too many clients for the server or its path", Ink::Warn),
        Class::Unanswered => ("NO ATTACK, clients ask in vain", Ink::Warn),
        Class::Undetermined => ("CANNOT TELL from this capture", Ink::Warn),
        Class::Surge => ("NO ATTACK, a crowd, and it is served", Ink::Good),
    }
}

fn what(told: &Incident) -> String {
    let by = told.scanner.map_or_else(String::new, |source| format!(" by {source}"));
    let words = match told.kind {
        Kind::Spoofed => "half-open connections from forged addresses: no use in blocking them",
        Kind::SingleSource => "one address, which may itself be forged",
        Kind::Distributed => "real hosts, each again and again: they can be blocked",
        Kind::OriginUnclear => "too few attempts per address to be one, too many to be forged",
        Kind::SynAckReflection => "answers of other servers to SYNs that forge this address",
        Kind::ScanVertical => "port after port of few hosts",
        Kind::ScanHorizontal => "host after host on few ports",
        Kind::Overload => "clients repeat their SYN, many get through",
        Kind::Unreachable => "clients repeat their SYN, hardly anyone gets through",
        Kind::Refused => "the port is closed, and clients try again",
        Kind::Surge => "far more clients than usual get through",
    };
    format!("{} at {}{by}: {words}", told.kind.name(), told.victim)
}

fn when(told: &Incident) -> String {
    let seconds = |to: Timestamp| to.since(told.start).as_secs_f64();
    let end = match told.end {
        Some(end) => format!("until {} ({:.1} s)", text::utc(end), seconds(end)),
        None => "and goes on".to_owned(),
    };
    format!("from {} {end}; known after {:.1} s", text::utc(told.start), seconds(told.flagged_at))
}

fn rate(told: &Incident) -> String {
    if told.scanner.is_some() {
        return format!("{:.1} tries per second", told.rate);
    }
    format!(
        "{:.0} such attempts per second, peak {} SYN/s; half-open {} now, {} at most (of the last 63 s)",
        told.rate,
        text::count(told.peak_syn_rate.into()),
        text::count(told.half_open.into()),
        text::count(told.half_open_peak.into())
    )
}

/// Of a crowd.
fn pace(told: &Incident) -> String {
    format!(
        "{:.0} attempts per second, {} at most, {:.1} usual; {} of {} completed ({:.1} %); about {} sources (±3 %)",
        told.rate,
        text::count(told.peak_syn_rate.into()),
        told.usual_rate.unwrap_or(0.0),
        text::count(told.outcomes[Outcome::Completed.index()].into()),
        text::count(told.attempts),
        told.completion.unwrap_or(0.0) * 100.0,
        text::count(told.distinct_sources.round() as u64)
    )
}

fn service(told: &Incident) -> String {
    let percent = |share: Option<f64>| share.map_or_else(|| "?".to_owned(), |share| format!("{:.1} %", share * 100.0));
    let mut words = format!(
        "{} of all attempts complete, {} did before; {} clients got through only after repeating their SYN",
        percent(told.completion),
        percent(told.completion_before),
        text::count(told.clients_late.into())
    );
    match told.clients_lost {
        Some(lost) => words.push_str(&format!(", {} repeat it in vain", text::count(lost.into()))),
        None => words.push_str("; who repeats it in vain cannot be told from the attack, which repeats its own"),
    }
    words
}

fn sources(told: &Incident) -> String {
    let none = if told.top_sources.is_empty() { "; no address stands out" } else { "" };
    format!(
        "about {} (±3 %), {:.1} such attempts each, from {} different first octets{none}",
        text::count(told.distinct_sources.round() as u64),
        told.per_source,
        told.first_octets
    )
}

fn share(share: &Share) -> String {
    let error = if share.error >= 0.001 { format!(" (−{:.1})", share.error * 100.0) } else { String::new() };
    format!("{} {:.1} %{error}", share.value, share.share * 100.0)
}

fn look(told: &Incident) -> String {
    let marks = told.fingerprint.iter().map(|(mark, top)| format!("{} {}", mark.replace('_', " "), share(top)));
    let bare = format!("no options at all {:.1} %", told.bare_share * 100.0);
    marks.chain([bare]).collect::<Vec<_>>().join(", ")
}

fn server(told: &Incident) -> String {
    let mut resent = format!("repeated {} SYN,ACKs", text::count(told.syn_acks_resent.into()));
    let silent = told.outcomes[Outcome::Unanswered.index()];
    if told.answered > 0 && silent > 0 {
        resent.push_str(&format!(", left {} SYNs without an answer", text::count(silent.into())));
    }
    let once = told.answered_once as f64 / told.answered.max(1) as f64;
    if told.answered < ENOUGH {
        return resent;
    }
    let sum = format!("{} of {}", text::count(told.answered_once), text::count(told.answered));
    let cookies = if once >= MOSTLY {
        "as with SYN cookies (it keeps nothing to repeat from)"
    } else if once <= 1.0 - MOSTLY {
        "so it keeps them, no SYN cookies"
    } else {
        "as with SYN cookies for part of them"
    };
    format!("{resent}; {sum} answers that waited for over {AFTER} were not repeated, {cookies}")
}

fn capture(told: &Incident, dropped: Option<u64>) -> String {
    let mut words = vec![match told.direction {
        "both" => "both directions".to_owned(),
        other => format!("{other} only"),
    }];
    if let Some(loss) = told.capture_loss {
        words.push(format!("{:.1} % of the SYN,ACKs of completed handshakes are missing", loss * 100.0));
    }
    match dropped {
        Some(dropped) => words.push(format!("{} frames dropped by the kernel", text::count(dropped))),
        None => words.push("drops unknown".to_owned()),
    }
    let table = told.attempts_table;
    if table.evicted_unjudged + table.sampled_out > 0 {
        words.push(format!(
            "{} attempts left the full table unjudged, {} not followed, one in {} is now",
            text::count(table.evicted_unjudged),
            text::count(table.sampled_out),
            1_u32 << told.sampling.min(31)
        ));
    }
    words.join("; ")
}

/// Columns of a label, and where words begin.
const LABEL: usize = 11;
const INDENT: usize = LABEL + 2;
/// A server that repeats its SYN,ACKs has done so by then (RFC 6298 §2: after a second).
const AFTER: &str = "1.6 s";
/// Waiting answers that say something about cookies, and the share of them that does.
const ENOUGH: u64 = 32;
const MOSTLY: f64 = 0.8;
