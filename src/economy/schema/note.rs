//! What a schema says to people: descriptions, examples, formats that no validator knows.

use serde_json::Value;

use super::{leaf::FORMATS, write::json};
use crate::economy::clean;

/// What a field says to people, on one line. `said` looks a keyword up.
pub(super) fn note<'v>(name: &str, said: impl Fn(&str) -> Option<&'v Value>) -> String {
    let mut parts = Vec::new();
    let description = said("description").and_then(Value::as_str).map(clean::line).filter(|text| !text.is_empty());
    let title = said("title").and_then(Value::as_str).map(clean::line);
    match (description, title) {
        (Some(description), _) => parts.push(description),
        (None, Some(title)) if letters(&title) != letters(name) => parts.push(title),
        _ => {}
    }
    if said("deprecated") == Some(&Value::Bool(true)) {
        parts.push("deprecated".into());
    }
    if said("readOnly") == Some(&Value::Bool(true)) {
        parts.push("read-only".into());
    }
    if let Some(format) = said("format").and_then(Value::as_str).filter(|format| !format.is_empty())
        && !FORMATS.contains(&format)
    {
        parts.push(clean::line(format));
    }
    match (said("examples"), said("example")) {
        (Some(Value::Array(examples)), _) if !examples.is_empty() => {
            parts.push(format!("e.g. {}", examples.iter().map(json).collect::<Vec<_>>().join(", ")));
        }
        (None, Some(example)) if !example.is_null() => parts.push(format!("e.g. {}", json(example))),
        _ => {}
    }
    if let Some(items) = said("items") {
        inner_notes(items, &mut parts, 0);
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        for branch in said(keyword).and_then(Value::as_array).into_iter().flatten() {
            inner_notes(branch, &mut parts, 0);
        }
    }
    if let Some(values) = said("additionalProperties").filter(|extra| extra.is_object()) {
        inner_notes(values, &mut parts, 0);
    }
    parts.join("; ")
}

/// What items and branches say, which have no line of their own.
fn inner_notes(schema: &Value, parts: &mut Vec<String>, depth: usize) {
    const MAX_DEPTH: usize = 4;
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(description) = schema.get("description").and_then(Value::as_str).map(clean::line) {
        let said = match schema.get("const") {
            Some(value) => format!("{}: {description}", json(value)),
            None => description,
        };
        if !said.is_empty() && !parts.contains(&said) {
            parts.push(said);
        }
    }
    if let Some(items) = schema.get("items") {
        inner_notes(items, parts, depth + 1);
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            inner_notes(branch, parts, depth + 1);
        }
    }
}

/// A text in letters and digits only, to compare titles with names.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
