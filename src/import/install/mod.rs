//! toolcrib's one entry in a client's file: put in, and taken out again, with everything else as it was.
//!
//! Each edit is checked by parsing both texts: they may differ by this entry and by nothing else. What cannot be edited so is
//! handed back as a snippet.

mod diff;
mod error;
mod json;
#[cfg(test)]
mod tests;
mod toml;
mod write;
mod yaml;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

pub use error::InstallError;

use self::write::backups_of;
use super::{
    client::Client,
    error::ImportError,
    source::{Language, Mistake, parse, text_of},
};
use crate::config::is_own_entry;

/// What a client is to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The entry's name, which becomes part of the names of its tools.
    pub name: String,
    /// toolcrib's own program, with its whole path.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
}

/// A change of one file that was thought out and not yet made.
#[derive(PartialEq, Eq)]
pub struct Edit {
    /// Which file.
    pub path: PathBuf,
    /// Its text so far; `None` where there is no file.
    old: Option<String>,
    /// Its text to be; `None` where the file goes.
    new: Option<String>,
    /// Texts of toolcrib's entry, which alone are shown in a diff.
    own_texts: Vec<String>,
    /// The backup that the new text equals.
    restores: Option<PathBuf>,
}

/// Thinks out how toolcrib gets into a client's file.
///
/// # Errors
/// Where the file cannot be read, has another server of that name, or cannot be edited safely.
pub fn install(client: Client, path: &Path, entry: &Entry) -> Result<Edit, InstallError> {
    let old = text_if_there(path)?;
    let new = insert(client, path, old.as_deref().unwrap_or_default(), entry)?;
    Ok(Edit { path: path.into(), old, new: Some(new), own_texts: own_texts(entry), restores: None })
}

/// Thinks out how toolcrib gets out of a client's file again. Where nothing else has changed since, the file becomes what it was
/// to the byte, and a file that toolcrib made goes.
///
/// # Errors
/// Where the file cannot be read, has no such entry, or cannot be edited safely.
pub fn uninstall(client: Client, path: &Path, name: &str) -> Result<Edit, InstallError> {
    let not_installed = || InstallError::NotInstalled { path: path.into(), name: name.into() };
    let old = text_if_there(path)?.ok_or_else(not_installed)?;
    let format = Format::of(client, path);
    let root = format.parse(path, &old)?;
    let present = format.entry_in(&root, name).ok_or_else(not_installed)?;
    let entry = entry_of(name, present).filter(is_ours);
    let entry = entry.ok_or_else(|| InstallError::NotOurs { path: path.into(), name: name.into() })?;
    let edit =
        |new, restores| Edit { path: path.into(), old: Some(old.clone()), new, own_texts: own_texts(&entry), restores };
    for backup in backups_of(path).into_iter().rev() {
        let Ok(before) = text_of(&backup) else { continue };
        if insert(client, path, &before, &entry).is_ok_and(|after| after == old) {
            return Ok(edit(Some(before), Some(backup)));
        }
    }
    if insert(client, path, "", &entry).is_ok_and(|made| made == old) {
        return Ok(edit(None, None));
    }
    let edited = around_mark_and_breaks(&old, |text| match format.language {
        Language::Json => json::remove(text, format.container, name),
        Language::Toml => toml::remove(text, format.container, name),
        Language::Yaml => yaml::remove(text, format.container, name),
    });
    let expected = format.without(root, name);
    let edited = edited
        .filter(|new| parse(new, format.language).is_ok_and(|new| pruned(new, format.container) == expected))
        .ok_or_else(|| InstallError::CannotRemove { path: path.into(), name: name.into() })?;
    Ok(edit(Some(edited), None))
}

impl Edit {
    /// Whether the file already is as it should be.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.old == self.new
    }

    /// Whether the file has to be made.
    #[must_use]
    pub const fn creates(&self) -> bool {
        self.old.is_none()
    }

    /// Whether the file goes.
    #[must_use]
    pub const fn deletes(&self) -> bool {
        self.new.is_none()
    }

    /// The change as a unified diff. Values of other entries are left out: they may be secrets.
    #[must_use]
    pub fn diff(&self, shown_path: &str) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        diff::unified(&text(&self.old), &text(&self.new), shown_path, &self.own_texts)
    }

    /// Makes the change; gives back the backup of the file as it was, if there was one and it is not just being restored.
    ///
    /// # Errors
    /// Where the file was changed in the meantime or cannot be written.
    pub fn write(&self) -> Result<Option<PathBuf>, InstallError> {
        if text_if_there(&self.path)? != self.old {
            return Err(InstallError::Changed { path: self.path.clone() });
        }
        write::replace(&self.path, self.new.as_deref(), self.old.as_deref(), self.restores.as_deref())
            .map_err(|source| InstallError::Write { path: self.path.clone(), source })
    }
}

/// How a client's file holds servers.
struct Format {
    client: Client,
    language: Language,
    /// The key that servers are below.
    container: &'static str,
}

impl Format {
    fn of(client: Client, path: &Path) -> Self {
        let container = match client {
            Client::VsCode => "servers",
            Client::Zed => "context_servers",
            Client::Codex => "mcp_servers",
            Client::Goose => "extensions",
            Client::ClaudeDesktop
            | Client::ClaudeCode
            | Client::Cursor
            | Client::Windsurf
            | Client::Gemini
            | Client::Cline
            | Client::Roo
            | Client::Continue
            | Client::JetBrains => "mcpServers",
        };
        Self { client, language: Language::of(path), container }
    }

    fn parse(&self, path: &Path, text: &str) -> Result<Value, InstallError> {
        let value = parse(text, self.language).map_err(|Mistake { problem, line, column }| {
            let language = match self.language {
                Language::Json => "JSON",
                Language::Toml => "TOML",
                Language::Yaml => "YAML",
            };
            ImportError::Syntax { path: path.into(), language, problem, line, column }
        })?;
        match value {
            Value::Null => Ok(json!({})),
            Value::Object(_) => Ok(value),
            _ => Err(ImportError::Shape { path: path.into(), problem: "its root is no object" }.into()),
        }
    }

    fn is_list(&self) -> bool {
        self.client == Client::Continue
    }

    fn entry_in<'a>(&self, root: &'a Value, name: &str) -> Option<&'a Value> {
        match root.get(self.container)? {
            Value::Array(items) => items.iter().find(|item| item.get("name").is_some_and(|own| own == name)),
            servers => servers.get(name),
        }
    }

    /// What the file means with the entry; `None` where it has no place for it.
    fn with(&self, mut root: Value, entry: &Entry) -> Option<Value> {
        let members = Value::Object(members(self.client, entry));
        let servers = root.as_object_mut()?.entry(self.container).or_insert(Value::Null);
        if servers.is_null() {
            *servers = if self.is_list() { json!([]) } else { json!({}) };
        }
        match servers {
            Value::Array(items) if self.is_list() => {
                items.retain(|item| item.get("name").is_none_or(|name| *name != entry.name));
                items.insert(0, members);
            }
            Value::Object(servers) if !self.is_list() => {
                servers.insert(entry.name.clone(), members);
            }
            _ => return None,
        }
        Some(root)
    }

    /// What the file means without the entry.
    fn without(&self, mut root: Value, name: &str) -> Value {
        match root.get_mut(self.container) {
            Some(Value::Array(items)) => items.retain(|item| item.get("name").is_none_or(|own| own != name)),
            Some(Value::Object(servers)) => {
                servers.shift_remove(name);
            }
            _ => {}
        }
        pruned(root, self.container)
    }
}

/// An absent list of servers and an empty one mean the same.
fn pruned(root: Value, container: &str) -> Value {
    let Value::Object(mut root) = root else { return json!({}) };
    let is_empty = root.get(container).is_some_and(|servers| match servers {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(servers) => servers.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    });
    if is_empty {
        root.shift_remove(container);
    }
    Value::Object(root)
}

fn insert(client: Client, path: &Path, old: &str, entry: &Entry) -> Result<String, InstallError> {
    let format = Format::of(client, path);
    // A file of Continue's starts with what it is.
    let old = if format.is_list() && old.trim().is_empty() { yaml::CONTINUE_HEAD } else { old };
    let root = format.parse(path, old)?;
    let present = format.entry_in(&root, &entry.name);
    if let Some(present) = present {
        match entry_of(&entry.name, present) {
            Some(same) if same == *entry => return Ok(old.to_owned()),
            Some(own) if is_ours(&own) || own.command == entry.command => {}
            _ => return Err(InstallError::NameTaken { path: path.into(), name: entry.name.clone() }),
        }
    }
    let members = members(client, entry);
    let edited = around_mark_and_breaks(old, |text| match format.language {
        Language::Json => json::insert(text, format.container, &entry.name, &members),
        Language::Toml => toml::insert(text, format.container, &entry.name, &members),
        Language::Yaml => {
            let cleared =
                if present.is_some() { yaml::remove(text, format.container, &entry.name)? } else { text.to_owned() };
            yaml::insert(&cleared, format.container, &entry.name, &members, format.is_list())
        }
    });
    let expected = format.with(root, entry);
    let is_right = |new: &String| expected.is_some() && parse(new, format.language).ok() == expected;
    edited.filter(is_right).ok_or_else(|| InstallError::CannotEdit {
        path: path.into(),
        container: format.container,
        snippet: snippet(&format, entry),
    })
}

/// The entry as this client writes entries.
fn members(client: Client, entry: &Entry) -> Map<String, Value> {
    let Entry { name, command, args } = entry;
    let members = match client {
        // Tools that Claude Code would defer behind its own search are the very three that replace such a search.
        Client::ClaudeCode => json!({ "type": "stdio", "command": command, "args": args, "alwaysLoad": true }),
        Client::VsCode => json!({ "type": "stdio", "command": command, "args": args }),
        Client::Zed => json!({ "source": "custom", "command": command, "args": args }),
        Client::Goose => json!({
            "enabled": true, "type": "stdio", "name": name, "description": "All MCP servers behind one",
            "cmd": command, "args": args, "envs": {}, "env_keys": [], "timeout": 300,
        }),
        Client::Continue => json!({ "name": name, "type": "stdio", "command": command, "args": args }),
        Client::ClaudeDesktop
        | Client::Cursor
        | Client::Windsurf
        | Client::Codex
        | Client::Gemini
        | Client::Cline
        | Client::Roo
        | Client::JetBrains => json!({ "command": command, "args": args }),
    };
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn entry_of(name: &str, present: &Value) -> Option<Entry> {
    let command = present.get("command").or_else(|| present.get("cmd"))?.as_str()?.to_owned();
    let args = present.get("args").and_then(Value::as_array).into_iter().flatten();
    Some(Entry { name: name.into(), command, args: args.filter_map(Value::as_str).map(str::to_owned).collect() })
}

fn is_ours(entry: &Entry) -> bool {
    is_own_entry(&entry.command, &entry.args)
}

fn own_texts(entry: &Entry) -> Vec<String> {
    let fixed = ["stdio", "custom", "All MCP servers behind one", "300"].map(str::to_owned);
    [entry.name.clone(), entry.command.clone()].into_iter().chain(entry.args.clone()).chain(fixed).collect()
}

/// What a person can put in by hand.
fn snippet(format: &Format, entry: &Entry) -> String {
    let members = members(format.client, entry);
    let made = match format.language {
        Language::Json => json::insert("", format.container, &entry.name, &members),
        Language::Toml => toml::insert("", format.container, &entry.name, &members),
        Language::Yaml => yaml::block("", format.container, &entry.name, &members, format.is_list()),
    };
    made.unwrap_or_default()
}

fn text_if_there(path: &Path) -> Result<Option<String>, InstallError> {
    match text_of(path) {
        Ok(text) => Ok(Some(text)),
        Err(ImportError::NotFound { .. }) if fs::symlink_metadata(path).is_err() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Edits a text without its byte order mark and with plain line breaks, and puts both back.
fn around_mark_and_breaks(text: &str, edit: impl FnOnce(&str) -> Option<String>) -> Option<String> {
    let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
    let all_crlf = body.contains('\n') && body.matches('\n').count() == body.matches("\r\n").count();
    if all_crlf {
        let edited = edit(&body.replace("\r\n", "\n"))?;
        return Some(format!("{mark}{}", edited.replace('\n', "\r\n")));
    }
    Some(format!("{mark}{}", edit(body)?))
}
