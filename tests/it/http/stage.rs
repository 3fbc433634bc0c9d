//! A server over HTTP in this process, with limits of the story's own and an endpoint that does as it is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle, time};
use tokio_util::sync::CancellationToken;
use toolcrib::{
    broker::front::{Endpoint, Exchange, Front, Hello, unknown_method},
    catalog::JsonObject,
    http::{self, Fronts, Limits, Service, Token},
    ids::ServerName,
    jsonrpc::{Request, RpcError},
};

use super::client::{Http, TOKEN};

/// What the endpoint does: `tools/call` of `echo`, `tells`, `asks`, `waits`; anything else is unknown to it.
#[derive(Debug, Default)]
pub struct Told {
    /// Lets one call of `waits` end.
    pub go_on: Notify,
    /// Calls of `waits` that began.
    pub began: AtomicUsize,
    /// Calls of `waits` that were dropped.
    pub dropped: AtomicUsize,
    /// Conversations that began.
    pub opened: AtomicUsize,
    /// Something of the above changed.
    changed: Notify,
}

/// A server while it runs.
pub struct Stage {
    pub http: Http,
    pub told: Arc<Told>,
    pub stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

#[derive(Debug)]
struct Actor(Arc<Told>);

#[derive(Debug)]
struct Actors(Front, Arc<Told>);

/// Counts what was dropped before it ended.
struct Watch<'t>(&'t Told, bool);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
            self.0.changed.notify_waiters();
        }
    }
}

impl Told {
    /// Waits until a count is reached.
    pub async fn reaches(&self, count: &AtomicUsize, wanted: usize) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if count.load(Ordering::SeqCst) >= wanted {
                    return;
                }
                changed.await;
            }
        };
        time::timeout(Duration::from_secs(30), waiting).await.expect("it never happened");
    }
}

impl Fronts for Actors {
    fn front(&self, server: Option<&ServerName>) -> Option<Front> {
        server.is_none_or(|server| server.as_str() == "known").then(|| self.0.clone())
    }

    fn opened(&self, _: Option<&ServerName>) {
        self.1.opened.fetch_add(1, Ordering::SeqCst);
    }
}

fn object(value: &Value) -> JsonObject {
    value.as_object().cloned().unwrap()
}

#[async_trait]
impl Endpoint for Actor {
    async fn hello(&self, _: &Exchange) -> Result<Hello, RpcError> {
        let server_info = object(&json!({"name": "actor", "version": "1"}));
        Ok(Hello { capabilities: object(&json!({"tools": {}})), server_info, instructions: None, ttl_ms: 0 })
    }

    async fn request(&self, request: &Request, exchange: &Exchange) -> Result<JsonObject, RpcError> {
        let text = |text: String| Ok(object(&json!({"content": [{"type": "text", "text": text}]})));
        let name = request.params.get("name").and_then(Value::as_str).unwrap_or_default();
        let arguments = request.params.get("arguments").cloned().unwrap_or_default();
        match (request.method.as_str(), name) {
            ("tools/list", _) => Ok(object(&json!({"tools": []}))),
            ("tools/call", "echo") => text(arguments.to_string()),
            ("tools/call", "tells") => {
                for number in 0..arguments["times"].as_u64().unwrap_or(2) {
                    exchange.tell("notifications/progress", object(&json!({"progress": number}))).await;
                }
                text("told".into())
            }
            ("tools/call", "asks") => {
                let said = exchange.ask("elicitation/create", object(&arguments)).await;
                text(said.map_or("nothing".into(), |said| Value::from(said.unwrap_or_default()).to_string()))
            }
            ("tools/call", "waits") => {
                let mut watch = Watch(&self.0, false);
                exchange.tell("notifications/progress", object(&json!({"progress": 0}))).await;
                self.0.began.fetch_add(1, Ordering::SeqCst);
                self.0.changed.notify_waiters();
                self.0.go_on.notified().await;
                watch.1 = true;
                exchange.tell("notifications/progress", object(&json!({"progress": 1}))).await;
                text("waited".into())
            }
            ("tools/call", "hints") => {
                exchange.client.unasked().send(json!({"jsonrpc": "2.0", "method": "notifications/hint"})).await;
                text("hinted".into())
            }
            (method, _) => Err(unknown_method(method)),
        }
    }

    async fn listen(&self, _: JsonObject, exchange: &Exchange) -> Result<(), RpcError> {
        exchange.tell("notifications/subscriptions/acknowledged", JsonObject::new()).await;
        exchange.client.silent().await;
        Ok(())
    }

    fn input_schema(&self, tool: &str) -> Option<JsonObject> {
        let schema = json!({"properties": {"region": {"type": "string", "x-mcp-header": "Region"}}});
        (tool == "echo").then(|| object(&schema))
    }
}

impl Stage {
    pub async fn open() -> Self {
        Self::within(Limits::default()).await
    }

    pub async fn within(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::<Told>::default();
        let front = Front::new(Arc::new(Actor(Arc::clone(&told))));
        let fronts = Arc::new(Actors(front, Arc::clone(&told)));
        let stop = CancellationToken::new();
        let service = Service::new(fronts, Token::chosen(TOKEN).unwrap(), limits);
        let serving = tokio::spawn(http::serve(listener, service, stop.clone()));
        Self { http: Http::new(port), told, stop, serving }
    }

    /// Stops it and waits for its end.
    pub async fn close(self) {
        self.stop.cancel();
        let ended = time::timeout(Duration::from_secs(30), self.serving).await.expect("it does not end");
        ended.unwrap().unwrap();
    }
}
