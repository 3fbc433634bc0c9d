//! What a model sees at start, to the byte, with its price. It may not grow unnoticed.

use serde_json::{Value, json};

use crate::support::{Home, SAMPLE};

/// The advertised surface for the first `count` of many servers; names repeat the samples with a number.
async fn surface(count: usize) -> String {
    let names: Vec<(String, &'static str)> = (0..count)
        .map(|at| {
            let sample = toolcrib::samples::names()[at % 12];
            (if at < 12 { sample.to_owned() } else { format!("{sample}-{}", at / 12 + 1) }, sample)
        })
        .collect();
    let args: Vec<[&str; 1]> = names.iter().map(|(_, sample)| [*sample]).collect();
    let servers: Vec<(&str, &str, &[&str])> =
        names.iter().zip(&args).map(|((name, _), args)| (name.as_str(), SAMPLE, args.as_slice())).collect();
    let home = Home::with_servers(&servers).reindexed().await;
    let mut crib = home.spawn(&["serve", "--no-refresh"]);
    let initialized = crib.initialize("2025-11-25").await;
    let listed = crib.request("tools/list", json!({})).await;
    let instructions = initialized["instructions"].as_str().unwrap_or_default();
    let tools = listed["tools"].to_string();
    // The same bytes at the next start.
    let mut again = home.spawn(&["serve", "--no-refresh"]);
    let second = again.initialize("2025-11-25").await;
    assert_eq!(initialized["instructions"], second["instructions"]);
    assert_eq!(listed, again.request("tools/list", json!({})).await);
    let tokens = toolcrib::economy::count(&tools) + toolcrib::economy::count(instructions);
    format!("{tokens} o200k_base tokens at start\n\n{instructions}\n\n{}", pretty(&listed["tools"]))
}

fn pretty(tools: &Value) -> String {
    serde_json::to_string_pretty(tools).unwrap()
}

#[tokio::test]
async fn the_surface_of_1_server() {
    insta::assert_snapshot!(surface(1).await);
}

#[tokio::test]
async fn the_surface_of_12_servers() {
    insta::assert_snapshot!(surface(12).await);
}

#[tokio::test]
async fn the_surface_of_60_servers() {
    insta::assert_snapshot!(surface(60).await);
}
