//! What servers cost before the first word: every definition loaded, against toolcrib's three tools and its lines.
//!
//! Arithmetic over the catalog in o200k_base tokens; a proxy for any one model's tokenizer.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    catalog::{JsonObject, ServerEntry},
    ids::{ServerName, ToolId},
};

use super::{
    definition,
    pins::{self, Pin},
    shares, surface, tokens,
};

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
    /// Tokens of its share of the summaries: what it costs at start through toolcrib.
    pub start_tokens: usize,
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
    /// What is pinned, in the order in which it is advertised.
    pub pins: Vec<ToolFootprint>,
    /// Tokens of toolcrib's own tools, the instructions and what is pinned.
    pub toolcrib_tokens: usize,
    /// Tokens saved at the start; zero where toolcrib costs more than it replaces.
    pub saved_tokens: usize,
    /// The same in per cent of what loading directly costs, rounded down.
    pub saved_percent: u8,
}

/// Weighs servers against toolcrib with these summaries.
#[must_use]
pub fn footprint<'a>(servers: impl Iterator<Item = &'a ServerEntry>, summaries: &str) -> Footprint {
    let mut servers: Vec<ServerFootprint> = servers.map(server_footprint).collect();
    let names: Vec<ServerName> = servers.iter().map(|server| server.server.clone()).collect();
    for (server, share) in servers.iter_mut().zip(shares::summary_shares(summaries, &names)) {
        server.start_tokens = share;
    }
    let sum = |of: fn(&ServerFootprint) -> usize| servers.iter().map(of).sum::<usize>();
    let direct_tokens = sum(|server| server.direct_tokens);
    let footprint = Footprint {
        tools: sum(|server| server.tools),
        direct_tokens,
        listed_tokens: sum(|server| server.listed_tokens),
        pins: Vec::new(),
        toolcrib_tokens: start_tokens(summaries),
        saved_tokens: 0,
        saved_percent: 0,
        servers,
    };
    footprint.weighed()
}

impl Footprint {
    /// The same with these pinned tools beside the three.
    #[must_use]
    pub fn with_pins(mut self, pins: &[Pin]) -> Self {
        for pin in pins {
            let tokens = pins::pin_tokens(pin);
            self.toolcrib_tokens += tokens;
            self.pins.push(ToolFootprint { tool: pin.id.clone(), direct_tokens: tokens });
        }
        self.weighed()
    }

    fn weighed(mut self) -> Self {
        self.saved_tokens = self.direct_tokens.saturating_sub(self.toolcrib_tokens);
        self.saved_percent = u8::try_from(self.saved_tokens * 100 / self.direct_tokens.max(1)).unwrap_or(u8::MAX);
        self
    }
}

/// What a client that loads a server's tools sends to the model: tokens of name, description and input schema of each.
#[must_use]
pub fn direct_tokens(entry: &ServerEntry) -> usize {
    entry.tools.iter().map(|tool| tokens::count(&as_sent(&tool.parse_definition()).to_string())).sum()
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
        start_tokens: 0,
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
    fn a_pinned_tool_is_counted_at_the_start_and_a_servers_line_is_its_share() {
        let entries = [samples::server("github", 3), samples::server("slack", 2)];
        let plain = footprint(entries.iter(), "github (3): issues\nslack (2): messages");
        assert_eq!(plain.servers[1].start_tokens, tokens::count("slack (2): messages"));
        let pins = pins::advertised([entries[0].tools[0].as_ref()]);
        let pinned = plain.clone().with_pins(&pins);
        assert_eq!(pinned.toolcrib_tokens, plain.toolcrib_tokens + pins::pin_tokens(&pins[0]));
        assert_eq!(pinned.pins[0].tool.to_string(), "github/list_things_0");
        assert_eq!(plain.servers[0].direct_tokens, direct_tokens(&entries[0]));
    }

    #[test]
    fn nothing_configured_saves_nothing_and_divides_by_nothing() {
        let none = footprint(std::iter::empty(), "");
        assert_eq!((none.direct_tokens, none.saved_tokens, none.saved_percent), (0, 0, 0));
    }
}
