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

fn write_seconds(nanos: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if nanos < 0 { "-" } else { "" };
    let magnitude = nanos.unsigned_abs();
    let per_sec = NANOS_PER_SEC as u64;
    write!(f, "{sign}{}.{:09}", magnitude / per_sec, magnitude % per_sec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_with_nine_decimals_and_their_sign() {
        assert_eq!(Timestamp::from_parts(1_700_000_000, 123_456_789).to_string(), "1700000000.123456789");
        assert_eq!(Span(-1_500_000_000).to_string(), "-1.500000000");
        assert_eq!(Span(10_000).to_string(), "0.000010000");
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
