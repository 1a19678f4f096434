//! A port filter as a classic BPF program, so that the kernel need not copy what nobody asked for.
//!
//! It drops only what is certain to be TCP or UDP of other ports, and later IPv4 fragments, which carry no ports.
//! Whatever it cannot look into passes: ICMP (it may quote the port), IPv6 extension headers, VLAN tags, tunnels
//! other than over UDP. The caller filters again. The richer language of filter words is [`filter`](super::filter)'s.

use crate::packet::LinkType;
use crate::source::machine::Instruction;

/// Passes TCP and UDP from or to this port.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PortFilter(pub(super) u16);

impl PortFilter {
    /// The program for frames of `link_type`; `None` where frames cannot be looked into.
    pub(super) fn program(self, link_type: LinkType) -> Option<Vec<Instruction>> {
        let mut program = Program(Vec::with_capacity(24));
        let ip = match link_type {
            LinkType::ETHERNET => ETHERNET_LEN,
            LinkType::RAW => 0,
            _ => return None,
        };
        let begin = if link_type == LinkType::ETHERNET { 3 } else { 4 };
        let (v4, v6) = (begin, begin + V4_LEN);
        let pass = v6 + V6_LEN;
        let reject = pass + 1;
        let port = u32::from(self.0);

        if link_type == LinkType::ETHERNET {
            program.load(LOAD_HALF, 12);
            program.jump(JUMP_EQUAL, 0x0800, v4, 2);
            program.jump(JUMP_EQUAL, 0x86dd, v6, pass);
        } else {
            program.load(LOAD_BYTE, 0);
            program.load(AND, 0xf0);
            program.jump(JUMP_EQUAL, 0x40, v4, 3);
            program.jump(JUMP_EQUAL, 0x60, v6, pass);
        }

        program.load(LOAD_BYTE, ip + 9);
        program.jump(JUMP_EQUAL, TCP, v4 + 3, v4 + 2);
        program.jump(JUMP_EQUAL, UDP, v4 + 3, pass);
        program.load(LOAD_HALF, ip + 6);
        program.jump(JUMP_SET, FRAGMENT_OFFSET, reject, v4 + 5);
        program.load(LOAD_IHL_INTO_X, ip);
        program.load(LOAD_HALF_BEHIND_X, ip);
        program.jump(JUMP_EQUAL, port, pass, v4 + 8);
        program.load(LOAD_HALF_BEHIND_X, ip + 2);
        program.jump(JUMP_EQUAL, port, pass, reject);

        program.load(LOAD_BYTE, ip + 6);
        program.jump(JUMP_EQUAL, TCP, v6 + 3, v6 + 2);
        program.jump(JUMP_EQUAL, UDP, v6 + 3, pass);
        program.load(LOAD_HALF, ip + 40);
        program.jump(JUMP_EQUAL, port, pass, v6 + 5);
        program.load(LOAD_HALF, ip + 42);
        program.jump(JUMP_EQUAL, port, pass, reject);

        program.load(RETURN, u32::MAX);
        program.load(RETURN, 0);
        debug_assert_eq!(program.0.len(), reject + 1, "every part has the length that the jumps count on");
        Some(program.0)
    }
}

struct Program(Vec<Instruction>);

impl Program {
    fn load(&mut self, code: u16, k: u32) {
        self.0.push(Instruction { code, jt: 0, jf: 0, k });
    }

    /// A jump to the instructions numbered `yes` and `no`, both behind this one.
    fn jump(&mut self, code: u16, k: u32, yes: usize, no: usize) {
        let next = self.0.len() + 1;
        let skip = |target: usize| u8::try_from(target - next).expect("the program is shorter than 256 instructions");
        self.0.push(Instruction { code, jt: skip(yes), jf: skip(no), k });
    }
}

const ETHERNET_LEN: u32 = 14;
const V4_LEN: usize = 10;
const V6_LEN: usize = 7;
const TCP: u32 = 6;
const UDP: u32 = 17;
/// The fragment offset within flags and offset (RFC 791 §3.1).
const FRAGMENT_OFFSET: u32 = 0x1fff;

const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF_BEHIND_X: u16 = 0x48;
const LOAD_IHL_INTO_X: u16 = 0xb1;
const AND: u16 = 0x54;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as the kernel would: a load past the end rejects.
    fn run(program: &[Instruction], frame: &[u8]) -> bool {
        verdict(program, frame).unwrap_or(0) != 0
    }

    fn verdict(program: &[Instruction], frame: &[u8]) -> Option<u32> {
        let byte = |at: usize| frame.get(at).map(|&octet| u32::from(octet));
        let half = |at: usize| Some(byte(at)? << 8 | byte(at + 1)?);
        let (mut a, mut x, mut pc) = (0, 0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[pc];
            pc += 1;
            let mut choose = |yes: bool| pc += usize::from(if yes { jt } else { jf });
            match code {
                LOAD_HALF => a = half(k as usize)?,
                LOAD_BYTE => a = byte(k as usize)?,
                LOAD_HALF_BEHIND_X => a = half(x + k as usize)?,
                LOAD_IHL_INTO_X => x = 4 * (byte(k as usize)? & 0xf) as usize,
                AND => a &= k,
                JUMP_EQUAL => choose(a == k),
                JUMP_SET => choose(a & k != 0),
                RETURN => return Some(k),
                other => panic!("no instruction {other:#x} in these programs"),
            }
        }
    }

    fn ports(source: u16, destination: u16) -> Vec<u8> {
        [source.to_be_bytes(), destination.to_be_bytes(), [0; 2], [0; 2]].concat()
    }

    fn v4(options: usize, fragment: u16, protocol: u8, behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 20 + options];
        packet[0] = 0x40 | (5 + options / 4) as u8;
        packet[6..8].copy_from_slice(&fragment.to_be_bytes());
        packet[9] = protocol;
        packet.extend(behind);
        packet
    }

    fn v6(next: u8, behind: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[0] = 0x60;
        packet[6] = next;
        packet.extend(behind);
        packet
    }

    /// The filter's word on an IP packet, which must be the same over Ethernet and raw.
    fn passes(ip: &[u8]) -> bool {
        let ether_type = if ip[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] };
        let frame = [&[0; 12][..], &ether_type, ip].concat();
        let over_ethernet = run(&PortFilter(53).program(LinkType::ETHERNET).expect("Ethernet"), &frame);
        let raw = run(&PortFilter(53).program(LinkType::RAW).expect("raw IP"), ip);
        assert_eq!(over_ethernet, raw);
        raw
    }

    #[test]
    fn tcp_and_udp_pass_from_and_to_the_port_and_not_otherwise() {
        for protocol in [6, 17] {
            for (source, destination, expected) in [(53, 9, true), (9, 53, true), (9, 9, false), (53, 53, true)] {
                let behind = ports(source, destination);
                assert_eq!(passes(&v4(0, 0, protocol, &behind)), expected);
                assert_eq!(passes(&v4(24, 0x4000, protocol, &behind)), expected, "behind IPv4 options, DF set");
                assert_eq!(passes(&v6(protocol, &behind)), expected);
            }
        }
    }

    #[test]
    fn what_cannot_be_looked_into_passes() {
        let other = ports(9, 9);
        assert!(passes(&v4(0, 0, 1, &other)), "ICMP may quote the port");
        assert!(passes(&v6(58, &other)), "so may ICMPv6");
        assert!(passes(&v6(0, &other)), "hop-by-hop options may hide it");
        assert!(passes(&v4(0, 0, 47, &other)), "GRE may carry it");
        let tagged = [&[0; 12][..], &[0x81, 0x00, 0, 5, 8, 0], &v4(0, 0, 6, &other)].concat();
        assert!(run(&PortFilter(53).program(LinkType::ETHERNET).expect("Ethernet"), &tagged), "VLAN");
    }

    #[test]
    fn first_fragments_are_judged_by_their_ports_and_later_ones_rejected() {
        assert!(passes(&v4(0, 0x2000, 17, &ports(9, 53))));
        assert!(!passes(&v4(0, 0x2000, 17, &ports(9, 9))));
        assert!(!passes(&v4(0, 0x2001, 17, &ports(53, 53))), "these octets are payload, not ports");
    }

    #[test]
    fn a_frame_too_short_for_ports_is_rejected_and_a_source_port_alone_suffices() {
        assert!(!passes(&v4(0, 0, 6, &[0])));
        assert!(passes(&v4(0, 0, 6, &[0, 53])));
        assert!(!passes(&v6(6, &[])));
    }

    #[test]
    fn frames_of_other_link_types_are_left_to_the_caller() {
        assert_eq!(PortFilter(53).program(LinkType::LINUX_SLL2), None);
    }
}
