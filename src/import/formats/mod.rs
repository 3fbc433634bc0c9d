//! One file per format. Each turns its client's way of writing into the shape that [`entry`] reads.

mod claude_code;
mod codex;
mod continue_dev;
mod entry;
mod gemini;
mod goose;
mod mcp_servers;
#[cfg(test)]
mod tests;
mod vscode;
mod zed;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{
    client::Client,
    error::ImportError,
    model::{Found, Reading, Scope},
    source::{Language, root_of},
};

/// Most servers read of one file.
const MAX_SERVERS: usize = 1_000;

/// Reads the servers of one file.
///
/// # Errors
/// Where the file cannot be read or is not what its client writes; one broken entry is only skipped.
pub fn read(found: &Found) -> Result<Reading, ImportError> {
    let root = root_of(&found.path, Language::of(&found.path))?;
    let shape = |problem| ImportError::Shape { path: found.path.clone(), problem };
    match found.client {
        Client::ClaudeCode => claude_code::read(found, &root),
        Client::VsCode => vscode::read(found, &root),
        Client::Codex => codex::read(found, &root),
        Client::Gemini => gemini::read(found, &root),
        Client::Zed => zed::read(found, &root),
        Client::Goose => goose::read(found, &root),
        Client::Continue => continue_dev::read(found, &root),
        Client::ClaudeDesktop | Client::Cursor | Client::Windsurf | Client::Cline | Client::Roo | Client::JetBrains => {
            mcp_servers::read(found, &root)
        }
    }
    .map_err(shape)
}

/// Whose file a named file most likely is: by its name and folder, else by the key that holds its servers.
///
/// # Errors
/// Where the file cannot be read, or holds nothing that looks like a list of servers.
pub fn identify(path: &Path) -> Result<Found, ImportError> {
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.into());
    for client in Client::ALL {
        let folder = path.ancestors().skip(1).find(|folder| client.project_file(folder).as_deref() == Some(&path));
        if let Some(folder) = folder {
            return Ok(Found { client, path: path.clone(), scope: Scope::Project { folder: folder.into() } });
        }
    }
    let root = root_of(&path, Language::of(&path))?;
    let has = |key: &str| root.contains_key(key);
    let client = match Language::of(&path) {
        Language::Toml if has("mcp_servers") => Some(Client::Codex),
        Language::Yaml if has("extensions") => Some(Client::Goose),
        Language::Yaml if has("mcpServers") => Some(Client::Continue),
        Language::Json if has("context_servers") => Some(Client::Zed),
        Language::Json if has("servers") || has("mcp") => Some(Client::VsCode),
        Language::Json if path.ends_with("claude_desktop_config.json") => Some(Client::ClaudeDesktop),
        // The notation of `.mcp.json`, where `${VAR}` is a reference, is the one that people copy around.
        Language::Json if has("mcpServers") || has("projects") => Some(Client::ClaudeCode),
        Language::Toml | Language::Yaml | Language::Json => None,
    };
    match client {
        Some(client) => Ok(Found { client, path, scope: Scope::User }),
        None => Err(ImportError::Shape { path, problem: "it has none of the keys that clients use" }),
    }
}

/// The object below a key: an absent or empty one holds no servers, anything else is a mistake.
fn object_at<'a>(root: &'a Map<String, Value>, key: &str) -> Result<Option<&'a Map<String, Value>>, &'static str> {
    match root.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(servers)) => Ok(Some(servers)),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err("its list of servers is no object")
        }
    }
}
