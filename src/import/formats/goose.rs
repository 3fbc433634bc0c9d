//! Goose: `extensions` of `config.yaml`, where `env_keys` names secrets that Goose keeps in the system's keyring.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of},
    mcp_servers::{self, rename},
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    let mut reading = mcp_servers::read_shaped(found, root, "extensions", shared_shape)?;
    for candidate in &mut reading.candidates {
        let keys = extensions_keys(root, &candidate.label);
        if !keys.is_empty() {
            let keys = keys.join(", ");
            candidate.notes.push(format!("set {keys} for toolcrib; Goose keeps such values in the keyring"));
        }
    }
    Ok(reading)
}

fn extensions_keys<'a>(root: &'a Map<String, Value>, label: &str) -> Vec<&'a str> {
    let entry = root.get("extensions").and_then(|extensions| extensions.get(label));
    let keys = entry.map(|entry| entry.get("config").unwrap_or(entry)).and_then(|entry| entry.get("env_keys"));
    keys.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn shared_shape(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    let mut entry = object_of(context, entry)?;
    // Some versions keep everything but `enabled` one level deeper.
    if let Some(Value::Object(config)) = entry.remove("config") {
        entry.extend(config);
    }
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind, "builtin" | "platform" | "frontend" | "inline_python") {
        return Err(SkipReason::BuiltIn { client: context.found.client });
    }
    rename(&mut entry, "cmd", "command");
    rename(&mut entry, "uri", "url");
    rename(&mut entry, "envs", "env");
    rename(&mut entry, "available_tools", "includeTools");
    if let Some(Value::Array(keys)) = entry.remove("env_keys") {
        let env = entry.entry("env").or_insert_with(|| Value::Object(Map::new()));
        if env.is_null() {
            *env = Value::Object(Map::new());
        }
        if let Some(env) = env.as_object_mut() {
            for key in keys.iter().filter_map(Value::as_str) {
                env.entry(key).or_insert_with(|| format!("${{env:{key}}}").into());
            }
        }
    }
    Ok(entry)
}
