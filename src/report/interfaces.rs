//! The machine's interfaces: what can be captured from, and the segment sizes they lead to.

use std::io;
use std::io::Write;

use serde::Serialize;

use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::json::line;
use crate::report::style::Style;
use crate::report::text::harmless;
use crate::source::Interface;
use crate::tcp::mss;

/// A table of all interfaces.
///
/// # Errors
/// Those of the writer.
pub fn table(out: &mut dyn Write, interfaces: &[Interface], style: &Style) -> io::Result<()> {
    let mut grid = Grid::new(&[
        Column::text("interface"),
        Column::text("state"),
        Column::number("MTU"),
        Column::number("MSS v4"),
        Column::number("MSS v6"),
        Column::text("addresses"),
    ]);
    for interface in interfaces {
        let mss = |ipv6| interface.mtu.map_or_else(String::new, |mtu| mss::advertised(mtu, ipv6).value.to_string());
        // One address per line: the first beside the name, the others below it.
        let mut addresses = interface.addresses.iter().map(ToString::to_string);
        grid.row(vec![
            harmless(&interface.name),
            state(interface).to_owned(),
            interface.mtu.map_or_else(String::new, |mtu| mtu.to_string()),
            mss(false),
            mss(true),
            addresses.next().unwrap_or_default(),
        ]);
        for address in addresses {
            let blank = String::new;
            grid.row(vec![blank(), blank(), blank(), blank(), blank(), address]);
        }
    }
    grid.write(out, style.width)
}

/// One interface as an object for programs.
///
/// # Errors
/// Those of the writer.
pub fn object(out: &mut dyn Write, interface: &Interface) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        r#type: &'static str,
        name: &'a str,
        index: u32,
        state: &'static str,
        loopback: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        mac: Option<String>,
        addresses: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mtu: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mss_ipv4: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mss_ipv6: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        link_type: Option<String>,
    }
    line(
        out,
        &Line {
            r#type: "interface",
            name: &interface.name,
            index: interface.index,
            state: state(interface),
            loopback: interface.loopback,
            mac: interface.mac.map(|mac| mac.to_string()),
            addresses: interface.addresses.iter().map(ToString::to_string).collect(),
            mtu: interface.mtu,
            mss_ipv4: interface.mtu.map(|mtu| mss::advertised(mtu, false).value),
            mss_ipv6: interface.mtu.map(|mtu| mss::advertised(mtu, true).value),
            link_type: interface.link_type.map(|link| link.to_string()),
        },
    )
}

/// `up`, `no carrier`, `down`.
pub fn state(interface: &Interface) -> &'static str {
    match (interface.up, interface.running) {
        (false, _) => "down",
        (true, false) => "no carrier",
        (true, true) => "up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Address;

    #[test]
    fn each_interface_has_its_line_and_each_further_address_one_below() {
        let addresses = ["127.0.0.1/8", "::1/128"].map(|text| {
            let (ip, prefix) = text.split_once('/').expect("a prefix");
            Address { ip: ip.parse().expect("an address"), prefix: prefix.parse().expect("a length") }
        });
        let lo = Interface {
            name: "lo".to_owned(),
            index: 1,
            up: true,
            running: true,
            loopback: true,
            mac: None,
            addresses: addresses.to_vec(),
            mtu: Some(65_536),
            link_type: None,
        };
        let mut out = Vec::new();
        table(&mut out, &[lo], &Style::plain(80)).expect("a vector takes everything");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "interface  state    MTU  MSS v4  MSS v6  addresses\n\
             lo         up     65536   65495   65476  127.0.0.1/8\n                                         ::1/128\n"
        );
    }
}
