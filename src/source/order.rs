//! Numbers in the byte order that a file's writer had.

/// A byte order, chosen when a file or section begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Order {
    big: bool,
}

/// The readers expect the caller to have checked that the number lies within `bytes`.
impl Order {
    pub(super) const BIG: Self = Self { big: true };
    pub(super) const LITTLE: Self = Self { big: false };

    pub(super) const fn of(big: bool) -> Self {
        Self { big }
    }

    pub(super) const fn is_big(self) -> bool {
        self.big
    }

    pub(super) const fn octets(self, word: u32) -> [u8; 4] {
        if self.big { word.to_be_bytes() } else { word.to_le_bytes() }
    }

    pub(super) const fn octets_of_16(self, half: u16) -> [u8; 2] {
        if self.big { half.to_be_bytes() } else { half.to_le_bytes() }
    }

    pub(super) const fn octets_of_64(self, long: u64) -> [u8; 8] {
        if self.big { long.to_be_bytes() } else { long.to_le_bytes() }
    }

    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let octets = *bytes[at..].first_chunk().expect("the caller checked the length");
        if self.big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) }
    }

    #[inline]
    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let octets = *bytes[at..].first_chunk().expect("the caller checked the length");
        if self.big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) }
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let octets = *bytes[at..].first_chunk().expect("the caller checked the length");
        if self.big { u64::from_be_bytes(octets) } else { u64::from_le_bytes(octets) }
    }
}
