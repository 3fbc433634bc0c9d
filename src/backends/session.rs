//! The seam between the broker and a backend: what differs between stdio, HTTP, SSE and a test is behind these traits.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use super::{BackendError, Bystander, Notices, Wanted, Watch};
use crate::{
    catalog::{Era, JsonObject, RawListing, ToolEntry},
    config::ServerSpec,
    ids::ToolName,
};

/// Opens sessions.
#[async_trait]
pub trait Connect: fmt::Debug + Send + Sync {
    /// Opens a conversation and finishes its handshake within `spec.start_timeout`.
    /// `remembered` is the era the backend spoke last time; a wrong memory costs a retry, never a failure.
    /// `client` is what the client at the far end can be asked, which a backend with a handshake is told here.
    ///
    /// Dropping the future ends a half-open conversation and its child.
    async fn connect(
        &self,
        spec: &ServerSpec,
        remembered: Option<Era>,
        client: &ClientCapabilities,
    ) -> Result<Arc<dyn Session>, BackendError>;
}

/// One live conversation with one MCP server.
#[async_trait]
pub trait Session: fmt::Debug + Send + Sync {
    /// What the backend said of itself when the conversation was opened, as received.
    fn greeting(&self) -> &Greeting;

    /// Era of this conversation.
    fn era(&self) -> Era {
        self.greeting().era
    }

    /// What the backend says of itself and every list it has, all pages, each list within `deadline`. A list it lacks is
    /// empty; a list it announces and then refuses is empty and noted. Only a failing `tools/list` fails the whole.
    async fn listing(&self, deadline: Duration) -> Result<RawListing, BackendError>;

    /// Makes a request for a client and gives the result object as it came over the wire.
    ///
    /// Dropping the future queues `notifications/cancelled` to the backend.
    async fn request(&self, request: Request, caller: Arc<dyn Caller>) -> Result<JsonObject, BackendError>;

    /// Tells `notices` of changes from now on, as far as the backend agrees. However many watch one resource, the backend is
    /// asked once.
    ///
    /// Dropping the future takes back what was asked.
    ///
    /// # Errors
    /// Where the backend refuses, and where more is watched than a session allows.
    async fn watch(&self, wanted: Wanted, notices: Arc<dyn Notices>) -> Result<Watch, BackendError>;

    /// Whether the conversation is over, so that the pool must open a new one.
    fn is_closed(&self) -> bool;

    /// The last lines of the child's standard error, oldest first; empty for HTTP.
    fn stderr_tail(&self) -> Vec<String>;

    /// Ends the conversation and reaps the child with all its descendants, if any. Idempotent; returns by `grace` at
    /// the latest.
    async fn close(&self, grace: Duration);
}

/// What a backend said of itself in its handshake, or in its answer to `server/discover`.
#[derive(Debug, Clone, PartialEq)]
pub struct Greeting {
    /// Era of the conversation.
    pub era: Era,
    /// The version that is spoken.
    pub protocol_version: String,
    /// `serverInfo`; empty where it gave none.
    pub server_info: JsonObject,
    /// `capabilities`.
    pub capabilities: JsonObject,
    /// `instructions`, if it gave any.
    pub instructions: Option<String>,
}

impl Greeting {
    /// Of a backend that says nothing of itself.
    #[must_use]
    pub fn silent(era: Era) -> Self {
        Self {
            era,
            protocol_version: String::new(),
            server_info: JsonObject::new(),
            capabilities: JsonObject::new(),
            instructions: None,
        }
    }
}

/// What a client can be asked while a call runs, as it declared it: `elicitation`, `sampling`, `roots`. What else a client can do
/// is between it and us.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientCapabilities(Arc<str>);

impl ClientCapabilities {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::from("{}"))
    }

    /// Everything. Some backends have tools only for clients that can be asked; whoever reads lists says so, to learn of all.
    #[must_use]
    pub fn everything() -> Self {
        Self(Arc::from(r#"{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}"#))
    }

    /// What of a client's `capabilities` a backend may use.
    #[must_use]
    pub fn of(capabilities: &JsonObject) -> Self {
        let mut kept = JsonObject::new();
        for name in ["elicitation", "sampling", "roots"] {
            if let Some(Value::Object(how)) = capabilities.get(name) {
                let mut how = how.clone();
                // That roots have changed is not passed on: a backend asks for them anew in each call.
                how.remove("listChanged");
                kept.insert(name.into(), Value::Object(how));
            }
        }
        Self(Value::Object(kept).to_string().into())
    }

    /// As the protocol writes them.
    #[must_use]
    pub fn to_object(&self) -> JsonObject {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Whether a request of this method can be put to the client.
    #[must_use]
    pub fn allow(&self, method: &str) -> bool {
        let name = match method {
            "elicitation/create" => "elicitation",
            "sampling/createMessage" => "sampling",
            "roots/list" => "roots",
            _ => return false,
        };
        self.to_object().contains_key(name)
    }
}

/// Whoever waits for a call: takes what the backend says while the call runs, and answers what it asks.
#[async_trait]
pub trait Caller: fmt::Debug + Send + Sync {
    /// `params` of a `notifications/progress`, its `progressToken` removed.
    fn progress(&self, _params: JsonObject) {}

    /// `params` of a `notifications/message`.
    fn log(&self, _params: JsonObject) {}

    /// Any other notification that the backend sent while the call ran, as sent, like `notifications/elicitation/complete`.
    fn told(&self, _method: &str, _params: JsonObject) {}

    /// Who hears what the backend logs between requests, for as long as that is there; nobody where the client wants nothing then.
    fn bystander(&self) -> Option<Weak<dyn Bystander>> {
        None
    }

    /// Whether progress is worth asking the backend for.
    fn wants_progress(&self) -> bool {
        false
    }

    /// The least severe log messages that the client wants, like `info`; none where it wants none.
    fn log_level(&self) -> Option<String> {
        None
    }

    /// What the client can be asked.
    fn capabilities(&self) -> ClientCapabilities {
        ClientCapabilities::none()
    }

    /// Tells clients apart: a question that could belong to calls of several is put to none.
    fn client(&self) -> u64 {
        0
    }

    /// Whether an `input_required` result of a backend is worked off by asking; else it is the caller's to pass on.
    fn works_off_input(&self) -> bool {
        true
    }

    /// Puts a request of the backend (`elicitation/create`, `sampling/createMessage`, `roots/list`) to the client, and gives its
    /// result, or its error object.
    ///
    /// Dropping the future takes the question back.
    async fn ask(&self, method: &str, _params: JsonObject) -> Result<JsonObject, JsonObject> {
        Err(not_supported(method))
    }
}

/// The error of a request that this client cannot answer.
#[must_use]
pub fn not_supported(method: &str) -> JsonObject {
    let mut error = JsonObject::new();
    error.insert("code".into(), (-32601).into());
    error.insert("message".into(), format!("{method} is not supported by this client").into());
    error
}

/// What a client answered to an `input_required` result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// Its answers, by the keys of the questions.
    pub responses: JsonObject,
    /// The state that came with the questions, echoed.
    pub state: Option<String>,
}

/// One request of a client to a backend: a call of a tool, a prompt, a resource, or whatever else a client of the passthrough asks.
#[derive(Debug, Clone)]
pub struct Request {
    /// Like `tools/call`.
    pub method: Cow<'static, str>,
    /// Its parameters, with the backend's own names.
    pub params: JsonObject,
    /// `_meta` to pass on: the caller's, without what belongs to one hop (progress token, protocol keys).
    pub meta: JsonObject,
    /// Longest silence before the request is given up; progress resets it, and an open question stops the clock.
    pub idle_timeout: Duration,
    /// What the client answered to the backend's last `input_required` result, where this request goes on from there.
    pub answers: Option<Answers>,
    /// The tool that is called, where it is known: its schema may want arguments repeated in HTTP headers.
    pub tool: Option<Arc<ToolEntry>>,
}

impl Request {
    /// Any first request.
    #[must_use]
    pub fn new(method: impl Into<Cow<'static, str>>, params: JsonObject, idle_timeout: Duration) -> Self {
        Self { method: method.into(), params, meta: JsonObject::new(), idle_timeout, answers: None, tool: None }
    }

    /// A first call of a tool, by the backend's own name, with arguments that were checked against the catalog's schema.
    #[must_use]
    pub fn call(tool: &ToolName, arguments: JsonObject, idle_timeout: Duration) -> Self {
        let mut params = JsonObject::new();
        params.insert("name".into(), tool.as_str().into());
        params.insert("arguments".into(), Value::Object(arguments));
        Self::new("tools/call", params, idle_timeout)
    }

    /// The same, of a tool whose definition is known.
    #[must_use]
    pub fn of(self, tool: &Arc<ToolEntry>) -> Self {
        Self { tool: Some(Arc::clone(tool)), ..self }
    }
}
