//! Every capture in `fixtures/` shows exactly what its row in `INDEX.toml` says.
//!
//! A row is a claim about the traffic, written from the RFCs and not from the program's output. Crafted captures are
//! played from their script again, so that the text stays the source of truth. All mismatches are told together.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use synscope::craft;
use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::DefectCode;
use synscope::packet::Frame;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Facts;
use synscope::pipeline::Judging;
use synscope::pipeline::Sink;
use synscope::source::FileSource;
use synscope::source::Flow;
use synscope::source::Poll;
use synscope::source::Source;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    capture: Vec<Row>,
}

/// One capture. `fixtures/README.md` says what each key means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    file: String,
    script: Option<String>,
    origin: String,
    shows: String,
    frames: u64,
    #[serde(default)]
    outcomes: Vec<String>,
    #[serde(default)]
    closes: Vec<String>,
    codes: Vec<String>,
    #[serde(default)]
    defects: Vec<String>,
    #[serde(default)]
    udp_pairs: Vec<u64>,
    checksums: Option<BTreeMap<String, u64>>,
}

/// What the analysis says, in the words of a row.
#[derive(Default)]
struct Collected {
    connections: BTreeMap<u64, (&'static str, &'static str)>,
    exchanges: BTreeMap<u64, u64>,
    codes: BTreeSet<&'static str>,
    texts: Vec<String>,
}

impl Sink for Collected {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let connection = ended.connection;
        self.connections.insert(ended.stream, (connection.outcome().name(), connection.close_kind().name()));
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        self.exchanges.insert(ended.stream, ended.exchange.pairs);
    }

    fn finding(&mut self, finding: Finding) {
        self.codes.insert(finding.code.as_str());
        self.texts.push(format!("{}: {}", finding.code, finding.text));
    }
}

#[test]
fn every_capture_shows_what_its_row_says() {
    let mut wrong = Vec::new();
    for row in &index().capture {
        let mut told = Vec::new();
        check(row, &mut told);
        if !told.is_empty() {
            wrong.push(format!("{} ({})\n    {}", row.file, row.shows, told.join("\n    ")));
        }
    }
    assert!(wrong.is_empty(), "{} captures differ from their rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_crafted_capture_is_what_its_script_plays() {
    let mut wrong = Vec::new();
    for row in index().capture {
        let Some(script) = &row.script else { continue };
        let text = fs::read_to_string(dir("scripts").join(script)).unwrap_or_else(|error| panic!("{script}: {error}"));
        match craft::play(&text) {
            Err(error) => wrong.push(format!("{script}: {error}")),
            Ok(trace) if Some(trace.to_pcap()) != fs::read(dir("pcap").join(&row.file)).ok() => {
                wrong.push(format!("{}: not what {script} plays; scripts/make-fixtures.sh writes it anew", row.file));
            }
            Ok(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rows_captures_and_scripts_belong_together() {
    let index = index();
    let rows = |name: fn(&Row) -> Option<&String>| index.capture.iter().filter_map(name).cloned().collect::<Vec<_>>();
    for (held, named) in [("pcap", rows(|row| Some(&row.file))), ("scripts", rows(|row| row.script.as_ref()))] {
        let unique: BTreeSet<String> = named.iter().cloned().collect();
        assert_eq!(unique.len(), named.len(), "a file of fixtures/{held} has two rows");
        assert_eq!(unique, files(held), "rows on the left, fixtures/{held} on the right");
    }
    for row in &index.capture {
        let crafted = row.origin == "crafted";
        assert_eq!(row.script.is_some(), crafted, "{}: a script and only a script makes it crafted", row.file);
        assert!(crafted || row.origin.starts_with("recorded "), "{}: crafted, or recorded how?", row.file);
        assert!(!row.shows.is_empty() && row.shows.len() < 120, "{}: one sentence", row.file);
    }
}

#[test]
fn every_script_begins_by_saying_what_it_shows() {
    for name in files("scripts") {
        let text = fs::read_to_string(dir("scripts").join(&name)).expect("a script is text");
        assert!(text.starts_with("# ") && text.lines().nth(1).is_some(), "{name}");
    }
}

fn check(row: &Row, told: &mut Vec<String>) {
    let (collected, facts) = match analyse(&dir("pcap").join(&row.file)) {
        Ok(done) => done,
        Err(problem) => return told.push(problem),
    };
    let (outcomes, closes): (Vec<_>, Vec<_>) = collected.connections.values().copied().unzip();
    let defects: BTreeSet<_> =
        DefectCode::ALL.iter().filter(|&&code| facts.defects[code] > 0).map(|code| code.code()).collect();
    differ(told, "frames", &row.frames, &facts.frames);
    differ(told, "outcomes", &row.outcomes, &runs(&outcomes));
    differ(told, "closes", &row.closes, &runs(&closes));
    differ(told, "codes", &row.codes, &words(&collected.codes));
    differ(told, "defects", &row.defects, &words(&defects));
    differ(told, "udp_pairs", &row.udp_pairs, &collected.exchanges.values().copied().collect());
    if let Some(expected) = &row.checksums {
        differ(told, "checksums", expected, &checksums(&facts));
    }
    if !told.is_empty() {
        told.extend(collected.texts.into_iter().take(MAX_TEXTS));
    }
}

fn analyse(path: &Path) -> Result<(Collected, Facts), String> {
    let mut source = FileSource::open(path).map_err(|error| error.to_string())?;
    let mut analyzer = Analyzer::default().judging(Judging::Broken);
    let mut collected = Collected::default();
    let mut take = |frame: &Frame<'_>| {
        analyzer.observe(&decode(frame), &mut collected);
        Flow::Continue
    };
    while source.poll(&mut take).map_err(|error| error.to_string())? != Poll::End {}
    analyzer.finish(&mut collected);
    match &source.info().problem {
        Some(problem) => Err(format!("the file ends badly: {problem:?}")),
        None => Ok((collected, analyzer.facts().clone())),
    }
}

fn differ<T: PartialEq + std::fmt::Debug>(told: &mut Vec<String>, what: &str, row: &T, seen: &T) {
    if row != seen {
        told.push(format!("{what}: the row says {row:?}, the analysis {seen:?}"));
    }
}

/// One word per connection in the order of streams; of a run of the same only one, with its length in front.
fn runs(names: &[&str]) -> Vec<String> {
    let same = names.chunk_by(|a, b| a == b);
    same.map(|run| if run.len() == 1 { run[0].to_owned() } else { format!("{} {}", run.len(), run[0]) }).collect()
}

fn words(names: &BTreeSet<&str>) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Counters that are not 0.
fn checksums(facts: &Facts) -> BTreeMap<String, u64> {
    let counts = facts.checksums;
    [
        ("good", counts.good),
        ("partial", counts.partial),
        ("bad", counts.bad),
        ("absent", counts.absent),
        ("unverifiable", counts.unverifiable),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(name, count)| (name.to_owned(), count))
    .collect()
}

fn index() -> Index {
    let text = fs::read_to_string(dir("INDEX.toml")).expect("fixtures/INDEX.toml can be read");
    toml::from_str(&text).unwrap_or_else(|error| panic!("fixtures/INDEX.toml: {error}"))
}

fn files(held: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(dir(held)).expect("the folder is there");
    entries.map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned()).collect()
}

fn dir(held: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(held)
}

/// Findings quoted with a mismatch.
const MAX_TEXTS: usize = 6;
