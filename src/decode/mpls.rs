//! MPLS label stacks (RFC 3032) and what can be below them.
//!
//! Nothing in a label says what it carries. The first nibble below the stack tells IP apart from a pseudowire's control
//! word (RFC 4385 §2); Ethernet without control word is only believed where it cannot be IP.

use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::extent::note_missing;
use crate::decode::extent::push;
use crate::decode::ip;
use crate::decode::link;
use crate::packet::DefectCode;
use crate::packet::EtherType;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Reads the whole stack as one layer.
pub(super) fn read(packet: &mut Packet<'_>, extent: Extent) {
    let bytes = extent.captured(packet.bytes);
    let bottom = bytes.chunks_exact(LABEL_LEN).take(MAX_LABELS).position(|entry| entry[2] & 1 == 1);
    let Some(above) = bottom else {
        let whole = bytes.len() / LABEL_LEN;
        push(packet, LayerKind::Mpls, extent.at, whole.min(MAX_LABELS) * LABEL_LEN);
        if whole < MAX_LABELS {
            note_missing(packet, LayerKind::Mpls, extent, (whole + 1) * LABEL_LEN);
        } else {
            let limit = MAX_LABELS as u32;
            note(packet, DefectCode::LayerDepth, LayerKind::Mpls, extent.at, limit + 1, limit);
        }
        return;
    };
    let len = (above + 1) * LABEL_LEN;
    if !push(packet, LayerKind::Mpls, extent.at, len) {
        return;
    }
    let below = extent.behind(len);
    let bytes = below.captured(packet.bytes);
    match bytes.first().map(|first| first >> 4) {
        Some(4 | 6) if is_ethernet(bytes) && !is_ip(bytes, below.len()) => link::ethernet(packet, below),
        Some(4) => ip::read_v4(packet, below),
        Some(6) => ip::read_v6(packet, below),
        Some(0)
            if bytes.get(LABEL_LEN..).is_some_and(is_ethernet)
                && push(packet, LayerKind::ControlWord, below.at, LABEL_LEN) =>
        {
            link::ethernet(packet, below.behind(LABEL_LEN));
        }
        Some(_) if is_ethernet(bytes) => link::ethernet(packet, below),
        _ => {}
    }
}

/// A header whose length fits what is there.
fn is_ip(bytes: &[u8], there: usize) -> bool {
    match *bytes {
        [first @ 0x45..=0x4f, _, high, low, ..] => {
            let total = usize::from(u16::from_be_bytes([high, low]));
            total <= there && total >= usize::from(first & 0x0f) * 4
        }
        [0x60..=0x6f, _, _, _, high, low, ..] => usize::from(u16::from_be_bytes([high, low])) + 40 <= there,
        _ => false,
    }
}

/// An Ethernet header of a type that we could read on.
fn is_ethernet(bytes: &[u8]) -> bool {
    match bytes.get(12..14) {
        Some(&[high, low]) => READABLE.contains(&EtherType(u16::from_be_bytes([high, low]))),
        _ => false,
    }
}

const READABLE: [EtherType; 7] = [
    EtherType::IPV4,
    EtherType::IPV6,
    EtherType::ARP,
    EtherType::VLAN,
    EtherType::QINQ,
    EtherType::MPLS,
    EtherType::PPPOE_SESSION,
];

const LABEL_LEN: usize = 4;
/// Real stacks have fewer than ten labels.
const MAX_LABELS: usize = 32;
