//! The broker as an MCP server: rmcp's handler for the lifecycle of both eras, and raw results on the way out.
//!
//! rmcp's typed `CallToolResult` would drop what it does not know. [`Front`] lets rmcp check the request and then puts the
//! result in as it came.
#![expect(deprecated, reason = "logging is of 2025-11-25 and before, whose clients are served too")]

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, Service,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ClientRequest, CustomRequest,
        CustomResult, DiscoverResult, ErrorCode, Implementation, InitializeRequestParams, InitializeResult,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, ServerResult, SetLevelRequestParams,
        SubscriptionFilter,
    },
    service::{NotificationContext, RequestContext, ServiceRole, SubscriptionContext},
};
use serde_json::Value;

use super::{
    Broker, Surface,
    audience::{Face, Faces},
    era, relay,
};
use crate::catalog::JsonObject;

/// How long a client may keep the tool list, in milliseconds. It changes only with a restart; an hour bounds the harm of
/// a client that never asks again.
const LIST_TTL_MS: u64 = 3_600_000;

/// Serves one client. Cheap to make: everything large is shared.
#[derive(Debug, Clone)]
pub struct Front {
    handler: Handler,
}

#[derive(Debug, Clone)]
struct Handler {
    broker: Arc<Broker>,
    faces: Arc<Faces>,
    level: Arc<relay::LogLevel>,
}

/// Where a handler leaves the raw result of a call for [`Front`] to send.
#[derive(Debug, Clone, Default)]
struct RawResult(Arc<Mutex<Option<JsonObject>>>);

impl Front {
    /// A front for one client. `surface` is what the client sees at start.
    ///
    /// # Errors
    /// Where the surface's tools are no MCP tools; a mistake of ours that a test finds.
    pub fn new(broker: Arc<Broker>, surface: &Surface) -> Result<Self, serde_json::Error> {
        let faces = Faces::new(surface, broker.library().settings().context.summaries)?;
        Ok(Self { handler: Handler { broker, faces: Arc::new(faces), level: Arc::default() } })
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
            None => typed,
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

    fn config(instructions: &str) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_logging().enable_tools().enable_tool_list_changed().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("toolcrib", env!("CARGO_PKG_VERSION")))
            .with_instructions(instructions)
    }

    /// Runs a meta-tool and leaves its result for the front. A client that cancels drops this future, which cancels the
    /// backend's call.
    async fn run(&self, name: &str, arguments: Option<Value>, context: &RequestContext<RoleServer>) {
        let (relay, forwarder) = relay::open(context, &self.level);
        let call = self.broker.meta_call(name, arguments, era::passed_on(context), Arc::new(relay));
        let answered = async { tokio::join!(call, forwarder.run()).0 };
        tokio::select! {
            result = answered => {
                if let Some(slot) = context.extensions.get::<RawResult>() {
                    *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            }
            // rmcp sends no answer to a cancelled request; what is returned here is dropped.
            () = context.ct.cancelled() => {}
        }
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        Self::config(&self.faces.of(None).instructions)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let mut result = self.negotiate_initialize(&request)?;
        result.instructions = Some(self.faces.of(Some(&request.client_info)).instructions.clone());
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = ServerHandler::supported_protocol_versions(self).into_owned();
        let mut result = DiscoverResult::from_server_info(versions, Self::config(&self.face(&context).instructions));
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
        self.run(&request.name, request.arguments.map(Value::Object), &context).await;
        Ok(CallToolResponse::Complete(CallToolResult::success(Vec::new())))
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
                let arguments = params.and_then(|params| params.get("arguments")).cloned();
                self.run(name, arguments, &context).await;
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
