//! Attempts under pressure: told of and let go but for their place in the doorway, and brought back when they go on.
//!
//! While few attempts wait, each is a whole connection like any other. Beyond [`Limits::attempts`] the one that was
//! silent longest is told of as it stands, with all its numbers, and only its entry in the doorway remains. Whatever
//! comes for it later brings it back under the same stream number: its segments are played again from the entry, so it
//! goes on with the right numbers, options, times and outcome, and is told again at its end.
//!
//! [`Limits::attempts`]: crate::pipeline::Limits::attempts

use crate::flow::Leaves;
use crate::flow::doorway::Kept;
use crate::packet::ChecksumState;
use crate::packet::Dir;
use crate::packet::IpHeader;
use crate::packet::TcpHeader;
use crate::pipeline::analyzer::Analyzer;
use crate::pipeline::analyzer::TcpFlow;
use crate::pipeline::analyzer::end_tcp;
use crate::pipeline::seen::Sink;
use crate::pipeline::sides::side_of;
use crate::tcp::Connection;
use crate::tcp::Ledger;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::dialect::Course;
use crate::tcp::mss;

impl Analyzer {
    /// Makes room among the attempts.
    pub(super) fn spare_attempts(&mut self, sink: &mut dyn Sink) {
        while let Some((key, tuple, flow)) = self.tcp.pop_attempt() {
            if let Some(opening) = flow.connection.opening() {
                self.court.detectors.let_go(key, &Kept { stream: flow.stream, opening });
            }
            end_tcp(&mut self.court, sink, &tuple, &flow, Leaves::Evicted, None);
        }
    }

    /// The connection of a segment, if it was let go before.
    pub(super) fn bring_back(
        &mut self,
        key: u64,
        dir: Dir,
        mark: Mark,
        ip: &IpHeader,
        header: &TcpHeader<'_>,
    ) -> Option<TcpFlow> {
        let (Kept { stream, opening }, client_is_low) = self.court.detectors.back(key, mark, self.next_tcp)?;
        let side = side_of(dir, client_is_low);
        // The same ports, another first number: a connection of its own.
        if header.flags.is_pure_syn() && side == Side::Client && header.seq != opening.isn[0] {
            return None;
        }
        let ports = match side {
            Side::Client => [header.src_port, header.dst_port],
            Side::Server => [header.dst_port, header.src_port],
        };
        let first = opening.syn.or(opening.syn_ack)?;
        let mut connection = Connection::new(first, ip.version == 6, true);
        let mut ledger = None;
        let mut course = self.books.map_or_else(Course::default, |books| books.course_of(stream, self.next_tcp));
        for (mark, by, tcp) in opening.segments(ports) {
            let ttl = opening.ttls[by.index()];
            let ip = IpHeader { ttl, ..bare(ip, by == side) };
            connection.beware(mark, &self.court.blind, &tcp);
            connection.observe(mark, by, &ip, &tcp, &mut self.events);
            if self.books.is_some() {
                let ledger = ledger.get_or_insert_with(|| Box::new(Ledger::new(mark.at, by, &tcp)));
                ledger.observe(mark.at, by, &ip, &tcp, 0);
                course.replay(if by == side { dir } else { dir.reverse() }, &tcp);
            }
        }
        self.tcp.count_resumed();
        Some(TcpFlow { stream, client_is_low, connection, ledger, course, resumed: true })
    }
}

/// The header around a segment of an opening: without options, without payload, of the same or the other direction.
fn bare(ip: &IpHeader, same_way: bool) -> IpHeader {
    let (src, dst) = if same_way { (ip.src, ip.dst) } else { (ip.dst, ip.src) };
    let header_len = if ip.version == 6 { mss::IPV6_HEADER } else { mss::IPV4_HEADER };
    IpHeader {
        src,
        dst,
        header_len,
        payload_len: mss::TCP_HEADER,
        id: None,
        more_fragments: false,
        fragment_offset: 0,
        checksum: ChecksumState::None,
        ..*ip
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

    fn same_but_told_twice(waits: &str, comes: &str) {
        let script = pushed_out(waits, comes);
        let (calm, pressed) = (told(1_000, &script), told(1, &script));
        let whole = calm.iter().find(|told| told.0 == 0).expect("the first stream");
        let twice: Vec<_> = pressed.iter().filter(|told| told.0 == 0).collect();
        assert_eq!(twice.len(), 2, "{script}");
        assert_eq!((twice[0].1, twice[0].3), (false, Leaves::Evicted));
        assert!(twice[1].1);
        assert_eq!(twice[1].4, whole.4, "brought back as it would have been");
    }

    #[test]
    fn a_connection_let_go_and_brought_back_is_the_one_that_was_never_let_go() {
        let data = "+0.01 C > S P. 1001:1101(100) ack 5001 win 502 <ts 3 9>";
        same_but_told_twice(&format!("{SYN}\n{SYN_ACK}"), &format!("{ACK}\n{data}"));
        same_but_told_twice(SYN, &format!("{SYN_ACK}\n{ACK}"));
        same_but_told_twice(&format!("{SYN}\n{SYN_ACK}"), data);
    }

    #[test]
    fn repetitions_resets_and_crossing_segments_bring_an_attempt_back_too() {
        let again = SYN.replace("+0.0", "+1.0");
        same_but_told_twice(SYN, &again);
        same_but_told_twice(SYN, "+0.1 S > C R. 0:0(0) ack 1001 win 0");
        same_but_told_twice(&format!("{SYN}\n{SYN_ACK}"), "+0.1 C > S R 1001:1001(0) win 0");
        same_but_told_twice(SYN, "+0.1 S > C S 5000:5000(0) win 500");
        same_but_told_twice(SYN_ACK, ACK);
    }

    #[test]
    fn what_was_repeated_before_still_counts_as_repeated() {
        let waits = format!("{SYN}\n{}", SYN.replace("+0.0", "+1.0"));
        let pressed = told(1, &pushed_out(&waits, &format!("{SYN_ACK}\n{ACK}")));
        let back = pressed.iter().find(|told| told.1).expect("brought back");
        assert_eq!(back.2, Outcome::Established);
        assert!(back.4.contains("syn_retries: 1") && back.4.contains("server_rtt: None"), "{}", back.4);
    }

    #[test]
    fn another_first_number_is_another_connection_and_not_told_twice() {
        let comes = "+0.1 C > S S 9000:9000(0) win 500";
        let streams: Vec<_> = told(1, &pushed_out(SYN, comes)).iter().map(|told| (told.0, told.1)).collect();
        assert_eq!(streams, [(0, false), (1, false), (2, false)]);
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
    fn nobody_is_said_not_to_have_answered_an_attempt_that_was_let_go_early() {
        let no_answer = |attempts| {
            let told = all_told(attempts, &pushed_out(SYN, ""));
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
