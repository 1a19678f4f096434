//! Work is counted, not timed: steps of time, places looked at and details touched stay within a fixed number per packet.

use super::*;

/// Per packet, over every beginning of the traffic: what one packet makes fall due, others have paid for.
const BOUND: u64 = 200;
/// Before there were packets to pay for it.
const AHEAD: u64 = 2_000;

/// Feeds it all, in the order given, and holds each beginning of it to the bound.
fn work(segments: &[Seg], name: &str) {
    let mut detector = SynFlood::default();
    let count = |detector: &SynFlood| detector.steps + detector.groups.visits.get() + detector.details.touched;
    for (frame, segment) in segments.iter().enumerate() {
        feed(&mut detector, segment, frame as u64 + 1, &mut |_| {});
        let (done, packets) = (count(&detector), frame as u64 + 1);
        assert!(done <= AHEAD + BOUND * packets, "{name}: {done} steps for {packets} packets");
    }
    detector.finish(&mut |_| {});
    let (done, packets) = (count(&detector), segments.len() as u64);
    assert!(done > packets, "{name}: the count counts");
    assert!(done <= AHEAD + BOUND * packets, "{name}: {done} steps for {packets} packets, the end included");
}

fn ordered(traffic: Traffic) -> Vec<Seg> {
    let mut segments = traffic.segments;
    segments.sort_by(|a, b| a.at.total_cmp(&b.at));
    segments
}

#[test]
fn a_gap_of_a_year_in_a_flood_costs_what_its_packets_have_paid_for() {
    let mut traffic = Traffic::new(700);
    traffic.crowd(0.0, 8.0, 50.0).spoofed(2.0, 6.0, 1_000.0);
    let mut later = traffic.clone();
    later.segments.iter_mut().for_each(|segment| segment.at += 365.0 * 86_400.0);
    traffic.segments.extend(later.segments);
    work(&ordered(traffic), "a year");
}

#[test]
fn a_clock_that_runs_backwards_costs_no_more() {
    let mut traffic = Traffic::new(701);
    traffic.crowd(0.0, 8.0, 50.0).spoofed(2.0, 6.0, 1_000.0);
    let mut segments = ordered(traffic);
    segments.iter_mut().for_each(|segment| segment.at = 1_000.0 - segment.at);
    work(&segments, "backwards");
}

#[test]
fn a_flood_over_an_eighth_of_the_world_costs_no_more() {
    let mut traffic = Traffic::new(702);
    for at in traffic.times(0.0, 6.0, 8_000.0) {
        let (client, host) = (traffic.forged(), 0x0a00_0000 | traffic.below(1 << 24) as u32);
        traffic.push(at, client, (host, 80), SYN, 1, 0);
    }
    work(&ordered(traffic), "10.0.0.0/8");
}

#[test]
fn a_flood_over_every_port_costs_no_more() {
    let mut traffic = Traffic::new(703);
    for port in 1..=u16::MAX {
        let client = traffic.forged();
        traffic.push(f64::from(port) / 10_000.0, client, (SERVER.0, port), SYN, 1, 0);
    }
    work(&ordered(traffic), "65,535 ports");
}

#[test]
fn sources_from_a_new_ipv6_prefix_each_cost_no_more() {
    let mut traffic = Traffic::new(704);
    for at in traffic.times(0.0, 6.0, 5_000.0) {
        let (client, high) = (traffic.forged(), traffic.random());
        traffic.push(at, client, SERVER, SYN, 1, 0);
        let wide = 0x2001_0db8 << 96 | u128::from(high as u32) << 64 | 1;
        let last = traffic.segments.last_mut().expect("just pushed");
        last.src.addr = IpAddr::V6(wide.into());
        last.dst.addr = IpAddr::V6((0x2001_0db8_ffff << 80 | 10_u128).into());
    }
    work(&ordered(traffic), "IPv6");
}
