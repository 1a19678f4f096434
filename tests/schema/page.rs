//! `docs/json.md`: the schemas in words, key by key, each with an object of a fixture.

use std::fmt::Write;

use serde_json::Value;

use crate::schema::check::Schemas;

/// Schemas with a page, in the order in which a program meets them.
pub(crate) const PAGES: [&str; 14] = [
    "header",
    "connection",
    "message",
    "udp_flow",
    "udp_server",
    "finding",
    "capture",
    "attempts",
    "summary",
    "frame",
    "explanation",
    "stream",
    "mss",
    "interface",
];

/// The page.
pub(crate) fn render(schemas: &Schemas, example: impl Fn(&str) -> Option<Value>) -> String {
    let mut page = String::from(HEAD);
    for name in PAGES {
        let schema = schemas.get(name);
        let _ = write!(page, "\n## `{name}`: {}\n\n{}\n", text(schema, "title"), text(schema, "description"));
        page.push_str("\n| key | type | meaning |\n|---|---|---|\n");
        rows(schemas, name, schema, "", &mut page);
        for (called, part) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            let _ = write!(page, "\n### `{name}` · {called}\n\n{}\n", text(part, "description"));
            page.push_str("\n| key | type | meaning |\n|---|---|---|\n");
            rows(schemas, name, part, "", &mut page);
        }
        if let Some(object) = example(name) {
            let _ = write!(page, "\n```json\n{}```\n", shown(&object));
        }
    }
    page
}

/// How much an object has to say.
pub(crate) fn weight(object: &Value) -> usize {
    match object {
        Value::Object(object) => object.values().map(|value| 1 + weight(value)).sum(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A line per key; objects within stand below with their path, headers of frames are named together.
fn rows(schemas: &Schemas, home: &str, schema: &Value, path: &str, page: &mut String) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut headers = Vec::new();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let reference = property.get("$ref").and_then(Value::as_str);
        if reference.is_some_and(|reference| reference.starts_with("layers.json")) {
            headers.push(format!("`{key}`"));
            continue;
        }
        let full = format!("{path}{key}");
        let may = if required.contains(&key.as_str()) { "" } else { "?" };
        let _ = writeln!(
            page,
            "| `{full}`{may} | {} | {} |",
            kind(schemas, home, property),
            words(schemas, home, property)
        );
        let items = property.get("items").filter(|items| items.get("properties").is_some());
        if property.get("properties").is_some() {
            rows(schemas, home, property, &format!("{full}."), page);
        } else if let Some(items) = items {
            rows(schemas, home, items, &format!("{full}[]."), page);
        }
    }
    if !headers.is_empty() {
        let _ = writeln!(page, "| {}? | object | A header: its fields are in `layers.json`. |", headers.join(", "));
    }
}

fn kind(schemas: &Schemas, home: &str, property: &Value) -> String {
    if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
        if let Some(file) = reference.strip_suffix(".json#") {
            return file.to_owned();
        }
        let name = reference.rsplit('/').next().unwrap_or_default();
        let (home, target) = schemas.follow(home, reference);
        return match target["type"].as_str() {
            Some("object") if home == "common" => format!("{name} ({})", members(target)),
            Some("object") => format!("see {name}"),
            _ => name.to_owned(),
        };
    }
    if let Some(fixed) = property.get("const") {
        return format!("`{fixed}`");
    }
    if property.get("enum").is_some() {
        return "word".to_owned();
    }
    match (property["type"].as_str(), property.get("items")) {
        (Some("array"), Some(items)) => format!("list of {}", kind(schemas, home, items)),
        (Some(name), _) => name.to_owned(),
        (None, _) => property["type"].to_string().replace('"', ""),
    }
}

fn members(target: &Value) -> String {
    target["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| format!("`{key}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn words(schemas: &Schemas, home: &str, property: &Value) -> String {
    let mut words = text(property, "description").to_owned();
    let of = property.get("items").unwrap_or(property);
    let allowed = of.get("enum").or_else(|| {
        let (_, target) = schemas.follow(home, of.get("$ref")?.as_str()?);
        target.get("enum")
    });
    // Long lists stand in the schema.
    if let Some(allowed) = allowed.and_then(Value::as_array).filter(|allowed| allowed.len() <= 12) {
        let names: Vec<_> = allowed.iter().filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
        let _ = write!(words, "{}{}.", if words.is_empty() { "" } else { " " }, names.join(", "));
    }
    words.replace('|', "\\|")
}

fn text<'a>(schema: &'a Value, key: &str) -> &'a str {
    schema[key].as_str().unwrap_or_default()
}

/// A key per line; what is too long for a page is cut.
fn shown(object: &Value) -> String {
    let mut lines = Vec::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        let text = value.to_string();
        let cut = if text.chars().count() > WIDEST {
            format!("{} …", text.chars().take(WIDEST).collect::<String>())
        } else {
            text
        };
        lines.push(format!("  \"{key}\": {cut}"));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

const WIDEST: usize = 240;

const HEAD: &str = "\
# Objects for programs

`--format jsonl` with `analyze`, `trace`, `headers`, `explain` and `interfaces` writes one JSON object per line. This page says what
each key means; `docs/schema/` says the same to programs, as JSON Schema 2020-12. It is generated from there, and a test
holds both to what is printed.

The first line bears the number of the schema: the object `header`, or the key `schema` of the first frame or explanation.
A key that is described here keeps its name, type and meaning while that number stays; new keys may come. A key whose
value is not known is absent (`?`), never a guess. *time* is a string of seconds since 1970 with nine decimals, *duration* one
of seconds, *code* a name of `docs/findings.md`, *judgement* an object `{code, verdict, gap, frames, …}` with the numbers put
into the rule (`docs/schema/judgement.json`).

In the examples, values too long for a page are cut.
";
