//! Clients that only take: slow ones, many of them, endless sessions. Others are served meanwhile, and all of it ends in time.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use toolcrib::http::Limits;

use super::{
    client::{Answer, Http},
    stage::Stage,
};

/// Short enough for a story, long enough for a busy machine's honest clients.
const SHORT: Duration = Duration::from_millis(300);

async fn connect(http: &Http) -> TcpStream {
    TcpStream::connect(("127.0.0.1", http.port)).await.unwrap()
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let stage = Stage::within(Limits { head_time: SHORT, ..Limits::default() }).await;
    let began = Instant::now();
    for start in ["", "POST /mcp HTTP/1.1\r\nHost: lo"] {
        let mut slow = connect(&stage.http).await;
        slow.write_all(start.as_bytes()).await.unwrap();
        let answer = Answer::read(slow).await;
        assert!(answer.is_none_or(|answer| answer.status == 408), "cut off, or told that it is late");
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    stage.close().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_refused_in_time() {
    let stage = Stage::within(Limits { body_time: SHORT, ..Limits::default() }).await;
    let mut bytes = stage.http.bytes("POST", &[b' '; 100]);
    bytes.truncate(bytes.len() - 50);
    let mut slow = connect(&stage.http).await;
    slow.write_all(&bytes).await.unwrap();
    let answer = Answer::read(slow).await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
    stage.close().await;
}

#[tokio::test]
async fn strangers_who_hold_connections_open_keep_nobody_out() {
    let stage = Stage::within(Limits { connections: 20, ..Limits::default() }).await;
    let session = stage.http.session("2025-11-25", json!({})).await;
    let mut listening = session.get().await;
    listening.event().await.unwrap();
    let mut held = Vec::new();
    for _ in 0..100 {
        let mut stranger = connect(&stage.http).await;
        stranger.write_all(b"POST /mcp HTTP/1.1\r\n").await.unwrap();
        held.push(stranger);
        if held.len() % 20 == 0 {
            assert_eq!(session.request(1, "ping", json!({})).await.status, 200);
        }
    }
    session.request(2, "tools/call", json!({"name": "hints"})).await.last().await;
    assert!(listening.event().await.is_some(), "who has the token stays");
    let mut cut = 0;
    for stranger in held.drain(..80) {
        cut += usize::from(Answer::read(stranger).await.is_none());
    }
    assert_eq!(cut, 80, "the oldest gave way");
    stage.close().await;
}

#[tokio::test]
async fn where_all_connections_are_in_use_more_are_told_so() {
    let stage = Stage::within(Limits { connections: 3, ..Limits::default() }).await;
    let mut listening = Vec::new();
    for _ in 0..3 {
        let mut answer = stage.http.modern("subscriptions/listen", json!({})).await;
        answer.event().await.unwrap();
        listening.push(answer);
    }
    let refused = connect(&stage.http).await;
    assert_eq!(Answer::read(refused).await.unwrap().status, 503);
    listening.pop();
    // The end of a connection is noticed soon, not at once.
    let retrying = async {
        while stage.http.modern("tools/list", json!({})).await.status == 503 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), retrying).await.unwrap();
    stage.close().await;
}

#[tokio::test]
async fn endless_sessions_replace_idle_ones_and_no_other() {
    let stage = Stage::within(Limits { sessions: 5, ..Limits::default() }).await;
    let listening = stage.http.session("2025-11-25", json!({})).await;
    let mut stream = listening.get().await;
    stream.event().await.unwrap();
    let idle = stage.http.session("2025-11-25", json!({})).await;
    for _ in 0..50 {
        stage.http.session("2025-11-25", json!({})).await;
    }
    assert_eq!(idle.request(1, "ping", json!({})).await.status, 404);
    assert_eq!(listening.request(1, "ping", json!({})).await.status, 200);
    let mut busy = Vec::new();
    for _ in 0..4 {
        let session = stage.http.session("2025-11-25", json!({})).await;
        let mut answer = session.get().await;
        answer.event().await.unwrap();
        busy.push(answer);
    }
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
    assert_eq!(stage.http.request(1, "initialize", params).await.status, 503);
    stage.close().await;
}

#[tokio::test]
async fn an_idle_session_ends() {
    let stage = Stage::within(Limits { session_idle: Duration::ZERO, ..Limits::default() }).await;
    let answer = stage.http.request(0, "initialize", json!({"protocolVersion": "2025-11-25"})).await;
    let session = stage.http.with("Mcp-Session-Id", answer.header("mcp-session-id").unwrap());
    assert_eq!(session.request(1, "ping", json!({})).await.status, 404);
    stage.close().await;
}

#[tokio::test]
async fn three_hundred_clients_are_served_at_once() {
    let stage = Stage::open().await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..300 {
        let http = stage.http.clone();
        calls.spawn(async move {
            let call = json!({"name": "echo", "arguments": {"nonce": number}});
            loop {
                let answer = http.modern("tools/call", call.clone()).await;
                if answer.status == 503 {
                    continue;
                }
                let text = answer.json().await["result"]["content"][0]["text"].clone();
                assert_eq!(text, json!({"nonce": number}).to_string());
                return;
            }
        });
    }
    while let Some(called) = calls.join_next().await {
        called.unwrap();
    }
    stage.close().await;
}

#[tokio::test]
async fn calls_that_do_not_end_are_cut_when_the_server_stops() {
    let stage = Stage::within(Limits { grace: SHORT, ..Limits::default() }).await;
    let mut answer = stage.http.modern("tools/call", json!({"name": "waits"})).await;
    answer.event().await.unwrap();
    let told = stage.told.clone();
    let mut half = connect(&stage.http).await;
    half.write_all(b"POST /mcp HTTP/1.1\r\n").await.unwrap();
    stage.close().await;
    told.reaches(&told.dropped, 1).await;
}
