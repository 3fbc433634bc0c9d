//! Zed: `context_servers` of `settings.json`; older files keep program, arguments and variables below `command`.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of},
    mcp_servers::{self, rename},
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    mcp_servers::read_shaped(found, root, "context_servers", shared_shape)
}

fn shared_shape(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    let mut entry = object_of(context, entry)?;
    let reaches = entry.get("command").is_some_and(|command| !command.is_null()) || entry.contains_key("url");
    if entry.get("source").is_some_and(|source| source == "extension") || (!reaches && entry.contains_key("settings")) {
        return Err(SkipReason::Extension { client: context.found.client });
    }
    if let Some(Value::Object(mut command)) = entry.get("command").cloned() {
        rename(&mut command, "path", "command");
        for key in ["command", "args", "env"] {
            if let Some(value) = command.remove(key) {
                entry.insert(key.to_owned(), value);
            }
        }
    }
    // Zed's `source` and `settings` mean nothing to anyone else.
    Ok(entry)
}
