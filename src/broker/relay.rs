//! The way back to the client while a call runs: progress and log messages, in order, before the result.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};

use rmcp::{
    RoleServer,
    model::{NumberOrString, ProgressNotificationParam, ProgressToken},
    service::{Peer, RequestContext},
};
use serde_json::Value;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time,
};

use super::era;
use crate::{backends::Caller, catalog::JsonObject};

/// Messages waiting for a slow client. Beyond it the newest are dropped: progress is worth nothing once it is late.
const WAITING: usize = 256;

/// Longest wait for one message to go out. rmcp stops reading its outgoing queue once the client has hung up, while it
/// still waits for the answers of running calls: without a limit such an answer would be lost.
const PATIENCE: Duration = Duration::from_millis(500);

/// The levels of the protocol, least severe first; a level's index is its rank.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Rank under which nothing is sent.
const NOTHING: u8 = u8::MAX;

/// What a connection asked to hear of, by `logging/setLevel`.
#[derive(Debug)]
pub(super) struct LogLevel(AtomicU8);

/// The sending half: given to the backend's session.
#[derive(Debug)]
pub(super) struct Relay {
    queue: Sender<Message>,
    progress_token: Option<ProgressToken>,
    /// Log messages of this rank and above are passed.
    least: u8,
}

/// The other half: sends on what was queued.
#[derive(Debug)]
pub(super) struct Forwarder {
    queue: Receiver<Message>,
    peer: Peer<RoleServer>,
}

#[derive(Debug)]
enum Message {
    Progress(JsonObject),
    Log(JsonObject),
}

impl Default for LogLevel {
    fn default() -> Self {
        Self(AtomicU8::new(0))
    }
}

impl LogLevel {
    /// Takes the level a legacy client set.
    pub(super) fn set(&self, level: &str) {
        self.0.store(rank(level).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Opens the way back for one request.
pub(super) fn open(context: &RequestContext<RoleServer>, level: &LogLevel) -> (Relay, Forwarder) {
    let (sender, receiver) = mpsc::channel(WAITING);
    // A modern client hears only what the request itself asked for; a legacy one what it set for the connection.
    let least = if era::is_modern(context) {
        era::requested_log_level(context).and_then(|level| rank(&level)).unwrap_or(NOTHING)
    } else {
        level.0.load(Ordering::Relaxed)
    };
    let relay = Relay { queue: sender, progress_token: context.meta.get_progress_token(), least };
    (relay, Forwarder { queue: receiver, peer: context.peer.clone() })
}

impl Caller for Relay {
    fn progress(&self, mut params: JsonObject) {
        let Some(token) = &self.progress_token else { return };
        params.insert("progressToken".into(), token_value(token));
        // A full queue means a client that reads slowly; the call must not wait for it.
        let _ = self.queue.try_send(Message::Progress(params));
    }

    fn log(&self, params: JsonObject) {
        let level = params.get("level").and_then(Value::as_str).and_then(rank).unwrap_or(0);
        if self.least != NOTHING && level >= self.least {
            let _ = self.queue.try_send(Message::Log(params));
        }
    }

    fn wants_progress(&self) -> bool {
        self.progress_token.is_some()
    }
}

impl Forwarder {
    /// Sends until the relay is dropped and everything queued is out.
    pub(super) async fn run(mut self) {
        while let Some(message) = self.queue.recv().await {
            if time::timeout(PATIENCE, self.send(message)).await.is_err() {
                // The client does not read: what else is queued would only hold up the result.
                return;
            }
        }
    }

    async fn send(&self, message: Message) {
        match message {
            // A client that is gone needs no progress; its requests are cancelled elsewhere.
            Message::Progress(params) => {
                if let Ok(params) = serde_json::from_value::<ProgressNotificationParam>(Value::Object(params)) {
                    let _ = self.peer.notify_progress(params).await;
                }
            }
            Message::Log(params) => era::send_log(&self.peer, params).await,
        }
    }
}

fn rank(level: &str) -> Option<u8> {
    LEVELS.iter().position(|known| *known == level).and_then(|at| u8::try_from(at).ok())
}

fn token_value(token: &ProgressToken) -> Value {
    match &token.0 {
        NumberOrString::Number(number) => Value::from(*number),
        NumberOrString::String(text) => Value::from(text.as_ref()),
    }
}
