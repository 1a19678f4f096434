//! Options of IPv6's hop-by-hop and destination headers, one field each, and the routes of routing headers.
//!
//! RFC 8200 §4.2–4.6, RFC 2675 (jumbo payload), RFC 2473 (encapsulation limit), RFC 2711 (router alert), RFC 6275 (home
//! address), RFC 6553 and 6554 (RPL), RFC 5570 (CALIPSO), RFC 8250 (metrics), RFC 8754 (segments), RFC 9486 (IOAM).

use std::net::Ipv6Addr;

use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::ip_option;
use crate::decode::fields::ip_option::quick_start;
use crate::decode::fields::octets;
use crate::decode::fields::said;
use crate::decode::fields::said::Parts;
use crate::decode::fields::said::Said;
use crate::decode::fields::said::number;
use crate::decode::ip_options;
use crate::decode::tlv::Form;
use crate::decode::tlv::Scheme;
use crate::decode::tlv::Tlvs;

/// Adds every option behind the first `fixed` octets.
pub(super) fn list(sheet: &mut Sheet<'_>, fixed: usize) {
    options(sheet, fixed, named, parts);
}

/// The options behind the first `fixed` octets; of single octets of padding those in a row are one field.
fn options(
    sheet: &mut Sheet<'_>,
    fixed: usize,
    named: impl Fn(u8) -> (&'static str, &'static str),
    parts: impl Fn(u8, &[u8]) -> Option<Parts>,
) {
    let mut walk = Tlvs::of(sheet.span(fixed, usize::MAX), Scheme::V6).peekable();
    while let Some(tlv) = walk.next() {
        let mut count = 1;
        while tlv.form == Form::Single && walk.next_if(|next| next.form == Form::Single).is_some() {
            count += 1;
        }
        if count == 1 {
            ip_option::add(sheet, fixed, &tlv, named(tlv.kind), &parts);
            continue;
        }
        let (field, name) = named(tlv.kind);
        let said = vec![("kind", Said::number(tlv.kind)), ("name", Said::text(name)), ("count", Said::Number(count))];
        let from = fixed + tlv.at;
        let words = format!("kind {}, {count} times: padding", tlv.kind);
        sheet.item(field, (from, from + count as usize), words, "options", Said::Group(said));
    }
}

/// The names of a field and of its object.
const fn named(kind: u8) -> (&'static str, &'static str) {
    match kind {
        0x00 => ("option: Pad1", "pad-1"),
        0x01 => ("option: PadN", "pad-n"),
        0x04 => ("option: tunnel limit", "tunnel-encapsulation-limit"),
        0x05 => ("option: router alert", "router-alert"),
        0x07 => ("option: CALIPSO", "calipso"),
        0x08 => ("option: duplicates", "smf-duplicate-detection"),
        0x0f => ("option: metrics", "performance-metrics"),
        0x11 | 0x31 => ("option: IOAM", "ioam"),
        0x12 => ("option: alt. marking", "alternate-marking"),
        0x23 | 0x63 => ("option: RPL", "rpl"),
        0x26 => ("option: Quick-Start", "quick-start"),
        0x30 => ("option: path MTU", "minimum-path-mtu"),
        0x6d => ("option: MPL", "multicast-forwarding"),
        0x8b => ("option: ILNP nonce", "ilnp-nonce"),
        0x8c => ("option: line id", "line-identification"),
        0xc2 => ("option: jumbo payload", "jumbo-payload"),
        0xc9 => ("option: home address", "home-address"),
        0xee => ("option: DFF", "depth-first-forwarding"),
        0x1e | 0x3e | 0x5e | 0x7e | 0x9e | 0xbe | 0xde | 0xfe => ("option: experiment", "experiment"),
        _ => ("option: unknown", "unknown"),
    }
}

/// What follows kind and length.
fn parts(kind: u8, data: &[u8]) -> Option<Parts> {
    let word = |name: &'static str, len: usize| (data.len() == len).then(|| vec![(name, Said::Number(number(data)))]);
    match kind {
        0x01 if data.iter().all(|&octet| octet == 0) => Some(Vec::new()),
        0x04 => word("limit", 1),
        0x05 => word("value", 2).map(|mut parts| {
            parts.push(("meaning", Said::text(alert(number(data)))));
            parts
        }),
        0xc2 => word("jumbo_payload_length", 4),
        0xc9 => (data.len() == 16).then(|| vec![("home_address", Said::address(data))]),
        0x07 => calipso(data),
        0x0f => metrics(data),
        0x11 | 0x31 => ioam(data),
        0x12 => alternate_marking(data),
        0x23 | 0x63 => rpl(data),
        0x26 => quick_start(data),
        0x30 => path_mtu(data),
        0x01 | 0x08 | 0x6d | 0x8b | 0x8c | 0xee => Some(vec![("octets", Said::octets(data))]),
        _ => Some(unknown(kind, data)),
    }
}

/// RFC 8200 §4.2: the first two bits say what a node does that does not know the option, the third whether it may
/// change on its way.
fn unknown(kind: u8, data: &[u8]) -> Parts {
    let action = match kind >> 6 {
        0 => "skip",
        1 => "discard",
        2 => "discard and report",
        _ => "discard and report unless multicast",
    };
    let mut parts = vec![("if_unknown", Said::text(action)), ("may_change", Said::Flag(kind & 0x20 != 0))];
    if !data.is_empty() {
        parts.push(("octets", Said::octets(data)));
    }
    parts
}

/// RFC 2711 §2.1, RFC 3175, RFC 5979, RFC 5971.
const fn alert(value: u64) -> &'static str {
    match value {
        0 => "listener discovery",
        1 => "RSVP",
        2 => "active networks",
        4..=35 => "aggregated reservation",
        36..=67 => "QoS NSLP aggregation",
        68 => "NSIS NATFW NSLP",
        69 => "MPLS OAM",
        _ => "not known here",
    }
}

/// RFC 5570 §5.1: the compartments are a bit map of so many words.
fn calipso(data: &[u8]) -> Option<Parts> {
    let &[a, b, c, d, words, level, high, low, ref compartments @ ..] = data else { return None };
    let mut parts = vec![
        ("domain", Said::Number(number(&[a, b, c, d]))),
        ("level", Said::number(level)),
        ("checksum", Said::octets(&[high, low])),
    ];
    let mapped = compartments.get(..usize::from(words) * 4)?;
    if !mapped.is_empty() {
        parts.push(("compartments", Said::octets(mapped)));
    }
    Some(parts)
}

/// RFC 8250 §3.2.
fn metrics(data: &[u8]) -> Option<Parts> {
    let &[received, sent, ref numbers @ ..] = data else { return None };
    let names = ["this_packet", "last_received", "delta_last_received", "delta_last_sent"];
    let numbers = (numbers.len() == 8).then(|| numbers.chunks_exact(2))?;
    let mut parts: Parts = names.into_iter().zip(numbers.map(|word| Said::Number(number(word)))).collect();
    parts.push(("scale_received", Said::number(received)));
    parts.push(("scale_sent", Said::number(sent)));
    Some(parts)
}

/// RFC 9486 §4: which of IOAM's types, and what follows as it is.
fn ioam(data: &[u8]) -> Option<Parts> {
    let &[_, kind, ref rest @ ..] = data else { return None };
    let form = match kind {
        0 => "pre-allocated trace",
        1 => "incremental trace",
        2 => "proof of transit",
        3 => "edge to edge",
        4 => "direct export",
        _ => "not known here",
    };
    let mut parts = vec![("type", Said::number(kind)), ("form", Said::text(form))];
    if let Some((namespace, rest)) = rest.split_first_chunk::<2>() {
        parts.push(("namespace", Said::Number(number(namespace))));
        parts.push(("octets", Said::octets(rest)));
    }
    Some(parts)
}

/// RFC 9343 §3.1.
fn alternate_marking(data: &[u8]) -> Option<Parts> {
    let &[a, b, c, _] = data else { return None };
    Some(vec![
        ("flow", Said::Number(number(&[a, b, c]) >> 4)),
        ("loss", Said::Flag(c & 8 != 0)),
        ("delay", Said::Flag(c & 4 != 0)),
    ])
}

/// RFC 6553 §3: down, rank error, forwarding error.
fn rpl(data: &[u8]) -> Option<Parts> {
    let &[flags, instance, high, low, ref more @ ..] = data else { return None };
    let mut parts = vec![
        ("flags", said::letters(flags, "ORF")),
        ("instance", Said::number(instance)),
        ("sender_rank", Said::number(u16::from_be_bytes([high, low]))),
    ];
    if !more.is_empty() {
        parts.push(("octets", Said::octets(more)));
    }
    Some(parts)
}

/// RFC 9268 §5: the last bit asks for the answer.
fn path_mtu(data: &[u8]) -> Option<Parts> {
    let &[a, b, c, d] = data else { return None };
    let back = u16::from_be_bytes([c, d]);
    Some(vec![
        ("min_pmtu", Said::number(u16::from_be_bytes([a, b]))),
        ("returned_pmtu", Said::number(back & 0xfffe)),
        ("asks", Said::Flag(back & 1 == 1)),
    ])
}

/// What a routing header of `sheet` holds behind its first four octets. `dst` is where the packet goes now: RPL leaves
/// out the octets that all addresses share with it.
pub(super) fn route(sheet: &mut Sheet<'_>, dst: Option<Ipv6Addr>) {
    match sheet.peek(16, 8) {
        Some(0) => {
            sheet.plain("reserved", 32, 32);
            stops(sheet, "address", "addresses");
        }
        // RFC 6275 §6.4: the one address is where the mobile node is at home.
        Some(2) => {
            sheet.plain("reserved", 32, 32);
            stops(sheet, "home address", "addresses");
        }
        Some(3) => rpl_route(sheet, dst),
        Some(4) => segments(sheet),
        _ => sheet.octets("type_specific_data", 4, usize::MAX, hex),
    }
}

/// Whole addresses up to the end, and what is left of it.
fn stops(sheet: &mut Sheet<'_>, name: &'static str, list: &'static str) {
    let stops = sheet.bytes.len().saturating_sub(8) / 16;
    for stop in 0..stops {
        let from = 8 + stop * 16;
        sheet.stop(name, from, list, || format!(", {} of {stops}", stop + 1));
    }
    sheet.octets("rest", 8 + stops * 16, usize::MAX, hex);
}

/// RFC 6554 §3.
fn rpl_route(sheet: &mut Sheet<'_>, dst: Option<Ipv6Addr>) {
    let left_out = |octets: u128| format!("{octets} octets of each are those of the destination");
    sheet.number("compressed", 32, 4, left_out);
    sheet.number("compressed_last", 36, 4, |count| format!("{count} octets of the last one are"));
    sheet.number("padding_length", 40, 4, |count| octets(count as u64));
    sheet.plain("reserved", 44, 20);
    let padding = sheet.peek(40, 4).unwrap_or_default() as usize;
    let (Some((inner, last)), Some(stops)) = (ip_options::compressed(sheet.bytes), ip_options::stops(sheet.bytes))
    else {
        return sheet.octets("rest", 8, usize::MAX, hex);
    };
    let end = sheet.bytes.len().saturating_sub(padding);
    let mut from = 8;
    for stop in 1..=stops {
        let to = from + if stop < stops { inner } else { last };
        if to > end {
            break;
        }
        let suffix = sheet.span(from, to);
        let said = match dst {
            Some(dst) => {
                let mut addr = dst.octets();
                addr[16 - suffix.len()..].copy_from_slice(suffix);
                Said::address(&addr)
            }
            None => Said::octets(suffix),
        };
        sheet.item("address", (from, to), format!("{said}, {stop} of {stops}"), "addresses", said);
        from = to;
    }
    sheet.octets("padding", from, usize::MAX, hex);
}

/// RFC 8754 §2: the segments stand in reverse, the last one first.
fn segments(sheet: &mut Sheet<'_>) {
    sheet.number("last_entry", 32, 8, |last| format!("{} segments", last + 1));
    sheet.number("flags", 40, 8, |flags| format!("{flags:#04x}"));
    sheet.number("tag", 48, 16, |tag| format!("{tag:#06x}"));
    let Some(last) = sheet.peek(32, 8) else { return };
    let left = sheet.peek(24, 8).unwrap_or_default();
    let mut from = 8;
    for segment in 0..=last {
        if from + 16 > sheet.bytes.len() {
            break;
        }
        let now = if segment == left { ", the next stop" } else { "" };
        sheet.stop("segment", from, "segments", || format!(", number {segment}{now}"));
        from += 16;
    }
    options(sheet, from, segment_named, segment_tlv);
}

const fn segment_named(kind: u8) -> (&'static str, &'static str) {
    match kind {
        0 => ("option: Pad1", "pad-1"),
        4 => ("option: PadN", "pad-n"),
        5 => ("option: HMAC", "hmac"),
        _ => ("option: unknown", "unknown"),
    }
}

/// RFC 8754 §2.1.
fn segment_tlv(kind: u8, data: &[u8]) -> Option<Parts> {
    Some(match (kind, data) {
        (4, _) => Vec::new(),
        (5, &[first, _, a, b, c, d, ref digest @ ..]) => vec![
            ("destination_unchecked", Said::Flag(first & 0x80 != 0)),
            ("key", Said::Number(number(&[a, b, c, d]))),
            ("digest", Said::octets(digest)),
        ],
        (5, _) => return None,
        (_, data) => vec![("octets", Said::octets(data))],
    })
}

#[cfg(test)]
mod tests {
    use crate::decode::fields::describe;
    use crate::decode::tests::decoded;
    use crate::decode::tests::fields_cover_headers;

    /// Fields of an extension header behind the first two or four octets, in words.
    fn told(kind: u8, data: &str) -> Vec<String> {
        let ends = "C = [2001:db8::1]:1\nS = [2001:db8::2]:2\n";
        decoded(&format!("{ends}0 C > S udp (4) ext {kind} 0x{}", data.replace(' ', "")), |packet| {
            fields_cover_headers(packet);
            let fields = describe(packet, &packet.layers[2]);
            let fixed = if kind == 43 { 4 } else { 2 };
            fields.iter().skip(fixed).map(|field| format!("{} = {}", field.name, field.meaning)).collect()
        })
    }

    #[test]
    fn every_option_is_spelled_out() {
        for (data, words) in [
            ("0100 0000 0000", "option: PadN = kind 1, length 0"),
            ("0502 0000 0100", "option: router alert = kind 5, length 2: value 0, meaning listener discovery"),
            ("0401 04 0101 00", "option: tunnel limit = kind 4, length 1: limit 4"),
            (
                "c910 20010db8000000000000000000000099 00000000",
                "option: home address = kind 201, length 16: home address 2001:db8::99",
            ),
            (
                "0708 0000000a 00 05 abcd 00000000",
                "option: CALIPSO = kind 7, length 8: domain 10, level 5, checksum abcd",
            ),
            (
                "070c 0000000a 01 05 abcd 80000000",
                "option: CALIPSO = kind 7, length 12: domain 10, level 5, checksum abcd, compartments 80000000",
            ),
            ("6304 80 1e 0100", "option: RPL = kind 99, length 4: flags O, instance 30, sender rank 256"),
            (
                "0f0a 01 02 0003 0004 0005 0006 0000",
                "option: metrics = kind 15, length 10: this packet 3, last received 4, delta last received 5, \
                 delta last sent 6, scale received 1, scale sent 2",
            ),
            (
                "3106 00 01 0007 abcd 0100",
                "option: IOAM = kind 49, length 6: type 1, form incremental trace, namespace 7, octets abcd",
            ),
            ("1204 0000 1c 00", "option: alt. marking = kind 18, length 4: flow 1, loss set, delay set"),
            ("3004 05dc 0505", "option: path MTU = kind 48, length 4: min pmtu 1500, returned pmtu 1284, asks set"),
            (
                "2606 0540 00000004",
                "option: Quick-Start = kind 38, length 6: function rate request, bits per second 1280000, ttl 64, nonce 1",
            ),
            (
                "be02 0102",
                "option: experiment = kind 190, length 2: if unknown discard and report, may change set, octets 0102",
            ),
            ("4a00 0000", "option: unknown = kind 74, length 0: if unknown discard, may change not set"),
            ("0501 00", "option: router alert = kind 5, length 1: not a length it has: 00"),
            ("05ff 00", "option: malformed = kind 5, length 255: malformed, 6 octets there"),
        ] {
            assert_eq!(told(60, data)[0], words, "{data}");
        }
    }

    #[test]
    fn a_jumbo_payload_tells_its_length() {
        assert_eq!(
            told(0, "c204 00011170")[0],
            "option: jumbo payload = kind 194, length 4: jumbo payload length 70000"
        );
    }

    #[test]
    fn routes_are_listed_stop_by_stop() {
        let stop = "20010db8000000000000000000000003";
        assert_eq!(told(43, &format!("00 01 00000000 {stop}")), ["reserved = 0", "address = 2001:db8::3, 1 of 1"]);
        assert_eq!(told(43, &format!("02 01 00000000 {stop}"))[1], "home address = 2001:db8::3, 1 of 1");
        assert_eq!(
            told(43, "03 02 ff 60 0000 03 04 000000000000"),
            [
                "compressed = 15 octets of each are those of the destination",
                "compressed_last = 15 octets of the last one are",
                "padding_length = 6 octets",
                "reserved = 0",
                "address = 2001:db8::3, 1 of 2",
                "address = 2001:db8::4, 2 of 2",
                "padding = 000000000000",
            ]
        );
        let other = "20010db8000000000000000000000004";
        assert_eq!(
            told(43, &format!("04 01 01 00 0007 {stop} {other} 05 06 8000 00000002 0400 000000000000")),
            [
                "last_entry = 2 segments",
                "flags = 0x00",
                "tag = 0x0007",
                "segment = 2001:db8::3, number 0",
                "segment = 2001:db8::4, number 1, the next stop",
                "option: HMAC = kind 5, length 6: destination unchecked set, key 2, digest none",
                "option: PadN = kind 4, length 0",
                "option: Pad1 = kind 0, 6 times: padding",
            ]
        );
        assert_eq!(told(43, "63 01 01020304"), ["type_specific_data = 01020304"]);
    }
}
