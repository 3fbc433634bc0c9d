//! Recorded calls of real servers, and their results: whole where they are kept whole, else grown back to their size.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};
use toolcrib::catalog::JsonObject;

use crate::catalog::Set;

/// One recorded call.
#[derive(Debug)]
pub struct Recorded {
    /// `server/tool`.
    pub tool: String,
    /// As the model wrote them.
    pub arguments: JsonObject,
    /// As the server answered.
    pub result: JsonObject,
    /// Whether the result is the server's own, whole. Else long texts are their recorded start, repeated up to the recorded length.
    pub is_whole: bool,
    /// Tokens of its text as recorded, of the whole result.
    pub text_tokens: usize,
    /// Tokens of its structured content, likewise; 0 where it has none.
    pub structured_tokens: usize,
    pub is_error: bool,
}

#[derive(Deserialize)]
struct File {
    servers: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    slug: String,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    tool: String,
    #[serde(default)]
    arguments: JsonObject,
    #[serde(default)]
    is_error: bool,
    result: Option<JsonObject>,
    text_tokens: Option<usize>,
    structured_tokens: Option<usize>,
}

/// What every call gets for which nothing is recorded.
pub fn small_result() -> JsonObject {
    let text =
        "{\"ok\":true,\"id\":\"4711\",\"url\":\"https://example.com/items/4711\",\"updated\":\"2026-05-04T10:15:00Z\"}";
    object(json!({ "content": [{ "type": "text", "text": text }] }))
}

/// The first recorded result of a tool that is no error.
pub fn result_of(tool: &str, set: &Set) -> JsonObject {
    let recorded = set.recorded.iter().find(|call| call.tool == tool && !call.is_error);
    recorded.map_or_else(small_result, |call| call.result.clone())
}

/// Reads the calls. Whole results that `tests/real/large.py` has left in the cache folder replace grown ones.
pub fn read(path: &Path) -> anyhow::Result<Vec<Recorded>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let file: File = serde_json::from_str(&text).with_context(|| format!("failed to read {}", path.display()))?;
    let kept = kept_folder();
    let mut recorded = Vec::new();
    for server in file.servers {
        for (at, call) in server.calls.into_iter().enumerate() {
            let Some(abridged) = call.result else { continue };
            let whole = fs::read_to_string(kept.join(format!("{}.{at}.json", server.slug)));
            let whole = whole.ok().and_then(|text| serde_json::from_str::<JsonObject>(&text).ok());
            let mut grown = Value::Object(abridged);
            let was_cut = grow(&mut grown);
            recorded.push(Recorded {
                tool: format!("{}/{}", server.slug, call.tool),
                arguments: call.arguments,
                is_whole: whole.is_some() || !was_cut,
                result: whole.unwrap_or_else(|| object(grown)),
                text_tokens: call.text_tokens.unwrap_or_default(),
                structured_tokens: call.structured_tokens.unwrap_or_default(),
                is_error: call.is_error,
            });
        }
    }
    Ok(recorded)
}

fn kept_folder() -> PathBuf {
    let cache = env::var_os("TOOLCRIB_CACHE").map(PathBuf::from);
    cache.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache")).join("real/results")
}

/// Grows texts that end in `… [1234 characters]`, the length of the whole; says whether there were any.
fn grow(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let Some((start, length)) = abridged(text) else { return false };
            let grown: String = start.chars().cycle().take(length).collect();
            *text = grown;
            true
        }
        // No short circuit: each part grows.
        Value::Array(items) => items.iter_mut().map(grow).fold(false, |any, cut| any | cut),
        Value::Object(fields) => fields.values_mut().map(grow).fold(false, |any, cut| any | cut),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn abridged(text: &str) -> Option<(&str, usize)> {
    let (start, count) = text.strip_suffix(" characters]")?.rsplit_once("… [")?;
    Some((start, count.parse().ok()?)).filter(|(start, _)| !start.is_empty())
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}
