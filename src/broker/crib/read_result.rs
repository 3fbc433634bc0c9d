//! `crib/read_result`: reads on in a result that was cut.

use std::time::Duration;

use serde_json::{Value, json};
use tracing::warn;

use super::{Answer, span};
use crate::{
    broker::{Broker, Conversation, conversation::Step},
    catalog::JsonObject,
    economy::{self, Span, Wanted, Whole},
};

/// The tool's name.
pub(in crate::broker) const READ_RESULT: &str = "read_result";

/// Lines around a match where the call names no number.
const DEFAULT_CONTEXT: usize = 2;

/// Longest time for finding a part. Searching 32 MB takes about a second.
const MAX_READING: Duration = Duration::from_secs(20);

/// Kept results named where a name means none.
const MAX_NAMED: usize = 5;

pub(super) fn definition() -> Value {
    super::definition(
        READ_RESULT,
        "Read on in a result that was cut: a range of lines or bytes, the lines that match a regular expression, or the part of a \
         JSON result at a JSONPath. The id stands in the result that was cut.",
        &json!({
            "id": { "type": "string" },
            "lines": { "type": "string", "description": "range like 120-400, counted from 1; 120- goes on as far as the budget" },
            "bytes": { "type": "string", "description": "range like 0-4000, counted from 0" },
            "pattern": { "type": "string", "description": "regular expression; with lines or bytes only within that range" },
            "context": {
                "type": "integer", "minimum": 0, "maximum": 50, "default": DEFAULT_CONTEXT,
                "description": "lines around each match",
            },
            "path": { "type": "string", "description": "JSONPath (RFC 9535), like $.items[20:40]; the others then count within that part" },
        }),
        &["id"],
        true,
    )
}

impl Broker {
    /// Reads on.
    pub(super) async fn read_result(
        &self,
        arguments: &JsonObject,
        budget: usize,
        conversation: &Conversation,
    ) -> Answer {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let range =
            |name: &str| text(name).map(str::parse::<Span>).transpose().map_err(|error| format!("`{name}`: {error}"));
        let id = text("id").unwrap_or_default().trim();
        let wanted = Wanted {
            path: text("path").map(str::to_owned),
            lines: range("lines")?,
            bytes: range("bytes")?,
            pattern: text("pattern").map(str::to_owned),
            context: arguments
                .get("context")
                .and_then(Value::as_u64)
                .map_or(DEFAULT_CONTEXT, |lines| usize::try_from(lines).unwrap_or(usize::MAX)),
        };
        let kept = self.results.read(conversation.principal(), id).await.map_err(|error| {
            warn!(error = %error, "a kept result could not be read");
            format!("the kept results cannot be read: {error}; call the tool again, asking for less")
        })?;
        let Some(kept) = kept else { return Err(self.no_such_result(id, conversation)) };
        let whole = Whole { text: kept.text, structured: kept.structured };
        // Tens of megabytes may be searched here: not on a thread that serves others.
        let work = tokio::task::spawn_blocking(move || economy::read_on(&whole, &wanted, budget));
        let read = tokio::time::timeout(MAX_READING, work).await;
        let read = read.map_err(|_| "reading took too long; ask for a smaller part".to_owned())?;
        read.map_err(|_| "reading on failed; ask for another part".to_owned())?.map_err(|error| error.to_string())
    }

    fn no_such_result(&self, id: &str, conversation: &Conversation) -> String {
        let named: Vec<String> = conversation
            .steps()
            .into_iter()
            .rev()
            .filter_map(|(_, step)| match step {
                Step::Called { tool, kept: Some(kept), .. } => Some(format!("{kept} ({tool})")),
                _ => None,
            })
            .take(MAX_NAMED)
            .collect();
        let known = if named.is_empty() { "none in this conversation".to_owned() } else { named.join(", ") };
        let keep_for = span(self.library.settings().results.keep_for);
        format!(
            "no result `{id}` is kept; results that were cut are, for {keep_for}: {known}. Else call the tool again"
        )
    }
}
