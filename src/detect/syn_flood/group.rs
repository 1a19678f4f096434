//! One place that is called (address and port, host, or prefix) and what happened there.

use crate::detect::syn_flood::sums::Rule;
use crate::detect::syn_flood::sums::SHORT;
use crate::detect::syn_flood::sums::Sums;
use crate::detect::syn_flood::surge::Pace;
use crate::detect::syn_flood::thresholds::Thresholds;
use crate::flow::doorway::Address;
use crate::flow::doorway::Outcome;
use crate::flow::list::Links;
use crate::packet::Span;

/// Index of no group.
pub(super) use crate::flow::list::NONE;

/// Slow handshakes that any busy place has.
const A_FEW: u32 = 8;
/// Handshakes that tell how much of them is missing.
const ENOUGH_COMPLETED: u32 = 100;
/// Bad attempts this close together belong to one run.
const ONE_RUN: Span = Span::from_millis(250);
/// Waiting attempts farther apart than this are not yet the flood that a thousand of them in a second show: at nine
/// hundred per second, one gap in fifty thousand is as wide.
const NO_FLOOD: Span = Span::from_millis(12);

/// How wide a place is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    /// Address and port.
    Port,
    /// Address.
    Host,
    /// /24 or /64.
    Prefix,
    /// /16 or /48, for what found no room at its prefix.
    Wide,
    /// All of those, and whatever found no room at all.
    Rest,
}

impl Level {
    pub(super) const COUNT: usize = 5;
}

/// Which place.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Place {
    pub(super) level: Level,
    pub(super) port: u16,
    pub(super) addr: Address,
}

/// A place and what happened there.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) place: Place,
    pub(super) parent: u32,
    /// Attempts, narrower places and incidents that point here; at 0 it may be forgotten.
    pub(super) refs: u32,
    /// Neighbours among those of its level that nothing points to.
    pub(super) idle: Links,
    pub(super) sums: Sums,
    /// Outcomes since the place is known, less what was taken back.
    pub(super) counts: [u32; Outcome::COUNT],
    /// The same when the sums of attacks last left zero.
    pub(super) base: [u32; Outcome::COUNT],
    /// First SYNs of the bad attempts that started the latest rise.
    pub(super) firsts: Firsts,
    /// The run of excused bad attempts that ended last, by their SYNs.
    excused_since: i64,
    excused_last: i64,
    /// Attempts that wait and are `aged_after` old, not repeated.
    pub(super) aged: u32,
    /// Trace time and frame of the SYN since which there are more than a few of them, close together; time of the last.
    aged_since: i64,
    aged_frame: u32,
    aged_last: i64,
    /// Trace time when an alarm was last thought over.
    pub(super) considered: i64,
    /// Alarms since then.
    pub(super) alarms: u32,
    /// Completions per second when the sums of attacks last left zero.
    pub(super) usual: f32,
    /// Bad verdicts taken back since the sums left zero.
    pub(super) taken_back: u32,
    /// Unanswered SYN,ACKs of the last 63 s, and most so far.
    pub(super) unacknowledged: u32,
    pub(super) unacknowledged_peak: u32,
    /// SYNs, of the current second and of the busiest.
    pub(super) syns: u64,
    second: i64,
    seconds: [u32; 4],
    pub(super) peak_syns: u32,
    /// SYN,ACKs repeated.
    pub(super) syn_acks_resent: u32,
    /// Attempts whose SYN came again.
    pub(super) resent: u32,
    /// Bit per hashed port (of a host) or host (of a prefix) with bad attempts since the sums left zero.
    pub(super) members: u64,
    /// Completions of which no SYN,ACK was seen.
    pub(super) blind_completions: u32,
    /// Attempts that completed after their SYN had come again, and how many when the sums of attacks last left zero.
    pub(super) late: u32,
    late_base: u32,
    /// The open incident here.
    pub(super) incident: u32,
    /// Rules whose detail is kept.
    pub(super) warm: u8,
    /// It ever answered: SYN,ACK, RST or data.
    pub(super) answered: bool,
    /// How often it is called, of a port.
    pub(super) pace: Pace,
}

/// Times and frames of the four earliest bad SYNs of a rise, in order; verdicts may come in another one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Firsts {
    times: [i64; 4],
    frames: [u32; 4],
    len: u8,
}

impl Firsts {
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    pub(super) fn push(&mut self, at: i64, frame: u32) {
        let held = usize::from(self.len);
        let place = self.times[..held].partition_point(|&earlier| earlier <= at);
        if place < self.times.len() {
            let end = (held + 1).min(self.times.len());
            self.times.copy_within(place..end - 1, place + 1);
            self.frames.copy_within(place..end - 1, place + 1);
            (self.times[place], self.frames[place]) = (at, frame);
            self.len = end as u8;
        }
    }

    /// Where a rise of about `rate` per second began: a lone bad attempt long before does not belong to it.
    pub(super) fn start(&self, rate: f64) -> Option<(i64, u32)> {
        let times = &self.times[..usize::from(self.len)];
        let wide = (8.0e9 / rate.max(0.1)) as i64;
        let gap = times.windows(2).rposition(|pair| pair[1].saturating_sub(pair[0]) > wide);
        let first = gap.map_or(0, |at| at + 1);
        Some((*times.get(first)?, self.frames[first]))
    }
}

impl Group {
    pub(super) fn new(place: Place, parent: u32, now: i64) -> Self {
        Self {
            place,
            parent,
            refs: 0,
            idle: Links::ALONE,
            sums: Sums::new(now),
            counts: [0; Outcome::COUNT],
            base: [0; Outcome::COUNT],
            firsts: Firsts::default(),
            excused_since: i64::MIN,
            excused_last: i64::MIN,
            aged: 0,
            aged_since: now,
            aged_frame: 0,
            aged_last: i64::MIN,
            considered: i64::MIN,
            alarms: 0,
            usual: 0.0,
            taken_back: 0,
            unacknowledged: 0,
            unacknowledged_peak: 0,
            syns: 0,
            second: 0,
            seconds: [0; 4],
            peak_syns: 0,
            syn_acks_resent: 0,
            resent: 0,
            members: 0,
            blind_completions: 0,
            late: 0,
            late_base: 0,
            incident: NONE,
            warm: 0,
            answered: false,
            pace: Pace::new(now),
        }
    }

    pub(super) fn is_port(&self) -> bool {
        self.place.level == Level::Port
    }

    /// An attempt on it began.
    pub(super) fn count_syn(&mut self, now: i64) {
        self.syns += 1;
        let second = now / Span::from_secs(1).0;
        if second != self.second {
            self.turn_to(second);
        }
        let current = &mut self.seconds[(second & 3) as usize];
        *current += 1;
        self.peak_syns = self.peak_syns.max(*current);
    }

    /// An attack is known some seconds after it began: four are kept while nothing is in the air.
    fn turn_to(&mut self, second: i64) {
        let passed = second.saturating_sub(self.second).clamp(1, 4);
        for back in 0..passed {
            self.seconds[((second - back) & 3) as usize] = 0;
        }
        self.second = second;
        if self.incident == NONE && self.sums.is_calm() {
            self.peak_syns = self.seconds.into_iter().max().unwrap_or(0);
        }
    }

    /// A bad attempt was excused: an attack may begin so.
    pub(super) fn excused(&mut self, at: i64) {
        if at.saturating_sub(self.excused_last) > ONE_RUN.0 {
            self.excused_since = at;
        }
        self.excused_last = self.excused_last.max(at);
    }

    /// Where a rise that seems to start at `start` began, excused attempts right before it included.
    pub(super) fn began(&self, start: i64) -> i64 {
        let joins = start.saturating_sub(self.excused_last) <= ONE_RUN.0;
        if joins { start.min(self.excused_since) } else { start }
    }

    /// A SYN,ACK went out.
    pub(super) fn opens(&mut self) {
        self.unacknowledged += 1;
        self.unacknowledged_peak = self.unacknowledged_peak.max(self.unacknowledged);
    }

    /// An attempt of trace time `at` became old without an end.
    pub(super) fn ages(&mut self, at: i64, frame: u32, th: &Thresholds) {
        self.aged += 1;
        let apart = at.saturating_sub(self.aged_last) > NO_FLOOD.0 && self.aged < th.fast_pending / 4;
        if self.aged < A_FEW || apart {
            (self.aged_since, self.aged_frame) = (at, frame);
        }
        self.aged_last = at;
    }

    /// Where what waits here began to be too much, and its frame.
    pub(super) const fn overrun_since(&self) -> (i64, u32) {
        (self.aged_since, self.aged_frame)
    }

    /// Times and frames of the first bad attempts of its rise, and of one that waits.
    pub(super) fn earliest_known(&self) -> impl Iterator<Item = (i64, u32)> {
        let firsts = self.firsts.times.into_iter().zip(self.firsts.frames).take(self.firsts.len.into());
        firsts.chain((self.aged > 0).then_some(self.overrun_since()))
    }

    /// So many attempts wait that nothing harmless explains them, well above what usually comes and goes here.
    pub(super) fn is_overrun(&self, th: &Thresholds) -> bool {
        let waiting = self.aged as f32 + self.sums.evicted;
        let usual = self.sums.completions * (th.half_open_after.0 - th.aged_after.0) as f32 * 1e-9;
        waiting >= th.fast_pending as f32
            && waiting >= th.fast_ratio * self.sums.completions_short * SHORT
            && waiting >= 3.0 * usual
    }

    /// How far a reset that the capture or the path lost may stand behind an attempt that looks half-open, 0 to 1: by
    /// the share of handshakes of which a part is missing, where enough are known.
    pub(super) fn doubt(&self) -> f32 {
        let completed = self.counts[Outcome::Completed.index()];
        if completed < ENOUGH_COMPLETED {
            return 1.0;
        }
        let all: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        let missing = self.blind_completions as f32 / completed as f32;
        let repeated = self.resent as f32 / all.max(1) as f32;
        // Of each lost one, 1/loss − 1 were seen: at a loss of a fifth every fourth, and twice that to be on the safe side.
        let loss = missing.max(repeated).clamp(0.0, 0.5);
        (4.0 * loss / (1.0 - loss)).min(1.0)
    }

    /// Outcomes since the sums left zero.
    pub(super) fn since_base(&self) -> [u32; Outcome::COUNT] {
        std::array::from_fn(|i| self.counts[i].saturating_sub(self.base[i]))
    }

    /// Late completions since then.
    pub(super) fn late_since_base(&self) -> u32 {
        self.late.saturating_sub(self.late_base)
    }

    /// Where the sums of attacks leave zero, counting begins anew.
    pub(super) fn rises(&mut self) {
        if self.incident == NONE && self.sums.is_calm() {
            self.base = self.counts;
            self.late_base = self.late;
            self.usual = self.sums.completions;
            self.members = 0;
            self.taken_back = 0;
        }
    }

    pub(super) fn limit(&self, rule: Rule, th: &Thresholds) -> f32 {
        match rule {
            Rule::Open if self.is_port() => th.port_limit,
            Rule::Open => th.wide_limit,
            Rule::Orphaned => th.port_limit,
            Rule::Reset if !self.is_port() => 2.0 * th.reset_limit,
            Rule::Reset => th.reset_limit,
            Rule::Resent if !self.is_port() => 2.0 * th.resent_limit,
            Rule::Resent | Rule::Retried => th.resent_limit,
            Rule::Refused | Rule::PortClosed => th.refused_limit,
            Rule::Reflected => th.reflected_limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_bad_attempt_long_before_is_not_the_start() {
        let mut firsts = Firsts::default();
        let ms = |n: i64| Span::from_millis(n).0;
        for at in [1_000, 1_900, 1_902, 1_904] {
            firsts.push(ms(at), at as u32);
        }
        assert_eq!(firsts.start(500.0), Some((ms(1_900), 1_900)));
        assert_eq!(firsts.start(2.0), Some((ms(1_000), 1_000)));
    }

    #[test]
    fn a_rise_starts_with_its_earliest_syn_in_whatever_order_the_verdicts_come() {
        let mut firsts = Firsts::default();
        for at in [220, 140, 310, 100, 180, 90, 400] {
            firsts.push(Span::from_millis(at).0, at as u32);
        }
        assert_eq!(firsts.start(100.0), Some((Span::from_millis(90).0, 90)));
        assert_eq!(firsts.frames, [90, 100, 140, 180]);
        assert_eq!(firsts.times.map(|at| at / 1_000_000), [90, 100, 140, 180]);
    }
}
