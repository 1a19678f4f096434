//! Headers that the capturing host puts in front of frames: packet filter logs, taps, metadata.
//!
//! The layouts are those of the link-type registry at tcpdump.org. Fields in the capturing host's byte order are read
//! as little-endian where nothing tells.

use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::link;
use crate::decode::wlan;
use crate::packet::LayerKind;
use crate::packet::LinkType;
use crate::packet::Packet;

/// Linux netfilter log: family, version, resource, then attributes up to the one that is the packet.
pub(super) fn nflog(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Nflog, extent, NFLOG_LEN) else { return };
    let family = u32::from(bytes[0]);
    let mut at = NFLOG_LEN;
    let payload = loop {
        let Some(&[l1, l2, k1, k2]) = bytes.get(at..).and_then(<[u8]>::first_chunk) else { break None };
        let (len, kind) = (usize::from(u16::from_le_bytes([l1, l2])), u16::from_le_bytes([k1, k2]));
        match (kind, len) {
            (_, 0..4) => break None,
            (NFLOG_PAYLOAD, len) => break Some((at + 4, len - 4)),
            _ => at += len.next_multiple_of(4),
        }
    };
    let header = payload.map_or(at.min(bytes.len()), |(from, _)| from);
    if push(packet, LayerKind::Nflog, extent.at, header)
        && let Some((from, len)) = payload
    {
        link::of_family(packet, extent.behind(from).first(len), family);
    }
}

/// Apple's tap: length, record type, and the link type of what follows.
pub(super) fn pktap(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Pktap, extent, PKTAP_LEN) else { return };
    let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (len, link_type) = ((word(0) as usize).max(PKTAP_LEN), LinkType(word(8) as u16));
    inside(packet, extent, LayerKind::Pktap, len, link_type);
}

/// Per-packet information: the link type of what follows, and fields, of which one tells about a check sequence.
pub(super) fn ppi(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Ppi, extent, PPI_LEN) else { return };
    let len = usize::from(u16::from_le_bytes([bytes[2], bytes[3]])).max(PPI_LEN);
    let link_type = LinkType(u16::from_le_bytes([bytes[4], bytes[5]]));
    let has_fcs = bytes.get(PPI_LEN..len).is_some_and(ppi_has_fcs);
    if link_type != LinkType::IEEE802_11 {
        inside(packet, extent, LayerKind::Ppi, len, link_type);
    } else if require(packet, LayerKind::Ppi, extent, len).is_some() && push(packet, LayerKind::Ppi, extent.at, len) {
        wlan::frame(packet, extent.behind(len), wlan::Radio { has_fcs, is_padded: false });
    }
}

/// The field "802.11 common" has number 2; the first of its flags says it.
fn ppi_has_fcs(mut fields: &[u8]) -> bool {
    while let &[k1, k2, l1, l2, ref rest @ ..] = fields {
        let len = usize::from(u16::from_le_bytes([l1, l2]));
        if u16::from_le_bytes([k1, k2]) == 2 {
            return rest.get(8).is_some_and(|flags| flags & 1 == 1);
        }
        fields = rest.get(len..).unwrap_or(&[]);
    }
    false
}

/// BSD packet filter log: its length, padded to whole words, and the address family.
pub(super) fn pflog(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Pflog, extent, 4) else { return };
    let (len, family) = (usize::from(bytes[0]).next_multiple_of(4).max(4), u32::from(bytes[1]));
    if require(packet, LayerKind::Pflog, extent, len).is_some() && push(packet, LayerKind::Pflog, extent.at, len) {
        link::of_family(packet, extent.behind(len), family);
    }
}

/// BSD encapsulation interface: address family, security parameter index, flags.
pub(super) fn enc(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Enc, extent, ENC_LEN) else { return };
    let family = link::null_family([bytes[0], bytes[1], bytes[2], bytes[3]]);
    if push(packet, LayerKind::Enc, extent.at, ENC_LEN) {
        link::of_family(packet, extent.behind(ENC_LEN), family);
    }
}

/// Juniper's metadata in front of Ethernet: magic, flags, and extensions where a flag says so.
pub(super) fn juniper(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Juniper, extent, 4) else { return };
    let len = match *bytes {
        [b'M', b'G', b'C', flags, high, low, ..] if flags & 0x80 != 0 => {
            6 + usize::from(u16::from_be_bytes([high, low]))
        }
        _ => 4,
    };
    inside(packet, extent, LayerKind::Juniper, len, LinkType::ETHERNET);
}

/// A header of `len` octets with a frame of `link_type` behind it.
fn inside(packet: &mut Packet<'_>, extent: Extent, kind: LayerKind, len: usize, link_type: LinkType) {
    if require(packet, kind, extent, len).is_some() && push(packet, kind, extent.at, len) {
        link::read_as(packet, extent.behind(len), link_type);
    }
}

const NFLOG_LEN: usize = 4;
const NFLOG_PAYLOAD: u16 = 9;
const PKTAP_LEN: usize = 12;
const PPI_LEN: usize = 8;
const ENC_LEN: usize = 12;
