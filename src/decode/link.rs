//! From the link layer to the network layer: Ethernet with any tags, cooked captures, BSD loopback, raw IP.

use etherparse::Ethernet2HeaderSlice;
use etherparse::SingleVlanHeaderSlice;

use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::ip;
use crate::packet::DefectCode;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::LinkType;
use crate::packet::Packet;

/// Reads the frame from its first octet.
pub(super) fn read(packet: &mut Packet<'_>) {
    let frame = Extent::of_frame(packet);
    match packet.meta.link_type {
        LinkType::ETHERNET => ethernet(packet, frame),
        LinkType::LINUX_SLL => sll(packet, frame),
        LinkType::LINUX_SLL2 => sll2(packet, frame),
        LinkType::NULL | LinkType::LOOP => null(packet, frame),
        LinkType::RAW | LinkType::RAW_DLT | LinkType::RAW_OPENBSD => raw(packet, frame),
        LinkType::IPV4 => ip::read_v4(packet, frame),
        LinkType::IPV6 => ip::read_v6(packet, frame),
        LinkType(other) => note(packet, DefectCode::UnknownLink, LayerKind::Frame, 0, u32::from(other), 0),
    }
}

fn ethernet(packet: &mut Packet<'_>, frame: Extent) {
    let Some(bytes) = require(packet, LayerKind::Ethernet, frame, ETHERNET_LEN) else { return };
    let Ok(header) = Ethernet2HeaderSlice::from_slice(bytes) else { return };
    typed(packet, LayerKind::Ethernet, frame, ETHERNET_LEN, EtherType(header.ether_type().0));
}

fn vlan(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Vlan, extent, VLAN_LEN) else { return };
    let Ok(tag) = SingleVlanHeaderSlice::from_slice(bytes) else { return };
    typed(packet, LayerKind::Vlan, extent, VLAN_LEN, EtherType(tag.ether_type().0));
}

/// Linux cooked capture. Its protocol field is an EtherType for all hardware whose frames can carry IP;
/// etherparse's own reader refuses hardware that it has no name for, so the field is read here.
fn sll(packet: &mut Packet<'_>, frame: Extent) {
    let Some(bytes) = require(packet, LayerKind::Sll, frame, SLL_LEN) else { return };
    let protocol = EtherType(u16::from_be_bytes([bytes[14], bytes[15]]));
    typed(packet, LayerKind::Sll, frame, SLL_LEN, protocol);
}

fn sll2(packet: &mut Packet<'_>, frame: Extent) {
    let Some(bytes) = require(packet, LayerKind::Sll2, frame, SLL2_LEN) else { return };
    let protocol = EtherType(u16::from_be_bytes([bytes[0], bytes[1]]));
    typed(packet, LayerKind::Sll2, frame, SLL2_LEN, protocol);
}

/// The family is written in the capturing host's byte order, which the file does not tell: families are small
/// numbers, so the reading that is small is right.
fn null(packet: &mut Packet<'_>, frame: Extent) {
    let Some(bytes) = require(packet, LayerKind::Null, frame, NULL_LEN) else { return };
    let family = null_family([bytes[0], bytes[1], bytes[2], bytes[3]]);
    if !push(packet, LayerKind::Null, frame.at, NULL_LEN) {
        return;
    }
    match family {
        2 => ip::read_v4(packet, frame.behind(NULL_LEN)),
        family if NULL_IPV6.contains(&family) => ip::read_v6(packet, frame.behind(NULL_LEN)),
        // AppleTalk, IPX, ISO: nothing of ours.
        _ => {}
    }
}

/// The address family of a BSD loopback header, either byte order.
pub(super) fn null_family(field: [u8; 4]) -> u32 {
    u32::from_be_bytes(field).min(u32::from_le_bytes(field))
}

fn raw(packet: &mut Packet<'_>, extent: Extent) {
    match extent.captured(packet.bytes).first().map(|first| first >> 4) {
        Some(6) => ip::read_v6(packet, extent),
        _ => ip::read_v4(packet, extent),
    }
}

/// Adds the layer `kind`, whose last field said `ether_type`, and reads what follows.
fn typed(packet: &mut Packet<'_>, kind: LayerKind, extent: Extent, len: usize, ether_type: EtherType) {
    let (len, ether_type) = match llc_snap(extent.behind(len).captured(packet.bytes), ether_type) {
        Some(inner) => (len + LLC_SNAP_LEN, inner),
        None => (len, ether_type),
    };
    if !push(packet, kind, extent.at, len) {
        return;
    }
    let behind = extent.behind(len);
    match ether_type {
        EtherType::IPV4 => ip::read_v4(packet, behind),
        EtherType::IPV6 => ip::read_v6(packet, behind),
        EtherType::VLAN | EtherType::QINQ | EtherType::VLAN_DOUBLE => vlan(packet, behind),
        EtherType::ARP => arp(packet, behind),
        // MPLS and PPPoE would go here. An 802.3 length without SNAP is a protocol that we do not read.
        _ => {}
    }
}

/// The EtherType behind an 802.3 length, where LLC and SNAP (RFC 1042) carry one.
fn llc_snap(behind: &[u8], length: EtherType) -> Option<EtherType> {
    match *behind {
        [0xaa, 0xaa, 0x03, 0, 0, 0, high, low, ..] if length.0 < EtherType::FIRST.0 => {
            Some(EtherType(u16::from_be_bytes([high, low])))
        }
        _ => None,
    }
}

fn arp(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Arp, extent, ARP_FIXED_LEN) else { return };
    let whole = ARP_FIXED_LEN + 2 * (usize::from(bytes[4]) + usize::from(bytes[5]));
    if require(packet, LayerKind::Arp, extent, whole).is_some() {
        push(packet, LayerKind::Arp, extent.at, whole);
    }
}

/// Ethernet II or 802.3, without tags.
pub(super) const ETHERNET_LEN: usize = 14;
const VLAN_LEN: usize = 4;
const SLL_LEN: usize = 16;
const SLL2_LEN: usize = 20;
const NULL_LEN: usize = 4;
const LLC_SNAP_LEN: usize = 8;
const ARP_FIXED_LEN: usize = 8;
/// AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
const NULL_IPV6: [u32; 5] = [10, 23, 24, 28, 30];
