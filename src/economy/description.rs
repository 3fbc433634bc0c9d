//! One sentence out of a tool's description: what the tool does, without markup, ornament, filler and orders.

use super::{clean, orders::gives_orders};
use crate::catalog::ToolEntry;

/// Longest sentence in characters. A search reply has five of them; 120 say what a tool does and cost about 25 tokens.
const MAX_SENTENCE_CHARS: usize = 120;

/// Most of a description that is looked at, in bytes. The longest real one has 14 KB, its first sentence is at the top.
const MAX_LOOKED_AT: usize = 4096;

/// Ends that end no sentence.
const ABBREVIATIONS: [&str; 16] = [
    "e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "incl.", "excl.", "resp.", "no.", "fig.", "dr.", "mr.", "ms.",
    "st.", "inc.",
];

/// Openings that say nothing, lower case. What follows them is the sentence.
const FILLERS: [&str; 48] = [
    "this tool allows you to ",
    "this tool lets you ",
    "this tool enables you to ",
    "this tool is used to ",
    "this tool can be used to ",
    "this tool helps you ",
    "this tool will ",
    "this tool can ",
    "this tool ",
    "this endpoint allows you to ",
    "this endpoint lets you ",
    "this endpoint ",
    "this function ",
    "this method ",
    "this operation allows you to ",
    "this operation ",
    "this api allows you to ",
    "this command ",
    "use this tool to ",
    "use this tool when you need to ",
    "use this tool when you want to ",
    "use this endpoint to ",
    "use this to ",
    "use this when you need to ",
    "use this command to ",
    "use to ",
    "used to ",
    "useful to ",
    "allows you to ",
    "allows to ",
    "allow you to ",
    "lets you ",
    "enables you to ",
    "enables users to ",
    "allows users to ",
    "a tool to ",
    "a tool for ",
    "a tool that ",
    "tool to ",
    "tool for ",
    "tool that ",
    "please ",
    "use this tool for ",
    "use this as the primary tool to ",
    "purpose: ",
    "description: ",
    "summary: ",
    "otherwise: ",
];

/// Openings of lines that are not prose.
const HEADINGS: [&str; 14] = [
    "args:",
    "arguments:",
    "parameters:",
    "params:",
    "returns:",
    "return:",
    "raises:",
    "example:",
    "examples:",
    "usage:",
    "note:",
    "notes:",
    "warning:",
    "yields:",
];

/// The first sentence that says what a tool does; empty where the description holds none.
#[must_use]
pub fn first_sentence(description: &str) -> String {
    let looked_at = &description[..super::tokens::floor_char_boundary(description, MAX_LOOKED_AT)];
    // Some descriptions hold their line breaks as the two characters `\\n`.
    let shown = clean::text(&looked_at.replace("\\n", "\n"));
    // Second best, where nothing says what the tool does in all cases.
    let mut of_a_case = None;
    for paragraph in paragraphs(&shown) {
        let mut rest = paragraph.as_str();
        while !rest.is_empty() {
            let (sentence, tail) = split_sentence(rest);
            rest = tail.trim_start();
            if gives_orders(sentence) || is_heading(sentence.trim()) {
                continue;
            }
            let said = without_filler(sentence.trim());
            if says_something(&said) {
                if !begins_a_case(sentence.trim()) {
                    return bounded(&said);
                }
                of_a_case.get_or_insert(said);
            }
        }
    }
    of_a_case.filter(|said| said.starts_with("If ")).map(|said| bounded(&said)).unwrap_or_default()
}

/// Two letters of a script that has words of one or two, else two words.
fn says_something(said: &str) -> bool {
    said.chars().filter(|c| c.is_alphanumeric()).count() >= 2 && (!said.is_ascii() || said.contains(' '))
}

/// A single word ("Purpose") or words all in capitals ("WHEN TO USE").
fn is_heading(sentence: &str) -> bool {
    sentence.is_ascii()
        && (!sentence.contains(' ') && sentence.len() < 24
            || !sentence.contains(|c: char| c.is_ascii_lowercase()) && !sentence.ends_with('.'))
}

/// Whether a sentence speaks of a case or forbids, and so does not say what the tool does.
fn begins_a_case(sentence: &str) -> bool {
    const OPENINGS: [&str; 6] = ["if ", "only if ", "only call ", "only use ", "do not ", "don't "];
    let lower = sentence.to_ascii_lowercase();
    OPENINGS.iter().any(|opening| lower.starts_with(opening))
}

/// A tool's sentence, unless it says no more than its name does.
#[must_use]
pub fn sentence(tool: &ToolEntry) -> String {
    let sentence = first_sentence(tool.description());
    let sentence = if sentence.is_empty() { tool.title().map(first_sentence).unwrap_or_default() } else { sentence };
    if repeats(&sentence, &tool.id.to_string()) { String::new() } else { sentence }
}

/// Joins a signature and a sentence to the line of a hit.
#[must_use]
pub fn hit_line(tool: &ToolEntry) -> String {
    let signature = super::signature::signature(tool).text;
    let sentence = sentence(tool);
    if sentence.is_empty() { signature } else { format!("{signature} — {sentence}") }
}

/// Paragraphs of prose: headings, code, tables and tags left out, inline markup taken off, lines joined.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = Vec::new();
    let mut current = String::new();
    let mut in_code = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
        }
        let lower = line.to_lowercase();
        let structural = in_code
            || line.is_empty()
            || ["```", "~~~", "#", "|", "---", "===", "***"].iter().any(|start| line.starts_with(start))
            || HEADINGS.iter().any(|heading| lower.starts_with(heading));
        let bullet = bullet_text(line);
        if (structural || bullet.is_some()) && !current.is_empty() {
            paragraphs.push(std::mem::take(&mut current));
        }
        if structural {
            continue;
        }
        let plain = plain(bullet.unwrap_or(line));
        if !plain.is_empty() {
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(&plain);
        }
    }
    if !current.is_empty() {
        paragraphs.push(current);
    }
    paragraphs
}

fn bullet_text(line: &str) -> Option<&str> {
    ["- ", "* ", "• ", "+ "].iter().find_map(|mark| line.strip_prefix(mark)).or_else(|| {
        let digits = line.find(|c: char| !c.is_ascii_digit()).filter(|&end| end > 0)?;
        line[digits..].strip_prefix(". ").or_else(|| line[digits..].strip_prefix(") "))
    })
}

/// A line without emphasis, code marks, links, tags, ornaments and a label in brackets at its start.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            '`' => {}
            '*' if after.starts_with('*') => {
                rest = &after[1..];
                continue;
            }
            '<' if after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && tag_end(after).is_some() => {
                rest = &after[tag_end(after).map_or(0, |end| end + 1)..];
                continue;
            }
            '[' if link(after).is_some() => {
                if let Some((shown, tail)) = link(after) {
                    out.push_str(shown);
                    rest = tail;
                    continue;
                }
            }
            _ if clean::is_ornament(character) => {}
            _ => out.push(character),
        }
        rest = after;
    }
    let out = clean::line(&out);
    without_label(&out).to_owned()
}

/// `[text](address)`: the text and what follows.
fn link(after_bracket: &str) -> Option<(&str, &str)> {
    let (shown, tail) = after_bracket.split_once(']')?;
    let (_, tail) = tail.strip_prefix('(')?.split_once(')')?;
    Some((shown, tail))
}

/// The end of a tag such as `<use_case>`; a comparison or a placeholder with a space in it is none.
fn tag_end(after_bracket: &str) -> Option<usize> {
    after_bracket
        .find('>')
        .filter(|&end| after_bracket[..end].chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/')))
}

/// `[MySQL MCP Server [v1]] Runs …` says `Runs …`.
fn without_label(text: &str) -> &str {
    if !text.starts_with('[') {
        return text;
    }
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let (label, rest) = text.split_at(at + character.len_utf8());
            let rest = rest.trim_start();
            // That a tool is on its way out is worth knowing.
            let says_something = label.to_ascii_lowercase().contains("deprecated");
            return if rest.is_empty() || says_something { text } else { rest };
        }
    }
    text
}

/// The first sentence with its end mark, and what follows it.
fn split_sentence(text: &str) -> (&str, &str) {
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        let ends = match character {
            '。' | '！' | '？' => true,
            '.' | '!' | '?' => {
                let next = text[end..].chars().next();
                let word = text[..end].rsplit([' ', '(']).next().unwrap_or_default();
                next.is_none_or(char::is_whitespace)
                    && !(character == '.'
                        && (ABBREVIATIONS.contains(&word.to_lowercase().as_str()) || is_initial(word))
                        && next.is_some())
                    && !(text[end..].trim_start().starts_with(char::is_lowercase))
            }
            _ => false,
        };
        if ends {
            return text.split_at(end);
        }
    }
    (text, "")
}

/// A single letter with a dot, as in a name.
fn is_initial(word: &str) -> bool {
    word.len() == 2 && word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// A line without an opening that says nothing ("This tool allows you to …"); `None` where it has none.
#[must_use]
pub fn without_opening(line: &str) -> Option<String> {
    // What ends in a colon leads to the lines below it.
    if line.trim_end().ends_with(':') {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let filler = FILLERS.iter().filter(|filler| lower.starts_with(**filler)).max_by_key(|filler| filler.len())?;
    let rest = line.get(filler.len()..).filter(|rest| rest.len() > 3)?;
    let mut characters = rest.chars();
    let first = characters.next()?;
    Some(first.to_uppercase().chain(characters).collect())
}

fn without_filler(sentence: &str) -> String {
    let mut rest = sentence.trim_start_matches([':', '-', '–', '—', '>', ' ', '•', '_']);
    // Twice: "Tool to … " may stand before "allows you to …".
    for _ in 0..2 {
        let lower = rest.to_ascii_lowercase();
        let filler = FILLERS.iter().filter(|filler| lower.starts_with(*filler)).max_by_key(|filler| filler.len());
        match filler {
            Some(filler) if rest.len() > filler.len() + 3 => rest = &rest[filler.len()..],
            _ => break,
        }
    }
    let rest = rest.trim_end_matches([':', ' ']);
    let mut characters = rest.chars();
    match characters.next() {
        Some(first) if first.is_lowercase() && rest.len() < sentence.len() => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => rest.to_owned(),
    }
}

/// Cut at a word where it is too long. Three dots, because `…` is the mark of an incomplete signature.
fn bounded(sentence: &str) -> String {
    if sentence.chars().count() <= MAX_SENTENCE_CHARS {
        return sentence.to_owned();
    }
    let end = sentence.char_indices().nth(MAX_SENTENCE_CHARS - 3).map_or(sentence.len(), |(at, _)| at);
    let cut = &sentence[..end];
    let word_end = cut.rfind(' ').filter(|&at| at > end / 2).unwrap_or(end);
    format!("{}...", cut[..word_end].trim_end_matches([',', ';', ':', '(', '-', ' ', '.']))
}

/// Whether every telling word of a sentence stands in the name already.
fn repeats(sentence: &str, name: &str) -> bool {
    const SMALL: [&str; 16] =
        ["a", "an", "the", "of", "for", "to", "in", "from", "with", "all", "by", "on", "your", "new", "and", "this"];
    let name = name.to_lowercase();
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    sentence
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !SMALL.contains(word))
        .all(|word| name.contains(word.strip_suffix('s').unwrap_or(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_is_what_the_tool_does() {
        for (description, said) in [
            ("Open an issue. It can have labels.", "Open an issue."),
            ("Search files, e.g. by name. More.", "Search files, e.g. by name."),
            ("This tool allows you to list pods in v1.2 clusters", "List pods in v1.2 clusters"),
            ("This tool retrieves a page!\nMore", "Retrieves a page!"),
            (
                "# Fetch\n\n**Fetches** a `URL` as [markdown](https://e.org).\n\nArgs:\n  url: x",
                "Fetches a URL as markdown.",
            ),
            ("💡 TIP: reads mail", "TIP: reads mail"),
            ("MANDATORY FIRST STEP: you must call this. Lists schemas.", "Lists schemas."),
            ("<use_case>\nQuery logs\n</use_case>", "Query logs"),
            ("[MySQL MCP Server [vundefined]] Runs a query", "Runs a query"),
            ("根据城市查询天气。返回预报。", "根据城市查询天气。"),
            ("Use this tool when you need to send an e-mail", "Send an e-mail"),
            ("", ""),
            ("IMPORTANT: ALWAYS call this.", ""),
            ("ALL OTHER TOOLS WILL FAIL without an id. Opens a session.", "Opens a session."),
            ("Finds incidents by severity (LOW, CRITICAL).", "Finds incidents by severity (LOW, CRITICAL)."),
            ("WHEN TO USE\n\nIf you need many, ask. Do not skip it. Checks a page.", "Checks a page."),
            ("[DEPRECATED] Use forms instead. Makes a field.", "[DEPRECATED] Use forms instead."),
            ("hidden\u{200b} text\u{202e} here\u{1b}[2J", "hidden text here"),
        ] {
            assert_eq!(first_sentence(description), said, "{description:?}");
        }
    }

    #[test]
    fn a_long_sentence_ends_at_a_word_with_dots() {
        let sentence = first_sentence(&"word ".repeat(60));
        assert!(sentence.chars().count() <= MAX_SENTENCE_CHARS && sentence.ends_with("word..."), "{sentence}");
    }

    #[test]
    fn a_sentence_that_repeats_the_name_is_left_out() {
        assert!(repeats("Create a new issue", "github/create_issue"));
        assert!(repeats("List projects", "asana/list-projects"));
        assert!(!repeats("Create an issue with labels", "github/create_issue"));
    }
}
