//! What Zeek and tcptrace would have written down, as the machine contract writes it: their names, their values.
//!
//! Knows no rule of theirs: it walks over the pairs that the part-machines hand out.

use std::sync::OnceLock;

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::value::RawValue;

use crate::flow::EndedConnection;
use crate::report::json::Address;
use crate::report::json::Text;
use crate::report::json::unchanging;
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
        static SILENT: OnceLock<Box<RawValue>> = OnceLock::new();
        match self.0.is_silent() {
            true => unchanging(&Lines(&self.0), &SILENT, serializer),
            false => Lines(&self.0).serialize(serializer),
        }
    }
}

struct Lines<'a>(&'a tcp::tcptrace::Sheet<'a>);

impl Serialize for Lines<'_> {
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

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;
    use serde_json::json;

    use crate::craft;
    use crate::decode::decode;
    use crate::finding::Finding;
    use crate::flow::EndedConnection;
    use crate::flow::EndedExchange;
    use crate::pipeline::Analyzer;
    use crate::pipeline::Sink;
    use crate::report::json;

    #[derive(Default)]
    struct Lines(Vec<u8>);

    impl Sink for Lines {
        fn connection(&mut self, ended: &EndedConnection<'_>) {
            json::connection(&mut self.0, "file", ended).expect("memory takes it");
        }
        fn exchange(&mut self, _: &EndedExchange<'_>) {}
        fn finding(&mut self, _: Finding) {}
    }

    fn object_of(mut analyzer: Analyzer) -> Json {
        let script = "
            +0.0  S > C  S.  5000:5000(0)  ack 1001 win 500 <mss 1400, wscale 7>
            +0.1  C > S  .   1001:1001(0)  ack 5001 win 500
            +0.1  C > S  P.  1001:1011(10) ack 5001 win 500
        ";
        let mut lines = Lines::default();
        for frame in craft::play(script).expect("a script that reads").frames() {
            analyzer.observe(&decode(&frame), &mut lines);
        }
        analyzer.finish(&mut lines);
        serde_json::from_slice(&lines.0).expect("one object")
    }

    #[test]
    fn each_side_is_named_as_the_other_program_names_it() {
        let object = object_of(Analyzer::default().keeping_ledger(None));
        let log = json!({
            "orig": {"addr": "10.0.0.1", "port": 40000}, "conn_state": "S1", "history": "^hAD",
            "orig_bytes": 10, "resp_bytes": 0, "orig_pkts": 2, "resp_pkts": 1, "missed_bytes": 0, "duration": "0.200000000",
        });
        assert_eq!(object["zeek"], log);
        let tcptrace = &object["tcptrace"];
        assert_eq!(tcptrace["a"], json!({"addr": "10.0.0.2", "port": 80}), "it sent the first packet");
        assert_eq!(tcptrace["complete"], "no");
        assert_eq!(
            (&tcptrace["a2b"]["mss_requested"], &tcptrace["b2a"]["actual_data_bytes"]),
            (&json!(1400), &json!(10))
        );
        assert_eq!((&tcptrace["a2b"]["req_1323_ws"], &tcptrace["b2a"]["req_1323_ws"]), (&json!(true), &json!(false)));
        assert_eq!(tcptrace["a2b"]["rtt_max"], "0.100000000");
        assert_eq!(tcptrace["a2b"].get("ttl_stream_length"), None, "no end was seen");
    }

    #[test]
    fn without_a_ledger_nothing_is_said_of_others() {
        let object = object_of(Analyzer::default());
        assert_eq!((object.get("zeek"), object.get("tcptrace")), (None, None));
    }
}
