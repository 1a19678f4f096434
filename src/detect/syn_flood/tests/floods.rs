//! Attacks: found, once each, of the right kind, with the right victim and times.

use super::*;

#[test]
fn forged_sources_on_a_busy_server_are_one_spoofed_flood_with_its_times() {
    let mut traffic = Traffic::new(1);
    traffic.crowd(0.0, 40.0, 30.0).spoofed(10.0, 20.0, 400.0);
    let incidents = traffic.incidents();
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
    let flood = &incidents[0];
    assert!((seconds(flood.start) - 10.0).abs() < 0.05, "start {}", seconds(flood.start));
    assert!((seconds(flood.end.expect("it ended")) - 20.0).abs() < 0.5, "end {:?}", flood.end);
    assert!(seconds(flood.flagged_at) - 10.0 < 2.0, "flagged {}", seconds(flood.flagged_at));
    assert_eq!(flood.confidence.name(), "high");
    assert!((flood.distinct_sources / 4_000.0 - 1.0).abs() < 0.1, "{}", flood.distinct_sources);
    assert!(flood.completion_before > Some(0.95) && flood.completion < Some(0.2));
}

#[test]
fn ten_thousand_a_second_are_flagged_within_a_second() {
    let mut traffic = Traffic::new(2);
    traffic.crowd(0.0, 8.0, 20.0).spoofed(5.0, 7.5, 10_000.0);
    let incidents = traffic.incidents();
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
    assert!(seconds(incidents[0].flagged_at) - 5.0 < 0.8, "flagged {}", seconds(incidents[0].flagged_at));
}

#[test]
fn a_flood_cut_off_after_a_third_of_a_second_is_found_at_the_end() {
    let mut traffic = Traffic::new(3);
    traffic.crowd(0.0, 8.0, 20.0).spoofed(8.0, 8.33, 20_000.0);
    let traffic = traffic.only(|segment| segment.at < 8.33);
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
    assert_eq!(traffic.incidents()[0].end, None, "it goes on where the capture ends");
}

#[test]
fn pulses_are_one_incident() {
    let mut traffic = Traffic::new(4);
    traffic.crowd(0.0, 60.0, 20.0);
    for start in [10.0, 17.0, 24.0, 31.0] {
        traffic.spoofed(start, start + 1.5, 500.0);
    }
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
    assert!((seconds(traffic.incidents()[0].end.expect("it ended")) - 32.5).abs() < 0.5);
}

#[test]
fn twenty_a_second_are_enough() {
    let mut traffic = Traffic::new(5);
    traffic.crowd(0.0, 60.0, 15.0).spoofed(10.0, 50.0, 20.0);
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
}

#[test]
fn one_source_and_a_few_are_told_apart_from_many() {
    for (sources, kind) in [(1_u32, "flood-single-source"), (40, "flood-distributed")] {
        let mut traffic = Traffic::new(6);
        traffic.crowd(0.0, 25.0, 20.0);
        for at in traffic.times(5.0, 15.0, 300.0) {
            let client = (0xcb00_7100 + traffic.below(sources.into()) as u32, 1_024 + traffic.below(60_000) as u16);
            traffic.half_open(at, client, SERVER);
        }
        assert_eq!(traffic.codes(), [format!("syn-flood {kind} 10.77.1.10:80")]);
    }
}

#[test]
fn a_source_that_resets_every_answer_is_a_flood_by_resets() {
    let mut traffic = Traffic::new(7);
    traffic.crowd(0.0, 25.0, 20.0);
    for at in traffic.times(5.0, 15.0, 500.0) {
        let (client, isn) = ((0xcb00_7101, 1_024 + traffic.below(60_000) as u16), traffic.random() as u32);
        traffic.push(at, client, SERVER, SYN, isn, 0);
        traffic.push(at + 0.0001, SERVER, client, SYN_ACK, 7, isn.wrapping_add(1));
        traffic.push(at + 0.02, client, SERVER, RST, isn.wrapping_add(1), 0);
    }
    let incidents = traffic.incidents();
    assert_eq!(traffic.codes(), ["syn-flood flood-single-source 10.77.1.10:80"]);
    assert_eq!(incidents[0].rule, "resets");
}

#[test]
fn forged_acknowledgments_do_not_help() {
    let mut traffic = Traffic::new(8);
    traffic.crowd(0.0, 25.0, 20.0);
    for at in traffic.times(5.0, 15.0, 300.0) {
        let (client, isn) = (traffic.forged(), traffic.random() as u32);
        traffic.push(at, client, SERVER, SYN, isn, 0);
        traffic.push(at + 0.0001, SERVER, client, SYN_ACK, 5, isn.wrapping_add(1));
        traffic.push(at + 0.02, client, SERVER, ACK, isn.wrapping_add(1), 0x8000_0000);
    }
    let incidents = traffic.incidents();
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
    assert!(seconds(incidents[0].flagged_at) < 6.0, "no need to wait for silence");
}

#[test]
fn syns_sent_again_once_do_not_help_while_others_complete() {
    let mut traffic = Traffic::new(9);
    traffic.crowd(0.0, 30.0, 30.0);
    for at in traffic.times(5.0, 15.0, 200.0) {
        let (client, isn) = (traffic.forged(), traffic.random() as u32);
        for later in [0.0, 1.0] {
            traffic.push(at + later, client, SERVER, SYN, isn, 0);
            traffic.push(at + later + 0.0001, SERVER, client, SYN_ACK, 5, isn.wrapping_add(1));
        }
    }
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
}

#[test]
fn a_few_per_host_over_a_whole_subnet_are_one_flood_of_the_prefix() {
    let mut traffic = Traffic::new(10);
    traffic.crowd(0.0, 40.0, 20.0);
    for at in traffic.times(5.0, 35.0, 600.0) {
        let (client, host) = (traffic.forged(), 0x0a4d_0100 + traffic.below(250) as u32);
        traffic.half_open(at, client, (host, 80));
    }
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.0/24:80"]);
}

#[test]
fn closed_ports_flooded_by_forged_sources_are_one_flood_of_the_host() {
    let mut traffic = Traffic::new(11);
    traffic.crowd(0.0, 30.0, 20.0);
    for at in traffic.times(5.0, 15.0, 400.0) {
        let (client, port) = (traffic.forged(), 1 + traffic.below(20_000) as u16);
        traffic.refused(at, client, (SERVER.0, port));
    }
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10"]);
}

#[test]
fn one_source_over_many_ports_or_hosts_is_a_scan() {
    let scanner = (0xcb00_7105, 40_000);
    let mut vertical = Traffic::new(12);
    vertical.crowd(0.0, 30.0, 20.0);
    for port in 1..600 {
        vertical.refused(5.0 + f64::from(port) * 0.02, scanner, (SERVER.0, port));
    }
    assert_eq!(vertical.codes(), ["syn-scan scan-vertical 10.77.1.10"]);
    let mut horizontal = Traffic::new(13);
    horizontal.crowd(0.0, 30.0, 20.0);
    for host in 20..250 {
        let isn = horizontal.random() as u32;
        horizontal.push(5.0 + f64::from(host) * 0.02, scanner, (0x0a4d_0100 + host, 443), SYN, isn, 0);
    }
    assert_eq!(horizontal.codes(), ["syn-scan scan-horizontal 10.77.1.0/24:443"]);
}

#[test]
fn syn_acks_that_nobody_asked_for_are_a_reflection_on_their_receiver() {
    let mut traffic = Traffic::new(14);
    traffic.crowd(0.0, 20.0, 20.0);
    for at in traffic.times(5.0, 10.0, 300.0) {
        let (server, isn) = (traffic.forged(), traffic.random() as u32);
        for later in [0.0, 1.0] {
            traffic.push(at + later, (server.0, 443), (SERVER.0, 50_000), SYN_ACK, 9, isn);
        }
    }
    assert_eq!(traffic.codes(), ["syn-flood synack-reflection 10.77.1.10"]);
}

#[test]
fn an_incident_is_told_when_it_starts_every_ten_seconds_and_when_it_ends() {
    let mut traffic = Traffic::new(15);
    traffic.crowd(0.0, 70.0, 20.0).spoofed(10.0, 40.0, 200.0);
    let told = traffic.told_by(&mut SynFlood::default());
    let phases: Vec<&str> = told.iter().map(|incident| incident.phase.name()).collect();
    assert_eq!(phases, ["start", "update", "update", "update", "update", "end"]);
    assert!(told.iter().all(|incident| incident.id == 1));
}
