//! Streams of events: how one is written, and how a stream says that it is alive.

use std::{convert::Infallible, fmt, pin::pin, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures::{Stream, StreamExt, stream};
use tokio::time;

use crate::jsonrpc::events;

/// A comment: whoever reads passes over it, and whatever is in between sees that the stream is in use.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// An event that says nothing of when to resume.
const NO_PAUSE: Option<u64> = None;

/// Where an event stands: the number of its stream in the session, and its own in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventId {
    pub(super) stream: u64,
    pub(super) event: u64,
}

impl EventId {
    /// As the client gives it back.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (stream, event) = text.split_once('-')?;
        Some(Self { stream: stream.parse().ok()?, event: event.parse().ok()? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.stream, self.event)
    }
}

/// A message as an event.
pub(super) fn event(id: Option<EventId>, json: &str) -> Bytes {
    events::event(id.map(|id| id.to_string()).as_deref(), NO_PAUSE, json).into()
}

/// An event without a message: from here on the client can resume, and so long it shall wait before it does.
pub(super) fn priming(id: EventId, retry: Duration) -> Bytes {
    let millis = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
    events::event(Some(&id.to_string()), Some(millis), "").into()
}

/// A response of these events, with a comment whenever there was none for so long.
pub(super) fn response(events: impl Stream<Item = Bytes> + Send + 'static, keep_alive: Duration) -> Response {
    let events = Box::pin(events);
    let body = stream::unfold(events, move |mut events| async move {
        let next = match time::timeout(keep_alive, pin!(events.next())).await {
            Ok(next) => next?,
            Err(_) => COMMENT,
        };
        Some((Ok::<_, Infallible>(next), events))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn events_are_written_as_the_standard_has_them() {
        let id = EventId { stream: 3, event: 7 };
        assert_eq!(event(Some(id), "{}"), "id: 3-7\ndata: {}\n\n");
        assert_eq!(event(None, "{}"), "data: {}\n\n");
        assert_eq!(priming(id, Duration::from_secs(3)), "id: 3-7\nretry: 3000\ndata:\n\n");
        assert_eq!(EventId::read("3-7"), Some(id));
        for wrong in ["", "3", "-", "3-", "a-b", "3-7-1", "-3-7", "99999999999999999999-1"] {
            assert_eq!(EventId::read(wrong), None, "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_says_that_it_is_alive() {
        let events = stream::once(async {
            time::sleep(Duration::from_secs(40)).await;
            event(None, "{}")
        });
        let body = response(events, Duration::from_secs(15)).into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, ":\n\n:\n\ndata: {}\n\n");
    }
}
