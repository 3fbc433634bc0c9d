//! Which era of the protocol a backend speaks, and what differs in talking to it. The only place of the room that knows.
//!
//! An unknown process is first greeted with `initialize`: 148 of 149 real servers take it, servers of both eras take it as well,
//! and a probe in the modern form costs seconds against servers that ignore what they do not know. An unknown endpoint is first
//! asked in the modern form, as the protocol wants it: an HTTP server of any era answers at once.

use std::time::Duration;

use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time;

use super::{
    Answers, Caller, ClientCapabilities, Greeting, not_supported,
    peer::{Failure, Peer},
    wire::WireError,
};
use crate::catalog::{Era, JsonObject};

/// The newest version that has a handshake; offered to legacy backends.
const LEGACY_VERSION: &str = "2025-11-25";

/// The version of the stateless era.
const MODERN_VERSION: &str = "2026-07-28";

/// Silence after which a backend that was modern is no longer taken to be. One that runs answers `server/discover` at once, so this
/// is short; one that is still starting loses nothing, for it is not given up then.
pub(super) const DOUBT: Duration = Duration::from_secs(2);

/// Longest wait for the second of two answers once the first is there: whoever gave the one has read the other's question.
const BEHIND: Duration = Duration::from_secs(1);

/// How a handshake ended.
#[derive(Debug)]
pub(super) enum Greeted {
    /// It is done.
    Agreed(Greeting),
    /// The backend does not speak this era.
    Refused(Failure),
    /// It failed for another reason.
    Failed(Failure),
}

/// Shakes hands in one era.
pub(super) async fn greet(peer: &Peer, era: Era, patience: Duration, client: &ClientCapabilities) -> Greeted {
    match era {
        Era::Legacy => legacy(peer, patience, client).await,
        Era::Modern => modern(peer, patience).await,
    }
}

/// Shakes hands with a process that was modern. Where it stays silent, it may still be starting, or have become one that is deaf to
/// what it does not know. So `initialize` goes after `server/discover`, down the same pipe, and whichever is answered tells: a
/// modern server refuses it, and no server is started twice or given up while it starts.
pub(super) async fn greet_in_doubt(peer: &Peer, patience: Duration, client: &ClientCapabilities) -> Greeted {
    let doubt = DOUBT.min(patience / 4);
    let modern = modern(peer, patience);
    tokio::pin!(modern);
    if let Ok(greeted) = time::timeout(doubt, &mut modern).await {
        return greeted;
    }
    let legacy = legacy(peer, patience.saturating_sub(doubt), client);
    tokio::pin!(legacy);
    tokio::select! {
        biased;
        greeted = &mut modern => match greeted {
            // One that speaks both has been told by `initialize` which it is to speak.
            Greeted::Agreed(_) => match time::timeout(BEHIND, legacy).await {
                Ok(Greeted::Agreed(greeting)) => Greeted::Agreed(greeting),
                Ok(Greeted::Refused(_) | Greeted::Failed(_)) | Err(_) => greeted,
            },
            Greeted::Refused(_) | Greeted::Failed(_) => legacy.await,
        },
        greeted = &mut legacy => match greeted {
            Greeted::Agreed(_) => {
                // What it did not understand need not be taken back.
                peer.inbox().forget_all();
                greeted
            }
            Greeted::Refused(_) | Greeted::Failed(_) => time::timeout(BEHIND, modern).await.unwrap_or(greeted),
        },
    }
}

/// The other era.
pub(super) const fn other(era: Era) -> Era {
    match era {
        Era::Legacy => Era::Modern,
        Era::Modern => Era::Legacy,
    }
}

/// Adds what every request of this era carries: in the modern one what the client of this very request can be asked, and which
/// log messages it wants.
pub(super) fn dress(params: &mut JsonObject, era: Era, client: &ClientCapabilities, log_level: Option<String>) {
    if era == Era::Modern {
        let meta = params.entry("_meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("io.modelcontextprotocol/protocolVersion".into(), MODERN_VERSION.into());
            meta.insert("io.modelcontextprotocol/clientInfo".into(), client_info());
            meta.insert("io.modelcontextprotocol/clientCapabilities".into(), Value::Object(client.to_object()));
            if let Some(level) = log_level {
                meta.insert("io.modelcontextprotocol/logLevel".into(), level.into());
            }
        }
    }
}

/// What a result wants to know before it is complete.
#[derive(Debug)]
pub(super) struct InputRequired {
    requests: JsonObject,
    state: Option<String>,
}

impl InputRequired {
    /// The method of a question that a client with these capabilities cannot be asked, if there is one.
    pub(super) fn beyond(&self, client: &ClientCapabilities) -> Option<String> {
        let methods = self.requests.values().map(|request| request.get("method").and_then(Value::as_str));
        methods.map(Option::unwrap_or_default).find(|method| !client.allow(method)).map(str::to_owned)
    }
}

/// Reads an `input_required` result; `None` for any other.
pub(super) fn input_required(result: &JsonObject) -> Option<InputRequired> {
    if result.get("resultType").and_then(Value::as_str) != Some("input_required") {
        return None;
    }
    let requests = result.get("inputRequests").and_then(Value::as_object).cloned().unwrap_or_default();
    Some(InputRequired { requests, state: result.get("requestState").and_then(Value::as_str).map(str::to_owned) })
}

/// Reads the error by which a backend of before sends a person to an address first, as the questions that it means.
pub(super) fn url_required(error: &JsonObject) -> Option<InputRequired> {
    const URL_ELICITATION_REQUIRED: i64 = -32042;
    if error.get("code").and_then(Value::as_i64) != Some(URL_ELICITATION_REQUIRED) {
        return None;
    }
    let wanted = error.get("data")?.get("elicitations")?.as_array()?;
    let question = |params: &Value| json!({"method": "elicitation/create", "params": params});
    let requests: JsonObject =
        wanted.iter().enumerate().map(|(at, params)| (format!("url-{at}"), question(params))).collect();
    (!requests.is_empty()).then_some(InputRequired { requests, state: None })
}

/// Whether a modern HTTP endpoint refused a request because a header is not what its message says.
pub(super) fn misses_header(outcome: &Result<JsonObject, Failure>) -> bool {
    const HEADER_MISMATCH: i64 = -32020;
    let Err(Failure::Rpc(error)) = outcome else { return false };
    error.get("code").and_then(Value::as_i64) == Some(HEADER_MISMATCH)
}

/// Asks all questions of a result at once. The first that is refused ends it: the backend could not go on without.
pub(super) async fn answered(required: InputRequired, caller: &dyn Caller) -> Result<Answers, JsonObject> {
    let asked = required.requests.into_iter().map(|(key, request)| async move {
        let method = request.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        let params = request.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
        if !caller.capabilities().allow(&method) {
            return Err(not_supported(&method));
        }
        Ok((key, Value::Object(caller.ask(&method, params).await?)))
    });
    let responses: Vec<(String, Value)> = try_join_all(asked).await?;
    Ok(Answers { responses: responses.into_iter().collect(), state: required.state })
}

/// Adds a client's answers to the retry of a request.
pub(super) fn add_answers(params: &mut JsonObject, answers: Answers) {
    params.insert("inputResponses".into(), Value::Object(answers.responses));
    if let Some(state) = answers.state {
        params.insert("requestState".into(), state.into());
    }
}

async fn legacy(peer: &Peer, patience: Duration, client: &ClientCapabilities) -> Greeted {
    let params = json!({
        "protocolVersion": LEGACY_VERSION,
        "capabilities": client.to_object(),
        "clientInfo": client_info(),
    });
    let result = match peer.request("initialize", object(params), patience, None).await {
        Ok(result) => result,
        Err(failure) => return judged(failure, Era::Legacy),
    };
    let greeting = greeting(result, Era::Legacy, "protocolVersion");
    // A server that echoes a version without handshake still shook hands: it is spoken to as it answered.
    peer.wire().agreed(&greeting.protocol_version);
    match peer.notify("notifications/initialized", None).await {
        Ok(()) => {
            peer.wire().listen(peer.inbox()).await;
            Greeted::Agreed(greeting)
        }
        Err(failure) => Greeted::Failed(failure),
    }
}

async fn modern(peer: &Peer, patience: Duration) -> Greeted {
    peer.wire().agreed(MODERN_VERSION);
    let discover = || {
        let mut params = JsonObject::new();
        dress(&mut params, Era::Modern, &ClientCapabilities::none(), None);
        peer.request("server/discover", params, patience, None)
    };
    let mut answer = discover().await;
    // Refused, and our version is among those it speaks: it is asked once more before it is taken at its word.
    if let Err(Failure::Rpc(error)) = &answer
        && error.get("data").is_some_and(|data| names_ours(data.get("supported")) == Some(true))
    {
        answer = discover().await;
    }
    let mut result = match answer {
        Ok(result) => result,
        Err(failure) => return judged(failure, Era::Modern),
    };
    let ours = names_ours(result.get("supportedVersions"));
    // Some servers of the era before answer whatever they do not know with an empty result.
    if !ours.unwrap_or_else(|| result.contains_key("capabilities")) {
        return Greeted::Refused(Failure::Protocol("it speaks no version that we do".into()));
    }
    let info = result.get("_meta").and_then(|meta| meta.get("io.modelcontextprotocol/serverInfo")).cloned();
    if let Some(info) = info {
        result.entry("serverInfo").or_insert(info);
    }
    result.insert("protocolVersion".into(), MODERN_VERSION.into());
    Greeted::Agreed(greeting(result, Era::Modern, "protocolVersion"))
}

/// Whether a list of versions names ours; nothing where there is no list.
fn names_ours(versions: Option<&Value>) -> Option<bool> {
    Some(versions?.as_array()?.iter().any(|version| version == MODERN_VERSION))
}

/// Whether a failed greeting means that the backend is of the other era. Which error a server gives to a greeting that it does not
/// know is its own affair, so any is one; some end, and endpoints answer in every way there is.
fn judged(failure: Failure, greeted_as: Era) -> Greeted {
    let refused = match &failure {
        Failure::Rpc(_) | Failure::Closed => true,
        Failure::Wire(WireError::WrongTransport(status)) => *status == 400 || greeted_as == Era::Modern,
        Failure::Wire(WireError::NoAnswer(_)) | Failure::Protocol(_) => greeted_as == Era::Modern,
        Failure::Timeout(_) | Failure::Wire(_) | Failure::Unsupported(_) => false,
    };
    if refused { Greeted::Refused(failure) } else { Greeted::Failed(failure) }
}

fn greeting(mut result: JsonObject, era: Era, version_key: &str) -> Greeting {
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    Greeting {
        era,
        protocol_version: text(result.remove(version_key)).unwrap_or_default(),
        server_info: result.remove("serverInfo").map(object).unwrap_or_default(),
        capabilities: result.remove("capabilities").map(object).unwrap_or_default(),
        instructions: text(result.remove("instructions")),
    }
}

fn client_info() -> Value {
    json!({"name": "toolcrib", "version": env!("CARGO_PKG_VERSION")})
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => JsonObject::new(),
    }
}
