//! toolcrib learns which tool a search led to, and nothing else.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE, Served};

async fn office() -> Home {
    Home::with_servers(&[
        ("tasks", SAMPLE, &["tasks"]),
        ("knowledge", SAMPLE, &["knowledge"]),
        ("code", SAMPLE, &["code"]),
        ("council", SAMPLE, &["council"]),
        ("chronicle", SAMPLE, &["chronicle"]),
    ])
    .reindexed()
    .await
}

/// The names of the tools that a search shows, in their order.
async fn found(crib: &mut Served, query: &str) -> Vec<String> {
    let text = crib.text("search_tools", json!({"query": query})).await;
    let names = text.lines().filter_map(|line| line.split_once('(').map(|(name, _)| name.to_owned()));
    names.filter(|name| name.contains('/')).collect()
}

async fn search_and_call(crib: &mut Served, query: &str, tool: &str, arguments: Value) {
    found(crib, query).await;
    let result = crib.meta("call_tool", json!({"tool": tool, "arguments": arguments})).await;
    assert_ne!(result["isError"], json!(true), "{result}");
}

#[tokio::test]
async fn a_search_like_one_that_led_to_a_call_ranks_its_tool_higher_also_in_the_next_session() {
    let home = office().await;
    let query = "pending chores of the team";
    let mut crib = home.serve().await;
    let rank = |names: &[String]| names.iter().position(|name| name == "tasks/list_tasks").unwrap_or(names.len());
    let before = rank(&found(&mut crib, query).await);
    assert!(before > 0, "the story needs a search that does not find the tool first");
    for _ in 0..3 {
        search_and_call(&mut crib, query, "tasks/list_tasks", json!({})).await;
    }
    assert!(rank(&found(&mut crib, query).await) < before);
    crib.close().await;
    let mut next = home.serve().await;
    assert!(rank(&found(&mut next, query).await) < before, "kept for the next session");
    assert!(
        rank(&found(&mut next, "Which chores is the team still pending on?").await) < before,
        "another phrase for the same"
    );
    next.close().await;

    let shown = home.run(&["habits"]).await;
    assert!(shown.stdout.contains("tasks/list_tasks (3×)"), "{}", shown.stdout);
    let erased = home.run(&["habits", "--erase"]).await;
    assert!(erased.stderr.contains("1 habits erased"), "{}", erased.stderr);
    let mut fresh = home.serve().await;
    assert_eq!(rank(&found(&mut fresh, query).await), before);
    fresh.close().await;
}

#[tokio::test]
async fn a_tool_called_two_hundred_times_gains_nothing_from_unlike_searches() {
    let home = office().await;
    let queries: Vec<String> = include_str!("../../fixtures/gold/queries.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|query| !query["relevant"].to_string().contains("tasks/"))
        .filter_map(|query| query["query"].as_str().map(str::to_owned))
        .take(50)
        .collect();
    assert_eq!(queries.len(), 50);
    let mut crib = home.serve().await;
    let mut before = Vec::new();
    for query in &queries {
        before.push(found(&mut crib, query).await);
    }
    crib.close().await;
    // A session of its own, in which nothing else was searched.
    let mut crib = home.serve().await;
    search_and_call(&mut crib, "show the open tasks", "tasks/list_tasks", json!({})).await;
    for _ in 0..204 {
        crib.meta("call_tool", json!({"tool": "tasks/list_tasks", "arguments": {}})).await;
    }
    for (query, before) in queries.iter().zip(before) {
        assert_eq!(found(&mut crib, query).await, before, "{query}");
    }
    crib.close().await;
}

#[tokio::test]
async fn neither_arguments_nor_what_a_search_quotes_is_kept_and_one_line_turns_learning_off() {
    let home = office().await;
    let mut crib = home.serve().await;
    let query = "add the task 'Call Zebulon' for ann@example.com with key sk-9f8e7d6c5b4a";
    search_and_call(&mut crib, query, "tasks/create_task", json!({"title": "Quetzalcoatl"})).await;
    crib.close().await;
    for file in std::fs::read_dir(home.path().join("data")).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in ["Zebulon", "Quetzalcoatl", "sk-9f8e7d6c5b4a", "9f8e7d", "ann@example"] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} in {file:?}");
        }
    }
    assert!(home.run(&["habits"]).await.stdout.contains("add task"));

    home.run(&["habits", "--erase"]).await;
    let servers = format!("[search]\nlearn = false\n\n[servers.tasks]\ncommand = {SAMPLE:?}\nargs = [\"tasks\"]\n");
    home.write("toolcrib.toml", &servers);
    let mut crib = home.serve().await;
    search_and_call(&mut crib, "show the open tasks", "tasks/list_tasks", json!({})).await;
    crib.close().await;
    let shown = home.run(&["habits"]).await;
    assert_eq!((shown.code, shown.stderr.trim()), (Some(3), "nothing learned: `search.learn` is off"));
}
