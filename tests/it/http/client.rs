//! An HTTP client of our own: it can say what a library would not, and reads streams event by event.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time,
};

/// Longest any story waits for bytes. Generous: machines are busy, and a hang must still fail.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a story's server takes for its token.
pub const TOKEN: &str = "0123456789abcdef";

/// A client of one endpoint.
#[derive(Debug, Clone)]
pub struct Http {
    pub port: u16,
    pub path: String,
    pub headers: Vec<(String, String)>,
}

/// A response, read as far as it was asked for.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
    body: Body,
    read: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Body {
    Length(usize),
    Chunks,
    Over,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: Option<String>,
    pub retry: Option<u64>,
    pub data: String,
}

impl Event {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

impl Http {
    pub fn new(port: u16) -> Self {
        let mut http = Self { port, path: "/mcp".into(), headers: Vec::new() };
        http.set("Host", &format!("127.0.0.1:{port}"));
        http.set("Authorization", &format!("Bearer {TOKEN}"));
        http.set("Content-Type", "application/json");
        http.set("Accept", "application/json, text/event-stream");
        http
    }

    /// Sends this header from now on, or no more where it is empty.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            self.headers.push((name.into(), value.into()));
        }
    }

    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.set(name, value);
        other
    }

    pub fn at(&self, path: &str) -> Self {
        Self { path: path.into(), ..self.clone() }
    }

    /// A request as bytes.
    pub fn bytes(&self, method: &str, body: &[u8]) -> Vec<u8> {
        let mut head = format!("{method} {} HTTP/1.1\r\n", self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        [head.as_bytes(), body].concat()
    }

    pub async fn send(&self, method: &str, body: &[u8]) -> Answer {
        raw(self.port, &self.bytes(method, body)).await
    }

    pub async fn post(&self, message: &Value) -> Answer {
        self.send("POST", message.to_string().as_bytes()).await
    }

    pub async fn get(&self) -> Answer {
        self.send("GET", b"").await
    }

    /// A request as a client of 2026-07-28 makes it.
    pub async fn modern(&self, method: &str, params: Value) -> Answer {
        let (http, message) = self.modern_message(method, params);
        http.post(&message).await
    }

    /// The same, not sent yet, with the headers that belong to it.
    pub fn modern_message(&self, method: &str, mut params: Value) -> (Self, Value) {
        let mut http = self.with("MCP-Protocol-Version", "2026-07-28").with("Mcp-Method", method);
        if let Some(name) = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str) {
            http.set("Mcp-Name", name);
        }
        let meta = &mut params["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        if meta.get("io.modelcontextprotocol/clientCapabilities").is_none() {
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "story", "version": "1"});
        (http, json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    }

    /// Shakes hands and gives a client of that session.
    pub async fn session(&self, version: &str, capabilities: Value) -> Self {
        let info = json!({"name": "story", "version": "1"});
        let params = json!({"protocolVersion": version, "capabilities": capabilities, "clientInfo": info});
        let message = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let answer = self.post(&message).await;
        let id = answer.header("mcp-session-id").unwrap_or_else(|| panic!("no session: {answer:?}")).to_owned();
        assert_eq!(answer.json().await["result"]["protocolVersion"], version);
        let session = self.with("Mcp-Session-Id", &id).with("MCP-Protocol-Version", version);
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(session.post(&initialized).await.status, 202);
        session
    }

    /// A request within a session.
    pub async fn request(&self, id: u64, method: &str, params: Value) -> Answer {
        self.post(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await
    }
}

/// Sends these bytes and reads the head of what comes back.
pub async fn raw(port: u16, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // A server may refuse by the head alone, and hang up before it read the rest.
    let _ = stream.write_all(bytes).await;
    Answer::read(stream).await.expect("the server hung up without a word")
}

impl Answer {
    /// Reads the head of a response; `None` where the server hangs up instead.
    pub async fn read(stream: TcpStream) -> Option<Self> {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = time::timeout(PATIENCE, stream.read_line(&mut line)).await.expect("no answer in time").ok()?;
            if read == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<(String, String)> = lines.iter().skip(1).filter_map(header).collect();
        let mut answer = Self { status, headers, stream, body: Body::Over, read: Vec::new() };
        answer.body = match answer.header("content-length").map(|length| length.parse().unwrap()) {
            Some(length) => Body::Length(length),
            None if answer.header("transfer-encoding") == Some("chunked") => Body::Chunks,
            None => Body::Over,
        };
        Some(answer)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn is_stream(&self) -> bool {
        self.header("content-type") == Some("text/event-stream")
    }

    /// Reads some more; false at the end.
    async fn more(&mut self) -> bool {
        let reading = async {
            match self.body {
                Body::Over => false,
                Body::Length(length) => {
                    let mut bytes = vec![0; length];
                    let whole = self.stream.read_exact(&mut bytes).await.is_ok();
                    self.read.extend(bytes);
                    self.body = Body::Over;
                    whole
                }
                Body::Chunks => {
                    let mut size = String::new();
                    if self.stream.read_line(&mut size).await.unwrap_or(0) == 0 {
                        self.body = Body::Over;
                        return false;
                    }
                    let size = usize::from_str_radix(size.trim(), 16).unwrap();
                    let mut chunk = vec![0; size + 2];
                    self.stream.read_exact(&mut chunk).await.unwrap();
                    chunk.truncate(size);
                    self.read.extend(chunk);
                    if size == 0 {
                        self.body = Body::Over;
                    }
                    size > 0
                }
            }
        };
        time::timeout(PATIENCE, reading).await.expect("no bytes in time")
    }

    pub async fn text(mut self) -> String {
        while self.more().await {}
        String::from_utf8(self.read).unwrap()
    }

    pub async fn json(self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// The next event; `None` at the end. Comments are passed over.
    pub async fn event(&mut self) -> Option<Event> {
        assert!(self.is_stream(), "no stream: {self:?}");
        loop {
            while let Some(at) = self.read.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..at + 2).collect();
                let block = String::from_utf8(block).unwrap();
                let mut event = Event { id: None, retry: None, data: String::new() };
                for line in block.lines() {
                    match line.split_once(':').map(|(name, value)| (name, value.trim())) {
                        Some(("id", value)) => event.id = Some(value.into()),
                        Some(("retry", value)) => event.retry = value.parse().ok(),
                        Some(("data", value)) => event.data.push_str(value),
                        _ => {}
                    }
                }
                if event.id.is_some() || !event.data.is_empty() {
                    return Some(event);
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// All events that are left, as JSON.
    pub async fn events(mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            if !event.data.is_empty() {
                events.push(event.json());
            }
        }
        events
    }

    /// The answer to the request, whatever form it came in.
    pub async fn last(self) -> Value {
        if self.is_stream() {
            self.events().await.pop().expect("a stream without an answer")
        } else {
            self.json().await
        }
    }
}
