//! Headers that take stream numbers although no packet of theirs is judged: the UDP headers of outer tunnels, and
//! the headers that ICMP errors quote (RFC 792, RFC 4443).

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::packet::headers::LayerKind;
use crate::packet::headers::Packet;
use crate::packet::headers::Quoted;
use crate::packet::headers::Transport;
use crate::packet::tuple::Endpoint;
use crate::packet::tuple::Protocol;
use crate::packet::tuple::Tuple;

/// UDP headers that carry a tunnel, outermost first. The innermost UDP header is the packet's own and is not among
/// them.
pub(super) fn outer_udp<'p>(packet: &'p Packet<'_>) -> impl Iterator<Item = Tuple> + 'p {
    let own = matches!(packet.transport, Transport::Udp(_));
    let all = packet.layers.iter().filter(|layer| layer.kind == LayerKind::Udp).count();
    let mut ends = None;
    packet
        .layers
        .iter()
        .filter_map(move |layer| {
            let header = packet.bytes.get(layer.offset as usize..)?;
            match layer.kind {
                LayerKind::Ipv4 | LayerKind::Ipv6 => ends = addresses(layer.kind, header),
                LayerKind::Udp => return ends.and_then(|ends| udp(ends, header)),
                _ => {}
            }
            None
        })
        .take(all.saturating_sub(usize::from(own)))
}

/// Octets of payload in a quoted TCP segment, 0 where its header does not end within the quote.
pub(super) fn quoted_len(packet: &Packet<'_>, quoted: &Quoted) -> u32 {
    let header_len = tcp_of_quote(packet).and_then(|tcp| tcp.get(12)).map(|&octet| u32::from(octet >> 4) * 4);
    header_len.and_then(|header_len| quoted.octets.checked_sub(header_len)).unwrap_or(0)
}

fn tcp_of_quote<'a>(packet: &Packet<'a>) -> Option<&'a [u8]> {
    let icmp = packet.layers.iter().rfind(|layer| matches!(layer.kind, LayerKind::Icmp | LayerKind::Icmpv6))?;
    let quote = packet.bytes.get(icmp.offset as usize + ICMP_LEN..)?;
    let header_len = match quote.first()? >> 4 {
        4 => usize::from(quote[0] & 0x0f) * 4,
        // Extension headers in a quote are too rare to walk for the sake of one completeness bit.
        _ => V6_LEN,
    };
    quote.get(header_len..)
}

fn addresses(kind: LayerKind, header: &[u8]) -> Option<(IpAddr, IpAddr)> {
    if kind == LayerKind::Ipv4 {
        let src: [u8; 4] = *header.get(12..)?.first_chunk()?;
        let dst: [u8; 4] = *header.get(16..)?.first_chunk()?;
        return Some((Ipv4Addr::from(src).into(), Ipv4Addr::from(dst).into()));
    }
    let src: [u8; 16] = *header.get(8..)?.first_chunk()?;
    let dst: [u8; 16] = *header.get(24..)?.first_chunk()?;
    Some((Ipv6Addr::from(src).into(), Ipv6Addr::from(dst).into()))
}

fn udp((src, dst): (IpAddr, IpAddr), header: &[u8]) -> Option<Tuple> {
    let &[s1, s2, d1, d2, ..] = header else { return None };
    let src = Endpoint { addr: src, port: u16::from_be_bytes([s1, s2]) };
    let dst = Endpoint { addr: dst, port: u16::from_be_bytes([d1, d2]) };
    Some(Tuple::of(Protocol::Udp, src, dst).0)
}

const ICMP_LEN: usize = 8;
const V6_LEN: usize = 40;
