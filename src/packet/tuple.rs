//! Who talks to whom: endpoints, the canonical 5-tuple, and the direction of one packet within it.

use std::fmt;
use std::net::IpAddr;
use std::net::SocketAddr;

/// Address and port of one side.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Endpoint {
    /// The IP address.
    pub addr: IpAddr,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// The range that the port belongs to, see [`port_class`].
    pub const fn port_class(&self) -> &'static str {
        port_class(self.port)
    }
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.addr, self.port).fmt(f)
    }
}

/// The range that a port belongs to: `system`, `user` or `dynamic` (RFC 6335 §6).
pub const fn port_class(port: u16) -> &'static str {
    match port {
        0..=1023 => "system",
        1024..=49151 => "user",
        49152..=65535 => "dynamic",
    }
}

/// The two transports whose flows we follow.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Protocol {
    /// TCP, RFC 9293.
    Tcp,
    /// UDP, RFC 768.
    Udp,
}

impl Protocol {
    /// Lower-case name, as the machine contract writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// An unordered pair of endpoints in canonical order: both directions of a conversation give the same value.
///
/// VLAN, interface and tunnel ids are not part of it, so one packet seen on two VLANs belongs to one flow.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tuple {
    /// The transport.
    pub protocol: Protocol,
    /// The smaller endpoint.
    pub low: Endpoint,
    /// The larger endpoint; equal to `low` when a socket talks to itself.
    pub high: Endpoint,
}

impl Tuple {
    /// The tuple of a packet from `src` to `dst`, and which way that packet went.
    pub fn of(protocol: Protocol, src: Endpoint, dst: Endpoint) -> (Self, Dir) {
        if src <= dst {
            (Self { protocol, low: src, high: dst }, Dir::LowToHigh)
        } else {
            (Self { protocol, low: dst, high: src }, Dir::HighToLow)
        }
    }

    /// The sender of a packet that went `dir`.
    pub const fn sender(&self, dir: Dir) -> Endpoint {
        match dir {
            Dir::LowToHigh => self.low,
            Dir::HighToLow => self.high,
        }
    }

    /// Both ends are one socket (TCP self-connect); directions then cannot be told apart.
    pub fn is_self(&self) -> bool {
        self.low == self.high
    }
}

/// Which way a packet went through its [`Tuple`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dir {
    /// From the smaller endpoint to the larger.
    LowToHigh,
    /// From the larger endpoint to the smaller.
    HighToLow,
}

impl Dir {
    /// The other way.
    pub const fn reverse(self) -> Self {
        match self {
            Self::LowToHigh => Self::HighToLow,
            Self::HighToLow => Self::LowToHigh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(addr: &str, port: u16) -> Endpoint {
        Endpoint { addr: addr.parse().expect("an address"), port }
    }

    #[test]
    fn both_directions_share_one_tuple() {
        let (client, server) = (end("10.0.0.9", 40000), end("10.0.0.2", 80));
        let (there, out) = Tuple::of(Protocol::Tcp, client, server);
        let (back, home) = Tuple::of(Protocol::Tcp, server, client);
        assert_eq!(there, back);
        assert_eq!(out, home.reverse());
        assert_eq!(there.sender(out), client);
        assert_eq!(there.sender(home), server);
    }

    #[test]
    fn a_socket_talking_to_itself_is_seen() {
        let one = end("127.0.0.1", 5656);
        assert!(Tuple::of(Protocol::Tcp, one, one).0.is_self());
    }

    #[test]
    fn port_ranges_begin_and_end_where_rfc_6335_has_them() {
        let classes = [0, 1023, 1024, 49151, 49152, 65535].map(port_class);
        assert_eq!(classes, ["system", "system", "user", "user", "dynamic", "dynamic"]);
        assert_eq!(end("::1", 443).port_class(), "system");
    }

    #[test]
    fn ipv6_endpoints_wear_brackets() {
        assert_eq!(end("::1", 53).to_string(), "[::1]:53");
    }
}
