//! One tool of the catalog: its definition as text, read only when somebody asks for what is inside.
//!
//! A start loads thousands of definitions and looks into a handful, so the text is kept and parsing waits. What every
//! tool is asked for (name, title, description, fingerprint) is at hand without it.

use std::sync::{Arc, LazyLock, OnceLock};

use serde_json::{Value, json};

use super::{Fingerprint, JsonObject, fingerprint};
use crate::ids::{ToolId, ToolName};

/// What a tool without an `inputSchema` takes: any object. Real clients read the absence so.
static ANY_OBJECT: LazyLock<Value> = LazyLock::new(|| json!({ "type": "object" }));

/// One tool, as its backend defined it.
#[derive(Debug, Clone)]
pub struct ToolEntry {
    /// Full name.
    pub id: ToolId,
    /// Fingerprint of the definition.
    pub fingerprint: Fingerprint,
    title: Option<Box<str>>,
    description: Box<str>,
    text: Box<str>,
    parsed: OnceLock<Arc<JsonObject>>,
}

impl ToolEntry {
    /// Takes a definition that was judged already; see [`super::ServerEntry::read`] for raw ones.
    #[must_use]
    pub fn new(id: ToolId, definition: &JsonObject) -> Self {
        // A map of strings to values always has a text; the fallback is what `parse_definition` reads as "name only".
        let text = serde_json::to_string(definition).unwrap_or_default();
        Self::with_text(id, definition, text.into())
    }

    /// As [`Self::new`], where the text is at hand.
    pub(super) fn with_text(id: ToolId, definition: &JsonObject, text: Box<str>) -> Self {
        let part = |key: &str| definition.get(key).and_then(Value::as_str);
        let annotated = || definition.get("annotations")?.get("title")?.as_str();
        let title = part("title").or_else(annotated).map(Box::from);
        let description = part("description").unwrap_or_default().into();
        Self {
            id,
            fingerprint: fingerprint::of_definition(definition),
            title,
            description,
            text,
            parsed: OnceLock::new(),
        }
    }

    /// Puts a stored tool together again, without looking into its text.
    #[must_use]
    pub fn restore(
        id: ToolId,
        fingerprint: Fingerprint,
        title: Option<Box<str>>,
        description: Box<str>,
        text: Box<str>,
    ) -> Self {
        Self { id, fingerprint, title, description, text, parsed: OnceLock::new() }
    }

    /// The tool's name on its server.
    #[must_use]
    pub const fn name(&self) -> &ToolName {
        &self.id.tool
    }

    /// The backend's title, if any: `title`, else `annotations.title`.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The backend's description, empty where it gave none.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The definition as JSON text: every key, in the order received.
    #[must_use]
    pub fn definition_text(&self) -> &str {
        &self.text
    }

    /// The definition: every key, in the order received. Parsed at the first call and kept; a pass over the whole
    /// catalog takes [`Self::parse_definition`] instead, which leaves nothing behind.
    #[must_use]
    pub fn definition(&self) -> &Arc<JsonObject> {
        self.parsed.get_or_init(|| Arc::new(self.parse_definition()))
    }

    /// The definition, parsed anew.
    #[must_use]
    pub fn parse_definition(&self) -> JsonObject {
        // Texts are written by us and checksummed on disk, so this always parses. If it ever did not, a tool of which
        // only the name is known is better than a panic: the call then meets the backend's own check.
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| JsonObject::from_iter([("name".to_owned(), Value::from(self.id.tool.as_str()))]))
    }

    /// The schema of its arguments. A definition without one takes any object.
    #[must_use]
    pub fn input_schema(&self) -> &Value {
        self.definition().get("inputSchema").unwrap_or(&ANY_OBJECT)
    }
}

/// Equal when nothing a reader could see differs, the order of keys included.
impl PartialEq for ToolEntry {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.fingerprint == other.fingerprint && self.text == other.text
    }
}

impl Eq for ToolEntry {}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(text: &str) -> ToolEntry {
        ToolEntry::new("github/create_issue".parse().unwrap(), &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_definition_keeps_its_keys_in_their_order() {
        let text = r#"{"zeta":1,"name":"create_issue","alpha":{"b":1,"a":2},"inputSchema":{"type":"object"}}"#;
        assert_eq!(tool(text).definition_text(), text);
        assert_eq!(serde_json::to_string(tool(text).definition().as_ref()).unwrap(), text);
    }

    #[test]
    fn the_title_of_the_annotations_stands_in_for_a_missing_one() {
        assert_eq!(tool(r#"{"annotations":{"title":"Open an issue"}}"#).title(), Some("Open an issue"));
        assert_eq!(tool(r#"{"title":"Open","annotations":{"title":"Open an issue"}}"#).title(), Some("Open"));
        assert_eq!(tool("{}").title(), None);
    }

    #[test]
    fn a_tool_without_a_schema_takes_any_object() {
        assert_eq!(tool("{}").input_schema(), &json!({ "type": "object" }));
    }

    #[test]
    fn numbers_beyond_every_machine_type_survive_in_a_restored_text() {
        let text = r#"{"name":"create_issue","inputSchema":{"type":"object","maximum":12345678901234567890123}}"#;
        let first = tool("{}");
        let restored = ToolEntry::restore(first.id.clone(), first.fingerprint, None, "".into(), text.into());
        assert_eq!(restored.definition_text(), text);
    }

    #[test]
    fn an_unreadable_text_leaves_a_tool_with_its_name() {
        let first = tool("{}");
        let broken = ToolEntry::restore(first.id.clone(), first.fingerprint, None, "".into(), "{".into());
        assert_eq!(broken.definition().get("name"), Some(&json!("create_issue")));
    }
}
