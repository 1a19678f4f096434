//! What UDP does not say and IP shows: datagrams that came twice, or overtook each other.
//!
//! UDP has neither numbers nor order (RFC 768). IPv4's identification tells two packets of one sender apart where it is
//! set and counts up (RFC 6864 §4.1 asks nothing of it in whole datagrams with DF): an id of 0 proves nothing, and an
//! order is only read from ids that were seen to count. IPv6 has none.

use arrayvec::ArrayVec;

use crate::packet::IpHeader;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::packet::UdpHeader;

/// Datagrams remembered per direction to recognise a copy.
pub const MAX_RECENT: usize = 8;
/// A copy that comes later is another datagram with the same words.
pub const COPY_WITHIN: Span = Span::from_secs(1);
/// Latencies kept for a median; when more come, every second one is dropped and only every second one kept from then on.
pub const MAX_LATENCIES: usize = 32;

/// One direction's recent datagrams and ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    recent: ArrayVec<Print, MAX_RECENT>,
    last_id: Option<u16>,
    rises: u8,
}

/// What one datagram is recognised by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Print {
    at: Timestamp,
    id: u16,
    checksum: u16,
    octets: u64,
}

/// What the ids say of one datagram.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Noticed {
    pub(super) copy: bool,
    pub(super) overtaken: bool,
}

impl Watch {
    pub(super) fn notice(&mut self, at: Timestamp, ip: &IpHeader, udp: &UdpHeader<'_>) -> Noticed {
        // Only IPv4's own field: that of an IPv6 fragment header says nothing of datagrams that are whole.
        let id = ip.id.filter(|_| ip.version == 4).map_or(0, |id| id as u16);
        if id == 0 {
            return Noticed::default();
        }
        let print = Print { at, id, checksum: udp.checksum_field, octets: digest(udp) };
        let same = |known: &Print| Print { at, ..*known } == print && at.since(known.at) <= COPY_WITHIN;
        if self.recent.iter().any(same) {
            return Noticed { copy: true, overtaken: false };
        }
        if self.recent.is_full() {
            self.recent.remove(0);
        }
        self.recent.push(print);
        Noticed { copy: false, overtaken: self.is_overtaken(id) }
    }

    fn is_overtaken(&mut self, id: u16) -> bool {
        let Some(last) = self.last_id else {
            self.last_id = Some(id);
            return false;
        };
        let ahead = id.wrapping_sub(last) as i16;
        if (-NEAR..0).contains(&ahead) && self.rises >= COUNTS_AFTER {
            return true;
        }
        let rises = (1..=FAR).contains(&ahead);
        self.rises = if rises { self.rises.saturating_add(1) } else { 0 };
        self.last_id = Some(id);
        false
    }
}

/// The beginning of the payload and its length in one number; beside the checksum, which sums all of it up.
fn digest(udp: &UdpHeader<'_>) -> u64 {
    let sample = &udp.payload[..udp.payload.len().min(SAMPLE)];
    let fold = |sum: u64, octet: &u8| (sum ^ u64::from(*octet)).wrapping_mul(FNV_PRIME);
    sample.iter().fold(FNV_BASIS ^ u64::from(udp.len), fold)
}

/// Latencies, evenly spaced over the conversation.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    kept: ArrayVec<Span, MAX_LATENCIES>,
    /// One of so many is kept, as a power of two.
    stride: u32,
    seen: u64,
}

impl Sample {
    pub(super) fn add(&mut self, latency: Span) {
        let due = self.seen.is_multiple_of(1 << self.stride);
        self.seen += 1;
        if !due {
            return;
        }
        if self.kept.is_full() {
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.stride += 1;
        }
        self.kept.push(latency);
    }

    /// The middle one, the lower of two; and whether it is that of all latencies or of a sample.
    pub(super) fn median(&self) -> Option<(Span, bool)> {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len().saturating_sub(1) / 2)?;
        Some((*middle, self.stride == 0))
    }
}

/// Steps forward by which an id is taken to count, and steps back that are a datagram overtaken.
const FAR: i16 = 1024;
const NEAR: i16 = 64;
const COUNTS_AFTER: u8 = 3;
const SAMPLE: usize = 64;
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_exact_up_to_the_cap_and_of_an_even_sample_beyond_it() {
        let mut sample = Sample::default();
        assert_eq!(sample.median(), None);
        for millis in [3, 1, 2] {
            sample.add(Span::from_millis(millis));
        }
        assert_eq!(sample.median(), Some((Span::from_millis(2), true)));
        let mut long = Sample::default();
        for millis in 0..10_000 {
            long.add(Span::from_millis(millis));
        }
        let (median, exact) = long.median().expect("latencies");
        assert!(!exact && long.kept.len() <= MAX_LATENCIES);
        assert!((4_600..=5_400).contains(&(median.0 / 1_000_000)), "{median:?}");
    }
}
