//! UDP's requests and answers, and the ICMP errors that come instead of one.

use crate::decode::fields;
use crate::flow::EndedExchange;
use crate::packet::ChecksumState;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::UdpHeader;
use crate::pipeline::UdpSeen;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::text;
use crate::report::words;
use crate::report::words::several;
use crate::udp::Event;

/// What a datagram did. Its payload takes `room` columns at most.
pub(in crate::report) fn facts(packet: &Packet<'_>, udp: &UdpHeader<'_>, seen: &UdpSeen<'_>, room: usize) -> Facts {
    let mut facts = Facts::default();
    if !udp.payload.is_empty() {
        facts.plain(text::preview(udp.payload, room));
    }
    if (udp.payload.len() as u64) < u64::from(udp.len) {
        facts.say(Ink::Dim, format!("{} of {} B captured", udp.payload.len(), udp.len));
    }
    match seen.event {
        Event::Request => facts.plain("request"),
        Event::Answer { to, latency } => {
            facts.plain(format!("answer to frame {}, {}", to.frame, text::span(latency)));
        }
        Event::Unsolicited => facts.say(Ink::Warn, "nobody asked for it"),
        // Told by the ICMP message that says so.
        Event::PortClosed { .. } => {}
    }
    let latest = seen.exchange.latest;
    if latest.copy {
        facts.say(Ink::Warn, "came twice: same IP id and octets as before");
    }
    if latest.overtaken {
        facts.say(Ink::Warn, "overtaken: its IP id lies behind that of an earlier one");
    }
    if latest.cut > 0 {
        facts.say(Ink::Warn, format!("a read would cut it to {}: {} octets lost", udp.len - latest.cut, latest.cut));
    }
    if let ChecksumState::Absent = udp.checksum {
        facts.say(Ink::Dim, "no checksum");
    }
    words::defects(packet, &mut facts);
    facts
}

/// An ICMP error about a conversation: what it says, from whom, about which packet.
pub(in crate::report) fn icmp_facts(packet: &Packet<'_>, protocol: Protocol, ends: bool) -> Facts {
    let mut facts = Facts::default();
    let ink = if ends { Ink::Bad } else { Ink::Warn };
    let from = packet.ip.map(|ip| format!(" from {}", ip.src)).unwrap_or_default();
    facts.say(ink, format!("{}{from}", icmp_words(packet)));
    let Some(icmp) = packet.icmp() else { return facts };
    if let Some(mtu) = icmp.mtu {
        facts.plain(format!("next-hop MTU {mtu}"));
    }
    if let Some(quoted) = icmp.quoted {
        let seq = quoted.seq.map(|seq| format!(", seq {seq}")).unwrap_or_default();
        facts.plain(format!("about {} > {}{seq}", quoted.src, quoted.dst));
        if ends {
            // Port unreachable, RFC 792 and RFC 4443 §3.1.
            let no_listener = matches!((icmp.version, icmp.kind, icmp.code), (4, 3, 3) | (6, 1, 4));
            match protocol {
                Protocol::Udp if no_listener => {
                    facts.say(Ink::Bad, format!("nobody listens on port {}", quoted.dst.port));
                }
                Protocol::Udp => facts.say(Ink::Bad, "the datagram was not delivered"),
                Protocol::Tcp => facts.say(Ink::Bad, "the attempt is over"),
            }
        }
    }
    facts
}

/// Type and code of an ICMP message in words: `destination unreachable, port unreachable`.
pub(in crate::report) fn icmp_words(packet: &Packet<'_>) -> String {
    let is_icmp = |kind| matches!(kind, LayerKind::Icmp | LayerKind::Icmpv6);
    let Some(layer) = packet.layers.iter().rfind(|layer| is_icmp(layer.kind)) else { return String::new() };
    let described = fields::describe(packet, layer);
    let of = |name| described.iter().find(|field| field.name == name).map(|field| field.meaning.as_str());
    match (of("type"), of("code")) {
        (Some(kind), Some(code)) if code.parse::<u8>().is_ok() => match code {
            "0" => kind.to_owned(),
            code => format!("{kind}, code {code}"),
        },
        // "destination unreachable" adds nothing to "port unreachable".
        (Some("destination unreachable"), Some(code)) => code.to_owned(),
        (Some(kind), Some(code)) => format!("{kind}, {code}"),
        _ => String::new(),
    }
}

/// What is to be said at the end of a conversation.
pub(in crate::report) fn ended(ended: &EndedExchange<'_>) -> Facts {
    let exchange = ended.exchange;
    let mut facts = Facts::default();
    facts.plain(format!("{}, {} answered", several(exchange.packets[0], "request"), text::count(exchange.pairs)));
    if let (Some(mean), Some(min)) = (exchange.mean_latency(), exchange.latency.min) {
        let max = exchange.latency.max;
        facts.plain(match exchange.pairs {
            1 => format!("latency {}", text::span(mean)),
            _ => {
                let median = exchange.median_latency().map_or(mean, |(median, _)| median);
                let (min, max, mean) = (text::span(min), text::span(max), text::span(mean));
                format!("latency {min} to {max}, median {}, mean {mean}", text::span(median))
            }
        });
    }
    if exchange.port_closed > 0 {
        facts.say(Ink::Bad, format!("{} returned by ICMP", text::count(exchange.port_closed)));
    }
    if exchange.unanswered() > 0 {
        facts.say(Ink::Warn, format!("{} unanswered", text::count(exchange.unanswered())));
    }
    if exchange.unsolicited > 0 {
        facts.say(Ink::Warn, format!("{} that nobody asked for", text::count(exchange.unsolicited)));
    }
    facts
}
