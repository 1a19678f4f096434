//! Where a message ends: the rules that applications use.

use std::fmt;
use std::str::FromStr;

use crate::tcp::framing::json::Scanner;
use crate::tcp::framing::json::Step;

/// How an application marks the ends of its messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framing {
    /// A message ends with a line feed, which belongs to it.
    Line,
    /// A message is a JSON value (RFC 8259); white space between values belongs to none.
    Json,
    /// Two octets of length, most significant first, before each message; they belong to it and do not count themselves.
    Len16,
    /// The same with four octets.
    Len32,
    /// Every message has this many octets, at least one.
    Fixed(u32),
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line => f.write_str("line"),
            Self::Json => f.write_str("json"),
            Self::Len16 => f.write_str("len16"),
            Self::Len32 => f.write_str("len32"),
            Self::Fixed(octets) => write!(f, "fixed:{octets}"),
        }
    }
}

/// Reads `line`, `json`, `len16`, `len32`, `fixed:N`.
impl FromStr for Framing {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.strip_prefix("fixed:").map(str::parse)) {
            ("line", _) => Ok(Self::Line),
            ("json", _) => Ok(Self::Json),
            ("len16", _) => Ok(Self::Len16),
            ("len32", _) => Ok(Self::Len32),
            (_, Some(Ok(octets @ 1..))) => Ok(Self::Fixed(octets)),
            (_, Some(_)) => Err("a fixed length is a number of octets from 1 on, as in fixed:12"),
            (_, None) => Err("no rule for messages: line, json, len16, len32, or fixed:N"),
        }
    }
}

/// The place within a message, octet by octet.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Line,
    Json(Scanner),
    Length {
        /// Octets of the length field.
        width: u8,
        /// Of these, read.
        read: u8,
        /// Its value so far; what is still to come once it was read whole.
        left: u64,
    },
    Fixed {
        of: u32,
        left: u32,
    },
}

/// What was used of a stretch of octets, and whether a message ends there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Used {
    /// These belong to no message.
    Between(usize),
    /// These belong to the message, which goes on.
    More(usize),
    /// The message ends with the last of these, at least one.
    Ends(usize),
    /// The message ended before this octet: nothing of it was used.
    EndedBefore,
    /// Here no message can begin or go on.
    Wrong(usize),
}

/// How a rule goes on behind octets that are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beyond {
    /// The message goes on, its end is known.
    Within,
    /// It ends exactly there.
    Ends,
    /// It ended among the missing octets, `whole` more lie there, and of another one `begun` octets.
    Passed { whole: u64, begun: u32 },
    /// A line feed shows the next beginning.
    AtNextLine,
    /// No later beginning can be told.
    Lost,
}

impl Place {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Line => Self::Line,
            Framing::Json => Self::Json(Scanner::default()),
            Framing::Len16 => Self::Length { width: 2, read: 0, left: 0 },
            Framing::Len32 => Self::Length { width: 4, read: 0, left: 0 },
            Framing::Fixed(of) => Self::Fixed { of, left: of },
        }
    }

    /// Octets that the message still wants, where its rule says so before its end.
    pub(super) fn wants(&self) -> Option<u64> {
        match *self {
            Self::Length { width, read, left } if read == width => Some(left),
            Self::Fixed { left, .. } => Some(left.into()),
            Self::Line | Self::Json(_) | Self::Length { .. } => None,
        }
    }

    /// Goes over `octets`, which are not empty, up to the first boundary.
    pub(super) fn go(&mut self, octets: &[u8]) -> Used {
        match self {
            Self::Line => match octets.iter().position(|&octet| octet == b'\n') {
                Some(at) => Used::Ends(at + 1),
                None => Used::More(octets.len()),
            },
            Self::Json(scanner) => json(scanner, octets),
            Self::Length { width, read, left } => length(*width, read, left, octets),
            Self::Fixed { of, left } => {
                let used = octets.len().min(*left as usize);
                *left -= used as u32;
                if *left > 0 {
                    return Used::More(used);
                }
                *left = *of;
                Used::Ends(used)
            }
        }
    }

    /// Goes over octets that are not there. `open` tells whether a message had begun.
    pub(super) fn skip(&mut self, octets: u32) -> Beyond {
        match self {
            Self::Line | Self::Json(_) => Beyond::AtNextLine,
            Self::Length { width, read, left } if *read == *width && *left >= u64::from(octets) => {
                *left -= u64::from(octets);
                if *left > 0 {
                    return Beyond::Within;
                }
                *read = 0;
                Beyond::Ends
            }
            Self::Length { .. } => Beyond::Lost,
            Self::Fixed { of, left } => match octets.checked_sub(*left) {
                None => {
                    *left -= octets;
                    Beyond::Within
                }
                Some(0) => {
                    *left = *of;
                    Beyond::Ends
                }
                Some(over) => {
                    *left = *of - over % *of;
                    Beyond::Passed { whole: u64::from(over / *of), begun: over % *of }
                }
            },
        }
    }

    /// Begins anew behind a line feed.
    pub(super) fn restart(&mut self) {
        if let Self::Json(scanner) = self {
            *scanner = Scanner::default();
        }
    }
}

fn length(width: u8, read: &mut u8, left: &mut u64, octets: &[u8]) -> Used {
    let mut used = 0;
    while *read < width {
        let Some(&octet) = octets.get(used) else { return Used::More(used) };
        *left = *left << 8 | u64::from(octet);
        *read += 1;
        used += 1;
    }
    let body = (octets.len() - used).min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= body as u64;
    if *left > 0 {
        return Used::More(used + body);
    }
    *read = 0;
    Used::Ends(used + body)
}

fn json(scanner: &mut Scanner, octets: &[u8]) -> Used {
    for (at, &octet) in octets.iter().enumerate() {
        match scanner.step(octet) {
            Step::Between if at + 1 == octets.len() => return Used::Between(at + 1),
            Step::Between => {}
            // What came before was white space: the value starts a stretch of its own.
            Step::Begins if at > 0 => {
                *scanner = Scanner::default();
                return Used::Between(at);
            }
            Step::Begins | Step::More => {}
            Step::Ends => return Used::Ends(at + 1),
            Step::EndedBefore if at == 0 => return Used::EndedBefore,
            // The octets before this one are the rest of the value.
            Step::EndedBefore => return Used::Ends(at),
            Step::Wrong => return Used::Wrong(at),
        }
    }
    Used::More(octets.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written_alike() {
        for text in ["line", "json", "len16", "len32", "fixed:12"] {
            assert_eq!(text.parse::<Framing>().map(|framing| framing.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "lines", "fixed", "fixed:", "fixed:0", "fixed:-1", "fixed:99999999999", "len8"] {
            assert!(text.parse::<Framing>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_length_may_be_split_and_a_message_may_be_empty() {
        let mut place = Place::new(Framing::Len16);
        assert_eq!(place.go(&[0]), Used::More(1));
        assert_eq!(place.go(&[3, b'a', b'b']), Used::More(3));
        assert_eq!(place.wants(), Some(1));
        assert_eq!(place.go(b"c\0\0"), Used::Ends(1));
        assert_eq!(place.go(&[0, 0]), Used::Ends(2));
    }

    #[test]
    fn behind_missing_octets_a_body_goes_on_and_a_length_is_lost() {
        let mut place = Place::new(Framing::Len32);
        place.go(&[0, 0, 0, 9, 1]);
        assert_eq!(place.skip(7), Beyond::Within);
        assert_eq!(place.skip(1), Beyond::Ends);
        assert_eq!(place.skip(1), Beyond::Lost);
    }

    #[test]
    fn fixed_lengths_are_counted_over_missing_octets() {
        let mut place = Place::new(Framing::Fixed(10));
        place.go(&[0; 4]);
        assert_eq!(place.skip(5), Beyond::Within);
        assert_eq!(place.skip(1), Beyond::Ends);
        assert_eq!(place.skip(35), Beyond::Passed { whole: 2, begun: 5 });
        assert_eq!(place.wants(), Some(5));
    }
}
