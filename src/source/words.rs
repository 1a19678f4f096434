//! The common words of the tcpdump language, for machines without libpcap: read here, turned into a program in [`code`].
//!
//! `host`, `net`, `port`, `portrange`, with `src` and `dst`; `ip`, `ip6`, `arp`, `tcp`, `udp`, `icmp`, `icmp6`; `and`,
//! `or`, `not`, parentheses. They mean what pcap-filter(7) says, down to its habits: `and` and `or` bind alike, from left
//! to right; a value alone takes the words before the last one; `host` also looks into ARP, `port` also into SCTP. A test
//! holds them to libpcap's own programs where there is a libpcap.

mod code;

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::packet::LinkType;
use crate::source::machine::Instruction;

/// Compiles `expression` for frames of `link_type`; the error says which word is not known here.
pub(super) fn compile(expression: &str, link_type: LinkType) -> Result<Vec<Instruction>, String> {
    let mut reader = Reader { tokens: tokens(expression), at: 0, last: None, depth: 0 };
    let Some(tree) = reader.whole()? else { return Ok(code::everything()) };
    code::program(&tree, link_type)
}

/// An expression that was read.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Protocol(Protocol),
    /// An address under a mask, as 4 or 16 octets; ARP counts where no protocol was named.
    Net {
        v6: bool,
        addr: u128,
        mask: u128,
        ends: Ends,
        arp: bool,
    },
    /// Ports from one to another, of the transport protocol or of any.
    Ports {
        of: Option<Protocol>,
        from: u16,
        to: u16,
        ends: Ends,
    },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Protocol {
    Ip,
    Ip6,
    Arp,
    Tcp,
    Udp,
    Icmp,
    Icmp6,
}

/// Which end must match.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Ends {
    Source,
    Destination,
    #[default]
    Either,
    Both,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
}

/// The words in front of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Qualifiers {
    protocol: Option<Protocol>,
    ends: Option<Ends>,
    kind: Option<Kind>,
}

struct Reader<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    /// Words that a value alone takes over.
    last: Option<Qualifiers>,
    /// Parentheses and negations around here.
    depth: usize,
}

impl Reader<'_> {
    fn whole(&mut self) -> Result<Option<Tree>, String> {
        if self.tokens.is_empty() {
            return Ok(None);
        }
        let tree = self.chain()?;
        match self.peek() {
            None => Ok(Some(tree)),
            Some(word) => Err(format!("'{word}' is not expected there")),
        }
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).copied()
    }

    fn skip(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| words.contains(&word));
        self.at += usize::from(found);
        found
    }

    /// Terms with `and` and `or` between them, which bind alike.
    fn chain(&mut self) -> Result<Tree, String> {
        let mut tree = self.term()?;
        loop {
            if self.skip(AND) {
                tree = Tree::And(Box::new(tree), Box::new(self.term()?));
            } else if self.skip(OR) {
                tree = Tree::Or(Box::new(tree), Box::new(self.term()?));
            } else {
                return Ok(tree);
            }
        }
    }

    fn term(&mut self) -> Result<Tree, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it is nested deeper than {DEEPEST} levels"));
        }
        let tree = if self.skip(NOT) {
            Tree::Not(Box::new(self.term()?))
        } else if self.skip(&["("]) {
            let inner = self.chain()?;
            if !self.skip(&[")"]) {
                return Err("a ) is missing".to_owned());
            }
            inner
        } else {
            self.primitive()?
        };
        self.depth -= 1;
        Ok(tree)
    }

    fn primitive(&mut self) -> Result<Tree, String> {
        let mut words = Qualifiers::default();
        while let Some(word) = self.peek() {
            if let (None, None, None, Some(protocol)) = (words.protocol, words.ends, words.kind, protocol(word)) {
                words.protocol = Some(protocol);
            } else if let (None, None, Some(end)) = (words.ends, words.kind, end(word)) {
                words.ends = Some(end);
                self.both_ends(&mut words);
            } else if let (None, Some(kind)) = (words.kind, kind(word)) {
                words.kind = Some(kind);
            } else {
                break;
            }
            self.at += 1;
        }
        let Some(value) = self.peek().filter(|word| !is_reserved(word)).map(str::to_owned) else {
            return match words {
                Qualifiers { protocol: Some(protocol), ends: None, kind: None } => Ok(Tree::Protocol(protocol)),
                _ => Err(match self.peek() {
                    Some(word) => format!("'{word}' is not expected there"),
                    None => "it ends where something is still missing".to_owned(),
                }),
            };
        };
        self.at += 1;
        let words = if words == Qualifiers::default() { self.last.unwrap_or_default() } else { words };
        self.last = Some(words);
        primitive(words, &value)
    }

    /// `src or dst`, `src and dst`, of which the first word is next.
    fn both_ends(&mut self, words: &mut Qualifiers) {
        let rest = &self.tokens[self.at..];
        let [_, between, "dst", ..] = rest else { return };
        let ends = match *between {
            "or" | "||" => Ends::Either,
            "and" | "&&" => Ends::Both,
            _ => return,
        };
        if words.ends == Some(Ends::Source) {
            words.ends = Some(ends);
            self.at += 2;
        }
    }
}

fn primitive(words: Qualifiers, value: &str) -> Result<Tree, String> {
    let ends = words.ends.unwrap_or_default();
    let Qualifiers { protocol, kind, .. } = words;
    match kind {
        Some(Kind::Port) => {
            let port = port(value)?;
            Ok(Tree::Ports { of: transport(protocol)?, from: port, to: port, ends })
        }
        Some(Kind::PortRange) => {
            let (from, to) = value.split_once('-').unwrap_or((value, value));
            let (from, to) = (port(from)?, port(to)?);
            Ok(Tree::Ports { of: transport(protocol)?, from: from.min(to), to: from.max(to), ends })
        }
        Some(Kind::Host | Kind::Net) | None => {
            let net = net(value, kind)?;
            let (v6, arp) = (net.v6, protocol.is_none() && !net.v6);
            match protocol {
                None => {}
                Some(Protocol::Ip) if !v6 => {}
                Some(Protocol::Ip6) if v6 => {}
                Some(Protocol::Arp) if !v6 => {
                    let of_arp = Tree::Net { v6, addr: net.addr, mask: net.mask, ends, arp: true };
                    return Ok(Tree::And(Box::new(Tree::Protocol(Protocol::Arp)), Box::new(of_arp)));
                }
                Some(_) => return Err(format!("the protocol in front of '{value}' has no such address")),
            }
            Ok(Tree::Net { v6, addr: net.addr, mask: net.mask, ends, arp })
        }
    }
}

struct Net {
    v6: bool,
    addr: u128,
    mask: u128,
}

/// `192.0.2.7`, `2001:db8::1`, `192.0.2.0/24`, and for `net` also `10`, `10.1`, `10.1.2`.
fn net(value: &str, kind: Option<Kind>) -> Result<Net, String> {
    let unclear = || format!("'{value}' is no address (names are looked up by libpcap only)");
    let (addr, bits) = match value.split_once('/') {
        Some(_) if kind == Some(Kind::Host) => return Err(unclear()),
        Some((addr, bits)) => (addr, Some(bits.parse::<u32>().map_err(|_| unclear())?)),
        None => (value, None),
    };
    let octets = addr.split('.').count() as u32;
    let short = kind == Some(Kind::Net) && octets < 4 && !addr.contains(':');
    let full = if short { format!("{addr}{}", ".0".repeat(4 - octets as usize)) } else { addr.to_owned() };
    let (v6, addr, width) = match full.parse().map_err(|_| unclear())? {
        IpAddr::V4(addr) => (false, u128::from(Ipv4Addr::to_bits(addr)), 32),
        IpAddr::V6(addr) => (true, Ipv6Addr::to_bits(addr), 128),
    };
    let bits = bits.unwrap_or(if short { 8 * octets } else { width });
    if bits > width {
        return Err(format!("'{value}' has more than {width} bits"));
    }
    let ones = if v6 { u128::MAX } else { u128::from(u32::MAX) };
    let mask = ones & ones.checked_shl(width - bits).unwrap_or(0);
    if addr & !mask != 0 {
        return Err(format!("'{value}' has bits set behind its prefix"));
    }
    Ok(Net { v6, addr, mask })
}

fn port(value: &str) -> Result<u16, String> {
    value.parse().map_err(|_| format!("'{value}' is no port number (names are looked up by libpcap only)"))
}

fn transport(protocol: Option<Protocol>) -> Result<Option<Protocol>, String> {
    match protocol {
        None | Some(Protocol::Tcp | Protocol::Udp) => Ok(protocol),
        Some(_) => Err("only tcp and udp have ports here".to_owned()),
    }
}

fn protocol(word: &str) -> Option<Protocol> {
    Some(match word {
        "ip" => Protocol::Ip,
        "ip6" => Protocol::Ip6,
        "arp" => Protocol::Arp,
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "icmp" => Protocol::Icmp,
        "icmp6" => Protocol::Icmp6,
        _ => return None,
    })
}

fn end(word: &str) -> Option<Ends> {
    match word {
        "src" => Some(Ends::Source),
        "dst" => Some(Ends::Destination),
        _ => None,
    }
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "host" => Kind::Host,
        "net" => Kind::Net,
        "port" => Kind::Port,
        "portrange" => Kind::PortRange,
        _ => return None,
    })
}

fn is_reserved(word: &str) -> bool {
    [AND, OR, NOT, &["(", ")"]].concat().contains(&word)
        || protocol(word).is_some()
        || end(word).is_some()
        || kind(word).is_some()
}

/// Words, and parentheses, exclamation marks and doubled signs as words of their own.
fn tokens(expression: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '(' | ')' | '!' => 1,
            '&' | '|' if rest[1..].starts_with(first) => 2,
            _ => {
                let end = |(at, c): (usize, char)| at > 0 && (c.is_whitespace() || "()!&|".contains(c));
                rest.char_indices().find(|&indexed| end(indexed)).map_or(rest.len(), |(at, _)| at)
            }
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

const AND: &[&str] = &["and", "&&"];
const OR: &[&str] = &["or", "||"];
const NOT: &[&str] = &["not", "!"];
/// Parentheses and negations inside each other.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests;
