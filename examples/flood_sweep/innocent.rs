//! Scenarios of several mishaps at once and no attack, as they are seen and as they are half seen.

use std::net::IpAddr;
use std::net::Ipv6Addr;

use synscope::craft::traffic::Does;
use synscope::craft::traffic::Scene;
use synscope::craft::traffic::Segment;
use synscope::craft::traffic::Trouble;
use synscope::packet::TcpFlags;

use crate::case::Add;
use crate::case::Run;
use crate::mixed::NET;
use crate::mixed::OVER;
use crate::mixed::SHOP;
use crate::mixed::WEB;
use crate::mixed::behind_one;
use crate::mixed::checks;
use crate::mixed::clients;
use crate::mixed::half;
use crate::mixed::played;
use crate::mixed::room;
use crate::mixed::stage;
use crate::plans::STARVED;

/// All of them.
pub(crate) fn scenarios(add: Add<'_>) {
    type Stage = fn(u64) -> Scene;
    let stages: [(&str, Stage); 7] = [
        ("crowd, gateway, health checks", |seed| {
            let acts = [clients(5.0, 20.0, 600.0, WEB), behind_one(0.0, OVER, 150.0, SHOP), checks(300.0)];
            stage(seed, room(Does::SERVES), &acts)
        }),
        ("gateway over a path that loses 8 %", |seed| {
            stage(seed, room(Does::SERVES), &[behind_one(0.0, OVER, 200.0, WEB)]).losing(0.08)
        }),
        ("crowd, then outage, then everybody back", |seed| {
            let world = room(Does::SERVES).with_spell(12.0, 18.0, Trouble::Dead);
            stage(seed, world, &[clients(5.0, 20.0, 300.0, WEB), clients(18.0, 22.0, 900.0, WEB)])
        }),
        ("overload, then restart", |seed| {
            let world = room(Does::SERVES).with_spell(5.0, 12.0, Trouble::Overloaded(0.7)).with_spell(
                12.0,
                16.0,
                Trouble::Refusing,
            );
            stage(seed, world, &[clients(3.0, 20.0, 300.0, WEB)])
        }),
        ("half of the clients have no way back", |seed| {
            let world = room(Does::SERVES).with_spell(8.0, 18.0, Trouble::NoWayBack(0.5));
            stage(seed, world, &[clients(3.0, 24.0, 150.0, WEB)])
        }),
        ("crowd at a full backlog, health checks", |seed| {
            stage(seed, room(STARVED), &[clients(5.0, 20.0, 900.0, WEB), checks(100.0)])
        }),
        ("a benchmark of 3000 short connections a second", |seed| {
            stage(seed, room(Does::SERVES), &[behind_one(8.0, 13.0, 3_000.0, WEB)])
        }),
    ];
    type Change = fn(Scene) -> Run;
    let views: [(&str, Change); 8] = [
        ("as it is", |scene| played(&scene, &[])),
        ("20 % of the capture missing", |scene| played(&scene.missing(0.2), &[])),
        ("40 % of the capture missing", |scene| played(&scene.missing(0.4), &[])),
        ("inbound only", |scene| played(&scene, &[]).only(inbound)),
        ("outbound only", |scene| played(&scene, &[]).only(|segment| !inbound(segment))),
        ("SYNs only", |scene| played(&scene, &[]).only(|segment| segment.flags == TcpFlags::SYN)),
        ("SYN, FIN, RST only", |scene| {
            played(&scene, &[]).only(|segment| segment.flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST)))
        }),
        ("half of the answers go another way", |scene| {
            played(&scene, &[]).only(|segment| inbound(segment) || half(segment))
        }),
    ];
    for (what, make) in stages {
        for (word, change) in views {
            add(format!("good: {what}, {word}"), Box::new(move |seed| change(make(seed))));
        }
    }
}

fn inbound(segment: &Segment) -> bool {
    match (segment.dst.addr, NET) {
        (IpAddr::V4(addr), IpAddr::V4(net)) => (addr.to_bits() ^ net.to_bits()) >> 8 == 0,
        (IpAddr::V6(addr), _) => addr != Ipv6Addr::UNSPECIFIED,
        (IpAddr::V4(_), IpAddr::V6(_)) => false,
    }
}
