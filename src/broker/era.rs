//! The client's side of the two eras of the protocol: the only place of the broker that knows the difference.

use rmcp::{
    RoleServer,
    model::{CustomNotification, ProtocolVersion, ServerNotification},
    service::{Peer, RequestContext},
};
use serde_json::Value;

use crate::catalog::JsonObject;

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

/// What of a request's `_meta` goes on to the backend.
pub(super) fn passed_on(context: &RequestContext<RoleServer>) -> JsonObject {
    let kept =
        |(key, value): (&String, &Value)| (!HOP_KEYS.contains(&key.as_str())).then(|| (key.clone(), value.clone()));
    context.meta.iter().filter_map(kept).collect()
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
