//! The command line: arguments in, exit code out.
//!
//! Raw arguments become checked values, values become work, one file per command. Data goes to standard
//! output, talk to standard error; what cannot be done is told in one line that names the cure. A reader that has
//! seen enough (`| head`) is no error.

mod analyze;
mod args;
mod bits;
mod choices;
mod craft;
mod cut;
mod demo;
mod destination;
mod drive;
mod examples;
mod explain;
mod failure;
mod flood;
mod follow;
mod headers;
mod input;
mod interfaces;
mod keep;
mod ladder;
mod metrics;
mod mss;
mod out;
mod runner;
mod screen;
mod select;
mod sinks;
mod states;
mod stop;
mod thresholds;
mod trace;
mod usage;
mod values;

use std::ffi::OsString;
use std::io;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::Args;
use crate::cli::args::Command;
use crate::cli::failure::Failure;
use crate::cli::screen::Screen;

/// How a command ended that could run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// Nothing asked about was found.
    Clean,
    /// Findings reached the level of `--fail-on`.
    Found,
    /// Part of the work could not be done, and each part was told of on the way.
    Incomplete,
}

/// Runs the program: 0 it ran and nothing asked about was found, 1 findings reached the level asked for, 2 it could
/// not run and said why in one line on standard error.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let done = match Args::try_parse_from(&args) {
        Ok(parsed) => work(parsed),
        Err(error) => usage::answer(&error, &args),
    };
    match done {
        Ok(Verdict::Clean) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Ok(Verdict::Found) => ExitCode::from(FOUND),
        Ok(Verdict::Incomplete) => ExitCode::from(COULD_NOT_RUN),
        Err(failure) => {
            say(&failure);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn work(args: Args) -> Result<Verdict, Failure> {
    let screen = Screen::find(args.color);
    match args.command {
        Command::Trace(args) => trace::run(args, screen),
        Command::Analyze(args) => analyze::run(args, screen),
        Command::Flood(args) => flood::run(*args, screen),
        Command::Headers(args) => headers::run(args, screen),
        Command::Explain(args) => explain::run(args, screen),
        Command::Ladder(args) => ladder::run(args, screen),
        Command::Cut(args) => cut::run(args),
        Command::Mss(args) => mss::run(args, screen),
        Command::Interfaces(args) => interfaces::run(args, screen),
        Command::Craft(args) => craft::run(&args.script, &args.out).map(|()| Verdict::Clean).map_err(Failure::from),
        Command::Demo => demo::run(screen),
    }
}

/// One line of talk. Nobody may be listening, and that is fine.
fn say(what: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "synscope: {what}");
}

/// The same without our name, for what is no complaint.
fn talk(what: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{what}");
}

const FOUND: u8 = 1;
const COULD_NOT_RUN: u8 = 2;
