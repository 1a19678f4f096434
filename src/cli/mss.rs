//! `synscope mss`: how large a segment may be, by calculation, of an interface, or as a capture shows it.

use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::MssArgs;
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
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Packet;
use crate::pipeline::Analyzer;
use crate::pipeline::Sink;
use crate::report::mss;
use crate::report::mss::Directions;
use crate::report::style::Style;
use crate::source::Flow;
use crate::source::Source;

pub(super) fn run(args: MssArgs, screen: Screen) -> Result<Verdict, Failure> {
    let style = screen.style(false);
    let mut out = Out::stdout();
    match (args.mtu, &args.input) {
        (Some(_), Some(_)) => return usage("--mtu computes, a file or interface shows: give one of them"),
        (None, None) => return usage("give --mtu N, a capture file or an interface"),
        (None, Some(_)) if args.ipv6 || args.timestamps => return usage("--ipv6 and --timestamps go with --mtu"),
        (Some(mtu), None) => {
            check(mtu, args.ipv6)?;
            mss::calculation(&mut out, mtu, args.ipv6, args.timestamps, &style)?;
        }
        (None, Some(input)) => match input::meant(input)? {
            Meant::Interface(name) => of_interface(&name, &style, &mut out)?,
            Meant::File(name) => of_file(&name, args.limit, &style, &mut out)?,
        },
    }
    out.flush()?;
    Ok(Verdict::Clean)
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
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
    let all = input::interfaces();
    let mtu = all.iter().find(|interface| interface.name == name).and_then(|interface| interface.mtu);
    let Some(mtu) = mtu else {
        return Err(Failure::Usage(format!("the MTU of {name} is not known: give --mtu N")));
    };
    writeln!(out, "{}", style.bold(format!("{name}: MTU {mtu}")))?;
    for (title, ipv6) in [("IPv4", false), ("IPv6", true)] {
        writeln!(out, "\n{title}")?;
        mss::calculation(out, mtu, ipv6, true, style)?;
    }
    Ok(())
}

fn of_file(name: &str, limit: usize, style: &Style, out: &mut Out) -> Result<(), Failure> {
    let mut source = input::file(name, "mss")?;
    let until = Until { stop: Stop::on_signals()?, deadline: None };
    let mut measured = Measured { analyzer: Analyzer::default(), sizes: Sizes(Directions::new(limit)) };
    drive(&mut source, &until, &mut measured)?;
    let Measured { mut analyzer, mut sizes } = measured;
    analyzer.finish(&mut sizes);
    sizes.0.write(out, style)?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(name)));
    }
    Ok(())
}

struct Measured {
    analyzer: Analyzer,
    sizes: Sizes,
}

impl Taker for Measured {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        self.analyzer.observe(packet, &mut self.sizes);
        Ok(Flow::Continue)
    }
}

struct Sizes(Directions);

impl Sink for Sizes {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.0.add(ended);
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
