//! The client's side of the two eras of the protocol: the only place of the broker that knows the difference.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::front::{Client, Exchange, Handshake, Hello};
use crate::{
    backends::ClientCapabilities,
    catalog::{Era, JsonObject},
    jsonrpc::{Request, RpcError},
};

/// The version of the stateless era.
pub const MODERN_VERSION: &str = "2026-07-28";

/// Versions with a handshake, newest first. A client that names another is offered the newest.
const LEGACY_VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// Error codes of 2026-07-28: a version nobody speaks, a capability that the client lacks, headers that say other than the body.
const UNSUPPORTED_VERSION: i64 = -32022;
const MISSING_CAPABILITY: i64 = -32021;
/// See above.
pub const HEADER_MISMATCH: i64 = -32020;

/// Error codes of before, which a client of 2026-07-28 must not be sent: no such resource, and an address to be visited first.
const RESOURCE_NOT_FOUND: i64 = -32002;
const URL_ELICITATION_REQUIRED: i64 = -32042;

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const INFO_KEY: &str = "io.modelcontextprotocol/clientInfo";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL_KEY: &str = "io.modelcontextprotocol/logLevel";
const SERVER_INFO_KEY: &str = "io.modelcontextprotocol/serverInfo";
const SUBSCRIPTION_KEY: &str = "io.modelcontextprotocol/subscriptionId";

/// `_meta` keys that belong to one hop. They describe the client's request to us, not ours to a backend.
const HOP_KEYS: [&str; 5] = ["progressToken", VERSION_KEY, INFO_KEY, CAPABILITIES_KEY, LOG_LEVEL_KEY];

/// How a request is to be read: its era, and what its client said of itself.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) era: Era,
    pub(super) info: JsonObject,
    pub(super) capabilities: JsonObject,
}

/// What a transport must know of the eras to carry both.
pub mod carried {
    use serde_json::Value;

    use super::{CAPABILITIES_KEY, LEGACY_VERSIONS, MISSING_CAPABILITY, UNSUPPORTED_VERSION, VERSION_KEY};
    pub use super::{HEADER_MISMATCH, MODERN_VERSION, unsupported, version_missing};

    /// The version that a message names for itself, whatever it is.
    #[must_use]
    pub fn named_version(message: &Value) -> Option<&Value> {
        message.get("params")?.get("_meta")?.get(VERSION_KEY)
    }

    /// Whether a message says what its client can do, as each of the stateless era must.
    #[must_use]
    pub fn says_capabilities(message: &Value) -> bool {
        let meta = message.get("params").and_then(|params| params.get("_meta"));
        meta.and_then(|meta| meta.get(CAPABILITIES_KEY)).is_some_and(Value::is_object)
    }

    /// Whether this version is served.
    #[must_use]
    pub fn is_served(version: &str) -> bool {
        version == MODERN_VERSION || LEGACY_VERSIONS.contains(&version)
    }

    /// Whether clients of this version take an event without data, which tells them where to resume.
    #[must_use]
    pub fn knows_priming(version: &str) -> bool {
        version == "2025-11-25"
    }

    /// Whether clients of this version may send several messages as one array.
    #[must_use]
    pub fn knows_batches(version: &str) -> bool {
        version == "2025-03-26"
    }

    /// Whether this error of the modern era is about the request rather than its outcome.
    #[must_use]
    pub const fn is_about_request(code: i64) -> bool {
        matches!(code, UNSUPPORTED_VERSION | MISSING_CAPABILITY | HEADER_MISMATCH)
    }
}

/// Finds the era of a request: what it says itself goes before what the handshake said. `initialize` is the handshake, unless it says
/// that it is of the era that has none.
pub(super) fn standing(request: &Request, client: &Client) -> Result<Standing, RpcError> {
    let meta = request.params.get("_meta").and_then(Value::as_object);
    let said = |key: &str| meta.and_then(|meta| meta.get(key));
    let named = said(VERSION_KEY);
    let is_modern = named.and_then(Value::as_str) == Some(MODERN_VERSION);
    if request.method == "initialize" && !is_modern {
        shake_hands(request, client)?;
    }
    if is_modern {
        let capabilities = said(CAPABILITIES_KEY).and_then(Value::as_object).cloned();
        let missing =
            || RpcError::new(RpcError::INVALID_PARAMS, format!("`_meta` needs `{CAPABILITIES_KEY}`, an object"));
        let info = said(INFO_KEY).and_then(Value::as_object).cloned().unwrap_or_default();
        return Ok(Standing { era: Era::Modern, info, capabilities: capabilities.ok_or_else(missing)? });
    }
    match (client.handshake(), named) {
        (Some(said), _) => {
            Ok(Standing { era: Era::Legacy, info: said.info.clone(), capabilities: said.capabilities.clone() })
        }
        (None, Some(version)) => Err(unsupported(version)),
        // The one request that may come before the handshake.
        (None, None) if request.method == "ping" => {
            Ok(Standing { era: Era::Legacy, info: JsonObject::new(), capabilities: JsonObject::new() })
        }
        (None, None) => Err(version_missing()),
    }
}

/// The error of a version that is not served.
#[must_use]
pub fn unsupported(version: &Value) -> RpcError {
    let data = json!({"supported": supported_versions(), "requested": version});
    RpcError::new(UNSUPPORTED_VERSION, "unsupported protocol version").with_data(data)
}

/// The error of a request that does not say its version.
#[must_use]
pub fn version_missing() -> RpcError {
    let message = format!("begin with `initialize`, or name `{VERSION_KEY}` in the `_meta` of each request");
    RpcError::new(RpcError::INVALID_PARAMS, message)
}

fn supported_versions() -> Vec<&'static str> {
    std::iter::once(MODERN_VERSION).chain(LEGACY_VERSIONS).collect()
}

fn shake_hands(request: &Request, client: &Client) -> Result<(), RpcError> {
    let asked = request.params.get("protocolVersion").and_then(Value::as_str);
    let asked = asked.ok_or_else(|| RpcError::new(RpcError::INVALID_PARAMS, "`initialize` needs `protocolVersion`"))?;
    let version = LEGACY_VERSIONS.into_iter().find(|known| *known == asked).unwrap_or(LEGACY_VERSIONS[0]);
    let object = |key: &str| request.params.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let said = Handshake { version, capabilities: object("capabilities"), info: object("clientInfo") };
    if client.shook_hands(said) {
        return Ok(());
    }
    Err(RpcError::new(RpcError::INVALID_REQUEST, "this conversation has begun already"))
}

/// The answer to `initialize`.
pub(super) fn initialized(hello: Hello, client: &Client) -> JsonObject {
    let mut result = JsonObject::new();
    result.insert("protocolVersion".into(), client.version().unwrap_or(LEGACY_VERSIONS[0]).into());
    result.insert("capabilities".into(), Value::Object(hello.capabilities));
    result.insert("serverInfo".into(), Value::Object(hello.server_info));
    result.extend(hello.instructions.map(|text| ("instructions".to_owned(), Value::from(text))));
    result
}

/// The answer to `server/discover`.
pub(super) fn discovered(hello: Hello) -> JsonObject {
    let mut result = JsonObject::new();
    result.insert("resultType".into(), "complete".into());
    result.insert("supportedVersions".into(), supported_versions().into());
    result.insert("capabilities".into(), Value::Object(hello.capabilities));
    result.extend(hello.instructions.map(|text| ("instructions".to_owned(), Value::from(text))));
    result.insert("ttlMs".into(), hello.ttl_ms.into());
    result.insert("cacheScope".into(), "private".into());
    result.insert("_meta".into(), json!({ SERVER_INFO_KEY: hello.server_info }));
    result
}

/// What of a server's capabilities can be given on to a client of this era. Tasks and extensions are negotiated in ways that differ
/// between the eras.
pub(super) fn passed_capabilities(capabilities: JsonObject, server: Era, client: Era) -> JsonObject {
    let mut passed = capabilities;
    if server != client {
        passed.shift_remove("tasks");
    }
    // What a client declares of extensions is not given on, so no server may count on one.
    passed.shift_remove("extensions");
    passed
}

/// The first word on a subscription: what of the wishes is fulfilled.
pub(super) async fn acknowledge(exchange: &Exchange, agreed: JsonObject) -> bool {
    let mut params = JsonObject::new();
    params.insert("notifications".into(), Value::Object(agreed));
    tell_subscriber(exchange, "notifications/subscriptions/acknowledged", params).await
}

/// A notification on a subscription.
pub(super) async fn tell_subscriber(exchange: &Exchange, method: &str, mut params: JsonObject) -> bool {
    let meta = params.entry("_meta").or_insert_with(|| json!({}));
    if let Some(meta) = meta.as_object_mut() {
        meta.insert(SUBSCRIPTION_KEY.into(), exchange.id.as_value().clone());
    }
    exchange.tell(method, params).await
}

/// The answer to `subscriptions/listen`, once it has ended.
pub(super) fn listened(exchange: &Exchange) -> JsonObject {
    let mut result = JsonObject::new();
    result.insert("resultType".into(), "complete".into());
    result.insert("_meta".into(), json!({ SUBSCRIPTION_KEY: exchange.id.as_value() }));
    result
}

/// Whether this era does not have a method that the other one has.
pub(super) fn is_gone(method: &str, era: Era) -> bool {
    match era {
        Era::Modern => {
            matches!(
                method,
                "initialize" | "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe"
            )
        }
        Era::Legacy => matches!(method, "server/discover" | "subscriptions/listen"),
    }
}

/// Whether this request is of 2026-07-28 or later.
pub(super) fn is_modern(exchange: &Exchange) -> bool {
    exchange.era == Era::Modern
}

/// The least severe log level that a modern request asked to hear.
pub(super) fn requested_log_level(exchange: &Exchange) -> Option<String> {
    exchange.meta.get(LOG_LEVEL_KEY).and_then(Value::as_str).map(Into::into)
}

/// What the client of this request can be asked: by the request itself in the modern era, by its handshake before.
pub(super) fn client_capabilities(exchange: &Exchange) -> ClientCapabilities {
    ClientCapabilities::of(&exchange.capabilities)
}

/// Puts a backend's request to a client with a handshake, while its own request is open.
///
/// Dropping the future takes the question back.
pub(super) async fn ask(exchange: &Exchange, method: &str, mut params: JsonObject) -> Result<JsonObject, JsonObject> {
    // Required before 2026-07-28, and gone since; a server of the one does not name it to a client of the other.
    if method == "elicitation/create" && params.get("mode").and_then(Value::as_str) == Some("url") {
        params.entry("elicitationId").or_insert_with(fresh_id);
    }
    match exchange.ask(method, params).await {
        Some(answer) => answer.map_err(RpcError::into_object),
        None => Err(unanswered()),
    }
}

fn fresh_id() -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("toolcrib-{}", NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

/// The error of a question that the client did not answer.
pub(super) fn unanswered() -> JsonObject {
    RpcError::new(-32000, "the client did not answer").into_object()
}

/// What of a request's `_meta` goes on to the backend.
pub(super) fn passed_on(exchange: &Exchange) -> JsonObject {
    let kept =
        |(key, value): (&String, &Value)| (!HOP_KEYS.contains(&key.as_str())).then(|| (key.clone(), value.clone()));
    exchange.meta.iter().filter_map(kept).collect()
}

/// Whether a result asks the client for input rather than being one.
pub(super) fn wants_input(result: &JsonObject) -> bool {
    result.get("resultType").and_then(Value::as_str) == Some("input_required")
}

/// Gives a result the form that the client's era wants: `resultType` is required in the modern one and unknown before, and lists
/// say there how long they may be kept. Nothing else of it changes.
#[must_use]
pub fn shaped(result: JsonObject, method: &str, era: Era) -> JsonObject {
    let mut shaped = result;
    match (era, shaped.get("resultType").and_then(Value::as_str)) {
        (Era::Legacy, Some("complete")) => {
            shaped.shift_remove("resultType");
        }
        (Era::Modern, None) => {
            shaped.shift_insert(0, "resultType".into(), "complete".into());
        }
        (Era::Legacy | Era::Modern, _) => {}
    }
    if era == Era::Modern && may_be_kept(method) && !wants_input(&shaped) {
        // Nothing is known of how long a server's word holds: not at all, and for nobody else.
        shaped.entry("ttlMs").or_insert_with(|| 0.into());
        shaped.entry("cacheScope").or_insert_with(|| "private".into());
    }
    shaped
}

fn may_be_kept(method: &str) -> bool {
    matches!(method, "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" | "resources/read")
}

/// Gives an error of a backend of before the code that the modern era has for it.
#[must_use]
pub fn shaped_error(error: RpcError, era: Era) -> RpcError {
    match (era, error.code()) {
        (Era::Modern, RESOURCE_NOT_FOUND) => error.with_code(RpcError::INVALID_PARAMS),
        (Era::Modern, URL_ELICITATION_REQUIRED) => {
            error.with_code(MISSING_CAPABILITY).with_data(json!({"requiredCapabilities": {"elicitation": {"url": {}}}}))
        }
        (Era::Legacy | Era::Modern, _) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> JsonObject {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_legacy_result_gets_its_result_type_for_a_modern_client() {
        let shaped = shaped(object(&json!({"content": []})), "tools/call", Era::Modern);
        assert_eq!(Value::Object(shaped).to_string(), r#"{"resultType":"complete","content":[]}"#);
    }

    #[test]
    fn a_modern_result_loses_it_for_a_legacy_client_and_keeps_all_else() {
        let shaped =
            shaped(object(&json!({"resultType": "complete", "content": [], "x": 1})), "tools/call", Era::Legacy);
        assert_eq!(Value::Object(shaped), json!({"content": [], "x": 1}));
    }
}
