//! Splits text into the tokens of the model's vocabulary: words where it has them, else their longest known pieces.
//!
//! The uncased WordPiece of BERT, since the vectors were made for its tokens; agreement with the reference tokenizer is
//! tested on recorded splits. Knows no vectors.

use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What stands before a piece that continues a word, in the vocabulary's file.
const CONTINUATION: &str = "##";

/// The token that stands for whatever has no pieces. It has no vector.
const UNKNOWN: &str = "[UNK]";

/// Longer words are unknown whole, in characters. The reference's bound.
const MAX_WORD_CHARS: usize = 100;

/// Number of a token: its line in the vocabulary's file, and its row among the vectors.
pub(crate) type TokenId = u32;

/// The tokens that the model knows.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// Tokens that begin a word, and marks.
    initial: HashMap<&'static str, TokenId>,
    /// Tokens that continue a word.
    continuing: HashMap<&'static str, TokenId>,
    /// By number.
    tokens: Vec<&'static str>,
    /// The longest token, in bytes: no longer piece is looked for.
    longest: usize,
}

impl Vocabulary {
    /// Reads one token a line.
    pub(crate) fn new(lines: &'static str) -> Self {
        let tokens: Vec<&str> = lines.lines().collect();
        let (initial, continuing) = (HashMap::with_capacity(tokens.len()), HashMap::new());
        let mut vocabulary = Self { initial, continuing, longest: 0, tokens: Vec::new() };
        for (id, &token) in (0..).zip(&tokens) {
            let (map, token) = match token.strip_prefix(CONTINUATION) {
                Some(piece) if !piece.is_empty() => (&mut vocabulary.continuing, piece),
                _ => (&mut vocabulary.initial, token),
            };
            vocabulary.longest = vocabulary.longest.max(token.len());
            // A text that spells the sign of the unknown does not mean it.
            if token != UNKNOWN {
                map.insert(token, id);
            }
        }
        Self { tokens, ..vocabulary }
    }

    /// The token that a word in lower case is by itself.
    pub(crate) fn token(&self, word: &str) -> Option<TokenId> {
        self.initial.get(word).copied()
    }

    /// What a token spells.
    pub(crate) fn word(&self, token: TokenId) -> Option<&'static str> {
        self.tokens.get(token as usize).copied()
    }

    /// The tokens of a text in their order, the unknown left out.
    pub(crate) fn tokens(&self, text: &str) -> Vec<TokenId> {
        let mut found = Vec::with_capacity(text.len() / 4);
        let mut word = String::new();
        let mut end_word = |word: &mut String| {
            self.pieces(word, &mut found);
            word.clear();
        };
        for character in normalized(text) {
            if character.is_whitespace() {
                end_word(&mut word);
            } else if stands_alone(character) {
                end_word(&mut word);
                word.push(character);
                end_word(&mut word);
            } else {
                word.push(character);
            }
        }
        end_word(&mut word);
        found
    }

    /// The longest known beginning, then the longest that continues it, and so on. A word with a rest is unknown whole.
    fn pieces(&self, word: &str, found: &mut Vec<TokenId>) {
        let before = found.len();
        if word.chars().count() > MAX_WORD_CHARS {
            return;
        }
        let mut rest = word;
        while !rest.is_empty() {
            let map = if rest.len() == word.len() { &self.initial } else { &self.continuing };
            let ends = (1..=rest.len().min(self.longest)).rev().filter(|&end| rest.is_char_boundary(end));
            let Some((end, id)) = ends.into_iter().find_map(|end| Some((end, *map.get(&rest[..end])?))) else {
                found.truncate(before);
                return;
            };
            found.push(id);
            rest = &rest[end..];
        }
    }
}

/// Control characters dropped, accents and other marks folded away, lower case.
fn normalized(text: &str) -> Box<dyn Iterator<Item = char> + '_> {
    let is_format = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let is_dropped =
        move |c: char| matches!(c, '\0' | '\u{fffd}') || is_format(c) || (c.is_control() && !c.is_whitespace());
    let kept = text.chars().filter(move |&c| !is_dropped(c));
    if text.is_ascii() {
        Box::new(kept.map(|c| c.to_ascii_lowercase()))
    } else {
        Box::new(kept.nfd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase))
    }
}

/// Punctuation, and Chinese characters, of which each is a word.
fn stands_alone(character: char) -> bool {
    character.is_ascii_punctuation()
        || is_chinese(character)
        || (!character.is_ascii() && !character.is_alphanumeric() && is_punctuation(character))
}

/// Blocks of CJK ideographs, as the reference counts them.
const fn is_chinese(character: char) -> bool {
    matches!(character,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}' | '\u{2b920}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}')
}

/// Punctuation outside ASCII that occurs in running text.
const fn is_punctuation(character: char) -> bool {
    matches!(character,
        '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}' | '\u{30fb}' | '\u{fe50}'..='\u{fe6b}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}'
        | '\u{ff3b}'..='\u{ff3d}' | '\u{ff5b}'..='\u{ff65}')
}

#[cfg(all(test, feature = "model"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vocabulary() -> Vocabulary {
        Vocabulary::new(include_str!("../../model/vocabulary.txt"))
    }

    fn split(text: &str) -> String {
        let vocabulary = vocabulary();
        let tokens = vocabulary.tokens(text);
        tokens.into_iter().filter_map(|token| vocabulary.word(token)).collect::<Vec<_>>().join(" ")
    }

    /// What the tokenizer of the `tokenizers` library gives for the same vocabulary.
    #[test]
    fn texts_split_as_the_reference_splits_them() {
        for (text, tokens) in [
            ("Create a GitHub issue, please!", "create a github issue , please !"),
            ("deleteWebhook for k8s-pods (v1.27)", "delete ##we ##bh ##ook for k ##8 ##s - pods ( v ##1 . 27 )"),
            ("Café naïve Ångström", "cafe naive ang ##strom"),
            ("unbelievablyxqzzy word", "un ##bel ##ie ##va ##bly ##x ##q ##zzy word"),
            ("it's 3.5% of $20", "it ' s 3 . 5 % of $ 20"),
            ("a\tb\u{a0}c\u{200b}d", "a b cd"),
            ("“quoted” — dash…", "“ quoted ” — dash …"),
            ("[UNK] [PAD]", "[ un ##k ] [ pad ]"),
            ("", ""),
        ] {
            assert_eq!(split(text), tokens, "{text}");
        }
    }

    #[test]
    fn a_word_without_pieces_leaves_no_token() {
        assert_eq!(split("必应搜索 API"), "api");
        assert_eq!(split(&"x".repeat(101)), "");
    }

    proptest! {
        #[test]
        fn any_text_gives_tokens_of_the_vocabulary(text in "\\PC{0,200}") {
            let vocabulary = vocabulary();
            prop_assert!(vocabulary.tokens(&text).into_iter().all(|token| vocabulary.word(token).is_some()));
        }
    }
}
