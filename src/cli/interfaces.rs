//! `synscope interfaces`: what this machine can capture from.

use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::InterfacesArgs;
use crate::cli::choices::Format;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::screen::Screen;
use crate::report::interfaces;
use crate::report::json;
use crate::source;

pub(super) fn run(args: InterfacesArgs, screen: Screen) -> Result<Verdict, Failure> {
    let all = source::interfaces()?;
    let mut out = Out::stdout();
    match args.format {
        Format::Table => interfaces::table(&mut out, &all, &screen.style(false))?,
        Format::Jsonl => {
            json::header(&mut out)?;
            all.iter().try_for_each(|interface| interfaces::object(&mut out, interface))?;
        }
    }
    out.flush()?;
    Ok(Verdict::Clean)
}
