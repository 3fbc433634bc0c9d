//! Tools and servers for this room's tests, written here.

use std::{sync::Arc, time::SystemTime};

use serde_json::{Value, json};

use crate::catalog::{Era, JsonObject, ServerEntry, ToolEntry};

/// A tool of this full name with this description and input schema.
#[expect(clippy::needless_pass_by_value, reason = "callers write the schema in place")]
pub(crate) fn tool(id: &str, description: &str, input_schema: Value) -> ToolEntry {
    let id: crate::ids::ToolId = id.parse().unwrap();
    let definition =
        object(json!({ "name": id.tool.as_str(), "description": description, "inputSchema": input_schema }));
    ToolEntry::new(id, &definition)
}

/// A tool whose input schema has these properties, the first `required` of them required.
#[expect(clippy::needless_pass_by_value, reason = "callers write the schema in place")]
pub(crate) fn with(id: &str, required: &[&str], properties: Value) -> ToolEntry {
    tool(id, "", json!({ "type": "object", "properties": properties, "required": required }))
}

/// A server with so many small tools.
pub(crate) fn server(name: &str, tools: usize) -> ServerEntry {
    let names: Vec<String> = (0..tools).map(|at| format!("list_things_{at}")).collect();
    server_of(name, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A server with tools of these names.
pub(crate) fn server_of(name: &str, tools: &[&str]) -> ServerEntry {
    let schema = json!({ "type": "object", "properties": { "id": { "type": "string", "description": "Which one." } } });
    ServerEntry {
        name: name.parse().unwrap(),
        era: Era::Legacy,
        protocol_version: "2025-06-18".into(),
        server_info: JsonObject::new(),
        capabilities: JsonObject::new(),
        instructions: None,
        tools: tools
            .iter()
            .map(|tool_name| Arc::new(tool(&format!("{name}/{tool_name}"), "Does it.", schema.clone())))
            .collect(),
        prompts: Vec::new(),
        resources: Vec::new(),
        resource_templates: Vec::new(),
        quarantined: Vec::new(),
        read_at: SystemTime::UNIX_EPOCH,
    }
}

pub(crate) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}
