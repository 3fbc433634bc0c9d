//! One line per server for the instructions: what a model must know to think of searching.
//!
//! The text depends on the catalog and the configuration alone, and on no count that needs the tokenizer's table, so it is the
//! same at every start and ready at once. With many servers lines shorten, then names are left (some with a word beside
//! them), then groups of names with their number.

mod names;
mod purpose;

use std::collections::HashMap;

use crate::{catalog::ServerEntry, ids::ServerName};

use self::purpose::{LEVELS, Level, Purpose};
use super::estimate;

/// Longest text of all summaries at the start, in UTF-16 units as clients count characters. They cut instructions and
/// descriptions at 2,000 and more; the fixed part takes the rest.
pub const MAX_CHARS: usize = 1_600;

/// A few servers need no long lines: so many tokens each, and some to begin with, up to the budget.
const TOKENS_PER_SERVER: usize = 8;
const FIRST_TOKENS: usize = 16;

/// Fewest tokens of a line beyond its name: with less room for each server there are only names.
const LEAST_PURPOSE_TOKENS: usize = 4;

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

/// What a text may cost.
#[derive(Debug, Clone, Copy)]
struct Budget {
    tokens: usize,
    chars: usize,
}

/// Summaries of all servers for the start, in at most `budget_tokens` and 1,600 characters, by server name.
#[must_use]
pub fn render(servers: &[SummaryInput<'_>], budget_tokens: usize) -> String {
    let tokens = budget_tokens.min(FIRST_TOKENS + TOKENS_PER_SERVER * servers.len());
    within(servers, Budget { tokens, chars: MAX_CHARS })
}

/// The same for a reply that somebody asked for: as long as the budget, however few the servers.
#[must_use]
pub fn listing(servers: &[SummaryInput<'_>], budget_tokens: usize) -> String {
    within(servers, Budget { tokens: budget_tokens, chars: usize::MAX })
}

/// Every server's longest line, by server name.
#[must_use]
pub fn longest(servers: &[SummaryInput<'_>]) -> Vec<String> {
    sorted(servers).iter().map(|server| Purpose::of(server).line(LEVELS[0])).collect()
}

fn within(servers: &[SummaryInput<'_>], budget: Budget) -> String {
    let servers = sorted(servers);
    let least = names::least_tokens(&servers) + LEAST_PURPOSE_TOKENS * servers.len();
    if least > budget.tokens {
        return names::listed(&servers, budget);
    }
    let purposes: Vec<Purpose<'_>> = servers.iter().map(|server| Purpose::of(server)).collect();
    for (at, level) in LEVELS.iter().enumerate() {
        let lines: Vec<String> = purposes.iter().map(|purpose| purpose.line(*level)).collect();
        if budget.holds(&lines) {
            let richer = at.checked_sub(1).map(|above| LEVELS[above]);
            return enriched(lines, &purposes, richer, budget).join("\n");
        }
    }
    names::listed(&servers, budget)
}

fn sorted<'s, 'a>(servers: &'s [SummaryInput<'a>]) -> Vec<&'s SummaryInput<'a>> {
    let mut servers: Vec<&SummaryInput<'a>> = servers.iter().collect();
    servers.sort_by_key(|server| server.name);
    servers
}

/// What each server is for, in a few words: what its line in the instructions says without name and number.
#[must_use]
pub fn purposes_by_name(servers: &[SummaryInput<'_>]) -> HashMap<ServerName, String> {
    const LEVEL: Level = Level { terms: 3, chars: 36, count: false };
    let said = |server: &SummaryInput<'_>| (server.name.clone(), Purpose::of(server).words(LEVEL));
    servers.iter().map(said).filter(|(_, words)| !words.is_empty()).collect()
}

/// Gives what is left of the budget to the servers with the most tools.
fn enriched(mut lines: Vec<String>, purposes: &[Purpose<'_>], richer: Option<Level>, budget: Budget) -> Vec<String> {
    let Some(richer) = richer else { return lines };
    let mut by_size: Vec<usize> = (0..purposes.len()).collect();
    by_size.sort_by_key(|&at| std::cmp::Reverse(purposes[at].tools));
    let (mut tokens, mut chars) = cost(&lines);
    for at in by_size {
        // The count stays on all lines or on none, so that they read alike.
        let level = Level { count: richer.count && lines[at].contains(" ("), ..richer };
        let line = purposes[at].line(level);
        let (before, after) = (cost([&lines[at]]), cost([&line]));
        if tokens + after.0 <= budget.tokens + before.0 && chars + after.1 <= budget.chars.saturating_add(before.1) {
            (tokens, chars) = (tokens + after.0 - before.0, chars + after.1 - before.1);
            lines[at] = line;
        }
    }
    lines
}

impl Budget {
    fn holds<'l>(self, lines: impl IntoIterator<Item = &'l String>) -> bool {
        let (tokens, chars) = cost(lines);
        tokens <= self.tokens && chars <= self.chars
    }
}

/// Tokens and characters of lines, each with the break after it.
fn cost<'l>(lines: impl IntoIterator<Item = &'l String>) -> (usize, usize) {
    lines
        .into_iter()
        .fold((0, 0), |(tokens, chars), line| (tokens + estimate(line) + 1, chars + line.encode_utf16().count() + 1))
}

/// Cut after a clause or a word.
fn shortened(text: &str, chars: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars) else { return text.to_owned() };
    let cut = &text[..end];
    let at = cut.rfind([',', ';', '.', ':']).filter(|&at| at > end / 2).or_else(|| cut.rfind(' ')).unwrap_or(end);
    let cut = cut[..at].trim_end_matches([',', ';', ':', ' ', '-', '–']);
    // "Convert to" waits for a word that is gone.
    let waiting = [" to", " of", " for", " in", " and", " or", " with", " the"];
    waiting.iter().find_map(|word| cut.strip_suffix(word)).unwrap_or(cut).to_owned()
}

#[cfg(test)]
mod tests;
