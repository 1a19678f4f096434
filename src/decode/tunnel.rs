//! Tunnels that are an IP protocol of their own: IP in IP, GRE in all its uses, EtherIP, MPLS in IP, L2TPv3.
//!
//! RFC 2003 and 4213 (IP in IP), RFC 2784 and 2890 (GRE), RFC 2637 (its version 1, with PPP), RFC 7637 (NVGRE),
//! RFC 3378 (EtherIP), RFC 4023 (MPLS in IP), RFC 3931 (L2TPv3). ERSPAN and EoIP follow what their makers' devices send.
//! Whatever is found inside replaces what was found outside: the innermost packet is the one that counts.

use crate::decode::checksum;
use crate::decode::ether;
use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::ip;
use crate::decode::ip::Carried;
use crate::decode::link;
use crate::decode::mpls;
use crate::decode::wlan;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Reads what `carried` tunnels, if its protocol is a tunnel. Of a fragment, the inside is not all there.
#[cold]
pub(super) fn read(packet: &mut Packet<'_>, carried: &Carried) {
    let extent = carried.extent;
    if carried.ip.is_fragment() {
        return;
    }
    match carried.ip.protocol {
        IPV4 => ip::read_v4(packet, extent),
        IPV6 => ip::read_v6(packet, extent),
        GRE => gre(packet, extent),
        ETHER_IP => ether_ip(packet, extent),
        MPLS => mpls::read(packet, extent),
        L2TP_V3 => l2tp_v3(packet, extent),
        _ => {}
    }
}

fn ether_ip(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::EtherIp, extent, ETHER_IP_LEN) else { return };
    let is_known = bytes[0] >> 4 == 3;
    if push(packet, LayerKind::EtherIp, extent.at, ETHER_IP_LEN) && is_known {
        link::ethernet(packet, extent.behind(ETHER_IP_LEN));
    }
}

fn gre(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Gre, extent, GRE_LEN) else { return };
    let (flags, protocol) = (u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]]));
    if (flags, protocol) == (EOIP_FLAGS, EOIP) {
        return eoip(packet, extent);
    }
    let len = gre_len(flags);
    let Some(bytes) = require(packet, LayerKind::Gre, extent, len) else { return };
    // Version 1 tells the length of its payload in the upper half of the key.
    let declared = if flags & GRE_VERSION == 1 && flags & GRE_KEY != 0 {
        usize::from(u16::from_be_bytes([bytes[4], bytes[5]]))
    } else {
        usize::MAX
    };
    // Source routes are no more (RFC 2784 §2.3), and where they end is not told by the flags.
    if !push(packet, LayerKind::Gre, extent.at, len) || flags & GRE_ROUTING != 0 || declared == 0 {
        return;
    }
    let behind = extent.behind(len).first(declared);
    match (protocol, flags & GRE_VERSION) {
        (ERSPAN, 0) if flags & GRE_SEQUENCE == 0 => link::ethernet(packet, behind),
        (ERSPAN, 0) => erspan(packet, behind, ERSPAN_II_LEN),
        (ERSPAN_III, 0) => erspan(packet, behind, ERSPAN_III_LEN),
        (WCCP, 0) => wccp(packet, behind),
        (ARUBA_FIRST..=ARUBA_LAST, 0) => wlan::frame(packet, behind, wlan::Radio::default()),
        (other, 0 | 1) => ether::follow(packet, behind, EtherType(other)),
        _ => {}
    }
}

/// Octets of a GRE header by its flags (RFC 2784 §2, RFC 2890 §2, RFC 2637 §4.1).
pub(super) const fn gre_len(flags: u16) -> usize {
    let mut len = GRE_LEN;
    if flags & (GRE_CHECKSUM | GRE_ROUTING) != 0 {
        len += 4;
    }
    if flags & GRE_KEY != 0 {
        len += 4;
    }
    if flags & GRE_SEQUENCE != 0 {
        len += 4;
    }
    if flags & GRE_VERSION == 1 && flags & GRE_ACK != 0 {
        len += 4;
    }
    len
}

/// MikroTik's: the length of the frame and the tunnel's number stand where the key would.
fn eoip(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::Eoip, extent, EOIP_LEN) else { return };
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    // An empty one keeps the tunnel alive.
    if push(packet, LayerKind::Eoip, extent.at, EOIP_LEN) && length != 0 {
        link::ethernet(packet, extent.behind(EOIP_LEN).first(length));
    }
}

/// Types II and III; of the latter, a platform's own eight octets where the last bit says so.
fn erspan(packet: &mut Packet<'_>, extent: Extent, fixed: usize) {
    let Some(bytes) = require(packet, LayerKind::Erspan, extent, fixed) else { return };
    let len = if fixed == ERSPAN_III_LEN && bytes[fixed - 1] & 1 == 1 { fixed + 8 } else { fixed };
    if require(packet, LayerKind::Erspan, extent, len).is_some() && push(packet, LayerKind::Erspan, extent.at, len) {
        link::ethernet(packet, extent.behind(len));
    }
}

/// The second version has a header of its own before IP, the first has none.
fn wccp(packet: &mut Packet<'_>, extent: Extent) {
    let has_header = extent.captured(packet.bytes).first().is_some_and(|first| first >> 4 != 4);
    if !has_header {
        ip::read_v4(packet, extent);
    } else if require(packet, LayerKind::Wccp, extent, WCCP_LEN).is_some()
        && push(packet, LayerKind::Wccp, extent.at, WCCP_LEN)
    {
        ip::read_v4(packet, extent.behind(WCCP_LEN));
    }
}

/// RFC 3931 §4.1.1. A session of 0 is control.
fn l2tp_v3(packet: &mut Packet<'_>, extent: Extent) {
    let Some(bytes) = require(packet, LayerKind::L2tpv3, extent, L2TP_V3_LEN) else { return };
    let is_data = bytes[..L2TP_V3_LEN] != [0; L2TP_V3_LEN];
    let inside = l2tp_v3_inside(&bytes[L2TP_V3_LEN..]).filter(|_| is_data);
    let len = L2TP_V3_LEN + inside.unwrap_or(0);
    if push(packet, LayerKind::L2tpv3, extent.at, len) && inside.is_some() {
        link::ethernet(packet, extent.behind(len));
    }
}

/// Octets of cookie (0, 4 or 8) and sublayer (0 or 4) before an Ethernet frame. No header tells them, the ends agree by
/// other means (RFC 3931 §4.1.1, RFC 4719 §3): so they are believed where what follows can be nothing else.
pub(super) fn l2tp_v3_inside(behind: &[u8]) -> Option<usize> {
    [0, 4, 8, 12].into_iter().find(|&len| behind.get(len..).is_some_and(is_ethernet_for_sure))
}

/// The type says IPv4 and the header's sum fits; or IPv6 or ARP, and the first fields do.
fn is_ethernet_for_sure(bytes: &[u8]) -> bool {
    let Some((_, mut rest)) = bytes.split_at_checked(12) else { return false };
    if let [0x81, 0, _, _, tagged @ ..] = rest {
        rest = tagged;
    }
    match *rest {
        [0x08, 0, first @ 0x45..=0x4f, ..] => {
            let header = rest.get(2..2 + usize::from(first & 0x0f) * 4);
            header.is_some_and(|header| checksum::Sum::of(header).fold() == 0xffff)
        }
        [0x86, 0xdd, 0x60..=0x6f, ..] => rest.len() >= 2 + 40,
        [0x08, 6, 0, 1, 8, 0, 6, 4, ..] => true,
        _ => false,
    }
}

const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const ETHER_IP: u8 = 97;
const MPLS: u8 = 137;
const L2TP_V3: u8 = 115;
const L2TP_V3_LEN: usize = 4;

const ETHER_IP_LEN: usize = 2;

const GRE_LEN: usize = 4;
const GRE_CHECKSUM: u16 = 0x8000;
const GRE_ROUTING: u16 = 0x4000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQUENCE: u16 = 0x1000;
const GRE_ACK: u16 = 0x0080;
const GRE_VERSION: u16 = 0x0007;

const EOIP: u16 = 0x6400;
const EOIP_FLAGS: u16 = 0x2001;
const EOIP_LEN: usize = 8;
const ERSPAN: u16 = 0x88be;
const ERSPAN_III: u16 = 0x22eb;
const ERSPAN_II_LEN: usize = 8;
const ERSPAN_III_LEN: usize = 12;
const WCCP: u16 = 0x883e;
const WCCP_LEN: usize = 4;
/// Aruba's access points tunnel 802.11 frames under the numbers of their traffic classes.
const ARUBA_FIRST: u16 = 0x8200;
const ARUBA_LAST: u16 = 0x82ff;

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
    use crate::packet::DefectCode;
    use crate::packet::LinkType;
    use crate::packet::Transport;
    use crate::packet::headers::MAX_LAYERS;

    const LINE: &str = "0 C > S S 1:1(0)";

    /// An IPv4 header of this protocol and these octets, and behind them a crafted IP packet.
    fn carrying(protocol: u8, header: &str) -> Vec<u8> {
        let payload = [hex(header), last(&format!("link raw\n{LINE}")).1].concat();
        let mut bytes = last("link raw\n0 1.1.1.1:0 > 2.2.2.2:0 udp (0)").1[..20].to_vec();
        let total = (20 + payload.len()) as u16;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes[9] = protocol;
        // A header sum of zero is left for the card.
        bytes[10..12].copy_from_slice(&[0, 0]);
        [bytes, payload].concat()
    }

    #[test]
    fn every_crafted_tunnel_leads_to_the_packet_inside() {
        use LayerKind::*;
        let cases: [(&str, &[LayerKind]); 6] = [
            ("ipip", &[]),
            ("gre", &[Gre]),
            ("gretap", &[Gre, Ethernet]),
            ("vxlan", &[Udp, Vxlan, Ethernet]),
            ("geneve", &[Udp, Geneve, Ethernet]),
            ("gtp", &[Udp, Gtp]),
        ];
        for (tunnel, between) in cases {
            for (ends, version) in [("192.0.2.1 > 192.0.2.2", Ipv4), ("[2001:db8::1] > [2001:db8::2]", Ipv6)] {
                for link in ["raw", "ethernet", "null"] {
                    decoded(&format!("link {link}\ntunnel {tunnel} {ends}\n{LINE}"), |packet| {
                        let expected = [&[version], between, &[Ipv4, Tcp]].concat();
                        let from = usize::from(link != "raw");
                        assert_eq!(kinds(packet)[from..], expected, "{tunnel}");
                        assert!(packet.defects.is_empty(), "{tunnel}: {:?}", packet.defects);
                        let (_, src, dst) = packet.endpoints().expect("ports");
                        assert_eq!((src.to_string(), dst.to_string()), ("10.0.0.1:40000".into(), "10.0.0.2:80".into()));
                        assert_eq!(packet.outer.len(), usize::from(between.contains(&Udp)));
                    });
                }
            }
        }
    }

    #[test]
    fn every_form_of_gre_is_followed() {
        use LayerKind::*;
        let macs = "00".repeat(12);
        let cases: [(u8, String, &[LayerKind]); 16] = [
            (115, format!("00000007 {macs} 0800"), &[L2tpv3, Ethernet]),
            (115, format!("00000007 0a0b0c0d {macs} 0800"), &[L2tpv3, Ethernet]),
            (115, format!("00000007 0a0b0c0d01020304 40000001 {macs} 8100 0005 0800"), &[L2tpv3, Ethernet, Vlan]),
            (47, "0000 0800".into(), &[Gre]),
            (47, "8000 0800 12340000".into(), &[Gre]),
            (47, "b000 0800 12340000 00000007 00000001".into(), &[Gre]),
            (47, "3081 880b 002c 0001 00000001 00000001 ff03 0021".into(), &[Gre, Ppp]),
            (47, format!("2000 6558 00000700 {macs} 0800"), &[Gre, Ethernet]),
            (47, "0000 8847 00010140".into(), &[Gre, Mpls]),
            (47, format!("0000 88be {macs} 0800"), &[Gre, Ethernet]),
            (47, format!("1000 88be 00000001 1001000700000000 {macs} 0800"), &[Gre, Erspan, Ethernet]),
            (
                47,
                format!("1000 22eb 00000001 200100070000000000000001 {} {macs} 0800", "00".repeat(8)),
                &[Gre, Erspan, Ethernet],
            ),
            (47, format!("2001 6400 0036 0700 {macs} 0800"), &[Eoip, Ethernet]),
            (47, "0000 883e 01020304".into(), &[Gre, Wccp]),
            (47, format!("0000 8200 0801 0000 {} 0000 aaaa03 000000 0800", "00".repeat(18)), &[Gre, Wlan, Llc]),
            (97, format!("3000 {macs} 0800"), &[EtherIp, Ethernet]),
        ];
        for (protocol, header, between) in cases {
            let bytes = carrying(protocol, &header);
            let packet = decode(&frame(LinkType::RAW, &bytes));
            assert_eq!(kinds(&packet), [&[Ipv4], between, &[Ipv4, Tcp]].concat(), "{header}");
            assert!(packet.defects.is_empty(), "{header}: {:?}", packet.defects);
            fields_cover_headers(&packet);
        }
    }

    #[test]
    fn what_a_tunnel_without_packet_says_of_the_outer_one_stays() {
        for (protocol, header) in [
            (47, "0000 0000"),
            (47, "4000 0800 00000000"),
            (47, "0002 0800"),
            (97, "4000"),
            (115, "00000000 c8030014"),
            (115, "00000007 0a0b0c0d"),
        ] {
            let bytes = carrying(protocol, header);
            let packet = decode(&frame(LinkType::RAW, &bytes));
            let ip = packet.ip.expect("the outer header");
            assert_eq!((ip.protocol, ip.src.to_string()), (protocol, "1.1.1.1".to_owned()), "{header}");
            assert!(matches!(packet.transport, Transport::Other), "{header}");
        }
    }

    #[test]
    fn a_tunnel_header_past_the_packet_is_short() {
        let mut bytes = carrying(47, "b000 0800");
        bytes.truncate(28);
        bytes[3] = 28;
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(codes(&packet), [DefectCode::HeaderShort]);
        assert_eq!((packet.defects[0].found, packet.defects[0].expected), (8, 16));
    }

    #[test]
    fn tunnels_in_tunnels_end_where_layers_end() {
        let outer = |inner: &[u8]| {
            let mut bytes = carrying(4, "")[..20].to_vec();
            bytes[2..4].copy_from_slice(&((20 + inner.len()) as u16).to_be_bytes());
            [&bytes, inner].concat()
        };
        let nested = |depth: usize| (0..depth).fold(last(&format!("link raw\n{LINE}")).1, |inner, _| outer(&inner));
        let bytes = nested(MAX_LAYERS - 2);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert!(packet.tcp().is_some() && packet.defects.is_empty());
        let bytes = nested(64);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!((packet.layers.len(), codes(&packet)), (MAX_LAYERS, vec![DefectCode::LayerDepth]));
    }

    #[test]
    fn the_first_fragment_of_a_tunnel_packet_is_not_followed() {
        let mut bytes = carrying(4, "");
        bytes[6] = 0x20;
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(kinds(&packet), [LayerKind::Ipv4]);
        assert!(packet.ip.expect("IP").is_fragment());
    }
}
