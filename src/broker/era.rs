//! The client's side of the two eras of the protocol: the only place of the broker that knows the difference.

use rmcp::{
    RoleServer, ServiceError,
    model::{CustomNotification, CustomRequest, ProtocolVersion, ServerNotification, ServerRequest},
    service::{OriginatingRequestId, Peer, RequestContext},
};
use serde_json::Value;

use crate::{backends::ClientCapabilities, catalog::JsonObject};

/// `_meta` keys that belong to one hop. They describe the client's request to us, not ours to a backend.
const HOP_KEYS: [&str; 5] = [
    "progressToken",
    "io.modelcontextprotocol/protocolVersion",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/logLevel",
];

/// Whether this request is of 2026-07-28 or later.
pub(super) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    // Versions are ISO dates: they compare as text.
    context.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// The least severe log level that a modern request asked to hear.
pub(super) fn requested_log_level(context: &RequestContext<RoleServer>) -> Option<String> {
    context.meta.get("io.modelcontextprotocol/logLevel").and_then(Value::as_str).map(Into::into)
}

/// What the client of this request can be asked: by the request itself in the modern era, by its handshake before.
pub(super) fn client_capabilities(context: &RequestContext<RoleServer>) -> ClientCapabilities {
    // As it was sent, where it was sent with the request: nothing of it is lost on the way to a backend.
    if let Some(Value::Object(declared)) = context.meta.get("io.modelcontextprotocol/clientCapabilities") {
        return ClientCapabilities::of(declared);
    }
    let declared = context.client_capabilities().and_then(|declared| serde_json::to_value(declared).ok());
    declared.as_ref().and_then(Value::as_object).map_or_else(ClientCapabilities::none, ClientCapabilities::of)
}

/// Puts a backend's request to a client with a handshake, while its own request is open.
///
/// Dropping the future stops waiting for the answer.
pub(super) async fn ask(
    context: &RequestContext<RoleServer>,
    method: &str,
    params: JsonObject,
) -> Result<JsonObject, JsonObject> {
    let mut request = CustomRequest::new(method, Some(Value::Object(params)));
    // Over HTTP it goes out on the stream of the client's own request.
    request.extensions.insert(OriginatingRequestId(context.id.clone()));
    match context.peer.send_request(ServerRequest::CustomRequest(request)).await {
        Ok(answer) => match serde_json::to_value(answer) {
            Ok(Value::Object(result)) => Ok(result),
            Ok(_) | Err(_) => Err(unanswered()),
        },
        Err(ServiceError::McpError(error)) => {
            let error = serde_json::to_value(error).ok().and_then(|error| error.as_object().cloned());
            Err(error.unwrap_or_else(unanswered))
        }
        Err(_) => Err(unanswered()),
    }
}

/// The error of a question that the client did not answer.
pub(super) fn unanswered() -> JsonObject {
    JsonObject::from_iter([
        ("code".to_owned(), Value::from(-32000)),
        ("message".to_owned(), Value::from("the client did not answer")),
    ])
}

/// What of a request's `_meta` goes on to the backend.
pub(super) fn passed_on(context: &RequestContext<RoleServer>) -> JsonObject {
    let kept =
        |(key, value): (&String, &Value)| (!HOP_KEYS.contains(&key.as_str())).then(|| (key.clone(), value.clone()));
    context.meta.iter().filter_map(kept).collect()
}

/// Whether a result asks the client for input rather than being one.
pub(super) fn wants_input(result: &JsonObject) -> bool {
    result.get("resultType").and_then(Value::as_str) == Some("input_required")
}

/// Gives a result the form that the client's era wants: `resultType` is required in the modern one and unknown before.
pub(super) fn shaped(result: JsonObject, modern: bool) -> JsonObject {
    let mut shaped = result;
    match (modern, shaped.contains_key("resultType")) {
        (true, false) => {
            shaped.shift_insert(0, "resultType".into(), "complete".into());
        }
        (false, true) if shaped.get("resultType").and_then(Value::as_str) == Some("complete") => {
            shaped.shift_remove("resultType");
        }
        (true, true) | (false, _) => {}
    }
    shaped
}

/// Sends a log message as the backend sent it.
pub(super) async fn send_log(peer: &Peer<RoleServer>, params: JsonObject) {
    let notification = CustomNotification::new("notifications/message", Some(Value::Object(params)));
    // A client that is gone hears nothing; that is no failure of the call.
    let _ = peer.send_notification(ServerNotification::CustomNotification(notification)).await;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> JsonObject {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_legacy_result_gets_its_result_type_for_a_modern_client() {
        let shaped = shaped(object(&json!({"content": []})), true);
        assert_eq!(Value::Object(shaped).to_string(), r#"{"resultType":"complete","content":[]}"#);
    }

    #[test]
    fn a_modern_result_loses_it_for_a_legacy_client_and_keeps_all_else() {
        let shaped = shaped(object(&json!({"resultType": "complete", "content": [], "x": 1})), false);
        assert_eq!(Value::Object(shaped), json!({"content": [], "x": 1}));
    }
}
