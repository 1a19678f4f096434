//! Headers that take stream numbers although no packet of theirs is judged: the UDP headers of outer tunnels, and
//! the headers that ICMP errors quote (RFC 792, RFC 4443).

use crate::packet::headers::LayerKind;
use crate::packet::headers::Packet;
use crate::packet::headers::Quoted;
use crate::packet::tuple::Protocol;
use crate::packet::tuple::Tuple;

/// Ethernet directly behind an MPLS label, without control word.
pub(super) fn is_bare_pseudowire(packet: &Packet<'_>) -> bool {
    let kinds = packet.layers.iter().map(|layer| layer.kind);
    kinds.clone().zip(kinds.skip(1)).any(|pair| pair == (LayerKind::Mpls, LayerKind::Ethernet))
}

/// UDP headers that carry a tunnel, outermost first.
pub(super) fn outer_udp<'p>(packet: &'p Packet<'_>) -> impl Iterator<Item = Tuple> + 'p {
    let udp = packet.outer.iter().filter(|outer| outer.protocol == Protocol::Udp);
    udp.map(|outer| Tuple::of(Protocol::Udp, outer.src, outer.dst).0)
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

const ICMP_LEN: usize = 8;
const V6_LEN: usize = 40;
