//! Continue: the `mcpServers` list of `config.yaml` and of the files in its `mcpServers` folder, which may be any client's JSON.

use serde_json::{Map, Value};

use super::{
    entry::{Context, object_of, read_all},
    mcp_servers::read_map,
};
use crate::import::model::{Found, Reading, SkipReason};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    let mut reading = Reading::default();
    let context = Context::of(found);
    match root.get("mcpServers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(servers)) => read_map(&context, servers, &mut reading),
        Some(Value::Array(servers)) => {
            let entries = servers.iter().map(|entry| {
                let label = entry.get("name").or_else(|| entry.get("uses")).and_then(Value::as_str);
                (label.unwrap_or("(no name)"), shared_shape(&context, entry))
            });
            read_all(&context, entries, &mut reading);
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => return Err("its list of servers is no list"),
    }
    Ok(reading)
}

fn shared_shape(context: &Context<'_>, entry: &Value) -> Result<Map<String, Value>, SkipReason> {
    let mut entry = object_of(context, entry)?;
    if entry.contains_key("uses") {
        // A block of Continue's hub.
        return Err(SkipReason::Extension { client: context.found.client });
    }
    if let Some(Value::Object(mut options)) = entry.remove("requestOptions")
        && let Some(headers) = options.remove("headers")
    {
        entry.insert("headers".into(), headers);
    }
    Ok(entry)
}
