//! What a backend asks of a client in the middle of a call: each question is put to the caller, its answer sent back. They end with
//! the call they belong to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{runtime::Handle, sync::Notify, time};
use tokio_util::task::AbortOnDropHandle;

use super::{Caller, wire::Wire};
use crate::catalog::JsonObject;

/// Questions that one call may have open.
const MAX_OPEN: usize = 16;

/// Longest time a client may take to answer one.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// The questions of one call. Dropping them takes back those that are open.
#[derive(Debug)]
pub(super) struct Questions {
    asked: Vec<Question>,
    open: OpenCount,
}

/// How many questions of a call are open; while there are any, silence is no reason to give it up.
#[derive(Debug, Clone)]
pub(super) struct OpenCount {
    count: Arc<AtomicUsize>,
    /// Told when one is answered, so that the call's clock starts anew.
    alive: Arc<Notify>,
}

#[derive(Debug)]
struct Question {
    /// The backend's id for it.
    id: Value,
    asking: AbortOnDropHandle<()>,
}

/// Counts one open question for as long as it lives.
struct Open(OpenCount);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.alive.notify_one();
    }
}

impl OpenCount {
    /// None open yet. `alive` is told of each answer.
    pub(super) fn new(alive: &Arc<Notify>) -> Self {
        Self { count: Arc::default(), alive: Arc::clone(alive) }
    }

    /// Whether somebody is being asked right now.
    pub(super) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }
}

impl Questions {
    /// None yet.
    pub(super) const fn new(open: OpenCount) -> Self {
        Self { asked: Vec::new(), open }
    }

    /// Puts a question to the caller; its answer goes out on the wire.
    ///
    /// # Errors
    /// The error object to answer with, where too many are open.
    pub(super) fn ask(
        &mut self,
        caller: Arc<dyn Caller>,
        method: &str,
        params: JsonObject,
        id: Value,
        wire: Arc<dyn Wire>,
    ) -> Result<(), JsonObject> {
        self.asked.retain(|question| !question.asking.is_finished());
        if self.asked.len() >= MAX_OPEN {
            return Err(error("too many questions are open already"));
        }
        // Outside a runtime the process is ending.
        let runtime = Handle::try_current().map_err(|_| error("the client is gone"))?;
        self.open.count.fetch_add(1, Ordering::AcqRel);
        let open = Open(self.open.clone());
        let (method, number) = (method.to_owned(), id.clone());
        let asking = runtime.spawn(async move {
            let answered = time::timeout(MAX_WAIT, caller.ask(&method, params)).await;
            let outcome = answered.unwrap_or_else(|_| Err(error("nobody answered in time")));
            drop(open);
            // A backend that is gone needs no answer.
            let _ = wire.send(answer(&number, outcome)).await;
        });
        self.asked.push(Question { id, asking: AbortOnDropHandle::new(asking) });
        Ok(())
    }

    /// Takes a question back, because the backend did.
    pub(super) fn take_back(&mut self, id: &Value) {
        self.asked.retain(|question| question.id != *id);
    }
}

/// The message that answers a request of a backend.
pub(super) fn answer(id: &Value, outcome: Result<JsonObject, JsonObject>) -> Value {
    match outcome {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
    }
}

fn error(message: &str) -> JsonObject {
    JsonObject::from_iter([("code".to_owned(), Value::from(-32000)), ("message".to_owned(), Value::from(message))])
}
