//! Windows that one side advertised.

use crate::packet::TcpFlags;

/// Windows of one direction, scaled.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Windows {
    pub(super) most: u64,
    /// Of those that were open.
    pub(super) least: u64,
    /// Acknowledgments with a closed window.
    pub(super) zeros: u64,
    /// What data that the peer sends now is sent against.
    pub(super) last: u64,
    sum: u64,
    /// Packets since the first scaled window, itself included.
    scaled_packets: Option<u64>,
}

impl Windows {
    /// Takes the window of a packet; the first one that is scaled and open begins the statistics anew.
    ///
    /// That of a RST, or of a packet with neither ACK nor SYN, means nothing.
    pub(super) fn pass(&mut self, flags: TcpFlags, window: u64, is_scaled: bool) {
        let counts = flags.any(TcpFlags::ACK.with(TcpFlags::SYN)) && !flags.has(TcpFlags::RST);
        if counts && is_scaled && window > 0 && self.scaled_packets.is_none() {
            *self = Self { scaled_packets: Some(0), zeros: self.zeros, ..Self::default() };
        }
        self.scaled_packets = self.scaled_packets.map(|packets| packets + 1);
        if !flags.has(TcpFlags::RST) {
            self.last = if counts { window } else { 0 };
        }
        if !counts {
            return;
        }
        // Shifts that no host uses may overflow it, there and here.
        self.sum = self.sum.wrapping_add(window);
        self.most = self.most.max(window);
        if window > 0 && (self.least == 0 || window < self.least) {
            self.least = window;
        }
        self.zeros += u64::from(flags.has(TcpFlags::ACK) && window == 0);
    }

    /// A scaled window was seen.
    pub(super) const fn is_scaled(&self) -> bool {
        self.scaled_packets.is_some()
    }

    /// Mean over the scaled packets where both sides sent some, otherwise over all `packets`.
    pub(super) fn mean(&self, packets: u64, both_scale: bool) -> u64 {
        let over = self.scaled_packets.filter(|_| both_scale).unwrap_or(packets);
        self.sum.checked_div(over).unwrap_or(0)
    }
}
