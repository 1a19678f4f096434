//! Tunnel headers.

use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::link;
use crate::decode::fields::octets;
use crate::decode::fields::transport::summed;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// RFC 3032 §2.1, entry by entry.
pub(super) fn mpls(sheet: &mut Sheet<'_>) {
    for at in (0..sheet.bytes.len() as u32 * 8).step_by(32) {
        sheet.number("label", at, 20, |label| match label {
            0 => "IPv4 explicit null".to_owned(),
            1 => "router alert".to_owned(),
            2 => "IPv6 explicit null".to_owned(),
            3 => "implicit null".to_owned(),
            label => format!("label {label}"),
        });
        sheet.plain("traffic_class", at + 20, 3);
        sheet.number("bottom_of_stack", at + 23, 1, |bottom| if bottom == 1 { "set" } else { "not set" }.to_owned());
        sheet.number("time_to_live", at + 24, 8, |hops| format!("{hops} hops left"));
    }
}

/// RFC 4385 §3.
pub(super) fn control_word(sheet: &mut Sheet<'_>) {
    sheet.plain("zero", 0, 4);
    sheet.plain("flags", 4, 4);
    sheet.plain("fragmentation", 8, 2);
    sheet.number("length", 10, 6, |length| if length == 0 { "64 or more".to_owned() } else { octets(length as u64) });
    sheet.plain("sequence_number", 16, 16);
}

/// RFC 2784 §2, RFC 2890 §2, RFC 2637 §4.1.
pub(super) fn gre(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    for (at, name) in (0..).zip(["checksum_present", "routing_present", "key_present", "sequence_present"]) {
        sheet.bit(name, at);
    }
    let has = |sheet: &Sheet<'_>, at| sheet.peek(at, 1) == Some(1);
    let is_one = sheet.peek(13, 3) == Some(1);
    sheet.plain("strict_route", 4, 1);
    sheet.plain("recursion", 5, 3);
    sheet.number("acknowledgment_present", 8, 1, |set| if set == 1 { "set" } else { "not set" }.to_owned());
    sheet.plain("flags", 9, 4);
    sheet.plain("version", 13, 3);
    sheet.number("protocol", 16, 16, link::ether_type);
    let mut at = 32;
    if has(sheet, 0) || has(sheet, 1) {
        sheet.number("checksum", at, 16, |sum| summed(packet, layer, sum));
        sheet.plain("offset", at + 16, 16);
        at += 32;
    }
    if has(sheet, 2) && is_one {
        sheet.number("payload_length", at, 16, |length| octets(length as u64));
        sheet.plain("call_id", at + 16, 16);
        at += 32;
    } else if has(sheet, 2) {
        sheet.number("key", at, 32, |key| format!("{key:#010x}"));
        at += 32;
    }
    if has(sheet, 3) {
        sheet.plain("sequence_number", at, 32);
        at += 32;
    }
    if is_one && has(sheet, 8) {
        sheet.plain("acknowledgment_number", at, 32);
    }
}

pub(super) fn eoip(sheet: &mut Sheet<'_>) {
    sheet.number("flags", 0, 16, |flags| format!("{flags:#06x}"));
    sheet.number("protocol", 16, 16, |_| "EoIP".to_owned());
    sheet.number("frame_length", 32, 16, |length| octets(length as u64));
    sheet.number("tunnel_id", 48, 16, |id| format!("tunnel {}", (id as u16).swap_bytes()));
}

pub(super) fn erspan(sheet: &mut Sheet<'_>) {
    sheet.number("version", 0, 4, |version| format!("type {}", version + 1));
    sheet.plain("vlan", 4, 12);
    sheet.plain("class_of_service", 16, 3);
    sheet.plain("flags", 19, 3);
    sheet.plain("session_id", 22, 10);
    sheet.octets("rest", 4, usize::MAX, hex);
}

/// RFC 3378 §3.
pub(super) fn ether_ip(sheet: &mut Sheet<'_>) {
    sheet.plain("version", 0, 4);
    sheet.plain("reserved", 4, 12);
}

/// RFC 7348 §5.
pub(super) fn vxlan(sheet: &mut Sheet<'_>) {
    sheet.number("flags", 0, 8, |flags| match flags & 8 {
        0 => format!("{flags:#04x}"),
        _ => format!("{flags:#04x}: the identifier is valid"),
    });
    sheet.plain("reserved", 8, 24);
    sheet.number("vni", 32, 24, |vni| format!("network {vni}"));
    sheet.plain("reserved_2", 56, 8);
}

/// RFC 8926 §3.4.
pub(super) fn geneve(sheet: &mut Sheet<'_>) {
    sheet.plain("version", 0, 2);
    sheet.number("options_length", 2, 6, |words| format!("{words} × 4 = {}", octets(words as u64 * 4)));
    sheet.bit("control", 8);
    sheet.bit("critical_options", 9);
    sheet.plain("reserved", 10, 6);
    sheet.number("protocol", 16, 16, link::ether_type);
    sheet.number("vni", 32, 24, |vni| format!("network {vni}"));
    sheet.plain("reserved_2", 56, 8);
    sheet.octets("options", 8, usize::MAX, hex);
}

/// 3GPP TS 29.281 §5.1.
pub(super) fn gtp(sheet: &mut Sheet<'_>) {
    sheet.plain("version", 0, 3);
    sheet.bit("protocol_type", 3);
    sheet.plain("reserved", 4, 1);
    for (at, name) in (5..).zip(["extensions_present", "sequence_present", "n_pdu_present"]) {
        sheet.bit(name, at);
    }
    sheet.number("message_type", 8, 8, |kind| if kind == 255 { "user data" } else { "signalling" }.to_owned());
    sheet.number("length", 16, 16, |length| octets(length as u64));
    sheet.number("tunnel_endpoint", 32, 32, |id| format!("{id:#010x}"));
    sheet.number("sequence_number", 64, 16, |value| value.to_string());
    sheet.plain("n_pdu", 80, 8);
    sheet.number("next_extension", 88, 8, |kind| if kind == 0 { "none" } else { "one follows" }.to_owned());
    sheet.octets("extensions", 12, usize::MAX, hex);
}

/// RFC 2661 §3.1.
pub(super) fn l2tp(sheet: &mut Sheet<'_>) {
    sheet.number("flags", 0, 12, |flags| format!("{flags:#05x}"));
    sheet.plain("version", 12, 4);
    let mut at = 16;
    let has = |sheet: &Sheet<'_>, bit| sheet.peek(bit, 1) == Some(1);
    if has(sheet, 1) {
        sheet.number("length", at, 16, |length| octets(length as u64));
        at += 16;
    }
    sheet.plain("tunnel_id", at, 16);
    sheet.plain("session_id", at + 16, 16);
    at += 32;
    if has(sheet, 4) {
        sheet.plain("sequence_number", at, 16);
        sheet.plain("expected_number", at + 16, 16);
        at += 32;
    }
    if has(sheet, 6) {
        sheet.number("offset", at, 16, |length| octets(length as u64));
        sheet.octets("padding", at as usize / 8 + 2, usize::MAX, hex);
    }
}

/// RFC 3931 §4.1.1 and §4.1.2: within UDP the version stands before the session.
pub(super) fn l2tp_v3(sheet: &mut Sheet<'_>, packet: &Packet<'_>, layer: &Layer) {
    let index = packet.layers.iter().position(|other| other == layer).unwrap_or(0);
    let is_in_udp = packet.layers[..index].last().is_some_and(|before| before.kind == LayerKind::Udp);
    let mut at = 0;
    if is_in_udp {
        sheet.number("flags", 0, 12, |flags| format!("{flags:#05x}"));
        sheet.plain("version", 12, 4);
        sheet.plain("reserved", 16, 16);
        at = 32;
    }
    sheet.plain("session_id", at, 32);
    sheet.octets("cookie_and_sublayer", at as usize / 8 + 4, usize::MAX, hex);
}
