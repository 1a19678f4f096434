//! The part of JSON Schema 2020-12 that `docs/schema` uses.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// All schemas of a folder, by the names of their files.
pub(crate) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    pub(crate) fn load(folder: &Path) -> Self {
        let mut schemas = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let schema: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", path.display());
            schemas.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), schema);
        }
        Self(schemas)
    }

    pub(crate) fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("no docs/schema/{name}.json"))
    }

    /// What is wrong with `value`, each with its place.
    pub(crate) fn check(&self, name: &str, value: &Value) -> Vec<String> {
        let mut complaints = Vec::new();
        if self.0.contains_key(name) {
            self.against(name, self.get(name), value, name, &mut complaints);
        } else {
            complaints.push(format!("{name}: no docs/schema/{name}.json names this type"));
        }
        complaints
    }

    /// The schema that a reference in the file `home` means, and the file that it stands in.
    pub(crate) fn follow<'a>(&'a self, home: &'a str, reference: &'a str) -> (&'a str, &'a Value) {
        let (file, pointer) = reference.split_once('#').unwrap_or_else(|| panic!("{reference} has no #"));
        let home = if file.is_empty() { home } else { file.trim_end_matches(".json") };
        let target = self.get(home).pointer(pointer).unwrap_or_else(|| panic!("{home}: nothing at {reference}"));
        (home, target)
    }

    fn against(&self, home: &str, schema: &Value, value: &Value, place: &str, complaints: &mut Vec<String>) {
        let rules = schema.as_object().unwrap_or_else(|| panic!("{place}: a schema is an object"));
        let mut complain = |what: String| complaints.push(format!("{place}: {what}"));
        for (rule, wanted) in rules {
            match rule.as_str() {
                "$schema" | "$defs" | "title" | "description" => {}
                // Walked below.
                "$ref" | "properties" | "additionalProperties" | "propertyNames" | "items" => {}
                "type" => {
                    let names = wanted.as_array().map_or_else(|| vec![wanted], |several| several.iter().collect());
                    if !names.iter().any(|name| is_of_type(value, name.as_str().unwrap())) {
                        complain(format!("{value} is no {wanted}"));
                    }
                }
                "const" if value != wanted => complain(format!("{value} is not {wanted}")),
                "const" => {}
                "enum" if !wanted.as_array().unwrap().contains(value) => {
                    complain(format!("{value} is none of {wanted}"))
                }
                "enum" => {}
                "required" => {
                    for key in wanted.as_array().unwrap().iter().map(|key| key.as_str().unwrap()) {
                        if value.get(key).is_none() {
                            complain(format!("{key} is missing"));
                        }
                    }
                }
                "minimum" if value.as_i64().is_some_and(|value| value < wanted.as_i64().unwrap()) => {
                    complain(format!("{value} is below {wanted}"));
                }
                "maximum" if value.as_u64().is_some_and(|value| value > wanted.as_u64().unwrap()) => {
                    complain(format!("{value} is above {wanted}"));
                }
                "minimum" | "maximum" => {}
                "minItems" if value.as_array().unwrap().len() < wanted.as_u64().unwrap() as usize => {
                    complain(format!("fewer than {wanted}"));
                }
                "maxItems" if value.as_array().unwrap().len() > wanted.as_u64().unwrap() as usize => {
                    complain(format!("more than {wanted}"));
                }
                "minItems" | "maxItems" => {}
                "pattern" if value.as_str().is_some_and(|text| !fits(wanted.as_str().unwrap(), text)) => {
                    complain(format!("{value} does not read as {wanted}"));
                }
                "pattern" => {}
                other => panic!("{place}: this checker does not know {other}"),
            }
        }
        if let Some(reference) = rules.get("$ref") {
            let (home, target) = self.follow(home, reference.as_str().unwrap());
            self.against(home, target, value, place, complaints);
        }
        if let (Some(items), Some(values)) = (rules.get("items"), value.as_array()) {
            values.iter().for_each(|value| self.against(home, items, value, &format!("{place}[]"), complaints));
        }
        if let Some(object) = value.as_object() {
            for (key, value) in object {
                let inner = format!("{place}.{key}");
                if let Some(names) = rules.get("propertyNames") {
                    self.against(home, names, &Value::String(key.clone()), place, complaints);
                }
                match (rules.get("properties").and_then(|named| named.get(key)), rules.get("additionalProperties")) {
                    (Some(named), _) => self.against(home, named, value, &inner, complaints),
                    (None, Some(Value::Bool(false))) => complaints.push(format!("{inner}: no schema names this key")),
                    (None, Some(others)) if others.is_object() => self.against(home, others, value, &inner, complaints),
                    (None, _) => {}
                }
            }
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("no such type: {other}"),
    }
}

/// Whether text fits one of the patterns that the schemas use.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        r"^-?[0-9]+\.[0-9]{9}$" => {
            let (whole, decimals) = text.strip_prefix('-').unwrap_or(text).split_once('.').unwrap_or_default();
            let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
            !whole.is_empty() && digits(whole) && decimals.len() == 9 && digits(decimals)
        }
        r"^[a-z0-9]+(-[a-z0-9]+)*$" => text.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit())
        }),
        other => panic!("this checker does not know the pattern {other}"),
    }
}
