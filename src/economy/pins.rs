//! Pinned tools: what of them is advertised beside the three, under which name, and whether a pin repays its price.
//!
//! A pinned tool is shown as its server defined it, so that a client treats it as the tool that it is. Only what would promise
//! something that a relayed call does not keep is left out.

use std::collections::HashSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{definition, surface, tokens};
use crate::{catalog::ToolEntry, ids::ToolId};

/// Longest advertised name, in bytes. Clients put the server's name in front of it and allow 60 to 64 in all; the longest prefix
/// seen for a server called `toolcrib` is `mcp__toolcrib__`, 15 bytes.
const MAX_NAME_BYTES: usize = 48;

/// Hexadecimal digits that keep shortened or colliding names apart.
const HASH_DIGITS: usize = 6;

/// Conversations below which nothing is suggested: one odd week says nothing about the next.
pub const LEAST_CONVERSATIONS: u64 = 5;

/// A pin is suggested where it would have saved this many times its price, in per cent. The margin is for what the arithmetic
/// does not know: that the next month differs, and that a search also shows the tools beside the one called.
pub const MARGIN_PERCENT: u64 = 125;

/// A pinned tool as it is advertised.
#[derive(Debug, Clone, PartialEq)]
pub struct Pin {
    /// The tool.
    pub id: ToolId,
    /// Its name in the client's list: `^[a-zA-Z0-9_-]{1,48}$`, and no other tool's there.
    pub name: String,
    /// Its item of `tools/list`.
    pub definition: Value,
}

/// How a tool was used in some days, for the question whether it should be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinCandidate {
    /// The tool.
    pub id: ToolId,
    /// o200k_base tokens of what pinning it adds to every start.
    pub definition_tokens: u64,
    /// Conversations that its server took part in.
    pub conversations: u64,
    /// Conversations in which it was called.
    pub used_in: u64,
    /// o200k_base tokens of the search and describe replies that led to calls of it.
    pub led_tokens: u64,
}

/// What a pin would have cost and saved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PinBalance {
    /// The tool.
    pub tool: ToolId,
    /// Conversations in which it was called.
    pub used_in: u64,
    /// Conversations that its server took part in.
    pub conversations: u64,
    /// o200k_base tokens of its definition.
    pub definition_tokens: u64,
    /// Definition times conversations.
    pub cost_tokens: u64,
    /// Search and describe replies that would not have been read.
    pub saved_tokens: u64,
}

/// The tools to advertise, in this order. Depends on the definitions alone.
#[must_use]
pub fn advertised<'a>(tools: impl IntoIterator<Item = &'a ToolEntry>) -> Vec<Pin> {
    // Whatever a client does with case, two names stay two.
    let mut taken: HashSet<String> =
        [surface::SEARCH_TOOLS, surface::DESCRIBE_TOOL, surface::CALL_TOOL].map(str::to_owned).into();
    let mut pins: Vec<Pin> = Vec::new();
    for tool in tools {
        if pins.iter().any(|pin| pin.id == tool.id) {
            continue;
        }
        let plain = plain_name(&tool.id);
        let fits = plain.len() <= MAX_NAME_BYTES && !taken.contains(&plain.to_ascii_lowercase());
        let name = if fits { plain } else { hashed_name(&plain, &tool.id) };
        if !taken.insert(name.to_ascii_lowercase()) {
            // Two of six equal digits: not by chance, and a tool nobody can name apart is better found by search.
            continue;
        }
        pins.push(Pin { id: tool.id.clone(), definition: as_advertised(tool, &name), name });
    }
    pins
}

/// o200k_base tokens that pins add to the start.
#[must_use]
pub fn pin_tokens(pin: &Pin) -> usize {
    tokens::count(&pin.definition.to_string())
}

/// Which candidates would have repaid a pin, the best first, and which came nearest where none did; the others are left out.
#[must_use]
pub fn balances(candidates: &[PinCandidate]) -> (Vec<PinBalance>, Vec<PinBalance>) {
    let used = candidates.iter().filter(|candidate| candidate.used_in > 0 && candidate.definition_tokens > 0);
    let mut all: Vec<PinBalance> = used.map(balance).collect();
    // By what is gained, the tool's name last, so that the list is the same at every look.
    all.sort_by_key(|balance| {
        (std::cmp::Reverse(i128::from(balance.saved_tokens) - i128::from(balance.cost_tokens)), balance.tool.clone())
    });
    all.into_iter().partition(PinBalance::repays)
}

impl PinBalance {
    /// Whether the pin would have saved more than it cost, by the margin, over enough conversations to tell.
    #[must_use]
    pub fn repays(&self) -> bool {
        self.conversations >= LEAST_CONVERSATIONS
            && u128::from(self.saved_tokens) * 100 >= u128::from(self.cost_tokens) * u128::from(MARGIN_PERCENT)
    }
}

fn balance(candidate: &PinCandidate) -> PinBalance {
    PinBalance {
        tool: candidate.id.clone(),
        used_in: candidate.used_in,
        conversations: candidate.conversations,
        definition_tokens: candidate.definition_tokens,
        cost_tokens: candidate.definition_tokens.saturating_mul(candidate.conversations),
        saved_tokens: candidate.led_tokens,
    }
}

/// `github/create_issue` as `github_create_issue`, with `_` for every character that some client refuses.
fn plain_name(id: &ToolId) -> String {
    let shown = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    format!("{}_{}", id.server.as_str(), id.tool.as_str()).chars().map(shown).collect()
}

/// The start of a name that is too long or taken, and a part of the hash of the full one. The same in every list.
fn hashed_name(plain: &str, id: &ToolId) -> String {
    let hash = Sha256::digest(id.to_string());
    let digits: String =
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(HASH_DIGITS).collect();
    // ASCII by now, so characters are bytes.
    let start: String = plain.chars().take(MAX_NAME_BYTES - HASH_DIGITS - 1).collect();
    format!("{start}_{digits}")
}

/// The definition as received, under its new name.
///
/// Left out are `outputSchema`, because a result that is cut or says everything twice loses its `structuredContent` and a client
/// that holds us to the schema would refuse it; `icons`, which may be whole pictures; and what belongs between two peers:
/// `_meta` and `execution`.
fn as_advertised(tool: &ToolEntry, name: &str) -> Value {
    const LEFT_OUT: [&str; 6] = ["name", "outputSchema", "icons", "_meta", "execution", "inputSchema"];
    let mut advertised = serde_json::Map::new();
    advertised.insert("name".into(), name.into());
    for (key, value) in definition(tool) {
        if !LEFT_OUT.contains(&key.as_str()) {
            advertised.insert(key.clone(), value.clone());
        }
    }
    let mut schema = tool.input_schema().clone();
    // The specification wants a type here, strict clients insist, and only an object was ever meant.
    if let Some(schema) = schema.as_object_mut().filter(|schema| !schema.contains_key("type")) {
        schema.shift_insert(0, "type".into(), "object".into());
    }
    advertised.insert("inputSchema".into(), schema);
    advertised.insert("_meta".into(), surface::result_meta());
    json!(advertised)
}

#[cfg(test)]
mod tests;
