//! A scene by its kind, and the truth about it: what is attacked, and from when to when.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::craft::traffic::Act;
use crate::craft::traffic::Does;
use crate::craft::traffic::Look;
use crate::craft::traffic::Manner;
use crate::craft::traffic::Play;
use crate::craft::traffic::Scene;
use crate::craft::traffic::Segment;
use crate::craft::traffic::Sources;
use crate::craft::traffic::Targets;
use crate::craft::traffic::Trouble;
use crate::craft::traffic::World;
use crate::craft::traffic::kinds::Kind;
use crate::craft::traffic::kinds::View;
use crate::packet::Endpoint;
use crate::packet::TcpFlags;

/// A scene to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// What happens.
    pub kind: Kind,
    /// Chance follows from it.
    pub seed: u64,
    /// SYNs per second of it; [`Kind::usual_rate`] gives one.
    pub rate: f64,
    /// Seconds of good traffic before it, and 10 s after it there is still some.
    pub lead: f64,
    /// Seconds that it lasts.
    pub lasts: f64,
    /// Good handshakes per second besides.
    pub crowd: f64,
    /// The server.
    pub server: Endpoint,
    /// Length of the server's prefix, from 16 to 30 for IPv4.
    pub prefix: u8,
    /// Real sources, where it has several.
    pub sources: u32,
    /// What the server does.
    pub does: Does,
    /// Share of packets that the path loses.
    pub loss: f64,
    /// Share of packets that the capture misses.
    pub missing: f64,
    /// What the capture holds.
    pub view: View,
    /// The slowest round trip in seconds.
    pub slowest: f64,
}

/// What is true of a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// An attack or a scan, not a mishap.
    pub alarm: bool,
    /// The code that says so.
    pub code: &'static str,
    /// First second and last of it.
    pub from: f64,
    /// Last second of it.
    pub to: f64,
}

/// Seconds of good traffic after what happens.
const AFTERWARDS: f64 = 10.0;

impl Plan {
    /// A scene of this kind as it usually is, at 10.77.1.10:80.
    pub const fn new(kind: Kind, seed: u64) -> Self {
        let v6 = IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_0077 << 80 | 0x10));
        let v4 = IpAddr::V4(Ipv4Addr::new(10, 77, 1, 10));
        let addr = match kind {
            Kind::Subnet => v6,
            _ => v4,
        };
        Self {
            kind,
            seed,
            rate: kind.usual_rate(),
            lead: 8.0,
            lasts: 10.0,
            crowd: 20.0,
            server: Endpoint { addr, port: 80 },
            prefix: 24,
            sources: 200,
            does: Does::SERVES,
            loss: 0.0,
            missing: 0.0,
            view: View::Both,
            slowest: 0.25,
        }
    }

    /// First address of the server's prefix.
    fn net(&self) -> IpAddr {
        match self.server.addr {
            IpAddr::V4(addr) => {
                IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & (u32::MAX << (32 - self.prefix.clamp(1, 32)))))
            }
            IpAddr::V6(addr) => IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & (u128::MAX << 64))),
        }
    }

    /// Hosts there, those of IPv6 that are dialled.
    fn hosts(&self) -> u64 {
        match self.server.addr {
            IpAddr::V4(_) => 1 << (32 - self.prefix.clamp(1, 32)),
            IpAddr::V6(_) => 1 << 12,
        }
    }

    fn net_len(&self) -> u8 {
        if self.server.addr.is_ipv4() { self.prefix } else { 64 }
    }

    /// The act of this kind, before what is special to it.
    fn act(&self, sources: Sources, manner: Manner, look: Look) -> Act {
        let (from, to) = (self.lead, self.lead + self.lasts);
        Act { from, to, rate: self.rate, pulse: None, sources, targets: Targets::Port(self.server), manner, look }
    }

    /// Clients that want to be served, `rate` a second, from one second to another.
    fn clients(&self, from: f64, to: f64, rate: f64) -> Act {
        let manner = Manner::Honest { again: 4 };
        Act { from, to, rate, ..self.act(Sources::Clients(3_000), manner, Look::System) }
    }

    /// A source beside the clients, of the server's version.
    fn one(&self) -> Sources {
        Sources::One(match self.server.addr {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_00bb << 80 | 5)),
        })
    }

    /// The acts that make it what it is.
    fn acts(&self) -> Vec<Act> {
        let forged = self.act(Sources::World, Manner::Silent, Look::Tool);
        let pool = Sources::Pool(self.sources);
        let net = self.net();
        let rate = self.rate;
        let (from, to) = (self.lead, self.lead + self.lasts);
        match self.kind {
            Kind::Spoofed => vec![forged],
            Kind::Dressed => vec![Act { look: Look::System, ..forged }],
            Kind::HalfReset => {
                vec![Act { rate: rate / 2.0, ..forged }, Act { rate: rate / 2.0, manner: Manner::Resetting, ..forged }]
            }
            Kind::Single => vec![self.act(self.one(), Manner::Silent, Look::Tool)],
            Kind::SingleReset => vec![self.act(self.one(), Manner::Resetting, Look::Tool)],
            Kind::Bots => vec![self.act(pool, Manner::Silent, Look::System)],
            Kind::Pulses => vec![Act { pulse: Some((1.5, 8.0)), ..forged }],
            Kind::Carpet => vec![Act { targets: Targets::Hosts(net, self.hosts(), self.server.port), ..forged }],
            Kind::Ports => vec![Act { targets: Targets::Ports(self.server.addr, 1, 20_000), ..forged }],
            Kind::Everything => vec![Act { targets: Targets::Everything(net, self.hosts()), ..forged }],
            Kind::Subnet => vec![self.act(Sources::Subnet, Manner::Silent, Look::Tool)],
            Kind::Resent => vec![Act { manner: Manner::Resending, look: Look::System, ..forged }],
            Kind::ForgedAck => vec![Act { manner: Manner::ForgedAck, ..forged }],
            Kind::Holding => vec![self.act(Sources::Pool(self.sources.min(12)), Manner::Silent, Look::System)],
            Kind::ScanPorts => {
                let targets = Targets::EachPort(self.server.addr, 1);
                vec![Act { targets, ..self.act(self.one(), Manner::Resetting, Look::Tool) }]
            }
            Kind::ScanHosts => {
                let targets = Targets::EachHost(Endpoint { addr: net, port: self.server.port });
                vec![Act { targets, ..self.act(self.one(), Manner::Resetting, Look::Tool) }]
            }
            Kind::Probes => {
                let targets = Targets::Hosts(net, 28, self.server.port);
                vec![Act { targets, ..self.act(Sources::Pool(2), Manner::Resetting, Look::System) }]
            }
            Kind::Heavy => vec![self.act(self.one(), Manner::Honest { again: 0 }, Look::System)],
            Kind::Monitoring => {
                let targets = Targets::Hosts(net, 60, self.server.port);
                vec![Act { targets, ..self.act(Sources::Pool(3), Manner::Honest { again: 0 }, Look::System) }]
            }
            Kind::Restart => vec![self.clients(from, to, rate), self.clients(to, to + 2.0, rate * 3.0)],
            Kind::Steady | Kind::Crowd | Kind::Overload | Kind::Refusing | Kind::Outage | Kind::DeadHost => {
                vec![self.clients(from, to, rate)]
            }
            Kind::WayBack | Kind::LongWays => vec![self.clients(from, to, rate)],
        }
    }

    fn world(&self) -> World {
        let (from, to) = (self.lead, self.lead + self.lasts);
        let (server, net, len) = (self.server, self.net(), self.net_len());
        let whole = if server.addr.is_ipv4() { 32 } else { 128 };
        let world = match self.kind {
            Kind::DeadHost => World::new().with(server.addr, whole, None, Does::Nothing),
            Kind::Monitoring => {
                // By the host's number: a quarter listens, a quarter refuses, half is dead.
                let quarter = if server.addr.is_ipv4() { 28 } else { 124 };
                let second = Endpoint { addr: next(net, 16), ..server };
                World::new()
                    .with(net, quarter, Some(server.port), self.does)
                    .with(second.addr, quarter, None, Does::Refuses)
                    .with(net, len, None, Does::Nothing)
            }
            Kind::Everything | Kind::ScanHosts => {
                World::new().with(server.addr, whole, Some(server.port), self.does).with(net, len, None, Does::Nothing)
            }
            _ => World::new().with(net, len, Some(server.port), self.does),
        };
        let world = world.with(server.addr, whole, None, Does::Refuses);
        match self.kind {
            Kind::Overload => world.with_spell(from, to, Trouble::Overloaded(0.6)),
            Kind::Refusing => world.with_spell(from, to, Trouble::Refusing),
            Kind::Restart => world.with_spell(from + 2.0, from + self.lasts * 0.6, Trouble::Refusing),
            Kind::Outage => world.with_spell(from, to, Trouble::Dead),
            Kind::WayBack => world.with_spell(from, to, Trouble::NoWayBack(1.0)),
            _ => world,
        }
    }

    /// The scene.
    pub fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.seed, self.world())
            .losing(self.loss)
            .missing(self.missing)
            .with_slowest(if self.kind == Kind::LongWays { 0.9 } else { self.slowest });
        if self.crowd > 0.0 && self.kind != Kind::DeadHost {
            scene = scene.with(self.clients(0.0, self.lead + self.lasts + AFTERWARDS, self.crowd));
        }
        for act in self.acts() {
            scene = scene.with(act);
        }
        scene
    }

    /// What the capture holds of it, in order of time.
    pub fn play(&self) -> Captured {
        let until = self.lead + self.lasts + AFTERWARDS;
        Captured { play: self.scene().play(), plan: *self, until }
    }

    /// What is true of it.
    pub const fn truth(&self) -> Truth {
        let (alarm, code) = match self.kind {
            Kind::ScanPorts | Kind::ScanHosts => (true, "syn-scan"),
            Kind::Steady | Kind::Crowd | Kind::Heavy | Kind::Probes | Kind::LongWays => (false, ""),
            Kind::Overload | Kind::Restart | Kind::Outage | Kind::WayBack => (false, "syn-overload"),
            Kind::Refusing | Kind::DeadHost | Kind::Monitoring => (false, "syn-unanswered"),
            _ => (true, "syn-flood"),
        };
        Truth { alarm, code, from: self.lead, to: self.lead + self.lasts }
    }

    fn sees(&self, segment: &Segment) -> bool {
        let inbound = segment.dst.port == self.server.port
            || segment.src.port != self.server.port && self.is_ours(segment.dst.addr);
        match self.view {
            View::Both => true,
            View::Inbound => inbound,
            View::Outbound => !inbound,
            View::Syns => segment.flags == TcpFlags::SYN,
            View::Control => segment.flags.any(TcpFlags::SYN.with(TcpFlags::FIN).with(TcpFlags::RST)),
        }
    }

    fn is_ours(&self, addr: IpAddr) -> bool {
        match (addr, self.net()) {
            (IpAddr::V4(addr), IpAddr::V4(net)) => u64::from(addr.to_bits() ^ net.to_bits()) < self.hosts(),
            (IpAddr::V6(addr), IpAddr::V6(net)) => (addr.to_bits() ^ net.to_bits()) >> 64 == 0,
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// The address `n` after `addr`.
fn next(addr: IpAddr, n: u32) -> IpAddr {
    match addr {
        IpAddr::V4(addr) => IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits().wrapping_add(n))),
        IpAddr::V6(addr) => IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits().wrapping_add(n.into()))),
    }
}

/// A plan while it is played.
#[derive(Clone, Debug)]
pub struct Captured {
    play: Play,
    plan: Plan,
    until: f64,
}

impl Iterator for Captured {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        loop {
            let segment = self.play.next().filter(|segment| segment.at <= self.until)?;
            if self.plan.sees(&segment) {
                return Some(segment);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(plan: Plan) -> Vec<Segment> {
        plan.play().collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_traffic_and_another_seed_another() {
        let plan = Plan { lasts: 2.0, ..Plan::new(Kind::Spoofed, 7) };
        assert_eq!(played(plan), played(plan));
        assert_ne!(played(plan), played(Plan { seed: 8, ..plan }));
    }

    #[test]
    fn every_kind_plays_in_order_of_time_at_about_its_rate() {
        for (kind, name) in Kind::NAMED {
            let plan = Plan { lasts: 4.0, crowd: 0.0, lead: 0.0, ..Plan::new(kind, 3) };
            let segments = played(plan);
            assert!(segments.windows(2).all(|pair| pair[0].at <= pair[1].at), "{name}");
            let first = |segment: &&Segment| segment.flags == TcpFlags::SYN && segment.at < 4.0;
            let mut dials: Vec<_> = segments.iter().filter(first).map(|s| (s.src, s.seq)).collect();
            dials.sort_unstable();
            dials.dedup();
            let share = if kind == Kind::Pulses { 1.5 / 4.0 } else { 1.0 };
            let rate = dials.len() as f64 / 4.0 / share;
            let at_least = if kind == Kind::Refusing || kind == Kind::Restart { 1.0 } else { 0.8 };
            assert!(rate > at_least * plan.rate * 0.8, "{name}: {rate} of {}", plan.rate);
        }
    }

    #[test]
    fn a_full_backlog_answers_by_cookie_or_not_at_all() {
        let answers = |cookies| {
            let does = Does::Serves { backlog: Some(64), cookies, resends: 5 };
            let plan = Plan { does, crowd: 0.0, lead: 0.0, lasts: 4.0, ..Plan::new(Kind::Spoofed, 5) };
            let is_answer = |s: &&Segment| s.flags.has(TcpFlags::SYN.with(TcpFlags::ACK));
            let all = played(plan);
            let answers = all.iter().filter(is_answer).count();
            (answers, all.iter().filter(|s| s.flags == TcpFlags::SYN).count())
        };
        let (with, syns) = answers(true);
        let (without, _) = answers(false);
        assert!(with >= syns && without < syns / 3, "{with} and {without} of {syns}");
    }

    #[test]
    fn a_view_holds_what_it_says() {
        let inbound = played(Plan { view: View::Inbound, lasts: 1.0, ..Plan::new(Kind::Carpet, 2) });
        assert!(inbound.iter().all(|segment| segment.dst.port == 80) && !inbound.is_empty());
        let syns = played(Plan { view: View::Syns, lasts: 1.0, ..Plan::new(Kind::Carpet, 2) });
        assert!(syns.iter().all(|segment| segment.flags == TcpFlags::SYN));
    }
}
