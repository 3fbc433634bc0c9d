//! Pinned tools: advertised natively, called natively, on the same path as every other call.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE, Served};

/// Two servers; two tools of them pinned, and one that does not exist.
async fn pinned() -> Home {
    let home = Home::new();
    let server = |name: &str| format!("[servers.{name}]\ncommand = {SAMPLE:?}\nargs = [\"{name}\"]\n");
    let pins = "[context]\npin = [\"tasks/create_task\", \"knowledge/kb_search\", \"tasks/creat_task\"]\n";
    home.write("toolcrib.toml", &format!("{pins}{}{}", server("tasks"), server("knowledge")));
    home.reindexed().await
}

async fn listed(crib: &mut Served) -> Vec<Value> {
    crib.request("tools/list", json!({})).await["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn pinned_tools_stand_behind_the_three_with_their_whole_definition_at_every_start() {
    let home = pinned().await;
    let mut crib = home.serve().await;
    let tools = listed(&mut crib).await;
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, ["search_tools", "describe_tool", "call_tool", "tasks_create_task", "knowledge_kb_search"]);
    let tokens = toolcrib::economy::count(&Value::from(tools.clone()).to_string());
    let pins = serde_json::to_string_pretty(&tools[3..]).unwrap();
    insta::assert_snapshot!(format!("{tokens} o200k_base tokens of tools at start\n\n{pins}"));
    let mut again = home.serve().await;
    assert_eq!(listed(&mut again).await, tools);
}

#[tokio::test]
async fn a_pinned_tool_is_called_by_its_own_name_in_both_eras() {
    let home = pinned().await;
    for mut crib in [home.serve().await, home.serve_modern()] {
        assert_eq!(listed(&mut crib).await.len(), 5);
        let result = crib.meta("tasks_create_task", json!({"title": "Water the plants"})).await;
        assert_ne!(result["isError"], json!(true), "{result}");
        assert!(result.to_string().contains("Water the plants"), "{result}");
        // Arguments sent as a string are forgiven here too.
        let result = crib.meta("knowledge_kb_search", json!("{\"query\": \"tiles\"}")).await;
        assert_ne!(result["isError"], json!(true), "{result}");
        assert_eq!(crib.close().await, Some(0));
    }
}

#[tokio::test]
async fn a_wrong_call_of_a_pinned_tool_teaches_in_its_own_name() {
    let home = pinned().await;
    let mut crib = home.serve().await;
    let told = crib.text("tasks_create_task", json!({"priority": "asap"})).await;
    insta::assert_snapshot!(told);
    let told = crib.text("tasks_create_task", json!([1])).await;
    insta::assert_snapshot!(told, @"the arguments of tasks_create_task must be a JSON object, as its schema says");
    // What is pinned is found and called like any other tool as well.
    let found = crib.text("search_tools", json!({"query": "create a task"})).await;
    assert!(found.starts_with("tasks/create_task("), "{found}");
    let result = crib.meta("call_tool", json!({"tool": "tasks/create_task", "arguments": {"title": "x"}})).await;
    assert_ne!(result["isError"], json!(true), "{result}");
}

#[tokio::test]
async fn a_pin_that_cannot_be_offered_is_said_where_somebody_looks() {
    let home = pinned().await;
    let doctor = home.run(&["doctor", "--offline"]).await;
    assert!(doctor.stdout.contains("ok  pinned tools: tasks/create_task as tasks_create_task"), "{}", doctor.stdout);
    assert!(
        doctor.stdout.contains("BAD pinned tool tasks/creat_task: the server has no such tool"),
        "{}",
        doctor.stdout
    );
    assert!(doctor.stdout.contains("did you mean `tasks/create_task`?"), "{}", doctor.stdout);
    let served = home.run(&["serve", "--no-refresh"]).await;
    assert!(served.stderr.contains("pinned tool `tasks/creat_task` is not offered"), "{}", served.stderr);
}
