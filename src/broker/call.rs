//! `call_tool`, top to bottom: resolve the name → policy decides → check the arguments → lease → call → fit the result →
//! note the use → reply. Nothing before the lease touches a backend.

use std::time::Duration;

use serde_json::Value;

use tracing::{Span, field::Empty, instrument, warn};

use super::{Broker, CallRequest, Conversation, Hop, conversation::Step, era, reply, validate::ArgumentProblem};
use crate::{
    backends::Request,
    catalog::{JsonObject, Resolution, ToolEntry},
    economy::{self, Copies, Fitted, Limits, SelectError, Whole},
    ids::ToolId,
    policy,
    registry::KeptResult,
};

/// Longest time for selecting parts of a result. 32 MB take about a second.
const MAX_SELECTION: Duration = Duration::from_secs(10);

/// What of the result the model asked for.
struct Part {
    select: Option<String>,
    max_tokens: Option<usize>,
}

/// A result as it goes out, and the name under which the whole of it was kept.
struct Outgoing {
    result: JsonObject,
    kept: Option<String>,
}

impl Broker {
    /// Calls a tool. Every failure is a result that says what to do next.
    ///
    /// Dropping the future cancels the backend's call.
    #[instrument(name = "tool.call", skip_all, fields(server.name = Empty, tool.name = Empty, outcome = Empty))]
    pub(super) async fn call(&self, request: CallRequest, hop: Hop, conversation: &Conversation) -> JsonObject {
        let resolution = self.library.resolve(&request.tool);
        let tool = match &resolution {
            Resolution::One(id) => self.library.tool(id),
            Resolution::Many(_) | Resolution::None { .. } => None,
        };
        let Some(tool) = tool else {
            return reply::error(&reply::not_one_tool(&request.tool, &resolution, &self.library.catalog()));
        };
        let span = Span::current();
        span.record("server.name", tool.id.server.as_str()).record("tool.name", tool.id.tool.as_str());
        let CallRequest { arguments, beside, select, max_tokens, pinned_as, .. } = request;
        let arguments = with_those_beside(&tool, arguments, beside);
        let wanted = Part { select, max_tokens };
        if self.library.built_in_server() == Some(&tool.id.server) {
            return self.call_own(&tool, &arguments, &wanted, conversation).await;
        }
        let spec = match policy::may_call(self.library.settings(), &tool.id) {
            Ok(spec) => spec,
            Err(refusal) => return reply::error(&refusal.to_string()),
        };
        let arguments = match self.checked(&tool, arguments) {
            Ok(arguments) => arguments,
            Err(problems) => return reply::error(&reply::bad_arguments(&tool, pinned_as.as_deref(), &problems)),
        };
        let request = Request::call(&tool.id.tool, arguments, spec.call_timeout).of(&tool);
        let outcome = self.ask_backend(spec, request, hop).await;
        if let Some(questions) = outcome.as_ref().ok().filter(|result| era::wants_input(result)) {
            // Half of a call: nothing to count, to learn from or to cut yet.
            return questions.clone();
        }
        span.record("outcome", if outcome.is_ok() { "answered" } else { "failed" });
        let outgoing = match &outcome {
            Ok(result) => self.fitted(result, &wanted, spec.results.of(&tool.id.tool), &tool.id, conversation).await,
            Err(failure) => Outgoing { result: reply::error(&reply::backend(&tool.id, failure)), kept: None },
        };
        let succeeded = outcome.as_ref().is_ok_and(|result| !is_error(result));
        if succeeded && self.library.settings().search.learn {
            self.learning.called(&tool.id, conversation, self.library.registry());
        }
        self.record(&tool, succeeded, outcome.as_ref().ok(), outgoing, conversation)
    }

    /// The arguments as they can be sent. A `null` for an optional argument that does not take it means that there is none.
    fn checked(&self, tool: &ToolEntry, mut arguments: JsonObject) -> Result<JsonObject, Vec<ArgumentProblem>> {
        let problems = self.checker.problems(tool, &arguments);
        let required = tool.input_schema().get("required").and_then(Value::as_array);
        let is_needless = |name: &String, value: &Value| {
            let is_required = required.is_some_and(|required| required.iter().any(|needed| needed == name));
            let is_wrong = || problems.iter().any(|problem| problem.pointer.strip_prefix('/') == Some(name.as_str()));
            value.is_null() && !is_required && is_wrong()
        };
        let given = arguments.len();
        arguments.retain(|name, value| !is_needless(name, value));
        let problems = if arguments.len() == given { problems } else { self.checker.problems(tool, &arguments) };
        if problems.is_empty() { Ok(arguments) } else { Err(problems) }
    }

    /// Calls a tool of toolcrib's own server.
    async fn call_own(
        &self,
        tool: &ToolEntry,
        arguments: &JsonObject,
        wanted: &Part,
        conversation: &Conversation,
    ) -> JsonObject {
        let problems = self.checker.problems(tool, arguments);
        if !problems.is_empty() {
            return reply::error(&reply::bad_arguments(tool, None, &problems));
        }
        let general = self.library.settings().context.result_tokens;
        let budget = wanted.max_tokens.unwrap_or(usize::MAX).min(general);
        let mut result = self.call_built_in(tool, arguments, budget, conversation).await;
        if wanted.select.is_some() {
            reply::append(
                &mut result,
                "(`select` was not applied: this tool answers in text; crib/read_result has `path`)",
            );
        }
        let succeeded = !is_error(&result);
        self.record(tool, succeeded, None, Outgoing { result, kept: None }, conversation)
    }

    /// Counts the call, sizes and never what was asked or answered, and gives the result on. `sent` is what the backend answered.
    fn record(
        &self,
        tool: &ToolEntry,
        succeeded: bool,
        sent: Option<&JsonObject>,
        outgoing: Outgoing,
        conversation: &Conversation,
    ) -> JsonObject {
        let Outgoing { result, kept } = outgoing;
        self.counting.called(&tool.id, succeeded, sent, &result, conversation, self.library.registry());
        conversation.note(Step::Called { tool: tool.id.clone(), succeeded, kept });
        result
    }

    /// What of a result goes out: the selected part, in the budget. The whole of what is cut is kept. `budget` is the operator's;
    /// without one only what the model asked for is done.
    async fn fitted(
        &self,
        result: &JsonObject,
        wanted: &Part,
        budget: Option<usize>,
        tool: &ToolId,
        conversation: &Conversation,
    ) -> Outgoing {
        let limits = match (budget, wanted.max_tokens) {
            (Some(budget), Some(asked)) if asked < budget => Some(Limits::asked(asked, Copies::KeepText)),
            (Some(budget), _) => Some(Limits::standard(budget, Copies::KeepText)),
            (None, Some(asked)) => Some(Limits::asked(asked, Copies::KeepText)),
            (None, None) => None,
        };
        let (selected, unselected) = match wanted.select.as_deref().filter(|_| !is_error(result)) {
            None => (None, None),
            Some(path) => match selected(result.clone(), path.to_owned()).await {
                Ok(selected) => (Some(selected), None),
                // The call was carried out: its result must not be lost to a mistake in the path.
                Err(error) => (None, Some(format!("(`select` was not applied: {error}; {})", error.hint()))),
            },
        };
        let part = selected.as_ref().unwrap_or(result);
        let mut outgoing = match limits {
            None => Outgoing { result: part.clone(), kept: None },
            Some(limits) => {
                let Fitted { mut result, cut } = economy::fit(part, &limits);
                let mut kept = None;
                if let Some(mut cut) = cut {
                    kept = self.keep(std::mem::take(&mut cut.whole), tool, conversation).await;
                    economy::say_cut(&mut result, &cut, kept.as_deref());
                }
                Outgoing { result, kept }
            }
        };
        if let Some(note) = unselected {
            reply::append(&mut outgoing.result, &note);
        }
        outgoing
    }

    /// Keeps the whole of a result, and gives the name to read it by; none where the operator keeps nothing or it cannot be kept.
    async fn keep(&self, whole: Whole, tool: &ToolId, conversation: &Conversation) -> Option<String> {
        if !self.library.settings().crib.read_result {
            return None;
        }
        let result = KeptResult { tool: tool.to_string(), text: whole.text, structured: whole.structured };
        let kept = self.results.keep(conversation.principal(), result).await;
        kept.unwrap_or_else(|error| {
            warn!(error = %error, "a long result could not be kept");
            None
        })
    }
}

/// Selects on a thread that serves nobody else: the result may be large, and the path is the model's.
///
/// Dropping the future leaves the selection to end by itself; its work is bounded.
async fn selected(result: JsonObject, path: String) -> Result<JsonObject, SelectError> {
    let work = tokio::task::spawn_blocking(move || economy::select_from_result(&result, &path));
    match tokio::time::timeout(MAX_SELECTION, work).await {
        Ok(Ok(outcome)) => outcome,
        // Nothing in there panics; if it did, the whole result is still there.
        Ok(Err(_)) => Err(SelectError::NoJson),
        Err(_) => Err(SelectError::Slow { after: MAX_SELECTION }),
    }
}

fn is_error(result: &JsonObject) -> bool {
    result.get("isError").and_then(Value::as_bool).unwrap_or(false)
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
