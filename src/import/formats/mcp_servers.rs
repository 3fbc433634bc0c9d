//! The `mcpServers` map as it is: Claude Desktop, Cursor, Windsurf, Cline, Roo Code, JetBrains.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of, read_all},
    object_at,
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    let mut reading = Reading::default();
    if let Some(servers) = object_at(root, "mcpServers")? {
        read_map(&Context::of(found), servers, &mut reading);
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
