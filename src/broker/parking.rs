//! Calls that wait for a client without handshake: it asked, the backend asks back, and only the client's next request can bring
//! the answer. Meanwhile the call goes on here.
//!
//! The state that the client carries is sealed: it names a parked call, or holds a backend's own state, and is good only for the
//! same principal and the same request, for a while. A parked call is resumed once.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use rmcp::model::{RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{mpsc::Receiver, oneshot},
    time,
};
use tokio_util::task::AbortOnDropHandle;

use super::relay::{Question, Relay};
use crate::{backends::Answers, catalog::JsonObject, jsonrpc::RpcError};

/// Most calls parked at once, of all clients. Each holds a backend's session.
const MAX_PARKED: usize = 64;

/// How long a client may take to come back; then the call is cancelled.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// Calls that wait for their clients.
pub(super) struct Parking {
    parked: Mutex<HashMap<u64, Parked>>,
    codec: RequestStateCodec,
}

/// A call under way. Dropping it cancels the call.
#[derive(Debug)]
pub(super) struct Running {
    /// The result, once there is one.
    pub(super) result: AbortOnDropHandle<Result<JsonObject, RpcError>>,
    /// What the backend asks meanwhile.
    pub(super) questions: Receiver<Question>,
    /// Its way back to the client.
    pub(super) relay: Arc<Relay>,
}

#[derive(Debug)]
struct Parked {
    running: Running,
    /// Waits for answers, by the keys that the client was given.
    open: Vec<(String, oneshot::Sender<Result<JsonObject, JsonObject>>)>,
    /// Gives the call up in time.
    _end: AbortOnDropHandle<()>,
}

/// What a sealed state stands for.
#[derive(Debug, Serialize, Deserialize)]
enum State {
    /// A call that is parked here.
    Parked(u64),
    /// A backend's own state, for the backend.
    Backend(Option<String>),
}

/// How a request with answers goes on.
#[derive(Debug)]
pub(super) enum Resumed {
    /// A call that was parked here, its questions answered.
    Running(Running),
    /// A new call, with answers for the backend.
    Backend(Answers),
}

/// The state that came with a request is not one that was given for it, or no longer good. Nothing more is said: whoever forges
/// states learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("requestState is unknown, expired or was given for another request; make the request again without it")]
pub(super) struct BadState;

impl fmt::Debug for Parking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parking").field("parked", &self.parked().len()).finish_non_exhaustive()
    }
}

impl Parking {
    /// A place for calls, under a key of this process.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub(super) fn new() -> io::Result<Self> {
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let codec = RequestStateCodec::try_new(key).map_err(io::Error::other)?;
        Ok(Self { parked: Mutex::default(), codec })
    }

    /// Parks a call with what its backend asks, and gives the result that puts the questions to the client. Where too many wait
    /// already, the call is cancelled and the result says so.
    pub(super) fn park(
        self: &Arc<Self>,
        running: Running,
        questions: Vec<Question>,
        bound_to: &[u8],
    ) -> Option<JsonObject> {
        let mut requests = JsonObject::new();
        let mut open = Vec::with_capacity(questions.len());
        for (at, question) in questions.into_iter().enumerate() {
            let key = format!("question-{}", at + 1);
            requests.insert(key.clone(), json!({ "method": question.method, "params": question.params }));
            open.push((key, question.answer));
        }
        let mut number = [0_u8; 8];
        getrandom::fill(&mut number).ok()?;
        let number = u64::from_le_bytes(number);
        let state = self.seal(&State::Parked(number), bound_to)?;
        let end = tokio::spawn(give_up(Arc::downgrade(self), number));
        let parked = Parked { running, open, _end: AbortOnDropHandle::new(end) };
        {
            let mut all = self.parked();
            if all.len() >= MAX_PARKED {
                return None;
            }
            all.insert(number, parked);
        }
        Some(input_required(requests, state))
    }

    /// Takes up a request that carries a state of ours.
    pub(super) fn resume(&self, state: &str, mut responses: JsonObject, bound_to: &[u8]) -> Result<Resumed, BadState> {
        match self.codec.open_json_with::<State>(state, bound_to).map_err(|_| BadState)? {
            State::Backend(state) => Ok(Resumed::Backend(Answers { responses, state })),
            State::Parked(number) => {
                let Parked { running, open, .. } = self.parked().remove(&number).ok_or(BadState)?;
                for (key, answer) in open {
                    let given = match responses.remove(&key) {
                        Some(Value::Object(result)) => Ok(result),
                        Some(_) | None => Err(super::era::unanswered()),
                    };
                    // A backend that took its question back needs no answer.
                    let _ = answer.send(given);
                }
                Ok(Resumed::Running(running))
            }
        }
    }

    /// Seals the state in a backend's own `input_required` result, so that it comes back to this backend alone.
    pub(super) fn sealed(&self, mut result: JsonObject, bound_to: &[u8]) -> JsonObject {
        let state = match result.remove("requestState") {
            Some(Value::String(state)) => Some(state),
            _ => None,
        };
        if let Some(sealed) = self.seal(&State::Backend(state), bound_to) {
            result.insert("requestState".into(), sealed.into());
        }
        result
    }

    fn seal(&self, state: &State, bound_to: &[u8]) -> Option<String> {
        let options = SealOptions::new().associated_data(bound_to).ttl(MAX_WAIT);
        self.codec.seal_json_with(state, &options).ok()
    }

    fn parked(&self) -> MutexGuard<'_, HashMap<u64, Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a state is good for: this principal, this tool, these arguments, whatever the order of their keys.
pub(super) fn binding(principal: &str, name: &str, arguments: Option<&Value>) -> Vec<u8> {
    // What cannot be written canonically (a number beyond every type) is bound by its text.
    let canonical =
        |value: &Value| serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes());
    let arguments = arguments.map(canonical).unwrap_or_default();
    let mut digest = Sha256::new();
    for part in [principal.as_bytes(), name.as_bytes(), &arguments] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().to_vec()
}

fn input_required(requests: JsonObject, state: String) -> JsonObject {
    let mut result = JsonObject::new();
    result.insert("resultType".into(), "input_required".into());
    result.insert("inputRequests".into(), Value::Object(requests));
    result.insert("requestState".into(), state.into());
    result
}

async fn give_up(parking: Weak<Parking>, number: u64) {
    time::sleep(MAX_WAIT).await;
    if let Some(parking) = parking.upgrade() {
        // Taken out under the lock, dropped outside of it: that cancels the call.
        let parked = parking.parked().remove(&number);
        drop(parked);
    }
}
