//! The whole program from outside: how long a start takes, and what a call through toolcrib adds to a direct one.
//!
//! Real processes over real pipes, so the figures hold what the operating system adds. Compare within one run.
#![expect(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "a benchmark stops at what it did not expect")]

use std::{
    hint::black_box,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::SystemTime,
};

use divan::Bencher;
use serde_json::{Value, json};
use tempfile::TempDir;
use toolcrib::{
    catalog::{Era, JsonObject, RawListing, ServerEntry},
    registry::Registry,
};

const TOOLCRIB: &str = env!("CARGO_BIN_EXE_toolcrib");
const SAMPLE: &str = env!("CARGO_BIN_EXE_toolcrib-sample-server");

fn main() {
    divan::main();
}

/// A process that speaks MCP, and the client's end of it.
struct Spoken {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next_id: u64,
}

impl Spoken {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut spoken = Self { child, stdin, stdout, next_id: 1 };
        let info = json!({"name": "bench", "version": "1"});
        spoken.ask("initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}));
        writeln!(spoken.stdin, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
        spoken
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        writeln!(self.stdin, "{}", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).unwrap();
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "it hung up");
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == json!(id) {
                return message;
            }
        }
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A home whose catalog knows 149 servers with 5,513 tools, the size of a large real one.
fn large_home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let mut servers = serde_json::Map::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let registry = Registry::open(&home.path().join("data")).unwrap();
        for at in 0..149 {
            let name = format!("server-{at}");
            servers.insert(name.clone(), json!({"command": "never-started"}));
            let entry = ServerEntry::read(name.parse().unwrap(), listing(at), SystemTime::now());
            registry.save_listing(Arc::new(entry)).await.unwrap();
        }
        registry.close().await;
    });
    std::fs::write(home.path().join("mcp.json"), json!({"mcpServers": servers}).to_string()).unwrap();
    home
}

fn listing(server: usize) -> RawListing {
    let things = ["issue", "invoice", "document", "event", "message", "branch", "dashboard", "customer", "table"];
    let verbs = ["create", "list", "update", "delete", "search"];
    let tool = |at: usize| {
        let (verb, thing) = (verbs[at % verbs.len()], things[(at / verbs.len() + server) % things.len()]);
        json!({
            "name": format!("{verb}_{thing}_{at}"),
            "description": format!("{verb} one {thing} of workspace {server}, with all of its fields. {}", "Longer words follow. ".repeat(8)),
            "inputSchema": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": format!("The {thing} to {verb}.")},
                    "fields": {"type": "array", "items": {"type": "string"}, "description": "Fields to return."},
                    "state": {"type": "string", "enum": ["open", "closed", "all"], "default": "open"},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
                },
                "required": ["id"],
            },
        })
    };
    RawListing {
        era: Era::Legacy,
        protocol_version: "2025-11-25".into(),
        server_info: JsonObject::new(),
        capabilities: JsonObject::new(),
        instructions: None,
        tools: (0..37).map(tool).collect(),
        prompts: Vec::new(),
        resources: Vec::new(),
        resource_templates: Vec::new(),
        notes: Vec::new(),
    }
}

fn serve(home: &Path) -> Command {
    let mut command = Command::new(TOOLCRIB);
    command.args(["serve", "--no-refresh", "--config"]).arg(home.join("mcp.json"));
    command.arg("--data-dir").arg(home.join("data"));
    command
}

/// A home with one sample server, read.
fn small_home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let config = json!({"mcpServers": {"tasks": {"command": SAMPLE, "args": ["tasks"]}}});
    std::fs::write(home.path().join("mcp.json"), config.to_string()).unwrap();
    let mut reindex = Command::new(TOOLCRIB);
    reindex.arg("reindex").arg("--config").arg(home.path().join("mcp.json"));
    reindex.arg("--data-dir").arg(home.path().join("data"));
    assert!(reindex.stderr(Stdio::null()).status().unwrap().success());
    home
}

/// From the spawn to the answer to `initialize`, with 149 servers and 5,513 tools known.
#[divan::bench(sample_count = 30)]
fn start_with_149_servers(bencher: Bencher<'_, '_>) {
    let home = large_home();
    bencher.bench_local(|| Spoken::start(&mut serve(home.path())));
}

/// The same of a server that knows nothing: what a process costs here.
#[divan::bench(sample_count = 30)]
fn start_of_a_sample_server(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| Spoken::start(Command::new(SAMPLE).arg("tasks")));
}

/// One search over 5,513 tools, asked over the pipe.
#[divan::bench(sample_count = 200)]
fn search_5513_tools(bencher: Bencher<'_, '_>) {
    let home = large_home();
    let mut toolcrib = Spoken::start(&mut serve(home.path()));
    let params = json!({"name": "search_tools", "arguments": {"query": "close the open invoice of a customer"}});
    toolcrib.ask("tools/call", params.clone());
    bencher.bench_local(|| black_box(toolcrib.ask("tools/call", params.clone())));
}

/// A call straight to the server.
#[divan::bench(sample_count = 500)]
fn call_direct(bencher: Bencher<'_, '_>) {
    let mut server = Spoken::start(Command::new(SAMPLE).arg("tasks"));
    let params = json!({"name": "list_tasks", "arguments": {}});
    bencher.bench_local(|| black_box(server.ask("tools/call", params.clone())));
}

/// The same call through toolcrib, the server running.
#[divan::bench(sample_count = 500)]
fn call_through_toolcrib(bencher: Bencher<'_, '_>) {
    let home = small_home();
    let mut toolcrib = Spoken::start(&mut serve(home.path()));
    let params = json!({"name": "call_tool", "arguments": {"tool": "tasks/list_tasks", "arguments": {}}});
    toolcrib.ask("tools/call", params.clone());
    bencher.bench_local(|| black_box(toolcrib.ask("tools/call", params.clone())));
}

/// A toolcrib that serves HTTP, and one connection of a client that shakes no hands.
struct Dialled {
    child: Child,
    connection: BufReader<TcpStream>,
}

impl Dialled {
    fn start(command: &mut Command) -> Self {
        command.args(["--http", "127.0.0.1:0"]).env("TOOLCRIB_HTTP_TOKEN", "0123456789abcdef");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.trim().strip_prefix("listening on http://").unwrap().strip_suffix("/mcp").unwrap();
        let connection = TcpStream::connect(address).unwrap();
        connection.set_nodelay(true).unwrap();
        Self { child, connection: BufReader::new(connection) }
    }

    fn call(&mut self, params: &Value) -> Value {
        let mut params = params.clone();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let (name, port) = (params["name"].clone(), self.connection.get_ref().peer_addr().unwrap().port());
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer 0123456789abcdef\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {}\r\nContent-Length: {}\r\n\r\n",
            name.as_str().unwrap(),
            body.len()
        );
        self.connection.get_mut().write_all((head + &body).as_bytes()).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line).unwrap();
            if let Some(named) = line.strip_prefix("content-length: ") {
                length = named.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The same call through toolcrib over HTTP: one more to whoever serves many clients by one process.
#[divan::bench(sample_count = 500)]
fn call_through_toolcrib_over_http(bencher: Bencher<'_, '_>) {
    let home = small_home();
    let mut toolcrib = Dialled::start(&mut serve(home.path()));
    let params = json!({"name": "call_tool", "arguments": {"tool": "tasks/list_tasks", "arguments": {}}});
    assert!(toolcrib.call(&params)["result"].is_object());
    bencher.bench_local(|| black_box(toolcrib.call(&params)));
}
