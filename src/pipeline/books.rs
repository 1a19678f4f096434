//! Keeps, where it was asked for, what other observers would have written down about each connection.

use std::borrow::Cow;

use crate::packet::DefectCode;
use crate::packet::Dir;
use crate::packet::IpHeader;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Quoted;
use crate::packet::TcpHeader;
use crate::tcp::Ledger;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::dialect::Course;

/// How the books are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Books {
    snaplen: u32,
    /// Streams that have begun, by Wireshark's count.
    streams: u32,
}

impl Books {
    /// The other observers read files through libpcap, which ends every frame at the file's snap length.
    pub(super) fn new(snaplen: Option<u32>) -> Self {
        Self { snaplen: snaplen.unwrap_or(u32::MAX), streams: 0 }
    }

    /// Feeds any segment of a connection to its course.
    pub(super) fn keep_course(&mut self, course: &mut Course, packet: &Packet<'_>, dir: Dir, header: &TcpHeader<'_>) {
        course.observe(packet, dir, header, &mut self.streams);
    }

    /// Feeds it a segment that an ICMP error quotes.
    pub(super) fn keep_quote(&mut self, course: &mut Course, packet: &Packet<'_>, dir: Dir, quoted: &Quoted) {
        course.quoted(packet, dir, quoted, &mut self.streams);
    }

    /// A stream has begun that nobody follows.
    pub(super) fn skip_stream(&mut self) {
        self.streams = self.streams.wrapping_add(1);
    }

    /// The course of a stream that is followed on, if numbers are still in step.
    pub(super) fn course_of(&self, stream: u64, streams: u64) -> Course {
        if u64::from(self.streams) == streams { Course::numbered(stream) } else { Course::numbered(u64::MAX) }
    }

    /// Feeds one segment of a connection to its ledger, which begins with it.
    pub(super) fn keep(
        &self,
        ledger: &mut Option<Box<Ledger>>,
        mark: Mark,
        side: Side,
        packet: &Packet<'_>,
        ip: &IpHeader,
        header: &TcpHeader<'_>,
    ) {
        let headers = packet.layers.iter().rfind(|layer| layer.kind == LayerKind::Tcp);
        let starts_at = headers.map_or(0, |tcp| tcp.offset + tcp.len);
        let header = as_ip_says(packet, starts_at, header);
        let there = (packet.bytes.len() as u32).min(self.snaplen).saturating_sub(starts_at);
        ledger.get_or_insert_with(|| Box::new(Ledger::new(mark.at, side, &header))).observe(
            mark.at,
            side,
            ip,
            &header,
            header.len.min(there),
        );
    }
}

/// The segment by IP's own length, where that reaches beyond the layer around it and still lies within the frame: the
/// other observers look at nothing but IP there, and take the link's padding for payload.
fn as_ip_says<'a, 'b>(packet: &Packet<'_>, starts_at: u32, header: &'a TcpHeader<'b>) -> Cow<'a, TcpHeader<'b>> {
    let Some(ip) = packet.layers.iter().rfind(|layer| matches!(layer.kind, LayerKind::Ipv4 | LayerKind::Ipv6)) else {
        return Cow::Borrowed(header);
    };
    let beyond = packet.defects.iter().find(|defect| {
        defect.code == DefectCode::IpTotalLength && (ip.offset..ip.offset + ip.len).contains(&defect.offset)
    });
    let more = beyond.map_or(0, |defect| defect.found.saturating_sub(defect.expected));
    let len = header.len.saturating_add(more);
    if more == 0 || starts_at.saturating_add(len) > packet.bytes.len() as u32 {
        return Cow::Borrowed(header);
    }
    Cow::Owned(TcpHeader { len, ..header.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::packet::Frame;
    use crate::packet::FrameMeta;
    use crate::packet::LinkType;
    use crate::packet::Timestamp;
    use crate::tcp::ledger::Cell;

    /// PPPoE around an IPv4 segment without payload and six octets of padding; IP claims `ip_len` octets, PPPoE 42.
    fn padded(ip_len: u8) -> Vec<u8> {
        let mut bytes = vec![0; 12];
        bytes.extend([0x88, 0x64, 0x11, 0, 0, 1, 0, 42, 0, 0x21]);
        bytes.extend([0x45, 0, 0, ip_len, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        bytes.extend([0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0]);
        bytes.extend([0; 6]);
        bytes
    }

    fn data_bytes(bytes: &[u8]) -> Option<u64> {
        let at = Timestamp::EPOCH;
        let packet = decode(&Frame { meta: FrameMeta::whole(1, at, LinkType::ETHERNET, bytes.len() as u32), bytes });
        let (ip, header) = (packet.ip.as_ref().expect("IP"), packet.tcp().expect("a segment"));
        let mut ledger = None;
        Books::new(None).keep(&mut ledger, Mark { frame: 1, at }, Side::Client, &packet, ip, header);
        let report = ledger.as_ref().expect("a ledger").tcptrace.report(None);
        report.directions[0].pairs().find_map(|pair| match pair {
            ("actual_data_bytes", Cell::Number(octets)) => Some(octets),
            _ => None,
        })
    }

    #[test]
    fn padding_that_ip_claims_is_payload_to_other_observers() {
        assert_eq!(data_bytes(&padded(46)), Some(6));
        assert_eq!(data_bytes(&padded(40)), Some(0));
        assert_eq!(data_bytes(&padded(60)), Some(0), "what the frame does not hold was not sent");
    }
}
