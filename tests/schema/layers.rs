//! The fields of every header, found by describing headers of all kinds that are filled at random, and in fixtures.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use synscope::decode::decode;
use synscope::packet::Frame;
use synscope::packet::FrameMeta;
use synscope::packet::Layer;
use synscope::packet::LayerKind;
use synscope::packet::LinkType;
use synscope::packet::Timestamp;
use synscope::pipeline::Seen;
use synscope::report::json_headers;

/// Which values were seen in a place.
#[derive(Default)]
struct Shape {
    types: BTreeSet<&'static str>,
    keys: BTreeMap<String, Shape>,
    items: Option<Box<Shape>>,
}

impl Shape {
    fn take(&mut self, value: &Value) {
        self.types.insert(match value {
            Value::Object(_) => "object",
            Value::Array(_) => "array",
            Value::String(_) => "string",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::Null => "null",
        });
        if let Value::Object(object) = value {
            for (key, value) in object {
                self.keys.entry(key.clone()).or_default().take(value);
            }
        }
        if let Value::Array(values) = value {
            let items = self.items.get_or_insert_default();
            values.iter().for_each(|value| items.take(value));
        }
    }

    fn schema(&self) -> Value {
        let mut schema = Map::new();
        match self.types.iter().collect::<Vec<_>>()[..] {
            [] => {}
            [one] => drop(schema.insert("type".to_owned(), json!(one))),
            ref several => drop(schema.insert("type".to_owned(), json!(several))),
        }
        if let Some(items) = &self.items {
            schema.insert("items".to_owned(), items.schema());
        }
        if self.types.contains("object") {
            schema.insert("additionalProperties".to_owned(), json!(false));
            let keys: Map<_, _> = self.keys.iter().map(|(key, shape)| (key.clone(), shape.schema())).collect();
            schema.insert("properties".to_owned(), Value::Object(keys));
        }
        Value::Object(schema)
    }
}

/// `docs/schema/layers.json` as it has to be.
pub(crate) fn generate(frames: &[Value]) -> String {
    let mut layers = BTreeMap::<String, Shape>::new();
    for kind in KINDS {
        layers.entry(kind.name().to_owned()).or_default().types.insert("object");
    }
    let mut take = |frame: &Value| {
        for name in frame["layers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()) {
            take_header(&mut layers, name, &frame[name]);
        }
    };
    frames.iter().for_each(&mut take);
    let mut random = Random(0x2026_1126);
    for kind in KINDS {
        for turn in 0..TURNS {
            let mut octets: Vec<u8> = (0..1 + turn % LONGEST).map(|_| random.octet()).collect();
            // Versions and flags that stand in front are mostly small.
            if turn % 3 == 0 {
                octets[0] &= 0x0f;
            }
            take(&described(*kind, &octets));
        }
    }
    (0..TURNS).for_each(|_| take(&decoded(&segment(&mut random))));
    rarities().iter().chain(&extensions()).for_each(|octets| take(&decoded(octets)));
    lists().iter().for_each(|(kind, octets)| take(&described(*kind, octets)));
    let quoted = layers.remove(QUOTED).unwrap().schema();
    let mut layers: Map<_, _> = layers.iter().map(|(name, shape)| (name.clone(), shape.schema())).collect();
    layers.insert(QUOTED.to_owned(), quote(quoted));
    for message in ["icmp", "icmpv6"] {
        layers[message]["properties"][QUOTED] = json!({"$ref": "#/$defs/quoted"});
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Headers by their names in `layers`",
        "description": "Every field under its RFC name: numbers as they stand on the wire, single bits true or false, \
                        octets in hexadecimal. Generated from the decoder.",
        "$defs": layers,
    });
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// A header; of a quoted packet each header on its own, and what stands beside them.
fn take_header(layers: &mut BTreeMap<String, Shape>, name: &str, header: &Value) {
    let mut header = header.clone();
    if let Some(Value::Object(mut quoted)) = header.as_object_mut().and_then(|header| header.remove(QUOTED)) {
        for kind in KINDS {
            if let Some(inside) = quoted.remove(kind.name()) {
                take_header(layers, kind.name(), &inside);
            }
        }
        layers.entry(QUOTED.to_owned()).or_default().take(&Value::Object(quoted));
    }
    layers.entry(name.to_owned()).or_default().take(&header);
}

/// The schema of a quoted packet: what was seen beside its headers, and every header.
fn quote(mut schema: Value) -> Value {
    schema["description"] = json!("The packet that an ICMP message quotes: its ends, and its headers by their names.");
    for kind in KINDS {
        schema["properties"][kind.name()] = json!({"$ref": format!("#/$defs/{}", kind.name())});
    }
    schema
}

/// The object of a frame that is one header of this kind and nothing else.
fn described(kind: LayerKind, octets: &[u8]) -> Value {
    let frame = Frame { meta: meta(octets.len()), bytes: octets };
    let mut packet = decode(&frame);
    packet.layers.clear();
    packet.layers.push(Layer { kind, offset: 0, len: octets.len() as u32 });
    object(&packet)
}

fn decoded(octets: &[u8]) -> Value {
    object(&decode(&Frame { meta: meta(octets.len()), bytes: octets }))
}

fn object(packet: &synscope::packet::Packet<'_>) -> Value {
    let mut line = Vec::new();
    json_headers::frame(&mut line, "", packet, &Seen::Other, None::<&()>).unwrap();
    serde_json::from_slice(&line).unwrap()
}

/// IPv4 and a TCP header with options of every kind, some of them malformed.
fn segment(random: &mut Random) -> Vec<u8> {
    let mut options = Vec::new();
    while options.len() < 40 {
        let kind = if random.octet() < 200 { random.octet() % 40 } else { random.octet() };
        let len = 2 + random.octet() % 12;
        options.extend([kind, len]);
        options.extend((2..len).map(|_| random.octet()));
    }
    options.truncate(40);
    let mut octets = vec![0x45, 0, 0, 100, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    octets.extend([0, 80, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xf0, 0x10, 1, 0, 0, 0, 0, 0]);
    octets.extend(options);
    octets.resize(100, 0);
    octets
}

/// What chance hardly ever makes: MPTCP's options in each length that they have, experiments with a name, removals of
/// several addresses, and an L2TPv3 header in UDP.
fn rarities() -> Vec<Vec<u8>> {
    let mut options: Vec<Vec<u8>> = Vec::new();
    for subtype in 0..=15_u8 {
        for len in 1..=38_u8 {
            let flags = [0x00, 0x01, 0x05, 0x07, 0x0f, 0x1f];
            options.extend(flags.map(|flag| [&[30, len + 2, subtype << 4 | 1, flag][..], &[1; 38]].concat()));
            options.push([&[30, len + 2, subtype << 4, 1][..], &[1; 38]].concat());
        }
    }
    for id in [[0x45, 0x4e, 0, 0], [0xac, 0xc0, 0, 0], [0xf9, 0x89, 1, 2], [0xe2, 0xd4, 0xc3, 0xd9]] {
        options.push([&[253, 6][..], &id].concat());
        options.push([&[254, 6][..], &id].concat());
    }
    let segment = |option: &Vec<u8>| {
        let mut octets = vec![0x45, 0, 0, 100, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        octets.extend([0, 80, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0xf0, 0x10, 1, 0, 0, 0, 0, 0]);
        octets.extend(&option[..option.len().min(40)]);
        octets.resize(100, 0);
        octets
    };
    let mut frames: Vec<Vec<u8>> = options.iter().map(segment).collect();
    let mut tunnel = vec![0x45, 0, 0, 62, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    tunnel.extend([0xc3, 0x50, 6, 0xa5, 0, 42, 0, 0, 0, 3, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4]);
    tunnel.extend([0; 12]);
    tunnel.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frames.push(tunnel);
    frames
}

/// Headers with lists: each kind of option in each length that it may have, each type of route.
fn lists() -> Vec<(LayerKind, Vec<u8>)> {
    let mut headers = Vec::new();
    let v4 = [0, 1, 7, 11, 25, 68, 77, 82, 130, 131, 133, 134, 136, 137, 148, 149, 158];
    let v6 = [0x00, 0x01, 0x04, 0x05, 0x07, 0x08, 0x0f, 0x12, 0x23, 0x26, 0x30, 0x31, 0x3e, 0x4a, 0x8b, 0xc2, 0xc9];
    for (len, fill) in (0..=24_u8).flat_map(|len| [0x00, 0x01, 0x03, 0x05].map(|fill| (len, fill))) {
        for kind in v4 {
            let option = [&[kind, len, 13][..], &[fill; 37]].concat();
            headers.push((LayerKind::Ipv4, [&[0x4f; 20][..], &option].concat()));
        }
        for kind in v6 {
            let option = [&[17, 2, kind, len][..], &[fill; 20]].concat();
            headers.extend([LayerKind::HopByHop, LayerKind::DestinationOptions].map(|layer| (layer, option.clone())));
        }
    }
    headers.push((LayerKind::Ipv4, [&[0x4f; 20][..], &[130, 11, 0x5e, 0x26, 0, 1, 0, 2, 65, 66, 67, 0]].concat()));
    for (kind, units) in (0..=40_u8).flat_map(|kind| (0..=5_u8).map(move |units| (kind, units))) {
        let option =
            [&[136, 0, 0, 0, 0, 0, 0, 0][..], &[1; 16], &[kind, units], &[3, 97, 98, 99, 0, 1].repeat(7)].concat();
        headers.push((LayerKind::Icmpv6, option[..24 + 40].to_vec()));
    }
    headers.push((LayerKind::Icmpv6, [&[143, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1][..], &[2; 33]].concat()));
    headers.push((LayerKind::Icmpv6, [&[130, 0, 0, 0, 0, 0, 0, 1][..], &[2; 38]].concat()));
    headers.push((LayerKind::Icmp, [&[9, 0, 0, 0, 1, 2, 0, 1][..], &[2; 9]].concat()));
    headers.push((LayerKind::Geneve, vec![2, 0, 8, 0, 0, 0, 7, 0, 1, 1, 0x80, 1, 1, 2, 3, 4]));
    for kind in [0x85, 0xc0] {
        headers.push((LayerKind::Gtp, vec![0x34, 255, 0, 8, 0, 0, 0, 7, 0, 0, 0, kind, 1, 0x10, 9, 0]));
    }
    for kind in 0..=10_u8 {
        for (left, more) in [(0, 0x00), (1, 0x00), (1, 0x01), (2, 0xff)] {
            let route = [&[17, 6, kind, left, more, 0x60, 0, 0][..], &[5; 48]].concat();
            headers.push((LayerKind::Routing, route));
        }
    }
    for (tlv, len) in [(0, 0), (4, 6), (5, 6), (5, 4), (9, 6), (5, 99)] {
        let route = [&[17, 4, 4, 0, 0, 0, 0, 0][..], &[5; 16], &[tlv, len, 0x80, 0, 0, 0, 0, 1]].concat();
        headers.push((LayerKind::Routing, route));
    }
    headers
}

/// ICMP messages with extension objects of every class and type, and errors that quote one another.
fn extensions() -> Vec<Vec<u8>> {
    let objects = (0..=4_u8).flat_map(|class| (0..=255_u8).map(move |kind| (class, kind)));
    let message = |(class, kind): (u8, u8)| {
        let mut data = vec![0, 0, 0, 7];
        // Every part that an interface can have: its type says which are there.
        for (bit, part) in [(4, &[0, 1, 0, 0, 192, 0, 2, 1][..]), (2, &[4, 97, 98, 99]), (1, &[0, 0, 5, 220])] {
            if class == 2 && kind & bit != 0 {
                data.extend(part);
            }
        }
        if class == 2 && kind & 8 == 0 {
            data.drain(..4);
        }
        if class == 3 && kind == 3 {
            data = vec![0, 1, 4, 0, 192, 0, 2, 1];
        }
        let mut octets = vec![0x45, 0, 0, 100, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        octets.extend([11, 0, 0, 0, 0, 7, 0, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]);
        octets.extend([0, 9, 0, 9, 0, 8, 0, 0, 0x20, 0, 0, 0, 0, 4 + data.len() as u8, class, kind]);
        octets.extend(data);
        octets[3] = octets.len() as u8;
        octets
    };
    let mut messages: Vec<_> = objects.map(message).collect();
    let mut cut = messages[0].clone();
    cut[61] = 99;
    messages.push(cut);
    for kind in [42, 43] {
        let mut probe =
            vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, kind, 0, 0, 0, 0, 7, 1, 1];
        probe.extend([0x20, 0, 0, 0, 0, 8, 3, 2, 0, 0, 0, 7]);
        messages.push(probe);
    }
    messages
}

/// A generator of our own, so that the page is the same on every machine (xorshift64*).
struct Random(u64);

impl Random {
    fn octet(&mut self) -> u8 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    }
}

fn meta(len: usize) -> FrameMeta {
    FrameMeta::whole(1, Timestamp::EPOCH, LinkType::RAW, len as u32)
}

/// Lists all kinds, and does not compile where one is missing.
macro_rules! kinds {
    ($($name:ident)*) => {
        const KINDS: &[LayerKind] = &[$(LayerKind::$name),*];

        #[allow(dead_code, reason = "only its match counts")]
        const fn is_listed(kind: LayerKind) {
            match kind {
                $(LayerKind::$name => {})*
            }
        }
    };
}

kinds! {
    Frame Ethernet Vlan Sll Sll2 Null Llc Ppp Pppoe Mpls ControlWord Macsec Pbb FabricPath SwitchTag Chdlc
    FrameRelay Slip Fddi TokenRing Arcnet Ipoib FibreChannel Radiotap Prism Ppi Wlan Amsdu Nflog Pktap Pflog
    Enc Juniper Preamble Gre Eoip Erspan Wccp EtherIp Vxlan Geneve Gtp L2tp L2tpv3 Teredo Arp Ipv4 Ipv6 HopByHop
    DestinationOptions Routing FragmentHeader MoreExtensions Ah Tcp Udp Icmp Icmpv6 Payload
}

/// The packet that an ICMP message quotes.
const QUOTED: &str = "quoted";
/// Headers of each kind.
const TURNS: usize = 1_500;
/// Octets of a header at most.
const LONGEST: usize = 120;
