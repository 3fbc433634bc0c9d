//! "May this happen": which servers and tools are offered and may be called. Pure decisions, no I/O.

use std::sync::Arc;

use crate::{
    catalog::Catalog,
    config::{ServerSpec, Settings},
    ids::{ServerName, ToolId},
};

/// Why a call may not happen. Absent and forbidden look alike to a model: what is not offered does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` is not offered here; find another tool with search_tools")]
pub struct Refusal {
    /// The tool.
    pub id: ToolId,
}

/// The part of the catalog that the operator offers: configured, enabled servers and their included tools.
#[must_use]
pub fn offered(catalog: &Catalog, settings: &Settings) -> Catalog {
    let takes_part = |name: &ServerName| settings.servers.get(name).filter(|spec| spec.enabled);
    let servers = catalog.servers.iter().filter_map(|(name, entry)| {
        let spec = takes_part(name)?;
        if entry.tools.iter().all(|tool| spec.tools.offers(tool.name())) {
            return Some((name.clone(), Arc::clone(entry)));
        }
        let mut narrowed = entry.as_ref().clone();
        narrowed.tools.retain(|tool| spec.tools.offers(tool.name()));
        Some((name.clone(), Arc::new(narrowed)))
    });
    let health = catalog.health.iter().filter(|(name, _)| takes_part(name).is_some());
    Catalog::new(
        servers.collect(),
        health.map(|(name, health)| (name.clone(), health.clone())).collect(),
        catalog.generation,
    )
}

/// Decides whether a tool may be called, and gives the server to call it on.
///
/// # Errors
/// Where its server is not configured or disabled, or the tool is excluded.
pub fn may_call<'a>(settings: &'a Settings, id: &ToolId) -> Result<&'a ServerSpec, Refusal> {
    let spec = settings.servers.get(&id.server).filter(|spec| spec.enabled && spec.tools.offers(&id.tool));
    spec.ok_or_else(|| Refusal { id: id.clone() })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::SystemTime};

    use serde_json::json;

    use super::*;
    use crate::{
        catalog::{Era, JsonObject, RawListing, ServerEntry},
        config::load_text,
    };

    fn settings(text: &str) -> Settings {
        load_text(text, std::path::Path::new("/toolcrib.toml"), &BTreeMap::new()).unwrap().settings
    }

    fn catalog(servers: &[&str]) -> Catalog {
        let entry = |name: &&str| {
            let tools = ["read_file", "write_file", "delete_file"];
            let raw = RawListing {
                era: Era::Legacy,
                protocol_version: "2025-11-25".into(),
                server_info: JsonObject::new(),
                capabilities: JsonObject::new(),
                instructions: None,
                tools: tools.iter().map(|tool| json!({"name": tool, "inputSchema": {"type": "object"}})).collect(),
                prompts: Vec::new(),
                resources: Vec::new(),
                resource_templates: Vec::new(),
                notes: Vec::new(),
            };
            let name: ServerName = name.parse().unwrap();
            (name.clone(), Arc::new(ServerEntry::read(name, raw, SystemTime::UNIX_EPOCH)))
        };
        Catalog::new(servers.iter().map(entry).collect(), BTreeMap::new(), 1)
    }

    const CONFIG: &str = r#"
        [servers.files]
        command = "files"
        tools.include = ["*_file"]
        tools.exclude = ["delete_*"]
        [servers.off]
        command = "off"
        enabled = false
    "#;

    #[test]
    fn only_configured_enabled_and_included_tools_are_offered() {
        let offered = offered(&catalog(&["files", "off", "stranger"]), &settings(CONFIG));
        let names: Vec<String> = offered.tools().map(|tool| tool.id.to_string()).collect();
        assert_eq!(names, ["files/read_file", "files/write_file"]);
    }

    #[test]
    fn what_is_not_offered_cannot_be_called_either() {
        let settings = settings(CONFIG);
        for (id, may) in
            [("files/read_file", true), ("files/delete_file", false), ("off/read_file", false), ("stranger/x", false)]
        {
            assert_eq!(may_call(&settings, &id.parse().unwrap()).is_ok(), may, "{id}");
        }
    }
}
