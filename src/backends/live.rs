//! The live end of a conversation with a backend: its lists, and the requests of clients.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

use super::{
    BackendError, Caller, ClientCapabilities, Greeting, Notices, Request, Session, Wanted, Watch, era, lists,
    peer::{Failure, Peer},
    subscriptions::Subscriptions,
    watching,
    wire::WireError,
};
use crate::{
    catalog::{Era, JsonObject, RawListing},
    ids::ServerName,
};

/// Times a backend may ask for input in one call.
const MAX_ROUNDS: usize = 10;

#[derive(Debug)]
struct LiveSession {
    server: ServerName,
    peer: Arc<Peer>,
    greeting: Greeting,
    subscriptions: Arc<Subscriptions>,
}

/// A conversation whose handshake is done.
pub(super) fn open(server: &ServerName, peer: Peer, greeting: Greeting) -> Arc<dyn Session> {
    let peer = Arc::new(peer);
    let subscriptions = Subscriptions::new(Arc::clone(&peer));
    Arc::new(LiveSession { server: server.clone(), peer, greeting, subscriptions })
}

#[async_trait]
impl Session for LiveSession {
    fn greeting(&self) -> &Greeting {
        &self.greeting
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
        let Request { method, mut params, meta, idle_timeout, mut answers, .. } = request;
        if !meta.is_empty() {
            params.insert("_meta".into(), Value::Object(meta));
        }
        era::dress(&mut params, self.greeting.era, &caller.capabilities(), caller.log_level());
        for _ in 0..MAX_ROUNDS {
            let mut params = params.clone();
            if let Some(answers) = answers.take() {
                era::add_answers(&mut params, answers);
            }
            let outcome = self.peer.request(&method, params, idle_timeout, Some(Arc::clone(&caller))).await;
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

    async fn watch(&self, mut wanted: Wanted, notices: Arc<dyn Notices>) -> Result<Watch, BackendError> {
        let mut seen = HashSet::new();
        wanted.uris.retain(|uri| seen.insert(uri.clone()));
        let watch = match self.greeting.era {
            Era::Modern => watching::modern(&self.peer, wanted, notices).await,
            Era::Legacy => {
                let capabilities = &self.greeting.capabilities;
                watching::legacy(&self.peer, &self.subscriptions, capabilities, &wanted, notices).await
            }
        };
        watch.map_err(|failure| translated(&self.server, failure))
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
pub(super) fn translated(server: &ServerName, failure: Failure) -> BackendError {
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
        Failure::Unsupported(what) => BackendError::Unsupported { server, what },
    }
}
