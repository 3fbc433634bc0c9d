//! `call_tool`, top to bottom: resolve the name → policy decides → check the arguments → lease → call → fit the result →
//! note the use → reply. Nothing before the lease touches a backend.

use std::{sync::Arc, time::SystemTime};

use serde_json::Value;

use tracing::{Span, field::Empty, instrument, warn};

use super::{Broker, CallRequest, reply};
use crate::{
    backends::{self, BackendError, Caller},
    catalog::{JsonObject, Resolution, ToolEntry},
    config::ServerSpec,
    economy::{self, Copies, Limits},
    policy,
};

/// Largest arguments sent to a backend, in bytes of JSON.
const MAX_ARGUMENT_BYTES: usize = 1024 * 1024;

impl Broker {
    /// Calls a tool. Every failure is a result that says what to do next.
    ///
    /// Dropping the future cancels the backend's call.
    #[instrument(name = "tool.call", skip_all, fields(server.name = Empty, tool.name = Empty, outcome = Empty))]
    pub(super) async fn call(&self, request: CallRequest, meta: JsonObject, caller: Arc<dyn Caller>) -> JsonObject {
        let catalog = self.library.catalog();
        let resolution = catalog.resolve(&request.tool);
        let tool = match &resolution {
            Resolution::One(id) => catalog.tool(id),
            Resolution::Many(_) | Resolution::None { .. } => None,
        };
        let Some(tool) = tool else {
            return reply::error(&reply::not_one_tool(&request.tool, &resolution, &catalog));
        };
        let span = Span::current();
        span.record("server.name", tool.id.server.as_str()).record("tool.name", tool.id.tool.as_str());
        let spec = match policy::may_call(self.library.settings(), &tool.id) {
            Ok(spec) => spec,
            Err(refusal) => return reply::error(&refusal.to_string()),
        };
        let arguments = with_those_beside(tool, request.arguments, request.beside);
        let problems = self.checker.problems(tool, &arguments);
        if !problems.is_empty() {
            return reply::error(&reply::bad_arguments(tool, request.pinned_as.as_deref(), &problems));
        }
        let outcome = self.call_backend(spec, tool, arguments, meta, caller).await;
        span.record("outcome", if outcome.is_ok() { "answered" } else { "failed" });
        let reply = match &outcome {
            Ok(result) => fitted(result, request.select.as_deref(), request.max_tokens, spec),
            Err(failure) => reply::error(&reply::backend(&tool.id, failure)),
        };
        self.record(tool, &outcome, &reply);
        reply
    }

    /// Counts the call, sizes and never what was asked or answered, and learns from it.
    fn record(&self, tool: &ToolEntry, outcome: &Result<JsonObject, BackendError>, reply: &JsonObject) {
        let refused = |result: &JsonObject| result.get("isError").and_then(Value::as_bool).unwrap_or(false);
        let succeeded = outcome.as_ref().is_ok_and(|result| !refused(result));
        if succeeded && self.library.settings().search.learn {
            self.learning.called(&tool.id, self.library.registry());
        }
        self.counting.called(&tool.id, succeeded, outcome.as_ref().ok(), reply, self.library.registry());
    }

    async fn call_backend(
        &self,
        spec: &ServerSpec,
        tool: &ToolEntry,
        arguments: JsonObject,
        meta: JsonObject,
        caller: Arc<dyn Caller>,
    ) -> Result<JsonObject, BackendError> {
        if serde_json::to_vec(&arguments).map_or(0, |bytes| bytes.len()) > MAX_ARGUMENT_BYTES {
            return Err(BackendError::Unsupported { server: spec.name.clone(), what: "arguments over 1 MiB" });
        }
        let request =
            backends::CallRequest { tool: tool.id.tool.clone(), arguments, meta, idle_timeout: spec.call_timeout };
        let outcome = async {
            let lease = self.pool.lease(spec).await?;
            let outcome = lease.session().call(request, caller).await;
            self.pool.note(&spec.name, outcome.as_ref().map(drop));
            outcome
        }
        .await;
        let noted = match &outcome {
            Err(failure) if failure.counts_against_health() => {
                self.library.failed(&spec.name, failure, SystemTime::now()).await
            }
            Ok(_) => self.library.recovered(&spec.name, SystemTime::now()).await,
            Err(_) => Ok(()),
        };
        if let Err(error) = noted {
            warn!(server.name = %spec.name, error = %error, "the server's health could not be noted");
        }
        outcome
    }
}

/// What of a result goes out: the selected part, in the budget.
fn fitted(result: &JsonObject, select: Option<&str>, max_tokens: Option<usize>, spec: &ServerSpec) -> JsonObject {
    let failed = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
    let limits = Limits {
        tokens: max_tokens.unwrap_or(usize::MAX).min(spec.result_tokens),
        copies: Copies::KeepText,
        read_on: "Ask for less: narrower arguments, or `select` (JSONPath) where the result is JSON.",
    };
    let Some(path) = select.filter(|_| !failed) else { return economy::fit(result, &limits).result };
    match economy::select_from_result(result, path) {
        Ok(selected) => economy::fit(&selected, &limits).result,
        // The call was carried out: its result must not be lost to a mistake in the path.
        Err(error) => {
            let mut whole = economy::fit(result, &limits).result;
            reply::append(&mut whole, &format!("(`select` was not applied: {error}; {})", error.hint()));
            whole
        }
    }
}

/// Adds arguments that a model put beside `arguments`, where the tool has such and they are not given twice.
fn with_those_beside(tool: &ToolEntry, mut arguments: JsonObject, beside: JsonObject) -> JsonObject {
    let schema = tool.input_schema();
    for (name, value) in beside {
        let known = schema.get("properties").and_then(|properties| properties.get(&name)).is_some();
        if known && !arguments.contains_key(&name) {
            arguments.insert(name, value);
        }
    }
    arguments
}
