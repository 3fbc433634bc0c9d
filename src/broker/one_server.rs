//! One server as it is, its names unchanged, through the same door as all of them: both eras, started when needed, within the
//! operator's policy. What a client asks goes to it raw, and comes back raw.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use super::{
    Broker, Hop,
    all_servers::without_hop,
    era,
    front::{Endpoint, Exchange, Hello},
    reply,
    serving::{Incoming, What},
    subscriptions::Target,
};
use crate::{
    backends::{BackendError, ClientCapabilities, Greeting, Request as Asked, Wanted},
    catalog::{Era, JsonObject, ServerEntry},
    config::ServerSpec,
    ids::{ServerName, ToolId, ToolName},
    jsonrpc::{Request, RpcError},
    policy,
};

/// One server behind an endpoint of its own.
#[derive(Debug)]
pub struct OneServer {
    broker: Arc<Broker>,
    spec: ServerSpec,
}

/// A request to one server, as its client made it.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) server: ServerName,
    pub(super) method: String,
    pub(super) params: JsonObject,
}

impl OneServer {
    /// The endpoint of a server; `None` where there is none of this name that takes part.
    #[must_use]
    pub fn new(broker: Arc<Broker>, name: &str) -> Option<Self> {
        let spec = broker.library().settings().servers.get(name).filter(|spec| spec.enabled)?.clone();
        Some(Self { broker, spec })
    }

    /// What the catalog knows of it. A tool that the operator does not offer is not in there.
    fn known(&self) -> Option<Arc<ServerEntry>> {
        self.broker.library().catalog().servers.get(&self.spec.name).map(Arc::clone)
    }

    /// A list from the catalog, where the server sleeps: whoever only looks need not wake it. `None` where it must be asked.
    fn listed(&self, request: &Request) -> Option<JsonObject> {
        if request.params.contains_key("cursor") || self.broker.pool.running().contains(&self.spec.name) {
            return None;
        }
        let known = self.known()?;
        let raw = |items: &[JsonObject]| items.iter().cloned().map(Value::Object).collect::<Vec<_>>();
        let (key, items) = match request.method.as_str() {
            "tools/list" => {
                ("tools", known.tools.iter().map(|tool| Value::Object(tool.parse_definition())).collect::<Vec<_>>())
            }
            "prompts/list" => ("prompts", raw(&known.prompts)),
            "resources/list" => ("resources", raw(&known.resources)),
            "resources/templates/list" => ("resourceTemplates", raw(&known.resource_templates)),
            _ => return None,
        };
        // A server without any answers such a list with an error of its own, which it is to be asked for.
        (!items.is_empty()).then(|| JsonObject::from_iter([(key.to_owned(), items.into())]))
    }

    /// Leaves out the tools that the operator does not offer.
    fn narrow(&self, result: &mut JsonObject) {
        let Some(Value::Array(tools)) = result.get_mut("tools") else { return };
        tools.retain(|tool| {
            let name = tool.get("name").and_then(Value::as_str).and_then(|name| name.parse::<ToolName>().ok());
            name.is_none_or(|name| self.spec.tools.offers(&name))
        });
    }

    /// What the server says of itself, from the catalog where it is known.
    async fn greeting(&self, exchange: &Exchange) -> Result<Greeting, RpcError> {
        if let Some(known) = self.known() {
            return Ok(Greeting {
                era: known.era,
                protocol_version: known.protocol_version.clone(),
                server_info: known.server_info.clone(),
                capabilities: known.capabilities.clone(),
                instructions: known.instructions.clone(),
            });
        }
        // Never read before: only the server itself knows.
        let client = ClientCapabilities::of(&exchange.capabilities);
        let lease = self.broker.pool.lease(&self.spec, &client).await.map_err(|error| failed(&error))?;
        Ok(lease.session().greeting().clone())
    }

    fn resources(&self, uris: Vec<String>) -> Target {
        Target { spec: self.spec.clone(), wanted: Wanted { uris, ..Wanted::default() }, is_renamed: false }
    }

    fn may_call(&self, request: &Request) -> Result<(), RpcError> {
        let name = request.params.get("name").and_then(Value::as_str);
        // What is no name of a tool is the server's to refuse.
        let Some(tool) = name.and_then(|name| name.parse::<ToolName>().ok()) else { return Ok(()) };
        let id = ToolId { server: self.spec.name.clone(), tool };
        let allowed = policy::may_call(self.broker.library().settings(), &id);
        allowed.map(drop).map_err(|_| RpcError::new(RpcError::INVALID_PARAMS, format!("unknown tool {}", id.tool)))
    }
}

#[async_trait]
impl Endpoint for OneServer {
    async fn hello(&self, exchange: &Exchange) -> Result<Hello, RpcError> {
        let greeting = self.greeting(exchange).await?;
        Ok(Hello {
            capabilities: era::passed_capabilities(greeting.capabilities, greeting.era, exchange.era),
            server_info: greeting.server_info,
            instructions: greeting.instructions,
            ttl_ms: 0,
        })
    }

    async fn request(&self, request: &Request, exchange: &Exchange) -> Result<JsonObject, RpcError> {
        if exchange.era == Era::Legacy {
            self.broker.tell_of_lists(&self.spec, exchange);
        }
        let uri = || request.params.get("uri").and_then(Value::as_str).map(str::to_owned);
        match (request.method.as_str(), uri()) {
            ("resources/subscribe", Some(uri)) => {
                let target = self.resources(vec![uri.clone()]);
                return self.broker.subscribe(&uri, target, exchange).await;
            }
            ("resources/unsubscribe", Some(uri)) => return Ok(Broker::unsubscribe(&uri, exchange)),
            _ => {}
        }
        if let Some(list) = self.listed(request) {
            return Ok(list);
        }
        if request.method == "tools/call" {
            self.may_call(request)?;
        }
        let raw = Raw {
            server: self.spec.name.clone(),
            method: request.method.clone(),
            params: without_hop(&request.params),
        };
        let mut result = self.broker.serve(Incoming::of(What::Raw(raw), request)?, exchange).await?;
        if request.method == "tools/list" {
            self.narrow(&mut result);
        }
        Ok(result)
    }

    fn input_schema(&self, tool: &str) -> Option<JsonObject> {
        let known = self.known()?;
        let tool = known.tools.iter().find(|known| known.name().as_str() == tool)?;
        tool.input_schema().as_object().cloned()
    }

    async fn listen(&self, wishes: JsonObject, exchange: &Exchange) -> Result<(), RpcError> {
        let mut wanted = Wanted::of_filter(&wishes);
        let capabilities = self.greeting(exchange).await?.capabilities;
        let tells =
            |list: &str| capabilities.get(list).and_then(|how| how.get("listChanged")) == Some(&Value::Bool(true));
        let uris = std::mem::take(&mut wanted.uris);
        let lists = Wanted {
            tools: wanted.tools && tells("tools"),
            prompts: wanted.prompts && tells("prompts"),
            resources: wanted.resources && tells("resources"),
            uris: Vec::new(),
        };
        let waking = if uris.is_empty() { Vec::new() } else { vec![self.resources(uris)] };
        let agreed = lists.to_filter();
        let sleeping = lists.is_anything();
        let sleeping = sleeping.then(|| Target { spec: self.spec.clone(), wanted: lists, is_renamed: false });
        self.broker.listen_to(waking, sleeping, agreed, exchange).await;
        Ok(())
    }
}

impl Broker {
    /// Makes a request of one server as its client made it.
    ///
    /// Dropping the future cancels it.
    pub(super) async fn pass(&self, raw: Raw, hop: Hop) -> Result<JsonObject, RpcError> {
        let Raw { server, method, params } = raw;
        let spec = self.library().settings().servers.get(&server);
        let spec = spec.ok_or_else(|| RpcError::new(RpcError::INTERNAL, format!("there is no server {server}")))?;
        let tool = params.get("name").and_then(Value::as_str).and_then(|name| name.parse::<ToolName>().ok());
        let tool = tool.filter(|_| method == "tools/call").map(|tool| ToolId { server, tool });
        let request = Asked {
            method: Cow::Owned(method),
            params,
            meta: JsonObject::new(),
            idle_timeout: spec.call_timeout,
            answers: None,
            tool: tool.as_ref().and_then(|id| self.library().tool(id)),
        };
        match (self.ask_backend(spec, request, hop).await, tool) {
            (Ok(result), _) => Ok(result),
            (Err(BackendError::Rpc { error, .. }), _) => Err(RpcError::as_sent(*error)),
            // What a model can do something about, it must be able to read.
            (Err(failure), Some(tool)) => Ok(reply::error(&reply::backend(&tool, &failure))),
            (Err(failure), None) => Err(failed(&failure)),
        }
    }
}

fn failed(failure: &BackendError) -> RpcError {
    RpcError::new(RpcError::INTERNAL, format!("{failure}; {}", failure.hint()))
}
