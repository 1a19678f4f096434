//! What the words mean, by hand, and beside libpcap where there is one.

#![cfg(test)]

use super::*;
use crate::source::libpcap::Libpcap;
use crate::source::machine::Program;

/// A frame over Ethernet, around an IP packet or an ARP message.
fn ethernet(ether_type: u16, behind: &[u8]) -> Vec<u8> {
    [&[0; 12][..], &ether_type.to_be_bytes(), behind].concat()
}

fn v4(protocol: u8, src: [u8; 4], dst: [u8; 4], behind: &[u8]) -> Vec<u8> {
    [&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, protocol, 0, 0], &src[..], &dst, behind].concat()
}

fn v6(next: u8, src: &str, dst: &str, behind: &[u8]) -> Vec<u8> {
    let octets = |addr: &str| addr.parse::<Ipv6Addr>().expect("an address").octets();
    [&[0x60, 0, 0, 0, 0, 20, next, 64], &octets(src)[..], &octets(dst), behind].concat()
}

fn ports(src: u16, dst: u16) -> Vec<u8> {
    [src.to_be_bytes(), dst.to_be_bytes(), [0; 2], [0; 2]].concat()
}

fn passes(expression: &str, frame: &[u8]) -> bool {
    let program = compile(expression, LinkType::ETHERNET).expect(expression);
    Program::checked(&program).expect("a sound program").passes(frame, frame.len() as u32)
}

const A: [u8; 4] = [10, 0, 0, 1];
const B: [u8; 4] = [192, 0, 2, 7];

#[test]
fn each_word_means_what_tcpdump_means_by_it() {
    let web = ethernet(0x800, &v4(6, A, B, &ports(40_000, 80)));
    let dns = ethernet(0x86dd, &v6(17, "2001:db8::1", "2001:db8::2", &ports(53, 5353)));
    let arp = ethernet(0x806, &[&[0, 1, 8, 0, 6, 4, 0, 1][..], &[0; 6], &A, &[0; 6], &B].concat());
    for (expression, of_web, of_dns, of_arp) in [
        ("", true, true, true),
        ("tcp", true, false, false),
        ("udp", false, true, false),
        ("ip", true, false, false),
        ("ip6", false, true, false),
        ("arp", false, false, true),
        ("icmp or icmp6", false, false, false),
        ("host 10.0.0.1", true, false, true),
        ("ip host 10.0.0.1", true, false, false),
        ("arp host 10.0.0.1", false, false, true),
        ("src host 192.0.2.7", false, false, false),
        ("dst 192.0.2.7", true, false, true),
        ("src and dst net 10", false, false, false),
        ("src or dst net 192.0.2.0/24", true, false, true),
        ("net 2001:db8::/32", false, true, false),
        ("host 2001:db8::2", false, true, false),
        ("src host 2001:db8::2", false, false, false),
        ("port 80", true, false, false),
        ("udp port 80", false, false, false),
        ("src port 80", false, false, false),
        ("dst port 80", true, false, false),
        ("port 53 or 80", true, true, false),
        ("portrange 50-60", false, true, false),
        ("tcp portrange 79-81", true, false, false),
        ("not tcp", false, true, true),
        ("!(tcp || udp)", false, false, true),
        ("tcp and not port 443", true, false, false),
        ("tcp or udp and port 53", false, true, false),
        ("tcp or (udp and port 53)", true, true, false),
    ] {
        let seen = [&web, &dns, &arp].map(|frame| passes(expression, frame));
        assert_eq!(seen, [of_web, of_dns, of_arp], "{expression}");
    }
}

#[test]
fn a_later_fragment_has_no_ports_and_a_first_one_has() {
    let fragment = |field: [u8; 2]| {
        let mut packet = v4(17, A, B, &ports(53, 53));
        packet[6..8].copy_from_slice(&field);
        ethernet(0x800, &packet)
    };
    assert!(passes("port 53", &fragment([0x20, 0])));
    assert!(!passes("port 53", &fragment([0x20, 1])));
    assert!(passes("udp", &fragment([0x20, 1])));
}

#[test]
fn a_word_that_is_not_known_here_is_named() {
    for (expression, word) in [
        ("tcp prt 80", "'prt'"),
        ("vlan 5", "'vlan'"),
        ("host example.com", "'example.com'"),
        ("port http", "'http'"),
        ("net 10.0.0.1/8", "behind its prefix"),
        ("net 10.0.0.0/33", "more than 32 bits"),
        ("icmp port 5", "only tcp and udp have ports"),
        ("ip host ::1", "no such address"),
        ("(tcp", "a ) is missing"),
        ("tcp and", "still missing"),
        ("and tcp", "'and' is not expected"),
        ("tcp)", "')' is not expected"),
        ("src", "still missing"),
        ("tcp[13] = 2", "tcp[13]"),
    ] {
        let error = compile(expression, LinkType::ETHERNET).expect_err(expression);
        assert!(error.contains(word), "{expression}: {error}");
    }
    let deep = format!("{}tcp", "not ".repeat(5000));
    assert!(compile(&deep, LinkType::ETHERNET).is_err_and(|error| error.contains("nested")));
    let long = vec!["port 1"; 40].join(" or ");
    assert!(compile(&long, LinkType::ETHERNET).is_err_and(|error| error.contains("too long")));
    assert!(compile("tcp", LinkType::PPP).is_err_and(|error| error.contains("link type")));
}

/// Frames around the values that the expressions name, and some cut short.
fn many_frames(link_type: LinkType) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let wrap = |ether_type: u16, packet: &[u8]| match link_type {
        LinkType::ETHERNET => Some(ethernet(ether_type, packet)),
        LinkType::LINUX_SLL => Some([&[0; 14][..], &ether_type.to_be_bytes(), packet].concat()),
        LinkType::LINUX_SLL2 => Some([&ether_type.to_be_bytes()[..], &[0; 18], packet].concat()),
        _ if ether_type == 0x806 => None,
        LinkType::NULL if ether_type == 0x800 => Some([&2_u32.to_ne_bytes()[..], packet].concat()),
        LinkType::NULL => Some([&10_u32.to_ne_bytes()[..], packet].concat()),
        _ => Some(packet.to_vec()),
    };
    for (src, dst) in [(A, B), (B, A), (A, A), ([10, 9, 9, 9], [172, 16, 0, 1])] {
        for protocol in [1, 6, 17, 47, 58, 132] {
            for (from, to) in [(80, 80), (53, 40_000), (40_000, 53), (79, 81), (443, 1)] {
                for field in [0_u8, 0x20, 1] {
                    let mut packet = v4(protocol, src, dst, &ports(from, to));
                    packet[6] = field;
                    frames.extend(wrap(0x800, &packet));
                    let with_options = [&[0x46][..], &packet[1..20], &[1; 4], &packet[20..]].concat();
                    frames.extend(wrap(0x800, &with_options));
                }
                for (one, other) in [("2001:db8::1", "fe80::1"), ("::1", "2001:db8::1"), ("2001:db9::", "::")] {
                    frames.extend(wrap(0x86dd, &v6(protocol, one, other, &ports(from, to))));
                    let behind = [&[protocol, 0, 0, 1, 0, 0, 0, 1][..], &ports(from, to)].concat();
                    frames.extend(wrap(0x86dd, &v6(44, one, other, &behind)));
                }
            }
        }
        frames.extend(wrap(0x806, &[&[0, 1, 8, 0, 6, 4, 0, 1][..], &[0; 6], &src, &[0; 6], &dst].concat()));
    }
    let cut: Vec<_> = frames.iter().step_by(7).map(|frame| frame[..frame.len() * 2 / 3].to_vec()).collect();
    frames.extend(cut);
    frames
}

#[test]
fn libpcap_passes_the_same_frames() {
    let Some(libpcap) = Libpcap::find() else { return eprintln!("no libpcap on this machine: not compared") };
    let expressions = [
        "ip",
        "ip6",
        "tcp",
        "udp",
        "icmp",
        "icmp6",
        "tcp or udp",
        "not ip",
        "host 10.0.0.1",
        "src host 10.0.0.1",
        "dst host 192.0.2.7",
        "src and dst host 10.0.0.1",
        "src or dst host 192.0.2.7",
        "ip host 10.0.0.1",
        "net 10",
        "net 10.0.0.0/8",
        "src net 192.0.2",
        "dst net 172.16.0.0/12",
        "host 2001:db8::1",
        "dst host ::1",
        "net 2001:db8::/32",
        "src net fe80::/10",
        "port 80",
        "port 53",
        "src port 53",
        "dst port 53",
        "tcp port 80",
        "udp src port 53",
        "src and dst port 80",
        "portrange 79-81",
        "udp portrange 1-100",
        "src portrange 400-500",
        "port 80 or 443",
        "tcp and port 80 or udp",
        "tcp or udp and port 53",
        "not port 53 and host 10.0.0.1",
        "not (tcp or udp) and not icmp",
        "host 10.0.0.1 and 192.0.2.7",
        "! tcp && ! udp || port 443",
    ];
    let only_with_addresses = ["arp", "arp host 10.0.0.1", "not arp"];
    let mut compared = 0;
    for link_type in [LinkType::ETHERNET, LinkType::RAW, LinkType::LINUX_SLL, LinkType::LINUX_SLL2, LinkType::NULL] {
        let frames = many_frames(link_type);
        let has_arp = matches!(link_type, LinkType::ETHERNET | LinkType::LINUX_SLL | LinkType::LINUX_SLL2);
        let more = if has_arp { &only_with_addresses[..] } else { &[] };
        for expression in expressions.iter().chain(more) {
            let own = Program::checked(&compile(expression, link_type).expect(expression)).expect("sound");
            let theirs = libpcap.compile(expression, link_type).expect(expression);
            let theirs = Program::checked(&theirs).expect("libpcap's programs are sound");
            for frame in &frames {
                let len = frame.len() as u32;
                let (own, theirs) = (own.passes(frame, len), theirs.passes(frame, len));
                assert_eq!(own, theirs, "{expression} on link type {}: {frame:02x?}", link_type.0);
                compared += 1;
            }
        }
    }
    assert!(compared > 100_000, "only {compared} compared");
}
