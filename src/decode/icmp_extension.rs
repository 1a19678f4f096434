//! The extension structure of ICMP messages: where it lies, and what is wrong with it (RFC 4884 §7 and §8).
//!
//! It stands behind the quoted packet, so it is no layer: each layer begins where the one before it ends.

use crate::decode::checksum;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::packet::ChecksumState;
use crate::packet::DefectCode;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// Where the structure lies in a message of this version, of which `bytes` were captured.
pub(super) fn extent(version: u8, bytes: &[u8], message: Extent) -> Option<Extent> {
    let &kind = bytes.first()?;
    let behind = message.behind(HEADER_LEN);
    let quoted = quote_len(version, bytes)?;
    let structure = match (version, kind, quoted) {
        // RFC 8335 §2: a probe has nothing but the structure.
        (4, 42, _) | (6, 160, _) => behind,
        // RFC 4884 §5.5: routers older than the length field quote 128 octets; only the sum tells that more follows.
        (_, _, 0) => {
            let old = behind.behind(OLD_QUOTE);
            let octets = bytes.get(HEADER_LEN + OLD_QUOTE..)?;
            let sums =
                octets.len() == old.len() && octets.first()? >> 4 == VERSION && state(octets) == ChecksumState::Good;
            return sums.then_some(old);
        }
        (_, _, quoted) => behind.behind(quoted),
    };
    (structure.len() >= STRUCTURE_LEN).then_some(structure)
}

/// Octets of the quote by the length field, 0 where it says nothing; `None` for messages that have no such field.
pub(super) fn quote_len(version: u8, bytes: &[u8]) -> Option<usize> {
    let &[kind, _, _, _, length6, length4, ..] = bytes else { return None };
    match (version, kind) {
        (4, 3 | 11 | 12) => Some(usize::from(length4) * 4),
        (6, 1 | 3) => Some(usize::from(length6) * 8),
        (4, 42) | (6, 160) => Some(0),
        _ => None,
    }
}

/// What became of the structure's own checksum; 0 says that there is none (RFC 4884 §7).
pub(super) fn state(structure: &[u8]) -> ChecksumState {
    match *structure {
        [_, _, 0, 0, ..] => ChecksumState::Absent,
        [_, _, high, low, ..] => checksum::plain(structure, u16::from_be_bytes([high, low])),
        _ => ChecksumState::Unverifiable,
    }
}

/// Notes what is wrong with the length of a quote and with what stands behind it.
pub(super) fn check(packet: &mut Packet<'_>, version: u8, layer: LayerKind, bytes: &[u8], message: Extent) {
    let Some(quoted) = quote_len(version, bytes) else { return };
    let there = message.len().saturating_sub(HEADER_LEN);
    if quoted > there {
        let at = message.at + if version == 4 { 5 } else { 4 };
        note(packet, DefectCode::IcmpQuoteLength, layer, at, quoted as u32, there as u32);
    }
    let Some(structure) = extent(version, bytes, message) else { return };
    let octets = structure.captured(packet.bytes);
    if octets.len() < structure.len() {
        // The capture cut it: what is missing cannot be judged.
        return;
    }
    if let ChecksumState::Bad { expected } = state(octets) {
        let found = u32::from(u16::from_be_bytes([octets[2], octets[3]]));
        note(packet, DefectCode::IcmpExtensionChecksum, layer, structure.at + 2, found, u32::from(expected));
    }
    let walk = Objects::of(octets);
    for object in walk.filter(|object| object.is_impossible) {
        let remain = octets.len() - object.at;
        note(packet, DefectCode::IcmpObjectLength, layer, structure.at + object.at, object.declared, remain as u32);
    }
}

/// One object of the structure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Object<'a> {
    /// Octet of the structure where it begins.
    pub(super) at: usize,
    /// Its length field, which counts itself.
    pub(super) declared: u32,
    /// All of it, as far as the structure reaches.
    pub(super) octets: &'a [u8],
    /// Its length cannot be; behind it nothing is read.
    pub(super) is_impossible: bool,
}

/// Steps through the objects (RFC 4884 §8).
pub(super) struct Objects<'a> {
    /// The structure, header included.
    octets: &'a [u8],
    at: usize,
}

impl<'a> Objects<'a> {
    /// The objects of a structure.
    pub(super) const fn of(structure: &'a [u8]) -> Self {
        Self { octets: structure, at: STRUCTURE_LEN }
    }
}

impl<'a> Iterator for Objects<'a> {
    type Item = Object<'a>;

    fn next(&mut self) -> Option<Object<'a>> {
        let (at, rest) = (self.at, self.octets.get(self.at..)?);
        let declared = match *rest {
            [] => return None,
            [high, low, ..] => u32::from(u16::from_be_bytes([high, low])),
            [_] => 0,
        };
        let len = declared as usize;
        let is_impossible = len < OBJECT_LEN || len > rest.len();
        let octets = if is_impossible { rest } else { &rest[..len] };
        self.at += octets.len();
        Some(Object { at, declared, octets, is_impossible })
    }
}

/// Type, code, checksum, and four octets that differ.
const HEADER_LEN: usize = 8;
/// Version and checksum of the structure.
pub(super) const STRUCTURE_LEN: usize = 4;
/// Length, class and type of an object.
pub(super) const OBJECT_LEN: usize = 4;
const OLD_QUOTE: usize = 128;
const VERSION: u8 = 2;

#[cfg(test)]
mod tests {
    use crate::decode::tests::codes;
    use crate::decode::tests::decoded;
    use crate::packet::DefectCode;

    const V6: &str = "C = [2001:db8::1]:1\nS = [2001:db8::2]:2\n";

    fn told(setting: &str, words: &str) -> Vec<DefectCode> {
        let script = format!("{setting}0 C > S P. 5:205(200)\n0 S > C icmp time-exceeded {words}");
        decoded(&script, |packet| {
            assert!(packet.icmp().expect("a message").quoted.is_some(), "{words}: the quote is read all the same");
            codes(packet)
        })
    }

    #[test]
    fn what_is_wrong_with_extensions_is_told() {
        use DefectCode::*;
        let right = r#""\x20\0\xc5\x5f\0\x08\x01\x01\x18\x96\x01\x01""#;
        for setting in ["", V6] {
            let sum = r#""\x20\0\xc5\x5e\0\x08\x01\x01\x18\x96\x01\x01""#;
            assert_eq!(told(setting, &format!("padded 128 {sum}")), [IcmpExtensionChecksum]);
            for (object, found) in [
                (right, vec![]),
                (r#""\x20\0\0\0\0\x08\x01\x01\x18\x96\x01\x01""#, vec![]),
                (r#""\x20\0\0\0\0\x09\x01\x01\x18\x96\x01\x01""#, vec![IcmpObjectLength]),
                (r#""\x20\0\0\0\0\x03\x01\x01\x18\x96\x01\x01""#, vec![IcmpObjectLength]),
                (r#""\x20\0\0\0\0""#, vec![IcmpObjectLength]),
                (r#""\x20\0""#, vec![]),
            ] {
                assert_eq!(told(setting, &format!("padded 128 {object}")), found, "{object}");
            }
        }
        assert_eq!(told("", "padded 248"), []);
    }
}
