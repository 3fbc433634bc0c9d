//! What servers cost before the first word: every definition loaded, against toolcrib's three tools and its lines.
//!
//! Arithmetic over the catalog in o200k_base tokens; a proxy for any one model's tokenizer.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    catalog::{JsonObject, ServerEntry},
    ids::{ServerName, ToolId},
};

use super::{definition, surface, tokens};

/// One server's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerFootprint {
    /// The server.
    pub server: ServerName,
    /// Its tools.
    pub tools: usize,
    /// Tokens of name, description and input schema of each: what a client that loads them sends to the model.
    pub direct_tokens: usize,
    /// Tokens of the whole `tools/list`, output schemas and annotations too.
    pub listed_tokens: usize,
    /// The dearest tool.
    pub largest: Option<ToolFootprint>,
}

/// What one tool costs when loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToolFootprint {
    /// The tool.
    pub tool: ToolId,
    /// Tokens of name, description and input schema.
    pub direct_tokens: usize,
}

/// All servers together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Each server, in the order given.
    pub servers: Vec<ServerFootprint>,
    /// Tools of all servers.
    pub tools: usize,
    /// Tokens of all servers loaded directly.
    pub direct_tokens: usize,
    /// Tokens of all lists as the servers send them.
    pub listed_tokens: usize,
    /// Tokens of toolcrib's own tools and instructions.
    pub toolcrib_tokens: usize,
    /// Tokens saved at the start; zero where toolcrib costs more than it replaces.
    pub saved_tokens: usize,
    /// The same in per cent of what loading directly costs, rounded down.
    pub saved_percent: u8,
}

/// Weighs servers against toolcrib with these summaries.
#[must_use]
pub fn footprint<'a>(servers: impl Iterator<Item = &'a ServerEntry>, summaries: &str) -> Footprint {
    let servers: Vec<ServerFootprint> = servers.map(server_footprint).collect();
    let sum = |of: fn(&ServerFootprint) -> usize| servers.iter().map(of).sum::<usize>();
    let direct_tokens = sum(|server| server.direct_tokens);
    let toolcrib_tokens = start_tokens(summaries);
    let saved_tokens = direct_tokens.saturating_sub(toolcrib_tokens);
    Footprint {
        tools: sum(|server| server.tools),
        direct_tokens,
        listed_tokens: sum(|server| server.listed_tokens),
        toolcrib_tokens,
        saved_tokens,
        saved_percent: u8::try_from(saved_tokens * 100 / direct_tokens.max(1)).unwrap_or(u8::MAX),
        servers,
    }
}

/// What a conversation through toolcrib starts with: the three tools and the instructions.
#[must_use]
pub fn start_tokens(summaries: &str) -> usize {
    tokens::count(&surface::tools_json(None)) + tokens::count(&surface::instructions(summaries))
}

fn server_footprint(entry: &ServerEntry) -> ServerFootprint {
    let mut direct_tokens = 0;
    let mut largest: Option<ToolFootprint> = None;
    let mut listed = Vec::with_capacity(entry.tools.len());
    for tool in &entry.tools {
        let definition = definition(tool);
        let cost = tokens::count(&as_sent(definition).to_string());
        direct_tokens += cost;
        if largest.as_ref().is_none_or(|known| cost > known.direct_tokens) {
            largest = Some(ToolFootprint { tool: tool.id.clone(), direct_tokens: cost });
        }
        listed.push(Value::Object(definition.clone()));
    }
    ServerFootprint {
        server: entry.name.clone(),
        tools: entry.tools.len(),
        direct_tokens,
        listed_tokens: tokens::count(&Value::from(listed).to_string()),
        largest,
    }
}

/// What of a definition reaches a model.
fn as_sent(definition: &JsonObject) -> Value {
    json!({
        "name": definition.get("name"),
        "description": definition.get("description").and_then(Value::as_str).unwrap_or_default(),
        "inputSchema": definition.get("inputSchema"),
    })
}

#[cfg(test)]
mod tests {
    use crate::economy::samples;

    use super::*;

    #[test]
    fn a_footprint_adds_up() {
        let entries = [samples::server("github", 3), samples::server("slack", 2)];
        let all = footprint(entries.iter(), "github (3): issues\nslack (2): messages");
        assert_eq!(all.tools, 5);
        assert_eq!(all.direct_tokens, all.servers.iter().map(|server| server.direct_tokens).sum::<usize>());
        assert!(all.listed_tokens >= all.direct_tokens);
        assert_eq!(all.saved_tokens, all.direct_tokens.saturating_sub(all.toolcrib_tokens));
    }

    #[test]
    fn nothing_configured_saves_nothing_and_divides_by_nothing() {
        let none = footprint(std::iter::empty(), "");
        assert_eq!((none.direct_tokens, none.saved_tokens, none.saved_percent), (0, 0, 0));
    }
}
