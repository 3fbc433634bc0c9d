//! Edits of TOML that leave every other byte alone.

use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

/// Puts the entry after the others, or in the place of the one that has its name. `None` where the file has no place for it.
pub(super) fn insert(text: &str, container: &str, name: &str, members: &Map<String, Value>) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let servers = document.entry(container).or_insert_with(|| {
        let mut servers = Table::new();
        servers.set_implicit(true);
        Item::Table(servers)
    });
    let servers = servers.as_table_like_mut()?;
    match servers.get_mut(name).and_then(Item::as_table_like_mut) {
        Some(present) => {
            let stale: Vec<String> = present.iter().map(|(key, _)| key.to_owned()).collect();
            let stale = stale.iter().filter(|key| !members.contains_key(*key));
            stale.for_each(|key| drop(present.remove(key)));
            fill(present, members);
        }
        None => {
            let mut entry = Table::new();
            fill(&mut entry, members);
            servers.insert(name, Item::Table(entry));
        }
    }
    let edited = document.to_string();
    // A new document's first table starts with a blank line.
    let edited = if text.is_empty() { edited.trim_start_matches('\n').to_owned() } else { edited };
    is_insertion(text, &edited, servers_had(text, container, name)).then_some(edited)
}

/// Takes the entry out.
pub(super) fn remove(text: &str, container: &str, name: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    document.get_mut(container)?.as_table_like_mut()?.remove(name)?;
    Some(document.to_string())
}

fn fill(table: &mut dyn TableLike, members: &Map<String, Value>) {
    for (key, member) in members {
        let item = match member {
            Value::String(text) => value(text),
            Value::Bool(flag) => value(*flag),
            Value::Array(items) => value(items.iter().filter_map(Value::as_str).collect::<Array>()),
            Value::Number(_) | Value::Object(_) | Value::Null => continue,
        };
        table.insert(key, item);
    }
}

fn servers_had(text: &str, container: &str, name: &str) -> bool {
    let document: DocumentMut = text.parse().unwrap_or_default();
    document.get(container).and_then(Item::as_table_like).is_some_and(|servers| servers.contains_key(name))
}

/// Whether every line that was there is still there, in order. toml_edit rewrites some rare line endings.
fn is_insertion(old: &str, new: &str, replaces: bool) -> bool {
    let mut lines = new.lines();
    replaces || old.split_inclusive('\n').all(|line| lines.any(|kept| kept == line.trim_end_matches('\n')))
}
