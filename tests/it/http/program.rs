//! `toolcrib serve --http` as a whole, with the sample servers and the scripted peer behind it.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    time,
};

use super::client::{Http, TOKEN};
use crate::support::{Home, PEER, SAMPLE};

/// A running `toolcrib serve --http`.
struct Program {
    child: Child,
    /// What it said on standard error until it listened.
    said: String,
    http: Http,
}

impl Program {
    async fn start(home: &Home, token: Option<&str>, more: &[&str]) -> Self {
        let args = [&["serve", "--no-refresh", "--http", "127.0.0.1:0"], more].concat();
        let mut command = home.command(&args);
        if let Some(token) = token {
            command.env("TOOLCRIB_HTTP_TOKEN", token);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let port = loop {
            let line =
                time::timeout(Duration::from_secs(30), lines.next_line()).await.expect("it says nothing").unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended: {said}"));
            said.push_str(&line);
            said.push('\n');
            if let Some(address) = line.strip_prefix("listening on http://127.0.0.1:") {
                break address.strip_suffix("/mcp").unwrap().parse().unwrap();
            }
        };
        // Whatever it logs must go somewhere.
        tokio::spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
        Self { child, said, http: Http::new(port) }
    }

    fn shown_token(&self) -> Option<&str> {
        self.said.split_whitespace().find(|word| word.starts_with("tcb_"))
    }

    /// Asks it to stop, and gives its exit code.
    async fn stop(mut self) -> Option<i32> {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::TERM)
            .unwrap();
        time::timeout(Duration::from_secs(30), self.child.wait()).await.expect("it does not end").unwrap().code()
    }
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({"name": "call_tool", "arguments": {"tool": tool, "arguments": arguments}})
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

#[tokio::test]
async fn clients_of_both_eras_search_and_call_at_once() {
    let home = Home::with_servers(&[("notes", SAMPLE, &["knowledge"])]).reindexed().await;
    let program = Program::start(&home, Some(TOKEN), &[]).await;
    let legacy = program.http.session("2025-11-25", json!({})).await;
    let search = json!({"name": "search_tools", "arguments": {"query": "add a note"}});
    let modern_answer = program.http.modern("tools/call", search.clone()).await.last().await;
    let legacy_answer = legacy.request(1, "tools/call", search).await.last().await;
    assert!(text(&modern_answer).starts_with("notes/kb_add_note("), "{modern_answer}");
    assert_eq!(text(&modern_answer), text(&legacy_answer));
    let arguments = json!({"title": "From afar", "body": "Over HTTP."});
    let added = legacy.request(2, "tools/call", call("notes/kb_add_note", &arguments)).await.last().await;
    assert!(text(&added).contains("From afar"), "{added}");
    // Both use one running server.
    let found =
        program.http.modern("tools/call", call("notes/kb_search", &json!({"query": "afar"}))).await.last().await;
    assert!(text(&found).contains("From afar"), "{found}");
    let tools = program.http.modern("tools/list", json!({})).await.json().await;
    assert_eq!(tools["result"]["tools"].as_array().map(Vec::len), Some(3));
    let alone = program.http.at("/servers/notes/mcp");
    let search = json!({"name": "kb_search", "arguments": {"query": "afar"}});
    let session = alone.session("2025-06-18", json!({})).await;
    for answer in [alone.modern("tools/call", search.clone()).await, session.request(1, "tools/call", search).await] {
        assert!(text(&answer.last().await).contains("From afar"), "one server as it is");
    }
    assert_eq!(program.http.at("/servers/none/mcp").modern("tools/list", json!({})).await.status, 404);
    assert_eq!(program.stop().await, Some(0));
}

#[tokio::test]
async fn a_client_of_either_era_is_asked_by_a_server() {
    let home = Home::with_servers(&[("odd", PEER, &["good"])]).reindexed().await;
    let program = Program::start(&home, Some(TOKEN), &[]).await;
    let params = json!({"mode": "form", "message": "Who?", "requestedSchema": {"type": "object", "properties": {}}});
    let ask = call("odd/ask", &json!({"method": "elicitation/create", "params": params}));
    let said = json!({"action": "accept", "content": {"name": "Ada"}});
    let able = json!({"elicitation": {"form": {}}});

    let session = program.http.session("2025-11-25", able.clone()).await;
    let mut answer = session.request(1, "tools/call", ask.clone()).await;
    let question = loop {
        let event = answer.event().await.unwrap();
        if !event.data.is_empty() {
            break event.json();
        }
    };
    assert_eq!((&question["method"], &question["params"]["message"]), (&json!("elicitation/create"), &json!("Who?")));
    let reply = json!({"jsonrpc": "2.0", "id": question["id"], "result": said});
    assert_eq!(session.post(&reply).await.status, 202);
    assert_eq!(serde_json::from_str::<Value>(text(&answer.last().await)).unwrap(), said);

    let meta = json!({"io.modelcontextprotocol/clientCapabilities": able});
    let mut first = ask.clone();
    first["_meta"] = meta.clone();
    let asked = program.http.modern("tools/call", first).await.last().await;
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    let mut retry = ask;
    retry["_meta"] = meta;
    retry["requestState"] = asked["result"]["requestState"].clone();
    let key = asked["result"]["inputRequests"].as_object().unwrap().keys().next().unwrap().clone();
    retry["inputResponses"] = json!({key: said});
    let answer = program.http.modern("tools/call", retry).await.last().await;
    assert_eq!(serde_json::from_str::<Value>(text(&answer)).unwrap(), said);
    assert_eq!(program.stop().await, Some(0));
}

#[tokio::test]
async fn a_call_of_one_client_is_not_learned_from_the_search_of_another() {
    let home =
        Home::with_servers(&[("tasks", SAMPLE, &["tasks"]), ("notes", SAMPLE, &["knowledge"])]).reindexed().await;
    let program = Program::start(&home, Some(TOKEN), &[]).await;
    let (one, other) =
        (program.http.session("2025-11-25", json!({})).await, program.http.session("2025-06-18", json!({})).await);
    let search = |query: &str| json!({"name": "search_tools", "arguments": {"query": query}});
    one.request(1, "tools/call", search("pending chores of the team")).await.last().await;
    program.http.modern("tools/call", search("backlinks of a document")).await.last().await;
    let list = call("tasks/list_tasks", &json!({}));
    assert!(other.request(1, "tools/call", list.clone()).await.last().await["result"].is_object());
    // Clients without sessions are one conversation: only what a search found is learned from it.
    assert!(program.http.modern("tools/call", list.clone()).await.last().await["result"].is_object());
    let learned = home.run(&["habits"]).await.stdout;
    assert!(!learned.contains("list_tasks"), "{learned}");
    assert!(one.request(2, "tools/call", list).await.last().await["result"].is_object());
    assert_eq!(program.stop().await, Some(0));
    let learned = home.run(&["habits"]).await.stdout;
    assert!(learned.contains("tasks/list_tasks"), "{learned}");
}

#[tokio::test]
async fn a_token_is_made_and_shown_at_the_first_start_alone() {
    let home = Home::with_servers(&[]);
    let first = Program::start(&home, None, &[]).await;
    let token = first.shown_token().unwrap().to_owned();
    let http = |program: &Program, token: &str| program.http.with("Authorization", &format!("Bearer {token}"));
    assert_eq!(http(&first, &token).modern("tools/list", json!({})).await.status, 200);
    assert_eq!(http(&first, "tcb_wrong").modern("tools/list", json!({})).await.status, 401);
    assert_eq!(first.stop().await, Some(0));
    let second = Program::start(&home, None, &[]).await;
    assert_eq!(second.shown_token(), None, "{}", second.said);
    assert_eq!(http(&second, &token).modern("tools/list", json!({})).await.status, 200);
    assert_eq!(second.stop().await, Some(0));
    let third = Program::start(&home, None, &["--new-token"]).await;
    let newer = third.shown_token().unwrap().to_owned();
    assert_ne!(newer, token);
    assert_eq!(http(&third, &token).modern("tools/list", json!({})).await.status, 401);
    assert_eq!(http(&third, &newer).modern("tools/list", json!({})).await.status, 200);
    assert_eq!(third.stop().await, Some(0));
}

#[tokio::test]
async fn what_cannot_be_served_safely_is_refused_with_its_reason() {
    let home = Home::with_servers(&[]);
    let ran = home.run(&["serve", "--http", "0.0.0.0:7477"]).await;
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("can be reached from other machines"), "{}", ran.stderr);
    let mut command = home.command(&["serve", "--http", "127.0.0.1:0"]);
    let output = command.env("TOOLCRIB_HTTP_TOKEN", "short").stdin(Stdio::null()).output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("fewer than 16 characters") && !stderr.contains("short"), "{stderr}");
    let busy = Program::start(&home, Some(TOKEN), &[]).await;
    let ran = home.run(&["serve", "--http", &busy.http.port.to_string()]).await;
    assert!(ran.code == Some(1) && ran.stderr.contains("failed to listen"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("tcb_"), "no token where nobody is served: {}", ran.stderr);
    assert_eq!(busy.stop().await, Some(0));
}
