//! A wire to a backend that does as it is told: the twin of the real ones, for tests.
#![expect(clippy::needless_pass_by_value, reason = "a value written in place reads better")]

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    Caller, Greeting, Session,
    inbox::Inbox,
    live,
    mirror::Mirror,
    peer::{Failure, Peer},
    wire::{Wire, WireError},
};
use crate::catalog::{Era, JsonObject};

/// What the backend says to one message.
type Script = Box<dyn Fn(&Value) -> Vec<Value> + Send + Sync>;

/// The wire, and what was sent over it.
pub(super) struct Scripted {
    inbox: Arc<Inbox>,
    script: Script,
    sent: Mutex<Vec<Value>>,
    news: Notify,
    /// As over HTTP in the modern era: a request is open until it is answered, and headers go with it.
    pub(super) modern_http: bool,
    mirror: Mirror,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").finish_non_exhaustive()
    }
}

impl Scripted {
    /// A wire whose backend answers by the script.
    pub(super) fn new(script: impl Fn(&Value) -> Vec<Value> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            inbox: Arc::default(),
            script: Box::new(script),
            sent: Mutex::default(),
            news: Notify::new(),
            modern_http: false,
            mirror: Mirror::default(),
        })
    }

    /// The same, with headers: what a message has of them stands in its `headers`.
    pub(super) fn over_http(script: impl Fn(&Value) -> Vec<Value> + Send + Sync + 'static) -> Arc<Self> {
        let mut wire = Self::new(script);
        // Nobody else has it yet.
        if let Some(wire) = Arc::get_mut(&mut wire) {
            wire.modern_http = true;
        }
        wire
    }

    /// Our end of it.
    pub(super) fn peer(self: &Arc<Self>) -> Peer {
        Peer::new(Arc::<Self>::clone(self), Arc::clone(&self.inbox))
    }

    /// A session over it, whose backend said that it can do this.
    pub(super) fn session(self: &Arc<Self>, era: Era, capabilities: Value) -> Arc<dyn Session> {
        let capabilities = capabilities.as_object().cloned().unwrap_or_default();
        let greeting = Greeting { capabilities, ..Greeting::silent(era) };
        live::open(&"far".parse().unwrap(), self.peer(), greeting)
    }

    /// The backend says something unasked.
    pub(super) fn say(&self, message: Value) {
        self.inbox.deliver(message);
    }

    /// The conversation ends.
    pub(super) fn hang_up(&self) {
        self.inbox.end(&Failure::Closed);
    }

    /// What was sent so far, as `method` and what it is about.
    pub(super) fn sent(&self) -> Vec<Value> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The messages sent so far that name this method.
    pub(super) fn sent_of(&self, method: &str) -> Vec<Value> {
        self.sent().into_iter().filter(|message| message["method"] == method).collect()
    }

    /// Waits until so many messages that name this method were sent, and gives them.
    pub(super) async fn wait_for(&self, method: &str, count: usize) -> Vec<Value> {
        loop {
            let news = self.news.notified();
            let found = self.sent_of(method);
            if found.len() >= count {
                return found;
            }
            news.await;
        }
    }
}

#[async_trait]
impl Wire for Scripted {
    async fn send(&self, mut message: Value) -> Result<(), WireError> {
        if self.modern_http {
            for (name, value) in self.mirror.headers(&message) {
                message["headers"][name.as_str()] = value.to_str().unwrap().into();
            }
        }
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        self.news.notify_one();
        for said in (self.script)(&message) {
            self.inbox.deliver(said);
        }
        Ok(())
    }

    fn hangs_up(&self) -> bool {
        self.modern_http
    }

    fn mirror(&self) -> Option<&Mirror> {
        self.modern_http.then_some(&self.mirror)
    }

    async fn close(&self, _grace: Duration) {
        self.hang_up();
    }
}

/// The answer to a request; none to a notification.
pub(super) fn result(request: &Value, result: Value) -> Vec<Value> {
    let answer = |id: &Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    request.get("id").map(answer).into_iter().collect()
}

/// The error that answers a request.
pub(super) fn error(request: &Value, code: i64) -> Vec<Value> {
    vec![json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": "no"}})]
}

/// A notification.
pub(super) fn told(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

/// Lets everything run that can.
pub(super) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A caller that keeps what it hears, and may want log messages of a level.
#[derive(Debug, Default)]
pub(super) struct Ear {
    pub(super) level: Option<&'static str>,
    pub(super) heard: Mutex<Vec<(String, JsonObject)>>,
}

impl Ear {
    fn keep(&self, what: &str, params: JsonObject) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push((what.to_owned(), params));
    }

    /// What it heard of, in order.
    pub(super) fn subjects(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(what, _)| what.clone()).collect()
    }
}

#[async_trait]
impl Caller for Ear {
    fn progress(&self, params: JsonObject) {
        self.keep("progress", params);
    }

    fn log(&self, params: JsonObject) {
        self.keep("log", params);
    }

    fn told(&self, method: &str, params: JsonObject) {
        self.keep(method, params);
    }

    fn wants_progress(&self) -> bool {
        true
    }

    fn log_level(&self) -> Option<String> {
        self.level.map(str::to_owned)
    }
}
