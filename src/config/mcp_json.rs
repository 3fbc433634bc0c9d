//! The `{"mcpServers": {…}}` file that every client uses, taken unchanged.
//!
//! Only translates names and shapes into those of `toolcrib.toml`; what is right or wrong with a server is decided there.
//! Keys that mean nothing here are tolerated, because each client adds its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{is_own_entry, is_own_url};
use crate::ids::{BUILT_IN_SERVER, ServerName};

/// Top-level keys that hold servers: most clients, and VS Code.
pub(super) const SERVER_KEYS: [&str; 2] = ["mcpServers", "servers"];

/// A span of time below this was meant in seconds: no call is given up within a second.
const LEAST_MILLISECONDS: u64 = 1_000;

/// One entry in our own shape.
pub(super) struct Translated {
    /// The table a `[servers.NAME]` would hold.
    pub table: Value,
    /// Keys that were left out although they had a meaning once.
    pub ignored: Vec<&'static str>,
}

/// Translates one entry; `None` where it is toolcrib's own, which would start itself without end.
pub(super) fn translate(label: &str, entry: &Value) -> Option<Translated> {
    let Value::Object(entry) = entry else {
        return Some(Translated { table: entry.clone(), ignored: Vec::new() });
    };
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let args: Vec<String> = entry
        .get("args")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if text("command").is_some_and(|command| is_own_entry(command, &args)) {
        return None;
    }

    let mut table = Map::new();
    let mut take = |ours: &str, value: Option<&Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            table.insert(ours.to_owned(), plain_texts(value));
        }
    };
    let url = ["url", "serverUrl", "httpUrl"].into_iter().find_map(|key| entry.get(key).filter(|url| !url.is_null()));
    let transport = text("type").or_else(|| text("transport")).and_then(transport_named);
    // Some clients leave the other way to reach a server in place; `type` says which one is meant.
    let by_url =
        url.is_some() && (transport.is_some_and(|transport| transport != "stdio") || !entry.contains_key("command"));
    if by_url && url.and_then(Value::as_str).is_some_and(|url| is_own_url(label, url)) {
        return None;
    }
    let mut ignored = Vec::new();
    if by_url {
        take("url", url);
        take("headers", entry.get("headers"));
        ignored.extend(
            ["command", "args", "env", "cwd"].into_iter().filter(|key| entry.get(*key).is_some_and(has_content)),
        );
    } else {
        for key in ["command", "args", "env", "cwd"] {
            take(key, entry.get(key));
        }
        ignored.extend(["url", "headers"].into_iter().filter(|key| entry.get(*key).is_some_and(has_content)));
    }
    let fits = transport.is_some_and(|transport| (transport == "stdio") != by_url);
    take("transport", transport.filter(|_| fits).map(Value::from).as_ref());
    take("summary", entry.get("description").filter(|summary| summary.is_string()));
    if entry.get("disabled") == Some(&Value::Bool(true)) || entry.get("enabled") == Some(&Value::Bool(false)) {
        take("enabled", Some(&Value::Bool(false)));
    }
    if let Some(span) = entry.get("timeout").and_then(Value::as_u64) {
        // Most clients count milliseconds, Cline and Roo Code seconds.
        let unit = if span < LEAST_MILLISECONDS { "s" } else { "ms" };
        take("call_timeout", Some(&json!(format!("{span}{unit}"))));
    }
    Some(Translated { table: Value::Object(table), ignored })
}

/// A name made of what a client calls a server: `My Server` becomes `my-server`. Never one of those already taken, nor that of
/// toolcrib's own server.
///
/// A label that is a server name already stays as it is, unless it is taken.
#[must_use]
pub fn name_from_label(label: &str, taken: &BTreeSet<ServerName>) -> Option<ServerName> {
    let mut plain = String::new();
    for c in label.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => plain.push(c),
            '_' if !plain.is_empty() => plain.push(c),
            _ if !plain.is_empty() && !plain.ends_with('-') => plain.push('-'),
            _ => {}
        }
    }
    let plain =
        if let Ok(name) = label.parse::<ServerName>() { name.as_str().to_owned() } else { shortened(&plain, 32) };
    let plain = if plain.is_empty() { "server".to_owned() } else { plain };
    let numbered = (2..10_000_u32).map(|number| {
        let ending = format!("-{number}");
        format!("{}{ending}", shortened(&plain, 32 - ending.len()))
    });
    std::iter::once(plain.clone())
        .chain(numbered)
        .filter_map(|name| name.parse().ok())
        .find(|name: &ServerName| name.as_str() != BUILT_IN_SERVER && !taken.contains(name))
}

/// The first bytes of an ASCII name, without a separator at its end.
fn shortened(name: &str, bytes: usize) -> String {
    name.chars().take(bytes).collect::<String>().trim_end_matches(['-', '_']).to_owned()
}

fn transport_named(name: &str) -> Option<&'static str> {
    match name.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
        "stdio" | "local" => Some("stdio"),
        "http" | "streamablehttp" => Some("http"),
        "sse" => Some("sse"),
        _ => None,
    }
}

/// Clients take `"PORT": 8080` and pass on its text; so do we. Lists and tables are translated one level deep.
fn plain_texts(value: &Value) -> Value {
    let text = |value: &Value| match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Bool(boolean) => Value::String(boolean.to_string()),
        other => other.clone(),
    };
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
        other => other.clone(),
    }
}

fn has_content(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(label: &str, taken: &[&str]) -> String {
        let taken = taken.iter().map(|name| name.parse().unwrap()).collect();
        name_from_label(label, &taken).unwrap().to_string()
    }

    #[test]
    fn labels_become_names_that_can_be_read() {
        for (label, want) in [
            ("github", "github"),
            ("My Server", "my-server"),
            ("  @acme/Files (local) ", "acme-files-local"),
            ("Größe", "gr-e"),
            ("__x__", "x"),
            ("日本", "server"),
            ("", "server"),
            ("a-very-long-name-of-a-server-that-never-ends", "a-very-long-name-of-a-server-tha"),
        ] {
            assert_eq!(name(label, &[]), want, "{label:?}");
        }
    }

    #[test]
    fn two_labels_never_share_a_name() {
        assert_eq!(name("My Server", &["my-server"]), "my-server-2");
        assert_eq!(name("my-server", &["my-server", "my-server-2"]), "my-server-3");
        assert_eq!(name(&"x".repeat(40), &[&"x".repeat(32)]), format!("{}-2", "x".repeat(30)));
    }

    #[test]
    fn every_clients_way_to_write_a_server_is_understood() {
        let table = |entry: Value| translate("a", &entry).unwrap().table.to_string();
        insta::assert_snapshot!(
            table(json!({"type": "streamable-http", "url": "https://a.example", "headers": {"X": "y"}, "oauth": {}})),
            @r#"{"url":"https://a.example","headers":{"X":"y"},"transport":"http"}"#
        );
        insta::assert_snapshot!(
            table(json!({"serverUrl": "https://a.example/sse", "disabled": true, "timeout": 60_000})),
            @r#"{"url":"https://a.example/sse","enabled":false,"call_timeout":"60000ms"}"#
        );
        insta::assert_snapshot!(
            table(json!({"command": "x", "args": ["-p", 80], "env": {"A": 1, "B": true}, "timeout": 30, "alwaysAllow": []})),
            @r#"{"command":"x","args":["-p","80"],"env":{"A":"1","B":"true"},"call_timeout":"30s"}"#
        );
        insta::assert_snapshot!(
            table(json!({"type": "sse", "httpUrl": "https://a.example", "command": "x", "env": {}})),
            @r#"{"url":"https://a.example","transport":"sse"}"#
        );
    }

    #[test]
    fn toolcribs_own_entry_is_left_out() {
        assert!(translate("x", &json!({"command": "/usr/local/bin/toolcrib", "args": ["serve"]})).is_none());
        assert!(translate("toolcrib", &json!({"url": "http://127.0.0.1:7477/mcp"})).is_none());
        assert!(translate("notes", &json!({"url": "http://127.0.0.1:7477/mcp"})).is_some());
        assert!(translate("toolcrib", &json!({"url": "https://toolcrib.example/mcp"})).is_some());
        assert!(translate("x", &json!({"command": "toolcrib"})).is_none());
        assert!(translate("x", &json!({"command": "toolcrib-notes", "args": ["serve"]})).is_some());
    }

    proptest! {
        #[test]
        fn every_label_gets_a_name(label in "\\PC{0,60}") {
            prop_assert!(name_from_label(&label, &BTreeSet::new()).is_some());
        }
    }
}
