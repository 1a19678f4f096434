//! How wide, in colour or not, with which numbers: all that a report knows of the screen it is shown on.
//!
//! Colour adds, it never carries meaning: the text without its escapes is the text that a pipe gets.

use std::fmt;

/// What a report knows of its screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Escape sequences are welcome.
    pub colour: bool,
    /// How sequence numbers are written.
    pub numbers: Numbers,
}

/// How sequence numbers are written once a connection's first ones are known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Numbers {
    /// Counted from the first number of their direction: a SYN is 0, the first octet of data 1.
    #[default]
    Relative,
    /// As on the wire.
    Absolute,
}

/// What a piece of text is painted with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Ink {
    /// As it is.
    #[default]
    Plain,
    /// Checked, and so.
    Good,
    /// Checked, and not so; or failed.
    Bad,
    /// Out of the ordinary.
    Warn,
    /// Beside the point.
    Dim,
    /// A heading.
    Bold,
}

/// Columns where nobody tells the width.
pub const DEFAULT_WIDTH: usize = 80;

impl Default for Style {
    fn default() -> Self {
        Self::plain(DEFAULT_WIDTH)
    }
}

impl Style {
    /// Without colour, numbers relative.
    pub const fn plain(width: usize) -> Self {
        Self { width, colour: false, numbers: Numbers::Relative }
    }

    /// `text` in the colour of `ink`; the bare text where colour is not wanted.
    pub const fn paint<T: fmt::Display>(&self, ink: Ink, text: T) -> Painted<T> {
        Painted { ink: if self.colour { ink } else { Ink::Plain }, text }
    }

    /// Checked, and so.
    pub const fn good<T: fmt::Display>(&self, text: T) -> Painted<T> {
        self.paint(Ink::Good, text)
    }

    /// Checked, and not so; or failed.
    pub const fn bad<T: fmt::Display>(&self, text: T) -> Painted<T> {
        self.paint(Ink::Bad, text)
    }

    /// Out of the ordinary.
    pub const fn warn<T: fmt::Display>(&self, text: T) -> Painted<T> {
        self.paint(Ink::Warn, text)
    }

    /// Beside the point.
    pub const fn dim<T: fmt::Display>(&self, text: T) -> Painted<T> {
        self.paint(Ink::Dim, text)
    }

    /// A heading.
    pub const fn bold<T: fmt::Display>(&self, text: T) -> Painted<T> {
        self.paint(Ink::Bold, text)
    }
}

/// Text with its colour. A format width counts the text alone.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    ink: Ink,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.ink {
            Ink::Plain => return self.text.fmt(f),
            Ink::Good => "32",
            Ink::Bad => "31",
            Ink::Warn => "33",
            Ink::Dim => "2",
            Ink::Bold => "1",
        };
        write!(f, "\x1b[{code}m")?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_no_escape_is_written_and_with_it_the_width_counts_the_text_alone() {
        let plain = Style::plain(80);
        assert_eq!(format!("{:<5}|", plain.bad("RST")), "RST  |");
        let colour = Style { colour: true, ..plain };
        assert_eq!(format!("{:<5}|", colour.bad("RST")), "\x1b[31mRST  \x1b[0m|");
        assert_eq!(colour.paint(Ink::Plain, "RST").to_string(), "RST");
    }
}
