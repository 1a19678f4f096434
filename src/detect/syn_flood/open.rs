//! Incidents that are not over, a bounded number of them.

use crate::detect::syn_flood::describe::Subject;
use crate::detect::syn_flood::kinds::Class;
use crate::detect::syn_flood::kinds::Kind;
use crate::detect::syn_flood::sums::Rule;
use crate::packet::Span;

/// How often open incidents are looked at.
pub(super) const TICK: Span = Span::from_millis(250);
/// Verdicts are at most 3.3 s behind the SYNs; an attack of which none came for longer is over.
const STILL_ON: Span = Span::from_secs(5);

/// An incident that is not over.
#[derive(Clone, Debug)]
pub(super) struct Open {
    /// Its number; 0 for the next one.
    pub(super) id: u64,
    pub(super) subject: Subject,
    pub(super) class: Class,
    pub(super) kind: Kind,
    pub(super) start: i64,
    pub(super) frame: u32,
    pub(super) flagged: i64,
    /// Last bad SYN of the attack, and last of all: background goes on when an attack is over.
    pub(super) end: i64,
    pub(super) last: i64,
    pub(super) bad: u64,
    pub(super) next_update: i64,
    pub(super) checked: i64,
}

impl Open {
    const fn is_trouble(&self) -> bool {
        match self.subject {
            Subject::Place(_, rule) => rule.is_trouble(),
            Subject::Scanner(_) => false,
        }
    }

    /// Bad SYNs per second so far.
    fn rate(&self) -> f64 {
        self.bad as f64 / (self.end.saturating_sub(self.start) as f64 * 1e-9).max(0.05)
    }

    /// The widest gap that still belongs to the attack.
    pub(super) fn gap(&self) -> i64 {
        ((8.0e9 / self.rate()) as i64).clamp(Span::from_millis(100).0, Span::from_secs(2).0)
    }

    fn note(&mut self, at: i64, frame: u32) {
        self.bad += 1;
        // What nobody answered is judged later than what was: the first SYN of all may be among it.
        if at < self.start && self.start.saturating_sub(at) <= self.gap() {
            (self.start, self.frame) = (at, frame);
        }
        // Some verdicts come at once, others seconds later: it goes on from its end, or with what came right before.
        let follows = |earlier: i64| at > earlier && at.saturating_sub(earlier) <= self.gap();
        if at > self.end && (follows(self.end) || follows(self.last)) {
            self.end = at;
        }
        self.last = self.last.max(at);
    }
}

/// All open incidents.
#[derive(Debug)]
pub(super) struct Incidents {
    open: Vec<Option<Open>>,
    count: usize,
    cap: usize,
    ids: u64,
    pub(super) tick: i64,
    /// Not opened because there were too many.
    pub(super) refused: u64,
}

impl Incidents {
    pub(super) fn new(cap: usize) -> Self {
        Self { open: Vec::new(), count: 0, cap, ids: 0, tick: i64::MAX, refused: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    pub(super) const fn next_tick(&self) -> i64 {
        if self.count == 0 { i64::MAX } else { self.tick }
    }

    pub(super) fn get(&self, incident: u32) -> Option<&Open> {
        self.open.get(incident as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, incident: u32) -> Option<&mut Open> {
        self.open.get_mut(incident as usize)?.as_mut()
    }

    pub(super) fn is_open(&self, incident: u32) -> bool {
        self.get(incident).is_some()
    }

    /// An attack that was still on at `now`, as far as verdicts reach.
    pub(super) fn is_on(&self, incident: u32, now: i64) -> bool {
        self.get(incident).is_some_and(|open| !open.is_trouble() && now.saturating_sub(open.end) < STILL_ON.0)
    }

    /// Open, and no ordinary trouble.
    pub(super) fn is_attack(&self, incident: u32) -> bool {
        self.get(incident).is_some_and(|open| !open.is_trouble())
    }

    /// Places with an incident that is an attack.
    pub(super) fn attacked(&self) -> Vec<u32> {
        let place = |open: &Open| match open.subject {
            Subject::Place(at, rule) if !rule.is_trouble() => Some(at),
            Subject::Place(..) | Subject::Scanner(_) => None,
        };
        self.open.iter().flatten().filter_map(place).collect()
    }

    pub(super) fn rule_of(&self, incident: u32) -> Option<Rule> {
        match self.get(incident)?.subject {
            Subject::Place(_, rule) => Some(rule),
            Subject::Scanner(_) => None,
        }
    }

    /// A bad SYN where an incident is open.
    pub(super) fn note(&mut self, incident: u32, rule: Rule, at: i64, frame: u32) {
        // An answer without its SYN may be a repetition, seconds late: it tells of no other rule's attack.
        let told_of = |open: &Open| match open.subject {
            Subject::Place(_, Rule::Orphaned) => true,
            Subject::Place(..) | Subject::Scanner(_) => rule != Rule::Orphaned,
        };
        if let Some(open) = self.get_mut(incident)
            && open.is_trouble() == rule.is_trouble()
            && told_of(open)
        {
            open.note(at, frame);
        }
    }

    pub(super) fn all(&self) -> Vec<u32> {
        (0..self.open.len() as u32).filter(|&incident| self.is_open(incident)).collect()
    }

    /// The next number.
    pub(super) const fn number(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(super) fn put(&mut self, mut open: Open) -> Option<u32> {
        if self.count >= self.cap {
            self.refused += 1;
            return None;
        }
        if open.id == 0 {
            open.id = self.number();
        }
        self.tick = if self.count == 0 { open.flagged.saturating_add(TICK.0) } else { self.tick };
        self.count += 1;
        let slot = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if slot == self.open.len() {
            self.open.push(None);
        }
        self.open[slot] = Some(open);
        Some(slot as u32)
    }

    pub(super) fn take(&mut self, incident: u32) -> Option<Open> {
        let open = self.open.get_mut(incident as usize)?.take()?;
        self.count -= 1;
        Some(open)
    }
}
