//! Claude Code: `~/.claude.json` with the user's servers and those of single projects, and a project's `.mcp.json`.

use serde_json::{Map, Value};

use super::{entry::Context, mcp_servers::read_map, object_at};
use crate::import::model::{Found, Reading};

pub(super) fn read(found: &Found, root: &Map<String, Value>) -> Result<Reading, &'static str> {
    let mut reading = Reading::default();
    if let Some(servers) = object_at(root, "mcpServers")? {
        read_map(&Context::of(found), servers, &mut reading);
    }
    for (folder, project) in object_at(root, "projects")?.into_iter().flatten() {
        // One damaged project costs no other; most have no servers at all.
        let Some(project) = project.as_object() else { continue };
        let Ok(Some(servers)) = object_at(project, "mcpServers") else { continue };
        let context = Context { project: Some(folder.into()), ..Context::of(found) };
        let before = reading.candidates.len();
        read_map(&context, servers, &mut reading);
        let disabled = |label: &str| {
            let list = project.get("disabledMcpServers").and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|name| name == label))
        };
        for candidate in &mut reading.candidates[before..] {
            candidate.enabled &= !disabled(&candidate.label);
        }
    }
    Ok(reading)
}
