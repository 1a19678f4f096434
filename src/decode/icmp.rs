//! ICMP and ICMPv6 (RFC 792, RFC 4443): which packet failed, and how small the next one has to be.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::decode::checksum;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::icmp_extension;
use crate::decode::ip::Carried;
use crate::decode::ip::extension_len;
use crate::decode::transport;
use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::Endpoint;
use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::Icmp;
use crate::packet::LayerKind;
use crate::packet::LinkType;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Quoted;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::Transport;

/// Reads an ICMP message of either version.
pub(super) fn read(packet: &mut Packet<'_>, carried: &Carried) {
    let (extent, version) = (carried.extent, carried.ip.version);
    let layer = if version == 4 { LayerKind::Icmp } else { LayerKind::Icmpv6 };
    let Some(bytes) = require(packet, layer, extent, MIN_LEN) else { return };
    if !push(packet, layer, extent.at, bytes.len().min(header_len(version, bytes[0]))) {
        return;
    }
    icmp_extension::check(packet, version, layer, bytes, extent);
    let [kind, code, high, low] = [bytes[0], bytes[1], bytes[2], bytes[3]];
    packet.transport = Transport::Icmp(Icmp {
        version,
        kind,
        code,
        checksum: message_checksum(packet, carried, bytes, u16::from_be_bytes([high, low])),
        mtu: next_hop_mtu(version, bytes),
        quoted: quoted_extent(version, bytes, extent).and_then(|quote| quoted(packet.bytes, quote)),
    });
}

/// The packet that an ICMP error quotes, as a frame of its own: cut where the quote ends.
pub fn quoted_frame<'a>(packet: &Packet<'a>) -> Option<Frame<'a>> {
    let icmp = packet.icmp()?;
    let message = message_extent(packet)?;
    let bytes = quoted_extent(icmp.version, message.captured(packet.bytes), message)?.captured(packet.bytes);
    let claimed = match *bytes {
        [first, _, high, low, ..] if first >> 4 == 4 => u32::from(u16::from_be_bytes([high, low])),
        [first, _, _, _, high, low, ..] if first >> 4 == 6 => V6_LEN + u32::from(u16::from_be_bytes([high, low])),
        _ => return None,
    };
    let caplen = bytes.len() as u32;
    let meta = FrameMeta { link_type: LinkType::RAW, caplen, origlen: claimed.max(caplen), ..packet.meta };
    Some(Frame { meta, bytes })
}

/// Where the innermost ICMP message lies, by the length that IP gives it.
pub(super) fn message_extent(packet: &Packet<'_>) -> Option<Extent> {
    let layer = packet.layers.iter().rfind(|layer| matches!(layer.kind, LayerKind::Icmp | LayerKind::Icmpv6))?;
    let at = layer.offset as usize;
    Some(Extent { at, end: at + packet.ip?.payload_len as usize })
}

fn message_checksum(packet: &mut Packet<'_>, carried: &Carried, bytes: &[u8], field: u16) -> ChecksumState {
    let state = if !carried.is_whole(bytes) {
        ChecksumState::Unverifiable
    } else if carried.ip.version == 4 {
        checksum::plain(bytes, field)
    } else {
        transport::with_pseudo_header(carried, bytes, field)
    };
    if let ChecksumState::Bad { expected } = state {
        let layer = if carried.ip.version == 4 { LayerKind::Icmp } else { LayerKind::Icmpv6 };
        let at = carried.extent.at + 2;
        note(packet, DefectCode::IcmpChecksum, layer, at, u32::from(field), u32::from(expected));
    }
    state
}

/// Octets before what a message carries; neighbour discovery carries nothing but itself.
const fn header_len(version: u8, kind: u8) -> usize {
    match (version, kind) {
        // Timestamps (RFC 792), address mask (RFC 950).
        (4, 13 | 14) => 20,
        (4, 17 | 18) => 12,
        // Router discovery (RFC 1256), listener queries and reports of version 2 (RFC 3810), neighbour discovery (RFC 4861)
        // are nothing but lists.
        (4, 9) | (6, 130 | 133..=137 | 143) => usize::MAX,
        // Listener discovery (RFC 2710).
        (6, 131 | 132) => 24,
        _ => HEADER_LEN,
    }
}

/// RFC 1191 §4 (0 from a router that is older than it), RFC 4443 §3.2.
fn next_hop_mtu(version: u8, bytes: &[u8]) -> Option<u32> {
    match (version, bytes) {
        (4, &[3, 4, _, _, _, _, high, low, ..]) => Some(u32::from(u16::from_be_bytes([high, low]))),
        (6, &[2, 0, _, _, a, b, c, d, ..]) => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    }
}

/// Where the quoted packet lies; it ends before the extensions of RFC 4884 §4 if there are any.
fn quoted_extent(version: u8, bytes: &[u8], message: Extent) -> Option<Extent> {
    let length = match (version, *bytes.first()?) {
        (4, 3 | 11 | 12) | (6, 1 | 3) => icmp_extension::quote_len(version, bytes)?,
        (4, 4 | 5) | (6, 2 | 4) => 0,
        _ => return None,
    };
    let quote = message.behind(HEADER_LEN);
    match length {
        0 => Some(quote),
        _ => Some(Extent { at: quote.at, end: quote.end.min(quote.at + length) }),
    }
}

/// The header of the packet that failed, as far as the quote holds it. A later fragment has no ports to tell.
fn quoted(frame: &[u8], quote: Extent) -> Option<Quoted> {
    let bytes = quote.captured(frame);
    let (src, dst, protocol, transport) = match bytes.first()? >> 4 {
        4 => quoted_v4(bytes, quote)?,
        6 => quoted_v6(bytes, quote)?,
        _ => return None,
    };
    let protocol = match protocol {
        transport::TCP => Protocol::Tcp,
        transport::UDP => Protocol::Udp,
        _ => return None,
    };
    let header = transport.captured(frame);
    let &[s1, s2, d1, d2, ..] = header else { return None };
    let is_tcp = protocol == Protocol::Tcp;
    Some(Quoted {
        protocol,
        src: Endpoint { addr: src, port: u16::from_be_bytes([s1, s2]) },
        dst: Endpoint { addr: dst, port: u16::from_be_bytes([d1, d2]) },
        seq: header
            .get(4..8)
            .and_then(<[u8]>::first_chunk)
            .filter(|_| is_tcp)
            .map(|&seq| SeqNumber(u32::from_be_bytes(seq))),
        octets: transport.len() as u32,
        flags: header
            .get(12..14)
            .filter(|_| is_tcp)
            .map(|flags| TcpFlags::from_bits(u16::from_be_bytes([flags[0], flags[1]]))),
    })
}

type Inner = (IpAddr, IpAddr, u8, Extent);

fn quoted_v4(bytes: &[u8], quote: Extent) -> Option<Inner> {
    let header: &[u8; 20] = bytes.first_chunk()?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let fragment_offset = u16::from_be_bytes([header[6], header[7]]) & 0x1fff;
    if header_len < header.len() || fragment_offset != 0 {
        return None;
    }
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let src = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
    let dst = Ipv4Addr::new(header[16], header[17], header[18], header[19]);
    Some((src.into(), dst.into(), header[9], inner_payload(quote, header_len, total)))
}

fn quoted_v6(bytes: &[u8], quote: Extent) -> Option<Inner> {
    let header: &[u8; 40] = bytes.first_chunk()?;
    let src: [u8; 16] = *header[8..].first_chunk()?;
    let dst: [u8; 16] = *header[24..].first_chunk()?;
    let total = header.len() + usize::from(u16::from_be_bytes([header[4], header[5]]));
    let (mut protocol, mut header_len) = (header[6], header.len());
    // Each step takes eight octets of the quote at least.
    loop {
        let kind = match protocol {
            0 | 43 | 60 => LayerKind::DestinationOptions,
            44 => LayerKind::FragmentHeader,
            51 => LayerKind::Ah,
            _ => break,
        };
        let extension = bytes.get(header_len..)?.first_chunk::<8>()?;
        if kind == LayerKind::FragmentHeader && u16::from_be_bytes([extension[2], extension[3]]) & 0xfff8 != 0 {
            return None;
        }
        protocol = extension[0];
        header_len += extension_len(kind, extension);
    }
    Some((Ipv6Addr::from(src).into(), Ipv6Addr::from(dst).into(), protocol, inner_payload(quote, header_len, total)))
}

/// The quote holds no more than was sent. Some hosts garble the length that they quote: believed only if it can be.
fn inner_payload(quote: Extent, header_len: usize, total: usize) -> Extent {
    let end = if total > header_len { quote.end.min(quote.at + total) } else { quote.end };
    Extent { at: quote.at + header_len, end }
}

/// Type, code, checksum.
const MIN_LEN: usize = 4;
/// With the four octets that differ from type to type.
const HEADER_LEN: usize = 8;
const V6_LEN: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;
    use crate::decode::tests::last;

    const V6: &str = "C = [2001:db8::1]:40000\nS = [2001:db8::2]:53\n";

    fn end(addr: &str, port: u16) -> Endpoint {
        Endpoint { addr: addr.parse().expect("an address"), port }
    }

    #[test]
    fn a_closed_port_quotes_the_datagram_that_found_it_closed() {
        decoded("0 C > S udp (20)\n0 S > C icmp port-unreachable", |packet| {
            let icmp = packet.icmp().expect("a message");
            assert_eq!((icmp.version, icmp.kind, icmp.code), (4, 3, 3));
            assert_eq!((icmp.checksum, icmp.mtu), (ChecksumState::Good, None));
            let quoted = icmp.quoted.expect("a quote");
            assert_eq!((quoted.protocol, quoted.octets), (Protocol::Udp, 28));
            assert_eq!((quoted.src, quoted.dst), (end("10.0.0.1", 40000), end("10.0.0.2", 80)));
            assert_eq!((quoted.seq, quoted.flags), (None, None));
        });
        decoded(&format!("{V6}0 C > S udp (20)\n0 S > C icmp port-unreachable"), |packet| {
            let icmp = packet.icmp().expect("a message");
            assert_eq!((icmp.version, icmp.kind, icmp.code, icmp.checksum), (6, 1, 4, ChecksumState::Good));
            assert_eq!(icmp.quoted.expect("a quote").dst, end("2001:db8::2", 53));
        });
    }

    #[test]
    fn fragmentation_needed_tells_the_mtu_and_the_sequence_number() {
        for (setting, kind) in [("", 3), (V6, 2)] {
            let script = format!(
                "{setting}R = {}\n0 C > S P. 5:1005(1000)\n0 R > C icmp fragmentation-needed mtu 1400",
                if setting.is_empty() { "10.9.9.9" } else { "[2001:db8::99]" }
            );
            decoded(&script, |packet| {
                let icmp = packet.icmp().expect("a message");
                assert_eq!((icmp.kind, icmp.mtu), (kind, Some(1400)));
                let quoted = icmp.quoted.expect("a quote");
                assert_eq!(quoted.seq, Some(SeqNumber(5)));
                assert_eq!(quoted.flags, Some(TcpFlags::PSH.with(TcpFlags::ACK)));
            });
        }
    }

    #[test]
    fn eight_octets_of_quote_tell_ports_and_sequence_number_but_no_flags() {
        decoded("0 C > S P. 5:1005(1000)\n0 S > C icmp time-exceeded quote 8", |packet| {
            let quoted = packet.icmp().expect("a message").quoted.expect("a quote");
            assert_eq!((quoted.seq, quoted.flags, quoted.octets), (Some(SeqNumber(5)), None, 8));
        });
        decoded("0 C > S P. 5:1005(1000)\n0 S > C icmp time-exceeded quote 14", |packet| {
            assert!(packet.icmp().expect("a message").quoted.expect("a quote").flags.is_some());
        });
    }

    #[test]
    fn a_quote_too_short_for_ports_is_none() {
        decoded("0 C > S P. 5:6(1)\n0 S > C icmp time-exceeded quote 3", |packet| {
            assert_eq!(packet.icmp().expect("a message").quoted, None);
        });
    }

    #[test]
    fn the_structure_behind_an_extended_quote_is_no_part_of_it() {
        // RFC 4884: octet 5 counts the quote in words, here 20 + 8 octets of it.
        let (meta, mut bytes) = last("0 C > S P. 5:105(100)\n0 S > C icmp time-exceeded");
        let icmp = 14 + 20;
        bytes[icmp + 5] = 7;
        let packet = decode(&Frame { meta, bytes: &bytes });
        let quoted = packet.icmp().expect("a message").quoted.expect("a quote");
        assert_eq!((quoted.octets, quoted.flags), (8, None));
    }

    #[test]
    fn a_later_fragment_in_a_quote_has_no_ports() {
        decoded("0 C > S udp (20) fragment 1480\n0 S > C icmp time-exceeded", |packet| {
            assert_eq!(packet.icmp().expect("a message").quoted, None);
        });
        decoded("0 C > S udp (20) mf\n0 S > C icmp time-exceeded", |packet| {
            assert!(packet.icmp().expect("a message").quoted.is_some());
        });
    }

    #[test]
    fn extension_headers_in_a_quote_are_stepped_over() {
        decoded(&format!("{V6}0 C > S udp (20) mf\n0 S > C icmp time-exceeded"), |packet| {
            let quoted = packet.icmp().expect("a message").quoted.expect("a quote");
            assert_eq!((quoted.protocol, quoted.dst.port, quoted.octets), (Protocol::Udp, 53, 28));
        });
    }

    #[test]
    fn an_echo_quotes_nothing() {
        decoded("0 C > S icmp echo-request (30)", |packet| {
            let icmp = packet.icmp().expect("a message");
            assert_eq!((icmp.kind, icmp.quoted, icmp.checksum), (8, None, ChecksumState::Good));
        });
    }

    #[test]
    fn a_wrong_checksum_is_told_in_both_versions() {
        for setting in ["", V6] {
            decoded(&format!("{setting}0 C > S icmp echo-request (30) checksum bad"), |packet| {
                assert_eq!(codes(packet), [DefectCode::IcmpChecksum]);
            });
        }
    }
}
