//! Round-trip time and retransmission timer of one sender, by RFC 6298, as an observer computes them.

use crate::packet::Span;

/// Hosts wait at least this long in practice: Linux's minimum. RFC 6298 §2.4 says one second.
pub const MIN_RTO: Span = Span::from_millis(200);
/// The coarsest tick of a timer in the field.
const TICK: Span = Span::from_millis(10);
/// Before the first sample (RFC 6298 §2.1).
pub const FIRST_RTO: Span = Span::from_secs(1);

/// Smoothed round-trip time and its variation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RttEstimate {
    /// Samples taken.
    pub samples: u32,
    /// SRTT; absent before the first sample.
    pub srtt: Option<Span>,
    /// RTTVAR.
    pub rttvar: Span,
    /// The shortest sample.
    pub least: Option<Span>,
}

impl RttEstimate {
    /// One sample that obeys Karn's rule: α = 1/8, β = 1/4 (RFC 6298 §2.2, §2.3). Negative ones (a clock that stepped)
    /// are refused.
    pub fn sample(&mut self, rtt: Span) {
        if rtt < Span::ZERO {
            return;
        }
        self.samples = self.samples.saturating_add(1);
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
        match self.srtt {
            None => {
                self.srtt = Some(rtt);
                self.rttvar = Span(rtt.0 / 2);
            }
            Some(srtt) => {
                let error = (srtt.0 - rtt.0).abs();
                self.rttvar = Span(self.rttvar.0 - self.rttvar.0 / 4 + error / 4);
                self.srtt = Some(Span(srtt.0 - srtt.0 / 8 + rtt.0 / 8));
            }
        }
    }

    /// The longest that hosts in the field wait: Linux adds its minimum of 200 ms to SRTT instead of waiting it at least,
    /// and its timers come up to an eighth late.
    pub fn latest_rto(&self) -> Span {
        let rto =
            self.srtt.map_or(FIRST_RTO.0, |srtt| srtt.0.saturating_add(self.rttvar.0.saturating_mul(4).max(MIN_RTO.0)));
        Span(rto.saturating_add(rto / 8).saturating_add(TICK.0))
    }

    /// SRTT + 4·RTTVAR, at least [`MIN_RTO`]; [`FIRST_RTO`] before any sample.
    pub fn rto(&self) -> Span {
        self.srtt.map_or(FIRST_RTO, |srtt| Span(srtt.0.saturating_add(self.rttvar.0.saturating_mul(4))).max(MIN_RTO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sample_sets_both_and_later_ones_smooth() {
        let mut estimate = RttEstimate::default();
        assert_eq!(estimate.rto(), FIRST_RTO);
        estimate.sample(Span::from_millis(100));
        assert_eq!((estimate.srtt, estimate.rttvar), (Some(Span::from_millis(100)), Span::from_millis(50)));
        assert_eq!(estimate.rto(), Span::from_millis(300));
        estimate.sample(Span::from_millis(180));
        assert_eq!(estimate.srtt, Some(Span::from_millis(110)));
        assert_eq!(estimate.rttvar, Span(57_500_000));
        assert_eq!(estimate.least, Some(Span::from_millis(100)));
    }

    #[test]
    fn a_short_path_still_waits_the_minimum_and_a_negative_sample_is_refused() {
        let mut estimate = RttEstimate::default();
        estimate.sample(Span::from_millis(-5));
        assert_eq!(estimate.samples, 0);
        estimate.sample(Span(20_000));
        assert_eq!(estimate.rto(), MIN_RTO);
    }

    #[test]
    fn the_latest_timer_adds_the_minimum_to_the_round_trip_and_comes_late() {
        let mut estimate = RttEstimate::default();
        estimate.sample(Span::from_millis(20));
        assert_eq!(estimate.latest_rto(), Span(257_500_000), "220 ms, an eighth, a tick");
        assert!(estimate.rto() < estimate.latest_rto());
    }
}
