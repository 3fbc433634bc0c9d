//! What of a tool is searched: the document a caller gives, and the fields its texts go to, with their boosts.
//!
//! Knows nothing of how fields are stored or scored. A new field, or a text that moves to another one, changes what is
//! in an index on disk: raise `generation::FORMAT` with it. Boosts are applied when searching and may change freely.

use std::collections::HashSet;

use serde_json::Value;

use crate::{analyzer, schema_text};

/// Longest text taken into one field, in characters. Real descriptions stay far below; a hostile one costs no more.
const MAX_FIELD_CHARS: usize = 16_000;

/// How much of a server's description is searched, in characters: its opening says what it is for, the rest is set-up.
const MAX_SERVER_DESCRIPTION_CHARS: usize = 600;

/// One tool, as the caller knows it. Ids, servers and names are any texts; ids are unique.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDocument {
    /// What a hit is called.
    pub id: String,
    /// The server that has the tool.
    pub server: String,
    /// The tool's name on its server.
    pub name: String,
    /// A title for people, where the server gave one.
    pub title: Option<String>,
    /// What the tool does; may be empty.
    pub description: String,
    /// JSON Schema of its arguments; anything that is no schema counts as none.
    pub input_schema: Value,
    /// What its server says of itself, or the operator of it; may be empty.
    pub server_description: String,
}

/// A field of BM25F.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Name,
    Title,
    Server,
    Description,
    ArgumentNames,
    EnumValues,
    ArgumentTexts,
    ServerDescription,
}

/// The stems of one tool, by field.
#[derive(Debug)]
pub(crate) struct Fields([Vec<String>; Part::ALL.len()]);

impl Part {
    /// Every field, in the order of their discriminants.
    pub(crate) const ALL: [Self; 8] = [
        Self::Name,
        Self::Title,
        Self::Server,
        Self::Description,
        Self::ArgumentNames,
        Self::EnumValues,
        Self::ArgumentTexts,
        Self::ServerDescription,
    ];

    /// How much one occurrence in this field counts. Rough values on purpose: searching them further gained 0.002.
    pub(crate) const fn boost(self) -> f32 {
        match self {
            Self::Name | Self::Title | Self::Server => 3.0,
            Self::Description => 1.0,
            Self::ArgumentNames => 0.5,
            Self::EnumValues => 0.4,
            Self::ArgumentTexts => 0.3,
            Self::ServerDescription => 0.1,
        }
    }

    /// Its name in the index on disk.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Server => "server",
            Self::Description => "description",
            Self::ArgumentNames => "argument_names",
            Self::EnumValues => "enum_values",
            Self::ArgumentTexts => "argument_texts",
            Self::ServerDescription => "server_description",
        }
    }
}

impl Fields {
    /// Analyzes a tool's texts.
    pub(crate) fn of(document: &ToolDocument) -> Self {
        let arguments = schema_text::read(&document.input_schema);
        let name = stems(&document.name);
        // A title mostly repeats the name; only what it adds counts, or tools with titles would be worth twice.
        let known: HashSet<&String> = name.iter().collect();
        let mut title = stems(document.title.as_deref().unwrap_or_default());
        title.retain(|stem| !known.contains(stem));
        Self([
            name,
            title,
            stems(&document.server),
            stems(&document.description),
            stems(&arguments.names),
            stems(&arguments.values),
            stems(&arguments.descriptions),
            analyzer::stems(head(&document.server_description, MAX_SERVER_DESCRIPTION_CHARS)),
        ])
    }

    /// The stems of one field, in their order.
    pub(crate) fn of_part(&self, part: Part) -> &[String] {
        &self.0[part as usize]
    }
}

fn stems(text: &str) -> Vec<String> {
    analyzer::stems(head(text, MAX_FIELD_CHARS))
}

/// The first characters of a text.
pub(crate) fn head(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A tool with a name and a description, and nothing else.
    pub(crate) fn tool(server: &str, name: &str, description: &str) -> ToolDocument {
        ToolDocument {
            id: format!("{server}/{name}"),
            server: server.into(),
            name: name.into(),
            title: None,
            description: description.into(),
            input_schema: Value::Null,
            server_description: String::new(),
        }
    }

    #[test]
    fn parts_are_listed_in_the_order_of_their_numbers() {
        assert!(Part::ALL.iter().enumerate().all(|(at, &part)| part as usize == at));
    }

    #[test]
    fn a_title_counts_only_for_what_the_name_lacks() {
        let document =
            ToolDocument { title: Some("Create an Issue (bug)".into()), ..tool("github", "create_issue", "") };
        assert_eq!(Fields::of(&document).of_part(Part::Title), ["bug"]);
    }

    #[test]
    fn a_server_description_is_searched_in_its_opening_only() {
        let document =
            ToolDocument { server_description: format!("{}late", "word ".repeat(120)), ..tool("s", "t", "") };
        let fields = Fields::of(&document);
        assert_eq!(fields.of_part(Part::ServerDescription).len(), 120);
    }
}
