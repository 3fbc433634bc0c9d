//! Words that are nobody's words: what a misspelt one may have meant, so that its text still says what it should.
//!
//! Only a word that neither the catalog nor the model knows is taken for a slip. Most of those are names and numbers, so a
//! correction must be a word of both.

use crate::{model::Model, query::QueryTerm, segment::Segment};

/// Shorter words have too many neighbours that mean something else.
pub(crate) const MIN_LETTERS: usize = 4;

/// A slip and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Correction {
    word: String,
    meant: String,
}

/// Whether a term of which the catalog has no tool may be a slip.
pub(crate) fn may_be_a_slip(term: &QueryTerm) -> bool {
    term.word.chars().count() >= MIN_LETTERS
        && term.word.chars().all(char::is_alphabetic)
        && !Model::get().is_some_and(|model| model.knows(&term.word))
}

/// What the slips among the terms were meant for, where that can be told.
pub(crate) fn corrections(segment: &Segment, terms: &[QueryTerm]) -> tantivy::Result<Vec<Correction>> {
    let Some(model) = Model::get() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for term in terms.iter().filter(|term| term.word.is_ascii() && may_be_a_slip(term)) {
        if segment.tools_with(&term.stem)? > 0 {
            continue;
        }
        let mut best: Option<((bool, u32), String)> = None;
        for meant in one_edit_away(&term.word).into_iter().filter(|meant| model.knows(meant)) {
            // Typing errors seldom hit the first letter; else the more usual word is meant.
            let rank =
                (meant.as_bytes()[0] == term.word.as_bytes()[0], segment.tools_with(&crate::analyzer::stem(&meant))?);
            if rank.1 > 0 && best.as_ref().is_none_or(|(known, _)| rank > *known) {
                best = Some((rank, meant));
            }
        }
        found.extend(best.map(|(_, meant)| Correction { word: term.word.clone(), meant }));
    }
    Ok(found)
}

/// A text with its slips corrected.
pub(crate) fn correct(text: &str, corrections: &[Correction]) -> String {
    let mut corrected = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphabetic) {
        let end = rest[start..].find(|c: char| !c.is_alphabetic()).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        let correction = corrections.iter().find(|correction| correction.word.eq_ignore_ascii_case(word));
        corrected.push_str(&rest[..start]);
        corrected.push_str(correction.map_or(word, |correction| &correction.meant));
        rest = &rest[end..];
    }
    corrected + rest
}

/// Every text that one letter more, less, or other, or two that changed places, make of an ASCII word.
fn one_edit_away(word: &str) -> Vec<String> {
    let letters = || (b'a'..=b'z').map(char::from);
    let mut found = Vec::new();
    for at in 0..=word.len() {
        let (head, tail) = word.split_at(at);
        found.extend(letters().map(|letter| format!("{head}{letter}{tail}")));
        if let Some(shorter) = tail.get(1..) {
            found.push(format!("{head}{shorter}"));
            found.extend(letters().map(|letter| format!("{head}{letter}{shorter}")));
        }
        if let (Some(one), Some(other), Some(shorter)) = (tail.get(..1), tail.get(1..2), tail.get(2..)) {
            found.push(format!("{head}{other}{one}{shorter}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_slip_is_undone() {
        for slip in ["calendr", "calenddar", "calandar", "claendar"] {
            assert!(one_edit_away(slip).contains(&"calendar".to_owned()), "{slip}");
        }
    }

    #[test]
    fn only_the_slip_itself_is_replaced() {
        let corrections = [Correction { word: "calender".into(), meant: "calendar".into() }];
        assert_eq!(correct("My Calender, calenders: ök!", &corrections), "My calendar, calenders: ök!");
        assert_eq!(correct("", &corrections), "");
    }
}
