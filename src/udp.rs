//! One UDP conversation: datagrams, requests and their answers (RFC 768 knows neither; people do).
//!
//! An answer goes to the oldest unanswered request of the other side within five seconds. Datagrams keep their
//! boundaries and are never joined.

mod watch;

use arrayvec::ArrayVec;

use crate::packet::ChecksumState;
use crate::packet::IpHeader;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::packet::UdpHeader;
use crate::udp::watch::Sample;
use crate::udp::watch::Watch;

pub use crate::udp::watch::COPY_WITHIN;
pub use crate::udp::watch::MAX_LATENCIES;
pub use crate::udp::watch::MAX_RECENT;

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
    /// Datagrams that came twice within [`COPY_WITHIN`]: same IP id, same octets. The first of them by frame.
    pub copies: Tally,
    /// Datagrams whose IP id lies behind that of an earlier one, where ids count.
    pub overtaken: Tally,
    /// Datagrams without a checksum: allowed over IPv4 (RFC 768), not over IPv6 (RFC 8200 §8.1).
    pub without_checksum: u64,
    /// Datagrams whose length field is not what IP carries.
    pub wrong_lengths: Tally,
    /// Octets that readers take at most with one read, where that was asked about.
    pub read_size: Option<u32>,
    /// Datagrams that such a read would cut.
    pub cut: Tally,
    /// Octets lost by it.
    pub cut_octets: u64,
    /// Largest payload of one datagram.
    pub largest: u32,
    /// What was noticed about the latest datagram.
    pub latest: Latest,
    /// Shortest, longest and all latencies together.
    pub latency: Latency,
    watched: Box<Watched>,
    waiting: ArrayVec<Sent, MAX_WAITING>,
}

/// How often something happened, and in which frame first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Times.
    pub count: u64,
    /// First frame.
    pub first: Option<u64>,
}

impl Tally {
    fn add(&mut self, frame: u64) {
        self.count += 1;
        self.first.get_or_insert(frame);
    }
}

/// What was noticed about one datagram, beside its part in the conversation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Latest {
    /// It is a copy of an earlier one.
    pub copy: bool,
    /// An earlier id comes after a later one.
    pub overtaken: bool,
    /// Octets that a read of the size asked about would lose.
    pub cut: u32,
}

/// Memories of a fixed size, in one piece that is made with the conversation.
#[derive(Clone, Debug, Default)]
struct Watched {
    sides: [Watch; 2],
    latencies: Sample,
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
            copies: Tally::default(),
            overtaken: Tally::default(),
            without_checksum: 0,
            wrong_lengths: Tally::default(),
            read_size: None,
            cut: Tally::default(),
            cut_octets: 0,
            largest: 0,
            latest: Latest::default(),
            latency: Latency::default(),
            watched: Box::default(),
            waiting: ArrayVec::new(),
        }
    }

    /// The same, asking what reads of `size` octets would lose.
    #[must_use]
    pub fn reading(mut self, size: Option<u32>) -> Self {
        self.read_size = size;
        self
    }

    /// The middle latency, and whether it is that of all answers or of an even sample ([`MAX_LATENCIES`]).
    pub fn median_latency(&self) -> Option<(Span, bool)> {
        self.watched.latencies.median()
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
    pub fn observe(&mut self, sent: Sent, by_a: bool, ip: &IpHeader, udp: &UdpHeader<'_>) -> Event {
        self.last = sent;
        let side = usize::from(!by_a);
        self.packets[side] += 1;
        self.bytes[side] += u64::from(udp.len);
        if let ChecksumState::Bad { .. } = udp.checksum {
            self.bad_checksums += 1;
        }
        self.notice(sent, side, ip, udp);
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
        self.watched.latencies.add(latency);
        Event::Answer { to, latency }
    }

    fn notice(&mut self, sent: Sent, side: usize, ip: &IpHeader, udp: &UdpHeader<'_>) {
        self.latest = Latest::default();
        self.largest = self.largest.max(udp.len);
        if matches!(udp.checksum, ChecksumState::Absent | ChecksumState::Illegal) {
            self.without_checksum += 1;
        }
        // RFC 768: header and data. Over IPv6 0 stands for a jumbogram (RFC 2675 §4), over 65535 octets.
        if u32::from(udp.length_field) != ip.payload_len && ip.payload_len <= u32::from(u16::MAX) {
            self.wrong_lengths.add(sent.frame);
        }
        if let Some(cut) = self.read_size.and_then(|size| udp.len.checked_sub(size)).filter(|&cut| cut > 0) {
            self.cut.add(sent.frame);
            self.cut_octets += u64::from(cut);
            self.latest.cut = cut;
        }
        if ip.version == 4 {
            let noticed = self.watched.sides[side].notice(sent.at, ip, udp);
            if noticed.copy {
                self.copies.add(sent.frame);
            }
            if noticed.overtaken {
                self.overtaken.add(sent.frame);
            }
            (self.latest.copy, self.latest.overtaken) = (noticed.copy, noticed.overtaken);
        }
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

    /// IPv4 around it.
    fn ip(id: u32) -> IpHeader {
        let addr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
        IpHeader {
            version: 4,
            src: addr,
            dst: addr,
            ttl: 64,
            traffic_class: 0,
            id: Some(id),
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            header_len: 20,
            payload_len: 12,
            protocol: 17,
            checksum: ChecksumState::Good,
        }
    }

    /// A conversation in which A sends datagrams with these ids, a millisecond apart.
    fn with_ids(ids: &[u32]) -> Exchange {
        let mut exchange = Exchange::new(sent(1, 0));
        for (at, &id) in ids.iter().enumerate() {
            exchange.observe(sent(at as u64 + 1, at as i64), true, &ip(id), &datagram());
        }
        exchange
    }

    #[test]
    fn the_same_id_and_octets_within_a_second_came_twice() {
        assert_eq!(with_ids(&[7, 8, 7]).copies, Tally { count: 1, first: Some(3) });
        assert_eq!(with_ids(&[7, 8, 9]).copies.count, 0, "the same words, asked three times");
        assert_eq!(with_ids(&[0, 0, 0]).copies.count, 0, "an id of 0 tells nothing apart");
        let mut late = Exchange::new(sent(1, 0));
        late.observe(sent(1, 0), true, &ip(7), &datagram());
        late.observe(sent(2, 1_001), true, &ip(7), &datagram());
        assert_eq!(late.copies.count, 0, "later than a second");
    }

    #[test]
    fn an_id_that_goes_back_was_overtaken_where_ids_count() {
        assert_eq!(with_ids(&[1, 2, 3, 4, 6, 5, 7]).overtaken, Tally { count: 1, first: Some(6) });
        assert_eq!(with_ids(&[1, 2, 3, 4, 5, 6, 7]).overtaken.count, 0);
        assert_eq!(with_ids(&[901, 17, 44_000, 43_990, 5]).overtaken.count, 0, "these do not count");
        assert_eq!(with_ids(&[65_533, 65_534, 65_535, 1, 2]).overtaken.count, 0, "they come round");
    }

    #[test]
    fn a_short_read_loses_what_is_beyond_it() {
        let mut exchange = Exchange::new(sent(1, 0)).reading(Some(3));
        exchange.observe(sent(1, 0), true, &ip(1), &datagram());
        assert_eq!((exchange.cut, exchange.cut_octets), (Tally { count: 1, first: Some(1) }, 1));
        let mut whole = Exchange::new(sent(1, 0)).reading(Some(4));
        whole.observe(sent(1, 0), true, &ip(1), &datagram());
        assert_eq!(whole.cut_octets, 0);
    }

    #[test]
    fn lengths_that_differ_from_ips_are_counted() {
        let mut exchange = with_ids(&[1]);
        assert_eq!(exchange.wrong_lengths.count, 0);
        exchange.observe(sent(2, 1), true, &IpHeader { payload_len: 14, ..ip(2) }, &datagram());
        assert_eq!(exchange.wrong_lengths, Tally { count: 1, first: Some(2) });
    }

    #[test]
    fn the_box_of_a_conversation_is_as_large_as_the_documentation_says() {
        assert_eq!(size_of::<Watched>(), 696);
    }

    fn sent(frame: u64, millis: i64) -> Sent {
        Sent { frame, at: Timestamp::EPOCH.plus(Span::from_millis(millis)) }
    }

    #[test]
    fn an_answer_goes_to_the_oldest_request_that_waits() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &ip(0), &datagram());
        exchange.observe(sent(2, 10), true, &ip(0), &datagram());
        let event = exchange.observe(sent(3, 25), false, &ip(0), &datagram());
        assert_eq!(event, Event::Answer { to: sent(1, 0), latency: Span::from_millis(25) });
        assert_eq!((exchange.pairs, exchange.unanswered()), (1, 1));
    }

    #[test]
    fn an_answer_after_five_seconds_answers_nobody() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &ip(0), &datagram());
        assert_eq!(exchange.observe(sent(2, 5_001), false, &ip(0), &datagram()), Event::Unsolicited);
        assert_eq!((exchange.pairs, exchange.unanswered(), exchange.unsolicited), (0, 1, 1));
    }

    #[test]
    fn an_answer_after_exactly_five_seconds_still_counts() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &ip(0), &datagram());
        assert!(matches!(exchange.observe(sent(2, 5_000), false, &ip(0), &datagram()), Event::Answer { .. }));
    }

    #[test]
    fn port_unreachable_is_the_answer_to_a_request() {
        let mut exchange = Exchange::new(sent(1, 0));
        exchange.observe(sent(1, 0), true, &ip(0), &datagram());
        assert_eq!(exchange.port_closed(sent(2, 1)), Event::PortClosed { to: Some(sent(1, 0)) });
        assert_eq!(exchange.unanswered(), 0);
    }

    #[test]
    fn waiting_requests_are_limited_and_the_oldest_counts_as_unanswered() {
        let mut exchange = Exchange::new(sent(0, 0));
        for n in 0..=MAX_WAITING as u64 {
            exchange.observe(sent(n, 0), true, &ip(0), &datagram());
        }
        assert_eq!(exchange.expired, 1);
        assert_eq!(exchange.unanswered(), MAX_WAITING as u64 + 1);
    }
}
