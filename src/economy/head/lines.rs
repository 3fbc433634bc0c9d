//! Heads made of whole lines: the first ones, or the first and the last.

use super::{Head, Next, line_count};
use crate::economy::tokens;

/// Room for saying which lines are not shown, in tokens.
const GAP_TOKENS: usize = 16;

/// Lines looked at to tell a table from other text.
const TABLE_LINES: usize = 12;

/// Whether a text is a table: its first lines have the same number of cells, more than one each.
pub(super) fn is_table(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(TABLE_LINES).collect();
    let cells = |line: &str, separator: char| line.matches(separator).count();
    lines.len() > 2
        && ['\t', '|', ',', ';'].into_iter().any(|separator| {
            let first = cells(lines[0], separator);
            // Prose has commas too, but not the same number in each line.
            first > 0 && lines.iter().all(|line| cells(line, separator) == first)
        })
}

/// The first lines of a text, and how many follow.
pub(super) fn first(text: &str, budget: usize) -> Head {
    let shown = start(text, budget.saturating_sub(GAP_TOKENS));
    if !ends_a_line(text, shown) {
        return Head { text: shown.to_owned(), next: Next::Byte(shown.len()) };
    }
    let (lines, total) = (line_count(shown), line_count(text));
    Head { text: format!("{shown}\n[lines {}-{total} not shown]", lines + 1), next: Next::Line(lines + 1) }
}

/// The first lines, and the last ones in a quarter of the budget.
pub(super) fn first_and_last(text: &str, budget: usize) -> Head {
    let room = budget.saturating_sub(GAP_TOKENS);
    let shown = start(text, room - room / 4);
    let last = end(&text[shown.len()..], room / 4);
    if last.is_empty() || !ends_a_line(text, shown) {
        return first(text, budget);
    }
    let (from, to) = (line_count(shown) + 1, line_count(text).saturating_sub(line_count(last)));
    Head { text: format!("{shown}\n[lines {from}-{to} not shown]\n{last}"), next: Next::Line(from) }
}

/// Whether a start of a text is made of whole lines.
pub(super) fn ends_a_line(text: &str, shown: &str) -> bool {
    !shown.is_empty() && text[shown.len()..].starts_with('\n')
}

/// As many whole lines as fit, without the last break; part of a line where not even one fits.
pub(super) fn start(text: &str, budget: usize) -> &str {
    let (part, _) = tokens::prefix(text, budget);
    match part.rfind('\n') {
        Some(end) if part.len() < text.len() => &part[..end],
        _ => part,
    }
}

/// As many whole lines from the end as fit.
fn end(text: &str, budget: usize) -> &str {
    let mut used = 0;
    let mut from = text.len();
    let body = text.trim_end_matches('\n');
    for line in body.rsplit('\n') {
        // A line that is far too long is not worth counting.
        let cost = if line.len() > budget.saturating_mul(16) { budget + 1 } else { tokens::count(line) + 1 };
        if used + cost > budget {
            break;
        }
        used += cost;
        from = line.as_ptr() as usize - text.as_ptr() as usize;
    }
    text[from..].trim_end_matches('\n')
}
