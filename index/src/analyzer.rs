//! Turns text into terms: words of identifiers and prose alike, lower case, without stop words, stemmed.
//!
//! Queries and documents go through the same code, or nothing would match. Knows no fields and no weights. A change here
//! changes what is in an index on disk: raise `generation::FORMAT` with it.

use std::{cell::RefCell, collections::HashMap, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest term, in characters; the rest of a longer word is dropped. No word that tells tools apart is longer, and
/// scripts without spaces would otherwise make a term of each sentence.
const MAX_TERM_CHARS: usize = 48;

/// English words that say nothing of what a tool does, the filler of requests to an assistant included. Sorted.
const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because",
    "been", "before", "being", "both", "but", "by", "can", "could", "d", "did", "do", "does", "doing", "each", "for",
    "from", "further", "had", "has", "have", "having", "he", "her", "here", "him", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "just", "let", "like", "ll", "m", "may", "me", "might", "my", "need", "needs", "no",
    "not", "of", "on", "once", "only", "or", "other", "our", "please", "re", "s", "shall", "she", "should", "so",
    "some", "such", "t", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "through", "to", "too", "us", "use", "used", "using", "ve", "very", "via", "want", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "why", "will", "with", "would", "you", "your",
];

/// Made once: the stemmer holds tables only.
static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// A word of a text, and the term that stands for it in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    /// The word in lower case.
    pub word: String,
    /// What is looked up: the stem of an English word, a pair of characters of CJK text, else the word.
    pub stem: String,
}

/// What a character is to the splitter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Upper,
    Lower,
    Digit,
    Cjk,
    Mark,
    Other,
}

/// The terms of a text in their order, stop words left out.
pub(crate) fn terms(text: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for word in words(text) {
        if word.chars().next().is_some_and(is_cjk) {
            found.extend(bigrams(&word).map(|pair| Term { word: pair.clone(), stem: pair }));
        } else {
            let word: String = word.to_lowercase().chars().take(MAX_TERM_CHARS).collect();
            if !is_stop_word(&word) {
                let stem = stem(&word);
                found.push(Term { word, stem });
            }
        }
    }
    found
}

/// Whether a word in lower case says nothing of what a tool does.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Most stems that a thread remembers: the words of a large catalog. Stemming takes longer than all else that is done with a
/// word, and few words make up nearly all of a text.
const REMEMBERED: usize = 20_000;

thread_local! {
    static STEMS: RefCell<HashMap<String, String>> = RefCell::default();
}

/// The stem of a word in lower case. The stemmer is for English; other scripts pass it untouched.
pub(crate) fn stem(word: &str) -> String {
    if !word.is_ascii() {
        return word.to_owned();
    }
    STEMS.with_borrow_mut(|stems| {
        if let Some(known) = stems.get(word) {
            return known.clone();
        }
        let stem = STEMMER.stem(word).into_owned();
        if stems.len() < REMEMBERED {
            stems.insert(word.to_owned(), stem.clone());
        }
        stem
    })
}

/// The stems of a text in their order, stop words left out.
pub(crate) fn stems(text: &str) -> Vec<String> {
    terms(text).into_iter().map(|term| term.stem).collect()
}

/// Splits at everything that is no letter or digit, between letters and digits, and at the humps of `camelCase` and
/// `ABCd`. Accents are folded away; case is kept, since the humps are made of it.
pub(crate) fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = if text.is_ascii() { text.chars().collect() } else { fold(text) };
    let mut found = Vec::new();
    let mut word = String::new();
    let mut before = Kind::Other;
    for (at, &character) in characters.iter().enumerate() {
        let kind = kind(character);
        let hump = kind == Kind::Upper
            && match before {
                Kind::Lower => true,
                // The last capital of `HTTPServer` starts the next word.
                Kind::Upper => characters.get(at + 1).is_some_and(|&next| self::kind(next) == Kind::Lower),
                Kind::Digit | Kind::Cjk | Kind::Mark | Kind::Other => false,
            };
        let joins = match kind {
            Kind::Upper | Kind::Lower => matches!(before, Kind::Upper | Kind::Lower) && !hump,
            Kind::Digit | Kind::Cjk => kind == before,
            Kind::Mark => !word.is_empty(),
            Kind::Other => false,
        };
        if !joins && !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        match kind {
            Kind::Other => before = Kind::Other,
            // A mark belongs to the letter before it and changes nothing about what may follow.
            Kind::Mark if joins => word.push(character),
            Kind::Mark => before = Kind::Other,
            Kind::Upper | Kind::Lower | Kind::Digit | Kind::Cjk => {
                word.push(character);
                before = kind;
            }
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

/// Compatibility forms and accents of Latin, Greek and Cyrillic are folded; marks of other scripts carry meaning and stay.
fn fold(text: &str) -> Vec<char> {
    text.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).nfc().collect()
}

fn kind(character: char) -> Kind {
    if is_cjk(character) {
        Kind::Cjk
    } else if character.is_numeric() {
        Kind::Digit
    } else if character.is_uppercase() {
        Kind::Upper
    } else if character.is_alphabetic() {
        Kind::Lower
    } else if is_combining_mark(character) {
        Kind::Mark
    } else {
        Kind::Other
    }
}

/// Scripts written without spaces between words, of which pairs of characters are searched. Hangul is among them: its
/// spaces part phrases, and endings cling to the words.
const fn is_cjk(character: char) -> bool {
    matches!(character,
        '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Pairs of neighbours; a lone character stands for itself.
fn bigrams(run: &str) -> impl Iterator<Item = String> {
    let characters: Vec<char> = run.chars().collect();
    let width = characters.len().min(2);
    let pairs: Vec<String> = characters.windows(width).map(|pair| pair.iter().collect()).collect();
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> String {
        words(text).join("|")
    }

    #[test]
    fn stop_words_are_sorted_so_that_they_are_found() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn identifiers_of_every_style_split_into_the_same_words() {
        for text in ["create_pull_request", "create-pull-request", "createPullRequest", "create.pull/request"] {
            assert_eq!(stems(text), ["creat", "pull", "request"], "{text}");
        }
    }

    #[test]
    fn capitals_in_a_row_are_one_word_up_to_the_next_hump() {
        assert_eq!(split("HTTPServer parseJSONBody ABCd OCR getURL"), "HTTP|Server|parse|JSON|Body|AB|Cd|OCR|get|URL");
    }

    #[test]
    fn letters_and_digits_part() {
        assert_eq!(split("sha256 s3_v2 3d utf8Text"), "sha|256|s|3|v|2|3|d|utf|8|Text");
    }

    #[test]
    fn a_url_falls_into_its_words() {
        assert_eq!(split("https://api.example.com/v1/users?id=7"), "https|api|example|com|v|1|users|id|7");
    }

    #[test]
    fn chinese_japanese_and_korean_are_searched_by_pairs() {
        assert_eq!(stems("必应搜索"), ["必应", "应搜", "搜索"]);
        assert_eq!(stems("图 PDF変換v2"), ["图", "pdf", "変換", "v", "2"]);
        assert_eq!(stems("날씨"), ["날씨"]);
    }

    #[test]
    fn accents_fold_and_other_scripts_stay_whole() {
        assert_eq!(stems("Divinópolis café ﬁle"), ["divinopoli", "cafe", "file"]);
        assert_eq!(stems("погода हिन्दी"), ["погода", "हिन्दी"]);
    }

    #[test]
    fn filler_is_dropped_and_words_are_stemmed() {
        assert_eq!(stems("Please could you be listing the repositories I'm using"), ["list", "repositori"]);
    }

    proptest! {
        #[test]
        fn any_text_gives_short_terms_that_hold_something(text in "\\PC{0,200}") {
            for term in terms(&text) {
                prop_assert!(!term.stem.is_empty() && term.stem.chars().count() <= MAX_TERM_CHARS, "{term:?}");
            }
        }
    }
}
