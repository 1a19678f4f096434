//! `synscope mss`: how large a segment may be, by calculation, of an interface, or as a capture shows it.

use std::io;
use std::io::Write;
use std::time::Instant;

use crate::cli::Verdict;
use crate::cli::args::MssArgs;
use crate::cli::args::Only;
use crate::cli::choices::Format;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::input;
use crate::cli::input::Meant;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::stop::Stop;
use crate::cli::talk;
use crate::cli::values::Length;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::pipeline::Analyzer;
use crate::pipeline::Sink;
use crate::report::mss;
use crate::report::mss::Directions;
use crate::report::mss::Local;
use crate::report::style::Style;
use crate::source::Flow;
use crate::source::Source;
use crate::tcp::mss::link::Link;
use crate::tcp::mss::link::MAX_TUNNELS;

pub(super) fn run(args: MssArgs, screen: Screen) -> Result<Verdict, Failure> {
    let style = screen.style(false);
    let mut out = Out::stdout();
    let computes = args.ipv6 || args.timestamps || !args.tunnel.is_empty() || args.ip_options + args.ext_headers > 0;
    match (args.mtu, &args.input) {
        (Some(_), Some(_)) => return usage("--mtu computes, a file or interface shows: give one of them"),
        (None, None) => return usage("give --mtu N, a capture file or an interface"),
        (None, Some(_)) if computes => {
            return usage("--ipv6, --timestamps, --tunnel, --ip-options and --ext-headers go with --mtu");
        }
        (Some(_), None) if args.duration.is_some() || args.port.is_some() => {
            return usage("--duration and --port are about an interface, --mtu computes: leave one out");
        }
        (Some(mtu), None) => {
            let link = link(mtu, &args)?;
            match args.format {
                Format::Table => mss::calculation(&mut out, &link, &style)?,
                Format::Jsonl => mss::calculation_object(&mut out, &link)?,
            }
            out.flush()?;
        }
        (None, Some(input)) => match (input::meant(input)?, args.duration) {
            (Meant::File(_), Some(_)) => return usage("--duration is about an interface: a file is read to its end"),
            (Meant::File(_), None) if args.port.is_some() => return usage("--port is about an interface"),
            (Meant::File(name), None) => of_file(&name, &args, &style, out)?,
            (Meant::Interface(name), Some(duration)) => watch(&name, duration, &args, &style, out)?,
            (Meant::Interface(_), None) if args.port.is_some() || args.format == Format::Jsonl => {
                return usage("--port and --format jsonl show connections: say with --duration how long to watch");
            }
            (Meant::Interface(name), None) => of_interface(&name, &style, &mut out)?,
        },
    }
    Ok(Verdict::Clean)
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
}

/// The link that is asked about, if packets can be sent over it.
fn link(mtu: u32, args: &MssArgs) -> Result<Link, Failure> {
    if args.tunnel.len() > MAX_TUNNELS {
        return Err(Failure::Usage(format!("{MAX_TUNNELS} tunnels one inside the other at most")));
    }
    let v4_options = args.ip_options > 0;
    if v4_options && (args.ipv6 || args.ip_options > 40 || !args.ip_options.is_multiple_of(4)) {
        return usage("--ip-options is for IPv4: a multiple of 4 octets, 40 at most (RFC 791 §3.1)");
    }
    if args.ext_headers > 0 && (!args.ipv6 || !args.ext_headers.is_multiple_of(8)) {
        return usage("--ext-headers goes with --ipv6: a multiple of 8 octets (RFC 8200 §4)");
    }
    check(mtu, args.ipv6 && args.tunnel.is_empty())?;
    let link = Link {
        mtu,
        ipv6: args.ipv6,
        timestamps: args.timestamps,
        tunnels: args.tunnel.clone(),
        ip_options: args.ip_options,
        extension_headers: args.ext_headers,
    };
    check(link.work().inner_mtu, args.ipv6)?;
    Ok(link)
}

fn check(mtu: u32, ipv6: bool) -> Result<(), Failure> {
    let (version, least, rfc) = if ipv6 { (6, 1280, "RFC 8200 §5") } else { (4, 68, "RFC 791 §3.2") };
    match mtu {
        _ if mtu < least => Err(Failure::MtuTooSmall { mtu, version, least, rfc }),
        _ if mtu > LARGEST_MTU => Err(Failure::MtuTooLarge { mtu, most: LARGEST_MTU }),
        _ => Ok(()),
    }
}

fn of_interface(name: &str, style: &Style, out: &mut Out) -> Result<(), Failure> {
    let mtu = local(name)?.mtu;
    writeln!(out, "{}", style.bold(format!("{name}: MTU {mtu}")))?;
    for (title, ipv6) in [("IPv4", false), ("IPv6", true)] {
        writeln!(out, "\n{title}")?;
        mss::calculation(out, &Link { mtu, ipv6, timestamps: true, ..Link::default() }, style)?;
    }
    Ok(out.flush()?)
}

fn local(name: &str) -> Result<Local, Failure> {
    let all = input::interfaces();
    let found = all.iter().find(|interface| interface.name == name);
    match found.and_then(|interface| Some((interface.mtu?, &interface.addresses))) {
        Some((mtu, addresses)) => Ok(Local { mtu, addresses: addresses.iter().map(|address| address.ip).collect() }),
        None => Err(Failure::Usage(format!("the MTU of {name} is not known: give --mtu N"))),
    }
}

fn of_file(name: &str, args: &MssArgs, style: &Style, out: Out) -> Result<(), Failure> {
    let mut source = input::file(name, "mss")?;
    let until = Until { stop: Stop::on_signals()?, deadline: None };
    measure(&mut source, &until, Sizes::new(args, name, None, out), style)?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(name)));
    }
    Ok(())
}

fn watch(name: &str, duration: Length, args: &MssArgs, style: &Style, out: Out) -> Result<(), Failure> {
    let local = local(name)?;
    let stop = Stop::on_signals()?;
    let mut source = input::interface(name, &Only { port: args.port, ..Only::default() })?;
    talk(&format!("watching {name} (Ctrl-C ends it sooner)"));
    let until = Until { stop, deadline: Some(Instant::now() + duration.by_clock()) };
    measure(source.as_mut(), &until, Sizes::new(args, name, Some(local), out), style)
}

fn measure(source: &mut dyn Source, until: &Until, sizes: Sizes, style: &Style) -> Result<(), Failure> {
    let mut measured = Measured { analyzer: Analyzer::default().patient(), sizes };
    drive(source, until, &mut measured)?;
    let Measured { mut analyzer, mut sizes } = measured;
    analyzer.finish(&mut sizes);
    sizes.finish(style)
}

struct Measured {
    analyzer: Analyzer,
    sizes: Sizes,
}

impl Taker for Measured {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        self.analyzer.observe(packet, &mut self.sizes);
        self.sizes.check()?;
        Ok(Flow::Continue)
    }
}

/// A table at the end, or objects on the way.
struct Sizes {
    table: Option<Directions>,
    file: String,
    local: Option<Local>,
    port: Option<u16>,
    out: Out,
    failed: Option<io::Error>,
}

impl Sizes {
    fn new(args: &MssArgs, name: &str, local: Option<Local>, out: Out) -> Self {
        let table = (args.format == Format::Table).then(|| Directions::new(args.limit, local.clone()));
        Self { table, file: name.to_owned(), local, port: args.port, out, failed: None }
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn finish(mut self, style: &Style) -> Result<(), Failure> {
        self.check()?;
        if let Some(table) = self.table {
            table.write(&mut self.out, style)?;
        }
        Ok(self.out.flush()?)
    }
}

impl Sink for Sizes {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        if self.port.is_some_and(|port| port != ended.client.port && port != ended.server.port) || self.failed.is_some()
        {
            return;
        }
        match &mut self.table {
            Some(table) => table.add(ended),
            None => self.failed = mss::object(&mut self.out, &self.file, ended, self.local.as_ref()).err(),
        }
    }

    fn exchange(&mut self, _ended: &EndedExchange<'_>) {}
    fn finding(&mut self, _finding: Finding) {}
}

/// IPv6 header and the longest payload that its length field can name; IPv4 ends at 65535, which the sum shows.
const LARGEST_MTU: u32 = 65_575;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mtu_must_be_one_that_ip_works_over() {
        assert!(check(68, false).is_ok() && check(67, false).is_err());
        assert!(check(1280, true).is_ok() && check(1279, true).is_err());
        assert!(check(65_575, false).is_ok() && check(65_576, false).is_err());
        assert!(check(0, false).is_err());
    }
}
