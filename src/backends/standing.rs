//! The stream on which a backend with a session says what belongs to no request. It is asked for again when it breaks, a bounded
//! number of times in a row.

use std::{
    sync::Weak,
    time::{Duration, Instant},
};

use futures::StreamExt;
use http::{HeaderValue, StatusCode};
use tokio::{sync::oneshot, time};

use super::{
    endpoint,
    http::{Address, MAX_RETRIES, RETRY, pause},
    inbox::Inbox,
};

/// A stream that lasted as long was no failure, even if nothing was said: proxies end quiet ones.
const LASTING: Duration = Duration::from_secs(20);

/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why nothing is heard any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// The backend has no such stream.
    Never,
    /// It had one, and it cannot be opened any more.
    NoMore,
    /// It had one, and does not know the session any more.
    SessionGone,
}

/// Gives what the backend says to the inbox, as long as there is one. `opened` is dropped once the backend has answered for the
/// first time.
pub(super) async fn listen(to: &Address, inbox: &Weak<Inbox>, opened: oneshot::Sender<()>) -> Heard {
    let mut first = Some(opened);
    let mut last_event: Option<HeaderValue> = None;
    let (mut worked, mut failures, mut wait) = (false, 0, RETRY);
    loop {
        let answered = to.stream(last_event.clone()).await;
        first.take();
        match answered {
            Ok(response) if response.status().is_success() => {
                worked = true;
                let (since, mut heard) = (Instant::now(), false);
                let mut events = endpoint::events(response);
                while let Some(Ok(event)) = events.next().await {
                    heard = true;
                    let messages = endpoint::messages(&event);
                    last_event = event.id.and_then(|id| HeaderValue::try_from(id).ok()).or(last_event);
                    wait = event.retry.map_or(wait, pause);
                    let Some(inbox) = inbox.upgrade() else { return Heard::NoMore };
                    messages.into_iter().for_each(|message| inbox.deliver(message));
                }
                failures = if heard || since.elapsed() >= LASTING { 0 } else { failures + 1 };
            }
            // 405 and the like: the backend has no such stream.
            Ok(response) if response.status().is_client_error() && !worked => return Heard::Never,
            Ok(response) if response.status() == StatusCode::NOT_FOUND => return Heard::SessionGone,
            Ok(_) | Err(_) => failures += 1,
        }
        if failures > MAX_RETRIES {
            return if worked { Heard::NoMore } else { Heard::Never };
        }
        time::sleep(wait.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_PAUSE)).await;
    }
}
