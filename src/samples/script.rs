//! The seam between a sample server and what it does: a call goes in, an answer comes out, state stays inside.

use std::time::Duration;

use serde_json::Value;

use super::args::Args;

/// The day on which everything in the sample project happens. A real clock would make every reply different.
pub(super) const TODAY: &str = "2026-03-16";

/// What one sample server does.
pub(super) trait Script: Send {
    /// Answers a call whose arguments fit the tool's schema.
    fn call(&mut self, tool: &str, args: Args<'_>) -> Answer;

    /// Ends the staged call `ticket`, of which `done` stages were reached; fewer than all when the client cancelled it.
    fn finish(&mut self, ticket: usize, done: usize) -> Answer {
        Err(Refusal(format!("nothing with number {ticket} is running ({done} stages done)")))
    }
}

/// A reply, or the text of an error result.
pub(super) type Answer = Result<Reply, Refusal>;

/// What a call came to.
#[derive(Debug)]
pub(super) enum Reply {
    /// Text as it is.
    Text(String),
    /// Structured content where the tool declares an output schema, else JSON as text.
    Json(Value),
    /// Work that takes time: the server reports each stage, then asks [`Script::finish`] for the reply.
    Staged(Staged),
}

/// A call that goes on after the script returned.
#[derive(Debug)]
pub(super) struct Staged {
    /// The script's own number for it.
    pub(super) ticket: usize,
    /// What is reported, stage by stage.
    pub(super) stages: Vec<String>,
    /// How long each stage takes.
    pub(super) pace: Duration,
}

/// Why a call did nothing, in words for the caller.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl Refusal {
    /// Something of this kind was named that does not exist, and this is how to learn what does.
    pub(super) fn missing(kind: &str, id: impl std::fmt::Display, remedy: &str) -> Self {
        Self(format!("There is no {kind} `{id}`. {remedy}"))
    }

    /// A tool that the definition lists and the script does not know. A test calls every tool, so nobody meets this.
    pub(super) fn unscripted(tool: &str) -> Self {
        Self(format!("`{tool}` is not scripted"))
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Refusal {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// A text reply.
pub(super) fn text(text: impl Into<String>) -> Answer {
    Ok(Reply::Text(text.into()))
}

/// A JSON reply.
pub(super) const fn json(value: Value) -> Answer {
    Ok(Reply::Json(value))
}

/// Whether `text` contains `part`, whatever the case.
pub(super) fn mentions(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
