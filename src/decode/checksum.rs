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
