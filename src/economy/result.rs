//! What of a tool's result reaches the model: JSON without white space, nothing twice, and no more text than the budget.
//!
//! Images, audio, links to resources and errors pass as they came. What is left out is always said. Keeping the whole for reading
//! on is not done here; the caller passes the sentence that tells how.

use serde_json::{Map, Value, json};

use super::{json_head::json_head, tokens};
use crate::catalog::JsonObject;

/// Room kept for saying what is left out.
const NOTICE_TOKENS: usize = 40;

/// How a result is made to fit.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// Most tokens of all text together.
    pub tokens: usize,
    /// Which of two equal copies stays.
    pub copies: Copies,
    /// How to read what is left out, said when something is; may be empty.
    pub read_on: &'a str,
}

/// Which copy stays where a text says what `structuredContent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// The text. Every client shows it, and one that prefers structured content shows it where there is none.
    KeepText,
    /// The structured content: for clients that read nothing else, and for programs.
    KeepStructured,
    /// Both, as they came.
    KeepBoth,
}

/// A result as it goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The result.
    pub result: JsonObject,
    /// What was left out; `None` where nothing was.
    pub cut: Option<Cut>,
}

/// How much was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Tokens of text that were kept, the notice apart.
    pub kept_tokens: usize,
    /// Tokens of all text; beyond 256 KiB counted from a sample.
    pub total_tokens: usize,
    /// Characters of all text.
    pub total_chars: usize,
}

/// Makes a result fit.
#[must_use]
pub fn fit(result: &JsonObject, limits: &Limits<'_>) -> Fitted {
    let mut result = result.clone();
    if result.get("isError") == Some(&Value::Bool(true)) {
        return Fitted { result, cut: None };
    }
    for_each_text(&mut result, |text| {
        if let Some(minified) = minified(text) {
            *text = minified;
        }
    });
    drop_copy(&mut result, limits.copies);
    if all_fits(&result, limits.tokens) {
        return Fitted { result, cut: None };
    }
    cut(result, limits)
}

/// Compact form of a JSON object or array, byte for byte but for white space outside strings; `None` for other text.
#[must_use]
pub fn minified(text: &str) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut from) = (false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            out.push_str(&text[from..at]);
            from = at + 1;
        }
    }
    out.push_str(&text[from..]);
    Some(out)
}

/// Whether a client would show the same thing twice, and then one of them goes.
fn drop_copy(result: &mut JsonObject, copies: Copies) {
    if copies == Copies::KeepBoth {
        return;
    }
    let (Some(structured), Some(Value::Array(blocks))) = (result.get("structuredContent"), result.get("content"))
    else {
        return;
    };
    let mut texts = blocks.iter().enumerate().filter(|(_, block)| block["type"] == "text");
    let (Some((at, block)), None) = (texts.next(), texts.next()) else { return };
    if !block["text"].as_str().is_some_and(|text| says_the_same(text, structured)) {
        return;
    }
    match copies {
        Copies::KeepText => drop(result.shift_remove("structuredContent")),
        Copies::KeepStructured => {
            if let Some(Value::Array(blocks)) = result.get_mut("content") {
                blocks.remove(at);
            }
        }
        Copies::KeepBoth => {}
    }
}

/// The text is the structured content as JSON, or the one value that a framework has wrapped in an object.
fn says_the_same(text: &str, structured: &Value) -> bool {
    let wrapped = structured.as_object().filter(|object| object.len() == 1).and_then(|object| object.values().next());
    if wrapped.and_then(Value::as_str) == Some(text) {
        return true;
    }
    let Ok(parsed) = serde_json::from_str::<Value>(text) else { return false };
    // A wrapped text that is JSON has white space that ours has no more.
    let unwrapped = || serde_json::from_str::<Value>(wrapped?.as_str()?).ok();
    parsed == *structured || wrapped == Some(&parsed) || unwrapped().as_ref() == Some(&parsed)
}

fn all_fits(result: &JsonObject, budget: usize) -> bool {
    let structured = result.get("structuredContent").filter(|value| !value.is_null()).map(Value::to_string);
    let mut parts: Vec<&str> = texts(result).collect();
    parts.extend(structured.as_deref());
    let bytes: usize = parts.iter().map(|part| part.len()).sum();
    bytes <= budget || tokens::fits(&parts.concat(), budget)
}

fn cut(mut result: JsonObject, limits: &Limits<'_>) -> Fitted {
    // Structured content cannot be cut and stay what its schema says, so it becomes a text that can.
    let structured = result.shift_remove("structuredContent").filter(|value| !value.is_null());
    if let Some(structured) = structured
        && texts(&result).next().is_none()
    {
        push_text(&mut result, &structured.to_string());
    }
    let (mut total_tokens, mut total_chars) = (0, 0);
    for text in texts(&result) {
        total_tokens += tokens::count_roughly(text);
        total_chars += text.chars().count();
    }
    let mut left = limits.tokens.saturating_sub(NOTICE_TOKENS + tokens::count(limits.read_on));
    let mut kept_tokens = 0;
    for_each_text(&mut result, |text| {
        if !tokens::fits(text, left) {
            *text = head(text, left);
        }
        let used = tokens::count(text);
        kept_tokens += used;
        left = left.saturating_sub(used);
    });
    if let Some(Value::Array(blocks)) = result.get_mut("content") {
        blocks.retain(|block| block["type"] != "text" || block["text"] != "");
    }
    let cut = Cut { kept_tokens, total_tokens, total_chars };
    push_text(&mut result, &notice(&cut, limits.read_on));
    Fitted { result, cut: Some(cut) }
}

/// The start of a text that says most of the whole: shape and first items of JSON, else first lines.
fn head(text: &str, budget: usize) -> String {
    if let Some(head) = json_head(text, budget) {
        return head;
    }
    let (part, _) = tokens::prefix(text, budget);
    // Whole lines where that loses little.
    match part.rfind('\n') {
        Some(end) if end > part.len() / 2 => part[..end].to_owned(),
        _ => part.to_owned(),
    }
}

fn notice(cut: &Cut, read_on: &str) -> String {
    let about = if cut.total_chars > 200_000 { "about " } else { "" };
    let mut text = format!(
        "[cut: {} of {about}{} tokens shown, {} characters in all.",
        cut.kept_tokens, cut.total_tokens, cut.total_chars
    );
    if !read_on.is_empty() {
        text.push(' ');
        text.push_str(read_on);
    }
    text.push(']');
    text
}

fn push_text(result: &mut JsonObject, text: &str) {
    let block = json!({ "type": "text", "text": text });
    match result.get_mut("content") {
        Some(Value::Array(blocks)) => blocks.push(block),
        _ => drop(result.insert("content".into(), Value::from(vec![block]))),
    }
}

/// The texts of a result: text blocks, and embedded resources that hold text.
fn texts(result: &JsonObject) -> impl Iterator<Item = &str> {
    let blocks = result.get("content").and_then(Value::as_array).into_iter().flatten();
    blocks.filter_map(|block| holder(block)?.get("text")?.as_str())
}

fn for_each_text(result: &mut JsonObject, mut change: impl FnMut(&mut String)) {
    let Some(Value::Array(blocks)) = result.get_mut("content") else { return };
    for block in blocks {
        let holder = match block["type"].as_str() {
            Some("text") => Some(block),
            Some("resource") => block.get_mut("resource"),
            _ => None,
        };
        if let Some(Value::String(text)) = holder.and_then(|holder| holder.get_mut("text")) {
            change(text);
        }
    }
}

fn holder(block: &Value) -> Option<&Map<String, Value>> {
    match block["type"].as_str() {
        Some("text") => block.as_object(),
        Some("resource") => block.get("resource")?.as_object(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
