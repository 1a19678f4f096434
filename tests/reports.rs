//! Reports over every fixture: all formats say the same, orders are orders, and human output fits its screen.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use synscope::craft;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap")
}

/// Names of all captures in `fixtures/pcap`.
fn captures() -> Vec<String> {
    let entries = fs::read_dir(fixtures()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() > 50, "only {} captures", names.len());
    names
}

/// Standard output of a run that could be made, in the folder of the fixtures.
fn run(columns: usize, args: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(fixtures()).stdin(Stdio::null()).env("COLUMNS", columns.to_string());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// `command`, all captures, and more.
fn over_all(columns: usize, command: &str, more: &[&str]) -> String {
    let names = captures();
    let args: Vec<_> =
        [command].into_iter().chain(names.iter().map(String::as_str)).chain(more.iter().copied()).collect();
    run(columns, &args)
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Rows of a CSV table by their keys.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn assert_fits(text: &str, width: usize, what: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= width, "{what} at {width}: {} columns: {line}", line.chars().count());
    }
}

#[test]
fn pages_for_people_fit_narrow_and_wide_screens() {
    let with_tcp: Vec<_> = objects(&over_all(80, "analyze", &["--format", "jsonl"]))
        .iter()
        .filter(|object| object["type"] == "connection" && object["stream"] == 0)
        .map(|object| object["file"].as_str().unwrap().to_owned())
        .collect();
    assert!(with_tcp.len() > 50);
    for width in [60, 80, 120, 200] {
        assert_fits(&over_all(width, "analyze", &[]), width, "analyze");
        assert_fits(&over_all(width, "analyze", &["--all-findings"]), width, "analyze --all-findings");
        assert_fits(&over_all(width, "analyze", &["--worst", "5"]), width, "analyze --worst");
        for name in &with_tcp {
            assert_fits(&run(width, &["analyze", name, "--stream", "0"]), width, name);
        }
    }
}

/// Both addresses and ports as long as they can be.
#[test]
fn the_longest_addresses_fit_narrow_and_wide_screens() {
    let script = "
        C = [2001:0db8:aaaa:bbbb:cccc:dddd:eeee:1111]:60001
        S = [2001:0db8:ffff:eeee:dddd:cccc:bbbb:2222]:60002
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1440, sackOK, wscale 7>
        +0.020  S > C  R.  0:0(0)        ack 1001  win 0
        +0.000  C > S  udp \"anybody?\"
    ";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.pcap");
    fs::write(&path, craft::play(script).unwrap().to_pcap()).unwrap();
    for width in [60, 80, 120, 200] {
        for more in [&[][..], &["--worst", "1"], &["--stream", "0"]] {
            let args: Vec<_> = ["analyze", "wide.pcap"].iter().chain(more).collect();
            let mut command = Command::new(PROGRAM);
            let output = command.args(&args).current_dir(&dir).env("COLUMNS", width.to_string()).output().unwrap();
            assert_fits(&String::from_utf8(output.stdout).unwrap(), width, &format!("{args:?}"));
        }
    }
}

#[test]
fn rows_and_objects_say_the_same_of_every_connection() {
    let rows = rows(&over_all(80, "analyze", &["--format", "csv"]));
    let objects = objects(&over_all(80, "analyze", &["--format", "jsonl"]));
    let connections: Vec<_> = objects.iter().filter(|object| object["type"] == "connection").collect();
    assert_eq!(rows.len(), connections.len());
    for (row, object) in rows.iter().zip(connections) {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let pairs = [
            ("file", &object["file"]),
            ("stream", &object["stream"]),
            ("client", &object["client"]["addr"]),
            ("client_port", &object["client"]["port"]),
            ("server", &object["server"]["addr"]),
            ("server_port", &object["server"]["port"]),
            ("opened", &object["handshake"]["outcome"]),
            ("closed", &object["close"]["kind"]),
            ("bytes_sent", &object["a2b"]["bytes"]),
            ("bytes_received", &object["b2a"]["bytes"]),
            ("packets_sent", &object["a2b"]["packets"]),
            ("packets_received", &object["b2a"]["packets"]),
            ("rtt", &object["handshake"]["rtt"]),
            ("start", &object["start"]),
        ];
        for (key, value) in pairs {
            assert_eq!(row[key], text(value), "{key} of {row:?}");
        }
        let again =
            object["a2b"]["repeated_packets"].as_u64().unwrap() + object["b2a"]["repeated_packets"].as_u64().unwrap();
        assert_eq!(row["retransmissions"], again.to_string());
    }
}

#[test]
fn rows_and_objects_say_the_same_of_udp_and_of_findings() {
    let objects = objects(&over_all(80, "analyze", &["--format", "jsonl"]));
    let of = |kind: &str| objects.iter().filter(|object| object["type"] == kind).cloned().collect::<Vec<_>>();
    let udp = rows(&over_all(80, "analyze", &["--format", "csv", "--table", "udp"]));
    let told = |row: &BTreeMap<String, String>| (row["file"].clone(), row["stream"].clone(), row["answered"].clone());
    let flows = of("udp_flow");
    assert!(!flows.is_empty());
    assert_eq!(
        udp.iter().map(told).collect::<Vec<_>>(),
        flows
            .iter()
            .map(|flow| (
                flow["file"].as_str().unwrap().to_owned(),
                flow["stream"].to_string(),
                flow["pairs"].to_string()
            ))
            .collect::<Vec<_>>()
    );
    let findings = rows(&over_all(80, "analyze", &["--format", "csv", "--table", "findings"]));
    let found = of("finding");
    assert!(!found.is_empty() && findings.len() == found.len());
    for (row, object) in findings.iter().zip(&found) {
        for key in ["file", "code", "severity", "text", "time", "rfc"] {
            // How many sources a flood has is estimated, anew in each run.
            let estimated = key == "text" && row["code"].starts_with("syn-flood");
            assert!(estimated || row[key] == object[key], "{key}: {row:?} {object}");
        }
        let streams: Vec<_> = object["streams"].as_array().unwrap().iter().map(Value::to_string).collect();
        assert_eq!(row["streams"], streams.join(" "));
    }
    let counted: u64 = rows(&over_all(80, "analyze", &["--format", "csv"]))
        .iter()
        .chain(&udp)
        .map(|row| row["findings"].parse::<u64>().unwrap())
        .sum();
    let about_one = found.iter().filter(|one| one["streams"].as_array().unwrap().len() == 1).count() as u64;
    assert!(counted <= about_one && counted > about_one / 2, "{counted} on rows, {about_one} in all");
}

#[test]
fn a_page_in_markdown_has_the_rows_of_the_table() {
    for name in ["adder-workers.pcap", "udp-pairs.pcap", "flags-scan.pcap"] {
        let wide = run(2_000, &["analyze", name]);
        let page = run(80, &["analyze", name, "--format", "markdown"]);
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('\\', "")).collect()
        };
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| -")).collect();
        assert!(!rows.is_empty(), "{page}");
        for row in rows.into_iter().filter(|row| !row.contains("\\#")) {
            let cells = cells(row);
            let line = wide.lines().find(|line| cells.iter().all(|cell| line.contains(cell.as_str())));
            assert!(line.is_some(), "{cells:?} in\n{wide}");
        }
    }
}

#[test]
fn every_order_puts_the_first_ones_first_and_a_limit_keeps_those() {
    let number = |row: &BTreeMap<String, String>, key: &str| row[key].parse::<f64>().unwrap_or(-1.0);
    let bytes = |row: &BTreeMap<String, String>| number(row, "bytes_sent") + number(row, "bytes_received");
    let gravity = |row: &BTreeMap<String, String>| {
        ["", "note", "warning", "error"].iter().position(|word| row["gravest"] == *word).unwrap() as f64
    };
    type Key<'a> = &'a dyn Fn(&BTreeMap<String, String>) -> f64;
    let orders: [(&str, Key<'_>); 8] = [
        ("worst", &|row| gravity(row) * 1e12 + bytes(row)),
        ("start", &|row| -number(row, "start")),
        ("duration", &|row| number(row, "duration")),
        ("bytes", &bytes),
        ("packets", &|row| number(row, "packets_sent") + number(row, "packets_received")),
        ("rtt", &|row| number(row, "rtt")),
        ("retransmissions", &|row| number(row, "retransmissions")),
        ("findings", &|row| number(row, "findings")),
    ];
    let name = "flood-busy-server.pcap";
    let all = rows(&run(80, &["analyze", name, "--format", "csv", "--limit", "0"]));
    assert!(all.len() > 10);
    for (order, key) in orders {
        let mut expected: Vec<_> = all.iter().map(key).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        let sorted = rows(&run(80, &["analyze", name, "--format", "csv", "--sort", order]));
        assert_eq!(sorted.iter().map(key).collect::<Vec<_>>(), expected, "{order}");
        let few = rows(&run(80, &["analyze", name, "--format", "csv", "--sort", order, "--limit", "7"]));
        assert_eq!(few, sorted[..7], "{order}");
        let lines = objects(&run(80, &["analyze", name, "--format", "jsonl", "--sort", order, "--limit", "7"]));
        let streams: Vec<_> =
            lines.iter().filter(|one| one["type"] == "connection").map(|one| one["stream"].to_string()).collect();
        assert_eq!(streams, few.iter().map(|row| row["stream"].clone()).collect::<Vec<_>>(), "{order}");
        assert_eq!(lines.last().unwrap()["left_out"], all.len() - 7, "{order}");
    }
}

#[test]
fn the_worst_are_the_first_of_the_worst_in_every_format() {
    let all = ["analyze", "flags-scan.pcap"];
    let streams = |more: &[&str]| -> Vec<String> {
        let args: Vec<_> = all.iter().chain(more).copied().collect();
        rows(&run(80, &args)).iter().map(|row| row["stream"].clone()).collect()
    };
    let worst = streams(&["--format", "csv", "--worst", "2"]);
    assert_eq!(worst, streams(&["--format", "csv", "--sort", "worst", "--limit", "2"]));
    let page = run(80, &["analyze", "flags-scan.pcap", "--worst", "2"]);
    let told: Vec<_> = page.lines().filter_map(|line| line.strip_prefix('#')?.split_whitespace().next()).collect();
    assert_eq!(told, worst, "{page}");
}

#[test]
fn a_period_keeps_the_conversations_that_have_a_part_in_it_under_their_own_numbers() {
    let name = "flood-busy-server.pcap";
    let rows = |more: &[&str]| {
        let args: Vec<_> = ["analyze", name, "--format", "csv"].iter().chain(more).copied().collect();
        rows(&run(80, &args))
    };
    let all = rows(&[]);
    let start = |row: &BTreeMap<String, String>| row["start"].parse::<f64>().unwrap();
    let end = |row: &BTreeMap<String, String>| start(row) + row["duration"].parse::<f64>().unwrap();
    let cut = &all[all.len() / 2]["start"];
    let at: f64 = cut.parse().unwrap();
    let expected = |wanted: &dyn Fn(&BTreeMap<String, String>) -> bool| -> Vec<String> {
        all.iter().filter(|row| wanted(row)).map(|row| row["stream"].clone()).collect()
    };
    let got = |rows: Vec<BTreeMap<String, String>>| -> Vec<String> {
        rows.into_iter().map(|row| row["stream"].clone()).collect()
    };
    let before = got(rows(&["--until", cut]));
    let after = got(rows(&["--since", cut]));
    assert_eq!(before, expected(&|row| start(row) < at));
    assert_eq!(after, expected(&|row| end(row) >= at));
    assert!(!before.is_empty() && !after.is_empty() && before.len() < all.len() && after.len() < all.len());
    let frames = objects(&run(80, &["headers", name, "--format", "jsonl", "--since", cut]));
    assert!(frames.iter().all(|frame| frame["time"].as_str().is_none_or(|time| time >= cut.as_str())), "{cut}");
    assert!(frames.iter().any(|frame| frame["frame"].as_u64().is_some_and(|number| number > 1)));
}
