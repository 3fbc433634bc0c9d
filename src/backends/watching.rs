//! How a watch is begun in each era: a modern backend is asked to go on telling, one with a handshake tells unasked and is
//! subscribed to single resources.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::time;
use tokio_util::task::AbortOnDropHandle;

use super::{
    ClientCapabilities, Notices, Wanted, Watch, era,
    peer::{Failure, Peer},
    subscriptions::Subscriptions,
};
use crate::catalog::{Era, JsonObject};

/// Longest wait for a modern backend to say what it agrees to.
const AGREEMENT: Duration = Duration::from_secs(10);

/// Subscriptions asked for at once.
const AT_ONCE: usize = 8;

/// Ends one watch when it is dropped.
struct Seat {
    peer: Arc<Peer>,
    id: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.peer.inbox().watches().leave(self.id);
    }
}

/// Asks a modern backend to go on telling, by one request that stays open.
pub(super) async fn modern(peer: &Arc<Peer>, wanted: Wanted, notices: Arc<dyn Notices>) -> Result<Watch, Failure> {
    let id = peer.number();
    let mut params = JsonObject::from_iter([("notifications".to_owned(), Value::Object(wanted.to_filter()))]);
    era::dress(&mut params, Era::Modern, &ClientCapabilities::none(), None);
    let agreed = peer.inbox().watches().ask(id, wanted, notices)?;
    let seat = Seat { peer: Arc::clone(peer), id };
    let asking = Arc::clone(peer);
    let listening = AbortOnDropHandle::new(tokio::spawn(async move {
        let outcome = asking.request_as(id, "subscriptions/listen", params, None, None).await;
        asking.inbox().watches().end(id);
        outcome
    }));
    match time::timeout(AGREEMENT, agreed).await {
        Ok(Ok(agreed)) if peer.inbox().watches().begin(id) => Ok(Watch::new(agreed, (seat, listening))),
        // It was answered, which is its end.
        Ok(_) => match listening.await {
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(_)) => Err(Failure::Protocol("it ended a subscription before it agreed to it".into())),
            Err(_) => Err(Failure::Closed),
        },
        Err(_) => Err(Failure::Timeout(AGREEMENT)),
    }
}

/// Listens to what a backend with a handshake says unasked, and subscribes to the resources.
pub(super) async fn legacy(
    peer: &Arc<Peer>,
    subscriptions: &Arc<Subscriptions>,
    capabilities: &JsonObject,
    wanted: &Wanted,
    notices: Arc<dyn Notices>,
) -> Result<Watch, Failure> {
    let agreed = announced(capabilities, wanted);
    let id = peer.number();
    peer.inbox().watches().hear(id, agreed.clone(), notices)?;
    let seat = Seat { peer: Arc::clone(peer), id };
    peer.wire().listen(peer.inbox()).await;
    let holds = stream::iter(agreed.uris.clone()).map(|uri| subscriptions.hold(uri));
    let holds: Vec<_> = holds.buffer_unordered(AT_ONCE).try_collect().await?;
    if peer.inbox().watches().begin(id) { Ok(Watch::new(agreed, (seat, holds))) } else { Err(Failure::Closed) }
}

/// What of it the backend says that it tells.
fn announced(capabilities: &JsonObject, wanted: &Wanted) -> Wanted {
    let can = |what: &str, flag: &str| {
        capabilities.get(what).and_then(|what| what.get(flag)).and_then(Value::as_bool).unwrap_or(false)
    };
    let mut agreed = Wanted {
        tools: wanted.tools && can("tools", "listChanged"),
        prompts: wanted.prompts && can("prompts", "listChanged"),
        resources: wanted.resources && can("resources", "listChanged"),
        uris: Vec::new(),
    };
    if can("resources", "subscribe") {
        agreed.uris = wanted.uris.clone();
    }
    agreed
}
