//! From the MTU of a link to the octets of data in a segment, through whatever lies between: tunnels, options, extension
//! headers. Each header is a term of its own, so that the sum can be redone by hand.

use std::fmt;
use std::str::FromStr;

use crate::tcp::mss::IPV4_DATAGRAM;
use crate::tcp::mss::IPV4_HEADER;
use crate::tcp::mss::IPV6_HEADER;
use crate::tcp::mss::TCP_HEADER;
use crate::tcp::mss::TIMESTAMPS;
use crate::tcp::mss::Term;

/// Tunnels one inside the other at most.
pub const MAX_TUNNELS: usize = 4;

/// A way to carry packets in packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tunnel {
    name: &'static str,
    /// Its headers, outermost first: what, octets.
    headers: &'static [(&'static str, u32)],
}

impl Tunnel {
    /// Names of all tunnels known.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TUNNELS.iter().map(|tunnel| tunnel.name)
    }

    /// Octets that it takes from the MTU.
    pub fn overhead(&self) -> u32 {
        self.headers.iter().map(|(_, octets)| octets).sum()
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Reads a name; a `6` behind it means that the outer header is IPv6.
impl FromStr for Tunnel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = TUNNELS.iter().find(|tunnel| tunnel.name == text);
        known.copied().ok_or_else(|| format!("no tunnel known: {}", Self::names().collect::<Vec<_>>().join(", ")))
    }
}

/// A link and what is sent over it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Link {
    /// Its MTU in octets.
    pub mtu: u32,
    /// IPv6 inside all tunnels.
    pub ipv6: bool,
    /// Both sides agreed on timestamps.
    pub timestamps: bool,
    /// Outermost first.
    pub tunnels: Vec<Tunnel>,
    /// Octets of options in each IPv4 header.
    pub ip_options: u32,
    /// Octets of extension headers in each IPv6 packet.
    pub extension_headers: u32,
}

/// A calculation, line by line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Worked {
    /// MTU and the tunnels' headers; they add up to `inner_mtu`.
    pub tunnels: Vec<Term>,
    /// What is left for the innermost packet.
    pub inner_mtu: u32,
    /// From there to `advertised`.
    pub headers: Vec<Term>,
    /// What the SYN says (RFC 9293 §3.7.1, RFC 6691: options are not subtracted).
    pub advertised: u32,
    /// From there to `effective`.
    pub options: Vec<Term>,
    /// Octets of data in one segment.
    pub effective: u32,
}

impl Link {
    /// Does the sum. Never below zero; an MTU too small for its headers leaves nothing.
    pub fn work(&self) -> Worked {
        let mut tunnels = vec![add("MTU of the link", self.mtu)];
        for tunnel in &self.tunnels {
            tunnels.extend(tunnel.headers.iter().map(|&(what, octets)| less(what, octets)));
        }
        let inner_mtu = self.mtu.saturating_sub(self.tunnels.iter().map(Tunnel::overhead).sum());
        let mut headers = Vec::new();
        let mut room = inner_mtu;
        if !self.ipv6 && room > IPV4_DATAGRAM {
            headers.push(less("more than the largest IPv4 datagram, 65535", room - IPV4_DATAGRAM));
            room = IPV4_DATAGRAM;
        }
        let ip = if self.ipv6 { ("IPv6 header", IPV6_HEADER) } else { ("IPv4 header", IPV4_HEADER) };
        headers.push(less(ip.0, ip.1));
        headers.push(less("TCP header", TCP_HEADER));
        let advertised = room.saturating_sub(ip.1 + TCP_HEADER);
        let options: Vec<Term> = [
            ("timestamps in every segment", if self.timestamps { TIMESTAMPS } else { 0 }),
            ("IP options", self.ip_options),
            ("IPv6 extension headers", self.extension_headers),
        ]
        .into_iter()
        .filter(|(_, octets)| *octets > 0)
        .map(|(what, octets)| less(what, octets))
        .collect();
        let taken: u32 = options.iter().map(|term| term.octets.unsigned_abs() as u32).sum();
        Worked { tunnels, inner_mtu, headers, advertised, options, effective: advertised.saturating_sub(taken) }
    }
}

fn add(what: &'static str, octets: u32) -> Term {
    Term { what, octets: octets.into() }
}

fn less(what: &'static str, octets: u32) -> Term {
    Term { what, octets: -i64::from(octets) }
}

const OUTER_V4: (&str, u32) = ("outer IPv4 header", IPV4_HEADER);
const OUTER_V6: (&str, u32) = ("outer IPv6 header", IPV6_HEADER);
const UDP: (&str, u32) = ("outer UDP header", 8);
const GRE: (&str, u32) = ("GRE header (RFC 2784 §2.1)", 4);
const GRE_KEY: (&str, u32) = ("GRE header with key (RFC 2890 §2)", 8);
const VXLAN: (&str, u32) = ("VXLAN header (RFC 7348 §5)", 8);
const GENEVE: (&str, u32) = ("Geneve header without options (RFC 8926 §3.4)", 8);
const INNER_ETHERNET: (&str, u32) = ("inner Ethernet header", 14);
const GTP: (&str, u32) = ("GTP-U header without options (3GPP TS 29.281 §5.1)", 8);
const WIREGUARD: (&str, u32) = ("WireGuard header: type, receiver, counter", 16);
const TAG: (&str, u32) = ("WireGuard authentication tag", 16);

/// What people build; each with the headers of its usual form.
const TUNNELS: &[Tunnel] = &[
    Tunnel { name: "gre", headers: &[OUTER_V4, GRE] },
    Tunnel { name: "gre6", headers: &[OUTER_V6, GRE] },
    Tunnel { name: "gre-key", headers: &[OUTER_V4, GRE_KEY] },
    Tunnel { name: "gretap", headers: &[OUTER_V4, GRE, INNER_ETHERNET] },
    Tunnel { name: "vxlan", headers: &[OUTER_V4, UDP, VXLAN, INNER_ETHERNET] },
    Tunnel { name: "vxlan6", headers: &[OUTER_V6, UDP, VXLAN, INNER_ETHERNET] },
    Tunnel { name: "geneve", headers: &[OUTER_V4, UDP, GENEVE, INNER_ETHERNET] },
    Tunnel { name: "geneve6", headers: &[OUTER_V6, UDP, GENEVE, INNER_ETHERNET] },
    Tunnel { name: "ipip", headers: &[OUTER_V4] },
    Tunnel { name: "6in4", headers: &[OUTER_V4] },
    Tunnel { name: "4in6", headers: &[OUTER_V6] },
    Tunnel { name: "6in6", headers: &[OUTER_V6] },
    Tunnel { name: "gtpu", headers: &[OUTER_V4, UDP, GTP] },
    Tunnel { name: "wireguard", headers: &[OUTER_V4, UDP, WIREGUARD, TAG] },
    Tunnel { name: "wireguard6", headers: &[OUTER_V6, UDP, WIREGUARD, TAG] },
    Tunnel { name: "pppoe", headers: &[("PPPoE header (RFC 2516 §4)", 6), ("PPP protocol number", 2)] },
    Tunnel { name: "mpls", headers: &[("MPLS label (RFC 3032 §2.1)", 4)] },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::mss::advertised;

    fn link(mtu: u32, tunnels: &[&str]) -> Link {
        let tunnels = tunnels.iter().map(|name| name.parse().expect("a tunnel")).collect();
        Link { mtu, tunnels, ..Link::default() }
    }

    #[test]
    fn each_tunnel_takes_what_its_headers_have() {
        for (name, overhead) in [
            ("gre", 24),
            ("gre-key", 28),
            ("gretap", 38),
            ("vxlan", 50),
            ("vxlan6", 70),
            ("geneve", 50),
            ("ipip", 20),
            ("6in4", 20),
            ("gtpu", 36),
            ("wireguard", 60),
            ("wireguard6", 80),
            ("pppoe", 8),
            ("mpls", 4),
        ] {
            let worked = link(1500, &[name]).work();
            assert_eq!((worked.inner_mtu, worked.advertised), (1500 - overhead, 1460 - overhead), "{name}");
        }
        assert!("ipsec".parse::<Tunnel>().is_err());
    }

    #[test]
    fn tunnels_stand_one_inside_the_other_and_every_line_adds_up() {
        let mut link = link(1500, &["pppoe", "wireguard"]);
        (link.ipv6, link.timestamps, link.extension_headers) = (true, true, 8);
        let worked = link.work();
        let sum = |terms: &[Term]| terms.iter().map(|term| term.octets).sum::<i64>();
        assert_eq!(sum(&worked.tunnels), 1432);
        assert_eq!(worked.inner_mtu, 1432);
        assert_eq!(1432 + sum(&worked.headers), 1372);
        assert_eq!(worked.advertised, 1372);
        assert_eq!(1372 + sum(&worked.options), 1352);
        assert_eq!(worked.effective, 1352);
    }

    #[test]
    fn without_tunnels_the_calculator_and_the_tracker_agree() {
        for mtu in [68, 576, 1280, 1500, 9000, 65_535, 65_536] {
            for ipv6 in [false, true] {
                let link = Link { mtu, ipv6, ..Link::default() };
                assert_eq!(link.work().advertised, advertised(mtu, ipv6).value, "{mtu} {ipv6}");
            }
        }
    }

    #[test]
    fn an_mtu_below_its_headers_leaves_nothing() {
        assert_eq!(link(30, &["vxlan"]).work().effective, 0);
    }
}
