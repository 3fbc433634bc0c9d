//! The draft a schema is written in, where that changes what it says.

use serde_json::{Map, Value};

use super::merge::is_annotation;

/// How the draft that a schema declares bears on reading it. An undeclared draft is the newest, as validators take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// It says the same in the newest draft.
    Plain,
    /// It spells something as the newest draft does not; a type says it all the same.
    Older,
    /// It holds keywords that its own draft takes no notice of.
    Deaf,
}

/// Years stand for drafts: 4, 6, 7, 2019-09.
fn declared(schema: &Value) -> Option<u16> {
    let name = schema.get("$schema")?.as_str()?;
    let drafts = [("draft-04", 4), ("draft-06", 6), ("draft-07", 7), ("2019-09", 2019)];
    drafts.into_iter().find_map(|(part, draft)| name.contains(part).then_some(draft))
}

impl Dialect {
    /// Reads the declared draft of a document, and looks for what it changes.
    #[must_use]
    pub fn of(schema: &Value) -> Self {
        declared(schema).map_or(Self::Plain, |draft| worst(schema, draft))
    }
}

fn worst(schema: &Value, draft: u16) -> Dialect {
    let mut found = Dialect::Plain;
    match schema {
        Value::Array(items) => items.iter().for_each(|item| found = found.max(worst(item, draft))),
        Value::Object(object) => {
            for (keyword, inner) in object {
                found = found.max(judged(keyword, inner, object, draft));
                if found == Dialect::Deaf {
                    return found;
                }
                if matches!(inner, Value::Array(_) | Value::Object(_)) {
                    found = found.max(worst(inner, draft));
                }
            }
        }
        _ => {}
    }
    found
}

/// A property of this name is judged like the keyword: it then costs tokens, never the truth.
fn judged(keyword: &str, value: &Value, object: &Map<String, Value>, draft: u16) -> Dialect {
    let since = match keyword {
        "prefixItems" | "$dynamicRef" | "$dynamicAnchor" => 2020,
        "dependentRequired"
        | "dependentSchemas"
        | "unevaluatedProperties"
        | "unevaluatedItems"
        | "minContains"
        | "maxContains" => 2019,
        "if" | "then" | "else" => 7,
        "const" | "contains" | "propertyNames" => 6,
        // Beside a reference nothing else counts before 2019.
        "$ref" if draft < 2019 => {
            let alone = object.keys().all(|key| key == "$ref" || is_annotation(key));
            return if alone || !value.is_string() { Dialect::Plain } else { Dialect::Deaf };
        }
        "items" if value.is_array() => return Dialect::Older,
        "exclusiveMinimum" | "exclusiveMaximum" if value.is_boolean() => return Dialect::Older,
        // Before 2019 the encoding of a string was a rule.
        "dependencies" | "additionalItems" | "$recursiveRef" | "contentEncoding" | "contentMediaType" => {
            return Dialect::Older;
        }
        _ => return Dialect::Plain,
    };
    if draft < since { Dialect::Deaf } else { Dialect::Plain }
}
