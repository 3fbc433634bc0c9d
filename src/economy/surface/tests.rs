use crate::economy::{
    footprint, samples,
    summaries::{self, SummaryInput},
    tokens,
};

use super::*;

#[test]
fn the_three_tools_are_these_and_cost_this() {
    let tools = tools(None);
    let text = Value::from(tools.to_vec()).to_string();
    let pretty = serde_json::to_string_pretty(&tools).unwrap();
    insta::assert_snapshot!("tools", pretty);
    insta::assert_snapshot!(format!("tools {} + head {}", tokens::count(&text), tokens::count(INSTRUCTIONS_HEAD)), @"tools 310 + head 17");
}

#[test]
fn twenty_servers_cost_at_most_500_tokens_and_149_at_most_900() {
    for (servers, most) in [(0, 400), (1, 400), (20, 500), (149, 900)] {
        let entries: Vec<_> = (0..servers)
            .map(|at| {
                samples::server_of(
                    NAMES[at % NAMES.len()],
                    &["list_pull_requests", "create_issue", "search_code_owners"],
                )
            })
            .enumerate()
            .map(|(at, mut entry)| {
                if at >= NAMES.len() {
                    entry.name = format!("{}-{}", entry.name, at / NAMES.len()).parse().unwrap();
                }
                entry
            })
            .collect();
        let inputs: Vec<_> =
            entries.iter().map(|entry| SummaryInput { name: &entry.name, summary: None, entry: Some(entry) }).collect();
        let text = summaries::render(&inputs, 400);
        let (tokens, chars) = (footprint::start_tokens(&text), instructions(&text).chars().count());
        assert!(tokens <= most && chars < 2_000, "{servers} servers: {tokens} tokens, {chars} characters\n{text}");
    }
}

const NAMES: [&str; 20] = [
    "filesystem",
    "git",
    "github",
    "slack",
    "notion",
    "atlassian",
    "linear",
    "sentry",
    "grafana",
    "postgres",
    "playwright",
    "chrome-devtools",
    "google-workspace",
    "todoist",
    "kubernetes",
    "brave-search",
    "context7",
    "memory",
    "time",
    "fetch",
];

#[test]
fn what_is_advertised_is_a_valid_schema_that_takes_what_it_should() {
    for tool in tools(None) {
        let schema = jsonschema::validator_for(&tool["inputSchema"]).unwrap();
        let good = match tool["name"].as_str().unwrap() {
            SEARCH_TOOLS => json!({ "query": "open an issue", "limit": 20 }),
            DESCRIBE_TOOL => json!({ "tools": ["a/b"] }),
            _ => json!({ "tool": "a/b", "arguments": {}, "select": "$.x", "max_tokens": 100 }),
        };
        assert!(schema.is_valid(&good), "{tool}");
        assert!(!schema.is_valid(&json!({})), "{tool}");
    }
}

#[test]
fn clients_that_hide_instructions_get_the_summaries_in_the_search_description() {
    let text = search_tools(Some("github (26): issues"))["description"].to_string();
    assert!(text.contains("Servers:\\ngithub (26): issues"), "{text}");
    assert_eq!(search_tools(None), search_tools(Some("")));
    let longest = "x".repeat(summaries::MAX_CHARS);
    for text in [search_tools(Some(&longest))["description"].to_string(), instructions(&longest)] {
        assert!(text.chars().count() < 2_000, "a client would cut it");
    }
}
