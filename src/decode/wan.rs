//! Serial lines and what replaced them: PPP, PPPoE, Cisco HDLC, frame relay, SLIP.
//!
//! RFC 1661 and 1662 (PPP), RFC 2516 §4 (PPPoE), RFC 2427 (frame relay).

use crate::decode::ether::follow;
use crate::decode::ether::network_layer;
use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::ip;
use crate::decode::link;
use crate::decode::mpls;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// A line that speaks PPP or Cisco HDLC: the first octet tells.
pub(super) fn serial(packet: &mut Packet<'_>, extent: Extent) {
    match extent.captured(packet.bytes) {
        [CHDLC_UNICAST | CHDLC_MULTICAST, 0, ..] => chdlc(packet, extent),
        _ => ppp(packet, extent),
    }
}

/// PPP, with or without address and control, its protocol in one octet or two (RFC 1661 §6.5, §6.6).
pub(super) fn ppp(packet: &mut Packet<'_>, extent: Extent) {
    let framed = if extent.captured(packet.bytes).starts_with(&[0xff, 3]) { 2 } else { 0 };
    ppp_behind(packet, extent, framed);
}

/// A direction octet stands in front, or in place of the address.
pub(super) fn ppp_with_direction(packet: &mut Packet<'_>, extent: Extent) {
    let framed = match extent.captured(packet.bytes) {
        [_, 0xff, 3, ..] => 3,
        [_, 3, ..] => 2,
        _ => 1,
    };
    ppp_behind(packet, extent, framed);
}

fn ppp_behind(packet: &mut Packet<'_>, extent: Extent, framed: usize) {
    let Some(bytes) = require(packet, LayerKind::Ppp, extent, framed + 1) else { return };
    // An odd octet ends the field.
    let len = framed + if bytes[framed] & 1 == 1 { 1 } else { 2 };
    let Some(bytes) = require(packet, LayerKind::Ppp, extent, len) else { return };
    let protocol = bytes[framed..len].iter().fold(0, |value, &octet| value << 8 | u16::from(octet));
    if !push(packet, LayerKind::Ppp, extent.at, len) {
        return;
    }
    let behind = extent.behind(len);
    match protocol {
        0x0021 => ip::read_v4(packet, behind),
        0x0057 => ip::read_v6(packet, behind),
        0x0281 | 0x0283 => mpls::read(packet, behind),
        _ => {}
    }
}

/// The session stage; its length field leaves Ethernet's padding out.
pub(super) fn pppoe(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Pppoe, extent, PPPOE_LEN) else { return };
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    if push(packet, LayerKind::Pppoe, extent.at, PPPOE_LEN) {
        let session = extent.behind(PPPOE_LEN);
        ppp_behind(packet, if length == 0 { session } else { session.first(length) }, 0);
    }
}

/// Address, control, EtherType; with some protocols of its own that carry nothing.
pub(super) fn chdlc(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Chdlc, extent, CHDLC_LEN) else { return };
    let protocol = EtherType(u16::from_be_bytes([bytes[2], bytes[3]]));
    if push(packet, LayerKind::Chdlc, extent.at, CHDLC_LEN) {
        follow(packet, extent.behind(CHDLC_LEN), protocol);
    }
}

/// Two to four octets of address; behind them a network layer id (RFC 2427 §4), or Cisco's EtherType.
pub(super) fn frame_relay(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::FrameRelay, extent, 4) else { return };
    let address = bytes.iter().take(4).position(|octet| octet & 1 == 1).map_or(4, |last| last + 1);
    let Some(bytes) = require(packet, LayerKind::FrameRelay, extent, address + 2) else { return };
    let (len, network, ether_type) = match bytes[address..] {
        [3, 0, 0x80, _, _, _, high, low, ..] | [3, 0x80, _, _, _, high, low, ..] => {
            let len = address + if bytes[address + 1] == 0 { 8 } else { 7 };
            (len, 0, u16::from_be_bytes([high, low]))
        }
        [3, id, ..] => (address + 2, id, 0),
        [high, low, ..] => (address + 2, 0, u16::from_be_bytes([high, low])),
        _ => return,
    };
    if !push(packet, LayerKind::FrameRelay, extent.at, len) {
        return;
    }
    match network {
        0 => follow(packet, extent.behind(len), EtherType(ether_type)),
        id => network_layer(packet, extent.behind(len), id),
    }
}

/// Direction, then the link-compressed header, which repeats what the packet holds. What Van Jacobson's scheme has
/// compressed needs the packets before it, and is left alone.
pub(super) fn slip(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Slip, extent, SLIP_LEN) else { return };
    let compression = bytes[1];
    if push(packet, LayerKind::Slip, extent.at, SLIP_LEN) && matches!(compression >> 4, 0 | 4 | 6) {
        link::raw(packet, extent.behind(SLIP_LEN));
    }
}

const PPPOE_LEN: usize = 6;
const CHDLC_LEN: usize = 4;
const CHDLC_UNICAST: u8 = 0x0f;
const CHDLC_MULTICAST: u8 = 0x8f;
const SLIP_LEN: usize = 16;
