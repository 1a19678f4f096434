//! What one connection showed of its path: what routers said, what vanished, what was clamped.

use crate::detect::Say;
use crate::detect::connection;
use crate::detect::connection::with;
use crate::finding::Code;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::tcp::Side;
use crate::tcp::mss;
use crate::tcp::path::Clamped;
use crate::tcp::path::TooBig;
use crate::tcp::path::plateau_below;

/// Says everything that is to be said about the paths of a connection that is over.
pub fn judge(ended: &EndedConnection<'_>, say: Say<'_>) {
    for sender in [Side::Client, Side::Server] {
        for rule in [told, forged, black_hole, clamped] {
            if let Some(finding) = rule(ended, sender) {
                say(finding);
            }
        }
    }
}

fn finding(ended: &EndedConnection<'_>, code: Code, sender: Side, frames: Vec<u64>, text: String) -> Finding {
    with(connection::finding(ended, code, frames, text), "sender", sender.name())
}

fn told(ended: &EndedConnection<'_>, sender: Side) -> Option<Finding> {
    let connection = ended.connection;
    let trouble = connection.path(sender).trouble.as_ref()?;
    let first = trouble.told.first()?;
    let (from, to) = (ended.endpoint(sender), ended.endpoint(sender.peer()));
    let seq = first.seq.map(|seq| format!(" for seq {seq}, which was outstanding")).unwrap_or_default();
    let text = match connection.path_mtu(sender) {
        Some(mtu) => {
            let sum = connection.effective_mss(sender).map(|sum| format!(", so {} fit", sum.one_line()));
            format!("{from} to {to}: a router takes {mtu} octets{seq}{}", sum.unwrap_or_default())
        }
        // RFC 1191 §7.1: the router is older than the field; a guess may be taken from the usual link sizes.
        None => {
            let most = connection.effective_mss(sender).map_or(1500, |sum| sum.value + HEADERS);
            format!(
                "{from} to {to}: a router says too big and not how much it takes{seq}; the next usual size below {most} is {}",
                plateau_below(most)
            )
        }
    };
    let found = finding(ended, Code::PathMtu, sender, trouble.told.iter().map(|told| told.frame).collect(), text);
    let found = with(found, "count", trouble.told_count);
    Some(match connection.path_mtu(sender) {
        Some(mtu) => with(found, "path_mtu", mtu),
        None => found,
    })
}

fn forged(ended: &EndedConnection<'_>, sender: Side) -> Option<Finding> {
    let trouble = ended.connection.path(sender).trouble.as_ref()?;
    let TooBig { frame, mtu, seq } = trouble.forged?;
    let (from, to) = (ended.endpoint(sender), ended.endpoint(sender.peer()));
    let seq = seq?;
    let text = format!(
        "frame {frame} says that the path from {from} to {to} takes {mtu} octets, and quotes seq {seq}, which was not outstanding"
    );
    let found = finding(ended, Code::PathMtuForged, sender, vec![frame], text);
    Some(with(with(with(found, "mtu", mtu), "seq", seq), "count", trouble.forged_count))
}

fn black_hole(ended: &EndedConnection<'_>, sender: Side) -> Option<Finding> {
    let verdict = ended.connection.black_hole(sender);
    let hole = verdict.fault()?;
    let stuck = hole.stuck;
    let (from, to) = (ended.endpoint(sender), ended.endpoint(sender.peer()));
    let passed = match (stuck.cut_to, stuck.passed_cut) {
        (Some(octets), Some(frame)) => format!("cut to {octets} it passed (frame {frame})"),
        _ if hole.carried > 0 => format!("{} octets passed", hole.carried),
        _ => "its peer was heard meanwhile".to_owned(),
    };
    let text = format!(
        "{from} to {to}: a full segment of {} octets went {} times again from frame {} on, over {}, and was never acknowledged; {passed}, and no ICMP said why",
        stuck.octets,
        stuck.again,
        stuck.first.frame,
        stuck.lasted().human()
    );
    let frames = vec![stuck.first.frame, stuck.last.frame];
    let found = finding(ended, Code::PathMtuBlackHole, sender, frames, text);
    let found = with(with(found, "octets", stuck.octets), "count", u32::from(stuck.again));
    Some(with(found, "carried", hole.carried))
}

fn clamped(ended: &EndedConnection<'_>, sender: Side) -> Option<Finding> {
    let verdict = ended.connection.clamped(sender);
    let from = ended.endpoint(sender);
    let option = |mss: Option<u16>| mss.map_or_else(|| "none".to_owned(), |mss| mss.to_string());
    let implied = |mss| mss::implied_mtu(mss, ended.connection.ipv6);
    let syn = ended.connection.first.frame;
    let (text, frames) = match *verdict.fault()? {
        Clamped::Changed { before, after, frame } => (
            format!(
                "the SYN of {from} was seen with MSS {} and with MSS {} (frame {frame})",
                option(before),
                option(after)
            ),
            vec![frame],
        ),
        Clamped::SendsMore { own, peer } => (
            format!(
                "the SYN of {from} says MSS {own} (MTU {}), and {from} fills segments up to its peer's {peer} (MTU {})",
                implied(own),
                implied(peer)
            ),
            vec![syn],
        ),
    };
    Some(finding(ended, Code::MssClamped, sender, frames, text))
}

/// IPv4 and TCP.
const HEADERS: u32 = mss::IPV4_HEADER + mss::TCP_HEADER;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::finding::Severity;
    use crate::finding::Value;
    use crate::flow::EndedExchange;
    use crate::pipeline::Analyzer;
    use crate::pipeline::Sink;

    struct Paths(Vec<Finding>);

    impl Sink for Paths {
        fn connection(&mut self, _: &EndedConnection<'_>) {}
        fn exchange(&mut self, _: &EndedExchange<'_>) {}
        fn finding(&mut self, finding: Finding) {
            if finding.code.as_str().starts_with("path-") || finding.code == Code::MssClamped {
                self.0.push(finding);
            }
        }
    }

    /// What is said of the paths of a script that goes on behind an opening with MSS 1460 on both sides.
    fn said(script: &str) -> Vec<Finding> {
        let trace = craft::play(&format!("{OPEN}{script}")).unwrap_or_else(|error| panic!("{error}"));
        let (mut analyzer, mut paths) = (Analyzer::default(), Paths(Vec::new()));
        for frame in trace.frames() {
            analyzer.observe(&decode(&frame), &mut paths);
        }
        analyzer.finish(&mut paths);
        paths.0
    }

    fn codes(script: &str) -> Vec<&'static str> {
        said(script).iter().map(|finding| finding.code.as_str()).collect()
    }

    const OPEN: &str = "
        R = 192.0.2.1
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460>
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
        +0.001  C > S  P.  1001:1101(100) ack 5001 win 502
        +0.020  S > C  .   5001:5001(0)  ack 1101  win 502
    ";

    #[test]
    fn icmp_that_quotes_what_is_outstanding_tells_the_path_mtu_and_its_sum() {
        let said = said(
            "
            +0.001  C > S  .   1101:2561(1460) ack 5001 win 502
            +0.010  R > C  icmp fragmentation-needed mtu 1400 quote 8
        ",
        );
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!((said[0].code, said[0].severity, &said[0].frames[..]), (Code::PathMtu, Severity::Note, &[7][..]));
        assert!(said[0].text.contains("takes 1400 octets for seq 1101, which was outstanding"), "{}", said[0].text);
        assert!(said[0].text.contains("− 20 IPv4 header − 20 TCP header = 1360 fit"), "{}", said[0].text);
        assert!(said[0].evidence.contains(&("path_mtu", Value::Number(1400))));
    }

    #[test]
    fn the_same_about_octets_that_were_acknowledged_is_called_forged() {
        let late = "
            +0.001  C > S  .   1101:2561(1460) ack 5001 win 502
            +0.020  S > C  .   5001:5001(0)  ack 2561  win 502
            +0.001  C > S  .   1101:2561(1460) ack 5001 win 502
            +0.010  R > C  icmp fragmentation-needed mtu 600 quote 8
        ";
        let said = said(late);
        assert_eq!(said.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::PathMtuForged]);
        assert!(said[0].text.contains("takes 600 octets, and quotes seq 1101, which was not outstanding"));
    }

    #[test]
    fn icmp_whose_quote_is_too_short_accuses_nobody() {
        assert!(
            codes(
                "
            +0.001  C > S  .   1101:2561(1460) ack 5001 win 502
            +0.010  R > C  icmp fragmentation-needed mtu 600 quote 4
        "
            )
            .is_empty()
        );
    }

    #[test]
    fn a_router_without_the_field_gets_a_guess_that_is_called_one() {
        let said = said(
            "
            +0.001  C > S  .   1101:2561(1460) ack 5001 win 502
            +0.010  R > C  icmp fragmentation-needed mtu 0 quote 8
        ",
        );
        assert!(said[0].text.contains("the next usual size below 1500 is 1492"), "{}", said[0].text);
        assert!(said[0].evidence.iter().all(|(key, _)| *key != "path_mtu"));
    }

    const STUCK: &str = "
        +0.001  C > S  .   1101:2561(1460) ack 5001 win 502
        +0.300  C > S  .   1101:2561(1460) ack 5001 win 502
        +0.600  C > S  .   1101:2561(1460) ack 5001 win 502
    ";

    #[test]
    fn full_segments_that_vanish_until_they_are_cut_fell_into_a_black_hole() {
        let said = said(&format!(
            "{STUCK}
            +1.200  C > S  .   1101:2125(1024) ack 5001 win 502
            +0.020  S > C  .   5001:5001(0)  ack 2125  win 502
        "
        ));
        assert_eq!(said.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::PathMtuBlackHole]);
        assert_eq!(
            said[0].text,
            "10.0.0.1:40000 to 10.0.0.2:80: a full segment of 1460 octets went 2 times again from frame 7 on, over 600 ms, \
             and was never acknowledged; cut to 1024 it passed (frame 10), and no ICMP said why"
        );
    }

    #[test]
    fn the_same_loss_on_a_path_that_carried_a_full_segment_is_loss() {
        assert!(codes(&format!("{STUCK}\n+0.02 S > C . 5001:5001(0) ack 2561 win 502")).is_empty());
    }

    #[test]
    fn a_host_that_is_gone_is_no_black_hole() {
        assert!(codes(STUCK).is_empty());
        assert_eq!(codes(&format!("{STUCK}\n+0.02 S > C P. 5001:5002(1) ack 1101 win 502")), ["path-mtu-black-hole"]);
    }

    #[test]
    fn with_a_word_of_the_router_it_is_no_black_hole() {
        let told = format!(
            "{STUCK}\n+0.01 R > C icmp fragmentation-needed mtu 1400 quote 8\n+0.01 S > C P. 5001:5002(1) ack 1101 win 502"
        );
        assert_eq!(codes(&told), ["path-mtu"]);
    }

    #[test]
    fn a_syn_seen_twice_with_two_sizes_was_clamped_and_with_one_was_repeated() {
        let twice = |mss| format!("C = 10.0.0.1:40001\n+0 C > S S 1:1(0) <mss 1460>\n+0 C > S S 1:1(0) <mss {mss}>");
        let said = said(&twice(1360));
        assert_eq!(said.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::MssClamped]);
        assert!(said[0].text.contains("with MSS 1460 and with MSS 1360 (frame 7)"), "{}", said[0].text);
        assert!(codes(&twice(1460)).is_empty());
    }

    #[test]
    fn who_fills_segments_beyond_its_own_option_has_a_larger_link_than_it_says() {
        let opens = |octets: u32| {
            format!(
                "
                C = 10.0.0.1:40001
                +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1360>
                +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460>
                +0.001  C > S  .   1001:{}({octets}) ack 5001 win 502
            ",
                1001 + octets
            )
        };
        let said = said(&opens(1460));
        assert_eq!(said.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::MssClamped]);
        assert!(said[0].text.contains("MSS 1360 (MTU 1400)") && said[0].text.contains("1460 (MTU 1500)"));
        assert!(codes(&opens(1360)).is_empty());
    }
}
