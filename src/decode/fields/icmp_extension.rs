//! What stands behind the packet that an ICMP message quotes: the label stack that it had, the interface it came by.
//!
//! RFC 4884 §7–8 (structure), RFC 4950 (MPLS), RFC 5837 (interfaces and next hops), RFC 8335 (what a probe asks for).

use crate::decode::fields;
use crate::decode::fields::Field;
use crate::decode::fields::Said;
use crate::decode::fields::Sheet;
use crate::decode::fields::octets;
use crate::decode::fields::said;
use crate::decode::fields::said::Parts;
use crate::decode::fields::said::number;
use crate::decode::icmp;
use crate::decode::icmp_extension;
use crate::decode::icmp_extension::OBJECT_LEN;
use crate::decode::icmp_extension::Object;
use crate::decode::icmp_extension::Objects;
use crate::packet::ChecksumState;
use crate::packet::Packet;

/// The extension structure of a message, taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Extensions {
    /// Octet of the frame where it begins.
    pub at: usize,
    /// Captured octets of it.
    pub len: usize,
    /// Its fields; objects are elements of the list `objects`.
    pub fields: Vec<Field>,
    /// What became of its checksum, in a word.
    pub checksum: &'static str,
}

/// The extensions of the innermost ICMP message, if it has some.
pub fn extensions(packet: &Packet<'_>) -> Option<Extensions> {
    let message = icmp::message_extent(packet)?;
    let bytes = message.captured(packet.bytes);
    let structure = icmp_extension::extent(packet.icmp()?.version, bytes, message)?;
    let bytes = structure.captured(packet.bytes);
    let mut sheet = Sheet { bytes, fields: Vec::new() };
    sheet.plain("version", 0, 4);
    sheet.plain("reserved", 4, 12);
    let whole = bytes.len() == structure.len();
    let state = if whole { icmp_extension::state(bytes) } else { ChecksumState::Unverifiable };
    sheet.number("checksum", 16, 16, |field| fields::checksum(state, field));
    for found in Objects::of(bytes) {
        add(&mut sheet, &found, whole);
    }
    Some(Extensions { at: structure.at, len: bytes.len(), fields: sheet.fields, checksum: state.name() })
}

fn add(sheet: &mut Sheet<'_>, found: &Object<'_>, whole: bool) {
    let (from, to) = (found.at, found.at + found.octets.len());
    if found.is_impossible {
        let there = octets(found.octets.len() as u64);
        let words = match whole {
            true => format!("length {}: malformed, {there} there", found.declared),
            false => "cut by the capture".to_owned(),
        };
        let said = vec![("name", Said::text("malformed")), ("length", Said::number(found.declared))];
        return sheet.item("object: malformed", (from, to), words, "objects", Said::Group(said));
    }
    let (class, kind, data) = (found.octets[2], found.octets[3], &found.octets[OBJECT_LEN..]);
    let (field, name, parts) = match (class, kind) {
        (1, 1) => ("object: MPLS stack", "mpls-stack", labels(data)),
        (2, _) => ("object: interface", "interface-information", interface(kind, data)),
        (3, _) => ("object: asked for", "interface-identification", asked(kind, data)),
        _ => ("object: unknown", "unknown", Some(vec![("octets", Said::octets(data))])),
    };
    let words = match &parts {
        Some(parts) => said::words(parts),
        None => format!("not a length it has: {}", Said::octets(data)),
    };
    let head = format!("class {class}, type {kind}, length {}", found.declared);
    let mut said = vec![
        ("class", Said::number(class)),
        ("type", Said::number(kind)),
        ("name", Said::text(name)),
        ("length", Said::number(found.declared)),
    ];
    said.extend(parts.unwrap_or_default());
    said.push(("data", Said::octets(data)));
    sheet.item(field, (from, to), format!("{head}: {words}"), "objects", Said::Group(said));
}

/// RFC 4950 §3: entries as they stood on the packet.
fn labels(data: &[u8]) -> Option<Parts> {
    let entries = Some(data.chunks_exact(4)).filter(|entries| entries.remainder().is_empty() && entries.len() > 0)?;
    let entry = |octets: &[u8]| {
        let entry = number(octets);
        Said::Group(vec![
            ("label", Said::Number(entry >> 12)),
            ("traffic_class", Said::Number(entry >> 9 & 7)),
            ("bottom", Said::Flag(entry >> 8 & 1 == 1)),
            ("ttl", Said::Number(entry & 0xff)),
        ])
    };
    Some(vec![("entries", Said::List(entries.map(entry).collect()))])
}

/// RFC 5837 §4: the type says which interface it is, and which of its four parts are there.
fn interface(kind: u8, data: &[u8]) -> Option<Parts> {
    let role = match kind >> 6 {
        0 => "arrived by",
        1 => "part of the one arrived by",
        2 => "would leave by",
        _ => "next hop",
    };
    let mut parts = vec![("role", Said::text(role))];
    let mut rest = data;
    let mut take = |octets: usize| {
        let (taken, behind) = rest.split_at_checked(octets)?;
        rest = behind;
        Some(taken)
    };
    if kind & 8 != 0 {
        parts.push(("index", Said::Number(number(take(4)?))));
    }
    if kind & 4 != 0 {
        let family = number(take(4)?) >> 16;
        let width = address_len(family)?;
        parts.push(("address", Said::address(take(width)?)));
    }
    if kind & 2 != 0 {
        // RFC 5837 §4.3: the length counts itself; 64 octets at most.
        let len = usize::from(*take(1)?.first()?);
        let name = take(len.checked_sub(1)?)?;
        parts.push(("interface", Said::text(name_words(name))));
    }
    if kind & 1 != 0 {
        parts.push(("mtu", Said::Number(number(take(4)?))));
    }
    rest.is_empty().then_some(parts)
}

/// RFC 8335 §2.1: by name, by index, by address.
fn asked(kind: u8, data: &[u8]) -> Option<Parts> {
    Some(vec![match kind {
        1 => ("interface", Said::text(name_words(data))),
        2 => ("index", Said::Number(number(Some(data).filter(|data| data.len() == 4)?))),
        3 => {
            let (head, addr) = data.split_first_chunk::<4>()?;
            ("address", Said::address(addr.get(..usize::from(head[2]))?))
        }
        _ => ("octets", Said::octets(data)),
    }])
}

/// Address family numbers of the registry: 1 and 2.
const fn address_len(family: u64) -> Option<usize> {
    match family {
        1 => Some(4),
        2 => Some(16),
        _ => None,
    }
}

/// A name, the padding behind it left out.
fn name_words(name: &[u8]) -> String {
    let end = name.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    name[..end].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tests::decoded;

    fn told(words: &str, object: &str) -> Vec<String> {
        let octets: String = crate::decode::tests::hex(object).iter().map(|octet| format!("\\x{octet:02x}")).collect();
        let script = format!("0 C > S P. 5:205(200)\n0 S > C icmp time-exceeded {words} \"{octets}\"");
        decoded(&script, |packet| {
            let Some(found) = extensions(packet) else { return Vec::new() };
            let mut at = 0;
            for field in &found.fields {
                assert_eq!(field.bits.0, at, "fields follow each other");
                at += field.bits.1;
            }
            assert_eq!(at as usize, found.len * 8, "{:?}", found.fields);
            found.fields.iter().skip(2).map(|field| format!("{} = {}", field.name, field.meaning)).collect()
        })
    }

    fn object(hex: &str) -> String {
        told("padded 128", &format!("2000 0000 {hex}")).remove(1)
    }

    #[test]
    fn objects_are_spelled_out() {
        for (hex, words) in [
            (
                "001c 02 0f 00000007 00010000 c0000201 08 657468302e3500 000005dc",
                "object: interface = class 2, type 15, length 28: role arrived by, index 7, address 192.0.2.1, \
                 interface eth0.5, mtu 1500",
            ),
            ("0008 02 88 00000003", "object: interface = class 2, type 136, length 8: role would leave by, index 3"),
            ("0008 02 8c 00000003", "object: interface = class 2, type 140, length 8: not a length it has: 00000003"),
            ("0005 09 09 ff", "object: unknown = class 9, type 9, length 5: octets ff"),
            ("0009 01 01 00010101", "object: malformed = length 9: malformed, 8 octets there"),
        ] {
            assert_eq!(object(hex), words, "{hex}");
        }
    }

    #[test]
    fn a_label_stack_is_a_list_of_entries() {
        assert_eq!(
            object("000c 01 01 00064001 00010b02"),
            "object: MPLS stack = class 1, type 1, length 12: entries (label 100, traffic class 0, bottom not set, ttl 1) \
             (label 16, traffic class 5, bottom set, ttl 2)"
        );
        assert_eq!(
            object("0006 01 01 0006"),
            "object: MPLS stack = class 1, type 1, length 6: not a length it has: 0006"
        );
    }

    #[test]
    fn a_checksum_of_its_own_is_good_bad_or_absent() {
        let sum = |sum: &str| told("padded 128", &format!("2000 {sum} 0008 01 01 18960101")).remove(0);
        assert_eq!(sum("c55f"), "checksum = good: computed 0xc55f too");
        assert_eq!(sum("c55e"), "checksum = bad: computed 0xc55f");
        assert_eq!(sum("0000"), "checksum = absent: the sender computed none");
    }

    #[test]
    fn behind_an_old_quote_of_128_octets_a_structure_is_believed_only_if_it_sums() {
        assert_eq!(told("quote 108", "2000 c55f 0008 01 01 18960101").len(), 2);
        assert_eq!(told("quote 108", "2000 c55e 0008 01 01 18960101").len(), 0);
        assert_eq!(told("quote 100", "2000 c55f 0008 01 01 18960101").len(), 0);
    }

    #[test]
    fn a_probe_says_what_it_asks_for() {
        assert_eq!(asked(1, b"eth0"), Some(vec![("interface", Said::text("eth0"))]));
        assert_eq!(asked(2, &[0, 0, 0, 2]), Some(vec![("index", Said::Number(2))]));
        assert_eq!(asked(3, &[0, 1, 4, 0, 192, 0, 2, 1]), Some(vec![("address", Said::address(&[192, 0, 2, 1]))]));
        assert_eq!(asked(2, &[0, 2]), None);
    }
}
