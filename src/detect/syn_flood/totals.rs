//! Sums over everything that was called: what there is to say where nothing is wrong.

use crate::flow::doorway::Outcome;

/// Counters of one run. Fixed size, and nothing is decided by them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// SYNs that began an attempt or repeated one.
    pub syns: u64,
    /// Attempts by outcome, verdicts that were taken back left out.
    pub outcomes: [u64; Outcome::COUNT],
    /// SYN,ACKs of the last 63 s without acknowledgment.
    pub half_open: u64,
    /// Most of them at one port at once.
    pub half_open_peak: u32,
    /// Most attempts without a good explanation at one port, beyond what is ordinary: what the limit is held against.
    pub unexplained_peak: f32,
    /// Incidents by class as they ended, in the order of [`Class::ALL`](super::Class::ALL).
    pub incidents: [u64; super::Class::ALL.len()],
}

impl Totals {
    /// Attempts whose outcome is known.
    pub fn attempts(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Attempts of one outcome.
    pub const fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome.index()]
    }

    pub(super) const fn count(&mut self, outcome: Outcome) {
        self.outcomes[outcome.index()] += 1;
    }

    pub(super) const fn take_back(&mut self, outcome: Outcome) {
        let count = &mut self.outcomes[outcome.index()];
        *count = count.saturating_sub(1);
    }

    /// A SYN,ACK went out; so many now wait at its port.
    pub(super) const fn opens(&mut self, at_its_port: u32) {
        self.half_open += 1;
        if at_its_port > self.half_open_peak {
            self.half_open_peak = at_its_port;
        }
    }

    pub(super) const fn closes(&mut self) {
        self.half_open = self.half_open.saturating_sub(1);
    }
}
