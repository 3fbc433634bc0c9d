//! The broker as an MCP server: rmcp's handler for the lifecycle of both eras, and raw results on the way out.
//!
//! rmcp's typed `CallToolResult` would drop what it does not know. [`Front`] lets rmcp check the request and then puts the
//! result in as it came.
#![expect(deprecated, reason = "logging is of 2025-11-25 and before, whose clients are served too")]

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, Service,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ClientRequest, CompleteRequestParams,
        CompleteResult, CustomRequest, CustomResult, DiscoverResult, ErrorCode, GetPromptRequestParams,
        GetPromptResponse, GetPromptResult, Implementation, InitializeRequestParams, InitializeResult,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        PromptsCapability, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourcesCapability,
        ServerCapabilities, ServerConfig, ServerResult, SetLevelRequestParams, SubscriptionFilter,
    },
    service::{NotificationContext, RequestContext, ServiceRole, SubscriptionContext},
};
use serde_json::Value;

use super::{
    Broker, Conversation, Surface,
    audience::{Face, Faces},
    era,
    offers::Asked,
    relay,
    serving::{Incoming, What},
};
use crate::catalog::JsonObject;

/// How long a client may keep the tool list, in milliseconds. It changes only with a restart; an hour bounds the harm of
/// a client that never asks again.
const LIST_TTL_MS: u64 = 3_600_000;

/// Serves one client. Cheap to make: everything large is shared.
#[derive(Debug, Clone)]
pub struct Front {
    handler: Handler,
    /// Pinned tools, which rmcp's types would not carry whole.
    pins: Arc<[Value]>,
}

#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) broker: Arc<Broker>,
    faces: Arc<Faces>,
    pub(super) level: Arc<relay::LogLevel>,
    pub(super) conversation: Arc<Conversation>,
}

/// Where a handler leaves the raw result of a call for [`Front`] to send.
#[derive(Debug, Clone, Default)]
pub(super) struct RawResult(pub(super) Arc<Mutex<Option<JsonObject>>>);

impl Front {
    /// A front for one client and its conversation. `surface` is what the client sees at start.
    ///
    /// # Errors
    /// Where the surface's tools are no MCP tools; a mistake of ours that a test finds.
    pub fn new(
        broker: Arc<Broker>,
        surface: &Surface,
        conversation: Arc<Conversation>,
    ) -> Result<Self, serde_json::Error> {
        let faces = Faces::new(surface, broker.library().settings())?;
        let handler = Handler { broker, faces: Arc::new(faces), level: Arc::default(), conversation };
        Ok(Self { handler, pins: surface.pins.as_slice().into() })
    }

    /// A list of tools with the pinned ones behind the three; any other result as it is.
    fn with_pins(&self, typed: ServerResult) -> ServerResult {
        let ServerResult::ListToolsResult(list) = &typed else { return typed };
        if self.pins.is_empty() {
            return typed;
        }
        let Ok(mut listed) = serde_json::to_value(list) else { return typed };
        let Some(tools) = listed.get_mut("tools").and_then(Value::as_array_mut) else { return typed };
        tools.extend(self.pins.iter().cloned());
        ServerResult::CustomResult(CustomResult(listed))
    }
}

impl Service<RoleServer> for Front {
    async fn handle_request(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let modern = era::is_modern(&context);
        let raw = RawResult::default();
        context.extensions.insert(raw.clone());
        let typed = Service::handle_request(&self.handler, request, context).await?;
        let taken = raw.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(match taken {
            Some(result) => ServerResult::CustomResult(CustomResult(Value::Object(era::shaped(result, modern)))),
            None => self.with_pins(typed),
        })
    }

    async fn handle_notification(
        &self,
        notification: <RoleServer as ServiceRole>::PeerNot,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Service::handle_notification(&self.handler, notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        ServerHandler::get_info(&self.handler)
    }
}

impl Handler {
    /// What the client of this request sees at start.
    fn face(&self, context: &RequestContext<RoleServer>) -> &Face {
        self.faces.of(context.client_info().as_ref())
    }

    /// What this client is told of us.
    fn config(&self, client: Option<&Implementation>) -> ServerConfig {
        let mut capabilities =
            ServerCapabilities::builder().enable_logging().enable_tools().enable_tool_list_changed().build();
        let (prompts, resources) = (self.faces.offers_prompts(), self.faces.offers_resources(client));
        capabilities.prompts = prompts.then(PromptsCapability::default);
        capabilities.resources = resources.then(ResourcesCapability::default);
        capabilities.completions = (prompts || resources).then(JsonObject::new);
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("toolcrib", env!("CARGO_PKG_VERSION")))
            .with_instructions(&self.faces.of(client).instructions)
    }

    /// Leaves a list for the front to send as it is.
    fn listed(context: &RequestContext<RoleServer>, key: &str, items: Vec<Value>) {
        let mut list = JsonObject::new();
        list.insert(key.into(), items.into());
        if era::is_modern(context) {
            list.insert("ttlMs".into(), LIST_TTL_MS.into());
            list.insert("cacheScope".into(), "private".into());
        }
        if let Some(slot) = context.extensions.get::<RawResult>() {
            *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(list);
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.config(None)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        let seen = self.config(Some(&request.client_info));
        (result.instructions, result.capabilities) = (seen.instructions, seen.capabilities);
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = ServerHandler::supported_protocol_versions(self).into_owned();
        let mut result = DiscoverResult::from_server_info(versions, self.config(context.client_info().as_ref()));
        result.ttl_ms = LIST_TTL_MS;
        Ok(result)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.face(&context).tools.clone();
        Ok(ListToolsResult::with_all_items(tools).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let what = What::Tool { name: request.name.into_owned(), arguments: request.arguments.map(Value::Object) };
        let incoming = Incoming {
            what,
            responses: request.input_responses.into_iter().flatten().collect(),
            state: request.request_state,
        };
        self.run(incoming, &context).await?;
        Ok(CallToolResponse::Complete(CallToolResult::success(Vec::new())))
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompts = if self.faces.offers_prompts() { self.broker.prompts() } else { Vec::new() };
        Self::listed(&context, "prompts", prompts);
        Ok(ListPromptsResult::default())
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let offers = self.faces.offers_resources(context.client_info().as_ref());
        Self::listed(&context, "resources", if offers { self.broker.resources() } else { Vec::new() });
        Ok(ListResourcesResult::default())
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let offers = self.faces.offers_resources(context.client_info().as_ref());
        let templates = if offers { self.broker.resource_templates() } else { Vec::new() };
        Self::listed(&context, "resourceTemplates", templates);
        Ok(ListResourceTemplatesResult::default())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let incoming = Incoming {
            what: What::Offer(Asked::Prompt { name: request.name, arguments: request.arguments }),
            responses: request.input_responses.into_iter().flatten().collect(),
            state: request.request_state,
        };
        self.run(incoming, &context).await?;
        Ok(GetPromptResponse::Complete(GetPromptResult::new(Vec::new())))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let incoming = Incoming {
            what: What::Offer(Asked::Resource { uri: request.uri }),
            responses: request.input_responses.into_iter().flatten().collect(),
            state: request.request_state,
        };
        self.run(incoming, &context).await?;
        Ok(ReadResourceResponse::Complete(ReadResourceResult::new(Vec::new())))
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let params = serde_json::to_value(request).ok().and_then(|params| params.as_object().cloned());
        let what = What::Offer(Asked::Completion { params: params.unwrap_or_default() });
        self.run(Incoming { what, responses: JsonObject::new(), state: None }, &context).await?;
        Ok(CompleteResult::default())
    }

    /// A known method whose parameters rmcp cannot decode arrives here as well.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let params = request.params.as_ref().and_then(Value::as_object);
        let name = params.and_then(|params| params.get("name")).and_then(Value::as_str);
        match (request.method.as_str(), name) {
            // `arguments` that are no object, such as a JSON string: the request reader decides what was meant.
            ("tools/call", Some(name)) => {
                let part = |key: &str| params.and_then(|params| params.get(key)).cloned();
                let incoming = Incoming {
                    what: What::Tool { name: name.to_owned(), arguments: part("arguments") },
                    responses: part("inputResponses").and_then(|given| given.as_object().cloned()).unwrap_or_default(),
                    state: part("requestState").and_then(|state| state.as_str().map(str::to_owned)),
                };
                self.run(incoming, &context).await?;
                Ok(CustomResult(Value::Null))
            }
            ("tools/call", None) => Err(ErrorData::invalid_params("tools/call needs `name`", None)),
            (
                "initialize"
                | "server/discover"
                | "tools/list"
                | "ping"
                | "logging/setLevel"
                | "subscriptions/listen"
                | "prompts/list"
                | "prompts/get"
                | "resources/list"
                | "resources/templates/list"
                | "resources/read"
                | "completion/complete",
                _,
            ) => Err(ErrorData::invalid_params(format!("the parameters of {} are malformed", request.method), None)),
            (method, _) => Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, format!("unknown method {method}"), None)),
        }
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if let Ok(Value::String(level)) = serde_json::to_value(request.level) {
            self.level.set(&level);
        }
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    /// Our list changes only with a restart, so a subscription waits quietly for its end.
    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        context.cancelled().await;
        Ok(())
    }
}
