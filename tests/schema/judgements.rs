//! What a verdict may say: names and types of the numbers put into rules, read where the rules put them in.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Map;
use serde_json::json;
use synscope::finding::Code;

/// How a rule puts a number in, and what programs are given.
const KINDS: [(&str, &str); 5] =
    [("seq", "number"), ("peer_seq", "number"), ("count", "number"), ("span", "duration"), ("word", "word")];

/// `docs/schema/judgement.json` as it has to be.
pub(crate) fn generate(root: &Path) -> String {
    let mut names = BTreeMap::<String, BTreeSet<&'static str>>::new();
    for room in ["src/tcp", "src/udp.rs", "src/udp", "src/detect", "src/pipeline", "src/flow", "src/report/verdicts.rs"]
    {
        read(&root.join(room), &mut names);
    }
    // What a sum names is put in somewhere.
    for code in Code::ALL {
        let named = code.sum().split('{').skip(1).filter_map(|rest| rest.split('}').next());
        for name in named {
            names.entry(name.to_owned()).or_default();
        }
    }
    names.entry("why".to_owned()).or_default().insert("word");
    let mut properties = Map::from_iter([
        ("code".to_owned(), json!({"$ref": "common.json#/$defs/code"})),
        ("verdict".to_owned(), json!({"enum": ["holds", "broken", "cannot-tell", "found", "ruled-out"]})),
        ("gap".to_owned(), json!({"$ref": "common.json#/$defs/gap"})),
    ]);
    // Of a whole capture their number, of a segment the earlier ones that it rests on.
    names.remove("frames");
    let frames = json!({"type": ["array", "integer"], "items": {"type": "integer", "minimum": 1}});
    properties.insert("frames".to_owned(), frames);
    for (name, kinds) in names {
        let schema = match kinds.into_iter().collect::<Vec<_>>()[..] {
            ["number"] => json!({"type": "integer", "minimum": 0}),
            ["duration"] => json!({"$ref": "common.json#/$defs/duration"}),
            ["word"] => json!({"type": "string"}),
            _ => json!({"type": ["integer", "string"]}),
        };
        properties.insert(name, schema);
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A verdict",
        "description": "A code, how it came out, the gap where it cannot be told, earlier frames that it rests on, and the \
                        numbers put into the rule: docs/findings.md has the rules. Generated from the program.",
        "type": "object",
        "required": ["code", "verdict"],
        "additionalProperties": false,
        "properties": properties,
    });
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

fn read(path: &Path, names: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| read(&entry.unwrap().path(), names));
        return;
    }
    let Ok(text) = fs::read_to_string(path) else { return };
    let code = text.split("#[cfg(test)]").next().unwrap();
    for (call, kind) in KINDS {
        for behind in code.split(&format!(".{call}(")).skip(1) {
            let name = behind.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            if let Some(name) = name {
                names.entry(name.to_owned()).or_default().insert(kind);
            }
        }
    }
}
