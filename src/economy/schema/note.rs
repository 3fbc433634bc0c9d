//! What a schema says to people: descriptions, examples, formats that no validator knows.

use serde_json::Value;

use super::{formats, write::json};
use crate::economy::clean;

/// Items in items, and references to references, are followed this far.
const MAX_DEPTH: usize = 8;

/// Most schemas that are looked at for one note. Branches that refer to each other would multiply.
const MAX_VISITS: usize = 1_000;

/// Longest text that is looked at for saying nothing but the name, in bytes.
const MAX_REPETITION_BYTES: usize = 60;

/// What a field says to people, on one line: what is not its name or its type over again.
pub(super) fn note(name: &str, schema: &Value, root: &Value) -> String {
    let mut notes = Notes { root, parts: Vec::new(), visits: 0 };
    notes.field(name, schema);
    joined(notes.parts.iter().map(String::as_str))
}

/// What the arguments' schema says of values under names that it does not list, on one line.
#[must_use]
pub fn of_other_names(schema: &Value) -> String {
    let mut notes = Notes { root: schema, parts: Vec::new(), visits: 0 };
    for keyword in ["additionalProperties", "unevaluatedProperties", "propertyNames"] {
        schema.get(keyword).into_iter().for_each(|values| notes.inner("", values, 1));
    }
    if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
        patterns.values().for_each(|values| notes.inner("", values, 1));
    }
    joined(notes.parts.iter().map(String::as_str))
}

/// Notes behind one another: a sentence ends by itself.
pub fn joined<'n>(notes: impl Iterator<Item = &'n str>) -> String {
    let mut out = String::new();
    for note in notes.filter(|note| !note.is_empty()) {
        if !out.is_empty() {
            out.push_str(if out.ends_with('.') { " " } else { "; " });
        }
        out.push_str(note);
    }
    out
}

struct Notes<'a> {
    root: &'a Value,
    parts: Vec<String>,
    visits: usize,
}

impl<'a> Notes<'a> {
    fn field(&mut self, name: &str, schema: &'a Value) {
        let target = self.target(schema);
        let said = |keyword: &str| schema.get(keyword).or_else(|| target?.get(keyword));
        self.inner(name, schema, 0);
        if self.parts.is_empty()
            && let Some(title) = said("title").and_then(Value::as_str)
        {
            self.add(name, title);
        }
        if said("deprecated") == Some(&Value::Bool(true)) {
            self.parts.push("deprecated".into());
        }
        if said("readOnly") == Some(&Value::Bool(true)) {
            self.parts.push("read-only".into());
        }
        if let Some(format) = said("format").and_then(Value::as_str).filter(|format| !format.is_empty())
            && !formats::is_known(format)
        {
            self.parts.push(clean::line(format));
        }
        match (said("examples"), said("example")) {
            (Some(Value::Array(examples)), _) if !examples.is_empty() => {
                self.parts.push(format!("e.g. {}", examples.iter().map(json).collect::<Vec<_>>().join(", ")));
            }
            (None, Some(example)) if !example.is_null() => self.parts.push(format!("e.g. {}", json(example))),
            _ => {}
        }
    }

    /// Descriptions of a schema and of what has no line of its own: items, branches, values of maps.
    fn inner(&mut self, name: &str, schema: &'a Value, depth: usize) {
        if depth > MAX_DEPTH || self.visits >= MAX_VISITS {
            return;
        }
        self.visits += 1;
        let words = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        match (schema.get("const"), words("description").or_else(|| words("title").filter(|_| depth > 0))) {
            (Some(value), Some(text)) if depth > 0 => {
                let text = clean::line(text);
                let repeats = value.as_str().is_some_and(|value| same_letters(value, &text));
                if !text.is_empty() && !repeats {
                    self.parts.push(format!("{}: {text}", json(value)));
                }
            }
            (_, Some(text)) if schema.get("description").is_some() => self.add(name, text),
            _ => {}
        }
        if let Some(target) = self.target(schema) {
            self.inner(name, target, depth + 1);
        }
        for keyword in ["items", "additionalProperties", "unevaluatedProperties", "propertyNames"] {
            if let Some(inner) = schema.get(keyword).filter(|inner| inner.is_object()) {
                self.inner(name, inner, depth + 1);
            }
        }
        for keyword in ["anyOf", "oneOf", "allOf", "prefixItems", "items"] {
            for branch in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
                self.inner(name, branch, depth + 1);
            }
        }
        if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
            patterns.values().for_each(|value| self.inner(name, value, depth + 1));
        }
    }

    fn add(&mut self, name: &str, text: &str) {
        let text = clean::line(text);
        if !text.is_empty() && !repeats_name(&text, name) && !self.parts.iter().any(|known| known.contains(&text)) {
            self.parts.push(text);
        }
    }

    fn target(&self, schema: &Value) -> Option<&'a Value> {
        self.root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
    }
}

/// Whether a text says no more than a name: "The owner" of `owner`, "Start date." of `startDate`.
#[must_use]
pub fn repeats_name(text: &str, name: &str) -> bool {
    const SMALL: [&str; 7] = ["the", "a", "an", "of", "this", "parameter", "argument"];
    // Signs may be what it is all about.
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | ':' | '\'' | '"' | '`' | '_' | '-');
    if name.is_empty() || text.len() > MAX_REPETITION_BYTES || !text.chars().all(is_plain) {
        return false;
    }
    let said: String = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !SMALL.contains(&word.to_lowercase().as_str()))
        .collect();
    !said.is_empty() && same_letters(&said, name)
}

/// Whether two texts have the same letters and digits, to compare titles with names.
#[must_use]
pub fn same_letters(one: &str, other: &str) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    letters(one) == letters(other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_note_that_is_its_name_over_again_is_left_out() {
        for (name, text) in
            [("owner", "The owner"), ("startDate", "Start date."), ("file_name", "`filename`"), ("id", "ID")]
        {
            assert!(repeats_name(text, name), "{name} {text}");
        }
        for (name, text) in
            [("owner", "The owner's login"), ("video", "ID"), ("share", "share (%)"), ("labels", "A label, or none")]
        {
            assert!(!repeats_name(text, name), "{name} {text}");
        }
    }

    #[test]
    fn what_items_branches_and_references_say_is_gathered_once() {
        let root = json!({ "$defs": { "Label": { "type": "string", "description": "A label" } } });
        let schema = json!({
            "description": "Which ones",
            "type": "array",
            "items": { "anyOf": [{ "$ref": "#/$defs/Label" }, { "const": 0, "title": "None at all" }, { "description": "Which ones" }] },
        });
        assert_eq!(note("labels", &schema, &root), "Which ones; A label; 0: None at all");
    }
}
