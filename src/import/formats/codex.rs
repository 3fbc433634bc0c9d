//! Codex: the `[mcp_servers.NAME]` tables of `config.toml`, which name variables instead of referring to them in values.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of},
    mcp_servers::{self, rename},
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    mcp_servers::read_shaped(found, root, "mcp_servers", shared_shape)
}

fn shared_shape(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    let mut entry = object_of(context, entry)?;
    rename(&mut entry, "http_headers", "headers");
    rename(&mut entry, "enabled_tools", "includeTools");
    rename(&mut entry, "disabled_tools", "excludeTools");
    if let Some(Value::Array(names)) = entry.remove("env_vars") {
        // A plain name, or a table with one.
        let names = names.iter().filter_map(|name| name.as_str().or_else(|| name.get("name")?.as_str()));
        add_references(&mut entry, "env", names.map(|name| (name.to_owned(), name.to_owned())));
    }
    if let Some(Value::Object(headers)) = entry.remove("env_http_headers") {
        let headers = headers.into_iter().filter_map(|(name, variable)| Some((name, variable.as_str()?.to_owned())));
        add_references(&mut entry, "headers", headers);
    }
    if let Some(Value::String(variable)) = entry.remove("bearer_token_env_var")
        && let Some(headers) = object_in(&mut entry, "headers")
    {
        headers.entry("Authorization").or_insert_with(|| format!("Bearer ${{env:{variable}}}").into());
    }
    Ok(entry)
}

/// Adds values that only refer to a variable, below those that are there.
fn add_references(entry: &mut Map<String, Value>, key: &str, pairs: impl Iterator<Item = (String, String)>) {
    if let Some(members) = object_in(entry, key) {
        for (name, variable) in pairs {
            members.entry(name).or_insert_with(|| format!("${{env:{variable}}}").into());
        }
    }
}

fn object_in<'a>(entry: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    entry.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}
