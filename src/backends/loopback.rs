//! An HTTP endpoint on this machine that does as it is told, one request to a connection: the far end of the real wire, for tests.
#![expect(clippy::needless_pass_by_value, reason = "a value written in place reads better")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
    time,
};

use super::{BackendError, ClientCapabilities, Connect, Connector, Session};
use crate::{
    catalog::Era,
    config::{HttpLaunch, HttpTransport, Launch, ResultBudget, ServerSpec, ToolFilter},
};

/// Longest any test waits for one thing to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came. Names of headers are in small letters.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) verb: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) message: Value,
}

impl Seen {
    pub(super) fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or_default()
    }

    fn is_request(&self) -> bool {
        self.message.get("id").is_some()
    }
}

/// What the endpoint does.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// Answers with a status, more headers, and a body.
    Plain(&'static str, &'static str, String),
    /// Answers with an event stream that ends after this.
    Events(String),
    /// Answers with an event stream that goes on with what is said later, until the other end hangs up.
    Open(String),
    /// Says nothing until the other end hangs up.
    Silence,
}

#[derive(Debug)]
pub(super) struct Loopback {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    said: broadcast::Sender<String>,
    /// Counts requests, and connections that the other end hung up.
    news: Arc<watch::Sender<(usize, usize)>>,
}

impl Loopback {
    /// An endpoint that does what the script says to each request.
    pub(super) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (said, _) = broadcast::channel(64);
        let endpoint = Self { url, seen: Arc::default(), said, news: Arc::new(watch::channel((0, 0)).0) };
        let (seen, said, news) = (Arc::clone(&endpoint.seen), endpoint.said.clone(), Arc::clone(&endpoint.news));
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (seen, said, news) = (Arc::clone(&seen), said.subscribe(), Arc::clone(&news));
                let script = Arc::clone(&script);
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut connection).await else { return };
                    let reply = script(&request);
                    seen.lock().unwrap().push(request);
                    news.send_modify(|(requests, _)| *requests += 1);
                    if answer(connection, reply, said).await {
                        news.send_modify(|(_, hung_up)| *hung_up += 1);
                    }
                });
            }
        });
        endpoint
    }

    /// Opens a conversation with it.
    pub(super) async fn connect(&self, remembered: Option<Era>) -> Result<Arc<dyn Session>, BackendError> {
        let spec = ServerSpec {
            name: "far".parse().unwrap(),
            launch: Launch::Http(HttpLaunch {
                url: self.url.parse().unwrap(),
                headers: Default::default(),
                transport: HttpTransport::Detect,
            }),
            enabled: true,
            summary: None,
            start_timeout: Duration::from_secs(8),
            call_timeout: Duration::from_secs(8),
            tools: ToolFilter::everything(),
            results: ResultBudget::of_all(None),
            resolved: Vec::new(),
        };
        Connector::default().connect(&spec, remembered, &ClientCapabilities::none()).await
    }

    /// Adds to every stream that is open.
    pub(super) fn say(&self, text: &str) {
        self.said.send(text.to_owned()).unwrap();
    }

    /// What came so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The methods that came so far, or the verb of a request without one.
    pub(super) fn methods(&self) -> Vec<String> {
        let name = |seen: &Seen| if seen.method().is_empty() { seen.verb.clone() } else { seen.method().to_owned() };
        self.seen().iter().map(name).collect()
    }

    /// Waits until this holds.
    pub(super) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut news = self.news.subscribe();
        let waiting = async {
            while !holds(self) {
                news.changed().await.unwrap();
            }
        };
        time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it did not happen: {:?}", self.methods()));
    }

    /// How many connections the other end hung up.
    pub(super) fn hung_up(&self) -> usize {
        self.news.borrow().1
    }
}

/// A JSON answer with this status.
pub(super) fn plain(status: &'static str, message: &Value) -> Reply {
    Reply::Plain(status, "content-type: application/json\r\n", message.to_string())
}

/// The result of a request, and 202 to all else.
pub(super) fn result(seen: &Seen, result: Value) -> Reply {
    if seen.is_request() {
        plain("200 OK", &json!({"jsonrpc": "2.0", "id": seen.message["id"], "result": result}))
    } else {
        Reply::Plain("202 Accepted", "", String::new())
    }
}

/// An error as an endpoint gives it, with a status and without an id.
pub(super) fn error(status: &'static str, code: i64) -> Reply {
    plain(status, &json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": "no"}}))
}

/// One event.
pub(super) fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

/// Writes the reply. True if the other end hung up.
async fn answer(mut connection: TcpStream, reply: Reply, mut said: broadcast::Receiver<String>) -> bool {
    let stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    match reply {
        Reply::Plain(status, headers, body) => {
            let length = body.len();
            let text =
                format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
            let _ = connection.write_all(text.as_bytes()).await;
            return false;
        }
        Reply::Events(events) => {
            let _ = connection.write_all(format!("{stream}{events}").as_bytes()).await;
            return false;
        }
        Reply::Open(events) => {
            let _ = connection.write_all(format!("{stream}{events}").as_bytes()).await;
        }
        Reply::Silence => {}
    }
    let mut rest = [0; 64];
    loop {
        tokio::select! {
            read = connection.read(&mut rest) => {
                if read.unwrap_or(0) == 0 {
                    return true;
                }
            }
            text = said.recv() => match text {
                // Said so that a stream breaks.
                Ok(text) if text == "break" => return false,
                Ok(text) => {
                    let _ = connection.write_all(text.as_bytes()).await;
                }
                Err(_) => return false,
            }
        }
    }
}

async fn read_request(connection: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = connection.read(&mut buffer).await.ok()?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let headers: HashMap<String, String> = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            if let Some(body) = bytes.get(end + 4..end + 4 + length) {
                let message = serde_json::from_slice(body).unwrap_or_default();
                return Some(Seen { verb: head.split(' ').next()?.to_owned(), headers, message });
            }
        }
        if read == 0 {
            return None;
        }
    }
}
