//! The headers we can name, and where one stands in a frame.

/// One header and where it stands in the frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layer {
    /// Which header.
    pub kind: LayerKind,
    /// First octet, counted from the frame's start.
    pub offset: u32,
    /// Octets captured of the header itself, payload not included.
    pub len: u32,
}

/// The headers we can name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LayerKind {
    /// The frame as the capture holds it, before any header.
    Frame,
    /// Ethernet II or 802.3.
    Ethernet,
    /// 802.1Q or 802.1ad tag.
    Vlan,
    /// Linux cooked capture v1.
    Sll,
    /// Linux cooked capture v2.
    Sll2,
    /// BSD null or loop.
    Null,
    /// 802.2 logical link control, with SNAP where that follows.
    Llc,
    /// PPP.
    Ppp,
    /// PPPoE session.
    Pppoe,
    /// MPLS label stack.
    Mpls,
    /// Control word of a pseudowire.
    ControlWord,
    /// MACsec tag.
    Macsec,
    /// Provider backbone: service tag and the customer's addresses.
    Pbb,
    /// Cisco FabricPath tag.
    FabricPath,
    /// Tag of a switch chip, with the Ethernet addresses before it.
    SwitchTag,
    /// Cisco HDLC.
    Chdlc,
    /// Frame relay.
    FrameRelay,
    /// SLIP, as captured.
    Slip,
    /// FDDI.
    Fddi,
    /// Token ring with source route.
    TokenRing,
    /// ARCNET.
    Arcnet,
    /// IP over InfiniBand.
    Ipoib,
    /// Network header of IP over Fibre Channel.
    FibreChannel,
    /// Radiotap.
    Radiotap,
    /// Prism or AVS header.
    Prism,
    /// Per-packet information.
    Ppi,
    /// 802.11 data header.
    Wlan,
    /// Header of the first 802.11 A-MSDU subframe.
    Amsdu,
    /// Linux netfilter log.
    Nflog,
    /// Apple packet tap.
    Pktap,
    /// BSD packet filter log.
    Pflog,
    /// BSD encapsulation interface.
    Enc,
    /// Juniper metadata.
    Juniper,
    /// Octets of the capturing card before an Ethernet frame.
    Preamble,
    /// GRE.
    Gre,
    /// MikroTik Ethernet over IP.
    Eoip,
    /// ERSPAN.
    Erspan,
    /// WCCP redirection.
    Wccp,
    /// EtherIP.
    EtherIp,
    /// VXLAN, VXLAN-GPE.
    Vxlan,
    /// Geneve with options.
    Geneve,
    /// GTP-U with extension headers.
    Gtp,
    /// L2TP data header.
    L2tp,
    /// L2TP version 3 data header, with cookie and sublayer where they were found out.
    L2tpv3,
    /// Teredo indications.
    Teredo,
    /// ARP.
    Arp,
    /// IPv4 with options.
    Ipv4,
    /// IPv6 fixed header.
    Ipv6,
    /// IPv6 hop-by-hop options.
    HopByHop,
    /// IPv6 destination options.
    DestinationOptions,
    /// IPv6 routing header.
    Routing,
    /// IPv6 fragment header.
    FragmentHeader,
    /// Authentication header.
    Ah,
    /// The extension headers behind the eighth, all in one.
    MoreExtensions,
    /// TCP with options.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP.
    Icmp,
    /// ICMPv6.
    Icmpv6,
    /// Octets carried by the innermost header.
    Payload,
}

impl LayerKind {
    /// Lower-case name, as the machine contract writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Ethernet => "ethernet",
            Self::Vlan => "vlan",
            Self::Sll => "sll",
            Self::Sll2 => "sll2",
            Self::Null => "null",
            Self::Llc => "llc",
            Self::Ppp => "ppp",
            Self::Pppoe => "pppoe",
            Self::Mpls => "mpls",
            Self::ControlWord => "pw-control-word",
            Self::Macsec => "macsec",
            Self::Pbb => "802.1ah",
            Self::FabricPath => "fabricpath",
            Self::SwitchTag => "switch-tag",
            Self::Chdlc => "chdlc",
            Self::FrameRelay => "frame-relay",
            Self::Slip => "slip",
            Self::Fddi => "fddi",
            Self::TokenRing => "token-ring",
            Self::Arcnet => "arcnet",
            Self::Ipoib => "ipoib",
            Self::FibreChannel => "fibre-channel",
            Self::Radiotap => "radiotap",
            Self::Prism => "prism",
            Self::Ppi => "ppi",
            Self::Wlan => "802.11",
            Self::Amsdu => "a-msdu",
            Self::Nflog => "nflog",
            Self::Pktap => "pktap",
            Self::Pflog => "pflog",
            Self::Enc => "enc",
            Self::Juniper => "juniper",
            Self::Preamble => "preamble",
            Self::Gre => "gre",
            Self::Eoip => "eoip",
            Self::Erspan => "erspan",
            Self::Wccp => "wccp",
            Self::EtherIp => "etherip",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gtp => "gtp-u",
            Self::L2tp => "l2tp",
            Self::L2tpv3 => "l2tpv3",
            Self::Teredo => "teredo",
            Self::Arp => "arp",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::HopByHop => "ipv6-hop-by-hop",
            Self::DestinationOptions => "ipv6-destination-options",
            Self::Routing => "ipv6-routing",
            Self::FragmentHeader => "ipv6-fragment",
            Self::Ah => "ah",
            Self::MoreExtensions => "ipv6-more-extensions",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmpv6 => "icmpv6",
            Self::Payload => "payload",
        }
    }
}
