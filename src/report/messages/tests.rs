#![cfg(test)]

use super::*;
use crate::craft;
use crate::decode::decode;
use crate::finding::Finding;
use crate::flow::EndedExchange;
use crate::pipeline::Analyzer;
use crate::pipeline::Framed;
use crate::pipeline::Sink;
use crate::report::style::Style;
use crate::report::testing::assert_fits;
use crate::report::trace::TraceWriter;
use crate::tcp::framing::Framing;

struct Screen {
    table: MessageTable,
    trace: TraceWriter,
    lines: Vec<u8>,
    objects: Vec<u8>,
}

impl Sink for Screen {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.table.connection(ended);
        self.trace.connection(&mut self.lines, ended).expect("a vector takes everything");
        unfinished(&mut self.objects, "f", ended).expect("a vector takes everything");
    }
    fn exchange(&mut self, _: &EndedExchange<'_>) {}
    fn finding(&mut self, _: Finding) {}
}

/// Trace, table and objects of a script.
fn shown(framing: Framing, script: &str) -> [String; 3] {
    let style = Style::plain(80);
    let trace = TraceWriter::new(style);
    let mut screen = Screen { table: MessageTable::new(framing, 0), trace, lines: Vec::new(), objects: Vec::new() };
    let framed = Framed { framing, streams: Vec::new(), port: None, host: None };
    let mut analyzer = Analyzer::default().finding_messages(Some(framed));
    let played = craft::play(&format!("{OPEN}{script}")).unwrap_or_else(|error| panic!("{error}"));
    for frame in played.frames() {
        let packet = decode(&frame);
        let seen = analyzer.observe(&packet, &mut screen);
        screen.table.packet(&seen);
        screen.trace.packet(&mut screen.lines, &packet, &seen).expect("a vector takes everything");
        objects(&mut screen.objects, "f", &seen).expect("a vector takes everything");
    }
    analyzer.finish(&mut screen);
    let mut table = Vec::new();
    screen.table.write(&mut table, 0, false, &style).expect("a vector takes everything");
    let texts = [screen.lines, table, screen.objects].map(|text| String::from_utf8(text).expect("text"));
    assert_fits(&texts[0], 80);
    assert_fits(&texts[1], 80);
    texts
}

const OPEN: &str = "
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400>
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
";

/// Two sums and a half, the rest of it, and the three answers in one segment.
const SUMS: &str = r#"
    +0.001  C > S  P.  1001:1010(9)  ack 5001  win 502  "1 2\n3 4\n5"
    +0.001  C > S  P.  1010:1013(3)  ack 5001  win 502  " 6\n"
    +0.001  S > C  P.  5001:5008(7)  ack 1013  win 502  "3\n7\n11\n"
"#;

#[test]
fn a_trace_says_beside_each_segment_which_messages_it_carries() {
    let [trace, ..] = shown(Framing::Line, SUMS);
    for told in [
        "messages 1–2 and part of 3: 2½ messages in 1 segment",
        "ends message 3: 1 message / 2 segments (frames 4, 5)",
        "messages 1–3: 3 messages in 1 segment",
        "C→S 3 messages in 2 segments",
        "S→C 3 messages in 1 segment · up to 3 ended in one segment",
    ] {
        assert!(trace.contains(told), "{told}\n{trace}");
    }
}

#[test]
fn a_table_has_a_row_for_each_message_and_what_came_of_both_directions() {
    let [_, table, _] = shown(Framing::Line, SUMS);
    assert_eq!(
        table,
        r#"
messages by the rule line: 6
#  way  message      time  octets  segments        begins with
0  C→S        1  0.022000       4  1: frame 4      "1 2\n"
0  C→S        2  0.022000       4  1: frame 4      "3 4\n"
0  C→S        3  0.023000       4  2: frames 4, 5  "5 6\n"
0  S→C        1  0.024000       2  1: frame 6      "3\n"
0  S→C        2  0.024000       2  1: frame 6      "7\n"
0  S→C        3  0.024000       3  1: frame 6      "11\n"
#0   C→S 3 messages in 2 segments · up to 2 ended in one segment
#0   up to 2 segments for one
#0   S→C 3 messages in 1 segment · up to 3 ended in one segment
"#
    );
}

#[test]
fn an_object_names_the_segments_of_its_message_and_one_without_end_is_not_complete() {
    let [_, _, objects] = shown(Framing::Line, &format!("{SUMS}+0 C > S P. 1013:1015(2) ack 5008 win 502 \"7 \""));
    let lines: Vec<serde_json::Value> =
        objects.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[2]["frames"], serde_json::json!([4, 5]));
    assert_eq!((&lines[2]["number"], &lines[2]["offset"], &lines[2]["complete"]), (&3.into(), &8.into(), &true.into()));
    assert_eq!(lines[2]["text"], "5 6\n");
    assert_eq!(
        (&lines[6]["from"], &lines[6]["complete"], &lines[6]["end"]),
        (&"client".into(), &false.into(), &().into())
    );
}

#[test]
fn a_gap_is_told_where_it_lies_and_with_its_length() {
    let [trace, table, _] = shown(
        Framing::Line,
        r#"
        +0.001  C > S  P.  1001:1003(2)  ack 5001  win 502  "1 "
        +0.001  C > S  P.  1005:1009(4)  ack 5001  win 502  "3 4\n"
        +0.001  S > C  .   5001:5001(0)  ack 1009  win 502
    "#,
    );
    assert!(trace.contains("client: 2 B missing: not captured"), "{trace}");
    assert!(trace.contains("client: where message 1 ends cannot be told"), "{trace}");
    assert!(table.contains("2…"), "{table}");
    assert!(table.contains("1 message whose end cannot be told"), "{table}");
}

#[test]
fn a_segment_that_had_to_wait_is_told_where_the_hole_is_filled() {
    let [trace, ..] = shown(
        Framing::Line,
        r#"
        +0.001  C > S  P.  1005:1009(4)  ack 5001  win 502  "3 4\n"
        +0.001  C > S  P.  1001:1005(4)  ack 5001  win 502  "1 2\n"
    "#,
    );
    assert!(trace.contains("message 1 in 1 segment"), "{trace}");
    assert!(trace.contains("frame 4, which had to wait: message 2 in 1 segment"), "{trace}");
}

#[test]
fn a_length_that_has_not_come_in_whole_says_how_much_is_short() {
    let [trace, ..] = shown(Framing::Len32, "+0.001  C > S  P.  1001:1007(6)  ack 5001  win 502  \"\\0\\0\\0\\x09ab\"");
    assert!(trace.contains("message 1 has not ended: 6 B, 7 B short"), "{trace}");
}
