//! What Zeek and tcptrace would have written down, as the machine contract writes it: their names, their values.
//!
//! Knows no rule of theirs: it walks over the pairs that the part-machines hand out.

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::flow::EndedConnection;
use crate::report::json::Address;
use crate::report::json::Text;
use crate::tcp;
use crate::tcp::ledger::Cell;

/// Object `zeek`.
pub(super) struct Zeek<'a> {
    orig: Address,
    log: tcp::zeek::ConnLog<'a>,
}

impl<'a> Zeek<'a> {
    pub(super) fn of(ended: &EndedConnection<'_>, zeek: &'a tcp::zeek::Zeek) -> Self {
        let log = zeek.conn_log();
        Self { orig: ended.endpoint(log.originator).into(), log }
    }
}

impl Serialize for Zeek<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("orig", &self.orig)?;
        for (key, cell) in self.log.pairs() {
            map.serialize_entry(key, &Value(cell))?;
        }
        map.end()
    }
}

/// Object `tcptrace`.
#[derive(Serialize)]
pub(super) struct Tcptrace<'a> {
    a: Address,
    complete: &'static str,
    a2b: Direction<'a>,
    b2a: Direction<'a>,
}

impl<'a> Tcptrace<'a> {
    pub(super) fn of(ended: &EndedConnection<'_>, tcptrace: &'a tcp::tcptrace::Tcptrace) -> Self {
        let report = tcptrace.report(ended.until);
        let [a2b, b2a] = report.directions.map(Direction);
        Self { a: ended.endpoint(report.a).into(), complete: report.complete, a2b, b2a }
    }
}

struct Direction<'a>(tcp::tcptrace::Sheet<'a>);

impl Serialize for Direction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.pairs().map(|(key, cell)| (key, Value(cell))))
    }
}

struct Value<'a>(Cell<'a>);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Number(number) => number.serialize(serializer),
            Cell::Signed(number) => number.serialize(serializer),
            Cell::Yes(yes) => yes.serialize(serializer),
            Cell::Time(span) => Text(span).serialize(serializer),
            Cell::Word(word) => word.serialize(serializer),
        }
    }
}
