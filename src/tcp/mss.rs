//! How large may a segment be, and why: MTU, headers, options, term by term.
//!
//! RFC 9293 §3.7.1 (the MSS option and Eff.snd.MSS), RFC 6691 (options are not subtracted from what is advertised),
//! RFC 1191 and 8201 (path MTU), RFC 7323 appendix A (twelve octets for timestamps). One pure function for the calculator, the
//! tracker and the live interface list.

pub mod link;

use arrayvec::ArrayVec;

/// Octets of an IPv4 header without options.
pub const IPV4_HEADER: u32 = 20;
/// Octets of the fixed IPv6 header.
pub const IPV6_HEADER: u32 = 40;
/// Octets of a TCP header without options.
pub const TCP_HEADER: u32 = 20;
/// Timestamps as hosts send them: two NOPs and ten octets.
pub const TIMESTAMPS: u32 = 12;
/// Assumed by RFC 9293 §3.7.1 where an IPv4 SYN carries no MSS option: 576 − 40.
pub const DEFAULT_V4: u32 = 536;
/// The same for IPv6: 1280 − 60.
pub const DEFAULT_V6: u32 = 1220;
/// The largest IPv4 datagram: its length field has sixteen bits.
const IPV4_DATAGRAM: u32 = 65_535;

/// One step of a sum: what was added (or taken away) and how much.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Term {
    /// In words.
    pub what: &'static str,
    /// Octets; negative when taken away.
    pub octets: i64,
}

/// A value with the sum that leads to it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sum {
    /// In order; they add up to `value`.
    pub terms: ArrayVec<Term, 8>,
    /// The result, never below zero.
    pub value: u32,
}

impl Sum {
    /// The sum on one line: `1500 MTU − 20 IPv4 header − 20 TCP header = 1460`; a single term stands for itself.
    pub fn one_line(&self) -> String {
        let mut text = String::new();
        for (at, Term { what, octets }) in self.terms.iter().enumerate() {
            let sign = if *octets < 0 { " − " } else { " + " };
            text.push_str(if at > 0 { sign } else { "" });
            text.push_str(&format!("{} {what}", octets.unsigned_abs()));
        }
        if self.terms.len() > 1 {
            text.push_str(&format!(" = {}", self.value));
        }
        text
    }

    fn start(what: &'static str, octets: u32) -> Self {
        let mut terms = ArrayVec::new();
        terms.push(Term { what, octets: i64::from(octets) });
        Self { terms, value: octets }
    }

    fn less(mut self, what: &'static str, octets: u32) -> Self {
        if octets > 0 {
            self.terms.push(Term { what, octets: -i64::from(octets) });
            self.value = self.value.saturating_sub(octets);
        }
        self
    }
}

/// What a host behind `mtu` puts into its SYN: MTU − IP header − TCP header, options not subtracted.
///
/// IPv4 is limited by its 16-bit length field: on Linux's loopback (MTU 65536) the sum starts at 65535 and gives
/// 65495. IPv6 counts payload only, so there the whole MTU serves: 65476.
pub fn advertised(mtu: u32, ipv6: bool) -> Sum {
    if ipv6 {
        return Sum::start("MTU", mtu).less("IPv6 header", IPV6_HEADER).less("TCP header", TCP_HEADER);
    }
    let start = if mtu > IPV4_DATAGRAM {
        Sum::start("largest IPv4 datagram (the MTU is larger)", IPV4_DATAGRAM)
    } else {
        Sum::start("MTU", mtu)
    };
    start.less("IPv4 header", IPV4_HEADER).less("TCP header", TCP_HEADER)
}

/// The MTU that an advertised MSS implies at least, by RFC 6691 §2.
pub const fn implied_mtu(mss: u16, ipv6: bool) -> u32 {
    mss as u32 + TCP_HEADER + if ipv6 { IPV6_HEADER } else { IPV4_HEADER }
}

/// What is known about one direction when its effective MSS is asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Known {
    /// The receiver's MSS option; absent where its SYN had none.
    pub peer_option: Option<u16>,
    /// The sender's own MSS option: tells the MTU of *its* interface.
    pub own_option: Option<u16>,
    /// IPv6.
    pub ipv6: bool,
    /// Timestamps were agreed on, so each segment carries them.
    pub timestamps: bool,
    /// Octets of IP options or IPv6 extension headers in each packet.
    pub ip_options: u32,
    /// What a router on the way said it takes (RFC 1191, RFC 8201).
    pub path_mtu: Option<u32>,
}

impl Known {
    /// What the receiver takes, its default where it said nothing (RFC 9293 §3.7.1).
    fn peers(&self) -> u32 {
        let default = if self.ipv6 { DEFAULT_V6 } else { DEFAULT_V4 };
        self.peer_option.map_or(default, u32::from)
    }

    const fn headers(&self) -> u32 {
        TCP_HEADER + if self.ipv6 { IPV6_HEADER } else { IPV4_HEADER }
    }

    /// The path MTU less both headers, where it is the least of all limits.
    fn path_limit(&self) -> Option<u32> {
        let path = self.path_mtu?.saturating_sub(self.headers());
        (path < self.peers() && self.own_option.is_none_or(|own| path < own.into())).then_some(path)
    }
}

/// The value of [`effective`] without its sum, for every packet.
pub fn effective_octets(known: Known) -> u32 {
    let options = known.own_option.map_or(known.peers(), |own| known.peers().min(own.into()));
    let timestamps = if known.timestamps { TIMESTAMPS } else { 0 };
    known.path_limit().unwrap_or(options).saturating_sub(timestamps + known.ip_options)
}

/// Octets of data that fit in one segment (RFC 9293 §3.7.1, Eff.snd.MSS).
pub fn effective(known: Known) -> Sum {
    let limit = match known.peer_option {
        Some(option) => (u32::from(option), "receiver's MSS option"),
        None if known.ipv6 => (DEFAULT_V6, "default without MSS option (1280 − 60)"),
        None => (DEFAULT_V4, "default without MSS option (576 − 40)"),
    };
    let start = match (known.own_option, known.path_limit()) {
        (_, Some(_)) => Sum::start("path MTU, told by ICMP", known.path_mtu.unwrap_or(0))
            .less(if known.ipv6 { "IPv6 header" } else { "IPv4 header" }, known.headers() - TCP_HEADER)
            .less("TCP header", TCP_HEADER),
        (Some(own), None) if u32::from(own) < limit.0 => {
            Sum::start("sender's own MSS (its MTU is smaller)", own.into())
        }
        (_, None) => Sum::start(limit.1, limit.0),
    };
    start
        .less("timestamps in every segment", if known.timestamps { TIMESTAMPS } else { 0 })
        .less("IP options", known.ip_options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_usual_links_comes_out() {
        for (mtu, v4, v6) in
            [(576, 536, 516), (1280, 1240, 1220), (1492, 1452, 1432), (1500, 1460, 1440), (9000, 8960, 8940)]
        {
            assert_eq!(advertised(mtu, false).value, v4, "IPv4 over {mtu}");
            assert_eq!(advertised(mtu, true).value, v6, "IPv6 over {mtu}");
        }
    }

    #[test]
    fn loopback_is_limited_by_the_ipv4_length_field_but_not_for_ipv6() {
        assert_eq!(advertised(65_536, false).value, 65_495);
        assert_eq!(advertised(65_535, false).value, 65_495);
        assert_eq!(advertised(65_536, true).value, 65_476);
    }

    #[test]
    fn terms_add_up_to_the_value() {
        let known = Known { peer_option: Some(1460), own_option: Some(1460), timestamps: true, ..Known::default() };
        let sum = effective(known);
        assert_eq!(sum.value, 1448);
        assert_eq!(sum.terms.iter().map(|term| term.octets).sum::<i64>(), 1448);
    }

    #[test]
    fn the_smaller_of_both_options_limits_a_direction_and_without_one_the_default_holds() {
        let known = Known { peer_option: Some(8960), own_option: Some(1460), ..Known::default() };
        assert_eq!(effective(known).value, 1460);
        assert_eq!(effective(Known { ipv6: true, ..Known::default() }).value, 1220);
        assert_eq!(effective(Known::default()).value, 536);
    }

    #[test]
    fn what_a_router_said_limits_a_direction_where_it_is_the_least() {
        let known = Known { peer_option: Some(1460), timestamps: true, path_mtu: Some(1400), ..Known::default() };
        let sum = effective(known);
        assert_eq!(sum.value, 1348, "1400 − 20 − 20 − 12");
        assert_eq!(sum.terms.iter().map(|term| term.octets).sum::<i64>(), 1348);
        assert_eq!(effective(Known { path_mtu: Some(9000), ..known }).value, 1448);
        assert_eq!(effective(Known { path_mtu: Some(1400), ipv6: true, ..known }).value, 1328);
    }

    #[test]
    fn the_value_alone_is_that_of_the_sum() {
        let options = [None, Some(536), Some(1400), Some(1460)];
        for (peer_option, own_option) in options.into_iter().flat_map(|one| options.map(|other| (one, other))) {
            for path_mtu in [None, Some(68), Some(1280), Some(1430), Some(9000)] {
                for (ipv6, timestamps, ip_options) in [(false, false, 0), (true, true, 8), (false, true, 40)] {
                    let known = Known { peer_option, own_option, ipv6, timestamps, ip_options, path_mtu };
                    assert_eq!(effective_octets(known), effective(known).value, "{known:?}");
                }
            }
        }
    }

    #[test]
    fn an_mtu_below_the_headers_leaves_nothing_and_does_not_wrap() {
        assert_eq!(advertised(10, false).value, 0);
    }

    #[test]
    fn an_advertised_mss_tells_the_mtu_behind_it() {
        assert_eq!(implied_mtu(1460, false), 1500);
        assert_eq!(implied_mtu(1440, true), 1500);
    }
}
