//! Opens conversations with real backends, and is the live end of them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::{self, Instant};

use super::{
    BackendError, Caller, ClientCapabilities, Connect, Request, Session,
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

/// Times a backend may ask for input in one call.
const MAX_ROUNDS: usize = 10;

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

/// What every attempt to open a conversation shares.
#[derive(Debug, Clone, Copy)]
struct Start<'s> {
    spec: &'s ServerSpec,
    client: &'s ClientCapabilities,
    deadline: Instant,
}

#[derive(Debug)]
struct LiveSession {
    server: ServerName,
    peer: Peer,
    greeting: Greeting,
}

#[async_trait]
impl Connect for Connector {
    async fn connect(
        &self,
        spec: &ServerSpec,
        remembered: Option<Era>,
        client: &ClientCapabilities,
    ) -> Result<Arc<dyn Session>, BackendError> {
        let start = Start { spec, client, deadline: Instant::now() + spec.start_timeout };
        let first = match &spec.launch {
            Launch::Stdio(_) => Way::Stdio,
            Launch::Http(http) => match http.transport {
                HttpTransport::Detect | HttpTransport::Streamable => Way::StreamableHttp,
                HttpTransport::Sse => Way::Sse,
            },
        };
        let era = remembered.unwrap_or(Era::Legacy);
        match self.attempt(&start, first, era).await {
            // The endpoint speaks no Streamable HTTP: only then the older transport.
            Err((_, Failure::Wire(WireError::WrongTransport(_)))) if may_be_sse(spec, first) => {
                self.attempt(&start, Way::Sse, Era::Legacy).await.map_err(|(error, _)| error)
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
        start: &Start<'_>,
        way: Way,
        likely: Era,
    ) -> Result<Arc<dyn Session>, (BackendError, Failure)> {
        let spec = start.spec;
        let (peer, refusal) = match self.greeted(start, way, likely).await? {
            (peer, Greeted::Agreed(greeting)) => return Ok(live(spec, peer, greeting)),
            (peer, Greeted::Failed(failure)) => return Err(self.given_up(spec, &peer, failure).await),
            (peer, Greeted::Refused(failure)) => (peer, failure),
        };
        // SSE is of the legacy era alone.
        if way == Way::Sse {
            return Err(self.given_up(spec, &peer, refusal).await);
        }
        peer.wire().close(CLEAN_UP).await;
        match self.greeted(start, way, era::other(likely)).await? {
            (peer, Greeted::Agreed(greeting)) => Ok(live(spec, peer, greeting)),
            // Refused in both eras: the first refusal is the telling one, but for what the child said at its end.
            (peer, Greeted::Refused(Failure::Closed)) => Err(self.given_up(spec, &peer, Failure::Closed).await),
            (peer, Greeted::Refused(_)) => Err(self.given_up(spec, &peer, refusal).await),
            (peer, Greeted::Failed(failure)) => Err(self.given_up(spec, &peer, failure).await),
        }
    }

    async fn greeted(&self, start: &Start<'_>, way: Way, era: Era) -> Result<(Peer, Greeted), (BackendError, Failure)> {
        let Start { spec, client, deadline } = *start;
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
        let greeted = era::greet(&peer, era, left, client).await;
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
            era::dress(&mut params, self.greeting.era, &ClientCapabilities::none(), None);
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

    async fn request(&self, request: Request, caller: Arc<dyn Caller>) -> Result<JsonObject, BackendError> {
        let Request { method, mut params, meta, idle_timeout, mut answers } = request;
        if !meta.is_empty() {
            params.insert("_meta".into(), Value::Object(meta));
        }
        era::dress(&mut params, self.greeting.era, &caller.capabilities(), caller.log_level());
        for _ in 0..MAX_ROUNDS {
            let mut params = params.clone();
            if let Some(answers) = answers.take() {
                era::add_answers(&mut params, answers);
            }
            let outcome = self.peer.request(method, params, idle_timeout, Some(Arc::clone(&caller))).await;
            let required = match &outcome {
                Ok(result) if caller.works_off_input() => era::input_required(result),
                Err(Failure::Rpc(error)) => era::url_required(error),
                Ok(_) | Err(_) => None,
            };
            let Some(required) = required else {
                return outcome.map_err(|failure| translated(&self.server, failure));
            };
            match era::answered(required, caller.as_ref()).await {
                Ok(given) => answers = Some(given),
                // A refusal that the backend itself has put into words says more than the client's.
                Err(refusal) => {
                    let failure = outcome.err().unwrap_or(Failure::Rpc(refusal));
                    return Err(translated(&self.server, failure));
                }
            }
        }
        let reason = format!("it asked for input more than {MAX_ROUNDS} times in one call");
        Err(BackendError::Protocol { server: self.server.clone(), reason })
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
