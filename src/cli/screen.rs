//! What the output looks like: how wide it is, and whether it may be coloured.

use std::env;
use std::io;
use std::io::IsTerminal;

use terminal_size::Width;

use crate::cli::args::Colour;
use crate::report::style::Numbers;
use crate::report::style::Style;

/// Width and colour of standard output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    width: usize,
    colour: bool,
}

impl Screen {
    /// Asks the terminal and the environment.
    pub(super) fn find(colour: Colour) -> Self {
        let terminal = io::stdout().is_terminal();
        let colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !is_set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb"),
        };
        Self { width: width(terminal), colour }
    }

    /// The style for sequence numbers as on the wire, or relative ones.
    pub(super) fn style(self, absolute: bool) -> Style {
        Style {
            width: self.width,
            colour: self.colour,
            numbers: if absolute { Numbers::Absolute } else { Numbers::Relative },
        }
    }
}

/// Columns of the terminal; where the output goes elsewhere, what `COLUMNS` asks for.
fn width(terminal: bool) -> usize {
    let asked = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = match terminal {
        true => terminal_size::terminal_size_of(io::stdout()).map(|(Width(columns), _)| usize::from(columns)),
        false => asked(),
    };
    columns.filter(|&columns| columns > 0).unwrap_or(DEFAULT_WIDTH).clamp(NARROWEST, WIDEST)
}

/// As <https://no-color.org> has it: present and not empty.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

const DEFAULT_WIDTH: usize = 80;
const NARROWEST: usize = 40;
const WIDEST: usize = 400;
