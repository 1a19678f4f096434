//! Crowds that are served: said once, with their numbers, and never beside an attack.

use super::*;
use crate::craft::traffic::kinds::Kind as Made;
use crate::craft::traffic::kinds::Plan;
use crate::detect::syn_flood::Class;
use crate::detect::syn_flood::Outcome;
use crate::detect::syn_flood::Thresholds;

fn surges(traffic: &Traffic) -> Vec<Incident> {
    told_of(traffic, &mut SynFlood::default())
}

fn told_of(traffic: &Traffic, detector: &mut SynFlood) -> Vec<Incident> {
    let mut told = traffic.told_by(detector);
    told.retain(|incident| incident.class == Class::Surge);
    told
}

fn made(kind: Made, seed: u64) -> Traffic {
    let mut traffic = Traffic::new(seed);
    traffic.segments = Plan { lead: 10.0, lasts: 12.0, ..Plan::new(kind, seed) }.play().collect();
    traffic
}

fn flash(seed: u64) -> Traffic {
    let mut traffic = Traffic::new(seed);
    traffic.crowd(0.0, 30.0, 20.0).crowd(10.0, 18.0, 480.0);
    traffic
}

#[test]
fn a_flash_crowd_is_said_when_it_lasts_and_when_it_is_over_with_its_numbers() {
    for seed in [600, 601, 602] {
        let told = surges(&flash(seed));
        let phases: Vec<Phase> = told.iter().map(|incident| incident.phase).collect();
        assert_eq!(phases, [Phase::Start, Phase::End], "seed {seed}");
        assert_eq!(told[0].id, told[1].id);
        let end = &told[1];
        assert_eq!((end.code().as_str(), end.kind.name()), ("syn-surge", "surge"));
        assert_eq!(end.code().severity(), crate::finding::Severity::Note);
        assert!((9.0..11.0).contains(&seconds(end.start)), "{}", seconds(end.start));
        assert!((11.0..14.0).contains(&seconds(end.flagged_at)), "{}", seconds(end.flagged_at));
        let over = seconds(end.end.expect("it is over"));
        assert!((17.0..20.0).contains(&over), "{over}");
        let usual = end.usual_rate.expect("a crowd has one");
        assert!((15.0..30.0).contains(&usual), "{usual}");
        assert!((400.0..550.0).contains(&end.rate), "{}", end.rate);
        assert!(end.completion > Some(0.95), "{:?}", end.completion);
        assert!(end.attempts > 3_500 && end.outcomes[Outcome::Completed.index()] > 3_300, "{}", end.attempts);
        assert!((1_500.0..3_200.0).contains(&end.distinct_sources), "of 3,000: {}", end.distinct_sources);
    }
}

#[test]
fn each_of_two_crowds_is_said_once() {
    let mut traffic = flash(610);
    traffic.crowd(30.0, 60.0, 20.0).crowd(40.0, 48.0, 480.0);
    let starts = surges(&traffic).iter().filter(|incident| incident.phase == Phase::Start).count();
    assert_eq!(starts, 2);
}

#[test]
fn a_pace_that_hovers_at_the_limit_is_said_once() {
    let mut traffic = Traffic::new(611);
    traffic.crowd(0.0, 20.0, 20.0);
    // 160 and 80 a second in turns: beyond five times the mean, and below, but never below half of that.
    for second in 20..40 {
        let rate = if second % 2 == 0 { 160.0 } else { 80.0 };
        traffic.crowd(f64::from(second), f64::from(second + 1), rate);
    }
    let starts = surges(&traffic).iter().filter(|incident| incident.phase == Phase::Start).count();
    assert_eq!(starts, 1);
}

#[test]
fn steady_traffic_is_no_crowd_whatever_its_pace() {
    for rate in [1.0, 40.0, 1_000.0] {
        let mut traffic = Traffic::new(620);
        traffic.crowd(0.0, 30.0, rate);
        assert_eq!(surges(&traffic).len(), 0, "{rate} a second");
    }
}

#[test]
fn small_traffic_is_never_a_crowd() {
    let mut traffic = Traffic::new(621);
    traffic.crowd(0.0, 20.0, 0.5).crowd(10.0, 18.0, 30.0);
    assert_eq!(surges(&traffic).len(), 0);
}

#[test]
fn neither_floods_nor_scans_nor_troubles_are_crowds() {
    let kinds = [Made::Spoofed, Made::Bots, Made::ScanPorts, Made::Overload, Made::Refusing, Made::Outage];
    for kind in kinds.into_iter().chain([Made::DeadHost, Made::WayBack, Made::Probes]) {
        for seed in [630, 631] {
            let told: Vec<String> = surges(&made(kind, seed)).iter().map(Incident::text).collect();
            assert_eq!(told, Vec::<String>::new(), "{kind:?}, seed {seed}");
        }
    }
}

#[test]
fn a_crowd_gives_way_to_an_attack_at_its_port() {
    let mut traffic = Traffic::new(640);
    traffic.crowd(0.0, 40.0, 20.0).crowd(10.0, 35.0, 480.0).spoofed(20.0, 30.0, 600.0);
    let told = traffic.told_by(&mut SynFlood::default());
    let flagged = told.iter().find(|incident| incident.class == Class::Flood).expect("a flood").flagged_at;
    let over = told.iter().find(|i| i.class == Class::Surge && i.phase == Phase::End).expect("the crowd before");
    assert!(over.end.is_some_and(|end| end.since(flagged) <= Span::from_secs(1)), "{:?}", over.end);
    let mut attack = false;
    for incident in &told {
        attack = if incident.class == Class::Flood { incident.phase != Phase::End } else { attack };
        assert!(!attack || incident.class != Class::Surge || incident.phase == Phase::End, "{}", incident.text());
    }
}

#[test]
fn a_capture_of_syns_alone_calls_nothing_a_crowd() {
    let traffic = flash(650).only(|segment| segment.flags == SYN);
    assert_eq!(surges(&traffic).len(), 0);
}

#[test]
fn what_goes_on_at_the_captures_end_is_told_without_an_end() {
    let traffic = flash(651).only(|segment| segment.at < 16.0);
    let told = surges(&traffic);
    assert_eq!(told.last().map(|incident| (incident.phase, incident.end)), Some((Phase::End, None)));
}

#[test]
fn thresholds_decide() {
    let set = |text: &str| {
        let mut th = Thresholds::default();
        th.set(text).expect("a threshold");
        told_of(&flash(660), &mut SynFlood::new(th)).len()
    };
    assert_eq!(set("surge-factor=10"), 2);
    for text in ["surge-factor=100", "surge-completed=1", "surge-floor=1000"] {
        assert_eq!(set(text), 0, "{text}");
    }
}

#[test]
fn rises_followed_at_once_are_limited_and_the_rest_counted() {
    let mut traffic = Traffic::new(670);
    for host in 0..12_u32 {
        let server = (SERVER.0 + host, 80);
        for (from, to, rate) in [(0.0, 20.0, 10.0), (10.0, 16.0, 120.0)] {
            for at in traffic.times(from, to, rate) {
                let client = traffic.client();
                traffic.handshake(at, client, server, 0.05);
            }
        }
    }
    let caps = crate::detect::syn_flood::Caps { surges: 4, ..Default::default() };
    let mut detector = SynFlood::new(Thresholds { caps, ..Thresholds::default() });
    let told = told_of(&traffic, &mut detector);
    assert_eq!(told.iter().filter(|incident| incident.phase == Phase::Start).count(), 4);
    assert!(detector.neglected()[3] > 0);
}
