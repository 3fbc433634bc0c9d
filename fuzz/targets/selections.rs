//! Parts of results by what a model writes: JSONPaths, regular expressions and ranges, over any JSON and any text. Whatever is
//! asked is answered soon, within the budget, or refused in a few words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use toolcrib::economy::{self, Span, Wanted, Whole};
use toolcrib_fuzz::Input;

/// Least budget: any less may have no room for saying where a part stands.
const LEAST_BUDGET: usize = 80;

/// Longest error, in bytes: it may name a path of 1,000, each of its bytes escaped.
const MOST_ERROR: usize = 8_000;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (budget, flags, context) = (input.number() % 600 + LEAST_BUDGET, input.byte(), input.byte());
    let (from, length, times) = (input.number(), input.number(), input.byte().saturating_sub(99) + 1);
    let Ok(path) = std::str::from_utf8(input.line()) else { return };
    let Ok(pattern) = std::str::from_utf8(input.line()) else { return };
    let Ok(text) = std::str::from_utf8(input.0) else { return };
    let value = serde_json::from_str::<Value>(text).ok();
    let text = text.repeat(times.min(8 * 1024 / text.len().max(1)).max(1));

    let result = json!({
        "content": [{ "type": "text", "text": text }],
        "structuredContent": value,
        "_meta": { "kept": 1 },
    });
    let Value::Object(result) = result else { return };
    match economy::select_from_result(&result, path) {
        Ok(selected) => {
            assert!(selected["_meta"] == result["_meta"] && !selected.contains_key("structuredContent"));
            assert!(
                selected["content"][0]["text"].is_string() && selected["content"].as_array().map(Vec::len) == Some(1)
            );
        }
        Err(error) => assert!(format!("{error}; {}", error.hint()).len() < MOST_ERROR),
    }

    let span = |bit: usize, open: usize| {
        let to = (flags & open == 0).then_some(from + length);
        (flags & bit != 0).then_some(Span { from, to })
    };
    let wanted = Wanted {
        path: (flags & 1 != 0).then(|| path.to_owned()),
        pattern: (flags & 2 != 0).then(|| pattern.to_owned()),
        lines: span(4, 16),
        bytes: span(8, 16),
        context: if context == 255 { usize::MAX } else { context },
    };
    let structured = if flags & 32 == 0 { None } else { value.as_ref().map(Value::to_string) };
    match economy::read_on(&Whole { text, structured }, &wanted, budget) {
        Ok(part) => assert!(economy::fits(&part, budget), "{} of {budget}: {part:?}", economy::count(&part)),
        Err(error) => assert!(error.to_string().len() < MOST_ERROR, "{error}"),
    }
});
