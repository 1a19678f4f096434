//! One pass over a capture: flows are looked up, connections fed, detectors told, what ended handed on.

mod asked;

use crate::detect::Detectors;
use crate::detect::syn_flood::Segment;
use crate::detect::syn_flood::SynFlood;
use crate::detect::syn_flood::Thresholds;
use crate::flow::EndedConnection;
use crate::flow::Leaves;
use crate::flow::Lookup;
use crate::flow::Stage;
use crate::flow::Table;
use crate::packet::Dir;
use crate::packet::IpHeader;
use crate::packet::Packet;
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
use crate::pipeline::options::Pressure;
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
use crate::tcp::dialect;
use crate::tcp::life::Course;
use crate::tcp::verdict::Judgement;

#[derive(Debug)]
pub(super) struct TcpFlow {
    pub(super) stream: u64,
    pub(super) client_is_low: bool,
    pub(super) connection: Connection,
    pub(super) ledger: Option<Box<Ledger>>,
    pub(super) messages: Option<Box<Kept>>,
    /// Not begun unless books are kept.
    pub(super) course: dialect::Course,
    /// It was told of before, as an attempt.
    pub(super) resumed: bool,
}

/// The analysis of one capture, or of several one after the other.
#[derive(Debug)]
pub struct Analyzer {
    pub(super) tcp: Table<TcpFlow>,
    pub(super) udp: Table<UdpFlow>,
    pub(super) next_tcp: u64,
    pub(super) next_udp: u64,
    events: Vec<tcp::Event>,
    /// Events of segments that are played again: they were told when they passed.
    pub(super) played: Vec<tcp::Event>,
    judgements: Vec<Judgement>,
    judging: Judging,
    pub(super) books: Option<Books>,
    pub(super) finder: Option<Finder>,
    pub(super) read_size: Option<u32>,
    pub(super) life: Option<Course>,
    pub(super) latest: Timestamp,
    pub(super) court: Court,
    facts: Facts,
    /// Number of the latest packet.
    pub(super) frame: u64,
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
            tcp: Table::new(limits.connections).with_attempts(limits.attempts),
            udp: Table::new(limits.exchanges),
            next_tcp: 0,
            next_udp: 0,
            events: Vec::with_capacity(16),
            played: Vec::new(),
            judgements: Vec::new(),
            judging: Judging::Off,
            books: None,
            finder: None,
            read_size: None,
            life: None,
            latest: Timestamp::EPOCH,
            court: Court::new(Detectors::new(Thresholds::holding(limits.half_open))),
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

    /// How full the tables became, and what had to leave them for it.
    pub const fn pressure(&self) -> Pressure {
        let tables = [self.tcp.stats(), self.udp.stats()];
        Pressure { tables, doorway: self.court.detectors.syn_flood().attempt_stats() }
    }

    /// Octets that one TCP connection and one UDP conversation take while they are followed.
    pub const fn state_sizes() -> [usize; 2] {
        [Table::<TcpFlow>::slot_size(), Table::<UdpFlow>::slot_size()]
    }

    /// Feeds one packet, in capture order.
    pub fn observe(&mut self, packet: &Packet<'_>, sink: &mut dyn Sink) -> Seen<'_> {
        self.facts.count(packet);
        if self.facts.frames == 1 {
            self.court.detectors.begins_with(packet);
        }
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
        let mut table = std::mem::replace(&mut self.tcp, Table::new(1));
        let mut waiting = None;
        for (tuple, flow, why) in table.drain_by(|flow| flow.stream) {
            self.tell_waiting(&mut waiting, flow.stream, sink);
            end_tcp(&mut self.court, sink, &tuple, &flow, why, Some(self.latest));
        }
        self.tell_waiting(&mut waiting, u64::MAX, sink);
        self.tcp = table;
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
        let key = self.tcp.key(&tuple);
        let (found, is_first) = self.tcp_flow((key, tuple), dir, mark, ip, header, sink);
        let flow = self.tcp.get_mut(found);
        let side = side_of(dir, flow.client_is_low);
        let settled = !is_first && !stage_of(&flow.connection).is_attempt();
        self.events.clear();
        self.judgements.clear();
        if let Some(books) = &mut self.books {
            books.keep_course(&mut flow.course, packet, dir, header);
        }
        if header.sound && !ip.is_fragment() {
            let thorough = self.judging == Judging::Everything;
            let blind = self.court.blind;
            flow.connection.beware(mark, &blind, header);
            if self.judging != Judging::Off {
                let hearing = Hearing { thorough, blind };
                flow.connection.judge(mark, side, ip, header, hearing, &mut self.judgements);
            }
            flow.connection.observe(mark, side, ip, header, &mut self.events);
            if let Some(books) = &self.books {
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
            let segment = Segment { at: mark.at, frame: mark.frame, ip, tcp: header, key, dir, settled };
            self.court.detectors.on_segment(&segment, &mut |finding| sink.finding(finding));
        }
        self.tell_leaving(mark, sink);
        let flow = self.tcp.get(found);
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
        (key, tuple): (u64, Tuple),
        dir: Dir,
        mark: Mark,
        ip: &IpHeader,
        header: &TcpHeader<'_>,
        sink: &mut dyn Sink,
    ) -> (Lookup, bool) {
        let mut course = dialect::Course::default();
        let mut predecessor = None;
        if let Some(found) = self.tcp.find(key, &tuple) {
            let flow = self.tcp.get(found);
            if !flow.connection.is_reused_by(side_of(dir, flow.client_is_low), header) {
                return (found, false);
            }
            let (tuple, flow) = self.tcp.remove(found);
            predecessor = flow.connection.leaves_behind(mark, side_of(dir, flow.client_is_low), header);
            end_tcp(&mut self.court, sink, &tuple, &flow, Leaves::Reused, None);
            // Wireshark may see no new stream here.
            course = flow.course;
        }
        self.spare_attempts(sink);
        if let Some((tuple, flow, why)) = self.tcp.pop_for_room() {
            end_tcp(&mut self.court, sink, &tuple, &flow, why, None);
        }
        if let Some(flow) = self.bring_back(key, mark, Some(header)) {
            return (self.tcp.insert(key, tuple, mark.at, Stage::Attempt, flow), false);
        }
        let stream = self.next_tcp;
        self.next_tcp += 1;
        let answers = header.flags.has(TcpFlags::SYN.with(TcpFlags::ACK));
        let client_is_low = (dir == Dir::LowToHigh) != answers;
        let oriented = header.flags.has(TcpFlags::SYN);
        let connection = Connection::new(mark, ip.version == 6, oriented);
        let mut connection = connection.keeping_life(self.life).following(predecessor);
        connection.to_itself = tuple.low == tuple.high;
        let flow = TcpFlow { stream, client_is_low, connection, ledger: None, messages: None, course, resumed: false };
        (self.tcp.insert(key, tuple, mark.at, Stage::Attempt, flow), true)
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

pub(super) fn end_tcp(
    court: &mut Court,
    sink: &mut dyn Sink,
    tuple: &Tuple,
    flow: &TcpFlow,
    why: Leaves,
    until: Option<Timestamp>,
) {
    let (client, server) = ends(tuple, flow.client_is_low);
    let messages = flow.messages.as_deref().map(|kept| &kept.messages);
    let TcpFlow { stream, ref connection, resumed, ref course, .. } = *flow;
    let (ledger, completeness, blind) = (flow.ledger.as_deref(), course.completeness(stream), court.blind);
    court.connection(
        EndedConnection {
            stream,
            client,
            server,
            connection,
            ledger,
            completeness,
            messages,
            until,
            why,
            resumed,
            blind,
        },
        sink,
    );
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
        assert_eq!(Analyzer::state_sizes(), [888, 640]);
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
