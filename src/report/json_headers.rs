//! One JSON object per frame: every header field under its RFC name, for scripts that want no screen.
//!
//! Keys that are named in the machine contract keep their name, type and meaning. Each layer is an object under its
//! name in `layers`; where a layer occurs twice (VLAN tags in VLAN tags) the key holds the innermost and `layers` names
//! them all. Numbers are numbers, single bits `true` or `false`, addresses and times strings, octets hexadecimal
//! strings. What was not captured or is not known is absent.

use std::borrow::Cow;
use std::io;
use std::io::Write;

use serde::Serialize;
use serde::Serializer;
use serde_json::Value;
use serde_json::json;

use crate::decode::decode;
use crate::decode::fields;
use crate::decode::fields::Field;
use crate::decode::fields::Raw;
use crate::decode::fields::Said;
use crate::decode::options;
use crate::decode::quoted_frame;
use crate::packet::Defect;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Quoted;
use crate::packet::SackBlock;
use crate::packet::TcpOption;
use crate::packet::Transport;
use crate::pipeline::Seen;
use crate::report::json::SCHEMA;
use crate::report::verdicts;
use crate::source::Notes;

/// Where a frame stands, and what was remarked on it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The file, as it was named.
    pub file: &'a str,
    /// The frame's number in that file, counted from 1.
    pub number: u64,
    /// Its number among all frames: what verdicts and texts count by.
    pub merged: Option<u64>,
    /// What was remarked on it in the file.
    pub notes: &'a Notes,
    /// It is the first line of all, which bears the number of the schema.
    pub is_first: bool,
}

/// Writes the object of one frame and a line end. `wireshark` becomes the key of that name: Wireshark's own field
/// names with their values.
///
/// # Errors
/// Those of the writer.
pub fn frame<W: Serialize + ?Sized>(
    out: &mut dyn Write,
    file: &str,
    packet: &Packet<'_>,
    seen: &Seen<'_>,
    wireshark: Option<&W>,
) -> io::Result<()> {
    let notes = &Notes::default();
    let place = Place { file, number: packet.meta.number, merged: None, notes, is_first: false };
    placed(out, place, packet, seen, wireshark)
}

/// The same for the first line of all, which bears the number of the schema.
///
/// # Errors
/// Those of the writer.
pub fn first_frame<W: Serialize + ?Sized>(
    out: &mut dyn Write,
    file: &str,
    packet: &Packet<'_>,
    seen: &Seen<'_>,
    wireshark: Option<&W>,
) -> io::Result<()> {
    let notes = &Notes::default();
    let place = Place { file, number: packet.meta.number, merged: None, notes, is_first: true };
    placed(out, place, packet, seen, wireshark)
}

/// The same for a frame of several files that are read as one, or with notes on it.
///
/// # Errors
/// Those of the writer.
pub fn placed<W: Serialize + ?Sized>(
    out: &mut dyn Write,
    place: Place<'_>,
    packet: &Packet<'_>,
    seen: &Seen<'_>,
    wireshark: Option<&W>,
) -> io::Result<()> {
    let endpoints = packet.endpoints();
    let object = Frame {
        schema: place.is_first.then_some(SCHEMA),
        file: place.file,
        frame: place.number,
        merged_frame: place.merged,
        comments: &place.notes.comments,
        direction: place.notes.direction,
        dropped_before: place.notes.dropped,
        time: packet.meta.at.to_string(),
        caplen: packet.meta.caplen,
        len: packet.meta.origlen,
        layers: packet.layers.iter().map(|layer| layer.kind.name()).collect(),
        src: packet.ip.map(|ip| ip.src.to_string()),
        dst: packet.ip.map(|ip| ip.dst.to_string()),
        src_port: endpoints.map(|(_, src, _)| src.port),
        dst_port: endpoints.map(|(_, _, dst)| dst.port),
        proto: proto(packet),
        stream: match seen {
            Seen::Tcp(seen) => Some(seen.stream),
            Seen::Udp(seen) => Some(seen.stream),
            Seen::Unreachable { .. } | Seen::Other => None,
        },
        headers: headers(packet),
        defects: packet.defects.iter().map(defect).collect(),
        verdicts: verdicts::of(packet, seen),
        wireshark,
    };
    let mut line = serde_json::to_vec(&object)?;
    line.push(b'\n');
    out.write_all(&line)
}

#[derive(Serialize)]
struct Frame<'a, W: Serialize + ?Sized> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
    file: &'a str,
    frame: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_frame: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    comments: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped_before: Option<u64>,
    time: String,
    caplen: u32,
    len: u32,
    layers: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proto: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<u64>,
    #[serde(flatten)]
    headers: Ordered<Ordered<Value>>,
    defects: Vec<Value>,
    verdicts: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wireshark: Option<&'a W>,
}

/// An object that keeps the order in which its keys were put in: that of the wire.
struct Ordered<V>(Vec<(&'static str, V)>);

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

fn headers(packet: &Packet<'_>) -> Ordered<Ordered<Value>> {
    let mut headers: Vec<(&'static str, Ordered<Value>)> = Vec::new();
    for layer in &packet.layers {
        let name = layer.kind.name();
        headers.retain(|(other, _)| *other != name);
        headers.push((name, header(packet, layer)));
    }
    // What an ICMP message quotes, and what follows the quote. A quote within the quote is left alone.
    if let Some((_, Ordered(message))) = headers.last_mut().filter(|_| packet.icmp().is_some()) {
        message.extend(quoted(packet).map(|quoted| ("quoted", quoted)));
        message.extend(extensions(packet).map(|extensions| ("extensions", extensions)));
    }
    Ordered(headers)
}

/// The packet that an ICMP message quotes: its ends, and every header of it.
fn quoted(packet: &Packet<'_>) -> Option<Value> {
    let frame = quoted_frame(packet)?;
    let quote = decode(&frame);
    let mut object = match packet.icmp().and_then(|icmp| icmp.quoted) {
        Some(quoted) => quoted_object(&quoted),
        None => json!({}),
    };
    if let Some(ip) = quote.ip {
        object["src"] = json!(ip.src.to_string());
        object["dst"] = json!(ip.dst.to_string());
    }
    object["layers"] = quote.layers.iter().map(|layer| layer.kind.name()).collect();
    for layer in &quote.layers {
        object[layer.kind.name()] = json!(header(&quote, layer));
    }
    Some(object)
}

fn extensions(packet: &Packet<'_>) -> Option<Value> {
    let found = fields::extensions(packet)?;
    let mut object = object_of(&found.fields);
    object.push(("checksum_state", json!(found.checksum)));
    Some(json!(Ordered(object)))
}

fn header(packet: &Packet<'_>, layer: &Layer) -> Ordered<Value> {
    let mut object = object_of(&fields::describe(packet, layer));
    match (layer.kind, &packet.transport) {
        (LayerKind::Mpls, _) => {
            // A key stands once: the entry at the bottom has the plain ones.
            let entries = object.chunks(LABEL_FIELDS).map(|entry| Ordered(entry.to_vec()));
            let entries = json!(entries.collect::<Vec<_>>());
            object.drain(..object.len().saturating_sub(LABEL_FIELDS));
            object.push(("entries", entries));
        }
        (LayerKind::Ipv4, _) => {
            let state = fields::checksum_of(packet, layer).map(|summed| summed.state.name());
            object.extend(state.map(|state| ("header_checksum_state", json!(state))));
        }
        (LayerKind::Tcp, Transport::Tcp(tcp)) => {
            object.push(("flags", json!(tcp.flags.bits())));
            object.push(("options", options::walk(tcp.options).map(|option| option_object(&option)).collect()));
            object.push(("header_length", json!(tcp.header_len)));
            object.push(("payload_length", json!(tcp.len)));
            object.push(("checksum_state", json!(tcp.checksum.name())));
        }
        (LayerKind::Udp, Transport::Udp(udp)) => {
            object.push(("payload_length", json!(udp.len)));
            object.push(("checksum_state", json!(udp.checksum.name())));
        }
        (LayerKind::Icmp | LayerKind::Icmpv6, Transport::Icmp(icmp)) => {
            object.push(("checksum_state", json!(icmp.checksum.name())));
        }
        _ => {}
    }
    Ordered(object)
}

/// Fields by their names, elements in lists.
fn object_of(fields: &[Field]) -> Vec<(&'static str, Value)> {
    let mut object: Vec<(&'static str, Value)> = Vec::new();
    for field in fields {
        match &field.item {
            Some((list, element)) => into_list(&mut object, list, said(element)),
            // TCP's options have objects of their own.
            None if field.name.starts_with("option: ") => {}
            None => object.push((field.name, value(field))),
        }
    }
    object
}

/// Adds an element to the list of this name.
fn into_list(object: &mut Vec<(&'static str, Value)>, name: &'static str, element: Value) {
    match object.iter_mut().find(|(key, _)| *key == name) {
        Some((_, Value::Array(list))) => list.push(element),
        Some((_, other)) => debug_assert!(false, "{name} is no list but {other}"),
        None => object.push((name, Value::Array(vec![element]))),
    }
}

/// Addresses as people write them, everything else as it stands there.
fn value(field: &Field) -> Value {
    let is_address = field.name.ends_with("address")
        // Of all frames whose addresses are those of IEEE 802.
        || field.bits.1 == 48 && (matches!(field.name, "source" | "destination") || field.name.starts_with("address_"))
        || matches!(field.name, "sender_hardware" | "sender_protocol" | "target_hardware" | "target_protocol");
    match &field.raw {
        // "(broadcast)" and the like follow behind a blank.
        _ if is_address => json!(field.meaning.split(' ').next()),
        Raw::Number(bit) if field.bits.1 == 1 => json!(*bit == 1),
        Raw::Number(number) => match u64::try_from(*number) {
            Ok(number) => json!(number),
            Err(_) => json!(format!("{number:#x}")),
        },
        Raw::Bytes(octets) => json!(hex(octets)),
    }
}

fn option_object(option: &TcpOption<'_>) -> Value {
    match *option {
        TcpOption::EndOfList => json!({"kind": 0, "name": "end-of-list"}),
        TcpOption::NoOp => json!({"kind": 1, "name": "no-operation"}),
        TcpOption::Mss(mss) => json!({"kind": 2, "name": "mss", "value": mss}),
        TcpOption::WindowScale(shift) => json!({"kind": 3, "name": "window-scale", "shift": shift}),
        TcpOption::SackPermitted => json!({"kind": 4, "name": "sack-permitted"}),
        TcpOption::Sack(octets) => {
            let block = |block: SackBlock| json!({"left": block.left.0, "right": block.right.0});
            let blocks: Vec<_> = options::sack_blocks(octets).map(block).collect();
            json!({"kind": 5, "name": "sack", "blocks": blocks})
        }
        TcpOption::Timestamps { value, echo } => {
            json!({"kind": 8, "name": "timestamps", "tsval": value, "tsecr": echo})
        }
        TcpOption::FastOpen(cookie) => json!({"kind": 34, "name": "fast-open", "cookie": hex(cookie)}),
        TcpOption::Mptcp(data) => mptcp_object(data),
        TcpOption::Md5(digest) => json!({"kind": 19, "name": "md5", "digest": hex(digest)}),
        TcpOption::Ao(data) => {
            let (keys, mac) = data.split_at(data.len().min(2));
            let key = |index: usize| keys.get(index);
            json!({"kind": 29, "name": "tcp-ao", "key_id": key(0), "rnext_key_id": key(1), "mac": hex(mac), "data": hex(data)})
        }
        TcpOption::UserTimeout(field) => {
            let unit = if field & 0x8000 == 0 { "seconds" } else { "minutes" };
            json!({"kind": 28, "name": "user-timeout", "granularity": unit, "value": field & 0x7fff})
        }
        TcpOption::AccEcn { kind, data } => {
            let mut object = json!({"kind": kind, "name": "accurate-ecn", "data": hex(data)});
            for (name, octets) in fields::acc_ecn_counters(kind, data) {
                object[name.to_lowercase()] = json!(octets);
            }
            object
        }
        TcpOption::Experiment { kind, data } => {
            let mut object = json!({"kind": kind, "name": "experiment", "data": hex(data)});
            if let Some((id, name, _)) = fields::experiment(data) {
                object["exid"] = json!(id);
                if let Some(name) = name {
                    object["experiment"] = json!(name);
                }
            }
            object
        }
        TcpOption::Unknown { kind, data } => {
            let mut object = json!({"kind": kind, "name": "unknown", "data": hex(data)});
            if let Some(name) = fields::kind_name(kind) {
                object["registered"] = json!(name);
            }
            object
        }
        TcpOption::Malformed { kind, declared, data } => {
            let mut object = json!({"kind": kind, "name": "malformed", "data": hex(data)});
            if let Some(length) = declared {
                object["length"] = json!(length);
            }
            object
        }
    }
}

fn mptcp_object(data: &[u8]) -> Value {
    let mut object = json!({"kind": 30, "name": "mptcp", "data": hex(data)});
    let Some(option) = fields::mptcp(data) else { return object };
    object["subtype"] = json!(option.subtype);
    object["subtype_name"] = json!(option.name);
    for (name, value) in option.fields.iter().filter(|_| option.is_sound) {
        put(&mut object, name, said(value));
    }
    object
}

/// Adds a key; one that is there already becomes a list, as several addresses can be removed at once.
fn put(object: &mut Value, name: &str, value: Value) {
    match &mut object[name] {
        Value::Null => object[name] = value,
        Value::Array(values) => values.push(value),
        first => *first = json!([first.take(), value]),
    }
}

fn said(value: &Said) -> Value {
    match value {
        Said::Number(number) => json!(number),
        Said::Flag(set) => json!(set),
        Said::Text(text) | Said::Flags(text) | Said::Octets(text) => json!(text),
        Said::Address(addr) => json!(addr.to_string()),
        Said::List(list) => list.iter().map(said).collect(),
        Said::Group(parts) => {
            let mut object = json!({});
            parts.iter().for_each(|(name, value)| put(&mut object, name, said(value)));
            object
        }
    }
}

fn quoted_object(quoted: &Quoted) -> Value {
    let mut object = json!({
        "proto": quoted.protocol.name(),
        "src": quoted.src.addr.to_string(),
        "src_port": quoted.src.port,
        "dst": quoted.dst.addr.to_string(),
        "dst_port": quoted.dst.port,
    });
    if let Some(seq) = quoted.seq {
        object["sequence_number"] = json!(seq.0);
    }
    object
}

fn defect(defect: &Defect) -> Value {
    json!({
        "code": defect.code.code(),
        "layer": defect.layer.name(),
        "offset": defect.offset,
        "text": defect.to_string(),
    })
}

/// The innermost protocol by name; that of the IP header where it is not one that we read.
fn proto(packet: &Packet<'_>) -> Option<Cow<'static, str>> {
    let name = match &packet.transport {
        Transport::Tcp(_) => "tcp",
        Transport::Udp(_) => "udp",
        Transport::Icmp(icmp) if icmp.version == 6 => "icmpv6",
        Transport::Icmp(_) => "icmp",
        Transport::LaterFragment | Transport::Other => match packet.ip?.protocol {
            1 => "icmp",
            6 => "tcp",
            17 => "udp",
            58 => "icmpv6",
            number => return Some(format!("ip-{number}").into()),
        },
        Transport::None => packet.layers.iter().find(|layer| layer.kind == LayerKind::Arp)?.kind.name(),
    };
    Some(name.into())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Fields of an entry of a label stack (RFC 3032 §2.1).
const LABEL_FIELDS: usize = 4;

#[cfg(test)]
mod tests;
