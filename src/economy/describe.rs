//! What `describe_tool` says of a tool: everything, in as few tokens as that takes.
//!
//! A line per parameter in the form of the signature, with its description behind `//`. A parameter whose schema says more than
//! the form can is given as JSON Schema instead, and so is the whole where the conditions span parameters.

use std::{collections::BTreeSet, fmt::Write};

use serde_json::Value;

use super::{
    boilerplate::{self, Known},
    clean, definition,
    parameters::{Depth, Parameters},
    schema::{
        dialect::Dialect,
        kind::{Field, KeyType, Type},
        note::{joined, of_other_names, same_letters},
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
    let schema = tool.input_schema();
    let parameters = Parameters::read(schema, Depth::Notes);
    let description = boilerplate::plain(&clean::text(tool.description()), schema);
    let known: Vec<Known<'_>> = parameters
        .fields
        .iter()
        .map(|(field, _)| Known { name: &field.name, required: field.required, note: &field.note })
        .collect();
    let sorted = boilerplate::sort_out(&description, &known);
    let lines = lines(schema, &parameters, &sorted.moved);
    // Only lines of their own can take over what was said of the parameters.
    let description = if lines.is_some() { sorted.description } else { description };
    let description =
        if description.is_empty() { tool.title().map(clean::line).unwrap_or_default() } else { description };
    for text in [description.as_str(), &of_the_whole(schema, &description)] {
        if !text.is_empty() {
            out.push('\n');
            out.push_str(text);
        }
    }
    out.push_str("\n\n");
    out.push_str(&lines.unwrap_or_else(|| whole_schema(schema)));
    out
}

/// What the schema says of the arguments as a whole, where the description does not say it.
fn of_the_whole(schema: &Value, description: &str) -> String {
    /// What generators write there by themselves.
    const GENERATED: [&str; 5] =
        ["arguments for ", "parameters for ", "input for ", "input schema for ", "input parameters for "];
    let said = schema.get("description").and_then(Value::as_str).map(clean::line).unwrap_or_default();
    let lower = said.to_lowercase();
    let says_nothing = description.contains(&said) || GENERATED.iter().any(|start| lower.starts_with(start));
    if says_nothing { String::new() } else { said }
}

/// The input contract, a line per parameter, and whether other names are taken. `None` where only the whole schema says it.
///
/// Objects take further names unless `no other keys` stands at the end; then those that do hold `...`.
fn lines(schema: &Value, parameters: &Parameters, moved: &[(String, String)]) -> Option<String> {
    if parameters.conditions || !parameters.exact {
        return None;
    }
    let said = |(field, exact): &(Field, bool)| *exact && field.kind.forbids_names();
    let sealed = parameters.closed
        || parameters.fields.iter().any(said)
        || parameters.other.as_ref().is_some_and(|(_, kind)| kind.forbids_names());
    let style = Style::whole(sealed);
    let mut lines = Vec::with_capacity(parameters.fields.len() + 2);
    let mut references = BTreeSet::new();
    let (required, optional): (Vec<_>, Vec<_>) = parameters.fields.iter().partition(|(field, _)| field.required);
    for (field, exact) in required.into_iter().chain(optional) {
        let mut writer = Writer::new(style, usize::MAX);
        if *exact {
            writer.field(field, 0);
            // The form can hold what it was given, so nothing is missing; a `…` here would be a promise broken.
            if writer.complete {
                lines.push(with_notes(writer.text, &field.name, Some(&field.note), moved));
                continue;
            }
        }
        // In the older drafts a schema means what it means only under its own `$schema`.
        let property = schema.pointer(&format!("/properties/{}", field.name.replace('~', "~0").replace('/', "~1")));
        let property = property.filter(|_| parameters.dialect == Dialect::Plain)?;
        if !gather_references(property, schema, &mut references) {
            return None;
        }
        let mut name = Writer::new(style, usize::MAX);
        name.name(&field.name);
        let mark = if field.required { "" } else { "?" };
        let line = format!("{}{mark}: schema {}", name.text, json(&bare(property, &field.name)));
        lines.push(with_notes(line, &field.name, None, moved));
    }
    let of_others = of_other_names(schema);
    let says_something =
        |other: &&(KeyType, Type)| !matches!(other, (KeyType::Any, Type::Any)) || !of_others.is_empty();
    match parameters.other.as_ref().filter(says_something) {
        None => {
            if lines.is_empty() {
                lines.push(if parameters.closed { "no arguments at all" } else { "no arguments" }.to_owned());
            } else if sealed {
                lines.push(if parameters.closed { "no other keys" } else { "...\nno other keys" }.to_owned());
            }
        }
        Some((key, kind)) => {
            let mut writer = Writer::new(style, usize::MAX);
            writer.other_names(key, kind, 0);
            if !writer.complete {
                return None;
            }
            lines.push(with_notes(writer.text, "", Some(&of_others), &[]));
            if sealed {
                lines.push("no other keys".to_owned());
            }
        }
    }
    for reference in references {
        let definition = reference.strip_prefix('#').and_then(|pointer| schema.pointer(pointer));
        // A reference into a parameter can only be followed in the whole.
        let (true, Some(definition)) = (is_definition(&reference), definition) else { return None };
        lines.push(format!("{reference} = {}", json(&bare(definition, ""))));
    }
    Some(lines.join("\n"))
}

/// A line with what its schema and then the description say of the parameter.
fn with_notes(line: String, name: &str, note: Option<&str>, moved: &[(String, String)]) -> String {
    let moved = moved.iter().filter(|(of, _)| of == name).map(|(_, text)| text.as_str());
    let notes = joined(note.into_iter().chain(moved));
    if notes.is_empty() { line } else { format!("{line} // {notes}") }
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
    let mut whole = bare(schema, "");
    if Dialect::of(schema) == Dialect::Plain
        && let Value::Object(object) = &mut whole
    {
        object.shift_remove("$schema");
    }
    format!("schema {}", json(&whole))
}

/// A schema without titles that say nothing: those that repeat a name, and those beside a description.
fn bare(schema: &Value, name: &str) -> Value {
    let mut schema = schema.clone();
    strip_titles(&mut schema, name);
    schema
}

fn strip_titles(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(object) => {
            let is_described = object.contains_key("description");
            let title = object.get("title").and_then(Value::as_str);
            if title.is_some_and(|title| is_described || name.is_empty() || same_letters(title, name)) {
                object.shift_remove("title");
            }
            for (keyword, inner) in object.iter_mut() {
                match (keyword.as_str(), inner) {
                    // Values, not schemas.
                    ("default" | "enum" | "const" | "examples" | "example", _) => {}
                    ("properties" | "patternProperties" | "$defs" | "definitions", Value::Object(named)) => {
                        named.iter_mut().for_each(|(name, inner)| strip_titles(inner, name));
                    }
                    // A branch or an item has no name to repeat, and its title may be all that is said of it.
                    (_, inner) => strip_titles(inner, name),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip_titles(item, name)),
        _ => {}
    }
}

fn is_definition(reference: &str) -> bool {
    ["#/$defs/", "#/definitions/"].iter().any(|start| reference.starts_with(start))
}

/// Every reference that a schema needs, those of its definitions too. `false` where only the whole document makes sense of it.
fn gather_references(schema: &Value, root: &Value, found: &mut BTreeSet<String>) -> bool {
    match schema {
        Value::Object(object) => object.iter().all(|(keyword, inner)| match (keyword.as_str(), inner) {
            ("$ref", Value::String(reference)) => {
                if found.insert(reference.clone()) {
                    let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
                    target.is_none_or(|target| gather_references(target, root, found))
                } else {
                    true
                }
            }
            ("$id" | "id" | "$anchor" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef", Value::String(_)) => false,
            _ => gather_references(inner, root, found),
        }),
        Value::Array(items) => items.iter().all(|item| gather_references(item, root, found)),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
