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
        self, Copies, Limits, describe, fold, listing,
        neighbours::Neighbours,
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
    let hits = tools.iter().map(Hit::of).collect();
    let reply = SearchReply { hits, ..SearchReply::default() };
    bencher.bench(|| search_reply::render(black_box(&reply), 500));
}

/// A server with 100 tools.
fn server(at: usize) -> ServerEntry {
    let kinds = ["issues", "pull_requests", "projects", "users", "files"];
    let tools =
        (0..100).map(|n| Arc::new(tool(&format!("server-{at}/list_{}_{n}", kinds[n % 5]), &json!({})))).collect();
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
}

/// A tool whose description of 700 characters names others, as the longer tenth of real tools have.
fn needy() -> ToolEntry {
    let words = "Moves what was found to the place that is given, and says what became of it afterwards. ";
    let text =
        format!("{}Call list_issues_0 first to get the id. Use list_files_4 instead for files.", words.repeat(7));
    let properties = json!({ "owner": { "type": "string", "description": "The owner's id from list_users_3" } });
    let definition = json!({ "name": "list_projects_2", "description": text, "inputSchema": { "type": "object", "properties": properties, "required": ["owner"] } });
    let Value::Object(definition) = definition else { unreachable!() };
    ToolEntry::new("server-0/list_projects_2".parse().unwrap(), &definition)
}

#[divan::bench]
fn needs_of_five_hits(bencher: Bencher<'_, '_>) {
    let (server, tool) = (with_needy(), needy());
    let known = Neighbours::default();
    bencher.bench(|| {
        for _ in 0..5 {
            black_box(known.needs(black_box(&tool), &server));
        }
    });
}

#[divan::bench]
fn needs_on_a_server_of_100_tools_never_seen(bencher: Bencher<'_, '_>) {
    let (server, tool) = (with_needy(), needy());
    bencher.bench(|| Neighbours::default().needs(black_box(&tool), &server));
}

fn with_needy() -> ServerEntry {
    let mut server = server(0);
    server.tools[2] = Arc::new(needy());
    server
}

#[divan::bench]
fn fold_of_15_hits_no_two_alike(bencher: Bencher<'_, '_>) {
    let tools = &server(0).tools[..15];
    bencher.bench(|| fold::fold(black_box(tools), 5).len());
}

#[divan::bench]
fn fold_of_15_hits_each_on_three_servers(bencher: Bencher<'_, '_>) {
    let tools: Vec<Arc<ToolEntry>> = (0..15)
        .map(|at| {
            Arc::new(tool(
                &format!("server-{}/list_issues_{}", at % 3, at / 3),
                usual().input_schema().get("properties").unwrap(),
            ))
        })
        .collect();
    bencher.bench(|| fold::fold(black_box(&tools), 5).len());
}

#[divan::bench]
fn listing_of_400_tools(bencher: Bencher<'_, '_>) {
    let names: Vec<String> = (0..400).map(|at| format!("group{}_operation_{at}", at % 12)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    bencher.bench(|| listing::names("server", black_box(&names), 500));
}

#[divan::bench]
fn summaries_of_40_servers_with_100_tools(bencher: Bencher<'_, '_>) {
    let entries: Vec<ServerEntry> = (0..40).map(server).collect();
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
