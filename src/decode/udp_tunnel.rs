//! Tunnels inside UDP, told by their port: VXLAN, Geneve, GTP-U, L2TP, Teredo, MPLS.
//!
//! RFC 7348 (VXLAN), RFC 8926 (Geneve), 3GPP TS 29.281 §5 (GTP-U), RFC 2661 §3.1, RFC 3931 (L2TP), RFC 4380 §5.1.1 (Teredo),
//! RFC 7510 (MPLS). A port is only a hint: a header that cannot be one leaves the datagram as it is. So does a tunnel
//! without an IP packet in it.

use std::mem;

use crate::decode::ether;
use crate::decode::extent::Extent;
use crate::decode::extent::push;
use crate::decode::ip;
use crate::decode::link;
use crate::decode::mpls;
use crate::decode::tunnel;
use crate::decode::wan;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::OuterTransport;
use crate::packet::Packet;
use crate::packet::Transport;

/// One of the two ports belongs to a tunnel. Wireshark does not look which one either.
pub(super) const fn is_tunnel(src_port: u16, dst_port: u16) -> bool {
    is_port(dst_port) || is_port(src_port)
}

const fn is_port(port: u16) -> bool {
    matches!(port, VXLAN | VXLAN_LINUX | VXLAN_GPE | GENEVE | GTP | L2TP | TEREDO | MPLS)
}

/// Follows the datagram that `packet.transport` holds into the tunnel that is its payload, `extent`.
#[cold]
pub(super) fn read(packet: &mut Packet<'_>, extent: Extent) {
    let Some((protocol, src, dst)) = packet.endpoints() else { return };
    let bytes = extent.captured(packet.bytes);
    let Some(header) = header(dst.port, bytes).or_else(|| header(src.port, bytes)) else { return };
    if header.len > 0 && !push(packet, header.kind, extent.at, header.len) {
        return;
    }
    let (ip, transport) = (packet.ip.take(), mem::replace(&mut packet.transport, Transport::None));
    let is_kept = packet.outer.try_push(OuterTransport { protocol, src, dst }).is_ok();
    let behind = extent.behind(header.len);
    match header.next {
        Next::Ethernet => link::ethernet(packet, behind),
        Next::EtherType(ether_type) => ether::follow(packet, behind, ether_type),
        Next::Ip => link::raw(packet, behind),
        Next::Ipv6 => ip::read_v6(packet, behind),
        Next::Ppp => wan::ppp(packet, behind),
        Next::Mpls => mpls::read(packet, behind),
        Next::Nothing => {}
    }
    if packet.ip.is_none() {
        (packet.ip, packet.transport) = (ip, transport);
        if is_kept {
            packet.outer.pop();
        }
    }
}

/// A tunnel header that was recognised.
struct Header {
    kind: LayerKind,
    len: usize,
    next: Next,
}

/// What stands behind it.
enum Next {
    Ethernet,
    EtherType(EtherType),
    Ip,
    Ipv6,
    Ppp,
    Mpls,
    Nothing,
}

fn header(port: u16, bytes: &[u8]) -> Option<Header> {
    match port {
        VXLAN => vxlan(bytes),
        VXLAN_LINUX => vxlan_of_linux(bytes),
        VXLAN_GPE => vxlan_gpe(bytes),
        GENEVE => geneve(bytes),
        GTP => gtp(bytes),
        L2TP => l2tp(bytes),
        TEREDO => teredo(bytes),
        MPLS => Some(Header { kind: LayerKind::Mpls, len: 0, next: Next::Mpls }),
        _ => None,
    }
}

/// The bit that makes the network identifier valid has to be set.
fn vxlan(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; 8] = bytes.first_chunk()?;
    (header[0] & 0x08 != 0).then_some(Header { kind: LayerKind::Vxlan, len: 8, next: Next::Ethernet })
}

/// The port has other users too, so every reserved bit has to be as Linux sends it.
fn vxlan_of_linux(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; 8] = bytes.first_chunk()?;
    (header[..4] == [0x08, 0, 0, 0] && header[7] == 0).then_some(())?;
    vxlan(bytes)
}

fn vxlan_gpe(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; 8] = bytes.first_chunk()?;
    if header[0] & 0x38 != 0x08 {
        return None;
    }
    // The field is believed without the flag that makes it valid too: some senders leave that out.
    let next = match header[3] {
        0 | 3 => Next::Ethernet,
        1 | 2 => Next::Ip,
        5 => Next::Mpls,
        _ => Next::Nothing,
    };
    Some(Header { kind: LayerKind::Vxlan, len: 8, next })
}

/// Version 0; what the options say is between the tunnel's ends.
fn geneve(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; 8] = bytes.first_chunk()?;
    let len = 8 + usize::from(header[0] & 0x3f) * 4;
    let next = Next::EtherType(EtherType(u16::from_be_bytes([header[2], header[3]])));
    (header[0] >> 6 == 0 && len <= bytes.len()).then_some(Header { kind: LayerKind::Geneve, len, next })
}

/// Version 1; only its message "G-PDU" carries a packet.
fn gtp(bytes: &[u8]) -> Option<Header> {
    let header: &[u8; 8] = bytes.first_chunk()?;
    if header[0] >> 4 != 3 || header[1] != GTP_PDU {
        return None;
    }
    let mut len = if header[0] & 0x07 == 0 { 8 } else { 12 };
    if header[0] & 0x04 != 0 {
        // Each extension ends with the type of the next; its length counts words.
        while *bytes.get(len - 1)? != 0 {
            let words = usize::from(*bytes.get(len)?);
            if words == 0 {
                return None;
            }
            len += words * 4;
        }
    }
    let next = match bytes.get(len)? >> 4 {
        4 | 6 => Next::Ip,
        _ => Next::Nothing,
    };
    Some(Header { kind: LayerKind::Gtp, len, next })
}

/// A data message; control messages set the first bit.
fn l2tp(bytes: &[u8]) -> Option<Header> {
    let [flags, version, ..] = *bytes else { return None };
    if flags & 0x80 != 0 {
        return None;
    }
    match version & 0x0f {
        2 => {}
        // RFC 3931 §4.1.2: behind the version two reserved octets and the session.
        3 => {
            let inside = tunnel::l2tp_v3_inside(bytes.get(L2TP_V3_LEN..)?)?;
            return Some(Header { kind: LayerKind::L2tpv3, len: L2TP_V3_LEN + inside, next: Next::Ethernet });
        }
        _ => return None,
    }
    let mut len = 6;
    if flags & 0x40 != 0 {
        len += 2;
    }
    if flags & 0x08 != 0 {
        len += 4;
    }
    if flags & 0x02 != 0 {
        let offset: &[u8; 2] = bytes.get(len..)?.first_chunk()?;
        len += 2 + usize::from(u16::from_be_bytes(*offset));
    }
    (len <= bytes.len()).then_some(Header { kind: LayerKind::L2tp, len, next: Next::Ppp })
}

/// Indications of authentication and origin, then IPv6.
fn teredo(bytes: &[u8]) -> Option<Header> {
    let mut len = 0;
    if let [0, 1, id, auth, ..] = *bytes {
        len += 4 + usize::from(id) + usize::from(auth) + 9;
    }
    if bytes.get(len..)?.starts_with(&[0, 0]) {
        len += 8;
    }
    (bytes.get(len)? >> 4 == 6).then_some(Header { kind: LayerKind::Teredo, len, next: Next::Ipv6 })
}

const VXLAN: u16 = 4789;
/// What Linux used before there was a number, and flannel does to this day.
const VXLAN_LINUX: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP: u16 = 2152;
const GTP_PDU: u8 = 0xff;
const L2TP: u16 = 1701;
const L2TP_V3_LEN: usize = 8;
const TEREDO: u16 = 3544;
const MPLS: u16 = 6635;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::decoded;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::frame;
    use crate::decode::tests::hex;
    use crate::decode::tests::kinds;
    use crate::decode::tests::last;
    use crate::packet::LinkType;

    /// A datagram to `port` of these octets and behind them a crafted TCP packet, or nothing of the kind.
    fn datagram(ports: (u16, u16), header: &str, inner: &str) -> Vec<u8> {
        let payload = [hex(header), last(&format!("link raw\n{inner}")).1].concat();
        let (src, dst) = ports;
        let script = format!("link raw\nchecksum zero\n0 192.0.2.1:{src} > 192.0.2.2:{dst} udp ({})", payload.len());
        let mut bytes = last(&script).1;
        bytes.truncate(28);
        [bytes, payload].concat()
    }

    #[test]
    fn every_tunnel_is_told_by_its_port_and_header() {
        use LayerKind::*;
        let macs = "00".repeat(12);
        let cases: [(u16, String, &[LayerKind]); 18] = [
            (1701, format!("0003 0000 00000007 0a0b0c0d {macs} 0800"), &[L2tpv3, Ethernet]),
            (4789, format!("0800000000000700 {macs} 0800"), &[Vxlan, Ethernet]),
            (4789, format!("8800001200000700 {macs} 0800"), &[Vxlan, Ethernet]),
            (8472, format!("0800000000000700 {macs} 8100 0005 0800"), &[Vxlan, Ethernet, Vlan]),
            (4790, "0c00000100000700".into(), &[Vxlan]),
            (4790, "0800000100000700".into(), &[Vxlan]),
            (4790, format!("0c00000300000700 {macs} 0800"), &[Vxlan, Ethernet]),
            (6081, "0000080000000700".into(), &[Geneve]),
            (6081, format!("0240655800000700 0102800100000000 {macs} 0800"), &[Geneve, Ethernet]),
            (2152, "30ff002800000007".into(), &[Gtp]),
            (2152, "32ff002c00000007 0001 00 00".into(), &[Gtp]),
            (2152, "34ff003400000007 0000 00 85 01 00 09 c0 02 00 00 00 00 00 00 00".into(), &[Gtp]),
            (1701, "0002 0001 0002 ff03 0021".into(), &[L2tp, Ppp]),
            (1701, "4a02 0038 0001 0002 00010002 0002 0000 0021".into(), &[L2tp, Ppp]),
            (6635, "00010140".into(), &[Mpls]),
            (4789, format!("0800000000000700 {macs} 8847 00010140"), &[Vxlan, Ethernet, Mpls]),
            (4789, format!("0800000000000700 {macs} 8864 1100 0001 002a 0021"), &[Vxlan, Ethernet, Pppoe, Ppp]),
            (6081, format!("0000655800000700 {macs} 88e7 00000001 {macs} 0800"), &[Geneve, Ethernet, Pbb]),
        ];
        for (port, header, between) in cases {
            for ports in [(50_000, port), (port, 50_000)] {
                let bytes = datagram(ports, &header, "0 C > S S 1:1(0)");
                let packet = decode(&frame(LinkType::RAW, &bytes));
                assert_eq!(kinds(&packet), [&[Ipv4, Udp], between, &[Ipv4, Tcp]].concat(), "{header}");
                assert!(packet.defects.is_empty(), "{header}: {:?}", packet.defects);
                let [outer] = packet.outer[..] else { panic!("one header around it: {:?}", packet.outer) };
                assert_eq!((outer.src.port, outer.dst.port, outer.protocol.name()), (ports.0, ports.1, "udp"));
                fields_cover_headers(&packet);
            }
        }
    }

    #[test]
    fn teredo_carries_ipv6_behind_its_indications() {
        let inner = "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n0 A > B S 1:1(0)";
        for (header, shown) in
            [("", false), ("0000 0fff 00000000", true), ("0001 00 00 0102030405060708 00 0000 0fff 00000000", true)]
        {
            let bytes = datagram((50_000, 3544), header, inner);
            let packet = decode(&frame(LinkType::RAW, &bytes));
            assert!(packet.tcp().is_some() && packet.defects.is_empty(), "{header}");
            assert_eq!(kinds(&packet).contains(&LayerKind::Teredo), shown, "{header}");
        }
    }

    #[test]
    fn a_port_alone_makes_no_tunnel() {
        for (port, header) in [
            (4789, "0000000000000700"),
            (8472, "0800000100000700"),
            (6081, "4000080000000700"),
            (6081, "3f00080000000700"),
            (2152, "3001000800000007"),
            (2152, "34ff003400000007 00000085 00"),
            (1701, "c802 0014 0000 0000"),
            (1701, "0003 0000 00000001"),
            (3544, "40"),
        ] {
            let bytes = datagram((50_000, port), header, "0 C > S S 1:1(0)");
            let packet = decode(&frame(LinkType::RAW, &bytes));
            assert_eq!(kinds(&packet), [LayerKind::Ipv4, LayerKind::Udp], "{port}: {header}");
            assert!(packet.udp().is_some() && packet.outer.is_empty(), "{port}: {header}");
        }
    }

    #[test]
    fn a_tunnel_without_ip_in_it_leaves_the_datagram_around_it() {
        let header = format!("0800000000000700 {} 88cc", "00".repeat(12));
        let bytes = datagram((50_000, 4789), &header, "0 C > S S 1:1(0)");
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.udp().expect("the outer datagram").dst_port, 4789);
        assert!(packet.outer.is_empty() && packet.ip.is_some());
    }

    #[test]
    fn a_tunnel_over_ipv6_needs_no_checksum_and_other_datagrams_do() {
        let ends = "A = [2001:db8::1]:1000\nB = [2001:db8::2]";
        for (port, defects) in [(4789, 0), (53, 1)] {
            decoded(&format!("{ends}:{port}\n0 A > B udp (8) checksum zero"), |packet| {
                assert_eq!(packet.defects.len(), defects, "{port}");
            });
        }
    }

    #[test]
    fn the_ends_of_every_tunnel_around_a_packet_are_told_outermost_first() {
        let inner = last("link raw\ntunnel gtp 198.51.100.1 > 198.51.100.2\n0 C > S S 1:1(0)").1;
        let mut bytes = datagram((50_000, 4790), "0c00000100000700", "0 C > S udp (0)");
        bytes.truncate(20 + 8 + 8);
        bytes.extend(inner);
        let total = bytes.len() as u16;
        bytes[2..4].copy_from_slice(&total.to_be_bytes());
        bytes[24..26].copy_from_slice(&(total - 20).to_be_bytes());
        let packet = decode(&frame(LinkType::RAW, &bytes));
        let ports: Vec<_> = packet.outer.iter().map(|outer| outer.dst.to_string()).collect();
        assert_eq!(ports, ["192.0.2.2:4790", "198.51.100.2:2152"]);
        assert!(packet.tcp().is_some());
    }
}
