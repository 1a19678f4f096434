//! What stands between an IP header and what it carries, in a brief line: extension headers, options, a route.
//!
//! tcpdump's words for the headers (`HBH`, `DSTOPT`, `srcrt`, `frag`, `AH`), the registry's for the options.

use std::fmt::Write as _;

use crate::decode::fields;
use crate::decode::fields::Field;
use crate::decode::fields::Said;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Writes the extension headers of the innermost IP header, each with a blank behind it.
pub(super) fn extensions(line: &mut String, packet: &Packet<'_>) {
    for layer in behind_ip(packet) {
        let described = || fields::describe(packet, layer);
        let _ = match layer.kind {
            LayerKind::HopByHop => write!(line, "HBH {} ", bracketed(&described())),
            LayerKind::DestinationOptions => write!(line, "DSTOPT {} ", bracketed(&described())),
            LayerKind::Routing => write!(line, "srcrt ({}) ", route(&described())),
            LayerKind::FragmentHeader => write!(line, "frag ({}) ", fragment(packet, layer, &described())),
            LayerKind::Ah => write!(line, "AH({}): ", authentication(&described())),
            LayerKind::MoreExtensions => write!(line, "({} octets of extension headers) ", layer.len),
            _ => break,
        };
    }
}

/// Writes `, ip options [router-alert value 0,nop]` where the innermost header is IPv4 and has some.
pub(super) fn options(line: &mut String, packet: &Packet<'_>) {
    let Some(layer) = packet.layers.iter().rfind(|layer| is_ip(layer)).filter(|layer| layer.len > V4_LEN) else {
        return;
    };
    if layer.kind == LayerKind::Ipv4 {
        let _ = write!(line, ", ip options [{}]", items(&fields::describe(packet, layer), "options").join(","));
    }
}

/// The elements of a list of these fields, each with what it says: `router-alert value 0`.
pub(super) fn items(fields: &[Field], list: &str) -> Vec<String> {
    let of_list = fields.iter().filter_map(|field| field.item.as_ref().filter(|(name, _)| *name == list));
    of_list.map(|(_, said)| item(said)).collect()
}

fn item(said: &Said) -> String {
    let Said::Group(parts) = said else { return said.to_string() };
    let mut text = String::new();
    let nameless =
        |said: &Said| matches!(said, Said::Text(name) if matches!(&**name, "malformed" | "unknown" | "experiment"));
    let has_no_name = parts.iter().any(|(name, said)| *name == "name" && nameless(said));
    for (name, said) in parts {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = match *name {
            // The number of a kind that has a name, the meaning of a number: the table has both.
            "name" => write!(text, "{gap}{}", tcpdumps(&said.to_string())),
            "kind" if has_no_name => write!(text, "{gap}{said}"),
            "kind" | "class" | "type" | "length" | "data" | "meaning" | "if_unknown" | "may_change" => Ok(()),
            name => write!(text, "{gap}{} {said}", name.replace('_', "-")),
        };
    }
    text
}

/// Names that the whole field knows shorter.
fn tcpdumps(name: &str) -> &str {
    match name {
        "end-of-list" => "eol",
        "no-operation" => "nop",
        "pad-1" => "pad1",
        "pad-n" => "padn",
        "record-route" => "RR",
        "loose-source-route" => "LSRR",
        "strict-source-route" => "SSRR",
        other => other,
    }
}

fn bracketed(fields: &[Field]) -> String {
    let options: Vec<_> = items(fields, "options").iter().map(|item| format!("({item})")).collect();
    options.join(" ")
}

/// `type=4, segleft=1, 2001:db8::3, 2001:db8::4`.
fn route(fields: &[Field]) -> String {
    let mut text = format!("type={}, segleft={}", of(fields, "routing_type"), of(fields, "segments_left"));
    for item in ["addresses", "segments"].iter().flat_map(|list| items(fields, list)) {
        let _ = write!(text, ", {item}");
    }
    text
}

/// `0x00000001:1480|100`: identification, offset, octets of this fragment, whatever datagram it completed.
fn fragment(packet: &Packet<'_>, layer: &Layer, fields: &[Field]) -> String {
    let id = fields.iter().find(|field| field.name == "identification").map_or("?", |field| &*field.meaning);
    let units: Option<u64> = of(fields, "fragment_offset").parse().ok();
    let offset = units.map_or_else(|| "?".to_owned(), |units| (units * 8).to_string());
    let ip = packet.layers.iter().rfind(|layer| is_ip(layer));
    let length = ip.and_then(|ip| {
        let declared = packet.bytes.get(ip.offset as usize + 4..)?.first_chunk::<2>()?;
        let before = (layer.offset + layer.len).saturating_sub(ip.offset + ip.len);
        u32::from(u16::from_be_bytes(*declared)).checked_sub(before)
    });
    format!("{id}:{offset}|{}", length.map_or_else(|| "?".to_owned(), |length| length.to_string()))
}

fn authentication(fields: &[Field]) -> String {
    let spi = fields.iter().find(|field| field.name == "spi").map_or("?", |field| &*field.meaning);
    format!("spi={spi},seq={}", of(fields, "sequence_number"))
}

/// The number that stands in a field.
fn of(fields: &[Field], name: &str) -> String {
    let field = fields.iter().find(|field| field.name == name);
    match field.map(|field| &field.raw) {
        Some(fields::Raw::Number(number)) => number.to_string(),
        Some(fields::Raw::Bytes(_)) | None => "?".to_owned(),
    }
}

fn behind_ip<'p>(packet: &'p Packet<'_>) -> &'p [Layer] {
    let ip = packet.layers.iter().rposition(is_ip);
    ip.and_then(|ip| packet.layers.get(ip + 1..)).unwrap_or(&[])
}

fn is_ip(layer: &Layer) -> bool {
    matches!(layer.kind, LayerKind::Ipv4 | LayerKind::Ipv6)
}

/// An IPv4 header without options.
const V4_LEN: u32 = 20;
