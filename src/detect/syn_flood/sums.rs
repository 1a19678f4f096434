//! Rates and one-sided sums of one place: what is bad adds, what is ordinary takes away with time.
//!
//! `S ← max(0, S + bad − Δt·(k0 + k1·c))`, an alarm where S reaches its limit (Page's CUSUM); c is completions per second.
//! Where many attempts end in a way that a dead or refusing host explains, a lost answer makes another one look bad: so
//! each of those excuses one bad attempt of the next seconds. Decay over any span of silence is one closed form, so a leap of a year costs what a millisecond costs.

use crate::detect::syn_flood::thresholds::Thresholds;
use crate::flow::doorway::Outcome;
use crate::packet::Span;

/// Bad attempts farther apart than this are not one rise, unless the sum says so.
const ONE_RISE: Span = Span::from_millis(250);
/// Seconds over which the means run.
pub(super) const MEAN: f32 = 10.0;
/// Seconds over which an excuse fades: long beside the age at which silence is judged.
const EXCUSED: f32 = 30.0;
/// Seconds of the short mean.
pub(super) const SHORT: f32 = 1.5;

/// What is summed. All but the last two are attacks, if nothing speaks against them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Rule {
    /// Half-open, unanswered, forged.
    Open,
    /// Reset by the client.
    Reset,
    /// Half-open though the SYN came again.
    Resent,
    /// Refused, over many ports of a host.
    Refused,
    /// SYN,ACKs of which neither SYN nor ACK is in the capture, by server.
    Orphaned,
    /// The same by the host that gets them.
    Reflected,
    /// Clients that had to repeat their SYN: overload, outage.
    Retried,
    /// Refused at one port.
    PortClosed,
}

impl Default for Sum {
    fn default() -> Self {
        Self { s: 0.0, frame: 0, start: 0, last: i64::MIN }
    }
}

impl Sum {
    /// Trace time of the last SYN counted.
    pub(super) const fn latest(&self) -> i64 {
        self.last
    }

    /// Attempts per second from the first to the last, what was allowed left out.
    pub(super) fn rate(&self) -> f64 {
        f64::from(self.s) / (self.last.saturating_sub(self.start) as f64 * 1e-9).max(0.05)
    }
}

impl Rule {
    pub(super) const COUNT: usize = 8;
    const ALL: [Self; Self::COUNT] = [
        Self::Open,
        Self::Reset,
        Self::Resent,
        Self::Refused,
        Self::Orphaned,
        Self::Reflected,
        Self::Retried,
        Self::PortClosed,
    ];
    /// So many of them, from the first, are attacks; the others are ordinary troubles.
    const ATTACKS: usize = 6;

    /// Stable name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Open => "outcomes",
            Self::Reset => "resets",
            Self::Resent => "resent-half-open",
            Self::Refused => "refused-ports",
            Self::Orphaned => "unsolicited-syn-acks-sent",
            Self::Reflected => "unsolicited-syn-acks-received",
            Self::Retried => "retried",
            Self::PortClosed => "port-closed",
        }
    }

    /// What is ordinary per second, and per completion. `is_port`: of a single port, not of a host or prefix.
    const fn allowance(self, is_port: bool, th: &Thresholds) -> (f32, f32) {
        match self {
            Self::Open | Self::Resent | Self::Retried | Self::Orphaned => {
                (if is_port { th.background } else { th.wide_background }, th.tolerated)
            }
            Self::Reset => (th.reset_background, th.reset_tolerated),
            Self::Refused | Self::PortClosed => (th.refused_background, th.reset_tolerated),
            Self::Reflected => (th.reflected_background, 0.0),
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// An ordinary trouble, told apart from attacks.
    pub(super) const fn is_trouble(self) -> bool {
        self.index() >= Self::ATTACKS
    }
}

/// One sum and where it left zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sum {
    pub(super) s: f32,
    /// Low 32 bits of the frame of the first SYN counted since.
    pub(super) frame: u32,
    /// Trace time of that SYN, and of the last one counted.
    pub(super) start: i64,
    last: i64,
}

/// Rates and sums of one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    since: i64,
    last: i64,
    /// Completions per second, mean of ten seconds and of one and a half.
    pub(super) completions: f32,
    pub(super) completions_short: f32,
    /// Unanswered and half-open attempts that are excused, because others ended in a way that explains them.
    unanswered_excused: f32,
    half_open_excused: f32,
    /// Attempts of the last moment that the full table let go before anything was known of them.
    pub(super) evicted: f32,
    open: Sum,
    /// Those of all other rules; most places never need them.
    rare: Option<Box<[Sum; Rule::COUNT - 1]>>,
}

impl Sums {
    pub(super) fn new(now: i64) -> Self {
        Self { since: now, last: now, ..Self::default() }
    }

    /// Lets time pass. `is_port`: the allowances of a single port, not of a host or prefix.
    pub(super) fn decay(&mut self, now: i64, is_port: bool, th: &Thresholds) {
        if now <= self.last {
            return;
        }
        let dt = now.saturating_sub(self.last) as f32 * 1e-9;
        self.last = now;
        let fading = (-dt / MEAN).exp();
        // The integral of a rate that fades while nothing happens.
        let completed = self.completions * MEAN * (1.0 - fading) * self.warming_up(now);
        self.completions *= fading;
        let forgetting = (-dt / EXCUSED).exp();
        self.unanswered_excused *= forgetting;
        self.half_open_excused *= forgetting;
        let short = (-dt / SHORT).exp();
        self.completions_short *= short;
        self.evicted *= short;
        let kept = if self.rare.is_some() { Rule::COUNT } else { 1 };
        for rule in Rule::ALL.into_iter().take(kept) {
            let (background, habit) = rule.allowance(is_port, th);
            self.take(rule, background * dt + habit * completed);
        }
    }

    /// An attempt of trace time `at` goes on with the rise that the one before it began, though the sum has been at
    /// zero between: an attack that is worth the name comes faster than what is allowed here, so it leaves such a gap
    /// at most now and then (at the allowed rate itself, one time in twenty).
    pub(super) fn goes_on(&self, rule: Rule, at: i64, is_port: bool, th: &Thresholds) -> bool {
        let (background, habit) = rule.allowance(is_port, th);
        let allowed = background + habit * self.completions * self.warming_up(self.last);
        let gap = (3.0e9 / allowed.max(0.1)) as i64;
        at.saturating_sub(self.sum(rule).last) <= gap.min(ONE_RISE.0)
    }

    /// A mean that has run for less than its span is too low by the part that is missing.
    fn warming_up(&self, now: i64) -> f32 {
        let age = (now.saturating_sub(self.since) as f32 * 1e-9).max(0.5);
        if age > 6.0 * MEAN { 1.0 } else { 1.0 / (1.0 - (-age / MEAN).exp()) }
    }

    /// Counts an outcome into the rates. `doubt`: see [`Group::doubt`](super::group::Group::doubt).
    pub(super) fn count(&mut self, outcome: Outcome, doubt: f32) {
        match outcome {
            Outcome::Completed => {
                self.completions += 1.0 / MEAN;
                self.completions_short += 1.0 / SHORT;
            }
            // A refusal or a repetition that was lost leaves an attempt that nobody answered;
            Outcome::Refused | Outcome::ResentUnanswered => self.unanswered_excused += 1.0,
            // a reset or a repetition that was lost, one that was answered and left.
            Outcome::ResentHalfOpen => self.half_open_excused += 1.0,
            Outcome::Reset => self.half_open_excused += 0.5 * doubt,
            Outcome::HalfOpen | Outcome::Unanswered | Outcome::Forged => {}
        }
    }

    /// One bad attempt is excused by what happened around it.
    pub(super) fn excuse(&mut self, outcome: Outcome) -> bool {
        let pool = match outcome {
            Outcome::Unanswered => &mut self.unanswered_excused,
            Outcome::HalfOpen => &mut self.half_open_excused,
            _ => return false,
        };
        let excused = *pool >= 1.0;
        *pool -= if excused { 1.0 } else { 0.0 };
        excused
    }

    /// Adds one to a sum; `limit` times eight is where it stops growing. `begins`: a rise begins with it.
    pub(super) fn add(&mut self, rule: Rule, at: i64, frame: u32, limit: f32, begins: bool) -> f32 {
        let sum = match rule.index().checked_sub(1) {
            None => &mut self.open,
            Some(rare) => &mut self.rare.get_or_insert_default()[rare],
        };
        if begins {
            sum.start = at;
            sum.frame = frame;
        }
        sum.last = sum.last.max(at);
        sum.s = (sum.s + 1.0).min(limit * 8.0);
        sum.s
    }

    /// Takes from a sum, down to zero.
    pub(super) fn take(&mut self, rule: Rule, amount: f32) {
        let sum = match (rule.index().checked_sub(1), &mut self.rare) {
            (None, _) => &mut self.open,
            (Some(at), Some(rare)) => &mut rare[at],
            (Some(_), None) => return,
        };
        sum.s = (sum.s - amount).max(0.0);
    }

    /// All sums of attacks back to zero.
    pub(super) fn calm(&mut self) {
        self.open = Sum::default();
        if let Some(rare) = &mut self.rare {
            rare[..Rule::ATTACKS - 1].fill(Sum::default());
        }
    }

    pub(super) fn sum(&self, rule: Rule) -> Sum {
        match (rule.index().checked_sub(1), &self.rare) {
            (None, _) => self.open,
            (Some(at), Some(rare)) => rare[at],
            (Some(_), None) => Sum::default(),
        }
    }

    /// No attack is in the air.
    pub(super) fn is_calm(&self) -> bool {
        let rare = self.rare.iter().flat_map(|rare| &rare[..Rule::ATTACKS - 1]);
        self.open.s <= 0.0 && rare.into_iter().all(|sum| sum.s <= 0.0)
    }

    /// Completions fell below half of their mean: an outage is on, so judge late.
    pub(super) fn fell_off(&self) -> bool {
        self.completions > 0.5 && self.completions_short < 0.5 * self.completions
    }

    /// They fell off, or there were hardly any.
    pub(super) fn serves_nobody(&self) -> bool {
        self.completions_short < 0.5 || self.fell_off()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = Span::from_secs(1).0;

    #[test]
    fn background_below_the_allowance_never_adds_up() {
        let th = Thresholds::default();
        let mut sums = Sums::new(0);
        for n in 1..10_000 {
            sums.decay(n * S * 11 / 10, true, &th);
            assert!(sums.add(Rule::Open, n * S, 0, th.port_limit, true) < 2.0);
        }
    }

    #[test]
    fn ten_a_second_cross_the_limit_after_seven_seconds_and_start_where_they_started() {
        let th = Thresholds::default();
        let mut sums = Sums::new(0);
        let crossed = (0..200).find(|n| {
            let at = 100 * S + n * S / 10;
            sums.decay(at, true, &th);
            sums.add(Rule::Open, at, 7, th.port_limit, *n == 0) >= th.port_limit
        });
        assert_eq!(crossed, Some(70), "64 / (10 - 1) per second is 7.1 s");
        assert_eq!((sums.sum(Rule::Open).start, sums.sum(Rule::Open).frame), (100 * S, 7));
    }

    #[test]
    fn one_year_of_silence_empties_every_sum_in_one_step() {
        let th = Thresholds::default();
        let mut sums = Sums::new(0);
        (0..500).for_each(|n| assert!(sums.add(Rule::Open, n, 0, th.port_limit, n == 0) > 0.0));
        sums.decay(i64::MAX, true, &th);
        assert!(sums.is_calm());
        assert!(sums.completions.is_finite());
    }

    #[test]
    fn a_tenth_of_the_completions_may_fail() {
        let th = Thresholds::default();
        let mut sums = Sums::new(0);
        for n in 0..60_000_i64 {
            sums.decay(n * S / 1_000, true, &th);
            let outcome = if n % 11 == 0 { Outcome::HalfOpen } else { Outcome::Completed };
            sums.count(outcome, 1.0);
            if outcome == Outcome::HalfOpen {
                sums.add(Rule::Open, n, 0, th.port_limit, n == 0);
            }
            assert!(sums.sum(Rule::Open).s < 64.0, "{n}: {}", sums.sum(Rule::Open).s);
        }
    }
}
