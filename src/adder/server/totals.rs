//! Counts what a server does, from any of its threads.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// What a server has done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// TCP clients served.
    pub clients: u64,
    /// TCP clients turned away because too many were being served.
    pub refused: u64,
    /// TCP clients closed because they were silent, or took no answers, for too long.
    pub idle: u64,
    /// Sums answered over TCP.
    pub tcp_sums: u64,
    /// Sums answered over UDP.
    pub udp_sums: u64,
    /// Errors answered, over either.
    pub errors: u64,
    /// Datagrams that got no answer: they were answers themselves, or sending failed.
    pub unanswered: u64,
}

/// One line: `3 clients (0 refused, 1 idle), sums 15 tcp 10 udp, 1 error, 0 datagrams unanswered`.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        write!(f, "{} client{} ({} refused, {} idle), ", self.clients, plural(self.clients), self.refused, self.idle)?;
        write!(f, "sums {} tcp {} udp, ", self.tcp_sums, self.udp_sums)?;
        write!(f, "{} error{}, ", self.errors, plural(self.errors))?;
        write!(f, "{} datagram{} unanswered", self.unanswered, plural(self.unanswered))
    }
}

/// The counters behind [`Totals`].
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) clients: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) idle: AtomicU64,
    pub(super) tcp_sums: AtomicU64,
    pub(super) udp_sums: AtomicU64,
    pub(super) errors: AtomicU64,
    pub(super) unanswered: AtomicU64,
}

impl Tally {
    pub(super) fn totals(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            clients: read(&self.clients),
            refused: read(&self.refused),
            idle: read(&self.idle),
            tcp_sums: read(&self.tcp_sums),
            udp_sums: read(&self.udp_sums),
            errors: read(&self.errors),
            unanswered: read(&self.unanswered),
        }
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_one_line_in_words() {
        let totals = Totals { clients: 3, idle: 1, tcp_sums: 15, udp_sums: 10, errors: 1, ..Totals::default() };
        let line = "3 clients (0 refused, 1 idle), sums 15 tcp 10 udp, 1 error, 0 datagrams unanswered";
        assert_eq!(totals.to_string(), line);
    }
}
