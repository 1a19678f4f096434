//! Traffic made to order, and what the detector says of it.
//!
//! [`Traffic`] gathers what `craft::traffic` makes from a seed; nothing here comes from a file.

mod benign;
mod bounds;
mod floods;
mod properties;
mod surges;
mod work;

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::net::Ipv4Addr;

use foldhash::quality::FixedState;

use crate::craft::traffic::Act;
use crate::craft::traffic::Dial;
use crate::craft::traffic::Does;
use crate::craft::traffic::Look;
use crate::craft::traffic::MSS_OPTION;
use crate::craft::traffic::Manner;
use crate::craft::traffic::Random;
use crate::craft::traffic::Scene;
use crate::craft::traffic::Segment as Seg;
use crate::craft::traffic::Sources;
use crate::craft::traffic::Targets;
use crate::craft::traffic::World;
use crate::detect::syn_flood::Incident;
use crate::detect::syn_flood::Phase;
use crate::detect::syn_flood::Segment;
use crate::detect::syn_flood::SynFlood;
use crate::packet::ChecksumState;
use crate::packet::Endpoint;
use crate::packet::IpHeader;
use crate::packet::OptionSummary;
use crate::packet::Protocol;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::Tuple;

const SYN: TcpFlags = TcpFlags::SYN;
const SYN_ACK: TcpFlags = TcpFlags::SYN.with(TcpFlags::ACK);
const ACK: TcpFlags = TcpFlags::ACK;
const RST: TcpFlags = TcpFlags::RST;

/// Segments from a seed, made by [`craft::traffic`](crate::craft::traffic).
#[derive(Clone, Debug)]
struct Traffic {
    segments: Vec<Seg>,
    random: Random,
}

const SERVER: (u32, u16) = (0x0a4d_010a, 80);

impl Traffic {
    fn new(seed: u64) -> Self {
        Self { segments: Vec::new(), random: Random::new(seed) }
    }

    fn random(&mut self) -> u64 {
        self.random.bits()
    }

    fn below(&mut self, n: u64) -> u64 {
        self.random.below(n)
    }

    fn unit(&mut self) -> f64 {
        self.random.unit()
    }

    /// Times of about `rate` events per second.
    fn times(&mut self, from: f64, to: f64, rate: f64) -> Vec<f64> {
        let mut at = from;
        let mut times = Vec::new();
        while at < to {
            times.push(at);
            at += self.random.pause(rate);
        }
        times
    }

    fn push(&mut self, at: f64, from: (u32, u16), to: (u32, u16), flags: TcpFlags, seq: u32, ack: u32) {
        let options = if flags.has(SYN) { MSS_OPTION } else { &[] };
        let (src, dst, ttl) = (endpoint(from), endpoint(to), 50 + (from.0 % 13) as u8);
        self.segments.push(Seg { at, src, dst, flags, seq, ack, len: 0, ttl, window: 64_240, options });
    }

    /// A client somewhere in 198.18.0.0/15.
    fn client(&mut self) -> (u32, u16) {
        (0xc612_0000 + self.below(3_000) as u32 * 37, 1_024 + self.below(60_000) as u16)
    }

    /// Any address at all.
    fn forged(&mut self) -> (u32, u16) {
        (self.random() as u32, 1_024 + self.below(60_000) as u16)
    }

    fn act(&mut self, does: Does, act: Act) -> &mut Self {
        let scene = Scene::new(self.random(), everywhere(does)).with(act);
        self.segments.extend(scene.play());
        self
    }

    fn dial(&mut self, does: Does, at: f64, client: (u32, u16), server: (u32, u16), manner: Manner, rtt: f64) {
        let dial = Dial { client: endpoint(client), server: endpoint(server), manner, look: Look::System, rtt };
        let scene = Scene::new(self.random(), everywhere(does)).with_dial(at, dial);
        self.segments.extend(scene.play());
    }

    /// Handshakes that complete within a quarter of a second, with a request.
    fn crowd(&mut self, from: f64, to: f64, rate: f64) -> &mut Self {
        self.act(SERVES, Act { from, to, rate, ..CLIENTS })
    }

    fn handshake(&mut self, at: f64, client: (u32, u16), server: (u32, u16), rtt: f64) {
        self.dial(SERVES, at, client, server, Manner::Honest { again: 0 }, rtt);
    }

    /// SYNs that the server answers, three times, and nobody acknowledges.
    fn half_open(&mut self, at: f64, client: (u32, u16), server: (u32, u16)) {
        self.dial(SERVES, at, client, server, Manner::Silent, 0.1);
    }

    /// Forged sources.
    fn spoofed(&mut self, from: f64, to: f64, rate: f64) -> &mut Self {
        self.act(SERVES, Act { from, to, rate, sources: Sources::World, manner: Manner::Silent, ..CLIENTS })
    }

    /// Live clients that nobody answers: the SYN again and again.
    fn unanswered(&mut self, from: f64, to: f64, rate: f64) -> &mut Self {
        self.act(Does::Nothing, Act { from, to, rate, ..CLIENTS })
    }

    fn refused(&mut self, at: f64, client: (u32, u16), server: (u32, u16)) {
        self.dial(Does::Refuses, at, client, server, Manner::Honest { again: 0 }, 0.1);
    }

    /// Keeps what `keep` likes.
    fn only(mut self, keep: impl Fn(&Seg) -> bool) -> Self {
        self.segments.retain(keep);
        self
    }

    /// Loses a share of the packets.
    fn losing(mut self, share: f64) -> Self {
        let mut kept = std::mem::take(&mut self.segments);
        kept.sort_by(|a, b| a.at.total_cmp(&b.at));
        kept.retain(|_| self.unit() >= share);
        self.segments = kept;
        self
    }

    /// Everything that the detector tells, in order.
    fn told_by(&self, detector: &mut SynFlood) -> Vec<Incident> {
        let mut order: Vec<&Seg> = self.segments.iter().collect();
        order.sort_by(|a, b| a.at.total_cmp(&b.at));
        let mut told = Vec::new();
        for (frame, segment) in order.into_iter().enumerate() {
            feed(detector, segment, frame as u64 + 1, &mut |incident| told.push(incident));
        }
        detector.finish(&mut |incident| told.push(incident));
        told
    }

    /// The incidents as they end.
    fn incidents(&self) -> Vec<Incident> {
        let mut ended = self.told_by(&mut SynFlood::default());
        ended.retain(|incident| incident.phase == Phase::End && incident.merged_into.is_none());
        ended
    }

    /// Codes and victims, sorted.
    fn codes(&self) -> Vec<String> {
        let mut codes: Vec<String> =
            self.incidents().iter().map(|i| format!("{} {} {}", i.code(), i.kind.name(), i.victim)).collect();
        codes.sort();
        codes
    }
}

fn stamp(at: f64) -> Timestamp {
    Timestamp::from_parts(1_700_000_000, (at * 1e9) as i64)
}

fn seconds(at: Timestamp) -> f64 {
    at.since(Timestamp::from_parts(1_700_000_000, 0)).as_secs_f64()
}

const fn endpoint((addr, port): (u32, u16)) -> Endpoint {
    Endpoint { addr: IpAddr::V4(Ipv4Addr::from_bits(addr)), port }
}

/// The IPv4 address as a number.
fn bits(addr: IpAddr) -> u32 {
    match addr {
        IpAddr::V4(addr) => addr.to_bits(),
        IpAddr::V6(addr) => addr.to_bits() as u32,
    }
}

fn everywhere(does: Does) -> World {
    World::new().with(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0, None, does)
}

/// Listens with room for everybody, and answers three times.
const SERVES: Does = Does::Serves { backlog: None, cookies: true, resends: 2 };

/// Three thousand clients of one server.
const CLIENTS: Act = Act {
    from: 0.0,
    to: 0.0,
    rate: 0.0,
    pulse: None,
    sources: Sources::Clients(3_000),
    targets: Targets::Port(endpoint(SERVER)),
    manner: Manner::Honest { again: 0 },
    look: Look::System,
};

fn feed(detector: &mut SynFlood, segment: &Seg, frame: u64, tell: &mut dyn FnMut(Incident)) {
    let Seg { src, dst, options, .. } = *segment;
    let (tuple, dir) = Tuple::of(Protocol::Tcp, src, dst);
    let ip = IpHeader {
        version: 4,
        src: src.addr,
        dst: dst.addr,
        ttl: segment.ttl,
        traffic_class: 0,
        id: None,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len: 20 + options.len() as u32 + u32::from(segment.len),
        protocol: 6,
        checksum: ChecksumState::Good,
    };
    let tcp = TcpHeader {
        src_port: src.port,
        dst_port: dst.port,
        seq: SeqNumber(segment.seq),
        ack: SeqNumber(segment.ack),
        header_len: 20 + options.len() as u8,
        flags: segment.flags,
        window: segment.window,
        checksum_field: 0,
        checksum: ChecksumState::Good,
        urgent: 0,
        options,
        said: OptionSummary::default(),
        len: segment.len.into(),
        payload: &[],
        sound: true,
    };
    let at = stamp(segment.at);
    let key = FixedState::default().hash_one(tuple).max(1);
    detector.on_segment(&Segment { at, frame, ip: &ip, tcp: &tcp, key, dir, settled: false }, tell);
}

/// A second, as trace time has it.
const SECOND: i64 = Span::from_secs(1).0;
