//! What the output looks like: how wide it is, and whether it may be coloured.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::io::IsTerminal;

use terminal_size::Width;

use crate::cli::choices::Colour;
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
        let colour = coloured(colour, terminal, env::var_os("NO_COLOR").as_deref(), env::var_os("TERM").as_deref());
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

/// Asked for, or a terminal that can, and nobody who minds: `NO_COLOR` counts where it is not empty
/// (<https://no-color.org>).
fn coloured(asked: Colour, terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    match asked {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb"),
    }
}

const DEFAULT_WIDTH: usize = 80;
const NARROWEST: usize = 40;
const WIDEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_nobody_forbade_it_to() {
        let xterm = Some(OsStr::new("xterm"));
        let set = |text| Some(OsStr::new(text));
        assert!(coloured(Colour::Auto, true, None, xterm));
        assert!(coloured(Colour::Auto, true, set(""), xterm), "an empty NO_COLOR forbids nothing");
        assert!(!coloured(Colour::Auto, true, set("1"), xterm));
        assert!(!coloured(Colour::Auto, true, None, set("dumb")));
        assert!(!coloured(Colour::Auto, false, None, xterm), "a pipe is no terminal");
    }

    #[test]
    fn what_was_asked_for_outranks_the_environment() {
        assert!(coloured(Colour::Always, false, Some(OsStr::new("1")), None));
        assert!(!coloured(Colour::Never, true, None, None));
    }
}
