//! The registry as its callers see it: what is stored comes back, and nothing that happens to the file is silent.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::catalog::{JsonObject, RawListing, ToolEntry};

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::new(1_700_000_000 + seconds, 123_456_789)
}

fn object(value: &Value) -> JsonObject {
    value.as_object().unwrap().clone()
}

fn raw(tools: Vec<Value>) -> RawListing {
    RawListing {
        era: Era::Legacy,
        protocol_version: "2025-06-18".into(),
        server_info: object(&json!({ "version": "1", "name": "GitHub" })),
        capabilities: object(&json!({ "tools": {} })),
        instructions: Some("Be kind.".into()),
        tools,
        prompts: vec![json!({ "name": "review", "description": "Review a change" })],
        resources: vec![json!({ "uri": "file:///a", "name": "a" })],
        resource_templates: vec![json!({ "uriTemplate": "file:///{path}", "name": "any" })],
        notes: vec![],
    }
}

fn tool(name: &str, description: &str) -> Value {
    json!({ "zeta": 1.50, "name": name, "title": "A title", "description": description,
        "inputSchema": { "type": "object", "properties": { "b": { "type": "string" }, "a": { "type": "integer" } } } })
}

fn entry(server: &str, tools: Vec<Value>, seconds: u64) -> Arc<ServerEntry> {
    Arc::new(ServerEntry::read(name(server), raw(tools), at(seconds)))
}

/// Everything of an entry as text, so that the order of keys counts too.
fn texts(entry: &ServerEntry) -> Vec<String> {
    let tools = entry.tools.iter().map(|tool| tool.definition_text().to_owned());
    let offers = entry.prompts.iter().chain(&entry.resources).chain(&entry.resource_templates);
    tools.chain(offers.map(|offer| serde_json::to_string(offer).unwrap())).collect()
}

#[tokio::test]
async fn what_is_stored_comes_back_equal_and_in_its_order() {
    let dir = TempDir::new().unwrap();
    let broken = json!({ "name": "broken", "inputSchema": 7 });
    let github = entry("github", vec![tool("z_last", "Z"), broken, tool("a_first", "A")], 0);
    let empty = Arc::new(ServerEntry { instructions: None, ..(*entry("empty", vec![], 5)).clone() });
    let registry = Registry::open(dir.path()).unwrap();
    for entry in [&github, &empty] {
        registry.save_listing(Arc::clone(entry)).await.unwrap();
    }
    registry.close().await;

    let catalog = Registry::open(dir.path()).unwrap().load().unwrap();
    assert_eq!(catalog.generation, 2);
    assert_eq!(catalog.servers.values().collect::<Vec<_>>(), [&empty, &github]);
    assert_eq!(texts(&catalog.servers["github"]), texts(&github));
    assert_eq!(catalog.servers["github"].quarantined.len(), 1);
    let tool = catalog.tool(&"github/z_last".parse().unwrap()).unwrap();
    assert_eq!((tool.title(), tool.description()), (Some("A title"), "Z"));
}

#[tokio::test]
async fn a_number_beyond_every_machine_type_survives_on_disk() {
    let dir = TempDir::new().unwrap();
    let text = r#"{"name":"big","inputSchema":{"type":"object","maximum":12345678901234567890123}}"#;
    let mut entry = (*entry("math", vec![tool("big", "")], 0)).clone();
    let first = &entry.tools[0];
    entry.tools = vec![Arc::new(ToolEntry::restore(first.id.clone(), first.fingerprint, None, "".into(), text.into()))];
    let registry = Registry::open(dir.path()).unwrap();
    registry.save_listing(Arc::new(entry)).await.unwrap();
    assert_eq!(registry.load().unwrap().servers["math"].tools[0].definition_text(), text);
}

#[tokio::test]
async fn a_second_reading_says_what_changed_and_a_third_that_nothing_did() {
    let dir = TempDir::new().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    let first = registry.save_listing(entry("s", vec![tool("kept", "1"), tool("gone", "1")], 0)).await.unwrap();
    insta::assert_snapshot!(first, @"2 added");
    let second = registry.save_listing(entry("s", vec![tool("new", "1"), tool("kept", "2")], 1)).await.unwrap();
    insta::assert_snapshot!(second, @"1 added, 1 removed, 1 changed (kept: description)");
    let third = registry.save_listing(entry("s", vec![tool("kept", "2"), tool("new", "1")], 2)).await.unwrap();
    assert!(third.is_empty());

    let catalog = registry.load().unwrap();
    assert_eq!(catalog.generation, 2);
    // A list that only changed its order stays as it was; that it was read again is noted.
    assert_eq!(catalog.servers["s"].tools[0].name().as_str(), "new");
    assert_eq!(catalog.servers["s"].read_at, at(2));
    let logged: Vec<_> = registry.changes(10).await.unwrap().into_iter().map(|logged| logged.change).collect();
    assert_eq!(logged, [second, first]);
}

#[tokio::test]
async fn health_and_eras_are_remembered_for_servers_that_were_never_read() {
    let dir = TempDir::new().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    let failed = Health::Failed { at: at(1), failures: 3, reason: "no such program".into() };
    registry.record_health(name("a"), failed.clone()).await.unwrap();
    registry.record_health(name("b"), Health::Good { at: at(2) }).await.unwrap();
    registry.record_health(name("c"), Health::Good { at: at(2) }).await.unwrap();
    registry.record_health(name("c"), Health::Unknown).await.unwrap();
    registry.remember_era(name("a"), Era::Modern).await.unwrap();

    let catalog = registry.load().unwrap();
    assert_eq!(
        catalog.health.into_iter().collect::<Vec<_>>(),
        [(name("a"), failed), (name("b"), Health::Good { at: at(2) })]
    );
    assert_eq!(registry.eras().await.unwrap().into_iter().collect::<Vec<_>>(), [(name("a"), Era::Modern)]);
    assert_eq!(catalog.generation, 0);
}

fn call(tool: &str, succeeded: bool, seconds: u64) -> UseEvent {
    let tool = tool.parse().unwrap();
    UseEvent::Call { at: at(seconds), tool, succeeded, first: true, led_tokens: 0, sent_tokens: 100, result_tokens: 30 }
}

#[tokio::test]
async fn a_removed_server_leaves_nothing_but_its_log() {
    let dir = TempDir::new().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    registry.save_listing(entry("s", vec![tool("t", "")], 0)).await.unwrap();
    registry.record_health(name("s"), Health::Good { at: at(0) }).await.unwrap();
    registry.remember_era(name("s"), Era::Legacy).await.unwrap();
    registry.record_use(call("s/t", true, 0));
    assert!(registry.remove_server(name("s")).await.unwrap());
    assert!(!registry.remove_server(name("s")).await.unwrap());

    let catalog = registry.load().unwrap();
    assert!(catalog.servers.is_empty() && catalog.health.is_empty());
    assert!(registry.eras().await.unwrap().is_empty() && registry.ledger(400, at(0)).await.unwrap().entries.is_empty());
    assert_eq!((catalog.generation, registry.changes(9).await.unwrap().len()), (2, 1));
}

#[tokio::test]
async fn two_handles_share_a_file_and_notice_each_other() {
    let dir = TempDir::new().unwrap();
    let (one, two) = (Registry::open(dir.path()).unwrap(), Registry::open(dir.path()).unwrap());
    one.save_listing(entry("s", vec![tool("t", "")], 0)).await.unwrap();
    assert!(!one.changed_elsewhere().await.unwrap());
    assert!(two.changed_elsewhere().await.unwrap());
    assert_eq!(two.reload().await.unwrap().servers.len(), 1);
    assert!(!two.changed_elsewhere().await.unwrap());
    two.record_health(name("s"), Health::Good { at: at(1) }).await.unwrap();
    one.record_health(name("s"), Health::Good { at: at(2) }).await.unwrap();
    assert!(one.changed_elsewhere().await.unwrap(), "an own write does not hide a foreign one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_and_readers_of_one_file_never_fail() {
    let dir = TempDir::new().unwrap();
    let handles: Vec<_> = (0..3).map(|_| Arc::new(Registry::open(dir.path()).unwrap())).collect();
    let tasks = (0..24).map(|number| {
        let registry = Arc::clone(&handles[number % handles.len()]);
        tokio::spawn(async move {
            registry.save_listing(entry(&format!("s{number}"), vec![tool("t", "")], 0)).await.unwrap();
            registry.reload().await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let catalog = handles[0].load().unwrap();
    assert_eq!((catalog.servers.len(), catalog.generation), (24, 24));
}

#[tokio::test]
async fn a_registry_dropped_with_a_full_queue_opens_again_whole() {
    let dir = TempDir::new().unwrap();
    for round in 0..5 {
        let registry = Registry::open(dir.path()).unwrap();
        for _ in 0..200 {
            registry.record_use(call("s/a", true, round));
        }
        let save = registry.save_listing(entry("s", vec![tool("t", &round.to_string())], round));
        // Polled once: the write is queued, and nobody waits for it.
        drop(futures::future::select(Box::pin(save), std::future::ready(())).await);
        drop(registry);
    }
    let registry = Registry::open(dir.path()).unwrap();
    registry.check().await.unwrap();
    assert!(registry.load().unwrap().servers.len() <= 1);
}

#[tokio::test]
async fn a_write_after_the_close_is_refused_and_closing_twice_is_fine() {
    let dir = TempDir::new().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    registry.close().await;
    registry.close().await;
    assert!(matches!(registry.forget_usage().await, Err(RegistryError::Closed)));
    assert!(registry.load().is_ok());
}

#[tokio::test]
async fn the_key_of_the_index_is_kept() {
    let dir = TempDir::new().unwrap();
    let registry = Registry::open(dir.path()).unwrap();
    assert_eq!(registry.index_key().await.unwrap(), None);
    registry.set_index_key("abc".into()).await.unwrap();
    assert_eq!(registry.index_key().await.unwrap().as_deref(), Some("abc"));
}
