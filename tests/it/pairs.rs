//! Each kind of traffic between clients and servers of both eras, in all four pairs, at both doors: all servers through the
//! meta-tools, and one server as it is. What a server asks meanwhile is in `bridge`, changes are in `subscriptions`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Home, PEER, Served};

const SERVERS: [&str; 2] = ["changes", "changes-modern"];
const LEVEL: &str = "io.modelcontextprotocol/logLevel";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Door {
    All,
    One,
}

/// A client of one era at one door, before a server of one era.
struct Pair {
    crib: Served,
    home: Home,
    is_modern: bool,
    door: Door,
    name: String,
}

impl Pair {
    /// Calls the server's tool, with this `_meta`.
    fn call(&self, tool: &str, arguments: &Value, meta: &Value) -> Value {
        match self.door {
            Door::One => json!({"name": tool, "arguments": arguments, "_meta": meta}),
            Door::All => {
                let arguments = json!({"tool": format!("odd/{tool}"), "arguments": arguments});
                json!({"name": "call_tool", "arguments": arguments, "_meta": meta})
            }
        }
    }

    /// What the client calls a prompt of the server.
    fn prompt(&self, own: &str) -> String {
        if self.door == Door::All { format!("odd/{own}") } else { own.into() }
    }

    /// What the client calls a resource of the server.
    fn resource(&self, own: &str) -> String {
        if self.door == Door::All { format!("crib://odd/{own}") } else { own.into() }
    }

    /// The messages that the server has read.
    fn read_by_server(&self) -> Vec<String> {
        let trace = std::fs::read_to_string(self.home.path().join("methods")).unwrap_or_default();
        trace.lines().map(str::to_owned).collect()
    }
}

/// Tells a story of every pair at every door.
async fn everywhere(story: impl AsyncFn(&mut Pair)) {
    for (server, is_modern, door) in SERVERS
        .into_iter()
        .flat_map(|server| [false, true].map(|era| (server, era)))
        .flat_map(|(server, era)| [(server, era, Door::All), (server, era, Door::One)])
    {
        let home = Home::new();
        let methods = home.path().join("methods");
        let entry = json!({"command": PEER, "args": [server, methods]});
        home.write("mcp.json", &json!({"mcpServers": {"odd": entry}}).to_string());
        let home = home.reindexed().await;
        std::fs::remove_file(&methods).unwrap();
        let args: &[&str] = match door {
            Door::All => &["serve", "--no-refresh"],
            Door::One => &["serve", "--no-refresh", "--passthrough", "odd"],
        };
        let mut crib = if is_modern { home.spawn_modern(args) } else { home.spawn(args) };
        if !is_modern {
            crib.initialize("2025-11-25").await;
        }
        let name = format!("{} client, server {server}, {door:?}", if is_modern { "modern" } else { "legacy" });
        let mut pair = Pair { crib, home, is_modern, door, name };
        story(&mut pair).await;
        assert_eq!(pair.crib.close().await, Some(0), "{}", pair.name);
    }
}

#[tokio::test]
async fn progress_comes_under_the_clients_own_token_and_a_cancelled_call_reaches_the_server() {
    everywhere(async |pair| {
        let trace = pair.home.path().join("cancelled");
        let call = pair.call("slow", &json!({"trace": trace}), &json!({"progressToken": "p-1"}));
        let id = pair.crib.begin("tools/call", call).await;
        // A server that wakes may have other lists than the catalog; whoever speaks to it alone is told so.
        let first = loop {
            let message = pair.crib.next().await;
            if !message["method"].as_str().unwrap().ends_with("/list_changed") {
                break message;
            }
        };
        assert_eq!(first["method"], "notifications/progress", "{}", pair.name);
        let expected = json!({"progress": 1, "message": "working", "progressToken": "p-1"});
        assert_eq!(first["params"], expected, "{}", pair.name);
        let cancelled = json!({"requestId": id, "reason": "no more"});
        let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled});
        pair.crib.send(&message).await;
        let echo = pair.call("echo", &json!({}), &json!({}));
        pair.crib.request("tools/call", echo).await;
        let deadline = Instant::now() + Duration::from_secs(5);
        while !trace.exists() && Instant::now() < deadline {
            tokio::task::yield_now().await;
        }
        assert!(trace.exists(), "{}: the server was not told", pair.name);
    })
    .await;
}

#[tokio::test]
async fn log_messages_come_from_the_level_that_the_client_wants() {
    everywhere(async |pair| {
        for (level, comes) in [("error", false), ("info", true)] {
            pair.crib.notifications.clear();
            let meta = if pair.is_modern {
                json!({LEVEL: level})
            } else {
                assert_eq!(pair.crib.request("logging/setLevel", json!({"level": level})).await, json!({}));
                json!({})
            };
            let call = pair.call("log", &json!({}), &meta);
            pair.crib.request("tools/call", call).await;
            let logged: Vec<Value> = pair
                .crib
                .notifications
                .iter()
                .filter(|message| message["method"] == "notifications/message")
                .cloned()
                .collect();
            let expected = json!({"level": "warning", "data": "careful", "futureField": 1});
            let params: Vec<&Value> = logged.iter().map(|message| &message["params"]).collect();
            assert_eq!(params, if comes { vec![&expected] } else { Vec::new() }, "{}, {level}", pair.name);
        }
        // The level reaches the server in its own way: once a session, or with each request.
        let set = pair.read_by_server().iter().filter(|method| *method == "logging/setLevel").count();
        assert_eq!(set, if pair.name.contains("changes-modern") { 0 } else { 2 }, "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn prompts_resources_and_completions_come_from_the_server() {
    everywhere(async |pair| {
        let prompt = json!({"name": pair.prompt("greet"), "arguments": {"who": "Ada"}});
        let got = pair.crib.request("prompts/get", prompt).await;
        assert_eq!(got["messages"][0]["content"]["text"], "Greet \"Ada\"", "{}", pair.name);
        let uri = pair.resource("note://x");
        let read = pair.crib.request("resources/read", json!({"uri": uri})).await;
        assert_eq!(
            read["contents"],
            json!([{"uri": uri, "text": "read \"note://x\"", "futureField": 1}]),
            "{}",
            pair.name
        );
        let reference = json!({"type": "ref/prompt", "name": pair.prompt("greet")});
        let params = json!({"ref": reference, "argument": {"name": "who", "value": "A"}});
        let completed = pair.crib.request("completion/complete", params).await;
        assert_eq!(completed["completion"]["values"], json!(["greet/A"]), "{}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn results_say_what_their_clients_era_wants_to_know_of_them() {
    everywhere(async |pair| {
        for (method, params) in [
            ("tools/list", json!({})),
            ("prompts/list", json!({})),
            ("resources/list", json!({})),
            ("resources/templates/list", json!({})),
            ("resources/read", json!({"uri": pair.resource("note://x")})),
        ] {
            let result = pair.crib.request(method, params).await;
            let said = (result["resultType"] == "complete", result["ttlMs"].is_u64(), result["cacheScope"].is_string());
            let expected = (pair.is_modern, pair.is_modern, pair.is_modern);
            assert_eq!(said, expected, "{}, {method}: {result}", pair.name);
        }
        let call = pair.call("echo", &json!({"a": 1}), &json!({}));
        let result = pair.crib.request("tools/call", call).await;
        assert_eq!(result["resultType"] == "complete", pair.is_modern, "{}: {result}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn errors_keep_their_codes_and_a_ping_is_answered_where_there_is_one() {
    everywhere(async |pair| {
        let failed = pair.call("fail", &json!({}), &json!({}));
        let failed = pair.crib.request("tools/call", failed).await;
        match pair.door {
            Door::One => assert_eq!(failed["error"]["code"], -32000, "{}: {failed}", pair.name),
            // A model reads results and no errors of the protocol.
            Door::All => assert!(failed["content"][0]["text"].to_string().contains("error -32000"), "{failed}"),
        }
        let unknown = pair.crib.request("future/method", json!({})).await;
        assert_eq!(unknown["error"]["code"], -32601, "{}: {unknown}", pair.name);
        let ping = pair.crib.request("ping", json!({})).await;
        let expected = if pair.is_modern { json!(-32601) } else { Value::Null };
        assert_eq!(ping["error"]["code"], expected, "{}: {ping}", pair.name);
    })
    .await;
}

#[tokio::test]
async fn a_server_is_told_what_the_client_of_this_request_can_be_asked() {
    everywhere(async |pair| {
        let mut told = Vec::new();
        let wanted = if pair.is_modern {
            vec![json!({"elicitation": {"form": {}}}), json!({"sampling": {}})]
        } else {
            // Said once, in the handshake.
            vec![json!({})]
        };
        for capabilities in &wanted {
            pair.crib.capabilities = capabilities.clone();
            let call = pair.call("able", &json!({}), &json!({}));
            let result = pair.crib.request("tools/call", call).await;
            told.push(serde_json::from_str::<Value>(result["content"][0]["text"].as_str().unwrap()).unwrap());
        }
        assert_eq!(told, wanted, "{}", pair.name);
    })
    .await;
}
