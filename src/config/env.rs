//! The environment: the only place that reads it, and the `${VAR}` references that lead to it.
//!
//! Knows nothing of servers or files. Values pass through here unlogged: no type with a value in it has a `Debug` that shows it.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Where strings that are not in the file come from: the process environment, or a map in a test.
pub trait Strings: fmt::Debug + Send + Sync {
    /// The value of a variable; `None` where it is not set or is not UTF-8.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl Strings for ProcessEnv {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Strings for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

/// The home directory by the environment, for `~`.
pub(super) fn home(env: &dyn Strings) -> Option<PathBuf> {
    ["HOME", "USERPROFILE"].iter().find_map(|name| env.get(name)).filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// A text with its references filled in.
pub(super) struct Expanded {
    /// The whole text.
    pub text: String,
    /// What came from the environment, for redaction. Defaults stand in the file and are not among them.
    pub taken: Vec<String>,
}

/// A reference that could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// The variable is not set and the reference has no default.
    Missing {
        /// Its name.
        variable: String,
    },
    /// A reference to something only another program can ask for, such as `${input:token}`.
    Foreign {
        /// What stands between the braces.
        reference: String,
    },
}

/// Fills in every `${VAR}`, `${env:VAR}` and `${VAR:-default}`; all that cannot be filled in are listed together.
/// Everything else that holds a `$` stays as it is, because it may be part of a password.
pub(super) fn expand(text: &str, env: &dyn Strings) -> Result<Expanded, Vec<Unresolved>> {
    let mut expanded = Expanded { text: String::with_capacity(text.len()), taken: Vec::new() };
    let mut unresolved = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, reference) = rest.split_at(start);
        expanded.text.push_str(before);
        let Some(end) = reference.find('}') else {
            rest = reference;
            break;
        };
        // `${` and `}` are one byte per character, so these borders are sound whatever stands between them.
        let (inside, whole) = (&reference[2..end], &reference[..=end]);
        match resolve(inside, env) {
            Resolution::Taken(value) => {
                expanded.text.push_str(&value);
                expanded.taken.push(value);
            }
            Resolution::Default(value) => expanded.text.push_str(value),
            Resolution::Literal => expanded.text.push_str(whole),
            Resolution::Unresolved(why) => unresolved.push(why),
        }
        rest = &reference[end + 1..];
    }
    expanded.text.push_str(rest);
    if unresolved.is_empty() { Ok(expanded) } else { Err(unresolved) }
}

enum Resolution<'a> {
    Taken(String),
    Default(&'a str),
    Literal,
    Unresolved(Unresolved),
}

/// Prefixes by which VS Code and its kin ask a person or themselves.
const FOREIGN: [&str; 3] = ["input:", "command:", "config:"];

fn resolve<'a>(inside: &'a str, env: &dyn Strings) -> Resolution<'a> {
    if FOREIGN.iter().any(|prefix| inside.starts_with(prefix)) {
        return Resolution::Unresolved(Unresolved::Foreign { reference: inside.into() });
    }
    let inside = inside.strip_prefix("env:").unwrap_or(inside);
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_variable_name(name) {
        return Resolution::Literal;
    }
    match (env.get(name), default) {
        // As in a shell: `:-` also stands in for a variable that is set to nothing.
        (Some(value), Some(default)) if value.is_empty() => Resolution::Default(default),
        (Some(value), _) => Resolution::Taken(value),
        (None, Some(default)) => Resolution::Default(default),
        (None, None) => Resolution::Unresolved(Unresolved::Missing { variable: name.into() }),
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn env() -> BTreeMap<String, String> {
        BTreeMap::from([("TOKEN".into(), "s3cret".into()), ("EMPTY".into(), String::new())])
    }

    fn expanded(text: &str) -> String {
        expand(text, &env()).map_or_else(|unresolved| format!("{unresolved:?}"), |expanded| expanded.text)
    }

    #[test]
    fn references_are_filled_in_and_everything_else_with_a_dollar_stays() {
        for (text, want) in [
            ("Bearer ${TOKEN}", "Bearer s3cret"),
            ("${env:TOKEN}${TOKEN}", "s3crets3cret"),
            ("${NONE:-else}/${EMPTY:-else}/${TOKEN:-else}", "else/else/s3cret"),
            ("[${EMPTY}]", "[]"),
            ("${NONE:-}", ""),
            ("$$ $TOKEN $(id) ${TOKEN", "$$ $TOKEN $(id) ${TOKEN"),
            ("${1} ${} ${a.b} ${ü}", "${1} ${} ${a.b} ${ü}"),
            ("${NONE:-a:-b}", "a:-b"),
        ] {
            assert_eq!(expanded(text), want, "{text}");
        }
    }

    #[test]
    fn all_references_that_cannot_be_filled_in_are_listed_together() {
        insta::assert_snapshot!(
            expanded("${A} ${TOKEN} ${input:key} ${B}"),
            @r#"[Missing { variable: "A" }, Foreign { reference: "input:key" }, Missing { variable: "B" }]"#
        );
    }

    #[test]
    fn what_a_variable_holds_is_never_expanded_again() {
        let env = BTreeMap::from([("A".to_owned(), "${B}".to_owned()), ("B".to_owned(), "no".to_owned())]);
        assert_eq!(expand("${A}", &env).map(|expanded| expanded.text), Ok("${B}".to_owned()));
    }

    impl fmt::Debug for Expanded {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Expanded").finish_non_exhaustive()
        }
    }

    proptest! {
        #[test]
        fn expanding_never_panics(text in "(\\$|\\{|\\}|:|-|TOKEN|NONE|env:|ü|.){0,40}") {
            let _ = expand(&text, &env());
        }

        #[test]
        fn a_text_without_references_stays_as_it_is(text in "[^$]{0,60}") {
            prop_assert_eq!(expanded(&text), text);
        }
    }
}
