//! The script language: a line is a setting, a name or a packet.
//!
//! ```text
//! link ethernet              // ethernet, raw, sll, sll2, null, loop; before the first packet
//! start 1700000000           // seconds since 1970 of the trace's beginning
//! ttl 64                     // from here on; so are `vlan 5` (`vlan 5 7`, `vlan none`), `snaplen 96`, `checksum partial`
//! C = 10.0.0.1:40000         // names for endpoints; C and S have these two if nobody says otherwise
//! S = 10.0.0.2:80
//! mpls 16 17                 // labels; `pppoe 7` a session; both until `none`
//! tunnel vxlan 192.0.2.1 > 192.0.2.2   // ipip, gre, gretap, vxlan, geneve, gtp; until `tunnel none`
//! R = [2001:db8::1]          // a router needs no port
//!
//! +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7, ts 100 0>
//! +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
//! +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
//! +0.010  C > S  P.  1001:1005(4)  ack 5001  win 502  "GET "
//! +0.000  C > S  udp "text"              # or `udp (20)`: twenty octets of filler
//! +0.000  S > C  icmp port-unreachable   # quotes the last packet of its receiver
//! +0.000  R > C  icmp fragmentation-needed mtu 1400 quote 8
//! ```
//!
//! Times: `+t` after the packet before, `-t` before it (a clock that stepped), `t` after the start. Flags: tcpdump's
//! `S F R P . U E W`, `e` for AE, `none`. `seq:end(len)` must add up.
//! Words behind a packet, in any order: `ack win urg hlen` (TCP), `udplen` (UDP), `code mtu quote padded` (ICMP), and
//! `ttl tos id iplen snaplen checksum df mf fragment trailer ipopt ext` for this packet only. `hlen`, `iplen`, `udplen` and
//! `checksum` may lie. `fragment 1480` and `mf` set the IP fields alone; `fragment at 1480` cuts the (outermost) packet
//! into fragments of so much payload, a frame each. `trailer 6` puts octets behind the IP packet. `ipopt 0x94040000` are
//! options of IPv4, `ext 60 0x0502000001` is an extension header of IPv6 by its number, all but its first two octets; both
//! are filled up with zeros. `padded 128` fills the quote of an ICMP error and tells its length; extensions follow it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::SocketAddr;

use crate::craft::error::Fault;
use crate::craft::error::ScriptError;
use crate::craft::packet_line;
use crate::craft::step::ChecksumField;
use crate::craft::step::Link;
use crate::craft::step::Step;
use crate::craft::step::Tunnel;
use crate::craft::step::TunnelKind;
use crate::craft::words::Word;
use crate::craft::words::Words;
use crate::craft::words::not_a;
use crate::packet::Endpoint;
use crate::packet::Span;
use crate::packet::Timestamp;

/// A script that has been read.
#[derive(Clone, Debug)]
pub struct Script {
    /// The link type of its trace.
    pub link: Link,
    /// One step per packet.
    pub steps: Vec<Step>,
}

/// What a packet inherits from the lines above it.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) ttl: u8,
    pub(super) vlans: Vec<u16>,
    pub(super) mpls: Vec<u32>,
    pub(super) pppoe: Option<u16>,
    pub(super) tunnel: Option<Tunnel>,
    pub(super) snaplen: Option<u32>,
    pub(super) checksum: ChecksumField,
}

/// Reads a whole script.
///
/// # Errors
/// The first line that cannot be read, by number, and why.
pub fn parse(text: &str) -> Result<Script, ScriptError> {
    let mut reader = Reader::new();
    for (index, line) in text.lines().enumerate() {
        reader.line(line).map_err(|fault| ScriptError { line: index + 1, fault })?;
    }
    Ok(Script { link: reader.link, steps: reader.steps })
}

struct Reader {
    link: Link,
    settings: Settings,
    names: BTreeMap<String, Endpoint>,
    start: Timestamp,
    now: Timestamp,
    steps: Vec<Step>,
}

impl Reader {
    fn new() -> Self {
        let end = |last, port| Endpoint { addr: IpAddr::from([10, 0, 0, last]), port };
        let start = Timestamp::from_parts(DEFAULT_START_SECS, 0);
        Self {
            link: Link::Ethernet,
            settings: Settings {
                ttl: 64,
                vlans: Vec::new(),
                mpls: Vec::new(),
                pppoe: None,
                tunnel: None,
                snaplen: None,
                checksum: ChecksumField::Good,
            },
            names: BTreeMap::from([("C".to_owned(), end(1, 40_000)), ("S".to_owned(), end(2, 80))]),
            start,
            now: start,
            steps: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let mut words = Words::of(line);
        let Some(first) = words.next()? else { return Ok(()) };
        let Word::Plain(first) = first else { return Err(Fault::Missing { what: "a time or a setting" }) };
        if first.starts_with(['+', '-', '.']) || first.starts_with(|c: char| c.is_ascii_digit()) {
            return self.packet(first, &mut words);
        }
        match first {
            "link" => {
                if !self.steps.is_empty() {
                    return Err(Fault::LinkTooLate);
                }
                let word = words.plain("a link type")?;
                self.link = Link::named(word).ok_or_else(|| not_a("a link type", word))?;
            }
            "start" => {
                self.start = Timestamp::EPOCH.plus(seconds(words.plain("a time")?)?);
                self.now = self.start;
            }
            "ttl" => self.settings.ttl = words.number("a TTL")?,
            "snaplen" => self.settings.snaplen = Some(words.number("a snap length")?),
            "checksum" => self.settings.checksum = checksum(words.plain("a checksum state")?)?,
            "vlan" => self.settings.vlans = ids(&mut words, "a VLAN id", 4096)?,
            "mpls" => self.settings.mpls = ids(&mut words, "an MPLS label", 1 << 20)?,
            "pppoe" => self.settings.pppoe = ids(&mut words, "a PPPoE session", 1 << 16)?.pop(),
            "tunnel" => return self.tunnel(&mut words),
            name => {
                match words.plain("`=`")? {
                    "=" => {}
                    other => return Err(not_a("`=`", other)),
                }
                let end = endpoint(words.plain("an endpoint")?)?;
                self.names.insert(name.to_owned(), end);
            }
        }
        nothing_more(&mut words)
    }

    /// `vxlan 192.0.2.1 > 192.0.2.2`, `none`.
    fn tunnel(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        let word = words.plain("a tunnel")?;
        if word == "none" {
            self.settings.tunnel = None;
            return nothing_more(words);
        }
        let kind = TunnelKind::named(word).ok_or_else(|| not_a("a tunnel", word))?;
        let src = self.named(words.plain("the tunnel's beginning")?)?.addr;
        arrow(words)?;
        let dst = self.named(words.plain("the tunnel's end")?)?.addr;
        if src.is_ipv4() != dst.is_ipv4() {
            return Err(Fault::MixedFamilies);
        }
        self.settings.tunnel = Some(Tunnel { kind, src, dst });
        nothing_more(words)
    }

    fn packet(&mut self, time: &str, words: &mut Words<'_>) -> Result<(), Fault> {
        let at = match time.split_at(1) {
            ("+", span) => self.now.plus(seconds(span)?),
            ("-", span) => self.now.plus(Span(-seconds(span)?.0)),
            _ => self.start.plus(seconds(time)?),
        };
        let src = self.named(words.plain("the sender")?)?;
        arrow(words)?;
        let dst = self.named(words.plain("the receiver")?)?;
        if src.addr.is_ipv4() != dst.addr.is_ipv4() {
            return Err(Fault::MixedFamilies);
        }
        let step = packet_line::parse(words, at, (src, dst), &self.settings, &self.steps)?;
        self.now = at;
        self.steps.push(step);
        Ok(())
    }

    /// A name's endpoint, or one written out on the spot.
    fn named(&self, word: &str) -> Result<Endpoint, Fault> {
        match self.names.get(word) {
            Some(end) => Ok(*end),
            None => endpoint(word).map_err(|_| Fault::UnknownName { name: word.to_owned() }),
        }
    }
}

/// `good`, `partial`, `bad`, `zero`.
pub(super) fn checksum(word: &str) -> Result<ChecksumField, Fault> {
    match word {
        "good" => Ok(ChecksumField::Good),
        "partial" => Ok(ChecksumField::Partial),
        "bad" => Ok(ChecksumField::Bad),
        "zero" => Ok(ChecksumField::Zero),
        other => Err(not_a("a checksum state (good, partial, bad, zero)", other)),
    }
}

/// Fails on a word that nobody asked for.
fn nothing_more(words: &mut Words<'_>) -> Result<(), Fault> {
    match words.next()? {
        None => Ok(()),
        Some(Word::Plain(word)) => Err(not_a("the end of the line", word)),
        Some(_) => Err(not_a("the end of the line", "a literal or options")),
    }
}

/// Numbers below `end`, at least one; `none` is none.
fn ids<N: TryFrom<u32>>(words: &mut Words<'_>, what: &'static str, end: u32) -> Result<Vec<N>, Fault> {
    let mut ids = Vec::new();
    let mut word = words.plain(what)?;
    if word == "none" {
        return nothing_more(words).map(|()| ids);
    }
    loop {
        let id = word.parse().ok().filter(|&id: &u32| id < end).and_then(|id| N::try_from(id).ok());
        ids.push(id.ok_or_else(|| not_a(what, word))?);
        word = match words.next()? {
            None => return Ok(ids),
            Some(Word::Plain(word)) => word,
            Some(_) => return Err(Fault::Missing { what }),
        };
    }
}

fn arrow(words: &mut Words<'_>) -> Result<(), Fault> {
    match words.plain("`>`")? {
        ">" => Ok(()),
        other => Err(not_a("`>`", other)),
    }
}

fn endpoint(word: &str) -> Result<Endpoint, Fault> {
    if let Ok(socket) = word.parse::<SocketAddr>() {
        return Ok(Endpoint { addr: socket.ip(), port: socket.port() });
    }
    let bare = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(word);
    match bare.parse() {
        Ok(addr) => Ok(Endpoint { addr, port: 0 }),
        Err(_) => Err(not_a("an endpoint", word)),
    }
}

/// Decimal seconds, nine decimals at most, without sign.
fn seconds(word: &str) -> Result<Span, Fault> {
    let fault = || not_a("a time in seconds", word);
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if fraction.len() > 9 || (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(fault());
    }
    let secs: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| fault())? };
    let nanos: i64 = format!("{fraction:0<9}").parse().map_err(|_| fault())?;
    Ok(Timestamp::from_parts(secs, nanos).since(Timestamp::EPOCH))
}

/// 2023-11-14T22:13:20Z.
const DEFAULT_START_SECS: i64 = 1_700_000_000;

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::craft::play;
    use crate::craft::step::Body;
    use crate::packet::TcpFlags;

    fn fault(text: &str) -> (usize, Fault) {
        let error = parse(text).expect_err("a script with a fault");
        (error.line, error.fault)
    }

    fn times(text: &str) -> Vec<i64> {
        let script = parse(text).expect("a script that reads");
        script.steps.iter().map(|step| step.at.since(Timestamp::from_parts(DEFAULT_START_SECS, 0)).0).collect()
    }

    #[test]
    fn times_follow_the_packet_before_or_the_start() {
        let text = "
            +0.5  C > S . 1:1(0)
            +0.25 C > S . 1:1(0)
            -0.1  C > S . 1:1(0)
            2     C > S . 1:1(0)
            .000000001 C > S . 1:1(0)
        ";
        assert_eq!(times(text), [500_000_000, 750_000_000, 650_000_000, 2_000_000_000, 1]);
    }

    #[test]
    fn the_start_can_be_set() {
        let script = parse("start 5.25\n+1 C > S . 1:1(0)").expect("a script that reads");
        assert_eq!(script.steps[0].at, Timestamp::from_parts(6, 250_000_000));
    }

    #[test]
    fn names_settings_and_comments_hold_from_their_line_on() {
        let text = "
            link sll            // cooked
            A = [2001:db8::1]:1000
            B = [2001:db8::2]   # no port
            ttl 7
            0 A > B S 1:1(0)    // not ttl 9
            ttl 8
            vlan 5 7
            snaplen 96
            checksum partial
            0 A > B S 1:1(0) ttl 9 snaplen 60
            vlan none
            0 A > B S 1:1(0)
        ";
        let script = parse(text).expect("a script that reads");
        assert_eq!(script.link, Link::Sll);
        let [first, second, third] = &script.steps[..] else { panic!("three packets") };
        assert_eq!((first.ttl, first.snaplen, first.checksum), (7, None, ChecksumField::Good));
        assert_eq!((second.ttl, second.snaplen, second.checksum), (9, Some(60), ChecksumField::Partial));
        assert_eq!((third.ttl, third.snaplen), (8, Some(96)));
        assert_eq!((&second.vlans[..], &third.vlans[..]), (&[5, 7][..], &[][..]));
        assert_eq!((first.dst.port, first.dst.addr.to_string()), (0, "2001:db8::2".to_owned()));
    }

    #[test]
    fn an_endpoint_can_be_written_on_the_spot() {
        let script = parse("0 10.1.1.1:5 > [2001:db8::1]:6 S 1:1(0)");
        assert_eq!(script.expect_err("two families").fault, Fault::MixedFamilies);
        let script = parse("0 10.1.1.1:5 > 10.1.1.2:6 S 1:1(0)").expect("a script that reads");
        assert_eq!(script.steps[0].src.to_string(), "10.1.1.1:5");
    }

    #[test]
    fn every_letter_of_tcpdump_is_a_flag() {
        for (word, bits) in [("SFRP.UEWe", 0x1ff), ("none", 0), (".", 0x10), ("S.", 0x12), ("FP.", 0x19)] {
            let script = parse(&format!("0 C > S {word} 1:1(0)")).expect("a script that reads");
            let Body::Tcp(segment) = &script.steps[0].body else { panic!("a segment") };
            assert_eq!(segment.flags, TcpFlags::from_bits(bits), "{word}");
        }
    }

    #[test]
    fn literals_know_their_escapes() {
        let script = parse(r#"0 C > S udp "1 2\n\"\x00é // no comment""#).expect("a script that reads");
        let Body::Udp(datagram) = &script.steps[0].body else { panic!("a datagram") };
        assert_eq!(datagram.payload, "1 2\n\"\0é // no comment".as_bytes());
    }

    #[test]
    fn what_is_sent_again_is_the_same_again() {
        let trace = play("0 C > S . 100:160(60)\n0 C > S . 130:160(30)").expect("a script that reads");
        assert_eq!(trace.frames[0].1[54 + 30..], trace.frames[1].1[54..]);
    }

    #[test]
    fn sums_of_sequence_numbers_go_round_the_circle() {
        assert!(parse("0 C > S . 4294967290:4(10)").is_ok());
        assert_eq!(fault("0 C > S . 4294967290:5(10)").1, Fault::Sequence { seq: 4_294_967_290, end: 5, len: 10 });
    }

    #[test]
    fn a_fault_tells_its_line_and_what_would_have_fitted() {
        for (text, line, message) in [
            ("\n\n0 C > X S 1:1(0)", 3, "nobody is called `X` yet: write `X = 10.0.0.3:1234` above"),
            ("0 C > S S 1:2(0)", 1, "1:2(0) does not add up: 1 + 0 = 1"),
            ("0 C > S Q 1:1(0)", 1, "`Q` is not flags (S F R P . U E W e, none), `udp` or `icmp`"),
            ("0 C > S S 1:1", 1, "`1:1` is not seq:end(len)"),
            ("0 C > S", 1, "flags, `udp` or `icmp` is missing"),
            ("0 C < S S 1:1(0)", 1, "`<` is never closed"),
            ("0 C > S S 1:1(0) <mss 1460", 1, "`<` is never closed"),
            ("0 C > S S 1:1(0) <mss>", 1, "the MSS is missing"),
            ("0 C > S S 1:1(0) <mss 70000>", 1, "`70000` is not an MSS"),
            ("0 C > S S 1:1(0) <msss 1>", 1, "`msss` is not a TCP option"),
            ("0 C > S S 1:1(0) <sackOK 1>", 1, "`1` is not the end of an option"),
            ("0 C > S . 1:3(2) \"abc\"", 1, "the literal has 3 octets, the segment 2"),
            ("0 C > S udp \"abc", 1, "`\"` is never closed"),
            ("0 C > S udp (5) ack 7", 1, "`ack` is not a word of this packet"),
            ("0 C > S . 1:1(0) wn 7", 1, "`wn` is not a word of this packet"),
            ("0 C > S . 1:1(0) hlen 18", 1, "`18` is not a header length of whole words up to 60"),
            ("0 C > S udp (70000)", 1, "70008 octets do not fit into one IP packet"),
            ("0 C > S icmp port-unreachable", 1, "the receiver of this error has sent nothing that it could quote"),
            ("0 C > S . 1:1(0)\nlink raw", 2, "the link type has to be given before the first packet"),
            ("link token-ring", 1, "`token-ring` is not a link type"),
            ("ttl 256", 1, "`256` is not a TTL"),
            ("vlan 4096", 1, "`4096` is not a VLAN id"),
            ("mpls 1048576", 1, "`1048576` is not an MPLS label"),
            ("pppoe x", 1, "`x` is not a PPPoE session"),
            ("tunnel l2tp C > S", 1, "`l2tp` is not a tunnel"),
            ("tunnel gre C > [::1]", 1, "one end has an IPv4 address, the other an IPv6 address"),
            ("0 C > S . 1:1(0) fragment at 12", 1, "`12` is not a fragment offset of whole eights"),
            ("checksum perhaps", 1, "`perhaps` is not a checksum state (good, partial, bad, zero)"),
            ("1.2.3 C > S . 1:1(0)", 1, "`1.2.3` is not a time in seconds"),
            ("X = 10.0.0.256", 1, "`10.0.0.256` is not an endpoint"),
            ("ttl 5 6", 1, "`6` is not the end of the line"),
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.to_string(), format!("line {line}: {message}"), "{text}");
        }
    }

    #[test]
    fn options_fill_whole_words_and_forty_octets_at_most() {
        let options = |text: &str| {
            let script = parse(&format!("0 C > S S 1:1(0) <{text}>")).expect("a script that reads");
            let Body::Tcp(segment) = script.steps[0].body.clone() else { panic!("a segment") };
            segment.options
        };
        assert_eq!(options("mss 1460, wscale 7"), [2, 4, 5, 0xb4, 3, 3, 7, 1]);
        assert_eq!(options("nop, eol"), [1, 0, 0, 0]);
        assert_eq!(options("tfo"), [34, 2, 1, 1]);
        assert_eq!(options("opt 30 0x0001"), [30, 4, 0, 1]);
        assert_eq!(options("raw 0x0800"), [8, 0, 1, 1]);
        assert_eq!(options("sack 1:2 3:4").len(), 20);
        assert_eq!(
            fault("0 C > S S 1:1(0) <ts 1 2, ts 1 2, ts 1 2, ts 1 2, nop>").1,
            Fault::TooManyOptions { octets: 44 }
        );
    }

    #[test]
    fn a_host_quotes_what_it_was_sent_and_a_router_anything() {
        let text = "
            R = 10.9.9.9
            T = 10.0.0.3:9
            0 C > S udp (1)
            0 C > T udp (2)
            0 S > C icmp port-unreachable
            0 R > C icmp time-exceeded
        ";
        let script = parse(text).expect("a script that reads");
        let quoted = |step: usize| match &script.steps[step].body {
            Body::Icmp(message) => message.quoted,
            _ => None,
        };
        assert_eq!((quoted(2), quoted(3)), (Some(0), Some(1)));
    }

    proptest! {
        #[test]
        fn any_line_of_known_words_plays_or_is_refused(words in vec(prop::sample::select(VOCABULARY.to_vec()), 0..14)) {
            let text = format!("0 C > S udp (5)\n0 C > S {}\n{}", words.join(" "), words.join(" "));
            if let Ok(trace) = play(&text) {
                prop_assert!(trace.frames.len() >= 2);
            }
        }

        #[test]
        fn any_text_plays_or_is_refused(text in "\\PC{0,80}") {
            let _ = play(&text);
            let _ = play(&format!("+0 C > S S 1:1(0) {text}"));
        }
    }

    const VOCABULARY: &[&str] = &[
        "0",
        "+1",
        "C",
        "S",
        ">",
        "=",
        "udp",
        "icmp",
        "time-exceeded",
        "S.",
        "none",
        "1:1(0)",
        "5:9(4)",
        "ack",
        "win",
        "urg",
        "hlen",
        "60",
        "iplen",
        "65535",
        "udplen",
        "quote",
        "mtu",
        "code",
        "ttl",
        "vlan",
        "snaplen",
        "checksum",
        "bad",
        "mf",
        "fragment",
        "8",
        "trailer",
        "(9)",
        "(65507)",
        "\"text\"",
        "<mss 1460>",
        "<raw 0xff>",
        "<",
        ">",
        "\"",
        "//",
        "link",
        "raw",
        "tunnel",
        "gre",
        "vxlan",
        "mpls",
        "pppoe",
        "at",
    ];
}
