//! Heads of texts with an outline: the start, then where each part of the rest begins.
//!
//! Headings of documents and pages, files of a diff, and the outer levels of anything that is indented (a page's accessibility
//! tree, a directory tree, YAML). Each entry has its place, so that the part can be read on its own.

use std::{collections::BTreeSet, fmt::Write};

use super::{Head, Next, line_count, lines};
use crate::economy::{clean, tokens};

/// Fewest entries of an outline worth the name.
const MIN_ENTRIES: usize = 3;

/// Most entries looked at. An outline of a budget shows some hundreds.
const MAX_ENTRIES: usize = 5_000;

/// Most tags of headings looked at, and how far each is followed, in bytes.
const MAX_TAGS: usize = 50_000;
const MAX_HEADING_BYTES: usize = 1_000;

/// Longest entry, in characters.
const MAX_ENTRY_CHARS: usize = 90;

/// Deepest indentation that can be part of an outline, in levels.
const MAX_LEVELS: usize = 6;

/// The start gets two parts of three.
const START_PARTS: (usize, usize) = (2, 3);

/// Room for saying what is not shown, in tokens.
const GAP_TOKENS: usize = 24;

/// One part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'t> {
    /// Its line, counted from 1.
    line: usize,
    /// Its first byte.
    byte: usize,
    /// 0 for the outermost.
    level: usize,
    /// What it is called.
    text: &'t str,
}

/// The outline of a text, if it has one.
pub(super) fn of(text: &str, by_bytes: bool) -> Option<Vec<Entry<'_>>> {
    let candidates: [fn(&str) -> Vec<Entry<'_>>; 3] = [pages, documents, diffs];
    let found = candidates.iter().map(|find| find(text)).find(|entries| entries.len() >= MIN_ENTRIES);
    found.or_else(|| if by_bytes { None } else { indented(text) })
}

/// The start of a text and the outline of the rest; `None` where nothing of the outline is left to show.
pub(super) fn head(text: &str, outline: &[Entry<'_>], by_bytes: bool, budget: usize) -> Option<Head> {
    let room = budget.saturating_sub(GAP_TOKENS);
    let start = if by_bytes {
        tokens::prefix(text, room * START_PARTS.0 / START_PARTS.1).0
    } else {
        lines::start(text, room * START_PARTS.0 / START_PARTS.1)
    };
    let rest: Vec<&Entry<'_>> = outline.iter().filter(|entry| entry.byte >= start.len()).collect();
    if rest.is_empty() {
        return None;
    }
    let listed = listed(&rest, by_bytes, room.saturating_sub(tokens::count(start)));
    let (gap, next) = if by_bytes {
        (format!("[bytes {}-{} not shown; parts by byte:]", start.len(), text.len()), Next::Byte(start.len()))
    } else {
        let from = line_count(start) + 1;
        (format!("[lines {from}-{} not shown; parts by line:]", line_count(text)), Next::Line(from))
    };
    Some(Head { text: format!("{start}\n{gap}\n{listed}"), next })
}

/// The entries in as many levels as fit; where not even the outermost fit, the first ones and the number of the others.
fn listed(entries: &[&Entry<'_>], by_bytes: bool, budget: usize) -> String {
    let levels: BTreeSet<usize> = entries.iter().map(|entry| entry.level).collect();
    let outermost = levels.first().copied().unwrap_or_default();
    let write = |level: usize| -> Vec<String> {
        entries.iter().filter(|entry| entry.level <= level).map(|entry| entry.shown(by_bytes)).collect()
    };
    let fitting = levels.iter().rev().map(|level| write(*level)).find(|lines| fits(lines, budget));
    if let Some(lines) = fitting {
        return lines.join("\n");
    }
    let lines = write(outermost);
    let mut left = budget.saturating_sub(6);
    let kept = lines
        .iter()
        .take_while(|line| {
            let cost = tokens::count(line) + 1;
            let fits = cost <= left;
            left = left.saturating_sub(cost);
            fits
        })
        .count();
    let mut text = lines[..kept].join("\n");
    let _ = write!(text, "\nand {} more", lines.len() - kept);
    text.trim_start().to_owned()
}

fn fits(lines: &[String], budget: usize) -> bool {
    // A line costs two tokens at least, so what is far too much is not counted.
    lines.len() * 2 <= budget && tokens::fits(&lines.join("\n"), budget)
}

impl Entry<'_> {
    fn shown(&self, by_bytes: bool) -> String {
        let place = if by_bytes { self.byte } else { self.line };
        let text = clean::line(self.text);
        match text.char_indices().nth(MAX_ENTRY_CHARS) {
            Some((end, _)) => format!("{place}: {}...", &text[..end]),
            None => format!("{place}: {text}"),
        }
    }
}

/// Each line with its number and its first byte.
fn numbered(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let mut byte = 0;
    text.split('\n').enumerate().map(move |(at, line)| {
        let start = byte;
        byte += line.len() + 1;
        (at + 1, start, line)
    })
}

/// Headings of Markdown, outside fenced code.
fn documents(text: &str) -> Vec<Entry<'_>> {
    let mut fenced = false;
    let heading = |(line, byte, text)| {
        let text: &str = text;
        if text.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let marks = text.bytes().take_while(|byte| *byte == b'#').count();
        let is_heading = !fenced && (1..=6).contains(&marks) && text[marks..].starts_with(' ');
        is_heading.then(|| Entry { line, byte, level: marks - 1, text })
    };
    numbered(text).filter_map(heading).take(MAX_ENTRIES).collect()
}

/// Files of a diff.
fn diffs(text: &str) -> Vec<Entry<'_>> {
    let file = |(line, byte, text): (usize, usize, _)| {
        let text: &str = text;
        text.strip_prefix("diff --git ").map(|text| Entry { line, byte, level: 0, text })
    };
    numbered(text).filter_map(file).take(MAX_ENTRIES).collect()
}

/// Headings of HTML: `<title>` and `<h1>` to `<h6>`, what stands between their tags.
fn pages(text: &str) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    let (mut line, mut counted) = (1, 0);
    let is_heading = |(byte, _): (usize, &str)| Some((byte, heading_level(text.get(byte + 1..)?.as_bytes())?));
    for (byte, level) in text.match_indices('<').filter_map(is_heading).take(MAX_TAGS) {
        // Whatever is no heading of a usual length is passed over, so that a page costs what it is long and no more.
        let Some(open) = position(text, byte, ">").map(|end| end + 1) else { continue };
        let Some(end) = position(text, open, "</") else { continue };
        line += text[counted..byte].matches('\n').count();
        counted = byte;
        let name = inner_text(&text[open..end]);
        if !name.trim().is_empty() {
            entries.push(Entry { line, byte, level, text: name });
        }
        if entries.len() == MAX_ENTRIES {
            break;
        }
    }
    entries
}

/// The level of a heading whose tag begins so, behind its `<`; 0 is the title.
const fn heading_level(tag: &[u8]) -> Option<usize> {
    match tag {
        [b'h' | b'H', digit @ b'1'..=b'6', b'>' | b' ', ..] => Some((*digit - b'0') as usize),
        [b't' | b'T', b'i' | b'I', b't' | b'T', b'l' | b'L', b'e' | b'E', b'>', ..] => Some(0),
        _ => None,
    }
}

/// Where the next mark begins, if it is near.
fn position(text: &str, from: usize, mark: &str) -> Option<usize> {
    let end = tokens::floor_char_boundary(text, from + MAX_HEADING_BYTES);
    text.get(from..end)?.find(mark).map(|at| from + at)
}

/// What stands behind the last tag that opens a heading's contents, as in `<h2><a href="…">Name`.
fn inner_text(heading: &str) -> &str {
    heading.rfind('>').map_or(heading, |at| &heading[at + 1..])
}

/// The outer levels of an indented text, where most of it is indented.
fn indented(text: &str) -> Option<Vec<Entry<'_>>> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t', '│', '|', '├', '└', '─']).len();
    let (mut all, mut inner) = (0, 0);
    let mut depths = BTreeSet::new();
    for (_, _, line) in numbered(text).filter(|(_, _, line)| !line.trim().is_empty()) {
        all += 1;
        let depth = indent(line);
        inner += usize::from(depth > 0);
        if depths.len() < MAX_LEVELS || depths.last().is_some_and(|deepest| depth < *deepest) {
            depths.insert(depth);
            if depths.len() > MAX_LEVELS {
                depths.pop_last();
            }
        }
    }
    if inner * 2 < all || depths.len() < 2 {
        return None;
    }
    let entry = |(line, byte, text): (usize, usize, _)| {
        let text: &str = text;
        let level = depths.iter().position(|depth| *depth == indent(text))?;
        (!text.trim().is_empty()).then(|| Entry { line, byte, level, text: text.trim() })
    };
    Some(numbered(text).filter_map(entry).take(MAX_ENTRIES).collect())
}
