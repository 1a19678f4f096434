//! TCP and UDP headers: what they say, how much they carry, and whether the two agree.

use std::net::IpAddr;

use etherparse::TcpHeaderSlice;
use etherparse::UdpHeaderSlice;
use etherparse::err::tcp;

use crate::decode::checksum;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::note_missing;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::icmp;
use crate::decode::ip::Carried;
use crate::decode::options;
use crate::decode::tunnel;
use crate::decode::udp_tunnel;
use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::LayerKind;
use crate::packet::OptionSummary;
use crate::packet::Packet;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Transport;
use crate::packet::UdpHeader;

/// Reads the header behind the last IP header.
pub(super) fn read(packet: &mut Packet<'_>, carried: &Carried) {
    match (carried.ip.version, carried.ip.protocol) {
        (_, TCP) => read_tcp(packet, carried),
        (_, UDP) => read_udp(packet, carried),
        (4, ICMP) | (6, ICMPV6) => icmp::read(packet, carried),
        _ => tunnel::read(packet, carried),
    }
}

/// How a TCP header stands within its segment.
struct Shape {
    /// Octets of the header that were captured, 20 at least.
    captured: usize,
    /// The data offset makes sense.
    sound: bool,
    /// The capture ends within the options.
    cut: bool,
}

fn read_tcp(packet: &mut Packet<'_>, carried: &Carried) {
    let extent = carried.extent;
    let Some(bytes) = require(packet, LayerKind::Tcp, extent, TCP_LEN) else { return };
    let Some(&fixed) = bytes.first_chunk::<TCP_LEN>() else { return };
    let header_len = (fixed[12] >> 4) * 4;
    let shape = tcp_shape(packet, extent, bytes, header_len);
    if !push(packet, LayerKind::Tcp, extent.at, shape.captured) {
        return;
    }
    let (src_port, dst_port) = (be16(&fixed, 0), be16(&fixed, 2));
    let flags = TcpFlags::from_bits(be16(&fixed, 12));
    note_ports(packet, LayerKind::Tcp, extent, src_port, dst_port);
    note_flags(packet, extent, flags);
    let options = if shape.sound { &bytes[TCP_LEN..shape.captured] } else { &[] };
    let mut said = OptionSummary::default();
    if !options.is_empty() {
        said = options::read(options, !shape.cut, |fault| {
            let at = extent.at + TCP_LEN + fault.at;
            note(packet, fault.code, LayerKind::Tcp, at, fault.found, fault.expected);
        });
    }
    let checksum_field = be16(&fixed, 16);
    let checksum = tcp_checksum(packet, carried, bytes, checksum_field);
    let len = extent.len().saturating_sub(usize::from(header_len)) as u32;
    let payload = if len == 0 { &[] } else { &bytes[shape.captured..] };
    packet.transport = Transport::Tcp(TcpHeader {
        src_port,
        dst_port,
        seq: SeqNumber(be32(&fixed, 4)),
        ack: SeqNumber(be32(&fixed, 8)),
        header_len,
        flags,
        window: be16(&fixed, 14),
        checksum_field,
        checksum,
        urgent: be16(&fixed, 18),
        options,
        said,
        len,
        payload,
        sound: shape.sound,
    });
}

/// Notes what is wrong with the data offset (RFC 9293 §3.1).
fn tcp_shape(packet: &mut Packet<'_>, extent: Extent, bytes: &[u8], header_len: u8) -> Shape {
    let unsound = Shape { captured: TCP_LEN, sound: false, cut: false };
    let declared = u32::from(header_len);
    match TcpHeaderSlice::from_slice(bytes) {
        Ok(header) => Shape { captured: header.slice().len(), sound: true, cut: false },
        Err(tcp::HeaderSliceError::Content(_)) => {
            note(packet, DefectCode::TcpDataOffset, LayerKind::Tcp, extent.at + 12, declared, TCP_LEN as u32);
            unsound
        }
        Err(tcp::HeaderSliceError::Len(_)) if usize::from(header_len) > extent.len() => {
            let segment = extent.len() as u32;
            note(packet, DefectCode::TcpDataOffsetBeyond, LayerKind::Tcp, extent.at + 12, declared, segment);
            unsound
        }
        Err(tcp::HeaderSliceError::Len(_)) => {
            note_missing(packet, LayerKind::Tcp, extent, usize::from(header_len));
            Shape { captured: bytes.len(), sound: true, cut: true }
        }
    }
}

fn note_ports(packet: &mut Packet<'_>, kind: LayerKind, extent: Extent, src_port: u16, dst_port: u16) {
    if src_port == 0 || dst_port == 0 {
        let at = if src_port == 0 { extent.at } else { extent.at + 2 };
        note(packet, DefectCode::PortZero, kind, at, 0, 1);
    }
}

fn note_flags(packet: &mut Packet<'_>, extent: Extent, flags: TcpFlags) {
    let found = u32::from(flags.bits());
    if flags.has(TcpFlags::SYN) && flags.any(TcpFlags::FIN.with(TcpFlags::RST)) {
        note(packet, DefectCode::TcpFlagsIllegal, LayerKind::Tcp, extent.at + 12, found, 0);
    } else if TcpFlags::NAMED.iter().all(|&(flag, _)| !flags.has(flag)) {
        note(packet, DefectCode::TcpFlagsNone, LayerKind::Tcp, extent.at + 12, found, 0);
    }
}

fn tcp_checksum(packet: &mut Packet<'_>, carried: &Carried, bytes: &[u8], field: u16) -> ChecksumState {
    let state =
        if carried.is_whole(bytes) { with_pseudo_header(carried, bytes, field) } else { ChecksumState::Unverifiable };
    if let ChecksumState::Bad { expected } = state {
        let at = carried.extent.at + 16;
        note(packet, DefectCode::TcpChecksum, LayerKind::Tcp, at, u32::from(field), u32::from(expected));
    }
    state
}

/// Judges a checksum over `segment` and the pseudo-header, where the final destination is known.
pub(super) fn with_pseudo_header(carried: &Carried, segment: &[u8], field: u16) -> ChecksumState {
    let Some(dst) = carried.final_dst else { return ChecksumState::Unverifiable };
    checksum::transport(carried.ip.src, dst, carried.ip.protocol, segment, field)
}

fn read_udp(packet: &mut Packet<'_>, carried: &Carried) {
    let extent = carried.extent;
    let Some(bytes) = require(packet, LayerKind::Udp, extent, UDP_LEN) else { return };
    let Ok(header) = UdpHeaderSlice::from_slice(bytes) else { return };
    if !push(packet, LayerKind::Udp, extent.at, UDP_LEN) {
        return;
    }
    note_ports(packet, LayerKind::Udp, extent, header.source_port(), header.destination_port());
    let covered = udp_covered(packet, carried, header.length());
    let is_tunnel = udp_tunnel::is_tunnel(header.source_port(), header.destination_port());
    let checksum_field = header.checksum();
    // Tunnels may do without a sum over IPv6 too (RFC 6935 §5).
    let checksum = if checksum_field == 0 && is_tunnel {
        ChecksumState::Absent
    } else {
        udp_checksum(packet, carried, bytes, covered, checksum_field)
    };
    // Where the length field is no guide, IP is.
    let total = covered.unwrap_or(extent.len());
    packet.transport = Transport::Udp(UdpHeader {
        src_port: header.source_port(),
        dst_port: header.destination_port(),
        length_field: header.length(),
        checksum_field,
        checksum,
        len: (total - UDP_LEN) as u32,
        payload: &bytes[UDP_LEN..total.min(bytes.len())],
    });
    if is_tunnel && !carried.ip.is_fragment() {
        udp_tunnel::read(packet, extent.first(total).behind(UDP_LEN));
    }
}

/// Octets of header and payload by the length field (RFC 768), `None` where that cannot be.
fn udp_covered(packet: &mut Packet<'_>, carried: &Carried, length_field: u16) -> Option<usize> {
    let (carries, length) = (carried.extent.len(), usize::from(length_field));
    let (code, expected) = match length {
        // A jumbogram has no room to say its length (RFC 2675 §4).
        0 if carried.ip.version == 6 => return Some(carries),
        0..UDP_LEN => (DefectCode::UdpLengthShort, UDP_LEN),
        // The first fragment's field counts the whole datagram; of a truncated packet IP has told already.
        _ if length > carries && (carried.ip.is_fragment() || carried.truncated) => return None,
        _ if length > carries => (DefectCode::UdpLengthBeyond, carries),
        _ if length < carries => (DefectCode::UdpTrailing, carries),
        _ => return Some(length),
    };
    let at = carried.extent.at + 4;
    note(packet, code, LayerKind::Udp, at, u32::from(length_field), expected as u32);
    (code == DefectCode::UdpTrailing).then_some(length)
}

fn udp_checksum(
    packet: &mut Packet<'_>,
    carried: &Carried,
    bytes: &[u8],
    covered: Option<usize>,
    field: u16,
) -> ChecksumState {
    let at = carried.extent.at + 6;
    if field == 0 && matches!(carried.ip.src, IpAddr::V4(_)) {
        return ChecksumState::Absent;
    }
    if field == 0 {
        note(packet, DefectCode::UdpChecksumIllegal, LayerKind::Udp, at, 0, 0);
        return ChecksumState::Illegal;
    }
    let state = match covered.and_then(|covered| bytes.get(..covered)) {
        Some(datagram) if !carried.ip.is_fragment() => with_pseudo_header(carried, datagram, field),
        _ => ChecksumState::Unverifiable,
    };
    match state {
        ChecksumState::Bad { expected } => {
            // A sum of zero is sent as all ones (RFC 768).
            let expected = if expected == 0 { 0xffff } else { expected };
            note(packet, DefectCode::UdpChecksum, LayerKind::Udp, at, u32::from(field), u32::from(expected));
            ChecksumState::Bad { expected }
        }
        state => state,
    }
}

fn be16(fixed: &[u8; TCP_LEN], at: usize) -> u16 {
    u16::from_be_bytes([fixed[at], fixed[at + 1]])
}

fn be32(fixed: &[u8; TCP_LEN], at: usize) -> u32 {
    u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]])
}

/// TCP header without options.
pub(super) const TCP_LEN: usize = 20;
/// UDP header.
pub(super) const UDP_LEN: usize = 8;
/// Protocol numbers.
pub(super) const ICMP: u8 = 1;
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;
    use crate::decode::tests::last;
    use crate::packet::Frame;

    const V6: &str = "A = [2001:db8::1]:1000\nB = [2001:db8::2]:2000\n";

    #[test]
    fn a_data_offset_below_five_words_is_unsound_and_lengthens_the_payload() {
        decoded("0 C > S PU. 1:11(10) hlen 16", |packet| {
            let tcp = packet.tcp().expect("a segment");
            assert_eq!(codes(packet), [DefectCode::TcpDataOffset]);
            assert_eq!((tcp.sound, tcp.header_len, tcp.len), (false, 16, 14));
            assert_eq!((tcp.payload.len(), tcp.options), (10, &[][..]));
            assert!(tcp.flags.has(TcpFlags::URG));
        });
        decoded("0 C > S PU. 1:11(10) hlen 20", |packet| assert!(packet.tcp().expect("a segment").sound));
    }

    #[test]
    fn a_data_offset_past_the_segment_is_unsound_and_leaves_no_payload() {
        decoded("0 C > S P. 1:11(10) hlen 32", |packet| {
            let tcp = packet.tcp().expect("a segment");
            assert_eq!(codes(packet), [DefectCode::TcpDataOffsetBeyond]);
            assert_eq!((packet.defects[0].found, packet.defects[0].expected), (32, 30));
            assert_eq!((tcp.sound, tcp.len, tcp.payload.len()), (false, 0, 0));
        });
        decoded("0 C > S P. 1:13(12) hlen 32", |packet| {
            let tcp = packet.tcp().expect("a segment");
            assert_eq!((tcp.sound, tcp.len, tcp.options.len()), (true, 0, 12));
        });
    }

    #[test]
    fn a_header_cut_within_its_options_keeps_its_numbers() {
        // 14 + 20 + 20 octets of headers, then ten of twenty octets of options.
        decoded("0 C > S S 7:7(0) <mss 1460, sackOK, ts 1 0, nop, wscale 7> snaplen 64", |packet| {
            let tcp = packet.tcp().expect("a segment");
            assert_eq!(codes(packet), [DefectCode::HeaderCut]);
            assert_eq!((tcp.seq, tcp.sound, tcp.len), (SeqNumber(7), true, 0));
            assert_eq!((tcp.said.mss, tcp.said.sack_permitted, tcp.said.malformed), (Some(1460), true, false));
            assert_eq!((tcp.options.len(), tcp.checksum), (10, ChecksumState::Unverifiable));
        });
    }

    #[test]
    fn fewer_than_twenty_octets_are_no_segment() {
        decoded("0 C > S S 7:7(0) snaplen 53", |packet| {
            assert_eq!(codes(packet), [DefectCode::HeaderCut]);
            assert!(matches!(packet.transport, Transport::Other));
        });
        decoded("0 C > S S 7:7(0) snaplen 54", |packet| assert!(packet.tcp().is_some()));
        decoded("0 C > S S 7:7(0) iplen 39", |packet| {
            assert_eq!(codes(packet), [DefectCode::HeaderShort]);
            assert_eq!((packet.defects[0].found, packet.defects[0].expected), (19, 20));
        });
    }

    #[test]
    fn flags_that_never_belong_together_are_told() {
        for (flags, code) in [
            ("SF", Some(DefectCode::TcpFlagsIllegal)),
            ("SR", Some(DefectCode::TcpFlagsIllegal)),
            ("SFRPU.", Some(DefectCode::TcpFlagsIllegal)),
            ("none", Some(DefectCode::TcpFlagsNone)),
            ("S", None),
            ("S.", None),
            ("SEW", None),
            ("R.", None),
            ("F.", None),
        ] {
            decoded(&format!("0 C > S {flags} 1:1(0)"), |packet| {
                assert_eq!(codes(packet), Vec::from_iter(code), "{flags}");
            });
        }
    }

    #[test]
    fn port_zero_is_told_for_both_transports() {
        decoded("Z = 10.0.0.9\n0 C > Z S 1:1(0)", |packet| {
            assert_eq!(codes(packet), [DefectCode::PortZero]);
            assert_eq!(packet.defects[0].offset, 14 + 20 + 2);
        });
        decoded("Z = 10.0.0.9\n0 Z > C udp (1)", |packet| assert_eq!(codes(packet), [DefectCode::PortZero]));
    }

    #[test]
    fn a_broken_option_is_told_with_its_place() {
        decoded("0 C > S S 1:1(0) <nop, nop, raw 0x0800>", |packet| {
            assert_eq!(codes(packet), [DefectCode::TcpOptionLength]);
            assert_eq!(packet.defects[0].offset, 14 + 20 + 20 + 2);
            assert!(packet.tcp().expect("a segment").said.malformed);
        });
    }

    #[test]
    fn an_offloaded_checksum_is_no_defect_and_a_wrong_one_is() {
        for ends in ["C > S", "A > B"] {
            for body in [". 1:5(4)", "udp (4)"] {
                let line = format!("{V6}0 {ends} {body} checksum");
                let state = |packet: &Packet<'_>| match &packet.transport {
                    Transport::Tcp(tcp) => tcp.checksum,
                    Transport::Udp(udp) => udp.checksum,
                    other => panic!("{other:?}"),
                };
                decoded(&format!("{line} partial"), |packet| {
                    assert_eq!((state(packet), packet.defects.len()), (ChecksumState::Partial, 0), "{line}");
                });
                decoded(&format!("{line} bad"), |packet| {
                    assert!(matches!(state(packet), ChecksumState::Bad { .. }), "{line}");
                    assert_eq!(packet.defects.len(), 1, "{line}");
                });
                decoded(&format!("{line} good"), |packet| assert_eq!(state(packet), ChecksumState::Good, "{line}"));
            }
        }
    }

    #[test]
    fn a_checksum_over_octets_that_were_not_captured_cannot_be_judged() {
        decoded("0 C > S P. 1:101(100) checksum bad snaplen 100", |packet| {
            assert_eq!(packet.tcp().expect("a segment").checksum, ChecksumState::Unverifiable);
            assert!(packet.defects.is_empty());
        });
    }

    #[test]
    fn udp_without_checksum_is_legal_over_ipv4_only() {
        decoded("0 C > S udp (4) checksum zero", |packet| {
            assert_eq!(packet.udp().expect("a datagram").checksum, ChecksumState::Absent);
            assert!(packet.defects.is_empty());
        });
        decoded(&format!("{V6}0 A > B udp (4) checksum zero"), |packet| {
            assert_eq!(packet.udp().expect("a datagram").checksum, ChecksumState::Illegal);
            assert_eq!(codes(packet), [DefectCode::UdpChecksumIllegal]);
        });
    }

    #[test]
    fn the_length_of_udp_is_judged_against_that_of_ip() {
        for (length, code, len) in [
            ("7", Some(DefectCode::UdpLengthShort), 20),
            ("0", Some(DefectCode::UdpLengthShort), 20),
            ("29", Some(DefectCode::UdpLengthBeyond), 20),
            ("27", Some(DefectCode::UdpTrailing), 19),
            ("8", Some(DefectCode::UdpTrailing), 0),
            ("28", None, 20),
        ] {
            decoded(&format!("0 C > S udp (20) udplen {length}"), |packet| {
                assert_eq!(codes(packet).first().copied(), code, "{length}");
                let udp = packet.udp().expect("a datagram");
                assert_eq!((udp.len, udp.payload.len()), (len, len as usize), "{length}");
            });
        }
    }

    #[test]
    fn an_empty_datagram_is_legal() {
        decoded("0 C > S udp (0)", |packet| {
            assert_eq!(packet.udp().expect("a datagram").len, 0);
            assert!(packet.defects.is_empty());
        });
    }

    #[test]
    fn a_udp_length_of_zero_over_ipv6_is_a_jumbogram() {
        decoded(&format!("{V6}0 A > B udp (20) udplen 0"), |packet| {
            assert_eq!(packet.udp().expect("a datagram").len, 20);
            assert!(packet.defects.is_empty());
        });
    }

    #[test]
    fn the_first_fragment_of_a_datagram_declares_more_than_it_carries() {
        decoded("0 C > S udp (16) udplen 2000 mf", |packet| {
            assert_eq!(packet.udp().expect("a datagram").len, 16);
            assert!(packet.defects.is_empty());
        });
    }

    #[test]
    fn seven_octets_of_udp_are_no_datagram() {
        let (meta, bytes) = last("0 C > S udp (20) snaplen 41");
        let packet = decode(&Frame { meta, bytes: &bytes });
        assert_eq!(codes(&packet), [DefectCode::HeaderCut]);
        assert!(matches!(packet.transport, Transport::Other));
    }

    #[test]
    fn another_protocol_is_other() {
        let (meta, mut bytes) = last("0 C > S udp (20)");
        bytes[14 + 9] = 132;
        let packet = decode(&Frame { meta, bytes: &bytes });
        assert!(matches!(packet.transport, Transport::Other));
        assert_eq!(packet.ip.expect("IP").protocol, 132);
    }
}
