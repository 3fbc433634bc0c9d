//! Clients with a handshake: sessions, streams, and what is asked meanwhile.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use toolcrib::http::Limits;

use super::{client::Event, stage::Stage};

const NEWEST: &str = "2025-11-25";

fn call(name: &str, arguments: &Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

fn progress(event: &Event) -> Value {
    event.json()["params"]["progress"].clone()
}

#[tokio::test]
async fn every_version_with_a_handshake_gets_a_session_of_its_own() {
    let stage = Stage::open().await;
    let mut ids = Vec::new();
    for version in [NEWEST, "2025-06-18", "2025-03-26", "2024-11-05"] {
        let session = stage.http.session(version, json!({})).await;
        let answer = session.request(1, "tools/call", call("echo", &json!({"v": version}))).await.last().await;
        assert_eq!(answer["result"]["content"][0]["text"], json!({"v": version}).to_string());
        assert_eq!(
            session.request(2, "ping", json!({})).await.json().await,
            json!({"jsonrpc": "2.0", "id": 2, "result": {}})
        );
        let (_, id) = session.headers.iter().find(|(name, _)| name == "Mcp-Session-Id").unwrap().clone();
        assert!(id.len() >= 43 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 4);
    assert_eq!(stage.told.opened.load(Ordering::SeqCst), 4);
    stage.close().await;
}

#[tokio::test]
async fn a_call_of_the_newest_version_can_be_resumed_from_its_first_moment() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    let mut answer = session.request(1, "tools/call", call("waits", &json!({}))).await;
    let priming = answer.event().await.unwrap();
    assert_eq!((priming.data.as_str(), priming.retry), ("", Some(3000)));
    let first = answer.event().await.unwrap();
    assert_eq!(progress(&first), 0);
    // The connection breaks; the call goes on.
    drop(answer);
    stage.told.go_on.notify_one();
    let mut rest = session.with("Last-Event-ID", first.id.as_deref().unwrap()).get().await;
    assert_eq!(progress(&rest.event().await.unwrap()), 1);
    let last = rest.last().await;
    assert_eq!(last["result"]["content"][0]["text"], "waited");
    assert_eq!(stage.told.dropped.load(Ordering::SeqCst), 0);
    // And once more, from the beginning.
    let again = session.with("Last-Event-ID", priming.id.as_deref().unwrap()).get().await.events().await;
    assert_eq!(again.len(), 3);
    assert_eq!(again[2], last);
    stage.close().await;
}

#[tokio::test]
async fn a_stream_is_resumed_with_what_it_had_and_nothing_of_others() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    let mut one = session.request(1, "tools/call", call("waits", &json!({}))).await;
    let id = one.event().await.unwrap().id.unwrap();
    let other = session.request(2, "tools/call", call("tells", &json!({}))).await.events().await;
    assert_eq!(other.len(), 3);
    let mut taken = session.with("Last-Event-ID", &id).get().await;
    assert_eq!(progress(&taken.event().await.unwrap()), 0);
    assert_eq!(one.event().await.map(|event| progress(&event)).unwrap_or_default(), Value::from(0));
    assert_eq!(one.event().await, None, "who resumes takes the stream over");
    stage.told.go_on.notify_one();
    assert_eq!(taken.last().await["id"], 1);
    for unknown in ["77-0", "x", "1", ""] {
        let answer = session.with("Last-Event-ID", unknown).get().await;
        let is_listening = unknown.is_empty();
        assert_eq!(answer.status, if is_listening { 200 } else { 400 }, "{unknown}");
    }
    stage.close().await;
}

#[tokio::test]
async fn an_ended_stream_is_kept_for_a_while_and_no_longer() {
    let limits = Limits { kept_for: Duration::ZERO, ..Limits::default() };
    let stage = Stage::within(limits).await;
    let session = stage.http.session(NEWEST, json!({})).await;
    let mut answer = session.request(1, "tools/call", call("echo", &json!({}))).await;
    let id = answer.event().await.unwrap().id.unwrap();
    answer.last().await;
    assert_eq!(session.with("Last-Event-ID", &id).get().await.status, 400);
    stage.close().await;
}

#[tokio::test]
async fn older_versions_get_json_where_nothing_is_said_before() {
    let stage = Stage::open().await;
    let session = stage.http.session("2025-06-18", json!({})).await;
    let answer = session.request(1, "tools/call", call("echo", &json!({}))).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut told = session.request(2, "tools/call", call("tells", &json!({}))).await;
    let first = told.event().await.unwrap();
    assert!(first.id.is_some() && !first.data.is_empty(), "no event without data: {first:?}");
    assert_eq!(told.events().await.len(), 2);
    stage.close().await;
}

#[tokio::test]
async fn an_answer_that_takes_long_becomes_a_stream_that_says_it_is_alive() {
    let limits = Limits { keep_alive: Duration::from_millis(20), ..Limits::default() };
    let stage = Stage::within(limits).await;
    let session = stage.http.session("2025-06-18", json!({"elicitation": {}})).await;
    let mut listening = session.get().await;
    let answer = session.request(1, "tools/call", call("waits", &json!({}))).await;
    stage.told.reaches(&stage.told.began, 1).await;
    stage.told.go_on.notify_one();
    assert_eq!(answer.last().await["result"]["content"][0]["text"], "waited");
    session.request(2, "tools/call", call("hints", &json!({}))).await;
    assert_eq!(listening.event().await.unwrap().json()["method"], "notifications/hint");
    stage.close().await;
}

#[tokio::test]
async fn a_client_is_asked_on_the_stream_of_its_call_and_answers_by_a_post() {
    let stage = Stage::open().await;
    for version in [NEWEST, "2025-06-18"] {
        let session = stage.http.session(version, json!({"elicitation": {}})).await;
        let mut answer = session.request(5, "tools/call", call("asks", &json!({"message": "Who?"}))).await;
        let mut question = answer.event().await.unwrap();
        if question.data.is_empty() {
            question = answer.event().await.unwrap();
        }
        let question = question.json();
        assert_eq!(
            (&question["method"], &question["params"]["message"]),
            (&json!("elicitation/create"), &json!("Who?"))
        );
        let said = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept"}});
        assert_eq!(session.post(&said).await.status, 202);
        assert_eq!(answer.last().await["result"]["content"][0]["text"], r#"{"action":"accept"}"#);
    }
    stage.close().await;
}

#[tokio::test]
async fn a_call_is_cancelled_by_saying_so_and_by_nothing_less() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    let mut answer = session.request(7, "tools/call", call("waits", &json!({}))).await;
    answer.event().await.unwrap();
    stage.told.reaches(&stage.told.began, 1).await;
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}});
    assert_eq!(session.post(&cancel).await.status, 202);
    stage.told.reaches(&stage.told.dropped, 1).await;
    assert!(answer.events().await.iter().all(|event| event.get("result").is_none()));
    stage.close().await;
}

#[tokio::test]
async fn what_is_said_unasked_goes_to_one_listener_and_waits_for_it() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    session.request(1, "tools/call", call("hints", &json!({}))).await.last().await;
    let mut first = session.get().await;
    assert_eq!(first.event().await.unwrap().data, "", "where to resume");
    let hint = first.event().await.unwrap();
    assert_eq!(hint.json()["method"], "notifications/hint");
    let mut second = session.get().await;
    assert_eq!(first.event().await, None, "the newer listener takes over");
    assert_eq!(second.event().await.unwrap().id, hint.id, "from where the first was");
    session.request(2, "tools/call", call("hints", &json!({}))).await.last().await;
    assert_eq!(second.event().await.unwrap().json()["method"], "notifications/hint");
    stage.close().await;
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so_and_takes_all_with_it() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    let mut listening = session.get().await;
    let mut answer = session.request(1, "tools/call", call("waits", &json!({}))).await;
    answer.event().await.unwrap();
    stage.told.reaches(&stage.told.began, 1).await;
    assert_eq!(session.send("DELETE", b"").await.status, 204);
    stage.told.reaches(&stage.told.dropped, 1).await;
    while listening.event().await.is_some() {}
    for answer in [session.request(2, "ping", json!({})).await, session.get().await, session.send("DELETE", b"").await]
    {
        assert_eq!(answer.status, 404);
    }
    stage.close().await;
}

#[tokio::test]
async fn requests_need_their_session_in_its_own_place() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    for (http, status) in [
        (session.with("Mcp-Session-Id", ""), 400),
        (session.with("Mcp-Session-Id", "guessed"), 404),
        (session.at("/servers/known/mcp"), 404),
        (session.at("/servers/unknown/mcp"), 404),
        (session.at("/servers/No%20Name/mcp"), 404),
        (session.with("MCP-Protocol-Version", "2000-01-01"), 400),
        (session.with("MCP-Protocol-Version", "nonsense"), 400),
        (session.with("MCP-Protocol-Version", ""), 200),
        (session.clone(), 200),
    ] {
        assert_eq!(http.request(1, "ping", json!({})).await.status, status, "{http:?}");
    }
    let other = stage.http.at("/servers/known/mcp").session(NEWEST, json!({})).await;
    assert_eq!(other.request(1, "ping", json!({})).await.status, 200);
    let twice = session.request(1, "initialize", json!({"protocolVersion": NEWEST})).await;
    assert_eq!(twice.last().await["error"]["code"], -32600);
    let unread = stage.http.request(1, "initialize", json!({})).await;
    assert_eq!((unread.status, unread.header("mcp-session-id")), (400, None));
    stage.close().await;
}

#[tokio::test]
async fn arrays_of_messages_are_taken_from_the_one_version_that_has_them() {
    let stage = Stage::open().await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call("tells", &json!({}))},
        {"jsonrpc": "2.0", "id": {}, "method": "ping"},
    ]);
    let session = stage.http.session("2025-03-26", json!({})).await;
    let events = session.post(&batch).await.events().await;
    let of = |id: Value| events.iter().filter(|event| event.get("method").is_none() && event["id"] == id).count();
    assert_eq!((of(json!(1)), of(json!(2)), of(Value::Null), events.len()), (1, 1, 1, 5), "{events:?}");
    let notes = json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]);
    assert_eq!(session.post(&notes).await.status, 202);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for wrong in [json!([]), Value::Array(vec![ping; 17])] {
        assert_eq!(session.post(&wrong).await.status, 400);
    }
    for version in [NEWEST, "2025-06-18"] {
        let session = stage.http.session(version, json!({})).await;
        let refused = session.post(&batch).await;
        assert_eq!(refused.status, 400);
        assert_eq!(refused.json().await["error"]["code"], -32600);
    }
    stage.close().await;
}

#[tokio::test]
async fn open_calls_are_answered_while_the_server_stops() {
    let stage = Stage::open().await;
    let session = stage.http.session(NEWEST, json!({})).await;
    let mut listening = session.get().await;
    let answer = session.request(1, "tools/call", call("waits", &json!({}))).await;
    stage.told.reaches(&stage.told.began, 1).await;
    let told = stage.told.clone();
    let port = stage.http.port;
    let closing = tokio::spawn(stage.close());
    while listening.event().await.is_some() {}
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err(), "nobody comes in any more");
    told.go_on.notify_one();
    assert_eq!(answer.last().await["result"]["content"][0]["text"], "waited");
    closing.await.unwrap();
}
