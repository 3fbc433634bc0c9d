//! The way back to the client while a call runs: progress and log messages, in order, before the result, and what the backend
//! asks of the client.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;
use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender},
        oneshot,
    },
    time,
};

use super::{
    era,
    front::{Client, Exchange},
};
use crate::{
    backends::{Bystander, Caller, ClientCapabilities, not_supported},
    catalog::JsonObject,
};

/// Messages waiting for a slow client. Beyond it the newest are dropped: progress is worth nothing once it is late.
const WAITING: usize = 256;

/// Questions waiting to be put into one result.
const QUESTIONS: usize = 16;

/// Longest wait for one message to go out: a client that does not read must not hold up the answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// The levels of the protocol, least severe first; a level's index is its rank.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Rank under which nothing is sent.
const NOTHING: u8 = u8::MAX;

/// Rank of a client that never said: what a server sends of itself is passed, and none is asked to send more.
const UNASKED: u8 = u8::MAX - 1;

/// What a connection asked to hear of, by `logging/setLevel`.
#[derive(Debug)]
pub(super) struct LogLevel(AtomicU8);

/// The sending half: given to the backend's session.
#[derive(Debug)]
pub(super) struct Relay {
    /// Where messages go. A call that was parked goes on under another request.
    out: Mutex<Out>,
    asking: Asking,
    capabilities: ClientCapabilities,
    client: u64,
    bystander: Option<Weak<dyn Bystander>>,
}

#[derive(Debug, Clone)]
struct Out {
    queue: Sender<Message>,
    progress_token: Option<Value>,
    /// Log messages of this rank and above are passed.
    least: u8,
}

/// How the client is asked.
#[derive(Debug)]
enum Asking {
    /// By a request of ours while its own is open.
    Inline(Box<Exchange>),
    /// By a result that wants input; the client's retry brings the answer.
    ByResult(Sender<Question>),
}

/// A request of a backend that waits for the client's answer.
#[derive(Debug)]
pub(super) struct Question {
    /// `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub(super) method: String,
    /// Its `params`.
    pub(super) params: JsonObject,
    /// Takes the client's result, or its error object.
    pub(super) answer: oneshot::Sender<Result<JsonObject, JsonObject>>,
}

/// The other half: sends on what was queued.
#[derive(Debug)]
pub(super) struct Forwarder {
    queue: Receiver<Message>,
    exchange: Exchange,
}

#[derive(Debug)]
enum Message {
    Progress(JsonObject),
    Log(JsonObject),
    /// Any other notification, by its method.
    Other(String, JsonObject),
}

impl Default for LogLevel {
    fn default() -> Self {
        Self(AtomicU8::new(UNASKED))
    }
}

impl LogLevel {
    /// Takes the level a legacy client set; `false` where there is no such level.
    pub(super) fn set(&self, level: &str) -> bool {
        let rank = rank(level);
        self.0.store(rank.unwrap_or(0), Ordering::Relaxed);
        rank.is_some()
    }

    /// Whether a message is to be passed.
    pub(super) fn passes(&self, params: &JsonObject) -> bool {
        let level = params.get("level").and_then(Value::as_str).and_then(rank).unwrap_or(0);
        match self.0.load(Ordering::Relaxed) {
            UNASKED => true,
            least => level >= least,
        }
    }
}

/// The way back for one request, and for a client that is asked by results the questions that come up.
pub(super) fn open(exchange: &Exchange, client: u64) -> (Relay, Forwarder, Option<Receiver<Question>>) {
    let (out, forwarder) = way_out(exchange);
    let (asking, questions) = if era::is_modern(exchange) {
        let (sender, receiver) = mpsc::channel(QUESTIONS);
        (Asking::ByResult(sender), Some(receiver))
    } else {
        (Asking::Inline(Box::new(exchange.clone())), None)
    };
    let capabilities = era::client_capabilities(exchange);
    // A client without handshake hears of nothing outside of its requests.
    let bystander = (!era::is_modern(exchange)).then(|| {
        let client: Weak<dyn Bystander> = Arc::<Client>::downgrade(&exchange.client);
        client
    });
    let relay = Relay { out: Mutex::new(out), asking, capabilities, client, bystander };
    (relay, forwarder, questions)
}

fn way_out(exchange: &Exchange) -> (Out, Forwarder) {
    let (sender, receiver) = mpsc::channel(WAITING);
    // A modern client hears only what the request itself asked for; a legacy one what it set for the connection.
    let least = if era::is_modern(exchange) {
        era::requested_log_level(exchange).and_then(|level| rank(&level)).unwrap_or(NOTHING)
    } else {
        exchange.client.level().0.load(Ordering::Relaxed)
    };
    let out = Out { queue: sender, progress_token: exchange.meta.get("progressToken").cloned(), least };
    (out, Forwarder { queue: receiver, exchange: exchange.clone() })
}

impl Relay {
    /// Goes on under another request of the same client.
    pub(super) fn move_to(&self, exchange: &Exchange) -> Forwarder {
        let (out, forwarder) = way_out(exchange);
        *self.out() = out;
        forwarder
    }

    /// Sends nothing until it is moved: no request of the client is open.
    pub(super) fn pause(&self) {
        let mut out = self.out();
        // The receiver is gone at once, so what is queued goes nowhere.
        (out.queue, _) = mpsc::channel(1);
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Caller for Relay {
    fn progress(&self, mut params: JsonObject) {
        let out = self.out();
        let Some(token) = &out.progress_token else { return };
        params.insert("progressToken".into(), token.clone());
        // A full queue means a client that reads slowly; the call must not wait for it.
        let _ = out.queue.try_send(Message::Progress(params));
    }

    fn log(&self, params: JsonObject) {
        let level = params.get("level").and_then(Value::as_str).and_then(rank).unwrap_or(0);
        let out = self.out();
        if out.least == UNASKED || (out.least != NOTHING && level >= out.least) {
            let _ = out.queue.try_send(Message::Log(params));
        }
    }

    fn told(&self, method: &str, params: JsonObject) {
        let _ = self.out().queue.try_send(Message::Other(method.to_owned(), params));
    }

    fn wants_progress(&self) -> bool {
        self.out().progress_token.is_some()
    }

    fn log_level(&self) -> Option<String> {
        let least = self.out().least;
        LEVELS.get(usize::from(least)).map(|level| (*level).to_owned())
    }

    fn capabilities(&self) -> ClientCapabilities {
        self.capabilities.clone()
    }

    fn client(&self) -> u64 {
        self.client
    }

    fn bystander(&self) -> Option<Weak<dyn Bystander>> {
        self.bystander.clone()
    }

    fn works_off_input(&self) -> bool {
        // A result that wants input is what a modern client understands anyway.
        matches!(self.asking, Asking::Inline(_))
    }

    async fn ask(&self, method: &str, params: JsonObject) -> Result<JsonObject, JsonObject> {
        if !self.capabilities.allow(method) {
            return Err(not_supported(method));
        }
        match &self.asking {
            Asking::Inline(exchange) => era::ask(exchange, method, params).await,
            Asking::ByResult(questions) => {
                let (answer, answered) = oneshot::channel();
                let question = Question { method: method.to_owned(), params, answer };
                questions.send(question).await.map_err(|_| era::unanswered())?;
                answered.await.unwrap_or_else(|_| Err(era::unanswered()))
            }
        }
    }
}

impl Forwarder {
    /// Sends until the relay is dropped, paused or moved on, and everything queued is out.
    pub(super) async fn run(mut self) {
        while let Some(message) = self.queue.recv().await {
            if time::timeout(PATIENCE, self.send(message)).await.is_err() {
                // The client does not read: what else is queued would only hold up the result.
                return;
            }
        }
    }

    /// A client that is gone hears nothing; that is no failure of the call.
    async fn send(&self, message: Message) {
        match message {
            Message::Progress(params) => self.exchange.tell("notifications/progress", params).await,
            Message::Log(params) => self.exchange.tell("notifications/message", params).await,
            Message::Other(method, params) => self.exchange.tell(&method, params).await,
        };
    }
}

fn rank(level: &str) -> Option<u8> {
    LEVELS.iter().position(|known| *known == level).and_then(|at| u8::try_from(at).ok())
}
