//! What a fingerprint is blind to, and that it is blind to nothing else.

use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::*;

fn print(definition: &Value) -> Fingerprint {
    of_definition(definition.as_object().unwrap())
}

#[test]
fn orders_that_mean_nothing_are_not_seen() {
    let one = json!({ "name": "t", "inputSchema": { "type": ["string", "null"], "required": ["a", "b"],
        "properties": { "a": { "enum": [1, "x", null] }, "b": { "items": { "anyOf": [{ "enum": ["p", "q"] }] } } },
        "dependentRequired": { "a": ["b", "c"] } }, "_meta": { "fastmcp": { "tags": ["u", "v"] } } });
    let other = json!({ "_meta": { "fastmcp": { "tags": ["v", "u"] } }, "inputSchema": { "required": ["b", "a"],
        "dependentRequired": { "a": ["c", "b"] }, "type": ["null", "string"],
        "properties": { "b": { "items": { "anyOf": [{ "enum": ["q", "p"] }] } }, "a": { "enum": ["x", null, 1] } } },
        "name": "t" });
    assert_eq!(print(&one), print(&other));
}

#[test]
fn orders_that_mean_something_are_seen() {
    for (one, other) in [
        (json!({ "anyOf": [{ "type": "string" }, {}] }), json!({ "anyOf": [{}, { "type": "string" }] })),
        (json!({ "default": { "required": [1, 2] } }), json!({ "default": { "required": [2, 1] } })),
        (
            json!({ "properties": { "enum": { "default": [1, 2] } } }),
            json!({ "properties": { "enum": { "default": [2, 1] } } }),
        ),
        (
            json!({ "properties": { "required": { "const": [1, 2] } } }),
            json!({ "properties": { "required": { "const": [2, 1] } } }),
        ),
        (json!({ "examples": ["a", "b"] }), json!({ "examples": ["b", "a"] })),
    ] {
        assert_ne!(print(&json!({ "inputSchema": &one })), print(&json!({ "inputSchema": other })), "{one}");
    }
}

#[test]
fn numbers_that_a_double_would_round_together_differ() {
    let number =
        |text: &str| print(&serde_json::from_str(&format!(r#"{{"inputSchema":{{"maximum":{text}}}}}"#)).unwrap());
    assert_ne!(number("9007199254740993"), number("9007199254740992"));
    assert_ne!(number("-9223372036854775808"), number("-9223372036854775807"));
    assert_eq!(number("1.0"), number("1"));
    // Beyond 64 bits JSON arrives as a double; that must not fail.
    assert_eq!(number("12345678901234567890123"), number("1.2345678901234567890123e22"));
}

#[test]
fn parts_cannot_run_into_each_other() {
    assert_ne!(print(&json!({ "a": "", "b": "" })), print(&json!({ "a": "\",\"b\":\"" })));
    assert_ne!(print(&json!({ "a": 1 })), print(&json!({ "a": "1" })));
    assert_ne!(print(&json!({})), print(&json!({ "": null })));
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({ "type": "string", "enum": ["a", "b", "c"], "default": "a" })),
        Just(json!({ "type": ["integer", "null"], "minimum": 0, "maximum": 10 })),
        "[a-z ]{0,12}".prop_map(|text| json!({ "type": "string", "description": text })),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::btree_map("[a-e]{1,2}", inner.clone(), 1..4).prop_map(|properties| {
                let required: Vec<_> = properties.keys().cloned().collect();
                json!({ "type": "object", "required": required, "properties": properties })
            }),
            inner.clone().prop_map(|items| json!({ "type": "array", "items": items })),
            prop::collection::vec(inner, 1..3).prop_map(|several| json!({ "anyOf": several })),
        ]
    })
}

fn definition() -> impl Strategy<Value = Value> {
    (schema(), "[a-z ]{0,12}", any::<bool>()).prop_map(|(schema, text, hint)| {
        json!({ "name": "t", "description": text, "inputSchema": schema, "annotations": { "readOnlyHint": hint },
            "icons": [{ "src": "data:," }, { "src": "x" }], "_meta": { "tags": ["x", "y"], "vendor": [3, 1, 2] } })
    })
}

/// Every value inside, by its path.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    all.push(path.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| paths(item, &format!("{path}/{at}"), all));
        }
        Value::Object(members) => members.iter().for_each(|(key, member)| paths(member, &format!("{path}/{key}"), all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same with every object's keys turned round, and every set where turning it means nothing.
fn turned(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(members) => Value::Object(members.iter().rev().map(|(k, v)| (k.clone(), turned(v, k))).collect()),
        Value::Array(items) if matches!(key, "required" | "enum" | "type" | "tags") => {
            items.iter().rev().cloned().collect()
        }
        Value::Array(items) => items.iter().map(|item| turned(item, "")).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

proptest! {
    #[test]
    fn turning_keys_and_sets_round_changes_nothing(definition in definition()) {
        prop_assert_eq!(print(&definition), print(&turned(&definition, "")));
    }

    #[test]
    fn any_other_change_is_seen(definition in definition(), place in any::<Index>(), kind in 0..3) {
        let mut all = Vec::new();
        paths(&definition, "", &mut all);
        let mut changed = definition.clone();
        let path = &all[1..][place.index(all.len() - 1)];
        let value = changed.pointer_mut(path).unwrap();
        match (kind, value) {
            (0, Value::Object(members)) => { members.insert("new".into(), Value::Null); }
            (0, Value::Array(items)) => items.push(json!("new")),
            (1, Value::Object(members)) if !members.is_empty() => {
                let last = members.keys().next_back().unwrap().clone();
                members.remove(&last);
            }
            (1, Value::Array(items)) if !items.is_empty() => { items.pop(); }
            (_, value) => *value = json!(["something else"]),
        }
        prop_assert_ne!(print(&definition), print(&changed), "{}", path);
    }
}
