//! Opens conversations with real backends: which way, in which era, and what to try when the first try was wrong.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tokio::time::{self, Instant};

use super::{
    BackendError, ClientCapabilities, Connect, Session, endpoint,
    era::{self, Greeted},
    http,
    inbox::Inbox,
    live::{self, translated},
    peer::{Failure, Peer},
    sse, stdio,
    wire::{Wire, WireError},
};
use crate::{
    catalog::Era,
    config::{HttpTransport, Launch, ServerSpec},
};

/// How long the remains of a failed start may take to end.
const CLEAN_UP: Duration = Duration::from_secs(2);

/// Opens real conversations: child processes and HTTP.
#[derive(Debug, Default)]
pub struct Connector {
    client: endpoint::Client,
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
            (peer, Greeted::Agreed(greeting)) => return Ok(live::open(&spec.name, peer, greeting)),
            (peer, Greeted::Failed(failure)) => return Err(self.given_up(spec, &peer, failure).await),
            (peer, Greeted::Refused(failure)) => (peer, failure),
        };
        // SSE is of the legacy era alone.
        if way == Way::Sse {
            return Err(self.given_up(spec, &peer, refusal).await);
        }
        peer.wire().close(CLEAN_UP).await;
        match self.greeted(start, way, era::other(likely)).await? {
            (peer, Greeted::Agreed(greeting)) => Ok(live::open(&spec.name, peer, greeting)),
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
            Failure::Closed | Failure::Wire(_) | Failure::Protocol(_) | Failure::Unsupported(_) => {
                translated(&spec.name, failure.clone())
            }
        };
        (error, failure)
    }
}

fn start_timeout(spec: &ServerSpec, stderr: Vec<String>) -> BackendError {
    BackendError::StartTimeout { server: spec.name.clone(), after: spec.start_timeout, stderr }
}

/// A backend's message may be a page; a few words of it tell.
fn shortened(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    line.chars().take(160).collect()
}
