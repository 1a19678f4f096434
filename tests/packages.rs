//! Every package that is built in has a licence of the list in `deny.toml`, and comes from the registry that it names.
//!
//! `cargo deny` checks more (advisories, duplicates, packages of other platforms); this needs nothing but cargo.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn deny() -> Deny {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
    let text = std::fs::read_to_string(path).expect("deny.toml is there");
    toml::from_str(&text).expect("deny.toml is TOML")
}

/// The packages of this platform: those of others need not have been downloaded.
fn packages() -> Vec<Package> {
    let version = Command::new("rustc").arg("-vV").output().expect("who built this has a compiler");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a compiler names its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Metadata>(&output.stdout).expect("cargo's metadata").packages
}

/// Whether a licence expression (SPDX, `/` being an old way to write OR) can be satisfied from the list.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let allowed = either(&mut words, allowed);
    allowed && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut any = both(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        any |= both(words, allowed);
    }
    any
}

fn both(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut all = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        all &= one(words, allowed);
    }
    all
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let inside = either(words, allowed);
        return words.next() == Some(")") && inside;
    }
    let Some(name) = words.next() else { return false };
    match words.next_if_eq(&"WITH") {
        Some(_) => words.next().is_some_and(|exception| allowed.contains(&format!("{name} WITH {exception}"))),
        None => allowed.iter().any(|allowed| allowed == name),
    }
}

#[test]
fn every_package_has_a_licence_of_the_list_and_comes_from_its_registry() {
    let deny = deny();
    let packages = packages();
    assert!(packages.len() > 50, "{} packages are not all", packages.len());
    for Package { name, version, license, source } in packages {
        let expression = license.unwrap_or_default();
        assert!(is_allowed(&expression, &deny.licenses.allow), "{name} {version}: {expression:?} is not in deny.toml");
        // Our own comes from nowhere.
        if let Some(source) = source {
            let registry = source.strip_prefix("registry+").unwrap_or("none");
            assert!(
                deny.sources.allow_registry.iter().any(|allowed| allowed == registry),
                "{name} {version}: {source}"
            );
        }
    }
}

#[test]
fn an_expression_is_allowed_if_one_way_through_it_is() {
    let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for (expression, holds) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("Apache-2.0/MIT", true),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH Nobody-exception", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), holds, "{expression}");
    }
}
