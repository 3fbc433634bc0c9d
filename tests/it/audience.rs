//! Each client gets the server summaries where it shows them to its model, and once.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE};

const SUMMARY: &str = "orders and invoices of the shop";

async fn home(place: &str) -> Home {
    let home = Home::new();
    let program = serde_json::to_string(SAMPLE).unwrap();
    home.write(
        "toolcrib.toml",
        &format!("[context]\nsummaries = \"{place}\"\n[servers.tasks]\ncommand = {program}\nargs = [\"tasks\"]\nsummary = \"{SUMMARY}\"\n"),
    );
    home.reindexed().await
}

/// Whether the instructions and the description of `search_tools` hold the summaries, for a client of this name.
async fn places(home: &Home, client: &str, version: &str) -> (bool, bool) {
    let modern = version == "2026-07-28";
    let mut crib = if modern { home.serve_modern() } else { home.spawn(&["serve", "--no-refresh"]) };
    crib.client = client.into();
    let hello = if modern { crib.request("server/discover", json!({})).await } else { crib.initialize(version).await };
    let listed = crib.request("tools/list", json!({})).await;
    // The same bytes whenever it asks.
    assert_eq!(listed, crib.request("tools/list", json!({})).await);
    let search = &listed["tools"][0];
    assert_eq!(search["name"], "search_tools");
    let description = search["description"].as_str().unwrap();
    assert!(description.chars().count() < 2_000);
    let instructions = hello["instructions"].as_str().unwrap();
    assert!(!instructions.is_empty());
    let others = Value::from(listed["tools"].as_array().unwrap()[1..].to_vec()).to_string();
    assert!(!others.contains(SUMMARY));
    (instructions.contains(SUMMARY), description.contains(SUMMARY))
}

#[tokio::test]
async fn a_client_that_hides_instructions_reads_the_summaries_in_the_search_tool() {
    let home = home("auto").await;
    for version in ["2025-11-25", "2026-07-28"] {
        for (client, expected) in
            [("claude-code", (true, false)), ("Cline", (false, true)), ("unheard-of", (true, false))]
        {
            assert_eq!(places(&home, client, version).await, expected, "{client} {version}");
        }
    }
}

#[tokio::test]
async fn the_operator_has_the_last_word_on_the_place() {
    for (place, expected) in [("instructions", (true, false)), ("search_tools", (false, true)), ("both", (true, true))]
    {
        let home = home(place).await;
        assert_eq!(places(&home, "Cline", "2025-11-25").await, expected, "{place}");
        assert_eq!(places(&home, "claude-code", "2026-07-28").await, expected, "{place}");
    }
}
