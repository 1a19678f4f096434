//! One packet in one line, in the alphabet that the whole field reads: tcpdump's.

use std::fmt::Write as _;
use std::io;
use std::io::Write;

use crate::decode::fields;
use crate::decode::fields::Said;
use crate::decode::options;
use crate::packet::Defect;
use crate::packet::DefectCode;
use crate::packet::IpHeader;
use crate::packet::LayerKind;
use crate::packet::Packet;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::packet::TcpOption;
use crate::packet::Timestamp;
use crate::packet::Transport;
use crate::pipeline::Seen;
use crate::report::headers::brief_ip;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words;
use crate::report::words::datagram;
use crate::tcp::Side;
use crate::tcp::dialect::Tags;

/// Writes `12 0.000123 IP 127.0.0.1.40000 > 127.0.0.1.5656: Flags [S.], seq 0, ack 1, win 65535, …, length 0`: frame
/// number, seconds since `base`, then the packet. Numbers are relative where `seen` knows the connection and the style
/// asks for it. Defects follow in brackets, then what `wireshark` calls the frame. The line is as long as it has to be.
///
/// # Errors
/// Those of the writer.
pub fn brief(
    out: &mut dyn Write,
    packet: &Packet<'_>,
    seen: &Seen<'_>,
    style: &Style,
    base: Timestamp,
    wireshark: Option<&Tags>,
) -> io::Result<()> {
    let since = text::seconds(packet.meta.at.since(base));
    let mut line = format!("{} {since} ", style.dim(packet.meta.number));
    match &packet.ip {
        Some(ip) => ip_words(&mut line, packet, ip, seen, style),
        None => link_words(&mut line, packet),
    }
    for defect in &packet.defects {
        let _ = write!(line, " {}", style.bad(format_args!("[{}]", defect_word(defect))));
    }
    if packet.meta.is_snapped() {
        let octets = format!("[{} of {} octets captured]", packet.meta.caplen, packet.meta.origlen);
        let _ = write!(line, " {}", style.warn(octets));
    }
    if let Some(label) = wireshark.map(|tags| tags.label().to_string()).filter(|label| !label.is_empty()) {
        let _ = write!(line, " {}", style.warn(label));
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

fn ip_words(line: &mut String, packet: &Packet<'_>, ip: &IpHeader, seen: &Seen<'_>, style: &Style) {
    let name = if ip.version == 6 { "IP6" } else { "IP" };
    let (src, dst) = match packet.endpoints() {
        Some((_, src, dst)) => (format!("{}.{}", src.addr, src.port), format!("{}.{}", dst.addr, dst.port)),
        None => (ip.src.to_string(), ip.dst.to_string()),
    };
    let _ = write!(line, "{name} {src} > {dst}: ");
    brief_ip::extensions(line, packet);
    let _ = match &packet.transport {
        Transport::Tcp(tcp) => {
            tcp_words(line, tcp, seen, style);
            Ok(())
        }
        Transport::Udp(udp) => write!(line, "UDP, length {}", udp.len),
        Transport::Icmp(_) => {
            let mut words = format!("{}{}", datagram::icmp_words(packet), neighbor_words(packet));
            if let Some(found) = fields::extensions(packet) {
                let objects = brief_ip::items(&found.fields, "objects");
                let _ = write!(words, ", extensions [{}]", objects.join(","));
            }
            write!(line, "ICMP {words}, length {}", ip.payload_len)
        }
        Transport::LaterFragment => {
            write!(line, "protocol {}, fragment at {}, length {}", ip.protocol, ip.fragment_offset, ip.payload_len)
        }
        Transport::Other | Transport::None => write!(line, "protocol {}, length {}", ip.protocol, ip.payload_len),
    };
    brief_ip::options(line, packet);
}

fn tcp_words(line: &mut String, tcp: &TcpHeader<'_>, seen: &Seen<'_>, style: &Style) {
    let number = |from_sender: bool, seq| match seen {
        Seen::Tcp(seen) => {
            let side: Side = if from_sender { seen.side } else { seen.side.peer() };
            words::number(seen.connection, side, seq, style.numbers)
        }
        _ => seq.to_string(),
    };
    let _ = write!(line, "Flags [{}]", flag_letters(tcp.flags));
    if tcp.len > 0 {
        let _ = write!(line, ", seq {}:{}", number(true, tcp.seq), number(true, tcp.seq.plus(tcp.len)));
    } else if tcp.flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST)) {
        let _ = write!(line, ", seq {}", number(true, tcp.seq));
    }
    if tcp.flags.has(TcpFlags::ACK) {
        let _ = write!(line, ", ack {}", number(false, tcp.ack));
    }
    let _ = write!(line, ", win {}", tcp.window);
    if tcp.flags.has(TcpFlags::URG) {
        let _ = write!(line, ", urg {}", tcp.urgent);
    }
    if !tcp.options.is_empty() {
        let list: Vec<_> =
            options::walk(tcp.options).map(|option| option_words(&option, |seq| number(false, seq))).collect();
        let _ = write!(line, ", options [{}]", list.join(","));
    }
    let _ = write!(line, ", length {}", tcp.len);
}

fn flag_letters(flags: TcpFlags) -> String {
    const LETTERS: [(TcpFlags, char); 9] = [
        (TcpFlags::FIN, 'F'),
        (TcpFlags::SYN, 'S'),
        (TcpFlags::RST, 'R'),
        (TcpFlags::PSH, 'P'),
        (TcpFlags::ACK, '.'),
        (TcpFlags::URG, 'U'),
        (TcpFlags::ECE, 'E'),
        (TcpFlags::CWR, 'W'),
        (TcpFlags::AE, 'e'),
    ];
    let letters: String = LETTERS.iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, letter)| letter).collect();
    if letters.is_empty() { "none".to_owned() } else { letters }
}

fn option_words(option: &TcpOption<'_>, number: impl Fn(SeqNumber) -> String) -> String {
    match *option {
        TcpOption::EndOfList => "eol".to_owned(),
        TcpOption::NoOp => "nop".to_owned(),
        TcpOption::Mss(mss) => format!("mss {mss}"),
        TcpOption::WindowScale(shift) => format!("wscale {shift}"),
        TcpOption::SackPermitted => "sackOK".to_owned(),
        TcpOption::Sack(octets) => {
            let blocks: Vec<_> = options::sack_blocks(octets)
                .map(|block| format!("{{{}:{}}}", number(block.left), number(block.right)))
                .collect();
            format!("sack {} {}", blocks.len(), blocks.concat())
        }
        TcpOption::Timestamps { value, echo } => format!("TS val {value} ecr {echo}"),
        TcpOption::FastOpen([]) => "tfo cookiereq".to_owned(),
        TcpOption::FastOpen(cookie) => format!("tfo cookie {}", hex(cookie)),
        TcpOption::Mptcp(data) => mptcp_words(data),
        TcpOption::Md5(digest) => format!("md5 {}", hex(digest)),
        TcpOption::Ao(data) => format!("tcp-ao keyid {} rnextkeyid {} mac 0x{}", data[0], data[1], hex(&data[2..])),
        TcpOption::UserTimeout(field) => format!("uto 0x{field:x}"),
        TcpOption::AccEcn { kind, data: [] } => format!("accecn{}", (kind - 172) / 2),
        TcpOption::AccEcn { kind, data } => format!("accecn{} 0x{}", (kind - 172) / 2, hex(data)),
        TcpOption::Experiment { kind: 254, data: [0xf9, 0x89] } => "exp-tfo cookiereq".to_owned(),
        TcpOption::Experiment { kind: 254, data: [0xf9, 0x89, cookie @ ..] } => {
            format!("exp-tfo cookie {}", hex(cookie))
        }
        TcpOption::Experiment { kind: 254, data: &[high, low] } => format!("exp-{high:02x}{low:02x}"),
        TcpOption::Experiment { kind: 254, data: &[high, low, ref rest @ ..] } => {
            format!("exp-{high:02x}{low:02x} 0x{}", hex(rest))
        }
        TcpOption::Experiment { kind, data } | TcpOption::Unknown { kind, data } => match data {
            [] => format!("unknown-{kind}"),
            data => format!("unknown-{kind} 0x{}", hex(data)),
        },
        TcpOption::Malformed { kind, .. } => format!("kind {kind} [bad opt]"),
    }
}

/// Who is looked for, or found, by neighbour discovery (RFC 4861).
fn neighbor_words(packet: &Packet<'_>) -> String {
    let Some(layer) = packet.layers.last().filter(|layer| layer.kind == LayerKind::Icmpv6) else {
        return String::new();
    };
    let described = fields::describe(packet, layer);
    let of = |name| described.iter().find(|field| field.name == name).map(|field| field.meaning.as_str());
    match (packet.icmp().map(|icmp| icmp.kind), of("target_address"), of("destination_address")) {
        (Some(135), Some(target), _) => format!(", who has {target}"),
        (Some(137), Some(target), Some(destination)) => format!(", {destination} by {target}"),
        (_, Some(target), _) => format!(", it is {target}"),
        (_, None, _) => String::new(),
    }
}

/// `mptcp 12 mp-capable version 1 flags H sender_key …`.
fn mptcp_words(data: &[u8]) -> String {
    let mut text = format!("mptcp {}", data.len() + 2);
    let Some(option) = fields::mptcp(data) else { return text };
    let _ = write!(text, " {}", option.name);
    for (name, value) in option.fields {
        let _ = match value {
            Said::Octets(octets) => write!(text, " {name} 0x{octets}"),
            value => write!(text, " {name} {value}"),
        };
    }
    text
}

/// Frames without IP: ARP, or the name of what they carry.
fn link_words(line: &mut String, packet: &Packet<'_>) {
    let len = packet.meta.origlen;
    let Some(layer) = packet.layers.last() else {
        let _ = write!(line, "{}, length {len}", packet.meta.link_type);
        return;
    };
    let described = fields::describe(packet, layer);
    let meaning = |name| described.iter().find(|field| field.name == name).map_or("?", |field| field.meaning.as_str());
    let _ = match (layer.kind, meaning("operation")) {
        (LayerKind::Arp, "request") => {
            write!(line, "ARP, Request who-has {} tell {}", meaning("target_protocol"), meaning("sender_protocol"))
        }
        (LayerKind::Arp, "reply") => {
            write!(line, "ARP, Reply {} is-at {}", meaning("sender_protocol"), meaning("sender_hardware"))
        }
        (LayerKind::Arp, operation) => write!(line, "ARP, {operation}"),
        (kind, _) => match described.iter().rfind(|field| field.name.ends_with("ether_type")) {
            Some(field) => write!(line, "{}, {}", kind.name(), field.meaning),
            None => write!(line, "{}", kind.name()),
        },
    };
    let _ = write!(line, ", length {len}");
}

fn defect_word(defect: &Defect) -> &'static str {
    match defect.code {
        DefectCode::TcpChecksum => "bad cksum",
        DefectCode::UdpChecksum => "bad udp cksum",
        DefectCode::IpChecksum => "bad ip cksum",
        DefectCode::IcmpChecksum => "bad icmp cksum",
        code => code.code(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
