//! One table per file as comma-separated values (RFC 4180), a row as soon as its conversation has ended.
//!
//! Every row begins with the name of its capture, so that several stand in one table. Values are exact, and absent ones
//! empty.

use std::io;
use std::io::Write;

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::report::order::Sort;
use crate::report::order::Turns;
use crate::report::view;
use crate::report::view::connections;
use crate::report::view::connections::ConnectionRow;
use crate::report::view::findings;
use crate::report::view::fresh::Fresh;
use crate::report::view::udp;
use crate::report::view::udp::ExchangeRow;

/// What the rows are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Table {
    /// TCP connections.
    #[default]
    Connections,
    /// UDP conversations.
    Udp,
    /// What was found.
    Findings,
}

/// Writes one table.
#[derive(Debug)]
pub struct Sheet<W: Write> {
    out: csv::Writer<W>,
    table: Table,
    file: String,
    fresh: Fresh,
    connections: Turns<ConnectionRow>,
    exchanges: Turns<ExchangeRow>,
    findings: u64,
    limit: usize,
    left_out: u64,
}

impl<W: Write> Sheet<W> {
    /// Begins with the line of keys. Of each capture at most `limit` rows are written, 0 for all: the first ones of an
    /// order, or as they come. Findings come in the order of time.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(out: W, table: Table, sort: Option<Sort>, limit: usize) -> io::Result<Self> {
        // RFC 4180 §2, rule 1: lines end with CR and LF.
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        let keys: Vec<_> = match table {
            Table::Connections => view::keys(connections::FIELDS).collect(),
            Table::Udp => view::keys(udp::FIELDS).collect(),
            Table::Findings => view::keys(findings::FIELDS).collect(),
        };
        out.write_record(["file"].into_iter().chain(keys))?;
        Ok(Self {
            out,
            table,
            file: String::new(),
            fresh: Fresh::default(),
            connections: Turns::new(sort, limit),
            exchanges: Turns::new(sort, limit),
            findings: 0,
            limit,
            left_out: 0,
        })
    }

    /// What follows is about this capture.
    pub fn begin(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    /// A TCP connection that ended.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn connection(&mut self, ended: &EndedConnection<'_>) -> io::Result<()> {
        let row = ConnectionRow::of(ended, self.fresh.take(ended.stream));
        if self.table != Table::Connections {
            return Ok(());
        }
        let row = self.connections.pass(row);
        row.map_or(Ok(()), |row| record(&mut self.out, &self.file, view::exact(connections::FIELDS, &row)))
    }

    /// A UDP conversation that ended.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn exchange(&mut self, ended: &EndedExchange<'_>) -> io::Result<()> {
        let row = ExchangeRow::of(ended, self.fresh.take(ended.stream));
        if self.table != Table::Udp {
            return Ok(());
        }
        let row = self.exchanges.pass(row);
        row.map_or(Ok(()), |row| record(&mut self.out, &self.file, view::exact(udp::FIELDS, &row)))
    }

    /// A finding, before the end of the conversation that it is about.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.fresh.add(finding);
        if self.table != Table::Findings {
            return Ok(());
        }
        if self.limit > 0 && self.findings >= self.limit as u64 {
            self.left_out += 1;
            return Ok(());
        }
        self.findings += 1;
        record(&mut self.out, &self.file, view::exact(findings::FIELDS, finding))
    }

    /// The capture is over: what waited for its place is written.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn end(&mut self) -> io::Result<()> {
        self.findings = 0;
        for row in self.connections.rest() {
            record(&mut self.out, &self.file, view::exact(connections::FIELDS, &row))?;
        }
        for row in self.exchanges.rest() {
            record(&mut self.out, &self.file, view::exact(udp::FIELDS, &row))?;
        }
        self.flush()
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Rows that the limit kept out.
    pub const fn left_out(&self) -> u64 {
        self.left_out + self.connections.left_out() + self.exchanges.left_out()
    }
}

fn record<W: Write>(out: &mut csv::Writer<W>, file: &str, cells: Vec<String>) -> io::Result<()> {
    Ok(out.write_record([file].into_iter().chain(cells.iter().map(String::as_str)))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::CONVERSATION;
    use crate::report::testing::UDP;
    use crate::report::testing::watch;

    fn written(table: Table, script: &str) -> String {
        let mut out = Vec::new();
        let sheet = std::cell::RefCell::new(Sheet::new(&mut out, table, None, 0).expect("a vector"));
        sheet.borrow_mut().begin("a, \"b\".pcap");
        watch(
            script,
            |_, _| {},
            |ended| sheet.borrow_mut().connection(ended).expect("a vector"),
            |ended| sheet.borrow_mut().exchange(ended).expect("a vector"),
        );
        sheet.borrow_mut().end().expect("a vector");
        drop(sheet);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_connection_is_a_row_of_exact_values_with_lines_and_quotes_as_the_standard_wants_them() {
        assert_eq!(
            written(Table::Connections, CONVERSATION),
            "file,stream,client,client_port,server,server_port,opened,closed,closed_by,bytes_sent,bytes_received,\
             packets_sent,packets_received,retransmissions,rtt,duration,findings,gravest,start\r\n\
             \"a, \"\"b\"\".pcap\",0,127.0.0.1,45876,127.0.0.1,47011,established,three-segment,client,6,2,6,4,0,\
             0.000022000,0.002790000,0,,1700000000.000000000\r\n"
        );
    }

    #[test]
    fn udp_conversations_have_a_table_of_their_own() {
        let text = written(Table::Udp, UDP);
        assert!(text.contains(",0,127.0.0.1,40000,127.0.0.1,5656,1,1,"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn a_table_without_rows_is_its_line_of_keys() {
        assert_eq!(written(Table::Findings, UDP), "file,severity,code,streams,frames,text,rfc,time\r\n");
    }
}
