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

/// Longest time for a process that has refused one greeting to take the other. It runs, so it answers at once.
const SAME_PROCESS: Duration = Duration::from_secs(5);

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

impl Way {
    /// The era that an unknown backend is greeted in first; see `era.rs`.
    const fn likely(self) -> Era {
        match self {
            Self::Stdio | Self::Sse => Era::Legacy,
            Self::StreamableHttp => Era::Modern,
        }
    }
}

impl Start<'_> {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
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
        match self.attempt(&start, first, remembered.unwrap_or(first.likely())).await {
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
        let Start { spec, client, .. } = *start;
        let greeted = match (way, likely) {
            // SSE is of the legacy era alone.
            (Way::Sse, _) => self.greeted(start, way, Era::Legacy).await?,
            (_, Era::Legacy) => self.greeted(start, way, Era::Legacy).await?,
            (_, Era::Modern) => self.greeted_in_doubt(start, way).await?,
        };
        let (peer, refusal) = match greeted {
            (peer, Greeted::Agreed(greeting)) => return Ok(live::open(&spec.name, peer, greeting)),
            (peer, Greeted::Failed(failure)) => {
                // A process that was silent all that time may be deaf to `initialize`. It runs by now, so a short wait will tell.
                if way == Way::Stdio
                    && likely == Era::Legacy
                    && matches!(failure, Failure::Timeout(_))
                    && let Greeted::Agreed(greeting) = era::greet(&peer, Era::Modern, era::DOUBT, client).await
                {
                    return Ok(live::open(&spec.name, peer, greeting));
                }
                return Err(self.given_up(spec, &peer, failure).await);
            }
            (peer, Greeted::Refused(failure)) => (peer, failure),
        };
        if way == Way::Sse {
            return Err(self.given_up(spec, &peer, refusal).await);
        }
        let other = era::other(likely);
        // A process that refused in words lives on, and need not be started twice: that costs some 10 s.
        if way == Way::Stdio && matches!(refusal, Failure::Rpc(_) | Failure::Protocol(_)) {
            let patience = SAME_PROCESS.min(start.left() / 2);
            if let Greeted::Agreed(greeting) = era::greet(&peer, other, patience, client).await {
                return Ok(live::open(&spec.name, peer, greeting));
            }
        }
        peer.wire().close(CLEAN_UP).await;
        match self.greeted(start, way, other).await? {
            (peer, Greeted::Agreed(greeting)) => Ok(live::open(&spec.name, peer, greeting)),
            (peer, Greeted::Failed(failure)) => Err(self.given_up(spec, &peer, failure).await),
            // Refused in both eras. What a child said at its end tells most, then what was answered to `initialize`.
            (peer, Greeted::Refused(last)) if other == Era::Legacy || matches!(last, Failure::Closed) => {
                Err(self.given_up(spec, &peer, last).await)
            }
            (peer, Greeted::Refused(_)) => Err(self.given_up(spec, &peer, refusal).await),
        }
    }

    /// Greets a backend that is likely to be modern. It is not waited for in vain where it is not: while it is silent, it is
    /// greeted with `initialize` besides, an endpoint soon and a process, which may just be starting, only when half of its time has
    /// gone; see [`era::greet_in_doubt`] for what is done before.
    async fn greeted_in_doubt(&self, start: &Start<'_>, way: Way) -> Result<(Peer, Greeted), (BackendError, Failure)> {
        let doubt = match way {
            Way::Stdio => start.left() / 2,
            Way::StreamableHttp | Way::Sse => era::DOUBT.min(start.left() / 4),
        };
        let first = self.greeted(start, way, Era::Modern);
        let second = async {
            time::sleep(doubt).await;
            self.greeted(start, way, Era::Legacy).await
        };
        tokio::pin!(first, second);
        tokio::select! {
            biased;
            outcome = &mut first => outcome,
            outcome = &mut second => match outcome {
                Ok((peer, Greeted::Agreed(greeting))) => Ok((peer, Greeted::Agreed(greeting))),
                Ok((peer, Greeted::Refused(_) | Greeted::Failed(_))) => {
                    let (outcome, ()) = tokio::join!(first, peer.wire().close(CLEAN_UP));
                    outcome
                }
                Err(_) => first.await,
            },
        }
    }

    async fn greeted(&self, start: &Start<'_>, way: Way, era: Era) -> Result<(Peer, Greeted), (BackendError, Failure)> {
        let Start { spec, client, .. } = *start;
        let inbox = Arc::new(Inbox::default());
        let opened = time::timeout(start.left(), self.open(spec, way, &inbox)).await;
        let wire = match opened {
            Ok(Ok(wire)) => wire,
            Ok(Err(failed)) => return Err(failed),
            Err(_) => {
                let error = start_timeout(spec, Vec::new());
                return Err((error, Failure::Timeout(spec.start_timeout)));
            }
        };
        let peer = Peer::new(wire, inbox);
        let greeted = match (way, era) {
            (Way::Stdio, Era::Modern) => era::greet_in_doubt(&peer, start.left(), client).await,
            (_, era) => era::greet(&peer, era, start.left(), client).await,
        };
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
