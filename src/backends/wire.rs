//! What carries messages between us and one backend: standard streams, Streamable HTTP, or HTTP+SSE.
//!
//! A wire moves JSON values and understands none of them. What arrives goes to an [`Inbox`], in order, as it was sent.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

use super::{inbox::Inbox, mirror::Mirror};

/// Largest message in either direction, in bytes. Real servers send lists of 2 MB in one line.
pub(super) const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024;

/// Why a message could not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WireError {
    /// The conversation is over.
    Closed,
    /// The endpoint wants credentials.
    Unauthorized(u16),
    /// The endpoint does not speak this transport.
    WrongTransport(u16),
    /// It was reached, and answered with what is no answer; in a few words.
    NoAnswer(String),
    /// Anything else, in a few words without secrets.
    Failed(String),
}

/// One way to a backend.
#[async_trait]
pub(super) trait Wire: fmt::Debug + Send + Sync {
    /// Sends one message. A message that was begun is sent whole, also if the future is dropped.
    async fn send(&self, message: Value) -> Result<(), WireError>;

    /// The version that further messages must name.
    fn agreed(&self, _version: &str) {}

    /// Makes sure that what the backend says outside of requests is heard; returns once the backend knows, or after a second.
    async fn listen(&self, _inbox: &Arc<Inbox>) {}

    /// Whether a request is taken back by dropping the future that sends it, without a word.
    fn hangs_up(&self) -> bool {
        false
    }

    /// Which arguments the backend wants repeated outside of the message, if this wire has such a place.
    fn mirror(&self) -> Option<&Mirror> {
        None
    }

    /// Ends the conversation; returns by `grace` at the latest. Idempotent.
    async fn close(&self, grace: Duration);

    /// The last lines of the child's standard error, oldest first.
    fn stderr_tail(&self) -> Vec<String> {
        Vec::new()
    }
}
