//! The shapes of the catalog: what is known of each server and tool, whether or not it runs.

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{ServerName, ToolId, ToolName};

/// A JSON object, in the order it was received.
pub type JsonObject = Map<String, Value>;

/// The generation of the protocol a backend speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Era {
    /// 2024-11-05 to 2025-11-25: handshake, sessions, server-to-client requests.
    Legacy,
    /// 2026-07-28: stateless, `server/discover`, multi round-trip requests.
    Modern,
}

/// SHA-256 over the canonical form of a whole definition, set-like parts sorted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

/// One tool, as its backend defined it.
#[derive(Debug, Clone)]
pub struct ToolEntry {
    /// Full name.
    pub id: ToolId,
    /// The definition as received: every key, in its order.
    pub definition: Arc<JsonObject>,
    /// Fingerprint of the definition.
    pub fingerprint: Fingerprint,
}

/// A tool (or prompt, or resource) of a list that could not be taken, and why. The others of the list live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its name where it had one, else its place in the list, like `#3`.
    pub name: String,
    /// Why it was not taken, for a person.
    pub reason: String,
}

/// What a backend said of itself and its lists, when it was last read.
#[derive(Debug, Clone)]
pub struct ServerEntry {
    /// The operator's name for it.
    pub name: ServerName,
    /// Era of the conversation in which it was read.
    pub era: Era,
    /// Protocol version of that conversation.
    pub protocol_version: String,
    /// `serverInfo` as received.
    pub server_info: JsonObject,
    /// `capabilities` as received.
    pub capabilities: JsonObject,
    /// `instructions` as received. Never copied into our own.
    pub instructions: Option<String>,
    /// Its tools in the order of its list.
    pub tools: Vec<Arc<ToolEntry>>,
    /// Its prompts, raw.
    pub prompts: Vec<JsonObject>,
    /// Its resources, raw.
    pub resources: Vec<JsonObject>,
    /// Its resource templates, raw.
    pub resource_templates: Vec<JsonObject>,
    /// What of its lists was not taken.
    pub quarantined: Vec<Quarantined>,
    /// When it was read.
    pub read_at: SystemTime,
}

/// A backend's answers, raw, before anything of them is believed.
#[derive(Debug, Clone)]
pub struct RawListing {
    /// Era of the conversation.
    pub era: Era,
    /// Protocol version of the conversation.
    pub protocol_version: String,
    /// `serverInfo`.
    pub server_info: JsonObject,
    /// `capabilities`.
    pub capabilities: JsonObject,
    /// `instructions`, if any.
    pub instructions: Option<String>,
    /// Items of `tools/list`.
    pub tools: Vec<Value>,
    /// Items of `prompts/list`.
    pub prompts: Vec<Value>,
    /// Items of `resources/list`.
    pub resources: Vec<Value>,
    /// Items of `resources/templates/list`.
    pub resource_templates: Vec<Value>,
    /// What went wrong without failing the whole: a refused list, a cap that was reached.
    pub notes: Vec<String>,
}

/// How the last attempts to reach a server went. Kept apart from its listing: a failing server stays searchable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Never tried.
    Unknown,
    /// The last attempt went well.
    Good {
        /// When.
        at: SystemTime,
    },
    /// The last attempt failed.
    Failed {
        /// When.
        at: SystemTime,
        /// Failures in a row.
        failures: u32,
        /// In a few words, for models and people; holds no secret.
        reason: String,
    },
}

/// Everything known, at one moment. Immutable; a new one replaces it whole.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Servers that were read at least once.
    pub servers: BTreeMap<ServerName, Arc<ServerEntry>>,
    /// How the last attempts went, for every server ever tried.
    pub health: BTreeMap<ServerName, Health>,
    /// Counts up with every change of a listing.
    pub generation: u64,
}

impl ToolEntry {
    /// The backend's title, if any: `title`, else `annotations.title`.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        let annotated = || self.definition.get("annotations")?.get("title")?.as_str();
        self.definition.get("title").and_then(Value::as_str).or_else(annotated)
    }

    /// The backend's description, empty where it gave none.
    #[must_use]
    pub fn description(&self) -> &str {
        self.definition.get("description").and_then(Value::as_str).unwrap_or_default()
    }

    /// The schema of its arguments. A definition without an object there never becomes an entry.
    #[must_use]
    pub fn input_schema(&self) -> &Value {
        self.definition.get("inputSchema").unwrap_or(&Value::Null)
    }

    /// The tool's name on its server.
    #[must_use]
    pub const fn name(&self) -> &ToolName {
        &self.id.tool
    }
}

impl Catalog {
    /// The tool of this full name.
    #[must_use]
    pub fn tool(&self, id: &ToolId) -> Option<&Arc<ToolEntry>> {
        self.servers.get(&id.server)?.tools.iter().find(|tool| tool.id.tool == id.tool)
    }

    /// Every tool, by server name and then in the order of the server's list.
    pub fn tools(&self) -> impl Iterator<Item = &Arc<ToolEntry>> {
        self.servers.values().flat_map(|server| &server.tools)
    }

    /// Age of a server's listing; `None` where it was never read, zero where the clock went back.
    #[must_use]
    pub fn age(&self, server: &ServerName, now: SystemTime) -> Option<Duration> {
        let entry = self.servers.get(server)?;
        Some(now.duration_since(entry.read_at).unwrap_or_default())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}
