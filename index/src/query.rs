//! A query as the caller gives it and a hit as the caller gets it; and what of the query's text is looked for.
//!
//! Takes any text of any length and any script: only its head is read, there is no syntax, and nothing can be wrong with
//! it. Knows nothing of the index.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    analyzer,
    document::head,
    exact::{self, Candidates},
    habits::Habits,
    needs,
};

/// How much of a query is read, in characters. Longer ones paste data; what is wanted stands at the start.
const MAX_QUERY_CHARS: usize = 2_000;

/// Most different terms of a query that are looked for.
pub(crate) const MAX_QUERY_TERMS: usize = 64;

/// What a term counts that occurs in literals only: they are arguments of the call more often than words of the tool.
const LITERAL_WEIGHT: f32 = 0.5;

/// Literals: quoted and bracketed text, addresses, paths, numbers. `None` cannot be: a test compiles it.
pub(crate) static LITERALS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?x)
          (?: https? | ftp | file ):// \S+ | www\. \S+
        | [\w.+-]+ @ [\w-]+ \. [\w.-]+
        | "[^"]*" | “[^”]*” | ‘[^’]*’ | «[^»]*» | `[^`]*`
        | (?: ^ | [\s(\[,:=] ) ' [^']* '
        | \{ [^}]* \} | \[ [^\]]* \]
        | \b 0x [0-9a-fA-F]+
        | \b [A-Za-z] : [\\/] [\w.\\/\ -]*
        | (?: ^ | [\s(=:,] ) (?: ~ | \.{1,2} )? (?: / [\w.~%-]+ )+
        | \b \d+ (?: [.,:/-] \d+ )* "#;
    Regex::new(pattern).ok()
});

/// What to look for. [`Query::default`] wants five tools of any server, without habits.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// What is wanted, in plain words or as a tool's name.
    pub text: &'a str,
    /// Only tools of this server.
    pub server: Option<&'a str>,
    /// Most hits wanted.
    pub limit: usize,
    /// What queries led to before.
    pub habits: &'a Habits,
    /// Whether each hit should say what it earned its score by.
    pub explain: bool,
}

impl Default for Query<'_> {
    fn default() -> Self {
        Self { text: "", server: None, limit: DEFAULT_LIMIT, habits: Habits::NONE, explain: false }
    }
}

/// A tool that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The id of its document.
    pub id: String,
    /// What the list is ordered by, among exact and among other hits. Says how a tool compares with the best one of
    /// this query, not how well it fits: that is `coverage`.
    pub score: f32,
    /// The query names this tool.
    pub exact: bool,
    /// How well the tool fits what is asked, about 0 to 1, whatever else there is: by the nearness of its text in meaning
    /// and the share of the query's terms, weighed by how rare they are, that it has.
    pub fit: f32,
    /// What the score is the sum of, where the query asks for it; empty else, and for tools that the query names.
    pub reasons: Vec<Reason>,
}

impl Hit {
    /// Whether it does what is asked, as far as that can be told. A best hit that does not is the nearest there is.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.exact || self.fit >= POOR_FIT
    }
}

/// A part of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// What it adds; below 0 for what counts against the tool.
    pub points: f32,
    /// What earned it, for people.
    pub why: String,
}

/// Hits that a query wants which does not say how many.
const DEFAULT_LIMIT: usize = 5;

/// A best hit that fits worse than this is the nearest there is, but none that fits. Chosen on dev queries that no tool
/// can serve against those that one can: see README for what it catches.
const POOR_FIT: f32 = 0.33;

/// A term to look for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QueryTerm {
    pub word: String,
    pub stem: String,
    pub weight: f32,
}

/// What is looked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed<'a> {
    /// The head of the text, of which all else is made.
    pub text: &'a str,
    /// Different stems, in the order of the query.
    pub terms: Vec<QueryTerm>,
    /// What may be names of tools.
    pub names: Candidates,
    /// The parts that each state a need, where there are several.
    pub needs: Vec<Need<'a>>,
}

/// A part of a query that states a need of its own.
#[derive(Debug, PartialEq)]
pub(crate) struct Need<'a> {
    pub text: &'a str,
    pub terms: Vec<QueryTerm>,
}

/// Reads the head of a query's text.
pub(crate) fn parse(text: &str) -> Parsed<'_> {
    let text = head(text.trim_start(), MAX_QUERY_CHARS).trim_end();
    let needs = needs::split(text).into_iter().map(|text| Need { text, terms: terms(text) }).collect();
    Parsed { text, terms: terms(text), names: exact::candidates(text), needs }
}

fn terms(text: &str) -> Vec<QueryTerm> {
    let mut terms: Vec<QueryTerm> = Vec::new();
    for (piece, weight) in pieces(text) {
        for analyzer::Term { word, stem } in analyzer::terms(piece) {
            if let Some(known) = terms.iter_mut().find(|term| term.stem == stem) {
                known.weight = known.weight.max(weight);
            } else if terms.len() < MAX_QUERY_TERMS {
                terms.push(QueryTerm { word, stem, weight });
            }
        }
    }
    terms
}

/// The text in pieces, literals and the rest in turn, with what a term in them counts.
fn pieces(text: &str) -> Vec<(&str, f32)> {
    let mut pieces = Vec::new();
    let mut end = 0;
    for literal in LITERALS.iter().flat_map(|literals| literals.find_iter(text)) {
        pieces.push((&text[end..literal.start()], 1.0));
        pieces.push((literal.as_str(), LITERAL_WEIGHT));
        end = literal.end();
    }
    pieces.push((&text[end..], 1.0));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(text: &str) -> String {
        let terms = parse(text).terms;
        terms.iter().map(|term| format!("{}:{}", term.stem, term.weight)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn terms_of_literals_count_half() {
        assert_eq!(weights("fetch https://a.io/b now"), "fetch:1 https:0.5 io:0.5 b:0.5 now:1");
        assert_eq!(weights("mail ann@b.org 'rush hour' 42"), "mail:1 ann:0.5 b:0.5 org:0.5 rush:0.5 hour:0.5 42:0.5");
        assert_eq!(weights("read /etc/hosts {x: [y]} 0xff"), "read:1 etc:0.5 host:0.5 x:0.5 y:0.5 0:0.5 xff:0.5");
    }

    #[test]
    fn a_term_that_also_stands_outside_a_literal_counts_whole() {
        assert_eq!(weights(r#"the "file" file"#), "file:1");
    }

    #[test]
    fn names_and_apostrophes_are_no_literals() {
        assert_eq!(weights("github/create_issue isn't Bob's"), "github:1 creat:1 issu:1 isn:1 bob:1");
    }

    #[test]
    fn only_the_head_of_a_long_query_is_read() {
        let many: String = (0..100)
            .map(|n| format!("{}x ", char::from(b'a' + n % 26).to_string().repeat(1 + n as usize / 26)))
            .collect();
        assert_eq!(parse(&many).terms.len(), MAX_QUERY_TERMS);
        let long = format!("{}late", "ä ".repeat(MAX_QUERY_CHARS));
        assert!(parse(&long).terms.iter().all(|term| term.word != "late"));
    }
}
