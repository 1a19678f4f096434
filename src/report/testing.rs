//! Plays a script through decoder and analyzer into a screen, as the program does.

use crate::craft::play;
use crate::decode::decode;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::pipeline::Seen;
use crate::pipeline::Sink;

/// Passes finished things to two closures.
pub(super) struct Screen<'s> {
    pub(super) connection: &'s mut dyn FnMut(&EndedConnection<'_>),
    pub(super) exchange: &'s mut dyn FnMut(&EndedExchange<'_>),
}

impl Sink for Screen<'_> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        (self.connection)(ended);
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        (self.exchange)(ended);
    }

    fn finding(&mut self, _finding: Finding) {}
}

/// Shows every packet of a script, then what ended.
pub(super) fn watch(
    script: &str,
    packet: impl FnMut(&Packet<'_>, &Seen<'_>),
    connection: impl FnMut(&EndedConnection<'_>),
    exchange: impl FnMut(&EndedExchange<'_>),
) {
    watch_judging(Judging::Off, script, packet, connection, exchange);
}

/// The same, with each segment judged.
pub(super) fn watch_judging(
    judging: Judging,
    script: &str,
    mut packet: impl FnMut(&Packet<'_>, &Seen<'_>),
    mut connection: impl FnMut(&EndedConnection<'_>),
    mut exchange: impl FnMut(&EndedExchange<'_>),
) {
    let trace = play(script).unwrap_or_else(|error| panic!("{error}"));
    let mut analyzer = Analyzer::default().judging(judging);
    let mut screen = Screen { connection: &mut connection, exchange: &mut exchange };
    for frame in trace.frames() {
        let decoded = decode(&frame);
        let seen = analyzer.observe(&decoded, &mut screen);
        packet(&decoded, &seen);
    }
    analyzer.finish(&mut screen);
}

/// Text without its escape sequences.
pub(super) fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('\x1b') {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("an escape sequence ends");
        rest = &rest[start + end + 1..];
    }
    plain + rest
}

/// Every line fits into `width` columns.
pub(super) fn assert_fits(text: &str, width: usize) {
    for line in text.lines() {
        let columns = line.chars().count();
        assert!(columns <= width, "{columns} columns, {width} wanted: {line}");
    }
}

/// Opening, request, answer, three-segment close, as on a loopback interface.
pub(super) const CONVERSATION: &str = r#"
    C = 127.0.0.1:45876
    S = 127.0.0.1:47011
    +0.000000  C > S  S   2557618400:2557618400(0)                  win 65495  <mss 65495, sackOK, ts 100 0, wscale 10>
    +0.000010  S > C  S.  1609717634:1609717634(0)  ack 2557618401  win 65483  <mss 65495, sackOK, ts 200 100, wscale 10>
    +0.000012  C > S  .   2557618401:2557618401(0)  ack 1609717635  win 64  <ts 101 200>
    +0.000033  C > S  P.  2557618401:2557618407(6)  ack 1609717635  win 64  <ts 101 200> "1 2 3\n"
    +0.000005  S > C  .   1609717635:1609717635(0)  ack 2557618407  win 64  <ts 201 101>
    +0.002651  S > C  P.  1609717635:1609717637(2)  ack 2557618407  win 64  <ts 201 101> "6\n"
    +0.000020  C > S  .   2557618407:2557618407(0)  ack 1609717637  win 64  <ts 101 200>
    +0.000031  C > S  F.  2557618407:2557618407(0)  ack 1609717637  win 64  <ts 101 200>
    +0.000016  S > C  F.  1609717637:1609717637(0)  ack 2557618408  win 64  <ts 201 101>
    +0.000012  C > S  .   2557618408:2557618408(0)  ack 1609717638  win 64  <ts 101 200>
"#;

/// A port where nobody listens; then a SYN that is tried three times and returned by ICMP.
pub(super) const REFUSED: &str = "
    C = 127.0.0.1:45876
    S = 127.0.0.1:5656
    +0.000000  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +0.000012  S > C  R.  0:0(0)  ack 1001 win 0
    C = 127.0.0.1:45877
    +0.000000  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +1.0  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +2.0  C > S  S   1000:1000(0)            <mss 65495, sackOK>
    +0.5  S > C  icmp port-unreachable
";

/// A capture that began too late; reset after a FIN.
pub(super) const MID_STREAM: &str = r#"
    +0.000000  C > S  P.   1000:1004(4) ack 2000  "ping"
    +0.000012  S > C  P.  2000:2004(4)  ack 1004 "pong"
    +0.000012  C > S  .  1004:1004(0)  ack 2004
    +0.000012  C > S  F.  1004:1004(0)  ack 2004
    +0.000012  S > C  .  2004:2004(0)  ack 1005
    +0.000012  S > C  R.  2004:2004(0)  ack 1005
"#;

/// Half a minute of silence, then a FIN, answered by a reset.
pub(super) const IDLE_CLOSE: &str = r#"
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    +30.0  S > C  F.   5001:5001(0)  ack 1001  win 502
    +0.001  C > S  R   1001:1001(0)  win 502
"#;

/// A request with its answer, and one that finds the port closed.
pub(super) const UDP: &str = r#"
    C = 127.0.0.1:40000
    S = 127.0.0.1:5656
    +0.000  C > S  udp "{\"A\":7,\"B\":4}"
    +0.000095  S > C  udp "{\"sum\":11}"
    S = 127.0.0.1:5657
    +0.000  C > S  udp "{\"A\":7,\"B\":4}"
    +0.000095  S > C  icmp port-unreachable
"#;

/// A SYN,ACK that acknowledges four octets too many.
pub(super) const V6_WRONG_ACK: &str = r#"
    C = [2001:db8::1]:40000
    S = [2001:db8:1234:5678:9abc:def0:1234:5678]:5656
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1440, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1005  win 65535  <mss 1400, sackOK, wscale 8>
"#;

/// A third segment two too high, the right one, and a close in four segments.
pub(super) const WRONG_ACK_THEN_FOUR_WAY: &str = r#"
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
    +0.001  C > S  .   1001:1001(0)  ack 5003  win 502
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    +0.001  C > S  F.   1001:1001(0)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 1002  win 502
    +0.001  S > C  F.   5001:5001(0)  ack 1002  win 502
    +0.001  C > S  .   1002:1002(0)  ack 5002  win 502
"#;

/// A gap, its late filling, a closed window, a bad checksum, a retransmission, a D-SACK, a keep-alive.
pub(super) const LOSS: &str = r#"
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460, sackOK, wscale 8>
    +0.020  C > S  .   1001:1001(0)  ack 5001  win 502
    +0.001  C > S  P.   1001:2461(1460)  ack 5001  win 502
    +0.001  C > S  P.   3921:5381(1460)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 2461  win 502 <sack 3921:5381>
    +0.001  C > S  P.   2461:3921(1460)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 5381  win 0
    +0.001  C > S  P.   2461:3921(1460)  ack 5001  win 502 checksum bad
    +0.001  C > S  P.   2461:3921(1460)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 5381  win 502 <sack 2461:3921>
    +0.001  C > S  .   5380:5380(0)  ack 5001  win 502
    +0.001  S > C  .   5001:5001(0)  ack 5381  win 502
"#;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;
    use crate::packet::Frame;
    use crate::report::connection::Details;
    use crate::report::explain::Explainer;
    use crate::report::explain::stream::StreamExplainer;
    use crate::report::headers;
    use crate::report::json_headers;
    use crate::report::ladder::Ladder;
    use crate::report::style::Style;
    use crate::report::trace::TraceWriter;

    /// Shows frames on every screen there is, and gives back what was written.
    fn on_every_screen(frames: &[Frame<'_>], style: Style) -> String {
        let mut out = Vec::new();
        let (mut trace, mut tcp, mut udp) = (TraceWriter::new(style), Ladder::new(style, 0), Ladder::udp(style, 0));
        let mut analyzer = Analyzer::default().judging(Judging::Everything).keeping_ledger(None);
        let mut explainers: Vec<_> = (1..=64).map(|frame| Explainer::new(style, frame, true)).collect();
        let mut stream = StreamExplainer::new(style, 0);
        let details = RefCell::new(Details::new(style));
        let mut detail = |ended: &EndedConnection<'_>| details.borrow_mut().connection(ended);
        let mut ended = Vec::new();
        let mut writer = TraceWriter::new(style);
        let mut keep = |exchange: &EndedExchange<'_>| writer.exchange(&mut ended, exchange).expect("a vector");
        let mut screen = Screen { connection: &mut detail, exchange: &mut keep };
        for frame in frames {
            let packet = decode(frame);
            let seen = analyzer.observe(&packet, &mut screen);
            trace.packet(&mut out, &packet, &seen).expect("a vector");
            tcp.packet(&mut out, &packet, &seen).expect("a vector");
            udp.packet(&mut out, &packet, &seen).expect("a vector");
            headers::page(&mut out, &packet, &seen, &style, None, headers::Layout::Table).expect("a vector");
            headers::brief(&mut out, &packet, &seen, &style, frame.meta.at, None).expect("a vector");
            for explainer in &mut explainers {
                explainer.packet(&packet, &seen, None);
            }
            stream.packet(&packet, &seen);
            details.borrow_mut().packet(&packet, &seen);
            details.borrow_mut().passed(&packet);
            json_headers::frame(&mut out, "f", &packet, &seen, None::<&()>).expect("a vector");
        }
        analyzer.finish(&mut screen);
        out.extend(ended);
        for explainer in explainers {
            explainer.finish(&mut out).expect("a vector");
        }
        stream.finish(&mut out).expect("a vector");
        details.into_inner().write(&mut out).expect("a vector");
        String::from_utf8(out).expect("text")
    }

    proptest! {
        // Every screen for every case: the fuzz targets go on where these stop.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_octets_on_the_wire_upset_a_screen_or_reach_it_unescaped(
            changes in prop::collection::vec((0usize..64, 0usize..120, any::<u8>()), 0..40),
            lengths in prop::collection::vec(0usize..120, 0..4),
            width in 0usize..140,
        ) {
            let script = format!("{CONVERSATION}{LOSS}{MID_STREAM}{UDP}");
            let mut trace = play(&script).expect("a script that reads");
            let count = trace.frames.len();
            for (frame, at, octet) in changes {
                if let Some(place) = trace.frames[frame % count].1.get_mut(at) {
                    *place = octet;
                }
            }
            for (index, len) in lengths.into_iter().enumerate() {
                let (meta, bytes) = &mut trace.frames[index * 7 % count];
                bytes.truncate(len);
                meta.caplen = bytes.len() as u32;
            }
            let frames: Vec<_> = trace.frames().collect();
            let text = on_every_screen(&frames, Style::plain(width));
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        }
    }
}
