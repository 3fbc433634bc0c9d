//! Talks to every sample server as a client does, in raw JSON, so that what is checked is what goes over the wire.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf},
    task::JoinHandle,
};

use super::{SampleError, definitions, examples, names, serve};
use crate::ids::{ServerName, ToolName};

/// Room for the longest reply, so that neither side waits for the other.
const PIPE_BYTES: usize = 1 << 20;

/// A client of one sample server that speaks lines of JSON.
struct Client {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
    server: JoinHandle<Result<(), SampleError>>,
    next_id: u64,
    /// Sent as `_meta` with every request; empty in the older era.
    meta: Value,
    notifications: Vec<Value>,
}

impl Client {
    fn start(name: &'static str) -> Self {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let (read, write) = tokio::io::split(theirs);
        let server = tokio::spawn(serve(name, read, write));
        let (read, write) = tokio::io::split(ours);
        let lines = BufReader::new(read).lines();
        Self { lines, write, server, next_id: 1, meta: json!({}), notifications: Vec::new() }
    }

    /// A client of 2025-06-18, past its handshake.
    async fn legacy(name: &'static str) -> Self {
        let mut client = Self::start(name);
        client.handshake().await;
        client
    }

    /// A client of 2026-07-28, which needs none.
    fn modern(name: &'static str) -> Self {
        let mut client = Self::start(name);
        client.meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        client
    }

    async fn handshake(&mut self) -> Value {
        let client_info = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client_info });
        let answer = self.request("initialize", params).await;
        self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer["result"].clone()
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().expect("the server went away");
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, method: &str, mut params: Value) -> u64 {
        if self.meta != json!({}) {
            params["_meta"] = self.meta.clone();
        }
        let id = self.next_id;
        self.next_id += 1;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                return message;
            }
            self.notifications.push(message);
        }
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await["result"].clone()
    }

    /// The text of a call that must succeed.
    async fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The text of a call that must end in an error result.
    async fn refusal(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{tool}: {result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// Closes the pipe and waits for the server to end by itself.
    async fn leave(mut self) {
        self.write.shutdown().await.unwrap();
        self.server.await.unwrap().unwrap();
    }
}

#[test]
fn twelve_servers_offer_sixty_three_tools_under_names_that_anyone_can_show() {
    assert!(names().is_sorted());
    assert_eq!(names().len(), 12);
    let mut tools = 0;
    for name in names() {
        assert!(name.parse::<ServerName>().is_ok(), "{name}");
        for tool in definitions(name).unwrap() {
            assert!(tool["name"].as_str().unwrap().parse::<ToolName>().is_ok());
            assert_eq!(tool.get("example"), None, "the example is ours alone");
            tools += 1;
        }
    }
    assert_eq!(tools, 63);
}

#[test]
fn an_unknown_server_is_refused_with_the_names_there_are() {
    let error = definitions("toaster").unwrap_err();
    assert_eq!(error.to_string(), "there is no sample server `toaster`");
    assert!(error.hint().starts_with("use one of: chronicle, code, config"), "{}", error.hint());
}

#[tokio::test]
async fn every_server_shakes_hands_and_lists_its_tools_to_an_older_client() {
    for name in names() {
        let mut client = Client::start(name);
        let hello = client.handshake().await;
        assert_eq!(hello["protocolVersion"], "2025-06-18", "{name}");
        assert_eq!(hello["serverInfo"]["name"], *name);
        assert!(hello["serverInfo"]["description"].is_string(), "{name}");
        let listed = client.request("tools/list", json!({})).await;
        assert_eq!(listed["result"]["tools"], Value::Array(definitions(name).unwrap()), "{name}");
        assert_eq!(listed["result"].get("resultType"), None, "{name}");
        client.leave().await;
    }
}

#[tokio::test]
async fn every_server_is_discovered_and_listed_by_a_modern_client() {
    for name in names() {
        let mut client = Client::modern(name);
        let found = client.request("server/discover", json!({})).await["result"].clone();
        assert!(found["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")), "{name}: {found}");
        assert!(found["capabilities"]["tools"].is_object(), "{name}: {found}");
        let listed = client.request("tools/list", json!({})).await;
        assert_eq!(listed["result"]["tools"], Value::Array(definitions(name).unwrap()), "{name}");
        assert_eq!(listed["result"]["resultType"], "complete", "{name}");
        client.leave().await;
    }
}

#[tokio::test]
async fn every_example_fits_its_schema_and_succeeds_on_a_fresh_server_in_both_eras() {
    for name in names() {
        let tools = definitions(name).unwrap();
        for ((tool, arguments), definition) in examples(name).unwrap().into_iter().zip(&tools) {
            let arguments = Value::Object(arguments);
            assert!(jsonschema::meta::is_valid(&definition["inputSchema"]), "{name}/{tool}: no schema");
            assert!(jsonschema::is_valid(&definition["inputSchema"], &arguments), "{name}/{tool}: {arguments}");
            let mut legacy = Client::legacy(name).await;
            let result = legacy.call(&tool, arguments.clone()).await;
            assert_eq!(result["isError"], false, "{name}/{tool}: {result}");
            match definition.get("outputSchema") {
                Some(schema) => {
                    assert!(jsonschema::is_valid(schema, &result["structuredContent"]), "{name}/{tool}: {result}");
                }
                None => assert_eq!(result.get("structuredContent"), None, "{name}/{tool}"),
            }
            legacy.leave().await;
            let mut modern = Client::modern(name);
            let answer = modern.call(&tool, arguments).await;
            assert_eq!(answer["content"], result["content"], "{name}/{tool} answers the eras differently");
            modern.leave().await;
        }
    }
}

#[tokio::test]
async fn what_the_examples_answer_is_always_the_same() {
    let mut replies = String::new();
    for name in names() {
        let mut client = Client::legacy(name).await;
        for (tool, arguments) in examples(name).unwrap() {
            let reply = client.text(&tool, Value::Object(arguments)).await;
            writeln!(replies, "=== {name}/{tool}\n{reply}\n").unwrap();
        }
        client.leave().await;
    }
    insta::assert_snapshot!(replies);
}

#[tokio::test]
async fn arguments_that_miss_the_schema_are_named_by_their_place() {
    let mut client = Client::legacy("tasks").await;
    let told = client.refusal("create_task", json!({ "priority": "asap", "checklist": [{ "done": true }] })).await;
    insta::assert_snapshot!(told, @r#"
    Invalid arguments for `create_task`:
    - "title" is a required property
    - /priority: "asap" is not one of ["low","normal","high","urgent"]
    - /checklist/0: "text" is a required property
    "#);
    client.leave().await;
}

#[tokio::test]
async fn an_unknown_tool_is_an_error_of_the_protocol() {
    let mut client = Client::legacy("code").await;
    let answer = client.request("tools/call", json!({ "name": "makeCoffee", "arguments": {} })).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(answer["error"]["message"], "unknown tool: makeCoffee");
    client.leave().await;
}

#[tokio::test]
async fn a_client_that_leaves_without_a_word_is_no_failure() {
    Client::start("tasks").leave().await;
}

#[tokio::test]
async fn what_one_call_changes_the_next_one_sees() {
    let mut client = Client::legacy("tasks").await;
    client
        .call("create_task", json!({ "title": "Calibrate the compass", "assignee": "noor", "due": "2026-03-17" }))
        .await;
    client.call("complete_task", json!({ "id": 1 })).await;
    client.call("delete_task", json!({ "id": 4, "confirm": true })).await;
    insta::assert_snapshot!(client.text("list_tasks", json!({ "status": "any", "sort": "id" })).await, @r"
    #1 [done] Show the pending badge on the sheet list (high, noor, due 2026-03-18)
    #2 [open] Write the merge rules for photos (normal, nobody, due 2026-03-24)
    #3 [blocked] Order eight tablets for the spring pilot (urgent, ben, due 2026-03-12)
    #5 [done] Rotate the upload certificate (high, ben, due 2026-03-01)
    #6 [open] Interview three crews about conflict dialogs (normal, ilse, due 2026-03-27)
    #7 [open] Calibrate the compass (normal, noor, due 2026-03-17)
    ");
    client.leave().await;

    let mut council = Client::legacy("council").await;
    council.call("council_open", json!({ "question": "Should the badge blink while it waits?" })).await;
    let early = council.refusal("council_vote", json!({ "session_id": "council-2", "options": ["yes", "no"] })).await;
    assert_eq!(early, "Nobody has been heard yet. Call council_ask first.");
    council.call("council_close", json!({ "session_id": "council-2", "outcome": "deferred" })).await;
    let late = council.refusal("council_ask", json!({ "session_id": "council-2", "prompt": "Why?" })).await;
    assert_eq!(late, "Session council-2 is closed (deferred).");
    council.leave().await;
}

#[tokio::test]
async fn a_vote_is_won_only_by_the_share_its_method_asks_for() {
    let mut client = Client::legacy("council").await;
    for (method, winner) in [("plurality", json!("b")), ("majority", json!("b")), ("unanimous", Value::Null)] {
        let options = json!({ "session_id": "council-1", "options": ["a", "b"], "method": method });
        let vote: Value = serde_json::from_str(&client.text("council_vote", options).await).unwrap();
        assert_eq!(vote["winner"], winner, "{method}: {vote}");
    }
    client.leave().await;
}

#[tokio::test]
async fn an_evaluated_model_can_be_promoted_and_an_unknown_one_cannot() {
    let mut client = Client::legacy("model-forge").await;
    let promote = json!({ "model": "photo-blur@0.4.1", "stage": "staging" });
    let told = client.refusal("promote-model", promote.clone()).await;
    assert_eq!(told, "photo-blur@0.4.1 has no evaluation. Call start-evaluation first.");
    client.text("start-evaluation", json!({ "model": "photo-blur@0.4.1" })).await;
    client.text("promote-model", promote).await;
    client.refusal("promote-model", json!({ "model": "nobody@1.0.0", "stage": "staging" })).await;
    client.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_reports_each_step_to_a_client_that_listens() {
    for mut client in [Client::legacy("orchestrator").await, Client::modern("orchestrator")] {
        let is_modern = client.meta != json!({});
        client.meta["progressToken"] = json!("run");
        let text = client.text("run_workflow", json!({ "plan_id": "plan-1" })).await;
        assert!(text.contains("\"succeeded\""), "{text}");
        let progress: Vec<String> = client
            .notifications
            .iter()
            .map(|message| {
                let params = &message["params"];
                assert_eq!(params["progressToken"], "run");
                format!("{}/{} {}", params["progress"], params["total"], params["message"].as_str().unwrap())
            })
            .collect();
        let wanted = ["1/3 collect finished", "2/3 merge finished", "3/3 digest finished"];
        assert_eq!(
            progress.iter().map(|line| line.replace(".0", "")).collect::<Vec<_>>(),
            wanted,
            "modern: {is_modern}"
        );
        client.leave().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_stops_after_the_step_it_is_in() {
    let mut client = Client::legacy("orchestrator").await;
    client.meta["progressToken"] = json!(1);
    let arguments = json!({ "plan_id": "plan-1", "pace_ms": 60_000 });
    let id = client.ask("tools/call", json!({ "name": "run_workflow", "arguments": arguments })).await;
    assert_eq!(client.receive().await["params"]["message"], "collect finished");
    let params = json!({ "requestId": id, "reason": "enough" });
    client.send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })).await;
    let runs = client.text("list_runs", json!({ "limit": 1 })).await;
    let runs: Value = serde_json::from_str(&runs).unwrap();
    assert_eq!(runs[0], json!({ "run_id": "run-2", "state": "cancelled", "done": 1, "steps": 3 }));
    client.leave().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_client_stopped_writing_is_still_answered() {
    let mut client = Client::legacy("orchestrator").await;
    client.meta["progressToken"] = json!("run");
    let id = client.ask("tools/call", json!({ "name": "run_workflow", "arguments": { "plan_id": "plan-1" } })).await;
    client.write.shutdown().await.unwrap();
    loop {
        let message = client.receive().await;
        if message["id"] == id {
            assert_eq!(message["result"]["isError"], false, "{message}");
            break;
        }
    }
    client.leave().await;
}

#[tokio::test]
async fn the_log_of_a_run_is_longer_than_any_result_budget() {
    let mut client = Client::legacy("orchestrator").await;
    let log = client.text("get_run_log", json!({ "run_id": "run-1" })).await;
    let tokens = tiktoken_rs::o200k_base().unwrap().encode_ordinary(&log).len();
    assert!(tokens > 8_000, "{tokens} tokens");
    assert!(log.ends_with("step merge stopped, the run is failed"));
    client.leave().await;
}
