//! Serves MCP clients: takes their messages, shakes hands or not as their era wants it, and has an [`Endpoint`] answer.
//!
//! On raw JSON, so that what a typed model does not know passes as it came (`docs/adr/0002-raw-server-front.md`). Knows no transport:
//! whoever carries messages calls [`Front::receive`] for each, and [`Front::answer`] for each request.

mod client;
mod exchange;
pub mod stdio;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

pub(super) use self::client::Handshake;
pub use self::{
    client::{Client, Outlet},
    exchange::Exchange,
};
use super::era;
pub use super::era::carried;
use crate::{
    catalog::{Era, JsonObject},
    jsonrpc::{self, Message, Notification, Request, Response, RpcError},
};

/// Requests that one client may have open at once. A model has a few; more is a fault or an attack.
const MAX_RUNNING: usize = 256;

/// What clients speak to: all servers through the meta-tools, or one server as it is.
#[async_trait]
pub trait Endpoint: fmt::Debug + Send + Sync {
    /// What it says of itself to this client, without starting anything.
    async fn hello(&self, exchange: &Exchange) -> Result<Hello, RpcError>;

    /// Carries out a request that is not of the conversation itself.
    ///
    /// Dropping the future cancels it.
    async fn request(&self, request: &Request, exchange: &Exchange) -> Result<JsonObject, RpcError>;

    /// What of these wishes (`subscriptions/listen`) it can fulfil; it does so for as long as `exchange` is not cancelled.
    async fn listen(&self, wishes: JsonObject, exchange: &Exchange) -> Result<(), RpcError>;

    /// The input schema of a tool as clients were told it, where it is known without asking anybody.
    fn input_schema(&self, tool: &str) -> Option<JsonObject> {
        let _ = tool;
        None
    }
}

/// What an endpoint says of itself.
#[derive(Debug, Clone)]
pub struct Hello {
    /// `capabilities`.
    pub capabilities: JsonObject,
    /// `serverInfo`.
    pub server_info: JsonObject,
    /// `instructions`.
    pub instructions: Option<String>,
    /// How long a client of the stateless era may keep this, in milliseconds.
    pub ttl_ms: u64,
}

/// Serves one endpoint. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Front {
    endpoint: Arc<dyn Endpoint>,
}

/// What a message of a client comes to.
#[derive(Debug)]
pub enum Received {
    /// A request; [`Front::answer`] answers it.
    Request(Begun),
    /// Nothing is to be sent.
    Nothing,
    /// It is no message that can be carried out; this is to be sent.
    Refused(Value),
}

/// A request that can be cancelled from now on.
#[derive(Debug)]
pub struct Begun {
    request: Request,
    running: client::Running,
}

impl Begun {
    /// What is requested.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.request.method
    }
}

impl Front {
    /// A front before an endpoint.
    #[must_use]
    pub fn new(endpoint: Arc<dyn Endpoint>) -> Self {
        Self { endpoint }
    }

    /// The input schema of a tool as clients were told it, where it is known without asking anybody.
    #[must_use]
    pub fn input_schema(&self, tool: &str) -> Option<JsonObject> {
        self.endpoint.input_schema(tool)
    }

    /// Takes a message as it came. Messages of one client are to be given in their order; this returns at once.
    #[must_use]
    pub fn receive(&self, client: &Arc<Client>, message: Value) -> Received {
        match Message::read(message) {
            Ok(Message::Request(request)) => match client.begin(&request.id, MAX_RUNNING) {
                Some(running) => Received::Request(Begun { request, running }),
                None => {
                    let error =
                        RpcError::new(RpcError::INVALID_REQUEST, "too many requests are open, or one with this id");
                    Received::Refused(jsonrpc::answer(Some(&request.id), Err(error)))
                }
            },
            Ok(Message::Notification(Notification { method, params })) => {
                if method == "notifications/cancelled"
                    && let Some(id) = params.get("requestId").cloned().and_then(jsonrpc::Id::new)
                {
                    client.cancel(&id);
                }
                // `initialized` needs nothing done; that roots have changed is asked for anew in each call.
                Received::Nothing
            }
            Ok(Message::Response(Response { id, outcome })) => {
                client.answered(&id, outcome);
                Received::Nothing
            }
            Err(unread) => {
                let (id, error) = *unread;
                Received::Refused(jsonrpc::answer(id.as_ref(), Err(error)))
            }
        }
    }

    /// Carries a request out and gives the message that answers it; what is said meanwhile goes to `out`. `None` where the client
    /// cancelled: it wants no answer any more.
    ///
    /// Dropping the future cancels the request.
    pub async fn answer(&self, client: &Arc<Client>, begun: Begun, out: Arc<dyn Outlet>) -> Option<Value> {
        let Begun { request, running } = begun;
        let outcome = tokio::select! {
            outcome = self.outcome(client, &request, &running, out) => outcome,
            () = running.cancelled() => return None,
        };
        Some(jsonrpc::answer(Some(&request.id), outcome))
    }

    async fn outcome(
        &self,
        client: &Arc<Client>,
        request: &Request,
        running: &client::Running,
        out: Arc<dyn Outlet>,
    ) -> Result<JsonObject, RpcError> {
        let exchange = Exchange::open(client, request, running, out);
        let standing = era::standing(request, client)?;
        let exchange = exchange.of(standing);
        match (request.method.as_str(), exchange.era) {
            ("initialize", Era::Legacy) => {
                let hello = self.endpoint.hello(&exchange).await?;
                Ok(era::initialized(hello, client))
            }
            ("ping", Era::Legacy) => Ok(JsonObject::new()),
            ("logging/setLevel", Era::Legacy) => {
                let level = request.params.get("level").and_then(Value::as_str);
                let known = level.is_some_and(|level| client.level().set(level));
                let wrong = || {
                    RpcError::new(
                        RpcError::INVALID_PARAMS,
                        "`level` must be debug, info, notice, warning, error, critical, alert or emergency",
                    )
                };
                known.then(JsonObject::new).ok_or_else(wrong)
            }
            ("server/discover", Era::Modern) => Ok(era::discovered(self.endpoint.hello(&exchange).await?)),
            ("subscriptions/listen", Era::Modern) => {
                let wishes = request.params.get("notifications").and_then(Value::as_object).cloned();
                self.endpoint.listen(wishes.unwrap_or_default(), &exchange).await?;
                Ok(era::listened(&exchange))
            }
            (method, of) if era::is_gone(method, of) => Err(unknown_method(method)),
            (method, _) => {
                let outcome = self.endpoint.request(request, &exchange).await;
                outcome
                    .map(|result| era::shaped(result, method, exchange.era))
                    .map_err(|error| era::shaped_error(error, exchange.era))
            }
        }
    }
}

/// The error of a method that nobody knows.
#[must_use]
pub fn unknown_method(method: &str) -> RpcError {
    RpcError::new(RpcError::METHOD_NOT_FOUND, format!("unknown method {method}"))
}
