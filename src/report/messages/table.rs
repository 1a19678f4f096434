//! Messages in a table, a row each.

use std::io;
use std::io::Write;

use crate::flow::EndedConnection;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::pipeline::Seen;
use crate::report::findings::wrapped;
use crate::report::grid::Column;
use crate::report::grid::Grid;
use crate::report::line::Facts;
use crate::report::messages::ended;
use crate::report::messages::frames_in_words;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words::arrow;
use crate::tcp::Side;
use crate::tcp::framing::Framing;
use crate::tcp::framing::Message;
use crate::tcp::framing::Told;

/// Messages of some connections, a row each in the order in which they ended.
#[derive(Debug)]
pub struct MessageTable {
    framing: Framing,
    limit: usize,
    rows: Vec<Row>,
    left_out: u64,
    totals: Vec<(u64, Facts)>,
}

#[derive(Debug)]
struct Row {
    stream: u64,
    arrow: &'static str,
    since_start: Option<Span>,
    message: Message,
}

impl MessageTable {
    /// At most `limit` messages and as many connections, 0 for all of them.
    pub const fn new(framing: Framing, limit: usize) -> Self {
        Self { framing, limit, rows: Vec::new(), left_out: 0, totals: Vec::new() }
    }

    /// Adds the messages that a packet ended.
    pub fn packet(&mut self, seen: &Seen<'_>) {
        let Seen::Tcp(seen) = seen else { return };
        for (side, told) in seen.told {
            if let Told::Message(message) = told {
                let start = seen.connection.first.at;
                self.add(seen.stream, arrow(seen.connection, *side), start, message.clone());
            }
        }
    }

    /// Adds what a connection leaves unfinished, and its totals.
    pub fn connection(&mut self, over: &EndedConnection<'_>) {
        let Some(messages) = over.messages else { return };
        for side in [Side::Client, Side::Server] {
            if let Some(open) = messages.direction(side).framer.open() {
                self.add(over.stream, arrow(over.connection, side), over.connection.first.at, open.clone());
            }
        }
        if self.limit == 0 || self.totals.len() < self.limit {
            self.totals.extend(ended(over).map(|facts| (over.stream, facts)));
        }
    }

    /// Writes the table, in markdown as it stands on a screen. `without` connections had to go without messages.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write, without: u64, markdown: bool, style: &Style) -> io::Result<()> {
        if markdown {
            writeln!(out, "\n```text")?;
            self.write_text(out, without, &Style::default())?;
            return writeln!(out, "```");
        }
        writeln!(out)?;
        self.write_text(out, without, style)
    }

    fn write_text(&self, out: &mut dyn Write, without: u64, style: &Style) -> io::Result<()> {
        let number = self.rows.len() as u64 + self.left_out;
        let title = format!("messages by the rule {}: {}", self.framing, text::count(number));
        writeln!(out, "{}", style.bold(title))?;
        if !self.rows.is_empty() {
            self.grid().write(out, style.width)?;
        }
        if self.left_out > 0 {
            writeln!(out, "… and {} more: --limit 0 shows all", text::count(self.left_out))?;
        }
        for (stream, facts) in &self.totals {
            let tag = format!("#{stream}");
            let mut lines = format!("{tag:<TAG$} ");
            facts.write(&mut lines, TAG + 1, &tag, TAG + 1, style);
            out.write_all(lines.as_bytes())?;
        }
        if without > 0 {
            let what = format!("! {without} connections were not searched: too many at once, choose fewer");
            writeln!(out, "{}", style.warn(wrapped(&what, 0, 2, style.width)))?;
        }
        Ok(())
    }

    fn add(&mut self, stream: u64, arrow: &'static str, start: Timestamp, message: Message) {
        if self.limit > 0 && self.rows.len() == self.limit {
            self.left_out += 1;
            return;
        }
        let since_start = message.last.map(|last| last.at.since(start));
        self.rows.push(Row { stream, arrow, since_start, message });
    }

    fn grid(&self) -> Grid {
        let mut grid = Grid::new(&[
            Column::number("#"),
            Column::text("way"),
            Column::number("message"),
            Column::number("time").spared(2),
            Column::number("octets"),
            Column::text("segments"),
            Column::text("begins with").spared(1),
        ]);
        for Row { stream, arrow, since_start, message } in &self.rows {
            grid.row(vec![
                stream.to_string(),
                (*arrow).to_owned(),
                message.number.to_string(),
                since_start.map_or_else(|| "?".to_owned(), text::seconds),
                octets_in_words(message),
                segments_in_words(message),
                text::preview(&message.head, PREVIEW),
            ]);
        }
        grid
    }
}

fn segments_in_words(message: &Message) -> String {
    match message.segments {
        0 => "0".to_owned(),
        segments => format!("{segments}: {}", frames_in_words(message)),
    }
}

fn octets_in_words(message: &Message) -> String {
    let lacks = if message.lacks > 0 { format!(" ({} missing)", message.lacks) } else { String::new() };
    format!("{}{}{lacks}", message.octets, if message.ended { "" } else { "…" })
}

/// Columns of a message's first octets.
const PREVIEW: usize = 40;
const TAG: usize = 4;
