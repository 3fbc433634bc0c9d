//! A live session over a scripted backend: levels of log messages, and headers of calls.
#![expect(clippy::needless_pass_by_value, reason = "a value written in place reads better")]

use serde_json::json;

use super::*;
use crate::backends::scripted::{Ear, Scripted, error, result};

fn listener(level: &'static str) -> Arc<Ear> {
    Arc::new(Ear { level: Some(level), ..Ear::default() })
}

fn call(arguments: Value) -> Request {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    Request::call(&"query".parse().unwrap(), arguments, Duration::from_secs(5))
}

fn definition(header: &str) -> Value {
    json!({"name": "query", "inputSchema": {"properties": {"region": {"type": "string", "x-mcp-header": header}}}})
}

fn known(header: &str) -> Arc<ToolEntry> {
    Arc::new(ToolEntry::new("far/query".parse().unwrap(), definition(header).as_object().unwrap()))
}

/// A modern HTTP endpoint that wants `Mcp-Param-Region` and lists a tool that says so, beside one that may not be used.
fn strict() -> Arc<Scripted> {
    Scripted::over_http(|message| match message["method"].as_str() {
        Some("tools/list") => {
            let unusable =
                json!({"name": "bad", "inputSchema": {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}});
            result(message, json!({"tools": [definition("Region"), unusable]}))
        }
        Some("tools/call") if message["headers"]["mcp-param-region"] != message["params"]["arguments"]["region"] => {
            error(message, -32020)
        }
        _ => result(message, json!({"content": []})),
    })
}

#[tokio::test(start_paused = true)]
async fn a_backend_with_a_handshake_is_asked_once_for_log_messages_and_again_only_for_less_severe_ones() {
    let wire = Scripted::new(|message| match message["method"].as_str() {
        // That it cannot set a level harms no call.
        Some("logging/setLevel") => error(message, -32603),
        _ => result(message, json!({})),
    });
    let session = wire.session(Era::Legacy, json!({"logging": {}}));
    for level in ["warning", "error", "warning", "info", "debug", "info"] {
        session.request(call(json!({})), listener(level)).await.unwrap();
    }
    session.request(call(json!({})), Arc::<Ear>::default()).await.unwrap();
    let set: Vec<Value> =
        wire.sent_of("logging/setLevel").iter().map(|message| message["params"]["level"].clone()).collect();
    assert_eq!(set, ["warning", "info", "debug"]);
    assert_eq!(wire.sent()[0]["method"], "logging/setLevel");
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_announces_no_log_messages_is_asked_for_none_and_a_modern_one_by_the_request() {
    let wire = Scripted::new(|message| result(message, json!({})));
    let session = wire.session(Era::Legacy, json!({}));
    session.request(call(json!({})), listener("info")).await.unwrap();
    let session = wire.session(Era::Modern, json!({"logging": {}}));
    session.request(call(json!({})), listener("info")).await.unwrap();
    assert!(wire.sent_of("logging/setLevel").is_empty());
    assert_eq!(wire.sent()[1]["params"]["_meta"]["io.modelcontextprotocol/logLevel"], "info");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_known_tool_repeats_its_arguments_and_lists_nothing() {
    let wire = strict();
    let session = wire.session(Era::Modern, json!({}));
    session.request(call(json!({"region": "eu"})).of(&known("Region")), Arc::<Ear>::default()).await.unwrap();
    assert_eq!(wire.sent().len(), 1);
    assert_eq!(wire.sent()[0]["headers"]["mcp-name"], "query");
}

#[tokio::test(start_paused = true)]
async fn a_call_of_an_unknown_tool_lists_once() {
    let wire = strict();
    let session = wire.session(Era::Modern, json!({}));
    for region in ["eu", "us"] {
        session.request(call(json!({"region": region})), Arc::<Ear>::default()).await.unwrap();
    }
    assert_eq!((wire.sent_of("tools/list").len(), wire.sent_of("tools/call").len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_the_catalog_says_wrongly_of_headers_is_corrected_by_the_backend_once_and_for_all() {
    let wire = strict();
    let session = wire.session(Era::Modern, json!({}));
    for region in ["eu", "us"] {
        let call = call(json!({"region": region})).of(&known("Area"));
        session.request(call, Arc::<Ear>::default()).await.unwrap();
    }
    assert_eq!((wire.sent_of("tools/list").len(), wire.sent_of("tools/call").len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_misses_a_header_for_good_is_made_twice_and_not_more() {
    let wire = Scripted::over_http(|message| match message["method"].as_str() {
        Some("tools/list") => result(message, json!({"tools": []})),
        _ => error(message, -32020),
    });
    let session = wire.session(Era::Modern, json!({}));
    let refused = session.request(call(json!({})).of(&known("Region")), Arc::<Ear>::default()).await.unwrap_err();
    assert!(matches!(refused, BackendError::Rpc { code: -32020, .. }), "{refused:?}");
    assert_eq!(wire.sent_of("tools/call").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_may_not_be_used_over_http_is_in_no_list() {
    let wire = strict();
    let session = wire.session(Era::Modern, json!({}));
    let listing = session.listing(Duration::from_secs(5)).await.unwrap();
    assert_eq!(listing.tools, [definition("Region")]);
    assert_eq!(
        listing.notes,
        ["tool `bad` was left out: x-mcp-header of `a` is on what is no string, integer or boolean"]
    );
    let list = Request::new("tools/list", JsonObject::new(), Duration::from_secs(5));
    let passed = session.request(list, Arc::<Ear>::default()).await.unwrap();
    assert_eq!(passed["tools"], json!([definition("Region")]));
}
