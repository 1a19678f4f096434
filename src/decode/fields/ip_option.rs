//! Options of IPv4, one field each: routes, time stamps, security labels and the rarer ones.
//!
//! RFC 791 §3.1, RFC 1108 (security), FIPS 188 (CIPSO), RFC 1063 (MTU probes), RFC 1393 (traceroute), RFC 2113 (router
//! alert), RFC 4782 (Quick-Start), RFC 1770 (directed broadcast). Names are those of the registry.

use crate::decode::fields::Sheet;
use crate::decode::fields::icmp;
use crate::decode::fields::octets;
use crate::decode::fields::said;
use crate::decode::fields::said::Parts;
use crate::decode::fields::said::Said;
use crate::decode::fields::said::number;
use crate::decode::tlv::Form;
use crate::decode::tlv::Scheme;
use crate::decode::tlv::Tlv;
use crate::decode::tlv::Tlvs;

/// Adds every option behind the first `fixed` octets, and the padding behind their end.
pub(super) fn list(sheet: &mut Sheet<'_>, fixed: usize) {
    let bytes = sheet.span(fixed, usize::MAX);
    let mut walk = Tlvs::of(bytes, Scheme::V4);
    for tlv in walk.by_ref() {
        let kind = named(tlv.kind);
        add(sheet, fixed, &tlv, (kind.field, kind.name), parts);
    }
    let padding = walk.rest();
    if !padding.is_empty() {
        let from = sheet.bytes.len() - padding.len();
        let strangers = padding.iter().filter(|&&octet| octet != 0).count();
        sheet.octets("option: padding", from, usize::MAX, |padding| match strangers {
            0 => format!("{} of zeros", octets(padding.len() as u64)),
            _ => format!("{} behind the end, {strangers} of them not zero", octets(padding.len() as u64)),
        });
    }
}

/// Adds one option as a field, and as an object for programs. The names are those of the field and of the object;
/// `parts` takes apart what follows kind and length, `None` where the length is not one that the kind has.
pub(super) fn add(
    sheet: &mut Sheet<'_>,
    fixed: usize,
    tlv: &Tlv<'_>,
    (field, name): (&'static str, &'static str),
    parts: impl Fn(u8, &[u8]) -> Option<Parts>,
) {
    let kind = tlv.kind;
    let mut object = vec![("kind", Said::number(kind)), ("name", Said::text(name))];
    let mut field = field;
    let meaning = match tlv.form {
        Form::Single => {
            format!("kind {kind}: {}", if kind == 0 && field == END { "the rest is padding" } else { "padding" })
        }
        Form::Sized(data) => {
            let length = tlv.octets[1];
            object.push(("length", Said::number(length)));
            let told = parts(kind, data);
            let words = match &told {
                Some(parts) => said::words(parts),
                None => format!("not a length it has: {}", Said::octets(data)),
            };
            object.extend(told.unwrap_or_default());
            object.push(("data", Said::octets(data)));
            let gap = if words.is_empty() { "" } else { ": " };
            format!("kind {kind}, length {length}{gap}{words}")
        }
        Form::Impossible(declared) => {
            (field, object[1]) = ("option: malformed", ("name", Said::text("malformed")));
            let there = octets(tlv.octets.len() as u64);
            if let Some(length) = declared {
                object.push(("length", Said::number(length)));
                object.push(("data", Said::octets(&tlv.octets[2..])));
            }
            match declared {
                Some(length) => format!("kind {kind}, length {length}: malformed, {there} there"),
                None => format!("kind {kind}: the header ends before its length"),
            }
        }
    };
    let from = fixed + tlv.at;
    sheet.item(field, (from, from + tlv.octets.len()), meaning, "options", Said::Group(object));
}

/// How a kind is called.
struct Named {
    field: &'static str,
    name: &'static str,
}

const fn named(kind: u8) -> Named {
    let (field, name) = match kind {
        0 => (END, "end-of-list"),
        1 => ("option: no-operation", "no-operation"),
        7 => ("option: record route", "record-route"),
        10 => ("option: ZSU", "experimental-measurement"),
        11 => ("option: MTU probe", "mtu-probe"),
        12 => ("option: MTU reply", "mtu-reply"),
        15 => ("option: encode", "encode"),
        25 => ("option: Quick-Start", "quick-start"),
        68 => ("option: timestamps", "timestamps"),
        82 => ("option: traceroute", "traceroute"),
        130 => ("option: security", "security"),
        131 => ("option: loose route", "loose-source-route"),
        133 => ("option: more security", "extended-security"),
        134 => ("option: CIPSO", "cipso"),
        136 => ("option: stream id", "stream-id"),
        137 => ("option: strict route", "strict-source-route"),
        142 => ("option: access control", "access-control"),
        144 => ("option: IMI descriptor", "imi-traffic-descriptor"),
        145 => ("option: extended IP", "extended-ip"),
        147 => ("option: address ext.", "address-extension"),
        148 => ("option: router alert", "router-alert"),
        149 => ("option: broadcast", "selective-directed-broadcast"),
        151 => ("option: dynamic state", "dynamic-packet-state"),
        152 => ("option: upstream", "upstream-multicast"),
        205 => ("option: flow control", "experimental-flow-control"),
        30 | 94 | 158 | 222 => ("option: experiment", "experiment"),
        _ => ("option: unknown", "unknown"),
    };
    Named { field, name }
}

const END: &str = "option: end of list";

/// What follows kind and length.
fn parts(kind: u8, data: &[u8]) -> Option<Parts> {
    match kind {
        7 => route(data, ["recorded", "free"]),
        131 | 137 => route(data, ["visited", "to_go"]),
        68 => timestamps(data),
        11 | 12 => whole(data, 2).map(|data| vec![("mtu", Said::Number(number(data)))]),
        136 => whole(data, 2).map(|data| vec![("stream", Said::Number(number(data)))]),
        148 => whole(data, 2).map(|data| vec![("value", Said::Number(number(data))), ("meaning", alert_v4(data))]),
        25 => quick_start(data),
        82 => whole(data, 10).map(|data| {
            vec![
                ("id", Said::Number(number(&data[..2]))),
                ("outbound_hops", Said::Number(number(&data[2..4]))),
                ("return_hops", Said::Number(number(&data[4..6]))),
                ("originator", Said::address(&data[6..])),
            ]
        }),
        130 => security(data),
        133 => data
            .split_first()
            .map(|(&format, info)| vec![("format", Said::number(format)), ("information", Said::octets(info))]),
        134 => cipso(data),
        149 => data.len().is_multiple_of(4).then(|| vec![("addresses", Said::addresses(data, 4))]),
        _ if data.is_empty() => Some(Vec::new()),
        _ => Some(vec![("octets", Said::octets(data))]),
    }
}

fn whole(data: &[u8], len: usize) -> Option<&[u8]> {
    Some(data).filter(|data| data.len() == len)
}

/// RFC 791 §3.1: the pointer counts octets of the option from 1. Of a source route, what lies before it was replaced by
/// the routers passed; of a record, what lies behind it is room.
fn route(data: &[u8], [before, behind]: [&'static str; 2]) -> Option<Parts> {
    let (&pointer, places) = data.split_first().filter(|(_, places)| places.len() % 4 == 0)?;
    let used = (usize::from(pointer).saturating_sub(4) / 4 * 4).min(places.len());
    let (used, rest) = places.split_at(used);
    let rest = match behind {
        "free" => Said::Number(rest.len() as u64 / 4),
        _ => Said::addresses(rest, 4),
    };
    Some(vec![("pointer", Said::number(pointer)), (before, Said::addresses(used, 4)), (behind, rest)])
}

/// RFC 791 §3.1: alone, or each behind the address of who stamped it.
fn timestamps(data: &[u8]) -> Option<Parts> {
    let &[pointer, last, ref places @ ..] = data else { return None };
    let (overflow, flag) = (last >> 4, last & 0x0f);
    let (form, width) = match flag {
        0 => ("time stamps only", 4),
        1 => ("each with its address", 8),
        3 => ("addresses prescribed", 8),
        _ => ("not known here", 4),
    };
    if places.len() % 4 != 0 {
        return None;
    }
    let used = (usize::from(pointer).saturating_sub(5) / width * width).min(places.len());
    let entry = |place: &[u8]| {
        let (addr, stamp) = place.split_at(place.len() - 4);
        let mut parts = Vec::new();
        if !addr.is_empty() {
            parts.push(("address", Said::address(addr)));
        }
        parts.push(("time", Said::text(icmp::since_midnight(u128::from(number(stamp))))));
        Said::Group(parts)
    };
    let (used, rest) = places.split_at(used);
    let mut parts = vec![
        ("pointer", Said::number(pointer)),
        ("overflow", Said::number(overflow)),
        ("flag", Said::number(flag)),
        ("form", Said::text(form)),
        ("stamps", Said::List(used.chunks_exact(width).map(entry).collect())),
    ];
    if flag == 3 {
        let ahead = rest.chunks_exact(width).map(|place| Said::address(&place[..4]));
        parts.push(("to_go", Said::List(ahead.collect())));
    } else {
        parts.push(("free", Said::Number((rest.len() / width) as u64)));
    }
    Some(parts)
}

/// RFC 4782 §3.1: a function, a rate in steps of 40 kbit/s doubled, a nonce.
pub(super) fn quick_start(data: &[u8]) -> Option<Parts> {
    let &[first, ttl, ref nonce @ ..] = data else { return None };
    let nonce = whole(nonce, 4)?;
    let function = match first >> 4 {
        0 => "rate request",
        8 => "report of approved rate",
        _ => "not known here",
    };
    let rate = match first & 0x0f {
        0 => 0,
        step => 40_000_u64 << step,
    };
    Some(vec![
        ("function", Said::text(function)),
        ("bits_per_second", Said::Number(rate)),
        ("ttl", Said::number(ttl)),
        ("nonce", Said::Number(number(nonce) >> 2)),
    ])
}

/// RFC 1108 §2; the option of eleven octets that begins with one of RFC 791's levels is that RFC's.
fn security(data: &[u8]) -> Option<Parts> {
    if let [a, b, c, d, e, f, control @ ..] = data
        && control.len() == 3
        && let Some(level) = level_791(u16::from_be_bytes([*a, *b]))
    {
        return Some(vec![
            ("level", Said::text(level)),
            ("compartments", Said::octets(&[*c, *d])),
            ("handling", Said::octets(&[*e, *f])),
            ("control_code", Said::octets(control)),
        ]);
    }
    let (&level, authorities) = data.split_first()?;
    let level = match level {
        0x3d => "top secret",
        0x5a => "secret",
        0x96 => "confidential",
        0xab => "unclassified",
        0x01 | 0x66 | 0xcc | 0xf1 => "reserved",
        _ => "not known here",
    };
    let mut parts = vec![("level", Said::text(level))];
    if let [first, ..] = authorities {
        let names = ["GENSER", "SIOP-ESI", "SCI", "NSA", "DOE"];
        let set = names.into_iter().zip(0..).filter(|(_, bit)| first & (0x80 >> bit) != 0);
        parts.push(("authorities", Said::List(set.map(|(name, _)| Said::text(name)).collect())));
    }
    Some(parts)
}

const fn level_791(level: u16) -> Option<&'static str> {
    Some(match level {
        0x0000 => "unclassified",
        0xf135 => "confidential",
        0x789a => "EFTO",
        0xbc4d => "MMMM",
        0x5e26 => "PROG",
        0xaf13 => "restricted",
        0xd788 => "secret",
        0x6bc5 => "top secret",
        _ => return None,
    })
}

/// FIPS 188: a domain of interpretation, then tags.
fn cipso(data: &[u8]) -> Option<Parts> {
    let (domain, mut rest) = data.split_at_checked(4)?;
    let mut tags = Vec::new();
    while let &[kind, len, ..] = rest {
        let Some((tag, behind)) = rest.split_at_checked(usize::from(len)).filter(|_| len >= 2) else { break };
        let mut parts = vec![("tag", Said::number(kind))];
        match *tag {
            // Bit map, list, ranges: each begins with an octet for alignment and the level.
            [1 | 2 | 5, _, _, level, ref categories @ ..] => {
                parts.push(("level", Said::number(level)));
                parts.push(("categories", Said::octets(categories)));
            }
            _ => parts.push(("octets", Said::octets(&tag[2..]))),
        }
        tags.push(Said::Group(parts));
        rest = behind;
    }
    let mut parts = vec![("domain", Said::Number(number(domain))), ("tags", Said::List(tags))];
    if !rest.is_empty() {
        parts.push(("rest", Said::octets(rest)));
    }
    Some(parts)
}

/// RFC 2113 §2.1, and RFC 5350 §3 for the others.
fn alert_v4(value: &[u8]) -> Said {
    Said::text(match number(value) {
        0 => "every router examines it",
        1..=32 => "aggregated reservation",
        33..=64 => "QoS NSLP aggregation",
        65 => "NSIS NATFW NSLP",
        _ => "not known here",
    })
}

#[cfg(test)]
mod tests {
    use crate::decode::fields::Said;
    use crate::decode::fields::describe;
    use crate::decode::tests::decoded;
    use crate::decode::tests::fields_cover_headers;
    use crate::packet::LayerKind;

    /// The options of a datagram in words, each with the name of its field.
    fn told(options: &str) -> Vec<String> {
        decoded(&format!("0 C > S udp (4) ipopt 0x{}", options.replace(' ', "")), |packet| {
            fields_cover_headers(packet);
            let layer = packet.layers.iter().find(|layer| layer.kind == LayerKind::Ipv4).expect("a header");
            let fields = describe(packet, layer).into_iter().filter(|field| field.name.starts_with("option"));
            fields.map(|field| format!("{} = {}", &field.name[8..], field.meaning)).collect()
        })
    }

    fn first(options: &str) -> String {
        told(options).remove(0)
    }

    #[test]
    fn routes_tell_what_is_behind_them_and_what_ahead() {
        assert_eq!(
            first("070f08 c0000201 00000000 00000000 00"),
            "record route = kind 7, length 15: pointer 8, recorded 192.0.2.1, free 2"
        );
        assert_eq!(
            first("830b08 c0000201 c0000202 00"),
            "loose route = kind 131, length 11: pointer 8, visited 192.0.2.1, to go 192.0.2.2"
        );
        assert_eq!(
            first("890704 c0000202 00"),
            "strict route = kind 137, length 7: pointer 4, visited none, to go 192.0.2.2"
        );
        assert_eq!(first("070704 00000000"), "record route = kind 7, length 7: pointer 4, recorded none, free 1");
    }

    #[test]
    fn time_stamps_stand_alone_or_with_addresses() {
        assert_eq!(
            first("440c0910 00000001 00000000"),
            "timestamps = kind 68, length 12: pointer 9, overflow 1, flag 0, form time stamps only, \
             stamps (time 00:00:00.001 UT), free 1"
        );
        assert_eq!(
            first("440c0d01 c0000201 80000005"),
            "timestamps = kind 68, length 12: pointer 13, overflow 0, flag 1, form each with its address, \
             stamps (address 192.0.2.1, time 2147483653, not in standard units), free 0"
        );
        assert_eq!(
            first("44140d03 c0000201 00000000 c0000202 00000000"),
            "timestamps = kind 68, length 20: pointer 13, overflow 0, flag 3, form addresses prescribed, \
             stamps (address 192.0.2.1, time 00:00:00.000 UT), to go 192.0.2.2"
        );
    }

    #[test]
    fn rarer_options_are_spelled_out() {
        for (options, words) in [
            ("9404 0000", "router alert = kind 148, length 4: value 0, meaning every router examines it"),
            ("8804 0007", "stream id = kind 136, length 4: stream 7"),
            ("0b04 05dc", "MTU probe = kind 11, length 4: mtu 1500"),
            (
                "1908 0540 00000004",
                "Quick-Start = kind 25, length 8: function rate request, bits per second 1280000, ttl 64, nonce 1",
            ),
            (
                "820b 5e26 0001 0002 414243",
                "security = kind 130, length 11: level PROG, compartments 0001, handling 0002, control code 414243",
            ),
            ("8204 3d a0", "security = kind 130, length 4: level top secret, authorities GENSER SCI"),
            (
                "8610 00000003 01 0a 00 05 f0f0f0f0f0f0",
                "CIPSO = kind 134, length 16: domain 3, tags (tag 1, level 5, categories f0f0f0f0f0f0)",
            ),
            (
                "520c 0001 0002 0003 c0000201",
                "traceroute = kind 82, length 12: id 1, outbound hops 2, return hops 3, originator 192.0.2.1",
            ),
            ("9e04 0102", "experiment = kind 158, length 4: octets 0102"),
            ("4d03 09", "unknown = kind 77, length 3: octets 09"),
        ] {
            assert_eq!(first(options), words, "{options}");
        }
    }

    #[test]
    fn a_wrong_length_leaves_the_octets_and_what_is_behind_the_end_is_counted() {
        assert_eq!(
            told("94030001"),
            ["router alert = kind 148, length 3: not a length it has: 00", "no-operation = kind 1: padding"]
        );
        assert_eq!(told("94090001"), ["malformed = kind 148, length 9: malformed, 4 octets there"]);
        assert_eq!(told("01010194").last().expect("one"), "malformed = kind 148: the header ends before its length");
        assert_eq!(
            told("01000102"),
            [
                "no-operation = kind 1: padding",
                "end of list = kind 0: the rest is padding",
                "padding = 2 octets behind the end, 2 of them not zero"
            ]
        );
    }

    #[test]
    fn an_option_is_an_object_with_kind_name_and_octets() {
        decoded("0 C > S udp (4) ipopt 0x94040000", |packet| {
            let field = describe(packet, &packet.layers[1]).pop().expect("a field");
            let (list, said) = field.item.expect("an element of a list");
            let Said::Group(parts) = said else { panic!("{said:?}") };
            let names: Vec<_> = parts.iter().map(|(name, _)| *name).collect();
            assert_eq!((list, names), ("options", vec!["kind", "name", "length", "value", "meaning", "data"]));
        });
    }
}
