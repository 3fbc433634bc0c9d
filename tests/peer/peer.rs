//! A scripted MCP server that misbehaves on demand: JSON lines over the standard streams, written by hand so that it can
//! do what no library would. The stories start it as `toolcrib-test-peer MODE`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a program for tests, whose streams are its interface and whose faults should end it"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::OpenOptions,
    io::{self, BufRead, Write},
    process::{Command, exit},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

mod watched;

const HELP: &str = "\
toolcrib-test-peer MODE [TRACE]

TRACE is a file to which it adds `start`, and the method of each message that it reads.

good           tools: echo, raw (gives its argument `result` as the result, verbatim), slow (progress until cancelled),
               env (names of its variables), log (a log line), fail (a JSON-RPC error), ask (puts its argument `method` with
               `params` to the client and tells what came back), visit (wants an address opened first), able (what the
               client was said to be able to answer)
noise          as good, with lines that are no JSON between messages
dies           writes to standard error and ends at once
hangs          reads and never answers
hangs-on-call  as good, but a call is never answered
dies-on-call   as good, but a call ends it
broken-list    good tools beside malformed ones
bad-list       a tool list that is no array
endless-cursor a tool list whose pages never end
offers         as good, with a prompt, a resource and a template of resources
refuses-lists  announces prompts and resources and refuses to list them
endless-line   answers a call with a line that does not end
stubborn       as good, but ignores SIGTERM and leaves a grandchild behind
modern-only    speaks only 2026-07-28
changes        as offers, and takes subscriptions; the tool `change` says that the tools and every watched resource changed
changes-modern the same in 2026-07-28
modern-quits   the same, and ends when it is spoken to in another way
modern-slow    the same, and takes 2.5 s to start
modern-deaf    the same, and never answers `initialize`
deaf           as good, but never answers before it was greeted with `initialize`
quits          as good, but ends when it is first greeted in another way
stuck          as good, but answers nothing any more when it is first greeted in another way
flood          as good, while it floods standard error
wrong-ids      as good, with answers that nobody asked for";

fn main() {
    let mode = env::args().nth(1).unwrap_or_default();
    match mode.as_str() {
        "dies" => {
            eprintln!("cannot find the licence file");
            exit(1);
        }
        "hangs" => loop {
            thread::sleep(Duration::from_secs(3600));
        },
        "stubborn" => {
            // A shell that traps TERM stands for a server that does; its sleep for what `npx` leaves behind.
            let _ = Command::new("sh").args(["-c", "trap '' TERM; sleep 3600"]).spawn();
        }
        "flood" => {
            thread::spawn(|| {
                loop {
                    eprintln!("{}", "flood ".repeat(200));
                }
            });
        }
        "modern-slow" => thread::sleep(Duration::from_millis(2500)),
        "good" | "noise" | "hangs-on-call" | "dies-on-call" | "broken-list" | "bad-list" | "endless-cursor"
        | "refuses-lists" | "offers" | "changes" | "changes-modern" | "endless-line" | "modern-only"
        | "modern-quits" | "modern-deaf" | "deaf" | "quits" | "stuck" | "wrong-ids" => {}
        _ => {
            println!("{HELP}");
            exit(2);
        }
    }
    trace("start");
    let mut greeted = false;
    let cancelled: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut client = Client::default();
    let mut watched = watched::Watched::default();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
        let method = message["method"].as_str().unwrap_or_default();
        trace(method);
        greeted |= method == "initialize";
        match mode.as_str() {
            "modern-quits" if message["params"]["_meta"].is_null() => exit(4),
            "quits" if !greeted => exit(4),
            "deaf" if !greeted => continue,
            "modern-deaf" if method == "initialize" => continue,
            "stuck" if !greeted => loop {
                thread::sleep(Duration::from_secs(3600));
            },
            "noise" => say("Server is ready, have fun!"),
            "wrong-ids" => send(&json!({"jsonrpc": "2.0", "id": 999_999, "result": {"content": []}})),
            _ => {}
        }
        let mode = if mode.starts_with("modern-") { "modern-only" } else { mode.as_str() };
        if !client.takes(mode, &message) && !watched.takes(mode, &message) {
            answer(mode, &message, &cancelled);
        }
    }
    if mode == "stubborn" {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn is_modern(mode: &str) -> bool {
    matches!(mode, "modern-only" | "changes-modern")
}

/// Adds a line to the file that was named.
fn trace(what: &str) {
    if let Some(path) = env::args().nth(2) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{what}").unwrap();
    }
}

/// What is asked of the client, and what it said it can answer.
#[derive(Default)]
struct Client {
    able: Value,
    visited: bool,
    /// Calls that wait for an answer, by the id of the question.
    waiting: BTreeMap<String, Value>,
}

impl Client {
    /// Takes what concerns questions to the client; false where it is another's.
    fn takes(&mut self, mode: &str, message: &Value) -> bool {
        let text = |value: &Value| json!({"content": [{"type": "text", "text": value.to_string()}]});
        let method = message["method"].as_str().unwrap_or_default();
        let params = &message["params"];
        if method == "initialize" {
            self.able = params["capabilities"].clone();
        }
        if method.is_empty() {
            let Some(call) = message["id"].as_str().and_then(|id| self.waiting.remove(id)) else { return true };
            let said = message.get("result").or_else(|| message.get("error")).cloned().unwrap_or_default();
            result(&call, text(&said));
            return true;
        }
        let modern = is_modern(mode);
        if modern {
            self.able = params["_meta"]["io.modelcontextprotocol/clientCapabilities"].clone();
        }
        let (id, arguments) = (&message["id"], &params["arguments"]);
        match (method, params["name"].as_str().unwrap_or_default()) {
            ("tools/call", "able") => result(id, text(&self.able)),
            ("tools/call", "ask") if modern && params.get("inputResponses").is_some() => {
                let said = json!({"responses": params["inputResponses"], "state": params["requestState"]});
                result(id, json!({"resultType": "complete", "content": [{"type": "text", "text": said.to_string()}]}));
            }
            ("tools/call", "ask") if modern => {
                let question = json!({"method": arguments["method"], "params": arguments["params"]});
                let requests = json!({"who": question, "again": question});
                result(
                    id,
                    json!({"resultType": "input_required", "inputRequests": requests, "requestState": "half done"}),
                );
            }
            ("tools/call", "ask") => {
                let number = format!("question-{}", self.waiting.len());
                send(
                    &json!({"jsonrpc": "2.0", "id": number, "method": arguments["method"], "params": arguments["params"]}),
                );
                self.waiting.insert(number, id.clone());
            }
            ("tools/call", "visit") if !self.visited => {
                self.visited = true;
                let address = json!({"mode": "url", "elicitationId": "e1", "url": "https://login.example/start", "message": "Sign in"});
                let error = json!({"code": -32042, "message": "sign in first", "data": {"elicitations": [address]}});
                send(&json!({"jsonrpc": "2.0", "id": id, "error": error}));
            }
            ("tools/call", "visit") => result(id, text(&json!("welcome"))),
            _ => return false,
        }
        true
    }
}

fn answer(mode: &str, message: &Value, cancelled: &Arc<Mutex<BTreeSet<String>>>) {
    let id = message.get("id").cloned();
    let method = message["method"].as_str().unwrap_or_default();
    if method == "notifications/cancelled" {
        cancelled.lock().unwrap().insert(message["params"]["requestId"].to_string());
        return;
    }
    let Some(id) = id else { return };
    let modern = message["params"]["_meta"].get("io.modelcontextprotocol/protocolVersion").is_some();
    if is_modern(mode) && !modern {
        refuse(&id, -32022, "only 2026-07-28 is spoken here");
        return;
    }
    match method {
        "initialize" => {
            let mut capabilities = json!({"tools": {}});
            if mode == "refuses-lists" || mode == "offers" {
                capabilities = json!({"tools": {}, "prompts": {}, "resources": {}});
            }
            if mode.starts_with("changes") {
                capabilities = watched::capabilities();
            }
            let version = message["params"]["protocolVersion"].clone();
            let info = json!({"name": "peer", "version": "1"});
            result(&id, json!({"protocolVersion": version, "capabilities": capabilities, "serverInfo": info}));
        }
        "server/discover" if is_modern(mode) => {
            let mut capabilities = json!({"tools": {}});
            if mode.starts_with("changes") {
                capabilities = watched::capabilities();
            }
            let versions = json!(["2026-07-28"]);
            result(&id, json!({"supportedVersions": versions, "capabilities": capabilities, "resultType": "complete"}));
        }
        "tools/list" => result(&id, list(mode, message)),
        _ if (mode == "offers" || mode.starts_with("changes")) && offered(method, &message["params"]).is_some() => {
            result(&id, offered(method, &message["params"]).unwrap_or_default());
        }
        "tools/call" => call(mode, id, message.clone(), Arc::clone(cancelled)),
        "ping" | "logging/setLevel" => result(&id, json!({})),
        _ => refuse(&id, -32601, "method not found"),
    }
}

/// Prompts and resources. What future servers may add is there too, and must not be lost.
fn offered(method: &str, params: &Value) -> Option<Value> {
    let said = |text: String| json!({"role": "user", "content": {"type": "text", "text": text}, "futureField": 1});
    Some(match method {
        "prompts/list" => {
            let arguments = json!([{"name": "who", "required": true}]);
            json!({"prompts": [{"name": "greet", "description": "Greets.", "arguments": arguments, "futureField": 1}]})
        }
        "prompts/get" => json!({"messages": [said(format!("Greet {}", params["arguments"]["who"]))], "futureField": 1}),
        "resources/list" => {
            json!({"resources": [{"uri": "note://daily/today?full=1", "name": "today", "futureField": 1}]})
        }
        "resources/templates/list" => {
            json!({"resourceTemplates": [{"uriTemplate": "note://daily/{day}", "name": "day"}]})
        }
        "resources/read" => {
            json!({"contents": [{"uri": params["uri"], "text": format!("read {}", params["uri"]), "futureField": 1}]})
        }
        "completion/complete" => {
            json!({"completion": {"values": [format!("{}/{}", params["ref"]["name"].as_str().or(params["ref"]["uri"].as_str())?, params["argument"]["value"].as_str()?)]}})
        }
        _ => return None,
    })
}

fn list(mode: &str, message: &Value) -> Value {
    let tool = |name: &str| json!({"name": name, "description": format!("The {name} tool."), "inputSchema": {"type": "object"}});
    let good: Vec<Value> =
        ["echo", "raw", "slow", "env", "log", "fail", "ask", "visit", "able"].iter().map(|name| tool(name)).collect();
    match mode {
        "changes" | "changes-modern" => {
            let tools: Vec<Value> = good.into_iter().chain([tool("change"), tool("asked")]).collect();
            json!({ "tools": tools })
        }
        "broken-list" => {
            let mut tools = good;
            tools.insert(1, json!({"name": "schema-is-true", "inputSchema": true}));
            tools.insert(2, json!("no tool at all"));
            tools.push(json!({"description": "has no name"}));
            json!({"tools": tools})
        }
        "bad-list" => json!({"tools": {"echo": {}}}),
        "endless-cursor" => {
            let page = message["params"]["cursor"].as_str().and_then(|cursor| cursor.parse::<u64>().ok()).unwrap_or(0);
            json!({"tools": [tool(&format!("tool_{page}"))], "nextCursor": (page + 1).to_string()})
        }
        _ => json!({"tools": good}),
    }
}

fn call(mode: &str, id: Value, message: Value, cancelled: Arc<Mutex<BTreeSet<String>>>) {
    match mode {
        "hangs-on-call" => return,
        "dies-on-call" => exit(3),
        "endless-line" => {
            let mut out = io::stdout().lock();
            // The reader hangs up at its limit; then the write fails and that is the end.
            while out.write_all(&[b'x'; 65_536]).is_ok() {}
            exit(0);
        }
        _ => {}
    }
    let arguments = message["params"]["arguments"].clone();
    let text = |text: String| json!({"content": [{"type": "text", "text": text}]});
    match message["params"]["name"].as_str().unwrap_or_default() {
        "echo" => result(&id, text(arguments.to_string())),
        "raw" => result(&id, arguments["result"].clone()),
        "env" => {
            let names: Vec<String> = env::vars().map(|(name, _)| name).collect();
            result(&id, text(names.join(" ")));
        }
        "log" => {
            let params = json!({"level": "warning", "data": "careful", "futureField": 1});
            let line = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params});
            send(&line);
            result(&id, text("logged".into()));
            if arguments["later"] == true {
                send(&line);
            }
        }
        "slow" => {
            thread::spawn(move || slow(&id, &message, &cancelled));
        }
        _ => refuse(&id, -32000, "it failed as asked"),
    }
}

/// Reports progress until it is cancelled; then leaves a trace in the file that was named.
fn slow(id: &Value, message: &Value, cancelled: &Mutex<BTreeSet<String>>) {
    for step in 1..10_000 {
        if cancelled.lock().unwrap().contains(&id.to_string()) {
            if let Some(path) = message["params"]["arguments"]["trace"].as_str() {
                std::fs::write(path, "cancelled").unwrap();
            }
            return;
        }
        if let Some(token) = message["params"]["_meta"].get("progressToken") {
            let params = json!({"progressToken": token, "progress": step, "message": "working"});
            send(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}));
        }
        thread::sleep(Duration::from_millis(20));
    }
    result(id, json!({"content": []}));
}

fn result(id: &Value, result: Value) {
    send(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
}

fn refuse(id: &Value, code: i64, message: &str) {
    send(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}));
}

fn send(message: &Value) {
    say(&message.to_string());
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        exit(0);
    }
}
