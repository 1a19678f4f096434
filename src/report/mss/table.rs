//! The segment sizes of many connections, a row for each direction, and what is remarkable about them.

use std::io;
use std::io::Write;

use crate::finding::Verdict;
use crate::flow::EndedConnection;
use crate::report::findings::wrapped;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::mss::direction::Direction;
use crate::report::mss::direction::Local;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::arrow;
use crate::tcp::Side;
use crate::tcp::mss::Sum;
use crate::tcp::path::Clamped;

/// The directions of many connections, a row each.
#[derive(Debug)]
pub struct Directions {
    grid: Grid,
    limit: usize,
    local: Option<Local>,
    rows: usize,
    left_out: u64,
    remarks: Vec<String>,
}

impl Directions {
    /// At most `limit` connections, 0 for all of them. `local` is the interface at which was captured.
    pub fn new(limit: usize, local: Option<Local>) -> Self {
        let columns = [
            Column::number("#"),
            Column::text("sender → receiver"),
            Column::number("advertised"),
            Column::number("effective"),
            Column::number("largest"),
            Column::number("path").spared(1),
            Column::text("sum").spared(2),
        ];
        Self { grid: Grid::new(&columns), limit, local, rows: 0, left_out: 0, remarks: Vec::new() }
    }

    /// Adds both directions of a connection.
    pub fn add(&mut self, ended: &EndedConnection<'_>) {
        if self.limit > 0 && self.rows == self.limit {
            self.left_out += 1;
            return;
        }
        self.rows += 1;
        for sender in [Side::Client, Side::Server] {
            let direction = Direction::of(ended, sender, self.local.as_ref());
            let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |value| value.to_string());
            self.grid.row(vec![
                if sender == Side::Client { ended.stream.to_string() } else { String::new() },
                format!("{} → {}", ended.endpoint(sender), ended.endpoint(sender.peer())),
                direction.advertised.map_or_else(|| direction.missing_option().to_owned(), |mss| mss.to_string()),
                number(direction.effective.as_ref().map(|sum| sum.value)),
                direction.largest_in_words(),
                direction.path_in_words(),
                direction.effective.as_ref().map_or_else(|| "the SYNs were not captured".to_owned(), Sum::one_line),
            ]);
            let tag = format!("#{} {}", ended.stream, arrow(ended.connection, sender));
            self.remarks.extend(remarks(&direction, self.local.as_ref()).map(|remark| format!("{tag} {remark}")));
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
        if !self.remarks.is_empty() {
            writeln!(out)?;
        }
        for remark in &self.remarks {
            writeln!(out, "{}", wrapped(remark, 0, REMARK, style.width))?;
        }
        writeln!(out)?;
        writeln!(out, "advertised    MSS option in the sender's own SYN: the most it will receive")?;
        writeln!(out, "effective     most that the sender may put into one segment on the wire")?;
        writeln!(out, "largest       largest payload seen; with ×: several segments at once (offload)")?;
        writeln!(out, "path          octets of the largest packet that passed, or what a router takes")
    }
}

/// What is worth a sentence.
fn remarks(direction: &Direction, local: Option<&Local>) -> impl Iterator<Item = String> + use<> {
    let implied = direction.implied_mtu.unwrap_or(0);
    let clamped = match direction.clamped {
        Verdict::Broken(Clamped::Changed { before, after, frame }) => {
            let option = |mss: Option<u16>| mss.map_or_else(|| "none".to_owned(), |mss| mss.to_string());
            Some(format!("MSS {} became {} in frame {frame}: clamped on the way", option(before), option(after)))
        }
        Verdict::Broken(Clamped::SendsMore { own, peer }) => Some(format!(
            "MSS {own} tells of an MTU of {implied}, but segments are filled up to the peer's {peer}: clamped on the way, or set by hand"
        )),
        Verdict::Holds | Verdict::CannotTell(_) => None,
    };
    let interface = direction.interface.zip(direction.advertised).zip(local).map(|((due, advertised), local)| {
        match due.checked_sub(advertised.into()) {
            Some(0) => format!("MSS {advertised} is what the interface's MTU of {} gives: not clamped", local.mtu),
            Some(less) => format!(
                "MSS {advertised} is {less} less than the {due} that the interface's MTU of {} gives: set by hand, by a route, or by a smaller path",
                local.mtu
            ),
            None => format!(
                "MSS {advertised} is more than the {due} that the interface's MTU of {} gives: it leaves by another one",
                local.mtu
            ),
        }
    });
    let assumed = direction
        .assumed
        .map(|assumed| format!("the receiver's SYN has no MSS option: {assumed} is taken (RFC 9293 §3.7.1)"));
    let hole = match direction.black_hole {
        Verdict::Broken(hole) => Some(format!(
            "black hole: {} octets went {} times again from frame {} on and never arrived, {} did",
            hole.stuck.octets, hole.stuck.again, hole.stuck.first.frame, hole.carried
        )),
        Verdict::Holds | Verdict::CannotTell(_) => None,
    };
    [clamped, interface, assumed, hole].into_iter().flatten()
}

/// Where a remark goes on.
const REMARK: usize = 4;
