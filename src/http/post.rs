//! A message that was posted: read within its limits, and sent the way of its era.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, header, request::Parts},
    response::Response,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use tokio::time;

use super::{guard, headers, legacy, limits::Limits, modern, refusal::Refusal, routes::Shared, session};
use crate::{
    broker::front::{Front, carried},
    ids::ServerName,
    jsonrpc::{Id, Message, RpcError},
};

/// Where a message was posted to.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) server: Option<ServerName>,
    pub(super) front: Front,
}

pub(super) async fn post(shared: &Arc<Shared>, place: Place, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    check_accept(&head.headers, &["application/json", "text/event-stream"])?;
    check_content_type(&head.headers)?;
    let message = read(&head, body, &shared.service.limits).await?;
    let version = guard::only(&head.headers, &headers::VERSION).map_err(|()| version_unreadable(&message))?;
    match way(&message, version, &head.headers) {
        Way::Modern => modern::answer(shared, place, &head.headers, version, message).await,
        Way::Legacy => {
            if let Some(version) = version.filter(|version| !carried::is_served(version)) {
                return Err(Refusal::rpc(id(&message), carried::unsupported(&version.into())));
            }
            legacy::answer(shared, place, &head.headers, message).await
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Way {
    Modern,
    Legacy,
}

/// What a request says of its own version goes first. `initialize` and an array are of the era with sessions; whatever else says
/// nothing goes by its header.
fn way(message: &Value, version: Option<&str>, headers: &HeaderMap) -> Way {
    let in_session = headers.contains_key(session::HEADER);
    match carried::named_version(message) {
        Some(named) if named == carried::MODERN_VERSION => return Way::Modern,
        Some(_) if !in_session => return Way::Modern,
        Some(_) => return Way::Legacy,
        None => {}
    }
    match message.get("method").and_then(Value::as_str) {
        Some("initialize") => Way::Legacy,
        _ if message.is_array() => Way::Legacy,
        _ if version == Some(carried::MODERN_VERSION) => Way::Modern,
        Some("server/discover" | "subscriptions/listen") if !in_session => Way::Modern,
        _ => Way::Legacy,
    }
}

/// Why something that needs a session cannot be carried out without one.
pub(super) fn without_session(message: Value) -> Refusal {
    match Message::read(message) {
        Err(unread) => Refusal::Rpc(unread),
        Ok(Message::Request(request)) => {
            let error = RpcError::new(RpcError::INVALID_REQUEST, Refusal::NoSession.to_string());
            Refusal::rpc(Some(request.id), error)
        }
        Ok(Message::Notification(_) | Message::Response(_)) => Refusal::NoSession,
    }
}

/// The id that an error about this message names.
pub(super) fn id(message: &Value) -> Option<Id> {
    message.get("id").cloned().and_then(Id::new)
}

fn version_unreadable(message: &Value) -> Refusal {
    let why = "the MCP-Protocol-Version header is there twice, or is no visible ASCII";
    Refusal::rpc(id(message), RpcError::new(carried::HEADER_MISMATCH, why))
}

async fn read(head: &Parts, body: Body, limits: &Limits) -> Result<Value, Refusal> {
    let most = limits.body_bytes;
    let announced =
        head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(Refusal::TooLong { most });
    }
    let collected = time::timeout(limits.body_time, Limited::new(body, most).collect());
    let body = collected
        .await
        .map_err(|_| Refusal::TooSlow)?
        .map_err(|error| if error.is::<LengthLimitError>() { Refusal::TooLong { most } } else { Refusal::BrokenOff })?;
    serde_json::from_slice(&body.to_bytes())
        .map_err(|error| Refusal::rpc(None, RpcError::new(RpcError::PARSE, format!("the body is no JSON: {error}"))))
}

/// What we may answer with must be among what the client takes. A client that says nothing takes anything.
pub(super) fn check_accept(headers: &HeaderMap, types: &'static [&'static str]) -> Result<(), Refusal> {
    let mut ranges = headers.get_all(header::ACCEPT).iter().peekable();
    if ranges.peek().is_none() {
        return Ok(());
    }
    let ranges: Vec<&str> = ranges.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
    let refused = types.iter().find(|wanted| !ranges.iter().any(|range| covers(range, wanted)));
    refused.map_or(Ok(()), |refused| Err(Refusal::Accept(refused)))
}

/// Whether a media range of an Accept header has room for this type: itself, `application/*` or `*/*`, and not with a weight of zero.
fn covers(range: &str, wanted: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let named = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_none = |part: &str| {
        part.split_once('=').is_some_and(|(name, weight)| {
            name.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f64>().is_ok_and(|weight| weight == 0.0)
        })
    };
    let covers = match named.split_once('/') {
        Some(("*", "*")) => true,
        Some((kind, "*")) => wanted.split_once('/').is_some_and(|(of, _)| of == kind),
        _ => named == wanted,
    };
    covers && !parts.any(is_none)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let named = guard::only(headers, &header::CONTENT_TYPE).ok().flatten().unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Refusal::ContentType) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn both_kinds_of_answer_must_be_taken() {
        let both: &[&str] = &["application/json", "text/event-stream"];
        for (accept, expected) in [
            ("application/json, text/event-stream", true),
            ("text/event-stream;q=0.9,application/json;charset=utf-8", true),
            ("*/*", true),
            ("application/*, text/*", true),
            ("APPLICATION/JSON, Text/Event-Stream", true),
            ("application/json", false),
            ("text/event-stream", false),
            ("application/json, text/event-stream;q=0", false),
            ("text/html", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(check_accept(&headers, both).is_ok(), expected, "{accept}");
        }
        assert!(check_accept(&HeaderMap::new(), both).is_ok());
    }

    #[test]
    fn each_message_goes_the_way_of_its_era() {
        let named = |version: &str, method: &str| json!({"method": method, "id": 1, "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": version}}});
        let bare = |method: &str| json!({"method": method, "id": 1});
        let session = HeaderMap::from_iter([(session::HEADER, HeaderValue::from_static("s"))]);
        let none = HeaderMap::new();
        for (message, version, headers, expected) in [
            (named("2026-07-28", "tools/list"), None, &none, Way::Modern),
            (named("2026-07-28", "tools/list"), None, &session, Way::Modern),
            (named("2026-07-28", "initialize"), None, &none, Way::Modern),
            (named("2099-01-01", "tools/list"), None, &none, Way::Modern),
            (named("2025-11-25", "tools/list"), None, &session, Way::Legacy),
            (bare("initialize"), Some("2026-07-28"), &none, Way::Legacy),
            (bare("tools/list"), Some("2026-07-28"), &none, Way::Modern),
            (bare("tools/list"), Some("2025-11-25"), &session, Way::Legacy),
            (bare("server/discover"), None, &none, Way::Modern),
            (bare("ping"), None, &none, Way::Legacy),
            (json!([bare("ping")]), Some("2026-07-28"), &none, Way::Legacy),
            (json!(null), None, &none, Way::Legacy),
        ] {
            assert_eq!(way(&message, version, headers), expected, "{message} {version:?}");
        }
    }
}
