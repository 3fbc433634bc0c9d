//! Checks arguments against a tool's schema before any backend is touched, and says each problem by JSON pointer.
//!
//! A schema is a backend's text: compiled without any network or file access, with a linear-time regex engine, capped in
//! size and depth. A schema that cannot be compiled blocks nothing; the backend then judges for itself.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::{PatternOptions, ValidationError, Validator, error::ValidationErrorKind};
use lru::LruCache;
use serde_json::Value;

use crate::catalog::{Fingerprint, JsonObject, ToolEntry};

/// Compiled schemas kept. A conversation uses a few dozen tools; 256 compiled schemas stay in the low megabytes.
const CACHED: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Problems named in one reply; more would only repeat the lesson.
const MAX_PROBLEMS: usize = 8;

/// Deepest arguments that are checked and sent on.
const MAX_DEPTH: usize = 64;

/// Largest schema that is compiled, in bytes of JSON. The largest of 5,498 captured ones has some 100 KB.
const MAX_SCHEMA_BYTES: usize = 256 * 1024;

/// Longest text of one problem, so that a pattern of a page does not fill the reply.
const MAX_PROBLEM_CHARS: usize = 240;

/// Values of an enum shown in a problem; the signature shows the rest where it can.
const MAX_OPTIONS: usize = 12;

/// Checks arguments; keeps the compiled schemas of recently called tools.
#[derive(Debug)]
pub struct ArgumentChecker {
    compiled: Mutex<LruCache<Fingerprint, Option<Arc<Validator>>>>,
}

/// One thing wrong with the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentProblem {
    /// JSON pointer into the arguments; empty for the whole object.
    pub pointer: String,
    /// What is wrong, without the value itself.
    pub reason: String,
}

impl Default for ArgumentChecker {
    fn default() -> Self {
        Self { compiled: Mutex::new(LruCache::new(CACHED)) }
    }
}

impl ArgumentChecker {
    /// Every problem of `arguments`, at most eight; empty where they fit.
    #[must_use]
    pub fn problems(&self, tool: &ToolEntry, arguments: &JsonObject) -> Vec<ArgumentProblem> {
        let arguments = Value::Object(arguments.clone());
        if depth(&arguments) > MAX_DEPTH {
            return vec![ArgumentProblem {
                pointer: String::new(),
                reason: format!("nested deeper than {MAX_DEPTH} levels"),
            }];
        }
        let Some(validator) = self.validator(tool) else { return Vec::new() };
        validator
            .iter_errors(&arguments)
            .take(MAX_PROBLEMS)
            .map(|error| ArgumentProblem {
                pointer: error.instance_path().to_string(),
                reason: shortened(&reason(&error)),
            })
            .collect()
    }

    fn validator(&self, tool: &ToolEntry) -> Option<Arc<Validator>> {
        let cached = |checker: &Self| {
            checker.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&tool.fingerprint).cloned()
        };
        if let Some(known) = cached(self) {
            return known;
        }
        // Compiled outside the lock: a large schema must not hold up calls of other tools.
        let compiled = compile(tool.input_schema()).map(Arc::new);
        let mut cache = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        cache.put(tool.fingerprint, compiled.clone());
        compiled
    }
}

fn compile(schema: &Value) -> Option<Validator> {
    if depth(schema) > MAX_DEPTH || serde_json::to_vec(schema).map_or(true, |bytes| bytes.len() > MAX_SCHEMA_BYTES) {
        return None;
    }
    jsonschema::options().with_pattern_options(PatternOptions::regex()).build(schema).ok()
}

/// What is wrong, as an order that the next attempt can follow. The value is not repeated: it may be a secret, and the
/// model knows what it sent.
fn reason(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { property } => format!("{property} is missing"),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let names: Vec<_> = unexpected.iter().map(|name| format!("{name:?}")).collect();
            format!("{} is no argument of this tool", names.join(", "))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let shown: Vec<_> = options.iter().take(MAX_OPTIONS).map(Value::to_string).collect();
            let more = options.len().saturating_sub(MAX_OPTIONS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("must be one of {}{more}", shown.join(", "))
        }
        _ => error.masked_with("the value").to_string(),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(object) => 1 + object.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_PROBLEM_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}
