//! Options as objects: kind, name and what each says.

use serde_json::Value;
use serde_json::json;

use crate::decode::fields;
use crate::decode::fields::Said;
use crate::decode::options;
use crate::packet::SackBlock;
use crate::packet::TcpOption;
use crate::report::json_headers::hex;

/// One option of TCP.
pub(super) fn option_object(option: &TcpOption<'_>) -> Value {
    match *option {
        TcpOption::EndOfList => json!({"kind": 0, "name": "end-of-list"}),
        TcpOption::NoOp => json!({"kind": 1, "name": "no-operation"}),
        TcpOption::Mss(mss) => json!({"kind": 2, "name": "mss", "value": mss}),
        TcpOption::WindowScale(shift) => json!({"kind": 3, "name": "window-scale", "shift": shift}),
        TcpOption::SackPermitted => json!({"kind": 4, "name": "sack-permitted"}),
        TcpOption::Sack(octets) => {
            let block = |block: SackBlock| json!({"left": block.left.0, "right": block.right.0});
            let blocks: Vec<_> = options::sack_blocks(octets).map(block).collect();
            json!({"kind": 5, "name": "sack", "blocks": blocks})
        }
        TcpOption::Timestamps { value, echo } => {
            json!({"kind": 8, "name": "timestamps", "tsval": value, "tsecr": echo})
        }
        TcpOption::FastOpen(cookie) => json!({"kind": 34, "name": "fast-open", "cookie": hex(cookie)}),
        TcpOption::Mptcp(data) => mptcp_object(data),
        TcpOption::Md5(digest) => json!({"kind": 19, "name": "md5", "digest": hex(digest)}),
        TcpOption::Ao(data) => {
            let (keys, mac) = data.split_at(data.len().min(2));
            let key = |index: usize| keys.get(index);
            json!({"kind": 29, "name": "tcp-ao", "key_id": key(0), "rnext_key_id": key(1), "mac": hex(mac), "data": hex(data)})
        }
        TcpOption::UserTimeout(field) => {
            let unit = if field & 0x8000 == 0 { "seconds" } else { "minutes" };
            json!({"kind": 28, "name": "user-timeout", "granularity": unit, "value": field & 0x7fff})
        }
        TcpOption::AccEcn { kind, data } => {
            let mut object = json!({"kind": kind, "name": "accurate-ecn", "data": hex(data)});
            for (name, octets) in fields::acc_ecn_counters(kind, data) {
                object[name.to_lowercase()] = json!(octets);
            }
            object
        }
        TcpOption::Experiment { kind, data } => {
            let mut object = json!({"kind": kind, "name": "experiment", "data": hex(data)});
            if let Some((id, name, _)) = fields::experiment(data) {
                object["exid"] = json!(id);
                if let Some(name) = name {
                    object["experiment"] = json!(name);
                }
            }
            object
        }
        TcpOption::Unknown { kind, data } => {
            let mut object = json!({"kind": kind, "name": "unknown", "data": hex(data)});
            if let Some(name) = fields::kind_name(kind) {
                object["registered"] = json!(name);
            }
            object
        }
        TcpOption::Malformed { kind, declared, data } => {
            let mut object = json!({"kind": kind, "name": "malformed", "data": hex(data)});
            if let Some(length) = declared {
                object["length"] = json!(length);
            }
            object
        }
    }
}

fn mptcp_object(data: &[u8]) -> Value {
    let mut object = json!({"kind": 30, "name": "mptcp", "data": hex(data)});
    let Some(option) = fields::mptcp(data) else { return object };
    object["subtype"] = json!(option.subtype);
    object["subtype_name"] = json!(option.name);
    for (name, value) in option.fields.iter().filter(|_| option.is_sound) {
        put(&mut object, name, said(value));
    }
    object
}

/// Adds a key; one that is there already becomes a list, as several addresses can be removed at once.
fn put(object: &mut Value, name: &str, value: Value) {
    match &mut object[name] {
        Value::Null => object[name] = value,
        Value::Array(values) => values.push(value),
        first => *first = json!([first.take(), value]),
    }
}

/// A value inside a field.
pub(super) fn said(value: &Said) -> Value {
    match value {
        Said::Number(number) => json!(number),
        Said::Flag(set) => json!(set),
        Said::Text(text) | Said::Flags(text) | Said::Octets(text) => json!(text),
        Said::Address(addr) => json!(addr.to_string()),
        Said::List(list) => list.iter().map(said).collect(),
        Said::Group(parts) => {
            let mut object = json!({});
            parts.iter().for_each(|(name, value)| put(&mut object, name, said(value)));
            object
        }
    }
}
