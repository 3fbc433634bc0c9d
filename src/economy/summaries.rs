//! One line per server for the instructions: what a model must know to think of searching.
//!
//! The text depends on the catalog and the configuration alone, and on no count that needs the tokenizer's table, so it is the
//! same at every start and ready at once. Names of servers and terms of tools are shown; a server's instructions never are.

use std::collections::HashMap;

use crate::{catalog::ServerEntry, ids::ServerName};

use super::{
    clean, description,
    terms::{self, Corpus},
    tokens,
};

/// Longest text of all summaries in characters. Clients cut instructions at 2,000 and more; the fixed part takes the rest.
pub const MAX_CHARS: usize = 1_600;

/// A few servers need no long lines: so many tokens each, and some to begin with, up to the budget.
const TOKENS_PER_SERVER: usize = 8;
const FIRST_TOKENS: usize = 24;

/// Names that start alike are written once from this many on: `aws-{ecs iam s3}`.
const GROUP_FROM: usize = 3;

/// So few tools are named rather than summed up.
const FEW_TOOLS: usize = 4;

/// Fewest tokens of a line beyond its name: with less room for each server there are only names.
const LEAST_PURPOSE_TOKENS: usize = 3;

/// What a summary is made of.
#[derive(Debug, Clone)]
pub struct SummaryInput<'a> {
    /// The operator's name of the server.
    pub name: &'a ServerName,
    /// The operator's own words, which win.
    pub summary: Option<&'a str>,
    /// The server as it was last read; `None` where it never was.
    pub entry: Option<&'a ServerEntry>,
}

/// How much a line says, from most to least.
const LEVELS: [Level; 6] = [
    Level { terms: 5, chars: 64, count: true },
    Level { terms: 4, chars: 48, count: true },
    Level { terms: 3, chars: 40, count: true },
    Level { terms: 3, chars: 36, count: false },
    Level { terms: 2, chars: 26, count: false },
    Level { terms: 1, chars: 16, count: false },
];

#[derive(Debug, Clone, Copy)]
struct Level {
    terms: usize,
    chars: usize,
    count: bool,
}

/// What is known of one server, ready to be written at any level.
struct Purpose<'a> {
    name: &'a str,
    tools: usize,
    /// Whole words of the operator or the server; empty where there are none.
    said: String,
    terms: Vec<String>,
}

/// Summaries of all servers in at most about `budget_tokens` and 1,600 characters, by server name. With many servers lines
/// shorten, then only names are left, then as many names as fit and the number of the others.
#[must_use]
pub fn render(servers: &[SummaryInput<'_>], budget_tokens: usize) -> String {
    let mut servers: Vec<&SummaryInput<'_>> = servers.iter().collect();
    servers.sort_by_key(|server| server.name);
    let budget = budget_tokens.min(FIRST_TOKENS + TOKENS_PER_SERVER * servers.len());
    let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    let least = tokens::estimate(&grouped(&names)) + LEAST_PURPOSE_TOKENS * names.len();
    if least > budget {
        return listed_within(&names, budget);
    }
    let purposes = purposes(&servers);
    for (at, level) in LEVELS.iter().enumerate() {
        let lines: Vec<String> = purposes.iter().map(|purpose| purpose.line(*level)).collect();
        if fits(&lines, budget) {
            let richer = at.checked_sub(1).map(|above| LEVELS[above]);
            return enriched(lines, &purposes, richer, budget).join("\n");
        }
    }
    listed_within(&names, budget)
}

/// What each server is for, in a few words: what its line in the instructions says without name and number.
#[must_use]
pub fn purposes_by_name(servers: &[SummaryInput<'_>]) -> HashMap<ServerName, String> {
    const LEVEL: Level = Level { terms: 3, chars: 36, count: false };
    let servers: Vec<&SummaryInput<'_>> = servers.iter().collect();
    let purposes = purposes(&servers);
    let said = |(server, purpose): (&&SummaryInput<'_>, &Purpose<'_>)| {
        let line = purpose.line(LEVEL);
        let (_, words) = line.split_once(": ")?;
        Some((server.name.clone(), words.to_owned()))
    };
    servers.iter().zip(&purposes).filter_map(said).collect()
}

/// Gives what is left of the budget to the servers with the most tools.
fn enriched(mut lines: Vec<String>, purposes: &[Purpose<'_>], richer: Option<Level>, budget: usize) -> Vec<String> {
    let Some(richer) = richer else { return lines };
    let mut by_size: Vec<usize> = (0..purposes.len()).collect();
    by_size.sort_by_key(|&at| std::cmp::Reverse(purposes[at].tools));
    for at in by_size {
        // The count stays on all lines or on none, so that they read alike.
        let level = Level { count: richer.count && lines[at].contains(" ("), ..richer };
        let before = std::mem::replace(&mut lines[at], purposes[at].line(level));
        if !fits(&lines, budget) {
            lines[at] = before;
        }
    }
    lines
}

fn fits(lines: &[String], budget: usize) -> bool {
    let chars: usize = lines.iter().map(|line| line.chars().count() + 1).sum();
    let tokens: usize = lines.iter().map(|line| tokens::estimate(line) + 1).sum();
    chars <= MAX_CHARS && tokens <= budget
}

impl Purpose<'_> {
    fn line(&self, level: Level) -> String {
        let count = if level.count && self.tools > 0 { format!(" ({})", self.tools) } else { String::new() };
        let purpose = if self.said.is_empty() {
            let mut listed = String::new();
            for term in self.terms.iter().take(level.terms) {
                if !listed.is_empty() && listed.len() + term.len() + 2 > level.chars {
                    break;
                }
                if !listed.is_empty() {
                    listed.push_str(", ");
                }
                // A name without borders is one long term; it may not cost the others their lines.
                listed.push_str(&shortened(term, level.chars));
            }
            listed
        } else {
            shortened(&self.said, level.chars)
        };
        if purpose.is_empty() { format!("{}{count}", self.name) } else { format!("{}{count}: {purpose}", self.name) }
    }
}

fn purposes<'a>(servers: &[&SummaryInput<'a>]) -> Vec<Purpose<'a>> {
    let names = |server: &SummaryInput<'a>| -> Vec<&'a str> {
        server.entry.map(|entry| entry.tools.iter().map(|tool| tool.id.tool.as_str()).collect()).unwrap_or_default()
    };
    let corpus = Corpus::new(servers.iter().map(|server| (server.name.as_str(), names(server))));
    servers
        .iter()
        .map(|server| {
            let tool_names = names(server);
            let said = said(server);
            let most = LEVELS[0].terms;
            let mut terms = if said.is_empty() {
                terms::telling_terms(&corpus, server.name.as_str(), &tool_names, most)
            } else {
                Vec::new()
            };
            if said.is_empty() && (terms.len() < 2 || tool_names.len() <= FEW_TOOLS) {
                // All verbs (`fetch`, `query`), or so few that their names say it.
                terms = terms::spoken(server.name.as_str(), &tool_names, most);
            }
            Purpose { name: server.name.as_str(), tools: tool_names.len(), said, terms }
        })
        .collect()
}

/// The operator's words, else the server's own description of itself where it is short and says something.
fn said(server: &SummaryInput<'_>) -> String {
    if let Some(summary) = server.summary.map(clean::line).filter(|summary| !summary.is_empty()) {
        return summary;
    }
    let own = server.entry.and_then(|entry| entry.server_info.get("description")?.as_str());
    let sentence = own.map(description::first_sentence).unwrap_or_default();
    let sentence = without_opening(&sentence);
    // A long description cut short says less than the terms of the tools.
    if sentence.chars().count() <= LEVELS[0].chars { sentence } else { String::new() }
}

/// `MCP server for X` says `X`.
fn without_opening(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let lower = sentence.to_ascii_lowercase();
    let openings = [
        "mcp server for ",
        "an mcp server for ",
        "a server for ",
        "mcp server that ",
        "an mcp server that ",
        "provides ",
    ];
    openings
        .iter()
        .find(|opening| lower.starts_with(*opening))
        .map_or(sentence, |opening| &sentence[opening.len()..])
        .to_owned()
}

/// Cut after a clause or a word.
fn shortened(text: &str, chars: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars) else { return text.to_owned() };
    let cut = &text[..end];
    let at = cut.rfind([',', ';', '.', ':']).filter(|&at| at > end / 2).or_else(|| cut.rfind(' ')).unwrap_or(end);
    cut[..at].trim_end_matches([',', ';', ':', ' ', '-', '–']).to_owned()
}

/// Names on one line, those that start alike together. Where not all fit, the cheapest stay: that names the most servers.
fn listed_within(names: &[&str], budget: usize) -> String {
    let text = grouped(names);
    let ending = |left_out: usize| format!("\nand {left_out} more; search finds them all");
    if fits(std::slice::from_ref(&text), budget) {
        return text;
    }
    let mut by_cost = names.to_vec();
    by_cost.sort_by_key(|name| (tokens::estimate(name), name.len(), *name));
    // Bisect on how many names are kept: each try writes them all.
    let (mut fit, mut too_many) = (0, by_cost.len());
    while too_many - fit > 1 {
        let middle = fit + (too_many - fit) / 2;
        if fits(&[in_order(&by_cost[..middle]) + &ending(names.len() - middle)], budget) {
            fit = middle;
        } else {
            too_many = middle;
        }
    }
    let text = in_order(&by_cost[..fit]) + &ending(names.len() - fit);
    text.trim_start().to_owned()
}

fn in_order(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    grouped(&names)
}

/// `aws-{ecs iam s3} github slack`: names hold no space, so a comma would be a token for nothing. Takes names in order.
fn grouped(names: &[&str]) -> String {
    let family = |name: &str| name.split_once('-').map(|(family, _)| family.to_owned());
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while at < names.len() {
        let end = match family(names[at]) {
            Some(first) => names[at..].iter().take_while(|name| family(name).as_ref() == Some(&first)).count() + at,
            None => at + 1,
        };
        if end - at >= GROUP_FROM {
            let prefix = family(names[at]).unwrap_or_default();
            let rest: Vec<&str> = names[at..end].iter().map(|name| &name[prefix.len() + 1..]).collect();
            parts.push(format!("{prefix}-{{{}}}", rest.join(" ")));
        } else {
            parts.extend(names[at..end].iter().map(|name| (*name).to_owned()));
        }
        at = end;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests;
