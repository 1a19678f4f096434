//! Tunnel headers.

use std::net::Ipv4Addr;

use crate::decode::fields::Said;
use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::link;
use crate::decode::fields::octets;
use crate::decode::fields::said;
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

/// Types II and III as their maker's devices send them, named as draft-foschiano-erspan-03 §4 names them.
pub(super) fn erspan(sheet: &mut Sheet<'_>) {
    let is_third = sheet.peek(0, 4) == Some(2);
    sheet.number("version", 0, 4, |version| format!("type {}", version + 1));
    sheet.plain("vlan", 4, 12);
    sheet.plain("class_of_service", 16, 3);
    if is_third {
        sheet.number("frame_state", 19, 2, |state| {
            ["good, or not told", "short", "oversized", "CRC or alignment error"][state as usize % 4].to_owned()
        });
    } else {
        sheet.number("encapsulation", 19, 2, |form| {
            ["without VLAN tag", "ISL", "802.1Q", "VLAN tag kept in the frame"][form as usize % 4].to_owned()
        });
    }
    sheet.bit("truncated", 21);
    sheet.plain("session_id", 22, 10);
    if !is_third {
        sheet.plain("reserved", 32, 12);
        return sheet.plain("index", 44, 20);
    }
    sheet.plain("timestamp", 32, 32);
    sheet.plain("security_group_tag", 64, 16);
    sheet.bit("protocol_data_unit", 80);
    sheet.number("frame_type", 81, 5, |kind| {
        match kind {
            0 => "Ethernet",
            2 => "IP",
            _ => "not known here",
        }
        .to_owned()
    });
    sheet.plain("hardware_id", 86, 6);
    sheet.number("direction", 92, 1, |way| if way == 0 { "ingress" } else { "egress" }.to_owned());
    sheet.number("granularity", 93, 2, |unit| {
        ["100 µs", "100 ns", "IEEE 1588", "as configured"][unit as usize % 4].to_owned()
    });
    sheet.bit("optional_subheader", 95);
    sheet.plain("platform_id", 96, 6);
    sheet.number("platform_information", 102, 58, |info| format!("{info:#x}"));
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
    geneve_options(sheet);
}

/// RFC 8926 §3.5: class, type, length in words. A length past the header ends the list.
fn geneve_options(sheet: &mut Sheet<'_>) {
    let mut from = 8;
    while let &[high, low, kind, length, ref behind @ ..] = sheet.span(from, usize::MAX) {
        let words = usize::from(length & 0x1f);
        let Some(data) = behind.get(..words * 4) else { break };
        let class = u16::from_be_bytes([high, low]);
        let is_critical = kind & 0x80 != 0;
        let mut said = vec![
            ("class", Said::number(class)),
            ("type", Said::number(kind)),
            ("critical", Said::Flag(is_critical)),
            ("length", Said::number(data.len() as u64)),
        ];
        if let Some(owner) = geneve_class(class) {
            said.push(("owner", Said::text(owner)));
        }
        said.push(("data", Said::octets(data)));
        let owner = geneve_class(class).map(|owner| format!(" ({owner})")).unwrap_or_default();
        let critical = if is_critical { ", critical" } else { "" };
        let words = format!(
            "class {class:#06x}{owner}, type {kind:#04x}{critical}, {words} × 4 octets: {}",
            Said::octets(data)
        );
        let to = from + 4 + data.len();
        sheet.item("option: Geneve", (from, to), words, "options", Said::Group(said));
        from = to;
    }
    sheet.octets("option: malformed", from, usize::MAX, |rest| {
        format!("malformed, {} there", octets(rest.len() as u64))
    });
}

/// Owners of option classes by the registry.
const fn geneve_class(class: u16) -> Option<&'static str> {
    Some(match class {
        0x0000..=0x00ff => "standard",
        0x0100 => "Linux",
        0x0101 => "Open vSwitch",
        0x0102 => "OVN",
        0x0103 => "telemetry",
        0x0104 => "VMware",
        0x0105 | 0x0108..=0x0110 => "Amazon",
        0x0106 => "Cisco",
        0xfff0.. => "experimental",
        _ => return None,
    })
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
    gtp_extensions(sheet);
}

/// 3GPP TS 29.281 §5.2: a length in words, the content, the type of the next one.
fn gtp_extensions(sheet: &mut Sheet<'_>) {
    let mut from = 12;
    let is_there = sheet.peek(5, 1) == Some(1);
    let mut kind = sheet.peek(88, 8).unwrap_or_default() as u8;
    while is_there && kind != 0 {
        let &[words, ref behind @ ..] = sheet.span(from, usize::MAX) else { break };
        let Some((&next, data)) = behind.get(..(usize::from(words) * 4).wrapping_sub(1)).and_then(<[u8]>::split_last)
        else {
            break;
        };
        let name = gtp_extension(kind);
        let mut said = vec![("type", Said::number(kind)), ("name", Said::text(name)), ("length", Said::number(words))];
        // 3GPP TS 38.415 §5.5.2: which way, and the flow of the radio's quality of service.
        if let (0x85, [first, second, ..]) = (kind, data) {
            said.push(("way", Said::text(if first >> 4 == 0 { "downlink" } else { "uplink" })));
            said.push(("qos_flow", Said::number(second & 0x3f)));
        }
        said.push(("data", Said::octets(data)));
        let more = said::words(&said[3..]);
        let to = from + usize::from(words) * 4;
        let text = format!("type {kind:#04x} ({name}), {words} × 4 octets: {more}");
        sheet.item("extension", (from, to), text, "extensions", Said::Group(said));
        (from, kind) = (to, next);
    }
    sheet.octets("rest", from, usize::MAX, hex);
}

const fn gtp_extension(kind: u8) -> &'static str {
    match kind {
        0x03 | 0x82 => "long PDCP PDU number",
        0x20 => "service class",
        0x40 => "UDP port",
        0x81 => "RAN container",
        0x83 => "Xw RAN container",
        0x84 => "NR RAN container",
        0x85 => "PDU session",
        0xc0 => "PDCP PDU number",
        _ => "not known here",
    }
}

/// RFC 4380 §5.1.1: authentication, then the origin as the server saw it, its bits turned over.
pub(super) fn teredo(sheet: &mut Sheet<'_>) {
    let mut from = 0;
    if let &[0, 1, id, digest, ..] = sheet.bytes {
        let (id, digest) = (usize::from(id), usize::from(digest));
        sheet.number("authentication", 0, 16, |_| "authentication indication".to_owned());
        sheet.number("client_id_length", 16, 8, |len| octets(len as u64));
        sheet.number("value_length", 24, 8, |len| octets(len as u64));
        sheet.octets("client_id", 4, 4 + id, hex);
        sheet.octets("authentication_value", 4 + id, 4 + id + digest, hex);
        from = 4 + id + digest;
        sheet.octets("nonce", from, from + 8, hex);
        sheet.octets("confirmation", from + 8, from + 9, hex);
        from += 9;
    }
    let at = from as u32 * 8;
    if sheet.peek(at, 16) == Some(0) {
        sheet.number("origin", at, 16, |_| "origin indication".to_owned());
        sheet.number("origin_port", at + 16, 16, |port| format!("port {}", !port as u16));
        sheet.number("origin_address", at + 32, 32, |addr| Ipv4Addr::from_bits(!addr as u32).to_string());
        from += 8;
    }
    sheet.octets("rest", from, usize::MAX, hex);
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

#[cfg(test)]
mod tests {
    use crate::decode::fields::describe;
    use crate::decode::tests::frame;
    use crate::decode::tests::hex;
    use crate::packet::FrameMeta;
    use crate::packet::Layer;
    use crate::packet::LayerKind;
    use crate::packet::LinkType;

    /// The fields of a header that stands alone, in words; they cover it.
    fn told(kind: LayerKind, text: &str) -> Vec<String> {
        let bytes = hex(text);
        let mut packet = crate::decode::decode(&frame(LinkType::RAW, &bytes));
        packet.layers.clear();
        let layer = Layer { kind, offset: 0, len: bytes.len() as u32 };
        packet.layers.push(layer);
        let FrameMeta { caplen, .. } = packet.meta;
        let fields = describe(&packet, &layer);
        let mut at = 0;
        for field in &fields {
            assert_eq!(field.bits.0, at, "{}", field.name);
            at += field.bits.1;
        }
        assert_eq!(at, caplen * 8, "{text}");
        fields.iter().map(|field| format!("{} = {}", field.name, field.meaning)).collect()
    }

    #[test]
    fn both_types_of_erspan_are_taken_apart() {
        let second = told(LayerKind::Erspan, "1064 1c07 00000012");
        assert_eq!(
            second[2..],
            [
                "class_of_service = 0",
                "encapsulation = VLAN tag kept in the frame",
                "truncated = set",
                "session_id = 7",
                "reserved = 0",
                "index = 18"
            ]
        );
        let third = told(LayerKind::Erspan, "2064 2807 00000012 0009 81fb 0c000000000000ff");
        for field in [
            "version = type 3",
            "vlan = 100",
            "class_of_service = 1",
            "frame_state = short",
            "truncated = not set",
            "timestamp = 18",
            "security_group_tag = 9",
            "protocol_data_unit = set",
            "hardware_id = 31",
            "direction = egress",
            "granularity = 100 ns",
            "optional_subheader = set",
            "platform_id = 3",
            "platform_information = 0xff",
        ] {
            assert!(third.iter().any(|told| told == field), "{field}: {third:?}");
        }
    }

    #[test]
    fn options_of_geneve_are_listed_one_by_one() {
        let fields = told(LayerKind::Geneve, "0500 6558 00000700 0102 80 01 deadbeef 0200 01 00 0104 02 1f");
        assert_eq!(
            fields[fields.len() - 3..],
            [
                "option: Geneve = class 0x0102 (OVN), type 0x80, critical, 1 × 4 octets: deadbeef",
                "option: Geneve = class 0x0200, type 0x01, 0 × 4 octets: none",
                "option: malformed = malformed, 4 octets there",
            ]
        );
    }

    #[test]
    fn extensions_of_gtp_are_listed_one_by_one() {
        let fields = told(LayerKind::Gtp, "34ff 0010 00000001 0001 00 85 01 10 09 c0 01 0007 00");
        assert_eq!(
            fields[fields.len() - 2..],
            [
                "extension = type 0x85 (PDU session), 1 × 4 octets: way uplink, qos flow 9, data 1009",
                "extension = type 0xc0 (PDCP PDU number), 1 × 4 octets: data 0007",
            ]
        );
        let broken = told(LayerKind::Gtp, "34ff 0010 00000001 0001 00 85 02 10 09 00");
        assert_eq!(broken.last().map(String::as_str), Some("rest = 02100900"));
    }

    #[test]
    fn the_origin_that_teredo_tells_is_turned_back() {
        let fields = told(LayerKind::Teredo, "0001 00 00 0102030405060708 00 0000 63bf 3ffffdfe");
        assert_eq!(fields[fields.len() - 2..], ["origin_port = port 40000", "origin_address = 192.0.2.1"]);
        assert_eq!(fields[3], "nonce = 0102030405060708");
    }
}
