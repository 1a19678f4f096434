//! Single values as people type them: lengths of time, points in time, addresses, frame ranges, names, numbers.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::finding::Code;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::report::explain::catalogue;

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

/// A point in a capture's time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Moment {
    /// By the calendar or the epoch.
    At(Timestamp),
    /// So long after the first frame of the capture.
    After(Span),
}

impl Moment {
    /// Where it lies in a capture whose first frame was stamped `first`.
    pub(super) const fn within(self, first: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::After(span) => first.plus(span),
        }
    }
}

/// Reads `2026-11-26T18:55:00.5Z`, `2026-11-26 18:55` and `2026-11-26` (UTC, unless an offset stands behind),
/// `1700000000.123456789` (seconds since 1970), and `+90s`, `+1.5m`, `+10` (after the first frame).
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    let unclear = || "no point in time, as in 2026-11-26T18:55:00Z, 1700000000.5 or +90s (after the first frame)";
    if let Some(after) = text.strip_prefix('+') {
        return match scaled(after).ok_or_else(unclear)? {
            Some(nanos) => Ok(Moment::After(Span(nanos))),
            None => Err("more than 292 years after the first frame".to_owned()),
        };
    }
    if text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.') {
        return match scaled(text).ok_or_else(unclear)? {
            Some(nanos) => Ok(Moment::At(Timestamp::from_nanos(nanos))),
            None => Err("beyond the year 2262, where stamps in nanoseconds end".to_owned()),
        };
    }
    let at = text.parse::<jiff::Timestamp>().or_else(|_| {
        let civil = text.parse::<DateTime>()?;
        TimeZone::UTC.to_timestamp(civil)
    });
    let nanos = at.map_err(|_| unclear())?.as_nanosecond();
    let nanos =
        i64::try_from(nanos).map_err(|_| "outside the years 1678 to 2262, which stamps in nanoseconds cover")?;
    Ok(Moment::At(Timestamp::from_nanos(nanos)))
}

/// From one moment on, and before another.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Period {
    pub(super) since: Option<Moment>,
    pub(super) until: Option<Moment>,
}

impl Period {
    /// Whether `at` lies in it, in a capture that began at `first`. Half open, so that two that meet share no frame.
    pub(super) fn contains(self, at: Timestamp, first: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since.within(first))
            && self.until.is_none_or(|until| at < until.within(first))
    }

    /// Whether neither end is given.
    pub(super) const fn is_unbounded(self) -> bool {
        self.since.is_none() && self.until.is_none()
    }
}

/// Nanoseconds of a decimal number with a unit, exact and rounded down; `None` within where they do not fit.
fn scaled(text: &str) -> Option<Option<i64>> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: i128 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "" | "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    // More digits than any nanosecond needs say nothing.
    let fraction = &fraction[..fraction.len().min(15)];
    let whole = if whole.is_empty() { "0" } else { whole };
    let Ok(digits) = format!("{whole}{fraction}").parse::<i128>() else { return Some(None) };
    let nanos = digits.checked_mul(unit).map(|nanos| nanos / 10_i128.pow(fraction.len() as u32));
    Some(nanos.and_then(|nanos| i64::try_from(nanos).ok()))
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

/// A code of the catalogue, with an error that names its neighbours.
pub(super) fn code(name: &str) -> Result<Code, String> {
    Code::named(name).ok_or_else(|| {
        let near: Vec<_> = catalogue::nearest(name).into_iter().map(Code::as_str).collect();
        format!("no such code; did you mean {}? (synscope explain --code all lists them)", near.join(", "))
    })
}

/// A frame number, or two with a dash between.
pub(super) fn frames(text: &str) -> Result<Frames, String> {
    match Frames::read(text) {
        Some(range) => range.map_err(|error| error.to_string()),
        None => Err("no frame number and no range, as in 7 or 3-7".to_owned()),
    }
}

/// A whole number, with an error that says so.
pub(super) fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "not a whole number, or too large".to_owned())
}

/// An address to answer at: this machine's own, unless another one is named.
pub(super) fn metrics_at(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<u16>() {
        Ok(port) => Ok(SocketAddr::from(([127, 0, 0, 1], port))),
        Err(_) => text.parse().map_err(|_| "not a port or ADDR:PORT, as in 9500 or [::1]:9500".to_owned()),
    }
}

pub(super) fn connections(text: &str) -> Result<usize, String> {
    match number(text)? {
        0 => Err("at least one connection must be held".to_owned()),
        connections => Ok(connections),
    }
}

pub(super) fn worst(text: &str) -> Result<usize, String> {
    match number(text)? {
        0 => Err("at least one, or there is nothing to show".to_owned()),
        worst => Ok(worst),
    }
}

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
    fn moments_are_read_by_calendar_by_epoch_and_after_the_first_frame() {
        let at = |secs, nanos| Ok(Moment::At(Timestamp::from_parts(secs, nanos)));
        assert_eq!(moment("2023-11-14T22:13:20Z"), at(1_700_000_000, 0));
        assert_eq!(moment("2023-11-14 22:13:20.000000001"), at(1_700_000_000, 1), "UTC where nothing else is said");
        assert_eq!(moment("2023-11-14T23:13:20+01:00"), at(1_700_000_000, 0));
        assert_eq!(moment("2023-11-14T22:13"), at(1_699_999_980, 0));
        assert_eq!(moment("2023-11-14"), at(1_699_920_000, 0));
        assert_eq!(moment("1700000000.123456789"), at(1_700_000_000, 123_456_789), "to the last digit");
        assert_eq!(moment("0"), at(0, 0));
        assert_eq!(moment("+0"), Ok(Moment::After(Span::ZERO)));
        for (text, nanos) in
            [("+1.5s", 1_500_000_000), ("+.000000007", 7), ("+250us", 250_000), ("+2m", 120_000_000_000)]
        {
            assert_eq!(moment(text), Ok(Moment::After(Span(nanos))), "{text}");
        }
    }

    #[test]
    fn moments_that_are_none_say_what_would_be_one() {
        for text in ["", "+", "+x", "now", "-5", "+-5", "1.2.3", ".", "10s", "2023-13-01", "2023-11-14T25:00", "+1e3"] {
            let error = moment(text).expect_err(text);
            assert!(error.contains("2026-11-26T18:55:00Z"), "{text}: {error}");
        }
        for text in ["9999999999999", "+99999999999999999999999999999999999999999h", "2300-01-01"] {
            assert!(moment(text).is_err_and(|error| error.contains("2262") || error.contains("292")), "{text}");
        }
    }

    #[test]
    fn two_periods_that_meet_share_no_frame_and_lose_none() {
        let (first, cut) = (Timestamp::from_parts(1_700_000_000, 0), moment("+10s").expect("a moment"));
        let before = Period { since: None, until: Some(cut) };
        let behind = Period { since: Some(cut), until: None };
        for nanos in [0, 9_999_999_999, 10_000_000_000, 10_000_000_001] {
            let at = first.plus(Span(nanos));
            assert!(before.contains(at, first) != behind.contains(at, first), "{nanos} ns after the first frame");
            assert!(Period::default().contains(at, first));
        }
        assert!(Period::default().is_unbounded() && !before.is_unbounded() && !behind.is_unbounded());
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
