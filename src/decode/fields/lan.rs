//! Link layers other than Ethernet and the cooked captures, and tags.

use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::link;
use crate::decode::fields::octets;
use crate::packet::LinkType;

/// 802.2, with SNAP where it follows; behind the ISO network layer's SAP stands its protocol id.
pub(super) fn llc(sheet: &mut Sheet<'_>) {
    sheet.number("dsap", 0, 8, sap);
    sheet.number("ssap", 8, 8, sap);
    sheet.number("control", 16, 8, |control| if control == 3 { "unnumbered" } else { "numbered" }.to_owned());
    if sheet.bytes.len() >= 8 {
        sheet.number("oui", 24, 24, |oui| format!("{oui:06x}"));
        sheet.number("ether_type", 48, 16, link::ether_type);
    } else {
        sheet.number("nlpid", 24, 8, nlpid);
    }
}

/// RFC 1661, with the framing of RFC 1662 or a direction octet where they are there.
pub(super) fn ppp(sheet: &mut Sheet<'_>) {
    let framing: &[&'static str] = match sheet.bytes {
        [_, 0xff, 3, _, ..] => &["direction", "address", "control"],
        [_, 3, _, ..] => &["address", "control"],
        [_, _, _] => &["direction"],
        _ => &[],
    };
    for (at, name) in (0..).step_by(8).zip(framing) {
        sheet.plain(name, at, 8);
    }
    let width = sheet.bytes.len().saturating_sub(framing.len()).min(2) as u32 * 8;
    sheet.number("protocol", framing.len() as u32 * 8, width, |protocol| {
        match protocol {
            0x21 => "IPv4",
            0x57 => "IPv6",
            0x281 | 0x283 => "MPLS",
            0xc021 => "link control",
            0x8021 => "IPv4 control",
            0x8057 => "IPv6 control",
            0xc023 => "PAP",
            0xc223 => "CHAP",
            _ => "not known here",
        }
        .to_owned()
    });
}

/// RFC 2516 §4.
pub(super) fn pppoe(sheet: &mut Sheet<'_>) {
    sheet.plain("version", 0, 4);
    sheet.plain("type", 4, 4);
    sheet.number("code", 8, 8, |code| if code == 0 { "session data" } else { "not known here" }.to_owned());
    sheet.number("session_id", 16, 16, |id| format!("session {id:#06x}"));
    sheet.number("length", 32, 16, |length| octets(length as u64));
}

pub(super) fn chdlc(sheet: &mut Sheet<'_>) {
    sheet.number("address", 0, 8, |address| match address {
        0x0f => "unicast".to_owned(),
        0x8f => "multicast".to_owned(),
        _ => "not known here".to_owned(),
    });
    sheet.plain("control", 8, 8);
    sheet.number("protocol", 16, 16, link::ether_type);
}

/// RFC 2427 §3.
pub(super) fn frame_relay(sheet: &mut Sheet<'_>) {
    let address = sheet.bytes.iter().position(|octet| octet & 1 == 1).map_or(sheet.bytes.len(), |last| last + 1);
    let behind = address as u32 * 8;
    match *sheet.span(0, address) {
        [high, low] => {
            let dlci = u16::from(high >> 2) << 4 | u16::from(low >> 4);
            sheet.number("address", 0, 16, |_| format!("DLCI {dlci}"));
        }
        _ => sheet.octets("address", 0, address, hex),
    }
    match *sheet.span(address, usize::MAX) {
        [3, id, ..] => {
            sheet.plain("control", behind, 8);
            let padded = u32::from(id == 0) * 8;
            if padded > 0 {
                sheet.plain("padding", behind + 8, padded);
            }
            sheet.number("nlpid", behind + 8 + padded, 8, nlpid);
            sheet.number("oui", behind + 16 + padded, 24, |oui| format!("{oui:06x}"));
            sheet.number("ether_type", behind + 40 + padded, 16, link::ether_type);
        }
        _ => sheet.number("ether_type", behind, 16, link::ether_type),
    }
}

pub(super) fn slip(sheet: &mut Sheet<'_>) {
    sheet.number("direction", 0, 8, |way| if way == 0 { "received" } else { "sent" }.to_owned());
    sheet.octets("compressed_header", 1, usize::MAX, hex);
}

pub(super) fn fddi(sheet: &mut Sheet<'_>) {
    sheet.number("frame_control", 0, 8, |control| format!("{control:#04x}"));
    addresses(sheet, 8);
}

pub(super) fn token_ring(sheet: &mut Sheet<'_>) {
    sheet.number("access_control", 0, 8, |control| format!("{control:#04x}"));
    sheet.number("frame_control", 8, 8, |control| format!("{control:#04x}"));
    addresses(sheet, 16);
    sheet.octets("routing", 14, usize::MAX, hex);
}

pub(super) fn arcnet(sheet: &mut Sheet<'_>) {
    sheet.plain("source", 0, 8);
    sheet.plain("destination", 8, 8);
    sheet.octets("protocol", 2, usize::MAX, hex);
}

pub(super) fn ipoib(sheet: &mut Sheet<'_>) {
    sheet.octets("global_route_header", 0, 40, hex);
    sheet.number("ether_type", 320, 16, link::ether_type);
    sheet.plain("reserved", 336, 16);
}

pub(super) fn fibre_channel(sheet: &mut Sheet<'_>) {
    sheet.octets("destination", 0, 8, hex);
    sheet.octets("source", 8, 16, hex);
}

/// IEEE 802.1AE-2018 §9.
pub(super) fn macsec(sheet: &mut Sheet<'_>) {
    for (at, name) in (0..).zip(["version", "end_station", "sci_present", "single_copy", "encrypted", "changed"]) {
        sheet.bit(name, at);
    }
    sheet.plain("association_number", 6, 2);
    sheet.plain("reserved", 8, 2);
    sheet.number("short_length", 10, 6, |length| {
        if length == 0 { "48 octets or more".to_owned() } else { octets(length as u64) }
    });
    sheet.plain("packet_number", 16, 32);
    let with_channel = sheet.bytes.first().is_some_and(|tci| tci & 0x20 != 0);
    if with_channel {
        sheet.number("secure_channel", 48, 64, |channel| format!("{channel:016x}"));
    }
    sheet.number("ether_type", if with_channel { 112 } else { 48 }, 16, link::ether_type);
}

/// IEEE 802.1Q-2022 §9.7.
pub(super) fn pbb(sheet: &mut Sheet<'_>) {
    sheet.plain("priority", 0, 3);
    sheet.bit("drop_eligible", 3);
    sheet.bit("use_customer_addresses", 4);
    sheet.plain("reserved", 5, 3);
    sheet.number("service", 8, 24, |id| format!("service {id}"));
    addresses(sheet, 32);
    sheet.number("ether_type", 128, 16, link::ether_type);
}

pub(super) fn fabricpath(sheet: &mut Sheet<'_>) {
    sheet.plain("forwarding_tag", 0, 10);
    sheet.number("time_to_live", 10, 6, |hops| format!("{hops} hops left"));
}

pub(super) fn switch_tag(sheet: &mut Sheet<'_>) {
    addresses(sheet, 0);
    let tag_end = sheet.bytes.len().saturating_sub(2).max(12);
    sheet.octets("tag", 12, tag_end, hex);
    sheet.number("ether_type", tag_end as u32 * 8, 16, link::ether_type);
}

/// IEEE 802.11-2020 §9.2.4.
pub(super) fn wlan(sheet: &mut Sheet<'_>) {
    sheet.plain("subtype", 0, 4);
    sheet.number("type", 4, 2, |kind| ["management", "control", "data", "extension"][kind as usize % 4].to_owned());
    sheet.plain("version", 6, 2);
    let flags = ["order", "protected", "more_data", "power_management", "retry", "more_fragments", "from_ds", "to_ds"];
    for (at, name) in (8..).zip(flags) {
        sheet.bit(name, at);
    }
    little(sheet, "duration", 16, 16, |duration| duration.to_string());
    for (at, name) in (4..).step_by(6).zip(["address_1", "address_2", "address_3"]) {
        if sheet.bytes.len() >= at + 6 {
            sheet.number(name, at as u32 * 8, 48, link::mac);
        } else {
            return sheet.octets("rest", at, usize::MAX, hex);
        }
    }
    little(sheet, "sequence_control", 176, 16, |control| format!("sequence {}, part {}", control >> 4, control & 15));
    let four = sheet.bytes.get(1).is_some_and(|flags| flags & 3 == 3);
    if four {
        sheet.number("address_4", 192, 48, link::mac);
    }
    sheet.octets("quality_of_service", if four { 30 } else { 24 }, usize::MAX, hex);
}

pub(super) fn amsdu(sheet: &mut Sheet<'_>) {
    addresses(sheet, 0);
    sheet.number("length", 96, 16, |length| octets(length as u64));
}

pub(super) fn ppi(sheet: &mut Sheet<'_>) {
    sheet.plain("version", 0, 8);
    sheet.plain("flags", 8, 8);
    little(sheet, "length", 16, 16, octets);
    little(sheet, "link_type", 32, 32, |number| LinkType(number as u16).to_string());
    sheet.octets("fields", 8, usize::MAX, hex);
}

pub(super) fn pktap(sheet: &mut Sheet<'_>) {
    little(sheet, "length", 0, 32, octets);
    little(sheet, "record_type", 32, 32, |kind| if kind == 1 { "packet" } else { "not known here" }.to_owned());
    little(sheet, "link_type", 64, 32, |number| LinkType(number as u16).to_string());
    sheet.octets("interface", 12, 36, |name| {
        let end = name.iter().position(|&octet| octet == 0).unwrap_or(name.len());
        name[..end].escape_ascii().to_string()
    });
    sheet.octets("rest", 36, usize::MAX, hex);
}

pub(super) fn pflog(sheet: &mut Sheet<'_>) {
    sheet.number("length", 0, 8, |length| octets(length as u64));
    sheet.plain("family", 8, 8);
    sheet.number("action", 16, 8, |action| match action {
        0 => "pass".to_owned(),
        1 => "block".to_owned(),
        other => other.to_string(),
    });
    sheet.plain("reason", 24, 8);
    sheet.octets("rest", 4, usize::MAX, hex);
}

/// A header whose octets are shown as they are.
pub(super) fn opaque(sheet: &mut Sheet<'_>) {
    sheet.octets("octets", 0, usize::MAX, hex);
}

fn addresses(sheet: &mut Sheet<'_>, at: u32) {
    sheet.number("destination", at, 48, link::mac);
    sheet.number("source", at + 48, 48, link::mac);
}

/// A number in little-endian order.
pub(super) fn little(
    sheet: &mut Sheet<'_>,
    name: &'static str,
    at: u32,
    width: u32,
    meaning: impl FnOnce(u64) -> String,
) {
    sheet.number(name, at, width, |value| {
        let swapped = value.swap_bytes() >> (128 - width);
        meaning(swapped as u64)
    });
}

fn sap(value: u128) -> String {
    match value {
        0x06 => "IP",
        0x42 => "spanning tree",
        0xaa => "SNAP",
        0xe0 => "IPX",
        0xf0 => "NetBIOS",
        0xfe => "ISO network layer",
        _ => "not known here",
    }
    .to_owned()
}

fn nlpid(value: u128) -> String {
    match value {
        0x80 => "SNAP",
        0x8e => "IPv6",
        0xcc => "IPv4",
        _ => "not known here",
    }
    .to_owned()
}
