//! Clients of the stateless era.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::stage::Stage;

#[tokio::test]
async fn what_is_answered_at_once_is_json() {
    let stage = Stage::open().await;
    let answer = stage.http.modern("server/discover", json!({})).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("mcp-session-id"), None);
    assert_eq!(answer.json().await["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "actor");
    let call = json!({"name": "echo", "arguments": {"a": 1}});
    let answer = stage.http.modern("tools/call", call).await.json().await;
    assert_eq!(answer["result"]["content"][0]["text"], r#"{"a":1}"#);
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(stage.told.opened.load(Ordering::SeqCst), 1, "they are one conversation");
    stage.http.at("/servers/known/mcp").modern("tools/list", json!({})).await;
    assert_eq!(stage.told.opened.load(Ordering::SeqCst), 2, "another place");
    stage.close().await;
}

#[tokio::test]
async fn what_is_said_before_the_answer_makes_it_a_stream() {
    let stage = Stage::open().await;
    let answer = stage.http.modern("tools/call", json!({"name": "tells"})).await;
    assert!(answer.is_stream() && answer.status == 200);
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    let events = answer.events().await;
    let progress: Vec<&Value> = events.iter().map(|event| &event["params"]["progress"]).collect();
    assert_eq!(progress, [&json!(0), &json!(1), &Value::Null]);
    assert_eq!(events[2]["result"]["content"][0]["text"], "told");
    stage.close().await;
}

#[tokio::test]
async fn more_messages_than_can_wait_arrive_in_order() {
    let stage = Stage::open().await;
    let answer = stage.http.modern("tools/call", json!({"name": "tells", "arguments": {"times": 500}})).await;
    let events = answer.events().await;
    assert_eq!(events.len(), 501);
    assert!(events.iter().take(500).enumerate().all(|(at, event)| event["params"]["progress"] == json!(at)));
    stage.close().await;
}

#[tokio::test]
async fn who_closes_the_stream_cancels_the_request() {
    let stage = Stage::open().await;
    let mut answer = stage.http.modern("tools/call", json!({"name": "waits"})).await;
    assert!(answer.event().await.is_some());
    drop(answer);
    stage.told.reaches(&stage.told.dropped, 1).await;
    assert_eq!(stage.http.modern("tools/call", json!({"name": "echo"})).await.status, 200);
    stage.close().await;
}

#[tokio::test]
async fn a_subscription_lasts_until_the_server_stops_and_then_ends_with_its_answer() {
    let stage = Stage::open().await;
    let mut answer = stage.http.modern("subscriptions/listen", json!({"notifications": {}})).await;
    let first = answer.event().await.unwrap().json();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    let closing = tokio::spawn(stage.close());
    let last = answer.last().await;
    assert_eq!(last["result"]["resultType"], "complete", "{last}");
    closing.await.unwrap();
}

#[tokio::test]
async fn errors_about_a_request_have_a_status_of_their_own() {
    let stage = Stage::open().await;
    for method in ["no/such", "initialize", "ping", "logging/setLevel", "resources/subscribe"] {
        let answer = stage.http.modern(method, json!({})).await;
        assert_eq!(answer.status, 404, "{method}");
        let answer = answer.json().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32601)), "{method}");
    }
    let (http, mut message) = stage.http.modern_message("tools/list", json!({}));
    message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2099-01-01".into();
    let unknown = http.with("MCP-Protocol-Version", "2099-01-01").post(&message).await;
    assert_eq!(unknown.status, 400);
    let error = unknown.json().await["error"].clone();
    assert_eq!((&error["code"], &error["data"]["requested"]), (&json!(-32022), &json!("2099-01-01")));
    assert_eq!(error["data"]["supported"][0], "2026-07-28");
    for missing in ["protocolVersion", "clientCapabilities"] {
        let (http, mut message) = stage.http.modern_message("tools/list", json!({}));
        let meta = message["params"]["_meta"].as_object_mut().unwrap();
        meta.remove(&format!("io.modelcontextprotocol/{missing}"));
        let answer = http.post(&message).await;
        assert_eq!(answer.status, 400, "{missing}");
        assert_eq!(answer.json().await["error"]["code"], -32602, "{missing}");
    }
    stage.close().await;
}

#[tokio::test]
async fn headers_that_say_other_than_the_body_are_refused() {
    let stage = Stage::open().await;
    let (http, message) =
        stage.http.modern_message("tools/call", json!({"name": "echo", "arguments": {"region": "w"}}));
    let http = http.with("Mcp-Param-Region", "w");
    assert_eq!(http.post(&message).await.status, 200);
    for (name, value) in [
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", ""),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Method", ""),
        ("Mcp-Name", "tells"),
        ("Mcp-Name", ""),
        ("Mcp-Name", "=?base64?bm8=?="),
        ("Mcp-Param-Region", "e"),
        ("Mcp-Param-Region", ""),
    ] {
        let answer = http.with(name, value).post(&message).await;
        assert_eq!(answer.status, 400, "{name}: {value}");
        let answer = answer.json().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32020)), "{name}: {value}");
    }
    assert_eq!(http.with("Mcp-Name", "=?base64?ZWNobw==?=").post(&message).await.status, 200);
    stage.close().await;
}

#[tokio::test]
async fn there_is_nothing_to_get_or_to_delete_and_nothing_to_answer() {
    let stage = Stage::open().await;
    let http = stage.http.with("MCP-Protocol-Version", "2026-07-28");
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        let answer = http.send(method, b"").await;
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.header("allow").unwrap().contains("POST"));
    }
    let note = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert_eq!(http.post(&note).await.status, 202);
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(http.post(&response).await.status, 400);
    let (http, message) = stage.http.modern_message("tools/list", json!({}));
    let batch = http.post(&json!([message, message])).await;
    assert_eq!(batch.status, 400);
    assert!(batch.json().await["error"]["code"].is_i64());
    let ignored = http.with("Mcp-Session-Id", "of another era").post(&message).await;
    assert_eq!((ignored.status, ignored.header("mcp-session-id")), (200, None));
    stage.close().await;
}
