//! Pinned tools as this broker serves them: what is advertised beside the three, what is not and why, and the call of one.
//!
//! Made once, from the configuration and the catalog as they were at the start, so that the list that a client holds stays true
//! for as long as the process lives. A call goes by the tool's full name through `call`, like any other.

use std::fmt;

use super::Broker;
use crate::{
    catalog::{Catalog, Resolution},
    config::Settings,
    economy::pins::{self, Pin},
    ids::ToolId,
};

/// The pins of the configuration, as they can be served.
#[derive(Debug, Default)]
pub struct Pins {
    /// What is advertised, in the configuration's order.
    pub shown: Vec<Pin>,
    /// What is not.
    pub left_out: Vec<LeftOutPin>,
}

/// A pin that is not advertised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutPin {
    /// The tool.
    pub id: ToolId,
    /// Why not, in a few words.
    pub reason: String,
    /// What the operator can do.
    pub remedy: String,
}

impl Pins {
    /// Pins of the configuration over the offered part of the catalog.
    pub(super) fn new(settings: &Settings, catalog: &Catalog) -> Self {
        let wanted = &settings.context.pin;
        let shown = pins::advertised(wanted.iter().filter_map(|id| catalog.tool(id)).map(AsRef::as_ref));
        let missing = wanted.iter().filter(|id| !shown.iter().any(|pin| pin.id == **id));
        let left_out = missing.map(|id| why_left_out(id, settings, catalog)).collect();
        Self { shown, left_out }
    }

    /// The pin that is advertised under this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Pin> {
        self.shown.iter().find(|pin| pin.name == name)
    }
}

impl Broker {
    /// The pinned tools.
    #[must_use]
    pub fn pins(&self) -> &Pins {
        self.pins.get_or_init(|| Pins::new(self.library.settings(), &self.library.catalog()))
    }
}

fn why_left_out(id: &ToolId, settings: &Settings, catalog: &Catalog) -> LeftOutPin {
    let because = |reason: &str, remedy: String| LeftOutPin { id: id.clone(), reason: reason.into(), remedy };
    let unpin = || "take it out of `context.pin`".to_owned();
    let Some(spec) = settings.servers.get(&id.server) else {
        return because("its server is not configured", "correct the name; `toolcrib servers` lists what is".into());
    };
    if !spec.enabled {
        return because("its server is disabled", unpin());
    }
    if !spec.tools.offers(&id.tool) {
        return because("the server's `tools.include` and `tools.exclude` leave it out", unpin());
    }
    if !catalog.servers.contains_key(&id.server) {
        return because("its server was never read", format!("`toolcrib reindex {}` reads it", id.server.as_str()));
    }
    if catalog.tool(id).is_some() {
        return because("its name cannot be told from another pin's", unpin());
    }
    let near = match catalog.resolve(&id.to_string()) {
        Resolution::One(near) => Some(near),
        Resolution::Many(near) | Resolution::None { nearest: near } => near.into_iter().next(),
    };
    let remedy = near.map_or_else(unpin, |near| format!("did you mean `{near}`?"));
    because("the server has no such tool", remedy)
}

impl fmt::Display for LeftOutPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pinned tool `{}` is not offered: {}; {}", self.id, self.reason, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, path::Path, sync::Arc, time::SystemTime};

    use serde_json::json;

    use super::*;
    use crate::{
        catalog::{Era, JsonObject, RawListing, ServerEntry},
        config::load_text,
        policy,
    };

    #[test]
    fn a_pin_that_cannot_be_served_says_why_and_what_to_do() {
        let text = r#"
            [context]
            pin = ["a/open", "a/close", "a/opne", "off/x", "new/x", "none/x"]
            [servers.a]
            command = "a"
            tools.exclude = ["close"]
            [servers.off]
            command = "off"
            enabled = false
            [servers.new]
            command = "new"
        "#;
        let settings = load_text(text, Path::new("/toolcrib.toml"), &BTreeMap::new()).unwrap().settings;
        let tools = ["open", "close"].map(|name| json!({"name": name, "inputSchema": {"type": "object"}}));
        let listing = RawListing {
            era: Era::Legacy,
            protocol_version: "2025-11-25".into(),
            server_info: JsonObject::new(),
            capabilities: JsonObject::new(),
            instructions: None,
            tools: tools.to_vec(),
            prompts: Vec::new(),
            resources: Vec::new(),
            resource_templates: Vec::new(),
            notes: Vec::new(),
        };
        let entry = |name: &str| {
            let entry = ServerEntry::read(name.parse().unwrap(), listing.clone(), SystemTime::UNIX_EPOCH);
            (name.parse().unwrap(), Arc::new(entry))
        };
        let known = Catalog::new([entry("a"), entry("off")].into(), BTreeMap::new(), 1);
        let pins = Pins::new(&settings, &policy::offered(&known, &settings));
        assert_eq!(pins.shown.iter().map(|pin| pin.name.as_str()).collect::<Vec<_>>(), ["a_open"]);
        assert_eq!(pins.named("a_open").unwrap().id.to_string(), "a/open");
        let said: Vec<String> = pins.left_out.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        pinned tool `a/close` is not offered: the server's `tools.include` and `tools.exclude` leave it out; take it out of `context.pin`
        pinned tool `a/opne` is not offered: the server has no such tool; did you mean `a/open`?
        pinned tool `off/x` is not offered: its server is disabled; take it out of `context.pin`
        pinned tool `new/x` is not offered: its server was never read; `toolcrib reindex new` reads it
        pinned tool `none/x` is not offered: its server is not configured; correct the name; `toolcrib servers` lists what is
        ");
    }
}
