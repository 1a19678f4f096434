//! Sets of dense numbers, of streams and frames, one bit each: a hundred million of them take twelve megabytes.

use crate::packet::Protocol;

/// A set of numbers.
#[derive(Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn set(&mut self, number: u64) {
        let at = (number / 64) as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 1 << (number % 64);
    }

    pub(super) fn has(&self, number: u64) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }
}

/// Stream numbers of both protocols, which are counted apart.
#[derive(Debug, Default)]
pub(super) struct PerProtocol {
    tcp: Bits,
    udp: Bits,
}

impl PerProtocol {
    pub(super) fn set(&mut self, protocol: Protocol, stream: u64) {
        match protocol {
            Protocol::Tcp => self.tcp.set(stream),
            Protocol::Udp => self.udp.set(stream),
        }
    }

    pub(super) fn has(&self, protocol: Protocol, stream: u64) -> bool {
        match protocol {
            Protocol::Tcp => self.tcp.has(stream),
            Protocol::Udp => self.udp.has(stream),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_one_by_one() {
        let mut bits = Bits::default();
        bits.set(64);
        assert!(bits.has(64) && !bits.has(63) && !bits.has(0) && !bits.has(1 << 40));
    }

    #[test]
    fn streams_of_both_protocols_are_kept_apart() {
        let mut streams = PerProtocol::default();
        streams.set(Protocol::Tcp, 3);
        assert!(streams.has(Protocol::Tcp, 3) && !streams.has(Protocol::Udp, 3));
    }
}
