//! IPv4, IPv6 and extension headers.

use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use etherparse::IpNumber;

use crate::decode::checksum;
use crate::decode::fields;
use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::ip_option;
use crate::decode::fields::ip6_option;
use crate::decode::fields::octets;
use crate::packet::ChecksumState;
use crate::packet::IpHeader;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Transport;

/// RFC 791 §3.1; DSCP by RFC 2474, ECN by RFC 3168.
pub(super) fn ipv4(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    let innermost = innermost(packet, layer);
    sheet.plain("version", 0, 4);
    sheet.number("ihl", 4, 4, |words| sum_of_words(words, 20));
    traffic_class(sheet, 8);
    sheet.number("total_length", 16, 16, |total| match innermost {
        Some(ip) => length_sum(packet, ip, total as u64),
        None => octets(total as u64),
    });
    sheet.number("identification", 32, 16, |id| format!("{id:#06x}"));
    sheet.bit("reserved", 48);
    sheet.number("dont_fragment", 49, 1, |set| if set == 1 { "set: never fragment" } else { "not set" }.to_owned());
    sheet.number("more_fragments", 50, 1, |set| if set == 1 { "set: more follow" } else { "not set" }.to_owned());
    sheet.number("fragment_offset", 51, 13, |units| format!("{units} × 8 = {}", octets(units as u64 * 8)));
    sheet.number("time_to_live", 64, 8, |hops| format!("{hops} hops left"));
    sheet.number("protocol", 72, 8, protocol);
    let bytes = sheet.bytes;
    sheet.number("header_checksum", 80, 16, |field| match checksum::plain(bytes, field as u16) {
        ChecksumState::Bad { expected } if field == 0 => {
            format!("partial: left for the network card to finish; computed {expected:#06x}")
        }
        state => fields::checksum(state, field),
    });
    sheet.number("source_address", 96, 32, |addr| Ipv4Addr::from_bits(addr as u32).to_string());
    sheet.number("destination_address", 128, 32, |addr| Ipv4Addr::from_bits(addr as u32).to_string());
    ip_option::list(sheet, 20);
}

/// RFC 8200 §3.
pub(super) fn ipv6(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    let innermost = innermost(packet, layer);
    sheet.plain("version", 0, 4);
    traffic_class(sheet, 4);
    sheet.number("flow_label", 12, 20, |label| format!("{label:#07x}"));
    sheet.number("payload_length", 32, 16, |length| match innermost {
        Some(ip) => length_sum(packet, ip, length as u64),
        None => octets(length as u64),
    });
    sheet.number("next_header", 48, 8, protocol);
    sheet.number("hop_limit", 56, 8, |hops| format!("{hops} hops left"));
    sheet.number("source_address", 64, 128, |addr| Ipv6Addr::from_bits(addr).to_string());
    sheet.number("destination_address", 192, 128, |addr| Ipv6Addr::from_bits(addr).to_string());
}

/// Hop-by-hop and destination options, RFC 8200 §4.3 and §4.6.
pub(super) fn options_header(sheet: &mut Sheet<'_>) {
    sheet.number("next_header", 0, 8, protocol);
    sheet.number("header_extension_length", 8, 8, eights);
    ip6_option::list(sheet, 2);
}

/// RFC 8200 §4.4.
pub(super) fn routing(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    sheet.number("next_header", 0, 8, protocol);
    sheet.number("header_extension_length", 8, 8, eights);
    sheet.number("routing_type", 16, 8, |kind| {
        match kind {
            0 => "source route (deprecated)",
            2 => "mobile IPv6",
            3 => "RPL source route",
            4 => "segment routing",
            _ => "not known here",
        }
        .to_owned()
    });
    sheet.number("segments_left", 24, 8, |left| format!("{left} hops of the route to go"));
    let before = packet.layers.iter().take_while(|other| *other != layer);
    let ip = before.filter(|other| other.kind == LayerKind::Ipv6).last();
    let dst = ip.and_then(|ip| packet.bytes.get(ip.offset as usize + 24..)?.first_chunk::<16>());
    ip6_option::route(sheet, dst.map(|octets| Ipv6Addr::from(*octets)));
}

/// RFC 8200 §4.5.
pub(super) fn fragment(sheet: &mut Sheet<'_>) {
    sheet.number("next_header", 0, 8, protocol);
    sheet.plain("reserved", 8, 8);
    sheet.number("fragment_offset", 16, 13, |units| format!("{units} × 8 = {}", octets(units as u64 * 8)));
    sheet.plain("reserved_2", 29, 2);
    sheet.number("more_fragments", 31, 1, |set| if set == 1 { "set: more follow" } else { "not set" }.to_owned());
    sheet.number("identification", 32, 32, |id| format!("{id:#010x}"));
}

/// RFC 4302 §2.
pub(super) fn authentication(sheet: &mut Sheet<'_>) {
    sheet.number("next_header", 0, 8, protocol);
    sheet.number("payload_length", 8, 8, |words| format!("({words} + 2) × 4 = {}", octets((words as u64 + 2) * 4)));
    sheet.plain("reserved", 16, 16);
    sheet.number("spi", 32, 32, |spi| format!("{spi:#010x}"));
    sheet.plain("sequence_number", 64, 32);
    sheet.octets("integrity_check_value", 12, usize::MAX, hex);
}

/// `8 × 4 = 32 octets = 20 + 12 of options`.
pub(super) fn sum_of_words(words: u128, fixed: u64) -> String {
    let total = words as u64 * 4;
    let sum = format!("{words} × 4 = {}", octets(total));
    match total.checked_sub(fixed) {
        Some(0) => format!("{sum}, no options"),
        Some(options) => format!("{sum} = {fixed} + {options} of options"),
        None => format!("{sum}: below the least, {fixed}"),
    }
}

/// The header that `packet.ip` speaks of, if `layer` is that one.
fn innermost<'p>(packet: &'p Packet<'_>, layer: &Layer) -> Option<&'p IpHeader> {
    let is_ip = |layer: &&Layer| matches!(layer.kind, LayerKind::Ipv4 | LayerKind::Ipv6);
    packet.ip.as_ref().filter(|_| packet.layers.iter().rev().find(is_ip) == Some(layer))
}

/// `60 octets − 20 IP − 32 TCP = 8 octets of payload`. IPv6 counts only what follows its fixed header.
fn length_sum(packet: &Packet<'_>, ip: &IpHeader, declared: u64) -> String {
    let (counted, header, label) = match ip.version {
        4 => (ip.total_len(), ip.header_len, "IP"),
        _ => (ip.total_len().saturating_sub(40), ip.header_len.saturating_sub(40), "extension headers"),
    };
    let mut sum = match u64::from(counted) {
        counted if packet.reassembled.is_some() => {
            format!("{}, with the other fragments {counted}: {counted}", octets(declared))
        }
        counted if counted > 0 && declared == 0 => format!("0 by offload or as a jumbogram: {}", octets(counted)),
        counted if counted < declared => format!("{}, the frame holds {counted}: {counted}", octets(declared)),
        counted => octets(counted),
    };
    if header > 0 {
        sum += &format!(" − {header} {label}");
    }
    let payload = match &packet.transport {
        Transport::Tcp(tcp) => {
            sum += &format!(" − {} TCP", tcp.header_len);
            tcp.len
        }
        Transport::Udp(udp) => {
            sum += " − 8 UDP";
            ip.payload_len.saturating_sub(8).max(udp.len)
        }
        _ => ip.payload_len,
    };
    format!("{sum} = {} of payload", octets(payload))
}

fn traffic_class(sheet: &mut Sheet<'_>, at: u32) {
    sheet.number("dscp", at, 6, |value| match value {
        0 => "best effort".to_owned(),
        46 => "EF (expedited)".to_owned(),
        10..=38 if value % 2 == 0 && !value.is_multiple_of(8) => format!("AF{}{}", value / 8, value % 8 / 2),
        _ if value.is_multiple_of(8) => format!("CS{}", value / 8),
        other => other.to_string(),
    });
    sheet.number("ecn", at + 6, 2, |value| {
        ["not ECN-capable", "ECT(1)", "ECT(0)", "CE: congestion experienced"][value as usize % 4].to_owned()
    });
}

fn protocol(value: u128) -> String {
    IpNumber(value as u8).keyword_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn eights(value: u128) -> String {
    format!("({value} + 1) × 8 = {}", octets((value as u64 + 1) * 8))
}
