//! Hostile input: tables stay within their caps, time per packet stays flat, clocks may do what they like.

use super::*;
use crate::detect::syn_flood::Caps;
use crate::detect::syn_flood::Outcome;
use crate::detect::syn_flood::Thresholds;

fn small() -> Thresholds {
    let caps = Caps {
        attempts: 4_096,
        ports: 64,
        hosts: 32,
        prefixes: 16,
        wide: 8,
        details: 8,
        scanners: 8,
        incidents: 4,
        surges: 4,
    };
    Thresholds { caps, ..Thresholds::default() }
}

#[test]
fn every_table_stays_within_its_cap_whatever_comes() {
    let mut traffic = Traffic::new(30);
    for n in 0..40_000 {
        let (from, to) = (traffic.forged(), traffic.forged());
        let at = f64::from(n) / 80_000.0;
        match n % 4 {
            0 => traffic.push(at, from, (to.0, to.1), SYN_ACK, 1, 2),
            1 => traffic.refused(at, (0xcb00_7100 + n % 64, 5_000), to),
            _ => traffic.push(at, from, to, SYN, 1, 0),
        }
    }
    let mut detector = SynFlood::new(small());
    traffic.told_by(&mut detector);
    assert!(detector.held() <= 4_096);
    let stats = detector.attempt_stats();
    assert!(stats.evicted_unjudged + stats.answers_left_out > 10_000 && stats.sampled_out > 0, "{stats:?}");
    assert!(detector.place_stats().widened > 1_000, "{:?}", detector.place_stats());
    assert!(detector.details.len() <= 8);
}

#[test]
fn a_flood_at_the_tables_cap_is_found_and_honest_handshakes_are_still_seen() {
    let mut traffic = Traffic::new(31);
    traffic.crowd(0.0, 6.0, 50.0).spoofed(2.0, 4.0, 20_000.0);
    let caps = Caps { attempts: 16_384, ..Caps::default() };
    let mut detector = SynFlood::new(Thresholds { caps, ..Thresholds::default() });
    let told = traffic.told_by(&mut detector);
    let flood = told.last().expect("a flood");
    assert_eq!(flood.code().as_str(), "syn-flood");
    assert!(seconds(flood.flagged_at) < 3.0, "{}", seconds(flood.flagged_at));
    let completed = flood.outcomes[Outcome::Completed.index()];
    assert!(completed > 80, "{completed} of some 200 completed during the flood");
}

/// The server repeats each answer when the attempt has long left the full table.
#[test]
fn answers_repeated_to_those_who_had_to_leave_push_no_handshake_out() {
    let mut traffic = Traffic::new(38);
    for at in traffic.times(1.0, 5.0, 3_500.0) {
        let client = traffic.forged();
        traffic.half_open(at, client, SERVER);
        for later in [1.0, 1.5, 2.0] {
            traffic.push(at + later, SERVER, client, SYN_ACK, 3, 2);
        }
    }
    for at in traffic.times(4.0, 5.0, 100.0) {
        let client = traffic.client();
        traffic.handshake(at, client, SERVER, 0.2);
    }
    let caps = Caps { attempts: 1_024, ..Caps::default() };
    let mut detector = SynFlood::new(Thresholds { caps, ..Thresholds::default() });
    traffic.told_by(&mut detector);
    let stats = detector.attempt_stats();
    assert!(stats.answers_left_out > 5_000, "{stats:?}");
    let completed = detector.totals().of(Outcome::Completed);
    assert!(completed >= 97, "{completed} of 100 or so");
}

#[test]
fn a_flood_over_a_whole_eighth_of_the_world_is_bounded_and_told_once() {
    let mut traffic = Traffic::new(32);
    for at in traffic.times(0.0, 10.0, 20_000.0) {
        let (client, host) = (traffic.forged(), 0x0a00_0000 | traffic.below(1 << 24) as u32);
        let port = traffic.below(65_535) as u16;
        traffic.push(at, client, (host, port), SYN, 1, 0);
    }
    traffic.segments.iter_mut().for_each(|segment| segment.options = &[]);
    let mut detector = SynFlood::default();
    let told = traffic.told_by(&mut detector);
    let ended: Vec<String> = told
        .iter()
        .filter(|i| i.phase == Phase::End && i.merged_into.is_none())
        .map(|i| format!("{} {}", i.code(), i.victim))
        .collect();
    assert_eq!(ended, ["syn-flood 10.0.0.0/8"]);
    let start = seconds(told.last().expect("a flood").start);
    assert!(start < 0.05, "its first SYNs counted where there was still room: {start}");
    assert!(detector.held() <= 1 << 19);
}

#[test]
fn a_flood_faster_than_the_table_over_hosts_that_do_not_fit_is_found_within_a_second() {
    let mut traffic = Traffic::new(37);
    traffic.crowd(0.0, 4.0, 20.0);
    for at in traffic.times(1.0, 4.0, 20_000.0) {
        let (client, host) = (traffic.forged(), 0x0a02_0000 | traffic.below(1 << 10) as u32);
        let port = traffic.below(65_535) as u16;
        traffic.half_open(at, client, (host, port));
    }
    let caps = Caps { attempts: 16_384, ports: 256, hosts: 64, ..Caps::default() };
    let mut detector = SynFlood::new(Thresholds { caps, ..Thresholds::default() });
    let told = traffic.told_by(&mut detector);
    let floods: Vec<_> = told.iter().filter(|i| i.phase == Phase::End && i.merged_into.is_none()).collect();
    let victims: Vec<String> = floods.iter().map(|i| format!("{} {}", i.code(), i.victim)).collect();
    assert_eq!(victims, ["syn-flood 10.2.0.0/22"]);
    assert!(floods.iter().all(|i| seconds(i.flagged_at) < 2.0), "{:?}", floods.iter().map(|i| i.flagged_at));
}

#[test]
fn a_leap_of_a_year_costs_one_step_and_invents_nothing() {
    let mut traffic = Traffic::new(33);
    traffic.crowd(0.0, 5.0, 200.0).unanswered(4.0, 5.0, 300.0);
    let mut later = traffic.clone();
    later.segments.iter_mut().for_each(|segment| segment.at += 365.0 * 86_400.0);
    let cut = |segment: &Seg| segment.at < 5.0;
    traffic = traffic.only(cut);
    traffic.segments.extend(later.segments);
    assert!(!traffic.codes().iter().any(|code| code.starts_with("syn-flood")), "{:?}", traffic.codes());
}

#[test]
fn a_clock_set_back_by_a_year_hides_no_flood() {
    let mut traffic = Traffic::new(34);
    traffic.crowd(0.0, 40.0, 20.0).spoofed(10.0, 20.0, 300.0);
    let mut order = traffic.segments.clone();
    order.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut detector = SynFlood::default();
    let mut told = Vec::new();
    for (frame, segment) in order.iter().enumerate() {
        let back = if segment.at > 5.0 { 365.0 * 86_400.0 } else { 0.0 };
        let segment = Seg { at: segment.at - back, ..*segment };
        feed(&mut detector, &segment, frame as u64, &mut |incident| told.push(incident));
    }
    detector.finish(&mut |incident| told.push(incident));
    assert_eq!(told.last().map(|incident| incident.code().as_str()), Some("syn-flood"));
    assert_eq!(
        told.iter().filter(|incident| incident.phase == Phase::End && incident.merged_into.is_none()).count(),
        1
    );
}

#[test]
fn the_wildest_stamps_neither_panic_nor_hang() {
    let mut detector = SynFlood::default();
    let mut traffic = Traffic::new(35);
    traffic.spoofed(0.0, 0.5, 2_000.0);
    for (frame, segment) in traffic.segments.iter().enumerate() {
        let wild = [f64::MIN, -1e9, 0.0, 1e9, f64::MAX][frame % 5];
        feed(&mut detector, &Seg { at: wild, ..*segment }, 1, &mut |_| {});
    }
    detector.finish(&mut |_| {});
    assert!(detector.clock.now() >= SECOND);
}

#[test]
fn incidents_open_at_once_are_limited_and_the_rest_counted() {
    let mut traffic = Traffic::new(36);
    for at in traffic.times(0.0, 5.0, 4_000.0) {
        let (client, host) = (traffic.forged(), 0x0a00_0000 + traffic.below(20) as u32 * 0x1_0000);
        traffic.half_open(at, client, (host, 80));
    }
    let mut detector = SynFlood::new(small());
    let told = traffic.told_by(&mut detector);
    assert!(told.iter().map(|incident| incident.id).max() <= Some(4));
    assert!(detector.neglected()[0] > 0);
}
