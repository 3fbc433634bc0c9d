//! What search and describe say, to the word and with its price, in front of the twelve sample servers.

use serde_json::json;
use toolcrib::economy;

use crate::support::{Home, SAMPLE, Served};

const SERVERS: [&str; 12] = [
    "chronicle",
    "code",
    "config",
    "council",
    "decisions",
    "git-workflow",
    "knowledge",
    "model-forge",
    "orchestrator",
    "personas",
    "protocols",
    "tasks",
];

/// Default budget of a search reply.
const BUDGET: usize = 500;

async fn home(more: &[(&'static str, &'static str)]) -> Home {
    let all: Vec<(&str, &str)> = SERVERS.iter().map(|name| (*name, *name)).chain(more.iter().copied()).collect();
    let samples: Vec<[&str; 1]> = all.iter().map(|(_, sample)| [*sample]).collect();
    let servers: Vec<(&str, &str, &[&str])> =
        all.iter().zip(&samples).map(|((name, _), sample)| (*name, SAMPLE, &sample[..])).collect();
    Home::with_servers(&servers).reindexed().await
}

async fn search(crib: &mut Served, query: &str) -> String {
    crib.text("search_tools", json!({ "query": query })).await
}

fn with_price(title: &str, text: &str) -> String {
    format!("## {title}\n{text}\n-- {} tokens\n\n", economy::count(text))
}

#[tokio::test]
async fn ten_searches_say_this_and_cost_so_much() {
    let home = home(&[]).await;
    let mut crib = home.serve().await;
    let mut said = String::new();
    for query in [
        "create task",
        "let the experts choose between alternatives by majority",
        "read the decision record and write a note about it",
        "Open a council on the merge policy, ask everyone, then vote",
        "adr_supersede",
        "which model version is in production?",
        "summary for the team",
        "serach notes",
        "search",
        "launch a rocket to jupiter",
    ] {
        let text = search(&mut crib, query).await;
        assert!(economy::count(&text) <= BUDGET, "{query}: {text}");
        said += &with_price(query, &text);
    }
    insta::assert_snapshot!(said.trim_end());
}

#[tokio::test]
async fn ten_describes_say_this_and_cost_so_much() {
    let home = home(&[]).await;
    let mut crib = home.serve().await;
    let mut said = String::new();
    for tool in [
        "tasks/create_task",
        "tasks/delete_task",
        "council/council_vote",
        "decisions/adr_create",
        "model-forge/compare-models",
        "config/config.set",
        "git-workflow/plan-commits",
        "orchestrator/run_workflow",
        "code/previewRename",
        "personas/list",
    ] {
        let text = crib.text("describe_tool", json!({ "tools": [tool] })).await;
        said += &with_price(tool, &text);
    }
    insta::assert_snapshot!(said.trim_end());
}

#[tokio::test]
async fn one_search_answers_a_request_with_several_needs() {
    let home = home(&[]).await;
    let mut crib = home.serve().await;
    for (query, tools) in [
        (
            "Extract the action items of the meeting and make a task of each",
            ["protocols/extractActionItems(", "tasks/create_task("],
        ),
        ("read the source of merge.rs and add a note about it", ["code/readSource(", "knowledge/kb_add_note("]),
        (
            "Write release notes and log the release in the chronicle",
            ["git-workflow/release-notes(", "chronicle/appendEvent("],
        ),
    ] {
        let text = search(&mut crib, query).await;
        assert!(tools.iter().all(|tool| text.contains(tool)), "{query}: {text}");
    }
}

#[tokio::test]
async fn the_same_server_twice_takes_its_places_once_and_both_can_be_called() {
    let home = home(&[("tasks-archive", "tasks")]).await;
    let mut crib = home.serve().await;
    let text = search(&mut crib, "create task").await;
    insta::assert_snapshot!(with_price("create task", &text).trim_end());
    let arguments = json!({"tool": "tasks-archive/create_task", "arguments": {"title": "x"}});
    let result = crib.meta("call_tool", arguments).await;
    assert_ne!(result["isError"], json!(true), "{result}");
}

#[tokio::test]
async fn a_browse_shows_every_name_in_a_small_budget() {
    let home = home(&[]).await;
    let servers: String =
        SERVERS.iter().map(|name| format!("[servers.{name}]\ncommand = {SAMPLE:?}\nargs = [{name:?}]\n")).collect();
    home.write("toolcrib.toml", &format!("{servers}\n[context]\nsearch_tokens = 100\n"));
    let mut crib = home.serve().await;
    let text = crib.text("search_tools", json!({ "query": "", "server": "knowledge" })).await;
    insta::assert_snapshot!(with_price("(browse)", &text).trim_end());
}
