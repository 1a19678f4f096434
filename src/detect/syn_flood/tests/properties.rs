//! What must hold for any traffic of a kind.

use proptest::prelude::ProptestConfig;
use proptest::proptest;

use super::*;

/// An attack by number, on top of a crowd.
fn mixed(seed: u64, attack: u8, rate: f64) -> Traffic {
    let mut traffic = Traffic::new(seed);
    traffic.crowd(0.0, 25.0, 25.0);
    match attack {
        0 => drop(traffic.spoofed(5.0, 15.0, rate)),
        1 => {
            for at in traffic.times(5.0, 15.0, rate) {
                let client = (0xcb00_7100 + traffic.below(20) as u32, 1_024 + traffic.below(60_000) as u16);
                traffic.half_open(at, client, SERVER);
            }
        }
        2 => {
            for at in traffic.times(5.0, 15.0, rate) {
                let (client, port) = (traffic.forged(), 1_000 + traffic.below(20_000) as u16);
                traffic.half_open(at, client, (SERVER.0, port));
            }
        }
        _ => drop(traffic.unanswered(5.0, 15.0, rate)),
    }
    traffic
}

/// A bijection that keeps prefixes together: octet by octet, each by its own exclusive or.
fn renamed(traffic: &Traffic, mask: u32) -> Traffic {
    let mut renamed = traffic.clone();
    for segment in &mut renamed.segments {
        for addr in [&mut segment.src.addr, &mut segment.dst.addr] {
            *addr = IpAddr::V4(Ipv4Addr::from_bits(bits(*addr) ^ mask));
        }
    }
    renamed
}

fn verdicts(traffic: &Traffic) -> Vec<(String, String)> {
    traffic.incidents().iter().map(|i| (i.code().to_string(), i.kind.name().to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn other_addresses_change_no_verdict(seed in 1_u64..1_000, attack in 0_u8..4, rate in 60.0_f64..400.0, mask: u32) {
        let traffic = mixed(seed, attack, rate);
        assert_eq!(verdicts(&traffic), verdicts(&renamed(&traffic, mask)));
    }

    #[test]
    fn other_first_numbers_change_no_verdict(seed in 1_u64..1_000, attack in 0_u8..4, shift: u32) {
        let traffic = mixed(seed, attack, 150.0);
        let mut shifted = traffic.clone();
        for segment in &mut shifted.segments {
            segment.seq = segment.seq.wrapping_add(shift);
            segment.ack = segment.ack.wrapping_add(shift);
        }
        assert_eq!(verdicts(&traffic), verdicts(&shifted));
    }

    #[test]
    fn a_crowd_beside_an_attack_leaves_the_attack_the_only_alarm(seed in 1_u64..1_000, rate in 60.0_f64..600.0) {
        let mut attack = Traffic::new(seed);
        attack.spoofed(5.0, 15.0, rate);
        let alone = attack.codes();
        let mut both = attack.clone();
        both.crowd(0.0, 25.0, 100.0);
        // The crowd's own host beside it must not be drawn in.
        for at in both.times(0.0, 25.0, 100.0) {
            let client = both.client();
            both.handshake(at, client, (SERVER.0 + 1, 443), 0.05);
        }
        assert_eq!(both.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
        assert!(alone.len() <= 1);
    }

    #[test]
    fn a_crowd_alone_says_nothing(seed in 1_u64..1_000, rate in 1.0_f64..1_500.0) {
        let mut crowd = Traffic::new(seed);
        crowd.crowd(0.0, 8.0, rate);
        assert_eq!(crowd.codes(), Vec::<String>::new());
    }
}
