//! Judges one UDP conversation at its end: requests without answer, closed ports, bad checksums.

use crate::detect::Say;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::EndedExchange;

/// Says everything that is to be said about a UDP conversation that is over.
pub fn judge(ended: &EndedExchange<'_>, say: Say<'_>) {
    let exchange = ended.exchange;
    if exchange.port_closed > 0 {
        let text = format!(
            "{} told {} by ICMP that nobody listens on port {}, {} times",
            ended.b.addr, ended.a.addr, ended.b.port, exchange.port_closed
        );
        say(finding(ended, Code::UdpPortClosed, exchange.port_closed, text));
    }
    let unanswered = exchange.unanswered();
    // One-way traffic (multicast, syslog) asks nothing: only a side that answers at all can owe an answer.
    if unanswered > 0 && exchange.pairs > 0 {
        let text =
            format!("{} left {unanswered} of {} datagrams of {} without answer", ended.b, exchange.packets[0], ended.a);
        say(finding(ended, Code::UdpUnanswered, unanswered, text));
    }
    if exchange.bad_checksums > 0 {
        let text =
            format!("{} datagrams between {} and {} have a wrong checksum", exchange.bad_checksums, ended.a, ended.b);
        say(finding(ended, Code::BadChecksum, exchange.bad_checksums, text));
    }
}

fn finding(ended: &EndedExchange<'_>, code: Code, count: u64, text: String) -> Finding {
    Finding {
        code,
        severity: code.severity(),
        at: ended.exchange.last.at,
        streams: vec![ended.stream],
        frames: vec![ended.exchange.first.frame],
        text,
        evidence: vec![("protocol", Value::from("udp")), ("count", Value::Number(count))],
    }
}
