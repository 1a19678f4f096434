//! A crowd that is served: far more attempts at a port than its mean, and nearly all of them complete. A note, no alarm.
//!
//! Each port has its pace, second by second, and a mean of it. A second well above the mean opens a rise, which counts
//! attempts, completions and sources from there on; told is a rise that has lasted and whose attempts complete. It ends
//! where the pace falls under half of what opened it, so a pace that hovers at the limit is told of once.

use crate::detect::syn_flood::group::NONE;
use crate::detect::syn_flood::sketch::Distinct;
use crate::detect::syn_flood::thresholds::Thresholds;
use crate::packet::Span;

/// Length of one look at the pace.
const LOOK: Span = Span::from_secs(1);
/// Seconds over which the mean runs.
const MEAN: f64 = 60.0;
/// Seconds that a port must be known for its mean to be one.
const KNOWN: f64 = 5.0;
/// Seconds of a rise before it is told: by then handshakes on their way are few beside those that are done.
const LASTS: f64 = 2.0;
/// Seconds of calm that end it.
const CALM: f64 = 3.0;
/// Seconds after which what was much is the usual pace.
const SETTLED: f64 = 600.0;

/// How often one port is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Trace time since which the mean runs, and since which the current look does.
    since: i64,
    began: i64,
    attempts: u32,
    completed: u32,
    /// Mean of attempts per second, too low while young: see [`Pace::usual`].
    mean: f32,
    /// The same one look before, and until when it ran: a rise that begins within a look is not usual.
    earlier: f32,
    until: i64,
    /// The rise that is on, or [`NONE`].
    pub(super) rise: u32,
}

/// One look at the pace that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Seconds that it took, and counts of them.
    lasted: f64,
    attempts: u32,
    completed: u32,
}

impl Pace {
    pub(super) const fn new(now: i64) -> Self {
        Self { since: now, began: now, attempts: 0, completed: 0, mean: 0.0, earlier: 0.0, until: now, rise: NONE }
    }

    /// The current look is over.
    pub(super) const fn is_due(&self, now: i64) -> bool {
        now.saturating_sub(self.began) >= LOOK.0
    }

    /// Attempts per second as they usually come; `None` while the port is not known for long.
    fn usual(&self) -> Option<f64> {
        let age = seconds(self.since, self.until);
        (age >= KNOWN).then(|| f64::from(self.earlier) / (1.0 - (-age / MEAN).exp()))
    }

    /// Ends the look and begins the next one. Silence of any length is one step.
    pub(super) fn turn(&mut self, now: i64) -> Look {
        let look = Look { lasted: seconds(self.began, now), attempts: self.attempts, completed: self.completed };
        if self.rise == NONE {
            (self.earlier, self.until) = (self.mean, self.began);
            let fading = (-look.lasted / MEAN).exp();
            self.mean = (f64::from(self.mean) * fading + look.rate() * (1.0 - fading)) as f32;
        } else {
            // What a rise brings is not usual.
            let passed = now.saturating_sub(self.began);
            self.since = self.since.saturating_add(passed);
            self.until = self.until.saturating_add(passed);
        }
        (self.began, self.attempts, self.completed) = (now, 0, 0);
        look
    }

    /// An attempt began.
    pub(super) const fn attempt(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// Trace time since which attempts count, where no rise is on.
    pub(super) const fn began(&self) -> i64 {
        self.began
    }

    /// One completed, and its SYN was not repeated.
    pub(super) const fn completes(&mut self) {
        self.completed = self.completed.saturating_add(1);
    }

    /// A rise, where the look that is on holds enough for one already.
    pub(super) fn rises(&self, at: u32, frame: u32, th: &Thresholds) -> Option<Rise> {
        if f64::from(self.attempts) < th.surge_floor {
            return None;
        }
        let usual = self.usual()?;
        let limit = (th.surge_factor * usual).max(th.surge_floor);
        (f64::from(self.attempts) >= limit).then(|| Rise {
            at,
            frame,
            id: 0,
            start: self.began,
            told: 0,
            last: self.began,
            usual,
            limit,
            attempts: 0,
            completed: 0,
            peak: 0.0,
            calm: 0.0,
            sources: Distinct::new(),
        })
    }

    /// What was much is the usual pace from now on.
    fn settle(&mut self, rate: f64) {
        self.mean = (rate * (1.0 - (-seconds(self.since, self.began) / MEAN).exp())) as f32;
        (self.earlier, self.until) = (self.mean, self.began);
    }
}

impl Look {
    fn rate(&self) -> f64 {
        f64::from(self.attempts) / self.lasted.max(1e-3)
    }
}

/// More attempts than usual at one port.
#[derive(Clone, Debug)]
pub(super) struct Rise {
    /// The port's place, and a frame of the first second.
    pub(super) at: u32,
    pub(super) frame: u32,
    /// Its number once it is told; 0 before.
    pub(super) id: u64,
    /// Trace times: its first second, when it was told, and the end of its last second.
    pub(super) start: i64,
    pub(super) told: i64,
    pub(super) last: i64,
    /// Attempts per second before, and those that made it a rise.
    pub(super) usual: f64,
    limit: f64,
    /// Counts from its first second to its last; completed are those whose SYN was not repeated.
    pub(super) attempts: u64,
    pub(super) completed: u64,
    /// Attempts per second in its busiest look.
    pub(super) peak: f64,
    /// Seconds since its last busy one.
    calm: f64,
    pub(super) sources: Distinct,
}

/// What is to be done about a rise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// Nothing yet.
    GoesOn,
    /// It is a crowd that is served.
    IsSurge,
    /// It is over, or has become usual.
    Over,
}

impl Rise {
    /// Takes in a look that is over.
    pub(super) fn take(&mut self, look: Look, pace: &mut Pace, now: i64, th: &Thresholds) -> Turn {
        // Looks in silence are counted in their whole length.
        let busy = look.rate() >= self.limit / 2.0;
        if busy {
            self.attempts += u64::from(look.attempts);
            self.completed += u64::from(look.completed);
            self.peak = self.peak.max(look.rate());
            self.last = now;
            self.calm = 0.0;
        } else {
            self.calm += look.lasted;
        }
        if seconds(self.start, now) >= SETTLED {
            pace.settle(look.rate());
            return Turn::Over;
        }
        if self.calm >= CALM || (self.id == 0 && !busy) {
            return Turn::Over;
        }
        let told = self.id != 0 || seconds(self.start, self.last) < LASTS;
        if !told && self.rate() >= self.limit && self.completion() >= th.surge_completed {
            return Turn::IsSurge;
        }
        Turn::GoesOn
    }

    /// Attempts per second.
    pub(super) fn rate(&self) -> f64 {
        self.attempts as f64 / seconds(self.start, self.last).max(1.0)
    }

    /// Share of attempts that completed.
    pub(super) fn completion(&self) -> f64 {
        self.completed as f64 / self.attempts.max(1) as f64
    }
}

/// Rises that are on, a bounded number of them.
#[derive(Debug)]
pub(super) struct Surges {
    rises: Vec<Option<Box<Rise>>>,
    count: usize,
    cap: usize,
    tick: i64,
    /// Not followed because too many were.
    pub(super) refused: u64,
}

impl Surges {
    pub(super) const fn new(cap: usize) -> Self {
        Self { rises: Vec::new(), count: 0, cap, tick: i64::MAX, refused: 0 }
    }

    pub(super) const fn next_tick(&self) -> i64 {
        if self.count == 0 { i64::MAX } else { self.tick }
    }

    pub(super) const fn ticked(&mut self, due: i64) {
        self.tick = due.saturating_add(LOOK.0);
    }

    pub(super) fn get_mut(&mut self, rise: u32) -> Option<&mut Rise> {
        self.rises.get_mut(rise as usize)?.as_deref_mut()
    }

    pub(super) fn all(&self) -> Vec<u32> {
        (0..self.rises.len() as u32).filter(|&rise| self.rises[rise as usize].is_some()).collect()
    }

    /// Follows a rise, where there is room.
    pub(super) fn put(&mut self, rise: Rise, now: i64) -> Option<u32> {
        if self.count >= self.cap {
            self.refused += 1;
            return None;
        }
        if self.count == 0 {
            self.ticked(now);
        }
        self.count += 1;
        let slot = self.rises.iter().position(Option::is_none).unwrap_or(self.rises.len());
        if slot == self.rises.len() {
            self.rises.push(None);
        }
        self.rises[slot] = Some(Box::new(rise));
        Some(slot as u32)
    }

    pub(super) fn take(&mut self, rise: u32) -> Option<Box<Rise>> {
        let taken = self.rises.get_mut(rise as usize)?.take()?;
        self.count -= 1;
        Some(taken)
    }
}

fn seconds(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 * 1e-9
}
