//! Names of the link layer: LINKTYPE values of capture files, EtherTypes, MAC addresses.

use std::fmt;

/// A LINKTYPE value as capture files carry it (tcpdump.org's registry), link-layer FCS bits masked off.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: four octets of address family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet II, 802.3.
    pub const ETHERNET: Self = Self(1);
    /// PPP, perhaps with HDLC-like framing.
    pub const PPP: Self = Self(9);
    /// Raw IP as some systems number it (DLT_RAW on most).
    pub const RAW_DLT: Self = Self(12);
    /// Raw IP as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IPv4 or IPv6, told apart by the version field.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: the family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1 (`-i any`).
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// 802.5 token ring.
    pub const TOKEN_RING: Self = Self(6);
    /// ARCNET with BSD headers.
    pub const ARCNET_BSD: Self = Self(7);
    /// SLIP behind 16 octets of the capturing driver.
    pub const SLIP: Self = Self(8);
    /// FDDI.
    pub const FDDI: Self = Self(10);
    /// PPP in HDLC-like framing, or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// PPPoE without its Ethernet header.
    pub const PPP_ETHER: Self = Self(51);
    /// RFC 1483 (today 2684) with LLC.
    pub const ATM_RFC1483: Self = Self(100);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// 802.11 without radio information.
    pub const IEEE802_11: Self = Self(105);
    /// Frame relay, address first.
    pub const FRELAY: Self = Self(107);
    /// BSD encapsulation interface.
    pub const ENC: Self = Self(109);
    /// BSD packet filter log.
    pub const PFLOG: Self = Self(117);
    /// 802.11 behind a Prism or AVS header.
    pub const IEEE802_11_PRISM: Self = Self(119);
    /// RFC 4338: IP over Fibre Channel.
    pub const IP_OVER_FC: Self = Self(122);
    /// 802.11 behind radiotap.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// ARCNET with Linux headers.
    pub const ARCNET_LINUX: Self = Self(129);
    /// 802.11 behind an AVS header.
    pub const IEEE802_11_AVS: Self = Self(163);
    /// PPP, its address octet replaced by a direction.
    pub const PPP_PPPD: Self = Self(166);
    /// Ethernet behind Juniper metadata.
    pub const JUNIPER_ETHER: Self = Self(178);
    /// Per-packet information, then any other link type.
    pub const PPI: Self = Self(192);
    /// PPP behind a direction octet.
    pub const PPP_WITH_DIR: Self = Self(204);
    /// Linux netfilter log.
    pub const NFLOG: Self = Self(239);
    /// Ethernet behind four octets of a Hilscher card.
    pub const NETANALYZER: Self = Self(240);
    /// IP over InfiniBand.
    pub const IPOIB: Self = Self(242);
    /// Apple packet tap, then any other link type.
    pub const PKTAP: Self = Self(258);
    /// Ethernet with its preamble (802.3br).
    pub const ETHERNET_MPACKET: Self = Self(274);
    /// Ethernet with a Broadcom switch tag behind the addresses.
    pub const DSA_TAG_BRCM: Self = Self(281);
    /// Ethernet behind a Broadcom switch tag.
    pub const DSA_TAG_BRCM_PREPEND: Self = Self(282);
    /// Ethernet with a Marvell switch tag behind the addresses.
    pub const DSA_TAG_DSA: Self = Self(284);
    /// The same with an EtherType of its own.
    pub const DSA_TAG_EDSA: Self = Self(285);

    /// The registry's name, without `LINKTYPE_`, where we know it.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "NULL",
            1 => "ETHERNET",
            6 => "IEEE802_5",
            7 => "ARCNET_BSD",
            8 => "SLIP",
            9 => "PPP",
            10 => "FDDI",
            12 | 14 | 101 => "RAW",
            50 => "PPP_HDLC",
            51 => "PPP_ETHER",
            100 => "ATM_RFC1483",
            104 => "C_HDLC",
            105 => "IEEE802_11",
            107 => "FRELAY",
            108 => "LOOP",
            109 => "ENC",
            113 => "LINUX_SLL",
            117 => "PFLOG",
            119 => "IEEE802_11_PRISM",
            122 => "IP_OVER_FC",
            127 => "IEEE802_11_RADIOTAP",
            129 => "ARCNET_LINUX",
            147..=162 => "USER",
            163 => "IEEE802_11_AVS",
            166 => "PPP_PPPD",
            178 => "JUNIPER_ETHER",
            187 => "BLUETOOTH_HCI_H4",
            189 => "USB_LINUX",
            192 => "PPI",
            195 => "IEEE802_15_4_WITHFCS",
            201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
            204 => "PPP_WITH_DIR",
            220 => "USB_LINUX_MMAPPED",
            228 => "IPV4",
            229 => "IPV6",
            239 => "NFLOG",
            240 => "NETANALYZER",
            242 => "IPOIB",
            253 => "NETLINK",
            258 => "PKTAP",
            274 => "ETHERNET_MPACKET",
            276 => "LINUX_SLL2",
            281 => "DSA_TAG_BRCM",
            282 => "DSA_TAG_BRCM_PREPEND",
            284 => "DSA_TAG_DSA",
            285 => "DSA_TAG_EDSA",
            _ => return None,
        })
    }
}

/// The name, or the bare number.
impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "LINKTYPE {}", self.0),
        }
    }
}

/// An EtherType (IEEE 802 registry); values below 0x0600 are 802.3 lengths.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct EtherType(pub u16);

impl EtherType {
    /// The smallest value that names a protocol; below it stands the length of an 802.3 frame.
    pub const FIRST: Self = Self(0x0600);
    /// IPv4.
    pub const IPV4: Self = Self(0x0800);
    /// ARP.
    pub const ARP: Self = Self(0x0806);
    /// 802.1Q customer tag.
    pub const VLAN: Self = Self(0x8100);
    /// IPv6.
    pub const IPV6: Self = Self(0x86dd);
    /// 802.1ad service tag.
    pub const QINQ: Self = Self(0x88a8);
    /// The older double tag.
    pub const VLAN_DOUBLE: Self = Self(0x9100);
    /// An Ethernet frame, in tunnels.
    pub const ETHERNET: Self = Self(0x6558);
    /// PPP, in GRE.
    pub const PPP: Self = Self(0x880b);
    /// MPLS unicast.
    pub const MPLS: Self = Self(0x8847);
    /// MPLS with a label that somebody upstream assigned.
    pub const MPLS_UPSTREAM: Self = Self(0x8848);
    /// 802.1ah service tag.
    pub const PBB: Self = Self(0x88e7);
    /// MACsec.
    pub const MACSEC: Self = Self(0x88e5);
    /// Cisco FabricPath.
    pub const FABRICPATH: Self = Self(0x8903);
    /// PPPoE session stage.
    pub const PPPOE_SESSION: Self = Self(0x8864);

    /// What people call it, where we know.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x0800 => "IPv4",
            0x0806 => "ARP",
            0x8035 => "RARP",
            0x6558 => "transparent Ethernet",
            0x8100 => "802.1Q",
            0x86dd => "IPv6",
            0x880b => "PPP",
            0x8808 => "pause",
            0x8809 => "slow protocols",
            0x8847 | 0x8848 => "MPLS",
            0x8863 => "PPPoE discovery",
            0x8864 => "PPPoE",
            0x88a8 => "802.1ad",
            0x88cc => "LLDP",
            0x88e5 => "MACsec",
            0x88e7 => "802.1ah",
            0x8903 => "FabricPath",
            0x9100 => "802.1Q (0x9100)",
            0..=0x05ff => "802.3 length",
            _ => return None,
        })
    }
}

/// A 48-bit link-layer address.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_types_and_addresses_print_their_names() {
        assert_eq!(LinkType::LINUX_SLL2.to_string(), "LINUX_SLL2");
        assert_eq!(LinkType(999).to_string(), "LINKTYPE 999");
        assert_eq!(MacAddr([0, 1, 2, 0xab, 0xcd, 0xef]).to_string(), "00:01:02:ab:cd:ef");
        assert_eq!(EtherType(0x0100).name(), Some("802.3 length"));
    }
}
