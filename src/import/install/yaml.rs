//! Edits of YAML as lines, since no library keeps comments: only the plain layout that clients write themselves is touched.
//!
//! Whether the result means what it should is checked by the caller, who parses it.

use serde_json::{Map, Value};

/// What Continue wants at the head of a file.
pub(super) const CONTINUE_HEAD: &str = "name: Local Config\nversion: 1.0.0\nschema: v1\n";

/// Puts the entry first. `None` where the layout is another one.
pub(super) fn insert(
    text: &str,
    container: &str,
    name: &str,
    members: &Map<String, Value>,
    as_list: bool,
) -> Option<String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
    }
    let empty = [format!("{container}: {{}}"), format!("{container}: []")];
    if let Some(line) = lines.iter_mut().find(|line| empty.iter().any(|empty| line.trim_end() == empty)) {
        *line = format!("{container}:\n");
    }
    let Some(header) = header_of(&lines, container) else {
        return block(&lines.concat(), container, name, members, as_list);
    };
    let indent = first_below(&lines, header).map_or(2, |line| indent_of(line));
    if !as_list && indent == 0 {
        // The next line is another key of the file: the container is empty.
        lines.insert(header + 1, entry(2, name, members, as_list));
    } else {
        let is_item = first_below(&lines, header).is_none_or(|line| line.trim_start().starts_with('-'));
        let indent = if as_list && !is_item { 2 } else { indent };
        lines.insert(header + 1, entry(indent, name, members, as_list));
    }
    Some(lines.concat())
}

/// Takes the entry out. `None` where the layout is another one.
pub(super) fn remove(text: &str, container: &str, name: &str) -> Option<String> {
    let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let header = header_of(&lines, container)?;
    let starts = |line: &String| {
        let line = line.trim();
        [name.to_owned(), format!("\"{name}\"")]
            .iter()
            .any(|name| line == format!("{name}:") || line == format!("- name: {name}"))
    };
    let start = header + 1 + lines[header + 1..].iter().position(starts)?;
    let indent = indent_of(&lines[start]);
    let belongs = |line: &String| line.trim().is_empty() || indent_of(line) > indent;
    let end = start + 1 + lines[start + 1..].iter().take_while(|line| belongs(line)).count();
    // Blank lines at its end part it from what follows.
    let blank = lines[start + 1..end].iter().rev().take_while(|line| line.trim().is_empty()).count();
    Some([&lines[..start], &lines[end - blank..]].concat().concat())
}

/// The container with this one entry, behind a text.
pub(super) fn block(
    before: &str,
    container: &str,
    name: &str,
    members: &Map<String, Value>,
    as_list: bool,
) -> Option<String> {
    Some(format!("{before}{container}:\n{}", entry(2, name, members, as_list)))
}

fn entry(indent: usize, name: &str, members: &Map<String, Value>, as_list: bool) -> String {
    let pad = " ".repeat(indent);
    let mut lines = String::new();
    if !as_list {
        lines.push_str(&format!("{pad}{name}:\n"));
    }
    for (at, (key, value)) in members.iter().enumerate() {
        let bullet = if as_list && at == 0 { "- " } else { "  " };
        // JSON is YAML; words that need no quotes get none, as clients write them.
        let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphabetic()) && !text.is_empty();
        let value = match value {
            Value::String(text) if text == name || (is_word(text) && text == "stdio") => text.clone(),
            other => other.to_string(),
        };
        lines.push_str(&format!("{pad}{bullet}{key}: {value}\n"));
    }
    lines
}

/// The line of a key of the file that has its value below.
fn header_of(lines: &[String], container: &str) -> Option<usize> {
    lines.iter().position(|line| {
        let rest = line.strip_prefix(container).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#') && rest.starts_with(' '))
    })
}

fn first_below(lines: &[String], header: usize) -> Option<&String> {
    lines[header + 1..].iter().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}
