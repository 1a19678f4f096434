//! A line of Zeek's conn.log, column by column.

use crate::packet::Span;
use crate::tcp::event::Side;
use crate::tcp::ledger::Cell;

/// A line of conn.log. What is not known is absent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnLog<'a> {
    /// Who opened, according to Zeek.
    pub originator: Side,
    /// How it began and ended, in a word.
    pub conn_state: &'static str,
    /// The story in letters; absent where it has too many.
    pub history: Option<&'a str>,
    /// Octets of originator and responder; absent for a connection that took no time.
    pub bytes: Option<[u64; 2]>,
    /// Packets of originator and responder.
    pub packets: [u64; 2],
    /// Octets acknowledged but not seen; absent where too much lay behind holes.
    pub missed_bytes: Option<u64>,
    /// From the first packet to the last one that counts; absent where that is no time at all.
    pub duration: Option<Span>,
    /// Zeek closed its books before the stream ended, and would go on in another line; this is the first one.
    pub goes_on: bool,
}

impl ConnLog<'_> {
    /// The columns by their names, in the order of the log. Where the originator is, the caller knows.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, Cell<'_>)> {
        let number = |value: Option<u64>| value.map(Cell::Number);
        [
            ("conn_state", Some(Cell::Word(self.conn_state))),
            ("history", self.history.map(Cell::Word)),
            ("orig_bytes", number(self.bytes.map(|[octets, _]| octets))),
            ("resp_bytes", number(self.bytes.map(|[_, octets]| octets))),
            ("orig_pkts", number(Some(self.packets[0]))),
            ("resp_pkts", number(Some(self.packets[1]))),
            ("missed_bytes", number(self.missed_bytes)),
            ("duration", self.duration.map(Cell::Time)),
            ("goes_on", self.goes_on.then_some(Cell::Yes(true))),
        ]
        .into_iter()
        .filter_map(|(name, cell)| cell.map(|cell| (name, cell)))
    }
}
