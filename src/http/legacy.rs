//! The era with sessions: `initialize` begins one, requests are answered on streams that can be resumed, and what the server asks
//! meanwhile is answered by further posts.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::Response,
};
use futures::{Stream as Events, StreamExt, stream};
use serde_json::Value;
use tokio::time;

use super::{
    guard, headers,
    post::{self, Place},
    refusal::{self, Refusal},
    routes::Shared,
    session::{self, Session},
    sse::{self, EventId},
    stream::{Event, Reader, Stream},
};
use crate::{
    broker::front::{Begun, Outlet, Received, carried},
    jsonrpc::RpcError,
};

/// Says which event of a broken stream came last.
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

pub(super) async fn answer(
    shared: &Arc<Shared>,
    place: Place,
    headers: &HeaderMap,
    message: Value,
) -> Result<Response, Refusal> {
    let is_handshake = message.get("method").and_then(Value::as_str) == Some("initialize");
    if !headers.contains_key(session::HEADER) {
        return if is_handshake { begin(shared, place, message).await } else { Err(post::without_session(message)) };
    }
    let session = shared.sessions.named(headers, place.server.as_ref())?;
    match message {
        Value::Array(messages) => batch(shared, &session, messages).await,
        message => match session.front().receive(session.client(), message) {
            Received::Nothing => Ok(refusal::empty(StatusCode::ACCEPTED)),
            Received::Refused(error) => Ok(refusal::json(StatusCode::BAD_REQUEST, &error)),
            Received::Request(begun) => {
                // Lists and the like are there at once and need no stream.
                let takes_long = !is_handshake && carried::knows_priming(session.version()) && may_take_long(&begun);
                let stream = session.open_stream(1);
                work(shared, &session, &stream, begun);
                respond(shared, &session, &stream, takes_long).await
            }
        },
    }
}

/// A session that its client ends.
pub(super) fn end(shared: &Shared, place: &Place, request: &Request) -> Result<Response, Refusal> {
    let session = of_request(shared, place, request)?;
    shared.sessions.remove(&session);
    Ok(refusal::empty(StatusCode::NO_CONTENT))
}

/// The stream of what is said unasked, or the rest of a stream that broke.
pub(super) fn listen(shared: &Shared, place: &Place, request: &Request) -> Result<Response, Refusal> {
    post::check_accept(request.headers(), &["text/event-stream"])?;
    let session = of_request(shared, place, request)?;
    let last = guard::only(request.headers(), &LAST_EVENT).map_err(|()| Refusal::UnknownStream)?;
    let reader = match last {
        None => session.unasked().read(None),
        Some(last) => {
            let last = EventId::read(last).ok_or(Refusal::UnknownStream)?;
            session.stream(last.stream).ok_or(Refusal::UnknownStream)?.read(Some(last.event))
        }
    };
    let is_primed = last.is_none() && carried::knows_priming(session.version());
    Ok(sse::response(events(shared, reader, None, is_primed), shared.service.limits.keep_alive))
}

fn of_request(shared: &Shared, place: &Place, request: &Request) -> Result<Arc<Session>, Refusal> {
    let headers = request.headers();
    let unreadable = || RpcError::new(RpcError::INVALID_REQUEST, "the MCP-Protocol-Version header cannot be read");
    let version = guard::only(headers, &headers::VERSION).map_err(|()| Refusal::rpc(None, unreadable()))?;
    match version {
        // There are no sessions in that era, and neither GET nor DELETE.
        Some(carried::MODERN_VERSION) => return Err(Refusal::Method { allowed: "POST" }),
        Some(version) if !carried::is_served(version) => {
            return Err(Refusal::rpc(None, carried::unsupported(&version.into())));
        }
        Some(_) | None => {}
    }
    shared.sessions.named(headers, place.server.as_ref())
}

/// `initialize`.
async fn begin(shared: &Arc<Shared>, place: Place, message: Value) -> Result<Response, Refusal> {
    let session = shared.sessions.begin(place.server.clone(), place.front)?;
    let begun = match session.front().receive(session.client(), message) {
        Received::Request(begun) => begun,
        Received::Nothing => return Err(Refusal::NoSession),
        Received::Refused(error) => return Ok(refusal::json(StatusCode::BAD_REQUEST, &error)),
    };
    let out: Arc<dyn Outlet> = Arc::<Stream>::clone(session.unasked());
    let Some(answer) = session.front().answer(session.client(), begun, out).await else {
        return Ok(refusal::empty(StatusCode::ACCEPTED));
    };
    if answer.get("result").is_none() {
        return Ok(refusal::json(StatusCode::BAD_REQUEST, &answer));
    }
    shared.sessions.add(&session)?;
    shared.service.fronts.opened(place.server.as_ref());
    let mut response = refusal::json(StatusCode::OK, &answer);
    let id = HeaderValue::from_str(session.id()).map_err(|_| Refusal::NoChance)?;
    response.headers_mut().insert(session::HEADER, id);
    Ok(response)
}

/// Several messages in one array, which clients of 2025-03-26 may send.
async fn batch(shared: &Arc<Shared>, session: &Arc<Session>, messages: Vec<Value>) -> Result<Response, Refusal> {
    let most = shared.service.limits.batch;
    let invalid = |why: String| Err(Refusal::rpc(None, RpcError::new(RpcError::INVALID_REQUEST, why)));
    if !carried::knows_batches(session.version()) {
        return invalid("this protocol version has no arrays of messages".into());
    }
    if messages.is_empty() || messages.len() > most {
        return invalid(format!("an array has 1 to {most} messages"));
    }
    let mut begun = Vec::new();
    let mut refused = Vec::new();
    for message in messages {
        match session.front().receive(session.client(), message) {
            Received::Nothing => {}
            Received::Request(request) => begun.push(request),
            Received::Refused(error) => refused.push(error),
        }
    }
    if begun.is_empty() && refused.is_empty() {
        return Ok(refusal::empty(StatusCode::ACCEPTED));
    }
    let stream = session.open_stream(begun.len() + refused.len());
    for error in &refused {
        stream.answered(Some(error));
    }
    for begun in begun {
        work(shared, session, &stream, begun);
    }
    let reader = stream.read(None);
    Ok(sse::response(events(shared, reader, None, false), shared.service.limits.keep_alive))
}

/// Answers a request, whoever reads: a connection that breaks cancels nothing in this era.
fn work(shared: &Shared, session: &Arc<Session>, stream: &Arc<Stream>, begun: Begun) {
    let (front, client, stream) = (session.front().clone(), Arc::clone(session.client()), Arc::clone(stream));
    shared.tasks.spawn(async move {
        let mut answer = Answer { stream: Arc::clone(&stream), message: None };
        answer.message = front.answer(&client, begun, stream).await;
    });
}

/// Ends its stream however the work ends.
struct Answer {
    stream: Arc<Stream>,
    message: Option<Value>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.stream.answered(self.message.as_ref());
    }
}

fn may_take_long(begun: &Begun) -> bool {
    matches!(begun.method(), "tools/call" | "prompts/get" | "resources/read" | "completion/complete")
}

/// The response to one request: a stream at once where the client shall be able to resume it, else JSON if nothing is said before.
async fn respond(
    shared: &Shared,
    session: &Arc<Session>,
    stream: &Arc<Stream>,
    takes_long: bool,
) -> Result<Response, Refusal> {
    let keep_alive = shared.service.limits.keep_alive;
    let mut reader = stream.read(None);
    if takes_long {
        return Ok(sse::response(events(shared, reader, None, true), keep_alive));
    }
    let first = time::timeout(keep_alive, reader.next()).await.unwrap_or(None);
    match first {
        Some(answer) if answer.is_answer => {
            session.forget(stream);
            Ok(refusal::json_text(StatusCode::OK, &answer.json))
        }
        first => Ok(sse::response(events(shared, reader, first, false), keep_alive)),
    }
}

/// A stream over a connection: where to resume it if wanted, what was taken from it already, and the rest.
fn events(shared: &Shared, reader: Reader, first: Option<Event>, is_primed: bool) -> impl Events<Item = Bytes> + use<> {
    let retry = shared.service.limits.retry;
    let priming = is_primed.then(|| sse::priming(reader.place(), retry));
    let first = first.map(|event| sse::event(Some(reader.id(&event)), &event.json));
    let rest = stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((sse::event(Some(reader.id(&event)), &event.json), reader))
    });
    stream::iter(priming).chain(stream::iter(first)).chain(rest)
}
