//! HTTP+SSE of 2024-11-05: one long event stream from the backend, and an address on the same origin to post to.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{Stream, StreamExt};
use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde_json::Value;
use tokio::task::JoinHandle;
use url::Url;

use super::{
    endpoint::{self, Client},
    inbox::Inbox,
    peer::Failure,
    wire::{Wire, WireError},
};
use crate::{config::HttpLaunch, jsonrpc::events::Event};

#[derive(Debug)]
struct SseWire {
    client: reqwest::Client,
    post_to: Url,
    headers: HeaderMap,
    inbox: Arc<Inbox>,
    reader: Mutex<Option<JoinHandle<()>>>,
}

/// Opens the stream and waits for the address to post to. The caller sets the deadline.
pub(super) async fn open(client: &Client, launch: &HttpLaunch, inbox: &Arc<Inbox>) -> Result<Arc<dyn Wire>, WireError> {
    let client = client.get()?.clone();
    let headers = endpoint::headers(launch);
    let request = client.get(launch.url.clone()).headers(headers.clone()).header(ACCEPT, "text/event-stream");
    let response = request.send().await.map_err(endpoint::failed)?;
    if !response.status().is_success() {
        return Err(endpoint::refused(response.status()));
    }
    let mut events = endpoint::events(response);
    let post_to = loop {
        let Some(event) = events.next().await else {
            return Err(WireError::Failed("the stream ended before it named its address".into()));
        };
        let event = event?;
        if event.event.as_deref() == Some("endpoint") {
            break address(&launch.url, event.data.as_deref().unwrap_or_default())?;
        }
    };
    let reader = tokio::spawn(read(events, Arc::clone(inbox)));
    Ok(Arc::new(SseWire { client, post_to, headers, inbox: Arc::clone(inbox), reader: Mutex::new(Some(reader)) }))
}

/// The address to post to. On another origin the headers, with their credentials, must not go.
fn address(stream: &Url, named: &str) -> Result<Url, WireError> {
    let joined =
        stream.join(named.trim()).map_err(|error| WireError::Failed(format!("a malformed address ({error})")))?;
    if joined.origin() == stream.origin() {
        Ok(joined)
    } else {
        Err(WireError::Failed("the stream names an address on another origin".into()))
    }
}

async fn read(mut events: impl Stream<Item = Result<Event, WireError>> + Unpin, inbox: Arc<Inbox>) {
    while let Some(Ok(event)) = events.next().await {
        endpoint::messages(&event).into_iter().for_each(|message| inbox.deliver(message));
    }
    inbox.end(&Failure::Closed);
}

#[async_trait]
impl Wire for SseWire {
    async fn send(&self, message: Value) -> Result<(), WireError> {
        let request = self.client.post(self.post_to.clone()).headers(self.headers.clone());
        let request = request.header(CONTENT_TYPE, "application/json").body(message.to_string());
        let response = request.send().await.map_err(endpoint::failed)?;
        if response.status().is_success() { Ok(()) } else { Err(endpoint::refused(response.status())) }
    }

    async fn close(&self, _grace: Duration) {
        if let Some(reader) = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take() {
            reader.abort();
        }
        self.inbox.end(&Failure::Closed);
    }
}

impl Drop for SseWire {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            reader.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_posted_to_the_same_origin_only() {
        let stream: Url = "http://127.0.0.1:8080/sse".parse().unwrap();
        assert_eq!(
            address(&stream, "/message?sessionId=1").unwrap().as_str(),
            "http://127.0.0.1:8080/message?sessionId=1"
        );
        for foreign in ["http://evil.example/x", "//evil.example/x", "http://127.0.0.1:8081/x"] {
            assert!(address(&stream, foreign).is_err(), "{foreign}");
        }
    }
}
