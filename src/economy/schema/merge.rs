//! The schema that two schemas make together (`allOf`, a reference with siblings, a base with branches), where plain
//! joining of keywords says it. Where it does not, there is no answer rather than a wrong one.

use serde_json::{Map, Value};

use super::equal::equal;

/// Whether a keyword says nothing about which values are accepted.
#[must_use]
pub fn is_annotation(keyword: &str) -> bool {
    matches!(
        keyword,
        "title"
            | "description"
            | "default"
            | "examples"
            | "example"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "$schema"
            | "$id"
            | "$comment"
            | "$defs"
            | "definitions"
            | "$anchor"
            | "nullable"
            | "discriminator"
            | "markdownDescription"
    ) || keyword.starts_with("x-")
}

/// One schema that accepts exactly what both accept.
#[must_use]
pub fn merged(one: &Map<String, Value>, other: &Value) -> Option<Map<String, Value>> {
    let other = match other {
        Value::Bool(true) => return Some(one.clone()),
        Value::Object(other) => other,
        _ => return None,
    };
    let places_items =
        |schema: &Map<String, Value>| ["items", "prefixItems"].map(|keyword| schema.contains_key(keyword));
    let items_clash = match (places_items(one), places_items(other)) {
        // `items` speaks of what `prefixItems` beside it leaves over, so moving one beside another changes its meaning.
        ([_, true], [items, prefix]) | ([items, prefix], [_, true]) => items || prefix,
        _ => false,
    };
    // Before 2019 these two mean something together with their neighbours only.
    let leans = |schema: &Map<String, Value>| {
        schema.contains_key("additionalItems")
            || ["exclusiveMinimum", "exclusiveMaximum"]
                .iter()
                .any(|keyword| schema.get(*keyword).is_some_and(Value::is_boolean))
    };
    // It sees what its own schema takes of the names, not what another schema does.
    let blind = |schema: &Map<String, Value>, other: &Map<String, Value>| {
        schema.contains_key("unevaluatedProperties")
            && ["additionalProperties", "patternProperties"].iter().any(|keyword| other.contains_key(*keyword))
    };
    if blind(one, other)
        || blind(other, one)
        || items_clash
        || leans(one)
        || leans(other)
        || !names_fit(one, other)
        || !names_fit(other, one)
    {
        return None;
    }
    let mut both = one.clone();
    for (keyword, theirs) in other {
        let Some(ours) = both.get_mut(keyword) else {
            both.insert(keyword.clone(), theirs.clone());
            continue;
        };
        if ours == theirs || is_annotation(keyword) {
            continue;
        }
        match (keyword.as_str(), &mut *ours, theirs) {
            ("properties", Value::Object(ours), Value::Object(theirs)) => {
                for (name, schema) in theirs {
                    let joined = match ours.get(name) {
                        Some(known) if known != schema => Value::from(Map::from_iter([(
                            "allOf".to_owned(),
                            Value::from(vec![known.clone(), schema.clone()]),
                        )])),
                        _ => schema.clone(),
                    };
                    ours.insert(name.clone(), joined);
                }
            }
            ("required", Value::Array(ours), Value::Array(theirs)) => {
                for name in theirs {
                    if !ours.contains(name) {
                        ours.push(name.clone());
                    }
                }
            }
            ("enum", Value::Array(ours), Value::Array(theirs)) => {
                ours.retain(|value| theirs.iter().any(|theirs| equal(value, theirs)));
            }
            ("type", _, _) => *ours = common_types(ours, theirs)?,
            ("minimum" | "minLength" | "minItems" | "minProperties", _, _) => {
                if theirs.as_f64()? > ours.as_f64()? {
                    *ours = theirs.clone();
                }
            }
            ("maximum" | "maxLength" | "maxItems" | "maxProperties", _, _) => {
                if theirs.as_f64()? < ours.as_f64()? {
                    *ours = theirs.clone();
                }
            }
            ("additionalProperties", _, Value::Bool(true)) => {}
            ("additionalProperties", Value::Bool(true), _) => *ours = theirs.clone(),
            _ => return None,
        }
    }
    Some(both)
}

/// Where one side speaks of all names it does not list, it must list those of the other side.
fn names_fit(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let speaks = |keyword: &str| one.get(keyword).is_some_and(|extra| extra != &Value::Bool(true));
    let restricts = speaks("additionalProperties") || speaks("unevaluatedProperties") || speaks("patternProperties");
    let listed = |schema: &Map<String, Value>, name: &str| {
        schema.get("properties").and_then(Value::as_object).is_some_and(|names| names.contains_key(name))
    };
    !restricts
        || other
            .get("properties")
            .and_then(Value::as_object)
            .is_none_or(|names| names.keys().all(|name| listed(one, name)))
}

fn common_types(ours: &Value, theirs: &Value) -> Option<Value> {
    let list = |kinds: &Value| -> Option<Vec<String>> {
        match kinds {
            Value::String(kind) => Some(vec![kind.clone()]),
            Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().map(str::to_owned)).collect(),
            _ => None,
        }
    };
    let theirs = list(theirs)?;
    let mut common = Vec::new();
    for kind in list(ours)? {
        match kind.as_str() {
            _ if theirs.contains(&kind) => common.push(kind),
            "number" if theirs.iter().any(|other| other == "integer") => common.push("integer".into()),
            "integer" if theirs.iter().any(|other| other == "number") => common.push(kind),
            _ => {}
        }
    }
    match common.len() {
        0 => None,
        1 => common.pop().map(Value::from),
        _ => Some(Value::from(common)),
    }
}
