//! A client searches, describes and calls, over real processes.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE, children};

async fn office() -> Home {
    Home::with_servers(&[
        ("tasks", SAMPLE, &["tasks"]),
        ("knowledge", SAMPLE, &["knowledge"]),
        ("code", SAMPLE, &["code"]),
        ("orchestrator", SAMPLE, &["orchestrator"]),
        ("personas", SAMPLE, &["personas"]),
    ])
    .reindexed()
    .await
}

#[tokio::test]
async fn a_client_finds_a_tool_and_calls_it_by_its_signature_alone() {
    let home = office().await;
    let mut crib = home.serve().await;
    let found = crib.text("search_tools", json!({"query": "create a new task"})).await;
    let first = found.lines().next().unwrap();
    assert!(first.starts_with("tasks/create_task(title: string"), "{found}");
    let result =
        crib.meta("call_tool", json!({"tool": "tasks/create_task", "arguments": {"title": "Water the plants"}})).await;
    assert_ne!(result["isError"], json!(true), "{result}");
    assert!(result.to_string().contains("Water the plants"), "{result}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn no_backend_runs_before_its_first_call_and_only_the_called_one_after() {
    let home = office().await;
    let mut crib = home.serve().await;
    crib.request("tools/list", json!({})).await;
    crib.text("search_tools", json!({"query": "find a note"})).await;
    crib.text("describe_tool", json!({"tools": ["knowledge/kb_search"]})).await;
    assert_eq!(children(crib.pid()), Vec::<String>::new());
    crib.meta("call_tool", json!({"tool": "knowledge/kb_search", "arguments": {"query": "tiles"}})).await;
    let running = children(crib.pid());
    assert_eq!(running.len(), 1, "{running:?}");
    assert!(running[0].contains("knowledge"), "{running:?}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn an_exact_name_comes_first_and_so_does_every_name_of_several() {
    let home = office().await;
    let mut crib = home.serve().await;
    for query in ["tasks/complete_task", "complete task", "completeTask", "complete_task"] {
        let found = crib.text("search_tools", json!({"query": query})).await;
        assert!(found.starts_with("tasks/complete_task("), "{query}: {found}");
    }
    let found = crib.text("search_tools", json!({"query": "kb_add_note run_workflow", "limit": 2})).await;
    let names: Vec<&str> = found.lines().filter_map(|line| line.split('(').next()).collect();
    assert!(names.contains(&"knowledge/kb_add_note") && names.contains(&"orchestrator/run_workflow"), "{found}");
}

#[tokio::test]
async fn a_search_is_never_answered_with_nothing() {
    let home = office().await;
    let mut crib = home.serve().await;
    for query in ["zzzz qqqq xxxx", "launch a rocket to jupiter", "的", "!!!", ""] {
        let found = crib.text("search_tools", json!({"query": query})).await;
        assert!(found.contains("tasks") || found.contains('/'), "{query}: {found}");
    }
    let browsed = crib.text("search_tools", json!({"query": "", "server": "tasks"})).await;
    for tool in ["create_task", "list_tasks", "update_task", "complete_task", "add_task_comment", "delete_task"] {
        assert!(browsed.contains(tool), "{tool}: {browsed}");
    }
    let slip = crib.text("search_tools", json!({"query": "add", "server": "knowlege"})).await;
    assert!(slip.contains("knowledge/kb_add_note"), "{slip}");
}

#[tokio::test]
async fn wrong_arguments_are_taught_before_the_server_starts() {
    let home = office().await;
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": "tasks/create_task", "arguments": {"priority": "asap"}})).await;
    assert_eq!(result["isError"], json!(true));
    insta::assert_snapshot!(result["content"][0]["text"].as_str().unwrap());
    assert_eq!(children(crib.pid()), Vec::<String>::new());
}

#[tokio::test]
async fn unknown_names_are_answered_with_the_nearest_and_ambiguous_ones_with_the_choice() {
    let home = office().await;
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": "tasks/creat_tasks", "arguments": {}})).await;
    assert_eq!(result["isError"], json!(true));
    assert!(result.to_string().contains("tasks/create_task"), "{result}");
    let result = crib.meta("describe_tool", json!({"tools": ["kb_search"]})).await;
    assert!(result.to_string().contains("knowledge/kb_search"), "{result}");
    let result = crib.meta("fly_to_moon", json!({})).await;
    assert!(result.to_string().contains("search_tools"), "{result}");
}

#[tokio::test]
async fn what_weaker_models_send_is_taken_as_meant() {
    let home = office().await;
    let mut crib = home.serve().await;
    for arguments in [
        json!({"tool": "tasks/create_task", "arguments": "{\"title\": \"x\"}"}),
        json!({"tool": "tasks/create_task", "title": "x"}),
        json!({"tool": "Tasks/Create-Task", "arguments": {"title": "x"}}),
        json!({"tool": "create_task", "arguments": {"title": "x"}}),
        json!({"tool": "mcp__tasks__create_task", "arguments": {"title": "x"}}),
    ] {
        let result = crib.meta("call_tool", arguments.clone()).await;
        assert_ne!(result["isError"], json!(true), "{arguments}: {result}");
    }
    let whole = crib.request("tools/call", json!({"name": "search_tools", "arguments": "{\"query\": \"note\"}"})).await;
    assert!(whole["content"][0]["text"].as_str().unwrap().contains("knowledge/"), "{whole}");
}

#[tokio::test]
async fn progress_of_a_call_reaches_the_client_before_its_result() {
    let home = office().await;
    let mut crib = home.serve().await;
    let plan = crib.meta("call_tool", json!({"tool": "orchestrator/plan_workflow", "arguments": {"template": "release-candidate", "goal": "1.9.0"}})).await;
    assert_ne!(plan["isError"], json!(true), "{plan}");
    let result = crib
        .request(
            "tools/call",
            json!({
                "name": "call_tool",
                "arguments": {"tool": "orchestrator/run_workflow", "arguments": {"plan_id": "plan-1", "pace_ms": 0}},
                "_meta": {"progressToken": "mine"},
            }),
        )
        .await;
    assert_ne!(result["isError"], json!(true), "{result}");
    let progress: Vec<&Value> =
        crib.notifications.iter().filter(|message| message["method"] == "notifications/progress").collect();
    assert!(!progress.is_empty());
    assert!(progress.iter().all(|message| message["params"]["progressToken"] == "mine"), "{progress:?}");
}

#[tokio::test]
async fn a_cancelled_call_cancels_the_servers_call_and_the_session_goes_on() {
    let home = office().await;
    let mut crib = home.serve().await;
    crib.meta(
        "call_tool",
        json!({"tool": "orchestrator/plan_workflow", "arguments": {"template": "release-candidate", "goal": "1.9.0"}}),
    )
    .await;
    let slow = json!({
        "name": "call_tool",
        "arguments": {"tool": "orchestrator/run_workflow", "arguments": {"plan_id": "plan-1", "pace_ms": 60_000}},
    });
    let id = crib.begin("tools/call", slow).await;
    // Asked behind the call on the same pipe, so the call has arrived when this is answered.
    crib.request("tools/list", json!({})).await;
    crib.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})).await;
    let runs = crib.meta("call_tool", json!({"tool": "orchestrator/list_runs", "arguments": {}})).await;
    assert_ne!(runs["isError"], json!(true), "{runs}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_modern_client_gets_the_same_without_a_handshake() {
    let home = office().await;
    let mut crib = home.serve_modern();
    let discovered = crib.request("server/discover", json!({})).await;
    assert!(discovered["instructions"].as_str().unwrap().contains("tasks"), "{discovered}");
    let listed = crib.request("tools/list", json!({})).await;
    assert_eq!(listed["tools"].as_array().unwrap().len(), 3);
    let result = crib.meta("call_tool", json!({"tool": "tasks/list_tasks", "arguments": {}})).await;
    assert_eq!(result["resultType"], "complete", "{result}");
    assert_ne!(result["isError"], json!(true), "{result}");
}

#[tokio::test]
async fn the_command_line_answers_with_the_words_a_model_gets() {
    let home = office().await;
    let mut crib = home.serve().await;
    let told = crib.text("search_tools", json!({"query": "find a note"})).await;
    let ran = home.run(&["search", "find a note"]).await;
    assert_eq!((ran.stdout.trim_end(), ran.code), (told.trim_end(), Some(0)));
    let ran = home.run(&["call", "tasks/create_task", "priority=asap"]).await;
    assert_eq!(ran.code, Some(4), "{}{}", ran.stdout, ran.stderr);
    let ran = home.run(&["call", "tasks/create_task", "title=x"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}

#[tokio::test]
async fn an_empty_query_with_a_beginning_lists_the_servers_that_begin_so() {
    let servers = ["shop-tasks", "shop-config", "other"].map(|name| (name, SAMPLE, ["tasks"]));
    let servers: Vec<(&str, &str, &[&str])> =
        servers.iter().map(|(name, program, args)| (*name, *program, args.as_slice())).collect();
    let home = Home::with_servers(&servers).reindexed().await;
    let mut crib = home.spawn(&["serve", "--no-refresh"]);
    crib.initialize("2025-11-25").await;
    let text = crib.text("search_tools", json!({"query": "", "server": "shop-*"})).await;
    assert!(text.contains("shop-tasks") && text.contains("shop-config") && !text.contains("other"), "{text}");
}

#[tokio::test]
async fn a_null_for_an_optional_argument_means_that_there_is_none() {
    let home = office().await;
    let mut crib = home.serve().await;
    let call = |arguments: Value| json!({"tool": "tasks/create_task", "arguments": arguments});
    let result = crib.meta("call_tool", call(json!({"title": "Water the plants", "assignee": null}))).await;
    assert_ne!(result["isError"], json!(true), "{result}");
    let refused = crib.text("call_tool", call(json!({"title": null}))).await;
    assert!(refused.contains("nothing was called"), "{refused}");
    assert_eq!(crib.close().await, Some(0));
}
