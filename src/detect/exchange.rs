//! Judges one UDP conversation at its end: requests without answer, closed ports, bad checksums.

use crate::detect::Say;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Value;
use crate::flow::EndedExchange;
use crate::udp::Tally;

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
    noticed(ended, say);
    if exchange.bad_checksums > 0 {
        let text =
            format!("{} datagrams between {} and {} have a wrong checksum", exchange.bad_checksums, ended.a, ended.b);
        say(finding(ended, Code::BadChecksum, exchange.bad_checksums, text));
    }
}

/// What the datagrams themselves show, each by the first of them.
fn noticed(ended: &EndedExchange<'_>, say: Say<'_>) {
    let exchange = ended.exchange;
    let (a, b) = (ended.a, ended.b);
    let mut tell = |code, tally: Tally, text: String| {
        if let Some(frame) = tally.first {
            say(Finding { frames: vec![frame], ..finding(ended, code, tally.count, text) });
        }
    };
    let copies = exchange.copies;
    let text = format!("{} between {a} and {b} came twice with the same IP id and octets", datagrams(copies.count));
    tell(Code::UdpDuplicate, copies, text);
    let overtaken = exchange.overtaken;
    let text = format!("{} between {a} and {b} overtaken by later ones: IP ids went back", datagrams(overtaken.count));
    tell(Code::UdpReordered, overtaken, text);
    if let Some(size) = exchange.read_size {
        let text = format!(
            "{} between {a} and {b} too large for one read: {} would be cut to {size}: {} octets lost; {} octets in all",
            datagrams(exchange.cut.count),
            exchange.largest,
            exchange.largest.saturating_sub(size),
            exchange.cut_octets
        );
        tell(Code::UdpReadShort, exchange.cut, text);
    }
    if b.port == 0 {
        let text = format!("{} from {a} to port 0 of {}", datagrams(exchange.packets[0]), b.addr);
        say(finding(ended, Code::UdpPortZero, exchange.packets[0], text));
    }
}

/// `1 datagram`, `2 datagrams`.
fn datagrams(count: u64) -> String {
    format!("{count} datagram{}", if count == 1 { "" } else { "s" })
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
