//! What clap has to say, in our form: help and version to standard output, mistakes as one line.

use std::ffi::OsString;
use std::io::Write;

use clap::CommandFactory;
use clap::error::ErrorKind;

use crate::cli::Verdict;
use crate::cli::args::Args;
use crate::cli::failure::Failure;
use crate::cli::failure::shown;
use crate::cli::out::Out;

/// Prints help or version, or turns a mistake into its line.
pub(super) fn answer(error: &clap::Error, args: &[OsString]) -> Result<Verdict, Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let mut out = Out::stdout();
            write!(out, "{error}")?;
            out.flush()?;
            Ok(Verdict::Clean)
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Err(Failure::Usage("no command given: try synscope demo, synscope trace lo or synscope --help".to_owned()))
        }
        _ => Err(Failure::Usage(format!("{} (synscope {}--help tells more)", one_line(error), command_of(args)))),
    }
}

/// The mistake and its tip, without usage and decoration.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let told = text.split("\nUsage:").next().unwrap_or_default();
    let told = told.split("\nFor more information").next().unwrap_or_default();
    let told = told.strip_prefix("error: ").unwrap_or(told);
    let lines: Vec<_> = told.lines().map(|line| shown(line.trim())).filter(|line| !line.is_empty()).collect();
    lines.join("; ").replace(":; ", ": ").replace("; [", " [")
}

/// The command that was typed, for pointing at its help.
fn command_of(args: &[OsString]) -> String {
    let known = Args::command();
    let mut names = known.get_subcommands().map(clap::Command::get_name);
    let typed = args.iter().skip(1).filter_map(|arg| arg.to_str()).find(|arg| !arg.starts_with('-'));
    match typed.and_then(|typed| names.find(|name| *name == typed)) {
        Some(name) => format!("{name} "),
        None => String::new(),
    }
}
