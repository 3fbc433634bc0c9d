//! Where a client shows text of ours to its model: the server summaries go into the instructions, or, for clients that keep
//! those to themselves, into the description of `search_tools`, which every client shows.
//!
//! Decided by the client's name, which it sends with `initialize` or, since 2026-07-28, with each request; so one client sees the
//! same bytes at every start. Both places at once would be paid for twice.

use serde_json::{Value, json};

use super::Surface;
use crate::{
    config::{Offered, Settings, SummaryPlace},
    economy::surface,
};

/// Clients that do not show instructions to the model, by the name they give themselves, lower case, and how that is known. A client
/// that is not here gets them: showing them is what the protocol suggests. One that is here by mistake loses nothing.
const HIDING: [(&str, &str); 5] = [
    (
        "claude-ai",
        "Claude Desktop and claude.ai: anthropics/claude-ai-mcp#93, #131, March 2026; Claude Code shows them",
    ),
    ("cline", "cline/cline#8797, still so in August 2026: #11131"),
    ("continue-client", "continuedev/continue: core/context/mcp/MCPConnection.ts reads no instructions"),
    ("github-copilot-developer", "GitHub Copilot's command line: github/copilot-cli#1579"),
    ("zed", "zed-industries/zed: crates/context_server/src/types.rs reads no instructions"),
];

/// Clients that give the model tools of their own for resources once a server has any, so that resources cost tokens in every
/// session, by the name they give themselves, lower case.
const ADDING_TOOLS: [(&str, &str); 1] = [("claude-code", "measured with 2.1.329: three tools more")];

/// What a client sees at start, for each kind of client.
#[derive(Debug)]
pub(super) struct Faces {
    place: SummaryPlace,
    prompts: bool,
    resources: Offered,
    /// Summaries in the instructions.
    telling: Face,
    /// Summaries in the description of `search_tools`.
    hiding: Face,
    /// Summaries in both.
    both: Face,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Face {
    pub(super) tools: Vec<Value>,
    pub(super) instructions: String,
}

impl Faces {
    pub(super) fn new(surface: &Surface, settings: &Settings) -> Self {
        let told = surface::search_tools(Some(&surface.summaries));
        let face = |in_search: bool, instructions: &str| {
            let tools = surface.tools.iter().map(|tool| {
                let is_search = tool["name"] == json!(surface::SEARCH_TOOLS);
                if in_search && is_search { told.clone() } else { Value::clone(tool) }
            });
            Face { tools: tools.chain(surface.pins.iter().cloned()).collect(), instructions: instructions.to_owned() }
        };
        let nothing_to_tell = surface.summaries.is_empty();
        let without = if nothing_to_tell { &surface.instructions } else { surface::INSTRUCTIONS_WITHOUT_SUMMARIES };
        Self {
            place: settings.context.summaries,
            prompts: settings.offer.prompts && surface.has_prompts,
            // Without any there is nothing to offer, to nobody.
            resources: if surface.has_resources { settings.offer.resources } else { Offered::Never },
            telling: face(false, &surface.instructions),
            hiding: face(true, without),
            both: face(true, &surface.instructions),
        }
    }

    /// Whether prompts are offered.
    pub(super) const fn offers_prompts(&self) -> bool {
        self.prompts
    }

    /// Whether this client is offered resources.
    pub(super) fn offers_resources(&self, client: Option<&str>) -> bool {
        match self.resources {
            Offered::Always => true,
            Offered::Never => false,
            Offered::WhereFree => !client.is_some_and(|client| is_one_of(&ADDING_TOOLS, client)),
        }
    }

    /// What this client sees.
    pub(super) fn of(&self, client: Option<&str>) -> &Face {
        match self.place {
            SummaryPlace::Instructions => &self.telling,
            SummaryPlace::SearchTools => &self.hiding,
            SummaryPlace::Both => &self.both,
            SummaryPlace::Auto if client.is_some_and(|client| is_one_of(&HIDING, client)) => &self.hiding,
            SummaryPlace::Auto => &self.telling,
        }
    }
}

/// Whether a client of this name is in a list.
fn is_one_of(list: &[(&str, &str)], name: &str) -> bool {
    // A bridge adds itself: `claude-ai (via mcp-remote 0.1.37)`.
    let own = name.split(" (via ").next().unwrap_or(name).trim();
    list.iter().any(|(known, _)| known.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_known_by_its_name_also_behind_a_bridge() {
        for name in ["claude-ai", "Cline", "claude-ai (via mcp-remote 0.1.37)"] {
            assert!(is_one_of(&HIDING, name), "{name}");
        }
        for name in ["claude-code", "codex-mcp-client", "Visual Studio Code", "cursor-vscode", "claude", "", "cline2"] {
            assert!(!is_one_of(&HIDING, name), "{name}");
        }
    }
}
