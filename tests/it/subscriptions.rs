//! Clients of either era are told of changes by servers of either era: through the broker, and through one server's own endpoint.

use serde_json::{Value, json};

use crate::support::{Home, PEER, Served};

const MODES: [&str; 2] = ["changes", "changes-modern"];
const NOTE: &str = "note://daily/today?full=1";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

async fn home(mode: &str) -> Home {
    Home::with_servers(&[("notes", PEER, &[mode])]).reindexed().await
}

/// The next notifications of these methods, in the order of their arrival, whatever else comes between.
async fn heard(crib: &mut Served, methods: &[&str]) -> Vec<Value> {
    let mut heard: Vec<Value> = Vec::new();
    for wanted in methods {
        let known = crib.notifications.iter().position(|message| message["method"] == **wanted);
        let message = match known {
            Some(at) => crib.notifications.remove(at),
            None => loop {
                let message = crib.next().await;
                if message["method"] == **wanted {
                    break message;
                }
                assert!(message.get("id").is_none(), "asked unexpectedly: {message}");
                crib.notifications.push(message);
            },
        };
        heard.push(message["params"].clone());
    }
    heard
}

async fn asked(crib: &mut Served, tool: Option<&str>) -> Vec<String> {
    let result = match tool {
        Some(tool) => crib.meta("call_tool", json!({"tool": tool, "arguments": {}})).await,
        None => crib.request("tools/call", json!({"name": "asked", "arguments": {}})).await,
    };
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

/// As [`asked`], once there are two: what ends a watch goes its own way, and a call may overtake it.
async fn asked_twice(crib: &mut Served, tool: Option<&str>) -> Vec<String> {
    for _ in 0..500 {
        let asked = asked(crib, tool).await;
        if asked.len() >= 2 {
            return asked;
        }
    }
    panic!("the watch was not ended");
}

#[tokio::test]
async fn a_legacy_client_subscribes_to_a_resource_behind_the_broker_and_takes_it_back() {
    for mode in MODES {
        let home = home(mode).await;
        let mut crib = home.spawn(&["serve", "--no-refresh"]);
        let started = crib.initialize("2025-11-25").await;
        assert_eq!(started["capabilities"]["resources"], json!({"subscribe": true}), "{mode}");
        let uri = format!("crib://notes/{NOTE}");
        assert_eq!(crib.request("resources/subscribe", json!({"uri": uri})).await, json!({}), "{mode}");
        crib.meta("call_tool", json!({"tool": "notes/change", "arguments": {}})).await;
        let told = heard(&mut crib, &["notifications/resources/updated"]).await;
        assert_eq!(told[0]["uri"], uri, "{mode}");
        assert_eq!(crib.request("resources/unsubscribe", json!({"uri": uri})).await, json!({}), "{mode}");
        let asked = asked_twice(&mut crib, Some("notes/asked")).await;
        assert_eq!(asked.len(), 2, "subscribed and taken back: {asked:?}");
        assert_eq!(crib.close().await, Some(0));
    }
}

#[tokio::test]
async fn a_modern_client_listens_to_a_resource_behind_the_broker() {
    for mode in MODES {
        let home = home(mode).await;
        let mut crib = home.serve_modern();
        let uri = format!("crib://notes/{NOTE}");
        let wanted = json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": [uri, "crib://gone/x"]});
        let id = crib.begin("subscriptions/listen", json!({"notifications": wanted})).await;
        let agreed = heard(&mut crib, &["notifications/subscriptions/acknowledged"]).await;
        let agreed_to = json!({"toolsListChanged": true, "resourceSubscriptions": [uri]});
        assert_eq!(
            (&agreed[0]["notifications"], &agreed[0]["_meta"][SUBSCRIPTION]),
            (&agreed_to, &json!(id)),
            "{mode}"
        );
        crib.meta("call_tool", json!({"tool": "notes/change", "arguments": {}})).await;
        let told = heard(&mut crib, &["notifications/resources/updated"]).await;
        assert_eq!((&told[0]["uri"], &told[0]["_meta"][SUBSCRIPTION]), (&json!(uri), &json!(id)), "{mode}: {told:?}");
        crib.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})).await;
        let asked = asked_twice(&mut crib, Some("notes/asked")).await;
        assert_eq!(asked.len(), 2, "{mode}: {asked:?}");
        assert!(crib.notifications.is_empty(), "nothing unasked: {:?}", crib.notifications);
        assert_eq!(crib.close().await, Some(0));
    }
}

#[tokio::test]
async fn a_legacy_client_of_one_server_hears_of_its_lists_and_its_resources() {
    for mode in MODES {
        let home = home(mode).await;
        let mut crib = home.spawn(&["serve", "--no-refresh", "--passthrough", "notes"]);
        crib.initialize("2025-11-25").await;
        assert_eq!(crib.request("resources/subscribe", json!({"uri": NOTE})).await, json!({}), "{mode}");
        until_lists_are_watched(&mut crib, mode).await;
        crib.notifications.clear();
        crib.request("tools/call", json!({"name": "change", "arguments": {}})).await;
        let told = heard(&mut crib, &["notifications/tools/list_changed", "notifications/resources/updated"]).await;
        assert_eq!(told[1]["uri"], NOTE, "{mode}");
        assert_eq!(told[1].get("_meta").and_then(|meta| meta.get(SUBSCRIPTION)), None, "{mode}: {told:?}");
        assert_eq!(crib.close().await, Some(0));
    }
}

/// The watch of lists is opened beside the requests; a server of the stateless era tells that it has been.
async fn until_lists_are_watched(crib: &mut Served, mode: &str) {
    if mode == "changes" {
        // Its notifications come unasked; the first change that is heard shows that they are taken.
        loop {
            crib.request("tools/call", json!({"name": "change", "arguments": {}})).await;
            crib.request("tools/call", json!({"name": "asked", "arguments": {}})).await;
            if crib.notifications.iter().any(|message| message["method"] == "notifications/tools/list_changed") {
                return;
            }
        }
    }
    while !asked(crib, None).await.iter().any(|line| line.contains("toolsListChanged")) {}
}

#[tokio::test]
async fn a_modern_client_of_one_server_listens_to_what_it_names_and_hears_of_nothing_else() {
    for mode in MODES {
        let home = home(mode).await;
        let mut crib = home.spawn_modern(&["serve", "--no-refresh", "--passthrough", "notes"]);
        let wanted = json!({"resourceSubscriptions": [NOTE]});
        let id = crib.begin("subscriptions/listen", json!({"notifications": wanted})).await;
        let agreed = heard(&mut crib, &["notifications/subscriptions/acknowledged"]).await;
        assert_eq!(agreed[0]["notifications"], wanted, "{mode}");
        crib.request("tools/call", json!({"name": "change", "arguments": {}})).await;
        let told = heard(&mut crib, &["notifications/resources/updated"]).await;
        assert_eq!((&told[0]["uri"], &told[0]["_meta"][SUBSCRIPTION]), (&json!(NOTE), &json!(id)), "{mode}: {told:?}");
        crib.request("tools/call", json!({"name": "asked", "arguments": {}})).await;
        assert!(crib.notifications.is_empty(), "nothing unasked: {:?}", crib.notifications);
        assert_eq!(crib.close().await, Some(0));
    }
}
