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
mod random;
mod scene;
mod world;

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

/// What current Linux sends with a SYN, less its timestamps: MSS 1460, SACK permitted, window scale 7.
pub const SYSTEM_OPTIONS: &[u8] = &[2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7];
/// The MSS alone.
pub const MSS_OPTION: &[u8] = &[2, 4, 5, 0xb4];
