//! Who dials whom, how often and in which manner.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::craft::traffic::MSS_OPTION;
use crate::craft::traffic::Random;
use crate::craft::traffic::SYSTEM_OPTIONS;
use crate::packet::Endpoint;

/// Dials at a rate, for a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Act {
    /// First second of it.
    pub from: f64,
    /// First second after it.
    pub to: f64,
    /// Dials per second, by chance (Poisson).
    pub rate: f64,
    /// Seconds on and seconds off, from the first one; without it, on all the time.
    pub pulse: Option<(f64, f64)>,
    /// From where.
    pub sources: Sources,
    /// To where.
    pub targets: Targets,
    /// What a dial does beyond its SYN.
    pub manner: Manner,
    /// What its SYN looks like.
    pub look: Look,
}

/// What a client does beyond its first SYN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Manner {
    /// Wants to be served: repeats its SYN, acknowledges, asks, closes; dials anew so many times after a refusal.
    Honest {
        /// New dials after a refusal, a second or so apart.
        again: u8,
    },
    /// Sends its SYN and nothing else.
    Silent,
    /// Sends its SYN a second time after a second.
    Resending,
    /// Acknowledges a number that nobody sent.
    ForgedAck,
    /// Resets every answer.
    Resetting,
}

/// From where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sources {
    /// So many clients, anywhere.
    Clients(u32),
    /// So many addresses of one network that are used again and again.
    Pool(u32),
    /// Any address at all.
    World,
    /// Any interface identifier of one /64 (RFC 4291 §2.5.4); IPv6 only.
    Subnet,
    /// One address and port after port.
    One(IpAddr),
}

/// To where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Targets {
    /// One port.
    Port(Endpoint),
    /// Ports of one host from `.1` on, so many, by chance.
    Ports(IpAddr, u16, u16),
    /// Hosts of a prefix, by chance: the first address, how many, and the port.
    Hosts(IpAddr, u64, u16),
    /// Hosts and ports, by chance.
    Everything(IpAddr, u64),
    /// One port after the other, from this one.
    EachPort(IpAddr, u16),
    /// One host after the other, from this one.
    EachHost(Endpoint),
}

/// What the SYNs look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Look {
    /// One program on one machine: one TTL, one window, no options.
    Tool,
    /// Operating systems at different distances.
    System,
}

/// TTL, window and options of a client's SYN.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Face {
    pub(super) ttl: u8,
    pub(super) window: u16,
    pub(super) options: &'static [u8],
}

impl Look {
    /// The look of one client: always the same one.
    pub(super) fn of(self, client: IpAddr) -> Face {
        let own = match client {
            IpAddr::V4(addr) => addr.to_bits(),
            IpAddr::V6(addr) => addr.to_bits() as u32,
        }
        .wrapping_mul(0x9e37_79b1);
        match self {
            Self::Tool => Face { ttl: 58, window: 512, options: &[] },
            Self::System => {
                let hops = (own >> 8) as u8 % 20;
                match own % 5 {
                    0 => Face { ttl: 127 - hops, window: 65_535, options: MSS_OPTION },
                    1 => Face { ttl: 127 - hops, window: 64_240, options: SYSTEM_OPTIONS },
                    _ => Face { ttl: 63 - hops, window: 64_240, options: SYSTEM_OPTIONS },
                }
            }
        }
    }
}

impl Sources {
    /// An address and port; `nth` counts the dials of the act.
    pub(super) fn pick(self, nth: u64, like: IpAddr, random: &mut Random) -> Endpoint {
        let port = 1_024 + random.below(60_000) as u16;
        let addr = match (self, like) {
            (Self::One(addr), _) => return Endpoint { addr, port: 1_024 + (nth % 60_000) as u16 },
            // 198.18.0.0/15 is for tests (RFC 2544), 203.0.113.0 and 192.0.2.0 for documents (RFC 5737).
            (Self::Clients(many), IpAddr::V4(_)) => v4(0xc612_0000 + scattered(random.below(many.into())) % (1 << 17)),
            (Self::Clients(many), IpAddr::V6(_)) => {
                v6(0x2001_0db8_0001 << 80 | u128::from(scattered(random.below(many.into()))) << 64 | 1)
            }
            (Self::Pool(many), IpAddr::V4(_)) => v4(0xcb00_7100 + random.below(many.into()) as u32),
            (Self::Pool(many), IpAddr::V6(_)) => {
                v6(0x2001_0db8_00bb << 80 | u128::from(random.below(many.into())) << 64 | 1)
            }
            (Self::World | Self::Subnet, IpAddr::V4(_)) => v4(random.bits() as u32),
            (Self::World, IpAddr::V6(_)) => {
                v6(0x2 << 124 | (u128::from(random.bits()) << 64 | u128::from(random.bits())) >> 4)
            }
            (Self::Subnet, IpAddr::V6(_)) => v6(0x2001_0db8_0bad << 80 | u128::from(random.bits())),
        };
        Endpoint { addr, port }
    }
}

impl Targets {
    /// An address of the version that is dialled.
    pub(super) const fn addr(self) -> IpAddr {
        match self {
            Self::Port(server) | Self::EachHost(server) => server.addr,
            Self::Ports(addr, ..) | Self::Hosts(addr, ..) | Self::Everything(addr, _) | Self::EachPort(addr, _) => addr,
        }
    }

    /// Whom the dial with number `nth` is for.
    pub(super) fn pick(self, nth: u64, random: &mut Random) -> Endpoint {
        match self {
            Self::Port(server) => server,
            Self::Ports(addr, first, many) => Endpoint { addr, port: first + random.below(many.into()) as u16 },
            Self::Hosts(net, many, port) => Endpoint { addr: beyond(net, random.below(many)), port },
            Self::Everything(net, many) => {
                Endpoint { addr: beyond(net, random.below(many)), port: 1 + random.below(65_535) as u16 }
            }
            Self::EachPort(addr, first) => Endpoint { addr, port: first.wrapping_add(nth as u16).max(1) },
            Self::EachHost(first) => Endpoint { addr: beyond(first.addr, nth), port: first.port },
        }
    }
}

/// The address `n` after `addr`.
fn beyond(addr: IpAddr, n: u64) -> IpAddr {
    match addr {
        IpAddr::V4(addr) => v4(addr.to_bits().wrapping_add(n as u32)),
        IpAddr::V6(addr) => v6(addr.to_bits().wrapping_add(n.into())),
    }
}

/// Neighbours in number, far from each other in address.
const fn scattered(n: u64) -> u32 {
    (n as u32).wrapping_mul(0x9e37_79b1) >> 8
}

const fn v4(bits: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(bits))
}

const fn v6(bits: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(bits))
}
