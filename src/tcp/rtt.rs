//! Round-trip times of one direction, gathered in fixed memory: from the capture point to the peer and back.
//!
//! Two ways to take a sample (RFC 7323 §4.1, RFC 6298 §3): the acknowledgment of octets that were sent once (Karn), and the
//! first echo of a timestamp (RFC 7323 §3). Few samples are kept as they are; more go into buckets on a logarithmic
//! scale, eight to each doubling, so that a quantile is off by a sixteenth of its value at most.

use arrayvec::ArrayVec;

use crate::packet::Span;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::event::Side;
use crate::tcp::verdict::tcb::Tcb;

/// Samples kept as they are.
const EXACT: usize = 16;
/// Buckets to each doubling.
const PER_DOUBLING: u32 = 8;
/// The first bucket ends at two to this many nanoseconds: one microsecond.
const FIRST: u32 = 10;
/// The last one begins an eighth below two to this many: 69 seconds.
const LAST: u32 = 36;
/// Buckets in all.
const BUCKETS: usize = ((LAST - FIRST) * PER_DOUBLING) as usize + 1;

/// The largest error of a quantile that was read from buckets, as a part of its value.
pub const QUANTILE_ERROR: f64 = 1.0 / 16.0;

/// How a sample is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// An acknowledgment of octets that were sent once (RFC 6298 §3).
    Karn,
    /// The first echo of a timestamp (RFC 7323 §3).
    Echo,
}

impl How {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Karn, Self::Echo];

    /// Key of the machine contract.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Karn => "karn",
            Self::Echo => "timestamp_echo",
        }
    }
}

/// Samples of one kind, of one direction.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    count: u64,
    least: Span,
    most: Span,
    exact: ArrayVec<Span, EXACT>,
    buckets: Option<Box<[u32; BUCKETS]>>,
}

impl Samples {
    /// Takes one; a negative one (a clock that stepped back) is refused.
    fn add(&mut self, sample: Span) {
        if sample < Span::ZERO {
            return;
        }
        self.least = if self.count == 0 { sample } else { self.least.min(sample) };
        self.most = self.most.max(sample);
        self.count += 1;
        if self.buckets.is_none() && self.exact.try_push(sample).is_ok() {
            return;
        }
        let buckets = self.buckets.get_or_insert_with(|| {
            let mut buckets = Box::new([0; BUCKETS]);
            for sample in self.exact.drain(..) {
                buckets[bucket(sample)] += 1;
            }
            buckets
        });
        let bucket = &mut buckets[bucket(sample)];
        *bucket = bucket.saturating_add(1);
    }

    /// How many.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The shortest.
    pub fn least(&self) -> Option<Span> {
        (self.count > 0).then_some(self.least)
    }

    /// The longest.
    pub fn most(&self) -> Option<Span> {
        (self.count > 0).then_some(self.most)
    }

    /// Every quantile is one of the samples, not the middle of a bucket.
    pub const fn is_exact(&self) -> bool {
        self.buckets.is_none()
    }

    /// The sample below or at which `percent` of them lie (nearest rank); from buckets, the middle of its bucket.
    pub fn quantile(&self, percent: u8) -> Option<Span> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1) as u64;
        let Some(buckets) = &self.buckets else {
            let mut sorted = self.exact.clone();
            sorted.sort_unstable();
            return sorted.get(rank as usize - 1).copied();
        };
        let mut below = 0;
        let at = buckets.iter().position(|&count| {
            below += u64::from(count);
            below >= rank
        })?;
        let (from, to) = edges(at);
        Some(Span(from.0 + (to.0 - from.0) / 2).clamp(self.least, self.most))
    }

    /// Buckets that hold something: from, up to and not with, how many.
    pub fn histogram(&self) -> impl Iterator<Item = (Span, Span, u32)> {
        let mut places: ArrayVec<usize, EXACT> = self.exact.iter().map(|sample| bucket(*sample)).collect();
        places.sort_unstable();
        let mut few = ArrayVec::<(usize, u32), EXACT>::new();
        for place in places {
            match few.last_mut() {
                Some((last, count)) if *last == place => *count += 1,
                Some(_) | None => few.push((place, 1)),
            }
        }
        let many = self.buckets.iter().flat_map(|buckets| buckets.iter().copied().enumerate());
        few.into_iter().chain(many).filter(|(_, count)| *count > 0).map(|(at, count)| {
            let (from, to) = edges(at);
            (from, to, count)
        })
    }
}

/// The bucket of a sample: its three bits behind the first tell which eighth of its doubling it lies in.
fn bucket(sample: Span) -> usize {
    let nanos = sample.0.max(0) as u64;
    let doubling = nanos.max(1).ilog2();
    match doubling {
        ..FIRST => 0,
        FIRST..LAST => {
            let eighth = (nanos >> (doubling - 3)) as u32 & (PER_DOUBLING - 1);
            ((doubling - FIRST) * PER_DOUBLING + eighth) as usize + 1
        }
        LAST.. => BUCKETS - 1,
    }
    .min(BUCKETS - 1)
}

/// Where a bucket begins, and where the next one does. The first begins at 0, the last ends with its own width.
fn edges(bucket: usize) -> (Span, Span) {
    let edge = |bucket: u32| {
        let (doubling, eighth) = (FIRST + bucket / PER_DOUBLING, bucket % PER_DOUBLING);
        Span((1_i64 << doubling) + (i64::from(eighth) << (doubling - 3)))
    };
    match bucket as u32 {
        0 => (Span::ZERO, edge(0)),
        bucket => (edge(bucket - 1), edge(bucket)),
    }
}

/// Round trips of both directions, by both ways of taking them.
#[derive(Clone, Debug, Default)]
pub struct RoundTrips {
    /// By direction, then by way. Most connections are too short for many samples.
    samples: [[Option<Box<Samples>>; 2]; 2],
    /// Latest timestamp of each side that was echoed.
    echoed: [Option<u32>; 2],
}

impl RoundTrips {
    /// Samples of the octets that `sender` sent, if there are any.
    pub fn of(&self, sender: Side, how: How) -> Option<&Samples> {
        self.samples[sender.index()][how as usize].as_deref()
    }

    pub(super) fn take(&mut self, sender: Side, how: How, sample: Span) {
        self.samples[sender.index()][how as usize].get_or_insert_default().add(sample);
    }

    /// The segment `tcp` may echo a timestamp of `sender` for the first time; `sent` has what was on its way before.
    /// A segment that was sent twice within a tick of the clock has one stamp for both, so it gives no sample.
    pub(super) fn echo(&mut self, at: Timestamp, sender: Side, sent: &Tcb, tcp: &TcpHeader<'_>) {
        // An echo of 0 is none (RFC 7323 §3.2).
        let Some((_, echo @ 1..)) = tcp.said.timestamps else { return };
        let newer = |known: u32| (echo.wrapping_sub(known) as i32) > 0;
        if !self.echoed[sender.index()].is_none_or(newer) {
            return;
        }
        self.echoed[sender.index()] = Some(echo);
        if let Some(first) = sent.stamped(echo).filter(|first| first.times == 1) {
            self.take(sender, How::Echo, at.since(first.last.at));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tcp::tests::lived;

    fn of(samples: &[i64]) -> Samples {
        let mut all = Samples::default();
        samples.iter().for_each(|&sample| all.add(Span(sample)));
        all
    }

    #[test]
    fn few_samples_are_kept_as_they_are() {
        let few = of(&[30_000, 10_000, 20_000, 90_000]);
        assert_eq!((few.count(), few.least(), few.most()), (4, Some(Span(10_000)), Some(Span(90_000))));
        assert_eq!((few.quantile(50), few.quantile(95)), (Some(Span(20_000)), Some(Span(90_000))));
        assert!(few.is_exact());
        assert_eq!(of(&[]).quantile(50), None);
        assert_eq!(of(&[-1]).count(), 0);
    }

    #[test]
    fn buckets_follow_each_other_and_hold_their_own_edges() {
        for at in 1..BUCKETS - 1 {
            let (from, to) = edges(at);
            assert_eq!((bucket(from), bucket(Span(to.0 - 1))), (at, at), "{from}..{to}");
            assert_eq!(edges(at + 1).0, to);
        }
        assert_eq!((bucket(Span(0)), bucket(Span(1_023)), bucket(Span(i64::MAX))), (0, 0, BUCKETS - 1));
    }

    #[test]
    fn state_is_what_the_documentation_says() {
        assert_eq!(size_of::<RoundTrips>(), 48);
        assert_eq!((size_of::<Samples>(), size_of::<[u32; BUCKETS]>()), (168, 836));
    }

    const OPEN: &str = "
        +0.000  C > S  S   100:100(0)            win 10000  <mss 1000, sackOK, ts 10 0>
        +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 1000, sackOK, ts 70 10>
        +0.002  C > S  .   101:101(0)   ack 901  win 10000  <ts 12 70>
    ";

    /// Count, shortest and longest in milliseconds, of the client's octets.
    fn measured(rest: &str, how: How) -> Option<(u64, i64, i64)> {
        let connection = lived(&format!("{OPEN}{rest}"));
        let samples = connection.round_trips()?.of(Side::Client, how)?.clone();
        Some((samples.count(), samples.least()?.0 / 1_000_000, samples.most()?.0 / 1_000_000))
    }

    #[test]
    fn octets_that_were_sent_twice_give_no_sample() {
        let once = "
            +0.010  C > S  P.  101:201(100) ack 901  win 10000  <ts 20 70>
            +0.030  S > C  .   901:901(0)   ack 201  win 10000  <ts 110 20>
        ";
        let twice = "
            +0.010  C > S  P.  101:201(100) ack 901  win 10000  <ts 20 70>
            +0.300  C > S  P.  101:201(100) ack 901  win 10000  <ts 320 70>
            +0.030  S > C  .   901:901(0)   ack 201  win 10000  <ts 410 20>
        ";
        // The SYN gives one of 10 ms.
        assert_eq!(measured(once, How::Karn), Some((2, 10, 30)));
        assert_eq!(measured(twice, How::Karn), Some((1, 10, 10)));
        assert_eq!(measured(twice, How::Echo), Some((1, 10, 10)));
    }

    #[test]
    fn only_the_first_echo_of_a_stamp_is_a_round_trip() {
        let echoed_twice = "
            +0.010  C > S  P.  101:201(100) ack 901  win 10000  <ts 20 70>
            +0.001  C > S  P.  201:301(100) ack 901  win 10000  <ts 20 70>
            +0.030  S > C  .   901:901(0)   ack 201  win 10000  <ts 110 20>
            +0.500  S > C  .   901:901(0)   ack 301  win 10000  <ts 610 20>
        ";
        assert_eq!(measured(echoed_twice, How::Echo), Some((2, 10, 31)));
        assert_eq!(measured(echoed_twice, How::Karn), Some((3, 10, 530)));
    }

    #[test]
    fn without_timestamps_there_are_no_echoes_and_without_acknowledgments_no_samples() {
        let bare = lived("0 C > S S 100:100(0) win 500\n+0.01 S > C S. 900:900(0) ack 101 win 500");
        let round_trips = bare.round_trips().expect("they are kept");
        assert!(round_trips.of(Side::Client, How::Karn).is_some() && round_trips.of(Side::Client, How::Echo).is_none());
        assert!(round_trips.of(Side::Server, How::Karn).is_none());
    }

    proptest! {
        #[test]
        fn a_quantile_from_buckets_is_off_by_a_sixteenth_at_most(
            mut samples in proptest::collection::vec(1_024_i64..60_000_000_000, EXACT + 1..300),
            percent in 1u8..=100,
        ) {
            let all = of(&samples);
            prop_assert!(!all.is_exact());
            samples.sort_unstable();
            let rank = (samples.len() * usize::from(percent)).div_ceil(100).max(1);
            let (true_one, told) = (samples[rank - 1], all.quantile(percent).expect("there are samples").0);
            prop_assert!((told - true_one).abs() as f64 <= true_one as f64 * QUANTILE_ERROR + 1.0, "{told} for {true_one}");
            prop_assert_eq!(all.histogram().map(|(_, _, count)| u64::from(count)).sum::<u64>(), all.count());
        }
    }
}
