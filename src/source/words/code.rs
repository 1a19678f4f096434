//! From an expression to its program. Every jump goes ahead to a label that is placed later.

use crate::packet::LinkType;
use crate::source::machine::Instruction;
use crate::source::words::Ends;
use crate::source::words::Protocol;
use crate::source::words::Tree;

/// The program that every frame passes.
pub(super) fn everything() -> Vec<Instruction> {
    vec![Instruction { code: RETURN, jt: 0, jf: 0, k: u32::MAX }]
}

pub(super) fn program(tree: &Tree, link_type: LinkType) -> Result<Vec<Instruction>, String> {
    let Some(link) = Link::of(link_type) else {
        return Err("frames of this link type can be looked into by libpcap only".to_owned());
    };
    let mut code = Code { link, lines: Vec::new(), places: Vec::new() };
    let (pass, reject) = (code.label(), code.label());
    code.tree(tree, pass, reject);
    code.place(pass);
    code.line(RETURN, u32::MAX);
    code.place(reject);
    code.line(RETURN, 0);
    code.finish().ok_or_else(|| "it is too long: its jumps reach over 255 instructions".to_owned())
}

/// How frames tell what they carry, and where that begins.
#[derive(Clone, Copy)]
struct Link {
    /// Where the EtherType stands; without one, the version of the IP header tells.
    ether_type: Option<u32>,
    network: u32,
}

impl Link {
    fn of(link_type: LinkType) -> Option<Self> {
        let (ether_type, network) = match link_type {
            LinkType::ETHERNET => (Some(12), 14),
            LinkType::LINUX_SLL => (Some(14), 16),
            LinkType::LINUX_SLL2 => (Some(0), 20),
            LinkType::NULL | LinkType::LOOP => (None, 4),
            LinkType::RAW | LinkType::RAW_DLT | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => (None, 0),
            _ => return None,
        };
        Some(Self { ether_type, network })
    }
}

#[derive(Clone, Copy)]
struct Label(usize);

/// An instruction whose jumps are labels still.
struct Line {
    code: u16,
    k: u32,
    jumps: Option<(Label, Label)>,
}

struct Code {
    link: Link,
    lines: Vec<Line>,
    /// Where each label was placed.
    places: Vec<usize>,
}

impl Code {
    fn label(&mut self) -> Label {
        self.places.push(usize::MAX);
        Label(self.places.len() - 1)
    }

    fn place(&mut self, label: Label) {
        self.places[label.0] = self.lines.len();
    }

    fn line(&mut self, code: u16, k: u32) {
        self.lines.push(Line { code, k, jumps: None });
    }

    fn branch(&mut self, code: u16, k: u32, yes: Label, no: Label) {
        self.lines.push(Line { code, k, jumps: Some((yes, no)) });
    }

    /// `None` where a jump is too far.
    fn finish(self) -> Option<Vec<Instruction>> {
        let skip = |at: usize, label: Label| u8::try_from(self.places[label.0] - (at + 1)).ok();
        let instruction = |(at, line): (usize, &Line)| {
            let (jt, jf) = match line.jumps {
                Some((yes, no)) => (skip(at, yes)?, skip(at, no)?),
                None => (0, 0),
            };
            Some(Instruction { code: line.code, jt, jf, k: line.k })
        };
        self.lines.iter().enumerate().map(instruction).collect()
    }

    fn tree(&mut self, tree: &Tree, yes: Label, no: Label) {
        match tree {
            Tree::Not(inner) => self.tree(inner, no, yes),
            Tree::And(one, other) => self.both(yes, no, |c, y, n| c.tree(one, y, n), |c, y, n| c.tree(other, y, n)),
            Tree::Or(one, other) => self.either(yes, no, |c, y, n| c.tree(one, y, n), |c, y, n| c.tree(other, y, n)),
            Tree::Protocol(protocol) => self.protocol(*protocol, yes, no),
            &Tree::Net { v6: true, addr, mask, ends, .. } => self.net6(addr, mask, ends, yes, no),
            &Tree::Net { v6: false, addr, mask, ends, arp } => self.net4(addr as u32, mask as u32, ends, arp, yes, no),
            &Tree::Ports { of, from, to, ends } => self.ports(of, (from, to), ends, yes, no),
        }
    }

    fn both(
        &mut self,
        yes: Label,
        no: Label,
        one: impl FnOnce(&mut Self, Label, Label),
        other: impl FnOnce(&mut Self, Label, Label),
    ) {
        let next = self.label();
        one(self, next, no);
        self.place(next);
        other(self, yes, no);
    }

    fn either(
        &mut self,
        yes: Label,
        no: Label,
        one: impl FnOnce(&mut Self, Label, Label),
        other: impl FnOnce(&mut Self, Label, Label),
    ) {
        let next = self.label();
        one(self, yes, next);
        self.place(next);
        other(self, yes, no);
    }

    /// The frame carries this, by its EtherType or by the version of what is there.
    fn carries(&mut self, ether_type: u32, yes: Label, no: Label) {
        let network = self.link.network;
        match self.link.ether_type {
            Some(at) => {
                self.line(LOAD_HALF, at);
                self.branch(JUMP_EQUAL, ether_type, yes, no);
            }
            None => {
                let version = match ether_type {
                    IPV4 => 0x40,
                    IPV6 => 0x60,
                    // No IP version: no such frame on a link that carries nothing else.
                    _ => 0x100,
                };
                self.line(LOAD_BYTE, network);
                self.line(AND, 0xf0);
                self.branch(JUMP_EQUAL, version, yes, no);
            }
        }
    }

    fn protocol(&mut self, protocol: Protocol, yes: Label, no: Label) {
        match protocol {
            Protocol::Ip => self.carries(IPV4, yes, no),
            Protocol::Ip6 => self.carries(IPV6, yes, no),
            Protocol::Arp => self.carries(ARP, yes, no),
            Protocol::Icmp => self.both(yes, no, |c, y, n| c.carries(IPV4, y, n), |c, y, n| c.ipv4(ICMP, y, n)),
            Protocol::Icmp6 => self.both(yes, no, |c, y, n| c.carries(IPV6, y, n), |c, y, n| c.ipv6(ICMP6, y, n)),
            Protocol::Tcp => self.either_version(TCP, yes, no),
            Protocol::Udp => self.either_version(UDP, yes, no),
        }
    }

    fn either_version(&mut self, number: u32, yes: Label, no: Label) {
        self.either(
            yes,
            no,
            |c, y, n| c.both(y, n, |c, y, n| c.carries(IPV4, y, n), |c, y, n| c.ipv4(number, y, n)),
            |c, y, n| c.both(y, n, |c, y, n| c.carries(IPV6, y, n), |c, y, n| c.ipv6(number, y, n)),
        );
    }

    fn ipv4(&mut self, number: u32, yes: Label, no: Label) {
        self.line(LOAD_BYTE, self.link.network + 9);
        self.branch(JUMP_EQUAL, number, yes, no);
    }

    /// The next header, or what a fragment header in its place names.
    fn ipv6(&mut self, number: u32, yes: Label, no: Label) {
        let (other, fragment) = (self.label(), self.label());
        self.line(LOAD_BYTE, self.link.network + 6);
        self.branch(JUMP_EQUAL, number, yes, other);
        self.place(other);
        self.branch(JUMP_EQUAL, FRAGMENT, fragment, no);
        self.place(fragment);
        self.line(LOAD_BYTE, self.link.network + 40);
        self.branch(JUMP_EQUAL, number, yes, no);
    }

    fn ends(&mut self, ends: Ends, yes: Label, no: Label, test: impl Fn(&mut Self, bool, Label, Label)) {
        match ends {
            Ends::Source => test(self, true, yes, no),
            Ends::Destination => test(self, false, yes, no),
            Ends::Either => self.either(yes, no, |c, y, n| test(c, true, y, n), |c, y, n| test(c, false, y, n)),
            Ends::Both => self.both(yes, no, |c, y, n| test(c, true, y, n), |c, y, n| test(c, false, y, n)),
        }
    }

    /// IPv4 addresses at 12 and 16 of the header; in ARP (RFC 826, Ethernet and IPv4) at 14 and 24, in RARP too.
    fn net4(&mut self, addr: u32, mask: u32, ends: Ends, arp: bool, yes: Label, no: Label) {
        let network = self.link.network;
        let at = |source, destination| {
            move |code: &mut Self, is_source: bool, yes: Label, no: Label| {
                code.word(network + if is_source { source } else { destination }, addr, mask, yes, no);
            }
        };
        let in_ip = |code: &mut Self, yes: Label, no: Label| {
            code.both(yes, no, |c, y, n| c.carries(IPV4, y, n), |c, y, n| c.ends(ends, y, n, at(12, 16)));
        };
        let is_arp = |code: &mut Self, yes: Label, no: Label| {
            code.either(yes, no, |c, y, n| c.carries(ARP, y, n), |c, y, n| c.carries(RARP, y, n));
        };
        if !arp {
            return in_ip(self, yes, no);
        }
        self.either(yes, no, in_ip, |code, yes, no| {
            code.both(yes, no, is_arp, |c, y, n| c.ends(ends, y, n, at(14, 24)));
        });
    }

    fn net6(&mut self, addr: u128, mask: u128, ends: Ends, yes: Label, no: Label) {
        let network = self.link.network;
        self.both(
            yes,
            no,
            |code, yes, no| code.carries(IPV6, yes, no),
            |code, yes, no| {
                code.ends(ends, yes, no, |code, is_source, yes, no| {
                    code.words(network + if is_source { 8 } else { 24 }, addr, mask, yes, no);
                });
            },
        );
    }

    /// The words of an address that the mask covers.
    fn words(&mut self, at: u32, addr: u128, mask: u128, yes: Label, no: Label) {
        let word = |whole: u128, place: u32| (whole >> (96 - 32 * place)) as u32;
        for place in (0..4).filter(|&place| word(mask, place) != 0) {
            let next = self.label();
            self.word(at + 4 * place, word(addr, place), word(mask, place), next, no);
            self.place(next);
        }
        // Nothing is below zero: whoever got here passes.
        self.branch(JUMP_AT_LEAST, 0, yes, no);
    }

    fn word(&mut self, at: u32, value: u32, mask: u32, yes: Label, no: Label) {
        self.line(LOAD_WORD, at);
        if mask != u32::MAX {
            self.line(AND, mask);
        }
        self.branch(JUMP_EQUAL, value, yes, no);
    }

    fn ports(&mut self, of: Option<Protocol>, range: (u16, u16), ends: Ends, yes: Label, no: Label) {
        let network = self.link.network;
        let numbers: &[u32] = match of {
            Some(Protocol::Tcp) => &[TCP],
            Some(Protocol::Udp) => &[UDP],
            _ => &[TCP, UDP, SCTP],
        };
        let (v4, v6, not_v4) = (self.label(), self.label(), self.label());
        self.carries(IPV4, v4, not_v4);
        self.place(v4);
        let (first_fragment, has_ports) = (self.label(), self.label());
        self.line(LOAD_BYTE, network + 9);
        self.one_of(numbers, has_ports, no);
        self.place(has_ports);
        self.line(LOAD_HALF, network + 6);
        self.branch(JUMP_SET, FRAGMENT_OFFSET, no, first_fragment);
        self.place(first_fragment);
        self.line(LOAD_IHL_INTO_X, network);
        self.ends(ends, yes, no, |code, is_source, yes, no| {
            code.line(LOAD_HALF_BEHIND_X, network + if is_source { 0 } else { 2 });
            code.within(range, yes, no);
        });
        self.place(not_v4);
        self.carries(IPV6, v6, no);
        self.place(v6);
        let has_ports = self.label();
        self.line(LOAD_BYTE, network + 6);
        self.one_of(numbers, has_ports, no);
        self.place(has_ports);
        self.ends(ends, yes, no, |code, is_source, yes, no| {
            code.line(LOAD_HALF, network + if is_source { 40 } else { 42 });
            code.within(range, yes, no);
        });
    }

    fn one_of(&mut self, numbers: &[u32], yes: Label, no: Label) {
        for (index, &number) in numbers.iter().enumerate() {
            let next = self.label();
            let otherwise = if index + 1 == numbers.len() { no } else { next };
            self.branch(JUMP_EQUAL, number, yes, otherwise);
            self.place(next);
        }
    }

    fn within(&mut self, (from, to): (u16, u16), yes: Label, no: Label) {
        if from == to {
            return self.branch(JUMP_EQUAL, from.into(), yes, no);
        }
        let high_enough = self.label();
        self.branch(JUMP_AT_LEAST, from.into(), high_enough, no);
        self.place(high_enough);
        self.branch(JUMP_ABOVE, to.into(), no, yes);
    }
}

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const ARP: u32 = 0x0806;
const RARP: u32 = 0x8035;
const ICMP: u32 = 1;
const TCP: u32 = 6;
const UDP: u32 = 17;
const FRAGMENT: u32 = 44;
const ICMP6: u32 = 58;
const SCTP: u32 = 132;
/// The fragment offset within flags and offset (RFC 791 §3.1).
const FRAGMENT_OFFSET: u32 = 0x1fff;

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF_BEHIND_X: u16 = 0x48;
const LOAD_IHL_INTO_X: u16 = 0xb1;
const AND: u16 = 0x54;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_ABOVE: u16 = 0x25;
const JUMP_AT_LEAST: u16 = 0x35;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;
