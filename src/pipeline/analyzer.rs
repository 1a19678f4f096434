//! One pass over a capture: flows are looked up, connections fed, detectors told, what ended handed on.

mod asked;

use crate::detect::syn_flood::Segment;
use crate::detect::syn_flood::SynFlood;
use crate::flow::EndedConnection;
use crate::flow::Leaves;
use crate::flow::Lookup;
use crate::flow::Stage;
use crate::flow::Table;
use crate::flow::TableStats;
use crate::packet::Dir;
use crate::packet::Icmp;
use crate::packet::IpHeader;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Quoted;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::Transport;
use crate::packet::Tuple;
use crate::pipeline::books::Books;
use crate::pipeline::court::Court;
use crate::pipeline::datagrams::UdpFlow;
use crate::pipeline::datagrams::end_udp;
use crate::pipeline::facts::Facts;
use crate::pipeline::framed::Finder;
use crate::pipeline::framed::Kept;
use crate::pipeline::options::Judging;
use crate::pipeline::options::Limits;
use crate::pipeline::seen::Seen;
use crate::pipeline::seen::Sink;
use crate::pipeline::seen::TcpSeen;
use crate::pipeline::sides::ends;
use crate::pipeline::sides::side_of;
use crate::pipeline::sides::stage_of;
use crate::source::CaptureInfo;
use crate::tcp;
use crate::tcp::Blind;
use crate::tcp::Connection;
use crate::tcp::Hearing;
use crate::tcp::Ledger;
use crate::tcp::Mark;
use crate::tcp::life::Course;
use crate::tcp::verdict::Judgement;
use crate::udp::Sent;

/// Octets of a quoted TCP header from which Wireshark gives the quote a stream number of its own.
const QUOTE_TAKES_NUMBER: u32 = 16;

#[derive(Debug)]
struct TcpFlow {
    stream: u64,
    client_is_low: bool,
    connection: Connection,
    ledger: Option<Box<Ledger>>,
    messages: Option<Box<Kept>>,
}

/// The analysis of one capture, or of several one after the other.
#[derive(Debug)]
pub struct Analyzer {
    tcp: Table<TcpFlow>,
    pub(super) udp: Table<UdpFlow>,
    next_tcp: u64,
    pub(super) next_udp: u64,
    events: Vec<tcp::Event>,
    judgements: Vec<Judgement>,
    judging: Judging,
    books: Option<Books>,
    pub(super) finder: Option<Finder>,
    pub(super) read_size: Option<u32>,
    life: Option<Course>,
    latest: Timestamp,
    pub(super) court: Court,
    facts: Facts,
    /// Number of the latest packet.
    frame: u64,
}

impl Default for Analyzer {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Analyzer {
    /// An analysis that holds at most `limits` at once.
    pub fn new(limits: Limits) -> Self {
        Self {
            tcp: Table::new(limits.connections),
            udp: Table::new(limits.exchanges),
            next_tcp: 0,
            next_udp: 0,
            events: Vec::with_capacity(16),
            judgements: Vec::new(),
            judging: Judging::Off,
            books: None,
            finder: None,
            read_size: None,
            life: None,
            latest: Timestamp::EPOCH,
            court: Court::default(),
            facts: Facts::default(),
            frame: 0,
        }
    }

    /// What is known of the capture so far.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The flood detector with its counters.
    pub const fn flood_detector(&self) -> &SynFlood {
        self.court.detectors.syn_flood()
    }

    /// The capture on trial, by what has passed and ended so far; `dropped` frames were lost by the capturing side,
    /// where that is known.
    pub fn trial_of(&self, info: &CaptureInfo, dropped: Option<u64>) -> Vec<Judgement> {
        self.court.trial.of_capture(&self.facts, info, dropped, &self.court.blind)
    }

    /// What the capture is known to have missed so far.
    pub const fn blind(&self) -> Blind {
        self.court.blind
    }

    /// The capturing side has lost `total` frames so far. What was lost since the last word lies before the next packet,
    /// and nobody is blamed for it.
    pub const fn capture_lost(&mut self, total: u64) {
        self.court.lost(total, self.frame);
    }

    /// Counters of the TCP and the UDP table.
    pub const fn tables(&self) -> [TableStats; 2] {
        [self.tcp.stats(), self.udp.stats()]
    }

    /// Octets that one TCP connection and one UDP conversation take while they are followed.
    pub const fn state_sizes() -> [usize; 2] {
        [Table::<TcpFlow>::slot_size(), Table::<UdpFlow>::slot_size()]
    }

    /// Feeds one packet, in capture order.
    pub fn observe(&mut self, packet: &Packet<'_>, sink: &mut dyn Sink) -> Seen<'_> {
        self.facts.count(packet);
        let at = packet.meta.at;
        self.latest = at;
        self.frame = packet.meta.number;
        self.court.blind.stepped_at = self.facts.stepped_at;
        self.expire(at, sink);
        if !packet.defects.is_empty() {
            self.court.detectors.on_defects(packet);
        }
        let Some(ip) = &packet.ip else { return Seen::Other };
        for outer in &packet.outer {
            self.observe_tunnel(packet, outer, sink);
        }
        match &packet.transport {
            Transport::Tcp(header) => self.observe_tcp(packet, ip, header, sink),
            Transport::Udp(header) if !ip.is_fragment() => self.observe_udp(packet, ip, header, sink),
            Transport::Icmp(icmp) => self.observe_icmp(packet, icmp, sink),
            Transport::Udp(_) | Transport::LaterFragment | Transport::Other | Transport::None => Seen::Other,
        }
    }

    /// The capture is over: everything still held is handed on.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        for (tuple, flow, why) in self.tcp.drain_by(|flow| flow.stream) {
            end_tcp(&mut self.court, sink, &tuple, &flow, why, Some(self.latest));
        }
        for (tuple, flow, why) in self.udp.drain_by(|flow| flow.stream) {
            end_udp(&mut self.court, sink, &tuple, &flow, why);
        }
        self.court.detectors.finish(&mut |finding| sink.finding(finding));
    }

    fn observe_tcp(
        &mut self,
        packet: &Packet<'_>,
        ip: &IpHeader,
        header: &TcpHeader<'_>,
        sink: &mut dyn Sink,
    ) -> Seen<'_> {
        let Some((tuple, dir)) = packet.tuple() else { return Seen::Other };
        let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
        let (found, is_first) = self.tcp_flow(tuple, dir, mark, ip, header, sink);
        let flow = self.tcp.get_mut(found);
        let side = side_of(dir, flow.client_is_low);
        let settled = !is_first && stage_of(&flow.connection) != Stage::Attempt;
        self.events.clear();
        self.judgements.clear();
        if header.sound && !ip.is_fragment() {
            let thorough = self.judging == Judging::Everything;
            let blind = self.court.blind;
            flow.connection.beware(mark, &blind, header);
            if self.judging != Judging::Off {
                let hearing = Hearing { thorough, blind };
                flow.connection.judge(mark, side, ip, header, hearing, &mut self.judgements);
            }
            flow.connection.observe(mark, side, ip, header, &mut self.events);
            if let Some(books) = self.books {
                books.keep(&mut flow.ledger, mark, side, packet, ip, header);
            }
            if let Some(finder) = &mut self.finder {
                finder.find(&mut flow.messages, (flow.stream, &tuple, is_first), mark, side, header);
            }
            if self.judging != Judging::Off {
                flow.connection.tell(mark, side, header, &self.events, thorough, &mut self.judgements);
            }
        } else {
            flow.connection.last = mark;
            self.finder.iter_mut().for_each(Finder::pass);
        }
        let stage = stage_of(&flow.connection);
        self.tcp.touch(found, mark.at, stage);
        let flow = self.tcp.get(found);
        let (client, server) = ends(&tuple, flow.client_is_low);
        if header.sound && !ip.is_fragment() {
            let segment = Segment { at: mark.at, frame: mark.frame, ip, tcp: header, tuple: &tuple, dir, settled };
            self.court.detectors.on_segment(&segment, &mut |finding| sink.finding(finding));
        }
        Seen::Tcp(TcpSeen {
            stream: flow.stream,
            is_first,
            side,
            client,
            server,
            connection: &flow.connection,
            events: &self.events,
            told: self.finder.as_ref().map_or(&[], Finder::told),
            judgements: &self.judgements,
            blind: self.court.blind,
        })
    }

    /// The flow of a segment: the one known, or a new one where the tuple is new or used again.
    fn tcp_flow(
        &mut self,
        tuple: Tuple,
        dir: Dir,
        mark: Mark,
        ip: &IpHeader,
        header: &TcpHeader<'_>,
        sink: &mut dyn Sink,
    ) -> (Lookup, bool) {
        let mut predecessor = None;
        if let Some(found) = self.tcp.find(&tuple) {
            let flow = self.tcp.get(found);
            if !flow.connection.is_reused_by(side_of(dir, flow.client_is_low), header) {
                return (found, false);
            }
            let (tuple, flow) = self.tcp.remove(found);
            predecessor = flow.connection.leaves_behind(mark, side_of(dir, flow.client_is_low), header);
            end_tcp(&mut self.court, sink, &tuple, &flow, Leaves::Reused, None);
        }
        if let Some((tuple, flow, why)) = self.tcp.pop_for_room() {
            end_tcp(&mut self.court, sink, &tuple, &flow, why, None);
        }
        let stream = self.next_tcp;
        self.next_tcp += 1;
        let answers = header.flags.has(TcpFlags::SYN.with(TcpFlags::ACK));
        let client_is_low = (dir == Dir::LowToHigh) != answers;
        let oriented = header.flags.has(TcpFlags::SYN);
        let connection = Connection::new(mark, ip.version == 6, oriented);
        let mut connection = connection.keeping_life(self.life).following(predecessor);
        connection.to_itself = tuple.low == tuple.high;
        let flow = TcpFlow { stream, client_is_low, connection, ledger: None, messages: None };
        (self.tcp.insert(tuple, mark.at, Stage::Attempt, flow), true)
    }

    fn observe_icmp(&mut self, packet: &Packet<'_>, icmp: &Icmp, sink: &mut dyn Sink) -> Seen<'_> {
        let Some(quoted) = icmp.quoted else { return Seen::Other };
        let (tuple, dir) = Tuple::of(quoted.protocol, quoted.src, quoted.dst);
        let refuses = icmp.is_unreachable();
        if refuses && quoted.protocol == Protocol::Tcp {
            self.court.detectors.on_unreachable(packet.meta.at, &quoted, &mut |finding| sink.finding(finding));
        }
        match quoted.protocol {
            Protocol::Tcp => {
                let Some(found) = self.tcp.find(&tuple) else { return self.quote_of_nobody(&quoted) };
                let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
                let flow = self.tcp.get_mut(found);
                let side = side_of(dir, flow.client_is_low);
                flow.connection.too_big(mark.frame, side, icmp.mtu, quoted.seq);
                let ends = refuses && flow.connection.unreachable(mark, side, quoted.seq);
                Seen::Unreachable { protocol: Protocol::Tcp, stream: flow.stream, ends }
            }
            Protocol::Udp => {
                let Some(found) = self.udp.find(&tuple) else { return self.quote_of_nobody(&quoted) };
                let flow = self.udp.get_mut(found);
                let ends = refuses && (dir == Dir::LowToHigh) == flow.a_is_low;
                if ends {
                    flow.exchange.port_closed(Sent { frame: packet.meta.number, at: packet.meta.at });
                }
                Seen::Unreachable { protocol: Protocol::Udp, stream: flow.stream, ends }
            }
        }
    }

    /// Wireshark numbers a conversation that it only knows from a quote; ours keep step with its numbers.
    fn quote_of_nobody(&mut self, quoted: &Quoted) -> Seen<'static> {
        match quoted.protocol {
            Protocol::Tcp if quoted.octets >= QUOTE_TAKES_NUMBER => self.next_tcp += 1,
            Protocol::Tcp => {}
            Protocol::Udp => self.next_udp += 1,
        }
        Seen::Other
    }

    fn expire(&mut self, at: Timestamp, sink: &mut dyn Sink) {
        for _ in 0..Table::<TcpFlow>::expire_budget() {
            let Some((tuple, flow, why)) = self.tcp.pop_expired(at) else { break };
            end_tcp(&mut self.court, sink, &tuple, &flow, why, None);
        }
        for _ in 0..Table::<UdpFlow>::expire_budget() {
            let Some((tuple, flow, why)) = self.udp.pop_expired(at) else { break };
            end_udp(&mut self.court, sink, &tuple, &flow, why);
        }
    }
}

fn end_tcp(
    court: &mut Court,
    sink: &mut dyn Sink,
    tuple: &Tuple,
    flow: &TcpFlow,
    why: Leaves,
    until: Option<Timestamp>,
) {
    let (client, server) = ends(tuple, flow.client_is_low);
    let messages = flow.messages.as_deref().map(|kept| &kept.messages);
    let (stream, connection, ledger) = (flow.stream, &flow.connection, flow.ledger.as_deref());
    let blind = court.blind;
    let ended = EndedConnection { stream, client, server, connection, ledger, messages, until, why, blind };
    court.connection(ended, sink);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::finding::Finding;
    use crate::flow::EndedExchange;

    #[test]
    fn state_per_conversation_is_what_the_documentation_says() {
        assert_eq!(Analyzer::state_sizes(), [864, 640]);
    }

    /// Keeps whether connections came with a ledger, and until when they were followed.
    #[derive(Default)]
    struct Ends(Vec<(bool, Option<Timestamp>)>);

    impl Sink for Ends {
        fn connection(&mut self, ended: &EndedConnection<'_>) {
            self.0.push((ended.ledger.is_some(), ended.until));
        }
        fn exchange(&mut self, _: &EndedExchange<'_>) {}
        fn finding(&mut self, _: Finding) {}
    }

    fn ends_of(analyzer: Analyzer, script: &str) -> Vec<(bool, Option<Timestamp>)> {
        let (mut analyzer, mut sink) = (analyzer, Ends::default());
        for frame in craft::play(script).expect("a script that reads").frames() {
            analyzer.observe(&decode(&frame), &mut sink);
        }
        analyzer.finish(&mut sink);
        sink.0
    }

    const SILENT_THEN_BACK: &str = "
        +0.0  C > S  S   1000:1000(0)          win 500
        +0.1  S > C  S.  5000:5000(0) ack 1001 win 500
        +0.1  C > S  .   1001:1001(0) ack 5001 win 500
        +8000 C > S  P.  1001:1011(10) ack 5001 win 500
    ";

    #[test]
    fn a_ledger_is_kept_only_where_it_was_asked_for() {
        let end = Some(Timestamp::from_parts(1_700_008_000, 200_000_000));
        assert_eq!(ends_of(Analyzer::default().patient(), SILENT_THEN_BACK), [(false, end)]);
        assert_eq!(ends_of(Analyzer::default().patient().keeping_ledger(None), SILENT_THEN_BACK), [(true, end)]);
    }

    #[test]
    fn patience_keeps_a_stream_whole_that_silence_would_cut() {
        assert_eq!(ends_of(Analyzer::default(), SILENT_THEN_BACK).len(), 2);
        assert_eq!(ends_of(Analyzer::default().patient(), SILENT_THEN_BACK).len(), 1);
    }

    #[test]
    fn a_frame_reaches_no_further_into_the_ledger_than_the_files_snap_length() {
        struct Cut(Vec<u64>);
        impl Sink for Cut {
            fn connection(&mut self, ended: &EndedConnection<'_>) {
                let report = ended.ledger.expect("a ledger").tcptrace.report(None);
                let cut = report.directions[0].pairs().find(|(name, _)| *name == "truncated_data");
                self.0.extend(match cut {
                    Some((_, tcp::ledger::Cell::Number(octets))) => Some(octets),
                    _ => None,
                });
            }
            fn exchange(&mut self, _: &EndedExchange<'_>) {}
            fn finding(&mut self, _: Finding) {}
        }
        let trace = craft::play("+0 C > S P. 1001:1101(100) ack 5001 win 500").expect("a script that reads");
        let cut = |snaplen| {
            let (mut analyzer, mut sink) = (Analyzer::default().keeping_ledger(snaplen), Cut(Vec::new()));
            for frame in trace.frames() {
                analyzer.observe(&decode(&frame), &mut sink);
            }
            analyzer.finish(&mut sink);
            sink.0
        };
        assert_eq!(cut(None), [0]);
        assert_eq!(cut(Some(154)), [0]);
        assert_eq!(cut(Some(100)), [54]);
    }
}
