//! Edits of JSON with comments that leave every other byte alone.

use jsonc_parser::cst::{CstInputValue, CstRootNode};
use serde_json::{Map, Value};

use crate::config::JSON_DIALECT;

/// Puts the entry last, or in the place of the one that has its name. `None` where the file has no place for it.
pub(super) fn insert(text: &str, container: &str, name: &str, members: &Map<String, Value>) -> Option<String> {
    let is_new = text.trim().is_empty();
    let root = CstRootNode::parse(if is_new { "{}\n" } else { text }, &JSON_DIALECT).ok()?;
    let servers = root.object_value_or_create()?.object_value_or_create(container)?;
    let entry = CstInputValue::Object(members.iter().map(|(key, value)| (key.clone(), input(value))).collect());
    match servers.get(name) {
        Some(present) => present.set_value(entry),
        None => {
            servers.append(name, entry);
        }
    }
    Some(root.to_string())
}

/// Takes the entry out.
pub(super) fn remove(text: &str, container: &str, name: &str) -> Option<String> {
    let root = CstRootNode::parse(text, &JSON_DIALECT).ok()?;
    root.object_value()?.object_value(container)?.get(name)?.remove();
    Some(root.to_string())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => {
            CstInputValue::Object(members.iter().map(|(key, value)| (key.clone(), input(value))).collect())
        }
    }
}
