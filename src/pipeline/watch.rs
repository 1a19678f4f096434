//! The short way: packets to the flood detector and nowhere else.
//!
//! Whoever asks "flood or popularity?" needs no connections followed, no segment judged; a link that is watched for days
//! costs what its attempts cost. [`Analyzer`](crate::pipeline::Analyzer) feeds the same detector beside everything else.

use crate::detect::syn_flood::Segment;
use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Tell;
use crate::detect::syn_flood::Thresholds;
use crate::flow::Keys;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Timestamp;
use crate::packet::Transport;
use crate::packet::Tuple;
use crate::pipeline::Facts;

/// A watch over connection attempts.
#[derive(Debug)]
pub struct Watch {
    detector: SynFlood,
    keys: Keys,
    facts: Facts,
}

impl Watch {
    /// A watch with these thresholds.
    pub fn new(thresholds: Thresholds) -> Self {
        Self { detector: SynFlood::new(thresholds), keys: Keys::default(), facts: Facts::default() }
    }

    /// Feeds one packet, in capture order.
    pub fn observe(&mut self, packet: &Packet<'_>, tell: Tell<'_>) {
        self.facts.count(packet);
        if self.facts.frames == 1 {
            self.detector.begins_with(packet);
        }
        let Some(ip) = &packet.ip else { return };
        match &packet.transport {
            Transport::Tcp(header) if header.sound && !ip.is_fragment() => {
                let Some((tuple, dir)) = packet.tuple() else { return };
                let (at, frame) = (packet.meta.at, packet.meta.number);
                let key = self.keys.of(&tuple);
                let segment = Segment { at, frame, ip, tcp: header, key, dir, settled: false };
                self.detector.on_segment(&segment, tell);
            }
            Transport::Icmp(icmp) if icmp.is_unreachable() => {
                if let Some(quoted) = icmp.quoted.filter(|quoted| quoted.protocol == Protocol::Tcp) {
                    let (tuple, _) = Tuple::of(quoted.protocol, quoted.src, quoted.dst);
                    self.detector.on_unreachable(packet.meta.at, self.keys.of(&tuple), &quoted, tell);
                }
            }
            Transport::Tcp(_)
            | Transport::Icmp(_)
            | Transport::Udp(_)
            | Transport::LaterFragment
            | Transport::Other
            | Transport::None => {}
        }
    }

    /// Lets time pass without a packet: whoever waits for packets knows how long.
    pub fn on_time(&mut self, at: Timestamp, tell: Tell<'_>) {
        self.detector.on_time(at, tell);
    }

    /// The capture is over.
    pub fn finish(&mut self, tell: Tell<'_>) {
        self.detector.finish(tell);
    }

    /// The detector with its counters.
    pub const fn detector(&self) -> &SynFlood {
        &self.detector
    }

    /// What is known of the capture so far.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
}
