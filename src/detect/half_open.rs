//! Counts openings per server while they happen: how many wait, how many complete.
//!
//! A first counter, by what became of each opening rather than by SYNs: busy honest clients complete what they open
//! (RFC 4987 §2 describes the attack). Openings younger than a second are on their way and count for nothing yet. One
//! alarm per server and episode; it ends when half of the limit is left.

use std::collections::HashMap;
use std::collections::VecDeque;

use foldhash::quality::RandomState;

use crate::detect::Say;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::EndedConnection;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::tcp::Event;
use crate::tcp::Mark;
use crate::tcp::Outcome;

/// Half-open connections from which a server is worth an alarm: half of the classic backlog of 128.
pub const LIMIT: u32 = 64;
/// Alarm only where fewer than one opening in two completes, within this sliding window of trace time.
pub const WINDOW: Span = Span::from_secs(10);
/// An opening that takes longer has waited for its first SYN,ACK retry (RFC 6298 §2.1: one second).
const RIPE: Span = Span::from_secs(1);
/// Parts into which the last [`RIPE`] is divided.
const PARTS: usize = 4;
/// Servers watched at once; beyond, the one first seen is forgotten.
pub const MAX_SERVERS: usize = 4_096;

/// Half-open connections per server.
#[derive(Debug, Default)]
pub struct HalfOpenCounter {
    servers: HashMap<Endpoint, Server, RandomState>,
    order: VecDeque<Endpoint>,
    forgotten: u64,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    half_open: u32,
    window_start: Timestamp,
    current: Counts,
    previous: Counts,
    alarmed: bool,
    /// Openings of the last second, youngest part first, and when that part began.
    young: [u32; PARTS],
    part_start: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    opened: u32,
    completed: u32,
}

impl HalfOpenCounter {
    /// Servers forgotten because too many were watched.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// One segment did `events` on a connection to `server`.
    pub fn on_tcp(&mut self, mark: Mark, stream: u64, server: Endpoint, events: &[Event], say: Say<'_>) {
        for event in events {
            match event {
                Event::Syn { retry: 0 } => {
                    if let Some(finding) = self.opens(mark, stream, server) {
                        say(finding);
                    }
                }
                Event::SynAck { .. } => {
                    if let Some(finding) = self.still_waits(mark, stream, server) {
                        say(finding);
                    }
                }
                Event::Established { outcome, .. } if outcome.is_open() => self.settles(mark.at, server, true),
                Event::Refused { .. } => self.settles(mark.at, server, false),
                _ => {}
            }
        }
    }

    /// A connection left the table; one that never opened waits no longer.
    pub fn on_end(&mut self, ended: &EndedConnection<'_>) {
        let waited = matches!(ended.connection.outcome(), Outcome::NoAnswer | Outcome::HalfOpen);
        if waited && ended.connection.handshake.syn.is_some() {
            self.settles(ended.connection.last.at, ended.server, false);
        }
    }

    fn opens(&mut self, mark: Mark, stream: u64, endpoint: Endpoint) -> Option<Finding> {
        self.make_room(endpoint);
        let server = self.servers.entry(endpoint).or_insert_with(|| {
            self.order.push_back(endpoint);
            Server {
                half_open: 0,
                window_start: mark.at,
                current: Counts::default(),
                previous: Counts::default(),
                alarmed: false,
                young: [0; PARTS],
                part_start: mark.at,
            }
        });
        server.turn(mark.at);
        server.half_open = server.half_open.saturating_add(1);
        server.current.opened = server.current.opened.saturating_add(1);
        server.young[0] = server.young[0].saturating_add(1);
        self.still_waits(mark, stream, endpoint)
    }

    fn still_waits(&mut self, mark: Mark, stream: u64, endpoint: Endpoint) -> Option<Finding> {
        let server = self.servers.get_mut(&endpoint)?;
        server.turn(mark.at);
        let ripe = server.half_open.saturating_sub(server.young.iter().sum());
        let (opened, completed) = server.counts();
        if server.alarmed || ripe < LIMIT || u64::from(completed) * 2 >= u64::from(opened) {
            return None;
        }
        server.alarmed = true;
        Some(alarm(mark, stream, endpoint, ripe, opened, completed))
    }

    fn settles(&mut self, at: Timestamp, endpoint: Endpoint, completed: bool) {
        let Some(server) = self.servers.get_mut(&endpoint) else { return };
        server.turn(at);
        server.half_open = server.half_open.saturating_sub(1);
        server.current.completed = server.current.completed.saturating_add(u32::from(completed));
        server.alarmed &= server.half_open >= LIMIT / 2;
    }

    fn make_room(&mut self, newcomer: Endpoint) {
        if self.servers.len() < MAX_SERVERS || self.servers.contains_key(&newcomer) {
            return;
        }
        if let Some(oldest) = self.order.pop_front() {
            self.servers.remove(&oldest);
            self.forgotten += 1;
        }
    }
}

impl Server {
    /// Two half windows slide: the older one falls out when the younger is full.
    fn turn(&mut self, at: Timestamp) {
        let parts = at.since(self.part_start).0 / (RIPE.0 / PARTS as i64);
        if parts > 0 {
            let shift = (parts as usize).min(PARTS);
            self.young.rotate_right(shift);
            self.young[..shift].fill(0);
            self.part_start = at;
        }
        let age = at.since(self.window_start);
        if age > WINDOW {
            self.previous = Counts::default();
            self.current = Counts::default();
            self.window_start = at;
        } else if age > Span(WINDOW.0 / 2) {
            self.previous = std::mem::take(&mut self.current);
            self.window_start = at;
        }
    }

    fn counts(&self) -> (u32, u32) {
        (
            self.current.opened.saturating_add(self.previous.opened),
            self.current.completed.saturating_add(self.previous.completed),
        )
    }
}

fn alarm(mark: Mark, stream: u64, server: Endpoint, half_open: u32, opened: u32, completed: u32) -> Finding {
    let text = format!(
        "{server} has {half_open} connections that are half-open for a second or more (limit {LIMIT}); of {opened} opened lately {completed} completed. \
         A SYN flood, or an overloaded server, or a capture that lacks the clients' acknowledgments"
    );
    Finding {
        code: Code::HalfOpenHigh,
        severity: Code::HalfOpenHigh.severity(),
        at: mark.at,
        streams: vec![stream],
        frames: vec![mark.frame],
        text,
        evidence: vec![
            ("victim", Value::Text(server.to_string())),
            ("half_open", half_open.into()),
            ("limit", LIMIT.into()),
            ("opened", opened.into()),
            ("completed", completed.into()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Endpoint {
        Endpoint { addr: "192.0.2.1".parse().expect("an address"), port: 80 }
    }

    fn mark(n: u64) -> Mark {
        Mark { frame: n, at: Timestamp::EPOCH.plus(Span::from_millis(n as i64)) }
    }

    fn opened(counter: &mut HalfOpenCounter, n: u64) -> Vec<Finding> {
        let mut said = Vec::new();
        counter.on_tcp(mark(n), n, server(), &[Event::Syn { retry: 0 }], &mut |finding| said.push(finding));
        said
    }

    fn completed(counter: &mut HalfOpenCounter, n: u64) {
        let event = Event::Established { outcome: Outcome::Established, client_side: None, rtt: None };
        counter.on_tcp(mark(n), n, server(), &[event], &mut |finding| panic!("{}", finding.text));
    }

    #[test]
    fn sixty_four_openings_that_nobody_completes_raise_one_alarm() {
        let mut counter = HalfOpenCounter::default();
        let said: Vec<Finding> = (1..=2_000).flat_map(|n| opened(&mut counter, n)).collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].text.starts_with("192.0.2.1:80 has"), "{}", said[0].text);
    }

    #[test]
    fn openings_younger_than_a_second_raise_none() {
        let mut counter = HalfOpenCounter::default();
        for n in 1..=900 {
            assert!(opened(&mut counter, n).is_empty(), "opening {n}, all within a second");
        }
    }

    #[test]
    fn a_crowd_that_completes_raises_none() {
        let mut counter = HalfOpenCounter::default();
        for n in 1..=5_000 {
            assert!(opened(&mut counter, n).is_empty());
            completed(&mut counter, n);
        }
    }

    #[test]
    fn slow_clients_of_a_busy_server_raise_none_while_half_of_them_complete() {
        let mut counter = HalfOpenCounter::default();
        for n in 1..=300 {
            assert!(opened(&mut counter, n).is_empty(), "opening {n}");
            if n % 3 != 0 {
                completed(&mut counter, n);
            }
        }
    }

    #[test]
    fn servers_watched_are_limited_in_number() {
        let mut counter = HalfOpenCounter::default();
        for n in 0..MAX_SERVERS as u64 + 10 {
            let endpoint = Endpoint { addr: std::net::Ipv4Addr::from_bits(n as u32).into(), port: 80 };
            counter.on_tcp(mark(n), n, endpoint, &[Event::Syn { retry: 0 }], &mut |_| {});
        }
        assert_eq!(counter.servers.len(), MAX_SERVERS);
        assert_eq!(counter.forgotten(), 10);
    }
}
