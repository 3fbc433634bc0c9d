//! One server as it is, through `serve --passthrough`: its own names, both eras, and it sleeps until it is needed.

use serde_json::{Value, json};

use crate::support::{Home, PEER, SAMPLE, Served, children};

fn modern(home: &Home, server: &str) -> Served {
    home.spawn_modern(&["serve", "--no-refresh", "--passthrough", server])
}

async fn legacy(home: &Home, server: &str) -> (Served, Value) {
    let mut crib = home.spawn(&["serve", "--no-refresh", "--passthrough", server]);
    let started = crib.initialize("2025-11-25").await;
    (crib, started)
}

#[tokio::test]
async fn a_server_is_given_as_it_is_in_all_four_pairs_of_eras() {
    for mode in ["good", "modern-only"] {
        let home = Home::with_servers(&[("odd", PEER, &[mode])]).reindexed().await;
        let sent =
            json!({"content": [{"type": "future", "x": [1, {"y": null}]}], "futureKey": {"a": 1}, "messages": []});
        let (mut crib, started) = legacy(&home, "odd").await;
        assert!(started["capabilities"]["tools"].is_object(), "{mode}: {started}");
        let tools = crib.request("tools/list", json!({})).await;
        assert_eq!(tools["tools"][0]["name"], "echo", "{mode}");
        let got = crib.request("tools/call", json!({"name": "raw", "arguments": {"result": sent}})).await;
        assert_eq!(got, sent, "{mode}");
        assert_eq!(crib.close().await, Some(0));

        let mut crib = modern(&home, "odd");
        let found = crib.request("server/discover", json!({})).await;
        assert!(found["capabilities"]["tools"].is_object(), "{mode}: {found}");
        let tools = crib.request("tools/list", json!({})).await;
        assert_eq!((&tools["resultType"], &tools["ttlMs"]), (&json!("complete"), &json!(0)), "{mode}");
        let mut got = crib.request("tools/call", json!({"name": "raw", "arguments": {"result": sent}})).await;
        assert_eq!(got.as_object_mut().unwrap().remove("resultType"), Some(json!("complete")), "{mode}");
        assert_eq!(got, sent, "{mode}");
        assert_eq!(crib.close().await, Some(0));
    }
}

#[tokio::test]
async fn whoever_only_looks_does_not_wake_the_server() {
    let home = Home::with_servers(&[("tasks", SAMPLE, &["tasks"])]).reindexed().await;
    let (mut crib, _) = legacy(&home, "tasks").await;
    let tools = crib.request("tools/list", json!({})).await;
    assert!(!tools["tools"].as_array().unwrap().is_empty());
    assert_eq!(children(crib.pid()), Vec::<String>::new(), "a list starts nothing");
    crib.request("tools/call", json!({"name": tools["tools"][0]["name"], "arguments": {}})).await;
    assert_eq!(children(crib.pid()).len(), 1);
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_server_that_was_never_read_is_asked_itself() {
    let home = Home::with_servers(&[("odd", PEER, &["good"])]);
    let (mut crib, started) = legacy(&home, "odd").await;
    assert_eq!(started["serverInfo"]["name"], "peer", "{started}");
    assert_eq!(crib.request("tools/list", json!({})).await["tools"][0]["name"], "echo");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn errors_and_methods_that_nobody_knows_are_the_servers_own() {
    let home = Home::with_servers(&[("odd", PEER, &["good"])]).reindexed().await;
    let (mut crib, _) = legacy(&home, "odd").await;
    let failed = crib.request("tools/call", json!({"name": "fail", "arguments": {}})).await;
    assert_eq!(failed["error"], json!({"code": -32000, "message": "it failed as asked"}), "{failed}");
    let unknown = crib.request("future/method", json!({"x": 1})).await;
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn tools_that_the_operator_does_not_offer_are_not_there() {
    let home = Home::new();
    let command = Value::from(PEER).to_string();
    home.write(
        "toolcrib.toml",
        &format!("[servers.odd]\ncommand = {command}\nargs = [\"good\"]\ntools.exclude = [\"echo\"]\n"),
    );
    let (mut crib, _) = legacy(&home, "odd").await;
    let tools = crib.request("tools/list", json!({})).await;
    assert!(tools["tools"].as_array().unwrap().iter().all(|tool| tool["name"] != "echo"), "{tools}");
    let refused = crib.request("tools/call", json!({"name": "echo", "arguments": {"text": "x"}})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_before_anything_is_served() {
    let home = Home::with_servers(&[("odd", PEER, &["good"])]);
    let ran = home.run(&["serve", "--passthrough", "gone"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("there is no server `gone` that takes part; there are: odd"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}
