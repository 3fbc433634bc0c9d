//! VS Code: `mcp.json` (`servers`, `inputs`) and the `mcp` section of settings. What inputs were answered is never looked for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{entry::Context, mcp_servers::read_map, object_at};
use crate::import::model::{Found, Reading};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    let is_settings = found.path.file_name().is_some_and(|name| name == "settings.json");
    let section = match object_at(root, "mcp")? {
        Some(section) => section,
        None if is_settings => return Ok(Reading::default()),
        None => root,
    };
    let mut reading = Reading::default();
    if let Some(servers) = object_at(section, "servers")? {
        let context = Context { inputs: inputs_of(section), ..Context::of(found) };
        read_map(&context, servers, &mut reading);
    }
    Ok(reading)
}

/// The inputs by their id, with the default of those that are no passwords.
fn inputs_of(section: &Map<String, Value>) -> BTreeMap<String, Option<String>> {
    let inputs = section.get("inputs").and_then(Value::as_array).into_iter().flatten();
    inputs
        .filter_map(|input| {
            let id = input.get("id")?.as_str()?;
            let is_password = input.get("password").and_then(Value::as_bool).unwrap_or(false);
            let default = input.get("default").and_then(Value::as_str).filter(|default| !default.is_empty());
            Some((id.to_owned(), default.filter(|_| !is_password).map(str::to_owned)))
        })
        .collect()
}
