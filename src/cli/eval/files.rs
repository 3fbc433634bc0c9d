//! The files of a set: tools, servers and queries, one JSON object a line.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use toolcrib_index::ToolDocument;

pub(super) const TOOLS: &str = "tools.jsonl";
pub(super) const SERVERS: &str = "servers.jsonl";
pub(super) const QUERIES: &str = "queries.jsonl";

#[derive(Debug, Deserialize)]
struct ToolLine {
    id: String,
    server: String,
    name: String,
    title: Option<String>,
    description: Option<String>,
    #[serde(default)]
    input_schema: Value,
}

#[derive(Debug, Deserialize)]
struct ServerLine {
    name: String,
    description: Option<String>,
}

/// A query and what it needs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct QueryLine {
    pub id: String,
    pub query: String,
    #[serde(default)]
    pub groups: Vec<Vec<String>>,
    pub tag: Option<String>,
}

/// The folder itself if it is a set, else the sets in it, by name.
pub(super) fn set_folders(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_set = |dir: &Path| dir.join(TOOLS).is_file() && dir.join(QUERIES).is_file();
    if is_set(dir) {
        return Ok(vec![dir.into()]);
    }
    let entries = fs::read_dir(dir).with_context(|| format!("failed to list {}", dir.display()))?;
    let mut sets: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_set(path)).collect();
    sets.sort();
    if sets.is_empty() {
        bail!("neither {} nor a folder in it has both {TOOLS} and {QUERIES}", dir.display());
    }
    Ok(sets)
}

/// The tools of a set, with what their servers say of themselves.
pub(super) fn read_documents(dir: &Path) -> anyhow::Result<Vec<ToolDocument>> {
    let servers_file = dir.join(SERVERS);
    let servers: Vec<ServerLine> = if servers_file.exists() { read_lines(&servers_file)? } else { Vec::new() };
    let descriptions: HashMap<String, String> =
        servers.into_iter().map(|server| (server.name, server.description.unwrap_or_default())).collect();
    let tools: Vec<ToolLine> = read_lines(&dir.join(TOOLS))?;
    let document = |tool: ToolLine| ToolDocument {
        server_description: descriptions.get(&tool.server).cloned().unwrap_or_default(),
        id: tool.id,
        server: tool.server,
        name: tool.name,
        title: tool.title,
        description: tool.description.unwrap_or_default(),
        input_schema: tool.input_schema,
    };
    Ok(tools.into_iter().map(document).collect())
}

/// Every object of a file.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let mut items = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("failed to read {}", path.display()))?;
        if !line.trim().is_empty() {
            let item = serde_json::from_str(&line);
            items.push(item.with_context(|| format!("line {number} of {} cannot be read", path.display()))?);
        }
    }
    Ok(items)
}
