//! Our end of a JSON-RPC conversation with a backend: ids, answers, progress, cancellation.
//!
//! Works on raw JSON, so that nothing a backend sends is lost; why rmcp's client is not used is in
//! `docs/adr/0001-raw-client-peer.md`. Knows neither the transport nor what the methods mean.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot},
    time::{self, Instant},
};
use tracing::debug;

use super::{
    Caller, not_supported,
    questions::{OpenCount, Questions, answer},
    wire::{Wire, WireError},
};
use crate::catalog::JsonObject;

/// Answers nobody asked for after which a backend is taken for broken.
const MAX_STRAYS: u64 = 1_000;

/// Why a request has no result.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The backend answered with an error object.
    Rpc(JsonObject),
    /// The conversation ended.
    Closed,
    /// Nothing came for this long; the request was cancelled.
    Timeout(Duration),
    /// The message could not be sent.
    Wire(WireError),
    /// The answer was against the protocol.
    Protocol(String),
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Peer {
    wire: Arc<dyn Wire>,
    inbox: Arc<Inbox>,
    next_id: AtomicU64,
}

/// Where a wire puts what arrives.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<HashMap<u64, Waiting>>,
    /// Requests of the backend that want an answer, sent by whoever owns the wire.
    /// Weak: the inbox lives as long as a reader does, which must not keep a child alive that nobody uses.
    answers: Mutex<Option<Weak<dyn Wire>>>,
    over: AtomicBool,
    strays: AtomicU64,
}

#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Result<JsonObject, Failure>>,
    caller: Option<Arc<dyn Caller>>,
    /// Told of each sign of life, to put off the timeout.
    alive: Arc<Notify>,
    /// What the backend asks the caller. It ends with the request.
    questions: Questions,
}

/// Takes a request back if nobody waits for it any more.
struct Guard<'a> {
    peer: &'a Peer,
    id: u64,
    answered: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.answered || self.peer.inbox.waiting().remove(&self.id).is_none() {
            return;
        }
        let params = json!({"requestId": self.id, "reason": "the caller no longer waits"});
        let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
        let wire = Arc::clone(&self.peer.wire);
        // Outside a runtime the process is ending, and the backend with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { wire.send(message).await });
        }
    }
}

impl Peer {
    /// A conversation over a wire that delivers to `inbox`.
    pub(super) fn new(wire: Arc<dyn Wire>, inbox: Arc<Inbox>) -> Self {
        *inbox.answers.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(&wire));
        Self { wire, inbox, next_id: AtomicU64::new(1) }
    }

    pub(super) fn wire(&self) -> &Arc<dyn Wire> {
        &self.wire
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    /// Sends a request and waits for its answer, `patience` at most between signs of life.
    ///
    /// Dropping the future queues `notifications/cancelled`.
    pub(super) async fn request(
        &self,
        method: &str,
        mut params: JsonObject,
        patience: Duration,
        caller: Option<Arc<dyn Caller>>,
    ) -> Result<JsonObject, Failure> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        if caller.as_ref().is_some_and(|caller| caller.wants_progress()) {
            let meta = params.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                // The request's own id: unique as long as the request lives, and no map is needed.
                meta.insert("progressToken".into(), id.into());
            }
        }
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let (answer, answered) = oneshot::channel();
        let alive = Arc::new(Notify::new());
        let open = OpenCount::new(&alive);
        let waiting = Waiting { answer, caller, alive: Arc::clone(&alive), questions: Questions::new(open.clone()) };
        self.inbox.expect(id, waiting)?;
        let mut guard = Guard { peer: self, id, answered: false };
        let answer = async {
            self.wire.send(message).await.map_err(Failure::Wire)?;
            answered.await.unwrap_or(Err(Failure::Closed))
        };
        tokio::pin!(answer);
        let mut deadline = Instant::now() + patience;
        let outcome = loop {
            tokio::select! {
                // An answer that is there goes before a deadline that has passed.
                biased;
                outcome = &mut answer => break outcome,
                () = alive.notified() => deadline = Instant::now() + patience,
                // A person may take longer than any server; the question has its own limit.
                () = time::sleep_until(deadline) => match open.any() {
                    false => return Err(Failure::Timeout(patience)),
                    true => deadline = Instant::now() + patience,
                },
            }
        };
        // A request that failed to go out is forgotten; there is nothing to cancel.
        guard.answered = true;
        if outcome.is_err() {
            self.inbox.waiting().remove(&id);
        }
        outcome
    }

    /// Sends a notification.
    pub(super) async fn notify(&self, method: &str, params: Option<JsonObject>) -> Result<(), Failure> {
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if let Some(params) = params {
            message["params"] = Value::Object(params);
        }
        self.wire.send(message).await.map_err(Failure::Wire)
    }
}

impl Inbox {
    /// Whether nothing will arrive any more.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// The conversation has ended: whoever waits is told at once.
    pub(super) fn end(&self, failure: &Failure) {
        self.over.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut *self.waiting());
        for (_, waiting) in waiting {
            // Whoever stopped waiting needs no answer.
            let _ = waiting.answer.send(Err(failure.clone()));
        }
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Takes a message as it came.
    pub(super) fn deliver(&self, message: Value) {
        self.deliver_during(message, None);
    }

    /// As [`Self::deliver`], where it is known which of our requests the message came in answer to.
    pub(super) fn deliver_during(&self, message: Value, request: Option<u64>) {
        let Value::Object(mut message) = message else {
            self.stray();
            return;
        };
        match (message.get("method").and_then(Value::as_str).map(str::to_owned), message.remove("id")) {
            (Some(method), Some(id)) => self.asked(&method, &id, message, request),
            (Some(method), None) => self.told(&method, message, request),
            (None, Some(id)) => self.answered(&id, message),
            (None, None) => self.stray(),
        }
    }

    fn expect(&self, id: u64, waiting: Waiting) -> Result<(), Failure> {
        let mut all = self.waiting();
        // Checked under the lock that `end` takes: no request can slip in behind the end.
        if self.is_over() {
            return Err(Failure::Closed);
        }
        all.insert(id, waiting);
        Ok(())
    }

    fn answered(&self, id: &Value, mut message: JsonObject) {
        // Some servers echo a numeric id as a string.
        let number = id.as_u64().or_else(|| id.as_str()?.parse().ok());
        let Some(waiting) = number.and_then(|number| self.waiting().remove(&number)) else {
            self.stray();
            return;
        };
        let outcome = match (message.remove("result"), message.remove("error")) {
            (Some(Value::Object(result)), None) => Ok(result),
            (None | Some(Value::Null), Some(Value::Object(error))) => Err(Failure::Rpc(error)),
            (Some(_), None) => Err(Failure::Protocol("a result is no object".into())),
            (_, Some(_)) => Err(Failure::Protocol("an answer is neither a result nor an error".into())),
            (None, None) => Err(Failure::Protocol("an answer has neither result nor error".into())),
        };
        let _ = waiting.answer.send(outcome);
    }

    /// A request of the backend. What a client may be asked is put to the caller whose call it belongs to.
    fn asked(&self, method: &str, id: &Value, mut message: JsonObject, request: Option<u64>) {
        let params = match message.remove("params") {
            Some(Value::Object(params)) => params,
            _ => JsonObject::new(),
        };
        if method == "ping" {
            return self.reply(answer(id, Ok(JsonObject::new())));
        }
        let mut waiting = self.waiting();
        let asked = whose(&waiting, request).and_then(|number| waiting.get_mut(&number));
        let able =
            asked.filter(|asked| asked.caller.as_ref().is_some_and(|caller| caller.capabilities().allow(method)));
        let Some(asked) = able else {
            drop(waiting);
            let outcome = match method {
                // Real servers ask right after the handshake, before any call; an error would confuse them.
                "roots/list" => Ok(JsonObject::from_iter([("roots".to_owned(), json!([]))])),
                _ => Err(not_supported(method)),
            };
            return self.reply(answer(id, outcome));
        };
        let (Some(caller), Some(wire)) = (asked.caller.clone(), self.wire()) else { return };
        let refused = asked.questions.ask(caller, method, params, id.clone(), wire).err();
        drop(waiting);
        if let Some(refusal) = refused {
            self.reply(answer(id, Err(refusal)));
        }
    }

    fn wire(&self) -> Option<Arc<dyn Wire>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Weak::upgrade)
    }

    fn reply(&self, message: Value) {
        if let (Some(wire), Ok(runtime)) = (self.wire(), Handle::try_current()) {
            runtime.spawn(async move { wire.send(message).await });
        }
    }

    fn told(&self, method: &str, mut message: JsonObject, request: Option<u64>) {
        let params = match message.remove("params") {
            Some(Value::Object(params)) => params,
            _ => JsonObject::new(),
        };
        match method {
            "notifications/progress" => self.progressed(params),
            "notifications/message" => {
                let callers: Vec<Arc<dyn Caller>> = {
                    let waiting = self.waiting();
                    let caller = |waiting: &Waiting| waiting.caller.clone();
                    match request.and_then(|number| waiting.get(&number)) {
                        Some(asked) => caller(asked).into_iter().collect(),
                        // Which call a line belongs to is not said; whoever waits hears it.
                        None => waiting.values().filter_map(caller).collect(),
                    }
                };
                for caller in callers {
                    caller.log(params.clone());
                }
            }
            "notifications/cancelled" => {
                if let Some(id) = params.get("requestId") {
                    for waiting in self.waiting().values_mut() {
                        waiting.questions.take_back(id);
                    }
                }
            }
            // Lists are read again by our own rules, not whenever a backend says so.
            _ => debug!(method, "a notification was passed over"),
        }
    }

    fn progressed(&self, mut params: JsonObject) {
        let token = params.shift_remove("progressToken");
        let id = token.as_ref().and_then(|token| token.as_u64().or_else(|| token.as_str()?.parse().ok()));
        let known = id
            .and_then(|id| self.waiting().get(&id).map(|waiting| (waiting.caller.clone(), Arc::clone(&waiting.alive))));
        // Else it is progress of a call that was answered or given up.
        let Some((caller, alive)) = known else { return };
        alive.notify_one();
        if let Some(caller) = caller {
            caller.progress(params);
        }
    }

    fn stray(&self) {
        if self.strays.fetch_add(1, Ordering::Relaxed) == MAX_STRAYS {
            self.end(&Failure::Protocol("it keeps sending answers that nobody asked for".into()));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose call a request of the backend belongs to: the one it came in answer to, else the newest, unless several clients wait.
fn whose(waiting: &HashMap<u64, Waiting>, request: Option<u64>) -> Option<u64> {
    if let Some(number) = request.filter(|number| waiting.contains_key(number)) {
        return Some(number);
    }
    let mut calls: Vec<(u64, u64)> =
        waiting.iter().filter_map(|(number, call)| Some((*number, call.caller.as_ref()?.client()))).collect();
    calls.sort_unstable();
    let (newest, client) = *calls.last()?;
    calls.iter().all(|(_, other)| *other == client).then_some(newest)
}
