//! The era without sessions: each request stands alone, and is over when its response is, or when the client closes that.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time,
};
use tokio_util::sync::CancellationToken;

use super::{
    headers,
    post::{self, Place},
    refusal::{self, Refusal},
    routes::Shared,
    sse,
};
use crate::{
    broker::front::{Client, Outlet, Received, carried},
    jsonrpc::RpcError,
};

/// Messages waiting to be written. A client that reads slowly holds up whoever has more to say.
const WAITING: usize = 16;

#[derive(Debug)]
struct Said(Sender<Value>);

#[async_trait]
impl Outlet for Said {
    async fn send(&self, message: Value) -> bool {
        self.0.send(message).await.is_ok()
    }
}

/// A request while it is worked on. Dropping it cancels the request.
struct Answering {
    work: Option<Pin<Box<dyn Future<Output = Option<Value>> + Send>>>,
    answer: Option<Value>,
    said: Receiver<Value>,
    client: Arc<Client>,
    stop: CancellationToken,
}

enum Next {
    Said(Value),
    Answer(Value),
}

pub(super) async fn answer(
    shared: &Arc<Shared>,
    place: Place,
    headers: &HeaderMap,
    version: Option<&str>,
    message: Value,
) -> Result<Response, Refusal> {
    let id = post::id(&message);
    let refused = |error: RpcError| Refusal::rpc(id.clone(), error);
    if id.is_some() && message.get("method").is_some() {
        let named = carried::named_version(&message).ok_or_else(|| refused(carried::version_missing()))?;
        if version.is_none() || named.as_str() != version {
            let why = "the MCP-Protocol-Version header is missing or differs from the version in `_meta`";
            return Err(refused(RpcError::new(carried::HEADER_MISMATCH, why)));
        }
        // Of a version that we do not speak, we do not know what its headers are.
        if version == Some(carried::MODERN_VERSION) {
            headers::agree(headers, &message, |tool| place.front.input_schema(tool))
                .map_err(|why| refused(RpcError::new(carried::HEADER_MISMATCH, why)))?;
        }
    } else if message.get("method").is_none() && message.get("result").or_else(|| message.get("error")).is_some() {
        let why = "this era asks clients nothing that they could answer";
        return Err(refused(RpcError::new(RpcError::INVALID_REQUEST, why)));
    }
    let says_capabilities = carried::says_capabilities(&message);
    let (sender, said) = mpsc::channel(WAITING);
    let out: Arc<dyn Outlet> = Arc::new(Said(sender));
    let client = Arc::new(Client::new(Arc::clone(&shared.conversation), Arc::clone(&out)));
    let begun = match place.front.receive(&client, message) {
        Received::Request(begun) => begun,
        Received::Nothing => return Ok(refusal::empty(StatusCode::ACCEPTED)),
        Received::Refused(error) => return Ok(refusal::json(StatusCode::BAD_REQUEST, &error)),
    };
    let (front, whose) = (place.front, Arc::clone(&client));
    let work = Box::pin(async move { front.answer(&whose, begun, out).await });
    let stop = shared.stop.clone();
    let mut answering = Answering { work: Some(work), answer: None, said, client, stop };
    let first = time::timeout(shared.service.limits.keep_alive, answering.next()).await;
    shared.opened_without_session(&place.server);
    let first = match first {
        Ok(Some(Next::Answer(answer))) => {
            return Ok(refusal::json(status(&answer, says_capabilities), &answer));
        }
        Ok(Some(Next::Said(message))) => Some(message),
        Ok(None) | Err(_) => None,
    };
    let rest = stream::unfold(answering, |mut answering| async move {
        let (Next::Said(message) | Next::Answer(message)) = answering.next().await?;
        Some((message, answering))
    });
    let events = stream::iter(first).chain(rest).map(|message| -> Bytes { sse::event(None, &message.to_string()) });
    Ok(sse::response(events, shared.service.limits.keep_alive))
}

/// What the answer means to whoever reads no bodies.
fn status(answer: &Value, says_capabilities: bool) -> StatusCode {
    match answer.get("error").and_then(|error| error.get("code")).and_then(Value::as_i64) {
        Some(RpcError::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code) if carried::is_about_request(code) => StatusCode::BAD_REQUEST,
        Some(RpcError::INVALID_PARAMS) if !says_capabilities => StatusCode::BAD_REQUEST,
        Some(_) | None => StatusCode::OK,
    }
}

impl Answering {
    /// What is said before the answer, the answer, and then nothing.
    ///
    /// Dropping the future loses nothing.
    async fn next(&mut self) -> Option<Next> {
        let mut told = false;
        loop {
            let Some(work) = self.work.as_mut() else {
                // What was said in the last moment goes first.
                return match self.said.try_recv() {
                    Ok(message) => Some(Next::Said(message)),
                    Err(_) => self.answer.take().map(Next::Answer),
                };
            };
            tokio::select! {
                biased;
                Some(message) = self.said.recv() => return Some(Next::Said(message)),
                answer = work => {
                    self.work = None;
                    self.answer = answer;
                }
                // What only waits for news ends with an answer.
                () = self.stop.cancelled(), if !told => {
                    told = true;
                    self.client.hung_up();
                }
            }
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.client.hung_up();
        self.client.end();
    }
}
