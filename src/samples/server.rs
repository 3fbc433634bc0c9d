//! A sample server as rmcp's server sees it: lists its definition, checks arguments, lets its script answer. Both protocol
//! eras come with rmcp; nothing here knows which one the client speaks.

use std::{
    borrow::Cow,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::Value;
use tokio::time;

use super::{
    SampleError,
    args::Args,
    fixture::{Fixture, JsonObject, SampleTool},
    script::{Answer, Refusal, Reply, Script, Staged},
};

/// Most problems named in one reply about bad arguments; more would only bury the first.
const MAX_PROBLEMS: usize = 5;

/// Longest wait for a client to take a progress notification. Once its input has ended, rmcp sends answers only and leaves
/// whoever sends a notification waiting, so without a limit the answer would never come.
const PROGRESS_WAIT: Duration = Duration::from_millis(200);

/// One sample server with its state.
pub(super) struct SampleServer {
    info: ServerConfig,
    listed: Vec<Tool>,
    tools: Vec<CheckedTool>,
    script: Mutex<Box<dyn Script>>,
}

struct CheckedTool {
    name: String,
    arguments: Validator,
    is_structured: bool,
}

impl SampleServer {
    /// Compiles every schema, so that a broken definition fails here and not in a call.
    pub(super) fn new(name: &'static str, fixture: Fixture, script: Box<dyn Script>) -> Result<Self, SampleError> {
        let implementation =
            Implementation::new(name, fixture.version).with_title(fixture.title).with_description(fixture.description);
        let mut info =
            ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(implementation);
        info.instructions = fixture.instructions;
        let tools = fixture.tools.iter().map(|tool| CheckedTool::new(name, tool)).collect::<Result<_, _>>()?;
        let listed = fixture
            .tools
            .into_iter()
            .map(|tool| serde_json::from_value(Value::Object(tool.definition)))
            .collect::<serde_json::Result<_>>()
            .map_err(|source| SampleError::Fixture { name, source })?;
        Ok(Self { info, listed, tools, script: Mutex::new(script) })
    }

    fn script(&self) -> MutexGuard<'_, Box<dyn Script>> {
        // A script that panicked has at worst half a change in its own toy data: still good enough to go on.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes through the stages of a call, telling the client where it listens, until the end or until the client cancels.
    async fn work(&self, staged: &Staged, context: &RequestContext<RoleServer>) -> Answer {
        let mut listener = context.meta.get_progress_token();
        for (done, stage) in staged.stages.iter().enumerate() {
            tokio::select! {
                biased;
                () = context.ct.cancelled() => return self.script().finish(staged.ticket, done),
                () = time::sleep(staged.pace) => {}
            }
            if let Some(token) = listener.take() {
                let progress = ProgressNotificationParam::new(token.clone(), (done + 1) as f64)
                    .with_total(staged.stages.len() as f64)
                    .with_message(stage);
                let sent = time::timeout(PROGRESS_WAIT, context.peer.notify_progress(progress)).await;
                // Who did not take one stage is not told of the next.
                listener = matches!(sent, Ok(Ok(()))).then_some(token);
            }
        }
        self.script().finish(staged.ticket, staged.stages.len())
    }
}

impl ServerHandler for SampleServer {
    fn get_info(&self) -> ServerConfig {
        self.info.clone()
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.listed.clone()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = self.tools.iter().find(|tool| tool.name == request.name) else {
            return Err(ErrorData::invalid_params(format!("unknown tool: {}", request.name), None::<Value>));
        };
        let arguments = request.arguments.unwrap_or_default();
        let answer = match tool.check(arguments) {
            // The lock is released before any stage is waited for.
            Ok(arguments) => self.script().call(&tool.name, Args::new(&arguments)),
            Err(refusal) => Err(refusal),
        };
        let answer = match answer {
            Ok(Reply::Staged(staged)) => self.work(&staged, &context).await,
            other => other,
        };
        Ok(tool.result(answer).into())
    }
}

impl CheckedTool {
    fn new(server: &'static str, tool: &SampleTool) -> Result<Self, SampleError> {
        let arguments = jsonschema::validator_for(tool.input_schema()).map_err(|source| SampleError::Schema {
            name: server,
            tool: tool.name.clone(),
            source: Box::new(source),
        })?;
        Ok(Self { name: tool.name.clone(), arguments, is_structured: tool.is_structured() })
    }

    /// Hands the arguments back when they fit the schema, else says at which JSON pointers they do not.
    fn check(&self, arguments: JsonObject) -> Result<JsonObject, Refusal> {
        let value = Value::Object(arguments);
        let problems: Vec<String> =
            self.arguments.iter_errors(&value).take(MAX_PROBLEMS).map(|problem| describe(&problem)).collect();
        match value {
            Value::Object(arguments) if problems.is_empty() => Ok(arguments),
            _ => Err(Refusal(format!("Invalid arguments for `{}`:\n{}", self.name, problems.join("\n")))),
        }
    }

    fn result(&self, answer: Answer) -> CallToolResult {
        let text = |text: Cow<'_, str>| vec![ContentBlock::text(text.into_owned())];
        match answer {
            Ok(Reply::Text(reply)) => CallToolResult::success(text(reply.into())),
            Ok(Reply::Json(value)) if self.is_structured => CallToolResult::structured(value),
            // Indented, as most servers send it; a broker can show what minifying saves.
            Ok(Reply::Json(value)) => CallToolResult::success(text(format!("{value:#}").into())),
            Ok(Reply::Staged(_)) => CallToolResult::error(text("the work did not end".into())),
            Err(Refusal(reason)) => CallToolResult::error(text(reason.into())),
        }
    }
}

/// One line for one problem: where, and what is wrong there.
fn describe(problem: &ValidationError<'_>) -> String {
    let what = match problem.kind() {
        // The library's own text names two values of a longer list and counts the rest.
        ValidationErrorKind::Enum { options } => format!("{} is not one of {options}", problem.instance()),
        _ => problem.to_string(),
    };
    match problem.instance_path().as_str() {
        "" => format!("- {what}"),
        path => format!("- {path}: {what}"),
    }
}
