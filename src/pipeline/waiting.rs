//! Attempts under pressure: let go but for their entry in the doorway, and followed on when something comes for them.
//!
//! While few attempts wait, each is a whole connection like any other. Beyond [`Limits::attempts`] the one that was
//! silent longest is let go and only its entry remains. Whatever comes for it brings it back under the same stream
//! number: its segments are played again from the entry, so it goes on with the right numbers, options, times and
//! outcome. If nothing comes, it is told of when the entry leaves. An attempt of which a segment was repeated does not fit
//! an entry as a whole: those are let go last. Then they are told of at once, and again at their end if they go on.
//!
//! [`Limits::attempts`]: crate::pipeline::Limits::attempts

use crate::flow::Leaves;
use crate::flow::doorway::Kept;
use crate::flow::doorway::LetGo;
use crate::packet::ChecksumState;
use crate::packet::Dir;
use crate::packet::Endpoint;
use crate::packet::IpHeader;
use crate::packet::Protocol;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::packet::Tuple;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::analyzer::TcpFlow;
use crate::pipeline::analyzer::end_tcp;
use crate::pipeline::seen::Sink;
use crate::tcp::Connection;
use crate::tcp::Ledger;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::dialect::Course;
use crate::tcp::mss;

impl Analyzer {
    /// Makes room among the attempts that are whole connections.
    pub(super) fn spare_attempts(&mut self, sink: &mut dyn Sink) {
        while let Some((key, tuple, flow)) = self.tcp.pop_attempt() {
            let opening = flow.connection.opening();
            let kept = opening.map(|opening| Kept { stream: flow.stream, opening });
            let fits = kept.filter(|kept| self.court.detectors.let_go(key, kept));
            let waits = fits.is_some_and(|kept| kept.is_whole() && !flow.resumed);
            self.tcp.count_let_go(waits);
            if !waits {
                end_tcp(&mut self.court, sink, &tuple, &flow, Leaves::Evicted, None);
            }
        }
    }

    /// The connection of a segment between these two, or of one that is quoted, if it was let go before.
    pub(super) fn bring_back(&mut self, key: u64, mark: Mark, tcp: Option<&TcpHeader<'_>>) -> Option<TcpFlow> {
        let detector = self.court.detectors.syn_flood_mut();
        let let_go = detector.let_go_as(key, mark, self.next_tcp)?;
        // The same ports, another first number: a connection of its own.
        let isn = let_go.kept.opening.isn[0];
        let ports = (let_go.client.port, let_go.server.port);
        if tcp.is_some_and(|tcp| tcp.flags.is_pure_syn() && (tcp.src_port, tcp.dst_port) == ports && tcp.seq != isn) {
            return None;
        }
        detector.is_back(key);
        self.tcp.count_back(!let_go.kept.is_whole());
        Some(self.play(&let_go))
    }

    /// Tells of those that were let go and have left the doorway.
    pub(super) fn tell_leaving(&mut self, now: Mark, sink: &mut dyn Sink) {
        while let Some((let_go, why)) = self.court.detectors.syn_flood_mut().leaving(now, self.next_tcp) {
            if let_go.kept.is_whole() {
                self.tell_let_go(&let_go, why, None, sink);
            }
        }
    }

    /// The capture is over: tells of those that wait and whose number is below `stream`; `from` is the slot to begin at.
    pub(super) fn tell_waiting(&mut self, from: &mut Option<u32>, stream: u64, sink: &mut dyn Sink) {
        let now = Mark { frame: self.frame, at: self.latest };
        while let Some((let_go, next)) = self.court.detectors.syn_flood().waiting(*from, now, self.next_tcp) {
            if let_go.kept.stream >= stream {
                break;
            }
            *from = Some(next);
            if let_go.kept.is_whole() {
                self.tell_let_go(&let_go, Leaves::CaptureEnd, Some(self.latest), sink);
            }
        }
    }

    fn tell_let_go(&mut self, let_go: &LetGo, why: Leaves, until: Option<Timestamp>, sink: &mut dyn Sink) {
        let flow = self.play(let_go);
        let (tuple, _) = Tuple::of(Protocol::Tcp, let_go.client, let_go.server);
        end_tcp(&mut self.court, sink, &tuple, &flow, why, until);
    }

    /// A connection as it was when it was let go.
    fn play(&mut self, let_go: &LetGo) -> TcpFlow {
        let LetGo { kept: Kept { stream, opening }, client, server } = *let_go;
        let (_, dir) = Tuple::of(Protocol::Tcp, client, server);
        let ports = [client.port, server.port];
        let first = opening.syn.or(opening.syn_ack).unwrap_or(Mark { frame: self.frame, at: self.latest });
        let mut connection = Connection::new(first, client.addr.is_ipv6(), true).keeping_life(self.life);
        let mut ledger = None;
        let mut course = self.books.map_or_else(Course::default, |books| books.course_of(stream, self.next_tcp));
        for (mark, by, tcp) in opening.segments(ports) {
            let (from, to) = if by == Side::Client { (client, server) } else { (server, client) };
            let ip = bare(from, to, opening.ttls[by.index()]);
            connection.beware(mark, &self.court.blind, &tcp);
            connection.observe(mark, by, &ip, &tcp, &mut self.played);
            if self.books.is_some() {
                let ledger = ledger.get_or_insert_with(|| Box::new(Ledger::new(mark.at, by, &tcp)));
                ledger.observe(mark.at, by, &ip, &tcp, 0);
                course.replay(if by == Side::Client { dir } else { dir.reverse() }, &tcp);
            }
        }
        self.played.clear();
        let resumed = opening.retries != [0; 2];
        TcpFlow { stream, client_is_low: dir == Dir::LowToHigh, connection, ledger, messages: None, course, resumed }
    }
}

/// The header around a segment of an opening: without options, without payload.
fn bare(from: Endpoint, to: Endpoint, ttl: u8) -> IpHeader {
    let version = if from.addr.is_ipv6() { 6 } else { 4 };
    let header_len = if version == 6 { mss::IPV6_HEADER } else { mss::IPV4_HEADER };
    IpHeader {
        version,
        src: from.addr,
        dst: to.addr,
        ttl,
        traffic_class: 0,
        id: None,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len,
        payload_len: mss::TCP_HEADER,
        protocol: 6,
        checksum: ChecksumState::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::finding::Code;
    use crate::finding::Finding;
    use crate::flow::EndedConnection;
    use crate::flow::EndedExchange;
    use crate::pipeline::Limits;
    use crate::tcp::Outcome;

    /// What is told: stream, told before, outcome, why, and the connection in full.
    /// Then the findings: code and streams.
    #[derive(Default)]
    struct Told(Vec<(u64, bool, Outcome, Leaves, String)>, Vec<(Code, Vec<u64>)>);

    impl Sink for Told {
        fn connection(&mut self, ended: &EndedConnection<'_>) {
            let connection = ended.connection;
            let ledger = ended.ledger.map(|ledger| {
                let log = ledger.zeek.conn_log();
                format!("{:?} {:?} {:?} {:?}", log.conn_state, log.history, log.packets, ledger.tcptrace)
            });
            let all = format!("{connection:?} {ledger:?} {:?}", ended.completeness);
            self.0.push((ended.stream, ended.resumed, connection.outcome(), ended.why, all));
        }
        fn exchange(&mut self, _: &EndedExchange<'_>) {}
        fn finding(&mut self, finding: Finding) {
            self.1.push((finding.code, finding.streams));
        }
    }

    fn told(attempts: usize, script: &str) -> Vec<(u64, bool, Outcome, Leaves, String)> {
        all_told(attempts, script).0
    }

    fn all_told(attempts: usize, script: &str) -> Told {
        let limits = Limits { attempts, ..Limits::default() };
        let (mut analyzer, mut told) = (Analyzer::new(limits).keeping_ledger(None), Told::default());
        for frame in craft::play(script).expect("a script that reads").frames() {
            analyzer.observe(&decode(&frame), &mut told);
        }
        analyzer.finish(&mut told);
        told
    }

    /// One attempt that waits, another that pushes it out, and what comes for the first.
    fn pushed_out(waits: &str, comes: &str) -> String {
        format!(
            "D = 10.0.0.7:40000
             {waits}
             +0.010 D > S  S   7000:7000(0)           win 1000  <mss 1000>
             {comes}"
        )
    }

    const SYN: &str = "+0.0 C > S  S  1000:1000(0)  win 64240  <mss 1460, sackOK, ts 1 0, wscale 7>";
    const SYN_ACK: &str = "+0.1 S > C  S. 5000:5000(0) ack 1001 win 65160 <mss 1400, sackOK, ts 9 1, wscale 8>";
    const ACK: &str = "+0.05 C > S . 1001:1001(0) ack 5001 win 502 <ts 2 9>";

    /// Told of once, in the same words, whether it was let go meanwhile or not.
    fn same_under_pressure(waits: &str, comes: &str) {
        let script = pushed_out(waits, comes);
        assert_eq!(told(1, &script), told(1_000, &script), "{script}");
    }

    #[test]
    fn a_connection_let_go_and_brought_back_is_the_one_that_was_never_let_go() {
        same_under_pressure(SYN, "");
        same_under_pressure(&format!("{SYN}\n{SYN_ACK}"), "");
        same_under_pressure(SYN_ACK, "");
        let data = "+0.01 C > S P. 1001:1101(100) ack 5001 win 502 <ts 3 9>";
        same_under_pressure(&format!("{SYN}\n{SYN_ACK}"), &format!("{ACK}\n{data}"));
        same_under_pressure(SYN, &format!("{SYN_ACK}\n{ACK}"));
        same_under_pressure(&format!("{SYN}\n{SYN_ACK}"), data);
    }

    #[test]
    fn repetitions_resets_and_crossing_segments_bring_an_attempt_back_too() {
        let again = SYN.replace("+0.0", "+1.0");
        same_under_pressure(SYN, &again);
        same_under_pressure(SYN, "+0.1 S > C R. 0:0(0) ack 1001 win 0");
        same_under_pressure(&format!("{SYN}\n{SYN_ACK}"), "+0.1 C > S R 1001:1001(0) win 0");
        same_under_pressure(SYN, "+0.1 S > C S 5000:5000(0) win 500");
        same_under_pressure(SYN_ACK, ACK);
    }

    /// ECN as RFC 3168 §6.1.1 has it asked for, and taken or not.
    #[test]
    fn who_asks_for_ecn_is_brought_back_with_what_was_asked_and_answered() {
        let asks = SYN.replace("  S  ", "  SEW ").replace(" S  1000", " SEW 1000");
        let takes = SYN_ACK.replace("S. 5000", "S.E 5000");
        assert!(asks != SYN && takes != SYN_ACK, "flags of ECN are there");
        for answer in [&takes, SYN_ACK] {
            same_under_pressure(&format!("{asks}\n{answer}"), ACK);
            same_under_pressure(&asks, &format!("{answer}\n{ACK}"));
        }
        let negotiated = |answer: &str| {
            let pressed = all_told(1, &pushed_out(&asks, &format!("{answer}\n{ACK}")));
            pressed.0.iter().any(|told| told.0 == 0 && told.4.contains("ecn: true"))
        };
        assert!(negotiated(&takes));
    }

    #[test]
    fn what_was_repeated_before_still_counts_as_repeated() {
        let waits = format!("{SYN}\n{}", SYN.replace("+0.0", "+1.0"));
        let pressed = told(1, &pushed_out(&waits, &format!("{SYN_ACK}\n{ACK}")));
        let before: Vec<_> = pressed.iter().filter(|told| told.0 == 0).map(|told| (told.1, told.3)).collect();
        assert_eq!(before, [(false, Leaves::Evicted), (true, Leaves::CaptureEnd)], "told of at once, and again");
        let back = pressed.iter().find(|told| told.1).expect("brought back");
        assert_eq!(back.2, Outcome::Established);
        assert!(back.4.contains("syn_retries: 1") && back.4.contains("server_rtt: None"), "{}", back.4);
    }

    #[test]
    fn another_first_number_is_another_connection() {
        let comes = "+0.1 C > S S 9000:9000(0) win 500";
        let streams: Vec<_> = told(1, &pushed_out(SYN, comes)).iter().map(|told| (told.0, told.1)).collect();
        assert_eq!(streams, [(0, false), (1, false), (2, false)]);
        same_under_pressure(SYN, comes);
    }

    #[test]
    fn what_the_doorway_cannot_hold_is_told_once_and_followed_as_one_whose_opening_is_gone() {
        let with_data = "+0.0 C > S S 1000:1010(10) win 500 <mss 1460>";
        let pressed = told(1, &pushed_out(with_data, "+0.1 C > S . 1011:1011(0) ack 5001 win 502"));
        let outcomes: Vec<_> = pressed.iter().map(|told| (told.0, told.1, told.2)).collect();
        assert_eq!(
            outcomes,
            [(0, false, Outcome::NoAnswer), (1, false, Outcome::NoAnswer), (2, false, Outcome::NotSeen)]
        );
    }

    #[test]
    fn nobody_is_said_not_to_have_answered_an_attempt_that_was_told_of_early() {
        let no_answer = |attempts| {
            let waits = format!("{SYN}\n{}", SYN.replace("+0.0", "+1.0"));
            let told = all_told(attempts, &pushed_out(&waits, ""));
            told.1
                .into_iter()
                .filter(|(code, _)| *code == Code::NoAnswer)
                .map(|(_, streams)| streams[0])
                .collect::<Vec<_>>()
        };
        assert_eq!(no_answer(1_000), [0, 1]);
        assert_eq!(no_answer(1), [1]);
    }
}
