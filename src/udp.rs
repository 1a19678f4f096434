//! One UDP conversation: datagrams, requests and their answers (RFC 768 knows neither; people do).
//!
//! An answer goes to the oldest unanswered request of the other side within five seconds. Datagrams keep their
//! boundaries and are never joined.

use arrayvec::ArrayVec;

use crate::packet::ChecksumState;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::packet::UdpHeader;

/// Requests waiting for their answer; when more wait, the oldest counts as unanswered.
pub const MAX_WAITING: usize = 16;
/// An answer that takes longer belongs to nobody.
pub const ANSWER_WITHIN: Span = Span::from_secs(5);

/// A packet by number and time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sent {
    /// Frame number in the capture.
    pub frame: u64,
    /// When it passed.
    pub at: Timestamp,
}

/// What one datagram did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// First datagram of the conversation: a request until shown otherwise.
    Request,
    /// Answers a request.
    Answer {
        /// Which.
        to: Sent,
        /// Time since then.
        latency: Span,
    },
    /// From the answering side, and nothing was asked.
    Unsolicited,
    /// ICMP says that nobody listens on the port.
    PortClosed {
        /// The request it answers.
        to: Option<Sent>,
    },
}

/// Everything between one pair of UDP endpoints. `a` sent the first datagram.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// First datagram.
    pub first: Sent,
    /// Latest datagram.
    pub last: Sent,
    /// Datagrams by side, `a` first.
    pub packets: [u64; 2],
    /// Payload octets by side.
    pub bytes: [u64; 2],
    /// Requests that were answered.
    pub pairs: u64,
    /// Requests that were not, those still waiting excluded.
    pub expired: u64,
    /// Answers to nothing.
    pub unsolicited: u64,
    /// "Port unreachable" that came back.
    pub port_closed: u64,
    /// Datagrams with a bad checksum.
    pub bad_checksums: u64,
    /// Datagrams that carried a tunnel.
    pub tunnelled: u64,
    /// Shortest, longest and all latencies together.
    pub latency: Latency,
    waiting: ArrayVec<Sent, MAX_WAITING>,
}

/// Times from request to answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Latency {
    /// Shortest.
    pub min: Option<Span>,
    /// Longest.
    pub max: Span,
    /// Their sum.
    pub total: Span,
}

impl Exchange {
    /// A conversation whose first datagram is about to be observed.
    pub fn new(first: Sent) -> Self {
        Self {
            first,
            last: first,
            packets: [0; 2],
            bytes: [0; 2],
            pairs: 0,
            expired: 0,
            unsolicited: 0,
            port_closed: 0,
            bad_checksums: 0,
            tunnelled: 0,
            latency: Latency::default(),
            waiting: ArrayVec::new(),
        }
    }

    /// Requests that never got an answer, those still waiting included.
    pub fn unanswered(&self) -> u64 {
        self.expired + self.waiting.len() as u64
    }

    /// Mean latency.
    pub fn mean_latency(&self) -> Option<Span> {
        (self.pairs > 0).then(|| Span(self.latency.total.0 / self.pairs as i64))
    }

    /// Feeds one datagram; `by_a` tells who sent it.
    pub fn observe(&mut self, sent: Sent, by_a: bool, udp: &UdpHeader<'_>) -> Event {
        self.last = sent;
        let side = usize::from(!by_a);
        self.packets[side] += 1;
        self.bytes[side] += u64::from(udp.len);
        if let ChecksumState::Bad { .. } = udp.checksum {
            self.bad_checksums += 1;
        }
        if by_a {
            self.ask(sent);
            return Event::Request;
        }
        self.forget_late(sent.at);
        let Some(to) = self.waiting.pop_at(0) else {
            self.unsolicited += 1;
            return Event::Unsolicited;
        };
        let latency = sent.at.since(to.at);
        self.pairs += 1;
        self.latency.min = Some(self.latency.min.map_or(latency, |min| min.min(latency)));
        self.latency.max = self.latency.max.max(latency);
        self.latency.total = Span(self.latency.total.0.saturating_add(latency.0));
        Event::Answer { to, latency }
    }

    /// Counts a datagram that carries a tunnel: neither question nor answer.
    pub fn carries(&mut self, sent: Sent, by_a: bool) {
        self.last = sent;
        self.packets[usize::from(!by_a)] += 1;
        self.tunnelled += 1;
    }

    /// An ICMP "port unreachable" quoted a datagram that `a` sent.
    pub fn port_closed(&mut self, sent: Sent) -> Event {
        self.last = sent;
        self.port_closed += 1;
        Event::PortClosed { to: self.waiting.pop_at(0) }
    }

    fn ask(&mut self, sent: Sent) {
        if self.waiting.is_full() {
            self.waiting.remove(0);
            self.expired += 1;
        }
        self.waiting.push(sent);
    }

    fn forget_late(&mut self, at: Timestamp) {
        let late = self.waiting.iter().take_while(|sent| at.since(sent.at) > ANSWER_WITHIN).count();
        self.waiting.drain(..late);
        self.expired += late as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram() -> UdpHeader<'static> {
        UdpHeader {
            src_port: 40_000,
            dst_port: 5_656,
            length_field: 12,
            checksum_field: 0,
            checksum: ChecksumState::Absent,
            len: 4,
            payload: b"1234",
        }
    }

    fn sent(frame: u64, millis: i64) -> Sent {
        Sent { frame, at: Timestamp::EPOCH.plus(Span::from_millis(millis)) }
    }

    #[test]
    fn an_answer_goes_to_the_oldest_request_that_waits() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &datagram());
        exchange.observe(sent(2, 10), true, &datagram());
        let event = exchange.observe(sent(3, 25), false, &datagram());
        assert_eq!(event, Event::Answer { to: sent(1, 0), latency: Span::from_millis(25) });
        assert_eq!((exchange.pairs, exchange.unanswered()), (1, 1));
    }

    #[test]
    fn an_answer_after_five_seconds_answers_nobody() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &datagram());
        assert_eq!(exchange.observe(sent(2, 5_001), false, &datagram()), Event::Unsolicited);
        assert_eq!((exchange.pairs, exchange.unanswered(), exchange.unsolicited), (0, 1, 1));
    }

    #[test]
    fn an_answer_after_exactly_five_seconds_still_counts() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &datagram());
        assert!(matches!(exchange.observe(sent(2, 5_000), false, &datagram()), Event::Answer { .. }));
    }

    #[test]
    fn port_unreachable_is_the_answer_to_a_request() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &datagram());
        assert_eq!(exchange.port_closed(sent(2, 1)), Event::PortClosed { to: Some(sent(1, 0)) });
        assert_eq!(exchange.unanswered(), 0);
    }

    #[test]
    fn waiting_requests_are_limited_and_the_oldest_counts_as_unanswered() {
        let mut exchange = Exchange::new(sent(0, 0));
        for n in 0..=MAX_WAITING as u64 {
            exchange.observe(sent(n, 0), true, &datagram());
        }
        assert_eq!(exchange.expired, 1);
        assert_eq!(exchange.unanswered(), MAX_WAITING as u64 + 1);
    }
}
