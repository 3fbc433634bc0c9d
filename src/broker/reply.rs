//! Replies as MCP results, and errors as texts that teach. The only place that turns a failure into what a model reads.

use std::fmt::Write;

use serde_json::{Value, json};

use super::validate::ArgumentProblem;
use crate::{
    backends::BackendError,
    catalog::{Catalog, JsonObject, Resolution, ToolEntry},
    economy,
    ids::ToolId,
};

/// Candidates named where a name fits several tools or none.
const MAX_CANDIDATES: usize = 5;

/// A result of one text.
pub(super) fn text(text: &str) -> JsonObject {
    let mut result = JsonObject::new();
    result.insert("content".into(), json!([{"type": "text", "text": text}]));
    result
}

/// A result of one text that is an error. Clients show it to the model, unlike an error of the protocol.
pub(super) fn error(message: &str) -> JsonObject {
    let mut result = text(message);
    result.insert("isError".into(), Value::Bool(true));
    result
}

/// Adds a text behind a result's own blocks.
pub(super) fn append(result: &mut JsonObject, text: &str) {
    let block = json!({"type": "text", "text": text});
    match result.get_mut("content").and_then(Value::as_array_mut) {
        Some(blocks) => blocks.push(block),
        None => {
            result.insert("content".into(), json!([block]));
        }
    }
}

/// Says why a name means no one tool, with the names it may have meant.
pub(super) fn not_one_tool(asked: &str, resolution: &Resolution, catalog: &Catalog) -> String {
    match resolution {
        Resolution::One(id) => format!("`{asked}` is {id}"),
        Resolution::Many(candidates) => {
            let names: Vec<String> = candidates.iter().take(MAX_CANDIDATES).map(ToString::to_string).collect();
            let more = candidates.len().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("`{asked}` could be {}{more}; say which, as server/tool.", names.join(", "))
        }
        Resolution::None { nearest } if nearest.is_empty() => {
            format!("There is no tool `{asked}`. Find one with search_tools {}.", json!({"query": "…"}))
        }
        Resolution::None { nearest } => {
            let mut message = format!("There is no tool `{asked}`. Nearest:");
            for id in nearest.iter().take(MAX_CANDIDATES) {
                let line = catalog.tool(id).map_or_else(|| id.to_string(), |tool| economy::hit_line(tool));
                let _ = write!(message, "\n{line}");
            }
            message
        }
    }
}

/// Says each problem of the arguments by its pointer, and shows the signature for the next attempt, under the name that was
/// called.
pub(super) fn bad_arguments(tool: &ToolEntry, pinned_as: Option<&str>, problems: &[ArgumentProblem]) -> String {
    let full_name = tool.id.to_string();
    let mut message = format!("The arguments do not fit {}; nothing was called.", pinned_as.unwrap_or(&full_name));
    for problem in problems {
        let pointer = if problem.pointer.is_empty() { "(arguments)" } else { &problem.pointer };
        let _ = write!(message, "\n{pointer}: {}", problem.reason);
    }
    let signature = economy::signature(tool);
    match (pinned_as, signature.text.strip_prefix(&full_name)) {
        (Some(name), Some(parameters)) => write!(message, "\n{name}{parameters}"),
        _ => write!(message, "\n{}", signature.text),
    }
    .unwrap_or_default();
    // The client has the whole schema of a pinned tool.
    if !signature.complete && pinned_as.is_none() {
        let _ = write!(message, "\nThe whole contract: describe_tool {}", json!({"tools": [full_name]}));
    }
    message
}

/// Says what went wrong with a backend and what to do next.
pub(super) fn backend(id: &ToolId, failure: &BackendError) -> String {
    match failure {
        // The backend's own words are the lesson; a hint of ours would only stand in their way.
        BackendError::Rpc { code, message, error, .. } => {
            let data = error.get("data").map(|data| format!("\n{data}")).unwrap_or_default();
            format!("{id} answered with error {code}: {message}{data}")
        }
        BackendError::Spawn { .. }
        | BackendError::DiedAtStart { .. }
        | BackendError::StartTimeout { .. }
        | BackendError::Handshake { .. }
        | BackendError::Unauthorized { .. }
        | BackendError::Closed { .. }
        | BackendError::CallTimeout { .. }
        | BackendError::Protocol { .. }
        | BackendError::Unsupported { .. }
        | BackendError::Resting { .. } => format!("{id} could not be called: {failure}\nNext: {}", failure.hint()),
    }
}
