//! Traffic made to order, and what the detector says of it.
//!
//! [`Traffic`] draws floods, crowds and scans from a seed; nothing here comes from a file.

mod benign;
mod bounds;
mod floods;
mod properties;

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::net::Ipv4Addr;

use foldhash::quality::FixedState;

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
const RST_ACK: TcpFlags = TcpFlags::RST.with(TcpFlags::ACK);
const OPTIONS: &[u8] = &[2, 4, 5, 0xb4];

/// One segment, in seconds since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seg {
    at: f64,
    from: (u32, u16),
    to: (u32, u16),
    flags: TcpFlags,
    seq: u32,
    ack: u32,
    len: u32,
    bare: bool,
}

/// Segments from a seed.
#[derive(Clone, Debug)]
struct Traffic {
    segments: Vec<Seg>,
    random: u64,
}

const SERVER: (u32, u16) = (0x0a4d_010a, 80);

impl Traffic {
    fn new(seed: u64) -> Self {
        Self { segments: Vec::new(), random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// Xorshift: the same seed gives the same traffic everywhere.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.random() >> 11) % n
    }

    fn unit(&mut self) -> f64 {
        self.below(1 << 40) as f64 / (1_u64 << 40) as f64
    }

    /// Times of about `rate` events per second.
    fn times(&mut self, from: f64, to: f64, rate: f64) -> Vec<f64> {
        let mut at = from;
        let mut times = Vec::new();
        while at < to {
            times.push(at);
            at -= (1.0 - self.unit()).ln() / rate;
        }
        times
    }

    fn push(&mut self, at: f64, from: (u32, u16), to: (u32, u16), flags: TcpFlags, seq: u32, ack: u32) {
        self.segments.push(Seg { at, from, to, flags, seq, ack, len: 0, bare: false });
    }

    /// A client somewhere in 198.18.0.0/15.
    fn client(&mut self) -> (u32, u16) {
        (0xc612_0000 + self.below(3_000) as u32 * 37, 1_024 + self.below(60_000) as u16)
    }

    /// Any address at all.
    fn forged(&mut self) -> (u32, u16) {
        (self.random() as u32, 1_024 + self.below(60_000) as u16)
    }

    /// Handshakes that complete within a quarter of a second, with a request.
    fn crowd(&mut self, from: f64, to: f64, rate: f64) -> &mut Self {
        for at in self.times(from, to, rate) {
            let client = self.client();
            let rtt = 0.02 + 0.2 * self.unit();
            self.handshake(at, client, SERVER, rtt);
        }
        self
    }

    fn handshake(&mut self, at: f64, client: (u32, u16), server: (u32, u16), rtt: f64) {
        let (isn, theirs) = (self.random() as u32, self.random() as u32);
        self.push(at, client, server, SYN, isn, 0);
        self.push(at + 0.0001, server, client, SYN_ACK, theirs, isn.wrapping_add(1));
        self.push(at + rtt, client, server, ACK, isn.wrapping_add(1), theirs.wrapping_add(1));
        self.push(at + rtt + 0.001, client, server, ACK, isn.wrapping_add(1), theirs.wrapping_add(1));
        self.segments.last_mut().expect("just pushed").len = 100;
    }

    /// SYNs that the server answers, three times, and nobody acknowledges.
    fn half_open(&mut self, at: f64, client: (u32, u16), server: (u32, u16)) {
        let (isn, theirs) = (self.random() as u32, self.random() as u32);
        self.push(at, client, server, SYN, isn, 0);
        for later in [0.0001, 1.0, 3.0] {
            self.push(at + later, server, client, SYN_ACK, theirs, isn.wrapping_add(1));
        }
    }

    /// Forged sources.
    fn spoofed(&mut self, from: f64, to: f64, rate: f64) -> &mut Self {
        for at in self.times(from, to, rate) {
            let client = self.forged();
            self.half_open(at, client, SERVER);
        }
        self
    }

    /// Live clients that nobody answers: SYN again after 1, 2 and 3 seconds.
    fn unanswered(&mut self, from: f64, to: f64, rate: f64) -> &mut Self {
        for at in self.times(from, to, rate) {
            let (client, isn) = (self.client(), self.random() as u32);
            for later in [0.0, 1.0, 2.0, 3.0] {
                self.push(at + later, client, SERVER, SYN, isn, 0);
            }
        }
        self
    }

    fn refused(&mut self, at: f64, client: (u32, u16), server: (u32, u16)) {
        let isn = self.random() as u32;
        self.push(at, client, server, SYN, isn, 0);
        self.push(at + 0.0002, server, client, RST_ACK, 0, isn.wrapping_add(1));
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
        ended.retain(|incident| incident.phase == Phase::End);
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

fn endpoint((addr, port): (u32, u16)) -> Endpoint {
    Endpoint { addr: IpAddr::V4(Ipv4Addr::from_bits(addr)), port }
}

fn feed(detector: &mut SynFlood, segment: &Seg, frame: u64, tell: &mut dyn FnMut(Incident)) {
    let (src, dst) = (endpoint(segment.from), endpoint(segment.to));
    let (tuple, dir) = Tuple::of(Protocol::Tcp, src, dst);
    let ip = IpHeader {
        version: 4,
        src: src.addr,
        dst: dst.addr,
        ttl: 50 + (segment.from.0 % 13) as u8,
        traffic_class: 0,
        id: None,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len: 20 + segment.len,
        protocol: 6,
        checksum: ChecksumState::Good,
    };
    let options = if segment.bare || !segment.flags.has(SYN) { &[] } else { OPTIONS };
    let tcp = TcpHeader {
        src_port: src.port,
        dst_port: dst.port,
        seq: SeqNumber(segment.seq),
        ack: SeqNumber(segment.ack),
        header_len: 20 + options.len() as u8,
        flags: segment.flags,
        window: 64_240,
        checksum_field: 0,
        checksum: ChecksumState::Good,
        urgent: 0,
        options,
        said: OptionSummary::default(),
        len: segment.len,
        payload: &[],
        sound: true,
    };
    let at = stamp(segment.at);
    let key = FixedState::default().hash_one(tuple).max(1);
    detector.on_segment(&Segment { at, frame, ip: &ip, tcp: &tcp, key, dir, settled: false }, tell);
}

/// A second, as trace time has it.
const SECOND: i64 = Span::from_secs(1).0;
