//! Names of tools that a query spells out, in whatever style: `github/create_issue`, `createIssue`, `create issue`.
//!
//! Only finds what might be a name; whether a tool has it is for the index to say. The care taken here is that a request
//! in plain words does not name a tool by chance: `search` in a sentence is a word, and `e-mail` is not the tool `email`.

use unicode_normalization::UnicodeNormalization;

/// Most names looked up for one query.
const MAX_NAMES: usize = 64;

/// Words and marks that part the names of a list.
const LIST_MARKS: [char; 5] = [',', ';', '\n', '&', '+'];
const LIST_WORDS: [&str; 3] = ["and", "then", "or"];

/// What might be the name of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its key.
    pub key: String,
    /// Whether a name of one word may be meant.
    pub may_be_one_word: bool,
}

/// A query seen as names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// The whole query, and tokens of it that are written as identifiers. Each stands for itself.
    pub single: Vec<Candidate>,
    /// The query as a list of names. They count only if each of them is one.
    pub list: Vec<Candidate>,
}

/// A name without its style: letters and digits only, lower case.
pub(crate) fn key(name: &str) -> String {
    name.nfkc().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Everything in a query that might be a name.
pub(crate) fn candidates(query: &str) -> Candidates {
    let whole = Candidate { key: key(query), may_be_one_word: true };
    let mut found = Candidates::default();
    let identifiers = query.split(|c: char| c.is_whitespace() || LIST_MARKS.contains(&c)).filter_map(identifier);
    for candidate in std::iter::once(whole).chain(identifiers) {
        if !candidate.key.is_empty() && found.single.len() < MAX_NAMES && !found.single.contains(&candidate) {
            found.single.push(candidate);
        }
    }
    found.list = list(query);
    found
}

fn list(query: &str) -> Vec<Candidate> {
    let mut names = vec![String::new()];
    for clause in query.split(LIST_MARKS) {
        names.push(String::new());
        for word in clause.split_whitespace() {
            if LIST_WORDS.iter().any(|mark| word.eq_ignore_ascii_case(mark)) {
                names.push(String::new());
            } else if let Some(name) = names.last_mut() {
                name.push_str(word);
            }
        }
    }
    let keys = names.iter().map(|name| key(name)).filter(|key| !key.is_empty());
    let names: Vec<_> = keys.map(|key| Candidate { key, may_be_one_word: true }).take(MAX_NAMES).collect();
    // One name is the whole query, which is looked up anyway.
    if names.len() > 1 { names } else { Vec::new() }
}

/// A token with `_`, `/`, `-`, `.`, `:` inside it, or with a hump, reads as an identifier.
fn identifier(token: &str) -> Option<Candidate> {
    let token = token.trim_matches(|c: char| !c.is_alphanumeric());
    let marked = token.contains(['_', '/', '-', '.', ':']);
    let hump = token.chars().zip(token.chars().skip(1)).any(|(one, next)| one.is_lowercase() && next.is_uppercase());
    (marked || hump).then(|| Candidate { key: key(token), may_be_one_word: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(candidates: &[Candidate]) -> Vec<&str> {
        candidates.iter().map(|candidate| candidate.key.as_str()).collect()
    }

    #[test]
    fn every_style_of_a_name_has_one_key() {
        for name in ["create_issue", "create-issue", "createIssue", "Create Issue", "create.issue"] {
            assert_eq!(key(name), "createissue");
        }
    }

    #[test]
    fn identifiers_are_found_inside_a_sentence() {
        let found = candidates("call `create_issue`, then (listCommits) on github/search please");
        assert_eq!(keys(&found.single)[1..], ["createissue", "listcommits", "githubsearch"]);
        assert!(!found.single[1].may_be_one_word);
    }

    #[test]
    fn plain_words_are_no_identifiers() {
        assert_eq!(candidates("Search the web for HTML pages").single.len(), 1);
    }

    #[test]
    fn a_list_of_names_is_split_at_its_marks_and_words() {
        assert_eq!(
            keys(&candidates("create issue, list commits and fetch").list),
            ["createissue", "listcommits", "fetch"]
        );
        assert_eq!(keys(&candidates("create issue").list), Vec::<&str>::new());
    }
}
