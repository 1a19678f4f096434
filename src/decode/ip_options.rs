//! What is wrong with the options of IPv4 and of IPv6's extension headers, and with a routing header: each a defect.
//!
//! RFC 791 §3.1, RFC 8200 §4.2 and §4.4. What they say is for `fields`. Hardly a packet has them: the walk is cold.

use crate::decode::extent::note;
use crate::decode::tlv::Form;
use crate::decode::tlv::Scheme;
use crate::decode::tlv::Tlv;
use crate::decode::tlv::Tlvs;
use crate::packet::DefectCode;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Notes the faults of an options list that begins at octet `at` of the frame.
#[cold]
pub(super) fn check(packet: &mut Packet<'_>, layer: LayerKind, at: usize, list: &[u8], scheme: Scheme) {
    let mut walk = Tlvs::of(list, scheme);
    while let Some(tlv) = walk.next() {
        if let Some((code, found, expected)) = fault(&tlv, scheme, list.len() - tlv.at) {
            note(packet, code, layer, at + tlv.at, found, expected);
        }
        // RFC 791 §3.1: what follows the end of the list is padding, zeros.
        let strangers = match (scheme, tlv.kind) {
            (Scheme::V4, 0) => walk.rest().iter().filter(|&&octet| octet != 0).count() as u32,
            (Scheme::V4 | Scheme::V6, _) => 0,
        };
        if strangers > 0 {
            note(packet, DefectCode::IpOptionsAfterEnd, layer, at + tlv.at, strangers, 0);
        }
    }
}

/// Notes a route that says more stops are left than it lists (RFC 8200 §4.4, RFC 6554 §4.2, RFC 8754 §2).
#[cold]
pub(super) fn check_route(packet: &mut Packet<'_>, at: usize, header: &[u8]) {
    let Some(stops) = stops(header) else { return };
    let left = usize::from(header[3]);
    if left > stops {
        note(packet, DefectCode::RoutingSegments, LayerKind::Routing, at + 3, left as u32, stops as u32);
    }
}

/// Addresses that a routing header of a known type lists; of segment routing, those that can be left.
pub(super) fn stops(header: &[u8]) -> Option<usize> {
    let room = header.len().saturating_sub(8);
    match *header.get(2)? {
        0 | 2 => Some(room / 16),
        3 => {
            let (inner, last) = compressed(header)?;
            let padding = usize::from(header[5] >> 4);
            let room = room.checked_sub(padding)?;
            // RFC 6554 §3: the last one may be compressed more, or less, than the others.
            Some(room.checked_sub(last)? / inner.max(1) + 1)
        }
        4 => Some(usize::from(*header.get(4)?) + 1),
        _ => None,
    }
}

/// Octets of an address of RPL's source route: of all but the last, and of the last.
pub(super) fn compressed(header: &[u8]) -> Option<(usize, usize)> {
    let both = *header.get(4)?;
    Some((16 - usize::from(both >> 4), 16 - usize::from(both & 0x0f)))
}

fn fault(tlv: &Tlv<'_>, scheme: Scheme, remaining: usize) -> Option<(DefectCode, u32, u32)> {
    match tlv.form {
        Form::Single => None,
        Form::Impossible(declared) => {
            Some((DefectCode::IpOptionLength, u32::from(declared.unwrap_or(0)), remaining as u32))
        }
        Form::Sized(data) => {
            let expected = match scheme {
                Scheme::V4 => v4_len(tlv.kind, data.len())? + 2,
                Scheme::V6 => v6_len(tlv.kind, data.len())?,
            };
            let declared = usize::from(tlv.octets[1]);
            if declared == expected {
                return pointer(tlv.kind, data, scheme);
            }
            Some((DefectCode::IpOptionSize, declared as u32, expected as u32))
        }
    }
}

/// RFC 791 §3.1: the pointer counts from 1 and stands at an address, or behind the last one.
fn pointer(kind: u8, data: &[u8], scheme: Scheme) -> Option<(DefectCode, u32, u32)> {
    let first = match (scheme, kind) {
        (Scheme::V4, 7 | 131 | 137) => 4,
        (Scheme::V4, 68) => 5,
        (Scheme::V4 | Scheme::V6, _) => return None,
    };
    let found = *data.first()?;
    (found < first).then_some((DefectCode::IpOptionPointer, u32::from(found), u32::from(first)))
}

/// Octets behind kind and length that an option of IPv4 has, `len` where any will do; `None` where we do not know it.
fn v4_len(kind: u8, len: usize) -> Option<usize> {
    Some(match kind {
        // MTU probe and reply, RFC 1063; stream identifier, RFC 791; router alert, RFC 2113 §2.1.
        11 | 12 | 136 | 148 => 2,
        // Pointer and whole addresses.
        7 | 131 | 137 => 1 + len.saturating_sub(1) / 4 * 4,
        // Pointer, flags and whole words of time.
        68 => 2 + len.saturating_sub(2) / 4 * 4,
        // Quick-Start, RFC 4782 §3.1; traceroute, RFC 1393 §2.2.
        25 => 6,
        82 => 10,
        // A level at least, RFC 1108 §2.1; a domain of interpretation, FIPS 188.
        130 => len.max(1),
        134 => len.max(4),
        _ => return None,
    })
}

/// The same of IPv6.
fn v6_len(kind: u8, len: usize) -> Option<usize> {
    Some(match kind {
        // Tunnel encapsulation limit, RFC 2473 §4.1.1.
        0x04 => 1,
        // Router alert, RFC 2711 §2.1.
        0x05 => 2,
        // CALIPSO, RFC 5570 §5.1: a compartment bitmap of so many words.
        0x07 => 8 + len.saturating_sub(8) / 4 * 4,
        // Performance and diagnostic metrics, RFC 8250 §3.2.
        0x0f => 10,
        // RPL, RFC 9008 §11 and RFC 6553 §3.
        0x23 | 0x63 => len.max(4),
        // Quick-Start, RFC 4782 §3.2.
        0x26 => 6,
        // Minimum path MTU, RFC 9268 §5; alternate marking, RFC 9343 §3.1.
        0x12 | 0x30 => 4,
        // Jumbo payload, RFC 2675 §2.
        0xc2 => 4,
        // Home address, RFC 6275 §6.3.
        0xc9 => 16,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;

    /// Codes, and found and expected of the first defect, of a datagram with these options.
    fn told(words: &str) -> (Vec<DefectCode>, Option<(u32, u32)>) {
        let ends = if words.starts_with("ipopt") { "" } else { "C = [2001:db8::1]:1\nS = [2001:db8::2]:2\n" };
        decoded(&format!("{ends}0 C > S udp (4) {words}"), |packet| {
            assert!(packet.udp().is_some(), "{words}: decoding went on");
            (codes(packet), packet.defects.first().map(|defect| (defect.found, defect.expected)))
        })
    }

    #[test]
    fn a_length_past_the_header_or_below_itself_is_told() {
        use DefectCode::*;
        assert_eq!(told("ipopt 0x94040000"), (vec![], None));
        assert_eq!(told("ipopt 0x94050000"), (vec![IpOptionLength], Some((5, 4))));
        assert_eq!(told("ipopt 0x01940100"), (vec![IpOptionLength], Some((1, 3))));
        assert_eq!(told("ipopt 0x01010194"), (vec![IpOptionLength], Some((0, 1))));
        assert_eq!(told("ext 60 0x050200000100"), (vec![], None));
        assert_eq!(told("ext 60 0x050500000100"), (vec![IpOptionLength], Some((5, 6))));
    }

    #[test]
    fn a_length_that_its_kind_does_not_have_is_told_with_the_right_one() {
        use DefectCode::*;
        assert_eq!(told("ipopt 0x9403000000000000"), (vec![IpOptionSize], Some((3, 4))));
        assert_eq!(told("ipopt 0x070804000000000000000000"), (vec![IpOptionSize], Some((8, 7))));
        assert_eq!(told("ipopt 0x07070400000000"), (vec![], None));
        assert_eq!(told("ext 0 0x050100010100"), (vec![IpOptionSize], Some((1, 2))));
        // What we do not know may have any length.
        assert_eq!(told("ipopt 0x4d030900"), (vec![], None));
        assert_eq!(told("ext 60 0x3e0409090909"), (vec![], None));
    }

    #[test]
    fn a_pointer_before_the_first_place_and_octets_behind_the_end_are_told() {
        use DefectCode::*;
        assert_eq!(told("ipopt 0x07070300000000"), (vec![IpOptionPointer], Some((3, 4))));
        assert_eq!(told("ipopt 0x44080400000000"), (vec![IpOptionPointer], Some((4, 5))));
        assert_eq!(told("ipopt 0x44080500000000"), (vec![], None));
        assert_eq!(told("ipopt 0x00010203"), (vec![IpOptionsAfterEnd], Some((3, 0))));
        assert_eq!(told("ipopt 0x01000000"), (vec![], None));
    }

    #[test]
    fn a_route_with_more_stops_left_than_it_lists_is_told() {
        use DefectCode::*;
        let stop = "20010db8000000000000000000000002";
        assert_eq!(told(&format!("ext 43 0x000100000000{stop}")), (vec![], None));
        assert_eq!(told(&format!("ext 43 0x000200000000{stop}")).0[0], RoutingSegments);
        assert_eq!(told(&format!("ext 43 0x040200000000{stop}")).1, Some((2, 1)));
        // RPL: one address of which fifteen octets are those of the destination.
        assert_eq!(told("ext 43 0x0301ff70000002000000000000"), (vec![], None));
        assert_eq!(told("ext 43 0x0309ff70000002000000000000").0[0], RoutingSegments);
        assert_eq!(told("ext 43 0x630900000000").0, [], "a type that we do not know");
    }
}
