//! Edits of `toolcrib.toml` that keep everything else as it stands: comments, order, blank lines.
//!
//! Works on texts alone; reading and writing files is the caller's, checking the result is [`super::load_text`]'s.

use std::{collections::BTreeMap, fmt};

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value, value};

use super::{
    shape::nearest,
    source::{Format, format_of},
};
use crate::ids::ServerName;

/// A server to be written into the file, as plain texts in which `${VAR}` stays a reference.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerDraft {
    /// Program to start.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its variables.
    pub env: BTreeMap<String, String>,
    /// Variables passed on from toolcrib's own environment.
    pub pass_env: Vec<String>,
    /// Its working directory.
    pub cwd: Option<String>,
    /// Endpoint of an HTTP server.
    pub url: Option<String>,
    /// Headers for the endpoint.
    pub headers: BTreeMap<String, String>,
    /// `stdio`, `http` or `sse`; detected when absent.
    pub transport: Option<String>,
    /// One line for models.
    pub summary: Option<String>,
    /// Whether it takes part.
    pub enabled: bool,
    /// Longest start, like `60s`.
    pub start_timeout: Option<String>,
    /// Longest silence of a call, like `5m`.
    pub call_timeout: Option<String>,
    /// Globs of the tools to offer.
    pub include: Vec<String>,
    /// Globs of the tools not to offer.
    pub exclude: Vec<String>,
}

/// Why an edit was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text is no TOML.
    #[error("the configuration is not TOML (line {line}): {message}")]
    Syntax {
        /// Where the first mistake is.
        line: usize,
        /// The parser's words, without the line itself.
        message: String,
    },
    /// The text is another client's JSON, which is not ours to change.
    #[error("the configuration is a JSON file that belongs to another client")]
    Json,
    /// `servers`, or a server, is something else than a table.
    #[error("`{path}` is not a table")]
    NotATable {
        /// Where.
        path: String,
    },
    /// A server of this name is there already.
    #[error("there is a server `{name}` already")]
    Exists {
        /// Its name.
        name: ServerName,
    },
    /// There is no server of this name.
    #[error("there is no server `{name}`")]
    Unknown {
        /// The name asked for.
        name: ServerName,
        /// The one that was most likely meant.
        nearest: Option<String>,
    },
}

impl EditError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Syntax { line, .. } => format!("correct line {line} first"),
            Self::Json => "take its servers over with `toolcrib import`, then edit toolcrib.toml".into(),
            Self::NotATable { path } => format!("write it as [{path}]"),
            Self::Exists { name } => format!("choose another name, or remove it with `toolcrib servers remove {name}`"),
            Self::Unknown { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::Unknown { nearest: None, .. } => "see `toolcrib servers list`".into(),
        }
    }
}

/// Adds a server after the last one.
pub fn add_server(text: &str, name: &ServerName, draft: &ServerDraft) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let servers = document.entry("servers").or_insert_with(|| {
        let mut servers = Table::new();
        servers.set_implicit(true);
        Item::Table(servers)
    });
    let servers = servers.as_table_like_mut().ok_or_else(|| EditError::NotATable { path: "servers".into() })?;
    if servers.contains_key(name.as_str()) {
        return Err(EditError::Exists { name: name.clone() });
    }
    servers.insert(name.as_str(), Item::Table(draft.table()));
    Ok(document.to_string())
}

/// Removes a server with the comment right above it. A comment that a blank line parts from it stays.
pub fn remove_server(text: &str, name: &ServerName) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let servers = servers_of(&mut document, name)?;
    let removed = servers.remove(name.as_str());
    if let Some(Item::Table(removed)) = removed {
        let mut prefixes = Vec::new();
        collect_prefixes(&removed, &mut prefixes);
        if let Some((position, prefix)) = prefixes.into_iter().min_by_key(|(position, _)| *position) {
            keep_comment(&mut document, position, &prefix);
        }
    }
    let edited = document.to_string();
    Ok(if text.starts_with('\n') { edited } else { edited.trim_start_matches('\n').to_owned() })
}

/// Switches a server on or off.
pub fn set_enabled(text: &str, name: &ServerName, enabled: bool) -> Result<String, EditError> {
    let mut document = parse(text)?;
    let server = servers_of(&mut document, name)?
        .get_mut(name.as_str())
        .and_then(Item::as_table_like_mut)
        .ok_or_else(|| EditError::NotATable { path: format!("servers.{name}") })?;
    match server.get_mut("enabled").and_then(Item::as_value_mut) {
        Some(current) => {
            // The decor holds the comment behind the value.
            let decor = current.decor().clone();
            *current = Value::from(enabled);
            *current.decor_mut() = decor;
        }
        None if enabled => {}
        None => {
            server.insert("enabled", value(enabled));
        }
    }
    Ok(document.to_string())
}

impl Default for ServerDraft {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            pass_env: Vec::new(),
            cwd: None,
            url: None,
            headers: BTreeMap::new(),
            transport: None,
            summary: None,
            enabled: true,
            start_timeout: None,
            call_timeout: None,
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl fmt::Debug for ServerDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments, variables, headers and addresses may be secrets that someone wrote out.
        f.debug_struct("ServerDraft").field("command", &self.command).finish_non_exhaustive()
    }
}

impl ServerDraft {
    /// The table of `[servers.NAME]`, with what is not the default only.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        let mut text = |key: &str, text: &Option<String>| {
            if let Some(text) = text {
                table.insert(key, value(text));
            }
        };
        text("summary", &self.summary);
        text("command", &self.command);
        text("url", &self.url);
        text("transport", &self.transport);
        text("cwd", &self.cwd);
        text("start_timeout", &self.start_timeout);
        text("call_timeout", &self.call_timeout);
        for (key, list) in [("args", &self.args), ("pass_env", &self.pass_env)] {
            if !list.is_empty() {
                table.insert(key, value(list.iter().collect::<Array>()));
            }
        }
        if !self.enabled {
            table.insert("enabled", value(false));
        }
        let mut tools = Table::new();
        for (key, list) in [("include", &self.include), ("exclude", &self.exclude)] {
            if !list.is_empty() {
                tools.insert(key, value(list.iter().collect::<Array>()));
            }
        }
        if !tools.is_empty() {
            table.insert("tools", value(tools.into_inline_table()));
        }
        for (key, pairs) in [("env", &self.env), ("headers", &self.headers)] {
            if !pairs.is_empty() {
                table.insert(key, Item::Table(pairs.iter().map(|(name, text)| (name, value(text))).collect()));
            }
        }
        table
    }
}

fn parse(text: &str) -> Result<DocumentMut, EditError> {
    if format_of(text) == Format::Json {
        return Err(EditError::Json);
    }
    text.parse::<DocumentMut>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        EditError::Syntax { line: before.matches('\n').count() + 1, message: error.message().trim().to_owned() }
    })
}

/// The table of servers, if it has this one.
fn servers_of<'a>(document: &'a mut DocumentMut, name: &ServerName) -> Result<&'a mut dyn TableLike, EditError> {
    let unknown = |nearest| EditError::Unknown { name: name.clone(), nearest };
    let servers = document.get_mut("servers").ok_or_else(|| unknown(None))?;
    let servers = servers.as_table_like_mut().ok_or_else(|| EditError::NotATable { path: "servers".into() })?;
    if !servers.contains_key(name.as_str()) {
        let known: Vec<&str> = servers.iter().map(|(key, _)| key).collect();
        return Err(unknown(nearest(name.as_str(), &known).map(str::to_owned)));
    }
    Ok(servers)
}

/// Position in the file and what stands before the header, for a table and all below it that have a header.
fn collect_prefixes(table: &Table, found: &mut Vec<(isize, String)>) {
    if let Some(position) = table.position().filter(|_| !table.is_implicit()) {
        found.push((position, prefix_of(table)));
    }
    table.iter().filter_map(|(_, item)| item.as_table()).for_each(|table| collect_prefixes(table, found));
}

fn prefix_of(table: &Table) -> String {
    table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or("\n").to_owned()
}

/// Moves what a removed table had above it, up to the last blank line, to whatever follows.
fn keep_comment(document: &mut DocumentMut, position: isize, prefix: &str) {
    let Some((kept, _)) = prefix.rsplit_once("\n\n").filter(|(kept, _)| kept.contains('#')) else { return };
    match table_after(document.as_table_mut(), position) {
        Some(next) => {
            let own = prefix_of(next);
            let gap = if own.starts_with('\n') { "\n" } else { "\n\n" };
            next.decor_mut().set_prefix(format!("{kept}{gap}{own}"));
        }
        None => {
            let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(format!("{kept}\n{trailing}"));
        }
    }
}

/// The first table with a header behind a position of the file.
fn table_after(table: &mut Table, position: isize) -> Option<&mut Table> {
    let own = table.position().filter(|own| *own > position && !table.is_implicit());
    if own.is_some() {
        // Tables below this one stand behind it, or are found from another one.
        return Some(table);
    }
    table
        .iter_mut()
        .filter_map(|(_, item)| item.as_table_mut())
        .filter_map(|table| table_after(table, position))
        .min_by_key(|table| table.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# My servers. The wiki has the story.

# Notes live here.
[servers.notes]
command = "notes-mcp" # from the team
enabled = true  # for now

[servers.notes.env]
TOKEN = "${NOTES_TOKEN}"

# Deprecated, see #12
[servers.old]
url = "https://old.example/mcp"

[pool]
max_sessions = 4 # small machine
"#;

    fn name(text: &str) -> ServerName {
        text.parse().unwrap()
    }

    #[test]
    fn a_server_is_added_after_the_last_one_and_nothing_else_moves() {
        let draft = ServerDraft {
            command: Some("npx".into()),
            args: vec!["-y".into(), "files-mcp@1.2.0".into()],
            env: BTreeMap::from([("KEY".into(), "${FILES_KEY:-none}".into())]),
            exclude: vec!["delete_*".into()],
            enabled: false,
            ..ServerDraft::default()
        };
        let edited = add_server(FILE, &name("files"), &draft).unwrap();
        let diff = similar::TextDiff::from_lines(FILE, &edited).unified_diff().context_radius(1).to_string();
        insta::assert_snapshot!(diff);
        assert_eq!(add_server(&edited, &name("files"), &draft), Err(EditError::Exists { name: name("files") }));
    }

    #[test]
    fn the_first_server_of_an_empty_file_needs_no_more_than_its_table() {
        let draft = ServerDraft { url: Some("https://a.example/mcp".into()), ..ServerDraft::default() };
        let edited = add_server("", &name("a"), &draft).unwrap();
        assert_eq!(edited, "[servers.a]\nurl = \"https://a.example/mcp\"\n");
    }

    #[test]
    fn a_removed_server_takes_its_own_comment_with_it_and_no_other() {
        let without_notes = remove_server(FILE, &name("notes")).unwrap();
        assert!(
            without_notes.starts_with("# My servers. The wiki has the story.\n\n# Deprecated, see #12\n[servers.old]")
        );
        assert!(!without_notes.contains("Notes live here") && !without_notes.contains("NOTES_TOKEN"));
        let without_both = remove_server(&without_notes, &name("old")).unwrap();
        assert_eq!(without_both, "# My servers. The wiki has the story.\n\n[pool]\nmax_sessions = 4 # small machine\n");
    }

    #[test]
    fn switching_a_server_off_and_on_changes_one_word() {
        let off = set_enabled(FILE, &name("notes"), false).unwrap();
        assert_eq!(off, FILE.replace("enabled = true  #", "enabled = false  #"));
        assert_eq!(set_enabled(&off, &name("notes"), true).unwrap(), FILE);
        let old_off = set_enabled(FILE, &name("old"), false).unwrap();
        assert_eq!(old_off, FILE.replace("old.example/mcp\"\n", "old.example/mcp\"\nenabled = false\n"));
    }

    #[test]
    fn inline_servers_are_edited_in_place() {
        let text = "servers = { a = { command = \"x\" } }\n";
        assert_eq!(
            set_enabled(text, &name("a"), false).unwrap(),
            "servers = { a = { command = \"x\" , enabled = false } }\n"
        );
        assert_eq!(remove_server(text, &name("a")).unwrap(), "servers = {}\n");
    }

    #[test]
    fn an_edit_that_cannot_be_made_says_why_and_changes_nothing() {
        let draft = ServerDraft::default();
        let hint = |error: EditError| format!("{error}; {}", error.hint());
        insta::assert_snapshot!(hint(remove_server(FILE, &name("nots")).unwrap_err()), @"there is no server `nots`; did you mean `notes`?");
        insta::assert_snapshot!(hint(add_server("{}", &name("a"), &draft).unwrap_err()), @"the configuration is a JSON file that belongs to another client; take its servers over with `toolcrib import`, then edit toolcrib.toml");
        insta::assert_snapshot!(hint(add_server("servers = 1", &name("a"), &draft).unwrap_err()), @"`servers` is not a table; write it as [servers]");
        insta::assert_snapshot!(hint(add_server("a = 1\nkey = \"hunter22\n", &name("a"), &draft).unwrap_err()), @"the configuration is not TOML (line 2): invalid basic string, expected `\"`; correct line 2 first");
    }
}
