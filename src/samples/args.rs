//! The arguments of one call, read by name. They have been checked against the tool's schema, so reading needs no errors.

use serde_json::Value;

use super::fixture::JsonObject;

/// Arguments that fit their schema. What is absent reads as empty or as the default that the script names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Args<'a>(Option<&'a JsonObject>);

impl<'a> Args<'a> {
    pub(super) const fn new(arguments: &'a JsonObject) -> Self {
        Self(Some(arguments))
    }

    /// The raw value of an argument.
    pub(super) fn value(self, key: &str) -> Option<&'a Value> {
        self.0.and_then(|arguments| arguments.get(key))
    }

    /// A text that may be left out.
    pub(super) fn maybe(self, key: &str) -> Option<&'a str> {
        self.value(key).and_then(Value::as_str)
    }

    /// A required text; empty when absent.
    pub(super) fn text(self, key: &str) -> &'a str {
        self.maybe(key).unwrap_or_default()
    }

    /// A text with a default.
    pub(super) fn text_or(self, key: &str, default: &'a str) -> &'a str {
        self.maybe(key).unwrap_or(default)
    }

    /// The texts of a list; empty when absent.
    pub(super) fn texts(self, key: &str) -> Vec<&'a str> {
        self.items(key).iter().filter_map(Value::as_str).collect()
    }

    /// The same as owned texts, for keeping.
    pub(super) fn owned_texts(self, key: &str) -> Vec<String> {
        self.texts(key).into_iter().map(Into::into).collect()
    }

    /// The items of a list; empty when absent.
    pub(super) fn items(self, key: &str) -> &'a [Value] {
        self.value(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A whole number that may be left out.
    pub(super) fn number(self, key: &str) -> Option<u64> {
        self.value(key).and_then(Value::as_u64)
    }

    /// A count with a default.
    pub(super) fn count_or(self, key: &str, default: usize) -> usize {
        self.number(key).and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
    }

    /// A switch; off when absent.
    pub(super) fn is_set(self, key: &str) -> bool {
        self.value(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A nested object; empty when absent.
    pub(super) fn object(self, key: &str) -> Self {
        Self(self.value(key).and_then(Value::as_object))
    }
}

impl<'a> From<&'a Value> for Args<'a> {
    fn from(value: &'a Value) -> Self {
        Self(value.as_object())
    }
}
