//! A definition's text as sentences of words in which the names of the server's tools stand out.
//!
//! Knows how names are written in prose, not what a sentence says of them.

use std::{borrow::Cow, collections::HashMap};

use crate::{catalog::ServerEntry, economy::tokens};

/// Most of one text that is read, in bytes. The longest real description has 14 KB.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Longest sentence, in words, names and marks: what is said of a tool stands near its name.
const MAX_SENTENCE: usize = 200;

/// Longest quoted name or title, and longest list of arguments behind a name, in bytes.
const MAX_QUOTED_BYTES: usize = 80;
const MAX_ARGUMENT_BYTES: usize = 200;

/// The tools of one server by the names that prose calls them.
#[derive(Debug, Default)]
pub struct Names {
    by_name: HashMap<String, usize>,
    /// Titles of several words: one word in quotation marks may be anything.
    by_title: HashMap<String, usize>,
}

/// A part of a sentence.
#[derive(Debug, PartialEq)]
pub enum Token<'t> {
    /// In lower case.
    Word(Cow<'t, str>),
    /// A tool of the server, by its place in the server's list.
    Name(usize),
    /// Punctuation that parts or joins.
    Mark(char),
}

/// A sentence or an item of a list.
#[derive(Debug)]
pub struct Sentence<'t> {
    /// Its words, names and marks.
    pub tokens: Vec<Token<'t>>,
    /// It stands under the heading "Prerequisites".
    pub is_prerequisite: bool,
}

impl Names {
    /// The names and titles of a server's tools.
    pub fn of(server: &ServerEntry) -> Self {
        let mut names = Self::default();
        for (at, tool) in server.tools.iter().enumerate() {
            names.by_name.insert(tool.name().as_str().to_owned(), at);
            if let Some(title) = tool.title().filter(|title| title.trim().contains(' ')) {
                names.by_title.insert(title.trim().to_owned(), at);
            }
        }
        names
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Every sentence that names a tool.
    pub fn sentences<'t>(&self, text: &'t str) -> Vec<Sentence<'t>> {
        let text = &text[..tokens::floor_char_boundary(text, MAX_TEXT_BYTES)];
        let mut reader = Reader { names: self, sentences: Vec::new(), tokens: Vec::new(), is_prerequisite: false };
        for line in text.lines() {
            reader.line(line);
        }
        reader.end();
        reader.sentences
    }
}

struct Reader<'n, 't> {
    names: &'n Names,
    sentences: Vec<Sentence<'t>>,
    tokens: Vec<Token<'t>>,
    is_prerequisite: bool,
}

impl<'t> Reader<'_, 't> {
    fn line(&mut self, line: &'t str) {
        let plain = line.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '`' | '\'' | '"' | '('));
        let marks = &line[..line.len() - plain.len()];
        let starts_anew = plain.is_empty()
            || marks.chars().any(|mark| !mark.is_whitespace())
            || plain.split_once(['.', ')']).is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        let has_label = plain.split_once(": ").is_some_and(|(label, _)| word_end(label) == label.len());
        if starts_anew || has_label {
            self.end();
        }
        let heading = plain.trim_end().trim_end_matches('*').strip_suffix(':');
        if plain.is_empty() || heading.is_some() {
            self.is_prerequisite = false;
        }
        if let Some(heading) = heading {
            let heading = heading.to_ascii_lowercase();
            self.is_prerequisite = heading.starts_with("prerequisite") || heading.ends_with("prerequisites");
        }
        self.read(plain);
        if heading.is_some() {
            self.end();
        }
    }

    fn read(&mut self, line: &'t str) {
        let mut rest = line;
        while let Some(character) = rest.chars().next() {
            if self.tokens.len() >= MAX_SENTENCE {
                self.end();
            }
            let after = &rest[character.len_utf8()..];
            if character.is_alphanumeric() || character == '_' {
                let (word, tail) = rest.split_at(word_end(rest));
                rest = self.word(word, tail);
                continue;
            }
            rest = after;
            match character {
                '`' | '"' | '\'' | '“' | '‘' => {
                    if let Some((at, tail)) = self.quoted(character, after) {
                        self.tokens.push(Token::Name(at));
                        rest = without_arguments(tail);
                    }
                }
                '.' | '!' | '?' | ';' => {
                    let ends =
                        after.chars().next().is_none_or(|next| next.is_whitespace() || matches!(next, '*' | ')' | '"'));
                    if ends && !self.is_abbreviation() {
                        self.end();
                    }
                }
                ',' | ':' | '(' | ')' | '/' | '—' | '–' | '→' => self.tokens.push(Token::Mark(character)),
                _ => {}
            }
        }
    }

    /// Takes a word; gives the text behind it.
    fn word(&mut self, word: &'t str, tail: &'t str) -> &'t str {
        let is_identifier = word.contains(['_', '-'])
            || word.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
        let is_called = || tail.starts_with("()");
        // Of everyday words only `the search tool` is a name without being marked as one.
        let is_shown = || {
            matches!(self.tokens.last(), Some(Token::Word(before)) if before == "the")
                && tail.trim_start().starts_with("tool")
        };
        if let Some(at) = self.names.get(word)
            && (is_identifier || is_called() || is_shown())
        {
            self.tokens.push(Token::Name(at));
            return without_arguments(tail);
        }
        let word = word.trim_matches(['-', '\'']);
        let lower = if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(word.to_ascii_lowercase())
        } else {
            Cow::Borrowed(word)
        };
        self.tokens.push(Token::Word(lower));
        tail
    }

    /// A name or a title in quotation marks, and the text behind it.
    fn quoted(&self, mark: char, after: &'t str) -> Option<(usize, &'t str)> {
        let close = match mark {
            '“' => '”',
            '‘' => '’',
            other => other,
        };
        let within = &after[..tokens::floor_char_boundary(after, MAX_QUOTED_BYTES)];
        let end = within.find(close)?;
        let inner = within[..end].trim_end_matches('\\').trim_start_matches('#');
        let inner = inner.split_once('(').map_or(inner, |(name, _)| name);
        let at = self.names.get(inner).or_else(|| self.names.by_title.get(inner).copied())?;
        Some((at, &after[end + close.len_utf8()..]))
    }

    fn is_abbreviation(&self) -> bool {
        matches!(self.tokens.last(), Some(Token::Word(word)) if matches!(word.as_ref(), "e.g" | "i.e" | "etc" | "vs"))
    }

    fn end(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        if tokens.iter().any(|token| matches!(token, Token::Name(_))) {
            self.sentences.push(Sentence { tokens, is_prerequisite: self.is_prerequisite });
        }
    }
}

/// Where a word ends: dots and apostrophes belong to it between letters (`e.g`, `don't`).
fn word_end(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let joins =
            matches!(character, '.' | '\'' | '’') && characters.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !(character.is_alphanumeric() || matches!(character, '_' | '-') || joins) {
            return at;
        }
    }
    text.len()
}

/// A name may be written as a call; what is in the parentheses says nothing of the call's place in the order.
fn without_arguments(tail: &str) -> &str {
    let within = &tail[..tokens::floor_char_boundary(tail, MAX_ARGUMENT_BYTES)];
    let mut depth = 0_usize;
    for (at, character) in within.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if at == 0 { tail } else { &tail[at + 1..] };
        }
    }
    tail
}

/// Whether a description says that its tool must be called before every other one of the server.
pub fn is_gate(description: &str) -> bool {
    const MUST: [&str; 4] = ["must be ", "mandatory", "required", "always call"];
    const NOT: [&str; 6] = ["not ", "n't ", "never ", "if ", "when ", "unless "];
    let text = &description[..tokens::floor_char_boundary(description, MAX_TEXT_BYTES)];
    text.split(['.', '\n', ';']).any(|sentence| {
        let lower = sentence.to_lowercase();
        if !lower.contains("this tool") && !lower.contains("call this") && !lower.contains("all other") {
            return false;
        }
        if !lower.contains("tool") || NOT.iter().any(|not| lower.contains(not)) {
            return false;
        }
        let before_all = lower.split_once("before ").is_some_and(|(order, rest)| {
            let all = rest.contains("any other ")
                || rest.contains("all other ")
                || rest.contains("other tools")
                || rest.contains("performing any ");
            all && MUST.iter().any(|must| order.contains(must))
        });
        let others_fail =
            lower.contains("all other ") && (lower.contains("will fail") || lower.contains("fail without"));
        before_all || others_fail
    })
}
