//! One incident as it is told: when it starts, every ten seconds while it goes on, and when it ends.

use std::fmt;
use std::net::IpAddr;

use crate::detect::syn_flood::kinds::Class;
use crate::detect::syn_flood::kinds::Confidence;
use crate::detect::syn_flood::kinds::Kind;
use crate::flow::doorway::Address;
use crate::flow::doorway::AttemptStats;
use crate::flow::doorway::Outcome;
use crate::packet::Timestamp;

/// Where an incident stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Just found.
    Start,
    /// It goes on.
    Update,
    /// It is over, or the capture is.
    End,
}

impl Phase {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Update => "update",
            Self::End => "end",
        }
    }
}

/// What is attacked, scanned or in trouble.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Victim {
    /// One port of one host.
    Port(IpAddr, u16),
    /// A host.
    Host(IpAddr),
    /// A prefix by its length, and the port where one stands out.
    Prefix(IpAddr, u8, Option<u16>),
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Port(addr, port) => std::net::SocketAddr::new(addr, port).fmt(f),
            Self::Host(addr) => addr.fmt(f),
            Self::Prefix(addr, len, None) => write!(f, "{addr}/{len}"),
            Self::Prefix(IpAddr::V4(addr), len, Some(port)) => write!(f, "{addr}/{len}:{port}"),
            Self::Prefix(IpAddr::V6(addr), len, Some(port)) => write!(f, "[{addr}/{len}]:{port}"),
        }
    }
}

/// The smallest prefix that covers two addresses of one version; at least /24, at least /64.
pub(super) fn covering(from: Address, to: Address) -> (IpAddr, u8) {
    let differ =
        (u128::from(from.high) << 64 | u128::from(from.low)) ^ (u128::from(to.high) << 64 | u128::from(to.low));
    let common = differ.leading_zeros() as u8;
    let len = if from.is_v4() && to.is_v4() { common.saturating_sub(96).min(24) } else { common.min(64) };
    let kept = if from.is_v4() { u32::from(len) + 96 } else { u32::from(len) };
    let mask = if kept == 0 { 0 } else { u128::MAX << (128 - kept) };
    let network = (u128::from(from.high) << 64 | u128::from(from.low)) & mask;
    // An IPv4 network stays within ::ffff:0:0/96, whatever the mask took away.
    let low = if from.is_v4() { network as u64 | 0xffff_0000_0000 } else { network as u64 };
    (Address { high: (network >> 64) as u64, low }.ip(), len)
}

/// A value with the share that it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// What.
    pub value: String,
    /// How much of all, 0 to 1.
    pub share: f64,
    /// By how much the share may be too high.
    pub error: f64,
}

/// Everything known of one incident. Counts are those since it began, unless their text says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Number within this run, from 1.
    pub id: u64,
    /// Where it stands.
    pub phase: Phase,
    /// It ends because this wider incident goes on for it.
    pub merged_into: Option<u64>,
    /// What it is.
    pub class: Class,
    /// Which one.
    pub kind: Kind,
    /// The rule that found it.
    pub rule: &'static str,
    /// What is hit.
    pub victim: Victim,
    /// The source, of a scan.
    pub scanner: Option<IpAddr>,
    /// First bad SYN.
    pub start: Timestamp,
    /// Frame of that SYN, low 32 bits of its number.
    pub first_frame: u32,
    /// When it was found.
    pub flagged_at: Timestamp,
    /// Last bad SYN; `None` while it goes on, also where the capture ended in the midst of it.
    pub end: Option<Timestamp>,
    /// Attempts by outcome; what was taken back later is not in it.
    pub outcomes: [u32; Outcome::COUNT],
    /// Attempts in all. Of a crowd, also those on their way.
    pub attempts: u64,
    /// Verdicts that later evidence took back.
    pub taken_back: u32,
    /// Bad attempts per second, mean; of a crowd, attempts.
    pub rate: f64,
    /// Attempts per second before, of a crowd.
    pub usual_rate: Option<f64>,
    /// SYNs in the busiest second.
    pub peak_syn_rate: u32,
    /// Share of attempts that completed before it began.
    pub completion_before: Option<f64>,
    /// Share of attempts that completed while it went on.
    pub completion: Option<f64>,
    /// SYN,ACKs of the last 63 s without acknowledgment, now: an upper bound of what the server holds.
    pub half_open: u32,
    /// Most of them at once.
    pub half_open_peak: u32,
    /// SYN,ACKs that the server repeated.
    pub syn_acks_resent: u32,
    /// Attempts whose SYN was repeated.
    pub syns_resent: u32,
    /// Live clients that had to repeat their SYN and got through.
    pub clients_late: u32,
    /// Live clients that repeated their SYN in vain so far; `None` where the attack repeats its SYNs as well.
    pub clients_lost: Option<u32>,
    /// Answered attempts that have waited 1.6 s, and how many of them whose SYN,ACK the server did not repeat: it
    /// keeps no state for those, as with SYN cookies (RFC 4987 §3.6).
    pub answered: u64,
    /// Those whose SYN,ACK was not repeated.
    pub answered_once: u64,
    /// Different sources of bad attempts, to within 3 %.
    pub distinct_sources: f64,
    /// Bad attempts per source.
    pub per_source: f64,
    /// Different first octets (IPv4) or /32 (IPv6, last octet) among the sources.
    pub first_octets: u32,
    /// Most frequent sources.
    pub top_sources: Vec<Share>,
    /// Most frequent /16 or /48 of sources.
    pub top_prefixes: Vec<Share>,
    /// Most frequent TTL, window and length of options of the SYNs.
    pub fingerprint: Vec<(&'static str, Share)>,
    /// Share of SYNs without any option.
    pub bare_share: f64,
    /// `both`, `inbound` or `outbound`.
    pub direction: &'static str,
    /// Share of completed handshakes whose SYN,ACK is missing in the capture: an estimate of its loss.
    pub capture_loss: Option<f64>,
    /// How full the table of attempts ran.
    pub attempts_table: AttemptStats,
    /// One in 2^n attempts is followed.
    pub sampling: u32,
    /// How sure.
    pub confidence: Confidence,
    /// What speaks for it.
    pub reasons: Vec<&'static str>,
    /// What else it could be, and what became of that.
    pub innocent_reading: String,
    /// The thresholds in force.
    pub thresholds: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::of(text.parse().expect("an address"))
    }

    #[test]
    fn a_prefix_covers_both_ends_and_is_no_narrower_than_a_subnet() {
        let cover = |from, to| {
            let (addr, len) = covering(address(from), address(to));
            Victim::Prefix(addr, len, None).to_string()
        };
        assert_eq!(cover("10.77.1.3", "10.77.1.9"), "10.77.1.0/24");
        assert_eq!(cover("10.77.1.3", "10.77.2.9"), "10.77.0.0/22");
        assert_eq!(cover("0.0.0.1", "255.0.0.1"), "0.0.0.0/0");
        assert_eq!(cover("2001:db8::1", "2001:db8::ffff"), "2001:db8::/64");
        assert_eq!(cover("2001:db8::1", "2001:db8:1::1"), "2001:db8::/47");
    }

    #[test]
    fn victims_are_written_as_people_write_them() {
        assert_eq!(Victim::Port(address("192.0.2.1").ip(), 80).to_string(), "192.0.2.1:80");
        assert_eq!(Victim::Port(address("2001:db8::1").ip(), 80).to_string(), "[2001:db8::1]:80");
        assert_eq!(Victim::Prefix(address("192.0.2.0").ip(), 24, Some(80)).to_string(), "192.0.2.0/24:80");
        assert_eq!(Victim::Prefix(address("2001:db8::").ip(), 64, Some(443)).to_string(), "[2001:db8::/64]:443");
    }
}
