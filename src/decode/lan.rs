//! Local networks other than Ethernet, and Ethernet with something of the hardware around it.
//!
//! RFC 1188 (FDDI), IEEE 802.5, RFC 1201 and 1051 (ARCNET), RFC 4391 (InfiniBand), RFC 4338 (Fibre Channel).

use crate::decode::ether;
use crate::decode::ether::follow;
use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::ip;
use crate::decode::link;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Frame control and two addresses; only LLC frames carry anything.
pub(super) fn fddi(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Fddi, extent, FDDI_LEN) else { return };
    let carries_llc = bytes[0] & 0x70 == 0x50;
    if push(packet, LayerKind::Fddi, extent.at, FDDI_LEN) && carries_llc {
        ether::llc(packet, extent.behind(FDDI_LEN));
    }
}

/// Access control, frame control, two addresses; a source route where the source says so.
pub(super) fn token_ring(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::TokenRing, extent, TOKEN_RING_LEN) else { return };
    let (carries_llc, routed) = (bytes[1] & 0xc0 == 0x40, bytes[8] & 0x80 != 0);
    let route = match bytes.get(TOKEN_RING_LEN) {
        Some(control) if routed => usize::from(control & 0x1f),
        _ => 0,
    };
    let len = TOKEN_RING_LEN + route;
    if require(packet, LayerKind::TokenRing, extent, len).is_some()
        && push(packet, LayerKind::TokenRing, extent.at, len)
        && carries_llc
    {
        ether::llc(packet, extent.behind(len));
    }
}

/// Whose driver wrote the header down.
#[derive(Clone, Copy)]
pub(super) enum Arcnet {
    /// As it stands on the cable.
    Bsd,
    /// With two octets of offset.
    Linux,
}

/// RFC 1201 has a split flag and a sequence number behind its protocol, RFC 1051 has not. Split packets are left
/// alone: nothing tells where their parts are.
pub(super) fn arcnet(packet: &mut Packet<'_>, extent: Extent, header: Arcnet) {
    let kind_at = if matches!(header, Arcnet::Linux) { 4 } else { 2 };
    let Some(bytes) = require(packet, LayerKind::Arcnet, extent, kind_at + 1) else { return };
    let (kind, split) = (bytes[kind_at], bytes.get(kind_at + 1).copied().unwrap_or(0));
    let old = matches!(kind, ARCNET_IP_1051 | 0xf1);
    let len = kind_at + if old { 1 } else { 4 };
    if require(packet, LayerKind::Arcnet, extent, len).is_none() || !push(packet, LayerKind::Arcnet, extent.at, len) {
        return;
    }
    match kind {
        ARCNET_IP_1051 => ip::read_v4(packet, extent.behind(len)),
        ARCNET_IP if split == 0 => ip::read_v4(packet, extent.behind(len)),
        ARCNET_IPV6 if split == 0 => ip::read_v6(packet, extent.behind(len)),
        _ => {}
    }
}

/// The global route header, then EtherType and two reserved octets.
pub(super) fn ipoib(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Ipoib, extent, IPOIB_LEN) else { return };
    let ether_type = EtherType(u16::from_be_bytes([bytes[40], bytes[41]]));
    if push(packet, LayerKind::Ipoib, extent.at, IPOIB_LEN) {
        follow(packet, extent.behind(IPOIB_LEN), ether_type);
    }
}

/// Two network addresses, then LLC.
pub(super) fn fibre_channel(packet: &mut Packet<'_>, extent: Extent) {
    if require(packet, LayerKind::FibreChannel, extent, FIBRE_CHANNEL_LEN).is_some()
        && push(packet, LayerKind::FibreChannel, extent.at, FIBRE_CHANNEL_LEN)
    {
        ether::llc(packet, extent.behind(FIBRE_CHANNEL_LEN));
    }
}

/// Ethernet whose switch chip put `tag` octets of its own between the addresses and the type.
pub(super) fn switch_tag(packet: &mut Packet<'_>, extent: Extent, tag: usize) {
    let len = link::ETHERNET_LEN + tag;
    let Some(bytes) = require(packet, LayerKind::SwitchTag, extent, len) else { return };
    let field = EtherType(u16::from_be_bytes([bytes[len - 2], bytes[len - 1]]));
    if push(packet, LayerKind::SwitchTag, extent.at, len) {
        ether::type_or_length(packet, extent.behind(len), field);
    }
}

/// Ethernet behind `len` octets of the capturing hardware.
pub(super) fn preamble(packet: &mut Packet<'_>, extent: Extent, len: usize) {
    if require(packet, LayerKind::Preamble, extent, len).is_some() && push(packet, LayerKind::Preamble, extent.at, len)
    {
        link::ethernet(packet, extent.behind(len));
    }
}

const FDDI_LEN: usize = 13;
const TOKEN_RING_LEN: usize = 14;
const ARCNET_IP: u8 = 0xd4;
const ARCNET_IP_1051: u8 = 0xf0;
const ARCNET_IPV6: u8 = 0xc4;
const IPOIB_LEN: usize = 44;
const FIBRE_CHANNEL_LEN: usize = 16;
