//! A decoded packet: which layers were found where, and what the innermost IP and transport headers said.
//!
//! Lengths are those that IP declares, never those of the captured slice (RFC 9293 §3.4 counts octets sent, not
//! octets captured). Single fields for display are read again from the bytes by `decode::fields`.

use std::net::IpAddr;

use arrayvec::ArrayVec;

use crate::packet::defect::Defect;
use crate::packet::flags::TcpFlags;
use crate::packet::frame::FrameMeta;
use crate::packet::option::OptionSummary;
use crate::packet::seq::SeqNumber;
use crate::packet::seq::seq_len;
use crate::packet::tuple::Dir;
use crate::packet::tuple::Endpoint;
use crate::packet::tuple::Protocol;
use crate::packet::tuple::Tuple;

pub use crate::packet::layer::Layer;
pub use crate::packet::layer::LayerKind;

/// Layers kept per packet; a chain that is longer carries a `layer-depth` defect.
pub const MAX_LAYERS: usize = 16;
/// Defects kept per packet; the first ones say most.
pub const MAX_DEFECTS: usize = 4;
/// Transport headers around the innermost packet that are kept, the outermost ones.
pub const MAX_OUTER: usize = 4;

/// A frame after decoding. Borrows the frame's bytes.
#[derive(Clone, Debug)]
pub struct Packet<'a> {
    /// What the capture says about the frame.
    pub meta: FrameMeta,
    /// The whole captured frame. Where it completed a fragmented datagram: its octets up to the fragment's payload, and
    /// in that one's place the payload of the whole datagram.
    pub bytes: &'a [u8],
    /// Headers found, outermost first.
    pub layers: ArrayVec<Layer, MAX_LAYERS>,
    /// The innermost IP header, extension headers included.
    pub ip: Option<IpHeader>,
    /// What that IP header carries.
    pub transport: Transport<'a>,
    /// The TCP and UDP headers of the tunnels around it, outermost first.
    pub outer: ArrayVec<OuterTransport, MAX_OUTER>,
    /// The innermost datagram that this frame completed, if it did.
    pub reassembled: Option<Reassembled>,
    /// What is wrong with the bytes.
    pub defects: ArrayVec<Defect, MAX_DEFECTS>,
}

/// The ends that a tunnel's own transport header names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OuterTransport {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Who sent the tunnel packet.
    pub src: Endpoint,
    /// Where it was going.
    pub dst: Endpoint,
}

/// A datagram that was put together from fragments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reassembled {
    /// Fragments it was made of, duplicates counted in.
    pub fragments: u32,
    /// Number of the frame that held the first of them to arrive.
    pub first_frame: u64,
    /// Octets of its payload.
    pub octets: u32,
}

/// The part of an IP header that everybody above needs, both versions alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IpHeader {
    /// 4 or 6.
    pub version: u8,
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// Time to live, hop limit.
    pub ttl: u8,
    /// DSCP and ECN octet.
    pub traffic_class: u8,
    /// IPv4 identification, or that of an IPv6 fragment header.
    pub id: Option<u32>,
    /// IPv4 DF bit; IPv6 routers never fragment, so `true` there.
    pub dont_fragment: bool,
    /// More fragments follow.
    pub more_fragments: bool,
    /// Where this fragment's payload belongs, in octets.
    pub fragment_offset: u32,
    /// Octets of the IP header with options and extension headers, fragment header included.
    pub header_len: u32,
    /// Octets of payload by the length field; by the frame where that field is 0 through offload, or promises more than
    /// the frame ever held.
    pub payload_len: u32,
    /// Protocol number of the payload, extension headers skipped.
    pub protocol: u8,
    /// State of the IPv4 header checksum; [`ChecksumState::None`] for IPv6.
    pub checksum: ChecksumState,
}

impl IpHeader {
    /// Part of a fragmented datagram.
    pub const fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }

    /// Octets of the whole datagram, headers included.
    pub const fn total_len(&self) -> u32 {
        self.header_len.saturating_add(self.payload_len)
    }
}

/// What the innermost IP header carries.
#[derive(Clone, Debug)]
pub enum Transport<'a> {
    /// A TCP segment with a header of at least 20 captured octets.
    Tcp(TcpHeader<'a>),
    /// A UDP datagram with all 8 header octets captured.
    Udp(UdpHeader<'a>),
    /// ICMP or ICMPv6.
    Icmp(Icmp),
    /// A fragment whose ports are elsewhere: it is not the first, or it is kept until its datagram is complete.
    LaterFragment,
    /// Another protocol, or a transport header that was cut off.
    Other,
    /// No IP at all.
    None,
}

/// A TCP header (RFC 9293 §3.1) and its payload.
#[derive(Clone, Debug)]
pub struct TcpHeader<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: SeqNumber,
    /// Acknowledgment number as it stands there, meaningful only with ACK.
    pub ack: SeqNumber,
    /// Header length in octets by the data offset field, even where that is nonsense.
    pub header_len: u8,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window as it stands there, not scaled.
    pub window: u16,
    /// Checksum field.
    pub checksum_field: u16,
    /// Whether it fits.
    pub checksum: ChecksumState,
    /// Urgent pointer.
    pub urgent: u16,
    /// Options as captured.
    pub options: &'a [u8],
    /// What they say.
    pub said: OptionSummary,
    /// Payload octets *sent*: IP payload less header. 0 where the data offset passes the segment's end.
    pub len: u32,
    /// Payload octets captured, at most `len`.
    pub payload: &'a [u8],
    /// Data offset at least 5 words and within the segment.
    pub sound: bool,
}

impl TcpHeader<'_> {
    /// Octets of sequence space that this segment takes.
    pub const fn seq_len(&self) -> u32 {
        seq_len(self.len, self.flags)
    }

    /// First sequence number behind this segment.
    pub const fn end(&self) -> SeqNumber {
        self.seq.plus(self.seq_len())
    }
}

/// A UDP header (RFC 768) and its payload.
#[derive(Clone, Copy, Debug)]
pub struct UdpHeader<'a> {
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Length field: header and payload.
    pub length_field: u16,
    /// Checksum field.
    pub checksum_field: u16,
    /// Whether it fits.
    pub checksum: ChecksumState,
    /// Payload octets *sent*, by the length field where that is sound, else by IP.
    pub len: u32,
    /// Payload octets captured, at most `len`.
    pub payload: &'a [u8],
}

/// An ICMP or ICMPv6 message (RFC 792, RFC 4443).
#[derive(Clone, Copy, Debug)]
pub struct Icmp {
    /// 4 or 6.
    pub version: u8,
    /// Type field.
    pub kind: u8,
    /// Code field.
    pub code: u8,
    /// Whether the checksum fits.
    pub checksum: ChecksumState,
    /// Next-hop MTU of "fragmentation needed" (3/4) or "packet too big" (2/0).
    pub mtu: Option<u32>,
    /// The header that an error message quotes.
    pub quoted: Option<Quoted>,
}

/// The packet quoted in an ICMP error, as far as its ports reach.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quoted {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// Who sent the packet that failed.
    pub src: Endpoint,
    /// Where it was going.
    pub dst: Endpoint,
    /// Its TCP sequence number.
    pub seq: Option<SeqNumber>,
    /// Octets of its transport header and payload that the quote holds.
    pub octets: u32,
    /// Its TCP flags, where the quote reaches that far.
    pub flags: Option<TcpFlags>,
}

/// What became of a checksum.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ChecksumState {
    /// Matches.
    Good,
    /// Holds only the folded pseudo-header sum, or 0 in an IPv4 header: left for the network card to finish (offload).
    Partial,
    /// Does not match; this is what it should have been.
    Bad {
        /// The computed value.
        expected: u16,
    },
    /// 0 in UDP over IPv4: the sender computed none (RFC 768).
    Absent,
    /// 0 in UDP over IPv6 outside the tunnels of RFC 6935.
    Illegal,
    /// Not all octets were captured, or the datagram is a fragment.
    Unverifiable,
    /// The header has none.
    #[default]
    None,
}

impl ChecksumState {
    /// One word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Partial => "partial",
            Self::Bad { .. } => "bad",
            Self::Absent => "absent",
            Self::Illegal => "illegal",
            Self::Unverifiable => "unverifiable",
            Self::None => "none",
        }
    }
}

impl<'a> Packet<'a> {
    /// The TCP segment, if this is one.
    pub const fn tcp(&self) -> Option<&TcpHeader<'a>> {
        match &self.transport {
            Transport::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    /// The UDP datagram, if this is one.
    pub const fn udp(&self) -> Option<&UdpHeader<'a>> {
        match &self.transport {
            Transport::Udp(udp) => Some(udp),
            _ => None,
        }
    }

    /// The ICMP message, if this is one.
    pub const fn icmp(&self) -> Option<&Icmp> {
        match &self.transport {
            Transport::Icmp(icmp) => Some(icmp),
            _ => None,
        }
    }

    /// Sender and receiver with ports, for TCP and UDP.
    pub fn endpoints(&self) -> Option<(Protocol, Endpoint, Endpoint)> {
        let ip = self.ip.as_ref()?;
        let (protocol, src_port, dst_port) = match &self.transport {
            Transport::Tcp(tcp) => (Protocol::Tcp, tcp.src_port, tcp.dst_port),
            Transport::Udp(udp) => (Protocol::Udp, udp.src_port, udp.dst_port),
            _ => return None,
        };
        Some((protocol, Endpoint { addr: ip.src, port: src_port }, Endpoint { addr: ip.dst, port: dst_port }))
    }

    /// The flow it belongs to and its direction there.
    pub fn tuple(&self) -> Option<(Tuple, Dir)> {
        self.endpoints().map(|(protocol, src, dst)| Tuple::of(protocol, src, dst))
    }

    /// Notes a defect; beyond [`MAX_DEFECTS`] it is dropped, the first ones say most.
    pub fn note(&mut self, defect: Defect) {
        let _ = self.defects.try_push(defect);
    }
}
