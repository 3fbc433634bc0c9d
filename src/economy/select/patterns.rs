//! `match` and `search` of JSONPath filters: each pattern is compiled once for a query, and within bounds.
//!
//! The library's own compile it again for each value that a filter looks at: 10 ms for `(x{100}){100}`, so that a short path over
//! an ordinary result would run for hours. Functions that are registered here go before its own.

use std::{cell::RefCell, collections::HashMap};

use regex::{Regex, RegexBuilder};
use serde_json::Value;
use serde_json_path::functions::{LogicalType, ValueType};

/// Largest compiled pattern, in bytes, and most patterns of one query: some values hold patterns themselves.
const MAX_PATTERN_BYTES: usize = 256 * 1024;
const MAX_PATTERNS: usize = 100;

/// What is compiled for the query of this thread.
#[derive(Debug, Default)]
struct Compiled {
    /// By the pattern with what the function adds to it; `None` where it is no pattern.
    patterns: HashMap<String, Option<Regex>>,
    beyond: bool,
}

thread_local! {
    static COMPILED: RefCell<Compiled> = RefCell::default();
}

/// Runs a query; `None` where it has patterns that are too many or too large.
pub(super) fn within_bounds<T>(query: impl FnOnce() -> T) -> Option<T> {
    COMPILED.take();
    let found = query();
    (!COMPILED.take().beyond).then_some(found)
}

#[serde_json_path::function(name = "match")]
fn matches_whole(value: ValueType, pattern: ValueType) -> LogicalType {
    fits(&value, &pattern, |pattern| format!("(?R)^({pattern})$"))
}

#[serde_json_path::function(name = "search")]
fn matches_part(value: ValueType, pattern: ValueType) -> LogicalType {
    fits(&value, &pattern, |pattern| format!("(?R)({pattern})"))
}

fn fits(value: &ValueType<'_>, pattern: &ValueType<'_>, whole: impl Fn(&str) -> String) -> LogicalType {
    let (Some(Value::String(text)), Some(Value::String(pattern))) = (value.as_value(), pattern.as_value()) else {
        return LogicalType::False;
    };
    // A longer one cannot be compiled within the bound either, and need not be copied for that.
    if pattern.len() > MAX_PATTERN_BYTES {
        COMPILED.with_borrow_mut(|compiled| compiled.beyond = true);
        return LogicalType::False;
    }
    COMPILED.with_borrow_mut(|compiled| compiled.fits(text, whole(pattern))).into()
}

impl Compiled {
    fn fits(&mut self, text: &str, pattern: String) -> bool {
        if !self.patterns.contains_key(&pattern) && self.patterns.len() >= MAX_PATTERNS {
            self.beyond = true;
        }
        if self.beyond {
            return false;
        }
        let beyond = &mut self.beyond;
        let regex = self.patterns.entry(pattern).or_insert_with_key(|pattern| {
            let built = RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build();
            *beyond |= matches!(built, Err(regex::Error::CompiledTooBig(_)));
            built.ok()
        });
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}
