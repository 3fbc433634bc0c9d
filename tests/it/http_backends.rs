//! Backends over HTTP: Streamable HTTP with JSON and with event streams, HTTP+SSE of 2024-11-05, refusals.
//!
//! The endpoint is written by hand, one request to a connection, so that it can do what a library would not.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};

use crate::support::Home;

/// How the endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Events,
    OldSse,
    Unauthorized,
    Redirecting,
}

#[derive(Debug)]
struct Endpoint {
    address: SocketAddr,
    /// Heads of the requests that came.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let (stream, _) = broadcast::channel::<String>(64);
        let kept = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, kind, Arc::clone(&kept), stream.clone()));
            }
        });
        Self { address, heads }
    }

    fn home(&self, path: &str) -> Home {
        let home = Home::new();
        home.write(
            "toolcrib.toml",
            &format!(
                "[servers.far]\nurl = \"http://{}{path}\"\nheaders = {{ X-Key = \"k3y\" }}\nstart_timeout = \"5s\"\n",
                self.address
            ),
        );
        home
    }

    fn saw(&self, part: &str) -> bool {
        self.heads.lock().unwrap().iter().any(|head| head.to_lowercase().contains(&part.to_lowercase()))
    }
}

async fn serve(
    mut connection: TcpStream,
    kind: Kind,
    heads: Arc<Mutex<Vec<String>>>,
    stream: broadcast::Sender<String>,
) {
    let Some((head, body)) = read_request(&mut connection).await else { return };
    heads.lock().unwrap().push(head.clone());
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = answer(&message);
    let reply = match (kind, head.split(' ').next().unwrap_or_default()) {
        (Kind::Unauthorized, _) => plain("401 Unauthorized", "text/plain", "no"),
        (Kind::Redirecting, _) => "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://localhost:9/steal\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into(),
        (Kind::OldSse, "GET") => {
            let mut messages = stream.subscribe();
            let opening = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\nevent: endpoint\ndata: /post\n\n";
            connection.write_all(opening.as_bytes()).await.unwrap();
            while let Ok(message) = messages.recv().await {
                if connection.write_all(format!("event: message\ndata: {message}\n\n").as_bytes()).await.is_err() {
                    return;
                }
            }
            return;
        }
        (Kind::OldSse, "POST") if head.starts_with("POST /post") => {
            if let Some(answer) = answer {
                let _ = stream.send(answer.to_string());
            }
            plain("202 Accepted", "text/plain", "")
        }
        (Kind::OldSse, _) => plain("404 Not Found", "text/plain", "no such page"),
        (_, "POST") => match answer {
            None => plain("202 Accepted", "text/plain", ""),
            Some(answer) if kind == Kind::Events => {
                let note = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}});
                plain("200 OK", "text/event-stream", &format!(": hello\n\ndata: {note}\n\nid: 1\ndata: {answer}\n\n"))
            }
            Some(answer) => plain("200 OK", "application/json", &answer.to_string()),
        },
        _ => plain("405 Method Not Allowed", "text/plain", ""),
    };
    let _ = connection.write_all(reply.as_bytes()).await;
}

fn plain(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nmcp-session-id: s-1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn answer(message: &Value) -> Option<Value> {
    let id = message.get("id")?;
    let result = match message["method"].as_str()? {
        "initialize" => json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "far", "version": "1"},
        }),
        "tools/list" => {
            json!({"tools": [{"name": "echo", "description": "Say it again.", "inputSchema": {"type": "object"}}]})
        }
        "tools/call" => {
            json!({"content": [{"type": "text", "text": message["params"]["arguments"].to_string()}], "future": 1})
        }
        _ => return Some(json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "no"}})),
    };
    Some(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

async fn read_request(connection: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = connection.read(&mut buffer).await.ok()?;
        bytes.extend_from_slice(&buffer[..read]);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length: ").and_then(|length| length.parse().ok())
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some((head, bytes[end + 4..end + 4 + length].to_vec()));
            }
        }
        if read == 0 {
            return None;
        }
    }
}

async fn echo_through(home: &Home) -> Value {
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": "far/echo", "arguments": {"a": 1}})).await;
    crib.close().await;
    result
}

#[tokio::test]
async fn streamable_http_works_with_json_and_with_event_streams() {
    for kind in [Kind::Json, Kind::Events] {
        let endpoint = Endpoint::start(kind).await;
        let home = endpoint.home("/mcp").reindexed().await;
        let result = echo_through(&home).await;
        assert_eq!(result, json!({"content": [{"type": "text", "text": "{\"a\":1}"}], "future": 1}), "{kind:?}");
        assert!(endpoint.saw("x-key: k3y") && endpoint.saw("mcp-session-id: s-1"), "{kind:?}");
        assert!(endpoint.saw("mcp-protocol-version: 2025-06-18"), "{kind:?}");
    }
}

#[tokio::test]
async fn an_older_endpoint_is_recognised_and_spoken_to_over_sse() {
    let endpoint = Endpoint::start(Kind::OldSse).await;
    let home = endpoint.home("/sse").reindexed().await;
    let result = echo_through(&home).await;
    assert_eq!(result["content"][0]["text"], "{\"a\":1}", "{result}");
}

#[tokio::test]
async fn an_endpoint_that_wants_credentials_says_so() {
    let endpoint = Endpoint::start(Kind::Unauthorized).await;
    let ran = endpoint.home("/mcp").run(&["reindex"]).await;
    assert!(ran.stderr.contains("wants authorization (HTTP 401)"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("k3y"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let endpoint = Endpoint::start(Kind::Redirecting).await;
    let ran = endpoint.home("/mcp").run(&["reindex"]).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("HTTP 307"), "{}", ran.stderr);
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_told_at_once() {
    let home = Home::new();
    home.write("toolcrib.toml", "[servers.far]\nurl = \"http://127.0.0.1:9/mcp\"\n");
    let ran = home.run(&["reindex"]).await;
    assert!(ran.stderr.contains("cannot connect"), "{}", ran.stderr);
}
