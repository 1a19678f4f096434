//! Every field of one header, raw and with its meaning: what header tables and JSON are made from.
//!
//! Fields are read again from the frame's octets, bit by bit, so that a header shows what it holds and not only what
//! the trackers need. Fields beyond the captured octets are left out. This is for display: it may allocate.

mod host;
mod icmp;
mod icmp_extension;
mod ip;
mod ip6_option;
mod ip_option;
mod lan;
mod link;
mod mptcp;
mod neighbor;
mod option;
mod said;
mod sum;
mod transport;
mod tunnel;

use crate::packet::ChecksumState;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;

pub use icmp_extension::Extensions;
pub use icmp_extension::extensions;
pub use mptcp::Mptcp;
pub use mptcp::mptcp;
pub use option::acc_ecn_counters;
pub use option::experiment;
pub use option::kind_name;
pub use said::Parts;
pub use said::Said;
pub use sum::Obstacle;
pub use sum::PseudoHeader;
pub use sum::Summed;
pub use sum::checksum_of;

/// One field of a header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field {
    /// The RFC's name in snake_case, `data_offset`; an option is `option: MSS`.
    pub name: &'static str,
    /// Offset within the header and width, both in bits.
    pub bits: (u32, u32),
    /// What stands there.
    pub raw: Raw,
    /// What it means, in words or in its usual notation; sums are written out.
    pub meaning: String,
    /// It is an element of a list: the name of that list for programs, and what it says.
    pub item: Option<(&'static str, Said)>,
}

/// What stands in a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Raw {
    /// Up to 128 bits, most significant first.
    Number(u128),
    /// Octets, for fields that are no number; the first 65,536 of them. Only a chain of IPv6 extension headers is longer.
    Bytes(Vec<u8>),
}

/// The fields of `layer`, in wire order. `layer` is one of `packet.layers`; any other gives what its octets would say.
pub fn describe(packet: &Packet<'_>, layer: &Layer) -> Vec<Field> {
    let from = layer.offset as usize;
    let bytes = packet.bytes.get(from..from.saturating_add(layer.len as usize)).unwrap_or(&[]);
    let mut sheet = Sheet { bytes, fields: Vec::new() };
    match layer.kind {
        LayerKind::Ethernet => link::ethernet(&mut sheet),
        LayerKind::Vlan => link::vlan(&mut sheet),
        LayerKind::Sll => link::sll(&mut sheet),
        LayerKind::Sll2 => link::sll2(&mut sheet),
        LayerKind::Null => link::null(&mut sheet),
        LayerKind::Arp => link::arp(&mut sheet),
        LayerKind::Ipv4 => ip::ipv4(&mut sheet, packet, layer),
        LayerKind::Ipv6 => ip::ipv6(&mut sheet, packet, layer),
        LayerKind::HopByHop | LayerKind::DestinationOptions => ip::options_header(&mut sheet),
        LayerKind::Routing => ip::routing(&mut sheet, packet, layer),
        LayerKind::FragmentHeader => ip::fragment(&mut sheet),
        LayerKind::Ah => ip::authentication(&mut sheet),
        LayerKind::Tcp => transport::tcp(&mut sheet, packet, layer),
        LayerKind::Udp => transport::udp(&mut sheet, packet, layer),
        LayerKind::Icmp => icmp::message(&mut sheet, packet, layer, 4),
        LayerKind::Icmpv6 => icmp::message(&mut sheet, packet, layer, 6),
        LayerKind::Gre => tunnel::gre(&mut sheet, packet, layer),
        LayerKind::L2tpv3 => tunnel::l2tp_v3(&mut sheet, packet, layer),
        LayerKind::Frame | LayerKind::Payload => {}
        other => describe_rarer(&mut sheet, other),
    }
    sheet.fields
}

fn describe_rarer(sheet: &mut Sheet<'_>, kind: LayerKind) {
    match kind {
        LayerKind::Llc => lan::llc(sheet),
        LayerKind::Ppp => lan::ppp(sheet),
        LayerKind::Pppoe => lan::pppoe(sheet),
        LayerKind::Chdlc => lan::chdlc(sheet),
        LayerKind::FrameRelay => lan::frame_relay(sheet),
        LayerKind::Slip => lan::slip(sheet),
        LayerKind::Fddi => lan::fddi(sheet),
        LayerKind::TokenRing => lan::token_ring(sheet),
        LayerKind::Arcnet => lan::arcnet(sheet),
        LayerKind::Ipoib => lan::ipoib(sheet),
        LayerKind::FibreChannel => lan::fibre_channel(sheet),
        LayerKind::Macsec => lan::macsec(sheet),
        LayerKind::Pbb => lan::pbb(sheet),
        LayerKind::FabricPath => lan::fabricpath(sheet),
        LayerKind::SwitchTag => lan::switch_tag(sheet),
        LayerKind::Radiotap => host::radiotap(sheet),
        LayerKind::Wlan => lan::wlan(sheet),
        LayerKind::Amsdu => lan::amsdu(sheet),
        LayerKind::Ppi => lan::ppi(sheet),
        LayerKind::Nflog => host::nflog(sheet),
        LayerKind::Pktap => lan::pktap(sheet),
        LayerKind::Pflog => lan::pflog(sheet),
        LayerKind::Mpls => tunnel::mpls(sheet),
        LayerKind::ControlWord => tunnel::control_word(sheet),
        LayerKind::Eoip => tunnel::eoip(sheet),
        LayerKind::Erspan => tunnel::erspan(sheet),
        LayerKind::EtherIp => tunnel::ether_ip(sheet),
        LayerKind::Vxlan => tunnel::vxlan(sheet),
        LayerKind::Geneve => tunnel::geneve(sheet),
        LayerKind::Gtp => tunnel::gtp(sheet),
        LayerKind::L2tp => tunnel::l2tp(sheet),
        LayerKind::Teredo => tunnel::teredo(sheet),
        // A chain of extension headers longer than anybody needs, and Prism, ENC, Juniper, preambles, WCCP: makers' formats, shown as they are.
        _ => lan::opaque(sheet),
    }
}

/// The fields of one header in the making.
struct Sheet<'a> {
    bytes: &'a [u8],
    fields: Vec<Field>,
}

impl<'a> Sheet<'a> {
    /// Adds a number of at most 128 bits, if it was captured.
    fn number(&mut self, name: &'static str, at: u32, width: u32, meaning: impl FnOnce(u128) -> String) {
        if let Some(value) = self.peek(at, width) {
            let (bits, raw, meaning) = ((at, width), Raw::Number(value), meaning(value));
            self.fields.push(Field { name, bits, raw, meaning, item: None });
        }
    }

    /// Adds a number that means itself.
    fn plain(&mut self, name: &'static str, at: u32, width: u32) {
        self.number(name, at, width, |value| value.to_string());
    }

    /// Adds one bit: `set` or `not set`.
    fn bit(&mut self, name: &'static str, at: u32) {
        self.number(name, at, 1, |value| if value == 1 { "set" } else { "not set" }.to_owned());
    }

    /// Adds octets from `from` up to `to`, as far as they were captured, unless there are none.
    fn octets(&mut self, name: &'static str, from: usize, to: usize, meaning: impl FnOnce(&[u8]) -> String) {
        let octets = self.span(from, to);
        if !octets.is_empty() {
            let bits = (from as u32 * 8, octets.len() as u32 * 8);
            let (raw, meaning) = (Raw::Bytes(octets[..octets.len().min(MOST_RAW)].to_vec()), meaning(octets));
            self.fields.push(Field { name, bits, raw, meaning, item: None });
        }
    }

    /// Adds the octets from `from` up to `to` as an element of `list`.
    fn item(
        &mut self,
        name: &'static str,
        (from, to): (usize, usize),
        meaning: String,
        list: &'static str,
        said: Said,
    ) {
        self.octets(name, from, to, |_| meaning);
        if let Some(field) = self.fields.last_mut().filter(|field| field.bits.0 == from as u32 * 8) {
            field.item = Some((list, said));
        }
    }

    /// Adds sixteen octets from `from`, an address, as an element of `list`.
    fn stop(&mut self, name: &'static str, from: usize, list: &'static str, more: impl FnOnce() -> String) {
        let said = Said::address(self.span(from, from + 16));
        self.number(name, from as u32 * 8, 128, |_| format!("{said}{}", more()));
        if let Some(field) = self.fields.last_mut().filter(|field| field.bits.0 == from as u32 * 8) {
            field.item = Some((list, said));
        }
    }

    /// The captured octets of a stretch of the header.
    fn span(&self, from: usize, to: usize) -> &'a [u8] {
        self.bytes.get(from..to.min(self.bytes.len())).unwrap_or(&[])
    }

    /// The bits from `at`, `None` where they were not captured.
    fn peek(&self, at: u32, width: u32) -> Option<u128> {
        debug_assert!(width <= 128, "a number has at most 128 bits");
        let last = at.checked_add(width)?.div_ceil(8) as usize;
        self.bytes.get(..last)?;
        Some((at..at + width).fold(0, |value, bit| {
            let octet = self.bytes[bit as usize / 8];
            value << 1 | u128::from(octet >> (7 - bit % 8) & 1)
        }))
    }
}

/// Octets of a field that are kept: a header tells its length in 16 bits at most.
const MOST_RAW: usize = 1 << 16;

/// `3 octets`, `1 octet`.
fn octets(count: impl Into<u64>) -> String {
    match count.into() {
        1 => "1 octet".to_owned(),
        count => format!("{count} octets"),
    }
}

/// Octets in hexadecimal, without blanks; of long ones the beginning.
fn hex(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let mut text: String = bytes.iter().take(SHOWN).map(|octet| format!("{octet:02x}")).collect();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}

/// A checksum's state and what it was computed to.
fn checksum(state: ChecksumState, field: u128) -> String {
    match state {
        ChecksumState::Good => format!("good: computed {field:#06x} too"),
        ChecksumState::Partial => "partial: left for the network card to finish".to_owned(),
        ChecksumState::Bad { expected } => format!("bad: computed {expected:#06x}"),
        ChecksumState::Absent => "absent: the sender computed none".to_owned(),
        ChecksumState::Illegal => "illegal: IPv6 needs one".to_owned(),
        ChecksumState::Unverifiable => "cannot be checked: not all of the datagram is here".to_owned(),
        ChecksumState::None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::decode::tests::decoded;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::frame;
    use crate::decode::tests::hex as hex_of;
    use crate::packet::LinkType;

    /// What the fields of `kind` in the last packet of a script mean, by name.
    fn meaning(script: &str, kind: LayerKind, name: &str) -> String {
        decoded(script, |packet| {
            let layer = packet.layers.iter().find(|layer| layer.kind == kind).expect("the layer");
            let fields = describe(packet, layer);
            fields.into_iter().find(|field| field.name == name).expect("the field").meaning
        })
    }

    const TS: &str = "0 C > S P. 1000:1008(8) ack 5 <nop, nop, ts 1 2>";

    #[test]
    fn fields_cover_every_bit_of_each_header_once_and_in_order() {
        for script in [
            format!("vlan 5\n{TS}"),
            format!("link sll\n{TS}"),
            format!("link sll2\n{TS}"),
            format!("link null\n{TS}"),
            "0 C > S S 1:1(0) <mss 1460, sackOK, ts 1 0, nop, wscale 7>".to_owned(),
            "0 C > S . 1:1(0) ack 2 <sack 1:2 3:4, eol>".to_owned(),
            "0 C > S udp (20)".to_owned(),
            "0 C > S icmp echo-request (20)".to_owned(),
            "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n0 A > B udp (20) mf".to_owned(),
            format!("mpls 16 17\npppoe 7\n{TS}"),
            format!("tunnel gretap 192.0.2.1 > 192.0.2.2\n{TS}"),
            format!("tunnel vxlan 192.0.2.1 > 192.0.2.2\n{TS}"),
            format!("tunnel geneve 192.0.2.1 > 192.0.2.2\n{TS}"),
            format!("tunnel gtp 192.0.2.1 > 192.0.2.2\n{TS}"),
        ] {
            decoded(&script, fields_cover_headers);
        }
    }

    #[test]
    fn lengths_are_written_as_sums() {
        let total = |script: &str| meaning(script, LayerKind::Ipv4, "total_length");
        assert_eq!(total(TS), "60 octets − 20 IP − 32 TCP = 8 octets of payload");
        assert_eq!(meaning(TS, LayerKind::Tcp, "data_offset"), "8 × 4 = 32 octets = 20 + 12 of options");
        assert_eq!(total("0 C > S udp (1)"), "29 octets − 20 IP − 8 UDP = 1 octet of payload");
        assert_eq!(
            total("0 C > S . 1:11(10) iplen 60"),
            "60 octets, the frame holds 50: 50 − 20 IP − 20 TCP = 10 octets of payload"
        );
        assert_eq!(
            total("0 C > S . 1:11(10) iplen 0"),
            "0 by offload or as a jumbogram: 50 octets − 20 IP − 20 TCP = 10 octets of payload"
        );
        assert_eq!(meaning("0 C > S udp (20)", LayerKind::Udp, "length"), "28 octets − 8 UDP = 20 octets of payload");
    }

    #[test]
    fn a_checksum_tells_its_state_and_what_it_was_computed_to() {
        let checksum = |state: &str| meaning(&format!("0 C > S . 1:1(0) checksum {state}"), LayerKind::Tcp, "checksum");
        let good = checksum("good");
        let value = good.strip_prefix("good: computed ").and_then(|rest| rest.strip_suffix(" too")).expect("a value");
        assert_eq!(checksum("bad"), format!("bad: computed {value}"));
        assert!(checksum("partial").starts_with("partial"));
    }

    #[test]
    fn the_sequence_number_tells_what_comes_next() {
        let seq = |script: &str| meaning(script, LayerKind::Tcp, "sequence_number");
        assert_eq!(seq("0 C > S S 4294967295:4294967295(0)"), "4294967295 + SYN = 0 comes next");
        assert_eq!(seq("0 C > S F. 7:10(3)"), "7 + 3 octets + FIN = 11 comes next");
        assert_eq!(seq("0 C > S . 7:7(0)"), "7, takes none");
    }

    #[test]
    fn an_option_is_one_field_with_kind_length_and_meaning() {
        let script = "0 C > S S 1:1(0) <mss 1460, tfo 01020304, opt 77 0xff, wscale 15, raw 0x0205, raw 0xff>";
        decoded(script, |packet| {
            let tcp = packet.layers.last().expect("TCP");
            let fields = describe(packet, tcp);
            let options: Vec<_> =
                fields.iter().filter(|field| field.name.starts_with("option")).map(|f| (f.name, &*f.meaning)).collect();
            assert_eq!(options[0], ("option: MSS", "kind 2, length 4: 1460 octets at most in a segment"));
            assert_eq!(options[1], ("option: Fast Open", "kind 34, length 6: cookie 01020304"));
            assert_eq!(options[2], ("option: unknown", "kind 77, length 3: ff"));
            assert_eq!(options[3], ("option: window scale", "kind 3, length 3: shift 15, above 14: used as 14"));
            assert_eq!(options[4], ("option: malformed", "kind 2, length 5: malformed, 4 octets there"));
        });
    }

    #[test]
    fn rarer_options_are_spelled_out_too() {
        for (option, words) in [
            ("opt 30 0x0181", "option: MPTCP = kind 30, length 4: mp-capable (subtype 0): version 1, flags AH"),
            (
                "opt 30 0x2001000000",
                "option: MPTCP = kind 30, length 7: dss (subtype 2), not a length it has: data 2001000000",
            ),
            ("opt 28 0x8005", "option: user timeout = kind 28, length 4: 5 min"),
            ("opt 29 0x0102aabb", "option: TCP-AO = kind 29, length 6: key 1, next key 2, MAC aabb"),
            ("opt 172 0x000001000002", "option: AccECN = kind 172, length 8: EE0B 1, ECEB 2"),
            ("opt 174 0x000001", "option: AccECN = kind 174, length 5: EE1B 1"),
            ("opt 254 0xf98901020304", "option: experiment = kind 254, length 8: Fast Open (0xf989), 01020304"),
            ("opt 253 0xe2d4c3d9", "option: experiment = kind 253, length 6: SMC-R (0xe2d4c3d9)"),
            ("opt 253 0xabcd01", "option: experiment = kind 253, length 5: experiment 0xabcd 01"),
            ("opt 27 0x0102030405", "option: unknown = kind 27, length 7: Quick-Start response 0102030405"),
        ] {
            let told = decoded(&format!("0 C > S S 1:1(0) <{option}>"), |packet| {
                let fields = describe(packet, packet.layers.last().expect("TCP"));
                let field = fields.iter().find(|field| field.name.starts_with("option")).expect("an option").clone();
                format!("{} = {}", field.name, field.meaning)
            });
            assert_eq!(told, words);
        }
    }

    #[test]
    fn an_option_that_the_capture_cut_is_not_called_malformed() {
        let script = "0 C > S S 1:1(0) <mss 1460, ts 1 2, nop, nop>";
        let last = |script: &str| {
            decoded(script, |packet| {
                describe(packet, packet.layers.last().expect("TCP")).pop().expect("a field").meaning
            })
        };
        assert_eq!(last(&format!("{script} snaplen 62")), "kind 8: cut by the capture");
        assert_eq!(last(script), "kind 1: padding");
    }

    #[test]
    fn a_quoted_packet_is_told_beside_the_message_that_quotes_it() {
        let script = "0 C > S . 5:9(4)\n0 S > C icmp fragmentation-needed mtu 1400";
        let quote = meaning(script, LayerKind::Icmp, "quoted_packet");
        assert_eq!(quote, "tcp 10.0.0.1:40000 > 10.0.0.2:80, seq 5, ACK");
        assert_eq!(meaning(script, LayerKind::Icmp, "next_hop_mtu"), "1400 octets");
    }

    #[test]
    fn every_field_of_a_neighbor_advertisement_is_told() {
        let head =
            "6000 0000 0020 3aff fe80 0000 0000 0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0000 0000 0001";
        let body = "8800 0000 a000 0000 fe80 0000 0000 0000 0000 0000 0000 0001 0201 0200 0000 0001";
        let bytes = [hex_of(head), hex_of(body)].concat();
        let packet = decode(&frame(LinkType::RAW, &bytes));
        fields_cover_headers(&packet);
        let fields = describe(&packet, &packet.layers[1]);
        let of = |name| &*fields.iter().find(|field| field.name == name).expect("the field").meaning;
        assert_eq!((of("type"), of("target_address")), ("neighbor advertisement", "fe80::1"));
        assert_eq!((of("router"), of("solicited"), of("override")), ("set", "not set", "set"));
        assert_eq!(
            of("option: target"),
            "type 2, 1 × 8 octets, target-link-layer-address: link layer address 02:00:00:00:00:01"
        );
    }

    #[test]
    fn every_icmp_message_is_covered_by_its_fields() {
        for kind in 0..=255_u8 {
            for (version, protocol) in [(4, 1), (6, 58)] {
                let body = [&[kind, 4, 0, 0][..], &[7; 60]].concat();
                let bytes = if version == 4 {
                    [hex_of("4500 0054 0000 0000 4001 0000 c000 0201 c000 0202"), body].concat()
                } else {
                    [hex_of("6000 0000 0040"), vec![protocol, 64], vec![0x20; 32], body].concat()
                };
                let packet = decode(&frame(LinkType::RAW, &bytes));
                let layer = packet.layers[1];
                let mut at = 0;
                for field in describe(&packet, &layer).iter().filter(|field| field.name != "quoted_packet") {
                    assert_eq!(field.bits.0, at, "{} of type {kind}, version {version}", field.name);
                    at += field.bits.1;
                }
                assert_eq!(at, layer.len * 8, "type {kind}, version {version}");
            }
        }
    }

    #[test]
    fn octets_that_were_not_captured_give_no_field() {
        let bytes = [0u8; 10];
        let mut frame = frame(LinkType::ETHERNET, &bytes);
        frame.meta.origlen = 60;
        let packet = decode(&frame);
        let names: Vec<_> = describe(&packet, &packet.layers[0]).iter().map(|field| field.name).collect();
        assert_eq!(names, ["destination"]);
    }
}
