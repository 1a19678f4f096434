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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;
    use crate::decode::tests::frame;
    use crate::decode::tests::kinds;
    use crate::decode::tests::last;
    use crate::packet::Transport;
    use crate::packet::headers::MAX_LAYERS;

    const LINE: &str = "0 C > S S 1:1(0)";

    /// The IP packet of [`LINE`] behind other octets.
    fn behind(header: &[u8]) -> Vec<u8> {
        let (_, bytes) = last(&format!("link raw\n{LINE}"));
        [header, &bytes].concat()
    }

    #[test]
    fn each_link_type_leads_to_the_same_segment() {
        for (link, first) in [
            ("ethernet", Some(LayerKind::Ethernet)),
            ("sll", Some(LayerKind::Sll)),
            ("sll2", Some(LayerKind::Sll2)),
            ("null", Some(LayerKind::Null)),
            ("loop", Some(LayerKind::Null)),
            ("raw", None),
        ] {
            decoded(&format!("link {link}\n{LINE}"), |packet| {
                let expected: Vec<_> = first.into_iter().chain([LayerKind::Ipv4, LayerKind::Tcp]).collect();
                assert_eq!(kinds(packet), expected, "{link}");
                assert!(packet.tcp().is_some() && packet.defects.is_empty(), "{link}");
            });
        }
    }

    #[test]
    fn raw_ip_is_told_by_its_version_whatever_the_number_of_the_link_type() {
        let v4 = behind(&[]);
        let (_, v6) = last("link raw\nA = [2001:db8::1]:1\nB = [2001:db8::2]:2\n0 A > B S 1:1(0)");
        for link_type in [12, 14, 101].map(LinkType) {
            assert!(decode(&frame(link_type, &v4)).tcp().is_some());
            assert!(decode(&frame(link_type, &v6)).tcp().is_some());
        }
        assert!(decode(&frame(LinkType::IPV4, &v4)).tcp().is_some());
        assert!(decode(&frame(LinkType::IPV6, &v6)).tcp().is_some());
        assert_eq!(codes(&decode(&frame(LinkType::IPV4, &v6))), [DefectCode::IpVersion]);
        assert_eq!(codes(&decode(&frame(LinkType::IPV6, &v4))), [DefectCode::IpVersion]);
    }

    #[test]
    fn a_version_that_is_neither_is_a_defect() {
        let packet_bytes = [0x50; 40];
        let packet = decode(&frame(LinkType::RAW, &packet_bytes));
        assert_eq!(codes(&packet), [DefectCode::IpVersion]);
        assert!(matches!(packet.transport, Transport::None));
    }

    #[test]
    fn tags_of_all_kinds_stack() {
        let tags = [0x88, 0xa8, 0, 7, 0x91, 0x00, 0, 8, 0x81, 0x00, 0, 9, 0x81, 0x00, 0, 10, 0x08, 0x00];
        let bytes = behind(&[&[0; 12][..], &tags].concat());
        let packet = decode(&frame(LinkType::ETHERNET, &bytes));
        assert_eq!(kinds(&packet)[..5], [&[LayerKind::Ethernet][..], &[LayerKind::Vlan; 4]].concat());
        assert_eq!(packet.layers[4].offset, 14 + 3 * 4);
        assert!(packet.tcp().is_some() && packet.defects.is_empty());
    }

    #[test]
    fn the_crafted_tags_are_found_behind_a_cooked_header_too() {
        for link in ["ethernet", "sll", "sll2"] {
            decoded(&format!("link {link}\nvlan 5 7\n{LINE}"), |packet| {
                assert_eq!(kinds(packet)[1..], [LayerKind::Vlan, LayerKind::Vlan, LayerKind::Ipv4, LayerKind::Tcp]);
            });
        }
    }

    #[test]
    fn more_tags_than_layers_end_in_a_defect_and_not_in_a_panic() {
        let tags = [0x81, 0x00, 0, 1].repeat(40);
        let bytes = [&[0; 12][..], &tags].concat();
        let packet = decode(&frame(LinkType::ETHERNET, &bytes));
        assert_eq!(packet.layers.len(), MAX_LAYERS);
        assert_eq!(codes(&packet), [DefectCode::LayerDepth]);
    }

    #[test]
    fn a_frame_of_802_3_carries_ip_only_through_snap() {
        let snap = [0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
        let bytes = behind(&[&[0; 12][..], &snap].concat());
        let packet = decode(&frame(LinkType::ETHERNET, &bytes));
        assert!(packet.tcp().is_some());
        assert_eq!(packet.layers[0].len, 22);

        let spanning_tree = [0, 38, 0x42, 0x42, 3, 0, 0, 0, 8, 0];
        let bytes = behind(&[&[0; 12][..], &spanning_tree].concat());
        let packet = decode(&frame(LinkType::ETHERNET, &bytes));
        assert_eq!(kinds(&packet), [LayerKind::Ethernet]);
        assert!(matches!(packet.transport, Transport::None) && packet.defects.is_empty());
    }

    #[test]
    fn the_family_of_bsd_loopback_is_read_in_either_byte_order() {
        for family in [[2, 0, 0, 0], [0, 0, 0, 2]] {
            assert!(decode(&frame(LinkType::NULL, &behind(&family))).tcp().is_some(), "{family:?}");
            assert!(decode(&frame(LinkType::LOOP, &behind(&family))).tcp().is_some(), "{family:?}");
        }
        let packet_bytes = behind(&[7, 0, 0, 0]);
        let packet = decode(&frame(LinkType::NULL, &packet_bytes));
        assert_eq!(kinds(&packet), [LayerKind::Null]);
    }

    #[test]
    fn arp_is_a_layer_and_no_ip() {
        let arp = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 10, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2];
        let bytes = [&[0xff; 12][..], &[8, 6], &arp, &[0; 18]].concat();
        let packet = decode(&frame(LinkType::ETHERNET, &bytes));
        assert_eq!(kinds(&packet), [LayerKind::Ethernet, LayerKind::Arp]);
        assert_eq!(packet.layers[1].len, 28);
        assert!(packet.ip.is_none() && packet.defects.is_empty());

        let cut = &bytes[..30];
        let packet = decode(&frame(LinkType::ETHERNET, cut));
        assert_eq!(codes(&packet), [DefectCode::HeaderShort]);
    }

    #[test]
    fn a_link_type_without_reader_is_told_by_its_number() {
        let packet = decode(&frame(LinkType(105), &[0; 60]));
        assert_eq!(codes(&packet), [DefectCode::UnknownLink]);
        assert_eq!(packet.defects[0].found, 105);
        assert!(packet.layers.is_empty() && matches!(packet.transport, Transport::None));
    }

    #[test]
    fn a_header_cut_by_the_snap_length_is_not_a_short_one() {
        let bytes = behind(&[]);
        let short = decode(&frame(LinkType::ETHERNET, &bytes[..10]));
        assert_eq!(codes(&short), [DefectCode::HeaderShort]);
        let mut snapped = frame(LinkType::ETHERNET, &bytes[..10]);
        snapped.meta.origlen = 60;
        let packet = decode(&snapped);
        assert_eq!(codes(&packet), [DefectCode::HeaderCut]);
        assert_eq!((packet.defects[0].found, packet.defects[0].expected), (10, 14));
        assert_eq!(packet.layers[0].len, 10);
    }
}
