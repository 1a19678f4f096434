//! Holds the flood detector against traffic of which the truth is known, over many rates, shapes and mishaps.
//!
//! ```text
//! flood_sweep [--seeds N] [--only WORD] [--failures]      a table per scenario, for docs/accuracy.md
//! ```
//! Each line is one scenario over all seeds: how many attacks were found (right code, right victim, from its start to 8 s
//! after its end), with how many incidents, how late, how far off the start, and what was said that should not have been.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;
use std::net::IpAddr;
use std::process::ExitCode;

use synscope::craft::step::Link;
use synscope::craft::traffic::Does;
use synscope::craft::traffic::EPOCH;
use synscope::craft::traffic::kinds::Kind;
use synscope::craft::traffic::kinds::Plan;
use synscope::craft::traffic::kinds::View;
use synscope::decode::Decoder;
use synscope::detect::syn_flood::Incident;
use synscope::detect::syn_flood::Phase;
use synscope::detect::syn_flood::Thresholds;
use synscope::packet::Clock;
use synscope::packet::Endpoint;
use synscope::packet::Frame;
use synscope::packet::FrameMeta;
use synscope::packet::LinkType;
use synscope::pipeline::Watch;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("flood_sweep: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<usize, Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let (mut seeds, mut only, mut failures) = (5_u64, String::new(), false);
    while let Some(option) = words.next() {
        match option.as_str() {
            "--seeds" => seeds = words.next().ok_or("--seeds N")?.parse()?,
            "--only" => only = words.next().ok_or("--only WORD")?,
            "--failures" => failures = true,
            other => return Err(format!("what is {other}?").into()),
        }
    }
    println!("| scenario | found | one incident | delay median, most | start off, most | said besides |");
    println!("|---|---|---|---|---|---|");
    let (mut sum, mut wrong) = (Score::default(), 0);
    for (name, make) in scenarios().into_iter().filter(|(name, _)| name.contains(&only)) {
        let mut score = Score::default();
        for seed in 1..=seeds {
            score.add(&make(Plan::new(Kind::Steady, seed * 7_919 + 13)), failures.then_some(name.as_str()));
        }
        println!("| {name} | {} |", score.cells());
        wrong += score.wrong();
        sum.join(score);
    }
    println!("| **all** | {} |", sum.cells());
    Ok(wrong)
}

/// Makes a plan of a seeded one.
type Make = Box<dyn Fn(Plan) -> Plan>;

fn of(kind: Kind, change: impl Fn(&mut Plan) + 'static) -> Make {
    Box::new(move |seeded| {
        let mut plan = Plan::new(kind, seeded.seed);
        change(&mut plan);
        plan
    })
}

const STARVED: Does = Does::Serves { backlog: Some(64), cookies: false, resends: 5 };
const SMALL: Does = Does::Serves { backlog: Some(128), cookies: true, resends: 5 };

fn scenarios() -> Vec<(String, Make)> {
    let mut list: Vec<(String, Make)> = Vec::new();
    let mut add = |name: String, make: Make| list.push((name, make));
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
    for rate in [5.0_f64, 20.0, 300.0, 5_000.0] {
        let lasts = if rate < 50.0 { 40.0 } else { 8.0 };
        for kind in [Kind::ScanPorts, Kind::ScanHosts] {
            let rate = if kind == Kind::ScanHosts { rate.min(30.0) } else { rate };
            add(format!("{} {rate}/s", kind.name()), of(kind, move |p| (p.rate, p.lasts) = (rate, lasts)));
        }
    }
    benign(&mut add);
    list
}

fn benign(add: &mut impl FnMut(String, Make)) {
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

#[derive(Default)]
struct Score {
    attacks: usize,
    found: usize,
    single: usize,
    delays: Vec<f64>,
    starts: Vec<f64>,
    besides: Vec<String>,
}

impl Score {
    fn add(&mut self, plan: &Plan, name: Option<&str>) {
        let truth = plan.truth();
        let told = told(plan);
        let at = |incident: &Incident| incident.flagged_at.since(EPOCH).as_secs_f64();
        let right = |incident: &&Incident| {
            truth.alarm
                && incident.code().as_str() == truth.code
                && is_hit(plan, incident)
                && (truth.from..=truth.to + 8.0).contains(&at(incident))
        };
        let hits: Vec<&Incident> = told.iter().filter(right).collect();
        let first = plan.play().find(|segment| segment.at >= truth.from).map_or(truth.from, |segment| segment.at);
        self.attacks += usize::from(truth.alarm);
        self.found += usize::from(!hits.is_empty());
        self.single += usize::from(hits.len() == 1);
        if let Some(hit) = hits.first() {
            self.delays.push(at(hit) - first);
            self.starts.push((hit.start.since(EPOCH).as_secs_f64() - first).abs());
        }
        let alarm =
            |incident: &&Incident| ["syn-flood", "syn-scan"].contains(&incident.code().as_str()) && !right(incident);
        for other in told.iter().filter(alarm) {
            self.besides.push(format!("{} {}", other.kind.name(), other.victim));
        }
        if let Some(name) = name
            && (truth.alarm && hits.len() != 1 || told.iter().any(|i| alarm(&i)))
        {
            let all: Vec<String> = told
                .iter()
                .map(|i| format!("{} {} {} at {:.2}: {}", i.code(), i.kind.name(), i.victim, at(i), i.text()))
                .collect();
            eprintln!("{name}, seed {}:\n  {}", plan.seed, all.join("\n  "));
        }
    }

    fn wrong(&self) -> usize {
        self.attacks - self.found + self.besides.len()
    }

    fn join(&mut self, other: Self) {
        self.attacks += other.attacks;
        self.found += other.found;
        self.single += other.single;
        self.delays.extend(other.delays);
        self.starts.extend(other.starts);
        self.besides.extend(other.besides);
    }

    fn cells(&self) -> String {
        let most = |of: &[f64]| of.iter().copied().fold(0.0, f64::max);
        let mut delays = self.delays.clone();
        delays.sort_by(f64::total_cmp);
        let times = match delays.get(delays.len() / 2) {
            Some(median) => {
                format!("{median:.1} s, {:.1} s | {:.0} ms", most(&self.delays), most(&self.starts) * 1e3)
            }
            None => "– | –".to_owned(),
        };
        let mut besides = self.besides.clone();
        besides.sort();
        besides.dedup();
        let said = match self.besides.len() {
            0 => "–".to_owned(),
            n => format!("{n}: {}", besides[..besides.len().min(3)].join(", ")),
        };
        let found = if self.attacks == 0 { "–".to_owned() } else { format!("{} of {}", self.found, self.attacks) };
        let single = if self.attacks == 0 { "–".to_owned() } else { self.single.to_string() };
        format!("{found} | {single} | {times} | {said}")
    }
}

/// The victim is the one attacked: the port, its host, or the prefix that is.
fn is_hit(plan: &Plan, incident: &Incident) -> bool {
    let victim = incident.victim.to_string();
    let server = plan.server;
    let host = server.addr.to_string();
    match plan.kind {
        Kind::Carpet | Kind::Everything | Kind::ScanHosts => victim.contains('/'),
        Kind::Ports | Kind::ScanPorts => victim == host,
        _ => victim == server.to_string(),
    }
}

fn told(plan: &Plan) -> Vec<Incident> {
    let mut watch = Watch::new(Thresholds::default());
    let mut decoder = Decoder::default();
    let mut told = Vec::new();
    let mut tell = |incident: Incident| {
        if incident.phase == Phase::End && incident.merged_into.is_none() {
            told.push(incident);
        }
    };
    for (number, segment) in (1..).zip(plan.play()) {
        let bytes = segment.to_frame(Link::Raw, number);
        let length = bytes.len() as u32;
        let meta = FrameMeta {
            number,
            at: segment.time(),
            clock: Clock::File,
            link_type: LinkType::RAW,
            interface: 0,
            carried_seconds: 0,
            caplen: length,
            origlen: length,
        };
        watch.observe(&decoder.decode(&Frame { meta, bytes: &bytes }), &mut tell);
    }
    watch.finish(&mut tell);
    told
}
