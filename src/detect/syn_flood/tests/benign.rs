//! Trouble and crowds that are no attack, and captures that cannot tell.

use super::*;
use crate::craft::traffic::Trouble;

fn alarms(traffic: &Traffic) -> Vec<String> {
    let mut codes = traffic.codes();
    codes.retain(|code| code.starts_with("syn-flood ") || code.starts_with("syn-scan "));
    codes
}

/// Everything that goes wrong without an attack, by name.
fn troubles(seed: u64) -> Vec<(&'static str, Traffic)> {
    let mut made = Vec::new();
    let mut crowd = Traffic::new(seed);
    crowd.crowd(0.0, 10.0, 20.0).crowd(10.0, 18.0, 1_500.0);
    made.push(("flash crowd", crowd));
    let mut outage = Traffic::new(seed + 1);
    outage.crowd(0.0, 15.0, 80.0).unanswered(15.0, 30.0, 80.0).crowd(33.0, 45.0, 80.0);
    made.push(("outage", outage));
    let mut dead = Traffic::new(seed + 2);
    dead.unanswered(0.0, 30.0, 100.0);
    made.push(("dead host", dead));
    let mut refusing = Traffic::new(seed + 3);
    refusing.crowd(0.0, 10.0, 50.0);
    for at in refusing.times(10.0, 30.0, 300.0) {
        let client = refusing.client();
        refusing.refused(at, client, SERVER);
    }
    refusing.crowd(30.0, 40.0, 100.0);
    made.push(("restart", refusing));
    let mut way_back = Traffic::new(seed + 4);
    way_back.crowd(0.0, 15.0, 60.0);
    for at in way_back.times(15.0, 25.0, 60.0) {
        let (client, isn) = (way_back.client(), way_back.random() as u32);
        for later in [0.0, 1.0, 3.0, 7.0] {
            way_back.push(at + later, client, SERVER, SYN, isn, 0);
            way_back.push(at + later + 0.0001, SERVER, client, SYN_ACK, 3, isn.wrapping_add(1));
        }
    }
    way_back.crowd(25.0, 40.0, 60.0);
    made.push(("answers lost on their way", way_back));
    let mut probes = Traffic::new(seed + 5);
    probes.crowd(0.0, 30.0, 20.0);
    for at in probes.times(0.0, 30.0, 100.0) {
        let (client, host) =
            ((0xcb00_7101, 1_024 + probes.below(60_000) as u16), 0x0a4d_0140 + probes.below(30) as u32);
        let isn = probes.random() as u32;
        probes.push(at, client, (host, 80), SYN, isn, 0);
        probes.push(at + 0.0001, (host, 80), client, SYN_ACK, 7, isn.wrapping_add(1));
        probes.push(at + 0.001, client, (host, 80), RST, isn.wrapping_add(1), 0);
    }
    made.push(("health checks", probes));
    let mut slow = Traffic::new(seed + 6);
    for at in slow.times(0.0, 30.0, 150.0) {
        let (client, rtt) = (slow.client(), 0.3 + 0.6 * slow.unit());
        slow.handshake(at, client, SERVER, rtt);
    }
    made.push(("long ways", slow));
    made
}

#[test]
fn no_trouble_is_an_attack() {
    for seed in [100, 200] {
        for (name, traffic) in troubles(seed) {
            assert_eq!(alarms(&traffic), Vec::<String>::new(), "{name}, seed {seed}");
        }
    }
}

#[test]
fn no_trouble_becomes_an_attack_where_the_capture_loses_a_fifth() {
    for (name, traffic) in troubles(300) {
        assert_eq!(alarms(&traffic.losing(0.2)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn no_trouble_becomes_an_attack_where_one_direction_is_missing() {
    for (name, traffic) in troubles(400) {
        let to_server = |segment: &Seg| bits(segment.dst.addr) >> 8 == SERVER.0 >> 8;
        assert_eq!(alarms(&traffic.clone().only(to_server)), Vec::<String>::new(), "{name}, towards the server");
        assert_eq!(alarms(&traffic.only(|s| !to_server(s))), Vec::<String>::new(), "{name}, from the server");
    }
}

#[test]
fn no_trouble_becomes_an_attack_behind_a_filter_on_syn() {
    for (name, traffic) in troubles(500) {
        assert_eq!(alarms(&traffic.clone().only(|s| s.flags == SYN)), Vec::<String>::new(), "{name}, SYN only");
        assert_eq!(
            alarms(&traffic.clone().only(|s| s.flags.has(SYN))),
            Vec::<String>::new(),
            "{name}, SYN and SYN,ACK"
        );
        let control = SYN.with(RST).with(TcpFlags::FIN);
        assert_eq!(alarms(&traffic.only(|s| s.flags.any(control))), Vec::<String>::new(), "{name}, SYN, FIN and RST");
    }
}

#[test]
fn a_flood_behind_a_filter_on_syn_is_said_to_be_undetermined() {
    let mut traffic = Traffic::new(20);
    traffic.crowd(0.0, 30.0, 20.0).spoofed(5.0, 15.0, 300.0);
    let traffic = traffic.only(|segment| segment.flags == SYN);
    assert_eq!(traffic.codes(), ["syn-flood-undetermined flood-spoofed 10.77.1.10:80"]);
}

#[test]
fn syns_without_options_tell_even_then() {
    let mut traffic = Traffic::new(21);
    traffic.spoofed(5.0, 15.0, 300.0);
    traffic.segments.iter_mut().for_each(|segment| segment.options = &[]);
    let traffic = traffic.only(|segment| segment.flags == SYN);
    assert_eq!(traffic.codes(), ["syn-flood flood-spoofed 10.77.1.10:80"]);
}

#[test]
fn a_flood_seen_from_the_servers_side_only_is_said_to_be_undetermined() {
    let mut traffic = Traffic::new(22);
    traffic.crowd(0.0, 30.0, 20.0).spoofed(5.0, 15.0, 300.0);
    let traffic = traffic.only(|segment| bits(segment.src.addr) == SERVER.0);
    assert_eq!(traffic.codes()[0].split(' ').next(), Some("syn-flood-undetermined"), "{:?}", traffic.codes());
}

#[test]
fn an_outage_is_told_as_such() {
    let (_, outage) = troubles(600).swap_remove(1);
    let codes = outage.codes();
    assert!(
        codes.iter().any(|code| code.starts_with("syn-overload") || code.starts_with("syn-unanswered")),
        "{codes:?}"
    );
}

/// No client gets an answer from the capture's first packet on, then all of them do, also those that try again: nobody
/// was served while SYNs stayed half-open, though many are by the time that there are enough of them.
#[test]
fn answers_lost_from_the_first_packet_on_are_no_flood_once_they_arrive_again() {
    for seed in 700..703 {
        let mut traffic = Traffic::new(seed);
        for at in traffic.times(0.0, 6.0, 110.0) {
            let (client, isn) = (traffic.client(), traffic.random() as u32);
            for later in [0.0, 1.0, 3.0] {
                traffic.push(at + later, client, SERVER, SYN, isn, 0);
                traffic.push(at + later + 0.0001, SERVER, client, SYN_ACK, 3, isn.wrapping_add(1));
                if at + later > 6.0 {
                    traffic.push(at + later + 0.1, client, SERVER, ACK, isn.wrapping_add(1), 4);
                    break;
                }
            }
        }
        traffic.crowd(6.0, 20.0, 110.0);
        assert_eq!(alarms(&traffic), Vec::<String>::new(), "seed {seed}");
    }
}

/// One hour of a small server room: steady clients with ten minutes of silence, three crowds, a restart, an outage, an
/// overload, answers lost for some, one busy client, health checks, and monitoring of hosts that are dead.
fn hour(seed: u64) -> Traffic {
    let net = IpAddr::V4(Ipv4Addr::new(10, 77, 1, 0));
    let dead = IpAddr::V4(Ipv4Addr::new(10, 77, 2, 0));
    let world = World::new()
        .with(net, 24, Some(80), Does::SERVES)
        .with(net, 24, None, Does::Refuses)
        .with(dead, 24, None, Does::Nothing)
        .with_spell(600.0, 605.0, Trouble::Refusing)
        .with_spell(1_500.0, 1_530.0, Trouble::Dead)
        .with_spell(2_000.0, 2_060.0, Trouble::Overloaded(0.6))
        .with_spell(2_400.0, 2_420.0, Trouble::NoWayBack(0.3));
    let clients = |from, to, rate| Act { from, to, rate, manner: Manner::Honest { again: 4 }, ..CLIENTS };
    let gateway = Sources::One(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)));
    let checks = Targets::Hosts(net, 28, 80);
    let scene = Scene::new(seed, world)
        .losing(0.01)
        .with(clients(0.0, 2_700.0, 6.0))
        .with(clients(3_300.0, 3_600.0, 6.0))
        .with(clients(300.0, 315.0, 300.0))
        .with(clients(590.0, 640.0, 60.0))
        .with(clients(900.0, 908.0, 700.0))
        .with(clients(1_490.0, 1_560.0, 60.0))
        .with(clients(1_990.0, 2_070.0, 60.0))
        .with(clients(2_390.0, 2_440.0, 60.0))
        .with(clients(3_310.0, 3_315.0, 900.0))
        .with(Act { sources: gateway, ..clients(1_000.0, 1_010.0, 400.0) })
        .with(Act {
            sources: Sources::Pool(2),
            targets: checks,
            manner: Manner::Resetting,
            ..clients(0.0, 2_700.0, 4.0)
        })
        .with(Act { sources: Sources::Pool(3), targets: Targets::Hosts(dead, 20, 80), ..clients(0.0, 3_600.0, 0.3) });
    Traffic { segments: scene.play().take_while(|segment| segment.at < 3_600.0).collect(), random: Random::new(seed) }
}

#[test]
fn an_hour_of_crowds_and_mishaps_raises_no_alarm_whole_or_in_parts() {
    let hour = hour(800);
    let said = hour.codes();
    assert!(said.iter().any(|code| code.starts_with("syn-surge")), "its crowds are said: {said:?}");
    assert_eq!(alarms(&hour), Vec::<String>::new(), "whole");
    assert_eq!(alarms(&hour.clone().losing(0.2)), Vec::<String>::new(), "a fifth lost");
    let inbound = |segment: &Seg| bits(segment.dst.addr) >> 16 == SERVER.0 >> 16;
    assert_eq!(alarms(&hour.only(inbound)), Vec::<String>::new(), "inbound only");
}
