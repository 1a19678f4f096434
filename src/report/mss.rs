//! Segment sizes with the sum that leads to each: for the calculator, an interface, and the connections of a capture.

mod direction;
mod table;

use std::io;
use std::io::Write;

use serde::Serialize;

use crate::report::json;
use crate::report::style::Style;
use crate::tcp::mss;
use crate::tcp::mss::Term;
use crate::tcp::mss::link::Link;

pub(super) use crate::report::mss::direction::BothWays;
pub use crate::report::mss::direction::Direction;
pub use crate::report::mss::direction::Local;
pub use crate::report::mss::direction::object;
pub use crate::report::mss::table::Directions;

/// The sum from an MTU to what fits in a segment.
///
/// # Errors
/// Those of the writer.
pub fn calculation(out: &mut dyn Write, link: &Link, style: &Style) -> io::Result<()> {
    let worked = link.work();
    terms(out, &worked.tunnels)?;
    if !link.tunnels.is_empty() {
        let names: Vec<_> = link.tunnels.iter().map(ToString::to_string).collect();
        total(out, worked.inner_mtu, &format!("MTU inside {}", names.join(", then ")), style)?;
    }
    terms(out, &worked.headers)?;
    total(out, worked.advertised, "advertised in the SYN: the MSS option (RFC 9293 §3.7.1)", style)?;
    terms(out, &worked.options)?;
    total(out, worked.effective, "effective: octets of data in one segment", style)?;
    if worked.advertised > u32::from(u16::MAX) {
        writeln!(out, "        the option has 16 bits: {} is sent", u16::MAX)?;
    }
    if !link.timestamps {
        let with = worked.effective.saturating_sub(mss::TIMESTAMPS);
        writeln!(out, "        with timestamps (RFC 7323) 12 less: {with}")?;
    }
    Ok(())
}

/// The same as an object.
///
/// # Errors
/// Those of the writer.
pub fn calculation_object(out: &mut dyn Write, link: &Link) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line {
        r#type: &'static str,
        mtu: u32,
        ipv6: bool,
        timestamps: bool,
        tunnels: Vec<String>,
        inner_mtu: u32,
        advertised: u32,
        effective: u32,
        terms: Vec<TermObject>,
    }
    let worked = link.work();
    let terms = worked.tunnels.iter().chain(&worked.headers).chain(&worked.options);
    json::line(
        out,
        &Line {
            r#type: "mss_calculation",
            mtu: link.mtu,
            ipv6: link.ipv6,
            timestamps: link.timestamps,
            tunnels: link.tunnels.iter().map(ToString::to_string).collect(),
            inner_mtu: worked.inner_mtu,
            advertised: worked.advertised,
            effective: worked.effective,
            terms: terms.map(|&Term { what, octets }| TermObject { what, octets }).collect(),
        },
    )
}

#[derive(Serialize)]
struct TermObject {
    what: &'static str,
    octets: i64,
}

fn terms(out: &mut dyn Write, terms: &[Term]) -> io::Result<()> {
    terms.iter().try_for_each(|term| {
        let sign = if term.octets < 0 { "−" } else { " " };
        writeln!(out, "{sign} {:>5}  {}", term.octets.unsigned_abs(), term.what)
    })
}

fn total(out: &mut dyn Write, value: u32, what: &str, style: &Style) -> io::Result<()> {
    writeln!(out, "{}", style.bold(format!("= {value:>5}  {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calculated(mtu: u32, ipv6: bool, timestamps: bool) -> String {
        let mut out = Vec::new();
        let link = Link { mtu, ipv6, timestamps, ..Link::default() };
        calculation(&mut out, &link, &Style::plain(80)).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_sum_is_written_term_by_term() {
        assert_eq!(
            calculated(1500, false, true),
            "   1500  MTU of the link\n\
             −    20  IPv4 header\n\
             −    20  TCP header\n\
             =  1460  advertised in the SYN: the MSS option (RFC 9293 §3.7.1)\n\
             −    12  timestamps in every segment\n\
             =  1448  effective: octets of data in one segment\n"
        );
    }

    #[test]
    fn without_timestamps_the_difference_is_told() {
        assert!(calculated(1500, true, false).contains("=  1440  effective"));
        assert!(calculated(1500, true, false).contains("12 less: 1428"));
    }

    #[test]
    fn a_tunnel_is_taken_off_header_by_header_before_the_mss() {
        let mut out = Vec::new();
        let tunnels = vec!["gre".parse().expect("a tunnel")];
        let link = Link { mtu: 1500, timestamps: true, tunnels, ..Link::default() };
        calculation(&mut out, &link, &Style::plain(80)).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("−    20  outer IPv4 header\n−     4  GRE header"), "{text}");
        assert!(text.contains("=  1476  MTU inside gre\n") && text.contains("=  1424  effective"), "{text}");
    }
}
