//! Streamable HTTP: one POST per message, answers as JSON or as an event stream, a session where the backend keeps one.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{Stream, StreamExt};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use reqwest::{RequestBuilder, Response, redirect};
use secrecy::ExposeSecret;
use serde_json::Value;
use sse_stream::SseStream;
use tokio::time;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::{
    inbox::Inbox,
    peer::Failure,
    wire::{MAX_MESSAGE_BYTES, Wire, WireError},
};
use crate::config::HttpLaunch;

/// Longest time for a connection to be made. An address that does not answer is known by then.
const CONNECT: Duration = Duration::from_secs(10);

/// Redirects followed, all on the same origin.
const MAX_REDIRECTS: usize = 3;

/// Pause before a broken event stream is asked for again, where the backend names none; and how often that is done.
const RETRY: Duration = Duration::from_secs(1);
const MAX_RETRIES: usize = 5;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The HTTP client of all backends, made at the first use: most people have none that need it.
#[derive(Debug, Default)]
pub(super) struct Client(OnceLock<Result<reqwest::Client, String>>);

impl Client {
    /// The client.
    pub(super) fn get(&self) -> Result<&reqwest::Client, WireError> {
        self.0.get_or_init(build).as_ref().map_err(|reason| WireError::Failed(reason.clone()))
    }
}

fn build() -> Result<reqwest::Client, String> {
    // Another part of the process may have chosen one already; any is good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let policy = redirect::Policy::custom(|attempt| {
        let same = attempt.previous().last().is_some_and(|before| before.origin() == attempt.url().origin());
        // Elsewhere the headers, with their credentials, must not go.
        if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
    });
    let builder = reqwest::Client::builder().connect_timeout(CONNECT).redirect(policy);
    builder.build().map_err(|error| format!("the HTTP client could not be made ({error})"))
}

/// The operator's headers, marked so that nothing prints them.
pub(super) fn headers(launch: &HttpLaunch) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &launch.headers {
        // Both were checked with the configuration.
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.expose_secret()))
        {
            value.set_sensitive(SENSITIVE);
            headers.insert(name, value);
        }
    }
    headers
}

const SENSITIVE: bool = true;

/// A failure of reqwest without the address, which may hold a key.
pub(super) fn failed(error: reqwest::Error) -> WireError {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    WireError::Failed(if error.is_connect() { format!("cannot connect{cause}") } else { format!("{error}{cause}") })
}

/// What a status other than success means.
pub(super) fn refused(status: StatusCode) -> WireError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => WireError::Unauthorized(status.as_u16()),
        StatusCode::BAD_REQUEST
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_ACCEPTABLE
        | StatusCode::GONE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => WireError::WrongTransport(status.as_u16()),
        other => WireError::Failed(format!("HTTP {other}")),
    }
}

/// The events of a response; one larger than any message ends the stream.
pub(super) fn events(response: Response) -> impl Stream<Item = Result<sse_stream::Sse, WireError>> + Unpin + Send {
    let mut since_event = 0_usize;
    let bounded = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(|error| io::Error::other(error.without_url()))?;
        since_event += chunk.len();
        if since_event > MAX_MESSAGE_BYTES {
            return Err(io::Error::other("an event is larger than any message may be"));
        }
        if chunk.windows(2).any(|pair| pair == b"\n\n" || pair == b"\r\r")
            || chunk.windows(4).any(|four| four == b"\r\n\r\n")
        {
            since_event = 0;
        }
        Ok(chunk)
    });
    Box::pin(
        SseStream::from_bytes_stream(bounded).map(|event| event.map_err(|error| WireError::Failed(error.to_string()))),
    )
}

#[derive(Debug)]
struct HttpWire {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    inbox: Arc<Inbox>,
    agreed: Mutex<Agreed>,
    stop: CancellationToken,
    /// Ends the listening task with the wire.
    _stop_with_wire: DropGuard,
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
            client: client.clone(),
            url: launch.url.clone(),
            headers: headers(launch),
            inbox: Arc::clone(inbox),
            agreed: Mutex::default(),
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

impl HttpWire {
    fn agreed_now(&self) -> Agreed {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn dressed(&self, request: RequestBuilder, agreed: &Agreed) -> RequestBuilder {
        let mut headers = self.headers.clone();
        headers.extend(agreed.session.clone().map(|session| (SESSION, session)));
        headers.extend(agreed.version.clone().map(|version| (VERSION, version)));
        request.headers(headers)
    }

    async fn post(&self, message: &Value) -> Result<Response, WireError> {
        let agreed = self.agreed_now();
        let mut request = self.dressed(self.client.post(self.url.clone()), &agreed);
        request = request.header(ACCEPT, BOTH).header(CONTENT_TYPE, JSON);
        if agreed.modern {
            for (name, value) in named(message) {
                request = request.header(name, value);
            }
        }
        let response = request.body(message.to_string()).send().await.map_err(failed)?;
        if let Some(session) = response.headers().get(SESSION) {
            self.agreed.lock().unwrap_or_else(PoisonError::into_inner).session = Some(session.clone());
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
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        if kind.starts_with("text/event-stream") && status.is_success() {
            return self.follow(response, id).await;
        }
        let body = body(response).await?;
        match serde_json::from_slice::<Value>(&body) {
            Ok(Value::Array(batch)) if status.is_success() => {
                batch.into_iter().for_each(|message| self.inbox.deliver_during(message, id.and_then(Value::as_u64)));
                Ok(())
            }
            // Errors of the modern era come with 400 and 404, some without an id: they belong to this request.
            Ok(Value::Object(mut message)) if message.contains_key("jsonrpc") => {
                if let (Some(id), true) = (id, message.contains_key("error")) {
                    message.insert("id".into(), id.clone());
                }
                self.inbox.deliver(Value::Object(message));
                Ok(())
            }
            _ if !status.is_success() => Err(refused(status)),
            _ if id.is_none() => Ok(()),
            _ => Err(WireError::Failed(format!("a request was answered with no message (HTTP {status})"))),
        }
    }

    /// Reads an event stream to its end. Where it breaks before the answer, and the backend numbers its events, it is
    /// asked for again from the last one.
    async fn follow(&self, response: Response, id: Option<&Value>) -> Result<(), WireError> {
        let mut response = response;
        let mut last_event: Option<HeaderValue> = None;
        let mut pause = RETRY;
        for _ in 0..=MAX_RETRIES {
            let mut events = events(response);
            while let Some(Ok(event)) = events.next().await {
                last_event = event.id.and_then(|id| HeaderValue::try_from(id).ok()).or(last_event);
                pause = event.retry.map_or(pause, Duration::from_millis);
                let Some(message) = event.data.and_then(|data| serde_json::from_str::<Value>(&data).ok()) else {
                    continue;
                };
                let answers = id.is_some() && message.get("id") == id && message.get("method").is_none();
                self.inbox.deliver_during(message, id.and_then(Value::as_u64));
                if answers {
                    return Ok(());
                }
            }
            let Some(last) = last_event.clone().filter(|_| id.is_some()) else { break };
            time::sleep(pause.min(Duration::from_secs(30))).await;
            let request = self.dressed(self.client.get(self.url.clone()), &self.agreed_now());
            response = request.header(ACCEPT, EVENTS).header(LAST_EVENT, last).send().await.map_err(failed)?;
            if !response.status().is_success() {
                return Err(refused(response.status()));
            }
        }
        if id.is_some() { Err(WireError::Failed("the stream ended without an answer".into())) } else { Ok(()) }
    }
}

/// The headers by which a modern endpoint routes a message without reading it.
fn named(message: &Value) -> Vec<(HeaderName, HeaderValue)> {
    let Some(method) = message.get("method").and_then(Value::as_str) else { return Vec::new() };
    let params = message.get("params");
    let name = params.and_then(|params| params.get("name").or_else(|| params.get("uri"))).and_then(Value::as_str);
    [(METHOD, Some(method)), (NAME, name)]
        .into_iter()
        .filter_map(|(header, value)| Some((header, HeaderValue::try_from(value?).ok()?)))
        .collect()
}

/// A body up to the largest message.
async fn body(response: Response) -> Result<Vec<u8>, WireError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(failed)?);
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(WireError::Failed("an answer is larger than any message may be".into()));
        }
    }
    Ok(body)
}

#[async_trait]
impl Wire for HttpWire {
    async fn send(&self, message: Value) -> Result<(), WireError> {
        let id = message.get("method").and(message.get("id")).cloned();
        let response = self.post(&message).await?;
        self.take(response, id.as_ref()).await
    }

    fn agreed(&self, version: &str, inbox: &Arc<Inbox>) {
        let legacy = version < "2026-07-28";
        let agreed = {
            let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
            agreed.version = HeaderValue::try_from(version).ok();
            agreed.modern = !legacy;
            agreed.clone()
        };
        // Only a backend with a session has anything to say outside of requests.
        if legacy && agreed.session.is_some() {
            let request = self.dressed(self.client.get(self.url.clone()), &agreed).header(ACCEPT, EVENTS);
            let (inbox, stop) = (Arc::downgrade(inbox), self.stop.clone());
            tokio::spawn(async move {
                stop.run_until_cancelled(async move {
                    // 405 and the like: the backend has no such stream.
                    let Ok(response) = request.send().await.and_then(Response::error_for_status) else { return };
                    let mut events = events(response);
                    while let Some(Ok(event)) = events.next().await {
                        let message = event.data.and_then(|data| serde_json::from_str::<Value>(&data).ok());
                        let (Some(message), Some(inbox)) = (message, inbox.upgrade()) else { continue };
                        inbox.deliver(message);
                    }
                })
                .await
            });
        }
    }

    async fn close(&self, grace: Duration) {
        self.stop.cancel();
        let agreed = self.agreed_now();
        if agreed.session.is_some() && !self.inbox.is_over() {
            let request = self.dressed(self.client.delete(self.url.clone()), &agreed);
            // A courtesy: backends forget sessions by themselves.
            let _ = time::timeout(grace.min(Duration::from_secs(2)), request.send()).await;
        }
        self.inbox.end(&Failure::Closed);
    }
}
