//! What an EtherType leads to: IP, tags in front of it, and LLC where the field is a length.
//!
//! IEEE 802.1Q-2022 §9 (tags, provider backbone), IEEE 802.1AE-2018 §9 (MACsec), IEEE 802.2 and RFC 1042 (LLC, SNAP).

use etherparse::SingleVlanHeaderSlice;

use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::ip;
use crate::decode::link;
use crate::decode::mpls;
use crate::decode::wan;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Reads what stands behind the type field of an Ethernet header or tag, which may be a length instead.
pub(super) fn type_or_length(packet: &mut Packet<'_>, extent: Extent, field: EtherType) {
    if field.0 < EtherType::FIRST.0 {
        length(packet, extent, usize::from(field.0));
    } else {
        follow(packet, extent, field);
    }
}

#[cold]
fn length(packet: &mut Packet<'_>, extent: Extent, octets: usize) {
    let bytes = extent.captured(packet.bytes);
    // Novell's raw frames put IPX behind the length; nothing at all is a test frame.
    if !bytes.starts_with(&[0xff, 0xff]) && !bytes.is_empty() && octets >= LLC_LEN {
        llc(packet, extent.first(octets));
    }
}

/// Reads what `ether_type` stands for; nothing of ours is left alone.
pub(super) fn follow(packet: &mut Packet<'_>, extent: Extent, ether_type: EtherType) {
    match ether_type {
        EtherType::IPV4 => ip::read_v4(packet, extent),
        EtherType::IPV6 => ip::read_v6(packet, extent),
        EtherType::VLAN | EtherType::QINQ | EtherType::VLAN_DOUBLE => vlan(packet, extent),
        EtherType::ARP => arp(packet, extent),
        other => rarer(packet, extent, other),
    }
}

#[cold]
fn rarer(packet: &mut Packet<'_>, extent: Extent, ether_type: EtherType) {
    match ether_type {
        EtherType::MPLS | EtherType::MPLS_UPSTREAM => mpls::read(packet, extent),
        EtherType::PPPOE_SESSION => wan::pppoe(packet, extent),
        EtherType::PBB => pbb(packet, extent),
        EtherType::MACSEC => macsec(packet, extent),
        EtherType::FABRICPATH => fabricpath(packet, extent),
        EtherType::ETHERNET => link::ethernet(packet, extent),
        EtherType::PPP => wan::ppp(packet, extent),
        _ => {}
    }
}

fn vlan(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Vlan, extent, VLAN_LEN) else { return };
    let Ok(tag) = SingleVlanHeaderSlice::from_slice(bytes) else { return };
    if push(packet, LayerKind::Vlan, extent.at, VLAN_LEN) {
        type_or_length(packet, extent.behind(VLAN_LEN), EtherType(tag.ether_type().0));
    }
}

/// The service tag and the customer's Ethernet header are one layer.
fn pbb(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Pbb, extent, PBB_LEN) else { return };
    let inner = EtherType(u16::from_be_bytes([bytes[16], bytes[17]]));
    if push(packet, LayerKind::Pbb, extent.at, PBB_LEN) {
        type_or_length(packet, extent.behind(PBB_LEN), inner);
    }
}

/// Only frames that are protected but not encrypted can be read on. The check value behind them is left to the
/// length field of whatever they carry.
fn macsec(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Macsec, extent, MACSEC_LEN) else { return };
    let (tci, short_len) = (bytes[0], usize::from(bytes[1] & 0x3f));
    let tag = if tci & MACSEC_SCI != 0 { MACSEC_LEN + 8 } else { MACSEC_LEN };
    let clear = tci & MACSEC_CHANGED == 0;
    let len = if clear { tag + 2 } else { tag };
    let Some(bytes) = require(packet, LayerKind::Macsec, extent, len) else { return };
    let inner = EtherType(u16::from_be_bytes([bytes[len - 2], bytes[len - 1]]));
    if push(packet, LayerKind::Macsec, extent.at, len) && clear {
        let data = extent.behind(tag);
        let data = if short_len == 0 { data } else { data.first(short_len) };
        follow(packet, data.behind(2), inner);
    }
}

fn fabricpath(packet: &mut Packet<'_>, extent: Extent) {
    if require(packet, LayerKind::FabricPath, extent, FABRICPATH_LEN).is_some()
        && push(packet, LayerKind::FabricPath, extent.at, FABRICPATH_LEN)
    {
        link::ethernet(packet, extent.behind(FABRICPATH_LEN));
    }
}

/// LLC in unnumbered frames: SNAP with an EtherType, the old SAP of IP, or an ISO network layer id (RFC 2684 §5.1).
pub(super) fn llc(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Llc, extent, LLC_LEN) else { return };
    match *bytes {
        [0xaa, 0xaa, 3, a, b, c, high, low, ..] => {
            if push(packet, LayerKind::Llc, extent.at, SNAP_LEN) && SNAP_ETHER_TYPE.contains(&[a, b, c]) {
                follow(packet, extent.behind(SNAP_LEN), EtherType(u16::from_be_bytes([high, low])));
            }
        }
        [6, 6, 3, ..] if push(packet, LayerKind::Llc, extent.at, LLC_LEN) => {
            ip::read_v4(packet, extent.behind(LLC_LEN));
        }
        [0xfe, 0xfe, 3, id, ..] if push(packet, LayerKind::Llc, extent.at, LLC_LEN + 1) => {
            network_layer(packet, extent.behind(LLC_LEN + 1), id);
        }
        [0xfe, 0xfe, 3, ..] | [6, 6, 3, ..] => {}
        _ => {
            push(packet, LayerKind::Llc, extent.at, LLC_LEN);
        }
    }
}

/// What an ISO network layer protocol id stands for (RFC 2427 §4).
pub(super) fn network_layer(packet: &mut Packet<'_>, extent: Extent, id: u8) {
    match id {
        0xcc => ip::read_v4(packet, extent),
        0x8e => ip::read_v6(packet, extent),
        _ => {}
    }
}

fn arp(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Arp, extent, ARP_FIXED_LEN) else { return };
    let whole = ARP_FIXED_LEN + 2 * (usize::from(bytes[4]) + usize::from(bytes[5]));
    if require(packet, LayerKind::Arp, extent, whole).is_some() {
        push(packet, LayerKind::Arp, extent.at, whole);
    }
}

const VLAN_LEN: usize = 4;
/// I-TAG, C-DA, C-SA, type.
const PBB_LEN: usize = 4 + 12 + 2;
/// Control, short length, packet number.
const MACSEC_LEN: usize = 6;
/// A channel identifier follows.
const MACSEC_SCI: u8 = 0x20;
/// Encrypted, or changed in another way (E, C).
const MACSEC_CHANGED: u8 = 0x0c;
const FABRICPATH_LEN: usize = 2;
const LLC_LEN: usize = 3;
const SNAP_LEN: usize = 8;
/// Organisations whose protocol ids are EtherTypes: RFC 1042, 802.1H, Cisco.
const SNAP_ETHER_TYPE: [[u8; 3]; 3] = [[0, 0, 0], [0, 0, 0xf8], [0, 0, 0x0c]];
const ARP_FIXED_LEN: usize = 8;
