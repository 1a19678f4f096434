//! Where the time of a connection went: the parts add up, and the recorded small window tells its story.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

#[test]
fn the_parts_of_every_connection_of_every_fixture_add_up_to_its_life() {
    let mut connections = 0;
    for entry in fs::read_dir(fixture("")).expect("the folder is there") {
        let path = entry.expect("a name").path();
        for connection in connections_of(&path) {
            let budget = connection["time_budget"].as_object().expect("a budget");
            let parts: u64 = budget.iter().filter(|(key, _)| *key != "total").map(|(_, part)| nanos(part)).sum();
            let (start, end) = (nanos(&connection["start"]), nanos(&connection["end"]));
            assert_eq!(parts, nanos(&budget["total"]), "{}", path.display());
            assert_eq!(parts, end - start, "{}", path.display());
            connections += 1;
        }
    }
    assert!(connections > 300, "only {connections} connections");
}

#[test]
fn a_receive_buffer_that_is_too_small_is_named_with_its_sum_and_its_cure() {
    let path = fixture("bulk-small-window.pcap");
    let told = flat(&analyzed(&path, &["--fail-on", "never"]));
    for words in [
        "HELD BACK BY A SMALL WINDOW 96.3 %",
        "window under one segment 96.3 % (114 waits)",
        "timeout recovery 3.4 % (8 waits) · client thinking 0.2 %",
        "zero window 0.1 % (118 waits) · rest 0.0 %",
        "the receiver offers 8192 B, a segment holds 65483: the sender waits for its override timer, 208 ms each time \
         (RFC 9293 §3.8.6.2.1). 8192 B / 208 ms = 39.4 kB/s, seen 40.6 kB/s",
        "Cure: a receive buffer of at least 2 segments (130966 B), not a better link",
    ] {
        assert!(told.contains(words), "{words}\n--- is not in\n{told}");
    }
    let budget = &connections_of(&path)[0]["time_budget"];
    // 114 waits for a timer of 0.2 s; what is left of 24.6 s are the first losses and the handshake.
    assert_eq!(budget["small_window"], "23.702762057");
    assert_eq!(budget["total"], "24.603338703");
}

#[test]
fn a_reader_that_sleeps_is_no_small_window_and_a_whole_connection_is_held_back_by_nothing() {
    let told = flat(&analyzed(&fixture("witness-zero-window.pcap"), &["--fail-on", "never"]));
    assert!(told.contains("HELD BACK BY A RECEIVER WITHOUT ROOM 85.8 %"), "{told}");
    let told = flat(&analyzed(&fixture("open-established.pcap"), &["--stream", "0"]));
    assert!(told.contains("mostly transfer") && !told.contains("HELD BACK") && !told.contains("Cure"), "{told}");
}

#[test]
fn the_example_of_the_documentation_is_what_the_program_prints() {
    let page = include_str!("../docs/time-budget.md");
    let told = analyzed(&fixture("bulk-small-window.pcap"), &["--fail-on", "never"]);
    let section: String = told
        .lines()
        .skip_while(|line| !line.starts_with("where the time went"))
        .take_while(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(section.lines().count() > 5, "{told}");
    assert!(page.contains(&section), "docs/time-budget.md lacks\n{section}");
    for line in section.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn states_are_told_when_asked_for_and_only_then() {
    let path = fixture("adder-veth.pcap");
    let objects = analyzed(&path, &["--format", "jsonl", "--states"]);
    let mut object = objects.lines().map(|line| serde_json::from_str::<Value>(line).expect("an object"));
    let connection = object.find(|object| object["type"] == "connection").expect("a connection");
    let steps = connection["states"].as_array().expect("a list");
    let of =
        |side| steps.iter().filter(|step| step["side"] == side).map(|step| step["to"].as_str()).collect::<Vec<_>>();
    assert_eq!(
        of("client"),
        ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"].map(Some),
        "the client closes first"
    );
    assert_eq!(of("server"), ["SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"].map(Some));
    assert_eq!((&steps[0]["from"], &steps[0]["frame"]), (&Value::from("not seen"), &Value::from(1)));
    assert!(connections_of(&path)[0].get("states").is_none());
    let table = analyzed(&path, &["--stream", "0", "--states"]);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("TIME-WAIT     → ACK 35") && !table.contains("findings"), "{table}");
}

fn analyzed(path: &Path, options: &[&str]) -> String {
    let output = Command::new(PROGRAM).arg("analyze").arg(path).args(options).output().expect("it runs");
    assert!(output.status.code().is_some_and(|code| code < 2), "{}: {:?}", path.display(), output);
    String::from_utf8(output.stdout).expect("text")
}

fn connections_of(path: &Path) -> Vec<Value> {
    let objects = analyzed(path, &["--format", "jsonl"]);
    let objects = objects.lines().map(|line| serde_json::from_str::<Value>(line).expect("an object"));
    objects.filter(|object| object["type"] == "connection").collect()
}

/// Without line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Seconds with nine decimals.
fn nanos(text: &Value) -> u64 {
    let text = text.as_str().expect("a string");
    let (whole, rest) = text.split_once('.').expect("decimals");
    assert_eq!(rest.len(), 9, "{text}");
    whole.parse::<u64>().expect("seconds") * 1_000_000_000 + rest.parse::<u64>().expect("nanoseconds")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap").join(name)
}
