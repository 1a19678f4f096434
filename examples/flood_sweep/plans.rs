//! Scenarios of one kind each: every attack and every mishap that [`Plan`] knows, over rates, views and losses.

use std::net::IpAddr;

use synscope::craft::traffic::Does;
use synscope::craft::traffic::kinds::Kind;
use synscope::craft::traffic::kinds::Plan;
use synscope::craft::traffic::kinds::View;
use synscope::packet::Endpoint;

use crate::case::Add;
use crate::case::Attack;
use crate::case::Case;
use crate::case::Place;
use crate::case::Run;

/// Traffic of one plan, made anew for each seed.
pub(crate) fn of(kind: Kind, change: impl Fn(&mut Plan) + 'static) -> Case {
    Box::new(move |seed| {
        let mut plan = Plan::new(kind, seed);
        change(&mut plan);
        run(&plan)
    })
}

/// What a plan plays, and the truth about it.
pub(crate) fn run(plan: &Plan) -> Run {
    let truth = plan.truth();
    let attack = Attack {
        code: truth.code,
        place: place(plan),
        from: plan.play().find(|segment| segment.at >= truth.from).map_or(truth.from, |segment| segment.at),
        to: truth.to,
        rate: plan.rate,
        cut: false,
    };
    Run::of(plan.play(), if truth.alarm { vec![attack] } else { Vec::new() })
}

/// What is attacked: the port, its host, or the prefix.
fn place(plan: &Plan) -> Place {
    let server = plan.server;
    match (plan.kind, server.addr) {
        (Kind::Carpet | Kind::Everything | Kind::ScanHosts, IpAddr::V4(addr)) => {
            let net = addr.to_bits() & (u32::MAX << (32 - plan.prefix));
            Place::Prefix(IpAddr::V4(net.into()), plan.prefix)
        }
        (Kind::Carpet | Kind::Everything | Kind::ScanHosts, IpAddr::V6(addr)) => {
            Place::Prefix(IpAddr::V6((addr.to_bits() & (u128::MAX << 64)).into()), 64)
        }
        (Kind::Ports | Kind::ScanPorts, addr) => Place::Host(addr),
        _ => Place::Port(server),
    }
}

/// Room for 64, and silence beyond.
pub(crate) const STARVED: Does = Does::Serves { backlog: Some(64), cookies: false, resends: 5 };
const SMALL: Does = Does::Serves { backlog: Some(128), cookies: true, resends: 5 };

/// All of them.
pub(crate) fn scenarios(add: Add<'_>) {
    attacks(add);
    sides(add);
    benign(add);
}

fn attacks(add: Add<'_>) {
    let attacks = [
        Kind::Spoofed,
        Kind::Dressed,
        Kind::HalfReset,
        Kind::Single,
        Kind::SingleReset,
        Kind::Bots,
        Kind::Carpet,
        Kind::Ports,
        Kind::Subnet,
        Kind::Resent,
        Kind::ForgedAck,
    ];
    for kind in attacks {
        for rate in [150.0, 600.0, 2_500.0] {
            let rate = if kind == Kind::SingleReset { rate + 100.0 } else { rate };
            add(format!("{} {rate}/s", kind.name()), of(kind, move |p| p.rate = rate));
        }
    }
    for rate in [12.0, 15.0, 20.0, 25.0] {
        add(
            format!("slow {rate}/s, no cookies, backlog 64"),
            of(Kind::Spoofed, move |p| {
                (p.rate, p.lasts, p.does, p.crowd) = (rate, 60.0, STARVED, 10.0);
            }),
        );
        add(
            format!("slow {rate}/s, cookies, dressed"),
            of(Kind::Dressed, move |p| {
                (p.rate, p.lasts, p.does, p.crowd) = (rate, 60.0, SMALL, 10.0);
            }),
        );
        add(format!("holding {rate}/s"), of(Kind::Holding, move |p| (p.rate, p.lasts) = (rate, 40.0)));
    }
    for rate in [300.0, 1_000.0, 10_000.0, 40_000.0] {
        let lasts = if rate > 5_000.0 { 3.0 } else { 10.0 };
        add(
            format!("no cookies, backlog 64, {rate}/s"),
            of(Kind::Spoofed, move |p| {
                (p.rate, p.does, p.lasts) = (rate, STARVED, lasts);
            }),
        );
        add(
            format!("cookies, backlog 128, dressed, {rate}/s"),
            of(Kind::Dressed, move |p| {
                (p.rate, p.does, p.lasts) = (rate, SMALL, lasts);
            }),
        );
    }
    for rate in [150.0, 500.0, 2_000.0] {
        add(format!("pulses 1.5 s, pauses 8 s, {rate}/s"), of(Kind::Pulses, move |p| (p.rate, p.lasts) = (rate, 40.0)));
    }
    for prefix in [24, 22, 20] {
        for rate in [300.0, 1_000.0] {
            add(
                format!("carpet on a /{prefix}, {rate}/s"),
                of(Kind::Carpet, move |p| {
                    (p.prefix, p.rate, p.lasts) = (prefix, rate, 20.0);
                }),
            );
        }
    }
    for rate in [200.0, 1_000.0] {
        add(
            format!("hosts and ports of a /22, {rate}/s"),
            of(Kind::Everything, move |p| {
                (p.prefix, p.rate, p.lasts) = (22, rate, 15.0);
            }),
        );
    }
    for sources in [5, 50, 250] {
        add(
            format!("bots, {sources}, dressed, 300/s"),
            of(Kind::Bots, move |p| (p.sources, p.rate) = (sources, 300.0)),
        );
    }
}

/// Attacks beside much else, and seen by half.
fn sides(add: Add<'_>) {
    let beside = [Kind::Spoofed, Kind::Dressed, Kind::Bots, Kind::HalfReset, Kind::ForgedAck];
    for kind in beside {
        add(
            format!("{} 100/s beside 300 good/s", kind.name()),
            of(kind, |p| {
                (p.rate, p.crowd, p.lasts) = (100.0, 300.0, 15.0);
            }),
        );
        add(
            format!("{} 300/s, 20 % of the capture missing", kind.name()),
            of(kind, |p| {
                (p.rate, p.missing) = (300.0, 0.2);
            }),
        );
        add(format!("{} 300/s, path loses 10 %", kind.name()), of(kind, |p| (p.rate, p.loss) = (300.0, 0.1)));
    }
    let inbound = [Kind::Spoofed, Kind::Dressed, Kind::Carpet, Kind::Single];
    for kind in inbound {
        add(format!("{} 500/s, inbound only", kind.name()), of(kind, |p| (p.rate, p.view) = (500.0, View::Inbound)));
    }
    for kind in [Kind::Spoofed, Kind::Dressed, Kind::Carpet] {
        add(
            format!("{} 500/s, IPv6", kind.name()),
            of(kind, |p| {
                p.server = Plan::new(Kind::Subnet, 1).server;
                p.rate = 500.0;
            }),
        );
    }
    add(
        "another server and port, 700/s".to_owned(),
        of(Kind::Spoofed, |p| {
            p.server = Endpoint { addr: IpAddr::from([172, 20, 9, 200]), port: 8_443 };
            p.rate = 700.0;
        }),
    );
    for rate in [5.0_f64, 20.0, 300.0, 5_000.0, 20_000.0] {
        let lasts = if rate < 50.0 { 40.0 } else { 8.0 };
        for kind in [Kind::ScanPorts, Kind::ScanHosts] {
            // Beyond the prefix nobody is at home.
            let lasts = if kind == Kind::ScanHosts { f64::min(lasts, 220.0 / rate) } else { lasts };
            add(format!("{} {rate}/s", kind.name()), of(kind, move |p| (p.rate, p.lasts) = (rate, lasts)));
        }
    }
}

fn benign(add: Add<'_>) {
    let kinds = [
        Kind::Steady,
        Kind::Crowd,
        Kind::Overload,
        Kind::Refusing,
        Kind::Restart,
        Kind::Outage,
        Kind::DeadHost,
        Kind::Probes,
        Kind::Heavy,
        Kind::Monitoring,
        Kind::WayBack,
        Kind::LongWays,
    ];
    for kind in kinds {
        for factor in [0.5, 1.0, 4.0] {
            let rate = kind.usual_rate() * factor;
            add(format!("good: {} {rate}/s", kind.name()), of(kind, move |p| (p.rate, p.lasts) = (rate, 15.0)));
        }
        add(
            format!("good: {}, 20 % of the capture missing", kind.name()),
            of(kind, |p| {
                (p.missing, p.lasts) = (0.2, 15.0);
            }),
        );
        add(format!("good: {}, path loses 30 %", kind.name()), of(kind, |p| (p.loss, p.lasts) = (0.3, 15.0)));
        for (view, word) in [
            (View::Inbound, "inbound only"),
            (View::Outbound, "outbound only"),
            (View::Syns, "SYNs only"),
            (View::Control, "SYN, FIN, RST only"),
        ] {
            add(format!("good: {}, {word}", kind.name()), of(kind, move |p| (p.view, p.lasts) = (view, 15.0)));
        }
    }
    add(
        "good: crowd with a full backlog, no cookies".to_owned(),
        of(Kind::Crowd, |p| {
            (p.does, p.rate) = (STARVED, 1_500.0);
        }),
    );
}
