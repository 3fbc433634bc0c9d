//! The configuration service: one set of defaults, overrides per environment, a type for each key.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    args::Args,
    script::{Answer, Refusal, Script, json, text},
};

/// Defaults and what environments override.
#[derive(Debug, Deserialize)]
pub(super) struct Configuration {
    defaults: BTreeMap<String, Value>,
    overrides: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Script for Configuration {
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer {
        match tool {
            "config.get" => self.get(args),
            "config.set" => self.set(args),
            "config.list" => self.list(args),
            "config.diff" => self.diff(args),
            "config.validate" => self.validate(args),
            _ => Err(Refusal::unscripted(tool)),
        }
    }
}

impl Configuration {
    fn default_of(&self, key: &str) -> Result<&Value, Refusal> {
        self.defaults.get(key).ok_or_else(|| Refusal::missing("key", key, "See config.list."))
    }

    fn overridden(&self, environment: &str, key: &str) -> Option<&Value> {
        self.overrides.get(environment)?.get(key)
    }

    fn effective<'a>(&'a self, environment: &str, key: &str, default: &'a Value) -> &'a Value {
        self.overridden(environment, key).unwrap_or(default)
    }

    /// Whether a key may have a value: it must be known and keep the type of its default.
    fn check(&self, key: &str, value: &Value) -> Result<(), Refusal> {
        let default = self.default_of(key)?;
        if kind(default) == kind(value) {
            return Ok(());
        }
        Err(format!("`{key}` is a {}, not a {}.", kind(default), kind(value)).into())
    }

    fn get(&self, args: Args<'_>) -> Answer {
        let (key, environment) = (args.text("key"), args.text_or("environment", "dev"));
        let default = self.default_of(key)?;
        let origin = if self.overridden(environment, key).is_some() { "override" } else { "default" };
        let value = self.effective(environment, key, default);
        json(json!({ "key": key, "value": value, "origin": origin, "type": kind(value) }))
    }

    fn set(&mut self, args: Args<'_>) -> Answer {
        let (key, environment) = (args.text("key"), args.text("environment"));
        let new = args.value("value").unwrap_or(&Value::Null);
        self.check(key, new)?;
        let old = self.effective(environment, key, self.default_of(key)?).clone();
        self.overrides.entry(environment.into()).or_default().insert(key.into(), new.clone());
        json(json!({ "key": key, "environment": environment, "old": old, "new": new, "reason": args.maybe("reason") }))
    }

    fn list(&self, args: Args<'_>) -> Answer {
        let (prefix, environment) = (args.text("prefix"), args.text_or("environment", "dev"));
        let lines: Vec<String> = self
            .defaults
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| !args.is_set("overridden_only") || self.overridden(environment, key).is_some())
            .map(|(key, default)| format!("{key} = {}", self.effective(environment, key, default)))
            .collect();
        text(lines.join("\n"))
    }

    fn diff(&self, args: Args<'_>) -> Answer {
        let (left, right) = (args.text("left"), args.text("right"));
        let ignored = args.texts("ignore");
        let differences: Vec<Value> = self
            .defaults
            .iter()
            .filter(|(key, _)| !ignored.contains(&key.as_str()))
            .filter_map(|(key, default)| {
                let (left, right) = (self.effective(left, key, default), self.effective(right, key, default));
                (left != right).then(|| json!({ "key": key, "left": left, "right": right }))
            })
            .collect();
        json(json!({ "differences": differences }))
    }

    fn validate(&self, args: Args<'_>) -> Answer {
        let lines: Vec<String> = args
            .items("changes")
            .iter()
            .map(|change| {
                let change = Args::from(change);
                let key = change.text("key");
                match self.check(key, change.value("value").unwrap_or(&Value::Null)) {
                    Ok(()) => format!("{key}: ok"),
                    Err(Refusal(reason)) => format!("{key}: {reason}"),
                }
            })
            .collect();
        text(lines.join("\n"))
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}
