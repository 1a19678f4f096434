//! ICMP and ICMPv6 (RFC 792, RFC 4443): which packet failed, and how small the next one has to be.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::decode::checksum;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::push;
use crate::decode::extent::require;
use crate::decode::ip::Carried;
use crate::decode::ip::extension_len;
use crate::decode::transport;
use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::Endpoint;
use crate::packet::Icmp;
use crate::packet::LayerKind;
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
    if !push(packet, layer, extent.at, bytes.len().min(HEADER_LEN)) {
        return;
    }
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

fn message_checksum(packet: &mut Packet<'_>, carried: &Carried, bytes: &[u8], field: u16) -> ChecksumState {
    let state = if carried.ip.is_fragment() || bytes.len() < carried.extent.len() {
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
    let &[kind, _, _, _, length6, length4, ..] = bytes else { return None };
    let length = match (version, kind) {
        (4, 3 | 11 | 12) => usize::from(length4) * 4,
        (6, 1 | 3) => usize::from(length6) * 8,
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
    for _ in 0..MAX_EXTENSIONS {
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
const MAX_EXTENSIONS: usize = 8;
