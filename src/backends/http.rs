//! Streamable HTTP: one POST per message, answers as JSON or as an event stream, a session where the backend keeps one.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tokio::{sync::oneshot, time};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::{
    endpoint::{self, Client},
    inbox::Inbox,
    mirror::Mirror,
    peer::Failure,
    standing::{self, Heard},
    wire::{Wire, WireError},
};
use crate::config::HttpLaunch;

/// Pause before a broken event stream is asked for again, where the backend names none; and how often that is done.
pub(super) const RETRY: Duration = Duration::from_secs(1);
pub(super) const MAX_RETRIES: u32 = 5;

/// Longest wait for the stream of what belongs to no request.
const OPENING: Duration = Duration::from_secs(1);

/// Bounds of the pause, whatever the backend names. Tests name short ones.
const PAUSES: (Duration, Duration) = (Duration::from_millis(if cfg!(test) { 1 } else { 100 }), Duration::from_secs(30));

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Debug)]
struct HttpWire {
    to: Arc<Address>,
    inbox: Arc<Inbox>,
    mirror: Mirror,
    listening: Arc<AtomicBool>,
    /// A message was taken well, so that the endpoint speaks this era.
    proven: AtomicBool,
    stop: CancellationToken,
    /// Ends the listening task with the wire.
    _stop_with_wire: DropGuard,
}

/// Where requests go, and what each of them carries.
#[derive(Debug)]
pub(super) struct Address {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    agreed: Mutex<Agreed>,
}

/// What the handshake settled.
#[derive(Debug, Clone, Default)]
struct Agreed {
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
    modern: bool,
}

/// A wire to an endpoint. Nothing is sent before the first message.
pub(super) fn open(client: &Client, launch: &HttpLaunch, inbox: &Arc<Inbox>) -> Arc<dyn Wire> {
    let stop = CancellationToken::new();
    match client.get() {
        Ok(client) => Arc::new(HttpWire {
            to: Arc::new(Address {
                client: client.clone(),
                url: launch.url.clone(),
                headers: endpoint::headers(launch),
                agreed: Mutex::default(),
            }),
            inbox: Arc::clone(inbox),
            mirror: Mirror::default(),
            listening: Arc::default(),
            proven: AtomicBool::new(false),
            _stop_with_wire: stop.clone().drop_guard(),
            stop,
        }),
        Err(error) => Arc::new(NoClient(error)),
    }
}

/// Stands where no HTTP client could be made.
#[derive(Debug)]
struct NoClient(WireError);

#[async_trait]
impl Wire for NoClient {
    async fn send(&self, _message: Value) -> Result<(), WireError> {
        Err(self.0.clone())
    }

    async fn close(&self, _grace: Duration) {}
}

impl Address {
    fn agreed(&self) -> Agreed {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn agree<T>(&self, change: impl FnOnce(&mut Agreed) -> T) -> T {
        change(&mut self.agreed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn dressed(&self, request: RequestBuilder, agreed: &Agreed) -> RequestBuilder {
        let mut headers = self.headers.clone();
        headers.extend(agreed.session.clone().map(|session| (SESSION, session)));
        headers.extend(agreed.version.clone().map(|version| (VERSION, version)));
        request.headers(headers)
    }

    /// Asks for a stream of events, from the last one that was seen where they are numbered.
    pub(super) async fn stream(&self, last_event: Option<HeaderValue>) -> Result<Response, WireError> {
        let mut request = self.dressed(self.client.get(self.url.clone()), &self.agreed()).header(ACCEPT, EVENTS);
        if let Some(last) = last_event {
            request = request.header(LAST_EVENT, last);
        }
        request.send().await.map_err(endpoint::failed)
    }
}

/// A pause as the backend names it, within bounds.
pub(super) fn pause(millis: u64) -> Duration {
    Duration::from_millis(millis).clamp(PAUSES.0, PAUSES.1)
}

impl HttpWire {
    async fn post(&self, message: &Value) -> Result<Response, WireError> {
        let agreed = self.to.agreed();
        let mut request = self.to.dressed(self.to.client.post(self.to.url.clone()), &agreed);
        request = request.header(ACCEPT, BOTH).header(CONTENT_TYPE, JSON);
        if agreed.modern {
            for (name, value) in self.mirror.headers(message) {
                request = request.header(name, value);
            }
        }
        let response = request.body(message.to_string()).send().await.map_err(endpoint::failed)?;
        if let Some(session) = response.headers().get(SESSION).filter(|_| !agreed.modern) {
            self.to.agree(|agreed| agreed.session = Some(session.clone()));
        }
        if response.status() == StatusCode::NOT_FOUND && agreed.session.is_some() {
            // The backend forgot the session: this conversation is over, the next call opens another.
            self.inbox.end(&Failure::Closed);
            return Err(WireError::Closed);
        }
        Ok(response)
    }

    /// Takes what a POST is answered with. `id` is the request's, if it was one.
    async fn take(&self, response: Response, id: Option<&Value>) -> Result<(), WireError> {
        let status = response.status();
        if status.is_success() {
            self.proven.store(true, Ordering::Release);
        }
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        if kind.starts_with("text/event-stream") && status.is_success() {
            return self.follow(response, id).await;
        }
        let body = endpoint::body(response).await?;
        match serde_json::from_slice::<Value>(&body) {
            Ok(Value::Array(batch)) if status.is_success() => {
                batch.into_iter().for_each(|message| self.inbox.deliver_during(message, id.and_then(Value::as_u64)));
                Ok(())
            }
            // Errors of the modern era come with 400 and 404, some without an id: they belong to this request.
            Ok(Value::Object(mut message)) if message.contains_key("jsonrpc") => {
                let code = message.get("error").and_then(|error| error.get("code")).and_then(Value::as_i64);
                if let (Some(id), true) = (id, message.contains_key("error")) {
                    message.insert("id".into(), id.clone());
                }
                self.inbox.deliver(Value::Object(message));
                if !status.is_success() {
                    self.end_if_forgotten(status, code);
                }
                Ok(())
            }
            _ if !status.is_success() => {
                self.end_if_forgotten(status, None);
                Err(endpoint::refused(status))
            }
            _ if id.is_none() => Ok(()),
            _ => Err(WireError::NoAnswer(format!("a request was answered with no message (HTTP {status})"))),
        }
    }

    /// An endpoint that took messages and now refuses every message has been replaced, by one of the other era perhaps, or has
    /// lost its session and does not say so by 404. The conversation is over: the next call opens another.
    fn end_if_forgotten(&self, status: StatusCode, code: Option<i64>) {
        /// Errors of real servers for a session that they do not know.
        const NO_SESSION: [i64; 2] = [-32000, -32001];
        const HEADER_MISMATCH: i64 = -32020;
        const UNSUPPORTED_VERSION: i64 = -32022;
        let agreed = self.to.agreed();
        let about_the_conversation = match code {
            Some(HEADER_MISMATCH) => !agreed.modern,
            Some(code) => code == UNSUPPORTED_VERSION || NO_SESSION.contains(&code),
            None => true,
        };
        let refuses = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE
        );
        if self.proven.load(Ordering::Acquire) && refuses && about_the_conversation {
            self.inbox.end(&Failure::Closed);
        }
    }

    /// Reads an event stream to its end. Where it breaks before the answer, and the backend numbers its events, it is
    /// asked for again from the last one. In the modern era no stream is.
    async fn follow(&self, response: Response, id: Option<&Value>) -> Result<(), WireError> {
        let mut response = response;
        let mut last_event: Option<HeaderValue> = None;
        let mut wait = RETRY;
        for _ in 0..=MAX_RETRIES {
            let mut events = endpoint::events(response);
            while let Some(Ok(event)) = events.next().await {
                let messages = endpoint::messages(&event);
                last_event = event.id.and_then(|id| HeaderValue::try_from(id).ok()).or(last_event);
                wait = event.retry.map_or(wait, pause);
                let mut answers = false;
                for message in messages {
                    answers |= id.is_some() && message.get("id") == id && message.get("method").is_none();
                    self.inbox.deliver_during(message, id.and_then(Value::as_u64));
                }
                if answers {
                    return Ok(());
                }
            }
            let Some(last) = last_event.clone().filter(|_| id.is_some() && !self.hangs_up()) else { break };
            time::sleep(wait).await;
            response = self.to.stream(Some(last)).await?;
            if !response.status().is_success() {
                return Err(endpoint::refused(response.status()));
            }
        }
        if id.is_some() { Err(WireError::NoAnswer("the stream ended without an answer".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Wire for HttpWire {
    async fn send(&self, message: Value) -> Result<(), WireError> {
        let id = message.get("method").and(message.get("id")).cloned();
        let response = self.post(&message).await?;
        self.take(response, id.as_ref()).await
    }

    fn agreed(&self, version: &str) {
        self.to.agree(|agreed| {
            agreed.version = HeaderValue::try_from(version).ok();
            agreed.modern = version >= "2026-07-28";
        });
    }

    async fn listen(&self, inbox: &Arc<Inbox>) {
        let agreed = self.to.agreed();
        // Only a backend with a session has anything to say outside of requests.
        if agreed.modern || agreed.session.is_none() || self.listening.swap(true, Ordering::AcqRel) {
            return;
        }
        let (to, inbox, stop) = (Arc::clone(&self.to), Arc::downgrade(inbox), self.stop.clone());
        let listening = Arc::clone(&self.listening);
        let (open, opened) = oneshot::channel();
        tokio::spawn(async move {
            let heard = stop.run_until_cancelled(standing::listen(&to, &inbox, open)).await;
            listening.store(false, Ordering::Release);
            match (heard, inbox.upgrade()) {
                (Some(Heard::NoMore), Some(inbox)) => inbox.watches().unheard(),
                (Some(Heard::SessionGone), Some(inbox)) => inbox.end(&Failure::Closed),
                (Some(Heard::Never) | None, _) | (_, None) => {}
            }
        });
        // What is said before the stream is open is lost on some servers: a question asked in the very first call.
        let _ = time::timeout(OPENING, opened).await;
    }

    fn hangs_up(&self) -> bool {
        self.to.agreed().modern
    }

    fn mirror(&self) -> Option<&Mirror> {
        self.hangs_up().then_some(&self.mirror)
    }

    async fn close(&self, grace: Duration) {
        self.stop.cancel();
        let agreed = self.to.agreed();
        if agreed.session.is_some() && !self.inbox.is_over() {
            let request = self.to.dressed(self.to.client.delete(self.to.url.clone()), &agreed);
            // A courtesy: backends forget sessions by themselves.
            let _ = time::timeout(grace.min(Duration::from_secs(2)), request.send()).await;
        }
        self.inbox.end(&Failure::Closed);
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
