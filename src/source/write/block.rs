//! One block of a pcapng file, on its way out.

use crate::source::order::Order;

/// A block that is being put together.
pub(super) struct Block {
    pub(super) order: Order,
    octets: Vec<u8>,
}

impl Block {
    pub(super) fn new(order: Order, kind: u32) -> Self {
        let octets = [order.octets(kind), [0; 4]].concat();
        Self { order, octets }
    }

    pub(super) fn u16(mut self, value: u16) -> Self {
        self.octets.extend(self.order.octets_of_16(value));
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.octets.extend(self.order.octets(value));
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.octets.extend(self.order.octets_of_64(value));
        self
    }

    /// Octets as they are, and zeros up to the next multiple of four.
    pub(super) fn raw(mut self, octets: &[u8]) -> Self {
        self.octets.extend(octets);
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        self
    }

    pub(super) fn option(self, code: u16, value: &[u8]) -> Self {
        // Values come from 16-bit lengths, or are short ones of our own.
        self.u16(code).u16(value.len() as u16).raw(value)
    }

    /// The whole block, with its length at both ends.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let len = self.order.octets(self.octets.len() as u32 + 4);
        self.octets[4..8].copy_from_slice(&len);
        self.octets.extend(len);
        self.octets
    }
}

pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
pub(super) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
pub(super) const OBSOLETE_PACKET: u32 = 2;
pub(super) const SIMPLE_PACKET: u32 = 3;
pub(super) const NAME_RESOLUTION: u32 = 4;
pub(super) const INTERFACE_STATISTICS: u32 = 5;
pub(super) const ENHANCED_PACKET: u32 = 6;
pub(super) const JOURNAL_EXPORT: u32 = 9;
pub(super) const DECRYPTION_SECRETS: u32 = 10;
/// A custom block that may be copied, and one that may not be into a file with other content.
pub(super) const CUSTOM: u32 = 0x0000_0bad;
pub(super) const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
/// Comments, in every block.
pub(super) const COMMENT: u16 = 1;
