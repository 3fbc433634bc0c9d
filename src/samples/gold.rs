//! Keeps `fixtures/gold/`, the queries on which CI measures ranking, in step with the sample servers.
//!
//! `tools.jsonl` and `servers.jsonl` are generated (`TOOLCRIB_UPDATE=1 cargo test --lib samples::gold`), `queries.jsonl` is written by
//! hand: words a person or a model would use, not words copied from the descriptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{definitions, description, names};

/// Fewest queries that make a change of a point of recall more than one lucky hit.
const MIN_QUERIES: usize = 120;

/// Kinds of queries, and how many of each there must be.
const KINDS: [(&str, usize); 8] = [
    ("ambiguous", 10),
    ("keyword", 20),
    ("multi", 12),
    ("named", 15),
    ("other-language", 5),
    ("paraphrase", 25),
    ("sentence", 25),
    ("typo", 10),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    id: String,
    query: String,
    /// One list for each need; any tool of the list meets it.
    groups: Vec<Vec<String>>,
    relevant: Vec<String>,
    split: String,
    tag: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gold")
}

fn queries() -> Vec<Query> {
    let text = fs::read_to_string(folder().join("queries.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn tool_lines() -> Vec<Value> {
    let mut lines = Vec::new();
    for server in names() {
        for tool in definitions(server).unwrap() {
            lines.push(json!({
                "id": format!("{server}/{}", tool["name"].as_str().unwrap()),
                "server": server,
                "name": tool["name"],
                "title": tool.get("title").or_else(|| tool.pointer("/annotations/title")),
                "description": tool.get("description"),
                "input_schema": tool["inputSchema"],
                "annotations": tool.get("annotations"),
            }));
        }
    }
    lines
}

fn server_lines() -> Vec<Value> {
    names().iter().map(|name| json!({ "name": name, "description": description(name).unwrap() })).collect()
}

/// Compares a generated file with what it should be, or writes it when asked to.
fn check_generated(file: &str, lines: &[Value]) {
    let path = folder().join(file);
    let wanted: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if env::var_os("TOOLCRIB_UPDATE").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is out of date; run `TOOLCRIB_UPDATE=1 cargo test --lib samples::gold`");
}

#[test]
fn the_gold_catalog_is_what_the_sample_servers_list() {
    check_generated("tools.jsonl", &tool_lines());
    check_generated("servers.jsonl", &server_lines());
}

#[test]
fn every_label_names_a_tool_and_every_tool_is_wanted_by_some_query() {
    let known: BTreeSet<String> = tool_lines().iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    let mut wanted = BTreeSet::new();
    for query in queries() {
        assert!(!query.groups.is_empty(), "{}: no need", query.id);
        for group in &query.groups {
            assert!(!group.is_empty(), "{}: a need without a tool", query.id);
            for id in group {
                assert!(known.contains(id), "{}: no tool `{id}`", query.id);
                wanted.insert(id.clone());
            }
        }
        let union: BTreeSet<&String> = query.groups.iter().flatten().collect();
        assert!(query.relevant.iter().eq(union), "{}: `relevant` is not the sorted union of `groups`", query.id);
    }
    let unwanted: Vec<&String> = known.difference(&wanted).collect();
    assert!(unwanted.is_empty(), "no query wants {unwanted:?}");
}

#[test]
fn there_are_enough_queries_of_every_kind_and_none_twice() {
    let queries = queries();
    assert!(queries.len() >= MIN_QUERIES, "only {} queries", queries.len());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    let mut texts = BTreeSet::new();
    for query in &queries {
        *kinds.entry(&query.tag).or_default() += 1;
        assert!(ids.insert(&query.id), "id `{}` is there twice", query.id);
        assert!(texts.insert(query.query.to_lowercase()), "query `{}` is there twice", query.query);
        assert_eq!(query.split, "dev", "{}", query.id);
        assert!(query.tag != "multi" || query.groups.len() > 1, "{} has one need only", query.id);
    }
    for (kind, least) in KINDS {
        let found = kinds.remove(kind).unwrap_or_default();
        assert!(found >= least, "{found} queries of kind {kind}, {least} wanted");
    }
    assert!(kinds.is_empty(), "unknown kinds {kinds:?}");
}

#[test]
fn no_query_is_copied_from_a_description() {
    let texts: Vec<String> =
        tool_lines().iter().filter_map(|line| Some(line["description"].as_str()?.to_lowercase())).collect();
    for query in queries().iter().filter(|query| query.query.split_whitespace().count() > 3) {
        let copied = texts.iter().find(|text| text.contains(&query.query.to_lowercase()));
        assert!(copied.is_none(), "{}: `{}` is in a description", query.id, query.query);
    }
}
