//! Reading on in a result that was cut: by lines or bytes, by regular expression with the lines around, and by JSONPath, within a budget.
//!
//! Pure: takes the kept texts, gives the part. Every answer says where it stands in the whole and how to go on.

use std::{fmt::Write, str::FromStr};

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    clean,
    head::{self, Next},
    result::Whole,
    select::{self, SelectError},
    tokens,
};

/// Room for saying where a part stands, in tokens, and how much of it is for where to read on.
const PLACE_TOKENS: usize = 48;
const NEXT_TOKENS: usize = 30;

/// Said where no one place can be named.
const NARROWER: &str = "a narrower path, or a pattern";

/// Largest compiled pattern, in bytes. Matching is linear in the text whatever the pattern.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Longest part of a matching line that is shown, in bytes on each side of the match; doubled by each step of context where a text has
/// no lines to speak of.
const EXCERPT_BYTES: usize = 120;

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only this part of the JSON in the result; the others then count within it.
    pub path: Option<String>,
    /// Only these lines, counted from 1.
    pub lines: Option<Span>,
    /// Only these bytes, counted from 0. Widened to whole characters.
    pub bytes: Option<Span>,
    /// Only lines that match this regular expression.
    pub pattern: Option<String>,
    /// Lines shown around each match.
    pub context: usize,
}

/// A range, both ends included; without an end it goes on as far as the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: usize,
    /// The last.
    pub to: Option<usize>,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A range is none.
    #[error("`{text}` is no range; write `120-400`, `120-` or `120`")]
    Range {
        /// What was given.
        text: String,
    },
    /// Lines and bytes were both given.
    #[error("give `lines` or `bytes`, not both")]
    LinesAndBytes,
    /// A range begins behind the end.
    #[error("{unit} {from} is behind the end: there are {total}")]
    BehindEnd {
        /// `line` or `byte`.
        unit: &'static str,
        /// What was asked for.
        from: usize,
        /// How many there are.
        total: usize,
    },
    /// The pattern is none.
    #[error("the pattern is no regular expression: {reason}")]
    Pattern {
        /// In a few words.
        reason: String,
    },
    /// There is nothing for a path.
    #[error("the result is no JSON, so it has no paths; read it by lines, bytes or pattern")]
    NoJson,
    /// The path leads nowhere.
    #[error("{source}; {}", source.hint())]
    Path {
        /// Why.
        #[source]
        source: SelectError,
    },
}

impl FromStr for Span {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, ReadError> {
        let wrong = || ReadError::Range { text: text.chars().take(40).collect() };
        let number = |part: &str| part.trim().parse::<usize>().map_err(|_| wrong());
        let span = match text.split_once(['-', ':', '–']) {
            None => {
                let only = number(text)?;
                Self { from: only, to: Some(only) }
            }
            Some((from, to)) if to.trim().is_empty() => Self { from: number(from)?, to: None },
            Some((from, to)) => Self { from: number(from)?, to: Some(number(to)?) },
        };
        if span.to.is_some_and(|to| to < span.from) { Err(wrong()) } else { Ok(span) }
    }
}

/// Reads a part of a kept result in at most `budget` tokens.
///
/// # Errors
/// Where what is wanted cannot be understood or lies behind the end.
pub fn read_on(whole: &Whole, wanted: &Wanted, budget: usize) -> Result<String, ReadError> {
    if wanted.lines.is_some() && wanted.bytes.is_some() {
        return Err(ReadError::LinesAndBytes);
    }
    let source = Source::find(whole, wanted.path.as_deref())?;
    let room = budget.saturating_sub(PLACE_TOKENS);
    if let Some(pattern) = &wanted.pattern {
        return matches(&source.text, pattern, wanted, room);
    }
    match (wanted.lines, wanted.bytes) {
        (Some(span), _) => lines(&source.text, span, room),
        (None, Some(span)) => bytes(&source.text, span, room),
        (None, None) if tokens::fits(&source.text, budget) => Ok(source.text),
        (None, None) => Ok(source.head(room)),
    }
}

/// The text that is read, and the path that led to it.
struct Source {
    text: String,
    /// The path of the one value that this is; `None` for the whole and for several values.
    path: Option<String>,
}

impl Source {
    fn find(whole: &Whole, path: Option<&str>) -> Result<Self, ReadError> {
        let Some(path) = path.filter(|path| !path.trim().is_empty()) else {
            let text =
                if whole.text.is_empty() { whole.structured.clone().unwrap_or_default() } else { whole.text.clone() };
            return Ok(Self { text, path: Some("$".into()) });
        };
        let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
        let documents = [whole.structured.as_deref().and_then(parse), parse(&whole.text)];
        let mut failure = ReadError::NoJson;
        for document in documents.iter().flatten().filter(|value| value.is_object() || value.is_array()) {
            match select::parts(document, path) {
                Ok(parts) => {
                    let rooted = (parts.len() == 1).then(|| select::rooted(path));
                    let text = select::text(&parts, path).map_err(|source| ReadError::Path { source })?;
                    return Ok(Self { text, path: rooted });
                }
                Err(source) => failure = ReadError::Path { source },
            }
        }
        Err(failure)
    }

    /// The head of what is too long, and how to go on.
    fn head(&self, room: usize) -> String {
        let head = head::head(&self.text, room);
        let next = match (&head.next, &self.path) {
            (Next::Line(line), _) => format!("lines \"{line}-\""),
            (Next::Byte(byte), _) => format!("bytes \"{byte}-\""),
            (Next::Path(path), Some(before)) => format!("path {}", Value::from(path.replacen('$', before, 1))),
            (Next::Path(_) | Next::Search, _) => NARROWER.to_owned(),
        };
        // Keys can be anything, and a path of them any number of tokens.
        let next = if tokens::fits(&next, NEXT_TOKENS) { next } else { NARROWER.to_owned() };
        let same = if self.path.as_deref() == Some("$") { "" } else { " with the same path" };
        let same = if matches!(head.next, Next::Line(_) | Next::Byte(_)) { same } else { "" };
        format!("{}\n[{} characters; next: {next}{same}]", head.text, self.text.chars().count())
    }
}

fn lines(text: &str, span: Span, room: usize) -> Result<String, ReadError> {
    let total = head::line_count(text);
    let first = span.from.max(1);
    let start = line_start(text, first).ok_or(ReadError::BehindEnd { unit: "line", from: first, total })?;
    let end = span.to.and_then(|to| line_start(text, to.saturating_add(1))).unwrap_or(text.len());
    let (part, _) = tokens::prefix(&text[start..end], room);
    if start + part.len() == end {
        let shown = head::line_count(part);
        let last = (first + shown).saturating_sub(1);
        let at_end = if end == text.len() { ", the end" } else { "" };
        return Ok(format!("{}\n[lines {first}-{last} of {total}{at_end}]", part.trim_end_matches('\n')));
    }
    match part.rfind('\n') {
        Some(end) => {
            // An empty line is one, also where it is all that fits.
            let last = first + part[..end].matches('\n').count();
            Ok(format!("{}\n[lines {first}-{last} of {total}; next: lines \"{}-\"]", &part[..end], last + 1))
        }
        // A line that is too long alone.
        None => Ok(format!("{part}\n[part of line {first} of {total}; next: bytes \"{}-\"]", start + part.len())),
    }
}

fn bytes(text: &str, span: Span, room: usize) -> Result<String, ReadError> {
    let total = text.len();
    if span.from >= total {
        return Err(ReadError::BehindEnd { unit: "byte", from: span.from, total });
    }
    let start = tokens::floor_char_boundary(text, span.from);
    let end = span.to.map_or(total, |to| ceil_char_boundary(text, to.saturating_add(1)));
    let (part, _) = tokens::prefix(&text[start..end.max(start)], room);
    let last = start + part.len();
    let next = if last < total { format!("; next: bytes \"{last}-\"") } else { ", the end".to_owned() };
    Ok(format!("{part}\n[bytes {start}-{} of {total}{next}]", last.saturating_sub(1)))
}

fn matches(text: &str, pattern: &str, wanted: &Wanted, room: usize) -> Result<String, ReadError> {
    let pattern =
        RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).multi_line(true).build().map_err(|error| {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                // The library draws a picture over several lines; its last line has the words.
                other => {
                    clean::line(other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: "))
                }
            };
            ReadError::Pattern { reason }
        })?;
    if head::has_long_lines(text) || wanted.bytes.is_some() {
        Ok(excerpts(text, &pattern, wanted, room))
    } else {
        Ok(matching_lines(text, &pattern, wanted, room))
    }
}

/// Matching lines as `grep -n` shows them: `12:` for a match, `11-` for a line around one.
fn matching_lines(text: &str, pattern: &Regex, wanted: &Wanted, room: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let span = wanted.lines.unwrap_or(Span { from: 1, to: None });
    let from = span.from.max(1) - 1;
    let to = span.to.map_or(all.len(), |to| to.min(all.len()));
    let found: Vec<usize> = (from..to).filter(|&at| pattern.is_match(all[at])).collect();
    let mut out = String::new();
    // First line that is not written yet, and how many matches are.
    let (mut free, mut shown, mut left) = (0, 0, room);
    for &at in &found {
        let mut block = String::new();
        let first = at.saturating_sub(wanted.context).max(free);
        let last = at.saturating_add(wanted.context).min(all.len() - 1);
        if first > free && !out.is_empty() && wanted.context > 0 {
            block.push_str("--\n");
        }
        for (line, words) in all.iter().enumerate().take(last + 1).skip(first) {
            let mark = if pattern.is_match(words) { ':' } else { '-' };
            // Writing to a String cannot fail.
            let _ = writeln!(block, "{}{mark}{}", line + 1, shortened(words, pattern));
        }
        let cost = tokens::count(&block);
        if cost > left {
            break;
        }
        left -= cost;
        out.push_str(&block);
        free = free.max(last + 1);
        shown += 1;
    }
    match found.get(shown) {
        None if found.is_empty() => format!("[no match in {} lines]", to.saturating_sub(from)),
        None => format!("{out}[{shown} matching lines of {}]", all.len()),
        Some(next) => format!(
            "{out}[{shown} of {} matching lines; next: the same pattern with lines \"{}-\"]",
            found.len(),
            next + 1
        ),
    }
}

/// Matches in a text without lines to speak of, each with what stands around it.
fn excerpts(text: &str, pattern: &Regex, wanted: &Wanted, room: usize) -> String {
    let span = wanted.bytes.unwrap_or(Span { from: 0, to: None });
    let from = ceil_char_boundary(text, span.from);
    let to = span.to.map_or(text.len(), |to| ceil_char_boundary(text, to.saturating_add(1))).max(from);
    let radius = EXCERPT_BYTES.saturating_mul(1 + wanted.context.min(20));
    let mut out = String::new();
    let (mut free, mut shown, mut total, mut left) = (from, 0, 0, room);
    let mut next = None;
    for found in pattern.find_iter(&text[from..to]) {
        let (start, end) = (from + found.start(), from + found.end());
        // What an earlier excerpt shows is not shown again.
        if start < free && shown > 0 {
            continue;
        }
        total += 1;
        if next.is_some() {
            continue;
        }
        let first = tokens::floor_char_boundary(text, start.saturating_sub(radius).max(free));
        let last = ceil_char_boundary(text, end.min(start.saturating_add(radius)).saturating_add(radius));
        let block = format!("{first}: {}\n", clean::line(&text[first..last]));
        let cost = tokens::count(&block);
        if cost > left {
            next = Some(start);
            continue;
        }
        left -= cost;
        out.push_str(&block);
        free = last;
        shown += 1;
    }
    match next {
        None if total == 0 => format!("[no match in {} bytes]", to - from),
        None => format!("{out}[{shown} places of a match, by byte, of {} bytes]", text.len()),
        Some(at) => {
            format!("{out}[{shown} of {total} places of a match; next: the same pattern with bytes \"{at}-\"]")
        }
    }
}

/// A long line around its match.
fn shortened(line: &str, pattern: &Regex) -> String {
    if line.len() <= 2 * EXCERPT_BYTES {
        return line.to_owned();
    }
    let at = pattern.find(line).map_or(0, |found| found.start());
    let start = tokens::floor_char_boundary(line, at.saturating_sub(EXCERPT_BYTES));
    let end = ceil_char_boundary(line, at.saturating_add(EXCERPT_BYTES));
    let (before, after) = (if start > 0 { "..." } else { "" }, if end < line.len() { "..." } else { "" });
    format!("{before}{}{after}", &line[start..end])
}

/// The first byte of a line counted from 1; `None` where there is no such line.
fn line_start(text: &str, line: usize) -> Option<usize> {
    if line <= 1 {
        return (!text.is_empty()).then_some(0);
    }
    let (at, _) = text.match_indices('\n').nth(line - 2)?;
    (at + 1 < text.len()).then_some(at + 1)
}

fn ceil_char_boundary(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|&index| text.is_char_boundary(index)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests;
