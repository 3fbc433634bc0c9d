//! The plain broker: two tools, and search replies that are JSON Schemas. What most gateways with a search do, written as lean as
//! that can be: compact JSON, nothing but name, description and schema, no second copy, no envelope.

use serde_json::{Value, json};
use toolcrib::{broker::Broker, economy, ids::ToolId};

/// Its two tools, as they are listed.
pub fn tools_json() -> String {
    json!([
        {
            "name": "search_tools",
            "description": "Search the tools of all connected servers by what you want done. Returns name, description and input \
schema of the best matches; call them with call_tool.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "query": { "type": "string", "description": "what you want done" },
                    "limit": { "type": "integer", "default": 5 },
                },
                "required": ["query"],
            },
        },
        {
            "name": "call_tool",
            "description": "Call a tool found with search_tools",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "arguments": { "type": "object" },
                },
                "required": ["name"],
            },
        },
    ])
    .to_string()
}

/// What its model pays before the first word.
pub fn start_tokens() -> usize {
    economy::count(&tools_json())
}

/// Its reply with these tools, best first.
pub fn reply(ids: &[ToolId], broker: &Broker) -> String {
    let catalog = broker.library().catalog();
    let tools = ids.iter().filter_map(|id| catalog.tool(id));
    let shown = tools.map(|tool| {
        json!({
            "name": flat(&tool.id),
            "description": tool.description(),
            "inputSchema": tool.input_schema(),
        })
    });
    Value::from(shown.collect::<Vec<_>>()).to_string()
}

/// How clients and most gateways name a server's tool.
pub fn flat(id: &ToolId) -> String {
    format!("{}__{}", id.server, id.tool)
}
