//! From the frame's first octet to the network layer: which header each link type begins with.
//!
//! Ethernet, cooked captures, BSD loopback and raw IP are read here; the rest have rooms of their own. A link type
//! without reader is a defect that names its number: the frame still counts.

use etherparse::Ethernet2HeaderSlice;

use crate::decode::ether;
use crate::decode::ether::follow;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::host;
use crate::decode::ip;
use crate::decode::lan;
use crate::decode::wan;
use crate::decode::wlan;
use crate::packet::DefectCode;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::LinkType;
use crate::packet::Packet;

/// Reads the frame from its first octet.
pub(super) fn read(packet: &mut Packet<'_>) {
    let frame = Extent::of_frame(packet);
    read_as(packet, frame, packet.meta.link_type);
}

/// Reads `extent` as a frame of `link_type`.
pub(super) fn read_as(packet: &mut Packet<'_>, extent: Extent, link_type: LinkType) {
    match link_type {
        LinkType::ETHERNET => ethernet(packet, extent),
        LinkType::LINUX_SLL => sll(packet, extent),
        LinkType::LINUX_SLL2 => sll2(packet, extent),
        LinkType::NULL | LinkType::LOOP => null(packet, extent),
        LinkType::RAW | LinkType::RAW_DLT | LinkType::RAW_OPENBSD => raw(packet, extent),
        LinkType::IPV4 => ip::read_v4(packet, extent),
        LinkType::IPV6 => ip::read_v6(packet, extent),
        other => rarer(packet, extent, other),
    }
}

#[cold]
fn rarer(packet: &mut Packet<'_>, extent: Extent, link_type: LinkType) {
    match link_type {
        LinkType::PPP | LinkType::PPP_HDLC => wan::serial(packet, extent),
        LinkType::PPP_PPPD | LinkType::PPP_WITH_DIR => wan::ppp_with_direction(packet, extent),
        LinkType::PPP_ETHER => wan::pppoe(packet, extent),
        LinkType::C_HDLC => wan::chdlc(packet, extent),
        LinkType::FRELAY => wan::frame_relay(packet, extent),
        LinkType::SLIP => wan::slip(packet, extent),
        LinkType::ATM_RFC1483 => ether::llc(packet, extent),
        LinkType::FDDI => lan::fddi(packet, extent),
        LinkType::TOKEN_RING => lan::token_ring(packet, extent),
        LinkType::ARCNET_BSD => lan::arcnet(packet, extent, lan::Arcnet::Bsd),
        LinkType::ARCNET_LINUX => lan::arcnet(packet, extent, lan::Arcnet::Linux),
        LinkType::IPOIB => lan::ipoib(packet, extent),
        LinkType::IP_OVER_FC => lan::fibre_channel(packet, extent),
        LinkType::DSA_TAG_BRCM | LinkType::DSA_TAG_DSA => lan::switch_tag(packet, extent, 4),
        LinkType::DSA_TAG_EDSA => lan::switch_tag(packet, extent, 8),
        LinkType::DSA_TAG_BRCM_PREPEND | LinkType::NETANALYZER => lan::preamble(packet, extent, 4),
        LinkType::ETHERNET_MPACKET => lan::preamble(packet, extent, 8),
        LinkType::IEEE802_11 => wlan::frame(packet, extent, wlan::Radio::default()),
        LinkType::IEEE802_11_RADIOTAP => wlan::radiotap(packet, extent),
        LinkType::IEEE802_11_PRISM | LinkType::IEEE802_11_AVS => wlan::prism(packet, extent),
        LinkType::PPI => host::ppi(packet, extent),
        LinkType::NFLOG => host::nflog(packet, extent),
        LinkType::PKTAP => host::pktap(packet, extent),
        LinkType::PFLOG => host::pflog(packet, extent),
        LinkType::ENC => host::enc(packet, extent),
        LinkType::JUNIPER_ETHER => host::juniper(packet, extent),
        LinkType(other) => note(packet, DefectCode::UnknownLink, LayerKind::Frame, extent.at, u32::from(other), 0),
    }
}

/// Ethernet II, or 802.3 whose field is the length of an LLC frame (IEEE 802.3 §3.2.6).
pub(super) fn ethernet(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Ethernet, extent, ETHERNET_LEN) else { return };
    let Ok(header) = Ethernet2HeaderSlice::from_slice(bytes) else { return };
    if push(packet, LayerKind::Ethernet, extent.at, ETHERNET_LEN) {
        ether::type_or_length(packet, extent.behind(ETHERNET_LEN), EtherType(header.ether_type().0));
    }
}

/// Linux cooked capture. Its protocol field is an EtherType for all hardware whose frames can carry IP;
/// etherparse's own reader refuses hardware that it has no name for, so the field is read here.
fn sll(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Sll, extent, SLL_LEN) else { return };
    let protocol = u16::from_be_bytes([bytes[14], bytes[15]]);
    cooked(packet, LayerKind::Sll, extent, SLL_LEN, protocol);
}

fn sll2(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Sll2, extent, SLL2_LEN) else { return };
    let protocol = u16::from_be_bytes([bytes[0], bytes[1]]);
    cooked(packet, LayerKind::Sll2, extent, SLL2_LEN, protocol);
}

fn cooked(packet: &mut Packet<'_>, kind: LayerKind, extent: Extent, len: usize, protocol: u16) {
    if !push(packet, kind, extent.at, len) {
        return;
    }
    match protocol {
        COOKED_LLC => ether::llc(packet, extent.behind(len)),
        protocol => follow(packet, extent.behind(len), EtherType(protocol)),
    }
}

/// The family is written in the capturing host's byte order, which the file does not tell: families are small
/// numbers, so the reading that is small is right.
fn null(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Null, extent, NULL_LEN) else { return };
    let family = null_family([bytes[0], bytes[1], bytes[2], bytes[3]]);
    if push(packet, LayerKind::Null, extent.at, NULL_LEN) {
        of_family(packet, extent.behind(NULL_LEN), family);
    }
}

/// Reads what a BSD or Linux address family stands for. AppleTalk, IPX, ISO: nothing of ours.
pub(super) fn of_family(packet: &mut Packet<'_>, extent: Extent, family: u32) {
    match family {
        2 => ip::read_v4(packet, extent),
        family if FAMILY_IPV6.contains(&family) => ip::read_v6(packet, extent),
        _ => {}
    }
}

/// The address family of a BSD loopback header, either byte order.
pub(super) fn null_family(field: [u8; 4]) -> u32 {
    u32::from_be_bytes(field).min(u32::from_le_bytes(field))
}

/// IP of the version that it says; what says neither is held against IPv4.
pub(super) fn raw(packet: &mut Packet<'_>, extent: Extent) {
    match extent.captured(packet.bytes).first().map(|first| first >> 4) {
        Some(6) => ip::read_v6(packet, extent),
        _ => ip::read_v4(packet, extent),
    }
}

/// Ethernet II or 802.3, without tags.
pub(super) const ETHERNET_LEN: usize = 14;
const SLL_LEN: usize = 16;
const SLL2_LEN: usize = 20;
const NULL_LEN: usize = 4;
/// Protocol number of a cooked capture for frames that begin with LLC.
const COOKED_LLC: u16 = 4;
/// AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS.
const FAMILY_IPV6: [u32; 5] = [10, 23, 24, 28, 30];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::frame;
    use crate::decode::tests::hex;
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
        assert_eq!(kinds(&packet), [LayerKind::Ethernet, LayerKind::Llc, LayerKind::Ipv4, LayerKind::Tcp]);
        assert_eq!(packet.layers[1].len, 8);

        let spanning_tree = [0, 38, 0x42, 0x42, 3, 0, 0, 0, 8, 0];
        let bytes = behind(&[&[0; 12][..], &spanning_tree].concat());
        let packet = decode(&frame(LinkType::ETHERNET, &bytes));
        assert_eq!(kinds(&packet), [LayerKind::Ethernet, LayerKind::Llc]);
        assert!(matches!(packet.transport, Transport::None) && packet.defects.is_empty());
    }

    #[test]
    fn every_link_type_of_the_rarer_kind_leads_to_the_same_segment() {
        use LayerKind::*;
        let llc = "aaaa03 000000 0800";
        let cases: &[(u16, String, &[LayerKind])] = &[
            (9, "0021".into(), &[Ppp]),
            (9, "ff03 0021".into(), &[Ppp]),
            (9, "21".into(), &[Ppp]),
            (50, "0f00 0800".into(), &[Chdlc]),
            (50, "ff03 0281 00010140".into(), &[Ppp, Mpls]),
            (51, "1100 0007 002a 0021".into(), &[Pppoe, Ppp]),
            (166, "0003 0021".into(), &[Ppp]),
            (204, "01 ff03 0021".into(), &[Ppp]),
            (204, "01 0021".into(), &[Ppp]),
            (104, "8f00 0800".into(), &[Chdlc]),
            (107, "1861 03cc".into(), &[FrameRelay]),
            (107, "1861 0800".into(), &[FrameRelay]),
            (107, "1861 03 00 80 000000 0800".into(), &[FrameRelay]),
            (8, "00".repeat(16), &[Slip]),
            (100, llc.into(), &[Llc]),
            (100, "fefe03cc".into(), &[Llc]),
            (10, format!("50 000000000001 000000000002 {llc}"), &[Fddi, Llc]),
            (6, format!("1040 000000000001 000000000002 {llc}"), &[TokenRing, Llc]),
            (6, format!("1040 000000000001 800000000002 0450 0011 {llc}"), &[TokenRing, Llc]),
            (7, "be50 f0".into(), &[Arcnet]),
            (129, "be50 ab08 d4 00 0001".into(), &[Arcnet]),
            (242, format!("{} 0800 0000", "00".repeat(40)), &[Ipoib]),
            (122, format!("{} {llc}", "00".repeat(16)), &[FibreChannel, Llc]),
            (281, format!("{} 00002000 0800", "00".repeat(12)), &[SwitchTag]),
            (285, format!("{} dada 0000 c0000000 0800", "00".repeat(12)), &[SwitchTag]),
            (282, format!("00002000 {} 0800", "00".repeat(12)), &[Preamble, Ethernet]),
            (274, format!("55555555555555d5 {} 0800", "00".repeat(12)), &[Preamble, Ethernet]),
            (105, format!("0801 0000 {} 0000 {llc}", "00".repeat(18)), &[Wlan, Llc]),
            (105, format!("8803 0000 {} 0000 {} 0000 {llc}", "00".repeat(18), "00".repeat(6)), &[Wlan, Llc]),
            (
                105,
                format!("8801 0000 {} 0000 8000 {} 0030 {llc}", "00".repeat(18), "00".repeat(12)),
                &[Wlan, Amsdu, Llc],
            ),
            (
                127,
                format!("0000 0a00 02000000 20 00 8801 0000 {} 0000 0000 0000 {llc}", "00".repeat(18)),
                &[Radiotap, Wlan, Llc],
            ),
            (
                119,
                format!("44000000 10000000 {} 0801 0000 {} 0000 {llc}", "00".repeat(8), "00".repeat(18)),
                &[Prism, Wlan, Llc],
            ),
            (192, format!("0000 0800 69000000 0801 0000 {} 0000 {llc}", "00".repeat(18)), &[Ppi, Wlan, Llc]),
            (192, format!("0000 0800 01000000 {} 0800", "00".repeat(12)), &[Ppi, Ethernet]),
            (239, "0200 0028 0800 0100 00000316 2c00 0900".into(), &[Nflog]),
            (258, format!("0c000000 01000000 01000000 {} 0800", "00".repeat(12)), &[Pktap, Ethernet]),
            (117, "3d02 0000".to_owned() + &"00".repeat(60), &[Pflog]),
            (109, "02000000 00000001 00000000".into(), &[Enc]),
            (178, format!("4d474380 0002 0101 {} 0800", "00".repeat(12)), &[Juniper, Ethernet]),
        ];
        for (link_type, header, expected) in cases {
            let bytes = behind(&hex(header));
            let packet = decode(&frame(LinkType(*link_type), &bytes));
            assert_eq!(kinds(&packet), [expected, &[Ipv4, Tcp][..]].concat(), "{link_type}: {header}");
            assert!(packet.tcp().is_some() && packet.defects.is_empty(), "{link_type}: {:?}", packet.defects);
            fields_cover_headers(&packet);
        }
    }

    #[test]
    fn every_ether_type_between_ethernet_and_ip_is_stepped_over() {
        use LayerKind::*;
        let macs = "00".repeat(12);
        for (header, expected) in [
            ("8864 1100 0007 002a 0021".to_owned(), &[Pppoe, Ppp][..]),
            ("8847 00010140".into(), &[Mpls]),
            ("8847 00010040 00011140".into(), &[Mpls]),
            (format!("8847 00010140 00000000 {macs} 0800"), &[Mpls, ControlWord, Ethernet]),
            (format!("8847 00010140 {macs} 0800"), &[Mpls, Ethernet]),
            (format!("8847 00010140 45{} 0800", "00".repeat(11)), &[Mpls, Ethernet]),
            (format!("88e7 00000001 {macs} 0800"), &[Pbb]),
            ("88e5 0000 00000001 0800".into(), &[Macsec]),
            ("88e5 2000 00000001 0000000000000001 0800".into(), &[Macsec]),
            (format!("8903 0820 {macs} 0800"), &[FabricPath, Ethernet]),
            ("0033 aaaa03 0000f8 0800".into(), &[Llc]),
        ] {
            let bytes = behind(&hex(&format!("{macs} {header}")));
            let packet = decode(&frame(LinkType::ETHERNET, &bytes));
            assert_eq!(kinds(&packet), [&[Ethernet], expected, &[Ipv4, Tcp]].concat(), "{header}");
            assert!(packet.tcp().is_some() && packet.defects.is_empty(), "{header}: {:?}", packet.defects);
            fields_cover_headers(&packet);
        }
    }

    #[test]
    fn what_is_encrypted_or_carries_no_data_is_left_alone() {
        let macs = "00".repeat(12);
        for (link_type, header) in [
            (1, format!("{macs} 88e5 0c00 00000001 0800")),
            (105, format!("0841 0000 {} 0000 aaaa03 000000 0800", "00".repeat(18))),
            (105, format!("4801 0000 {} 0000 aaaa03 000000 0800", "00".repeat(18))),
            (105, format!("8000 0000 {} 0000 aaaa03 000000 0800", "00".repeat(18))),
            (10, "c0 000000000001 000000000002 aaaa03 000000 0800".into()),
            (129, "be50 ab08 d4 01 0001".into()),
            (9, "c021".into()),
            (8, format!("0080{}", "00".repeat(14))),
        ] {
            let bytes = behind(&hex(&header));
            let packet = decode(&frame(LinkType(link_type), &bytes));
            assert!(packet.ip.is_none() && packet.defects.is_empty(), "{header}: {packet:?}");
        }
    }

    #[test]
    fn a_check_sequence_behind_the_frame_is_no_part_of_it() {
        let body = format!("0801 0000 {} 0000 aaaa03 000000 0800", "00".repeat(18));
        for (link_type, radio) in [
            (127, "0000 0900 02000000 10"),
            (192, "0000 2000 69000000 0200 1400 0000000000000000 0100 000000000000000000 00"),
        ] {
            let mut bytes = behind(&hex(&format!("{radio} {body}")));
            // An IP length of zero makes the frame's own length count.
            let ip = bytes.len() - 40;
            bytes[ip + 2..ip + 4].copy_from_slice(&[0, 0]);
            bytes.extend([1, 2, 3, 4]);
            let packet = decode(&frame(LinkType(link_type), &bytes));
            assert_eq!(packet.tcp().expect("a segment").len, 0, "{link_type}");
        }
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
        let packet = decode(&frame(LinkType(187), &[0; 60]));
        assert_eq!(codes(&packet), [DefectCode::UnknownLink]);
        assert_eq!(packet.defects[0].found, 187);
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
