//! The live end of a conversation with a backend: its lists, and the requests of clients.

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::Value;
use tracing::{debug, warn};

use super::{
    BackendError, Caller, ClientCapabilities, Greeting, Notices, Request, Session, Wanted, Watch, era,
    levels::Levels,
    lists,
    mirror::{ANNOTATION, Mirror, Unusable},
    not_supported,
    peer::{Failure, Peer},
    subscriptions::Subscriptions,
    watching,
    wire::WireError,
};
use crate::{
    catalog::{Era, JsonObject, RawListing, ToolEntry},
    ids::ServerName,
};

/// The request whose arguments a modern HTTP endpoint may want repeated in headers.
const CALL: &str = "tools/call";

/// Longest wait for a list of tools that is read for the sake of a call.
const LIST: Duration = Duration::from_secs(10);

/// Tools left out of a list that are named.
const MAX_NOTES: usize = 20;

/// Times a backend may ask for input in one call.
const MAX_ROUNDS: usize = 10;

#[derive(Debug)]
struct LiveSession {
    server: ServerName,
    peer: Arc<Peer>,
    greeting: Greeting,
    subscriptions: Arc<Subscriptions>,
    levels: Levels,
}

/// A conversation whose handshake is done.
pub(super) fn open(server: &ServerName, peer: Peer, greeting: Greeting) -> Arc<dyn Session> {
    let peer = Arc::new(peer);
    let subscriptions = Subscriptions::new(Arc::clone(&peer));
    Arc::new(LiveSession { server: server.clone(), peer, greeting, subscriptions, levels: Levels::default() })
}

#[async_trait]
impl Session for LiveSession {
    fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    async fn listing(&self, deadline: Duration) -> Result<RawListing, BackendError> {
        let ask =
            |method: &'static str, params: JsonObject, patience: Duration| self.ask_list(method, params, patience);
        let lists = lists::read(&self.greeting.capabilities, deadline, ask).await;
        let mut lists = lists.map_err(|failure| translated(&self.server, failure))?;
        if let Some(mirror) = self.peer.wire().mirror() {
            let unusable = mirror.learn_list(&mut lists.tools);
            for Unusable { tool, reason } in unusable.iter().take(MAX_NOTES) {
                lists.notes.push(format!("tool `{tool}` was left out: {reason}"));
            }
            if let Some(more) = unusable.len().checked_sub(MAX_NOTES).filter(|more| *more > 0) {
                lists.notes.push(format!("{more} more tools were left out for their {ANNOTATION}"));
            }
        }
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
        let Request { method, mut params, meta, idle_timeout, mut answers, tool } = request;
        if !meta.is_empty() {
            params.insert("_meta".into(), Value::Object(meta));
        }
        era::dress(&mut params, self.greeting.era, &caller.capabilities(), caller.log_level());
        if self.sends_logs_by_session()
            && let Some(level) = caller.log_level()
        {
            self.levels.want(&self.peer, &level).await;
        }
        if let Some(mirror) = self.peer.wire().mirror().filter(|_| method == CALL) {
            self.learn(mirror, tool.as_deref(), idle_timeout).await;
        }
        for _ in 0..MAX_ROUNDS {
            let mut params = params.clone();
            // A backend with a handshake gets its answers as responses of their own.
            if let Some(answers) = answers.take().filter(|_| self.greeting.era == Era::Modern) {
                era::add_answers(&mut params, answers);
            }
            let outcome = self.asked(&method, params, idle_timeout, &caller).await;
            let required = match &outcome {
                Ok(result) => era::input_required(result),
                Err(Failure::Rpc(error)) => era::url_required(error),
                Err(_) => None,
            };
            let Some(required) = required else {
                return outcome.map_err(|failure| translated(&self.server, failure));
            };
            if outcome.is_ok() && !caller.works_off_input() {
                // It passes to the client, unless that has said it cannot answer.
                return match required.beyond(&caller.capabilities()) {
                    Some(method) => Err(translated(&self.server, Failure::Rpc(not_supported(&method)))),
                    None => outcome.map_err(|failure| translated(&self.server, failure)),
                };
            }
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

impl LiveSession {
    async fn ask_list(
        &self,
        method: &'static str,
        mut params: JsonObject,
        patience: Duration,
    ) -> Result<JsonObject, Failure> {
        era::dress(&mut params, self.greeting.era, &ClientCapabilities::everything(), None);
        self.peer.request(method, params, patience, None).await
    }

    /// Whether the backend is told by session, not by request, which log messages to send.
    fn sends_logs_by_session(&self) -> bool {
        self.greeting.era == Era::Legacy && self.greeting.capabilities.contains_key("logging")
    }

    /// Makes one request. Where a modern HTTP endpoint misses a header, its tools are listed again for what they want, and the
    /// request is made once more: it was not carried out.
    async fn asked(
        &self,
        method: &str,
        params: JsonObject,
        patience: Duration,
        caller: &Arc<dyn Caller>,
    ) -> Result<JsonObject, Failure> {
        let Some(mirror) = self.peer.wire().mirror() else {
            return self.peer.request(method, params, patience, Some(Arc::clone(caller))).await;
        };
        let mut outcome = self.peer.request(method, params.clone(), patience, Some(Arc::clone(caller))).await;
        if method == CALL && era::misses_header(&outcome) && self.list_for(mirror, patience).await {
            outcome = self.peer.request(method, params, patience, Some(Arc::clone(caller))).await;
        }
        if let (Ok(result), "tools/list") = (&mut outcome, method)
            && let Some(Value::Array(tools)) = result.get_mut("tools")
        {
            for Unusable { tool, reason } in mirror.learn_list(tools).iter().take(MAX_NOTES) {
                warn!(server.name = %self.server, tool.name = tool, reason, "a tool was left out");
            }
        }
        outcome
    }

    /// Finds out which arguments of a call are to be repeated: from the catalog, else from the backend's list, once.
    async fn learn(&self, mirror: &Mirror, tool: Option<&ToolEntry>, patience: Duration) {
        let mut listed = mirror.listed.lock().await;
        match tool {
            _ if *listed => {}
            Some(tool) => mirror.learn(tool.name().as_str(), tool.input_schema()),
            // A list that failed is not asked for with every call; a call that misses a header asks again.
            None => {
                self.read_list(mirror, patience).await;
                *listed = true;
            }
        }
    }

    /// Reads the backend's list; from then on it counts for more than the catalog. False if it could not be read.
    async fn list_for(&self, mirror: &Mirror, patience: Duration) -> bool {
        let mut listed = mirror.listed.lock().await;
        let read = self.read_list(mirror, patience).await;
        *listed |= read;
        read
    }

    async fn read_list(&self, mirror: &Mirror, patience: Duration) -> bool {
        let ask =
            |method: &'static str, params: JsonObject, patience: Duration| self.ask_list(method, params, patience);
        match lists::tools(patience.min(LIST), ask).await {
            Ok(mut tools) => {
                mirror.learn_list(&mut tools);
                true
            }
            Err(failure) => {
                debug!(server.name = %self.server, ?failure, "the tools could not be listed for a call");
                false
            }
        }
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
        Failure::Wire(WireError::NoAnswer(reason) | WireError::Failed(reason)) => {
            BackendError::Handshake { server, reason }
        }
        Failure::Protocol(reason) => BackendError::Protocol { server, reason },
        Failure::Unsupported(what) => BackendError::Unsupported { server, what },
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
