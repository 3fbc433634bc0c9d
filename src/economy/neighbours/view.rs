//! What a sentence says of a tool, by the words on both sides of its name.

use std::ops::Range;

use crate::economy::terms;

use super::{
    rules::Place,
    text::Token,
    words::{ADVICE, CALLING, CALLS, CHECKS, DONE, GIVES, KEYS, LACKS, SOURCES, singular},
};

/// A sentence as it looks from one place in it.
pub struct View<'s> {
    /// Words before the name, the nearest last, without articles between.
    before: Vec<&'s str>,
    /// Those of them in the same clause.
    clause: Vec<&'s str>,
    /// Words behind the name, without `tool` and the like.
    after: Vec<&'s str>,
    /// The clause is a remark in parentheses, like `(use X)`.
    is_remark: bool,
    /// The word before a colon at the start.
    label: Option<&'s str>,
    /// Words from the last colon on, where a condition of the whole would stand.
    part: String,
    text: String,
}

impl<'s> View<'s> {
    /// The sentence as it looks from the names at these places.
    pub fn of(tokens: &'s [Token<'s>], names: Range<usize>) -> Self {
        fn words<'s>(tokens: &'s [Token<'s>]) -> Vec<&'s str> {
            let word = |token: &'s Token<'s>| match token {
                Token::Word(word) => Some(word.as_ref()),
                Token::Name(_) => Some("#"),
                Token::Mark(_) => None,
            };
            tokens.iter().filter_map(word).collect()
        }
        let head = &tokens[..names.start];
        let parts = |token: &Token<'_>| matches!(token, Token::Mark(',' | ':' | '—' | '–' | '(' | '→'));
        let clause_start = head.iter().rposition(parts).map_or(0, |at| at + 1);
        let trimmed = |mut words: Vec<&'s str>| {
            while words.last().is_some_and(|word| matches!(*word, "the" | "tool" | "tools" | "a" | "an" | "mcp")) {
                words.pop();
            }
            words
        };
        let mut after = words(&tokens[names.end..]);
        let fill = |word: &&str| {
            matches!(*word, "tool" | "tools" | "function" | "endpoint" | "command" | "action" | "results" | "output")
        };
        let skipped = after.iter().take_while(|word| fill(word)).count();
        after.drain(..skipped);
        let colon = head.iter().rposition(|token| matches!(token, Token::Mark(':' | '—'))).map_or(0, |at| at + 1);
        Self {
            is_remark: clause_start.checked_sub(1).is_some_and(|at| head[at] == Token::Mark('(')),
            label: match tokens {
                [Token::Word(label), Token::Mark(':'), ..] => Some(label.as_ref()),
                _ => None,
            },
            part: words(&tokens[colon..]).join(" "),
            before: trimmed(words(head)),
            clause: trimmed(words(&head[clause_start..])),
            after,
            text: words(tokens).join(" "),
        }
    }

    /// Whether the named tool comes first.
    pub fn needs(&self, place: Place<'_>, is_prerequisite: bool) -> bool {
        if self.is_forbidden() || self.is_instead() {
            return self.without_first();
        }
        match place {
            Place::Description(required) if self.is_about_one_of(required) => {
                self.needs(Place::Required, is_prerequisite)
            }
            Place::Required => {
                (self.comes_first() || self.is_source() || self.is_obtained())
                    && !self.is_conditional()
                    && !self.is_for_special_cases()
                    && !self.is_one_way_of_several()
            }
            Place::Description(required) => {
                let said = self.comes_first()
                    || self.comes_after()
                    || self.is_required()
                    || self.is_done_before()
                    || (is_prerequisite && self.is_called())
                    || self.gives_key(required);
                said && !self.is_conditional() && !self.is_for_special_cases() && !self.is_advice()
            }
        }
    }

    /// `list_id: the list to move to`, where descriptions describe parameters too.
    fn is_about_one_of(&self, required: &[Vec<String>]) -> bool {
        self.label.is_some_and(|label| required.iter().any(|words| terms::words(label) == *words))
    }

    fn last(&self) -> &'s str {
        self.before.last().copied().unwrap_or_default()
    }

    fn before_last(&self) -> &'s str {
        self.before.len().checked_sub(2).and_then(|at| self.before.get(at)).copied().unwrap_or_default()
    }

    fn is_called(&self) -> bool {
        CALLS.contains(&self.last())
    }

    /// "Call X first", "first call X", "call X before using this tool".
    fn comes_first(&self) -> bool {
        let called = self.is_called();
        let calling = called || CALLING.contains(&self.last()) || matches!(self.last(), "with" | "via");
        let first_behind = called && self.first_behind();
        let first_before = calling && (self.before_last() == "first" || self.text.contains("must first"));
        let via_first = matches!(self.last(), "with" | "via") && self.after.first() == Some(&"first") && self.finds();
        (first_behind || first_before || via_first || (called && self.before_this()))
            && !self.after.iter().chain(&self.clause).any(|word| CHECKS.contains(word))
            && !self.is_remark
            && (!self.is_with_alternative() || self.clause.contains(&"must"))
    }

    fn first_behind(&self) -> bool {
        let near = self.after.iter().take(2).any(|word| *word == "first");
        let ends = self.after.iter().rposition(|word| *word == "first").is_some_and(|at| {
            let article = at.checked_sub(1).and_then(|before| self.after.get(before));
            let next = self.after.get(at + 1).copied();
            article.is_none_or(|word| !matches!(*word, "the" | "your" | "its"))
                && next.is_none_or(|word| matches!(word, "to" | "if" | "so" | "then" | "unless" | "and" | "before"))
        });
        near || ends
    }

    /// "… before using this tool", "… before calling this", "… before proceeding".
    fn before_this(&self) -> bool {
        let Some(at) = self.after.iter().position(|word| *word == "before") else { return false };
        match self.after[at + 1..] {
            ["this" | "proceeding", ..] => true,
            [verb, "this", ..] => CALLING.contains(&verb),
            _ => false,
        }
    }

    /// "Use this after running X".
    fn comes_after(&self) -> bool {
        let words = match self.before[..] {
            [.., verb] if CALLING.contains(&verb) => &self.before[..self.before.len() - 1],
            _ => &self.before[..],
        };
        match words {
            [.., "this" | "only" | "poll", "after"] => true,
            [.., "this", "tool", "after"] => true,
            [verb, "after"] => CALLS.contains(verb),
            _ => false,
        }
    }

    /// "Requires an id from X", "Requires X to have been called", "Prerequisite: X".
    fn is_required(&self) -> bool {
        let requires = |words: &[&str]| {
            words.iter().any(|word| matches!(*word, "requires" | "prerequisite" | "prerequisites" | "requirements"))
        };
        if !requires(&self.before) {
            return false;
        }
        // "mode `patch`: requires a hash from X" is said of that mode alone.
        let opening = self.before.iter().take_while(|word| !requires(&[word]));
        if !opening
            .into_iter()
            .all(|word| matches!(*word, "tip" | "critical" | "important" | "note" | "this" | "tool" | "it"))
        {
            return false;
        }
        matches!(self.last(), "prerequisite" | "prerequisites")
            || (self.last() == "requires" && self.after.iter().any(|word| matches!(*word, "called" | "run" | "first")))
            || self.is_source()
            || (self.is_called() && self.gives())
    }

    /// "Must be initialized with X first", "papers you have already downloaded via X".
    fn is_done_before(&self) -> bool {
        let by = matches!(self.last(), "with" | "using" | "by" | "via" | "through");
        let has = |word: &str| self.before.contains(&word);
        let done = self.before.iter().any(|word| DONE.contains(word));
        let earlier = matches!(self.before[..], [.., "already" | "previously", verb, _] if verb.ends_with("ed"));
        by && (earlier || done && (has("must") || has("already") || has("previously")))
    }

    /// "… from X", "… returned by X".
    fn is_source(&self) -> bool {
        let source = |word: &&str| SOURCES.contains(word);
        match self.last() {
            "from" => self.before_last() != "different",
            "via" => true,
            "by" | "with" | "using" | "in" | "of" => {
                let clause = self.before.len().saturating_sub(5);
                self.before[clause..].iter().any(source) || (self.last() == "using" && self.finds())
            }
            last if CALLING.contains(&last) => self.before_last() == "by" && self.finds(),
            _ => false,
        }
    }

    fn finds(&self) -> bool {
        self.before.iter().any(|word| GIVES.contains(word))
    }

    /// "Use X to find the id".
    fn is_obtained(&self) -> bool {
        self.is_called() && self.gives()
    }

    fn gives(&self) -> bool {
        matches!(self.after[..], ["to", verb, ..] if GIVES.contains(&verb))
            && !self.after.iter().take(5).any(|word| CHECKS.contains(word))
    }

    /// "Get the folder id via X", "Use X to find label ids", where the tool cannot do without that id.
    fn gives_key(&self, required: &[Vec<String>]) -> bool {
        let takes = match self.before.first() {
            Some(&("get" | "find" | "obtain" | "take" | "fetch" | "retrieve")) => {
                matches!(self.last(), "from" | "via" | "with" | "using")
            }
            Some(&("pass" | "provide" | "use")) => self.is_source(),
            _ => false,
        };
        let object: &[&str] = if takes {
            &self.before[1..self.before.len() - 1]
        } else if self.is_obtained() {
            &self.after[2..]
        } else {
            return false;
        };
        if takes && object.iter().any(|word| required.iter().any(|words| words.len() > 1 && words.concat() == *word)) {
            return true;
        }
        let Some(at) = object.iter().take(6).position(|word| KEYS.contains(&singular(word))) else { return false };
        let key = singular(object[at]);
        let of = at.checked_sub(1).map(|before| singular(object[before]));
        let mut asked = required.iter().filter(|words| words.last().is_some_and(|last| last == key)).peekable();
        let alone = required.iter().filter(|words| words.last().is_some_and(|last| last == key)).count() == 1;
        let small = |word: &str| matches!(word, "the" | "a" | "an" | "its" | "their" | "your" | "valid" | "available");
        match of {
            Some(of) if !small(of) => asked.any(|words| words.iter().any(|word| singular(word) == of)),
            _ => alone,
        }
    }

    /// "NEVER use an index without calling X first".
    fn without_first(&self) -> bool {
        let without = self.before.iter().rposition(|word| *word == "without");
        let calling = CALLING.contains(&self.last()) && without.is_some_and(|at| at + 3 >= self.before.len());
        calling
            && self.first_behind()
            && self.before.iter().any(|word| matches!(*word, "never" | "not" | "don't" | "cannot"))
    }

    /// "Call this before X", "Required before using X".
    pub fn is_before_it(&self) -> bool {
        let words = match self.before[..] {
            [.., verb] if CALLING.contains(&verb) => &self.before[..self.before.len() - 1],
            _ => &self.before[..],
        };
        let ordered = match words {
            ["call", "this", "before"] | ["call", "this", "tool", "before"] | ["required", "before"] => true,
            [.., "must", "call", "this", "before"] | [.., "must", "call", "this", _, "before"] => true,
            ["use", "this", "before"] | ["use", "this", "tool", "before"] => self.gives(),
            [.., "must", "be", verb, "before"] => matches!(*verb, "called" | "used" | "run"),
            [.., "always", "call", "this", "before"] => true,
            _ => false,
        };
        ordered
            && matches!(self.after[..], [] | ["to" | "unless", ..])
            && !self.is_conditional()
            && !self.is_forbidden()
    }

    /// "Works without calling X".
    pub fn is_done_without(&self) -> bool {
        matches!(self.before[..], [.., "without", verb] if CALLING.contains(&verb)) && !self.without_first()
    }

    fn is_forbidden(&self) -> bool {
        self.clause.iter().any(|word| {
            matches!(
                *word,
                "not" | "never" | "don't" | "no" | "skip" | "avoid" | "without" | "needn't" | "than" | "unlike"
            )
        })
    }

    fn is_instead(&self) -> bool {
        self.after.iter().take(8).any(|word| *word == "instead") || self.before.contains(&"instead")
    }

    fn is_advice(&self) -> bool {
        self.clause.iter().any(|word| ADVICE.contains(word))
            || self.before.contains(&"cannot")
            || self.after.contains(&"needed")
    }

    /// Something else than a call would do as well: "an id from X or a name".
    fn is_one_way_of_several(&self) -> bool {
        self.before.contains(&"or")
            || self.before.contains(&"e.g")
            || self.is_with_alternative()
            || self.clause.contains(&"optional")
    }

    fn is_with_alternative(&self) -> bool {
        matches!(self.after[..], ["or", ..])
    }

    /// A condition that a model does not always meet.
    fn is_conditional(&self) -> bool {
        let words = self.text.split(' ');
        let conditional = words.into_iter().any(|word| matches!(word, "if" | "when" | "whenever" | "unless"));
        conditional && !LACKS.iter().any(|lack| self.text.contains(lack))
    }

    /// "For linking tasks, call X first", "To move it, use X first".
    fn is_for_special_cases(&self) -> bool {
        let words: Vec<&str> = self.part.splitn(4, ' ').collect();
        match words[..] {
            ["to", "use" | "call" | "run", "this", ..] => false,
            ["before", verb, "this", ..] => !CALLING.contains(&verb),
            ["for" | "to" | "when" | "after" | "before", ..] => true,
            _ => false,
        }
    }
}
