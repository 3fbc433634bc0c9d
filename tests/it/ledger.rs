//! What a played session cost, as `usage` and `footprint` tell it.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE};

async fn office() -> Home {
    Home::with_servers(&[
        ("tasks", SAMPLE, &["tasks"]),
        ("knowledge", SAMPLE, &["knowledge"]),
        ("council", SAMPLE, &["council"]),
    ])
    .reindexed()
    .await
}

/// Searches, describes, calls twice, and once in vain.
async fn play(home: &Home) {
    let mut crib = home.serve().await;
    crib.text("search_tools", json!({"query": "create a task", "limit": 2})).await;
    crib.text("describe_tool", json!({"tools": ["tasks/create_task"]})).await;
    for title in ["Water the plants", "Feed Zebulon"] {
        crib.meta("call_tool", json!({"tool": "tasks/create_task", "arguments": {"title": title}})).await;
    }
    crib.meta("call_tool", json!({"tool": "tasks/complete_task", "arguments": {"id": 99999}})).await;
    assert_eq!(crib.close().await, Some(0));
}

async fn usage(home: &Home, args: &[&str]) -> Value {
    let ran = home.run(&[&["usage", "--json"], args].concat()).await;
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr))
}

fn server<'a>(usage: &'a Value, name: &str) -> &'a Value {
    usage["servers"].as_array().unwrap().iter().find(|server| server["server"] == name).unwrap()
}

#[tokio::test]
async fn a_played_session_is_counted_by_server_and_tool_and_nothing_of_it_is_kept() {
    let home = office().await;
    play(&home).await;
    // A person at the command line is no conversation.
    home.run(&["search", "create a task"]).await;
    home.run(&["call", "tasks/list_tasks"]).await;
    let usage = usage(&home, &[]).await;
    assert_eq!((&usage["conversations"], &usage["searches"]), (&json!(1), &json!(1)), "{usage}");
    let tasks = server(&usage, "tasks");
    let amounts = &tasks["amounts"];
    assert_eq!((&amounts["calls"], &amounts["errors"], &amounts["conversations"]), (&json!(3), &json!(1), &json!(1)));
    assert_eq!(tasks["direct_tokens"], tasks["direct_tokens_per_start"]);
    let create = tasks["tools"].as_array().unwrap().iter().find(|tool| tool["tool"] == "create_task").unwrap();
    let create = &create["amounts"];
    assert_eq!(
        (&create["calls"], &create["describes"], &create["used_in_conversations"]),
        (&json!(2), &json!(1), &json!(1))
    );
    for amount in ["search_tokens", "describe_tokens", "result_tokens"] {
        assert!(create[amount].as_u64().unwrap() > 10, "{amount}: {create}");
    }
    assert_eq!(server(&usage, "council")["amounts"]["calls"], json!(0));
    for file in std::fs::read_dir(home.path().join("data")).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in ["Water the plants", "Zebulon"] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} in {file:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_shakes_no_hands_is_counted_once_and_one_that_says_nothing_is_not() {
    let home = office().await;
    let silent = home.spawn(&["serve", "--no-refresh"]);
    assert_eq!(silent.close().await, Some(0));
    let mut crib = home.serve_modern();
    crib.request("server/discover", json!({})).await;
    crib.request("tools/list", json!({})).await;
    crib.text("search_tools", json!({"query": "create a task"})).await;
    assert_eq!(crib.close().await, Some(0));
    let usage = usage(&home, &[]).await;
    assert_eq!((&usage["conversations"], &usage["searches"]), (&json!(1), &json!(1)), "{usage}");
}

#[tokio::test]
async fn usage_is_told_to_a_person_and_can_be_erased() {
    let home = office().await;
    let none = home.run(&["usage"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(3), ""));
    play(&home).await;
    play(&home).await;
    let told = home.run(&["usage", "--tools", "--days", "1"]).await;
    insta::assert_snapshot!(format!("{}{}", told.stdout, told.stderr));
    let erased = home.run(&["usage", "--erase"]).await;
    assert_eq!(erased.stderr.trim(), "the counts of 1 day are erased");
    assert_eq!(usage(&home, &[]).await["servers"][0]["amounts"]["conversations"], json!(0));
}

#[tokio::test]
async fn the_footprint_has_figures_money_and_a_chart() {
    let home = office().await;
    play(&home).await;
    let told = home.run(&["footprint", "--price", "3", "--currency", "$", "--days", "1"]).await;
    insta::assert_snapshot!(format!("{}{}", told.stdout, told.stderr));
    let ran = home.run(&["footprint", "--json", "--price", "3"]).await;
    let figures: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(figures["measured"]["conversations"], json!(1));
    assert_eq!(figures["measured"]["start_tokens"], figures["toolcrib_tokens"], "one start was counted");
    for name in ["footprint.svg", "footprint.html"] {
        let ran = home.run(&["footprint", "--chart", name]).await;
        assert_eq!(ran.stderr.trim(), format!("drawn into {name}"));
        let drawn = std::fs::read_to_string(home.path().join(name)).unwrap();
        assert!(
            ["tasks", "knowledge", "council"].iter().all(|server| drawn.contains(&format!(">{server}<"))),
            "{drawn}"
        );
    }
}

#[tokio::test]
async fn a_pin_is_suggested_where_use_would_have_repaid_it_and_only_there() {
    let home = office().await;
    play(&home).await;
    let none = home.run(&["footprint", "--suggest-pins"]).await;
    assert_eq!(none.code, Some(3));
    insta::assert_snapshot!(none.stdout);
    for _ in 0..5 {
        let mut crib = home.serve().await;
        for query in ["show the open tasks", "list the tasks of noor"] {
            crib.text("search_tools", json!({"query": query, "limit": 10})).await;
            crib.text("describe_tool", json!({"tools": ["tasks/list_tasks"]})).await;
            crib.meta("call_tool", json!({"tool": "tasks/list_tasks", "arguments": {}})).await;
        }
        assert_eq!(crib.close().await, Some(0));
    }
    let repaid = home.run(&["footprint", "--suggest-pins"]).await;
    assert_eq!(repaid.code, Some(0), "{}", repaid.stdout);
    assert!(repaid.stdout.contains("5 of 6  154 × 6 = 924"), "{}", repaid.stdout);
    assert!(repaid.stdout.contains("pin = [\"tasks/list_tasks\"]"), "{}", repaid.stdout);
}
