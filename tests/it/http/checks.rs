//! Who comes in and what is taken: host, origin, token, types, sizes, and any bytes at all.

use proptest::{
    prelude::{Strategy, any},
    prop_assert, prop_oneof,
    strategy::Just,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use toolcrib::http::Limits;

use super::{
    client::{Http, raw},
    stage::Stage,
};

fn ping() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})
}

#[tokio::test]
async fn nobody_comes_in_under_another_name_or_from_another_page() {
    let stage = Stage::open().await;
    let session = stage.http.session("2025-11-25", json!({})).await;
    let port = stage.http.port;
    for (name, value, status) in [
        ("Host", format!("localhost:{port}"), 200),
        ("Host", format!("[::1]:{port}"), 200),
        ("Host", "evil.example".to_owned(), 403),
        ("Host", format!("evil.example:{port}"), 403),
        ("Host", "localhost:1".to_owned(), 403),
        ("Host", format!("localhost.:{port}"), 403),
        ("Host", String::new(), 403),
        ("Origin", "http://localhost:3000".to_owned(), 200),
        ("Origin", "http://evil.example".to_owned(), 403),
        ("Origin", "null".to_owned(), 403),
    ] {
        let answer = session.with(name, &value).post(&ping()).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        if status == 403 {
            assert_eq!(answer.header("connection"), Some("close"));
            assert_eq!(answer.json().await["id"], Value::Null);
        }
    }
    for double in ["Host: evil.example", "Origin: http://evil.example\r\nOrigin: http://localhost"] {
        let bytes = session.bytes("POST", ping().to_string().as_bytes());
        let text = String::from_utf8(bytes).unwrap().replacen("\r\n", &format!("\r\n{double}\r\n"), 1);
        assert_eq!(raw(port, text.as_bytes()).await.status, 403, "{double}");
    }
    let absolute = session.at("http://evil.example/mcp").post(&ping()).await;
    assert_eq!(absolute.status, 403);
    stage.close().await;
}

#[tokio::test]
async fn every_path_but_one_wants_the_token_before_anything_else() {
    let stage = Stage::open().await;
    for path in [
        "/mcp",
        "/servers/known/mcp",
        "/servers/unknown/mcp",
        "/",
        "/nowhere",
        "/mcp/",
        "//mcp",
        "/%6dcp",
        "/healthz/x",
    ] {
        for method in ["GET", "POST", "DELETE", "OPTIONS", "PUT", "TRACE"] {
            for token in ["", "Bearer wrong", "Basic 0123456789abcdef", "0123456789abcdef"] {
                let answer = stage.http.at(path).with("Authorization", token).send(method, b"{}").await;
                assert_eq!(answer.status, 401, "{method} {path} {token}");
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
                assert!(!answer.text().await.contains("0123456789abcdef"));
            }
        }
    }
    let health = stage.http.at("/healthz").with("Authorization", "");
    let answer = health.get().await;
    assert_eq!((answer.status, answer.text().await.as_str()), (200, "ok\n"));
    assert_eq!(health.with("Host", "evil.example").get().await.status, 403);
    assert_eq!(stage.http.at("/nowhere").get().await.status, 404);
    assert_eq!(stage.http.at("/mcp/").get().await.status, 404);
    stage.close().await;
}

#[tokio::test]
async fn types_and_sizes_are_checked() {
    let limits = Limits { body_bytes: 1000, ..Limits::default() };
    let stage = Stage::within(limits).await;
    let session = stage.http.session("2025-11-25", json!({})).await;
    for (name, value, status) in [
        ("Accept", "application/json", 406),
        ("Accept", "text/event-stream", 406),
        ("Accept", "*/*", 200),
        ("Accept", "", 200),
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "", 415),
        ("Content-Type", "application/json; charset=utf-8", 200),
    ] {
        assert_eq!(session.with(name, value).post(&ping()).await.status, status, "{name}: {value}");
    }
    assert_eq!(session.with("Accept", "application/json").get().await.status, 406);
    let long = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "y".repeat(1000)}});
    assert_eq!(session.post(&long).await.status, 413);
    let head = String::from_utf8(session.bytes("POST", b"")).unwrap();
    let chunked = head.replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let chunk = format!("3e8\r\n{}\r\n", " ".repeat(1000));
    let endless = format!("{chunked}{chunk}{chunk}");
    assert_eq!(raw(session.port, endless.as_bytes()).await.status, 413, "whatever length was announced");
    stage.close().await;
}

#[tokio::test]
async fn a_head_of_any_size_is_answered() {
    let stage = Stage::open().await;
    let mut many = stage.http.clone();
    many.headers.extend((0..200).map(|at| (format!("X-{at}"), "x".into())));
    for http in [stage.http.with("X-Long", &"x".repeat(100_000)), many] {
        let status = http.post(&ping()).await.status;
        assert!((400..500).contains(&status), "{status}");
    }
    for bytes in ["GET\r\n\r\n", "POST /mcp HTTP/9.9\r\n\r\n", "\u{0}\u{1}\r\n\r\n"] {
        let answer = raw(stage.http.port, bytes.as_bytes()).await;
        assert!((400..500).contains(&answer.status), "{bytes:?}");
    }
    let both = String::from_utf8(stage.http.bytes("POST", b"5\r\nhello\r\n0\r\n\r\n")).unwrap();
    let both = both.replacen("\r\n", "\r\nTransfer-Encoding: chunked\r\n", 1).replace("Bearer", "Nobody");
    assert_eq!(raw(stage.http.port, both.as_bytes()).await.header("connection"), Some("close"), "nothing is smuggled");
    stage.close().await;
}

/// Bodies that are nearly messages, and bodies that are nothing.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let parts = prop_oneof![
        Just(r#""jsonrpc":"2.0""#),
        Just(r#""id":1"#),
        Just(r#""id":null"#),
        Just(r#""id":{}"#),
        Just(r#""method":"initialize""#),
        Just(r#""method":"tools/list""#),
        Just(r#""method":"tools/call""#),
        Just(r#""method":"subscriptions/listen""#),
        Just(r#""method":5"#),
        Just(r#""params":{"protocolVersion":"2025-11-25"}"#),
        Just(r#""params":{"name":"echo","arguments":[]}"#),
        Just(r#""params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#),
        Just(r#""params":{"_meta":{"io.modelcontextprotocol/protocolVersion":7}}"#),
        Just(r#""params":[]"#),
        Just(r#""result":{}"#),
        Just(r#""error":{"code":-1}"#),
    ];
    let object = proptest::collection::vec(parts, 0..5).prop_map(|parts| format!("{{{}}}", parts.join(",")));
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        object.clone().prop_map(String::into_bytes),
        object.clone().prop_map(|object| format!("[{object},{object}]").into_bytes()),
        object.prop_map(|object| object.into_bytes().split_last().map_or(Vec::new(), |(_, most)| most.to_vec())),
        (0..5000usize).prop_map(|deep| "[".repeat(deep).into_bytes()),
    ]
}

#[test]
fn whatever_is_posted_gets_a_well_formed_answer() {
    let runtime = Runtime::new().unwrap();
    let stage = runtime.block_on(Stage::open());
    let session = runtime.block_on(stage.http.session("2025-03-26", json!({})));
    let modern = stage.http.with("MCP-Protocol-Version", "2026-07-28").with("Mcp-Method", "tools/list");
    let clients: [Http; 3] = [stage.http.clone(), session, modern];
    let mut runner = TestRunner::new(Config { cases: 200, ..Config::default() });
    let outcome = runner.run(&(bodies(), 0..clients.len()), |(body, client)| {
        let answer = runtime.block_on(clients[client].send("POST", &body));
        let status = answer.status;
        prop_assert!((200..300).contains(&status) || (400..500).contains(&status), "{status}");
        if !answer.is_stream() {
            let text = runtime.block_on(answer.text());
            prop_assert!(text.is_empty() || serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(stage.close());
}
