//! One packet line, behind its time, sender and receiver.

use crate::craft::error::Fault;
use crate::craft::options;
use crate::craft::script;
use crate::craft::script::Settings;
use crate::craft::step::Body;
use crate::craft::step::Datagram;
use crate::craft::step::IcmpKind;
use crate::craft::step::Message;
use crate::craft::step::Segment;
use crate::craft::step::Step;
use crate::craft::words::Word;
use crate::craft::words::Words;
use crate::craft::words::hex;
use crate::craft::words::not_a;
use crate::craft::words::number;
use crate::packet::Endpoint;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::Timestamp;

/// Reads the body and the words behind it. `before` are the steps above, for errors to quote.
pub(super) fn parse(
    words: &mut Words<'_>,
    at: Timestamp,
    (src, dst): (Endpoint, Endpoint),
    settings: &Settings,
    before: &[Step],
) -> Result<Step, Fault> {
    let mut step = Step::new(at, src, dst);
    step.ttl = settings.ttl;
    step.vlans.clone_from(&settings.vlans);
    step.mpls.clone_from(&settings.mpls);
    step.pppoe = settings.pppoe;
    step.tunnel = settings.tunnel;
    step.snaplen = settings.snaplen;
    step.checksum = settings.checksum;
    step.body = match words.plain("flags, `udp` or `icmp`")? {
        "udp" => Body::Udp(Datagram { payload: Vec::new(), length: None }),
        "icmp" => Body::Icmp(message(words, src, dst, before)?),
        flags => Body::Tcp(segment(words, flags)?),
    };
    let mut stated = match &step.body {
        Body::Tcp(segment) => Some(segment.payload.len() as u32),
        _ => None,
    };
    while let Some(word) = words.next()? {
        match word {
            Word::Plain(word) if word.starts_with('(') => stated = Some(parenthesised(word, &mut step)?),
            Word::Plain(key) => keyword(key, words, &mut step)?,
            Word::Literal(octets) => literal(octets, stated, &mut step)?,
            Word::Bracketed(text) => match &mut step.body {
                Body::Tcp(segment) => segment.options = options::parse(text)?,
                _ => return Err(not_a("a word of this packet", "<…>")),
            },
        }
    }
    let octets = step.transport_len() + step.ip_extra() + if step.tunnel.is_some() { TUNNEL_ROOM } else { 0 };
    if octets > usize::from(u16::MAX) - 20 && step.ip_len.is_none() {
        return Err(Fault::TooLong { octets });
    }
    Ok(step)
}

fn segment(words: &mut Words<'_>, flags: &str) -> Result<Segment, Fault> {
    let flags = tcp_flags(flags)?;
    let word = words.plain("seq:end(len)")?;
    let (seq, end, len) = sequence(word).ok_or_else(|| not_a("seq:end(len)", word))?;
    if seq.wrapping_add(len) != end {
        return Err(Fault::Sequence { seq, end, len });
    }
    if len > MAX_PAYLOAD {
        return Err(Fault::TooLong { octets: len as usize });
    }
    Ok(Segment {
        seq: SeqNumber(seq),
        ack: SeqNumber(0),
        flags,
        window: DEFAULT_WINDOW,
        urgent: 0,
        options: Vec::new(),
        header_len: None,
        payload: filler(seq, len),
    })
}

/// `1000:1010(10)`.
fn sequence(word: &str) -> Option<(u32, u32, u32)> {
    let (seq, rest) = word.split_once(':')?;
    let (end, len) = rest.strip_suffix(')')?.split_once('(')?;
    Some((seq.parse().ok()?, end.parse().ok()?, len.parse().ok()?))
}

/// tcpdump's letters; `e` is AE, as its newer releases have it.
fn tcp_flags(word: &str) -> Result<TcpFlags, Fault> {
    if word == "none" {
        return Ok(TcpFlags::default());
    }
    word.chars().try_fold(TcpFlags::default(), |flags, letter| {
        Ok(flags.with(match letter {
            'S' => TcpFlags::SYN,
            'F' => TcpFlags::FIN,
            'R' => TcpFlags::RST,
            'P' => TcpFlags::PSH,
            '.' => TcpFlags::ACK,
            'U' => TcpFlags::URG,
            'E' => TcpFlags::ECE,
            'W' => TcpFlags::CWR,
            'e' => TcpFlags::AE,
            _ => return Err(not_a("flags (S F R P . U E W e, none), `udp` or `icmp`", word)),
        }))
    })
}

fn message(words: &mut Words<'_>, src: Endpoint, dst: Endpoint, before: &[Step]) -> Result<Message, Fault> {
    let word = words.plain("the kind of ICMP message")?;
    let kind = IcmpKind::named(word).ok_or_else(|| not_a("a kind of ICMP message", word))?;
    let mut quoted = None;
    if kind.is_error() {
        let sent = |step: &Step| step.src.addr == dst.addr && !matches!(step.body, Body::Icmp(_));
        // A host complains about what it was sent, a router about anything.
        let to_host = before.iter().rposition(|step| sent(step) && step.dst.addr == src.addr);
        let any = to_host.or_else(|| before.iter().rposition(sent));
        quoted = Some(any.ok_or(Fault::NothingToQuote)?);
    }
    Ok(Message { kind, code: None, mtu: 0, quoted, quote: None, padded: None, payload: Vec::new() })
}

/// `(20)`: octets of filler.
fn parenthesised(word: &str, step: &mut Step) -> Result<u32, Fault> {
    let inside = word.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let len: u32 = number(inside.ok_or_else(|| not_a("(len)", word))?, "a length")?;
    if len > MAX_PAYLOAD {
        return Err(Fault::TooLong { octets: len as usize });
    }
    match &mut step.body {
        Body::Udp(datagram) => datagram.payload = filler(0, len),
        Body::Icmp(message) => message.payload = filler(0, len),
        Body::Tcp(_) => return Err(not_a("a word of this packet", word)),
    }
    Ok(len)
}

fn literal(octets: Vec<u8>, stated: Option<u32>, step: &mut Step) -> Result<(), Fault> {
    if let Some(len) = stated.filter(|&len| len as usize != octets.len()) {
        return Err(Fault::LiteralLength { literal: octets.len(), len });
    }
    match &mut step.body {
        Body::Tcp(segment) => segment.payload = octets,
        Body::Udp(datagram) => datagram.payload = octets,
        Body::Icmp(message) => message.payload = octets,
    }
    Ok(())
}

fn keyword(key: &str, words: &mut Words<'_>, step: &mut Step) -> Result<(), Fault> {
    match (key, &mut step.body) {
        ("ack", Body::Tcp(segment)) => segment.ack = SeqNumber(words.number("an acknowledgment number")?),
        ("win", Body::Tcp(segment)) => segment.window = words.number("a window")?,
        ("urg", Body::Tcp(segment)) => segment.urgent = words.number("an urgent pointer")?,
        ("hlen", Body::Tcp(segment)) => {
            let word = words.plain("a header length")?;
            let len: u8 = number(word, "a header length")?;
            if !len.is_multiple_of(4) || len > 60 {
                return Err(not_a("a header length of whole words up to 60", word));
            }
            segment.header_len = Some(len);
        }
        ("udplen", Body::Udp(datagram)) => datagram.length = Some(words.number("a UDP length")?),
        ("code", Body::Icmp(message)) => message.code = Some(words.number("an ICMP code")?),
        ("mtu", Body::Icmp(message)) => message.mtu = words.number("an MTU")?,
        ("quote", Body::Icmp(message)) => message.quote = Some(words.number("a number of octets")?),
        ("padded", Body::Icmp(message)) => {
            let word = words.plain("a number of octets")?;
            let octets: u8 = number(word, "a number of octets")?;
            if !octets.is_multiple_of(8) {
                return Err(not_a("a number of octets in whole eights", word));
            }
            message.padded = Some(octets);
        }
        ("ipopt", _) => {
            let mut octets = hex(words.plain("options in hex")?, "options in hex")?;
            octets.resize(octets.len().next_multiple_of(4), 0);
            if octets.len() > OPTIONS_MOST || !step.src.addr.is_ipv4() {
                return Err(not_a("a list that fits IPv4: 40 octets at most", "ipopt"));
            }
            step.ip_options = octets;
        }
        ("ext", _) => {
            let kind = words.number("the number of an extension header")?;
            let octets = hex(words.plain("its octets in hex")?, "its octets in hex")?;
            step.extensions.push((kind, extension(octets)?));
        }
        ("ttl", _) => step.ttl = words.number("a TTL")?,
        ("tos", _) => step.traffic_class = words.number("a traffic class")?,
        ("id", _) => step.id = Some(words.number("an identification")?),
        ("iplen", _) => step.ip_len = Some(words.number("an IP length")?),
        ("snaplen", _) => step.snaplen = Some(words.number("a snap length")?),
        ("checksum", _) => step.checksum = script::checksum(words.plain("a checksum state")?)?,
        ("df", _) => step.dont_fragment = Some(true),
        ("mf", _) => step.more_fragments = true,
        ("fragment", _) => {
            let word = words.plain("a fragment offset")?;
            match word {
                "at" => step.split = Some(eights(words.plain("a fragment size")?)?),
                word => step.fragment_offset = eights(word)?,
            }
        }
        ("trailer", _) => step.trailer = words.number::<u16>("a number of octets")?,
        (other, _) => return Err(not_a("a word of this packet", other)),
    }
    Ok(())
}

/// What follows the first two octets of an extension header, filled up with zeros to whole eights in all.
fn extension(mut octets: Vec<u8>) -> Result<Vec<u8>, Fault> {
    octets.resize((octets.len() + 2).next_multiple_of(8) - 2, 0);
    if octets.len() > EXTENSION_MOST {
        return Err(not_a("an extension header of 2048 octets at most", "ext"));
    }
    Ok(octets)
}

/// Octets that a fragment can begin at.
fn eights(word: &str) -> Result<u16, Fault> {
    let octets: u16 = number(word, "a fragment offset")?;
    if !octets.is_multiple_of(8) {
        return Err(not_a("a fragment offset of whole eights", word));
    }
    Ok(octets)
}

/// Letters that depend on the sequence number alone: what is sent again is the same again.
fn filler(from: u32, len: u32) -> Vec<u8> {
    (0..len).map(|i| b'a' + (from.wrapping_add(i) % 26) as u8).collect()
}

/// More than the headers of any tunnel take.
const TUNNEL_ROOM: usize = 128;
/// What an IHL of 15 leaves (RFC 791 §3.1).
const OPTIONS_MOST: usize = 40;
/// What a length of 255 says (RFC 8200 §4.3), the first two octets not counted.
const EXTENSION_MOST: usize = 256 * 8 - 2;
const DEFAULT_WINDOW: u16 = 65535;
/// More than any IP packet holds; keeps a slip of the pen from filling the memory.
const MAX_PAYLOAD: u32 = 1 << 20;
