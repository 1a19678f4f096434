//! Holds `src/` to its floors: a module imports its own files and modules on floors below it; never sideways, never up.
//!
//! Reads the sources as text up to `#[cfg(test)]` (a test may borrow from next door), finds every `crate::x` and every
//! use of a package that has one room only. Run with an import turned round, it names the file at fault.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// From the ground up. Modules of one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["packet", "adder"],
    &["finding"],
    &["source", "decode", "craft", "tcp", "udp"],
    &["flow"],
    &["detect"],
    &["pipeline"],
    &["report"],
    &["cli"],
];

/// Words that may stand only in these modules: one home per package, clocks and printing at the edge only.
const ROOMS: &[(&str, &[&str])] = &[
    ("etherparse::", &["decode", "craft"]),
    ("pnet::", &["source"]),
    ("pcap_file::", &["source"]),
    ("memmap2::", &["source"]),
    ("libloading::", &["source"]),
    ("flate2::", &["source"]),
    ("lz4_flex::", &["source"]),
    ("ruzstd::", &["source"]),
    ("prometheus_client::", &["cli"]),
    ("libc::", &["source", "cli"]),
    ("tabled::", &["report"]),
    ("csv::Writer", &["report"]),
    ("tempfile::", &["cli"]),
    ("clap::", &["cli", "bin"]),
    ("mio::", &["adder"]),
    ("socket2::", &["adder", "source"]),
    ("SystemTime::now", &["source", "cli", "adder"]),
    ("Instant::now", &["source", "cli", "adder"]),
    ("println!", &["cli", "bin"]),
    ("unsafe {", &["source"]),
];

/// The demo and the programs may start the adder; nothing else knows it.
const ALSO: &[(&str, &str)] = &[("cli", "adder")];

#[test]
fn every_import_points_down() {
    let wrong: Vec<String> = sources().iter().flat_map(|file| upward_imports(file)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn packages_clocks_and_printing_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (word, rooms) in ROOMS {
            if code(&file).any(|(_, line)| line.contains(word)) && !rooms.contains(&module(&file).as_str()) {
                wrong.push(format!("{}: {word} belongs to {rooms:?}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn one_line_per_import_so_that_a_reader_and_this_test_see_the_same() {
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|file| code(file).any(|(_, line)| line.contains("use crate::{")))
        .map(|file| file.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "`use crate::{{` in {wrong:?}");
}

#[test]
fn a_long_file_says_in_its_head_why() {
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|file| code(file).last().is_some_and(|(number, _)| number > 400))
        .filter(|file| !text(file).lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("Long")))
        .map(|file| file.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "over 400 lines without a reason (`//! Long because …`): {wrong:?}");
}

#[test]
fn an_import_turned_round_is_found() {
    let up = imports_above("tcp", "use crate::report::table;");
    let sideways = imports_above("decode", "let x = crate::craft::play();");
    let down = imports_above("report", "use crate::tcp::Event;");
    assert_eq!((up, sideways, down), (vec!["report".to_owned()], vec!["craft".to_owned()], vec![]));
}

fn upward_imports(file: &Path) -> Vec<String> {
    let module = module(file);
    code(file)
        .flat_map(|(number, line)| {
            imports_above(&module, &line)
                .into_iter()
                .map(|other| format!("{}:{number}: {module} must not know {other}", file.display()))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Modules named as `crate::x` in `line` that do not lie below `module`.
fn imports_above(module: &str, line: &str) -> Vec<String> {
    let Some(own) = floor(module) else { return Vec::new() };
    line.split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>())
        .filter(|other| other != module && !ALSO.contains(&(module, other.as_str())))
        .filter(|other| floor(other).is_some_and(|floor| floor >= own || other == "adder"))
        .collect()
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The top folder or file below `src/`, without its ending; `bin` for programs.
fn module(file: &Path) -> String {
    let below = file.strip_prefix(root()).expect("a file below src");
    let first = below.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Lines of code with their numbers, comments left out, up to the tests.
fn code(file: &Path) -> impl Iterator<Item = (usize, String)> {
    let lines: Vec<String> = text(file).lines().map(str::to_owned).collect();
    lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| !["#[cfg(test)]", "#![cfg(test)]"].contains(&line.trim()))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src can be listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "only {} sources found", found.len());
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
