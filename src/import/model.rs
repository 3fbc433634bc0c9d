//! What is read of another client's file: servers that could be taken over, and what was left out and why.
//!
//! Values of variables and headers may be secrets somebody wrote out, so no type here shows them in its `Debug`.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

use super::client::Client;

/// A file that may hold servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose file.
    pub client: Client,
    /// Where it is.
    pub path: PathBuf,
    /// For whom it counts.
    pub scope: Scope,
}

/// For whom a file counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// For the user, wherever they work.
    User,
    /// For one project.
    Project {
        /// Its folder, which `${workspaceFolder}` stands for.
        folder: PathBuf,
    },
}

/// Everything one file holds.
#[derive(Debug, Default)]
pub struct Reading {
    /// Servers that could be taken over.
    pub candidates: Vec<Candidate>,
    /// Entries that were left out.
    pub skipped: Vec<Skipped>,
}

/// A server that could be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What the client calls it.
    pub label: String,
    /// How it is reached.
    pub reach: Reach,
    /// Whether the client uses it. A server that is switched off there is taken over switched off.
    pub enabled: bool,
    /// One line about it, where the client has one.
    pub summary: Option<String>,
    /// Only these of its tools, where the client limits them; empty for all.
    pub include: Vec<String>,
    /// Never these of its tools.
    pub exclude: Vec<String>,
    /// Values of variables and headers that stand in the file as text rather than as a reference.
    pub literal_values: usize,
    /// What a person should know about the translation.
    pub notes: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whose file.
    pub client: Client,
    /// Which file.
    pub path: PathBuf,
    /// The project an entry of a user's file is for.
    pub project: Option<PathBuf>,
}

/// How a server is reached, with references written as `toolcrib.toml` writes them.
#[derive(Clone, PartialEq, Eq)]
pub enum Reach {
    /// A program.
    Stdio {
        /// Which.
        command: String,
        /// Its arguments.
        args: Vec<String>,
        /// Its variables.
        env: BTreeMap<String, String>,
        /// Its working directory.
        cwd: Option<String>,
    },
    /// An endpoint.
    Http {
        /// Where.
        url: String,
        /// Headers of every request.
        headers: BTreeMap<String, String>,
        /// Which transport, where the client says so.
        transport: Option<Transport>,
    },
}

/// The two HTTP transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP.
    Http,
    /// HTTP+SSE of 2024-11-05.
    Sse,
}

/// An entry that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// What the client calls it.
    pub name: String,
    /// Why.
    #[serde(serialize_with = "as_text")]
    pub reason: SkipReason,
}

/// Why an entry was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// toolcrib would start itself without end.
    #[error("is toolcrib's own entry")]
    OwnEntry,
    /// The server is part of the client.
    #[error("is built into {}", .client.label())]
    BuiltIn {
        /// Which client.
        client: Client,
    },
    /// The server comes with an extension of the client, which alone knows how to start it.
    #[error("is started by an extension of {}", .client.label())]
    Extension {
        /// Which client.
        client: Client,
    },
    /// Nothing says how to reach it.
    #[error("has neither a command nor a url")]
    NoReach,
    /// A transport toolcrib does not speak.
    #[error("uses the transport `{kind}`, which toolcrib does not speak")]
    Unsupported {
        /// Its name.
        kind: String,
    },
    /// A reference that only the client can fill in.
    #[error("depends on `{reference}`, which only {} can fill in", .client.label())]
    OnlyClientKnows {
        /// As written.
        reference: String,
        /// Which client.
        client: Client,
    },
    /// Something has the wrong type.
    #[error("is not written as {} expects: {what}", .client.label())]
    Shape {
        /// What is wrong, without values.
        what: &'static str,
        /// Which client.
        client: Client,
    },
    /// Too many entries for one file.
    #[error("is beyond the {limit} servers that are read of one file")]
    TooMany {
        /// The cap.
        limit: usize,
    },
}

fn as_text<S: serde::Serializer>(reason: &SkipReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

impl Transport {
    /// The word of `toolcrib.toml`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Sse => "sse",
        }
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio { command, env, .. } => f
                .debug_struct("Stdio")
                .field("command", command)
                .field("env", &env.keys().collect::<Vec<_>>())
                .finish_non_exhaustive(),
            Self::Http { headers, transport, .. } => f
                .debug_struct("Http")
                .field("headers", &headers.keys().collect::<Vec<_>>())
                .field("transport", transport)
                .finish_non_exhaustive(),
        }
    }
}
