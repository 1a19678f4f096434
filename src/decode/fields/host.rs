//! What the capturing host puts before a frame: Linux' packet log and radiotap, an attribute a line.
//!
//! The kernel's nfnetlink_log.h names the attributes, radiotap.org the fields of the radio with their sizes and alignments.

use crate::decode::fields::Said;
use crate::decode::fields::Sheet;
use crate::decode::fields::hex;
use crate::decode::fields::lan::little;
use crate::decode::fields::link;
use crate::decode::fields::octets;
use crate::decode::fields::said::number;

/// Attributes with a length and a type in the order of the host, nearly always little-endian; each fills whole words.
pub(super) fn nflog(sheet: &mut Sheet<'_>) {
    sheet.number("family", 0, 8, |family| match family {
        2 => "IPv4".to_owned(),
        10 => "IPv6".to_owned(),
        other => format!("family {other}"),
    });
    sheet.plain("version", 8, 8);
    sheet.number("resource", 16, 16, |group| format!("log group {group}"));
    let mut from = 4;
    while let &[l1, l2, k1, k2, ref behind @ ..] = sheet.span(from, usize::MAX) {
        let (len, kind) = (usize::from(u16::from_le_bytes([l1, l2])), u16::from_le_bytes([k1, k2]));
        // The payload itself is no part of the header.
        let data =
            if kind == NFLOG_PAYLOAD { Some(&[][..]) } else { len.checked_sub(4).and_then(|len| behind.get(..len)) };
        let Some(data) = data else { break };
        let (name, value) = nflog_attribute(kind, data);
        let parts = vec![
            ("type", Said::number(kind)),
            ("name", Said::text(name)),
            ("length", Said::Number(len as u64)),
            ("value", Said::Text(value.clone())),
            ("data", Said::octets(data)),
        ];
        let value = if kind == NFLOG_PAYLOAD { octets((len as u64).saturating_sub(4)) } else { value };
        let words = format!("type {kind}, length {len}: {name} {value}");
        let to = (from + 4 + data.len().next_multiple_of(4)).min(sheet.bytes.len());
        sheet.item("attribute", (from, to), words, "attributes", Said::Group(parts));
        from = to;
    }
    sheet.octets("rest", from, usize::MAX, hex);
}

fn nflog_attribute(kind: u16, data: &[u8]) -> (&'static str, String) {
    let plain = || number(data.get(..data.len().min(8)).unwrap_or(&[])).to_string();
    match kind {
        1 => (
            "packet header",
            match *data {
                [high, low, hook, ..] => {
                    let protocol = link::ether_type(u128::from(u16::from_be_bytes([high, low])));
                    format!("{protocol}, hook {hook}")
                }
                _ => hex(data),
            },
        ),
        2 => ("mark", plain()),
        3 => ("time stamp", hex(data)),
        4 => ("arrived by interface", plain()),
        5 => ("leaves by interface", plain()),
        6 => ("arrived by port", plain()),
        7 => ("leaves by port", plain()),
        8 => ("hardware address", hex(data)),
        NFLOG_PAYLOAD => ("payload", String::new()),
        10 => ("prefix", data.split(|&octet| octet == 0).next().unwrap_or(&[]).escape_ascii().to_string()),
        11 => ("user", plain()),
        12 => ("sequence number", plain()),
        13 => ("sequence number of all", plain()),
        14 => ("group", plain()),
        15 => ("hardware type", plain()),
        16 => ("hardware header", hex(data)),
        17 => ("hardware header length", plain()),
        _ => ("not known here", hex(data)),
    }
}

/// Version, length, which fields are present; then these, in the order of their bits, each at its alignment.
pub(super) fn radiotap(sheet: &mut Sheet<'_>) {
    sheet.plain("version", 0, 8);
    sheet.plain("padding", 8, 8);
    little(sheet, "length", 16, 16, octets);
    little(sheet, "present", 32, 32, |present| format!("{present:#010x}"));
    let Some(first) = sheet.peek(32, 32) else { return };
    let present = (first as u32).swap_bytes();
    let mut from = 8;
    // Further words, of other name spaces, for as long as each says that one follows.
    let mut more = present >> 31 == 1;
    while more && let Some(word) = sheet.peek(from as u32 * 8, 32) {
        more = (word as u32).swap_bytes() >> 31 == 1;
        from += 4;
    }
    sheet.octets("present_more", 8, from, hex);
    let fields = RADIO.iter().enumerate().filter(|(bit, _)| present >> bit & 1 == 1);
    for (bit, &(name, align, size)) in fields {
        let at = from.next_multiple_of(align);
        let Some(data) = sheet.bytes.get(at..at + size) else { break };
        let value = radio_value(bit, data);
        let parts =
            vec![("name", Said::text(name)), ("value", Said::Text(value.clone())), ("data", Said::octets(data))];
        // What fills up to the alignment belongs to the field behind it.
        sheet.item("radio", (from, at + size), format!("{name}: {value}"), "fields", Said::Group(parts));
        from = at + size;
    }
    sheet.octets("rest", from, usize::MAX, hex);
}

/// Name, alignment and octets of each field by its bit; behind the last of them other rules hold.
const RADIO: [(&str, usize, usize); 28] = [
    ("clock", 8, 8),
    ("flags", 1, 1),
    ("rate", 1, 1),
    ("channel", 2, 4),
    ("hopping", 1, 2),
    ("signal", 1, 1),
    ("noise", 1, 1),
    ("lock quality", 2, 2),
    ("attenuation", 2, 2),
    ("attenuation in dB", 2, 2),
    ("transmit power", 1, 1),
    ("antenna", 1, 1),
    ("signal in dB", 1, 1),
    ("noise in dB", 1, 1),
    ("receive flags", 2, 2),
    ("transmit flags", 2, 2),
    ("RTS retries", 1, 1),
    ("data retries", 1, 1),
    ("extended channel", 4, 8),
    ("MCS", 1, 3),
    ("A-MPDU", 4, 8),
    ("VHT", 2, 12),
    ("time stamp", 8, 12),
    ("HE", 2, 12),
    ("HE of several users", 2, 12),
    ("HE of another user", 2, 6),
    ("frame without data", 1, 1),
    ("L-SIG", 2, 4),
];

fn radio_value(bit: usize, data: &[u8]) -> String {
    let value = data.iter().rev().fold(0_u64, |value, &octet| value << 8 | u64::from(octet));
    match bit {
        0 => format!("{value} µs"),
        // In steps of 500 kbit/s.
        2 => format!("{}.{} Mbit/s", value / 2, value % 2 * 5),
        3 => format!("{} MHz, flags {:#06x}", value & 0xffff, value >> 16),
        5 | 6 | 10 => format!("{} dBm", data[0] as i8),
        7..=9 | 11..=13 | 16 | 17 => value.to_string(),
        _ => hex(data),
    }
}

const NFLOG_PAYLOAD: u16 = 9;

#[cfg(test)]
mod tests {
    use crate::decode::decode;
    use crate::decode::fields::describe;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::frame;
    use crate::decode::tests::hex;
    use crate::packet::LinkType;

    fn told(link_type: u16, text: &str, skip: usize) -> Vec<String> {
        let bytes = hex(text);
        let packet = decode(&frame(LinkType(link_type), &bytes));
        fields_cover_headers(&packet);
        let fields = describe(&packet, &packet.layers[0]);
        fields.iter().skip(skip).map(|field| format!("{} = {}", field.name, field.meaning)).collect()
    }

    #[test]
    fn the_packet_log_is_told_attribute_by_attribute() {
        let text =
            "0200 0028 0800 0100 0800 03 00 0800 0500 00000002 0700 0a00 616200 00 0600 4d00 0102 0000 2c00 0900";
        assert_eq!(
            told(239, text, 3),
            [
                "attribute = type 1, length 8: packet header IPv4, hook 3",
                "attribute = type 5, length 8: leaves by interface 2",
                "attribute = type 10, length 7: prefix ab",
                "attribute = type 77, length 6: not known here 0102",
                "attribute = type 9, length 44: payload 40 octets",
            ]
        );
        assert_eq!(told(239, "0200 0028 0200 0100 0800", 3).len(), 0, "a length below its own ends the header");
    }

    #[test]
    fn radiotap_is_told_field_by_field_with_what_aligns_them() {
        let text = "0000 1a00 2f480000 0102030405060708 10 0b 8509 c000 c3 01 0200 b4000000000000000000000000000000";
        let fields = told(127, text, 4);
        assert_eq!(
            fields,
            [
                "radio = clock: 578437695752307201 µs",
                "radio = flags: 10",
                "radio = rate: 5.5 Mbit/s",
                "radio = channel: 2437 MHz, flags 0x00c0",
                "radio = signal: -61 dBm",
                "radio = antenna: 1",
                "radio = receive flags: 0200",
            ]
        );
    }
}
