//! Every field of one header, raw and with its meaning: what header tables and JSON are made from.
//!
//! Fields are read again from the frame's octets, bit by bit, so that a header shows what it holds and not only what
//! the trackers need. Fields beyond the captured octets are left out. This is for display: it may allocate.

mod ip;
mod link;
mod option;
mod transport;

use crate::packet::ChecksumState;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// One field of a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// The RFC's name in snake_case, `data_offset`; an option is `option: MSS`.
    pub name: &'static str,
    /// Offset within the header and width, both in bits.
    pub bits: (u32, u32),
    /// What stands there.
    pub raw: Raw,
    /// What it means, in words or in its usual notation; sums are written out.
    pub meaning: String,
}

/// What stands in a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Raw {
    /// Up to 128 bits, most significant first.
    Number(u128),
    /// Octets, for fields that are no number.
    Bytes(Vec<u8>),
}

/// The fields of `layer`, in wire order. `layer` is one of `packet.layers`; any other gives what its octets would say.
pub fn describe(packet: &Packet<'_>, layer: &Layer) -> Vec<Field> {
    let from = layer.offset as usize;
    let bytes = packet.bytes.get(from..from.saturating_add(layer.len as usize)).unwrap_or(&[]);
    let mut sheet = Sheet { bytes, fields: Vec::new() };
    match layer.kind {
        LayerKind::Ethernet => link::ethernet(&mut sheet),
        LayerKind::Vlan => link::vlan(&mut sheet),
        LayerKind::Sll => link::sll(&mut sheet),
        LayerKind::Sll2 => link::sll2(&mut sheet),
        LayerKind::Null => link::null(&mut sheet),
        LayerKind::Arp => link::arp(&mut sheet),
        LayerKind::Ipv4 => ip::ipv4(&mut sheet, packet, layer),
        LayerKind::Ipv6 => ip::ipv6(&mut sheet, packet, layer),
        LayerKind::HopByHop | LayerKind::DestinationOptions => ip::options_header(&mut sheet),
        LayerKind::Routing => ip::routing(&mut sheet),
        LayerKind::FragmentHeader => ip::fragment(&mut sheet),
        LayerKind::Ah => ip::authentication(&mut sheet),
        LayerKind::Tcp => transport::tcp(&mut sheet, packet, layer),
        LayerKind::Udp => transport::udp(&mut sheet, packet),
        LayerKind::Icmp | LayerKind::Icmpv6 => transport::icmp(&mut sheet, packet, layer),
        LayerKind::Frame | LayerKind::Payload => {}
    }
    sheet.fields
}

/// The fields of one header in the making.
struct Sheet<'a> {
    bytes: &'a [u8],
    fields: Vec<Field>,
}

impl<'a> Sheet<'a> {
    /// Adds a number of at most 128 bits, if it was captured.
    fn number(&mut self, name: &'static str, at: u32, width: u32, meaning: impl FnOnce(u128) -> String) {
        if let Some(value) = self.peek(at, width) {
            self.fields.push(Field { name, bits: (at, width), raw: Raw::Number(value), meaning: meaning(value) });
        }
    }

    /// Adds a number that means itself.
    fn plain(&mut self, name: &'static str, at: u32, width: u32) {
        self.number(name, at, width, |value| value.to_string());
    }

    /// Adds one bit: `set` or `not set`.
    fn bit(&mut self, name: &'static str, at: u32) {
        self.number(name, at, 1, |value| if value == 1 { "set" } else { "not set" }.to_owned());
    }

    /// Adds octets from `from` up to `to`, as far as they were captured, unless there are none.
    fn octets(&mut self, name: &'static str, from: usize, to: usize, meaning: impl FnOnce(&[u8]) -> String) {
        let octets = self.span(from, to);
        if !octets.is_empty() {
            let bits = (from as u32 * 8, octets.len() as u32 * 8);
            self.fields.push(Field { name, bits, raw: Raw::Bytes(octets.to_vec()), meaning: meaning(octets) });
        }
    }

    /// The captured octets of a stretch of the header.
    fn span(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to.min(self.bytes.len())).unwrap_or(&[])
    }

    /// The bits from `at`, `None` where they were not captured.
    fn peek(&self, at: u32, width: u32) -> Option<u128> {
        debug_assert!(width <= 128, "a number has at most 128 bits");
        let last = at.checked_add(width)?.div_ceil(8) as usize;
        self.bytes.get(..last)?;
        Some((at..at + width).fold(0, |value, bit| {
            let octet = self.bytes[bit as usize / 8];
            value << 1 | u128::from(octet >> (7 - bit % 8) & 1)
        }))
    }
}

/// `3 octets`, `1 octet`.
fn octets(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 octet".to_owned(),
        count => format!("{count} octets"),
    }
}

/// Octets in hexadecimal, without blanks; of long ones the beginning.
fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let mut text: String = bytes.iter().take(SHOWN).map(|octet| format!("{octet:02x}")).collect();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}

/// A checksum's state and what it was computed to.
fn checksum(state: ChecksumState, field: u128) -> String {
    match state {
        ChecksumState::Good => format!("good: computed {field:#06x} too"),
        ChecksumState::Partial => "partial: left for the network card to finish".to_owned(),
        ChecksumState::Bad { expected } => format!("bad: computed {expected:#06x}"),
        ChecksumState::Absent => "absent: the sender computed none".to_owned(),
        ChecksumState::Illegal => "illegal: IPv6 needs one".to_owned(),
        ChecksumState::Unverifiable => "cannot be checked: not all of the datagram is here".to_owned(),
        ChecksumState::None => "none".to_owned(),
    }
}
