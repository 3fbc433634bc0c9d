//! One bad server costs no other, and says what is wrong with it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, PEER, SAMPLE};

/// A home with a good server and one in the given mode.
fn beside(mode: &str) -> Home {
    let home = Home::new();
    let quoted = |text: &str| Value::from(text).to_string();
    home.write(
        "toolcrib.toml",
        &format!(
            "[servers.tasks]\ncommand = {}\nargs = [\"tasks\"]\n\n[servers.odd]\ncommand = {}\nargs = [\"{mode}\"]\nstart_timeout = \"3s\"\ncall_timeout = \"2s\"\n",
            quoted(SAMPLE),
            quoted(PEER)
        ),
    );
    home
}

async fn call(home: &Home, tool: &str, arguments: Value) -> String {
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": tool, "arguments": arguments})).await;
    crib.close().await;
    result.to_string()
}

#[tokio::test]
async fn a_server_that_dies_at_its_start_is_named_with_its_last_words() {
    let home = beside("dies");
    let ran = home.run(&["reindex"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("missing: odd: backend `odd` ended during its start: cannot find the licence file"),
        "{}",
        ran.stderr
    );
    let mut crib = home.serve().await;
    let good = crib.meta("call_tool", json!({"tool": "tasks/list_tasks", "arguments": {}})).await;
    assert_ne!(good["isError"], json!(true), "{good}");
}

#[tokio::test]
async fn a_missing_program_is_named_and_the_others_are_read() {
    let home = Home::with_servers(&[("tasks", SAMPLE, &["tasks"]), ("gone", "no-such-program-anywhere", &[])]);
    let ran = home.run(&["reindex"]).await;
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("cannot run `no-such-program-anywhere`"), "{}", ran.stderr);
    let found = home.run(&["search", "create task"]).await;
    assert!(found.stdout.starts_with("tasks/create_task("), "{}", found.stdout);
}

#[tokio::test]
async fn where_no_server_can_be_read_reindex_fails() {
    let home = Home::with_servers(&[("gone", "no-such-program-anywhere", &[])]);
    assert_eq!(home.run(&["reindex"]).await.code, Some(1));
}

#[tokio::test]
async fn a_server_that_hangs_at_its_start_costs_only_its_own_deadline() {
    let home = beside("hangs");
    let begun = Instant::now();
    let ran = home.run(&["reindex"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("did not finish its start within 3 s"), "{}", ran.stderr);
    assert!(begun.elapsed() < Duration::from_secs(15));
    let found = home.run(&["search", "create task"]).await;
    assert!(found.stdout.starts_with("tasks/create_task("), "{}", found.stdout);
}

#[tokio::test]
async fn noise_on_standard_output_and_strange_answers_are_passed_over() {
    for mode in ["noise", "wrong-ids", "flood", "refuses-lists"] {
        let home = beside(mode).reindexed().await;
        let result = call(&home, "odd/echo", json!({"a": 1})).await;
        assert!(result.contains(r#"{\"a\":1}"#), "{mode}: {result}");
    }
}

#[tokio::test]
async fn malformed_tools_are_left_out_by_name_and_the_others_live() {
    let home = beside("broken-list");
    let ran = home.run(&["reindex"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("left out: odd/schema-is-true"), "{}", ran.stderr);
    let result = call(&home, "odd/echo", json!({"a": 1})).await;
    assert!(result.contains(r#"{\"a\":1}"#), "{result}");
}

#[tokio::test]
async fn a_list_that_is_no_list_and_one_without_end_fail_or_stop_within_bounds() {
    let home = beside("bad-list");
    let ran = home.run(&["reindex"]).await;
    assert!(ran.stderr.contains("broke the protocol: tools/list has no array"), "{}", ran.stderr);
    let home = beside("endless-cursor").reindexed().await;
    let listed = home.run(&["servers", "--json"]).await;
    let servers: Value = serde_json::from_str(&listed.stdout).unwrap();
    let odd = servers.as_array().unwrap().iter().find(|server| server["server"] == "odd").unwrap();
    assert_eq!(odd["tools"], 100, "{odd}");
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_at_its_limit_and_says_what_to_check() {
    let home = beside("hangs-on-call").reindexed().await;
    let result = call(&home, "odd/echo", json!({})).await;
    assert!(result.contains("did not answer within 2 s") && result.contains("may have been carried out"), "{result}");
}

#[tokio::test]
async fn a_server_that_dies_under_a_call_is_reported_at_once_and_opened_again() {
    let home = beside("dies-on-call").reindexed().await;
    let mut crib = home.serve().await;
    for _ in 0..2 {
        let begun = Instant::now();
        let result = crib.meta("call_tool", json!({"tool": "odd/echo", "arguments": {}})).await;
        assert!(result.to_string().contains("closed the conversation before it answered"), "{result}");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test]
async fn a_line_without_end_ends_the_call_instead_of_the_memory() {
    let home = beside("endless-line").reindexed().await;
    let result = call(&home, "odd/echo", json!({})).await;
    assert!(result.contains("broke the protocol: a line is longer than"), "{result}");
}

#[tokio::test]
async fn a_server_that_speaks_only_the_new_protocol_is_spoken_to_in_it() {
    let home = beside("modern-only").reindexed().await;
    let result = call(&home, "odd/echo", json!({"a": 1})).await;
    assert!(result.contains(r#"{\"a\":1}"#), "{result}");
}

#[tokio::test]
async fn a_stubborn_server_and_what_it_left_behind_are_gone_when_toolcrib_is() {
    let home = beside("stubborn").reindexed().await;
    let mut crib = home.serve().await;
    crib.meta("call_tool", json!({"tool": "odd/echo", "arguments": {}})).await;
    let group = group_of_child(crib.pid());
    assert!(!members(group).is_empty());
    crib.close().await;
    assert_eq!(members(group), Vec::<u32>::new());
}

#[tokio::test]
async fn results_arrive_as_they_were_sent() {
    let home = beside("good").reindexed().await;
    let mut crib = home.serve().await;
    for sent in [
        json!({"content": [{"type": "hologram", "x": {"deep": [1, 2]}}], "zeta": 1, "alpha": 2}),
        json!({"content": [{"type": "text", "text": "hi", "annotations": {"priority": 0.7, "future": true}, "_meta": {"k": "v"}}]}),
        json!({"content": [], "messages": [1], "tools": ["a"], "completion": {"x": 1}, "action": "accept"}),
        json!({"content": [{"type": "resource_link", "uri": "file:///a", "name": "a", "size": 3}], "_meta": {"io.example/x": 1}}),
        json!({"content": [{"type": "text", "text": "no"}], "isError": true, "structuredContent": {"why": null}}),
        json!({}),
    ] {
        let result = crib.meta("call_tool", json!({"tool": "odd/raw", "arguments": {"result": sent}})).await;
        assert_eq!(result.to_string(), sent.to_string());
    }
}

#[tokio::test]
async fn a_servers_own_error_is_shown_to_the_model_with_its_code() {
    let home = beside("good").reindexed().await;
    let result = call(&home, "odd/fail", json!({})).await;
    assert!(result.contains("odd/fail answered with error -32000: it failed as asked"), "{result}");
}

#[tokio::test]
async fn a_cancelled_call_reaches_the_server() {
    let home = beside("good").reindexed().await;
    let trace = home.path().join("trace");
    let mut crib = home.serve().await;
    let params = json!({
        "name": "call_tool",
        "arguments": {"tool": "odd/slow", "arguments": {"trace": trace}},
        "_meta": {"progressToken": 7},
    });
    let id = crib.begin("tools/call", params).await;
    // The first progress shows that the server has the call.
    let first = crib.next().await;
    assert_eq!((&first["method"], &first["params"]["progressToken"]), (&json!("notifications/progress"), &json!(7)));
    crib.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})).await;
    // Sent down the same pipe behind the cancellation; its answer shows that the server has read it.
    crib.notifications.clear();
    let echo = crib
        .begin("tools/call", json!({"name": "call_tool", "arguments": {"tool": "odd/echo", "arguments": {}}}))
        .await;
    crib.answer(echo).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while !trace.exists() && Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert!(trace.exists(), "the server was not told");
}

#[tokio::test]
async fn a_child_gets_a_clean_environment() {
    let home = beside("good").reindexed().await;
    let result = call(&home, "odd/env", json!({})).await;
    assert!(result.contains("PATH") && !result.contains("TOOLCRIB"), "{result}");
}

#[tokio::test]
async fn a_line_that_a_server_logs_between_calls_reaches_who_called() {
    let home = beside("good").reindexed().await;
    let mut crib = home.serve().await;
    crib.meta("call_tool", json!({"tool": "odd/log", "arguments": {"later": true}})).await;
    let mut lines = crib.notifications.len();
    while lines < 2 {
        assert_eq!(crib.next().await["method"], "notifications/message");
        lines += 1;
    }
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn log_messages_of_a_call_pass_as_they_were_sent() {
    let home = beside("good").reindexed().await;
    let mut crib = home.serve().await;
    crib.meta("call_tool", json!({"tool": "odd/log", "arguments": {}})).await;
    let logged = crib.notifications.iter().find(|message| message["method"] == "notifications/message");
    assert_eq!(logged.unwrap()["params"], json!({"level": "warning", "data": "careful", "futureField": 1}));
}

/// The process group of the only child.
fn group_of_child(parent: u32) -> u32 {
    processes().into_iter().find(|process| process.parent == parent).map(|process| process.group).unwrap()
}

/// Living processes of a group.
fn members(group: u32) -> Vec<u32> {
    processes()
        .into_iter()
        .filter(|process| process.group == group && process.state != "Z")
        .map(|process| process.id)
        .collect()
}

struct Process {
    id: u32,
    state: String,
    parent: u32,
    group: u32,
}

fn processes() -> Vec<Process> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (Some(state), Some(parent), Some(group)) = (fields.next(), fields.next(), fields.next()) else { continue };
        found.push(Process {
            id,
            state: state.into(),
            parent: parent.parse().unwrap_or(0),
            group: group.parse().unwrap_or(0),
        });
    }
    found
}
