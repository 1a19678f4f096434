//! What a packet is put into on its way: tunnels, fragments, labels, a PPPoE session.
//!
//! The mirror of `decode`'s tunnel readers and of its reassembly. Outer headers are plain ones: TTL 64, no options, a
//! UDP checksum of 0 (RFC 6935 §5).

use std::net::IpAddr;
use std::net::Ipv6Addr;

use etherparse::IpNumber;
use etherparse::Ipv4Header;
use etherparse::Ipv6FragmentHeader;
use etherparse::Ipv6Header;

use crate::craft::step::Step;
use crate::craft::step::Tunnel;
use crate::craft::step::TunnelKind;

/// `packet` inside `tunnel`; `ethernet` is the header of its frame, for the tunnels that carry frames.
pub(super) fn tunneled(tunnel: &Tunnel, number: u64, ethernet: &[u8], packet: &[u8]) -> Vec<u8> {
    let is_ipv4 = is_ipv4(packet);
    let ether_type: u16 = if is_ipv4 { 0x0800 } else { 0x86dd };
    let [high, low] = ether_type.to_be_bytes();
    let (protocol, header): (u8, Vec<u8>) = match tunnel.kind {
        TunnelKind::IpIp => (if is_ipv4 { 4 } else { 41 }, Vec::new()),
        TunnelKind::Gre => (GRE, vec![0, 0, high, low]),
        // Key and sequence number, and a frame inside.
        TunnelKind::GreTap => {
            let fields = [[0x30, 0, 0x65, 0x58], [0, 0, 0, 7], (number as u32).to_be_bytes()];
            (GRE, [fields.as_flattened(), ethernet].concat())
        }
        TunnelKind::Vxlan => {
            (UDP, [&udp(4789, 8 + ethernet.len() + packet.len())[..], &[8, 0, 0, 0, 0, 0, 7, 0], ethernet].concat())
        }
        // One option of four octets.
        TunnelKind::Geneve => {
            let header = [2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 0x80, 1, 0xde, 0xad, 0xbe, 0xef];
            (UDP, [&udp(6081, header.len() + ethernet.len() + packet.len())[..], &header, ethernet].concat())
        }
        TunnelKind::Gtp => {
            let len = (packet.len() as u16).to_be_bytes();
            (UDP, [&udp(2152, 8 + packet.len())[..], &[0x30, 0xff], &len, &[0, 0, 0, 7]].concat())
        }
    };
    let payload = [&header, packet].concat();
    [ip_header(tunnel, number, protocol, payload.len()), payload].concat()
}

/// The fragments of an IP packet, `most` octets of payload in each but the last. One that fits stays whole.
pub(super) fn split(packet: &[u8], most: u16, number: u64) -> Vec<Vec<u8>> {
    let most = usize::from(most / 8 * 8).max(8);
    let header_len = if is_ipv4(packet) { usize::from(packet[0] & 0x0f) * 4 } else { Ipv6Header::LEN };
    let (header, payload) = packet.split_at(header_len.min(packet.len()));
    if payload.len() <= most {
        return vec![packet.to_vec()];
    }
    let pieces = payload.chunks(most).enumerate();
    let last = payload.len().div_ceil(most) - 1;
    pieces.map(|(index, piece)| fragment(header, piece, index * most / 8, index < last, number)).collect()
}

fn fragment(header: &[u8], piece: &[u8], offset: usize, more: bool, number: u64) -> Vec<u8> {
    let offset = offset as u16;
    if let Ok((mut header, _)) = Ipv4Header::from_slice(header) {
        header.dont_fragment = false;
        header.more_fragments = more;
        header.fragment_offset = offset.try_into().unwrap_or_default();
        header.total_len = (header.header_len() + piece.len()) as u16;
        header.header_checksum = header.calc_header_checksum();
        return [&header.to_bytes()[..], piece].concat();
    }
    let Ok((mut header, _)) = Ipv6Header::from_slice(header) else { return Vec::new() };
    let fragment = Ipv6FragmentHeader {
        next_header: header.next_header,
        fragment_offset: offset.try_into().unwrap_or_default(),
        more_fragments: more,
        identification: number as u32,
    };
    header.next_header = IpNumber::IPV6_FRAGMENTATION_HEADER;
    header.payload_length = (Ipv6FragmentHeader::LEN + piece.len()) as u16;
    [&header.to_bytes()[..], &fragment.to_bytes(), piece].concat()
}

/// The EtherType behind the link layer's own header, and what stands between that and the IP packet.
pub(super) fn below_link(step: &Step, packet: &[u8]) -> (u16, Vec<u8>) {
    let is_ipv4 = is_ipv4(packet);
    let labels: Vec<u8> = (1..)
        .zip(&step.mpls)
        .flat_map(|(depth, label)| {
            let bottom = u32::from(depth == step.mpls.len());
            (label << 12 | bottom << 8 | 64).to_be_bytes()
        })
        .collect();
    let (ether_type, ppp): (u16, u16) = match (step.mpls.is_empty(), is_ipv4) {
        (false, _) => (0x8847, 0x0281),
        (true, true) => (0x0800, 0x0021),
        (true, false) => (0x86dd, 0x0057),
    };
    let Some(session) = step.pppoe else { return (ether_type, labels) };
    let len = (2 + labels.len() + packet.len()) as u16;
    let header = [[0x11, 0], session.to_be_bytes(), len.to_be_bytes(), ppp.to_be_bytes()];
    (0x8864, [header.as_flattened(), &labels].concat())
}

/// The version that a packet says of itself.
pub(super) fn is_ipv4(packet: &[u8]) -> bool {
    packet.first().is_none_or(|first| first >> 4 == 4)
}

fn udp(port: u16, payload: usize) -> [u8; 8] {
    let ([p1, p2], [l1, l2]) = (port.to_be_bytes(), ((8 + payload) as u16).to_be_bytes());
    let [s1, s2] = TUNNEL_PORT.to_be_bytes();
    [s1, s2, p1, p2, l1, l2, 0, 0]
}

fn ip_header(tunnel: &Tunnel, number: u64, protocol: u8, payload: usize) -> Vec<u8> {
    match (tunnel.src, tunnel.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut header = Ipv4Header {
                total_len: (Ipv4Header::MIN_LEN + payload) as u16,
                identification: number as u16,
                time_to_live: 64,
                protocol: IpNumber(protocol),
                source: src.octets(),
                destination: dst.octets(),
                ..Ipv4Header::default()
            };
            header.header_checksum = header.calc_header_checksum();
            header.to_bytes().to_vec()
        }
        (src, dst) => {
            let octets = |addr| match addr {
                IpAddr::V6(addr) => Ipv6Addr::octets(&addr),
                IpAddr::V4(addr) => addr.to_ipv6_mapped().octets(),
            };
            let header = Ipv6Header {
                payload_length: payload as u16,
                next_header: IpNumber(protocol),
                hop_limit: 64,
                source: octets(src),
                destination: octets(dst),
                ..Ipv6Header::default()
            };
            header.to_bytes().to_vec()
        }
    }
}

const UDP: u8 = 17;
const GRE: u8 = 47;
/// A source port that belongs to no tunnel.
const TUNNEL_PORT: u16 = 50_000;
