//! MPTCP's options taken apart: nine subtypes with their flags, keys and numbers (RFC 8684 §3).

use crate::decode::fields::Said;
use crate::decode::fields::said;
use crate::decode::fields::said::Parts;
use crate::decode::fields::said::number;

/// One MPTCP option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mptcp {
    /// First four bits.
    pub subtype: u8,
    /// As RFC 8684 calls it, in kebab-case: `mp-capable`.
    pub name: &'static str,
    /// What it says, in wire order; with a length that its subtype does not have, the octets.
    pub fields: Parts,
    /// Its length is one that its subtype has.
    pub is_sound: bool,
}

/// Reads what follows kind and length; at least one octet of it is there.
pub fn mptcp(data: &[u8]) -> Option<Mptcp> {
    let (&first, _) = data.split_first()?;
    let subtype = first >> 4;
    let (name, read): (&'static str, Option<Parts>) = match subtype {
        0 => ("mp-capable", capable(data)),
        1 => ("mp-join", join(data)),
        2 => ("dss", dss(data)),
        3 => ("add-addr", add_addr(data)),
        4 => ("remove-addr", remove_addr(data)),
        5 => ("mp-prio", prio(data)),
        6 => ("mp-fail", numbered(data, 10, "data_sequence_number")),
        7 => ("mp-fastclose", keyed(data)),
        8 => ("mp-tcprst", reset(data)),
        15 => ("experimental", None),
        _ => ("unassigned", None),
    };
    let is_sound = read.is_some();
    let fields = read.unwrap_or_else(|| vec![("data", octets(data))]);
    Some(Mptcp { subtype, name, fields, is_sound })
}

/// §3.1: version and flags, then the keys that are known, then the length of first data and its checksum.
fn capable(data: &[u8]) -> Option<Parts> {
    let &[first, flags, ref rest @ ..] = data else { return None };
    let mut fields = vec![("version", Said::Number(u64::from(first & 0x0f))), flag_field(flags, "ABCDEFGH")];
    let (keys, behind) = match rest.len() {
        // The first SYN of version 1 names no key.
        0 => (0, 0),
        8 => (1, 0),
        16 => (2, 0),
        18 | 20 => (2, rest.len() - 16),
        _ => return None,
    };
    for (name, key) in ["sender_key", "receiver_key"].into_iter().zip(rest.chunks_exact(8)).take(keys) {
        fields.push((name, octets(key)));
    }
    if behind >= 2 {
        fields.push(("data_level_length", Said::Number(number(&rest[16..18]))));
    }
    if behind >= 4 {
        fields.push(("checksum", octets(&rest[18..20])));
    }
    Some(fields)
}

/// §3.2: which of three packets it is, its length tells.
fn join(data: &[u8]) -> Option<Parts> {
    let &[first, address, ref rest @ ..] = data else { return None };
    let mut fields = Vec::new();
    if rest.len() != 20 {
        fields.push(flag_field(first << 4, "···B"));
        fields.push(("address_id", Said::Number(u64::from(address))));
    }
    match rest.len() {
        8 => {
            fields.push(("receiver_token", octets(&rest[..4])));
            fields.push(("sender_nonce", octets(&rest[4..])));
        }
        12 => {
            fields.push(("sender_hmac", octets(&rest[..8])));
            fields.push(("sender_nonce", octets(&rest[8..])));
        }
        20 => fields.push(("sender_hmac", octets(rest))),
        _ => return None,
    }
    Some(fields)
}

/// §3.3: acknowledgment and mapping, each there and as wide as its flags say.
fn dss(data: &[u8]) -> Option<Parts> {
    let &[_, flags, ref rest @ ..] = data else { return None };
    let mut fields = vec![flag_field(flags << 3, "FmMaA")];
    let mut rest = rest;
    let mut take = |octets: usize| {
        let (taken, behind) = rest.split_at_checked(octets)?;
        rest = behind;
        Some(number(taken))
    };
    if flags & 0x01 != 0 {
        fields.push(("data_ack", Said::Number(take(if flags & 0x02 != 0 { 8 } else { 4 })?)));
    }
    if flags & 0x04 != 0 {
        fields.push(("data_sequence_number", Said::Number(take(if flags & 0x08 != 0 { 8 } else { 4 })?)));
        fields.push(("subflow_sequence_number", Said::Number(take(4)?)));
        fields.push(("data_level_length", Said::Number(take(2)?)));
        if let Some(checksum) = take(2) {
            fields.push(("checksum", Said::Octets(format!("{checksum:04x}"))));
        }
    }
    rest.is_empty().then_some(fields)
}

/// §3.4.1: an address of either family, perhaps a port, and a digest unless it is an echo.
fn add_addr(data: &[u8]) -> Option<Parts> {
    let &[first, address, ref rest @ ..] = data else { return None };
    let is_echo = first & 1 != 0;
    let digest = if is_echo { 0 } else { 8 };
    let mut fields = vec![flag_field(first << 4, "···E"), ("address_id", Said::Number(u64::from(address)))];
    let (width, has_port) = match rest.len().checked_sub(digest)? {
        4 => (4, false),
        6 => (4, true),
        16 => (16, false),
        18 => (16, true),
        _ => return None,
    };
    let (addr, mut rest) = rest.split_at(width);
    fields.push(("address", Said::address(addr)));
    if has_port {
        let (port, behind) = rest.split_at(2);
        fields.push(("port", Said::Number(number(port))));
        rest = behind;
    }
    if !is_echo {
        fields.push(("hmac", octets(rest)));
    }
    Some(fields)
}

/// §3.4.2.
fn remove_addr(data: &[u8]) -> Option<Parts> {
    let ids = data.get(1..).filter(|ids| !ids.is_empty())?;
    Some(ids.iter().map(|&id| ("address_id", Said::Number(u64::from(id)))).collect())
}

/// §3.3.8.
fn prio(data: &[u8]) -> Option<Parts> {
    let mut fields = vec![flag_field(data[0] << 4, "···B")];
    match *data {
        [_] => {}
        // An earlier draft, and version 0, name an address.
        [_, address] => fields.push(("address_id", Said::Number(u64::from(address)))),
        _ => return None,
    }
    Some(fields)
}

/// §3.7: a number behind two octets.
fn numbered(data: &[u8], len: usize, name: &'static str) -> Option<Parts> {
    (data.len() == len).then(|| vec![(name, Said::Number(number(&data[2..])))])
}

/// §3.5.
fn keyed(data: &[u8]) -> Option<Parts> {
    (data.len() == 10).then(|| vec![("receiver_key", octets(&data[2..]))])
}

/// §3.6.
fn reset(data: &[u8]) -> Option<Parts> {
    let &[first, reason] = data else { return None };
    Some(vec![flag_field(first << 4, "UVWT"), ("reason", Said::Number(u64::from(reason)))])
}

fn flag_field(bits: u8, letters: &str) -> (&'static str, Said) {
    ("flags", said::letters(bits, letters))
}

fn octets(octets: &[u8]) -> Said {
    Said::octets(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tests::hex as bytes;

    fn said(text: &str) -> String {
        let option = mptcp(&bytes(text)).expect("an option");
        let words = option.fields.iter().map(|(name, value)| match value {
            Said::Flags(letters) => format!("{name}=[{letters}]"),
            value => format!("{name}={value}"),
        });
        format!("{}{} {}", option.name, if option.is_sound { "" } else { "!" }, words.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn every_subtype_has_its_fields() {
        for (text, words) in [
            ("01 81", "mp-capable version=1 flags=[AH]"),
            ("01 01 0102030405060708", "mp-capable version=1 flags=[H] sender_key=0102030405060708"),
            (
                "01 81 0000000000000001 0000000000000002 0005 abcd",
                "mp-capable version=1 flags=[AH] sender_key=0000000000000001 receiver_key=0000000000000002 \
                 data_level_length=5 checksum=abcd",
            ),
            ("11 02 0a0b0c0d 01020304", "mp-join flags=[B] address_id=2 receiver_token=0a0b0c0d sender_nonce=01020304"),
            (
                "10 02 0102030405060708 0a0b0c0d",
                "mp-join flags=[] address_id=2 sender_hmac=0102030405060708 sender_nonce=0a0b0c0d",
            ),
            ("20 01 00000007", "dss flags=[A] data_ack=7"),
            (
                "20 07 0000000000000009 00000001 00000002 0003",
                "dss flags=[MaA] data_ack=9 data_sequence_number=1 subflow_sequence_number=2 data_level_length=3",
            ),
            (
                "20 1c 0000000000000001 00000002 0003 beef",
                "dss flags=[FmM] data_sequence_number=1 subflow_sequence_number=2 data_level_length=3 checksum=beef",
            ),
            ("31 05 c0000201", "add-addr flags=[E] address_id=5 address=192.0.2.1"),
            (
                "30 05 c0000201 0050 0102030405060708",
                "add-addr flags=[] address_id=5 address=192.0.2.1 port=80 hmac=0102030405060708",
            ),
            ("40 01 02", "remove-addr address_id=1 address_id=2"),
            ("51", "mp-prio flags=[B]"),
            ("60 00 0000000000000100", "mp-fail data_sequence_number=256"),
            ("70 00 0102030405060708", "mp-fastclose receiver_key=0102030405060708"),
            ("81 04", "mp-tcprst flags=[T] reason=4"),
        ] {
            assert_eq!(said(text), words, "{text}");
        }
    }

    #[test]
    fn a_length_that_a_subtype_does_not_have_leaves_the_octets() {
        for text in ["01 81 01", "11 02 0a", "20 01 0000", "20 00 01", "31 05 c000", "40", "51 01 02", "60 00 01", "81"]
        {
            let option = mptcp(&bytes(text)).expect("an option");
            assert!(!option.is_sound && option.fields.len() == 1, "{text}: {option:?}");
        }
        assert_eq!(said("f0 01"), "experimental! data=f001");
        assert_eq!(mptcp(&[]), None);
    }
}
