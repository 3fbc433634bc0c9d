//! Resources to which a backend with a handshake is subscribed: once each, however many watch it, as long as anybody does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{runtime::Handle, sync::Mutex as Gate};
use tracing::debug;

use super::peer::{Failure, Peer};
use crate::catalog::JsonObject;

/// Longest wait for the answer to one subscription.
const PATIENCE: Duration = Duration::from_secs(10);

/// The subscriptions of one session.
#[derive(Debug)]
pub(super) struct Subscriptions {
    peer: Arc<Peer>,
    all: Mutex<HashMap<String, Subscription>>,
}

#[derive(Debug, Default)]
struct Subscription {
    watched_by: usize,
    /// Whether the backend knows. Locked while it is told, so that words for one resource never overtake each other.
    known: Arc<Gate<bool>>,
}

/// The right to hear of one resource. Dropping the last one of a resource ends the subscription.
#[derive(Debug)]
pub(super) struct Hold {
    subscriptions: Arc<Subscriptions>,
    uri: String,
}

impl Subscriptions {
    /// None yet.
    pub(super) fn new(peer: Arc<Peer>) -> Arc<Self> {
        Arc::new(Self { peer, all: Mutex::default() })
    }

    /// Subscribes, if nobody has yet. An error of the backend is given on, and the next one asks anew.
    pub(super) async fn hold(self: &Arc<Self>, uri: String) -> Result<Hold, Failure> {
        let known = {
            let mut all = self.all();
            let subscription = all.entry(uri.clone()).or_default();
            subscription.watched_by += 1;
            Arc::clone(&subscription.known)
        };
        let hold = Hold { subscriptions: Arc::clone(self), uri };
        let mut known = known.lock().await;
        if !*known {
            self.peer.request("resources/subscribe", about(&hold.uri), PATIENCE, None).await?;
            *known = true;
        }
        Ok(hold)
    }

    /// Unsubscribes, unless somebody watches again by now.
    async fn let_go(&self, uri: String, known: Arc<Gate<bool>>) {
        let mut known = known.lock().await;
        if self.is_watched(&uri) {
            return;
        }
        if *known {
            *known = false;
            if let Err(failure) = self.peer.request("resources/unsubscribe", about(&uri), PATIENCE, None).await {
                debug!(?failure, "a subscription was not ended properly");
            }
        }
        let mut all = self.all();
        if all.get(&uri).is_some_and(|subscription| subscription.watched_by == 0) {
            all.remove(&uri);
        }
    }

    fn is_watched(&self, uri: &str) -> bool {
        self.all().get(uri).is_some_and(|subscription| subscription.watched_by > 0)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Subscription>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let last = {
            let mut all = self.subscriptions.all();
            let Some(subscription) = all.get_mut(&self.uri) else { return };
            subscription.watched_by = subscription.watched_by.saturating_sub(1);
            (subscription.watched_by == 0).then(|| Arc::clone(&subscription.known))
        };
        // Outside a runtime the process is ending, and the backend with it.
        if let (Some(known), Ok(runtime)) = (last, Handle::try_current()) {
            let (subscriptions, uri) = (Arc::clone(&self.subscriptions), std::mem::take(&mut self.uri));
            runtime.spawn(async move { subscriptions.let_go(uri, known).await });
        }
    }
}

fn about(uri: &str) -> JsonObject {
    JsonObject::from_iter([("uri".to_owned(), Value::from(uri))])
}
