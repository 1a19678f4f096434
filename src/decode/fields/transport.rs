//! TCP and UDP.

use crate::decode::fields;
use crate::decode::fields::Sheet;
use crate::decode::fields::ip;
use crate::decode::fields::octets;
use crate::decode::fields::option;
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

/// A checksum's state by [`fields::checksum_of`].
pub(super) fn summed(packet: &Packet<'_>, layer: &Layer, field: u128) -> String {
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
