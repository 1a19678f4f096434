//! One catalogue: the page in `docs`, what `explain --code` prints and what reports name are the same codes.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use synscope::finding::Code;
use synscope::report::explain::catalogue;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

fn explain(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).arg("explain").args(args).output().unwrap();
    assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_page_is_what_the_catalogue_generates() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/findings.md")).unwrap_or_default();
    let mut generated = Vec::new();
    catalogue::page(&mut generated).unwrap();
    let generated = String::from_utf8(generated).unwrap();
    let differs = page.lines().zip(generated.lines()).position(|(page, generated)| page != generated);
    assert!(
        page == generated,
        "docs/findings.md differs from line {:?} on: synscope explain --catalogue > docs/findings.md",
        differs.map(|line| line + 1)
    );
    assert_eq!(explain(&["--catalogue"]), (Some(0), page));
    assert_eq!(explain(&["--code", "all"]), (Some(0), generated));
}

#[test]
fn every_code_is_explained_by_name() {
    for &code in Code::ALL {
        let (status, text) = explain(&["--code", code.as_str(), "--color", "never"]);
        assert_eq!(status, Some(0), "{code}");
        assert!(text.starts_with(&format!("{code}  ")), "{code}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words(&text).contains(&words(code.meaning())), "{code}: {text}");
    }
}

/// By construction a verdict carries a `Code`; nobody may spell one out beside it.
#[test]
fn reports_and_the_command_line_spell_no_code_of_their_own() {
    let mut wrong = Vec::new();
    for room in ["src/report", "src/cli", "src/detect", "src/pipeline"] {
        for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
            if file.ends_with("tests.rs") || file.ends_with("testing.rs") {
                continue;
            }
            for (index, line) in code.lines().enumerate() {
                if line.contains("\"code\": \"") || line.contains("(\"code\", \"") {
                    wrong.push(format!("{}:{}: {}", file.display(), index + 1, line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_that_a_fixture_shows_is_in_the_catalogue() {
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut seen = BTreeSet::new();
    let pcaps = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap");
    for entry in fs::read_dir(pcaps).unwrap() {
        let path = entry.unwrap().path();
        for command in ["headers", "analyze"] {
            let output = Command::new(PROGRAM).args([command, "--format", "jsonl"]).arg(&path).output().unwrap();
            for line in String::from_utf8(output.stdout).unwrap().lines() {
                collect(&serde_json::from_str(line).unwrap(), &mut seen);
            }
        }
    }
    let unknown: Vec<_> = seen.iter().filter(|code| !known.contains(code.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(seen.len() > 30, "the fixtures show many codes: {seen:?}");
}

/// Codes of findings, of verdicts, and of their counts.
fn collect(object: &serde_json::Value, seen: &mut BTreeSet<String>) {
    let code = |object: &serde_json::Value| object["code"].as_str().map(str::to_owned);
    if object["type"] == "finding" {
        seen.extend(code(object));
    }
    for verdict in object["verdicts"].as_array().into_iter().flatten() {
        seen.extend(code(verdict));
    }
    for counts in [&object["verdict_counts"], &object["findings"]] {
        seen.extend(counts.as_object().into_iter().flat_map(|counts| counts.keys().cloned()));
    }
}

fn sources(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
    all
}
