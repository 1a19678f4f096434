//! One captured frame: its bytes and what the capture says about them.

use crate::packet::link::LinkType;
use crate::packet::time::{Clock, Timestamp};

/// What is known of a frame beside its bytes. Copied along with every [`Packet`](crate::packet::Packet).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FrameMeta {
    /// 1-based position in its capture.
    pub number: u64,
    /// When it passed the capture point.
    pub at: Timestamp,
    /// Whose clock said so.
    pub clock: Clock,
    /// How the first octet is to be read.
    pub link_type: LinkType,
    /// Index into the capture's interfaces, 0 where there is only one.
    pub interface: u32,
    /// Whole seconds that stood in the stamp's fraction, which should hold less than one; `at` has them counted in.
    pub carried_seconds: u32,
    /// Octets captured.
    pub caplen: u32,
    /// Octets on the wire; more than `caplen` where the capture cut the frame (snap length).
    pub origlen: u32,
}

impl FrameMeta {
    /// Of a frame of a capture file with one interface, all of its `octets` captured.
    pub const fn whole(number: u64, at: Timestamp, link_type: LinkType, octets: u32) -> Self {
        Self {
            number,
            at,
            clock: Clock::File,
            link_type,
            interface: 0,
            carried_seconds: 0,
            caplen: octets,
            origlen: octets,
        }
    }

    /// The capture kept fewer octets than passed.
    pub const fn is_snapped(&self) -> bool {
        self.caplen < self.origlen
    }
}

/// A frame as a source hands it up: borrowed, valid until the source is asked for more.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What the capture says about it.
    pub meta: FrameMeta,
    /// The captured octets, `meta.caplen` of them.
    pub bytes: &'a [u8],
}
