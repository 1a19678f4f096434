//! Single values as people type them: lengths of time, addresses, frame ranges.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use crate::packet::Span;

/// A length of time over zero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Length(Duration);

impl Length {
    /// By the machine's clock.
    pub(super) const fn by_clock(self) -> Duration {
        self.0
    }

    /// By a capture's clock.
    pub(super) fn by_trace(self) -> Span {
        Span(i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Reads `10`, `10s`, `1.5s`, `500ms`, `2m`, `1h`.
pub(super) fn length(text: &str) -> Result<Length, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("not a length of time, as in 10s, 500ms, 2m, 1h".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "not a length of time, as in 10s, 500ms, 2m, 1h".to_owned())?;
    match Duration::try_from_secs_f64(number * unit) {
        Ok(Duration::ZERO) => Err("must be over zero".to_owned()),
        Ok(length) if length <= LONGEST => Ok(Length(length)),
        Ok(_) | Err(_) => Err("more than a year".to_owned()),
    }
}

/// An IP address, brackets around IPv6 allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Host(pub(super) IpAddr);

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let addr =
            bare.parse().map_err(|_| "not an IP address, as in 192.0.2.7 or 2001:db8::1 (names are not looked up)")?;
        Ok(Self(addr))
    }
}

/// Frames from one number to another, both included and counted from 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Frames {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Why text is no range of frames.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum NoFrames {
    #[error("frames are counted from 1: there is no frame 0")]
    Zero,
    #[error("frames {from}-{to} run backwards: write {to}-{from}")]
    Backwards { from: u64, to: u64 },
    #[error("a frame number has at most 19 digits")]
    TooLarge,
}

impl Frames {
    /// All of a capture.
    pub(super) const ALL: Self = Self { from: 1, to: u64::MAX };

    /// Reads `7` or `3-7`; `None` where the text looks like something else.
    pub(super) fn read(text: &str) -> Option<Result<Self, NoFrames>> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
        if !is_number(from) || !is_number(to) {
            return None;
        }
        let (Ok(from), Ok(to)) = (from.parse::<u64>(), to.parse::<u64>()) else {
            return Some(Err(NoFrames::TooLarge));
        };
        Some(match (from, to) {
            (0, _) | (_, 0) => Err(NoFrames::Zero),
            (from, to) if from > to => Err(NoFrames::Backwards { from, to }),
            (from, to) => Ok(Self { from, to }),
        })
    }

    pub(super) const fn contains(self, frame: u64) -> bool {
        self.from <= frame && frame <= self.to
    }
}

const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_unit_and_seconds_without() {
        for (text, millis) in [("10", 10_000), ("10s", 10_000), ("1.5s", 1_500), ("500ms", 500), ("2m", 120_000)] {
            assert_eq!(length(text).map(Length::by_clock), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(length("250us").map(Length::by_trace), Ok(Span(250_000)));
    }

    #[test]
    fn lengths_that_make_no_sense_are_refused() {
        for text in ["", "s", "abc", "10x", "-1", "0", "0ms", "1.2.3", "1e9", "99999999h", "."] {
            assert!(length(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_is_told_from_a_file_name() {
        assert_eq!(Frames::read("7"), Some(Ok(Frames { from: 7, to: 7 })));
        assert_eq!(Frames::read("3-7"), Some(Ok(Frames { from: 3, to: 7 })));
        for name in ["", "-", "a.pcap", "3-", "-7", "3-7-9", "1.pcap", "٣"] {
            assert_eq!(Frames::read(name), None, "{name}");
        }
    }

    #[test]
    fn ranges_that_hold_no_frame_say_why() {
        assert_eq!(Frames::read("0"), Some(Err(NoFrames::Zero)));
        assert_eq!(Frames::read("0-3"), Some(Err(NoFrames::Zero)));
        assert_eq!(Frames::read("9-3"), Some(Err(NoFrames::Backwards { from: 9, to: 3 })));
        assert_eq!(Frames::read("99999999999999999999"), Some(Err(NoFrames::TooLarge)));
    }

    #[test]
    fn addresses_may_wear_brackets() {
        assert_eq!("[::1]".parse::<Host>().map(|host| host.0.to_string()), Ok("::1".to_owned()));
        assert!("localhost".parse::<Host>().is_err());
    }
}
