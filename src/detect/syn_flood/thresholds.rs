//! Every number that decides, in one place, each with its reason. An alert prints those that it rests on.

use crate::packet::Span;

/// Limits and allowances of the detector. The defaults were chosen once, on traffic of many shapes; between half and
/// twice of each the verdicts stay the same and only the delay moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// Handshakes without good explanation, beyond the allowance, at one address and port: half of the classic
    /// backlog of 128.
    pub port_limit: f32,
    /// The same for a whole host, or a whole prefix, where no single port explains it.
    pub wide_limit: f32,
    /// Unexplained handshakes per second at one port that are ordinary background.
    pub background: f32,
    /// The same for a host or a prefix.
    pub wide_background: f32,
    /// Share of good traffic that may fail without a word.
    pub tolerated: f32,
    /// Attempts that their own client reset, beyond `reset_background` per second: probes do that all day.
    pub reset_limit: f32,
    /// Resets per second that are ordinary at one port: health checks of load balancers.
    pub reset_background: f32,
    /// Share of good traffic that may be reset, or refused, by habit.
    pub reset_tolerated: f32,
    /// Answered attempts whose SYN came again and which still did not complete.
    pub resent_limit: f32,
    /// Attempts refused by closed ports of one host, beyond `refused_background` per second.
    pub refused_limit: f32,
    /// Refusals per second that are ordinary at one host.
    pub refused_background: f32,
    /// Different ports that must be refused before it is a flood over many ports.
    pub refused_ports: u32,
    /// Different sources per refusal needed for it: one source that tries many ports is a scan.
    pub refused_sources: f64,
    /// Unsolicited SYN,ACKs to one host, beyond `reflected_background` per second.
    pub reflected_limit: f32,
    /// Unsolicited SYN,ACKs per second that are ordinary.
    pub reflected_background: f32,
    /// Peers that must send them.
    pub reflected_peers: f64,
    /// Different ports of a host, of 64 told apart, from which an alarm of the host is more than one port's.
    pub many_ports: u32,
    /// Different hosts of a prefix, of 64 told apart, needed for an alarm of the prefix.
    pub carpet_hosts: u32,
    /// Different sources needed for an alarm of the prefix.
    pub carpet_sources: f64,
    /// Share of one source from which an alarm of the prefix is its doing alone.
    pub carpet_top: f64,
    /// Attempts between `aged_after` and `half_open_after` old, or cut off by the capture's end, that suffice by sheer
    /// number.
    pub fast_pending: u32,
    /// How many times the completions of the last second and a half they must be.
    pub fast_ratio: f32,
    /// Age at which an unfinished attempt counts for the fast path.
    pub aged_after: Span,
    /// Age at which an answered attempt counts as half-open: the 99th percentile of handshakes is 1.3 s.
    pub half_open_after: Span,
    /// Age at which an unanswered attempt counts as such: a live client has repeated its SYN three times by then.
    pub unanswered_after: Span,
    /// Age at which an attempt is forgotten: a Linux server has given up after 63 s.
    pub forget_after: Span,
    /// A SYN repeated sooner is a frame captured twice, not a client that waited.
    pub resend_after: Span,
    /// Share of an incident's bad attempts from which one source did it alone.
    pub single_source: f64,
    /// Bad attempts per distinct source from which real hosts did it.
    pub per_source_real: f64,
    /// Bad attempts per distinct source up to which the addresses are forged.
    pub per_source_forged: f64,
    /// Ports of few hosts that one source tries in vain: a vertical scan.
    pub scan_ports: f64,
    /// Hosts that one source tries in vain on few ports: a horizontal scan.
    pub scan_hosts: f64,
    /// Share of a scanner's attempts that fail.
    pub scan_failed: f64,
    /// Tries per target beyond which it is a client that insists, not a scan.
    pub scan_tries: f64,
    /// Times its mean that the attempts at a port must be for a crowd.
    pub surge_factor: f64,
    /// Share of them that must complete.
    pub surge_completed: f64,
    /// Attempts per second below which nothing is a crowd.
    pub surge_floor: f64,
    /// An incident ends after this long without a bad attempt.
    pub quiet: Span,
    /// An incident that goes on is told again this often.
    pub update_every: Span,
    /// Caps of the tables.
    pub caps: Caps,
}

/// How many of each are held at once. Together about 54 MB when everything is full, 43 of them for attempts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caps {
    /// Attempts, 68 octets each and six in the index.
    pub attempts: usize,
    /// Address and port pairs that are called; beyond, attempts count for their host only.
    pub ports: usize,
    /// Hosts; beyond, attempts count for their /24 or /64 only.
    pub hosts: usize,
    /// /24 and /64; beyond, attempts count for their /16 or /48.
    pub prefixes: usize,
    /// /16 and /48; beyond, attempts are counted together.
    pub wide: usize,
    /// Places under suspicion, some 3,100 octets each.
    pub details: usize,
    /// Sources watched for scans, some 700 octets each.
    pub scanners: usize,
    /// Incidents open at once.
    pub incidents: usize,
    /// Rises of a port's pace followed at once, some 1,200 octets each.
    pub surges: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            attempts: 1 << 19,
            ports: 1 << 13,
            hosts: 1 << 12,
            prefixes: 1 << 11,
            wide: 1 << 10,
            details: 1 << 8,
            scanners: 1 << 12,
            incidents: 256,
            surges: 64,
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            port_limit: 64.0,
            wide_limit: 128.0,
            background: 1.0,
            wide_background: 2.0,
            tolerated: 0.10,
            reset_limit: 400.0,
            reset_background: 20.0,
            reset_tolerated: 0.2,
            resent_limit: 128.0,
            refused_limit: 256.0,
            refused_background: 5.0,
            refused_ports: 64,
            refused_sources: 0.4,
            reflected_limit: 256.0,
            reflected_background: 5.0,
            reflected_peers: 32.0,
            many_ports: 16,
            carpet_hosts: 8,
            carpet_sources: 32.0,
            carpet_top: 0.4,
            fast_pending: 1_000,
            fast_ratio: 9.0,
            aged_after: Span::from_millis(500),
            half_open_after: Span::from_millis(1_600),
            unanswered_after: Span::from_millis(3_300),
            forget_after: Span::from_secs(63),
            resend_after: Span::from_millis(150),
            single_source: 0.5,
            per_source_real: 3.0,
            per_source_forged: 1.5,
            scan_ports: 32.0,
            scan_hosts: 24.0,
            scan_failed: 0.9,
            scan_tries: 2.5,
            surge_factor: 5.0,
            surge_completed: 0.8,
            surge_floor: 50.0,
            quiet: Span::from_secs(12),
            update_every: Span::from_secs(10),
            caps: Caps::default(),
        }
    }
}

impl Thresholds {
    /// The defaults, with room for so many attempts that wait.
    pub fn holding(attempts: usize) -> Self {
        Self { caps: Caps { attempts, ..Caps::default() }, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdicts_come_in_the_order_of_age() {
        let th = Thresholds::default();
        assert!(th.resend_after < th.aged_after && th.aged_after < th.half_open_after);
        assert!(th.half_open_after < th.unanswered_after && th.unanswered_after < th.forget_after);
    }
}
