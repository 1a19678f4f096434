//! Decoding with a memory: fragments are kept, and the frame that makes a datagram whole is decoded as if the datagram
//! had never been cut.
//!
//! RFC 9293 knows segments, not fragments: a segment is judged once, on the frame that completes it. A fragment that
//! waits has no ports; one whose octets were not all captured is decoded by itself, as without memory. Datagrams in
//! tunnels are put together too, and so is a tunnel's own packet, one inside the other.

use std::net::IpAddr;

use crate::decode::decode;
use crate::decode::defrag::Defrag;
use crate::decode::defrag::DefragLimits;
use crate::decode::defrag::DefragStats;
use crate::decode::defrag::Fragment;
use crate::decode::defrag::Key;
use crate::decode::defrag::Taken;
use crate::decode::defrag::Whole;
use crate::decode::extent::Extent;
use crate::decode::extent::note;
use crate::decode::ip;
use crate::decode::ip::Carried;
use crate::decode::link;
use crate::decode::unread;
use crate::packet::DefectCode;
use crate::packet::Frame;
use crate::packet::IpHeader;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Reassembled;
use crate::packet::Transport;

/// Decodes the frames of one capture, in order, and puts fragments together. Allocates for fragments only.
#[derive(Debug)]
pub struct Decoder {
    table: Defrag,
    /// A datagram in a datagram that were both cut needs two; no third is followed.
    buffers: [Vec<u8>; 2],
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(DefragLimits::default())
    }
}

impl Decoder {
    /// A decoder that keeps fragments within `limits`.
    pub fn new(limits: DefragLimits) -> Self {
        Self { table: Defrag::new(limits), buffers: [Vec::new(), Vec::new()] }
    }

    /// Reads every header of `frame`, as [`decode`] does, and those of the datagram that it completes.
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Packet<'a> {
        let packet = decode(frame);
        match &packet.ip {
            Some(ip) if ip.is_fragment() => put_together(&mut self.table, &mut self.buffers, packet),
            _ => packet,
        }
    }

    /// The same, handing the packet over where it was read: one that is large is not moved.
    #[inline]
    pub fn hand<R>(&mut self, frame: &Frame<'_>, take: impl FnOnce(&Packet<'_>) -> R) -> R {
        let mut packet = unread(frame);
        link::read(&mut packet);
        match &packet.ip {
            Some(ip) if ip.is_fragment() => take(&put_together(&mut self.table, &mut self.buffers, packet)),
            _ => take(&packet),
        }
    }

    /// What became of fragments so far.
    pub fn stats(&self) -> DefragStats {
        self.table.stats()
    }
}

#[cold]
fn put_together<'a>(table: &mut Defrag, buffers: &'a mut [Vec<u8>], mut packet: Packet<'a>) -> Packet<'a> {
    let Some((buffer, others)) = buffers.split_first_mut() else { return packet };
    let Some(found) = Found::in_packet(&packet) else { return packet };
    let Some(octets) = packet.bytes.get(found.payload.at..found.payload.end) else { return packet };
    let fragment = Fragment {
        frame: packet.meta.number,
        at: packet.meta.at,
        offset: found.ip.fragment_offset,
        more: found.ip.more_fragments,
        protocol: found.ip.protocol,
        octets,
    };
    buffer.clear();
    buffer.extend_from_slice(&packet.bytes[..found.payload.at]);
    let taken = table.take(found.key, &fragment, buffer);
    // Whatever was read of the payload by itself will be read again in its place, or waits.
    packet.layers.truncate(found.layers);
    packet.defects.retain(|defect| (defect.offset as usize) < found.payload.at);
    packet.transport = Transport::LaterFragment;
    packet.ip = Some(found.ip);
    note_faults(&mut packet, &found, &taken);
    let Some(whole) = taken.whole else { return packet };
    let packet = whole_packet(packet, buffer, found, whole);
    match &packet.ip {
        Some(ip) if ip.is_fragment() => put_together(table, others, packet),
        _ => packet,
    }
}

/// Decodes on behind the headers of the last fragment.
fn whole_packet<'a>(fragment: Packet<'a>, bytes: &'a [u8], found: Found, whole: Whole) -> Packet<'a> {
    let mut packet = Packet { bytes, ..fragment };
    packet.reassembled =
        Some(Reassembled { fragments: whole.fragments, first_frame: whole.first_frame, octets: whole.octets });
    let ip = IpHeader {
        more_fragments: false,
        fragment_offset: 0,
        payload_len: whole.octets,
        protocol: whole.protocol,
        ..found.ip
    };
    let extent = Extent { at: found.payload.at, end: bytes.len() };
    ip::carry(&mut packet, Carried { ip, extent, truncated: false, final_dst: found.final_dst });
    packet
}

fn note_faults(packet: &mut Packet<'_>, found: &Found, taken: &Taken) {
    let at = found.payload.at;
    if let Some((octets, first)) = taken.overlap {
        note(packet, DefectCode::FragmentOverlap, found.layer, at, octets, first);
    }
    if let Some((reached, end)) = taken.beyond {
        note(packet, DefectCode::FragmentBeyond, found.layer, at, reached, end);
    }
}

/// The fragment that a packet ends with.
struct Found {
    key: Key,
    /// The header as far as the fragment's own fields; `protocol` is what they call the payload.
    ip: IpHeader,
    /// The layer that makes it a fragment.
    layer: LayerKind,
    payload: Extent,
    /// Layers up to there.
    layers: usize,
    final_dst: Option<IpAddr>,
}

impl Found {
    /// `None` where the payload is not all there, by the capture or by the length field.
    fn in_packet(packet: &Packet<'_>) -> Option<Self> {
        let mut ip = packet.ip?;
        let is_ip = |layer: &Layer| matches!(layer.kind, LayerKind::Ipv4 | LayerKind::Ipv6);
        let index = packet.layers.iter().rposition(is_ip)?;
        let layer = packet.layers[index];
        let at = layer.offset as usize;
        let header = packet.bytes.get(at..at + layer.len as usize)?;
        let (payload_at, last, protocol) = match layer.kind {
            LayerKind::Ipv4 => (at + header.len(), index, *header.get(9)?),
            _ => {
                let is_fragment = |layer: &Layer| layer.kind == LayerKind::FragmentHeader;
                let last = index + packet.layers[index..].iter().rposition(is_fragment)?;
                let fragment = packet.layers[last];
                let behind = (fragment.offset + fragment.len) as usize;
                (behind, last, *packet.bytes.get(fragment.offset as usize)?)
            }
        };
        let field = if layer.kind == LayerKind::Ipv4 { header.get(2..4)? } else { header.get(4..6)? };
        let length = usize::from(u16::from_be_bytes([field[0], field[1]]));
        let end = if layer.kind == LayerKind::Ipv4 { at + length } else { at + header.len() + length };
        // Zero is offload, and too much was never sent.
        if length == 0 || end < payload_at || end != at + ip.total_len() as usize || end > packet.bytes.len() {
            return None;
        }
        (ip.protocol, ip.header_len, ip.payload_len) = (protocol, (payload_at - at) as u32, (end - payload_at) as u32);
        let key = Key {
            src: ip.src,
            dst: ip.dst,
            id: ip.id?,
            protocol: if ip.version == 4 { protocol } else { 0 },
            vlan: vlan(packet, index),
        };
        let payload = Extent { at: payload_at, end };
        let final_dst = ip::final_destination(packet, index, last, ip.dst);
        Some(Self { key, ip, layer: packet.layers[last].kind, payload, layers: last + 1, final_dst })
    }
}

/// The innermost tag before the layer `index`, 0 where there is none.
fn vlan(packet: &Packet<'_>, index: usize) -> u16 {
    let tag = packet.layers[..index].iter().rev().find(|layer| layer.kind == LayerKind::Vlan);
    let octets = tag.and_then(|tag| packet.bytes.get(tag.offset as usize..)?.first_chunk::<2>().copied());
    octets.map_or(0, |octets| u16::from_be_bytes(octets) & 0x0fff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::craft;
    use crate::craft::Trace;
    use crate::decode::fields;
    use crate::decode::tests::codes;
    use crate::decode::tests::fields_cover_headers;
    use crate::decode::tests::kinds;
    use crate::packet::ChecksumState;

    fn trace(script: &str) -> Trace {
        craft::play(script).expect("a script that reads")
    }

    /// What the last frame of a script is, after all the others.
    fn last<T>(script: &str, look: impl FnOnce(&Packet<'_>) -> T) -> T {
        let trace = trace(script);
        let mut decoder = Decoder::default();
        let frames: Vec<_> = trace.frames().collect();
        let (last, before) = frames.split_last().expect("a packet");
        for frame in before {
            let packet = decoder.decode(frame);
            assert!(matches!(packet.transport, Transport::LaterFragment), "{:?}", packet.transport);
            assert!(packet.reassembled.is_none() && packet.endpoints().is_none());
        }
        look(&decoder.decode(last))
    }

    const V4: &str = "";
    const V6: &str = "C = [2001:db8::1]:40000\nS = [2001:db8::2]:80\n";

    #[test]
    fn a_segment_in_fragments_is_told_once_by_the_frame_that_completes_it() {
        for ends in [V4, V6] {
            last(&format!("{ends}0 C > S P. 1:3001(3000) ack 5 <ts 1 2> fragment at 1000"), |packet| {
                let tcp = packet.tcp().expect("a segment");
                assert_eq!((tcp.len, tcp.payload.len(), tcp.checksum), (3000, 3000, ChecksumState::Good));
                assert!(packet.defects.is_empty() && !packet.ip.expect("IP").is_fragment());
                let reassembled = packet.reassembled.expect("put together");
                assert_eq!((reassembled.fragments, reassembled.first_frame, reassembled.octets), (4, 1, 3032));
                assert_eq!(packet.meta.number, 4);
                fields_cover_headers(packet);
            });
        }
    }

    #[test]
    fn the_length_field_of_the_last_fragment_is_told_beside_the_whole() {
        last("0 C > S udp (30) fragment at 16", |packet| {
            let fields = fields::describe(packet, &packet.layers[1]);
            let total = fields.iter().find(|field| field.name == "total_length").expect("the field");
            let sum = "26 octets, with the other fragments 58: 58 − 20 IP − 8 UDP = 30 octets of payload";
            assert_eq!((&total.raw, &*total.meaning), (&fields::Raw::Number(26), sum));
        });
    }

    #[test]
    fn a_tunnel_whose_packet_was_cut_is_followed_once_it_is_whole() {
        use LayerKind::*;
        for tunnel in ["vxlan 192.0.2.1 > 192.0.2.2", "geneve [2001:db8::8] > [2001:db8::9]"] {
            last(&format!("tunnel {tunnel}\n0 C > S P. 1:3001(3000) ack 5 fragment at 1400"), |packet| {
                let tcp = packet.tcp().expect("a segment");
                assert_eq!((tcp.len, tcp.checksum), (3000, ChecksumState::Good), "{tunnel}");
                assert_eq!(kinds(packet).last(), Some(&Tcp));
                assert_eq!(packet.outer.len(), 1);
            });
        }
    }

    /// The frames of `script` after `change`, decoded in order; what each was.
    fn told(script: &str, change: impl FnOnce(&mut Trace)) -> (Vec<String>, DefragStats) {
        let mut trace = trace(script);
        change(&mut trace);
        let mut decoder = Decoder::default();
        let words = trace
            .frames()
            .map(|frame| {
                let packet = decoder.decode(&frame);
                let what = match &packet.transport {
                    Transport::Udp(udp) => format!("udp {}", udp.len),
                    Transport::LaterFragment => "waits".to_owned(),
                    other => format!("{other:?}"),
                };
                codes(&packet).iter().fold(what, |what, code| format!("{what} {}", code.code()))
            })
            .collect();
        (words, decoder.stats())
    }

    #[test]
    fn fragments_out_of_order_and_of_two_datagrams_find_each_other() {
        let script = "0 C > S udp (40) fragment at 24\n0 C > S udp (41) fragment at 24";
        let (words, stats) = told(script, |trace| trace.frames.swap(0, 3));
        assert_eq!(words, ["waits", "waits", "waits", "udp 40", "udp 41"]);
        assert_eq!((stats.reassembled, stats.waiting), (2, 0));
    }

    #[test]
    fn the_same_packet_seen_in_two_vlans_is_put_together_twice() {
        let script = "vlan 5\n0 C > S udp (40) id 9 fragment at 24\nvlan 6\n0 C > S udp (40) id 9 fragment at 24";
        let (words, _) = told(script, |trace| trace.frames.swap(1, 2));
        assert_eq!(words, ["waits", "waits", "udp 40", "udp 40"]);
    }

    #[test]
    fn a_fragment_that_the_capture_cut_is_decoded_by_itself() {
        let (words, stats) = told("0 C > S udp (40) fragment at 24 snaplen 50", |_| {});
        assert_eq!((&*words[0], stats.fragments), ("udp 16", 0), "as without memory");
    }

    #[test]
    fn a_datagram_that_never_gets_whole_is_given_up_by_the_clock_of_the_trace() {
        let script = "0 C > S udp (40) id 3 fragment at 24\n31 C > S udp (40) id 4 fragment at 24";
        let (words, stats) = told(script, |trace| drop(trace.frames.remove(1)));
        assert_eq!(words, ["waits", "waits", "udp 40"]);
        assert_eq!((stats.expired, stats.waiting), (1, 0));
    }

    #[test]
    fn an_overlap_is_a_defect_of_the_fragment_that_brings_it() {
        let (words, stats) = told("0 C > S udp (40) fragment at 24", |trace| {
            let mut again = trace.frames[0].clone();
            let last = again.1.len() - 1;
            again.1[last] ^= 1;
            trace.frames.insert(1, again);
        });
        assert_eq!(words, ["waits", "waits fragment-overlap", "udp 40"]);
        assert_eq!(stats.overlaps, 1);
    }

    #[test]
    fn a_fragment_in_a_fragmented_tunnel_needs_both_to_be_whole() {
        // The inner packet is cut first, then each of its parts on the way through the tunnel.
        let inner = trace("link raw\n0 C > S udp (400) fragment at 208");
        let mut frames = Vec::new();
        for (_, bytes) in &inner.frames {
            let ends = "192.0.2.1:50000 > 192.0.2.2:4790";
            let mut outer =
                trace(&format!("link raw\n0 {ends} udp ({}) checksum zero fragment at 96", bytes.len() + 8));
            let payload = [&[12, 0, 0, 1, 0, 0, 7, 0][..], bytes].concat();
            let id = frames.len() as u8;
            for (_, part) in &mut outer.frames {
                let offset = usize::from(u16::from_be_bytes([part[6], part[7]]) & 0x1fff) * 8;
                part[5] = id;
                (part[10], part[11]) = (0, 0);
                let from = if offset == 0 { 28 } else { 20 };
                let at = (offset + from - 20) - 8;
                let len = part.len() - from;
                part[from..].copy_from_slice(&payload[at..at + len]);
            }
            frames.extend(outer.frames);
        }
        let mut decoder = Decoder::default();
        let count = frames.len();
        for (index, (meta, bytes)) in frames.iter().enumerate() {
            let packet = decoder.decode(&Frame { meta: *meta, bytes });
            assert_eq!(packet.udp().is_some_and(|udp| udp.dst_port == 80), index + 1 == count, "frame {index}");
            if index + 1 == count {
                assert_eq!(packet.udp().expect("a datagram").len, 400);
                assert_eq!(packet.udp().expect("a datagram").checksum, ChecksumState::Good);
            }
        }
    }

    proptest! {
        #[test]
        fn cut_and_put_together_is_the_identity(len in 0u32..3000, at in 1u16..200, v6: bool, tunnel in 0usize..4) {
            let ends = if v6 { V6 } else { V4 };
            let tunnel = ["none", "vxlan 192.0.2.1 > 192.0.2.2", "gre [2001:db8::8] > [2001:db8::9]", "gtp 192.0.2.1 > 192.0.2.2"][tunnel];
            let script = format!("{ends}tunnel {tunnel}\n0 C > S P. 7:{}({len}) ack 5", 7 + len);
            let whole = trace(&script);
            let parts = trace(&format!("{script} fragment at {}", at * 8));
            let mut decoder = Decoder::default();
            let mut last = None;
            for frame in parts.frames() {
                prop_assert!(last.is_none(), "only the last frame tells");
                let packet = decoder.decode(&frame);
                last = packet.tcp().map(|tcp| (tcp.seq, tcp.len, tcp.payload.to_vec(), tcp.checksum));
            }
            let frame = whole.frames().next().expect("a packet");
            let packet = decode(&frame);
            let tcp = packet.tcp().expect("a segment");
            prop_assert_eq!(last, Some((tcp.seq, tcp.len, tcp.payload.to_vec(), tcp.checksum)));
        }

        #[test]
        fn fragments_with_any_octets_overwritten_still_decode(
            wounds in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..8),
            v6: bool,
            tunneled: bool,
        ) {
            let tunnel = if tunneled { "tunnel geneve 192.0.2.1 > 192.0.2.2\n" } else { "" };
            let ends = if v6 { V6 } else { V4 };
            let mut trace = trace(&format!("link raw\n{ends}{tunnel}0 C > S udp (300) fragment at 64\n0 C > S udp (90) fragment at 32"));
            for (frame, at, octet) in wounds {
                let (_, bytes) = &mut trace.frames[frame.index(9)];
                let at = at.index(bytes.len().min(80));
                bytes[at] = octet;
            }
            let mut decoder = Decoder::default();
            for frame in trace.frames() {
                let packet = decoder.decode(&frame);
                for layer in &packet.layers {
                    fields::describe(&packet, layer);
                }
            }
        }
    }
}
