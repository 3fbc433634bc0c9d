//! What `describe_tool` says of a tool: everything, in as few tokens as that takes.
//!
//! A line per parameter in the form of the signature, with its description behind `//`. A parameter whose schema says more than
//! the form can is given as JSON Schema instead, and so is the whole where the conditions span parameters.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::{Map, Value};

use super::{
    clean, definition,
    parameters::{Depth, Parameters},
    schema::{
        kind::KeyType,
        write::{Style, Writer, json},
    },
};
use crate::catalog::ToolEntry;

/// The full description and the whole input contract of a tool.
#[must_use]
pub fn describe(tool: &ToolEntry) -> String {
    let mut out = clean::line(&tool.id.to_string());
    let hints = hints(tool);
    if !hints.is_empty() {
        let _ = write!(out, " [{}]", hints.join(", "));
    }
    let description = clean::text(tool.description());
    let description =
        if description.is_empty() { tool.title().map(clean::line).unwrap_or_default() } else { description };
    if !description.is_empty() {
        out.push('\n');
        out.push_str(&description);
    }
    out.push_str("\n\n");
    out.push_str(&contract(tool.input_schema()));
    out
}

/// The input contract alone.
#[must_use]
pub fn contract(schema: &Value) -> String {
    let parameters = Parameters::read(schema, Depth::Notes);
    if parameters.conditions || !parameters.exact {
        return whole_schema(schema);
    }
    let mut lines = Vec::with_capacity(parameters.fields.len() + 2);
    let mut references = BTreeSet::new();
    let (required, optional): (Vec<_>, Vec<_>) = parameters.fields.iter().partition(|(field, _)| field.required);
    for (field, exact) in required.into_iter().chain(optional) {
        let mut writer = Writer::new(Style::WHOLE, usize::MAX);
        if *exact {
            writer.field(field, 0);
            // The form can hold what it was given, so nothing is missing; a `…` here would be a promise broken.
            if writer.complete {
                lines.push(if field.note.is_empty() {
                    writer.text
                } else {
                    format!("{} // {}", writer.text, field.note)
                });
                continue;
            }
        }
        let Some(property) =
            schema.pointer(&format!("/properties/{}", field.name.replace('~', "~0").replace('/', "~1")))
        else {
            return whole_schema(schema);
        };
        gather_references(property, schema, &mut references);
        let mut name = Writer::new(Style::WHOLE, usize::MAX);
        name.name(&field.name);
        let mark = if field.required { "" } else { "?" };
        lines.push(format!("{}{mark}: schema {}", name.text, json(&bare(property))));
    }
    if let Some((key, kind)) = &parameters.other {
        let mut writer = Writer::new(Style::WHOLE, usize::MAX);
        writer.text.push('[');
        match key {
            KeyType::Any => writer.text.push_str("key"),
            KeyType::Of(key) => writer.kind(key, 0),
        }
        writer.text.push_str("]: ");
        writer.kind(kind, 0);
        if !writer.complete {
            return whole_schema(schema);
        }
        lines.push(writer.text);
    }
    for reference in references {
        let definition = reference.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
        // A reference into a parameter can only be followed in the whole.
        let (true, Some(definition)) = (is_definition(&reference), definition) else { return whole_schema(schema) };
        lines.push(format!("{reference} = {}", json(&bare(definition))));
    }
    if lines.is_empty() { "no arguments".to_owned() } else { lines.join("\n") }
}

/// What the annotations say, in the words a caller needs.
fn hints(tool: &ToolEntry) -> Vec<&'static str> {
    let hint = |name: &str| definition(tool).get("annotations")?.get(name)?.as_bool();
    let mut words = Vec::new();
    if hint("readOnlyHint") == Some(true) {
        words.push("read-only");
    } else {
        // `destructiveHint` says something only of tools that write.
        if hint("destructiveHint") == Some(true) {
            words.push("destructive");
        }
        if hint("idempotentHint") == Some(true) {
            words.push("idempotent");
        }
    }
    words
}

fn whole_schema(schema: &Value) -> String {
    format!("arguments: schema {}", json(&bare(schema)))
}

/// A schema without what says nothing about arguments: `$schema`, and titles that only repeat names.
fn bare(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(object) = &mut schema {
        object.shift_remove("$schema");
    }
    strip_titles(&mut schema);
    schema
}

fn strip_titles(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            // A property may be called `title`; its schema is no string.
            if object.get("title").is_some_and(Value::is_string) && looks_like_schema(object) {
                object.shift_remove("title");
            }
            for (keyword, inner) in object.iter_mut() {
                // Values, not schemas.
                if !matches!(keyword.as_str(), "default" | "enum" | "const" | "examples" | "example") {
                    strip_titles(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip_titles),
        _ => {}
    }
}

fn looks_like_schema(object: &Map<String, Value>) -> bool {
    ["type", "anyOf", "oneOf", "allOf", "$ref", "enum", "const", "properties", "description"]
        .iter()
        .any(|keyword| object.contains_key(*keyword))
}

fn is_definition(reference: &str) -> bool {
    ["#/$defs/", "#/definitions/"].iter().any(|start| reference.starts_with(start))
}

/// Every reference that a schema needs, those of its definitions too.
fn gather_references(schema: &Value, root: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            for (keyword, inner) in object {
                match (keyword.as_str(), inner) {
                    ("$ref", Value::String(reference)) => {
                        if found.insert(reference.clone()) {
                            let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                            target.into_iter().for_each(|target| gather_references(target, root, found));
                        }
                    }
                    _ => gather_references(inner, root, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather_references(item, root, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
