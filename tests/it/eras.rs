//! What is remembered of a server's era may be wrong: it costs little, heals by itself, and is remembered right from then on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, PEER};

/// A start timeout that no server of these stories needs, however busy the machine.
const PATIENT: Duration = Duration::from_secs(60);

/// What a wrong memory may cost at most, the start of toolcrib and a busy machine included.
const MOST: Duration = Duration::from_secs(10);

/// A home whose only server was read in one mode and now runs in another, each in the trace.
async fn changed(before: &str, now: &str) -> Home {
    let home = Home::new();
    configure(&home, before, PATIENT);
    let home = home.reindexed().await;
    configure(&home, now, PATIENT);
    traced(&home);
    home
}

fn configure(home: &Home, mode: &str, start_timeout: Duration) {
    let quoted = |text: &str| Value::from(text).to_string();
    let trace = home.path().join("trace");
    home.write(
        "toolcrib.toml",
        &format!(
            "[servers.odd]\ncommand = {}\nargs = [\"{mode}\", {}]\nstart_timeout = \"{}s\"\n",
            quoted(PEER),
            quoted(trace.to_str().unwrap()),
            start_timeout.as_secs()
        ),
    );
}

/// What the server has seen since it was last asked for.
fn traced(home: &Home) -> String {
    let path = home.path().join("trace");
    let seen = std::fs::read_to_string(&path).unwrap_or_default();
    let _ = std::fs::remove_file(path);
    seen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Calls in a process of its own, and gives how long it took.
async fn call(home: &Home) -> Duration {
    let begun = Instant::now();
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": "odd/echo", "arguments": {"a": 1}})).await;
    assert_eq!(result["content"][0]["text"], "{\"a\":1}", "{result}");
    crib.close().await;
    begun.elapsed()
}

#[tokio::test]
async fn a_server_that_is_not_modern_any_more_is_greeted_anew_and_then_remembered() {
    for (now, first) in [
        // It refuses in words, and is not started twice.
        ("good", "start server/discover initialize notifications/initialized tools/call"),
        // It ends, and is started again.
        ("quits", "start server/discover start initialize notifications/initialized tools/call"),
        // It says nothing, and is greeted down the same pipe.
        ("deaf", "start server/discover initialize notifications/initialized tools/call"),
    ] {
        let home = changed("modern-only", now).await;
        let took = call(&home).await;
        assert_eq!(traced(&home), first, "{now}");
        assert!(took < MOST, "{now}: {took:?}");
        call(&home).await;
        assert_eq!(traced(&home), "start initialize notifications/initialized tools/call", "{now}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_on_the_wrong_greeting_is_started_beside_and_then_remembered() {
    let home = changed("modern-only", "stuck").await;
    // Half of it is given to the process that hangs.
    configure(&home, "stuck", Duration::from_secs(8));
    call(&home).await;
    assert_eq!(traced(&home), "start server/discover start initialize notifications/initialized tools/call");
    call(&home).await;
    assert_eq!(traced(&home), "start initialize notifications/initialized tools/call");
}

#[tokio::test]
async fn a_server_that_has_become_modern_is_greeted_anew_and_then_remembered() {
    for (now, first) in [
        ("modern-only", "start initialize server/discover tools/call"),
        ("modern-quits", "start initialize start server/discover tools/call"),
    ] {
        let home = changed("good", now).await;
        let took = call(&home).await;
        assert_eq!(traced(&home), first, "{now}");
        assert!(took < MOST, "{now}: {took:?}");
        call(&home).await;
        assert_eq!(traced(&home), "start server/discover tools/call", "{now}");
    }
}

#[tokio::test]
async fn a_modern_server_that_starts_slowly_is_not_started_twice() {
    let home = changed("modern-only", "modern-slow").await;
    call(&home).await;
    assert_eq!(traced(&home), "start server/discover initialize tools/call");
    call(&home).await;
    assert!(traced(&home).starts_with("start server/discover"), "it is remembered as modern");
}

#[tokio::test]
async fn a_server_that_goes_back_to_what_it_was_is_remembered_so() {
    let home = changed("modern-only", "good").await;
    call(&home).await;
    configure(&home, "modern-only", PATIENT);
    call(&home).await;
    traced(&home);
    call(&home).await;
    assert_eq!(traced(&home), "start server/discover tools/call");
}

#[tokio::test]
async fn a_modern_server_that_is_deaf_to_a_handshake_is_found_once_its_start_has_timed_out() {
    let home = Home::new();
    configure(&home, "modern-deaf", Duration::from_secs(1));
    let home = home.reindexed().await;
    // That its greeting is taken back may be read at any time.
    let seen = traced(&home).replace("notifications/cancelled ", "").replace(" notifications/cancelled", "");
    assert_eq!(seen, "start initialize server/discover tools/list", "found by the first reading");
    call(&home).await;
    assert!(traced(&home).starts_with("start server/discover tools/call"), "and remembered");
}
