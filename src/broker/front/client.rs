//! One client: what it said of itself, which of its requests are open, and what it was asked.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

use crate::{
    backends::Bystander,
    broker::{Conversation, relay::LogLevel, subscriptions::Subscriptions},
    catalog::JsonObject,
    jsonrpc::{self, Id, RpcError},
};

/// Log lines between requests that may wait for a slow client; the newest beyond are dropped.
const MAX_LINES: usize = 64;

/// A way to a client.
#[async_trait]
pub trait Outlet: fmt::Debug + Send + Sync {
    /// Sends a message, after those before it. Waits while the client reads slowly; `false` where it is gone.
    async fn send(&self, message: Value) -> bool;
}

/// What a client with a handshake said in it.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Handshake {
    /// The version that was agreed.
    pub(in crate::broker) version: &'static str,
    /// `capabilities` as sent.
    pub(in crate::broker) capabilities: JsonObject,
    /// `clientInfo` as sent.
    pub(in crate::broker) info: JsonObject,
}

/// A client of either era, for as long as its connection or its session lasts.
pub struct Client {
    conversation: Arc<Conversation>,
    handshake: OnceLock<Handshake>,
    level: LogLevel,
    running: Arc<Mutex<HashMap<Id, CancellationToken>>>,
    asked: Mutex<HashMap<u64, oneshot::Sender<Result<JsonObject, RpcError>>>>,
    next_question: AtomicU64,
    subscriptions: Subscriptions,
    /// Log lines on their way to it outside of any request.
    lines: OnceLock<mpsc::Sender<Value>>,
    /// The way to it outside of any request.
    unasked: Arc<dyn Outlet>,
    /// Nothing more will come from it; it may still read.
    deaf: CancellationToken,
    /// It is gone.
    over: CancellationToken,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("conversation", &self.conversation.number()).finish_non_exhaustive()
    }
}

/// A request of a client, for as long as it is worked on.
#[derive(Debug)]
pub(super) struct Running {
    id: Id,
    all: Arc<Mutex<HashMap<Id, CancellationToken>>>,
    token: CancellationToken,
}

impl Running {
    pub(super) const fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Waits until the client cancels it.
    pub(super) async fn cancelled(&self) {
        self.token.cancelled().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Bystander for Client {
    fn log(&self, params: JsonObject) {
        let (true, Ok(runtime)) = (self.level.passes(&params), Handle::try_current()) else { return };
        let lines = self.lines.get_or_init(|| {
            let (lines, mut waiting) = mpsc::channel(MAX_LINES);
            let out = Arc::clone(&self.unasked);
            // Ends with the client, which holds the other half.
            runtime.spawn(async move {
                while let Some(line) = waiting.recv().await {
                    out.send(line).await;
                }
            });
            lines
        });
        let _ = lines.try_send(jsonrpc::notification("notifications/message", params));
    }
}

/// Takes a question back that nobody waits for any more.
struct Question<'c> {
    client: &'c Client,
    out: &'c Arc<dyn Outlet>,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if self.client.asked().remove(&self.id).is_none() {
            return;
        }
        let params = json!({"requestId": self.id, "reason": "the question was taken back"});
        let message = jsonrpc::notification("notifications/cancelled", params.as_object().cloned().unwrap_or_default());
        let out = Arc::clone(self.out);
        // Outside a runtime the process is ending, and the conversation with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { out.send(message).await });
        }
    }
}

impl Client {
    /// A client that has said nothing yet. `unasked` leads to it outside of its requests.
    #[must_use]
    pub fn new(conversation: Arc<Conversation>, unasked: Arc<dyn Outlet>) -> Self {
        let over = CancellationToken::new();
        Self {
            conversation,
            handshake: OnceLock::new(),
            level: LogLevel::default(),
            running: Arc::default(),
            asked: Mutex::default(),
            next_question: AtomicU64::new(1),
            subscriptions: Subscriptions::default(),
            lines: OnceLock::new(),
            unasked,
            deaf: over.child_token(),
            over,
        }
    }

    /// Whose conversation it is.
    #[must_use]
    pub const fn conversation(&self) -> &Arc<Conversation> {
        &self.conversation
    }

    /// The way to it outside of its requests.
    #[must_use]
    pub const fn unasked(&self) -> &Arc<dyn Outlet> {
        &self.unasked
    }

    /// The protocol version of its handshake, if it had one.
    #[must_use]
    pub fn version(&self) -> Option<&'static str> {
        self.handshake.get().map(|said| said.version)
    }

    pub(in crate::broker) fn handshake(&self) -> Option<&Handshake> {
        self.handshake.get()
    }

    /// Keeps what it said in its handshake. The first one counts.
    pub(in crate::broker) fn shook_hands(&self, said: Handshake) -> bool {
        self.handshake.set(said).is_ok()
    }

    pub(in crate::broker) const fn level(&self) -> &LogLevel {
        &self.level
    }

    pub(in crate::broker) const fn subscriptions(&self) -> &Subscriptions {
        &self.subscriptions
    }

    /// Nothing more comes from it: what it was asked stays unanswered, and what it listens to ends. Its other requests go on.
    pub fn hung_up(&self) {
        self.deaf.cancel();
        self.subscriptions.end();
    }

    /// Ends everything that is done for it.
    pub fn end(&self) {
        self.over.cancel();
        self.subscriptions.end();
    }

    /// Waits until nothing more comes from it.
    pub async fn silent(&self) {
        self.deaf.cancelled().await;
    }

    /// Whether any request of it is being worked on.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        !self.running().is_empty()
    }

    /// Notes that a request is worked on; `None` where one with this id is already, or where too many are.
    pub(super) fn begin(&self, id: &Id, most: usize) -> Option<Running> {
        let mut running = self.running();
        if running.len() >= most || running.contains_key(id) {
            return None;
        }
        let token = self.over.child_token();
        running.insert(id.clone(), token.clone());
        Some(Running { id: id.clone(), all: Arc::clone(&self.running), token })
    }

    /// Cancels a request, if it is still worked on.
    pub(super) fn cancel(&self, id: &Id) {
        if let Some(token) = self.running().get(id) {
            token.cancel();
        }
    }

    /// Asks it and waits for its answer.
    ///
    /// Dropping the future takes the question back.
    pub(super) async fn ask(
        &self,
        out: &Arc<dyn Outlet>,
        method: &str,
        params: JsonObject,
    ) -> Option<Result<JsonObject, RpcError>> {
        let id = self.next_question.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.asked().insert(id, answer);
        let _question = Question { client: self, out, id };
        if !out.send(jsonrpc::request(&Id::from(id), method, params)).await {
            return None;
        }
        tokio::select! {
            answer = answered => answer.ok(),
            () = self.deaf.cancelled() => None,
        }
    }

    /// Takes its answer to a question of ours. An answer that nobody waits for is passed over: it was late.
    pub(super) fn answered(&self, id: &Id, outcome: Result<JsonObject, RpcError>) {
        let waiting = id.as_number().and_then(|number| self.asked().remove(&number));
        if let Some(waiting) = waiting {
            // Whoever asked may have gone meanwhile.
            let _ = waiting.send(outcome);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Id, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Result<JsonObject, RpcError>>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
