//! Problems of a configuration: collected, placed, and shown in one report.
//!
//! Owns the rule that a secret is never shown: a [`KeyPath`] knows which keys may hold one, and no value below them is echoed.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Most problems one report spells out. More only bury the first ones.
const MAX_SHOWN: usize = 50;

/// Most problems kept. A hostile file can hold one in every few bytes.
const MAX_KEPT: usize = 1_000;

/// Longest value echoed, in characters.
const MAX_ECHO_CHARS: usize = 60;

/// Deepest place shown. Nothing of ours is deeper, and a hostile file is not worth megabytes of paths.
const MAX_SHOWN_DEPTH: u8 = 6;

/// Keys under which a value may be or hold a credential.
const SECRET_KEYS: [&str; 6] = ["env", "headers", "args", "url", "command", "cwd"];

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, like `servers.github.start_timeout`; empty for the file as a whole.
    pub path: String,
    /// Line in the file, from 1.
    pub line: Option<usize>,
    /// The value as written, where it is short and cannot be a secret.
    pub value: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every problem found in one file. Its `Display` is the report for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    file: Option<PathBuf>,
    list: Vec<Problem>,
    /// Problems beyond those kept.
    beyond: usize,
}

/// A server that cannot be used as it is described. The others go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenServer {
    /// Its name as written in the file, which may be what is wrong with it.
    pub name: String,
    /// What is wrong.
    pub problems: Problems,
}

/// A place in the file, and whether what stands there may be secret.
#[derive(Debug, Clone)]
pub(super) struct KeyPath {
    shown: String,
    depth: u8,
    secret: bool,
}

/// Line of every key of a file, by its path.
pub(super) type Lines = BTreeMap<String, usize>;

impl Problems {
    /// The problems, in the order of the file; at most a thousand of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len() + self.beyond
    }

    /// Notes a problem with a key.
    pub(super) fn add(&mut self, at: &KeyPath, reason: impl Into<String>, remedy: impl Into<String>) {
        self.push(at, None, reason.into(), remedy.into());
    }

    /// Notes a problem with a value, and shows the value where that is safe.
    pub(super) fn add_value(
        &mut self,
        at: &KeyPath,
        value: impl fmt::Display,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let value = (!at.secret).then(|| echo(&value.to_string()));
        self.push(at, value, reason.into(), remedy.into());
    }

    /// Whether something is wrong at or below a key, so that nothing that follows from it is reported too.
    pub(super) fn touch(&self, at: &KeyPath) -> bool {
        self.list.iter().any(|problem| {
            problem.path.strip_prefix(&at.shown).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Takes over all of another's problems.
    pub(super) fn append(&mut self, other: Self) {
        self.beyond += other.beyond;
        other.list.into_iter().for_each(|problem| self.keep(problem));
    }

    /// Finds the line of every problem, or of the nearest key around it, and sorts by line.
    pub(super) fn place(&mut self, file: &Path, lines: &Lines) {
        self.file = Some(file.to_path_buf());
        for problem in self.list.iter_mut().filter(|problem| problem.line.is_none()) {
            problem.line = enclosing(&problem.path).find_map(|path| lines.get(path).copied());
        }
        self.list.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    }

    /// A problem with the text itself, at a known line.
    pub(super) fn add_syntax(&mut self, line: Option<usize>, reason: String, remedy: &str) {
        self.keep(Problem { path: String::new(), line, value: None, reason, remedy: remedy.into() });
    }

    fn push(&mut self, at: &KeyPath, value: Option<String>, reason: String, remedy: String) {
        self.keep(Problem { path: at.shown.clone(), line: None, value, reason, remedy });
    }

    fn keep(&mut self, problem: Problem) {
        if self.list.len() < MAX_KEPT {
            self.list.push(problem);
        } else {
            self.beyond += 1;
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.len() == 1 { "problem" } else { "problems" };
        write!(f, "{} {noun}", self.len())?;
        if let Some(file) = &self.file {
            write!(f, " in {}", file.display())?;
        }
        for problem in self.list.iter().take(MAX_SHOWN) {
            write!(f, "\n\n{problem}")?;
        }
        match self.len().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n\n  and {more} more"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("  ")?;
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        match (self.path.as_str(), &self.value) {
            ("", _) => f.write_str("the file")?,
            (path, Some(value)) => write!(f, "{path} = {value}")?,
            (path, None) => f.write_str(path)?,
        }
        write!(f, "\n    {}\n    -> {}", self.reason, self.remedy)
    }
}

impl fmt::Display for BrokenServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server `{}` cannot be used: {}", self.name.escape_debug(), self.problems)
    }
}

impl KeyPath {
    /// The file as a whole.
    pub(super) const fn root() -> Self {
        Self { shown: String::new(), depth: 0, secret: false }
    }

    /// A key below this one.
    pub(super) fn key(&self, key: &str) -> Self {
        if self.depth == MAX_SHOWN_DEPTH {
            return self.clone();
        }
        let bare = (1..=MAX_ECHO_CHARS).contains(&key.len())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let key_shown = if bare { key.to_owned() } else { format!("{:?}", echo(key)) };
        let shown = if self.shown.is_empty() { key_shown } else { format!("{}.{key_shown}", self.shown) };
        Self { shown, depth: self.depth + 1, secret: self.secret || SECRET_KEYS.contains(&key) }
    }

    /// An element of the list at this key, from 0.
    pub(super) fn index(&self, index: usize) -> Self {
        if self.depth == MAX_SHOWN_DEPTH {
            return self.clone();
        }
        Self { shown: format!("{}[{index}]", self.shown), depth: self.depth + 1, secret: self.secret }
    }

    /// The path as a person reads it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

/// The path itself, then each path around it, the nearest first.
fn enclosing(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rfind(['.', '[']).map(|end| &path[..end]))
}

/// A value cut to a sane length, with nothing in it that could play tricks on a terminal.
pub(super) fn echo(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(MAX_ECHO_CHARS)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(MAX_ECHO_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_key_value_reason_and_remedy_in_the_order_of_the_file() {
        let mut problems = Problems::default();
        let server = KeyPath::root().key("servers").key("My Server");
        problems.add(&server.key("comand"), "unknown key", "did you mean `command`?");
        problems.add_value(&KeyPath::root().key("pool").key("max_sessions"), 0, "is too small", "write 1 to 1024");
        let lines = Lines::from([("pool.max_sessions".into(), 2), (server.shown().into(), 7)]);
        problems.place(Path::new("toolcrib.toml"), &lines);
        insta::assert_snapshot!(problems, @r#"
        2 problems in toolcrib.toml

          line 2: pool.max_sessions = 0
            is too small
            -> write 1 to 1024

          line 7: servers."My Server".comand
            unknown key
            -> did you mean `command`?
        "#);
    }

    #[test]
    fn a_value_that_may_be_secret_is_never_shown() {
        let mut problems = Problems::default();
        let server = KeyPath::root().key("servers").key("x");
        for at in [server.key("env").key("TOKEN"), server.key("args").index(2), server.key("url")] {
            problems.add_value(&at, "hunter22", "is wrong", "mend it");
        }
        assert!(!format!("{problems} {problems:?}").contains("hunter22"));
    }

    #[test]
    fn control_characters_and_long_values_do_not_reach_a_terminal() {
        assert_eq!(echo("a\u{1b}[31m\n"), "a\u{fffd}[31m\u{fffd}");
        assert_eq!(echo(&"x".repeat(100)).chars().count(), MAX_ECHO_CHARS + 1);
    }

    #[test]
    fn a_problem_touches_its_key_and_those_around_it_only() {
        let mut problems = Problems::default();
        let server = KeyPath::root().key("servers").key("x");
        problems.add(&server.key("env").key("A"), "is wrong", "mend it");
        assert!(problems.touch(&server.key("env")) && problems.touch(&server));
        assert!(!problems.touch(&server.key("en")) && !problems.touch(&server.key("url")));
    }
}
