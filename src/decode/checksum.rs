//! The Internet checksum (RFC 1071) and what its field tells about offload.
//!
//! A transport checksum that holds only the folded pseudo-header sum is no fault: the host left the rest to its
//! network card, and loopback never finishes it. Order of judgement: good, partial, bad. A value that happens to be
//! both is one in 65536.

use std::net::IpAddr;

use crate::packet::ChecksumState;

/// A ones' complement sum in the making, kept in memory order (RFC 1071 §2 (B): byte order does not matter).
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum(u64);

impl Sum {
    /// The sum of 16-bit words; an odd last octet is padded with zero (RFC 9293 §3.1).
    pub fn of(bytes: &[u8]) -> Self {
        let mut sum = 0u64;
        // Thirty-two bit lanes cannot overflow within one block, and they vectorise well.
        for block in bytes.chunks(BLOCK) {
            let mut words = block.chunks_exact(2);
            let lanes: u32 = words.by_ref().map(|word| u32::from(u16::from_ne_bytes([word[0], word[1]]))).sum();
            sum += u64::from(lanes);
            if let [last] = *words.remainder() {
                sum += u64::from(u16::from_ne_bytes([last, 0]));
            }
        }
        Self(sum)
    }

    /// The pseudo-header of RFC 9293 §3.1 (IPv4) or RFC 8200 §8.1 (IPv6).
    pub fn pseudo_header(src: IpAddr, dst: IpAddr, protocol: u8, len: u32) -> Self {
        Self::address(src)
            .plus(Self::address(dst))
            .plus(Self::of_number(u32::from(protocol)))
            .plus(Self::of_number(len))
    }

    /// Both together. `other` must begin at an even octet of the whole.
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// Sixteen bits, not complemented.
    pub const fn fold(self) -> u16 {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::from_be(sum as u16)
    }

    fn address(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self::of_wide(u128::from(addr.to_bits().to_be())),
            IpAddr::V6(addr) => Self::of_wide(addr.to_bits().to_be()),
        }
    }

    /// A sum of 32-bit lanes folds to the same sixteen bits as one of 16-bit lanes.
    const fn of_wide(memory: u128) -> Self {
        let (high, low) = ((memory >> 64) as u64, memory as u64);
        const LOW: u64 = 0xffff_ffff;
        Self((high >> 32) + (high & LOW) + (low >> 32) + (low & LOW))
    }

    const fn of_number(value: u32) -> Self {
        Self(value.to_be() as u64)
    }
}

/// Judges the checksum of a message without pseudo-header (IPv4 header, ICMP), its field included in `bytes`.
pub fn plain(bytes: &[u8], field: u16) -> ChecksumState {
    judge(Sum::of(bytes).fold(), field)
}

/// Judges a transport checksum. `segment` is header and payload, whole, the field included.
///
/// Zero in UDP is for the caller: there it is no checksum at all.
pub fn transport(src: IpAddr, dst: IpAddr, protocol: u8, segment: &[u8], field: u16) -> ChecksumState {
    let pseudo = Sum::pseudo_header(src, dst, protocol, segment.len() as u32);
    match judge(pseudo.plus(Sum::of(segment)).fold(), field) {
        ChecksumState::Bad { .. } if field == pseudo.fold() => ChecksumState::Partial,
        // Large-send offload of some systems leaves the length out too, as the card cuts the segment yet.
        ChecksumState::Bad { .. } if field == Sum::pseudo_header(src, dst, protocol, 0).fold() => {
            ChecksumState::Partial
        }
        state => state,
    }
}

/// The value a field should hold, from the fold of a sum that includes the field.
fn judge(fold: u16, field: u16) -> ChecksumState {
    if fold == 0xffff {
        return ChecksumState::Good;
    }
    // Taking the field out again is adding its complement (RFC 1624 §3).
    let without = u32::from(fold) + u32::from(!field);
    let without = (without & 0xffff) + (without >> 16);
    ChecksumState::Bad { expected: !(without as u16) }
}

/// Even, and small enough that 2^16 times half of it fits 32 bits.
const BLOCK: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_sums_to_ddf2() {
        assert_eq!(Sum::of(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]).fold(), 0xddf2);
    }

    #[test]
    fn an_odd_last_octet_counts_as_the_high_half_of_a_word() {
        assert_eq!(Sum::of(&[0x12]).fold(), 0x1200);
        assert_eq!(Sum::of(&[0x00, 0x01, 0x02]).fold(), 0x0201);
    }

    #[test]
    fn long_inputs_do_not_overflow() {
        assert_eq!(Sum::of(&vec![0xff; 300_001]).fold(), 0xff00);
    }

    /// Measured on Linux loopback: TCP 0xfe08 + length, UDP 0xfe13 + length.
    #[test]
    fn the_pseudo_header_of_loopback_sums_to_what_linux_leaves_there() {
        let lo = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(Sum::pseudo_header(lo, lo, 6, 32).fold(), 0xfe28);
        assert_eq!(Sum::pseudo_header(lo, lo, 6, 60_008).fold(), 0xe871);
        assert_eq!(Sum::pseudo_header(lo, lo, 17, 60_008).fold(), 0xe87c);
    }

    #[test]
    fn a_field_with_the_pseudo_header_sum_alone_is_partial_and_one_bit_off_is_bad() {
        let lo = IpAddr::from([127, 0, 0, 1]);
        let mut segment = [0x11u8; 32];
        segment[16..18].copy_from_slice(&0xfe28u16.to_be_bytes());
        assert_eq!(transport(lo, lo, 6, &segment, 0xfe28), ChecksumState::Partial);
        segment[16..18].copy_from_slice(&0xfe29u16.to_be_bytes());
        let ChecksumState::Bad { expected } = transport(lo, lo, 6, &segment, 0xfe29) else { panic!("must be bad") };
        segment[16..18].copy_from_slice(&expected.to_be_bytes());
        assert_eq!(transport(lo, lo, 6, &segment, expected), ChecksumState::Good);
    }

    #[test]
    fn addresses_of_both_versions_are_summed_word_by_word() {
        let v6: IpAddr = "2001:db8::1".parse().expect("an address");
        let octets = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(Sum::address(v6).fold(), Sum::of(&octets).fold());
        let v4 = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(Sum::address(v4).fold(), Sum::of(&[192, 0, 2, 1]).fold());
    }
}
