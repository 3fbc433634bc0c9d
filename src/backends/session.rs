//! The seam between the broker and a backend: what differs between stdio, HTTP, SSE and a test is behind these traits.

use std::{fmt, sync::Arc, time::Duration};

use super::BackendError;
use crate::{
    catalog::{Era, JsonObject, RawListing},
    config::ServerSpec,
    ids::ToolName,
};
use async_trait::async_trait;

/// Opens sessions.
#[async_trait]
pub trait Connect: fmt::Debug + Send + Sync {
    /// Opens a conversation and finishes its handshake within `spec.start_timeout`.
    /// `remembered` is the era the backend spoke last time; a wrong memory costs a retry, never a failure.
    ///
    /// Dropping the future ends a half-open conversation and its child.
    async fn connect(&self, spec: &ServerSpec, remembered: Option<Era>) -> Result<Arc<dyn Session>, BackendError>;
}

/// One live conversation with one MCP server.
#[async_trait]
pub trait Session: fmt::Debug + Send + Sync {
    /// Era of this conversation.
    fn era(&self) -> Era;

    /// What the backend says of itself and every list it has, all pages, each list within `deadline`. A list it lacks is
    /// empty; a list it announces and then refuses is empty and noted. Only a failing `tools/list` fails the whole.
    async fn listing(&self, deadline: Duration) -> Result<RawListing, BackendError>;

    /// Calls a tool and gives the result object as it came over the wire.
    ///
    /// Dropping the future queues `notifications/cancelled` to the backend.
    async fn call(&self, request: CallRequest, caller: Arc<dyn Caller>) -> Result<JsonObject, BackendError>;

    /// Whether the conversation is over, so that the pool must open a new one.
    fn is_closed(&self) -> bool;

    /// The last lines of the child's standard error, oldest first; empty for HTTP.
    fn stderr_tail(&self) -> Vec<String>;

    /// Ends the conversation and reaps the child with all its descendants, if any. Idempotent; returns by `grace` at
    /// the latest.
    async fn close(&self, grace: Duration);
}

/// Whoever waits for a call: takes what the backend says while the call runs.
pub trait Caller: fmt::Debug + Send + Sync {
    /// `params` of a `notifications/progress`, its `progressToken` removed.
    fn progress(&self, params: JsonObject);

    /// `params` of a `notifications/message`.
    fn log(&self, params: JsonObject);

    /// Whether progress is worth asking the backend for.
    fn wants_progress(&self) -> bool;
}

/// One `tools/call`.
#[derive(Debug, Clone)]
pub struct CallRequest {
    /// The tool, by the backend's own name.
    pub tool: ToolName,
    /// Arguments, already checked against the catalog's schema.
    pub arguments: JsonObject,
    /// `_meta` to pass on: the caller's, without what belongs to one hop (progress token, protocol keys).
    pub meta: JsonObject,
    /// Longest silence before the call is given up; progress resets it.
    pub idle_timeout: Duration,
}
