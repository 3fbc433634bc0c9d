//! All servers as one: the three meta-tools, the pinned tools, prompts and resources under names of ours.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Broker, Surface,
    audience::{Face, Faces},
    era,
    front::{Endpoint, Exchange, Hello, unknown_method},
    offers::Asked,
    serving::{Incoming, What},
    subscriptions::Target,
};
use crate::{
    backends::Wanted,
    catalog::JsonObject,
    jsonrpc::{Request, RpcError},
};

/// How long a client may keep our lists, in milliseconds. They change only with a restart; an hour bounds the harm of a client that
/// never asks again.
const LIST_TTL_MS: u64 = 3_600_000;

/// Most resources in one `subscriptions/listen`.
const MAX_LISTENED: usize = 256;

/// What toolcrib is to its clients.
#[derive(Debug)]
pub struct AllServers {
    broker: Arc<Broker>,
    faces: Faces,
    /// Whether any server takes subscriptions to its resources.
    subscribes: bool,
}

impl AllServers {
    /// The endpoint of a broker. `surface` is what its clients see at start.
    #[must_use]
    pub fn new(broker: Arc<Broker>, surface: &Surface) -> Self {
        let faces = Faces::new(surface, broker.library().settings());
        let catalog = broker.library().catalog();
        let takes = |capabilities: &JsonObject| capabilities.get("resources")?.get("subscribe")?.as_bool();
        let subscribes = catalog.servers.values().any(|server| takes(&server.capabilities) == Some(true));
        Self { broker, faces, subscribes }
    }

    /// What the client of this request sees at start.
    fn face(&self, exchange: &Exchange) -> &Face {
        self.faces.of(exchange.client_name())
    }

    fn capabilities(&self, client: Option<&str>) -> JsonObject {
        let mut capabilities = JsonObject::new();
        let (prompts, resources) = (self.faces.offers_prompts(), self.faces.offers_resources(client));
        capabilities.insert("logging".into(), json!({}));
        if prompts || resources {
            capabilities.insert("completions".into(), json!({}));
        }
        if prompts {
            capabilities.insert("prompts".into(), json!({}));
        }
        if resources {
            let how = if self.subscribes { json!({"subscribe": true}) } else { json!({}) };
            capabilities.insert("resources".into(), how);
        }
        capabilities.insert("tools".into(), json!({"listChanged": true}));
        capabilities
    }

    fn call(request: &Request) -> Result<What, RpcError> {
        let name = request.params.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| RpcError::new(RpcError::INVALID_PARAMS, "tools/call needs `name`"))?;
        // What is no object, such as a JSON string: the request reader decides what was meant.
        Ok(What::Tool { name: name.to_owned(), arguments: request.params.get("arguments").cloned() })
    }
}

#[async_trait]
impl Endpoint for AllServers {
    async fn hello(&self, exchange: &Exchange) -> Result<Hello, RpcError> {
        let info = json!({"name": "toolcrib", "version": env!("CARGO_PKG_VERSION")});
        Ok(Hello {
            capabilities: self.capabilities(exchange.client_name()),
            server_info: info.as_object().cloned().unwrap_or_default(),
            instructions: Some(self.face(exchange).instructions.clone()),
            ttl_ms: LIST_TTL_MS,
        })
    }

    async fn request(&self, request: &Request, exchange: &Exchange) -> Result<JsonObject, RpcError> {
        let resources = self.faces.offers_resources(exchange.client_name());
        let text = |key: &str| {
            let named = request.params.get(key).and_then(Value::as_str).map(str::to_owned);
            named.ok_or_else(|| RpcError::new(RpcError::INVALID_PARAMS, format!("{} needs `{key}`", request.method)))
        };
        let what = match request.method.as_str() {
            "tools/list" => return Ok(list("tools", self.face(exchange).tools.clone(), exchange)),
            "prompts/list" => {
                let prompts = if self.faces.offers_prompts() { self.broker.prompts() } else { Vec::new() };
                return Ok(list("prompts", prompts, exchange));
            }
            "resources/list" => {
                let listed = if resources { self.broker.resources() } else { Vec::new() };
                return Ok(list("resources", listed, exchange));
            }
            "resources/templates/list" => {
                let listed = if resources { self.broker.resource_templates() } else { Vec::new() };
                return Ok(list("resourceTemplates", listed, exchange));
            }
            "tools/call" => Self::call(request)?,
            "prompts/get" => {
                let arguments = request.params.get("arguments").and_then(Value::as_object).cloned();
                What::Offer(Asked::Prompt { name: text("name")?, arguments })
            }
            "resources/read" => What::Offer(Asked::Resource { uri: text("uri")? }),
            "completion/complete" => What::Offer(Asked::Completion { params: without_hop(&request.params) }),
            "resources/subscribe" => {
                let uri = text("uri")?;
                let target = self.target(&uri, resources)?;
                return self.broker.subscribe(&uri, target, exchange).await;
            }
            "resources/unsubscribe" => return Ok(Broker::unsubscribe(&text("uri")?, exchange)),
            method => return Err(unknown_method(method)),
        };
        self.broker.serve(Incoming::of(what, request)?, exchange).await
    }

    async fn listen(&self, wishes: JsonObject, exchange: &Exchange) -> Result<(), RpcError> {
        let wanted = Wanted::of_filter(&wishes);
        let offers = self.faces.offers_resources(exchange.client_name());
        let targets = wanted.uris.iter().take(MAX_LISTENED).filter_map(|uri| self.target(uri, offers).ok());
        // One watch for all resources of a server.
        let mut waking: Vec<Target> = Vec::new();
        for target in targets {
            match waking.iter_mut().find(|known| known.spec.name == target.spec.name) {
                Some(known) => known.wanted.uris.extend(target.wanted.uris),
                None => waking.push(target),
            }
        }
        // Our lists change only with a restart: a subscription to them waits quietly for its end.
        let lists = Wanted { tools: wanted.tools, ..Wanted::default() };
        self.broker.listen_to(waking, None, lists.to_filter(), exchange).await;
        Ok(())
    }

    fn input_schema(&self, tool: &str) -> Option<JsonObject> {
        self.broker.pins().named(tool)?.definition.get("inputSchema")?.as_object().cloned()
    }
}

impl AllServers {
    /// The server of a resource, and the resource to be watched there.
    fn target(&self, uri: &str, offers: bool) -> Result<Target, RpcError> {
        let found = offers.then(|| self.broker.resource(uri)).flatten();
        let (spec, own) = found
            .ok_or_else(|| RpcError::new(RpcError::INVALID_PARAMS, format!("there is no resource `{uri}` here")))?;
        let wanted = Wanted { uris: vec![own.to_owned()], ..Wanted::default() };
        Ok(Target { spec: spec.clone(), wanted, is_renamed: true })
    }
}

/// The parameters of a request without what belongs to one hop.
pub(super) fn without_hop(params: &JsonObject) -> JsonObject {
    let mut params = params.clone();
    for key in ["_meta", "inputResponses", "requestState"] {
        params.shift_remove(key);
    }
    params
}

fn list(key: &str, items: Vec<Value>, exchange: &Exchange) -> JsonObject {
    let mut list = JsonObject::new();
    list.insert(key.into(), items.into());
    if era::is_modern(exchange) {
        list.insert("ttlMs".into(), LIST_TTL_MS.into());
        list.insert("cacheScope".into(), "private".into());
    }
    list
}
