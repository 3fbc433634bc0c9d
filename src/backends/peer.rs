//! Our end of a JSON-RPC conversation with a backend: ids, answers, progress, cancellation.
//!
//! Works on raw JSON, so that nothing a backend sends is lost; why rmcp's client is not used is in
//! `docs/adr/0001-raw-client-peer.md`. Knows neither the transport nor what the methods mean.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot},
    time::{self, Instant},
};

use super::{
    Caller,
    inbox::{Inbox, Waiting},
    questions::{OpenCount, Questions},
    wire::{Wire, WireError},
};
use crate::catalog::JsonObject;

/// Why a request has no result.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The backend answered with an error object.
    Rpc(JsonObject),
    /// The conversation ended.
    Closed,
    /// Nothing came for this long; the request was cancelled.
    Timeout(Duration),
    /// The message could not be sent.
    Wire(WireError),
    /// The answer was against the protocol.
    Protocol(String),
    /// It is more than we do.
    Unsupported(&'static str),
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Peer {
    wire: Arc<dyn Wire>,
    inbox: Arc<Inbox>,
    next_id: AtomicU64,
}

/// Takes a request back if nobody waits for it any more.
struct Guard<'a> {
    peer: &'a Peer,
    id: u64,
    answered: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.answered || !self.peer.inbox.forget(self.id) || self.peer.wire.hangs_up() {
            return;
        }
        let params = json!({"requestId": self.id, "reason": "the caller no longer waits"});
        let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        let wire = Arc::clone(&self.peer.wire);
        // Outside a runtime the process is ending, and the backend with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { wire.send(message).await });
        }
    }
}

impl Peer {
    /// A conversation over a wire that delivers to `inbox`.
    pub(super) fn new(wire: Arc<dyn Wire>, inbox: Arc<Inbox>) -> Self {
        inbox.reply_over(&wire);
        Self { wire, inbox, next_id: AtomicU64::new(1) }
    }

    pub(super) fn wire(&self) -> &Arc<dyn Wire> {
        &self.wire
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// A number that no other request of this conversation has.
    pub(super) fn number(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request and waits for its answer, `patience` at most between signs of life.
    ///
    /// Dropping the future queues `notifications/cancelled`.
    pub(super) async fn request(
        &self,
        method: &str,
        params: JsonObject,
        patience: Duration,
        caller: Option<Arc<dyn Caller>>,
    ) -> Result<JsonObject, Failure> {
        self.request_as(self.number(), method, params, Some(patience), caller).await
    }

    /// As [`Self::request`], under a number that was taken before. Without `patience` it waits as long as the conversation lasts.
    pub(super) async fn request_as(
        &self,
        id: u64,
        method: &str,
        mut params: JsonObject,
        patience: Option<Duration>,
        caller: Option<Arc<dyn Caller>>,
    ) -> Result<JsonObject, Failure> {
        if caller.as_ref().is_some_and(|caller| caller.wants_progress()) {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                // The request's own id: unique as long as the request lives, and no map is needed.
                meta.insert("progressToken".into(), id.into());
            }
        }
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let (answer, answered) = oneshot::channel();
        let alive = Arc::new(Notify::new());
        let open = OpenCount::new(&alive);
        let waiting = Waiting { answer, caller, alive: Arc::clone(&alive), questions: Questions::new(open.clone()) };
        self.inbox.expect(id, waiting)?;
        let mut guard = Guard { peer: self, id, answered: false };
        let answer = async {
            self.wire.send(message).await.map_err(Failure::Wire)?;
            answered.await.unwrap_or(Err(Failure::Closed))
        };
        tokio::pin!(answer);
        let mut since = Instant::now();
        let outcome = loop {
            tokio::select! {
                // An answer that is there goes before a deadline that has passed.
                biased;
                outcome = &mut answer => break outcome,
                () = alive.notified() => since = Instant::now(),
                // A person may take longer than any server; the question has its own limit.
                after = silence(since, patience) => match open.any() {
                    false => return Err(Failure::Timeout(after)),
                    true => since = Instant::now(),
                },
            }
        };
        // A request that failed to go out is forgotten; there is nothing to cancel.
        guard.answered = true;
        if outcome.is_err() {
            self.inbox.forget(id);
        }
        outcome
    }

    /// Sends a notification.
    pub(super) async fn notify(&self, method: &str, params: Option<JsonObject>) -> Result<(), Failure> {
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if let Some(params) = params {
            message["params"] = Value::Object(params);
        }
        self.wire.send(message).await.map_err(Failure::Wire)
    }
}

/// Ends once `patience` has passed, if there is any end to it.
async fn silence(since: Instant, patience: Option<Duration>) -> Duration {
    let Some(patience) = patience else { return future::pending().await };
    time::sleep_until(since + patience).await;
    patience
}
