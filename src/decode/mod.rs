//! Frame → [`Packet`]: which headers are there, what they say, and what is wrong with them.
//!
//! Faults are data ([`Defect`]), not errors: decoding goes on behind them as far as the bytes carry it, never panics
//! and never allocates. Lengths are those that the headers declare, never those of the captured slice, so that a
//! capture cut by its snap length still counts sequence numbers right (RFC 9293 §3.4).
//!
//! Headers are recognised one at a time by etherparse's header slices. Its whole-packet decoders stay outside the hot
//! path on purpose: the strict one refuses a packet for one cut octet, the lax one forgets which TCP header it nearly
//! had; a property test holds both to the same answer wherever they give one. Sums, options and salvage are ours.

pub mod checksum;
pub mod fields;
pub mod options;

mod extent;
mod icmp;
mod ip;
mod link;
mod transport;

use arrayvec::ArrayVec;

use crate::packet::Frame;
use crate::packet::Packet;
use crate::packet::Transport;

/// Reads every header of `frame` that we know. Any bytes are welcome, any link type too.
///
/// Tunnels and fragments are not followed yet: `ip` and `transport` are those of the outermost IP header.
pub fn decode<'a>(frame: &Frame<'a>) -> Packet<'a> {
    let mut packet = Packet {
        meta: frame.meta,
        bytes: frame.bytes,
        layers: ArrayVec::new(),
        ip: None,
        transport: Transport::None,
        defects: ArrayVec::new(),
    };
    link::read(&mut packet);
    packet
}
