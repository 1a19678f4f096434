//! Scenarios of several things at once: two attacks, an attack beside a mishap, odd captures.

use std::net::IpAddr;
use std::net::Ipv4Addr;

use synscope::craft::traffic::Act;
use synscope::craft::traffic::Does;
use synscope::craft::traffic::Look;
use synscope::craft::traffic::MSS_OPTION;
use synscope::craft::traffic::Manner;
use synscope::craft::traffic::Random;
use synscope::craft::traffic::Scene;
use synscope::craft::traffic::Segment;
use synscope::craft::traffic::Sources;
use synscope::craft::traffic::Targets;
use synscope::craft::traffic::Trouble;
use synscope::craft::traffic::World;
use synscope::craft::traffic::kinds::Kind;
use synscope::craft::traffic::kinds::Plan;
use synscope::craft::traffic::kinds::View;
use synscope::packet::Endpoint;
use synscope::packet::TcpFlags;

use crate::case::Add;
use crate::case::Attack;
use crate::case::Case;
use crate::case::Place;
use crate::case::Run;
use crate::case::Written;
use crate::plans::STARVED;
use crate::plans::run;

pub(crate) const NET: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 1, 0));
pub(crate) const WEB: Endpoint = Endpoint { addr: IpAddr::V4(Ipv4Addr::new(10, 77, 1, 10)), port: 80 };
pub(crate) const SHOP: Endpoint = Endpoint { addr: IpAddr::V4(Ipv4Addr::new(10, 77, 1, 20)), port: 443 };
const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77));
/// An attack's first second and last, and the end of the traffic.
const FROM: f64 = 8.0;
const TO: f64 = 18.0;
pub(crate) const OVER: f64 = 28.0;

/// All of them.
pub(crate) fn scenarios(add: Add<'_>) {
    fast(add);
    shapes(add);
    wide(add);
    captures(add);
    together(add);
    reflected(add);
}

fn act(from: f64, to: f64, rate: f64, sources: Sources, server: Endpoint, manner: Manner, look: Look) -> Act {
    Act { from, to, rate, pulse: None, sources, targets: Targets::Port(server), manner, look }
}

/// Clients that want to be served.
pub(crate) fn clients(from: f64, to: f64, rate: f64, server: Endpoint) -> Act {
    act(from, to, rate, Sources::Clients(3_000), server, Manner::Honest { again: 4 }, Look::System)
}

/// Many clients behind one address.
pub(crate) fn behind_one(from: f64, to: f64, rate: f64, server: Endpoint) -> Act {
    act(from, to, rate, Sources::One(GATEWAY), server, Manner::Honest { again: 1 }, Look::System)
}

/// Forged sources, from `from` to `to`.
fn forged(from: f64, to: f64, rate: f64, server: Endpoint) -> Act {
    act(from, to, rate, Sources::World, server, Manner::Silent, Look::System)
}

/// Health checks of every host, by two load balancers.
pub(crate) fn checks(rate: f64) -> Act {
    let targets = Targets::Hosts(NET, 28, 80);
    Act { targets, ..act(0.0, OVER, rate, Sources::Pool(2), WEB, Manner::Resetting, Look::System) }
}

pub(crate) fn room(does: Does) -> World {
    World::new().with(NET, 24, Some(80), does).with(NET, 24, Some(443), does).with(NET, 24, None, Does::Refuses).with(
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)),
        8,
        None,
        Does::Nothing,
    )
}

/// Twenty good handshakes a second at both servers, and what else there is.
pub(crate) fn stage(seed: u64, world: World, acts: &[Act]) -> Scene {
    let scene = Scene::new(seed, world).with(clients(0.0, OVER, 20.0, WEB)).with(clients(0.0, OVER, 20.0, SHOP));
    acts.iter().fold(scene, |scene, act| scene.with(*act))
}

fn at(server: Endpoint, rate: f64) -> Attack {
    Attack { code: "syn-flood", place: Place::Port(server), from: FROM, to: TO, rate, cut: false }
}

pub(crate) fn played(scene: &Scene, attacks: &[Attack]) -> Run {
    Run::of(scene.play().take_while(|segment| segment.at <= OVER), attacks.to_vec())
}

fn planned(kind: Kind, change: impl Fn(&mut Plan) + 'static, more: impl Fn(Run) -> Run + 'static) -> Case {
    Box::new(move |seed| {
        let mut plan = Plan::new(kind, seed);
        change(&mut plan);
        more(run(&plan))
    })
}

/// From 10,000 SYNs a second on.
fn fast(add: Add<'_>) {
    for rate in [10_000.0_f64, 20_000.0, 60_000.0, 200_000.0] {
        for kind in [Kind::Spoofed, Kind::Dressed, Kind::Bots, Kind::ForgedAck, Kind::HalfReset, Kind::SingleReset] {
            let lasts = (120_000.0_f64 / rate).clamp(1.0, 3.0);
            let change = move |p: &mut Plan| (p.rate, p.lasts) = (rate, lasts);
            add(format!("{} {rate}/s", kind.name()), planned(kind, change, |run| run));
        }
    }
    for kind in [Kind::Spoofed, Kind::Single] {
        let seen = move |p: &mut Plan| (p.rate, p.lasts, p.crowd, p.view) = (20_000.0, 2.0, 0.0, View::Inbound);
        add(
            format!("{} 20000/s, nothing else, inbound only", kind.name()),
            planned(kind, seen, |run| run.cut(0.0, 9.9)),
        );
    }
    let dead = move |p: &mut Plan| (p.rate, p.lasts, p.does) = (30_000.0, 3.0, STARVED);
    add("dressed 30000/s, backlog 64, no cookies".to_owned(), planned(Kind::Dressed, dead, |run| run));
    let long = move |p: &mut Plan| (p.rate, p.lasts, p.slowest, p.crowd) = (10_000.0, 3.0, 0.9, 200.0);
    add("dressed 10000/s beside 200 good/s over long ways".to_owned(), planned(Kind::Dressed, long, |run| run));
}

/// Rates that change.
fn shapes(add: Add<'_>) {
    for (on, off, rate) in [(0.3, 4.0, 2_000.0), (0.5, 6.0, 1_000.0), (3.0, 9.0, 200.0), (5.0, 10.0, 80.0)] {
        add(
            format!("pulses {on} s, pauses {off} s, {rate}/s"),
            Box::new(move |seed| {
                let pulsed = Act { pulse: Some((on, off)), ..forged(FROM, TO + 30.0, rate, WEB) };
                let good = [clients(OVER, OVER + 40.0, 20.0, WEB), pulsed];
                let attack = Attack { to: TO + 30.0, ..at(WEB, rate) };
                let scene = stage(seed, room(Does::SERVES), &good);
                Run::of(scene.play().take_while(|segment| segment.at <= TO + 40.0), vec![attack])
            }),
        );
    }
    for (first, last) in [(20.0_f64, 2_000.0_f64), (40.0, 400.0), (10.0, 10_000.0)] {
        add(
            format!("a ramp from {first}/s to {last}/s in 10 s"),
            Box::new(move |seed| {
                let grown = |step: i32| first * (last / first).powf(f64::from(step) / 9.0);
                let step = |n: i32| forged(FROM + f64::from(n), FROM + f64::from(n) + 1.0, grown(n), WEB);
                let acts: Vec<Act> = (0..10).map(step).collect();
                played(&stage(seed, room(Does::SERVES), &acts), &[at(WEB, first)])
            }),
        );
    }
}

/// Over whole prefixes.
fn wide(add: Add<'_>) {
    for (len, rate) in [(23, 600.0), (23, 2_000.0), (21, 2_000.0), (18, 4_000.0), (16, 4_000.0), (8, 8_000.0)] {
        add(
            format!("carpet on a /{len} beside good traffic, {rate}/s"),
            Box::new(move |seed| {
                let net = IpAddr::V4((u32::from(Ipv4Addr::new(10, 77, 0, 0)) & (u32::MAX << (32 - len))).into());
                let spread = Act { targets: Targets::Hosts(net, 1 << (32 - len), 80), ..forged(FROM, TO, rate, WEB) };
                let bare = if len < 16 { Act { look: Look::Tool, ..spread } } else { spread };
                let attack = Attack { place: Place::Prefix(net, len), ..at(WEB, rate) };
                let world = if len < 16 {
                    room(Does::SERVES)
                } else {
                    room(Does::SERVES).with(net, len, Some(80), Does::SERVES)
                };
                let world = if len < 16 {
                    world
                } else {
                    World::new().with(net, len, Some(80), Does::SERVES).with(NET, 24, None, Does::SERVES)
                };
                played(&stage(seed, world, &[bare]), &[attack])
            }),
        );
    }
}

/// Captures that are cut, snapped, tagged, late.
fn captures(add: Add<'_>) {
    let snapped = [
        ("snap length 64", 64, 0),
        ("snap length 54", 54, 0),
        ("VLAN, snap length 64", 64, 1),
        ("QinQ, snap length 68", 68, 2),
    ];
    for (word, snaplen, vlans) in snapped {
        for kind in [Kind::Spoofed, Kind::Dressed, Kind::ForgedAck] {
            let written = Written { vlans, snaplen, ethernet: true };
            add(
                format!("{} 400/s, {word}", kind.name()),
                planned(kind, |p| p.rate = 400.0, move |run| Run { written, ..run }),
            );
        }
        for (kind, view) in [
            (Kind::Outage, View::Inbound),
            (Kind::Crowd, View::Syns),
            (Kind::DeadHost, View::Both),
            (Kind::Refusing, View::Inbound),
        ] {
            let written = Written { vlans, snaplen, ethernet: true };
            add(
                format!("good: {}, {view:?}, {word}", kind.name()),
                planned(kind, move |p| (p.view, p.rate) = (view, 300.0), move |run| Run { written, ..run }),
            );
        }
    }
    for kind in [Kind::Spoofed, Kind::Dressed, Kind::Bots, Kind::Carpet, Kind::HalfReset] {
        add(
            format!("{} 300/s, begins in its midst", kind.name()),
            planned(kind, |p| p.rate = 300.0, |run| run.cut(12.0, 90.0)),
        );
        add(
            format!("{} 300/s, ends in its midst", kind.name()),
            planned(kind, |p| p.rate = 300.0, |run| run.cut(0.0, 14.0)),
        );
    }
    for kind in
        [Kind::Crowd, Kind::Overload, Kind::Restart, Kind::Outage, Kind::WayBack, Kind::Refusing, Kind::LongWays]
    {
        add(format!("good: {}, begins in its midst", kind.name()), planned(kind, |_| {}, |run| run.cut(12.0, 90.0)));
        add(format!("good: {}, ends in its midst", kind.name()), planned(kind, |_| {}, |run| run.cut(0.0, 14.0)));
        add(
            format!("good: {}, half of the answers go another way", kind.name()),
            planned(kind, |_| {}, |run| run.only(half)),
        );
    }
    for kind in [Kind::Spoofed, Kind::Dressed, Kind::Bots, Kind::ForgedAck] {
        add(
            format!("{} 400/s, half of the answers go another way", kind.name()),
            planned(kind, |p| (p.rate, p.sources) = (400.0, 50), |run| run.only(half)),
        );
    }
}

/// What goes to a server, and what comes from it to every other client.
pub(crate) fn half(segment: &Segment) -> bool {
    let IpAddr::V4(client) = segment.dst.addr else { return true };
    segment.dst.port == 80 || client.to_bits().wrapping_mul(0x9e37_79b1) >> 31 == 0
}

/// Two things at once.
fn together(add: Add<'_>) {
    let two = |seed, a: Act, b: Act| stage(seed, room(Does::SERVES), &[a, b]);
    let bots = |rate, server| act(FROM, TO, rate, Sources::Pool(60), server, Manner::Silent, Look::System);
    add(
        "forged and real sources on one port, 300/s each".to_owned(),
        Box::new(move |seed| played(&two(seed, forged(FROM, TO, 300.0, WEB), bots(300.0, WEB)), &[at(WEB, 600.0)])),
    );
    add(
        "two attacks on two hosts, 300/s and 100/s".to_owned(),
        Box::new(move |seed| {
            let scene = two(seed, forged(FROM, TO, 300.0, WEB), bots(100.0, SHOP));
            played(&scene, &[at(WEB, 300.0), at(SHOP, 100.0)])
        }),
    );
    let other = Endpoint { port: 443, ..WEB };
    add(
        "two attacks on two ports of a host, 200/s each".to_owned(),
        Box::new(move |seed| {
            let scene = two(seed, forged(FROM, TO, 200.0, WEB), forged(FROM, TO, 200.0, other));
            played(&scene, &[at(WEB, 200.0), at(other, 200.0)])
        }),
    );
    add(
        "400/s at one host while another is scanned".to_owned(),
        Box::new(move |seed| {
            let targets = Targets::EachPort(SHOP.addr, 1_000);
            let scan =
                Act { targets, ..act(FROM, TO, 50.0, Sources::One(STRANGER), SHOP, Manner::Resetting, Look::Tool) };
            let scanned = Attack { code: "syn-scan", place: Place::Host(SHOP.addr), rate: 50.0, ..at(SHOP, 50.0) };
            played(&two(seed, forged(FROM, TO, 400.0, WEB), scan), &[at(WEB, 400.0), scanned])
        }),
    );
    for rate in [400.0, 1_500.0] {
        add(
            format!("{rate}/s beside a crowd of 800/s at the same port"),
            Box::new(move |seed| {
                played(&two(seed, forged(FROM, TO, rate, WEB), clients(5.0, 20.0, 800.0, WEB)), &[at(WEB, rate)])
            }),
        );
        add(
            format!("{rate}/s while another port refuses everybody"),
            Box::new(move |seed| {
                let closed = Endpoint { port: 8_080, ..SHOP };
                played(&two(seed, forged(FROM, TO, rate, WEB), clients(5.0, 20.0, 100.0, closed)), &[at(WEB, rate)])
            }),
        );
        add(
            format!("{rate}/s beside health checks and a gateway"),
            Box::new(move |seed| {
                let acts = [forged(FROM, TO, rate, WEB), checks(150.0), behind_one(0.0, OVER, 60.0, WEB)];
                played(&stage(seed, room(Does::SERVES), &acts).losing(0.02), &[at(WEB, rate)])
            }),
        );
        add(
            format!("{rate}/s while both servers are overloaded"),
            Box::new(move |seed| {
                let world = room(Does::SERVES).with_spell(5.0, 20.0, Trouble::Overloaded(0.4));
                let acts = [forged(FROM, TO, rate, WEB), clients(5.0, 20.0, 60.0, SHOP)];
                played(&stage(seed, world, &acts), &[at(WEB, rate)])
            }),
        );
        add(
            format!("{rate}/s, path loses 5 %, long ways"),
            Box::new(move |seed| {
                let acts = [forged(FROM, TO, rate, WEB), clients(0.0, OVER, 100.0, WEB)];
                played(&stage(seed, room(Does::SERVES), &acts).losing(0.05).with_slowest(0.7), &[at(WEB, rate)])
            }),
        );
    }
}

/// SYN,ACKs to a host that asked for none.
fn reflected(add: Add<'_>) {
    for (rate, resets, word) in [
        (100.0, false, "servers repeat"),
        (100.0, true, "the victim resets"),
        (2_000.0, false, "servers repeat"),
        (6_000.0, true, "the victim resets"),
    ] {
        add(
            format!("SYN,ACKs reflected, {rate}/s, {word}"),
            Box::new(move |seed| {
                let mut random = Random::new(seed);
                let mut more = Vec::new();
                let mut at_time = FROM;
                while at_time < TO {
                    let server = Endpoint { addr: IpAddr::V4((random.bits() as u32).into()), port: 443 };
                    let victim = Endpoint { port: 1_024 + random.below(60_000) as u16, ..WEB };
                    let (seq, ack) = (random.bits() as u32, random.bits() as u32);
                    let both = TcpFlags::SYN.with(TcpFlags::ACK);
                    let answer = Segment {
                        at: at_time,
                        src: server,
                        dst: victim,
                        flags: both,
                        seq,
                        ack,
                        len: 0,
                        ttl: 50,
                        window: 29_200,
                        options: MSS_OPTION,
                    };
                    let times: &[f64] = if resets { &[0.0] } else { &[0.0, 1.0, 3.0] };
                    more.extend(times.iter().map(|later| Segment { at: at_time + later, ..answer }));
                    if resets {
                        let (src, dst) = (victim, server);
                        more.push(Segment {
                            at: at_time + 40e-6,
                            src,
                            dst,
                            flags: TcpFlags::RST,
                            seq: ack,
                            ack: 0,
                            ttl: 64,
                            window: 0,
                            options: &[],
                            ..answer
                        });
                    }
                    at_time += random.pause(rate);
                }
                let attack = Attack { place: Place::Host(WEB.addr), ..at(WEB, rate) };
                let mut all: Vec<Segment> =
                    played(&stage(seed, room(Does::SERVES), &[]), &[]).segments.chain(more).collect();
                all.sort_by(|a, b| a.at.total_cmp(&b.at));
                Run::of(all.into_iter(), vec![attack])
            }),
        );
    }
}
