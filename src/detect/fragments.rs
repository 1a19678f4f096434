//! Fragments that contradict each other: what an end host makes of them, a host on the path cannot know.
//!
//! RFC 791 §3.2 lets the newer octets win, many systems keep the older ones, RFC 5722 §4 has IPv6 drop the datagram:
//! whoever relies on the difference hides something, or attacks (RFC 1858, teardrop). Repetitions are no contradiction.

use std::net::IpAddr;

use crate::detect::Say;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::packet::Defect;
use crate::packet::DefectCode;
use crate::packet::Packet;
use crate::packet::Timestamp;

/// Pairs of hosts that are told apart; later ones count with the last.
const MAX_PAIRS: usize = 16;
/// Frames named per pair.
const MAX_FRAMES: usize = 16;

/// Overlaps so far, by who sent them to whom. Bounded by the two limits.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    pairs: Vec<Pair>,
}

#[derive(Debug)]
struct Pair {
    src: IpAddr,
    dst: IpAddr,
    at: Timestamp,
    /// Where the first of them contradicts.
    first: Defect,
    id: u32,
    count: u64,
    frames: Vec<u64>,
    /// Other pairs for which there was no room are counted in.
    is_shared: bool,
}

impl Fragments {
    /// A packet with defects passed.
    pub(super) fn on_defects(&mut self, packet: &Packet<'_>) {
        let is_ours =
            |defect: &&Defect| matches!(defect.code, DefectCode::FragmentOverlap | DefectCode::FragmentBeyond);
        let (Some(&first), Some(ip)) = (packet.defects.iter().find(is_ours), packet.ip) else { return };
        let known = self.pairs.iter().position(|pair| (pair.src, pair.dst) == (ip.src, ip.dst));
        let index = match known {
            Some(index) => index,
            None if self.pairs.len() < MAX_PAIRS => {
                let (at, id) = (packet.meta.at, ip.id.unwrap_or_default());
                let (src, dst, frames) = (ip.src, ip.dst, Vec::new());
                self.pairs.push(Pair { src, dst, at, first, id, count: 0, frames, is_shared: false });
                self.pairs.len() - 1
            }
            None => {
                self.pairs[MAX_PAIRS - 1].is_shared = true;
                MAX_PAIRS - 1
            }
        };
        let pair = &mut self.pairs[index];
        pair.count += 1;
        if pair.frames.len() < MAX_FRAMES {
            pair.frames.push(packet.meta.number);
        }
    }

    /// The capture is over.
    pub(super) fn finish(&mut self, say: Say<'_>) {
        for pair in self.pairs.drain(..) {
            say(finding(pair));
        }
    }
}

fn finding(pair: Pair) -> Finding {
    let Pair { src, dst, id, first, count, .. } = pair;
    let others = if pair.is_shared { " and others" } else { "" };
    let text = format!(
        "{count} fragments from {src} to {dst}{others} contradict earlier ones; frame {}, id {id:#06x}: {first}",
        pair.frames.first().copied().unwrap_or_default()
    );
    Finding {
        code: Code::FragmentOverlap,
        severity: Code::FragmentOverlap.severity(),
        at: pair.at,
        streams: Vec::new(),
        frames: pair.frames,
        text,
        evidence: vec![
            ("src", Value::from(src.to_string())),
            ("dst", Value::from(dst.to_string())),
            ("id", Value::from(id)),
            ("count", Value::Number(count)),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::Decoder;

    fn findings(script: &str) -> Vec<Finding> {
        let trace = craft::play(script).expect("a script that reads");
        let (mut decoder, mut fragments, mut said) = (Decoder::default(), Fragments::default(), Vec::new());
        for frame in trace.frames() {
            let packet = decoder.decode(&frame);
            fragments.on_defects(&packet);
        }
        fragments.finish(&mut |finding| said.push(finding));
        said
    }

    #[test]
    fn a_fragment_with_other_octets_for_the_same_place_is_told() {
        let script = "0 C > S udp \"aaaaaaaaaaaaaaaaaaaaaaaa\" id 7 mf\n0 C > S udp \"bbbbbbbbbbbbbbbbbbbbbbbb\" id 7 fragment 16";
        let said = findings(script);
        let [told] = &said[..] else { panic!("one pair of hosts: {said:?}") };
        assert_eq!((told.code, &told.frames[..]), (Code::FragmentOverlap, &[2][..]));
        assert!(
            told.text
                .starts_with("1 fragments from 10.0.0.1 to 10.0.0.2 contradict earlier ones; frame 2, id 0x0007: "),
            "{}",
            told.text
        );
    }

    #[test]
    fn fragments_that_fit_and_fragments_sent_again_are_not_told() {
        assert_eq!(findings("0 C > S udp (100) fragment at 40"), []);
        let once = "0 C > S udp \"aaaaaaaaaaaaaaaaaaaaaaaa\" id 7 mf";
        assert_eq!(findings(&format!("{once}\n{once}")), []);
    }

    #[test]
    fn many_pairs_of_hosts_share_the_last_place() {
        let mut script = String::new();
        for host in 1..=40 {
            let ends = format!("192.0.2.{host}:1 > 198.51.100.1:2");
            script += &format!(
                "0 {ends} udp \"aaaaaaaaaaaaaaaa\" id 7 mf\n0 {ends} udp \"bbbbbbbbbbbbbbbb\" id 7 fragment 8\n"
            );
        }
        let said = findings(&script);
        assert_eq!(said.len(), MAX_PAIRS);
        assert!(
            said[MAX_PAIRS - 1].text.contains("25 fragments from") && said[MAX_PAIRS - 1].text.contains("and others")
        );
    }
}
