//! Round trips measured: minimum, maximum, mean and deviation as tcptrace reckons them.

use crate::packet::Span;

/// A collection of times, without keeping them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Samples {
    pub(super) count: u64,
    pub(super) least: Span,
    pub(super) most: Span,
    /// Sum of the samples and of their squares, in microseconds.
    sum: f64,
    squares: f64,
}

impl Samples {
    /// One more. A shortest time of zero counts as none yet.
    pub(super) fn add(&mut self, sample: Span) {
        if self.least == Span::ZERO || sample < self.least {
            self.least = sample;
        }
        self.most = self.most.max(sample);
        let micros = sample.0 as f64 / NANOS_PER_MICRO;
        self.sum += micros;
        self.squares += micros * micros;
        self.count += 1;
    }

    /// Mean; zero without samples. tcptrace keeps clear of a division by zero by adding a ten-thousandth.
    pub(super) fn mean(&self) -> Span {
        from_micros(self.sum / (self.count as f64 + 0.0001))
    }

    /// Standard deviation of a sample; zero for fewer than three, as tcptrace has it.
    pub(super) fn deviation(&self) -> Span {
        let count = self.count as f64;
        if self.count < 3 {
            return Span::ZERO;
        }
        from_micros(((self.squares - self.sum * self.sum / count) / (count - 1.0)).max(0.0).sqrt())
    }
}

fn from_micros(micros: f64) -> Span {
    Span((micros * NANOS_PER_MICRO).round() as i64)
}

const NANOS_PER_MICRO: f64 = 1_000.0;
