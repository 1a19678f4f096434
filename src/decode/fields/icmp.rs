//! ICMP and ICMPv6: types and codes by name, the fields that each type has, neighbour discovery with its options.
//!
//! RFC 792, RFC 950 (address mask), RFC 1191 (MTU), RFC 1256 (router discovery), RFC 4884 (length of a quote), RFC 4443,
//! RFC 4861 (neighbour discovery), RFC 2710 (listener discovery).

use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::decode::fields::Sheet;
use crate::decode::fields::neighbor;
use crate::decode::fields::octets;
use crate::decode::fields::transport::summed;
use crate::packet::Icmp;
use crate::packet::Layer;
use crate::packet::Packet;

/// The quoted packet stands behind the header and is listed with it.
pub(super) fn message(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer, version: u8) {
    let kind = sheet.peek(0, 8).unwrap_or_default();
    let code = sheet.peek(8, 8).unwrap_or_default();
    sheet.number("type", 0, 8, |kind| type_name(version, kind).to_owned());
    sheet.number("code", 8, 8, |code| code_name(version, kind, code).map_or_else(|| code.to_string(), str::to_owned));
    sheet.number("checksum", 16, 16, |field| summed(packet, layer, field));
    if version == 4 {
        rest_v4(sheet, kind, code);
    } else {
        rest_v6(sheet, kind);
    }
    if let Some(Icmp { quoted: Some(quoted), .. }) = packet.icmp() {
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

fn rest_v4(sheet: &mut Sheet<'_>, kind: u128, code: u128) {
    match (kind, code) {
        (3, 4) => {
            sheet.plain("unused", 32, 8);
            sheet.number("length", 40, 8, |words| quote_length(words, 4));
            sheet.number("next_hop_mtu", 48, 16, |mtu| match mtu {
                0 => "not told: the router is older than RFC 1191".to_owned(),
                mtu => octets(mtu as u64),
            });
        }
        (3 | 11, _) => {
            sheet.plain("unused", 32, 8);
            sheet.number("length", 40, 8, |words| quote_length(words, 4));
            sheet.plain("unused_2", 48, 16);
        }
        (12, _) => {
            sheet.number("pointer", 32, 8, |at| format!("octet {at} of the quoted packet"));
            sheet.number("length", 40, 8, |words| quote_length(words, 4));
            sheet.plain("unused", 48, 16);
        }
        (5, _) => sheet.number("gateway_address", 32, 32, |addr| Ipv4Addr::from_bits(addr as u32).to_string()),
        (9, _) => {
            sheet.plain("number_of_addresses", 32, 8);
            sheet.plain("address_entry_size", 40, 8);
            sheet.number("lifetime", 48, 16, |seconds| format!("{seconds} s"));
            neighbor::routers(sheet);
        }
        (0 | 8 | 13 | 14 | 17 | 18, _) => {
            sheet.plain("identifier", 32, 16);
            sheet.plain("sequence_number", 48, 16);
            match kind {
                13 | 14 => {
                    for (at, name) in
                        [(64, "originate_timestamp"), (96, "receive_timestamp"), (128, "transmit_timestamp")]
                    {
                        sheet.number(name, at, 32, since_midnight);
                    }
                }
                17 | 18 => {
                    sheet.number("mask", 64, 32, |mask| Ipv4Addr::from_bits(mask as u32).to_string());
                }
                _ => {}
            }
        }
        (42 | 43, _) => extended_echo(sheet, kind == 43),
        _ => sheet.number("rest_of_header", 32, 32, |rest| format!("{rest:#010x}")),
    }
}

/// RFC 8335 §2 and §3.
fn extended_echo(sheet: &mut Sheet<'_>, is_reply: bool) {
    sheet.plain("identifier", 32, 16);
    sheet.plain("sequence_number", 48, 8);
    if !is_reply {
        sheet.plain("reserved", 56, 7);
        return sheet.bit("local", 63);
    }
    sheet.number("state", 56, 3, |state| {
        ["reserved", "incomplete", "reachable", "stale", "delay", "probe", "failed", "not known here"]
            [state as usize % 8]
            .to_owned()
    });
    sheet.plain("reserved", 59, 2);
    for (at, name) in (61..).zip(["active", "ipv4", "ipv6"]) {
        sheet.bit(name, at);
    }
}

fn rest_v6(sheet: &mut Sheet<'_>, kind: u128) {
    match kind {
        1 | 3 => {
            sheet.number("length", 32, 8, |words| quote_length(words, 8));
            sheet.plain("unused", 40, 24);
        }
        2 => sheet.number("mtu", 32, 32, |mtu| octets(mtu as u64)),
        4 => sheet.number("pointer", 32, 32, |at| format!("octet {at} of the quoted packet")),
        128 | 129 => {
            sheet.plain("identifier", 32, 16);
            sheet.plain("sequence_number", 48, 16);
        }
        130..=132 => {
            sheet.number("maximum_response_delay", 32, 16, |millis| format!("{millis} ms"));
            sheet.plain("reserved", 48, 16);
            address(sheet, "multicast_address", 64);
            if kind == 130 {
                neighbor::query(sheet);
            }
        }
        133 => {
            sheet.plain("reserved", 32, 32);
            neighbor::options(sheet, 8);
        }
        134 => router_advertisement(sheet),
        135 => {
            sheet.plain("reserved", 32, 32);
            address(sheet, "target_address", 64);
            neighbor::options(sheet, 24);
        }
        136 => {
            for (at, name) in (32..).zip(["router", "solicited", "override"]) {
                sheet.bit(name, at);
            }
            sheet.plain("reserved", 35, 29);
            address(sheet, "target_address", 64);
            neighbor::options(sheet, 24);
        }
        137 => {
            sheet.plain("reserved", 32, 32);
            address(sheet, "target_address", 64);
            address(sheet, "destination_address", 192);
            neighbor::options(sheet, 40);
        }
        160 | 161 => extended_echo(sheet, kind == 161),
        143 => {
            sheet.plain("reserved", 32, 16);
            sheet.plain("number_of_records", 48, 16);
            neighbor::records(sheet);
        }
        _ => sheet.number("rest_of_header", 32, 32, |rest| format!("{rest:#010x}")),
    }
}

/// RFC 4861 §4.2; preference by RFC 4191 §2.2, home agent by RFC 6275 §7.1, proxy by RFC 4389.
fn router_advertisement(sheet: &mut Sheet<'_>) {
    sheet.plain("current_hop_limit", 32, 8);
    for (at, name) in (40..).zip(["managed", "other", "home_agent"]) {
        sheet.bit(name, at);
    }
    sheet.number("preference", 43, 2, |value| ["medium", "high", "reserved", "low"][value as usize % 4].to_owned());
    sheet.bit("proxy", 45);
    sheet.plain("reserved", 46, 2);
    sheet.number("router_lifetime", 48, 16, |seconds| match seconds {
        0 => "no default router".to_owned(),
        seconds => format!("{seconds} s"),
    });
    sheet.number("reachable_time", 64, 32, |millis| format!("{millis} ms"));
    sheet.number("retrans_timer", 96, 32, |millis| format!("{millis} ms"));
    neighbor::options(sheet, 16);
}

fn address(sheet: &mut Sheet<'_>, name: &'static str, at: u32) {
    sheet.number(name, at, 128, |addr| Ipv6Addr::from_bits(addr).to_string());
}

/// RFC 4884 §4: 0 from those who do not know of it, and where no extension follows.
fn quote_length(words: u128, octets_each: u64) -> String {
    match words {
        0 => "the quote goes on to the end".to_owned(),
        words => format!("{words} × {octets_each} = {} of quote", octets(words as u64 * octets_each)),
    }
}

/// RFC 792: milliseconds since midnight UT, unless the first bit says otherwise.
pub(super) fn since_midnight(value: u128) -> String {
    if value >> 31 == 1 {
        return format!("{value}, not in standard units");
    }
    let (seconds, millis) = (value / 1000, value % 1000);
    format!("{:02}:{:02}:{:02}.{millis:03} UT", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn type_name(version: u8, kind: u128) -> &'static str {
    match (version, kind) {
        (4, 0) | (6, 129) => "echo reply",
        (4, 3) | (6, 1) => "destination unreachable",
        (4, 4) => "source quench",
        (4, 5) | (6, 137) => "redirect",
        (4, 6) => "alternate host address",
        (4, 8) | (6, 128) => "echo request",
        (4, 9) | (6, 134) => "router advertisement",
        (4, 10) | (6, 133) => "router solicitation",
        (4, 11) | (6, 3) => "time exceeded",
        (4, 12) | (6, 4) => "parameter problem",
        (4, 13) => "timestamp request",
        (4, 14) => "timestamp reply",
        (4, 15) => "information request",
        (4, 16) => "information reply",
        (4, 17) => "address mask request",
        (4, 18) => "address mask reply",
        (4, 30) => "traceroute",
        (4, 40) => "Photuris",
        (4, 42) | (6, 160) => "extended echo request",
        (4, 43) | (6, 161) => "extended echo reply",
        (6, 2) => "packet too big",
        (6, 130) => "multicast listener query",
        (6, 131) => "multicast listener report",
        (6, 132) => "multicast listener done",
        (6, 135) => "neighbor solicitation",
        (6, 136) => "neighbor advertisement",
        (6, 138) => "router renumbering",
        (6, 139) => "node information query",
        (6, 140) => "node information response",
        (6, 141) => "inverse neighbor solicitation",
        (6, 142) => "inverse neighbor advertisement",
        (6, 143) => "multicast listener report, version 2",
        (6, 144) => "home agent discovery request",
        (6, 145) => "home agent discovery reply",
        (6, 146) => "mobile prefix solicitation",
        (6, 147) => "mobile prefix advertisement",
        (6, 148) => "certification path solicitation",
        (6, 149) => "certification path advertisement",
        (6, 151) => "multicast router advertisement",
        (6, 152) => "multicast router solicitation",
        (6, 153) => "multicast router termination",
        (6, 155) => "RPL control",
        (6, 157) => "duplicate address request",
        (6, 158) => "duplicate address confirmation",
        _ => "not known here",
    }
}

fn code_name(version: u8, kind: u128, code: u128) -> Option<&'static str> {
    Some(match (version, kind, code) {
        (4, 3, 0) => "net unreachable",
        (4, 3, 1) | (6, 1, 3) => "host unreachable",
        (4, 3, 2) => "protocol unreachable",
        (4, 3, 3) | (6, 1, 4) => "port unreachable",
        (4, 3, 4) => "fragmentation needed and DF set",
        (4, 3, 5) => "source route failed",
        (4, 3, 6) => "destination network unknown",
        (4, 3, 7) => "destination host unknown",
        (4, 3, 8) => "source host isolated",
        (4, 3, 9) => "network administratively prohibited",
        (4, 3, 10) => "host administratively prohibited",
        (4, 3, 11) => "network unreachable for type of service",
        (4, 3, 12) => "host unreachable for type of service",
        (4, 3, 13) | (6, 1, 1) => "administratively prohibited",
        (4, 3, 14) => "host precedence violation",
        (4, 3, 15) => "precedence cutoff in effect",
        (4, 5, 0) => "for the network",
        (4, 5, 1) => "for the host",
        (4, 5, 2) => "for type of service and network",
        (4, 5, 3) => "for type of service and host",
        (4, 12, 0) => "pointer tells the octet",
        (4, 12, 1) => "a required option is missing",
        (4, 12, 2) => "bad length",
        (6, 1, 0) => "no route",
        (6, 1, 2) => "beyond the scope of the source address",
        (6, 1, 5) => "source address failed policy",
        (6, 1, 6) => "route rejected",
        (6, 1, 7) => "error in the source route",
        (6, 4, 0) => "erroneous header field",
        (6, 4, 1) => "unrecognized next header",
        (6, 4, 2) => "unrecognized option",
        (6, 4, 3) => "first fragment without the whole header chain",
        (4, 11, 0) | (6, 3, 0) => "in transit",
        (4, 11, 1) | (6, 3, 1) => "in reassembly",
        _ => return None,
    })
}

/// More of a quote is not shown in one field.
const QUOTE_SHOWN: usize = 128;
