//! Lenient reading: a raw listing becomes a server entry, each item judged alone.
//!
//! One malformed tool costs no other: it is quarantined by name, with the reason, and the rest of the list lives. Whatever
//! a backend sends, reading ends, stays within the caps below and never fails.

use std::{collections::HashSet, io, sync::Arc, time::SystemTime};

use serde::Serialize;
use serde_json::Value;

use super::{JsonObject, Quarantined, RawListing, ServerEntry, ToolEntry};
use crate::ids::{ParseToolNameError, ServerName, ToolId, ToolName};

/// Most items taken of one list. The largest real server has 401 tools.
const MAX_ITEMS: usize = 2_000;

/// Largest definition, in bytes of JSON. The largest real one has 104,300.
const MAX_DEFINITION_BYTES: usize = 256 * 1024;

/// Deepest nesting of a definition. Real ones reach 25; what walks a schema recursively stays far from its stack's end.
const MAX_DEPTH: usize = 64;

/// Longest `instructions`, in bytes; longer ones are cut. The longest real ones have about 11,000.
const MAX_INSTRUCTIONS_BYTES: usize = 64 * 1024;

/// Most quarantined items named one by one; the rest is a number.
const MAX_QUARANTINED: usize = 200;

/// Longest text of a backend inside a note, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// Why one item of a list is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{kind} is not a JSON object")]
    NotAnObject { kind: &'static str },
    #[error("{kind} has no `{key}` text")]
    NoName { kind: &'static str, key: &'static str },
    #[error(transparent)]
    Name(#[from] ParseToolNameError),
    #[error("its name holds the invisible character U+{:04X}", u32::from(*character))]
    HiddenCharacter { character: char },
    #[error("{kind} of this `{key}` is already in the list; the first one counts")]
    Duplicate { kind: &'static str, key: &'static str },
    #[error("its `inputSchema` is not a JSON object")]
    SchemaNotAnObject,
    #[error("its `inputSchema` does not take an object")]
    SchemaOfAnotherType,
    #[error("its definition is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("its definition is larger than {} KiB", MAX_DEFINITION_BYTES / 1024)]
    TooLarge,
}

impl ServerEntry {
    /// Judges a listing, item by item. What is not taken is in `quarantined`, with the reason.
    #[must_use]
    pub fn read(name: ServerName, raw: RawListing, at: SystemTime) -> Self {
        let mut notes = Notes::default();
        for note in raw.notes {
            notes.add("listing".into(), shown(&note));
        }
        let server_info = about("serverInfo", raw.server_info, &mut notes);
        let capabilities = about("capabilities", raw.capabilities, &mut notes);
        let instructions = raw.instructions.map(|text| cut_instructions(text, &mut notes));
        let tools = read_tools(&name, &raw.tools, &mut notes);
        Self {
            era: raw.era,
            protocol_version: shown(&raw.protocol_version),
            server_info,
            capabilities,
            instructions,
            tools,
            prompts: read_offers("a prompt", "name", raw.prompts, &mut notes),
            resources: read_offers("a resource", "uri", raw.resources, &mut notes),
            resource_templates: read_offers("a resource template", "uriTemplate", raw.resource_templates, &mut notes),
            quarantined: notes.finish(),
            read_at: at,
            name,
        }
    }
}

fn read_tools(server: &ServerName, items: &[Value], notes: &mut Notes) -> Vec<Arc<ToolEntry>> {
    notes.too_many("tools", items.len());
    let mut seen = HashSet::new();
    let mut tools = Vec::with_capacity(items.len().min(MAX_ITEMS));
    for (place, item) in items.iter().take(MAX_ITEMS).enumerate() {
        match read_tool(server, item, &mut seen) {
            Ok(tool) => tools.push(Arc::new(tool)),
            Err(refusal) => notes.refused(item, "name", place, &refusal),
        }
    }
    tools
}

fn read_tool(server: &ServerName, item: &Value, seen: &mut HashSet<ToolName>) -> Result<ToolEntry, Refusal> {
    const KIND: &str = "a tool";
    let definition = item.as_object().ok_or(Refusal::NotAnObject { kind: KIND })?;
    let name = definition.get("name").and_then(Value::as_str);
    let name = name.ok_or(Refusal::NoName { kind: KIND, key: "name" })?;
    if let Some(character) = name.chars().find(|&character| is_hidden(character)) {
        return Err(Refusal::HiddenCharacter { character });
    }
    let name: ToolName = name.parse()?;
    if seen.contains(&name) {
        return Err(Refusal::Duplicate { kind: KIND, key: "name" });
    }
    check_schema(definition.get("inputSchema"))?;
    let text = bounded_text(item)?;
    // Only a tool that was taken holds its name: a broken one must not shut out a sound one of the same name.
    seen.insert(name.clone());
    Ok(ToolEntry::with_text(ToolId::new(server.clone(), name), definition, text))
}

/// A missing schema is taken as "any object", as real clients do. Anything else than a schema of objects could not be
/// called.
fn check_schema(schema: Option<&Value>) -> Result<(), Refusal> {
    let Some(schema) = schema else { return Ok(()) };
    let schema = schema.as_object().ok_or(Refusal::SchemaNotAnObject)?;
    let takes_object = match schema.get("type") {
        Some(Value::String(only)) => only == "object",
        Some(Value::Array(several)) => several.iter().any(|one| one == "object"),
        Some(_) => false,
        None => true,
    };
    if takes_object { Ok(()) } else { Err(Refusal::SchemaOfAnotherType) }
}

/// Prompts, resources and templates: kept raw, known by the text under `key`.
fn read_offers(kind: &'static str, key: &'static str, items: Vec<Value>, notes: &mut Notes) -> Vec<JsonObject> {
    notes.too_many(kind.trim_start_matches("a "), items.len());
    let mut seen = HashSet::new();
    let mut offers = Vec::new();
    for (place, item) in items.into_iter().take(MAX_ITEMS).enumerate() {
        match judge_offer(kind, key, &item, &mut seen) {
            Ok(()) => offers.extend(into_object(item)),
            Err(refusal) => notes.refused(&item, key, place, &refusal),
        }
    }
    offers
}

fn judge_offer(kind: &'static str, key: &'static str, item: &Value, seen: &mut HashSet<String>) -> Result<(), Refusal> {
    let object = item.as_object().ok_or(Refusal::NotAnObject { kind })?;
    let id = object.get(key).and_then(Value::as_str).ok_or(Refusal::NoName { kind, key })?;
    if seen.contains(id) {
        return Err(Refusal::Duplicate { kind, key });
    }
    bounded_text(item)?;
    seen.insert(id.to_owned());
    Ok(())
}

fn into_object(item: Value) -> Option<JsonObject> {
    if let Value::Object(object) = item { Some(object) } else { None }
}

/// `serverInfo` or `capabilities`: empty where it breaks a cap, because nothing depends on it.
fn about(part: &'static str, object: JsonObject, notes: &mut Notes) -> JsonObject {
    let value = Value::Object(object);
    match bounded_text(&value) {
        Ok(_) => into_object(value).unwrap_or_default(),
        Err(refusal) => {
            notes.add(part.into(), refusal.to_string());
            JsonObject::new()
        }
    }
}

fn cut_instructions(mut text: String, notes: &mut Notes) -> String {
    if text.len() > MAX_INSTRUCTIONS_BYTES {
        notes.add("instructions".into(), format!("cut at {} KiB", MAX_INSTRUCTIONS_BYTES / 1024));
        let boundary = (0..=MAX_INSTRUCTIONS_BYTES).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(boundary.unwrap_or_default());
    }
    text
}

/// The compact JSON of an item, if it stays within the caps. Costs no more than the caps, however large the item.
fn bounded_text(item: &Value) -> Result<Box<str>, Refusal> {
    if is_deeper_than(MAX_DEPTH, item) {
        return Err(Refusal::TooDeep);
    }
    let mut text = BoundedText(Vec::new());
    item.serialize(&mut serde_json::Serializer::new(&mut text)).map_err(|_| Refusal::TooLarge)?;
    String::from_utf8(text.0).map(Into::into).map_err(|_| Refusal::TooLarge)
}

fn is_deeper_than(levels: usize, value: &Value) -> bool {
    let below = |value: &Value| is_deeper_than(levels - 1, value);
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => true,
        Value::Array(items) => items.iter().any(below),
        Value::Object(members) => members.values().any(below),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Takes [`MAX_DEFINITION_BYTES`] and fails at the next.
struct BoundedText(Vec<u8>);

impl io::Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_DEFINITION_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was not taken, bounded.
#[derive(Debug, Default)]
struct Notes {
    kept: Vec<Quarantined>,
    more: usize,
}

impl Notes {
    fn add(&mut self, name: String, reason: String) {
        if self.kept.len() < MAX_QUARANTINED {
            self.kept.push(Quarantined { name, reason });
        } else {
            self.more += 1;
        }
    }

    fn refused(&mut self, item: &Value, key: &str, place: usize, refusal: &Refusal) {
        let named = item.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
        self.add(named.map_or_else(|| format!("#{}", place + 1), shown), refusal.to_string());
    }

    fn too_many(&mut self, what: &str, count: usize) {
        if let Some(over @ 1..) = count.checked_sub(MAX_ITEMS) {
            let last = count;
            self.add(format!("#{}…#{last}", MAX_ITEMS + 1), format!("{over} {what} over the limit of {MAX_ITEMS}"));
        }
    }

    fn finish(mut self) -> Vec<Quarantined> {
        if self.more > 0 {
            let reason = format!("{} more were not taken either", self.more);
            self.kept.push(Quarantined { name: "…".into(), reason });
        }
        self.kept
    }
}

/// A backend's text as it may stand on a screen: short, and with hidden characters made visible.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(MAX_SHOWN_CHARS) {
        if character.is_control() || is_hidden(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(MAX_SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that take no room or turn the direction of text: two names that differ only by them look the same.
const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
