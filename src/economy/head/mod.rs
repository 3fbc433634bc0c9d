//! The part of a long text that says most of the whole, and where to read on.
//!
//! Each kind has a head of its own: JSON its shape, counts and first items; tables their header and first rows; logs and plain
//! text their first and last lines; what has an outline (pages, documents, diffs, trees) its start and the outline of the rest.

mod json;
mod lines;
mod outline;

use super::tokens;

/// A head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What is shown. For reading, not for parsing.
    pub text: String,
    /// Where what is not shown begins.
    pub next: Next,
}

/// Where to read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The first line that is not shown, counted from 1.
    Line(usize),
    /// The first byte that is not shown, where lines are too long to be counted by.
    Byte(usize),
    /// A JSONPath of what is not shown.
    Path(String),
    /// No one place: searching leads on.
    Search,
}

/// Mean length of a line, in bytes, from which on a text is read by bytes: a page without line breaks, JSON without white space.
const LONG_LINE_BYTES: usize = 1_000;

/// The head of a text in at most `budget` tokens.
#[must_use]
pub fn head(text: &str, budget: usize) -> Head {
    if let Some(head) = json::head(text, budget) {
        return head;
    }
    let by_bytes = has_long_lines(text);
    if let Some(head) = outline::of(text, by_bytes).and_then(|outline| outline::head(text, &outline, by_bytes, budget))
    {
        return head;
    }
    if by_bytes {
        let (part, _) = tokens::prefix(text, budget);
        return Head { text: part.to_owned(), next: Next::Byte(part.len()) };
    }
    if lines::is_table(text) { lines::first(text, budget) } else { lines::first_and_last(text, budget) }
}

/// Whether lines of a text are too long to read it by lines.
#[must_use]
pub fn has_long_lines(text: &str) -> bool {
    text.len() / (line_breaks(text) + 1) > LONG_LINE_BYTES
}

/// How many line breaks a text has.
fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// How many lines a text has; a break at its end begins no line.
#[must_use]
pub fn line_count(text: &str) -> usize {
    line_breaks(text) + usize::from(!text.is_empty() && !text.ends_with('\n'))
}

#[cfg(test)]
mod tests;
