//! The whole of what a model sees at the start: three tools, always the same, and the fixed part of the instructions.
//!
//! Every word here is paid for in every conversation, so a snapshot holds text and token counts. Names and schemas only;
//! what the tools do is in `broker`.

use serde_json::{Value, json};

/// Finds tools.
pub const SEARCH_TOOLS: &str = "search_tools";

/// Says all of a tool.
pub const DESCRIBE_TOOL: &str = "describe_tool";

/// Calls a tool.
pub const CALL_TOOL: &str = "call_tool";

/// Most hits of one search.
pub const MAX_LIMIT: usize = 20;

/// Hits of a search that names no limit.
pub const DEFAULT_LIMIT: usize = 5;

/// Most tools of one describe.
pub const MAX_DESCRIBED: usize = 10;

/// Longest result in characters that Claude Code shows whole when asked to; its own cut is far below our result budget.
const MAX_RESULT_CHARS: u32 = 500_000;

/// What stands above the summaries. Says what the tools' own descriptions cannot: that these servers are behind them.
const INSTRUCTIONS_HEAD: &str =
    "Servers behind search_tools and call_tool; search before saying that something cannot be done:";

/// What stands in the instructions where the summaries stand elsewhere.
pub const INSTRUCTIONS_WITHOUT_SUMMARIES: &str =
    "Search with search_tools before saying that something cannot be done.";

/// The definition of `search_tools`. `summaries` go into its description for clients that hide instructions.
#[must_use]
pub fn search_tools(summaries: Option<&str>) -> Value {
    let mut description =
        "Find tools by what you want done. Search once per step, verb and object: \"create github issue\". \
Hits are signatures of server/tool; one without an ellipsis is complete: call it."
            .to_owned();
    if let Some(summaries) = summaries.filter(|summaries| !summaries.is_empty()) {
        description.push_str(" Servers:\n");
        description.push_str(summaries);
    }
    json!({
        "name": SEARCH_TOOLS,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": { "type": "string" },
                "server": { "type": "string", "description": "only this one; empty query lists its tools" },
                "limit": { "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT },
            },
            "required": ["query"],
        },
        "annotations": { "readOnlyHint": true, "openWorldHint": false },
        "_meta": { "anthropic/alwaysLoad": true },
    })
}

/// The definition of `describe_tool`.
#[must_use]
pub fn describe_tool() -> Value {
    json!({
        "name": DESCRIBE_TOOL,
        "description": "Full description and arguments of tools whose signature has an ellipsis",
        "inputSchema": {
            "type": "object",
            "properties": {
                "tools": { "type": "array", "items": { "type": "string" }, "maxItems": MAX_DESCRIBED },
            },
            "required": ["tools"],
        },
        "annotations": { "readOnlyHint": true, "openWorldHint": false },
        "_meta": { "anthropic/alwaysLoad": true },
    })
}

/// The definition of `call_tool`. No hints: what it does depends on the tool called.
#[must_use]
pub fn call_tool() -> Value {
    json!({
        "name": CALL_TOOL,
        "description": "Call a found tool",
        "inputSchema": {
            "type": "object",
            "properties": {
                "tool": { "type": "string", "description": "server/tool" },
                "arguments": { "type": "object" },
                "select": { "type": "string", "description": "JSONPath: keep only these parts of a JSON result" },
                "max_tokens": { "type": "integer" },
            },
            "required": ["tool"],
        },
        "_meta": result_meta(),
    })
}

/// `_meta` of tools whose results are a backend's. It never reaches a model.
#[must_use]
pub fn result_meta() -> Value {
    json!({ "anthropic/alwaysLoad": true, "anthropic/maxResultSizeChars": MAX_RESULT_CHARS })
}

/// All three, in the order in which they are listed.
#[must_use]
pub fn tools(summaries: Option<&str>) -> [Value; 3] {
    [search_tools(summaries), describe_tool(), call_tool()]
}

/// The instructions: the fixed part, then the summaries. Without any server they say how to add one.
#[must_use]
pub fn instructions(summaries: &str) -> String {
    if summaries.is_empty() {
        return "No servers are configured yet; `toolcrib import` adds those of other clients.".to_owned();
    }
    format!("{INSTRUCTIONS_HEAD}\n{summaries}")
}

/// The `tools` array as it goes over the wire, and as it is counted.
#[must_use]
pub fn tools_json(summaries: Option<&str>) -> String {
    Value::from(tools(summaries).to_vec()).to_string()
}

#[cfg(test)]
mod tests;
