//! Frames that are no TCP segment: what they are, and what belongs to them (RFC 768, RFC 792, RFC 4443, RFC 826).

use crate::decode::fields;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::Transport;
use crate::packet::UdpHeader;
use crate::pipeline::Seen;
use crate::pipeline::UdpSeen;
use crate::report::explain::Cause;
use crate::report::explain::Subject;
use crate::report::explain::after::After;
use crate::report::line::Facts;
use crate::report::style::Ink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::verdicts;
use crate::report::words;
use crate::report::words::datagram;
use crate::udp::Event;

/// What can be said of such a frame.
pub(super) fn subject(packet: &Packet<'_>, seen: &Seen<'_>, style: &Style) -> Subject {
    let mut subject = Subject {
        head: format!("packet {}  {}", packet.meta.number, text::utc(packet.meta.at)),
        cause: None,
        does: Facts::default(),
        because: Vec::new(),
        rules: Vec::new(),
        instead: Vec::new(),
        capture: Vec::new(),
        wireshark: Vec::new(),
        sources: Vec::new(),
        state: String::new(),
        after: After::nothing(packet),
        verdicts: Vec::new(),
        trial: Vec::new(),
    };
    match (seen, packet.udp()) {
        (Seen::Udp(seen), Some(udp)) => of_udp(&mut subject, packet, udp, seen, style),
        (&Seen::Unreachable { protocol, stream, ends }, _) => {
            let code = verdicts::code_of_icmp(protocol);
            subject.does = datagram::icmp_facts(packet, protocol, ends);
            subject.does.plain(format!("about {} stream {stream}", protocol.name()));
            subject.sources.push(code.rfc());
            if ends {
                let title = code.title().to_lowercase();
                subject.cause = Some(Cause { title, code, ink: Ink::Bad, sure: true });
                let mut meaning = Facts::default();
                meaning.say(Ink::Dim, code.meaning());
                subject.because.push(meaning);
            }
        }
        _ => of_other(&mut subject, packet),
    }
    subject
}

fn of_udp(subject: &mut Subject, packet: &Packet<'_>, udp: &UdpHeader<'_>, seen: &UdpSeen<'_>, style: &Style) {
    let (from, to) = if seen.by_a { (seen.a, seen.b) } else { (seen.b, seen.a) };
    let since = text::seconds(packet.meta.at.since(seen.exchange.first.at));
    subject.head =
        format!("packet {}  {from} → {to}  {} B  (#u{} +{since} s)", packet.meta.number, udp.len, seen.stream);
    subject.does.say(
        Ink::Bold,
        match seen.event {
            Event::Request => "asks: the first side of this conversation sends",
            Event::Answer { .. } => "answers the oldest request that waits",
            Event::Unsolicited => "answers nothing: no request was waiting",
            Event::PortClosed { .. } => "a datagram",
        },
    );
    let room = style.width.saturating_sub(BESIDE_PAYLOAD).max(PAYLOAD_LEAST);
    subject.does.append(datagram::facts(packet, udp, seen, room));
    subject.sources.push("RFC 768");
    subject.after = After::of_datagram(packet, seen.stream);
}

fn of_other(subject: &mut Subject, packet: &Packet<'_>) {
    let does = &mut subject.does;
    match &packet.transport {
        Transport::Icmp(_) => {
            does.say(Ink::Bold, format!("ICMP: {}", datagram::icmp_words(packet)));
            does.plain("no conversation of this capture is meant by it");
            subject.sources.push("RFC 792; RFC 4443");
        }
        Transport::LaterFragment => {
            does.say(Ink::Bold, "a later fragment of an IP datagram");
            does.plain("its ports stand in the first one, so it belongs to no stream here");
            subject.sources.push("RFC 791 §3.2; RFC 8200 §4.5");
        }
        Transport::Tcp(_) | Transport::Udp(_) => {
            does.say(Ink::Bold, "a fragment of a datagram that is not put together");
            does.plain("its length is not known, so it is not judged");
            subject.sources.push("RFC 791 §3.2; RFC 8200 §4.5");
        }
        Transport::Other => {
            let number = packet.ip.map_or(0, |ip| ip.protocol);
            does.say(Ink::Bold, format!("IP protocol {number}: not TCP, UDP or ICMP, or its header was cut off"));
        }
        Transport::None => link(does, packet),
    }
    if let Some(ip) = packet.ip {
        does.plain(format!("{} → {}", ip.src, ip.dst));
    }
    words::defects(packet, does);
}

/// ARP in a sentence; anything else by name.
fn link(does: &mut Facts, packet: &Packet<'_>) {
    let Some(layer) = packet.layers.last() else {
        does.say(Ink::Bold, "a frame in which no header was found");
        return;
    };
    let described = fields::describe(packet, layer);
    let meaning = |name| described.iter().find(|field| field.name == name).map_or("?", |field| field.meaning.as_str());
    if layer.kind != LayerKind::Arp {
        does.say(Ink::Bold, format!("{}: carries no IP", layer.kind.name()));
        return;
    }
    let (sender, target) = (meaning("sender_protocol"), meaning("target_protocol"));
    does.say(
        Ink::Bold,
        match meaning("operation") {
            "request" if sender == target => format!("ARP: {sender} announces itself"),
            "request" => format!("ARP: {sender} asks who has {target}"),
            "reply" => format!("ARP: {sender} is at {}", meaning("sender_hardware")),
            operation => format!("ARP: {operation}"),
        },
    );
    does.plain("before the first IP packet to a neighbour its hardware address must be known (RFC 826)");
}

/// Label, quotation marks and a cut sign.
const BESIDE_PAYLOAD: usize = 20;
const PAYLOAD_LEAST: usize = 12;
