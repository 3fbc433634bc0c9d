//! Gemini CLI: `mcpServers` of `settings.json`, where `httpUrl` is Streamable HTTP and `url` is HTTP+SSE.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of},
    mcp_servers::{self, rename},
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    let mut reading = mcp_servers::read_shaped(found, root, "mcpServers", shared_shape)?;
    // The list of servers that may be used at all, and of those that may not.
    let listed = |key: &str| {
        let list = root.get("mcp").and_then(|mcp| mcp.get(key)).and_then(Value::as_array);
        list.map(|names| names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
    };
    let (allowed, excluded) = (listed("allowed"), listed("excluded").unwrap_or_default());
    for candidate in &mut reading.candidates {
        candidate.enabled &= allowed.as_ref().is_none_or(|allowed| allowed.contains(&candidate.label))
            && !excluded.contains(&candidate.label);
    }
    Ok(reading)
}

fn shared_shape(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    let mut entry = object_of(context, entry)?;
    if entry.contains_key("httpUrl") {
        rename(&mut entry, "httpUrl", "url");
        entry.entry("type").or_insert_with(|| "http".into());
    } else if entry.contains_key("url") && !entry.contains_key("command") {
        entry.entry("type").or_insert_with(|| "sse".into());
    }
    Ok(entry)
}
