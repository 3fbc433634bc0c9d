//! What a tool acts on, read from its name and from the first sentence of its description.
//!
//! Both are read the same way: a verb, then a noun of one or a few words, up to a preposition. Nothing here is exact; a wrong
//! reading costs a worse line.

use std::{borrow::Cow, collections::HashSet};

use super::words::{BORDERS, SMALL_IN_NAMES, SMALL_IN_PROSE, VERBS, is_plain, is_sure_verb, singular, verb};

/// Most of a description that is looked at, in bytes: what it is about stands at its start.
const MAX_LOOKED_AT: usize = 160;

/// Words that end no noun.
const ADJECTIVE_ENDINGS: [&str; 6] = ["able", "ible", "ous", "ful", "less", "ical"];

/// A sentence in words, cut where a noun cannot go on.
#[derive(Debug, Default)]
pub(super) struct Sentence {
    /// Lower case. `None` is a border: punctuation, or what is no plain word.
    tokens: Vec<Option<String>>,
    /// Nouns written with a capital inside the sentence, and never without: names, which have no plural.
    capitals: HashSet<String>,
}

impl Sentence {
    /// The first sentence of a text; empty where that is a heading.
    pub(super) fn first_of(text: &str) -> Self {
        let text = text.trim_start();
        let looked_at = &text[..crate::economy::tokens::floor_char_boundary(text, MAX_LOOKED_AT)];
        let end = looked_at.find('\n').into_iter().chain(looked_at.find("\\n")).min().unwrap_or(looked_at.len());
        let mut sentence = Self::default();
        for (at, raw) in looked_at[..end].split_whitespace().enumerate() {
            sentence.read(raw, at == 0);
            if raw.ends_with(['.', '!', '?']) {
                break;
            }
        }
        // Two words are a heading, such as "Purpose:".
        if sentence.tokens.iter().flatten().count() > 2 { sentence } else { Self::default() }
    }

    fn read(&mut self, raw: &str, first: bool) {
        if raw.starts_with(['(', '[', '"', '\'', '`']) {
            self.tokens.push(None);
        }
        let core = raw.trim_matches(|c: char| !c.is_alphanumeric());
        for (at, part) in core.split('/').enumerate() {
            if at > 0 {
                self.tokens.push(None);
            }
            let part = part.strip_suffix("'s").or_else(|| part.strip_suffix("’s")).unwrap_or(part);
            let lower = part.to_lowercase();
            if !(is_plain(&lower) || lower == "a") {
                self.tokens.push(None);
                continue;
            }
            if !first && part.starts_with(char::is_uppercase) {
                self.capitals.insert(singular(&lower).into_owned());
            }
            self.tokens.push(Some(lower));
        }
        if raw.ends_with([',', ';', ':', ')', ']', '"', '\'', '`', '.', '!', '?']) {
            self.tokens.push(None);
        }
    }

    fn word(&self, at: usize) -> Option<&str> {
        self.tokens.get(at)?.as_deref()
    }

    /// Whether a noun ends before this place.
    fn ends_at(&self, at: usize) -> bool {
        self.word(at).is_none_or(|word| BORDERS.contains(word))
    }

    /// The last words of its nouns, in the singular.
    pub(super) fn heads(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.tokens.iter().enumerate().filter_map(|(at, word)| {
            let word = word.as_deref().filter(|word| !BORDERS.contains(word))?;
            // A web search is about the web.
            let is_searched = matches!(self.word(at + 1), Some("search" | "searches"));
            (is_searched || self.ends_at(at + 1)).then(|| singular(word))
        })
    }

    /// All its words.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(Option::as_deref)
    }

    /// Nouns that can be counted, in the singular: they stand in the plural, or after an article.
    pub(super) fn countable(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let plurals = self.tokens.iter().flatten().filter_map(|word| {
            let one = singular(word);
            (one != *word).then_some(one)
        });
        let counted = self.tokens.iter().enumerate().filter_map(|(at, word)| {
            if !matches!(word.as_deref(), Some("a" | "an" | "each" | "another")) {
                return None;
            }
            let last = (at + 1..at + 5).take_while(|&next| !self.ends_at(next)).last()?;
            self.word(last).map(singular)
        });
        plurals.chain(counted).filter(|word| !self.capitals.contains(word.as_ref()))
    }

    /// Names, in the singular.
    pub(super) fn capitals(&self) -> impl Iterator<Item = &String> {
        self.capitals.iter()
    }

    /// What the sentence speaks of, in its order, without the server's own words.
    pub(super) fn nouns(&self, own: &HashSet<String>) -> Vec<Vec<&str>> {
        let mut nouns: Vec<Vec<&str>> = Vec::new();
        let mut noun: Vec<&str> = Vec::new();
        let mut opening = true;
        for at in 0..self.tokens.len() {
            let Some(word) = self.word(at).filter(|word| !BORDERS.contains(word)) else {
                end(&mut nouns, &mut noun);
                continue;
            };
            if opening {
                if matches!(word, "this" | "the" | "a" | "an" | "tool" | "tools" | "use" | "to") {
                    continue;
                }
                opening = false;
                if verb(word).is_some() {
                    continue;
                }
            }
            let before = at.checked_sub(1).and_then(|before| self.word(before));
            let after_joint = at > 0 && before.is_none_or(|before| matches!(before, "and" | "or" | "to"));
            if noun.is_empty() && (is_sure_verb(word) || (after_joint && verb(word).is_some())) {
                continue;
            }
            if SMALL_IN_PROSE.contains(word) || word.ends_with("ly") || own.contains(singular(word).as_ref()) {
                end(&mut nouns, &mut noun);
                continue;
            }
            // "Dynamic and reflective thinking": the first word qualifies the last.
            let qualifies = word.ends_with("ic") || word.ends_with("ive") || word.ends_with("al");
            if noun.is_empty() && qualifies && matches!(self.word(at + 1), Some("and" | "or")) {
                continue;
            }
            noun.push(word);
        }
        end(&mut nouns, &mut noun);
        nouns
    }
}

/// The last two words of a noun, where nothing in them qualifies another word that is missing.
pub(super) fn tail<'a>(noun: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let tail = &noun[noun.len().saturating_sub(2)..];
    let qualifies = |word: &&str| {
        word.ends_with("ed")
            || (word.ends_with("ing") && !word.contains('-'))
            || word.ends_with("tten")
            || ADJECTIVE_ENDINGS.iter().any(|ending| word.ends_with(ending))
            || (word.ends_with('s') && !VERBS.contains(word) && is_only_verb(word))
    };
    (!tail.is_empty() && !tail.iter().any(qualifies)).then_some(tail)
}

/// Forms that are no plurals: `provides`.
fn is_only_verb(word: &str) -> bool {
    const ONLY: [&str; 13] = [
        "allow", "contain", "delete", "enable", "execute", "exist", "extract", "give", "perform", "provide", "return",
        "take", "work",
    ];
    word.strip_suffix('s').is_some_and(|stem| ONLY.contains(&stem))
}

/// What the words of a tool's name act on: `stories-add-task` speaks of stories and of tasks. `own` are the words of the
/// server's name and its house mark.
pub(super) fn nouns_of_name<'a>(words: &'a [String], own: &HashSet<String>) -> Vec<Vec<&'a str>> {
    let is_version = |word: &str| word.strip_prefix('v').unwrap_or(word).bytes().all(|byte| byte.is_ascii_digit());
    let kept: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| word.len() > 1 && !is_version(word) && !own.contains(singular(word).as_ref()))
        .collect();
    let mut nouns = Vec::new();
    let mut noun: Vec<&str> = Vec::new();
    let mut acted = false;
    for (at, &word) in kept.iter().enumerate() {
        let next = kept.get(at + 1).copied();
        if BORDERS.contains(word) {
            if noun.is_empty() {
                continue;
            }
            break;
        }
        let leads = noun.is_empty() && nouns.is_empty() && !acted;
        // A pull request is no request that is pulled.
        let is_verb = VERBS.contains(word) && next.is_some_and(|next| !next.starts_with("request"));
        if is_sure_verb(word) || (leads && is_verb) {
            end(&mut nouns, &mut noun);
            acted = true;
            continue;
        }
        if SMALL_IN_NAMES.contains(word) && !belongs(word, next, &noun) {
            continue;
        }
        if noun.last().is_none_or(|last| singular(last) != singular(word)) {
            noun.push(word);
        }
    }
    if !acted {
        while noun.len() > 1 && noun.last().is_some_and(|word| VERBS.contains(*word)) {
            noun.pop();
        }
        if noun.len() == 1 && VERBS.contains(noun[0]) {
            noun.clear();
        }
    }
    end(&mut nouns, &mut noun);
    nouns
}

/// What a name makes or destroys can be counted; in the singular.
pub(super) fn made_by(words: &[String]) -> Option<Cow<'_, str>> {
    let verb = words.iter().position(|word| word == "create" || word == "delete")?;
    let made = words[verb + 1..].iter().take_while(|word| !BORDERS.contains(word.as_str())).last()?;
    Some(singular(made))
}

/// Small words that say something beside another: work items, line items, data sources.
fn belongs(word: &str, next: Option<&str>, noun: &[&str]) -> bool {
    match word {
        "item" | "items" => !noun.is_empty(),
        "work" => next.is_some_and(|next| next.starts_with("item")),
        "data" => {
            next.is_some_and(|next| !SMALL_IN_NAMES.contains(next) && !BORDERS.contains(next) && !is_sure_verb(next))
        }
        _ => false,
    }
}

fn end<T>(nouns: &mut Vec<Vec<T>>, noun: &mut Vec<T>) {
    if !noun.is_empty() {
        nouns.push(std::mem::take(noun));
    }
}
