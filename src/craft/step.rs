//! The nouns of a script: one packet to be, header by header.

use std::net::IpAddr;

use crate::packet::Endpoint;
use crate::packet::LinkType;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::Timestamp;

/// One packet to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// When it passes.
    pub at: Timestamp,
    /// Sender.
    pub src: Endpoint,
    /// Receiver.
    pub dst: Endpoint,
    /// VLAN ids, outermost first.
    pub vlans: Vec<u16>,
    /// MPLS labels, outermost first; on links that have an EtherType.
    pub mpls: Vec<u32>,
    /// The PPPoE session it travels in; likewise.
    pub pppoe: Option<u16>,
    /// The tunnel it travels in.
    pub tunnel: Option<Tunnel>,
    /// Octets of payload from which the outermost IP packet is cut into fragments, a frame each.
    pub split: Option<u16>,
    /// Octets that the capture keeps.
    pub snaplen: Option<u32>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// DSCP and ECN.
    pub traffic_class: u8,
    /// IP identification; if none is given, a number that grows with the trace.
    pub id: Option<u16>,
    /// DF bit; if nothing is said it is set unless the packet is a fragment.
    pub dont_fragment: Option<bool>,
    /// MF bit.
    pub more_fragments: bool,
    /// Fragment offset in octets.
    pub fragment_offset: u16,
    /// A length field that lies: total length (IPv4), payload length (IPv6).
    pub ip_len: Option<u16>,
    /// Options of an IPv4 header, whole words of them, 40 octets at most.
    pub ip_options: Vec<u8>,
    /// Extension headers of an IPv6 packet, outermost first: protocol number, and what follows its first two octets.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// Octets behind the IP packet, such as Ethernet padding.
    pub trailer: u16,
    /// What the transport checksum field holds.
    pub checksum: ChecksumField,
    /// What IP carries.
    pub body: Body,
}

/// A tunnel and its ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tunnel {
    /// Its headers.
    pub kind: TunnelKind,
    /// Where packets enter it.
    pub src: IpAddr,
    /// Where they leave it.
    pub dst: IpAddr,
}

/// The tunnels that can be built.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TunnelKind {
    /// IP in IP, protocol 4 or 41.
    IpIp,
    /// GRE with IP inside.
    Gre,
    /// GRE with key, sequence number and a frame inside.
    GreTap,
    /// VXLAN.
    Vxlan,
    /// Geneve with one option.
    Geneve,
    /// GTP-U.
    Gtp,
}

impl TunnelKind {
    /// The kind that a script calls `word`.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "ipip" => Self::IpIp,
            "gre" => Self::Gre,
            "gretap" => Self::GreTap,
            "vxlan" => Self::Vxlan,
            "geneve" => Self::Geneve,
            "gtp" => Self::Gtp,
            _ => return None,
        })
    }
}

/// What IP carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram.
    Udp(Datagram),
    /// An ICMP or ICMPv6 message.
    Icmp(Message),
}

/// A TCP segment to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Segment {
    /// Sequence number.
    pub seq: SeqNumber,
    /// Acknowledgment number.
    pub ack: SeqNumber,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window, not scaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// Options, whole words of them, 40 octets at most.
    pub options: Vec<u8>,
    /// A data offset that lies, in octets.
    pub header_len: Option<u8>,
    /// Payload.
    pub payload: Vec<u8>,
}

/// A UDP datagram to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Datagram {
    /// Payload.
    pub payload: Vec<u8>,
    /// A length field that lies.
    pub length: Option<u16>,
}

/// An ICMP message to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// What it says.
    pub kind: IcmpKind,
    /// A code other than the kind's own.
    pub code: Option<u8>,
    /// Next-hop MTU, for the kinds that have one.
    pub mtu: u32,
    /// Index of the step that an error quotes.
    pub quoted: Option<usize>,
    /// Octets behind the quoted IP header; if nothing is said, as many as hosts send.
    pub quote: Option<u16>,
    /// Octets that the quote is filled up to, and told to have (RFC 4884 §4); extensions follow as payload.
    pub padded: Option<u8>,
    /// What an echo carries, or what follows a quote.
    pub payload: Vec<u8>,
}

/// The ICMP messages that a script can name; each has its number in both versions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IcmpKind {
    /// `net-unreachable`: 3/0, 1/0.
    NetUnreachable,
    /// `host-unreachable`: 3/1, 1/3.
    HostUnreachable,
    /// `port-unreachable`: 3/3, 1/4.
    PortUnreachable,
    /// `fragmentation-needed`, `packet-too-big`: 3/4, 2/0.
    FragmentationNeeded,
    /// `admin-prohibited`: 3/13, 1/1.
    AdminProhibited,
    /// `time-exceeded`: 11/0, 3/0.
    TimeExceeded,
    /// `echo-request`: 8/0, 128/0.
    EchoRequest,
    /// `echo-reply`: 0/0, 129/0.
    EchoReply,
}

impl IcmpKind {
    /// The kind that a script calls `word`.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "net-unreachable" => Self::NetUnreachable,
            "host-unreachable" => Self::HostUnreachable,
            "port-unreachable" => Self::PortUnreachable,
            "fragmentation-needed" | "packet-too-big" => Self::FragmentationNeeded,
            "admin-prohibited" => Self::AdminProhibited,
            "time-exceeded" => Self::TimeExceeded,
            "echo-request" => Self::EchoRequest,
            "echo-reply" => Self::EchoReply,
            _ => return None,
        })
    }

    /// Quotes a packet that failed.
    pub const fn is_error(self) -> bool {
        !matches!(self, Self::EchoRequest | Self::EchoReply)
    }

    /// Type and code (RFC 792, RFC 4443).
    pub(super) const fn numbers(self, is_ipv4: bool) -> (u8, u8) {
        match (self, is_ipv4) {
            (Self::NetUnreachable, true) => (3, 0),
            (Self::NetUnreachable, false) => (1, 0),
            (Self::HostUnreachable, true) => (3, 1),
            (Self::HostUnreachable, false) => (1, 3),
            (Self::PortUnreachable, true) => (3, 3),
            (Self::PortUnreachable, false) => (1, 4),
            (Self::FragmentationNeeded, true) => (3, 4),
            (Self::FragmentationNeeded, false) => (2, 0),
            (Self::AdminProhibited, true) => (3, 13),
            (Self::AdminProhibited, false) => (1, 1),
            (Self::TimeExceeded, true) => (11, 0),
            (Self::TimeExceeded, false) => (3, 0),
            (Self::EchoRequest, true) => (8, 0),
            (Self::EchoRequest, false) => (128, 0),
            (Self::EchoReply, true) => (0, 0),
            (Self::EchoReply, false) => (129, 0),
        }
    }
}

/// What a transport checksum field holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChecksumField {
    /// The right value.
    Good,
    /// The pseudo-header sum alone, left for the network card.
    Partial,
    /// A wrong value.
    Bad,
    /// Zero: for UDP, no checksum.
    Zero,
}

/// The link layers that can be built.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// Ethernet II.
    Ethernet,
    /// No link layer.
    Raw,
    /// Linux cooked capture v1.
    Sll,
    /// Linux cooked capture v2.
    Sll2,
    /// BSD loopback, family in little-endian order.
    Null,
    /// OpenBSD loopback.
    Loop,
}

impl Link {
    /// The link that a script calls `word`.
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "ethernet" => Self::Ethernet,
            "raw" => Self::Raw,
            "sll" => Self::Sll,
            "sll2" => Self::Sll2,
            "null" => Self::Null,
            "loop" => Self::Loop,
            _ => return None,
        })
    }

    /// Its number in capture files.
    pub const fn link_type(self) -> LinkType {
        match self {
            Self::Ethernet => LinkType::ETHERNET,
            Self::Raw => LinkType::RAW,
            Self::Sll => LinkType::LINUX_SLL,
            Self::Sll2 => LinkType::LINUX_SLL2,
            Self::Null => LinkType::NULL,
            Self::Loop => LinkType::LOOP,
        }
    }
}

impl Step {
    /// An empty UDP datagram with nothing unusual about it.
    pub const fn new(at: Timestamp, src: Endpoint, dst: Endpoint) -> Self {
        Self {
            at,
            src,
            dst,
            vlans: Vec::new(),
            mpls: Vec::new(),
            pppoe: None,
            tunnel: None,
            split: None,
            snaplen: None,
            ttl: 64,
            traffic_class: 0,
            id: None,
            dont_fragment: None,
            more_fragments: false,
            fragment_offset: 0,
            ip_len: None,
            ip_options: Vec::new(),
            extensions: Vec::new(),
            trailer: 0,
            checksum: ChecksumField::Good,
            body: Body::Udp(Datagram { payload: Vec::new(), length: None }),
        }
    }

    /// Octets of options, or of extension headers, that its version of IP has room for.
    pub(super) fn ip_extra(&self) -> usize {
        match (self.src.addr, self.dst.addr) {
            (IpAddr::V4(_), IpAddr::V4(_)) => self.ip_options.len(),
            (IpAddr::V4(_) | IpAddr::V6(_), _) => self.extensions.iter().map(|(_, data)| data.len() + 2).sum(),
        }
    }

    /// Octets of transport header and payload; of an ICMP error without its quote.
    pub(super) const fn transport_len(&self) -> usize {
        match &self.body {
            Body::Tcp(segment) => 20 + segment.options.len() + segment.payload.len(),
            Body::Udp(datagram) => 8 + datagram.payload.len(),
            Body::Icmp(message) => 8 + message.payload.len(),
        }
    }
}
