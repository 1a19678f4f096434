//! The frames that a script gave, in memory or as a capture file.

use crate::craft::build;
use crate::craft::script::Script;
use crate::craft::step::Body;
use crate::packet::Frame;
use crate::packet::FrameMeta;
use crate::packet::LinkType;

/// Frames in the order of their script.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// What a capture would say of each frame, and its octets as captured.
    pub frames: Vec<(FrameMeta, Vec<u8>)>,
}

impl Trace {
    /// Builds every step of a script.
    pub fn of(script: &Script) -> Self {
        let mut packets: Vec<Vec<u8>> = Vec::with_capacity(script.steps.len());
        let mut frames = Vec::with_capacity(script.steps.len());
        for (number, step) in (1..).zip(&script.steps) {
            let quoted = match &step.body {
                Body::Icmp(message) => message.quoted.and_then(|index| packets.get(index)),
                _ => None,
            };
            let packet = build::ip_packet(step, number, quoted.map_or(&[], Vec::as_slice));
            for mut bytes in build::frames(step, script.link, number, &packet) {
                let origlen = bytes.len() as u32;
                bytes.truncate(step.snaplen.unwrap_or(origlen) as usize);
                let whole = FrameMeta::whole(frames.len() as u64 + 1, step.at, script.link.link_type(), origlen);
                frames.push((FrameMeta { caplen: bytes.len() as u32, ..whole }, bytes));
            }
            packets.push(packet);
        }
        Self { frames }
    }

    /// The frames, as a source hands them up.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames.iter().map(|(meta, bytes)| Frame { meta: *meta, bytes })
    }

    /// A classic pcap file, little-endian, times in nanoseconds. An empty trace is called Ethernet.
    pub fn to_pcap(&self) -> Vec<u8> {
        let link_type = self.frames.first().map_or(LinkType::ETHERNET, |(meta, _)| meta.link_type);
        let mut file = Vec::new();
        // Magic, version 2.4, time zone, accuracy, snap length, link type.
        put(&mut file, &[PCAP_NANOS, 2 | 4 << 16, 0, 0, PCAP_SNAPLEN, u32::from(link_type.0)]);
        for (meta, bytes) in &self.frames {
            let nanos = meta.at.nanos();
            let (secs, fraction) = (nanos.div_euclid(NANOS_PER_SEC) as u32, nanos.rem_euclid(NANOS_PER_SEC) as u32);
            put(&mut file, &[secs, fraction, meta.caplen, meta.origlen]);
            file.extend(bytes);
        }
        file
    }
}

fn put(file: &mut Vec<u8>, numbers: &[u32]) {
    file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

const NANOS_PER_SEC: i64 = 1_000_000_000;
const PCAP_NANOS: u32 = 0xa1b2_3c4d;
const PCAP_SNAPLEN: u32 = 262_144;

#[cfg(test)]
mod tests {
    use crate::craft::play;
    use crate::decode::decode;
    use crate::packet::ChecksumState;
    use crate::packet::Endpoint;
    use crate::packet::Protocol;
    use crate::packet::SeqNumber;
    use crate::packet::TcpFlags;
    use crate::packet::Timestamp;

    const HANDSHAKE: &str = "
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7, ts 100 0>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
        +0.010  C > S  P.  1001:1005(4)  ack 5001  win 502  \"GET \"
    ";

    #[test]
    fn a_played_handshake_decodes_to_what_its_lines_say() {
        let trace = play(HANDSHAKE).expect("a script that reads");
        let packets: Vec<_> = trace.frames().map(|frame| decode(&frame)).collect();
        assert!(packets.iter().all(|packet| packet.defects.is_empty()), "{:?}", packets[0].defects);

        let syn = packets[0].tcp().expect("a segment");
        assert_eq!((syn.seq, syn.flags, syn.window), (SeqNumber(1000), TcpFlags::SYN, 65535));
        assert_eq!((syn.said.mss, syn.said.window_scale), (Some(1460), Some(7)));
        assert_eq!((syn.said.sack_permitted, syn.said.timestamps), (true, Some((100, 0))));
        assert_eq!(syn.checksum, ChecksumState::Good);

        let (protocol, src, dst) = packets[1].endpoints().expect("ports");
        assert_eq!(protocol, Protocol::Tcp);
        assert_eq!(src, Endpoint { addr: "10.0.0.2".parse().expect("an address"), port: 80 });
        assert_eq!(dst, Endpoint { addr: "10.0.0.1".parse().expect("an address"), port: 40_000 });
        assert_eq!(packets[1].tcp().expect("a segment").ack, SeqNumber(1001));

        let data = packets[3].tcp().expect("a segment");
        assert_eq!((data.len, data.payload, data.end()), (4, &b"GET "[..], SeqNumber(1005)));
        assert_eq!(packets[3].meta.at, Timestamp::from_parts(1_700_000_000, 31_000_000));
        assert_eq!(packets[3].meta.number, 4);
    }

    #[test]
    fn a_snap_length_cuts_the_octets_and_keeps_the_length() {
        let trace = play("0 C > S . 1:101(100) snaplen 60").expect("a script that reads");
        let (meta, bytes) = &trace.frames[0];
        assert_eq!((meta.caplen, meta.origlen, bytes.len()), (60, 154, 60));
    }

    #[test]
    fn a_pcap_file_holds_header_and_records() {
        let trace = play("link raw\n1.5 C > S . 1:1(0) snaplen 30").expect("a script that reads");
        let file = trace.to_pcap();
        let word = |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
        assert_eq!((word(0), word(20)), (0xa1b2_3c4d, 101));
        assert_eq!((word(24), word(28)), (1_700_000_001, 500_000_000));
        assert_eq!((word(32), word(36), file.len()), (30, 40, 24 + 16 + 30));
    }
}
