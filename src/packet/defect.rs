//! What is wrong with the bytes of a packet: data, not errors. Decoding goes on behind a defect.

use std::fmt;

use crate::packet::headers::LayerKind;

/// One fault in one header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Defect {
    /// What is wrong.
    pub code: DefectCode,
    /// In which layer.
    pub layer: LayerKind,
    /// Octet of the frame where it shows.
    pub offset: u32,
    /// The value found.
    pub found: u32,
    /// The value, or the limit, that was expected.
    pub expected: u32,
}

macro_rules! defect_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// Stable name of a fault. `found` and `expected` are the two numbers of [`Defect`].
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum DefectCode { $($(#[$doc])* $name,)* }

        impl DefectCode {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Stable, kebab-case.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it means; `{found}` and `{expected}` stand for the numbers.
            pub const fn template(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

defect_codes! {
    /// The capture kept less of this header than it has.
    HeaderCut = "header-cut", "header needs {expected} octets, {found} captured";
    /// The packet ends before the header does, though the capture is whole.
    HeaderShort = "header-short", "header needs {expected} octets, the packet holds {found}";
    /// IP version field does not fit the layer that carried it.
    IpVersion = "ip-version", "IP version {found}, expected {expected}";
    /// IHL below five words.
    IpHeaderLength = "ip-header-length", "IP header length {found} octets, at least {expected} needed";
    /// Total length smaller than the header or larger than what the link delivered.
    IpTotalLength = "ip-total-length", "IP length field says {found} octets, {expected} are there";
    /// Total length 0: segmentation offload on the capturing host; the captured length is used.
    IpLengthZero = "ip-length-zero", "IP length field is 0 (offload), {expected} octets taken from the frame";
    /// IPv4 header checksum does not match.
    IpChecksum = "ip-checksum", "IP header checksum {found:#06x}, computed {expected:#06x}";
    /// An IP option's length is impossible.
    IpOptionLength = "ip-option-length", "option length {found}, {expected} octets remain";
    /// An IP option's length is not its kind's.
    IpOptionSize = "ip-option-size", "option length {found}, its kind has {expected}";
    /// The pointer of a route or of time stamps stands before the first of them.
    IpOptionPointer = "ip-option-pointer", "option pointer {found}, the first place is {expected}";
    /// Octets other than zero behind the end-of-list option of IPv4.
    IpOptionsAfterEnd = "ip-options-after-end", "{found} octets that are not zero behind the end of the option list";
    /// A routing header says that more of its stops are left than it lists.
    RoutingSegments = "routing-segments", "{found} stops of the route are left, it lists {expected}";
    /// More extension headers than any host has a use for; they are followed to their end.
    ExtensionChain = "extension-chain", "more than {expected} extension headers";
    /// A fragment covers octets that an earlier fragment has brought already, other ones or in other bounds.
    FragmentOverlap = "fragment-overlap", "{found} octets of this fragment were there already, the first at octet {expected} of the datagram: the first ones count";
    /// A fragment reaches past the end of its datagram, or past what IP can carry.
    FragmentBeyond = "fragment-beyond", "fragment reaches to octet {found}, its datagram ends at {expected}";
    /// More link-layer tags or nested headers than we follow.
    LayerDepth = "layer-depth", "more than {expected} layers";
    /// Data offset below five words.
    TcpDataOffset = "tcp-data-offset", "data offset {found} octets, at least {expected} needed";
    /// Data offset past the end of the segment.
    TcpDataOffsetBeyond = "tcp-data-offset-beyond", "data offset {found} octets, the segment has {expected}";
    /// An option's length is impossible.
    TcpOptionLength = "tcp-option-length", "option length {found}, {expected} octets remain";
    /// An option's length is not its kind's.
    TcpOptionSize = "tcp-option-size", "option length {found}, its kind has {expected}";
    /// Octets other than zero behind the end-of-list option.
    TcpOptionsAfterEnd = "tcp-options-after-end", "{found} octets that are not zero behind the end of the option list";
    /// TCP checksum does not match.
    TcpChecksum = "tcp-checksum", "TCP checksum {found:#06x}, computed {expected:#06x}";
    /// SYN and FIN together, or SYN and RST: no host sends these.
    TcpFlagsIllegal = "tcp-flags-illegal", "flags {found:#05x} never belong together";
    /// No flag at all.
    TcpFlagsNone = "tcp-flags-none", "no flag is set";
    /// Port 0.
    PortZero = "port-zero", "port 0 is reserved";
    /// Length field below eight.
    UdpLengthShort = "udp-length-short", "UDP length {found}, at least {expected} needed";
    /// Length field past the IP payload.
    UdpLengthBeyond = "udp-length-beyond", "UDP length {found}, IP carries {expected}";
    /// Octets behind the datagram's end inside the IP packet.
    UdpTrailing = "udp-trailing", "UDP length {found}, IP carries {expected}: the rest is no part of the datagram";
    /// UDP checksum does not match.
    UdpChecksum = "udp-checksum", "UDP checksum {found:#06x}, computed {expected:#06x}";
    /// UDP over IPv6 without checksum.
    UdpChecksumIllegal = "udp-checksum-illegal", "UDP checksum 0 over IPv6";
    /// ICMP checksum does not match.
    IcmpChecksum = "icmp-checksum", "ICMP checksum {found:#06x}, computed {expected:#06x}";
    /// An ICMP message quotes less than it says.
    IcmpQuoteLength = "icmp-quote-length", "the quote has {found} octets by its length, {expected} are there";
    /// The extensions of an ICMP message do not add up to their checksum.
    IcmpExtensionChecksum = "icmp-extension-checksum", "ICMP extension checksum {found:#06x}, computed {expected:#06x}";
    /// An extension object's length is impossible.
    IcmpObjectLength = "icmp-object-length", "extension object of {found} octets, {expected} remain";
    /// A link type that we cannot read.
    UnknownLink = "unknown-link", "link type {found} is not decoded";
}

/// The meaning with its numbers filled in.
impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.code.template();
        while let Some(open) = rest.find('{') {
            let Some(len) = rest[open..].find('}') else { break };
            f.write_str(&rest[..open])?;
            match &rest[open + 1..open + len] {
                "found" => write!(f, "{}", self.found)?,
                "expected" => write!(f, "{}", self.expected)?,
                "found:#06x" => write!(f, "{:#06x}", self.found)?,
                "found:#05x" => write!(f, "{:#05x}", self.found)?,
                "expected:#06x" => write!(f, "{:#06x}", self.expected)?,
                other => debug_assert!(false, "a template names only the two numbers, not {other}"),
            }
            rest = &rest[open + len + 1..];
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_reads_as_a_sentence_with_its_numbers() {
        let defect =
            Defect { code: DefectCode::TcpChecksum, layer: LayerKind::Tcp, offset: 50, found: 0xab, expected: 0x1234 };
        assert_eq!(defect.to_string(), "TCP checksum 0x00ab, computed 0x1234");
    }

    #[test]
    fn every_template_names_only_the_two_numbers() {
        for &code in DefectCode::ALL {
            let text = Defect { code, layer: LayerKind::Tcp, offset: 0, found: 1, expected: 2 }.to_string();
            assert!(!text.contains('{'), "{}: {text}", code.code());
        }
    }
}
