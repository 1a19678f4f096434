//! What a source knows about its capture beside the frames: format, interfaces, and how it ended.

use std::fmt;

use crate::packet::LinkType;
use crate::source::remarks::Remarks;

/// A capture as a whole. Grows while it is read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaptureInfo {
    /// The file's name, `-` for standard input, or the interface.
    pub name: String,
    /// How the frames are written down.
    pub format: Format,
    /// What the file was packed with: `gzip`, `zstd`, `lz4`. Offsets then count in the unpacked file.
    pub compression: Option<&'static str>,
    /// The headers' byte order is big-endian; of pcapng, in the latest section.
    pub big_endian: bool,
    /// Version of the file format, `(2, 4)` for any pcap of this century; of pcapng, in the latest section.
    pub version: (u16, u16),
    /// Sections begun so far. More than one only in pcapng.
    pub sections: u64,
    /// In order of appearance, over all sections; `FrameMeta::interface` is an index into it.
    ///
    /// Of one file at most 65,536: Linux numbers a few thousand, and a file could describe millions in a few octets.
    pub interfaces: Vec<InterfaceInfo>,
    /// Comments and names that a pcapng file holds.
    pub remarks: Remarks,
    /// How the capture ended badly, if it did.
    pub problem: Option<Problem>,
}

impl CaptureInfo {
    pub(super) fn new(name: &str, format: Format) -> Self {
        Self {
            name: name.to_owned(),
            format,
            compression: None,
            big_endian: false,
            version: (0, 0),
            sections: 0,
            interfaces: Vec::new(),
            remarks: Remarks::default(),
            problem: None,
        }
    }

    /// Whether a file that describes one interface more stops being believed.
    pub(super) const fn is_full(&self) -> bool {
        self.interfaces.len() >= MAX_INTERFACES
    }
}

/// Interfaces of a file that are kept.
pub(super) const MAX_INTERFACES: usize = 1 << 16;

/// How a capture is written down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// The classic format of libpcap.
    Pcap,
    /// pcapng.
    Pcapng,
    /// No file: frames straight from an interface.
    Live,
    /// No file: frames made up in memory.
    Memory,
}

/// `pcap`, `pcapng`, `live`, `memory`.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pcap => "pcap",
            Self::Pcapng => "pcapng",
            Self::Live => "live",
            Self::Memory => "memory",
        })
    }
}

/// One interface of a capture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InterfaceInfo {
    /// Its name, where the capture tells: live, and `if_name` of pcapng.
    pub name: Option<String>,
    /// What it is, in words, where a pcapng file says so.
    pub description: Option<String>,
    /// How its frames begin.
    pub link_type: LinkType,
    /// Frames longer than this were cut, in octets; 0 where there was no limit.
    pub snaplen: u32,
    /// Largest packet without link header, in octets. Live only.
    pub mtu: Option<u32>,
    /// The unit in which its time stamps were counted.
    pub resolution: Resolution,
}

/// The unit of time stamps, in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resolution {
    /// 10 to the minus this.
    Decimal(u8),
    /// 2 to the minus this.
    Binary(u8),
}

impl Resolution {
    /// Microseconds, what files carry unless they say otherwise.
    pub const MICROS: Self = Self::Decimal(6);
    /// Nanoseconds.
    pub const NANOS: Self = Self::Decimal(9);

    /// As many units as can be counted, 2^64 − 1, are less than a nanosecond: every stamp reads the same.
    pub const fn is_too_fine(self) -> bool {
        match self {
            // 1.8 × 10^19 units. Of 10^-28 s they are 1.8 ns, of 10^-29 s 0.18 ns.
            Self::Decimal(power) => power > 28,
            // 2^64 × 2^-94 s = 2^-30 s = 0.93 ns.
            Self::Binary(power) => power > 93,
        }
    }
}

/// `us`, `ns`, `10^-3 s`, `2^-10 s`.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            &Self::MICROS => f.pad("us"),
            &Self::NANOS => f.pad("ns"),
            Self::Decimal(power) => write!(f, "10^-{power} s"),
            Self::Binary(power) => write!(f, "2^-{power} s"),
        }
    }
}

/// How a capture ended badly. Every whole frame before it was handed over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// What went wrong.
    pub kind: ProblemKind,
    /// The octet of the file where the record at fault begins; 0 for a live capture.
    pub offset: u64,
    /// Whole frames before it.
    pub frames: u64,
    /// One line for people: where, what, how much of how much.
    pub text: String,
}

/// The line for people.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The kinds of bad ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProblemKind {
    /// The file ends inside a record: cut off, or still being written.
    Truncated,
    /// A record contradicts itself or the format; what follows cannot be found.
    Corrupt,
    /// Reading failed half-way.
    ReadFailed,
    /// The interface went down or away.
    InterfaceGone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_named_where_people_have_a_name_for_them() {
        let named = [Resolution::MICROS, Resolution::NANOS, Resolution::Decimal(3), Resolution::Binary(10)];
        assert_eq!(named.map(|r| r.to_string()), ["us", "ns", "10^-3 s", "2^-10 s"]);
    }
}
