//! Segment sizes with the sum that leads to each: for the calculator, an interface, and the connections of a capture.

use std::io;
use std::io::Write;

use crate::flow::EndedConnection;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::style::Style;
use crate::report::text;
use crate::tcp::Side;
use crate::tcp::mss;
use crate::tcp::mss::Known;
use crate::tcp::mss::Sum;

/// The sum from an MTU to what fits in a segment.
///
/// # Errors
/// Those of the writer.
pub fn calculation(out: &mut dyn Write, mtu: u32, ipv6: bool, timestamps: bool, style: &Style) -> io::Result<()> {
    let advertised = mss::advertised(mtu, ipv6);
    terms(out, &advertised)?;
    total(out, &advertised, "advertised in the SYN: the MSS option (RFC 9293 §3.7.1)", style)?;
    let option = Some(u16::try_from(advertised.value).unwrap_or(u16::MAX));
    let effective = mss::effective(Known { peer_option: option, own_option: option, ipv6, timestamps, ip_options: 0 });
    for term in effective.terms.iter().skip(1) {
        line(out, term.octets, term.what)?;
    }
    total(out, &effective, "effective: octets of data in one segment", style)?;
    if advertised.value > u32::from(u16::MAX) {
        writeln!(out, "        the option has 16 bits: {} is sent", u16::MAX)?;
    }
    if !timestamps {
        writeln!(
            out,
            "        with timestamps (RFC 7323) 12 less: {}",
            effective.value.saturating_sub(mss::TIMESTAMPS)
        )?;
    }
    Ok(())
}

/// One sum on one line: `MTU 1500 − 20 IPv4 header − 20 TCP header = 1460`.
pub fn one_line(sum: &Sum) -> String {
    let mut text = String::new();
    for (at, term) in sum.terms.iter().enumerate() {
        if at == 0 {
            text.push_str(&format!("{} {}", term.octets, term.what));
        } else {
            text.push_str(&format!(" {} {} {}", sign(term.octets), term.octets.unsigned_abs(), term.what));
        }
    }
    if sum.terms.len() > 1 {
        text.push_str(&format!(" = {}", sum.value));
    }
    text
}

/// The directions of many connections, a row each.
#[derive(Debug)]
pub struct Directions {
    grid: Grid,
    limit: usize,
    rows: usize,
    left_out: u64,
}

impl Directions {
    /// At most `limit` connections, 0 for all of them.
    pub fn new(limit: usize) -> Self {
        let columns = [
            Column::number("stream"),
            Column::text("sender → receiver"),
            Column::number("advertised"),
            Column::number("effective"),
            Column::number("largest seen"),
            Column::text("sum").spared(1),
        ];
        Self { grid: Grid::new(&columns), limit, rows: 0, left_out: 0 }
    }

    /// Adds both directions of a connection.
    pub fn add(&mut self, ended: &EndedConnection<'_>) {
        if self.limit > 0 && self.rows == self.limit {
            self.left_out += 1;
            return;
        }
        self.rows += 1;
        for sender in [Side::Client, Side::Server] {
            let direction = Direction::of(ended, sender);
            let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
            self.grid.row(vec![
                if sender == Side::Client { ended.stream.to_string() } else { String::new() },
                format!("{} → {}", ended.endpoint(sender), ended.endpoint(sender.peer())),
                direction.advertised.map_or_else(|| direction.missing_option().to_owned(), |mss| mss.to_string()),
                number(direction.effective.as_ref().map(|sum| sum.value)),
                direction.largest_in_words(),
                direction.effective.as_ref().map_or_else(|| "the SYNs were not captured".to_owned(), one_line),
            ]);
        }
    }

    /// Writes the table and what it means.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        if self.rows == 0 {
            return writeln!(out, "no TCP connection in this capture");
        }
        self.grid.write(out, style.width)?;
        if self.left_out > 0 {
            writeln!(out, "… and {} more: --limit 0 shows all", text::count(self.left_out))?;
        }
        writeln!(out)?;
        writeln!(out, "advertised    MSS option in the sender's own SYN: the most it will receive")?;
        writeln!(out, "effective     most that the sender may put into one segment on the wire")?;
        writeln!(out, "largest seen  with ×: several segments that the card splits (offload), not one on the wire")
    }
}

/// What is known of one direction of a connection.
#[derive(Clone, Debug)]
pub struct Direction {
    /// The option in the sender's own SYN.
    pub advertised: Option<u16>,
    /// A SYN of the sender was captured.
    pub offer_seen: bool,
    /// The receiver's option.
    pub peer_limit: Option<u16>,
    /// The receiver's SYN was captured and had no option: this is taken instead (RFC 9293 §3.7.1).
    pub assumed: Option<u32>,
    /// What fits in a segment.
    pub effective: Option<Sum>,
    /// Largest payload seen.
    pub largest_segment: u32,
    /// It is more than fits on the wire: segmentation offload at the capture point.
    pub offload: bool,
}

impl Direction {
    /// The direction in which `sender` sends.
    pub fn of(ended: &EndedConnection<'_>, sender: Side) -> Self {
        let connection = ended.connection;
        let (own, peer) = (connection.side(sender), connection.side(sender.peer()));
        let effective = connection.effective_mss(sender);
        let default = if connection.ipv6 { mss::DEFAULT_V6 } else { mss::DEFAULT_V4 };
        Self {
            advertised: own.offer.mss,
            offer_seen: own.offer.seen,
            peer_limit: peer.offer.mss,
            assumed: (peer.offer.seen && peer.offer.mss.is_none()).then_some(default),
            offload: effective.as_ref().is_some_and(|sum| own.largest_segment > sum.value),
            effective,
            largest_segment: own.largest_segment,
        }
    }

    fn missing_option(&self) -> &'static str {
        if self.offer_seen { "none" } else { "?" }
    }

    /// `65160 = 45 × 1448`, `1448`, `-` where no data went this way.
    pub(super) fn largest_in_words(&self) -> String {
        let largest = self.largest_segment;
        match self.effective.as_ref().map(|sum| sum.value) {
            _ if largest == 0 => "-".to_owned(),
            Some(fits) if self.offload && fits > 0 && largest.is_multiple_of(fits) => {
                format!("{largest} = {} × {fits}", largest / fits)
            }
            Some(fits) if self.offload && fits > 0 => format!("{largest} > {} × {fits}", largest / fits),
            _ => largest.to_string(),
        }
    }
}

fn terms(out: &mut dyn Write, sum: &Sum) -> io::Result<()> {
    sum.terms.iter().try_for_each(|term| line(out, term.octets, term.what))
}

fn line(out: &mut dyn Write, octets: i64, what: &str) -> io::Result<()> {
    writeln!(out, "{} {:>5}  {what}", if octets < 0 { "−" } else { " " }, octets.unsigned_abs())
}

fn total(out: &mut dyn Write, sum: &Sum, what: &str, style: &Style) -> io::Result<()> {
    writeln!(out, "{}", style.bold(format!("= {:>5}  {what}", sum.value)))
}

fn sign(octets: i64) -> &'static str {
    if octets < 0 { "−" } else { "+" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calculated(mtu: u32, ipv6: bool, timestamps: bool) -> String {
        let mut out = Vec::new();
        calculation(&mut out, mtu, ipv6, timestamps, &Style::plain(80)).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_sum_is_written_term_by_term() {
        assert_eq!(
            calculated(1500, false, true),
            "   1500  MTU\n\
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
    fn a_sum_on_one_line_ends_with_its_value() {
        assert_eq!(one_line(&mss::advertised(1500, false)), "1500 MTU − 20 IPv4 header − 20 TCP header = 1460");
    }
}
