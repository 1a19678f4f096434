//! Holds the flood detector against traffic of which the truth is known, over many rates, shapes and mishaps.
//!
//! ```text
//! flood_sweep [--seeds N] [--only WORD] [--failures]      a table per scenario, for docs/accuracy.md
//! ```
//! Each line is one scenario over all seeds: how many attacks were found (right code, right victim, from its start to 8 s
//! after its end), with how many incidents, how late, how far off the start, and what was said that should not have been.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod case;
mod innocent;
mod mixed;
mod plans;
mod score;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use crate::case::Case;
use crate::score::Score;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("flood_sweep: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<usize, Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let (mut seeds, mut only, mut failures) = (5_u64, String::new(), false);
    while let Some(option) = words.next() {
        match option.as_str() {
            "--seeds" => seeds = words.next().ok_or("--seeds N")?.parse()?,
            "--only" => only = words.next().ok_or("--only WORD")?,
            "--failures" => failures = true,
            other => return Err(format!("what is {other}?").into()),
        }
    }
    let mut scenarios: Vec<(String, Case)> = Vec::new();
    let mut add = |name: String, case: Case| scenarios.push((name, case));
    plans::scenarios(&mut add);
    mixed::scenarios(&mut add);
    innocent::scenarios(&mut add);
    scenarios.retain(|(name, _)| name.contains(&only));
    println!("| scenario | found | one incident | delay median, most | start off median, most | said besides |");
    println!("|---|---|---|---|---|---|");
    let (mut sum, mut wrong) = (Score::default(), 0);
    for (name, case) in &scenarios {
        let mut score = Score::default();
        for seed in (1..=seeds).map(|seed| seed * 7_919 + 13) {
            score.add(seed, case(seed), failures.then_some(name.as_str()));
        }
        println!("| {name} | {} |", score.cells());
        wrong += score.wrong();
        sum.join(score);
    }
    println!("\n{} scenarios, {}", scenarios.len(), sum.sum());
    Ok(wrong)
}
