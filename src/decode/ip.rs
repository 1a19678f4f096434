//! IPv4 with options, IPv6 with extension headers: how long the packet is, and what it carries.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use etherparse::IpAuthHeaderSlice;
use etherparse::Ipv4HeaderSlice;
use etherparse::Ipv6FragmentHeaderSlice;
use etherparse::Ipv6HeaderSlice;
use etherparse::err::ipv4;
use etherparse::err::ipv6;

use crate::decode::checksum;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::note_missing;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::extent::wire_len;
use crate::decode::ip_options;
use crate::decode::tlv::Form;
use crate::decode::tlv::Scheme;
use crate::decode::tlv::Tlvs;
use crate::decode::transport;
use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::IpHeader;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Transport;

/// What an IP header hands on to the transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    /// The header, extension headers counted in.
    pub(super) ip: IpHeader,
    /// Its payload, no further than the frame went.
    pub(super) extent: Extent,
    /// The frame is shorter than the IP length field says: what is missing was never sent.
    pub(super) truncated: bool,
    /// The destination that the pseudo-header sums: the last one of a source route (RFC 8200 §8.1).
    /// `None` where the route hides it.
    pub(super) final_dst: Option<IpAddr>,
}

impl Carried {
    /// `captured` is all that was sent, in one piece: a checksum over it can be judged.
    pub(super) const fn is_whole(&self, captured: &[u8]) -> bool {
        !self.ip.is_fragment() && !self.truncated && captured.len() == self.extent.len()
    }
}

/// Reads an IPv4 header (RFC 791 §3.1) and what it carries.
pub(super) fn read_v4(packet: &mut Packet<'_>, extent: Extent) {
    let bytes = extent.captured(packet.bytes);
    let header = match Ipv4HeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(ipv4::HeaderSliceError::Len(short)) => {
            require(packet, LayerKind::Ipv4, extent, short.required_len);
            return;
        }
        Err(ipv4::HeaderSliceError::Content(fault)) => {
            let (code, found, expected) = match fault {
                ipv4::HeaderError::UnexpectedVersion { version_number } => {
                    (DefectCode::IpVersion, u32::from(version_number), 4)
                }
                ipv4::HeaderError::HeaderLengthSmallerThanHeader { ihl } => {
                    (DefectCode::IpHeaderLength, u32::from(ihl) * 4, V4_LEN as u32)
                }
            };
            push(packet, LayerKind::Ipv4, extent.at, bytes.len().min(V4_LEN));
            note(packet, code, LayerKind::Ipv4, extent.at, found, expected);
            return;
        }
    };
    let header_len = header.slice().len();
    if !push(packet, LayerKind::Ipv4, extent.at, header_len) {
        return;
    }
    let (payload, truncated) = v4_payload(packet, extent, header_len, header.total_len());
    let field = header.header_checksum();
    let ip = IpHeader {
        version: 4,
        src: IpAddr::V4(header.source_addr()),
        dst: IpAddr::V4(header.destination_addr()),
        ttl: header.ttl(),
        traffic_class: header.slice()[1],
        id: Some(u32::from(header.identification())),
        dont_fragment: header.dont_fragment(),
        more_fragments: header.more_fragments(),
        fragment_offset: u32::from(header.fragments_offset().value()) * 8,
        header_len: header_len as u32,
        payload_len: payload.len() as u32,
        protocol: header.protocol().0,
        checksum: v4_checksum(packet, extent, header.slice(), field),
    };
    if header_len > V4_LEN {
        ip_options::check(packet, LayerKind::Ipv4, extent.at + V4_LEN, header.options(), Scheme::V4);
    }
    let final_dst = Some(IpAddr::V4(v4_final_destination(header.options()).unwrap_or(header.destination_addr())));
    carry(packet, Carried { ip, extent: payload, truncated, final_dst });
}

/// Where the payload lies by the total length field, and whether the frame is too short for it.
fn v4_payload(packet: &mut Packet<'_>, extent: Extent, header_len: usize, total_len: u16) -> (Extent, bool) {
    let (at, there) = (extent.at, wire_len(packet).min(extent.end).saturating_sub(extent.at));
    let total = usize::from(total_len);
    let mut disagree =
        |code, expected: usize| note(packet, code, LayerKind::Ipv4, at + 2, total as u32, expected as u32);
    if total == 0 {
        disagree(DefectCode::IpLengthZero, there);
    } else if total < header_len {
        disagree(DefectCode::IpTotalLength, header_len);
    } else if total > there {
        disagree(DefectCode::IpTotalLength, there);
    }
    let end = at + if total == 0 { there } else { total.min(there) }.max(header_len);
    (Extent { at: at + header_len, end }, total > there)
}

fn v4_checksum(packet: &mut Packet<'_>, extent: Extent, header: &[u8], field: u16) -> ChecksumState {
    match checksum::plain(header, field) {
        // No header sums to a checksum of 0 by itself: the card was to fill it in.
        ChecksumState::Bad { .. } if field == 0 => ChecksumState::Partial,
        ChecksumState::Bad { expected } => {
            let (found, expected16) = (u32::from(field), u32::from(expected));
            note(packet, DefectCode::IpChecksum, LayerKind::Ipv4, extent.at + 10, found, expected16);
            ChecksumState::Bad { expected }
        }
        state => state,
    }
}

/// The last hop of a source route that has hops to go (RFC 791 §3.1, options 131 and 137).
fn v4_final_destination(options: &[u8]) -> Option<Ipv4Addr> {
    Tlvs::of(options, Scheme::V4).find_map(|tlv| match (tlv.kind, tlv.form) {
        (131 | 137, Form::Sized(&[pointer, ref route @ ..])) if usize::from(pointer) <= tlv.octets.len() => {
            route.last_chunk::<4>().map(|last| Ipv4Addr::from(*last))
        }
        _ => None,
    })
}

/// Reads an IPv6 header (RFC 8200 §3) and what it carries.
pub(super) fn read_v6(packet: &mut Packet<'_>, extent: Extent) {
    let bytes = extent.captured(packet.bytes);
    let header = match Ipv6HeaderSlice::from_slice(bytes) {
        Ok(header) => header,
        Err(ipv6::HeaderSliceError::Len(short)) => {
            require(packet, LayerKind::Ipv6, extent, short.required_len);
            return;
        }
        Err(ipv6::HeaderSliceError::Content(ipv6::HeaderError::UnexpectedVersion { version_number })) => {
            push(packet, LayerKind::Ipv6, extent.at, bytes.len().min(V6_LEN));
            note(packet, DefectCode::IpVersion, LayerKind::Ipv6, extent.at, u32::from(version_number), 6);
            return;
        }
    };
    if !push(packet, LayerKind::Ipv6, extent.at, V6_LEN) {
        return;
    }
    let (payload, truncated) = v6_payload(packet, extent, header.payload_length(), header.next_header().0);
    let ip = IpHeader {
        version: 6,
        src: IpAddr::V6(header.source_addr()),
        dst: IpAddr::V6(header.destination_addr()),
        ttl: header.hop_limit(),
        traffic_class: header.traffic_class(),
        id: None,
        // Routers never fragment IPv6 (RFC 8200 §5).
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: V6_LEN as u32,
        payload_len: payload.len() as u32,
        protocol: header.next_header().0,
        checksum: ChecksumState::None,
    };
    carry(packet, Carried { ip, extent: payload, truncated, final_dst: Some(ip.dst) });
}

/// Where the payload lies by the payload length field, the jumbo payload option (RFC 2675 §2), or the frame.
fn v6_payload(packet: &mut Packet<'_>, extent: Extent, payload_len: u16, next_header: u8) -> (Extent, bool) {
    let payload = extent.behind(V6_LEN);
    let there = wire_len(packet).min(extent.end).saturating_sub(payload.at);
    let declared = match payload_len {
        0 => match jumbo_len(payload.captured(packet.bytes), next_header) {
            Some(jumbo) => jumbo as usize,
            // Offload, as IPv4 has it. Under eight octets it can only be a frame's padding.
            None if next_header != NO_NEXT_HEADER && there >= 8 => {
                note(packet, DefectCode::IpLengthZero, LayerKind::Ipv6, extent.at + 4, 0, there as u32);
                there
            }
            None => 0,
        },
        len => usize::from(len),
    };
    if declared > there {
        note(packet, DefectCode::IpTotalLength, LayerKind::Ipv6, extent.at + 4, declared as u32, there as u32);
    }
    (Extent { at: payload.at, end: payload.at + declared.min(there) }, declared > there)
}

/// The jumbo payload option of a hop-by-hop header that begins `behind` the fixed header.
fn jumbo_len(behind: &[u8], next_header: u8) -> Option<u32> {
    if next_header != HOP_BY_HOP {
        return None;
    }
    let options = behind.get(2..8 + 8 * usize::from(*behind.get(1)?))?;
    Tlvs::of(options, Scheme::V6).find_map(|tlv| match (tlv.kind, tlv.form) {
        (0xc2, Form::Sized(&[a, b, c, d])) => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    })
}

/// Follows the extension headers, then reads what they carry. IPv4 has one of them, the authentication header.
pub(super) fn carry(packet: &mut Packet<'_>, mut carried: Carried) {
    packet.transport = Transport::Other;
    for count in 0.. {
        if carried.ip.fragment_offset != 0 {
            // What follows is from the middle of the datagram, whatever the next header field says.
            packet.transport = Transport::LaterFragment;
            break;
        }
        let Some(kind) = extension_kind(carried.ip.version, carried.ip.protocol) else {
            packet.ip = Some(carried.ip);
            transport::read(packet, &carried);
            return;
        };
        if kind == LayerKind::FragmentHeader && carried.ip.is_fragment() {
            // A fragment of a fragment: what it begins with will only show once the outer datagram is whole.
            break;
        }
        if count == MAX_EXTENSIONS {
            let limit = MAX_EXTENSIONS as u32;
            note(packet, DefectCode::ExtensionChain, kind, carried.extent.at, limit + 1, limit);
        }
        // The chain ends with the packet at the latest: each header takes eight octets of it.
        if !extension(packet, kind, count >= MAX_EXTENSIONS, &mut carried) {
            break;
        }
    }
    packet.ip = Some(carried.ip);
}

fn extension_kind(version: u8, protocol: u8) -> Option<LayerKind> {
    match (version, protocol) {
        (_, AUTHENTICATION) => Some(LayerKind::Ah),
        (6, HOP_BY_HOP) => Some(LayerKind::HopByHop),
        (6, ROUTING) => Some(LayerKind::Routing),
        (6, FRAGMENT) => Some(LayerKind::FragmentHeader),
        (6, DESTINATION_OPTIONS) => Some(LayerKind::DestinationOptions),
        _ => None,
    }
}

/// Steps over one extension header; `false` where it is not all there. Those `late` in the chain share one layer, so
/// that a packet is as large as any other.
fn extension(packet: &mut Packet<'_>, kind: LayerKind, late: bool, carried: &mut Carried) -> bool {
    let extent = carried.extent;
    let Some(bytes) = require(packet, kind, extent, EXTENSION_MIN_LEN) else { return false };
    let len = extension_len(kind, bytes);
    let Some(bytes) = require(packet, kind, extent, len) else { return false };
    // What makes it a fragment has to be found again.
    let is_fragment = kind == LayerKind::FragmentHeader && (bytes[2] != 0 || bytes[3] & !RESERVED_BITS != 0);
    let shown_as = if late && !is_fragment { LayerKind::MoreExtensions } else { kind };
    let is_kept = match packet.layers.last_mut() {
        Some(last) if shown_as == LayerKind::MoreExtensions && last.kind == shown_as => {
            last.len += len as u32;
            true
        }
        _ => push(packet, shown_as, extent.at, len),
    };
    if !is_kept {
        return false;
    }
    let next = match kind {
        LayerKind::FragmentHeader => match Ipv6FragmentHeaderSlice::from_slice(bytes) {
            Ok(header) => {
                carried.ip.id = Some(header.identification());
                carried.ip.more_fragments = header.more_fragments();
                carried.ip.fragment_offset = u32::from(header.fragment_offset().value()) * 8;
                header.next_header().0
            }
            Err(_) => return false,
        },
        LayerKind::Ah => match IpAuthHeaderSlice::from_slice(bytes) {
            Ok(header) => header.next_header().0,
            Err(_) => {
                note_missing(packet, kind, extent, AH_MIN_LEN);
                return false;
            }
        },
        LayerKind::HopByHop | LayerKind::DestinationOptions => {
            ip_options::check(packet, kind, extent.at + 2, &bytes[2..len], Scheme::V6);
            bytes[0]
        }
        LayerKind::Routing => {
            ip_options::check_route(packet, extent.at, &bytes[..len]);
            carried.final_dst = routed_destination(&bytes[..len], carried.final_dst);
            bytes[0]
        }
        _ => bytes[0],
    };
    carried.ip.protocol = next;
    carried.ip.header_len += len as u32;
    carried.ip.payload_len = carried.ip.payload_len.saturating_sub(len as u32);
    carried.extent = extent.behind(len);
    true
}

/// Octets of an extension header by its length field (RFC 8200 §4, RFC 4302 §2.2).
pub(super) fn extension_len(kind: LayerKind, bytes: &[u8]) -> usize {
    match kind {
        LayerKind::FragmentHeader => 8,
        LayerKind::Ah => (usize::from(bytes[1]) + 2) * 4,
        _ => (usize::from(bytes[1]) + 1) * 8,
    }
}

/// The destination that a pseudo-header sums, from the IP header to `dst` that is layer `first` and its extension
/// headers up to layer `last`; see [`Carried::final_dst`].
pub(super) fn final_destination(packet: &Packet<'_>, first: usize, last: usize, dst: IpAddr) -> Option<IpAddr> {
    let octets = |layer: &Layer| packet.bytes.get(layer.offset as usize..)?.get(..layer.len as usize);
    let (mut dst, mut next) = (Some(dst), 0);
    for layer in packet.layers.get(first..=last)? {
        let header = octets(layer)?;
        dst = match layer.kind {
            LayerKind::Ipv4 => v4_final_destination(header.get(V4_LEN..)?).map(IpAddr::V4).or(dst),
            LayerKind::Routing => routed_destination(header, dst),
            LayerKind::MoreExtensions => destination_behind(header, next, dst)?,
            _ => dst,
        };
        // Of extension headers; many of them in one layer stand behind one alone.
        next = header[0];
    }
    dst
}

/// The same past several extension headers, the first of them of protocol `next`.
fn destination_behind(headers: &[u8], mut next: u8, mut dst: Option<IpAddr>) -> Option<Option<IpAddr>> {
    let mut rest = headers;
    while rest.len() >= EXTENSION_MIN_LEN {
        let kind = extension_kind(6, next)?;
        let (header, behind) = rest.split_at_checked(extension_len(kind, rest))?;
        if kind == LayerKind::Routing {
            dst = routed_destination(header, dst);
        }
        (next, rest) = (header[0], behind);
    }
    Some(dst)
}

/// Where a packet with this routing header ends up at last (RFC 8200 §4.4, RFC 6275 §6.4, RFC 8754 §2).
fn routed_destination(header: &[u8], dst: Option<IpAddr>) -> Option<IpAddr> {
    let (kind, segments_left) = (header[2], header[3]);
    let last = match kind {
        _ if segments_left == 0 => return dst,
        0 | 2 => header.get(8..)?.last_chunk::<16>(),
        // Segment routing lists its segments backwards.
        4 => header.get(8..)?.first_chunk::<16>(),
        _ => None,
    };
    last.map(|octets| IpAddr::V6(Ipv6Addr::from(*octets)))
}

/// IPv4 header without options.
const V4_LEN: usize = 20;
const V6_LEN: usize = 40;
const EXTENSION_MIN_LEN: usize = 8;
const AH_MIN_LEN: usize = 12;
/// Of a fragment header's fourth octet (RFC 8200 §4.5).
const RESERVED_BITS: u8 = 0x06;
/// RFC 8200 §4.1 names seven in its recommended order; more than eight is somebody's game, and said.
const MAX_EXTENSIONS: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::frame;
    use crate::decode::tests::kinds;
    use crate::decode::tests::last;
    use crate::packet::LinkType;

    const V6: &str = "link raw\nA = [2001:db8::1]:1000\nB = [2001:db8::2]:2000\n";
    const BOTH: [&str; 2] = ["link raw\n", V6];

    fn raw(script: &str) -> Vec<u8> {
        last(&format!("link raw\n{script}")).1
    }

    /// A UDP datagram over IPv6 with these octets between the fixed header and UDP.
    fn v6_with(next_header: u8, extensions: &[u8]) -> Vec<u8> {
        let mut bytes = last(&format!("{V6} 0 A > B udp (4)")).1;
        bytes[6] = next_header;
        let length = u16::from_be_bytes([bytes[4], bytes[5]]) + extensions.len() as u16;
        bytes[4..6].copy_from_slice(&length.to_be_bytes());
        bytes.splice(40..40, extensions.iter().copied());
        bytes
    }

    #[test]
    fn ethernet_padding_is_no_payload() {
        decoded("0 C > S . 1:1(0) trailer 6", |packet| {
            assert_eq!(packet.tcp().expect("a segment").len, 0);
            assert_eq!(packet.ip.expect("IP").payload_len, 20);
            assert!(packet.defects.is_empty());
        });
    }

    #[test]
    fn a_snapped_packet_keeps_the_length_that_ip_declares() {
        for setting in BOTH {
            let ends = if setting == V6 { "A > B" } else { "C > S" };
            decoded(&format!("{setting}0 {ends} . 1:1001(1000) snaplen 96"), |packet| {
                let tcp = packet.tcp().expect("a segment");
                assert_eq!((tcp.len, tcp.checksum), (1000, ChecksumState::Unverifiable));
                assert!(tcp.payload.len() < 60 && packet.defects.is_empty());
            });
        }
    }

    #[test]
    fn a_length_of_zero_is_offload_and_the_frame_tells_it() {
        for setting in BOTH {
            let ends = if setting == V6 { "A > B" } else { "C > S" };
            decoded(&format!("{setting}0 {ends} . 1:3001(3000) iplen 0"), |packet| {
                assert_eq!(packet.tcp().expect("a segment").len, 3000);
                assert_eq!(codes(packet), [DefectCode::IpLengthZero]);
            });
            decoded(&format!("{setting}0 {ends} . 1:3001(3000) iplen 0 snaplen 96"), |packet| {
                assert_eq!(packet.tcp().expect("a segment").len, 3000);
            });
        }
    }

    #[test]
    fn a_length_past_the_frame_is_a_defect_and_what_was_never_sent_does_not_count() {
        decoded("0 C > S . 1:11(10) iplen 60", |packet| {
            assert_eq!(codes(packet), [DefectCode::IpTotalLength]);
            assert_eq!((packet.defects[0].found, packet.defects[0].expected), (60, 50));
            let tcp = packet.tcp().expect("a segment");
            assert_eq!((tcp.len, tcp.payload.len(), tcp.checksum), (10, 10, ChecksumState::Unverifiable));
        });
        decoded("0 C > S . 1:11(10) iplen 50", |packet| assert!(packet.defects.is_empty()));
    }

    #[test]
    fn a_length_below_the_header_leaves_no_payload() {
        decoded("0 C > S . 1:11(10) iplen 19", |packet| {
            assert_eq!(codes(packet)[0], DefectCode::IpTotalLength);
            assert_eq!(packet.ip.expect("IP").payload_len, 0);
            assert!(matches!(packet.transport, Transport::Other));
        });
    }

    #[test]
    fn a_header_length_below_five_words_ends_the_reading() {
        let mut bytes = raw("0 C > S . 1:1(0)");
        bytes[0] = 0x44;
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(codes(&packet), [DefectCode::IpHeaderLength]);
        assert!(packet.ip.is_none());
    }

    #[test]
    fn options_of_ipv4_shift_the_payload() {
        let mut bytes = raw("0 C > S . 1:5(4)");
        bytes[0] = 0x46;
        bytes[3] += 4;
        bytes.splice(20..20, [1, 1, 1, 0]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.ip.expect("IP").header_len, 24);
        let tcp = packet.tcp().expect("a segment");
        assert_eq!((tcp.len, tcp.checksum), (4, ChecksumState::Good));
    }

    #[test]
    fn a_source_route_on_its_way_sums_its_last_stop() {
        let sent = raw("0 C > S . 1:5(4)");
        let mut bytes = sent.clone();
        // The header names the next stop; 10.0.0.2, for which the sum was made, waits in the route.
        bytes.splice(20..20, [131, 7, 4, 10, 0, 0, 2, 0]);
        bytes[0] = 0x47;
        bytes[3] += 8;
        bytes[19] = 77;
        assert_eq!(decode(&frame(LinkType::RAW, &bytes)).tcp().expect("a segment").checksum, ChecksumState::Good);
        // Pointer past the end: arrived, so the header's own address counts.
        bytes[22] = 8;
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert!(matches!(packet.tcp().expect("a segment").checksum, ChecksumState::Bad { .. }));
    }

    #[test]
    fn a_wrong_header_checksum_is_bad_and_a_zero_one_is_left_for_the_card() {
        let mut bytes = raw("0 C > S . 1:1(0)");
        bytes[8] ^= 1;
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(codes(&packet), [DefectCode::IpChecksum]);
        bytes[10..12].copy_from_slice(&[0, 0]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.ip.expect("IP").checksum, ChecksumState::Partial);
        assert!(packet.defects.is_empty());
    }

    #[test]
    fn a_first_fragment_has_ports_and_a_later_one_has_none() {
        for setting in BOTH {
            let ends = if setting == V6 { "A > B" } else { "C > S" };
            decoded(&format!("{setting}0 {ends} . 1:101(100) mf"), |packet| {
                let tcp = packet.tcp().expect("a segment");
                assert_eq!((tcp.len, tcp.checksum), (100, ChecksumState::Unverifiable));
                assert!(packet.ip.expect("IP").is_fragment() && packet.defects.is_empty());
            });
            decoded(&format!("{setting}0 {ends} . 1:101(100) fragment 1480"), |packet| {
                assert!(matches!(packet.transport, Transport::LaterFragment));
                assert_eq!(packet.ip.expect("IP").fragment_offset, 1480);
                assert!(packet.defects.is_empty());
            });
        }
    }

    #[test]
    fn a_fragment_header_that_splits_nothing_makes_no_fragment() {
        let bytes = v6_with(FRAGMENT, &[17, 0, 0, 0, 0, 0, 0, 9]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.udp().expect("a datagram").checksum, ChecksumState::Good);
        assert_eq!(packet.ip.expect("IP").id, Some(9));
    }

    #[test]
    fn extension_headers_are_layers_and_count_as_header() {
        let chain = [
            &[DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0][..],
            &[ROUTING, 0, 1, 4, 0, 0, 0, 0],
            &[AUTHENTICATION, 0, 0, 0, 0, 0, 0, 0],
            &[17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2],
        ]
        .concat();
        let bytes = v6_with(HOP_BY_HOP, &chain);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        use LayerKind::{Ah, DestinationOptions, HopByHop, Ipv6, Routing, Udp};
        assert_eq!(kinds(&packet), [Ipv6, HopByHop, DestinationOptions, Routing, Ah, Udp]);
        let ip = packet.ip.expect("IP");
        assert_eq!((ip.header_len, ip.payload_len, ip.protocol), (40 + 36, 12, 17));
        assert_eq!(packet.udp().expect("a datagram").checksum, ChecksumState::Good);
    }

    #[test]
    fn an_authentication_header_stands_in_ipv4_too() {
        let mut bytes = raw("0 C > S udp (4)");
        bytes.splice(20..20, [17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
        bytes[9] = AUTHENTICATION;
        bytes[3] += 12;
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(kinds(&packet), [LayerKind::Ipv4, LayerKind::Ah, LayerKind::Udp]);
        assert_eq!(packet.udp().expect("a datagram").len, 4);
    }

    #[test]
    fn the_checksum_of_a_routed_packet_is_made_for_its_last_stop() {
        // Type 2 holds one address; the header's own is that of the next stop.
        let mut route = vec![17, 2, 2, 1, 0, 0, 0, 0];
        route.extend("2001:db8::2".parse::<Ipv6Addr>().expect("an address").octets());
        let mut bytes = v6_with(ROUTING, &route);
        bytes[39] = 77;
        assert_eq!(decode(&frame(LinkType::RAW, &bytes)).udp().expect("UDP").checksum, ChecksumState::Good);
        // A type whose list cannot be read leaves the question open.
        bytes[42] = 3;
        assert_eq!(decode(&frame(LinkType::RAW, &bytes)).udp().expect("UDP").checksum, ChecksumState::Unverifiable);
    }

    #[test]
    fn nine_extension_headers_are_named_too_many_and_followed_all_the_same() {
        let chain = |count: usize| {
            let mut chain = [DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0].repeat(count);
            let last = chain.len() - 8;
            chain[last] = 17;
            chain
        };
        for (count, told) in [(8, 0), (9, 1), (90, 1), (4000, 1)] {
            let bytes = v6_with(DESTINATION_OPTIONS, &chain(count));
            let packet = decode(&frame(LinkType::RAW, &bytes));
            assert_eq!(packet.udp().expect("a datagram").checksum, ChecksumState::Good, "{count}");
            assert_eq!(codes(&packet), [DefectCode::ExtensionChain].repeat(told), "{count}");
            assert_eq!(packet.layers.len(), 1 + 8 + told + 1, "{count}");
            assert_eq!(packet.ip.expect("IP").header_len as usize, 40 + 8 * count);
            fields_cover_headers(&packet);
        }
    }

    #[test]
    fn a_fragment_header_late_in_the_chain_is_found_where_it_splits_something() {
        let mut chain = [FRAGMENT, 0, 0, 0, 0, 0, 0, 9].repeat(20);
        let last = chain.len() - 8;
        chain[last] = 17;
        let bytes = v6_with(FRAGMENT, &chain);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert!(packet.udp().is_some() && packet.layers.len() == 1 + 8 + 1 + 1);
        chain[last + 3] = 1;
        let bytes = v6_with(FRAGMENT, &chain);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert!(packet.ip.expect("IP").is_fragment());
        assert_eq!(kinds(&packet)[9..], [LayerKind::MoreExtensions, LayerKind::FragmentHeader, LayerKind::Udp]);
    }

    #[test]
    fn a_route_deep_in_the_chain_still_names_the_last_stop() {
        let mut chain = [DESTINATION_OPTIONS, 0, 1, 4, 0, 0, 0, 0].repeat(20);
        let last = chain.len() - 8;
        chain[last] = ROUTING;
        chain.extend([17, 2, 2, 1, 0, 0, 0, 0]);
        chain.extend("2001:db8::2".parse::<Ipv6Addr>().expect("an address").octets());
        let mut bytes = v6_with(DESTINATION_OPTIONS, &chain);
        bytes[39] = 77;
        assert_eq!(decode(&frame(LinkType::RAW, &bytes)).udp().expect("UDP").checksum, ChecksumState::Good);
    }

    #[test]
    fn an_extension_header_past_the_packet_is_short_and_past_the_capture_is_cut() {
        let mut bytes = v6_with(DESTINATION_OPTIONS, &[17, 9, 1, 4, 0, 0, 0, 0]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(codes(&packet), [DefectCode::HeaderShort]);
        bytes[41] = 0;
        let mut snapped = frame(LinkType::RAW, &bytes[..44]);
        snapped.meta.origlen = bytes.len() as u32;
        assert_eq!(codes(&decode(&snapped)), [DefectCode::HeaderCut]);
    }

    #[test]
    fn a_jumbogram_tells_its_length_in_an_option() {
        let mut bytes = v6_with(HOP_BY_HOP, &[17, 0, 0xc2, 4, 0, 0, 0, 20]);
        bytes[4..6].copy_from_slice(&[0, 0]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.ip.expect("IP").payload_len, 12);
        assert_eq!(packet.udp().expect("a datagram").len, 4);
        assert!(packet.defects.is_empty());
    }

    #[test]
    fn an_empty_ipv6_packet_is_empty_whatever_padding_follows() {
        let mut bytes = last(&format!("{V6} 0 A > B udp (0)")).1;
        bytes.truncate(40);
        bytes[4..6].copy_from_slice(&[0, 0]);
        bytes.extend([0; 6]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.ip.expect("IP").payload_len, 0);
        bytes[6] = NO_NEXT_HEADER;
        bytes.extend([0; 60]);
        let packet = decode(&frame(LinkType::RAW, &bytes));
        assert_eq!(packet.ip.expect("IP").payload_len, 0);
        assert!(packet.defects.is_empty());
    }
}
