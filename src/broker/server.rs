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
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    Broker, Conversation, Hop, Surface,
    audience::{Face, Faces},
    era,
    parking::{self, Resumed, Running},
    relay::{self, Forwarder, Relay},
    reply,
};
use crate::{backends::Answers, catalog::JsonObject};

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
struct Handler {
    broker: Arc<Broker>,
    faces: Arc<Faces>,
    level: Arc<relay::LogLevel>,
    conversation: Arc<Conversation>,
}

/// Where a handler leaves the raw result of a call for [`Front`] to send.
#[derive(Debug, Clone, Default)]
struct RawResult(Arc<Mutex<Option<JsonObject>>>);

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
        let faces = Faces::new(surface, broker.library().settings().context.summaries)?;
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

/// A call of a meta-tool as it came.
struct Incoming<'r> {
    name: &'r str,
    arguments: Option<Value>,
    /// Answers to questions of before, and the state that came with them.
    responses: JsonObject,
    state: Option<String>,
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
    async fn run(&self, incoming: Incoming<'_>, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let result = tokio::select! {
            result = self.answer(incoming, context) => result?,
            // rmcp sends no answer to a cancelled request; what is returned here is dropped.
            () = context.ct.cancelled() => return Ok(()),
        };
        if let Some(slot) = context.extensions.get::<RawResult>() {
            *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
        Ok(())
    }

    async fn answer(
        &self,
        incoming: Incoming<'_>,
        context: &RequestContext<RoleServer>,
    ) -> Result<JsonObject, ErrorData> {
        let Incoming { name, arguments, responses, state } = incoming;
        let bound_to = parking::binding(self.conversation.principal(), name, arguments.as_ref());
        let parking = self.broker.parking();
        let resumed = match state {
            None => None,
            Some(state) => {
                let resumed = parking.resume(&state, responses, &bound_to);
                Some(resumed.map_err(|bad| ErrorData::invalid_params(bad.to_string(), None))?)
            }
        };
        let (running, forwarder) = match resumed {
            Some(Resumed::Running(running)) => {
                let forwarder = running.relay.move_to(context, &self.level);
                (running, forwarder)
            }
            Some(Resumed::Backend(answers)) => self.begin(name, arguments, Some(answers), context),
            None => self.begin(name, arguments, None, context),
        };
        Ok(self.follow(running, forwarder, &bound_to).await)
    }

    /// Starts a call of its own: it goes on while the client is asked.
    fn begin(
        &self,
        name: &str,
        arguments: Option<Value>,
        answers: Option<Answers>,
        context: &RequestContext<RoleServer>,
    ) -> (Running, Forwarder) {
        let (relay, forwarder, questions) = relay::open(context, &self.level, self.conversation.number());
        let relay = Arc::new(relay);
        // A client that is asked inline leaves no questions behind; its channel is closed from the start.
        let questions = questions.unwrap_or_else(|| mpsc::channel(1).1);
        let hop = Hop { meta: era::passed_on(context), caller: Arc::<Relay>::clone(&relay), answers };
        let (broker, conversation, name) = (Arc::clone(&self.broker), Arc::clone(&self.conversation), name.to_owned());
        let call = async move { broker.meta_call(&name, arguments, hop, &conversation).await };
        let result = AbortOnDropHandle::new(tokio::spawn(call.in_current_span()));
        (Running { result, questions, relay }, forwarder)
    }

    /// Waits for the result, or for a question that only the client's next request can answer.
    async fn follow(&self, mut running: Running, forwarder: Forwarder, bound_to: &[u8]) -> JsonObject {
        let forwarding = forwarder.run();
        tokio::pin!(forwarding);
        let (mut asks, mut forwards) = (true, true);
        let asked = loop {
            tokio::select! {
                () = &mut forwarding, if forwards => forwards = false,
                question = running.questions.recv(), if asks => match question {
                    Some(question) => break question,
                    None => asks = false,
                },
                result = &mut running.result => {
                    // The last holder of the way back; what is queued goes out before the result.
                    drop(running);
                    if forwards {
                        forwarding.await;
                    }
                    let result = result.unwrap_or_else(|_| reply::error("the call ended unexpectedly; try it again"));
                    return if era::wants_input(&result) { self.broker.parking().sealed(result, bound_to) } else { result };
                }
            }
        };
        let mut questions = vec![asked];
        while let Ok(more) = running.questions.try_recv() {
            questions.push(more);
        }
        running.relay.pause();
        if forwards {
            forwarding.await;
        }
        let parked = self.broker.parking().park(running, questions, bound_to);
        parked.unwrap_or_else(|| reply::error("too many calls wait for their users already; try again later"))
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
        let incoming = Incoming {
            name: &request.name,
            arguments: request.arguments.map(Value::Object),
            responses: request.input_responses.into_iter().flatten().collect(),
            state: request.request_state,
        };
        self.run(incoming, &context).await?;
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
                let part = |key: &str| params.and_then(|params| params.get(key)).cloned();
                let incoming = Incoming {
                    name,
                    arguments: part("arguments"),
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
