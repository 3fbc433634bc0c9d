//! Which log messages a backend with a handshake sends: it is told by session, while clients say it for themselves. It is asked
//! for the least severe that any of them wants, and each hears of it what it wants.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tracing::debug;

use super::peer::Peer;
use crate::catalog::JsonObject;

/// The levels of the protocol, least severe first.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// Longest a call waits for the level to be set.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was asked for in one session.
#[derive(Debug, Default)]
pub(super) struct Levels(Mutex<Option<usize>>);

impl Levels {
    /// Asks for messages from this level on, unless they are sent already. A failure is noted and harms nobody.
    pub(super) async fn want(&self, peer: &Peer, level: &str) {
        let Some(rank) = LEVELS.iter().position(|known| *known == level) else { return };
        // Locked while it is set, so that a call that comes meanwhile does not run before its messages are sent.
        let mut set = self.0.lock().await;
        if set.is_some_and(|set| set <= rank) {
            return;
        }
        *set = Some(rank);
        let params = JsonObject::from_iter([("level".to_owned(), Value::from(level))]);
        if let Err(failure) = peer.request("logging/setLevel", params, PATIENCE, None).await {
            debug!(?failure, level, "the level of log messages was not set");
        }
    }
}
