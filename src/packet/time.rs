//! Points in time and spans between them, to the nanosecond, and whose clock told them.
//!
//! Capture clocks step, files lie: arithmetic saturates and spans are signed. Nothing in the library below
//! `source` and `cli` ever asks the machine for the time.

use std::fmt;

const NANOS_PER_SEC: i64 = 1_000_000_000;

/// Nanoseconds since 1970-01-01T00:00:00Z. Covers the years 1678 to 2262; values beyond saturate.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The epoch itself.
    pub const EPOCH: Self = Self(0);

    /// From whole nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From seconds and a fraction in nanoseconds. The fraction may exceed a second, as some files have it.
    pub const fn from_parts(secs: i64, nanos: i64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC).saturating_add(nanos))
    }

    /// Whole nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`; negative when the clock stepped back.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// This point moved by `span`.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// Seconds with nine decimals, as the machine contract writes them: `1700000000.123456789`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0, f)
    }
}

/// A signed length of time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span(pub i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From whole milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// `10 µs`, `2.65 ms`, `30.0 s`, `2 h 4 min`: three digits that count. A clock that stepped back gives `−5 µs`.
    pub fn human(self) -> String {
        let nanos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "−" } else { "" };
        let text = match nanos {
            0..MICRO => format!("{nanos} ns"),
            MICRO..TWO_MINUTES => three_digits(nanos),
            _ => long_span(nanos / SECOND),
        };
        format!("{sign}{text}")
    }

    /// As seconds, for display and ratios only; arithmetic stays in nanoseconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }
}

/// Seconds with nine decimals: `0.000010000`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_seconds(self.0, f)
    }
}

/// Whose clock stamped a frame. A trace stamped by different clocks must not have its gaps compared.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Clock {
    /// Written in a file by whoever captured it.
    #[default]
    File,
    /// The capturing kernel, when the frame passed.
    Kernel,
    /// This program, after the frame had been handed over: late by the scheduling delay.
    Program,
}

fn three_digits(nanos: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(MICRO, "µs"), (MILLI, "ms"), (SECOND, "s")];
    // The first unit in which rounding does not reach a thousand.
    let fits = |(unit, _): &(u64, &str)| (nanos as f64 / *unit as f64) < 999.5;
    let (unit, name) = UNITS.into_iter().find(fits).unwrap_or(UNITS[2]);
    let value = nanos as f64 / unit as f64;
    let text = match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    // Most stamps are whole microseconds: decimals there would be invented.
    let text =
        if unit == MICRO && text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {name}")
}

fn long_span(secs: u64) -> String {
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600, secs / 60);
    let two = |big: u64, big_name: &str, small: u64, small_name: &str| match small {
        0 => format!("{big} {big_name}"),
        _ => format!("{big} {big_name} {small} {small_name}"),
    };
    match hours {
        0 => two(minutes, "min", secs % 60, "s"),
        1..48 => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const TWO_MINUTES: u64 = 120 * SECOND;

/// Digit by digit from behind: reports write millions of these.
fn write_seconds(nanos: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // Sign, ten digits of seconds, point, nine decimals.
    let mut text = [b'0'; 21];
    let mut at = text.len();
    let mut rest = nanos.unsigned_abs();
    while rest > 0 || at > text.len() - 11 {
        at -= 1;
        if text.len() - at == 10 {
            text[at] = b'.';
            continue;
        }
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    if nanos < 0 {
        at -= 1;
        text[at] = b'-';
    }
    f.write_str(str::from_utf8(&text[at..]).expect("digits are ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_with_nine_decimals_and_their_sign() {
        assert_eq!(Timestamp::from_parts(1_700_000_000, 123_456_789).to_string(), "1700000000.123456789");
        assert_eq!(Span(-1_500_000_000).to_string(), "-1.500000000");
        assert_eq!(Span(10_000).to_string(), "0.000010000");
        assert_eq!(
            (Span(0).to_string(), Span(9_000_000_000).to_string()),
            ("0.000000000".into(), "9.000000000".into())
        );
        assert_eq!(Span(i64::MIN).to_string(), "-9223372036.854775808");
        assert_eq!(Span(i64::MAX).to_string(), "9223372036.854775807");
    }

    #[test]
    fn a_fraction_of_more_than_a_second_carries_over() {
        assert_eq!(Timestamp::from_parts(1, 2_000_000_001).nanos(), 3_000_000_001);
    }

    #[test]
    fn a_clock_that_steps_back_gives_a_negative_span_and_the_extremes_saturate() {
        let early = Timestamp::from_nanos(5);
        assert_eq!(early.since(Timestamp::from_nanos(9)), Span(-4));
        assert_eq!(Timestamp::from_nanos(i64::MAX).since(Timestamp::from_nanos(i64::MIN)), Span(i64::MAX));
        assert_eq!(Timestamp::from_parts(i64::MAX, 5).nanos(), i64::MAX);
    }
}
