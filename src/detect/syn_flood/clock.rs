//! Trace time that only goes forward: what captures do to their clocks must not fire timers, nor stop them.
//!
//! A stamp behind the latest one counts as that one. When many in a row lie far behind, the clock was set back and
//! time goes on from there. A leap forward is believed: silence of a year is silence.

use crate::packet::Span;
use crate::packet::Timestamp;

/// Stamps this far behind the latest are late packets, not another time.
const LATE: Span = Span::from_secs(1);
/// 146 years of trace time; there it stands still, so that what falls due later is not due now.
const END_OF_TIME: i64 = i64::MAX / 2;
/// This many in a row beyond [`LATE`]: the clock was set back.
const SET_BACK_AFTER: u32 = 64;

/// Nanoseconds of trace time from stamps.
#[derive(Clone, Debug, Default)]
pub(super) struct TraceClock {
    now: i64,
    /// Highest stamp since the last time that the clock was set back.
    high: Timestamp,
    started: bool,
    behind: u32,
    /// Times that the clock was set back.
    pub(super) set_back: u64,
}

impl TraceClock {
    /// Trace time at stamp `at`.
    pub(super) fn advance(&mut self, at: Timestamp) -> i64 {
        if !self.started {
            self.started = true;
            self.high = at;
        }
        if at >= self.high {
            self.now = self.now.saturating_add(at.since(self.high).0).min(END_OF_TIME);
            self.high = at;
            self.behind = 0;
        } else if self.high.since(at) > LATE {
            self.behind += 1;
            if self.behind >= SET_BACK_AFTER {
                self.high = at;
                self.behind = 0;
                self.set_back += 1;
            }
        } else {
            self.behind = 0;
        }
        self.now
    }

    /// How far `at` lies ahead of everything seen.
    pub(super) fn leap_to(&self, at: Timestamp) -> Span {
        if self.started { at.since(self.high) } else { Span::ZERO }
    }

    /// `at` needs no work: not late, and before trace time `due`.
    pub(super) fn is_idle(&self, at: Timestamp, due: i64) -> bool {
        let ahead = at.since(self.high).0;
        self.started && ahead > -LATE.0 && self.now.saturating_add(ahead) < due
    }

    /// Trace time now.
    pub(super) const fn now(&self) -> i64 {
        self.now
    }

    /// The stamp that belongs to a trace time.
    pub(super) const fn stamp(&self, time: i64) -> Timestamp {
        self.high.plus(Span(time.saturating_sub(self.now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(secs: i64) -> Timestamp {
        Timestamp::from_parts(secs, 0)
    }

    #[test]
    fn a_late_packet_does_not_turn_time_back_nor_forward() {
        let mut clock = TraceClock::default();
        clock.advance(s(100));
        assert_eq!(clock.advance(s(110)), Span::from_secs(10).0);
        assert_eq!(clock.advance(s(50)), Span::from_secs(10).0);
        assert_eq!(clock.advance(s(111)), Span::from_secs(11).0);
    }

    #[test]
    fn a_clock_set_back_goes_on_from_there() {
        let mut clock = TraceClock::default();
        clock.advance(s(1_000_000));
        for _ in 0..SET_BACK_AFTER {
            clock.advance(s(5));
        }
        assert_eq!(clock.advance(s(7)), Span::from_secs(2).0);
        assert_eq!(clock.set_back, 1);
        assert_eq!(clock.stamp(Span::from_secs(1).0), s(6));
    }

    #[test]
    fn two_interleaved_clocks_do_not_make_time_run() {
        let mut clock = TraceClock::default();
        for n in 0..1_000 {
            clock.advance(s(1_000 + n));
            clock.advance(s(n));
        }
        assert_eq!(clock.now(), Span::from_secs(999).0);
    }

    #[test]
    fn the_widest_leap_neither_overflows_nor_panics() {
        let mut clock = TraceClock::default();
        clock.advance(Timestamp::from_nanos(i64::MIN));
        assert_eq!(clock.advance(Timestamp::from_nanos(i64::MAX)), END_OF_TIME);
    }
}
