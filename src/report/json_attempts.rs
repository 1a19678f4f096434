//! The line of JSON that says what became of the connection attempts of a capture.

use std::collections::BTreeMap;
use std::io;
use std::io::Write;

use serde::Serialize;

use crate::detect::syn_flood::Class;
use crate::detect::syn_flood::Outcome;
use crate::detect::syn_flood::SynFlood;
use crate::report::json::line;

/// What became of the connection attempts of a capture.
///
/// # Errors
/// Those of the writer.
pub fn attempts(out: &mut dyn Write, file: &str, detector: &SynFlood) -> io::Result<()> {
    #[derive(Serialize)]
    struct Attempts<'a> {
        r#type: &'static str,
        file: &'a str,
        syns: u64,
        attempts: u64,
        half_open_now: u64,
        half_open_peak: u32,
        evicted: u64,
        sampled_out: u64,
        answers_left_out: u64,
        widened: u64,
        neglected: u64,
        #[serde(flatten)]
        outcomes: BTreeMap<&'static str, u64>,
        incidents: BTreeMap<&'static str, u64>,
    }
    let totals = detector.totals();
    let stats = detector.attempt_stats();
    line(
        out,
        &Attempts {
            r#type: "attempts",
            file,
            syns: totals.syns,
            attempts: totals.attempts(),
            half_open_now: totals.half_open,
            half_open_peak: totals.half_open_peak,
            evicted: stats.evicted_judged + stats.evicted_unjudged,
            sampled_out: stats.sampled_out,
            answers_left_out: stats.answers_left_out,
            widened: detector.place_stats().widened,
            neglected: detector.neglected().iter().sum(),
            outcomes: Outcome::NAMED.iter().map(|(outcome, name)| (*name, totals.of(*outcome))).collect(),
            incidents: Class::ALL.iter().map(|class| (class.name(), totals.incidents[*class as usize])).collect(),
        },
    )
}
