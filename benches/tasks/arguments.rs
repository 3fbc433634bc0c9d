//! Arguments that a model might write for a tool: the required ones, of usual size, the same at every run.

use proptest::{
    strategy::{Strategy, ValueTree},
    string,
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

/// Deeper than this, only what must be there is written.
const MAX_DEPTH: usize = 12;

/// Arguments for an input schema: what is required; where nothing is, the first property.
pub fn for_schema(schema: &Value) -> Value {
    let mut arguments = value(schema, schema, "", 0);
    if let (Value::Object(written), Some(Value::Object(properties))) = (&mut arguments, schema.get("properties"))
        && written.is_empty()
        && let Some((name, property)) = properties.iter().next()
    {
        written.insert(name.clone(), value(property, schema, name, 1));
    }
    if arguments.is_object() { arguments } else { json!({}) }
}

fn value(schema: &Value, root: &Value, name: &str, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|reference| followed(reference, root)) {
        return value(target, root, name, depth + 1);
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.as_array()?.first()) {
        return first.clone();
    }
    if let Some(Value::Array(parts)) = schema.get("allOf") {
        return merged(parts.iter().map(|part| value(part, root, name, depth + 1)));
    }
    for choice in ["anyOf", "oneOf"] {
        let members = schema.get(choice).and_then(Value::as_array).into_iter().flatten();
        if let Some(member) = members.into_iter().find(|member| member["type"] != "null") {
            let own = schema.get("properties").map(|_| object(schema, root, depth));
            return merged(own.into_iter().chain([value(member, root, name, depth + 1)]));
        }
    }
    match kind(schema) {
        "object" => object(schema, root, depth),
        "array" => array(schema, root, name, depth),
        "integer" | "number" => number(schema),
        "boolean" => json!(true),
        "null" => Value::Null,
        _ => text(schema, name),
    }
}

fn followed<'s>(reference: &str, root: &'s Value) -> Option<&'s Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// The type; of several, the first that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn object(schema: &Value, root: &Value, depth: usize) -> Value {
    let mut fields = Map::new();
    let no_properties = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&no_properties);
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let property = properties.get(name).unwrap_or(&Value::Null);
        fields.insert(name.into(), value(property, root, name, depth + 1));
    }
    let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
    for (name, property) in properties {
        if fields.len() as u64 >= least {
            break;
        }
        if !fields.contains_key(name) {
            fields.insert(name.clone(), value(property, root, name, depth + 1));
        }
    }
    Value::Object(fields)
}

fn array(schema: &Value, root: &Value, name: &str, depth: usize) -> Value {
    if let Some(Value::Array(items)) = schema.get("prefixItems") {
        return items.iter().map(|item| value(item, root, name, depth + 1)).collect();
    }
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 8);
    let item = schema.get("items").unwrap_or(&Value::Null);
    (0..least).map(|_| value(item, root, name, depth + 1)).collect()
}

fn number(schema: &Value) -> Value {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|least| least + 1));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|most| most - 1));
    let usual = 10.max(least.unwrap_or(10));
    json!(most.map_or(usual, |most| usual.min(most)))
}

fn text(schema: &Value, name: &str) -> Value {
    if let Some(made) = schema.get("pattern").and_then(Value::as_str).and_then(matching) {
        return json!(made);
    }
    let by_format = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-05-04T10:15:00Z",
        Some("date") => "2026-05-04",
        Some("time") => "10:15:00Z",
        Some("email") => "ada@example.com",
        Some("uuid") => "123e4567-e89b-42d3-a456-426614174000",
        Some("uri" | "url") => "https://example.com/page",
        _ => "",
    };
    let name = name.to_lowercase();
    let holds = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    let text = match by_format {
        "" if holds(&["query", "sql", "code", "script", "expression"]) => {
            "select name, total from orders where total > 100"
        }
        "" if holds(&["content", "body", "text", "message", "description", "markdown", "thought"]) => {
            "The export to CSV loses the last row when the file is opened in a spreadsheet. Steps are in the ticket."
        }
        "" if holds(&["path", "file", "uri", "url"]) => "https://example.com/reports/2026/orders.csv",
        "" if holds(&["title", "name", "summary", "subject"]) => "Quarterly orders report",
        "" if holds(&["id", "key", "token", "owner", "project"]) => "PRJ-4711",
        "" if holds(&["date", "time", "start", "end"]) => "2026-05-04T10:15:00Z",
        "" => "example value",
        text => text,
    };
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let (least, most) = (bound("minLength").unwrap_or(0).min(10_000), bound("maxLength").unwrap_or(usize::MAX));
    let length = text.chars().count().clamp(least.min(most), most);
    json!(text.chars().cycle().take(length).collect::<String>())
}

/// A text that matches a regular expression, the same at every run; `None` where it is of another dialect.
fn matching(pattern: &str) -> Option<String> {
    let ascii =
        pattern.trim_start_matches('^').trim_end_matches('$').replace("\\d", "[0-9]").replace("\\w", "[0-9A-Za-z_]");
    let texts = string::string_regex(&ascii).ok()?;
    Some(texts.new_tree(&mut TestRunner::deterministic()).ok()?.current())
}

fn merged(parts: impl Iterator<Item = Value>) -> Value {
    parts
        .reduce(|whole, part| match (whole, part) {
            (Value::Object(mut whole), Value::Object(part)) => {
                whole.extend(part);
                Value::Object(whole)
            }
            (whole, _) => whole,
        })
        .unwrap_or(Value::Null)
}
