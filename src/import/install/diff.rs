//! A unified diff for people. What surrounds toolcrib's entry keeps its keys and its layout and loses its values.

use similar::{ChangeTag, TextDiff};

use crate::import::shown::plain;

/// What stands for a value that is not toolcrib's.
const LEFT_OUT: &str = "…";

/// The difference between two texts; of values, only `own` ones and truth values are shown.
pub(super) fn unified(old: &str, new: &str, path: &str, own: &[String]) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut out = format!("--- {path}\n+++ {path}\n");
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
            };
            let line = change.value().trim_end_matches(['\n', '\r']);
            out.push_str(format!("{sign}{}", plain(&without_values(line, own)).trim_end()).trim_end_matches('\n'));
            out.push('\n');
        }
    }
    out
}

/// A line of JSON, TOML or YAML with its keys, brackets and `own` values.
fn without_values(line: &str, own: &[String]) -> String {
    let text = line.trim_start();
    let pad = &line[..line.len() - text.len()];
    let body = if text.starts_with('[') && text.ends_with(']') && !text.contains(['"', '\'', ',']) {
        text.to_owned() // the header of a TOML table
    } else {
        key_and_values(text, own)
    };
    format!("{pad}{body}")
}

fn key_and_values(text: &str, own: &[String]) -> String {
    // A bare key of TOML or YAML.
    let key_end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_-. ".contains(c))).unwrap_or(text.len());
    let (key, rest) = text.split_at(key_end);
    let is_key =
        !key.trim_matches(['-', ' ']).is_empty() && (rest == ":" || rest.starts_with(": ") || rest.starts_with('='));
    let (mut out, rest) = if is_key { (format!("{key}{}", &rest[..1]), &rest[1..]) } else { (String::new(), text) };
    let mut rest = rest;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' | '\'' => {
                let end = end_of_string(rest, c);
                let (whole, after) = rest.split_at(end);
                let inside = whole.trim_matches(c);
                let is_json_key = c == '"' && after.trim_start().starts_with(':');
                let unescaped = serde_json::from_str::<String>(whole).unwrap_or_else(|_| inside.to_owned());
                let shown = is_json_key || own.contains(&unescaped);
                out.push_str(&if shown { whole.to_owned() } else { format!("{c}{LEFT_OUT}{c}") });
                end
            }
            '{' | '}' | '[' | ']' | ',' | ':' | ' ' | '\t' => {
                out.push(c);
                c.len_utf8()
            }
            _ => {
                let end = rest.find(['{', '}', '[', ']', ',', '"', '\'']).unwrap_or(rest.len());
                let word = rest[..end].trim();
                let shown = matches!(word, "true" | "false" | "null" | "-") || own.iter().any(|own| own == word);
                out.push_str(if shown { &rest[..end] } else { LEFT_OUT });
                end
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// Where a quoted text ends, in bytes; at the end of the line if it does not.
fn end_of_string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_layout_are_shown_and_values_of_others_are_not() {
        let own = ["/bin/toolcrib".to_owned(), "serve".to_owned()];
        for (line, want) in [
            (r#"    "TOKEN": "s3cret", // "old": "s3cret2""#, r#"    "TOKEN": "…", …"old": "…""#),
            (r#"{"env":{"A":"s3cret","B":12}}"#, r#"{"env":{"A":"…","B":…}}"#),
            (
                r#"  "command": "/bin/toolcrib", "args": ["serve"]"#,
                r#"  "command": "/bin/toolcrib", "args": ["serve"]"#,
            ),
            ("TOKEN = \"s3cret\" # s3cret", "TOKEN = \"…\" …"),
            ("[mcp_servers.github]", "[mcp_servers.github]"),
            ("  token: s3cret", "  token: …"),
            ("  - s3cret", "  …"),
            ("s3cret continued", "…"),
            ("  timeout: 300", "  timeout: …"),
            ("enabled: true", "enabled: true"),
        ] {
            assert_eq!(without_values(line, &own), want);
        }
    }
}
