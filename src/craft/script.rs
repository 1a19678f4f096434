//! The script language: a line is a setting, a name or a packet.
//!
//! ```text
//! link ethernet              // ethernet, raw, sll, sll2, null, loop; before the first packet
//! start 1700000000           // seconds since 1970 of the trace's beginning
//! ttl 64                     // from here on; so are `vlan 5` (`vlan 5 7`, `vlan none`), `snaplen 96`, `checksum partial`
//! C = 10.0.0.1:40000         // names for endpoints; C and S have these two if nobody says otherwise
//! S = 10.0.0.2:80
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
//! Words behind a packet, in any order: `ack win urg hlen` (TCP), `udplen` (UDP), `code mtu quote` (ICMP), and
//! `ttl tos id iplen snaplen checksum df mf fragment trailer` for this packet only. `hlen`, `iplen`, `udplen` and
//! `checksum` may lie. `fragment 1480` and `mf` set the IP fields alone. `trailer 6` puts octets behind the IP packet.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::SocketAddr;

use crate::craft::error::Fault;
use crate::craft::error::ScriptError;
use crate::craft::packet_line;
use crate::craft::step::ChecksumField;
use crate::craft::step::Link;
use crate::craft::step::Step;
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
            settings: Settings { ttl: 64, vlans: Vec::new(), snaplen: None, checksum: ChecksumField::Good },
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
            "vlan" => return self.vlan(&mut words),
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

    fn vlan(&mut self, words: &mut Words<'_>) -> Result<(), Fault> {
        self.settings.vlans.clear();
        let first = words.plain("a VLAN id")?;
        if first == "none" {
            return nothing_more(words);
        }
        self.settings.vlans.push(vlan_id(first)?);
        while let Some(word) = words.next()? {
            let Word::Plain(word) = word else { return Err(Fault::Missing { what: "a VLAN id" }) };
            self.settings.vlans.push(vlan_id(word)?);
        }
        Ok(())
    }

    fn packet(&mut self, time: &str, words: &mut Words<'_>) -> Result<(), Fault> {
        let at = match time.split_at(1) {
            ("+", span) => self.now.plus(seconds(span)?),
            ("-", span) => self.now.plus(Span(-seconds(span)?.0)),
            _ => self.start.plus(seconds(time)?),
        };
        let src = self.named(words.plain("the sender")?)?;
        match words.plain("`>`")? {
            ">" => {}
            other => return Err(not_a("`>`", other)),
        }
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

fn vlan_id(word: &str) -> Result<u16, Fault> {
    word.parse().ok().filter(|&id| id < 4096).ok_or_else(|| not_a("a VLAN id", word))
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
