//! The shapes of the catalog: what is known of each server, whether or not it runs.

use std::{collections::HashMap, fmt, sync::Arc, time::SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ToolEntry, fingerprint};
use crate::ids::{ServerName, ToolName};

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

/// A tool (or prompt, or resource) of a list that could not be taken, and why. The others of the list live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Its name where it had one, else its place in the list, like `#3`.
    pub name: String,
    /// Why it was not taken, for a person.
    pub reason: String,
}

/// What a backend said of itself and its lists, when it was last read.
#[derive(Debug, Clone, PartialEq)]
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
    /// `instructions` as received, cut at 64 KiB. Never copied into our own.
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

impl ServerEntry {
    /// The tool of this name.
    #[must_use]
    pub fn tool(&self, name: &ToolName) -> Option<&Arc<ToolEntry>> {
        self.tools.iter().find(|tool| tool.id.tool == *name)
    }

    /// This reading, with whatever means the same in `old` taken over from there, byte for byte. Some servers shuffle
    /// their lists at every start; nothing that a model sees should move for that.
    #[must_use]
    pub fn settled(mut self, old: &Self) -> Self {
        if fingerprint::of_listing(&self) == fingerprint::of_listing(old) {
            self.server_info = old.server_info.clone();
            self.capabilities = old.capabilities.clone();
            self.tools = old.tools.clone();
            self.prompts = old.prompts.clone();
            self.resources = old.resources.clone();
            self.resource_templates = old.resource_templates.clone();
            return self;
        }
        let known: HashMap<_, _> = old.tools.iter().map(|tool| (tool.name(), tool)).collect();
        for tool in &mut self.tools {
            if let Some(old) = known.get(tool.name()).filter(|old| old.fingerprint == tool.fingerprint) {
                *tool = Arc::clone(old);
            }
        }
        self
    }
}

impl Era {
    /// The era as one word, as it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
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
