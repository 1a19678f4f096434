//! What programs are promised: every object that any command prints over any fixture is what `docs/schema` says, no key
//! stands in it that no schema names, and `docs/json.md` says the same in words.
//!
//! The checker knows the part of JSON Schema 2020-12 that the schemas use, and refuses a schema that uses more.
//! `SYNSCOPE_WRITE_DOCS=1 cargo test --test schema` writes `layers.json`, `judgement.json` and `docs/json.md` anew.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

mod schema {
    pub(crate) mod check;
    pub(crate) mod judgements;
    pub(crate) mod layers;
    pub(crate) mod page;
}

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;

use crate::schema::check::Schemas;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// What a command prints for programs over all fixtures.
fn printed(command: &str, more: &[&str]) -> Vec<Value> {
    let folder = root().join("fixtures/pcap");
    let mut names: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let args = [command].into_iter().chain(names.iter().map(String::as_str)).chain(["--format", "jsonl"]);
    run(&args.chain(more.iter().copied()).collect::<Vec<_>>())
}

fn run(args: &[&str]) -> Vec<Value> {
    let folder = root().join("fixtures/pcap");
    let output = Command::new(PROGRAM).args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {told}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Everything that any command prints for programs.
fn everything() -> Vec<Value> {
    let mut all = printed("analyze", &[]);
    all.extend(printed("analyze", &["--worst", "2"]));
    all.extend(printed("headers", &["--dialect", "wireshark-4.0"]));
    all.extend(printed("flood", &[]));
    all.extend(run(&["trace", "adder-demo.pcap", "--format", "jsonl"]));
    for frame in 1..=40 {
        let frame = frame.to_string();
        all.extend(run(&["explain", "witness-fast-retransmission.pcap", &frame, "--state", "--format", "jsonl"]));
    }
    for name in ["data-retransmission.pcap", "close-abort.pcap", "udp-pairs.pcap"] {
        all.extend(run(&["explain", name, "1", "--format", "jsonl"]));
    }
    all.extend(run(&["explain", "witness-zero-window.pcap", "--stream", "0", "--format", "jsonl"]));
    all.extend(run(&["interfaces", "--format", "jsonl"]));
    all.extend(run(&["analyze", "messages-split.pcap", "--framing", "line", "--stream", "0", "--format", "jsonl"]));
    all.extend(run(&["mss", "path-black-hole.pcap", "--format", "jsonl"]));
    all
}

/// Frames name no type: they were there before the others.
fn kind(object: &Value) -> &str {
    object["type"].as_str().unwrap_or("frame")
}

#[test]
fn every_object_over_all_fixtures_is_what_its_schema_says() {
    let schemas = Schemas::load(&root().join("docs/schema"));
    let mut seen = BTreeMap::<String, u64>::new();
    let mut wrong = BTreeSet::new();
    for object in everything() {
        let kind = kind(&object).to_owned();
        wrong.extend(schemas.check(&kind, &object));
        *seen.entry(kind).or_default() += 1;
    }
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} complaints: {shown:#?}", wrong.len());
    let named: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        named,
        [
            "attempts",
            "capture",
            "connection",
            "explanation",
            "finding",
            "frame",
            "header",
            "interface",
            "message",
            "mss",
            "stream",
            "summary",
            "udp_flow",
            "udp_server"
        ],
        "each schema was put to use: {seen:?}"
    );
}

#[test]
fn the_number_of_the_schema_stands_on_the_first_line() {
    for first in [
        &run(&["analyze", "adder-demo.pcap", "--format", "jsonl"])[0],
        &run(&["headers", "adder-demo.pcap", "--format", "jsonl"])[0],
        &run(&["trace", "adder-demo.pcap", "--format", "jsonl"])[0],
        &run(&["interfaces", "--format", "jsonl"])[0],
        &run(&["explain", "adder-demo.pcap", "1", "--format", "jsonl"])[0],
        &run(&["explain", "adder-demo.pcap", "--stream", "0", "--format", "jsonl"])[0],
    ] {
        assert_eq!(first["schema"], synscope::report::json::SCHEMA, "{first}");
    }
    let frames = run(&["headers", "adder-demo.pcap", "udp-pairs.pcap", "--format", "jsonl"]);
    assert_eq!(frames.iter().filter(|frame| frame.get("schema").is_some()).count(), 1);
}

#[test]
fn every_key_that_is_described_has_words_and_every_object_is_closed() {
    let schemas = Schemas::load(&root().join("docs/schema"));
    for name in page::PAGES {
        let schema = schemas.get(name);
        assert_eq!(schema["additionalProperties"], false, "{name}");
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}");
    }
}

use crate::schema::page;

#[test]
fn a_wrong_object_is_refused_and_its_place_is_named() {
    let schemas = Schemas::load(&root().join("docs/schema"));
    let good = run(&["analyze", "open-established.pcap", "--format", "jsonl"]);
    let good = good.iter().find(|object| kind(object) == "connection").unwrap();
    assert_eq!(schemas.check("connection", good), Vec::<String>::new());
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 8] = [
        (|object| object["colour"] = json!("red"), "connection.colour"),
        (|object| object["client"]["port"] = json!("80"), "connection.client.port"),
        (|object| object["client"]["port"] = json!(70_000), "connection.client.port"),
        (|object| object["handshake"]["outcome"] = json!("splendid"), "connection.handshake.outcome"),
        (|object| object["start"] = json!("1.5"), "connection.start"),
        (|object| object["close"]["fin_frames"] = json!([0]), "connection.close.fin_frames[]"),
        (|object| drop(object.as_object_mut().unwrap().remove("mss")), "connection"),
        (|object| object["verdict_counts"] = json!({"Bad Code": 1}), "connection.verdict_counts"),
    ];
    for (change, place) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let complaints = schemas.check("connection", &bad);
        assert!(
            complaints.iter().any(|complaint| complaint.starts_with(&format!("{place}: "))),
            "{place}: {complaints:?}"
        );
    }
}

#[test]
fn the_schema_of_layers_is_what_decoding_can_say() {
    is_written("docs/schema/layers.json", &schema::layers::generate(&printed("headers", &[])));
}

#[test]
fn the_schema_of_verdicts_names_every_number_that_a_rule_puts_in() {
    is_written("docs/schema/judgement.json", &schema::judgements::generate(&root()));
}

#[test]
fn the_page_says_in_words_what_the_schemas_say() {
    let schemas = Schemas::load(&root().join("docs/schema"));
    let objects = everything();
    is_written(
        "docs/json.md",
        &page::render(&schemas, |name| {
            // The first that has most to say; of nothing that differs from run to run or from machine to machine.
            let steady = |object: &&Value| {
                let estimated = object["code"].as_str().is_some_and(|code| code.starts_with("syn-"));
                kind(object) == name && kind(object) != "interface" && !estimated
            };
            objects.iter().rev().filter(steady).max_by_key(|object| page::weight(object)).cloned()
        }),
    );
}

/// A generated file is as it would be generated now.
fn is_written(name: &str, text: &str) {
    let path = root().join(name);
    if std::env::var_os("SYNSCOPE_WRITE_DOCS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let differs = there.lines().zip(text.lines()).position(|(there, now)| there != now);
    assert!(
        there == text,
        "{name} differs from line {:?} on: SYNSCOPE_WRITE_DOCS=1 cargo test --test schema",
        differs.map(|line| line + 1)
    );
}
