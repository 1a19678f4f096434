//! What comes after the wanted frame and belongs to it: proofs, its acknowledgment, the next packets of its stream.
//!
//! Bounded: a few lines of each kind, and no more than [`LOOK_AHEAD`] packets are waited for.

use crate::finding::Code;
use crate::finding::Verdict;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::UdpHeader;
use crate::pipeline::Seen;
use crate::pipeline::TcpSeen;
use crate::pipeline::UdpSeen;
use crate::report::explain::because::is_sum;
use crate::report::explain::because::lower_first;
use crate::report::explain::sum::Numbering;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::Segment;
use crate::report::words::arrow;
use crate::report::words::datagram;
use crate::tcp::Event;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;
use crate::udp;

/// What is kept of the packets behind one frame.
#[derive(Debug)]
pub(super) struct After {
    stream: Option<(Protocol, u64)>,
    frame: u64,
    at: Timestamp,
    /// Who sent it, and the number behind its octets, where it has any.
    owed: Option<(Side, SeqNumber)>,
    acknowledged: Option<Facts>,
    proofs: Vec<Facts>,
    proof: Option<&'static str>,
    /// Said only where no proof follows.
    undecided: Option<Facts>,
    next: Vec<Facts>,
    sources: Vec<&'static str>,
    packets: u64,
    over: bool,
}

impl After {
    pub(super) fn of(segment: &Segment<'_>) -> Self {
        let tcp = segment.tcp;
        let owed = tcp.seq_len() > 0 && !tcp.flags.has(TcpFlags::RST);
        Self {
            stream: Some((Protocol::Tcp, segment.seen.stream)),
            owed: owed.then(|| (segment.seen.side, tcp.end())),
            ..Self::nothing(segment.packet)
        }
    }

    pub(super) fn of_datagram(packet: &Packet<'_>, stream: u64) -> Self {
        Self { stream: Some((Protocol::Udp, stream)), ..Self::nothing(packet) }
    }

    /// Behind a frame of no stream nothing is looked for.
    pub(super) const fn nothing(packet: &Packet<'_>) -> Self {
        Self {
            stream: None,
            frame: packet.meta.number,
            at: packet.meta.at,
            owed: None,
            acknowledged: None,
            proofs: Vec::new(),
            proof: None,
            undecided: None,
            next: Vec::new(),
            sources: Vec::new(),
            packets: 0,
            over: false,
        }
    }

    pub(super) fn has_enough(&self) -> bool {
        self.stream.is_none() || self.over || self.packets >= LOOK_AHEAD
    }

    pub(super) fn packet(&mut self, packet: &Packet<'_>, seen: &Seen<'_>, style: &Style) {
        if self.has_enough() {
            return;
        }
        self.packets += 1;
        match (self.stream, seen) {
            (Some((Protocol::Tcp, stream)), Seen::Tcp(seen)) if seen.stream == stream => {
                if let Some(tcp) = packet.tcp() {
                    self.segment(&Segment { packet, tcp, seen, style });
                }
            }
            (Some((Protocol::Udp, stream)), Seen::Udp(seen)) if seen.stream == stream => {
                if let Some(udp) = packet.udp() {
                    self.datagram(packet, udp, seen, style);
                }
            }
            (Some(of), &Seen::Unreachable { protocol, stream, ends }) if of == (protocol, stream) => {
                let mut facts = Facts::default();
                facts.plain(format!("packet {}, {} later", packet.meta.number, self.since(packet)));
                facts.append(datagram::icmp_facts(packet, protocol, ends));
                self.note(facts);
            }
            _ => {}
        }
    }

    /// What a later packet proved about the frame, as the end of a headline.
    pub(super) const fn proof(&self) -> Option<&'static str> {
        self.proof
    }

    pub(super) fn proofs(&self) -> Vec<Facts> {
        let undecided = self.undecided.iter().filter(|_| self.proof.is_none());
        self.proofs.iter().chain(undecided).cloned().collect()
    }

    pub(super) fn sources(&self) -> Vec<&'static str> {
        self.sources.clone()
    }

    pub(super) fn next(&self) -> Vec<Facts> {
        let mut lines: Vec<_> = self.acknowledged.iter().cloned().collect();
        if let (Some(_), None) = (self.owed, &self.acknowledged) {
            let mut facts = Facts::default();
            facts.say(Ink::Warn, "never acknowledged, as far as the capture goes");
            lines.push(facts);
        }
        lines.extend(self.next.iter().cloned());
        if self.stream.is_some() && self.next.is_empty() {
            let mut facts = Facts::default();
            facts.plain("nothing: it is the last packet of its stream");
            lines.push(facts);
        }
        lines
    }

    fn segment(&mut self, segment: &Segment<'_>) {
        let frame = self.frame;
        for judgement in segment.seen.judgements.iter().filter(|later| later.rests_on.contains(&frame)) {
            self.proves(segment, judgement);
        }
        self.acknowledges(segment.packet, segment.tcp, segment.seen);
        if self.next.len() < MAX_LINES {
            let mut facts = Facts::default();
            let way = arrow(segment.connection(), segment.seen.side);
            facts.plain(format!("packet {} {way} {}", segment.packet.meta.number, segment.verb()));
            facts.append(segment.facts(PAYLOAD));
            self.next.push(facts);
        }
    }

    fn proves(&mut self, segment: &Segment<'_>, judgement: &Judgement) {
        let spurious = judgement.code == Code::SpuriousRetransmission;
        let told = match judgement.verdict {
            Verdict::Broken(()) => lower_first(judgement.code.title()),
            Verdict::Holds if spurious => "the retransmission was needed".to_owned(),
            Verdict::Holds if is_sum(judgement.code) => lower_first(judgement.code.title()),
            Verdict::CannotTell(gap) if spurious => {
                format!("acknowledges it; whether it was needed cannot be told: {gap}")
            }
            Verdict::Holds | Verdict::CannotTell(_) => return,
        };
        let mut facts = Facts::default();
        facts.plain(format!("packet {}: {told}", segment.packet.meta.number));
        let seen = segment.seen;
        let numbering = Numbering { connection: seen.connection, side: seen.side, style: segment.style };
        match (judgement.verdict, judgement.input("why"), judgement.input("ts_value")) {
            (Verdict::CannotTell(_), _, _) => {
                self.undecided.get_or_insert(facts);
                return;
            }
            (Verdict::Holds, Some(Number::Word(why)), Some(Number::Count(stamp))) => {
                facts.plain(format!("{why}, TSval {stamp}"));
            }
            _ => facts.plain(numbering.sum(judgement)),
        }
        if spurious {
            self.proof = Some(if judgement.is_broken() { "proved unnecessary" } else { "and it was needed" });
        }
        if self.proofs.len() < MAX_LINES {
            self.proofs.push(facts);
            self.sources.push(judgement.code.rfc());
        }
    }

    fn acknowledges(&mut self, packet: &Packet<'_>, tcp: &TcpHeader<'_>, seen: &TcpSeen<'_>) {
        let Some((side, end)) = self.owed else { return };
        let covers = seen.side != side && tcp.flags.has(TcpFlags::ACK) && end.at_or_before(tcp.ack);
        if self.acknowledged.is_none() && covers {
            let mut facts = Facts::default();
            facts.plain(format!("packet {} acknowledges all of it, {} later", packet.meta.number, self.since(packet)));
            self.acknowledged = Some(facts);
        }
        self.over |=
            seen.events.iter().any(|event| matches!(event, Event::Closed { .. })) && self.next.len() >= MAX_LINES;
    }

    fn datagram(&mut self, packet: &Packet<'_>, udp: &UdpHeader<'_>, seen: &UdpSeen<'_>, _style: &Style) {
        let mut facts = Facts::default();
        let way = if seen.by_a { "A→B" } else { "B→A" };
        facts.plain(format!("packet {} {way} {} B, {} later", packet.meta.number, udp.len, self.since(packet)));
        facts.append(datagram::facts(packet, udp, seen, PAYLOAD));
        let answers = matches!(seen.event, udp::Event::Answer { to, .. } if to.frame == self.frame);
        if answers {
            let mut answer = Facts::default();
            answer.say(Ink::Good, format!("answered by packet {}", packet.meta.number));
            self.proofs.push(answer);
        }
        self.note(facts);
    }

    fn note(&mut self, facts: Facts) {
        if self.next.len() < MAX_LINES {
            self.next.push(facts);
        }
    }

    fn since(&self, packet: &Packet<'_>) -> String {
        text::span(packet.meta.at.since(self.at))
    }
}

/// Packets of the capture looked at behind the frame.
const LOOK_AHEAD: u64 = 1_000_000;
/// Lines of one kind.
const MAX_LINES: usize = 3;
/// Columns for the payload of a packet that follows.
const PAYLOAD: usize = 24;
