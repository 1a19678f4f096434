//! What must hold for any traffic of a kind.

use proptest::prelude::ProptestConfig;
use proptest::proptest;

use super::*;
use crate::craft::traffic::kinds::Kind;
use crate::craft::traffic::kinds::Plan;
use crate::detect::syn_flood::Victim;

/// Attacks of a single port or host, whatever the rate.
const ATTACKS: [Kind; 9] = [
    Kind::Spoofed,
    Kind::Dressed,
    Kind::Single,
    Kind::Bots,
    Kind::Pulses,
    Kind::Ports,
    Kind::Resent,
    Kind::ForgedAck,
    Kind::ScanPorts,
];
/// What is none.
const TROUBLES: [Kind; 9] = [
    Kind::Crowd,
    Kind::Overload,
    Kind::Refusing,
    Kind::Restart,
    Kind::Outage,
    Kind::Heavy,
    Kind::Probes,
    Kind::Monitoring,
    Kind::WayBack,
];

fn planned(plan: &Plan) -> Traffic {
    Traffic { segments: plan.play().collect(), random: Random::new(plan.seed) }
}

/// An attack by number, on top of ordinary traffic.
fn attacked(seed: u64, attack: usize, rate: f64) -> Traffic {
    planned(&Plan { rate, lead: 4.0, lasts: 8.0, ..Plan::new(ATTACKS[attack], seed) })
}

/// Trouble by number, at a server somewhere else and of other people.
fn troubled(seed: u64, trouble: usize) -> Traffic {
    let server = Endpoint { addr: IpAddr::V4(Ipv4Addr::new(172, 20, 9, 200)), port: 8_443 };
    let mut traffic = planned(&Plan { server, lead: 4.0, lasts: 8.0, ..Plan::new(TROUBLES[trouble], seed) });
    for addr in traffic.segments.iter_mut().flat_map(|segment| [&mut segment.src.addr, &mut segment.dst.addr]) {
        let (own, net) = (bits(*addr), bits(server.addr) & 0xffff_ff00);
        *addr = IpAddr::V4((if own & 0xffff_ff00 == net { own } else { own ^ 0x0400_0000 }).into());
    }
    traffic
}

/// A bijection that keeps what is common to two addresses common, and nothing else: each bit is flipped or not by what
/// stands before it.
fn renamed_address(addr: u32, key: u64) -> u32 {
    let flips = |at: u32| {
        let before = u64::from(addr.checked_shr(32 - at).unwrap_or(0)) << 6 | u64::from(at);
        Random::new(key ^ before.wrapping_mul(0x2545_f491_4f6c_dd1d)).bits() & 1
    };
    addr ^ (0..32).fold(0, |mask, at| mask | (flips(at) as u32) << (31 - at))
}

fn renamed(traffic: &Traffic, key: u64) -> Traffic {
    let mut renamed = traffic.clone();
    for segment in &mut renamed.segments {
        for addr in [&mut segment.src.addr, &mut segment.dst.addr] {
            *addr = IpAddr::V4(renamed_address(bits(*addr), key).into());
        }
    }
    renamed
}

/// What was said, under which rule, when, of how many by what became of them; and of whom, as `name` calls them.
fn said(traffic: &Traffic, name: impl Fn(IpAddr) -> IpAddr) -> Vec<String> {
    let network = |addr: IpAddr, len: u8| bits(name(addr)) & u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    let of = |i: &Incident| {
        let victim = match i.victim {
            Victim::Port(addr, port) => Victim::Port(name(addr), port),
            Victim::Host(addr) => Victim::Host(name(addr)),
            Victim::Prefix(addr, len, port) => Victim::Prefix(IpAddr::V4(network(addr, len).into()), len, port),
        };
        // How many ports or hosts there are is estimated, by a key of chance: a millisecond sooner or later.
        let flagged = matches!(i.victim, Victim::Port(..)).then_some(i.flagged_at);
        let times = (i.start, flagged, i.end);
        let whom = (victim, i.scanner.map(&name));
        format!("{} {} {} {whom:?} {times:?} {:?} {}", i.code(), i.kind.name(), i.rule, i.outcomes, i.confidence.name())
    };
    let mut all: Vec<String> = traffic.incidents().iter().map(of).collect();
    all.sort();
    all
}

fn verdicts(traffic: &Traffic) -> Vec<String> {
    said(traffic, |addr| addr)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn other_addresses_change_nothing_but_the_names(
        seed in 1_u64..10_000, attack in 0..ATTACKS.len(), trouble in 0..TROUBLES.len(), rate in 60.0_f64..400.0, key: u64,
    ) {
        let mut traffic = attacked(seed, attack, rate);
        traffic.segments.extend(troubled(seed, trouble).segments);
        let there = said(&traffic, |addr| IpAddr::V4(renamed_address(bits(addr), key).into()));
        assert!(!there.is_empty());
        assert_eq!(there, verdicts(&renamed(&traffic, key)));
    }

    #[test]
    fn other_first_numbers_change_no_verdict(seed in 1_u64..10_000, attack in 0..ATTACKS.len(), shift: u32) {
        let traffic = attacked(seed, attack, 150.0);
        let mut shifted = traffic.clone();
        for segment in &mut shifted.segments {
            segment.seq = segment.seq.wrapping_add(shift);
            segment.ack = segment.ack.wrapping_add(shift);
        }
        assert_eq!(verdicts(&traffic), verdicts(&shifted));
    }

    #[test]
    fn trouble_beside_an_attack_leaves_the_attack_the_only_alarm(
        seed in 1_u64..10_000, attack in 0..ATTACKS.len(), trouble in 0..TROUBLES.len(), rate in 80.0_f64..600.0,
    ) {
        let alarms = |traffic: &Traffic| {
            let mut codes = traffic.codes();
            codes.retain(|code| code.starts_with("syn-flood ") || code.starts_with("syn-scan "));
            codes
        };
        let attack = attacked(seed, attack, rate);
        let alone = alarms(&attack);
        assert_eq!(alone.len(), 1, "{alone:?}");
        assert!(alone[0].contains(" 10.77.1.10"), "{alone:?}");
        let mut both = attack;
        both.segments.extend(troubled(seed, trouble).segments);
        assert_eq!(alarms(&both), alone);
    }

    #[test]
    fn trouble_alone_raises_no_alarm(seed in 1_u64..10_000, trouble in 0..TROUBLES.len(), missing in 0.0_f64..0.3) {
        let mut codes = troubled(seed, trouble).losing(missing).codes();
        codes.retain(|code| code.starts_with("syn-flood ") || code.starts_with("syn-scan "));
        assert_eq!(codes, Vec::<String>::new());
    }

    #[test]
    fn a_crowd_alone_says_nothing(seed in 1_u64..1_000, rate in 1.0_f64..1_500.0) {
        let mut crowd = Traffic::new(seed);
        crowd.crowd(0.0, 8.0, rate);
        assert_eq!(crowd.codes(), Vec::<String>::new());
    }
}
