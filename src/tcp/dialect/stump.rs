//! TCP headers that are not all there, as far as Wireshark reads them.
//!
//! It reads field by field until the octets end. Ports, numbers, data offset, flags and window come before anything is
//! judged; the checksum behind them comes after. So sixteen octets of a header take a stream number and, where only the
//! capture cut it, part in the judgement; what is not there is no longer shown.

use crate::packet::TcpFlags;
use crate::packet::headers::LayerKind;
use crate::packet::headers::Packet;
use crate::packet::headers::Transport;
use crate::packet::seq::SeqNumber;
use crate::packet::tuple::Dir;
use crate::packet::tuple::Endpoint;
use crate::packet::tuple::Protocol;
use crate::packet::tuple::Tuple;

/// The fields before the checksum (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Stump {
    pub(super) tuple: Tuple,
    pub(super) dir: Dir,
    pub(super) seq: SeqNumber,
    pub(super) ack: SeqNumber,
    pub(super) header_len: u8,
    pub(super) flags: TcpFlags,
    pub(super) window: u16,
    /// Octets of the segment that IP declares, header included.
    pub(super) segment: u32,
}

/// The header of a packet in which fewer than twenty octets of one stand, but up to the window at least.
pub(super) fn stump(packet: &Packet<'_>) -> Option<Stump> {
    let (Transport::Other, Some(ip)) = (&packet.transport, packet.ip) else { return None };
    let layer = packet.layers.last().filter(|layer| layer.kind == LayerKind::Tcp)?;
    let octets = packet.bytes.get(layer.offset as usize..)?.get(..layer.len as usize)?;
    let fixed: &[u8; UP_TO_WINDOW] = octets.first_chunk()?;
    let be16 = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    let be32 = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let (src, dst) = (Endpoint { addr: ip.src, port: be16(0) }, Endpoint { addr: ip.dst, port: be16(2) });
    let (tuple, dir) = Tuple::of(Protocol::Tcp, src, dst);
    Some(Stump {
        tuple,
        dir,
        seq: SeqNumber(be32(4)),
        ack: SeqNumber(be32(8)),
        header_len: (fixed[12] >> 4) * 4,
        flags: TcpFlags::from_bits(be16(12)),
        window: be16(14),
        segment: ip.payload_len,
    })
}

const UP_TO_WINDOW: usize = 16;
