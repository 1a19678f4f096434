//! Tells what kind of file this is from its first octets, so that the message for a wrong one is useful.

use std::fmt::Write;

use crate::source::error::SourceError;
use crate::source::error::conversion;
use crate::source::error::shown;
use crate::source::unpack::Packer;

/// A kind of file that we read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// pcap of any byte order and resolution.
    Pcap,
    /// The same from an Ixia tester: behind the file header, the octets of all records.
    Lcap,
    /// pcapng.
    Pcapng,
    /// Either of them, packed.
    Packed(Packer),
}

impl Kind {
    /// Octets of the shortest file header.
    pub(super) const fn header_len(self) -> usize {
        match self {
            Self::Pcap => 24,
            Self::Lcap | Self::Pcapng => 28,
            Self::Packed(_) => 4,
        }
    }
}

/// Octets that [`sniff`] wants to see; fewer only where the file has no more.
pub(super) const SNIFF_LEN: usize = 28;

/// Names the kind of a file that begins with `first`, complete where the file is shorter than [`SNIFF_LEN`].
pub(super) fn sniff(name: &str, first: &[u8]) -> Result<Kind, SourceError> {
    if first.is_empty() {
        return Err(SourceError::Empty { name: shown(name) });
    }
    if let Some(kind) = kind_of(first) {
        let (have, need) = (first.len(), kind.header_len());
        if have < need {
            return Err(SourceError::TruncatedHeader { name: shown(name), have, need });
        }
        return Ok(kind);
    }
    if let Some((_, packer, command)) = PACKERS.iter().find(|(magic, ..)| first.starts_with(magic)) {
        let command = if name == "-" { (*command).to_owned() } else { format!("{command} {}", shown(name)) };
        return Err(SourceError::Compressed { name: shown(name), packer, command });
    }
    if let Some((_, format)) = OTHERS.iter().find(|(magic, _)| first.starts_with(magic)) {
        return Err(SourceError::OtherFormat { name: shown(name), format, command: conversion(name) });
    }
    Err(SourceError::NotACapture { name: shown(name), first: in_words(first) })
}

/// The kind of a file that begins with these octets, if it is one that we read; four of them tell most.
pub(super) fn kind_of(first: &[u8]) -> Option<Kind> {
    let magic = first.first_chunk::<4>()?;
    match u32::from_be_bytes(*magic) {
        0x1f8b_0800..=0x1f8b_08ff => Some(Kind::Packed(Packer::Gzip)),
        // Or a frame that is to be skipped, as parallel packers write one first.
        0x28b5_2ffd => Some(Kind::Packed(Packer::Zstd)),
        first if first & 0xf0ff_ffff == 0x502a_4d18 => Some(Kind::Packed(Packer::Zstd)),
        0x0422_4d18 | 0x0221_4c18 => Some(Kind::Packed(Packer::Lz4)),
        0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 | 0xa1b2_cd34 | 0x34cd_b2a1 => Some(Kind::Pcap),
        0x1c00_01ac | 0xac01_001c | 0x1c00_01ab | 0xab01_001c => Some(Kind::Lcap),
        0x0a0d_0d0a => match first.get(8..12) {
            None | Some([0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a]) => Some(Kind::Pcapng),
            Some(_) => None,
        },
        _ => None,
    }
}

/// `the text "…"` or `the octets 00 01 …`.
fn in_words(first: &[u8]) -> String {
    let first = &first[..first.len().min(SHOWN)];
    let printable = |octet: &u8| matches!(octet, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    if first.iter().all(printable) {
        let text: String = first.iter().map(|&octet| if octet < b' ' { ' ' } else { char::from(octet) }).collect();
        return format!("the text \"{}\"", text.trim());
    }
    let mut words = "the octets".to_owned();
    for octet in first {
        // Writing to a string cannot fail.
        let _ = write!(words, " {octet:02x}");
    }
    words
}

/// Octets of an unknown file that the message repeats.
const SHOWN: usize = 16;

/// Magic, packer, command that unpacks to standard output; for the packers that we leave to their own tools.
const PACKERS: &[(&[u8], &str, &str)] = &[
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz", "xz -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (&[0x1f, 0x9d], "compress", "uncompress -c"),
    (b"PK\x03\x04", "zip", "unzip -p"),
];

/// Magic and name of formats that editcap converts.
const OTHERS: &[(&[u8], &str)] = &[
    (b"snoop\0\0\0", "Solaris snoop"),
    (b"GMBU", "Microsoft Network Monitor 2"),
    (b"RTSS", "Microsoft Network Monitor 1"),
    (b"TRSNIFF data", "Network General Sniffer"),
    (b"iptrace ", "AIX iptrace"),
    (b"XCP\0", "NetXRay"),
    (b"btsnoop\0", "Bluetooth snoop"),
    (b"\x05VNF", "Visual Networks"),
    (b"EyeSDN", "EyeSDN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, first: &[u8]) -> String {
        sniff(name, first).expect_err("not one of ours").to_string()
    }

    #[test]
    fn a_packed_file_is_named_with_the_command_that_unpacks_it() {
        assert_eq!(
            message("x.pcap.bz2", b"BZh9"),
            "x.pcap.bz2 is compressed with bzip2: unpack it first (bzip2 -dc x.pcap.bz2 | synscope ... -)"
        );
        assert_eq!(
            message("-", &[0xfd, b'7', b'z', b'X', b'Z', 0]),
            "standard input is compressed with xz: unpack it first (xz -dc | synscope ... -)"
        );
    }

    #[test]
    fn a_capture_of_another_format_is_named_with_the_command_that_converts_it() {
        assert_eq!(
            message("x.snoop", b"snoop\0\0\0\0\0\0\x02"),
            "x.snoop is a Solaris snoop file: convert it first (editcap -F pcap x.snoop out.pcap)"
        );
    }

    #[test]
    fn text_and_unknown_octets_are_shown_on_one_line() {
        assert!(message("x", b"hello\nworld, and more").contains("begins with the text \"hello world, and\";"));
        assert!(message("x", &[0, 1, 0xff]).contains("begins with the octets 00 01 ff;"));
    }

    #[test]
    fn an_empty_file_and_half_a_header_are_told_apart_from_a_foreign_file() {
        assert_eq!(message("x", &[]), "x is empty: 0 octets; is the capture still running?");
        assert!(message("x", &[0xd4, 0xc3, 0xb2, 0xa1, 2]).contains("5 of 24 octets"));
        assert!(message("x", &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d]).contains("9 of 28 octets"));
        assert!(message("x", &[0xac, 1, 0, 0x1c, 2, 0, 4, 0, 0, 0]).contains("10 of 28 octets"));
        assert!(message("x", &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4]).contains("no capture file"));
    }
}
