//! What of a tool's result reaches the model: JSON without white space, nothing twice, and no more text than the budget.
//!
//! Images, audio, links to resources and errors pass as they came. What is left out is always said. Keeping the whole is not done
//! here: the caller keeps [`whole`] and then says so with [`say_cut`].

use serde_json::{Map, Value, json};

use super::{
    head::{self, Next},
    tokens,
};
use crate::catalog::JsonObject;

/// Room kept for saying what is left out and how to read on, in tokens: no such text has more, so a smaller budget is not kept. The
/// longest of the tests has 96.
pub const NOTICE_TOKENS: usize = 100;

/// A result this many times over its budget cannot be read whole without filling the context, so it is not begun either: a part of
/// the budget shows what it is, and the rest is found by reading on.
const FAR_OVER: usize = 2;
const FAR_OVER_SHARE: usize = 4;

/// With less room than this a text shows nothing worth its tokens.
const LEAST_HEAD_TOKENS: usize = 40;

/// How a result is made to fit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most tokens of all text together.
    pub tokens: usize,
    /// Most tokens of the head of a result that is far over.
    pub head_tokens: usize,
    /// Which of two equal copies stays.
    pub copies: Copies,
}

impl Limits {
    /// The operator's budget.
    #[must_use]
    pub const fn standard(tokens: usize, copies: Copies) -> Self {
        Self { tokens, head_tokens: tokens / FAR_OVER_SHARE, copies }
    }

    /// A budget that the model asked for: it knows how much it wants to see.
    #[must_use]
    pub const fn asked(tokens: usize, copies: Copies) -> Self {
        Self { tokens, head_tokens: tokens, copies }
    }
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
    /// What was left out and is not said yet; `None` where nothing was.
    pub cut: Option<Cut>,
}

/// How much was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Tokens of text that were kept, the notice apart.
    pub kept_tokens: usize,
    /// Tokens of all text; beyond 256 KiB counted from a sample.
    pub total_tokens: usize,
    /// Characters of all text.
    pub total_chars: usize,
    /// Lines of all text.
    pub total_lines: usize,
    /// Where to read on.
    pub next: Next,
    /// What was not cut.
    pub whole: Whole,
}

/// The whole of a result that was cut, for reading on. JSON in it has no white space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whole {
    /// Its texts, a line break between them.
    pub text: String,
    /// Its structured content as JSON, where that says something else than the text, or where there is no text.
    pub structured: Option<String>,
}

/// Makes a result fit.
#[must_use]
pub fn fit(result: &JsonObject, limits: &Limits) -> Fitted {
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

/// Says at the end of a result what was left out and how to read on: by `id` where the whole was kept under one, else by asking for less.
pub fn say_cut(result: &mut JsonObject, cut: &Cut, id: Option<&str>) {
    let about = if cut.total_chars > 200_000 { "about " } else { "" };
    let lines = if cut.total_lines > 1 { format!(" in {} lines", cut.total_lines) } else { String::new() };
    let sizes = format!(
        "cut: {} of {about}{} tokens shown, {} characters{lines} in all",
        cut.kept_tokens, cut.total_tokens, cut.total_chars
    );
    let text = match id {
        Some(id) => {
            let text = |next: &Next| {
                let (by, other) = match next {
                    Next::Line(line) => (json!({ "id": id, "lines": format!("{line}-") }), "pattern (regex)"),
                    Next::Byte(byte) => (json!({ "id": id, "bytes": format!("{byte}-") }), "pattern (regex)"),
                    Next::Path(path) => (json!({ "id": id, "path": path }), "another path, or pattern (regex)"),
                    Next::Search => (json!({ "id": id, "pattern": "..." }), "path (JSONPath) or bytes"),
                };
                let call = json!({ "tool": "crib/read_result", "arguments": by });
                format!("[{sizes}. Read on with call_tool {call}, or by {other}]")
            };
            // Keys can be anything, and a path of them any number of tokens.
            Some(text(&cut.next))
                .filter(|text| tokens::fits(text, NOTICE_TOKENS))
                .unwrap_or_else(|| text(&Next::Search))
        }
        None => format!(
            "[{sizes}; the rest is not kept. Ask for less: narrower arguments, or select (JSONPath) where the result is JSON]"
        ),
    };
    push_text(result, &text);
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
    let texts: Vec<&str> =
        blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()).collect();
    let is_copy = match texts.as_slice() {
        [] => false,
        [only] => says_the_same(only, structured),
        several => items_say_the_same(several, structured),
    };
    if !is_copy {
        return;
    }
    match copies {
        Copies::KeepText => drop(result.shift_remove("structuredContent")),
        Copies::KeepStructured => {
            if let Some(Value::Array(blocks)) = result.get_mut("content") {
                blocks.retain(|block| block["type"] != "text");
            }
        }
        Copies::KeepBoth => {}
    }
}

/// A framework that sends each item of a list as a text of its own.
fn items_say_the_same(texts: &[&str], structured: &Value) -> bool {
    let wrapped = structured.as_object().filter(|object| object.len() == 1).and_then(|object| object.values().next());
    let Some(items) = wrapped.unwrap_or(structured).as_array() else { return false };
    items.len() == texts.len()
        && items.iter().zip(texts).all(|(item, text)| {
            item.as_str() == Some(text) || serde_json::from_str::<Value>(text).is_ok_and(|parsed| parsed == *item)
        })
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

fn cut(mut result: JsonObject, limits: &Limits) -> Fitted {
    let structured = result.shift_remove("structuredContent").filter(|value| !value.is_null());
    let whole = Whole {
        text: texts(&result).collect::<Vec<_>>().join("\n"),
        structured: structured.as_ref().map(Value::to_string),
    };
    // Structured content cannot be cut and stay what its schema says, so it becomes a text that can.
    if let Some(structured) = &whole.structured {
        push_text(&mut result, structured);
    }
    let (mut total_tokens, mut total_chars, mut total_lines) = (0, 0, 0);
    for text in texts(&result) {
        total_tokens += tokens::count_roughly(text);
        total_chars += text.chars().count();
        total_lines += head::line_count(text);
    }
    let far_over = total_tokens > limits.tokens.saturating_mul(FAR_OVER);
    let budget = if far_over { limits.head_tokens.min(limits.tokens) } else { limits.tokens };
    let mut left = budget.saturating_sub(NOTICE_TOKENS);
    let mut kept_tokens = 0;
    let mut lines_before = 0;
    let mut next = None;
    // A path is one of the structured content, which is the last text, or of the only text there is.
    let (mut texts_left, has_structured) = (texts(&result).count(), whole.structured.is_some());
    let is_only_text = texts_left == 1;
    for_each_text(&mut result, |text| {
        let lines = head::line_count(text);
        texts_left -= 1;
        let has_paths = is_only_text || (has_structured && texts_left == 0);
        if left < LEAST_HEAD_TOKENS {
            next.get_or_insert(Next::Line(lines_before + 1));
            text.clear();
        } else if !tokens::fits(text, left) {
            let head = head::head(text, left);
            // Reading on counts lines over all texts together.
            let place = match head.next {
                Next::Line(line) => Next::Line(line + lines_before),
                Next::Byte(_) if lines_before > 0 => Next::Line(lines_before + 1),
                Next::Path(_) if !has_paths => Next::Line(lines_before + 1),
                other => other,
            };
            next.get_or_insert(place);
            *text = head.text;
        }
        lines_before += lines;
        let used = tokens::count(text);
        kept_tokens += used;
        left = left.saturating_sub(used);
    });
    if let Some(Value::Array(blocks)) = result.get_mut("content") {
        blocks.retain(|block| block["type"] != "text" || block["text"] != "");
    }
    let next = next.unwrap_or(Next::Search);
    Fitted { result, cut: Some(Cut { kept_tokens, total_tokens, total_chars, total_lines, next, whole }) }
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

#[cfg(test)]
mod shapes;
