//! What arrives from a backend: answers, questions, notifications, each to whoever waits for it.
//!
//! Knows the few methods that say whose a message is, and nothing else of the protocol.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    sync::{Notify, oneshot},
};

use super::{
    Caller,
    bystanders::Bystanders,
    not_supported,
    peer::Failure,
    questions::{Questions, answer},
    watch::Watches,
    wire::Wire,
};
use crate::catalog::JsonObject;

/// Answers nobody asked for after which a backend is taken for broken.
const MAX_STRAYS: u64 = 1_000;

/// Where a wire puts what arrives.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<HashMap<u64, Waiting>>,
    /// Requests of the backend that want an answer, sent by whoever owns the wire.
    /// Weak: the inbox lives as long as a reader does, which must not keep a child alive that nobody uses.
    answers: Mutex<Option<Weak<dyn Wire>>>,
    over: AtomicBool,
    strays: AtomicU64,
    watches: Watches,
    bystanders: Bystanders,
}

/// A request of ours that has no answer yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) answer: oneshot::Sender<Result<JsonObject, Failure>>,
    pub(super) caller: Option<Arc<dyn Caller>>,
    /// Told of each sign of life, to put off the timeout.
    pub(super) alive: Arc<Notify>,
    /// What the backend asks the caller. It ends with the request.
    pub(super) questions: Questions,
}

impl Inbox {
    /// An inbox whose questions are answered over this wire.
    pub(super) fn reply_over(&self, wire: &Arc<dyn Wire>) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(wire));
    }

    /// Who watches what.
    pub(super) const fn watches(&self) -> &Watches {
        &self.watches
    }

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
        self.watches.end_all();
    }

    /// No longer waits for an answer. False if nobody did.
    pub(super) fn forget(&self, id: u64) -> bool {
        self.waiting().remove(&id).is_some()
    }

    /// No longer waits for any answer, without a word to the backend.
    pub(super) fn forget_all(&self) {
        self.waiting().clear();
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

    /// Waits for the answer to a request.
    pub(super) fn expect(&self, id: u64, waiting: Waiting) -> Result<(), Failure> {
        let mut all = self.waiting();
        // Checked under the lock that `end` takes: no request can slip in behind the end.
        if self.is_over() {
            return Err(Failure::Closed);
        }
        if let Some(caller) = &waiting.caller {
            self.bystanders.remember(caller.as_ref());
        }
        all.insert(id, waiting);
        Ok(())
    }

    fn answered(&self, id: &Value, mut message: JsonObject) {
        let Some(waiting) = number(id).and_then(|number| self.waiting().remove(&number)) else {
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

    fn logged(&self, params: &JsonObject, request: Option<u64>) {
        let callers = self.callers(request);
        if callers.is_empty() {
            self.bystanders.all().iter().for_each(|client| client.log(params.clone()));
        }
        callers.iter().for_each(|caller| caller.log(params.clone()));
    }

    fn told(&self, method: &str, mut message: JsonObject, request: Option<u64>) {
        let params = match message.remove("params") {
            Some(Value::Object(params)) => params,
            _ => JsonObject::new(),
        };
        match method {
            "notifications/progress" => self.progressed(params),
            "notifications/message" => self.logged(&params, request),
            "notifications/cancelled" => self.taken_back(&params),
            _ => {
                if let Some(params) = self.watches.told(method, params, request) {
                    self.callers(request).iter().for_each(|caller| caller.told(method, params.clone()));
                }
            }
        }
    }

    /// Who hears what the backend says: the caller of the request that it came in answer to. Where that is not said, whoever waits.
    fn callers(&self, request: Option<u64>) -> Vec<Arc<dyn Caller>> {
        let waiting = self.waiting();
        match request.and_then(|number| waiting.get(&number)) {
            Some(asked) => asked.caller.iter().cloned().collect(),
            None => waiting.values().filter_map(|waiting| waiting.caller.clone()).collect(),
        }
    }

    /// The backend takes back a question of its own, or ends what it was asked to go on telling.
    fn taken_back(&self, params: &JsonObject) {
        let Some(id) = params.get("requestId") else { return };
        let mut waiting = self.waiting();
        for waiting in waiting.values_mut() {
            waiting.questions.take_back(id);
        }
        let ended = number(id).filter(|number| self.watches.has(*number)).and_then(|number| waiting.remove(&number));
        drop(waiting);
        if let Some(ended) = ended {
            let _ = ended.answer.send(Err(Failure::Closed));
        }
    }

    fn progressed(&self, mut params: JsonObject) {
        let token = params.shift_remove("progressToken");
        let id = token.as_ref().and_then(number);
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

/// A number of ours as it comes back. Some servers echo a numeric id as a string.
pub(super) fn number(id: &Value) -> Option<u64> {
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
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

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, time::Duration};

    use async_trait::async_trait;

    use super::*;
    use crate::{
        backends::{
            BackendError, ClientCapabilities, Request,
            scripted::{Ear, Scripted, error, result, settle, told},
        },
        catalog::Era,
    };

    fn request() -> Request {
        Request::new("tools/call", JsonObject::new(), Duration::from_secs(5))
    }

    /// A backend that never answers a call.
    fn silent() -> Arc<Scripted> {
        Scripted::new(|_| Vec::new())
    }

    #[tokio::test(start_paused = true)]
    async fn what_else_a_backend_says_during_a_call_reaches_its_caller() {
        let wire = Scripted::new(|message| {
            let mut said = vec![
                told("notifications/elicitation/complete", json!({"elicitationId": "e1"})),
                told("notifications/message", json!({"level": "info", "data": "x"})),
                told("notifications/progress", json!({"progressToken": message["id"], "progress": 1})),
                told("notifications/tools/list_changed", json!({})),
            ];
            said.extend(result(message, json!({})));
            said
        });
        let ear = Arc::<Ear>::default();
        let session = wire.session(Era::Legacy, json!({}));
        session.request(request(), Arc::<Ear>::clone(&ear)).await.unwrap();
        assert_eq!(ear.subjects(), ["notifications/elicitation/complete", "log", "progress"]);
    }

    /// Is asked, and never answers; counts the questions that are open.
    #[derive(Debug, Default)]
    struct Thinking(AtomicUsize);

    struct Thought<'t>(&'t Thinking);

    impl Drop for Thought<'_> {
        fn drop(&mut self) {
            self.0.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl Caller for Thinking {
        fn capabilities(&self) -> ClientCapabilities {
            ClientCapabilities::of(&JsonObject::from_iter([("elicitation".to_owned(), json!({}))]))
        }

        async fn ask(&self, _method: &str, _params: JsonObject) -> Result<JsonObject, JsonObject> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let _thought = Thought(self);
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_its_backend_takes_back_is_taken_back_from_the_client_and_not_answered() {
        let wire = silent();
        let session = wire.session(Era::Legacy, json!({}));
        let thinking = Arc::<Thinking>::default();
        let caller = Arc::<Thinking>::clone(&thinking);
        let call = tokio::spawn(async move { session.request(request(), caller).await });
        let asked = wire.wait_for("tools/call", 1).await;
        wire.say(json!({"jsonrpc": "2.0", "id": "q-1", "method": "elicitation/create", "params": {}}));
        settle().await;
        assert_eq!(thinking.0.load(Ordering::SeqCst), 1);
        wire.say(told("notifications/cancelled", json!({"requestId": "q-1"})));
        settle().await;
        assert_eq!(thinking.0.load(Ordering::SeqCst), 0);
        wire.say(result(&asked[0], json!({})).remove(0));
        assert!(call.await.unwrap().is_ok());
        assert!(wire.sent().iter().all(|message| message["id"] != "q-1"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_is_answered_and_the_code_of_an_error_stays_as_it_was_sent() {
        let wire =
            Scripted::new(|message| if message["method"] == "tools/call" { error(message, -32002) } else { vec![] });
        let session = wire.session(Era::Legacy, json!({}));
        wire.say(json!({"jsonrpc": "2.0", "id": "p", "method": "ping"}));
        settle().await;
        assert_eq!(wire.sent(), [json!({"jsonrpc": "2.0", "id": "p", "result": {}})]);
        let failed = session.request(request(), Arc::<Ear>::default()).await.unwrap_err();
        let BackendError::Rpc { code, error, .. } = failed else { panic!("{failed:?}") };
        assert_eq!((code, &error["code"]), (-32002, &json!(-32002)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_given_up_is_taken_back_by_a_word_or_by_hanging_up() {
        for hangs_up in [false, true] {
            let wire = if hangs_up { Scripted::over_http(|_| Vec::new()) } else { silent() };
            let session = wire.session(Era::Modern, json!({}));
            let late = session.request(request(), Arc::<Ear>::default()).await;
            assert!(matches!(late, Err(BackendError::CallTimeout { .. })), "{late:?}");
            settle().await;
            assert_eq!(wire.sent_of("notifications/cancelled").len(), usize::from(!hangs_up));
        }
    }
}
