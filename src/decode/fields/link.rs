//! Link-layer headers and ARP.

use std::net::Ipv4Addr;

use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::octets;
use crate::decode::link::ETHERNET_LEN;
use crate::decode::link::null_family;
use crate::packet::EtherType;
use crate::packet::MacAddr;

pub(super) fn ethernet(sheet: &mut Sheet<'_>) {
    sheet.number("destination", 0, 48, mac);
    sheet.number("source", 48, 48, mac);
    typed(sheet, ETHERNET_LEN as u32 * 8 - 16);
}

/// IEEE 802.1Q-2022 §9.6, as it follows the EtherType before it.
pub(super) fn vlan(sheet: &mut Sheet<'_>) {
    sheet.number("priority", 0, 3, |value| format!("priority {value} of 7"));
    sheet.bit("drop_eligible", 3);
    sheet.number("vlan_id", 4, 12, |value| match value {
        0 => "priority only, no VLAN".to_owned(),
        id => format!("VLAN {id}"),
    });
    typed(sheet, 16);
}

/// Linux cooked capture v1.
pub(super) fn sll(sheet: &mut Sheet<'_>) {
    sheet.number("packet_type", 0, 16, packet_type);
    sheet.number("hardware_type", 16, 16, hardware_type);
    sheet.plain("address_length", 32, 16);
    address(sheet, 6, 4);
    typed(sheet, 112);
}

/// Linux cooked capture v2.
pub(super) fn sll2(sheet: &mut Sheet<'_>) {
    sheet.number("protocol", 0, 16, ether_type);
    sheet.plain("reserved", 16, 16);
    sheet.plain("interface_index", 32, 32);
    sheet.number("hardware_type", 64, 16, hardware_type);
    sheet.number("packet_type", 80, 8, packet_type);
    sheet.plain("address_length", 88, 8);
    address(sheet, 12, 11);
}

/// BSD loopback.
pub(super) fn null(sheet: &mut Sheet<'_>) {
    let field = sheet.bytes.first_chunk::<4>().copied();
    sheet.number("family", 0, 32, |_| match field.map(null_family) {
        Some(2) => "IPv4".to_owned(),
        Some(family @ (10 | 23 | 24 | 28 | 30)) => format!("IPv6 (family {family})"),
        Some(family) => format!("family {family}"),
        None => String::new(),
    });
}

/// RFC 826.
pub(super) fn arp(sheet: &mut Sheet<'_>) {
    sheet.number("hardware_type", 0, 16, hardware_type);
    sheet.number("protocol_type", 16, 16, ether_type);
    sheet.plain("hardware_length", 32, 8);
    sheet.plain("protocol_length", 40, 8);
    sheet.number("operation", 48, 16, |value| match value {
        1 => "request".to_owned(),
        2 => "reply".to_owned(),
        3 => "reverse request".to_owned(),
        4 => "reverse reply".to_owned(),
        8 => "inverse request".to_owned(),
        9 => "inverse reply".to_owned(),
        other => format!("operation {other}"),
    });
    let &[_, _, _, _, hardware, protocol, ..] = sheet.bytes else { return };
    let (hardware, protocol) = (usize::from(hardware), usize::from(protocol));
    let mut at = 8;
    for (hardware_name, protocol_name) in
        [("sender_hardware", "sender_protocol"), ("target_hardware", "target_protocol")]
    {
        sheet.octets(hardware_name, at, at + hardware, link_address);
        at += hardware;
        sheet.octets(protocol_name, at, at + protocol, |octets| match <[u8; 4]>::try_from(octets) {
            Ok(octets) => Ipv4Addr::from(octets).to_string(),
            Err(_) => hex(octets),
        });
        at += protocol;
    }
}

/// The EtherType or 802.3 length.
fn typed(sheet: &mut Sheet<'_>, at: u32) {
    sheet.number("ether_type", at, 16, ether_type);
}

fn address(sheet: &mut Sheet<'_>, at: usize, length_at: usize) {
    // The length field has one octet or two; addresses never fill more than the eight octets that there are.
    let wide = if length_at == 4 { sheet.peek(32, 16) } else { sheet.peek(88, 8) };
    let used = wide.map_or(8, |used| used.min(8) as usize);
    sheet.octets("address", at, at + 8, |octets| link_address(&octets[..used.min(octets.len())]));
}

pub(super) fn link_address(octets: &[u8]) -> String {
    match <[u8; 6]>::try_from(octets) {
        Ok(octets) => MacAddr(octets).to_string(),
        Err(_) => hex(octets),
    }
}

pub(super) fn mac(value: u128) -> String {
    let [.., a, b, c, d, e, f] = value.to_be_bytes();
    let addr = MacAddr([a, b, c, d, e, f]);
    match addr.0 {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => format!("{addr} (broadcast)"),
        [first, ..] if first & 1 == 1 => format!("{addr} (multicast)"),
        _ => addr.to_string(),
    }
}

pub(super) fn ether_type(value: u128) -> String {
    match (EtherType(value as u16).name(), value) {
        (_, 0..0x0600) => format!("802.3 length: {}", octets(value as u64)),
        (Some(name), _) => name.to_owned(),
        (None, _) => "not known here".to_owned(),
    }
}

fn packet_type(value: u128) -> String {
    match value {
        0 => "sent to us",
        1 => "broadcast",
        2 => "multicast",
        3 => "sent to somebody else",
        4 => "sent by us",
        _ => "not known here",
    }
    .to_owned()
}

fn hardware_type(value: u128) -> String {
    match value {
        1 => "Ethernet",
        512 => "PPP",
        772 => "loopback",
        778 => "GRE",
        801..=803 => "802.11",
        824 => "netlink",
        65534 => "none (tunnel device)",
        _ => "not known here",
    }
    .to_owned()
}
