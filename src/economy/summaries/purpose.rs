//! What one server is for: the operator's words, its own short description, or what its tools are about.

use super::{SummaryInput, shortened};
use crate::economy::{
    clean, description,
    terms::{self, About},
};

/// How much a line says, from most to least.
pub(super) const LEVELS: [Level; 6] = [
    Level { terms: 5, chars: 64, count: true },
    Level { terms: 4, chars: 48, count: true },
    Level { terms: 3, chars: 40, count: true },
    Level { terms: 3, chars: 36, count: false },
    Level { terms: 2, chars: 26, count: false },
    Level { terms: 1, chars: 20, count: false },
];

/// How much one line says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) terms: usize,
    pub(super) chars: usize,
    /// Whether it says how many tools there are.
    pub(super) count: bool,
}

/// What is known of one server, ready to be written at any level.
#[derive(Debug)]
pub(super) struct Purpose<'a> {
    name: &'a str,
    pub(super) tools: usize,
    /// The operator's words; empty where there are none.
    summary: String,
    /// The server's own sentence, shown where it fits whole: cut short it says less than the terms.
    said: String,
    terms: Vec<String>,
}

impl<'a> Purpose<'a> {
    pub(super) fn of(server: &SummaryInput<'a>) -> Self {
        let tools = server.entry.map_or(0, |entry| entry.tools.len());
        let summary = server.summary.map(clean::line).unwrap_or_default();
        let (said, terms) =
            if summary.is_empty() { (said(server), terms_of(server)) } else { (String::new(), Vec::new()) };
        Self { name: server.name.as_str(), tools, summary, said, terms }
    }

    pub(super) fn line(&self, level: Level) -> String {
        let count = if level.count && self.tools > 0 { format!(" ({})", self.tools) } else { String::new() };
        let purpose = self.words(level);
        if purpose.is_empty() { format!("{}{count}", self.name) } else { format!("{}{count}: {purpose}", self.name) }
    }

    /// What a line says after the name.
    pub(super) fn words(&self, level: Level) -> String {
        if !self.summary.is_empty() {
            return shortened(&self.summary, level.chars);
        }
        if !self.said.is_empty() && (self.terms.is_empty() || self.said.chars().count() <= level.chars) {
            return shortened(&self.said, level.chars);
        }
        let fits = |term: &&String| term.chars().count() <= level.chars;
        let mut listed = String::new();
        for term in self.terms.iter().filter(fits).take(level.terms) {
            if !listed.is_empty() {
                if listed.len() + term.len() + 2 > level.chars {
                    break;
                }
                listed.push_str(", ");
            }
            listed.push_str(term);
        }
        if listed.is_empty() {
            self.terms.first().map(|term| shortened(term, level.chars)).unwrap_or_default()
        } else {
            listed
        }
    }
}

fn terms_of(server: &SummaryInput<'_>) -> Vec<String> {
    let Some(entry) = server.entry else { return Vec::new() };
    let about = About {
        name: server.name.as_str(),
        description: entry.server_info.get("description").and_then(|text| text.as_str()).unwrap_or_default(),
        tools: entry.tools.iter().map(|tool| (tool.name().as_str(), tool.description())).collect(),
    };
    terms::terms(&about, LEVELS[0].terms)
}

/// The server's own description of itself where it is short, plain and says something: the sentence, else what stands before its
/// colon (`Team knowledge base: search, read and write notes`).
fn said(server: &SummaryInput<'_>) -> String {
    let own = server.entry.and_then(|entry| entry.server_info.get("description")?.as_str());
    let sentence = without_opening(&own.map(description::first_sentence).unwrap_or_default());
    let is_fit = |text: &&str| text.chars().count() <= LEVELS[0].chars && terms::is_harmless(text);
    let clause = sentence.split_once(": ").map(|(clause, _)| clause).filter(|clause| clause.contains(' '));
    let said = std::iter::once(sentence.as_str()).chain(clause).find(is_fit).unwrap_or_default();
    if said.eq_ignore_ascii_case(server.name.as_str()) { String::new() } else { said.to_owned() }
}

/// `MCP server for X` says `X`.
fn without_opening(sentence: &str) -> String {
    const OPENINGS: [&str; 6] = [
        "mcp server for ",
        "an mcp server for ",
        "a server for ",
        "mcp server that ",
        "an mcp server that ",
        "provides ",
    ];
    let sentence = sentence.trim_end_matches('.');
    let lower = sentence.to_ascii_lowercase();
    OPENINGS
        .iter()
        .find(|opening| lower.starts_with(*opening))
        .map_or(sentence, |opening| &sentence[opening.len()..])
        .to_owned()
}
