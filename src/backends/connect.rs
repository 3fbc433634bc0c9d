//! Opens conversations with real backends, and is the live end of them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::{self, Instant};

use super::{
    BackendError, CallRequest, Caller, Connect, Session,
    era::{self, Greeted, Greeting},
    http, lists,
    peer::{Failure, Inbox, Peer},
    sse, stdio,
    wire::{Wire, WireError},
};
use crate::{
    catalog::{Era, JsonObject, RawListing},
    config::{HttpTransport, Launch, ServerSpec},
    ids::ServerName,
};

/// How long the remains of a failed start may take to end.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// Opens real conversations: child processes and HTTP.
#[derive(Debug, Default)]
pub struct Connector {
    client: http::Client,
}

/// Which way to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Stdio,
    StreamableHttp,
    Sse,
}

#[derive(Debug)]
struct LiveSession {
    server: ServerName,
    peer: Peer,
    greeting: Greeting,
}

#[async_trait]
impl Connect for Connector {
    async fn connect(&self, spec: &ServerSpec, remembered: Option<Era>) -> Result<Arc<dyn Session>, BackendError> {
        let deadline = Instant::now() + spec.start_timeout;
        let first = match &spec.launch {
            Launch::Stdio(_) => Way::Stdio,
            Launch::Http(http) => match http.transport {
                HttpTransport::Detect | HttpTransport::Streamable => Way::StreamableHttp,
                HttpTransport::Sse => Way::Sse,
            },
        };
        let era = remembered.unwrap_or(Era::Legacy);
        match self.attempt(spec, first, era, deadline).await {
            // The endpoint speaks no Streamable HTTP: only then the older transport.
            Err((_, Failure::Wire(WireError::WrongTransport(_)))) if may_be_sse(spec, first) => {
                self.attempt(spec, Way::Sse, Era::Legacy, deadline).await.map_err(|(error, _)| error)
            }
            outcome => outcome.map_err(|(error, _)| error),
        }
    }
}

fn may_be_sse(spec: &ServerSpec, first: Way) -> bool {
    let detect = matches!(&spec.launch, Launch::Http(http) if http.transport == HttpTransport::Detect);
    detect && first == Way::StreamableHttp
}

impl Connector {
    /// Tries one way, in the era that is likely and then, where the backend refuses that, in the other.
    async fn attempt(
        &self,
        spec: &ServerSpec,
        way: Way,
        likely: Era,
        deadline: Instant,
    ) -> Result<Arc<dyn Session>, (BackendError, Failure)> {
        let (peer, refusal) = match self.greeted(spec, way, likely, deadline).await? {
            (peer, Greeted::Agreed(greeting)) => return Ok(live(spec, peer, greeting)),
            (peer, Greeted::Failed(failure)) => return Err(self.given_up(spec, &peer, failure).await),
            (peer, Greeted::Refused(failure)) => (peer, failure),
        };
        // SSE is of the legacy era alone.
        if way == Way::Sse {
            return Err(self.given_up(spec, &peer, refusal).await);
        }
        peer.wire().close(CLEAN_UP).await;
        match self.greeted(spec, way, era::other(likely), deadline).await? {
            (peer, Greeted::Agreed(greeting)) => Ok(live(spec, peer, greeting)),
            // Refused in both eras: the first refusal is the telling one, but for what the child said at its end.
            (peer, Greeted::Refused(Failure::Closed)) => Err(self.given_up(spec, &peer, Failure::Closed).await),
            (peer, Greeted::Refused(_)) => Err(self.given_up(spec, &peer, refusal).await),
            (peer, Greeted::Failed(failure)) => Err(self.given_up(spec, &peer, failure).await),
        }
    }

    async fn greeted(
        &self,
        spec: &ServerSpec,
        way: Way,
        era: Era,
        deadline: Instant,
    ) -> Result<(Peer, Greeted), (BackendError, Failure)> {
        let inbox = Arc::new(Inbox::default());
        let left = deadline.saturating_duration_since(Instant::now());
        let opened = time::timeout(left, self.open(spec, way, &inbox)).await;
        let wire = match opened {
            Ok(Ok(wire)) => wire,
            Ok(Err(failed)) => return Err(failed),
            Err(_) => {
                let error = start_timeout(spec, Vec::new());
                return Err((error, Failure::Timeout(spec.start_timeout)));
            }
        };
        let peer = Peer::new(wire, inbox);
        let left = deadline.saturating_duration_since(Instant::now());
        let greeted = era::greet(&peer, era, left).await;
        Ok((peer, greeted))
    }

    async fn open(
        &self,
        spec: &ServerSpec,
        way: Way,
        inbox: &Arc<Inbox>,
    ) -> Result<Arc<dyn Wire>, (BackendError, Failure)> {
        match &spec.launch {
            Launch::Stdio(launch) => match stdio::start(spec, launch, inbox) {
                Ok(wire) => Ok(wire),
                Err(error) => Err((error, Failure::Closed)),
            },
            Launch::Http(launch) if way == Way::Sse => {
                let opened = sse::open(&self.client, launch, inbox).await;
                opened.map_err(|error| {
                    let failure = Failure::Wire(error);
                    (translated(&spec.name, failure.clone()), failure)
                })
            }
            Launch::Http(launch) => Ok(http::open(&self.client, launch, inbox)),
        }
    }

    /// Takes down a conversation that did not come about, and says why.
    async fn given_up(&self, spec: &ServerSpec, peer: &Peer, failure: Failure) -> (BackendError, Failure) {
        peer.wire().close(CLEAN_UP).await;
        let stderr = peer.wire().stderr_tail();
        let error = match &failure {
            Failure::Closed if matches!(spec.launch, Launch::Stdio(_)) => {
                BackendError::DiedAtStart { server: spec.name.clone(), stderr }
            }
            Failure::Timeout(_) => start_timeout(spec, stderr),
            Failure::Rpc(error) => {
                let message = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
                BackendError::Handshake { server: spec.name.clone(), reason: shortened(message) }
            }
            Failure::Closed | Failure::Wire(_) | Failure::Protocol(_) => translated(&spec.name, failure.clone()),
        };
        (error, failure)
    }
}

fn start_timeout(spec: &ServerSpec, stderr: Vec<String>) -> BackendError {
    BackendError::StartTimeout { server: spec.name.clone(), after: spec.start_timeout, stderr }
}

fn live(spec: &ServerSpec, peer: Peer, greeting: Greeting) -> Arc<dyn Session> {
    Arc::new(LiveSession { server: spec.name.clone(), peer, greeting })
}

#[async_trait]
impl Session for LiveSession {
    fn era(&self) -> Era {
        self.greeting.era
    }

    async fn listing(&self, deadline: Duration) -> Result<RawListing, BackendError> {
        let ask = |method: &'static str, mut params: JsonObject, patience: Duration| {
            era::dress(&mut params, self.greeting.era);
            self.peer.request(method, params, patience, None)
        };
        let lists = lists::read(&self.greeting.capabilities, deadline, ask).await;
        let lists = lists.map_err(|failure| translated(&self.server, failure))?;
        Ok(RawListing {
            era: self.greeting.era,
            protocol_version: self.greeting.protocol_version.clone(),
            server_info: self.greeting.server_info.clone(),
            capabilities: self.greeting.capabilities.clone(),
            instructions: self.greeting.instructions.clone(),
            tools: lists.tools,
            prompts: lists.prompts,
            resources: lists.resources,
            resource_templates: lists.resource_templates,
            notes: lists.notes,
        })
    }

    async fn call(&self, request: CallRequest, caller: Arc<dyn Caller>) -> Result<JsonObject, BackendError> {
        let mut params = JsonObject::new();
        params.insert("name".into(), request.tool.as_str().into());
        params.insert("arguments".into(), Value::Object(request.arguments));
        if !request.meta.is_empty() {
            params.insert("_meta".into(), Value::Object(request.meta));
        }
        era::dress(&mut params, self.greeting.era);
        let outcome = self.peer.request("tools/call", params, request.idle_timeout, Some(caller)).await;
        outcome.map_err(|failure| translated(&self.server, failure))
    }

    fn is_closed(&self) -> bool {
        self.peer.inbox().is_over()
    }

    fn stderr_tail(&self) -> Vec<String> {
        self.peer.wire().stderr_tail()
    }

    async fn close(&self, grace: Duration) {
        self.peer.wire().close(grace).await;
        self.peer.inbox().end(&Failure::Closed);
    }
}

/// A failure of the conversation as the rest of the program knows it.
fn translated(server: &ServerName, failure: Failure) -> BackendError {
    let server = server.clone();
    match failure {
        Failure::Rpc(error) => BackendError::Rpc {
            server,
            code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
            message: error.get("message").and_then(Value::as_str).unwrap_or("no message").into(),
            error: Box::new(error),
        },
        Failure::Closed | Failure::Wire(WireError::Closed) => BackendError::Closed { server },
        Failure::Timeout(after) => BackendError::CallTimeout { server, after },
        Failure::Wire(WireError::Unauthorized(status)) => BackendError::Unauthorized { server, status },
        Failure::Wire(WireError::WrongTransport(status)) => {
            BackendError::Handshake { server, reason: format!("the address does not speak MCP (HTTP {status})") }
        }
        Failure::Wire(WireError::Failed(reason)) => BackendError::Handshake { server, reason },
        Failure::Protocol(reason) => BackendError::Protocol { server, reason },
    }
}

/// A backend's message may be a page; a few words of it tell.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(160).collect()
}
