//! What it costs to render signatures, describes, summaries and results, and to count tokens.
//!
//! `cargo bench --bench economy`. Goals: signature 20 µs, describe 100 µs, a 5 MB JSON result 50 ms.
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what it did not expect")]

use std::{sync::Arc, time::SystemTime};

use divan::{Bencher, black_box};
use serde_json::{Map, Value, json};
use toolcrib::{
    catalog::{Era, JsonObject, ServerEntry, ToolEntry},
    economy::{
        self, Copies, Limits, describe,
        search_reply::{self, Hit, SearchReply},
        signature,
        summaries::{self, SummaryInput},
    },
};

fn main() {
    economy::warm_up();
    divan::main();
}

fn tool(id: &str, properties: &Value) -> ToolEntry {
    let definition = json!({
        "name": id.split_once('/').unwrap().1,
        "description": "This tool lists what matches the filter, newest first. Results come in pages of 30.",
        "inputSchema": { "type": "object", "properties": properties, "required": ["owner"] },
    });
    let Value::Object(definition) = definition else { unreachable!() };
    ToolEntry::new(id.parse().unwrap(), &definition)
}

/// Ten parameters, as the larger tenth of real tools have.
fn usual() -> ToolEntry {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let properties = json!({
        "owner": text("Repository owner, a user or an organisation"),
        "repo": text("Repository name"),
        "state": { "type": "string", "enum": ["open", "closed", "all"], "default": "open", "description": "Which ones" },
        "labels": { "type": "array", "items": { "type": "string" }, "description": "All of these labels" },
        "since": { "type": "string", "format": "date-time", "description": "Changed after this" },
        "page": { "type": "integer", "minimum": 1, "default": 1 },
        "per_page": { "type": "integer", "minimum": 1, "maximum": 100, "default": 30 },
        "sort": { "anyOf": [{ "enum": ["created", "updated"] }, { "type": "null" }], "default": null },
        "assignee": { "anyOf": [{ "type": "string" }, { "type": "null" }], "default": null },
        "filter": { "type": "object", "properties": { "author": text("Login"), "numbers": { "type": "array", "items": { "type": "number" } } } },
    });
    tool("github/list_issues", &properties)
}

/// Far too large to be shown.
fn huge() -> ToolEntry {
    let leaf = json!({ "type": "string", "description": "One of very many fields of this block." });
    let level = |inner: &Value| -> Value {
        let fields: Map<String, Value> = (0..8).map(|at| (format!("field_{at}"), inner.clone())).collect();
        json!({ "type": "object", "properties": fields })
    };
    tool("cms/update_document", &json!({ "owner": level(&level(&level(&leaf))) }))
}

#[divan::bench]
fn signature_of_a_tool_with_ten_parameters(bencher: Bencher<'_, '_>) {
    let tool = usual();
    bencher.bench(|| signature(black_box(&tool)));
}

#[divan::bench]
fn signature_of_a_tool_with_600_fields(bencher: Bencher<'_, '_>) {
    let tool = huge();
    bencher.bench(|| signature(black_box(&tool)));
}

#[divan::bench]
fn sentence(bencher: Bencher<'_, '_>) {
    let tool = usual();
    bencher.bench(|| economy::sentence(black_box(&tool)));
}

#[divan::bench]
fn describe_of_a_tool_with_ten_parameters(bencher: Bencher<'_, '_>) {
    let tool = usual();
    bencher.bench(|| describe(black_box(&tool)));
}

#[divan::bench]
fn search_reply_of_five_hits(bencher: Bencher<'_, '_>) {
    let tools = [usual(), usual(), usual(), usual(), usual()];
    let hits = tools.iter().map(|tool| Hit { tool, notes: Vec::new() }).collect();
    let reply = SearchReply { hits, ..SearchReply::default() };
    bencher.bench(|| search_reply::render(black_box(&reply), 500));
}

#[divan::bench]
fn summaries_of_40_servers_with_100_tools(bencher: Bencher<'_, '_>) {
    let entries: Vec<ServerEntry> = (0..40)
        .map(|at| {
            let kinds = ["issues", "pull_requests", "projects", "users", "files"];
            let tools = (0..100)
                .map(|n| Arc::new(tool(&format!("server-{at}/list_{}_{n}", kinds[n % 5]), &json!({}))))
                .collect();
            ServerEntry {
                name: format!("server-{at}").parse().unwrap(),
                era: Era::Legacy,
                protocol_version: "2025-06-18".into(),
                server_info: JsonObject::new(),
                capabilities: JsonObject::new(),
                instructions: None,
                tools,
                prompts: Vec::new(),
                resources: Vec::new(),
                resource_templates: Vec::new(),
                quarantined: Vec::new(),
                read_at: SystemTime::UNIX_EPOCH,
            }
        })
        .collect();
    let inputs: Vec<SummaryInput<'_>> =
        entries.iter().map(|entry| SummaryInput { name: &entry.name, summary: None, entry: Some(entry) }).collect();
    bencher.bench(|| summaries::render(black_box(&inputs), 400));
}

#[divan::bench]
fn count_of_4_kib(bencher: Bencher<'_, '_>) {
    let text = "The quick brown fox opens pull request 42 in github/list_issues. ".repeat(64);
    bencher.bench(|| economy::count(black_box(&text)));
}

#[divan::bench]
fn estimate_of_4_kib(bencher: Bencher<'_, '_>) {
    let text = "github (26): issues, pull requests, code search\n".repeat(85);
    bencher.bench(|| economy::estimate(black_box(&text)));
}

#[divan::bench(sample_count = 10)]
fn fit_of_a_json_result_of_5_mb(bencher: Bencher<'_, '_>) {
    let rows: Vec<Value> =
        (0..50_000).map(|at| json!({ "id": at, "name": format!("customer number {at}"), "active": at % 2 == 0, "note": "as before" })).collect();
    let text = serde_json::to_string_pretty(&rows).unwrap();
    let Value::Object(result) = json!({ "content": [{ "type": "text", "text": text }] }) else { unreachable!() };
    let limits = Limits::standard(8_000, Copies::KeepText);
    bencher.bench(|| economy::fit(black_box(&result), &limits));
}
