use proptest::prelude::*;

use super::*;
use crate::economy::samples;

fn tool(id: &str) -> ToolEntry {
    samples::tool(id, "Does it.", json!({ "type": "object" }))
}

fn names(ids: &[&str]) -> Vec<String> {
    let tools: Vec<ToolEntry> = ids.iter().map(|id| tool(id)).collect();
    advertised(&tools).into_iter().map(|pin| pin.name).collect()
}

fn candidate(id: &str, definition_tokens: u64, conversations: u64, used_in: u64, led_tokens: u64) -> PinCandidate {
    PinCandidate { id: id.parse().unwrap(), definition_tokens, conversations, used_in, led_tokens }
}

#[test]
fn a_pin_is_advertised_as_its_server_defined_it_under_a_name_that_clients_take() {
    let definition = json!({
        "name": "issue.create", "title": "Open an issue", "description": "Opens an issue.",
        "inputSchema": { "properties": { "z": { "type": "string" }, "a": { "x-own": 1.50 } }, "required": ["z"] },
        "outputSchema": { "type": "object" },
        "annotations": { "readOnlyHint": false, "x-hint": [1] },
        "icons": [{ "src": "data:image/png;base64,AAAA" }],
        "_meta": { "ui": "x" },
    });
    let tool = ToolEntry::new("github/issue.create".parse().unwrap(), definition.as_object().unwrap());
    let pins = advertised([&tool]);
    insta::assert_snapshot!(pins[0].definition, @r#"{"name":"github_issue_create","title":"Open an issue","description":"Opens an issue.","annotations":{"readOnlyHint":false,"x-hint":[1]},"inputSchema":{"type":"object","properties":{"z":{"type":"string"},"a":{"x-own":1.5}},"required":["z"]},"_meta":{"anthropic/alwaysLoad":true,"anthropic/maxResultSizeChars":500000}}"#);
}

#[test]
fn names_that_are_long_strange_or_taken_stay_apart() {
    let long = format!("github/{}", "x".repeat(60));
    insta::assert_debug_snapshot!(
        names(&["github/create_issue", &long, "web/Größe ändern", "a/b_c", "a_b/c", "search/tools", "a/b_c"]),
        @r#"
    [
        "github_create_issue",
        "github_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_b35bd7",
        "web_Gr__e__ndern",
        "a_b_c",
        "a_b_c_02d730",
        "search_tools_7fc578",
    ]
    "#
    );
}

#[test]
fn a_pin_repays_only_by_the_margin_and_over_enough_conversations() {
    let (repaid, others) = balances(&[
        candidate("a/every_time", 200, 10, 10, 2_600),
        candidate("a/just_even", 200, 10, 9, 2_400),
        candidate("a/too_early", 10, 4, 4, 4_000),
        candidate("a/never", 100, 10, 0, 0),
    ]);
    let shown = |balances: &[PinBalance]| -> Vec<String> {
        balances.iter().map(|one| format!("{} {} {}", one.tool, one.cost_tokens, one.saved_tokens)).collect()
    };
    assert_eq!(shown(&repaid), ["a/every_time 2000 2600"]);
    assert_eq!(shown(&others), ["a/too_early 40 4000", "a/just_even 2000 2400"]);
}

proptest! {
    #[test]
    fn every_name_is_one_that_every_client_takes_and_no_two_are_alike(
        tools in prop::collection::vec(("[a-z0-9][a-z0-9_-]{0,31}", "[a-zA-Z0-9_./ ü-]{1,80}"), 0..12)
    ) {
        let ids: Vec<String> = tools.iter().map(|(server, tool)| format!("{server}/{tool}")).collect();
        let found = names(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let mut folded: Vec<String> = found.iter().map(|name| name.to_ascii_lowercase()).collect();
        for name in &found {
            prop_assert!((1..=MAX_NAME_BYTES).contains(&name.len()), "{}", name);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')), "{}", name);
        }
        folded.sort();
        folded.dedup();
        prop_assert_eq!(folded.len(), found.len());
        let mut ids = ids;
        ids.sort();
        ids.dedup();
        prop_assert_eq!(found.len(), ids.len());
    }
}
