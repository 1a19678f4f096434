//! Writes traffic of which the truth is known: floods, scans, crowds and mishaps, from a seed.
//!
//! ```text
//! traffic KIND OUT.pcap|- [OPTION VALUE…]         into a capture file
//! traffic KIND --out IFACE [OPTION VALUE…]        onto an interface, in its own time: one of a namespace of your own
//! traffic list                                    the kinds there are
//!
//!   --seed N        chance follows from it (1)      --rate N       SYNs per second of it (by kind)
//!   --lead S        good traffic before it (8)      --lasts S      how long it lasts (10)
//!   --crowd N       good handshakes per second      --server A:P   the server (10.77.1.10:80, or [2001:db8:77::10]:80)
//!   --prefix N      of its network (24)             --sources N    real sources, where there are several (200)
//!   --backlog N     of its socket, 0 for no limit   --cookies on|off
//!   --loss %        of the path                     --missing %    of the capture
//!   --slowest MS    longest round trip (250)        --view both|in|out|syn|control   what the capture holds
//!   --count N       frames at most (an interface: 1,000,000)
//! ```
//! The last line, on standard error, is the truth: kind, code that says so, first and last second, frames, SYNs, and the
//! good handshakes whose request is in the capture.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::env;
use std::error::Error;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use pnet::datalink;
use pnet::datalink::Channel;
use pnet::datalink::DataLinkSender;
use synscope::craft::step::Link;
use synscope::craft::traffic::Does;
use synscope::craft::traffic::Segment;
use synscope::craft::traffic::kinds::Kind;
use synscope::craft::traffic::kinds::Plan;
use synscope::craft::traffic::kinds::View;
use synscope::craft::traffic::write_pcap;
use synscope::packet::Endpoint;
use synscope::packet::TcpFlags;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("traffic: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let name = next::<String>(&mut words)?;
    if name == "list" {
        Kind::NAMED.iter().for_each(|(kind, name)| println!("{name}\t{}/s", kind.usual_rate()));
        return Ok(());
    }
    let kind = Kind::named(&name).ok_or("no such kind: traffic list names them")?;
    let out = next::<String>(&mut words)?;
    let iface = if out == "--out" { Some(next::<String>(&mut words)?) } else { None };
    let mut plan = Plan::new(kind, 1);
    let mut most = if iface.is_some() { 1_000_000 } else { u64::MAX };
    while let Some(option) = words.next() {
        match option.as_str() {
            "--count" => most = next(&mut words)?,
            option => take(&mut plan, option, &mut words)?,
        }
    }
    let mut told = Told::default();
    let segments = plan.play().take(usize::try_from(most).unwrap_or(usize::MAX)).inspect(|s| told.count(s));
    match iface {
        Some(name) => send(segments, &name)?,
        None if out == "-" => write_pcap(segments, &mut io::stdout().lock())?,
        None => write_pcap(segments, &mut BufWriter::with_capacity(1 << 20, File::create(&out)?))?,
    }
    let truth = plan.truth();
    eprintln!(
        "{name}\t{}\t{}\t{}\tframes {}\tsyns {}\tgood {}",
        if truth.alarm { truth.code } else { "-" },
        truth.from,
        truth.to,
        told.frames,
        told.syns,
        told.good
    );
    Ok(())
}

fn take(plan: &mut Plan, option: &str, words: &mut impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
    let does = |backlog, cookies| Does::Serves { backlog, cookies, resends: 5 };
    let (backlog, cookies) = match plan.does {
        Does::Serves { backlog, cookies, .. } => (backlog, cookies),
        Does::Refuses | Does::Nothing => (None, true),
    };
    match option {
        "--seed" => plan.seed = next(words)?,
        "--rate" => plan.rate = next(words)?,
        "--lead" => plan.lead = next(words)?,
        "--lasts" => plan.lasts = next(words)?,
        "--crowd" => plan.crowd = next(words)?,
        "--server" => {
            let server = next::<SocketAddr>(words)?;
            plan.server = Endpoint { addr: server.ip(), port: server.port() };
        }
        "--prefix" => plan.prefix = next(words)?,
        "--sources" => plan.sources = next(words)?,
        "--backlog" => plan.does = does(Some(next(words)?).filter(|&backlog| backlog > 0), cookies),
        "--cookies" => plan.does = does(backlog, next::<String>(words)? == "on"),
        "--loss" => plan.loss = next::<f64>(words)? / 100.0,
        "--missing" => plan.missing = next::<f64>(words)? / 100.0,
        "--slowest" => plan.slowest = next::<f64>(words)? / 1e3,
        "--view" => {
            plan.view = match next::<String>(words)?.as_str() {
                "both" => View::Both,
                "in" => View::Inbound,
                "out" => View::Outbound,
                "syn" => View::Syns,
                "control" => View::Control,
                _ => return Err("--view takes both, in, out, syn or control".into()),
            }
        }
        other => return Err(format!("what is {other}?").into()),
    }
    Ok(())
}

#[derive(Default)]
struct Told {
    frames: u64,
    syns: u64,
    good: u64,
}

impl Told {
    fn count(&mut self, segment: &Segment) {
        self.frames += 1;
        self.syns += u64::from(segment.flags == TcpFlags::SYN);
        // A client that was let in asks once.
        self.good += u64::from(segment.len == 100);
    }
}

/// Frames leave when their time has come, late ones at once.
fn send(segments: impl Iterator<Item = Segment>, name: &str) -> Result<(), Box<dyn Error>> {
    let mut out = open(name)?;
    let begun = Instant::now();
    for (number, segment) in (1..).zip(segments) {
        let frame = segment.to_frame(Link::Ethernet, number);
        let due = Duration::from_secs_f64(segment.at.max(0.0));
        if let Some(early) = due.checked_sub(begun.elapsed()).filter(|early| *early > Duration::from_micros(100)) {
            thread::sleep(early);
        }
        out.send_to(&frame, None).ok_or("the interface takes no frames")??;
    }
    Ok(())
}

fn open(name: &str) -> Result<Box<dyn DataLinkSender>, Box<dyn Error>> {
    let mut interfaces = datalink::interfaces().into_iter();
    let interface = interfaces.find(|interface| interface.name == name).ok_or(format!("no interface {name}"))?;
    match datalink::channel(&interface, datalink::Config::default())? {
        Channel::Ethernet(out, _) => Ok(out),
        _ => Err(format!("{name} is no Ethernet").into()),
    }
}

fn next<T: FromStr>(words: &mut impl Iterator<Item = String>) -> Result<T, Box<dyn Error>> {
    let word = words.next().ok_or("one word more, please: traffic KIND OUT.pcap [OPTION VALUE…]")?;
    word.parse().map_err(|_| format!("{word} does not fit here").into())
}
