//! What a checksum was made over, octet by octet, so that a report can add it up before the reader's eyes.
//!
//! Worked out again from the frame, for outer headers of a tunnel too, which the trackers have no use for.
//! RFC 791 §3.1, RFC 792, RFC 768, RFC 2784 §2.5, RFC 4443 §2.3, RFC 8200 §8.1, RFC 9293 §3.1.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::ops::Range;

use crate::decode::checksum;
use crate::decode::ip;
use crate::decode::transport;
use crate::packet::ChecksumState;
use crate::packet::Layer;
use crate::packet::LayerKind;
use crate::packet::Packet;

/// A checksum and what it covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Summed {
    /// What is summed before the header, for TCP, UDP and ICMPv6.
    pub pseudo: Option<PseudoHeader>,
    /// Octets of the frame, the field among them. They can lie past what was captured.
    pub covered: Range<usize>,
    /// Where in the frame the field stands.
    pub field_at: usize,
    /// What stands there.
    pub field: u16,
    /// What it is.
    pub state: ChecksumState,
    /// Why it cannot be checked, where it cannot.
    pub obstacle: Option<Obstacle>,
}

/// The pseudo-header of RFC 9293 §3.1 (IPv4) or RFC 8200 §8.1 (IPv6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PseudoHeader {
    /// Who sent it.
    pub src: IpAddr,
    /// Where it ends up: the last stop of a source route.
    pub dst: IpAddr,
    /// Protocol number.
    pub protocol: u8,
    /// Octets of header and payload.
    pub len: u32,
}

/// What keeps a checksum from being checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// The capture kept `captured` of the `covered` octets.
    Cut {
        /// Octets of them that are here.
        captured: usize,
        /// Octets that the sum covers.
        covered: usize,
    },
    /// A fragment: the rest of the datagram is in other frames.
    Fragment,
    /// The length field promises more than the frame ever held.
    NeverSent,
    /// A routing header of a type that hides the final destination.
    Route,
}

/// The checksum of `layer`, if it has one and its field was captured.
pub fn checksum_of(packet: &Packet<'_>, layer: &Layer) -> Option<Summed> {
    let index = packet.layers.iter().position(|other| other == layer)?;
    match layer.kind {
        LayerKind::Ipv4 => ipv4_header(packet, layer),
        LayerKind::Gre => gre(packet, index),
        LayerKind::Tcp => of_message(packet, index, 16),
        LayerKind::Udp => of_message(packet, index, 6),
        LayerKind::Icmp | LayerKind::Icmpv6 => of_message(packet, index, 2),
        _ => None,
    }
}

fn ipv4_header(packet: &Packet<'_>, layer: &Layer) -> Option<Summed> {
    let from = layer.offset as usize;
    let covered = from..from + layer.len as usize;
    let field = be16(packet, from + 10)?;
    let state = match checksum::plain(packet.bytes.get(covered.clone())?, field) {
        // No header sums to a checksum of 0 by itself: the card was to fill it in.
        ChecksumState::Bad { .. } if field == 0 => ChecksumState::Partial,
        state => state,
    };
    Some(Summed { pseudo: None, covered, field_at: from + 10, field, state, obstacle: None })
}

/// Over header and payload, where the first flag says that there is one.
fn gre(packet: &Packet<'_>, index: usize) -> Option<Summed> {
    let from = packet.layers[index].offset as usize;
    if be16(packet, from)? & 0x8000 == 0 {
        return None;
    }
    let covered = from..Around::find(packet, index)?.end;
    let field = be16(packet, from + 4)?;
    Some(judged(packet, None, covered, from + 4, field, None))
}

/// TCP, UDP and ICMP: the message is what IP carries, or what UDP's own length says.
fn of_message(packet: &Packet<'_>, index: usize, field_at: usize) -> Option<Summed> {
    let layer = packet.layers[index];
    let from = layer.offset as usize;
    // Of a header that is not all there, what stands in its place is another's.
    let field = be16(packet, from + field_at).filter(|_| field_at + 2 <= layer.len as usize)?;
    let around = Around::find(packet, index)?;
    let mut covered = from..around.end.max(from);
    if layer.kind == LayerKind::Udp {
        let length = usize::from(be16(packet, from + 4)?);
        // Where the field is no guide, IP is.
        if (8..=covered.len()).contains(&length) || around.is_fragment {
            covered.end = from + length;
        }
    }
    let (protocol, pseudo) = match layer.kind {
        LayerKind::Tcp => (transport::TCP, true),
        LayerKind::Udp => (transport::UDP, true),
        LayerKind::Icmpv6 => (transport::ICMPV6, true),
        _ => (transport::ICMP, false),
    };
    let stop = ip::final_destination(packet, around.first, index - 1, around.dst);
    let mut obstacle = around.is_fragment.then_some(Obstacle::Fragment);
    obstacle = obstacle.or((around.is_short && covered.end == around.end).then_some(Obstacle::NeverSent));
    let pseudo = match stop {
        _ if !pseudo => None,
        Some(dst) => Some(PseudoHeader { src: around.src, dst, protocol, len: covered.len() as u32 }),
        None => {
            obstacle = obstacle.or(Some(Obstacle::Route));
            None
        }
    };
    let mut summed = judged(packet, pseudo, covered, from + field_at, field, obstacle);
    if let Some(state) = told(packet, index) {
        summed.state = state;
    } else if layer.kind == LayerKind::Udp && field == 0 {
        // The datagram around a tunnel may do without over IPv6 too (RFC 6935 §5).
        summed.state = ChecksumState::Absent;
    }
    // Of one that was never sent, too, it is told whether it could be summed.
    if !matches!(summed.state, ChecksumState::Unverifiable | ChecksumState::Absent | ChecksumState::Illegal) {
        summed.obstacle = None;
    }
    Some(summed)
}

/// What decoding found, where `index` is the transport header that it kept.
fn told(packet: &Packet<'_>, index: usize) -> Option<ChecksumState> {
    let kind = packet.layers[index].kind;
    if packet.layers[index + 1..].iter().any(|layer| layer.kind == kind) {
        return None;
    }
    match kind {
        LayerKind::Tcp => packet.tcp().map(|tcp| tcp.checksum),
        LayerKind::Udp => packet.udp().map(|udp| udp.checksum),
        _ => packet.icmp().map(|icmp| icmp.checksum),
    }
}

fn judged(
    packet: &Packet<'_>,
    pseudo: Option<PseudoHeader>,
    covered: Range<usize>,
    field_at: usize,
    field: u16,
    obstacle: Option<Obstacle>,
) -> Summed {
    let captured = packet.bytes.get(covered.start..covered.end.min(packet.bytes.len())).unwrap_or(&[]);
    let cut = Obstacle::Cut { captured: captured.len(), covered: covered.len() };
    let obstacle = obstacle.or((captured.len() < covered.len()).then_some(cut));
    let state = match (obstacle, pseudo) {
        (Some(_), _) => ChecksumState::Unverifiable,
        (None, Some(pseudo)) => checksum::transport(pseudo.src, pseudo.dst, pseudo.protocol, captured, field),
        (None, None) => checksum::plain(captured, field),
    };
    Summed { pseudo, covered, field_at, field, state, obstacle }
}

/// The IP header that carries a layer.
struct Around {
    /// Its place among the layers.
    first: usize,
    src: IpAddr,
    dst: IpAddr,
    /// Octet of the frame behind its payload.
    end: usize,
    is_fragment: bool,
    /// Its length field promises more than the frame ever held.
    is_short: bool,
}

impl Around {
    fn find(packet: &Packet<'_>, index: usize) -> Option<Self> {
        let is_ip = |layer: &Layer| matches!(layer.kind, LayerKind::Ipv4 | LayerKind::Ipv6);
        let first = packet.layers[..index].iter().rposition(is_ip)?;
        let layer = packet.layers[first];
        let (from, octets) = (layer.offset as usize, packet.bytes.get(layer.offset as usize..)?);
        let is_innermost = packet.layers.iter().rposition(is_ip) == Some(first);
        let frame_end = packet.bytes.len().max(packet.meta.origlen as usize);
        let (src, dst, declared): (IpAddr, IpAddr, usize) = if layer.kind == LayerKind::Ipv4 {
            let header: &[u8; 20] = octets.first_chunk()?;
            let [a, b, c, d, e, f, g, h] = *header.last_chunk::<8>()?;
            let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
            (Ipv4Addr::new(a, b, c, d).into(), Ipv4Addr::new(e, f, g, h).into(), from + total)
        } else {
            let header: &[u8; 40] = octets.first_chunk()?;
            let src: [u8; 16] = *header[8..].first_chunk()?;
            let total = 40 + usize::from(u16::from_be_bytes([header[4], header[5]]));
            (Ipv6Addr::from(src).into(), Ipv6Addr::from(*header.last_chunk::<16>()?).into(), from + total)
        };
        match packet.ip.filter(|ip| is_innermost && (ip.src, ip.dst) == (src, dst)) {
            Some(ip) => {
                let end = from + ip.total_len() as usize;
                let is_short = packet.reassembled.is_none() && declared > frame_end;
                Some(Self { first, src, dst, end, is_fragment: ip.is_fragment(), is_short })
            }
            // An outer header whose inside was found stood whole in one packet.
            None => Some(Self { first, src, dst, end: declared, is_fragment: false, is_short: declared > frame_end }),
        }
    }
}

fn be16(packet: &Packet<'_>, at: usize) -> Option<u16> {
    packet.bytes.get(at..)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::decode::tests::decoded;
    use crate::packet::Frame;

    fn last_sum(script: &str) -> Summed {
        decoded(script, |packet| checksum_of(packet, packet.layers.last().expect("a layer")).expect("a sum"))
    }

    #[test]
    fn a_segment_is_summed_with_its_pseudo_header() {
        let summed = last_sum("0 C > S P. 1:6(5) ack 2");
        assert_eq!(summed.covered, 34..59);
        let pseudo = summed.pseudo.expect("a pseudo-header");
        assert_eq!((pseudo.protocol, pseudo.len, summed.field_at), (6, 25, 50));
        assert_eq!((summed.state, summed.obstacle), (ChecksumState::Good, None));
    }

    #[test]
    fn the_sum_and_the_decoder_are_of_one_mind() {
        for checksum in ["good", "bad", "partial", "zero"] {
            for line in ["C > S . 1:11(10)", "C > S udp (11)", "C > S icmp echo-request (12)", "A > B udp (5)"] {
                let ends = if line.starts_with('A') { "A = [2001:db8::1]:1\nB = [2001:db8::2]:2\n" } else { "" };
                let script = format!("{ends}0 {line} checksum {checksum}");
                let kept = decoded(&script, |packet| match (packet.tcp(), packet.udp(), packet.icmp()) {
                    (Some(tcp), _, _) => tcp.checksum,
                    (_, Some(udp), _) => udp.checksum,
                    (_, _, Some(icmp)) => icmp.checksum,
                    other => panic!("{other:?}"),
                });
                assert_eq!(last_sum(&script).state, kept, "{script}");
            }
        }
    }

    #[test]
    fn a_header_that_ends_before_its_checksum_has_none_whatever_stands_behind_it() {
        // Of 20 octets of TCP, IP says that so many were sent; the frame holds more.
        for (iplen, has_one) in [(20 + 16, false), (20 + 17, false), (20 + 18, true)] {
            decoded(&format!("0 C > S . 1:11(10) iplen {iplen}"), |packet| {
                let tcp = packet.layers.last().expect("a layer");
                assert_eq!((tcp.kind, tcp.len), (LayerKind::Tcp, iplen - 20));
                assert_eq!(checksum_of(packet, tcp).is_some(), has_one, "{iplen}");
            });
        }
    }

    #[test]
    fn a_route_among_very_many_extension_headers_is_summed_as_the_decoder_does() {
        let options = [60, 0, 1, 4, 0, 0, 0, 0];
        let last_stop = [0x11; 16];
        // RFC 8200 §4.4: type 0, so many segments left, the last address is where it ends up.
        let route = |left: u8| [&[60, 2, 0, left, 0, 0, 0, 0][..], &last_stop].concat();
        for (left, dst) in [(1, last_stop), (0, [0x22; 16])] {
            let mut bytes = vec![0x60, 0, 0, 0, 0, 0, 60, 64];
            bytes.extend([0x22; 32]);
            bytes.extend(options.repeat(10));
            let at = bytes.len() - 8;
            bytes[at] = 43;
            bytes.extend(route(left));
            bytes.extend([17, 0, 1, 4, 0, 0, 0, 0, 0, 1, 0, 2, 0, 8, 0, 1]);
            let length = (bytes.len() - 40) as u16;
            bytes[4..6].copy_from_slice(&length.to_be_bytes());
            let mut frame = craft::play("link raw\n0 C > S udp (1)").expect("a script").frames.remove(0);
            frame.0.caplen = bytes.len() as u32;
            frame.0.origlen = frame.0.caplen;
            let packet = decode(&Frame { meta: frame.0, bytes: &bytes });
            let summed = checksum_of(&packet, packet.layers.last().expect("a layer")).expect("a sum");
            assert_eq!(summed.pseudo.expect("a pseudo-header").dst, IpAddr::from(dst), "{left} segments left");
            assert_eq!(summed.state, packet.udp().expect("a datagram").checksum);
            let covered = &packet.bytes[summed.covered];
            assert_eq!(checksum::transport(IpAddr::from([0x22; 16]), IpAddr::from(dst), 17, covered, 1), summed.state);
        }
    }

    #[test]
    fn what_cannot_be_checked_says_what_is_missing() {
        let cut = last_sum("0 C > S . 1:101(100) snaplen 74");
        assert_eq!(cut.obstacle, Some(Obstacle::Cut { captured: 40, covered: 120 }));
        assert_eq!(last_sum("0 C > S . 1:101(100) mf").obstacle, Some(Obstacle::Fragment));
        assert_eq!(last_sum("0 C > S . 1:11(10) iplen 60").obstacle, Some(Obstacle::NeverSent));
        for script in ["0 C > S . 1:101(100) snaplen 74", "0 C > S udp (10) mf", "0 C > S . 1:11(10) iplen 60"] {
            assert_eq!(last_sum(script).state, ChecksumState::Unverifiable, "{script}");
        }
    }

    #[test]
    fn the_datagram_around_a_tunnel_has_a_sum_of_its_own() {
        decoded("tunnel vxlan 192.0.2.1 > 192.0.2.2\n0 C > S udp (10) checksum bad", |packet| {
            let udp: Vec<_> = packet.layers.iter().filter(|layer| layer.kind == LayerKind::Udp).collect();
            let [outer, inner] = udp[..] else { panic!("two headers: {udp:?}") };
            let [outer, inner] = [outer, inner].map(|layer| checksum_of(packet, layer).expect("a sum"));
            assert!(matches!(inner.state, ChecksumState::Bad { .. }));
            assert!(matches!(outer.state, ChecksumState::Absent | ChecksumState::Good), "{:?}", outer.state);
        });
    }
}
