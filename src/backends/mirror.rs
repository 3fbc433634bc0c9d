//! The headers by which a modern HTTP endpoint routes a message without reading it: its method, the name it is about, and the
//! arguments of a call that the tool's schema marks with `x-mcp-header`.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex as Gate;

use crate::catalog::JsonObject;

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The key of a schema that names a header.
pub(super) const ANNOTATION: &str = "x-mcp-header";

/// Around a value that is no plain header text.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// What is known of a backend's tools in this respect.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// Arguments to repeat, by tool; only tools that have such.
    tools: Mutex<HashMap<String, Vec<Repeated>>>,
    /// Whether the backend's own list was read, which then counts for more than what others remember. Locked while it is read.
    pub(super) listed: Gate<bool>,
}

/// One argument to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repeated {
    /// Names of the properties that lead to it.
    path: Vec<String>,
    header: HeaderName,
}

/// A tool that may not be used over HTTP, as the protocol has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusable {
    pub(super) tool: String,
    pub(super) reason: String,
}

impl Mirror {
    /// Learns the schema of one tool from somebody's memory.
    pub(super) fn learn(&self, tool: &str, schema: &Value) {
        let repeated = annotations(schema).unwrap_or_default();
        let mut tools = self.tools();
        if repeated.is_empty() {
            tools.remove(tool);
        } else {
            tools.insert(tool.to_owned(), repeated);
        }
    }

    /// Learns from the backend's own list, and takes out of it what may not be used.
    pub(super) fn learn_list(&self, list: &mut Vec<Value>) -> Vec<Unusable> {
        let mut unusable = Vec::new();
        let mut tools = self.tools();
        list.retain(|definition| {
            let Some(tool) = definition.get("name").and_then(Value::as_str) else { return true };
            match definition.get("inputSchema").map_or_else(|| Ok(Vec::new()), annotations) {
                Ok(repeated) if repeated.is_empty() => {
                    tools.remove(tool);
                    true
                }
                Ok(repeated) => {
                    tools.insert(tool.to_owned(), repeated);
                    true
                }
                Err(reason) => {
                    unusable.push(Unusable { tool: shown(tool), reason: shown(&reason) });
                    false
                }
            }
        });
        unusable
    }

    /// The headers of a message.
    pub(super) fn headers(&self, message: &Value) -> Vec<(HeaderName, HeaderValue)> {
        let Some(method) = message.get("method").and_then(Value::as_str) else { return Vec::new() };
        let mut headers = vec![(METHOD, encoded(method))];
        let params = message.get("params");
        let named_by = match method {
            "tools/call" | "prompts/get" => Some("name"),
            "resources/read" => Some("uri"),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
            _ => None,
        };
        let name = named_by.and_then(|key| params?.get(key)?.as_str());
        headers.extend(name.map(|name| (NAME, encoded(name))));
        if let (Some(name), "tools/call") = (name, method)
            && let Some(repeated) = self.tools().get(name)
            && let Some(arguments) = params.and_then(|params| params.get("arguments"))
        {
            headers.extend(repeated.iter().filter_map(|one| {
                let value = one.path.iter().try_fold(arguments, |value, name| value.get(name))?;
                Some((one.header.clone(), encoded(&plain(value)?)))
            }));
        }
        headers.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn tools(&self) -> MutexGuard<'_, HashMap<String, Vec<Repeated>>> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A backend's words in a note of ours: within one line.
fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(160).collect()
}

/// A value as a header has it. Only strings, numbers and truth values have such a form.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => {
            let text = number.to_string();
            // A schema takes `42.0` for an integer; a header has its digits.
            Some(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A header's value; what is no plain text, or looks like an encoded one, is encoded.
fn encoded(text: &str) -> Option<HeaderValue> {
    let odd = text.bytes().any(|byte| !(b' '..=b'~').contains(&byte));
    let padded = text.starts_with(' ') || text.ends_with(' ');
    let looks_encoded = text.starts_with(ENCODED.0) && text.ends_with(ENCODED.1);
    if odd || padded || looks_encoded {
        HeaderValue::try_from(format!("{}{}{}", ENCODED.0, BASE64_STANDARD.encode(text), ENCODED.1)).ok()
    } else {
        HeaderValue::from_str(text).ok()
    }
}

/// The annotations of a tool's schema.
///
/// # Errors
/// Where one is against the rules, in a few words: it must be a distinct token, on a string, integer or boolean that is reached
/// from the root through `properties` alone.
fn annotations(schema: &Value) -> Result<Vec<Repeated>, String> {
    let mut reading = Reading { path: Vec::new(), found: Vec::new(), headers: HashSet::new() };
    if let Value::Object(schema) = schema {
        reading.schema(schema, Place::Reached)?;
    }
    Ok(reading.found)
}

/// Whether a schema is reached from the root through `properties` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Reached,
    Elsewhere,
}

struct Reading {
    path: Vec<String>,
    found: Vec<Repeated>,
    headers: HashSet<HeaderName>,
}

impl Reading {
    fn schema(&mut self, schema: &JsonObject, place: Place) -> Result<(), String> {
        for (key, value) in schema {
            match key.as_str() {
                ANNOTATION if place == Place::Elsewhere || self.path.is_empty() => {
                    return Err(format!("{ANNOTATION} stands where no argument can be told"));
                }
                ANNOTATION => self.annotation(schema, value)?,
                "properties" => self.each(value, place)?,
                "$defs" | "definitions" | "dependentSchemas" | "patternProperties" => {
                    self.each(value, Place::Elsewhere)?;
                }
                // Data, whatever it looks like.
                "default" | "const" | "enum" | "examples" => {}
                _ => self.inside(value)?,
            }
        }
        Ok(())
    }

    fn each(&mut self, schemas: &Value, place: Place) -> Result<(), String> {
        for (name, schema) in schemas.as_object().into_iter().flatten() {
            if let Value::Object(schema) = schema {
                self.path.push(name.clone());
                self.schema(schema, place)?;
                self.path.pop();
            }
        }
        Ok(())
    }

    fn inside(&mut self, value: &Value) -> Result<(), String> {
        match value {
            Value::Object(schema) => self.schema(schema, Place::Elsewhere),
            Value::Array(items) => items.iter().try_for_each(|item| self.inside(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn annotation(&mut self, schema: &JsonObject, name: &Value) -> Result<(), String> {
        let at = self.path.join(".");
        let name = name.as_str().filter(|name| !name.is_empty() && name.bytes().all(is_token));
        let header = name.and_then(|name| HeaderName::try_from(format!("mcp-param-{name}")).ok());
        let Some(header) = header else { return Err(format!("{ANNOTATION} of `{at}` is no name of a header")) };
        if !self.headers.insert(header.clone()) {
            return Err(format!("{ANNOTATION} of `{at}` is another argument's too"));
        }
        if !is_primitive(schema.get("type")) {
            return Err(format!("{ANNOTATION} of `{at}` is on what is no string, integer or boolean"));
        }
        self.found.push(Repeated { path: self.path.clone(), header });
        Ok(())
    }
}

/// A character of a token of RFC 9110.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// A type that a header can hold. What may be null besides counts: a null is left out.
fn is_primitive(of: Option<&Value>) -> bool {
    let holds = |one: &Value| matches!(one.as_str(), Some("string" | "integer" | "boolean"));
    match of {
        Some(Value::Array(types)) => {
            let mut said = types.iter().filter(|one| one.as_str() != Some("null")).peekable();
            said.peek().is_some() && said.all(holds)
        }
        Some(one) => holds(one),
        None => false,
    }
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;
