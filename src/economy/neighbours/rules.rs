//! Which of the tools that a sentence names come first, by what it says of them.
//!
//! Strict on purpose: a wrong `needs` costs a call, a missed one costs nothing that the description does not say. "Use X
//! instead", advice to check something and steps for special cases are no needs.

use super::{
    text::{Sentence, Token},
    view::View,
};

/// Where a sentence stands.
#[derive(Debug, Clone, Copy)]
pub enum Place<'p> {
    /// In a tool's description; these parameters must be given, as words in lower case.
    Description(&'p [Vec<String>]),
    /// In the description of a parameter that must be given.
    Required,
}

/// The tools that come before this one, by their places, in the order named. `own` is this tool.
pub fn needed(sentence: &Sentence<'_>, place: Place<'_>, own: usize) -> Vec<usize> {
    let mut found = Vec::new();
    for (group, view) in groups(&sentence.tokens) {
        if view.needs(place, sentence.is_prerequisite) {
            // Of several that would each do, the first is named.
            let most = if group.is_choice { 1 } else { group.names.len() };
            found.extend(group.names.into_iter().take(most).filter(|&name| name != own));
        }
    }
    found
}

/// The tools of which a sentence says that this one does without them.
pub fn refused(sentence: &Sentence<'_>) -> Vec<usize> {
    groups(&sentence.tokens).filter(|(_, view)| view.is_done_without()).flat_map(|(group, _)| group.names).collect()
}

/// The tools of which a sentence says that this one comes before them, and must.
pub fn follows(sentence: &Sentence<'_>, own: usize) -> Vec<usize> {
    let before = groups(&sentence.tokens).filter(|(_, view)| view.is_before_it());
    before.flat_map(|(group, _)| group.names).filter(|&name| name != own).collect()
}

/// Each group of names in a sentence, with the sentence as it looks from there.
fn groups<'s>(tokens: &'s [Token<'s>]) -> impl Iterator<Item = (Group, View<'s>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < tokens.len() {
            if let Some(group) = Group::at(tokens, at) {
                at = group.end;
                let view = View::of(tokens, group.start..group.end);
                return Some((group, view));
            }
            at += 1;
        }
        None
    })
}

/// Names that are joined: `X`, `X or Y`, `X, Y and Z`, `X / Y`.
struct Group {
    start: usize,
    end: usize,
    names: Vec<usize>,
    is_choice: bool,
}

impl Group {
    fn at(tokens: &[Token<'_>], start: usize) -> Option<Self> {
        let Token::Name(first) = tokens.get(start)? else { return None };
        let mut group = Self { start, end: start + 1, names: vec![*first], is_choice: false };
        loop {
            let joins = |token: &&Token<'_>| match token {
                Token::Mark(mark) => matches!(mark, ',' | '/'),
                Token::Word(word) => matches!(word.as_ref(), "and" | "or"),
                Token::Name(_) => false,
            };
            let between = tokens[group.end..].iter().take_while(joins).count();
            let next = tokens.get(group.end + between);
            let (1..=2, Some(Token::Name(next))) = (between, next) else { return Some(group) };
            let is_choice = |token: &Token<'_>| match token {
                Token::Mark(mark) => *mark == '/',
                Token::Word(word) => word == "or",
                Token::Name(_) => false,
            };
            group.is_choice |= tokens[group.end..group.end + between].iter().any(is_choice);
            group.names.push(*next);
            group.end += between + 1;
        }
    }
}
