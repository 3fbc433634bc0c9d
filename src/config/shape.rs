//! Compares a parsed file with the schema of the raw types, so that *every* misplaced or mistyped key is reported, not
//! only the first one serde stumbles over. What does not fit is taken out; the rest deserializes.
//!
//! Understands the few schema words our own types use, and knows no key by name but the ones people mix up.

use serde_json::{Map, Value};

use super::problems::{KeyPath, Problems};

/// Keys of other programs' configuration files and what they are called here.
const SYNONYMS: [(&str, &str); 12] = [
    ("cmd", "command"),
    ("description", "summary"),
    ("disabled", "enabled"),
    ("environment", "env"),
    ("http_headers", "headers"),
    ("httpurl", "url"),
    ("mcpservers", "servers"),
    ("mcp_servers", "servers"),
    ("serverurl", "url"),
    ("timeout", "call_timeout"),
    ("type", "transport"),
    ("working_directory", "cwd"),
];

/// Removes from `value` whatever does not fit `schema`, noting each as a problem. `false` where nothing is left of it.
pub(super) fn prune(schema: &Value, value: &mut Value, at: &KeyPath, problems: &mut Problems) -> bool {
    if !fits_type(schema, value) {
        let reason = format!("must be {}, not {}", expected(schema), kind(value));
        let remedy = remedy_for(schema, value);
        // What stands where a table or list should be is often a whole command line, with whatever secrets it holds.
        if schema.get("type").is_some_and(|wanted| wanted == "object" || wanted == "array") {
            problems.add(at, reason, remedy);
        } else {
            problems.add_value(at, brief(value), reason, remedy);
        }
        return false;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        problems.add_value(
            at,
            brief(value),
            "is not one of the values it can have",
            format!("write {}", any_of(&allowed)),
        );
        return false;
    }
    if !in_bounds(schema, value) {
        let remedy = match (schema.get("minimum"), schema.get("maximum")) {
            (Some(least), Some(most)) => format!("write a number from {least} to {most}"),
            (Some(least), None) => format!("write a number from {least} up"),
            (None, most) => format!("write a number up to {}", most.unwrap_or(&Value::Null)),
        };
        problems.add_value(at, brief(value), "is out of bounds", remedy);
        return false;
    }
    match value {
        Value::Object(members) => prune_members(schema, members, at, problems),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                let mut index = 0;
                items.retain_mut(|item| {
                    let fits = prune(schema, item, &at.index(index), problems);
                    index += 1;
                    fits
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    true
}

fn prune_members(schema: &Value, members: &mut Map<String, Value>, at: &KeyPath, problems: &mut Problems) {
    let known = schema.get("properties").and_then(Value::as_object);
    let other = schema.get("additionalProperties").filter(|other| other.is_object());
    let names: Vec<&str> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
    for (key, mut member) in std::mem::take(members) {
        let at = at.key(&key);
        if let Some(schema) = known.and_then(|known| known.get(&key)).or(other) {
            if prune(schema, &mut member, &at, problems) {
                members.insert(key, member);
            }
            continue;
        }
        let meant = nearest(&key, &names);
        problems.add(&at, "unknown key", remedy_for_key(&key, meant, &names));
        // Read on as if it were spelt right: its absence would only be reported as a second problem.
        if let (Some(meant), Some(known)) = (meant, known)
            && !members.contains_key(meant)
            && prune(&known[meant], &mut member, &at, &mut Problems::default())
        {
            members.insert(meant.to_owned(), member);
        }
    }
}

/// The known key that was most likely meant.
pub(super) fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let lower = key.to_ascii_lowercase();
    let synonym = SYNONYMS.iter().find(|(foreign, _)| *foreign == lower).map(|(_, ours)| *ours);
    let wanted = plain(key);
    // Distance to a long hostile key costs its length squared; no key of ours is that long.
    if wanted.len() > 40 {
        return None;
    }
    known.iter().copied().find(|candidate| Some(*candidate) == synonym).or_else(|| {
        let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &plain(candidate));
        known
            .iter()
            .copied()
            .min_by_key(|candidate| distance(candidate))
            .filter(|candidate| distance(candidate) <= 1 + candidate.len() / 4)
    })
}

fn remedy_for_key(key: &str, meant: Option<&str>, known: &[&str]) -> String {
    match meant {
        Some("enabled") if key.eq_ignore_ascii_case("disabled") => "write `enabled = false` instead".into(),
        _ if key == "pin" => "move it into `[context]`".into(),
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
            format!("remove it; what can stand here is {}", any_of(&known))
        }
    }
}

fn fits_type(schema: &Value, value: &Value) -> bool {
    let fits = |name: &Value| match name.as_str() {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(fits),
        Some(name) => fits(name),
        None => true,
    }
}

fn in_bounds(schema: &Value, value: &Value) -> bool {
    let bound = |word| schema.get(word).and_then(Value::as_i64);
    // Beyond i64 a number is above every bound of ours.
    let number = if value.is_number() { value.as_i64().unwrap_or(i64::MAX) } else { return true };
    bound("minimum").is_none_or(|least| number >= least) && bound("maximum").is_none_or(|most| number <= most)
}

fn expected(schema: &Value) -> String {
    let name = |name: &Value| match name.as_str() {
        Some("string") => "a text",
        Some("integer") => "a whole number",
        Some("boolean") => "true or false",
        Some("array") => "a list",
        _ => "a table",
    };
    match schema.get("type") {
        Some(Value::Array(names)) => any_of(&names.iter().map(|n| name(n).to_owned()).collect::<Vec<_>>()),
        other => name(other.unwrap_or(&Value::Null)).to_owned(),
    }
}

fn remedy_for(schema: &Value, value: &Value) -> &'static str {
    let wants = |name| schema.get("type").is_some_and(|types| types == name);
    match value {
        Value::String(_) if wants("array") => {
            "put it in brackets: [\"…\"], one element for each word of a command line"
        }
        Value::Number(_) | Value::Bool(_) if wants("string") => "put it in quotes",
        Value::String(_) if wants("integer") || wants("boolean") => "write it without quotes",
        Value::Array(_) if wants("string") => "write one text, without brackets",
        _ if wants("object") => "write a table: { key = \"value\" }",
        _ => "correct the value or remove the line",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// A value short enough to be echoed; tables and lists are only named.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{} elements]", items.len()),
        Value::Object(members) => format!("{{{} keys}}", members.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn any_of(words: &[String]) -> String {
    match words {
        [] => "nothing".into(),
        [word] => word.clone(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_was_meant_is_found_by_distance_case_and_custom() {
        let known =
            ["command", "args", "env", "url", "headers", "enabled", "start_timeout", "call_timeout", "transport"];
        for (key, want) in [
            ("comand", Some("command")),
            ("startTimeout", Some("start_timeout")),
            ("timeout", Some("call_timeout")),
            ("disabled", Some("enabled")),
            ("type", Some("transport")),
            ("serverUrl", Some("url")),
            ("ulr", Some("url")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(key, &known), want, "{key}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), &known), None);
    }
}
