//! Frame → [`Packet`]: which headers are there, what they say, and what is wrong with them.
//!
//! Faults are data, a [`Defect`](crate::packet::Defect) each, not errors: decoding goes on behind them as far as the
//! bytes carry it, never panics and never allocates. Lengths are those that the headers declare, never those of the
//! captured slice, so that a capture cut by its snap length still counts sequence numbers right (RFC 9293 §3.4).
//!
//! Headers are recognised one at a time by etherparse's header slices. Its whole-packet decoders stay outside the hot
//! path on purpose: the strict one refuses a packet for one cut octet, the lax one forgets which TCP header it nearly
//! had; a property test holds both to the same answer wherever they give one. Sums, options and salvage are ours.

pub mod checksum;
pub mod fields;
pub mod options;

mod defrag;
mod ether;
mod extent;
mod host;
mod icmp;
mod icmp_extension;
mod ip;
mod ip_options;
mod lan;
mod link;
mod mpls;
mod reassembly;
mod tlv;
mod transport;
mod tunnel;
mod udp_tunnel;
mod wan;
mod wlan;

use arrayvec::ArrayVec;

use crate::packet::Frame;
use crate::packet::Packet;
use crate::packet::Transport;

pub use defrag::DefragLimits;
pub use defrag::DefragStats;
pub use icmp::quoted_frame;
pub use reassembly::Decoder;

/// Reads every header of `frame` that we know. Any bytes are welcome, any link type too.
///
/// Tunnels are followed: `ip` and `transport` are those of the innermost packet, `outer` tells of the headers around it.
/// A fragment stands alone here, the first one with its ports; [`Decoder`] puts them together.
pub fn decode<'a>(frame: &Frame<'a>) -> Packet<'a> {
    let mut packet = unread(frame);
    link::read(&mut packet);
    packet
}

/// A packet of which no header has been read yet.
#[inline]
fn unread<'a>(frame: &Frame<'a>) -> Packet<'a> {
    Packet {
        meta: frame.meta,
        bytes: frame.bytes,
        layers: ArrayVec::new(),
        ip: None,
        transport: Transport::None,
        outer: ArrayVec::new(),
        reassembled: None,
        defects: ArrayVec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use etherparse::LaxSlicedPacket;
    use etherparse::TransportSlice;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::craft;
    use crate::craft::build;
    use crate::craft::script::Script;
    use crate::craft::step::Body;
    use crate::craft::step::ChecksumField;
    use crate::craft::step::Datagram;
    use crate::craft::step::Link;
    use crate::craft::step::Segment;
    use crate::craft::step::Step;
    use crate::craft::step::Tunnel;
    use crate::craft::step::TunnelKind;
    use crate::packet::ChecksumState;
    use crate::packet::DefectCode;
    use crate::packet::Endpoint;
    use crate::packet::FrameMeta;
    use crate::packet::LayerKind;
    use crate::packet::LinkType;
    use crate::packet::SeqNumber;
    use crate::packet::TcpFlags;
    use crate::packet::Timestamp;

    /// A frame of these octets, nothing cut off.
    pub(in crate::decode) fn frame(link_type: LinkType, bytes: &[u8]) -> Frame<'_> {
        Frame { meta: FrameMeta::whole(1, Timestamp::EPOCH, link_type, bytes.len() as u32), bytes }
    }

    /// A header in hexadecimal, blanks ignored.
    pub(in crate::decode) fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// The last frame of a script, for a test to tamper with.
    pub(in crate::decode) fn last(script: &str) -> (FrameMeta, Vec<u8>) {
        craft::play(script).expect("a script that reads").frames.pop().expect("a script with a packet")
    }

    /// The last frame of a script, decoded, and the names of its defects.
    pub(in crate::decode) fn decoded<T>(script: &str, look: impl FnOnce(&Packet<'_>) -> T) -> T {
        let (meta, bytes) = last(script);
        look(&decode(&Frame { meta, bytes: &bytes }))
    }

    pub(in crate::decode) fn codes(packet: &Packet<'_>) -> Vec<DefectCode> {
        packet.defects.iter().map(|defect| defect.code).collect()
    }

    pub(in crate::decode) fn kinds(packet: &Packet<'_>) -> Vec<LayerKind> {
        packet.layers.iter().map(|layer| layer.kind).collect()
    }

    /// Each header must begin where the one before it ends, inside the captured octets.
    fn layers_follow_each_other(packet: &Packet<'_>) -> bool {
        let ends = packet.layers.iter().map(|layer| layer.offset + layer.len);
        let begins = packet.layers.iter().skip(1).map(|layer| layer.offset);
        ends.clone().zip(begins).all(|(end, begin)| end == begin)
            && ends.max().unwrap_or(0) <= packet.bytes.len() as u32
    }

    /// The fields of each header, one behind the other, are the whole header.
    pub(in crate::decode) fn fields_cover_headers(packet: &Packet<'_>) {
        for layer in &packet.layers {
            let mut at = 0;
            for field in fields::describe(packet, layer) {
                assert_eq!(field.bits.0, at, "{} of {}", field.name, layer.kind.name());
                at += field.bits.1;
            }
            assert_eq!(at, layer.len * 8, "{}", layer.kind.name());
        }
    }

    /// No field of a header overlaps another, and none is left out between two: whatever the octets are.
    fn fields_follow_each_other(packet: &Packet<'_>) {
        let lists = packet.layers.iter().map(|layer| (layer.kind.name(), fields::describe(packet, layer)));
        let extensions = fields::extensions(packet).map(|found| ("extensions", found.fields));
        for (name, list) in lists.chain(extensions) {
            let mut at = 0;
            // The quote stands behind its header.
            for field in list.iter().filter(|field| field.name != "quoted_packet") {
                assert_eq!(field.bits.0, at, "{} of {name}", field.name);
                at += field.bits.1;
            }
        }
    }

    /// Options of IPv4 that leave the destination alone: a source route would change what the checksum sums.
    fn ip_options() -> impl Strategy<Value = Vec<u8>> {
        let one = prop_oneof![
            Just(vec![1; 4]),
            any::<[u8; 2]>().prop_map(|value| vec![148, 4, value[0], value[1]]),
            vec(any::<u8>(), 8).prop_map(|places| [&[1, 7, 11, 4][..], &places].concat()),
            vec(any::<u8>(), 8).prop_map(|stamps| [&[68, 12, 5, 0][..], &stamps].concat()),
            any::<u8>().prop_map(|data| vec![77, 3, data, 0]),
        ];
        vec(one, 0..=3).prop_map(|options| options.concat())
    }

    /// Hop-by-hop and destination options of any content, whole eights of them.
    fn extensions() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
        let one = (prop::sample::select(vec![0_u8, 60]), 0_usize..4, vec(any::<u8>(), 30));
        vec(one.prop_map(|(kind, eights, data)| (kind, data[..6 + eights * 8].to_vec())), 0..3)
    }

    fn link_types() -> impl Strategy<Value = LinkType> {
        prop::sample::select(
            [
                0, 1, 6, 7, 8, 9, 10, 12, 14, 50, 51, 100, 101, 104, 105, 107, 108, 109, 113, 117, 119, 122, 127, 129,
                163, 166, 178, 192, 204, 228, 229, 239, 240, 242, 258, 274, 276, 281, 282, 284, 285, 65535,
            ]
            .map(LinkType)
            .to_vec(),
        )
    }

    fn addresses() -> impl Strategy<Value = (IpAddr, IpAddr)> {
        prop_oneof![
            any::<([u8; 4], [u8; 4])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b))),
            any::<([u8; 16], [u8; 16])>().prop_map(|(a, b)| (IpAddr::from(a), IpAddr::from(b))),
        ]
    }

    fn segments() -> impl Strategy<Value = Segment> {
        let numbers = (any::<u32>(), any::<u32>(), 0u16..0x1000, any::<u16>(), any::<u16>());
        // Whole words of no-operation: what options say is for the walk's own tests.
        (numbers, 0usize..=10, vec(any::<u8>(), 0..200)).prop_map(
            |((seq, ack, flags, window, urgent), words, payload)| Segment {
                seq: SeqNumber(seq),
                ack: SeqNumber(ack),
                flags: TcpFlags::from_bits(flags),
                window,
                urgent,
                options: vec![1; words * 4],
                header_len: None,
                payload,
            },
        )
    }

    fn links() -> impl Strategy<Value = Link> {
        prop::sample::select(vec![Link::Ethernet, Link::Raw, Link::Sll, Link::Sll2, Link::Null, Link::Loop])
    }

    fn tunnels() -> impl Strategy<Value = Option<Tunnel>> {
        let kinds = ["ipip", "gre", "gretap", "vxlan", "geneve", "gtp", "none"].map(TunnelKind::named);
        (prop::sample::select(kinds.to_vec()), addresses())
            .prop_map(|(kind, (src, dst))| kind.map(|kind| Tunnel { kind, src, dst }))
    }

    fn steps() -> impl Strategy<Value = Step> {
        let body = prop_oneof![
            segments().prop_map(Body::Tcp),
            vec(any::<u8>(), 0..200).prop_map(|payload| Body::Udp(Datagram { payload, length: None })),
        ];
        let outside = (any::<u8>(), any::<u8>(), any::<u16>(), vec(0u16..4096, 0..4), 0u16..20);
        (addresses(), 1u16.., 1u16.., outside, body).prop_map(
            |((src, dst), from, to, (ttl, tos, id, vlans, trailer), body)| {
                let (src, dst) = (Endpoint { addr: src, port: from }, Endpoint { addr: dst, port: to });
                let mut step = Step::new(Timestamp::EPOCH, src, dst);
                (step.ttl, step.traffic_class, step.id) = (ttl, tos, Some(id));
                (step.vlans, step.trailer, step.body) = (vlans, trailer, body);
                step
            },
        )
    }

    proptest! {
        #[test]
        fn any_octets_decode_under_any_link_type(link_type in link_types(), bytes in vec(any::<u8>(), 0..200), more in 0u32..2000) {
            let mut frame = frame(link_type, &bytes);
            frame.meta.origlen += more;
            let packet = decode(&frame);
            prop_assert!(layers_follow_each_other(&packet), "{:?}", packet.layers);
            fields_follow_each_other(&packet);
        }

        #[test]
        fn a_packet_with_any_octets_overwritten_still_decodes(
            mut step in steps(),
            inside in (ip_options(), extensions()),
            link in links(),
            wounds in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            keep in any::<prop::sample::Index>(),
        ) {
            (step.ip_options, step.extensions) = inside;
            let mut bytes = build::frame(&step, link, &build::ip_packet(&step, 1, &[]));
            for (at, octet) in wounds {
                let at = at.index(bytes.len());
                bytes[at] = octet;
            }
            let mut frame = frame(link.link_type(), &bytes);
            frame.bytes = &bytes[..keep.index(bytes.len() + 1)];
            frame.meta.caplen = frame.bytes.len() as u32;
            let packet = decode(&frame);
            prop_assert!(layers_follow_each_other(&packet), "{:?}", packet.layers);
            if let Transport::Tcp(tcp) = &packet.transport {
                prop_assert!(tcp.payload.len() <= tcp.len as usize);
                prop_assert!(tcp.sound || tcp.options.is_empty());
            }
            if let Transport::Udp(udp) = &packet.transport {
                prop_assert!(udp.payload.len() <= udp.len as usize);
            }
            fields_follow_each_other(&packet);
        }

        #[test]
        fn what_was_crafted_is_what_is_decoded(
            mut step in steps(),
            link in links(),
            mpls in vec(0u32..1 << 20, 0..3),
            pppoe in any::<Option<u16>>(),
            tunnel in tunnels(),
            inside in (ip_options(), extensions()),
        ) {
            // Tags and their like take layers, of which there are not so many.
            step.vlans.truncate(2);
            (step.mpls, step.pppoe, step.tunnel) = (mpls, pppoe, tunnel);
            (step.ip_options, step.extensions) = inside;
            let bytes = build::frames(&step, link, 1, &build::ip_packet(&step, 1, &[])).remove(0);
            let packet = decode(&frame(link.link_type(), &bytes));
            let ip = packet.ip.expect("an IP header");
            prop_assert_eq!((ip.src, ip.dst), (step.src.addr, step.dst.addr));
            prop_assert_eq!((ip.ttl, ip.traffic_class), (step.ttl, step.traffic_class));
            if ip.version == 4 {
                prop_assert_eq!((ip.id, ip.checksum), (step.id.map(u32::from), ChecksumState::Good));
            }
            let layer = |kind| packet.layers.iter().filter(move |layer| layer.kind == kind);
            let octets = |layer: &crate::packet::Layer| &packet.bytes[layer.offset as usize..][..layer.len as usize];
            match ip.version {
                4 => prop_assert_eq!(&octets(layer(LayerKind::Ipv4).next_back().expect("a header"))[20..], &step.ip_options),
                _ => {
                    let found: Vec<_> = packet.layers.iter().filter_map(|layer| match layer.kind {
                        LayerKind::HopByHop => Some((0, octets(layer)[2..].to_vec())),
                        LayerKind::DestinationOptions => Some((60, octets(layer)[2..].to_vec())),
                        _ => None,
                    }).collect();
                    prop_assert_eq!(&found, &step.extensions);
                }
            }
            fields_follow_each_other(&packet);
            prop_assert_eq!(packet.endpoints().map(|(_, src, dst)| (src, dst)), Some((step.src, step.dst)));
            match (&step.body, &packet.transport) {
                (Body::Tcp(sent), Transport::Tcp(read)) => {
                    prop_assert_eq!((sent.seq, sent.ack, sent.flags), (read.seq, read.ack, read.flags));
                    prop_assert_eq!((sent.window, sent.urgent), (read.window, read.urgent));
                    prop_assert_eq!((&sent.options[..], &sent.payload[..]), (read.options, read.payload));
                    prop_assert_eq!((read.len as usize, read.checksum), (sent.payload.len(), ChecksumState::Good));
                }
                (Body::Udp(sent), Transport::Udp(read)) => {
                    prop_assert_eq!(&sent.payload[..], read.payload);
                    prop_assert_eq!(read.checksum, ChecksumState::Good);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn a_wrong_checksum_is_told_with_the_right_one(step in steps()) {
            let right = build::ip_packet(&step, 1, &[]);
            let wrong = build::ip_packet(&Step { checksum: ChecksumField::Bad, ..step.clone() }, 1, &[]);
            let field = |packet: &Packet<'_>| match &packet.transport {
                Transport::Tcp(tcp) => (tcp.checksum_field, tcp.checksum),
                Transport::Udp(udp) => (udp.checksum_field, udp.checksum),
                other => panic!("{other:?}"),
            };
            let (good, state) = field(&decode(&frame(LinkType::RAW, &right)));
            prop_assert_eq!(state, ChecksumState::Good);
            prop_assert_eq!(field(&decode(&frame(LinkType::RAW, &wrong))).1, ChecksumState::Bad { expected: good });
        }

        #[test]
        fn etherparse_reads_the_same_packet(step in steps(), keep in any::<prop::sample::Index>()) {
            // Its reader follows three tags at most.
            let whole = build::frame(&step, Link::Ethernet, &build::ip_packet(&step, 1, &[]));
            let mut frame = frame(LinkType::ETHERNET, &whole[..keep.index(whole.len()) + 1]);
            frame.meta.origlen = whole.len() as u32;
            let ours = decode(&frame);
            if let Ok(theirs) = LaxSlicedPacket::from_ethernet(frame.bytes) {
                match theirs.transport {
                    Some(TransportSlice::Tcp(tcp)) => {
                        let read = ours.tcp().expect("a segment that etherparse found");
                        prop_assert_eq!((read.src_port, read.seq.0), (tcp.source_port(), tcp.sequence_number()));
                        prop_assert_eq!((read.options, read.payload), (tcp.options(), tcp.payload()));
                    }
                    Some(TransportSlice::Udp(udp)) => {
                        let read = ours.udp().expect("a datagram that etherparse found");
                        prop_assert_eq!((read.src_port, read.payload), (udp.source_port(), udp.payload()));
                    }
                    // Ours may still have saved a header that was cut within its options.
                    _ => prop_assert!(ours.udp().is_none()),
                }
            }
        }
    }

    #[test]
    fn a_script_parsed_twice_gives_the_same_octets() {
        let script: Script = craft::script::parse("0 C > S S 1:1(0)").expect("a script");
        assert_eq!(craft::Trace::of(&script).frames, craft::Trace::of(&script).frames);
    }
}
