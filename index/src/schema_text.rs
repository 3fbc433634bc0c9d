//! What a JSON Schema says in words: names of arguments, values they may take, and what is said of them.
//!
//! A reader, not a validator: it takes what it finds and never fails, whatever a backend sent. Bounded in depth and size.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// How deep named arguments are followed: an argument of an argument of an argument of an argument.
const MAX_ARGUMENT_DEPTH: usize = 4;

/// How many schemas within a schema are looked at, in all. Large real ones have some hundreds.
const MAX_SCHEMAS: usize = 4_000;

/// How deep schemas nest without naming anything (`items`, `anyOf`), so that the reading cannot exhaust the stack.
const MAX_NESTING: usize = 32;

/// How many values of one enumeration count; the long ones list currencies and time zones.
const MAX_VALUES: usize = 20;

/// Longest value that is still a word or a name rather than data, in bytes.
const MAX_VALUE_BYTES: usize = 80;

/// The words of a schema, parted by newlines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ArgumentTexts {
    pub names: String,
    pub values: String,
    pub descriptions: String,
}

struct Reader<'a> {
    root: &'a Value,
    texts: ArgumentTexts,
    /// `$ref`s already followed: each definition counts once, and a schema that holds itself ends.
    followed: HashSet<&'a str>,
    schemas_left: usize,
}

/// Reads the arguments of a tool.
pub(crate) fn read(schema: &Value) -> ArgumentTexts {
    let mut reader =
        Reader { root: schema, texts: ArgumentTexts::default(), followed: HashSet::new(), schemas_left: MAX_SCHEMAS };
    reader.schema(schema, 0, 0);
    reader.texts
}

impl<'a> Reader<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize, nesting: usize) {
        let Value::Object(schema) = schema else { return };
        if nesting > MAX_NESTING || self.schemas_left == 0 {
            return;
        }
        self.schemas_left -= 1;
        self.values(schema);
        // The description of the whole schema repeats the tool's own.
        if depth > 0
            && let Some(Value::String(text)) = schema.get("description")
        {
            push(&mut self.texts.descriptions, text);
        }
        if depth < MAX_ARGUMENT_DEPTH
            && let Some(Value::Object(properties)) = schema.get("properties")
        {
            for (name, property) in properties {
                push(&mut self.texts.names, name);
                self.schema(property, depth + 1, nesting + 1);
            }
        }
        for key in ["items", "additionalProperties", "not", "if", "then", "else"] {
            if let Some(inner) = schema.get(key) {
                self.schema(inner, depth, nesting + 1);
            }
        }
        for key in ["anyOf", "oneOf", "allOf", "prefixItems", "items"] {
            if let Some(Value::Array(choices)) = schema.get(key) {
                choices.iter().for_each(|choice| self.schema(choice, depth, nesting + 1));
            }
        }
        if let Some(Value::String(reference)) = schema.get("$ref")
            && let Some(pointer) = reference.strip_prefix('#')
            && self.followed.insert(pointer)
            && let Some(target) = self.root.pointer(pointer)
        {
            self.schema(target, depth, nesting + 1);
        }
    }

    fn values(&mut self, schema: &'a Map<String, Value>) {
        let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().take(MAX_VALUES);
        for value in listed.chain(schema.get("const")).filter_map(Value::as_str) {
            if value.len() <= MAX_VALUE_BYTES {
                push(&mut self.texts.values, value);
            }
        }
    }
}

fn push(texts: &mut String, text: &str) {
    texts.push_str(text);
    texts.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_values_and_descriptions_of_nested_arguments_are_read() {
        let texts = read(&json!({
            "type": "object",
            "description": "repeats the tool",
            "properties": {
                "state": {"enum": ["open", "closed", 3]},
                "filter": {"type": "array", "items": {"properties": {"label": {"description": "of the issue"}}}},
                "order": {"oneOf": [{"const": "newest"}, {"$ref": "#/$defs/Custom"}]},
            },
            "$defs": {"Custom": {"properties": {"key": {}}}, "Unused": {"properties": {"never": {}}}},
        }));
        assert_eq!(texts.names, "state\nfilter\nlabel\norder\nkey\n");
        assert_eq!(texts.values, "open\nclosed\nnewest\n");
        assert_eq!(texts.descriptions, "of the issue\n");
    }

    #[test]
    fn a_schema_that_holds_itself_ends() {
        let texts = read(&json!({"properties": {"child": {"$ref": "#"}, "other": {"$ref": "#"}}}));
        assert_eq!(texts.names.matches("child").count(), 2);
    }

    #[test]
    fn arguments_are_followed_four_deep() {
        let mut schema = json!({"properties": {"f": {}}});
        for name in ["e", "d", "c", "b", "a"] {
            schema = json!({"properties": {name: schema}});
        }
        assert_eq!(read(&schema).names, "a\nb\nc\nd\n");
    }

    #[test]
    fn what_is_no_schema_says_nothing() {
        for odd in [json!(null), json!(true), json!([1]), json!({"properties": 7, "enum": {}, "anyOf": "x", "$ref": 1})]
        {
            assert_eq!(read(&odd), ArgumentTexts::default());
        }
    }

    #[test]
    fn a_deep_schema_is_cut_and_costs_no_stack() {
        let mut schema = json!({"enum": ["deep"]});
        for _ in 0..90 {
            schema = json!({"items": schema});
        }
        assert_eq!(read(&schema).values, "");
    }
}
