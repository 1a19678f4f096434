//! Header fields → bytes.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use etherparse::IpNumber;
use etherparse::Ipv4Header;
use etherparse::Ipv6FlowLabel;
use etherparse::Ipv6FragmentHeader;
use etherparse::Ipv6Header;
use etherparse::checksum::Sum16BitWords;

use crate::craft::step::Body;
use crate::craft::step::ChecksumField;
use crate::craft::step::Datagram;
use crate::craft::step::IcmpKind;
use crate::craft::step::Link;
use crate::craft::step::Message;
use crate::craft::step::Segment;
use crate::craft::step::Step;
use crate::craft::wrap;

/// The IP packet of `step`. `number` is its place in the trace, `quoted` the IP packet that an ICMP error quotes.
pub fn ip_packet(step: &Step, number: u64, quoted: &[u8]) -> Vec<u8> {
    let (protocol, transport) = transport(step, quoted);
    let mut bytes = match (step.src.addr, step.dst.addr) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => ipv4(step, number, src, dst, protocol, transport.len()),
        (src, dst) => ipv6(step, number, as_v6(src), as_v6(dst), protocol, transport.len()),
    };
    bytes.extend(transport);
    bytes
}

/// The frames of `step`: one, or as many as its packet has fragments, in its tunnel where it has one.
pub fn frames(step: &Step, link: Link, number: u64, ip_packet: &[u8]) -> Vec<Vec<u8>> {
    let outer = step.tunnel.as_ref().map(|tunnel| {
        let ether_type = if wrap::is_ipv4(ip_packet) { 0x0800 } else { 0x86dd };
        wrap::tunneled(tunnel, number, &link_header(step, Link::Ethernet, ether_type), ip_packet)
    });
    let packet = outer.as_deref().unwrap_or(ip_packet);
    match step.split {
        Some(most) => wrap::split(packet, most, number).iter().map(|part| frame(step, link, part)).collect(),
        None => vec![frame(step, link, packet)],
    }
}

/// The frame around an IP packet.
pub fn frame(step: &Step, link: Link, ip_packet: &[u8]) -> Vec<u8> {
    let (ether_type, between) = wrap::below_link(step, ip_packet);
    let tags: Vec<u8> = step
        .vlans
        .iter()
        .enumerate()
        .flat_map(|(depth, id)| {
            let inner = if depth + 1 == step.vlans.len() { ether_type } else { VLAN };
            [id.to_be_bytes(), inner.to_be_bytes()].concat()
        })
        .collect();
    let first = if step.vlans.is_empty() { ether_type } else { VLAN };
    let mut bytes = match link {
        Link::Null => null_family(ip_packet).to_le_bytes().to_vec(),
        Link::Loop => null_family(ip_packet).to_be_bytes().to_vec(),
        _ => link_header(step, link, first),
    };
    if !matches!(link, Link::Raw | Link::Null | Link::Loop) {
        bytes.extend(tags);
        bytes.extend(between);
    }
    bytes.extend(ip_packet);
    bytes.extend(std::iter::repeat_n(0, usize::from(step.trailer)));
    bytes
}

fn link_header(step: &Step, link: Link, protocol: u16) -> Vec<u8> {
    let [high, low] = protocol.to_be_bytes();
    let (src, dst) = (mac(step.src.addr), mac(step.dst.addr));
    match link {
        Link::Raw | Link::Null | Link::Loop => Vec::new(),
        Link::Ethernet => [&dst[..], &src, &[high, low]].concat(),
        // Sent to us (0), Ethernet hardware (1), six octets of address.
        Link::Sll => [&[0, 0, 0, 1, 0, 6][..], &src, &[0, 0, high, low]].concat(),
        Link::Sll2 => [&[high, low, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6][..], &src, &[0, 0]].concat(),
    }
}

/// AF_INET, and AF_INET6 as FreeBSD numbers it.
fn null_family(ip_packet: &[u8]) -> u32 {
    if wrap::is_ipv4(ip_packet) { 2 } else { 28 }
}

/// A locally administered address that ends in the IP address's last four octets.
fn mac(addr: IpAddr) -> [u8; 6] {
    let [.., a, b, c, d] = as_v6(addr).octets();
    [2, 0, a, b, c, d]
}

fn as_v6(addr: IpAddr) -> Ipv6Addr {
    match addr {
        IpAddr::V4(addr) => addr.to_ipv6_mapped(),
        IpAddr::V6(addr) => addr,
    }
}

fn ipv4(step: &Step, number: u64, src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, payload: usize) -> Vec<u8> {
    let fragment = step.more_fragments || step.fragment_offset != 0;
    let mut header = Ipv4Header {
        total_len: step.ip_len.unwrap_or((Ipv4Header::MIN_LEN + step.ip_extra() + payload) as u16),
        identification: step.id.unwrap_or(number as u16),
        dont_fragment: step.dont_fragment.unwrap_or(!fragment),
        more_fragments: step.more_fragments,
        fragment_offset: (step.fragment_offset / 8).try_into().unwrap_or_default(),
        time_to_live: step.ttl,
        protocol: IpNumber(protocol),
        source: src.octets(),
        destination: dst.octets(),
        options: step.ip_options[..].try_into().unwrap_or_default(),
        ..Ipv4Header::default()
    };
    header.dscp = (step.traffic_class >> 2).try_into().unwrap_or_default();
    header.ecn = (step.traffic_class & 3).try_into().unwrap_or_default();
    header.header_checksum = header.calc_header_checksum();
    header.to_bytes().to_vec()
}

fn ipv6(step: &Step, number: u64, src: Ipv6Addr, dst: Ipv6Addr, protocol: u8, payload: usize) -> Vec<u8> {
    let fragment = step.more_fragments || step.fragment_offset != 0;
    let fragment_header = fragment.then(|| Ipv6FragmentHeader {
        next_header: IpNumber(protocol),
        fragment_offset: (step.fragment_offset / 8).try_into().unwrap_or_default(),
        more_fragments: step.more_fragments,
        identification: step.id.map_or(number as u32, u32::from),
    });
    let carried = payload + step.ip_extra() + if fragment { Ipv6FragmentHeader::LEN } else { 0 };
    let behind = if fragment { FRAGMENT } else { protocol };
    let kinds = step.extensions.iter().map(|&(kind, _)| kind);
    let mut nexts = kinds.chain([behind]);
    let header = Ipv6Header {
        traffic_class: step.traffic_class,
        flow_label: Ipv6FlowLabel::default(),
        payload_length: step.ip_len.unwrap_or(carried as u16),
        next_header: IpNumber(nexts.next().unwrap_or(behind)),
        hop_limit: step.ttl,
        source: src.octets(),
        destination: dst.octets(),
    };
    let mut bytes = header.to_bytes().to_vec();
    for ((kind, data), next) in step.extensions.iter().zip(nexts) {
        let eights = (data.len() + 2) / 8;
        // RFC 4302 §2.2 counts words, less two; all others count eights, less one.
        let length = if *kind == AUTHENTICATION { eights * 2 - 2 } else { eights - 1 };
        bytes.extend([next, length as u8]);
        bytes.extend(data);
    }
    if let Some(fragment_header) = fragment_header {
        bytes.extend(fragment_header.to_bytes());
    }
    bytes
}

/// Protocol number and octets of what IP carries, checksum filled in.
fn transport(step: &Step, quoted: &[u8]) -> (u8, Vec<u8>) {
    let is_ipv4 = step.src.addr.is_ipv4();
    let (protocol, mut bytes, checksum_at) = match &step.body {
        Body::Tcp(segment) => (TCP, tcp(step, segment), 16),
        Body::Udp(datagram) => (UDP, udp(step, datagram), 6),
        Body::Icmp(message) => (if is_ipv4 { ICMP } else { ICMPV6 }, icmp(message, is_ipv4, quoted), 2),
    };
    let pseudo = if protocol == ICMP { Sum16BitWords::new() } else { pseudo_header(step, protocol, bytes.len()) };
    let sum = pseudo.clone().add_slice(&bytes);
    // etherparse keeps its sums in memory order.
    let good = if protocol == UDP { sum.to_ones_complement_with_no_zero() } else { sum.ones_complement() }.to_be();
    let partial = !pseudo.ones_complement().to_be();
    let field = match step.checksum {
        ChecksumField::Good => good,
        ChecksumField::Partial => partial,
        ChecksumField::Bad => wrong(good, &[0, partial, !pseudo_header(step, protocol, 0).ones_complement().to_be()]),
        ChecksumField::Zero => 0,
    };
    bytes[checksum_at..checksum_at + 2].copy_from_slice(&field.to_be_bytes());
    (protocol, bytes)
}

/// A value that is neither right nor, by chance, one of the `telling` ones.
fn wrong(good: u16, telling: &[u16]) -> u16 {
    (1..).map(|flipped: u16| good ^ flipped).find(|field| !telling.contains(field)).unwrap_or(!good)
}

fn pseudo_header(step: &Step, protocol: u8, len: usize) -> Sum16BitWords {
    let mut sum = Sum16BitWords::new().add_2bytes([0, protocol]);
    sum = sum.add_4bytes((len as u32).to_be_bytes());
    for addr in [step.src.addr, step.dst.addr] {
        sum = match addr {
            IpAddr::V4(addr) => sum.add_4bytes(addr.octets()),
            IpAddr::V6(addr) => sum.add_16bytes(addr.octets()),
        };
    }
    sum
}

fn tcp(step: &Step, segment: &Segment) -> Vec<u8> {
    let header_len = segment.header_len.unwrap_or(20 + segment.options.len() as u8);
    let offset_and_flags = u16::from(header_len / 4) << 12 | segment.flags.bits();
    let mut bytes = Vec::with_capacity(step.transport_len());
    bytes.extend(step.src.port.to_be_bytes());
    bytes.extend(step.dst.port.to_be_bytes());
    bytes.extend(segment.seq.0.to_be_bytes());
    bytes.extend(segment.ack.0.to_be_bytes());
    bytes.extend(offset_and_flags.to_be_bytes());
    bytes.extend(segment.window.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(segment.urgent.to_be_bytes());
    bytes.extend(&segment.options);
    bytes.extend(&segment.payload);
    bytes
}

fn udp(step: &Step, datagram: &Datagram) -> Vec<u8> {
    let length = datagram.length.unwrap_or((8 + datagram.payload.len()) as u16);
    let mut bytes = Vec::with_capacity(step.transport_len());
    bytes.extend(step.src.port.to_be_bytes());
    bytes.extend(step.dst.port.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(&datagram.payload);
    bytes
}

fn icmp(message: &Message, is_ipv4: bool, quoted: &[u8]) -> Vec<u8> {
    let (kind, code) = message.kind.numbers(is_ipv4);
    let mut bytes = vec![kind, message.code.unwrap_or(code), 0, 0];
    // RFC 1191 §4 has sixteen bits for the MTU, RFC 4443 §3.2 thirty-two.
    let mtu = if is_ipv4 { message.mtu & 0xffff } else { message.mtu };
    bytes.extend(if message.kind == IcmpKind::FragmentationNeeded { mtu } else { 0 }.to_be_bytes());
    let (header_len, room) = if is_ipv4 { (20, 576 - 20 - 8) } else { (40, 1280 - 40 - 8) };
    let most = message.quote.map_or(room, |octets| header_len + usize::from(octets));
    bytes.extend(&quoted[..quoted.len().min(most)]);
    if let Some(octets) = message.padded {
        bytes.resize(bytes.len().max(8 + usize::from(octets)), 0);
        bytes.truncate(8 + usize::from(octets));
        // RFC 4884 §4: in words of four octets for IPv4, of eight for IPv6.
        let (at, words) = if is_ipv4 { (5, octets / 4) } else { (4, octets / 8) };
        bytes[at] = words;
    }
    bytes.extend(&message.payload);
    bytes
}

const VLAN: u16 = 0x8100;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const ICMPV6: u8 = 58;
