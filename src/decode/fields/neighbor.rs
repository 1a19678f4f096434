//! Lists within ICMP messages that find neighbours, routers and listeners: an option, a record, a router a line.
//!
//! RFC 4861 §4.6 (options), RFC 4191 (routes), RFC 8106 (name servers), RFC 3971 (secure discovery), RFC 8781 (NAT64),
//! RFC 3810 §5 (listeners, version 2), RFC 1256 §3 (routers of IPv4).

use crate::decode::fields::Said;
use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::link;
use crate::decode::fields::octets;
use crate::decode::fields::said;
use crate::decode::fields::said::Parts;
use crate::decode::fields::said::number;

/// RFC 4861 §4.6: type, length in units of eight octets. A length of 0, or past the message, ends the list.
pub(super) fn options(sheet: &mut Sheet<'_>, mut from: usize) {
    while let &[kind, units, ..] = sheet.span(from, usize::MAX) {
        let len = usize::from(units) * 8;
        let Some(option) = sheet.span(from, usize::MAX).get(..len).filter(|_| len > 0) else { break };
        let (name, parts) = option_parts(kind, option);
        let words = match &parts {
            Some(parts) if parts.is_empty() => name.to_owned(),
            Some(parts) => format!("{name}: {}", said::words(parts)),
            None => format!("{name}: not a length it has"),
        };
        let mut object =
            vec![("type", Said::number(kind)), ("name", Said::text(name)), ("length", Said::number(units))];
        object.extend(parts.unwrap_or_default());
        object.push(("data", Said::octets(&option[2..])));
        let text = format!("type {kind}, {units} × 8 octets, {words}");
        sheet.item(field(kind), (from, from + len), text, "options", Said::Group(object));
        from += len;
    }
    sheet.octets("option: malformed", from, usize::MAX, |rest| match *rest {
        [kind, units, ..] => format!("type {kind}, {units} × 8 octets: malformed, {} there", octets(rest.len() as u64)),
        _ => "ends before its length".to_owned(),
    });
}

const fn field(kind: u8) -> &'static str {
    match kind {
        1 => "option: source",
        2 => "option: target",
        3 => "option: prefix",
        4 => "option: redirected",
        5 => "option: MTU",
        14 => "option: nonce",
        24 => "option: route",
        25 => "option: name servers",
        31 => "option: search list",
        37 => "option: portal",
        38 => "option: NAT64",
        _ => "option: other",
    }
}

/// The name of an option and what follows its type and length, `None` where there is not enough of it.
fn option_parts(kind: u8, option: &[u8]) -> (&'static str, Option<Parts>) {
    let word = |from: usize, len: usize| option.get(from..from + len).map(|octets| Said::Number(number(octets)));
    let rest = || Some(vec![("octets", Said::octets(&option[2..]))]);
    match kind {
        1 => ("source-link-layer-address", Some(vec![link_layer(option)])),
        2 => ("target-link-layer-address", Some(vec![link_layer(option)])),
        3 => ("prefix-information", prefix(option)),
        4 => ("redirected-header", option.get(8..).map(|packet| vec![("octets", Said::octets(packet))])),
        5 => ("mtu", word(4, 4).map(|mtu| vec![("mtu", mtu)])),
        7 => ("advertisement-interval", word(4, 4).map(|millis| vec![("milliseconds", millis)])),
        9 => ("source-address-list", Some(addresses(option))),
        10 => ("target-address-list", Some(addresses(option))),
        11 => ("cga", rest()),
        12 => ("rsa-signature", rest()),
        13 => ("timestamp", rest()),
        14 => ("nonce", rest()),
        24 => ("route-information", route(option)),
        25 => {
            let servers = option.get(8..).map(|addrs| Said::addresses(addrs, 16));
            ("name-servers", servers.zip(word(4, 4)).map(|(list, time)| vec![("lifetime", time), ("servers", list)]))
        }
        31 => {
            let list = option.get(8..).map(|names| Said::List(domain_names(names)));
            ("search-list", list.zip(word(4, 4)).map(|(list, time)| vec![("lifetime", time), ("domains", list)]))
        }
        37 => ("captive-portal", Some(vec![("uri", Said::text(text(&option[2..])))])),
        38 => {
            // RFC 8781 §4: the lifetime is a multiple of eight; the last three bits code the length of the prefix.
            let lifetime = option.get(2..4).map(|octets| Said::Number(number(octets) & 0xfff8));
            let prefix = option.get(4..16).map(|octets| Said::address(&[octets, &[0; 4]].concat()));
            ("nat64-prefix", lifetime.zip(prefix).map(|(time, prefix)| vec![("lifetime", time), ("prefix", prefix)]))
        }
        _ => ("other", rest()),
    }
}

fn link_layer(option: &[u8]) -> (&'static str, Said) {
    ("link_layer_address", Said::text(link::link_address(&option[2..])))
}

fn addresses(option: &[u8]) -> Parts {
    vec![("addresses", Said::addresses(option.get(8..).unwrap_or(&[]), 16))]
}

/// RFC 4861 §4.6.2; the router's own address by RFC 6275 §7.2.
fn prefix(option: &[u8]) -> Option<Parts> {
    let &[_, _, bits, flags, ..] = option else { return None };
    let lifetime = |from: usize| option.get(from..from + 4).map(|octets| Said::Number(number(octets)));
    Some(vec![
        ("prefix", Said::address(option.get(16..32)?)),
        ("bits", Said::number(bits)),
        ("flags", said::letters(flags, "LAR")),
        ("valid", lifetime(4)?),
        ("preferred", lifetime(8)?),
    ])
}

/// RFC 4191 §2.3: the prefix may be shorter than an address.
fn route(option: &[u8]) -> Option<Parts> {
    let &[_, _, bits, flags, a, b, c, d, ref prefix @ ..] = option else { return None };
    let mut whole = prefix.get(..prefix.len().min(16))?.to_vec();
    whole.resize(16, 0);
    let preference = ["medium", "high", "reserved", "low"][usize::from(flags >> 3 & 3)];
    Some(vec![
        ("prefix", Said::address(&whole)),
        ("bits", Said::number(bits)),
        ("preference", Said::text(preference)),
        ("lifetime", Said::Number(number(&[a, b, c, d]))),
    ])
}

/// RFC 8106 §5.2: labels with their lengths, each name ends with an empty one.
fn domain_names(mut rest: &[u8]) -> Vec<Said> {
    let (mut names, mut name) = (Vec::new(), String::new());
    while let Some((&len, behind)) = rest.split_first() {
        let Some((label, behind)) = behind.split_at_checked(usize::from(len)) else { break };
        rest = behind;
        if !label.is_empty() {
            name += &format!("{}{}", if name.is_empty() { "" } else { "." }, text(label));
        } else if !name.is_empty() {
            names.push(Said::Text(std::mem::take(&mut name)));
        }
    }
    names
}

/// Characters up to the padding, what is none escaped.
fn text(octets: &[u8]) -> String {
    let end = octets.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    octets[..end].escape_ascii().to_string()
}

/// What version 2 puts behind a query (RFC 3810 §5.1).
pub(super) fn query(sheet: &mut Sheet<'_>) {
    sheet.plain("reserved_2", 192, 4);
    sheet.bit("suppress", 196);
    sheet.plain("robustness", 197, 3);
    sheet.number("interval_code", 200, 8, |code| format!("{code}"));
    sheet.plain("number_of_sources", 208, 16);
    let sources = sheet.bytes.len().saturating_sub(28) / 16;
    for source in 0..sources {
        sheet.stop("source", 28 + source * 16, "sources", String::new);
    }
    sheet.octets("rest", 28 + sources * 16, usize::MAX, hex);
}

/// RFC 3810 §5.2: what a listener wants to hear, group by group.
pub(super) fn records(sheet: &mut Sheet<'_>) {
    let mut from = 8;
    while let &[kind, aux, high, low, ref behind @ ..] = sheet.span(from, usize::MAX) {
        let sources = usize::from(u16::from_be_bytes([high, low]));
        let len = 20 + sources * 16 + usize::from(aux) * 4;
        let (Some(group), true) = (behind.get(..16), behind.len() + 4 >= len) else { break };
        let name = match kind {
            1 => "include",
            2 => "exclude",
            3 => "change to include",
            4 => "change to exclude",
            5 => "allow new sources",
            6 => "block old sources",
            _ => "not known here",
        };
        let parts = vec![
            ("type", Said::number(kind)),
            ("name", Said::text(name)),
            ("group", Said::address(group)),
            ("sources", Said::addresses(&behind[16..16 + sources * 16], 16)),
        ];
        let words = format!("{name}, {}", said::words(&parts[2..]));
        sheet.item("record", (from, from + len), words, "records", Said::Group(parts));
        from += len;
    }
    sheet.octets("rest", from, usize::MAX, hex);
}

/// RFC 1256 §3: addresses with their preferences, higher ones first choice.
pub(super) fn routers(sheet: &mut Sheet<'_>) {
    let entry = sheet.peek(40, 8).unwrap_or_default() as usize * 4;
    let mut from = 8;
    while let Some(router) = sheet.span(from, usize::MAX).get(..entry).filter(|_| entry >= 8) {
        let preference = number(&router[4..8]) as u32 as i32;
        let parts = vec![("address", Said::address(&router[..4])), ("preference", Said::text(preference.to_string()))];
        sheet.item("router", (from, from + entry), said::words(&parts), "routers", Said::Group(parts));
        from += entry;
    }
    sheet.octets("rest", from, usize::MAX, hex);
}

#[cfg(test)]
mod tests {
    use crate::decode::decode;
    use crate::decode::fields::describe;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::frame;
    use crate::decode::tests::hex;
    use crate::packet::LinkType;

    /// The last fields of an ICMP message, in words.
    fn told(version: u8, message: &str, last: usize) -> Vec<String> {
        let body = hex(message);
        let ip = if version == 4 {
            [&[0x45, 0, 0, 20 + body.len() as u8, 0, 0, 0, 0, 1, 1, 0, 0][..], &[10; 8]].concat()
        } else {
            [&[0x60, 0, 0, 0, 0, body.len() as u8, 58, 255][..], &[0x20; 32]].concat()
        };
        let bytes = [ip, body].concat();
        let packet = decode(&frame(LinkType::RAW, &bytes));
        fields_cover_headers(&packet);
        let fields: Vec<_> = describe(&packet, &packet.layers[1]);
        let from = fields.len().saturating_sub(last);
        fields[from..].iter().map(|field| format!("{} = {}", field.name, field.meaning)).collect()
    }

    fn option(option: &str) -> String {
        told(6, &format!("8600 0000 40 08 0708 00000000 00000000 {option}"), 1).remove(0)
    }

    #[test]
    fn options_of_router_advertisements_are_spelled_out() {
        let prefix = "20010db8000000000000000000000000";
        for (text, words) in [
            (
                format!("0304 40 c0 00015180 00003840 00000000 {prefix}"),
                "option: prefix = type 3, 4 × 8 octets, prefix-information: prefix 2001:db8::, bits 64, flags LA, \
                 valid 86400, preferred 14400",
            ),
            ("0501 0000 000005dc".into(), "option: MTU = type 5, 1 × 8 octets, mtu: mtu 1500"),
            (
                "1802 30 08 00000e10 20010db800010000".into(),
                "option: route = type 24, 2 × 8 octets, route-information: prefix 2001:db8:1::, bits 48, preference high, \
                 lifetime 3600",
            ),
            (
                format!("1903 0000 00000e10 {prefix}"),
                "option: name servers = type 25, 3 × 8 octets, name-servers: lifetime 3600, servers 2001:db8::",
            ),
            (
                "1f03 0000 00000e10 03 6c616e 00 01 61 01 62 00 000000000000".into(),
                "option: search list = type 31, 3 × 8 octets, search-list: lifetime 3600, domains lan a.b",
            ),
            (
                "2602 0708 0064ff9b0000000000000000".into(),
                "option: NAT64 = type 38, 2 × 8 octets, nat64-prefix: lifetime 1800, prefix 64:ff9b::",
            ),
            ("0e01 010203040506".into(), "option: nonce = type 14, 1 × 8 octets, nonce: octets 010203040506"),
            (
                "0301 40 c0 00015180".into(),
                "option: prefix = type 3, 1 × 8 octets, prefix-information: not a length it has",
            ),
            ("0500 0000 000005dc".into(), "option: malformed = type 5, 0 × 8 octets: malformed, 8 octets there"),
            ("0502 0000 000005dc".into(), "option: malformed = type 5, 2 × 8 octets: malformed, 8 octets there"),
        ] {
            assert_eq!(option(&text), words, "{text}");
        }
    }

    #[test]
    fn listeners_tell_group_by_group() {
        let group = "ff020000000000000000000000000001";
        let source = "20010db8000000000000000000000001";
        assert_eq!(
            told(6, &format!("8f00 0000 0000 0002 04 00 0000 {group} 01 00 0001 {group} {source}"), 2),
            [
                "record = change to exclude, group ff02::1, sources none",
                "record = include, group ff02::1, sources 2001:db8::1",
            ]
        );
        assert_eq!(told(6, &format!("8f00 0000 0000 0001 04 00 0009 {group}"), 1)[0].split(" = ").next(), Some("rest"));
        assert_eq!(
            told(6, &format!("8200 0000 2710 0000 {group} 0a 7d 0001 {source}"), 5),
            [
                "suppress = set",
                "robustness = 2",
                "interval_code = 125",
                "number_of_sources = 1",
                "source = 2001:db8::1"
            ]
        );
    }

    #[test]
    fn routers_of_ipv4_are_listed_with_their_preference() {
        assert_eq!(
            told(4, "0900 0000 02 02 0708 c0000201 00000000 c0000202 ffffffff", 2),
            ["router = address 192.0.2.1, preference 0", "router = address 192.0.2.2, preference -1"]
        );
    }
}
