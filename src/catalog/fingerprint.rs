//! Fingerprints: one SHA-256 over everything a backend said, blind only to what means nothing.
//!
//! Hashed is the RFC 8785 form of the whole definition, unknown keys included, so that any change of meaning shows. The
//! order of keys means nothing, nor does the order of parts that are sets: `required`, `enum`, `type` and
//! `dependentRequired` where a schema has them, `tags` beside the schemas. Real servers shuffle these at every start.
//!
//! RFC 8785 writes numbers as doubles. Integers that a double cannot hold are therefore hashed once more, as their
//! digits, behind the canonical text; two such numbers never share a fingerprint by rounding.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::{Catalog, Fingerprint, JsonObject, ServerEntry};

/// The largest integer up to which a double holds every one: 2^53.
const EXACT_INTEGERS: u64 = 1 << 53;

/// Fingerprint of a tool's definition.
#[must_use]
pub fn of_definition(definition: &JsonObject) -> Fingerprint {
    let mut members: Vec<_> = definition.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    let mut hash = Sha256::new();
    for (key, value) in members {
        framed(&mut hash, key.as_bytes());
        framed(&mut hash, &canonical_member(key, value));
    }
    Fingerprint(hash.finalize().into())
}

/// Fingerprint of all that a server offers: what it says of itself and its lists, each taken as a set. Not part of it are
/// the era, the time of reading and what was quarantined.
#[must_use]
pub fn of_listing(entry: &ServerEntry) -> Fingerprint {
    let mut hash = Sha256::new();
    for about in [&entry.server_info, &entry.capabilities] {
        hash.update(of_definition(about).0);
    }
    framed(&mut hash, entry.instructions.as_deref().unwrap_or_default().as_bytes());
    let mut tools: Vec<_> = entry.tools.iter().map(|tool| (tool.name(), tool.fingerprint)).collect();
    tools.sort_unstable();
    framed_count(&mut hash, tools.len());
    for (name, fingerprint) in tools {
        framed(&mut hash, name.as_str().as_bytes());
        hash.update(fingerprint.0);
    }
    for list in [&entry.prompts, &entry.resources, &entry.resource_templates] {
        hash.update(of_list(list).0);
    }
    Fingerprint(hash.finalize().into())
}

/// Fingerprint of a list whose order means nothing.
pub(super) fn of_list(list: &[JsonObject]) -> Fingerprint {
    let mut items: Vec<_> = list.iter().map(of_definition).collect();
    items.sort_unstable();
    let mut hash = Sha256::new();
    framed_count(&mut hash, items.len());
    for item in items {
        hash.update(item.0);
    }
    Fingerprint(hash.finalize().into())
}

/// A key for everything that a search index over this catalog depends on: names and definitions in their order, and
/// what servers say of themselves. Changes when, and only when, an index built from it is outdated.
#[must_use]
pub fn content_key(catalog: &Catalog) -> String {
    let mut hash = Sha256::new();
    for (name, server) in &catalog.servers {
        framed(&mut hash, name.as_str().as_bytes());
        hash.update(of_definition(&server.server_info).0);
        framed(&mut hash, server.instructions.as_deref().unwrap_or_default().as_bytes());
        framed_count(&mut hash, server.tools.len());
        for tool in &server.tools {
            framed(&mut hash, tool.name().as_str().as_bytes());
            hash.update(tool.fingerprint.0);
        }
    }
    Fingerprint(hash.finalize().into()).to_string()
}

/// One member of a definition in the form that is hashed; two members mean the same when these are equal.
pub(super) fn canonical_member(key: &str, value: &Value) -> Vec<u8> {
    let mut value = value.clone();
    if matches!(key, "inputSchema" | "outputSchema") {
        sort_schema_sets(&mut value);
    } else {
        if key == "tags" {
            sort_set(&mut value);
        }
        sort_tags(&mut value);
    }
    canonical(&value)
}

/// RFC 8785 text, then the digits of each integer that it rounds, in the order of keys and items. The NUL before each is
/// in no canonical text, so the two cannot run into each other.
fn canonical(value: &Value) -> Vec<u8> {
    // Nothing that was parsed from JSON is refused today. If a later version refused a number, plain JSON is still
    // a faithful text, only sensitive to the order of keys.
    let mut text = serde_json_canonicalizer::to_vec(value)
        .or_else(|_| serde_json::to_vec(value))
        .unwrap_or_else(|_| value.to_string().into_bytes());
    append_rounded_integers(value, &mut text);
    text
}

fn append_rounded_integers(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Number(number) if is_rounded(number) => {
            text.push(0);
            text.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Array(items) => items.iter().for_each(|item| append_rounded_integers(item, text)),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            members.into_iter().for_each(|(_, member)| append_rounded_integers(member, text));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_rounded(number: &Number) -> bool {
    let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    size.is_some_and(|size| size > EXACT_INTEGERS)
}

/// Sorts the sets of a schema, and of every schema inside. Only keywords are touched: the same words inside `default`,
/// `const` or `examples` are values, where order counts, and inside `properties` they are names of arguments.
fn sort_schema_sets(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    for (keyword, value) in members.iter_mut() {
        match keyword.as_str() {
            "required" | "enum" | "type" => sort_set(value),
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                each_member(value, sort_schema_sets);
            }
            "dependentRequired" => each_member(value, sort_set),
            "items" | "prefixItems" | "anyOf" | "oneOf" | "allOf" => {
                if let Value::Array(schemas) = value {
                    schemas.iter_mut().for_each(sort_schema_sets);
                } else {
                    sort_schema_sets(value);
                }
            }
            "additionalProperties"
            | "additionalItems"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "propertyNames"
            | "contains"
            | "not"
            | "if"
            | "then"
            | "else" => sort_schema_sets(value),
            _ => {}
        }
    }
}

/// Sorts every `tags` outside of schemas, like FastMCP's `_meta.fastmcp.tags`.
fn sort_tags(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members.iter_mut() {
                if key == "tags" {
                    sort_set(member);
                }
                sort_tags(member);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(sort_tags),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn each_member(value: &mut Value, visit: fn(&mut Value)) {
    if let Value::Object(members) = value {
        members.values_mut().for_each(visit);
    }
}

fn sort_set(value: &mut Value) {
    if let Value::Array(items) = value {
        items.sort_by_cached_key(canonical);
    }
}

/// Hashes a part behind its length, so that two parts never read like two others.
fn framed(hash: &mut Sha256, part: &[u8]) {
    framed_count(hash, part.len());
    hash.update(part);
}

fn framed_count(hash: &mut Sha256, count: usize) {
    hash.update((count as u64).to_be_bytes());
}

#[cfg(test)]
mod tests;
