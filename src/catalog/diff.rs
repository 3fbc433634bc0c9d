//! What changed between two readings of a server, named part by part.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};

use super::{JsonObject, ServerEntry, fingerprint};
use crate::ids::{ServerName, ToolName};

/// Most parts named for one changed tool. Real definitions have under ten; a hostile one may have thousands.
const MAX_PARTS: usize = 20;

/// Longest name of a part, in characters: it is the backend's text and ends up on a person's screen.
const MAX_PART_CHARS: usize = 64;

/// What changed between two readings of one server. Order alone is no change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingChange {
    /// Which server.
    pub server: ServerName,
    /// Tools that are new, in the order of the new list. At a first reading, all of them.
    pub added: Vec<ToolName>,
    /// Tools that are gone, in the order of the old list.
    pub removed: Vec<ToolName>,
    /// Tools whose definition means something else now, in the order of the new list.
    pub changed: Vec<ToolChange>,
    /// What else changed, like `instructions` or `prompts`. At a first reading, empty.
    pub about: Vec<String>,
}

/// How one tool changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChange {
    /// Which tool.
    pub tool: ToolName,
    /// Top-level parts of the definition that differ, sorted.
    pub parts: Vec<String>,
}

impl ListingChange {
    /// Everything of a first reading is new.
    #[must_use]
    pub fn first_reading(new: &ServerEntry) -> Self {
        let added = new.tools.iter().map(|tool| tool.name().clone()).collect();
        Self { server: new.name.clone(), added, removed: Vec::new(), changed: Vec::new(), about: Vec::new() }
    }

    /// Whether the two readings mean the same. A first reading without tools also is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty() && self.about.is_empty()
    }
}

/// What changed from `old` to `new`, two readings of the same server.
#[must_use]
pub fn diff(old: &ServerEntry, new: &ServerEntry) -> ListingChange {
    let before: HashMap<_, _> = old.tools.iter().map(|tool| (tool.name(), tool)).collect();
    let after: HashMap<_, _> = new.tools.iter().map(|tool| (tool.name(), tool)).collect();
    let mut change = ListingChange {
        server: new.name.clone(),
        added: Vec::new(),
        removed: old.tools.iter().map(|t| t.name()).filter(|name| !after.contains_key(name)).cloned().collect(),
        changed: Vec::new(),
        about: changed_about(old, new),
    };
    for tool in &new.tools {
        match before.get(tool.name()) {
            None => change.added.push(tool.name().clone()),
            Some(old) if old.fingerprint != tool.fingerprint => {
                let parts = changed_parts(&old.parse_definition(), &tool.parse_definition());
                change.changed.push(ToolChange { tool: tool.name().clone(), parts });
            }
            Some(_) => {}
        }
    }
    change
}

fn changed_about(old: &ServerEntry, new: &ServerEntry) -> Vec<String> {
    let differs = |a: &JsonObject, b: &JsonObject| fingerprint::of_definition(a) != fingerprint::of_definition(b);
    let lists_differ = |a: &[JsonObject], b: &[JsonObject]| fingerprint::of_list(a) != fingerprint::of_list(b);
    [
        ("serverInfo", differs(&old.server_info, &new.server_info)),
        ("capabilities", differs(&old.capabilities, &new.capabilities)),
        ("instructions", old.instructions != new.instructions),
        ("prompts", lists_differ(&old.prompts, &new.prompts)),
        ("resources", lists_differ(&old.resources, &new.resources)),
        ("resourceTemplates", lists_differ(&old.resource_templates, &new.resource_templates)),
    ]
    .into_iter()
    .filter(|(_, changed)| *changed)
    .map(|(part, _)| part.to_owned())
    .collect()
}

/// Names of the top-level parts that differ, sorted.
fn changed_parts(old: &JsonObject, new: &JsonObject) -> Vec<String> {
    let same = |key: &String| match (old.get(key), new.get(key)) {
        (Some(old), Some(new)) => fingerprint::canonical_member(key, old) == fingerprint::canonical_member(key, new),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let mut parts: Vec<_> = old.keys().chain(new.keys()).filter(|key| !same(key)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.into_iter().take(MAX_PARTS).map(|part| part.chars().take(MAX_PART_CHARS).collect()).collect()
}

/// Few words for a log or a person: `2 added, 1 removed, 1 changed (create_issue: description)`.
impl fmt::Display for ListingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        for (count, word) in [(self.added.len(), "added"), (self.removed.len(), "removed")] {
            if count > 0 {
                words.push(format!("{count} {word}"));
            }
        }
        if let Some(first) = self.changed.first() {
            let more = if self.changed.len() > 1 { ", …" } else { "" };
            words.push(format!("{} changed ({}: {}{more})", self.changed.len(), first.tool, first.parts.join(", ")));
        }
        words.extend(self.about.iter().map(|part| format!("{part} changed")));
        if words.is_empty() { f.write_str("no change") } else { f.write_str(&words.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::{Era, RawListing};

    fn read(tools: Vec<Value>, instructions: &str, prompts: Vec<Value>) -> ServerEntry {
        let raw = RawListing {
            era: Era::Modern,
            protocol_version: "2026-07-28".into(),
            server_info: JsonObject::new(),
            capabilities: JsonObject::new(),
            instructions: Some(instructions.into()),
            tools,
            prompts,
            resources: vec![],
            resource_templates: vec![],
            notes: vec![],
        };
        ServerEntry::read("s".parse().unwrap(), raw, UNIX_EPOCH)
    }

    #[test]
    fn each_changed_part_is_named() {
        let old = read(
            vec![
                json!({ "name": "same", "inputSchema": { "required": ["a", "b"] } }),
                json!({ "name": "changed", "description": "old", "inputSchema": {}, "gone": 1 }),
                json!({ "name": "removed" }),
            ],
            "old",
            vec![json!({ "name": "p" }), json!({ "name": "q" })],
        );
        let new = read(
            vec![
                json!({ "name": "added" }),
                json!({ "name": "changed", "gone_to": 1, "inputSchema": {}, "description": "new" }),
                json!({ "inputSchema": { "required": ["b", "a"] }, "name": "same" }),
            ],
            "new",
            vec![json!({ "name": "q" }), json!({ "name": "p" })],
        );
        let change = diff(&old, &new);
        assert_eq!(change.changed[0].parts, ["description", "gone", "gone_to"]);
        insta::assert_snapshot!(change, @"1 added, 1 removed, 1 changed (changed: description, gone, gone_to), instructions changed");
        assert!(diff(&old, &old).is_empty());
        insta::assert_snapshot!(diff(&old, &old), @"no change");
    }

    #[test]
    fn a_change_survives_being_stored() {
        let change = diff(&read(vec![], "", vec![]), &read(vec![json!({ "name": "t" })], "x", vec![]));
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<ListingChange>(&text).unwrap(), change);
    }

    #[test]
    fn the_parts_of_a_hostile_definition_are_bounded() {
        let many: JsonObject = (0..1_000).map(|number| (format!("{number}{}", "x".repeat(100)), Value::Null)).collect();
        let parts = changed_parts(&JsonObject::new(), &many);
        assert!(parts.len() == MAX_PARTS && parts.iter().all(|part| part.chars().count() == MAX_PART_CHARS));
    }
}
