//! The `mcpServers` map as it is: Claude Desktop, Cursor, Windsurf, Cline, Roo Code, JetBrains.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of, read_all},
    object_at,
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    read_shaped(found, root, "mcpServers", shared_shape)
}

/// Reads the map of servers below `key`; `shape` turns an entry into the shape that all share.
pub(super) fn read_shaped(
    found: &Found,
    root: &Map<String, Value>,
    key: &str,
    shape: impl Fn(&Context<'_>, &Value) -> Result<Map<String, Value>, SkipReason>,
) -> Result<Reading, &'static str> {
    let mut reading = Reading::default();
    let context = Context::of(found);
    if let Some(servers) = object_at(root, key)? {
        let entries = servers.iter().map(|(label, entry)| (label.as_str(), shape(&context, entry)));
        read_all(&context, entries, &mut reading);
    }
    Ok(reading)
}

/// Reads a map of servers whose entries differ from the shared shape at most in what the url is called.
pub(super) fn read_map(context: &Context<'_>, servers: &Map<String, Value>, reading: &mut Reading) {
    read_all(context, servers.iter().map(|(label, entry)| (label.as_str(), shared_shape(context, entry))), reading);
}

fn shared_shape(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    let mut entry = object_of(context, entry)?;
    if !entry.contains_key("url") {
        rename(&mut entry, "serverUrl", "url");
    }
    Ok(entry)
}

/// Calls a field what the shared shape calls it.
pub(super) fn rename(entry: &mut Map<String, Value>, theirs: &str, shared: &str) {
    if let Some(value) = entry.remove(theirs) {
        entry.insert(shared.to_owned(), value);
    }
}
