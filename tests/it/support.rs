//! A toolcrib of its own for each story: configuration, data folder, and a client on its standard streams.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time,
};

/// Longest any story waits for one message. Generous: machines are busy, and a hang must still fail.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test.
pub const TOOLCRIB: &str = env!("CARGO_BIN_EXE_toolcrib");

/// A sample server: `SAMPLE name`.
pub const SAMPLE: &str = env!("CARGO_BIN_EXE_toolcrib-sample-server");

/// The scripted faulty peer.
pub const PEER: &str = env!("CARGO_BIN_EXE_toolcrib-test-peer");

/// A home of its own: nothing of the machine's configuration is seen.
pub struct Home {
    dir: TempDir,
}

/// A running `toolcrib serve` and the client's end of it.
pub struct Served {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    next_id: u64,
    modern: bool,
    /// What the client says it can answer.
    pub capabilities: Value,
    /// Its answers to requests of the server, by method.
    pub replies: BTreeMap<String, Value>,
    /// Requests of the server, in the order of their arrival.
    pub asked: Vec<Value>,
    /// What it calls itself.
    pub client: String,
    /// Notifications in the order of their arrival.
    pub notifications: Vec<Value>,
}

/// What a command printed and how it ended.
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    pub code: Option<i32>,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A home whose configuration has these servers: name, program, arguments.
    pub fn with_servers(servers: &[(&str, &str, &[&str])]) -> Self {
        let home = Self::new();
        let entries: serde_json::Map<String, Value> = servers
            .iter()
            .map(|(name, command, args)| ((*name).to_owned(), json!({"command": command, "args": args})))
            .collect();
        home.write("mcp.json", &json!({"mcpServers": entries}).to_string());
        home
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn config(&self) -> PathBuf {
        ["toolcrib.toml", "mcp.json"].iter().map(|name| self.path().join(name)).find(|path| path.exists()).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// A command, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(TOOLCRIB);
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("TOOLCRIB_CONFIG", self.config())
            .env("TOOLCRIB_DATA_DIR", self.path().join("data"))
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::null());
        let output = time::timeout(PATIENCE, command.output()).await.expect("the command hangs").unwrap();
        Ran {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    /// Reads every server into the catalog.
    pub async fn reindexed(self) -> Self {
        let ran = self.run(&["reindex"]).await;
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        self
    }

    /// Starts `serve` and shakes hands as a client of 2025-11-25.
    pub async fn serve(&self) -> Served {
        let mut served = self.spawn(&["serve", "--no-refresh"]);
        served.initialize("2025-11-25").await;
        served
    }

    /// Starts `serve` for a client of 2025-11-25 that can be asked for input, and answers so.
    pub async fn serve_asking(&self, capabilities: Value, replies: &[(&str, Value)]) -> Served {
        let mut served = self.spawn(&["serve", "--no-refresh"]);
        served.capabilities = capabilities;
        served.replies = replies.iter().map(|(method, reply)| ((*method).to_owned(), reply.clone())).collect();
        served.initialize("2025-11-25").await;
        served
    }

    /// Starts `serve` for a client of 2026-07-28, which shakes no hands.
    pub fn serve_modern(&self) -> Served {
        self.spawn_modern(&["serve", "--no-refresh"])
    }

    /// Starts a command that speaks MCP with such a client.
    pub fn spawn_modern(&self, args: &[&str]) -> Served {
        let mut served = self.spawn(args);
        served.modern = true;
        served
    }

    /// Starts a command that speaks MCP.
    pub fn spawn(&self, args: &[&str]) -> Served {
        let mut child =
            self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Served {
            child,
            stdin,
            stdout,
            next_id: 1,
            modern: false,
            client: "story".into(),
            capabilities: json!({}),
            replies: BTreeMap::new(),
            asked: Vec::new(),
            notifications: Vec::new(),
        }
    }
}

impl Served {
    pub async fn initialize(&mut self, version: &str) -> Value {
        let answer = self
            .request(
                "initialize",
                json!({
                    "protocolVersion": version,
                    "capabilities": self.capabilities,
                    "clientInfo": {"name": self.client, "version": "1"},
                }),
            )
            .await;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        answer
    }

    /// The process's id, for stories about its children.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends a request and gives its `result`, or the whole message where it is an error.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        self.answer(id).await
    }

    /// Sends a request and does not wait.
    pub async fn begin(&mut self, method: &str, mut params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        if self.modern {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
            meta["io.modelcontextprotocol/clientInfo"] = json!({"name": self.client, "version": "1"});
        }
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        id
    }

    /// Waits for the answer to a request that was begun.
    pub async fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.next().await;
            if message["id"] == json!(id) && message.get("method").is_none() {
                return message.get("result").cloned().unwrap_or(message);
            }
            let method = message["method"].as_str().unwrap_or_else(|| panic!("an answer nobody asked for: {message}"));
            if message.get("id").is_none() {
                self.notifications.push(message);
                continue;
            }
            let reply = self.replies.get(method).cloned().unwrap_or_else(|| panic!("asked unexpectedly: {message}"));
            self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": reply})).await;
            self.asked.push(message);
        }
    }

    /// The next message on standard output, which must be JSON-RPC.
    pub async fn next(&mut self) -> Value {
        let line = time::timeout(PATIENCE, self.stdout.next_line()).await.expect("no message in time").unwrap();
        let line = line.expect("toolcrib closed its output");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON on stdout: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    pub async fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).await.unwrap();
    }

    /// Calls a meta-tool and gives its result object.
    pub async fn meta(&mut self, tool: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Calls a meta-tool and gives its text.
    pub async fn text(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.meta(tool, arguments).await;
        result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}")).to_owned()
    }

    /// Hangs up and gives the exit code.
    pub async fn close(mut self) -> Option<i32> {
        drop(self.stdin.take());
        time::timeout(PATIENCE, self.child.wait()).await.expect("toolcrib does not end").unwrap().code()
    }
}

/// Command lines of a process's children.
pub fn children(pid: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // After the name in parentheses: state, then the parent's id.
        let parent =
            stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)).and_then(|id| id.parse().ok());
        if parent == Some(pid) {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
        }
    }
    found
}
