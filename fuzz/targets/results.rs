//! Results made to fit: any object and any budget; what goes out is within it, what is no text stays as it came, and what was
//! cut can be read on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use toolcrib::{
    broker,
    catalog::Era,
    economy::{self, Copies, Cut, Limits, NOTICE_TOKENS, Next, Wanted, Whole},
    jsonrpc::{JsonObject, RpcError},
};
use toolcrib_fuzz::Input;

/// Largest text made of an input by saying it again and again, in bytes: two pieces of those in which tokens are counted. Counting is
/// what takes the time here.
const MOST_TEXT: usize = 8 * 1024;

/// Least budget of a part that is read on: any less may have no room for a character.
const LEAST_READING: usize = 80;

/// Parts read on of one result.
const MOST_STEPS: usize = 6;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (tokens, flags, times) = (input.number() % 900, input.byte(), input.byte().saturating_sub(99) + 1);
    let copies = [Copies::KeepText, Copies::KeepStructured, Copies::KeepBoth, Copies::KeepText][flags & 3];
    let limits = if flags & 4 == 0 { Limits::standard(tokens, copies) } else { Limits::asked(tokens, copies) };
    let Ok(text) = std::str::from_utf8(input.0) else { return };
    let result = result(text, times);
    shaped(&result);
    fitted(&result, &limits);
});

/// The object that the text is, or one with its parts as blocks; the texts said so many times.
fn result(text: &str, times: usize) -> JsonObject {
    let read = match serde_json::from_str(text) {
        Ok(Value::Object(result)) => Some(result),
        _ => None,
    };
    let mut result = read.unwrap_or_else(|| {
        let mut result = JsonObject::new();
        let blocks = text.split('\0').filter_map(|part| {
            if let Some(structured) = part.strip_prefix('\u{1}') {
                result.insert("structuredContent".into(), serde_json::from_str(structured).unwrap_or_default());
                return None;
            }
            let block = match part.strip_prefix('\u{2}') {
                Some(text) => json!({ "type": "resource", "resource": { "uri": "file:///a", "text": text } }),
                None => json!({ "type": "text", "text": part }),
            };
            Some(block)
        });
        let blocks: Vec<Value> = blocks.collect();
        result.insert("content".into(), blocks.into());
        result
    });
    if let Some(Value::Array(blocks)) = result.get_mut("content") {
        for text in blocks.iter_mut().filter_map(text_of) {
            *text = text.repeat(times.min(MOST_TEXT / text.len().max(1)).max(1));
        }
    }
    if let Some(structured) = result.get_mut("structuredContent") {
        multiply(structured, times.min(MOST_TEXT / text.len().max(1)).max(1));
    }
    result
}

/// The longer lists, made longer.
fn multiply(value: &mut Value, times: usize) {
    match value {
        Value::Array(items) if items.len() > 1 => *items = vec![items.clone(); times].concat(),
        Value::Array(items) => items.iter_mut().for_each(|item| multiply(item, times)),
        Value::Object(fields) => fields.values_mut().for_each(|field| multiply(field, times)),
        _ => {}
    }
}

fn text_of(block: &mut Value) -> Option<&mut String> {
    let holder = match block.get("type").and_then(Value::as_str) {
        Some("text") => block,
        Some("resource") => block.get_mut("resource")?,
        _ => return None,
    };
    match holder.get_mut("text") {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn texts(result: &JsonObject) -> Vec<String> {
    let mut blocks = blocks(result);
    blocks.iter_mut().filter_map(|block| text_of(block).cloned()).collect()
}

fn blocks(result: &JsonObject) -> Vec<Value> {
    result.get("content").and_then(Value::as_array).cloned().unwrap_or_default()
}

/// What fitting must not touch: blocks that are no text, what stands around texts of resources, and all other fields.
fn untouchable(result: &JsonObject) -> (Vec<Value>, JsonObject) {
    let mut blocks = blocks(result);
    blocks.retain_mut(|block| {
        let is_text = block.get("type").and_then(Value::as_str) == Some("text") && text_of(block).is_some();
        if let Some(text) = text_of(block) {
            text.clear();
        }
        !is_text
    });
    let other = |(key, _): &(&String, &Value)| !matches!(key.as_str(), "content" | "structuredContent");
    (blocks, result.iter().filter(other).map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn fitted(result: &JsonObject, limits: &Limits) {
    let fitted = economy::fit(result, limits);
    if result.get("isError") == Some(&Value::Bool(true)) {
        assert!(fitted.result == *result && fitted.cut.is_none(), "an error passes as it came");
        return;
    }
    let (blocks, others) = untouchable(&fitted.result);
    let (blocks_before, others_before) = untouchable(result);
    assert_eq!(Value::from(blocks).to_string(), Value::from(blocks_before).to_string(), "what is no text stays");
    assert_eq!(Value::Object(others).to_string(), Value::Object(others_before).to_string(), "and so do other fields");
    let before: Vec<String> = texts(result).into_iter().map(|text| economy::minified(&text).unwrap_or(text)).collect();
    match fitted.cut {
        None => {
            complete(&before, result, &fitted.result, limits);
        }
        Some(cut) => {
            let used: usize = texts(&fitted.result).iter().map(|text| economy::count(text)).sum();
            assert!(used <= limits.tokens.saturating_sub(NOTICE_TOKENS), "{used} of {}", limits.tokens);
            // Where the structured copy was to stay, it is the one that is kept.
            let is_structured = limits.copies == Copies::KeepStructured && cut.whole.structured.is_some();
            let is_all = cut.whole.text == before.join("\n") || (cut.whole.text.is_empty() && is_structured);
            assert!(is_all, "all of it can be kept: {:?}", cut.whole);
            for id in [Some("a1b2c3"), None] {
                let mut said = fitted.result.clone();
                economy::say_cut(&mut said, &cut, id);
                let used: usize = texts(&said).iter().map(|text| economy::count(text)).sum();
                assert!(used <= limits.tokens.max(NOTICE_TOKENS), "{used} of {} with the notice", limits.tokens);
            }
            read_on(&cut, limits.tokens.max(LEAST_READING));
        }
    }
}

/// Nothing was cut, so everything is there, once.
fn complete(before: &[String], result: &JsonObject, fitted: &JsonObject, limits: &Limits) {
    let (after, structured) = (texts(fitted), fitted.get("structuredContent"));
    let was_structured = result.get("structuredContent");
    assert!(structured.is_none() || structured == was_structured);
    if structured != was_structured {
        assert!(limits.copies == Copies::KeepText && !before.is_empty(), "one copy stays");
    }
    if after != before {
        assert!(limits.copies == Copies::KeepStructured && structured.is_some_and(|kept| !kept.is_null()));
    }
    let all = after.concat() + &structured.filter(|value| !value.is_null()).map(Value::to_string).unwrap_or_default();
    assert!(economy::fits(&all, limits.tokens), "{} of {}", economy::count(&all), limits.tokens);
}

/// What the notice says can be done, and leads on.
fn read_on(cut: &Cut, budget: usize) {
    let mut wanted = match &cut.next {
        Next::Line(line) => lines(&line.to_string()),
        Next::Byte(byte) => bytes(&byte.to_string()),
        Next::Path(path) => Wanted { path: Some(path.clone()), ..Wanted::default() },
        Next::Search => Wanted::default(),
    };
    for _ in 0..MOST_STEPS {
        let part = read(&cut.whole, &wanted, budget);
        let Some((_, place)) = part.rsplit_once("\n[") else { return };
        let next = |kind: &str| {
            let (_, next) = place.split_once(&format!("next: {kind} \""))?;
            next.split_once("-\"").map(|(next, _)| next.to_owned())
        };
        let before = wanted.clone();
        wanted = match (next("lines"), next("bytes")) {
            (Some(line), _) => lines(&line),
            (None, Some(byte)) => bytes(&byte),
            (None, None) => return,
        };
        let (from, to) = (before.lines.or(before.bytes), wanted.lines.or(wanted.bytes));
        let same_kind = before.lines.is_some() == wanted.lines.is_some();
        let leads_on = from.zip(to).is_none_or(|(from, to)| to.from > from.from);
        assert!(before.path.is_some() || !same_kind || leads_on, "{before:?} leads to {wanted:?}");
    }
}

fn read(whole: &Whole, wanted: &Wanted, budget: usize) -> String {
    let part = economy::read_on(whole, wanted, budget);
    let part = part.unwrap_or_else(|error| panic!("{wanted:?} was offered: {error}"));
    assert!(economy::fits(&part, budget), "{} of {budget} for {wanted:?}: {part:?}", economy::count(&part));
    part
}

fn lines(from: &str) -> Wanted {
    Wanted { lines: format!("{from}-").parse().ok(), ..Wanted::default() }
}

fn bytes(from: &str) -> Wanted {
    Wanted { bytes: format!("{from}-").parse().ok(), ..Wanted::default() }
}

/// Each era's form has what that era wants, has everything else as it was, and is a form already when it is shaped again.
fn shaped(result: &JsonObject) {
    let rest = |result: &JsonObject| {
        let mut rest = result.clone();
        for key in ["resultType", "ttlMs", "cacheScope"] {
            rest.shift_remove(key);
        }
        Value::Object(rest).to_string()
    };
    for method in ["tools/call", "tools/list", "resources/read"] {
        for era in [Era::Legacy, Era::Modern] {
            let shaped = broker::shaped(result.clone(), method, era);
            assert_eq!(rest(&shaped), rest(result));
            assert_eq!(broker::shaped(shaped.clone(), method, era), shaped);
            let kind = shaped.get("resultType").and_then(Value::as_str);
            assert!(if era == Era::Modern { kind.is_some() } else { kind != Some("complete") });
        }
    }
    let shaped = broker::shaped_error(RpcError::as_sent(result.clone()), Era::Legacy);
    assert_eq!(shaped.into_object(), *result);
    // Whatever code it is, there is one.
    let _ = broker::shaped_error(RpcError::as_sent(result.clone()), Era::Modern).code();
}
