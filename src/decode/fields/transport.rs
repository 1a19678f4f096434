//! TCP, UDP, ICMP and ICMPv6.

use crate::decode::fields;
use crate::decode::fields::Sheet;
use crate::decode::fields::ip;
use crate::decode::fields::octets;
use crate::decode::fields::option;
use crate::packet::Icmp;
use crate::packet::Layer;
use crate::packet::Packet;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::tuple::port_class;

/// RFC 9293 §3.1; AE by RFC 9768.
pub(super) fn tcp(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    let tcp = packet.tcp();
    sheet.number("source_port", 0, 16, port);
    sheet.number("destination_port", 16, 16, port);
    sheet.number("sequence_number", 32, 32, |seq| match tcp {
        Some(tcp) => next_sum(tcp),
        None => seq.to_string(),
    });
    sheet.number("acknowledgment_number", 64, 32, |ack| match tcp {
        Some(tcp) if !tcp.flags.has(TcpFlags::ACK) => "not significant: ACK is not set".to_owned(),
        _ => format!("expects {ack} next"),
    });
    sheet.number("data_offset", 96, 4, |words| ip::sum_of_words(words, 20));
    sheet.plain("reserved", 100, 3);
    for (at, name) in (103..).zip(["ae", "cwr", "ece", "urg", "ack", "psh", "rst", "syn", "fin"]) {
        sheet.bit(name, at);
    }
    sheet.number("window", 112, 16, |window| match tcp {
        // RFC 7323 §2.2: the window of a SYN is never scaled.
        Some(tcp) if tcp.flags.has(TcpFlags::SYN) => format!("{}, never scaled on a SYN", octets(window as u64)),
        _ => format!("{window}, times the sender's window scale"),
    });
    sheet.number("checksum", 128, 16, |field| summed(packet, layer, field));
    sheet.number("urgent_pointer", 144, 16, |pointer| match tcp {
        Some(tcp) if !tcp.flags.has(TcpFlags::URG) => "not significant: URG is not set".to_owned(),
        _ => format!("urgent data ends {pointer} behind the sequence number"),
    });
    let whole = tcp.is_none_or(|tcp| !tcp.sound || u32::from(tcp.header_len) <= layer.len);
    option::list(sheet, 20, whole);
}

/// RFC 768.
pub(super) fn udp(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    sheet.number("source_port", 0, 16, port);
    sheet.number("destination_port", 16, 16, port);
    sheet.number("length", 32, 16, |length| match length {
        0..8 => format!("{}: less than the header", octets(length as u64)),
        _ => format!("{} − 8 UDP = {} of payload", octets(length as u64), octets(length as u64 - 8)),
    });
    sheet.number("checksum", 48, 16, |field| summed(packet, layer, field));
}

/// RFC 792, RFC 4443. The quoted packet stands behind the header and is listed with it.
pub(super) fn icmp(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    let message = packet.icmp();
    let kind = sheet.peek(0, 8).unwrap_or_default();
    let version = message.map_or(4, |message| message.version);
    sheet.number("type", 0, 8, |kind| icmp_type(version, kind).to_owned());
    sheet.number("code", 8, 8, |code| icmp_code(version, kind, code).map_or_else(|| code.to_string(), str::to_owned));
    sheet.number("checksum", 16, 16, |field| summed(packet, layer, field));
    match (version, kind, message.and_then(|message| message.mtu)) {
        (4, _, Some(_)) => {
            sheet.plain("unused", 32, 16);
            sheet.number("next_hop_mtu", 48, 16, |mtu| match mtu {
                0 => "not told: the router is older than RFC 1191".to_owned(),
                mtu => octets(mtu as u64),
            });
        }
        (_, _, Some(_)) => sheet.number("mtu", 32, 32, |mtu| octets(mtu as u64)),
        (4, 0 | 8, _) | (6, 128 | 129, _) => {
            sheet.plain("identifier", 32, 16);
            sheet.plain("sequence_number", 48, 16);
        }
        _ => sheet.number("rest_of_header", 32, 32, |rest| format!("{rest:#010x}")),
    }
    if let Some(Icmp { quoted: Some(quoted), .. }) = message {
        let from = (layer.offset + layer.len) as usize;
        let mut behind = Sheet { bytes: packet.bytes.get(from..).unwrap_or(&[]), fields: Vec::new() };
        behind.octets("quoted_packet", 0, QUOTE_SHOWN, |_| {
            let seq = quoted.seq.map(|seq| format!(", seq {seq}")).unwrap_or_default();
            let flags = quoted.flags.map(|flags| format!(", {flags}")).unwrap_or_default();
            format!("{} {} > {}{seq}{flags}", quoted.protocol.name(), quoted.src, quoted.dst)
        });
        sheet.fields.extend(behind.fields.into_iter().map(|mut field| {
            field.bits.0 = layer.len * 8;
            field
        }));
    }
}

fn summed(packet: &Packet<'_>, layer: &Layer, field: u128) -> String {
    match fields::checksum_of(packet, layer) {
        Some(summed) => fields::checksum(summed.state, field),
        None => format!("{field:#06x}"),
    }
}

fn port(port: u128) -> String {
    format!("{port} ({})", port_class(port as u16))
}

/// `1000 + 4 octets + FIN = 1005 comes next`.
fn next_sum(tcp: &TcpHeader<'_>) -> String {
    let mut sum = tcp.seq.to_string();
    if tcp.len > 0 {
        sum += &format!(" + {}", octets(tcp.len));
    }
    for (flag, name) in [(TcpFlags::SYN, "SYN"), (TcpFlags::FIN, "FIN")] {
        if tcp.flags.has(flag) {
            sum += &format!(" + {name}");
        }
    }
    if tcp.seq_len() == 0 {
        return format!("{sum}, takes none");
    }
    format!("{sum} = {} comes next", tcp.end())
}

fn icmp_type(version: u8, kind: u128) -> &'static str {
    match (version, kind) {
        (4, 0) | (6, 129) => "echo reply",
        (4, 3) | (6, 1) => "destination unreachable",
        (4, 4) => "source quench",
        (4, 5) | (6, 137) => "redirect",
        (4, 8) | (6, 128) => "echo request",
        (4, 11) | (6, 3) => "time exceeded",
        (4, 12) | (6, 4) => "parameter problem",
        (6, 2) => "packet too big",
        (6, 133) => "router solicitation",
        (6, 134) => "router advertisement",
        (6, 135) => "neighbor solicitation",
        (6, 136) => "neighbor advertisement",
        _ => "not known here",
    }
}

fn icmp_code(version: u8, kind: u128, code: u128) -> Option<&'static str> {
    Some(match (version, kind, code) {
        (4, 3, 0) => "net unreachable",
        (4, 3, 1) | (6, 1, 3) => "host unreachable",
        (4, 3, 2) => "protocol unreachable",
        (4, 3, 3) | (6, 1, 4) => "port unreachable",
        (4, 3, 4) => "fragmentation needed and DF set",
        (4, 3, 13) | (6, 1, 1) => "administratively prohibited",
        (6, 1, 0) => "no route",
        (4, 11, 0) | (6, 3, 0) => "in transit",
        (4, 11, 1) | (6, 3, 1) => "in reassembly",
        _ => return None,
    })
}

/// More of a quote is not shown.
const QUOTE_SHOWN: usize = 128;
