//! Traffic from a seed: floods, scans, crowds and mishaps, as a capture beside the server would show them.
//!
//! Tests, benches and comparisons need traffic of which every answer is known. A [`Scene`] is a small model of a server
//! room: [`Act`]s dial at a rate, the [`World`] answers with backlog, cookies and its troubles, clients retry as real
//! ones do. It is played as an iterator in order of time, so that five million SYNs need no more memory than what
//! is under way. [`kinds`] has scenes by name, each with the truth about it.
//!
//! It models what decides a verdict about attempts (RFC 9293 §3.5, RFC 4987 §2), not throughput: data is one request and
//! one answer, and no window ever fills.

pub mod kinds;

mod act;
mod plan;
mod random;
mod scene;
mod world;

use std::io;
use std::io::Write;

use crate::craft::build;
use crate::craft::step;
use crate::craft::step::Body;
use crate::craft::step::ChecksumField;
use crate::craft::step::Link;
use crate::craft::step::Step;
use crate::packet::Endpoint;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::Timestamp;

pub use act::Act;
pub use act::Look;
pub use act::Manner;
pub use act::Sources;
pub use act::Targets;
pub use random::Random;
pub use scene::Dial;
pub use scene::Play;
pub use scene::Scene;
pub use world::Does;
pub use world::Spell;
pub use world::Trouble;
pub use world::World;

/// When traffic begins, unless somebody asks for another time.
pub const EPOCH: Timestamp = Timestamp::from_parts(1_700_000_000, 0);

/// One segment on its way past the capture point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Seconds since the traffic began.
    pub at: f64,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// Control bits.
    pub flags: TcpFlags,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// Octets of payload.
    pub len: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Window, not scaled.
    pub window: u16,
    /// Options of a SYN.
    pub options: &'static [u8],
}

impl Segment {
    /// The octets of its frame; `number` is its place in the traffic.
    pub fn to_frame(&self, link: Link, number: u64) -> Vec<u8> {
        let step = Step {
            at: self.time(),
            src: self.src,
            dst: self.dst,
            vlans: Vec::new(),
            mpls: Vec::new(),
            pppoe: None,
            tunnel: None,
            split: None,
            snaplen: None,
            ttl: self.ttl,
            traffic_class: 0,
            id: None,
            dont_fragment: None,
            more_fragments: false,
            fragment_offset: 0,
            ip_len: None,
            ip_options: Vec::new(),
            extensions: Vec::new(),
            trailer: 0,
            checksum: ChecksumField::Good,
            body: Body::Tcp(step::Segment {
                seq: SeqNumber(self.seq),
                ack: SeqNumber(self.ack),
                flags: self.flags,
                window: self.window,
                urgent: 0,
                options: self.options.to_vec(),
                header_len: None,
                payload: vec![b'.'; usize::from(self.len)],
            }),
        };
        build::frame(&step, link, &build::ip_packet(&step, number, &[]))
    }

    /// When it passes, where traffic begins at [`EPOCH`].
    pub const fn time(&self) -> Timestamp {
        EPOCH.plus(crate::packet::Span((self.at * 1e9) as i64))
    }
}

/// Writes traffic as a classic pcap file: little-endian, times in nanoseconds, Ethernet.
///
/// # Errors
/// Those of the writer.
pub fn write_pcap(segments: impl Iterator<Item = Segment>, out: &mut dyn Write) -> io::Result<()> {
    // Magic, version 2.4, time zone, accuracy, snap length, Ethernet.
    put(out, &[0xa1b2_3c4d, 2 | 4 << 16, 0, 0, 262_144, 1])?;
    for (number, segment) in (1..).zip(segments) {
        let frame = segment.to_frame(Link::Ethernet, number);
        let nanos = segment.time().nanos();
        let (secs, fraction) = (nanos.div_euclid(NANOS) as u32, nanos.rem_euclid(NANOS) as u32);
        put(out, &[secs, fraction, frame.len() as u32, frame.len() as u32])?;
        out.write_all(&frame)?;
    }
    out.flush()
}

fn put(out: &mut dyn Write, numbers: &[u32]) -> io::Result<()> {
    numbers.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
}

const NANOS: i64 = 1_000_000_000;

/// What current Linux sends with a SYN, less its timestamps: MSS 1460, SACK permitted, window scale 7.
pub const SYSTEM_OPTIONS: &[u8] = &[2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7];
/// The MSS alone.
pub const MSS_OPTION: &[u8] = &[2, 4, 5, 0xb4];
