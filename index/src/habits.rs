//! What searches led to before: a query like an earlier one lifts the tool that was called after it.
//!
//! Tied to the query and never to mere frequency: a tool called a thousand times gains nothing from an unlike query. Holds
//! no arguments, and of a query only words that anybody may know. Knows no clock: the caller says what each use weighs.

use std::collections::{BTreeSet, HashSet};

use crate::{
    analyzer,
    model::{Model, Packed, Probe},
    query,
};

/// Queries less alike than this have nothing to do with each other. Chosen on the dev sets, see README.
const MIN_LIKENESS: f32 = 0.55;

/// How strongly the very words of an earlier query call it to mind: twice as much as any likeness.
const SAME_WORDS: f32 = 2.0;

/// Most words of a query that are kept.
const MAX_WORDS: usize = 24;

/// Uses of tools after queries, ready to be compared with a query.
#[derive(Debug, Default, Clone)]
pub struct Habits(Vec<Habit>);

#[derive(Debug, Clone)]
struct Habit {
    tool: String,
    weight: f32,
    stems: BTreeSet<String>,
    direction: Option<Packed>,
}

impl Habits {
    /// No habits.
    pub const NONE: &'static Self = &Self(Vec::new());

    /// What of a query may be kept: its words outside literals that the model knows, none that could be a name, a number or
    /// a credential. Empty where none is left, and in a build without the model, which knows no words.
    #[must_use]
    pub fn memorable(text: &str) -> String {
        let Some(model) = Model::get() else { return String::new() };
        let parsed = query::parse(text);
        // A credential is mixed of letters and digits, and its letters alone may be words.
        let plain: HashSet<String> = parsed
            .text
            .split_whitespace()
            .map(|token| token.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
            .filter(|token| token.chars().count() > 1 && token.chars().all(char::is_alphabetic))
            .collect();
        let words = parsed.terms.into_iter().filter(|term| term.weight >= 1.0).map(|term| term.word);
        let kept = words.filter(|word| plain.contains(word) && model.knows(word));
        kept.take(MAX_WORDS).collect::<Vec<_>>().join(" ")
    }

    /// Adds that a query, as [`Habits::memorable`] gave it, led to a call of a tool. `weight` runs from 0 to 1: how much the
    /// use still counts.
    pub fn learn(&mut self, words: &str, tool: &str, weight: f32) {
        let direction = Model::get().map(|model| model.direction(words)).filter(|direction| !direction.is_zero());
        self.0.push(Habit {
            tool: tool.into(),
            weight: weight.clamp(0.0, 1.0),
            stems: analyzer::stems(words).into_iter().collect(),
            direction: direction.map(|direction| direction.pack()),
        });
    }

    /// The tools that queries like this one led to, with how strongly: up to 1, and 2 for the very words. Many uses count no
    /// more than the one most alike.
    pub(crate) fn of(&self, text: &str) -> Vec<(&str, f32)> {
        let mut found: Vec<(&str, f32)> = Vec::new();
        if self.0.is_empty() {
            return found;
        }
        let words = Self::memorable(text);
        let stems: BTreeSet<String> = analyzer::stems(&words).into_iter().collect();
        let probe = Model::get().map(|model| model.direction(&words).probe());
        for habit in &self.0 {
            let strength = habit.strength(&stems, probe.as_ref());
            if strength > 0.0 {
                match found.iter_mut().find(|(tool, _)| *tool == habit.tool) {
                    Some((_, most)) => *most = most.max(strength),
                    None => found.push((&habit.tool, strength)),
                }
            }
        }
        found
    }
}

impl Habit {
    /// How strongly a query calls it to mind. Squared likeness: what is nearly the same counts, what is somewhat like it
    /// hardly.
    fn strength(&self, stems: &BTreeSet<String>, probe: Option<&Probe>) -> f32 {
        if !stems.is_empty() && *stems == self.stems {
            return SAME_WORDS * self.weight;
        }
        let (Some(direction), Some(probe)) = (&self.direction, probe) else { return 0.0 };
        let likeness = (probe.cosine(direction) - MIN_LIKENESS).max(0.0) / (1.0 - MIN_LIKENESS);
        likeness * likeness * self.weight
    }
}

#[cfg(all(test, feature = "model"))]
mod tests {
    use super::*;

    fn habits(uses: &[(&str, &str)]) -> Habits {
        let mut habits = Habits::default();
        for (query, tool) in uses {
            habits.learn(&Habits::memorable(query), tool, 1.0);
        }
        habits
    }

    #[test]
    fn what_could_be_a_secret_or_a_name_is_not_kept() {
        let kept =
            Habits::memorable("send 'the plan' to bob@example.com with ghp_x7Rt9Kq2LmZp, invoice 20931 at /home/ann/x");
        assert_eq!(kept, "send invoice");
    }

    #[test]
    fn a_like_query_remembers_and_an_unlike_one_does_not() {
        let habits = habits(&[("give the customer their money back", "pay/refund")]);
        assert_eq!(habits.of("Give the customers their money back!"), [("pay/refund", 2.0)]);
        assert!(habits.of("customer wants money back")[0].1 > 0.1);
        assert!(habits.of("list open pull requests").is_empty());
        assert!(habits.of("").is_empty());
    }

    #[test]
    fn many_uses_count_no_more_than_one() {
        let habits = habits(&[("weather tomorrow", "sky/forecast"); 50]);
        assert_eq!(habits.of("weather tomorrow"), [("sky/forecast", 2.0)]);
    }
}
