//! Who hears of changes on a backend: lists that changed, resources that were updated. Nothing waits here: a notice is given on
//! as it comes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::oneshot;

use super::{inbox, peer::Failure};
use crate::catalog::JsonObject;

/// Most resources watched in one session, by all watches together.
const MAX_URIS: usize = 1_000;

/// Most watches of one session.
const MAX_WATCHES: usize = 256;

/// Where a modern backend says which watch a notice is for.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// By what a modern backend says what it agrees to.
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// What is worth a notice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// That the list of tools has changed.
    pub tools: bool,
    /// That the list of prompts has changed.
    pub prompts: bool,
    /// That the list of resources has changed.
    pub resources: bool,
    /// Updates of these resources.
    pub uris: Vec<String>,
}

/// Takes notices. Neither method may block.
pub trait Notices: fmt::Debug + Send + Sync {
    /// `notifications/tools/list_changed`, `.../prompts/list_changed`, `.../resources/list_changed` or
    /// `notifications/resources/updated`, its `params` as sent.
    fn notice(&self, method: &str, params: JsonObject);

    /// The backend ends the watch, or its session is over. Not told where the watch was dropped.
    fn ended(&self);
}

/// A watch that goes on. Dropping it ends it.
pub struct Watch {
    agreed: Wanted,
    /// What ends it when it is dropped.
    _held: Box<dyn Send + Sync>,
}

impl Watch {
    /// A watch that lasts as long as what `held` holds.
    pub fn new(agreed: Wanted, held: impl Send + Sync + 'static) -> Self {
        Self { agreed, _held: Box::new(held) }
    }

    /// What the backend agreed to tell.
    #[must_use]
    pub const fn agreed(&self) -> &Wanted {
        &self.agreed
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}

impl Wanted {
    /// Whether it is about anything.
    #[must_use]
    pub fn is_anything(&self) -> bool {
        self.tools || self.prompts || self.resources || !self.uris.is_empty()
    }

    /// What of this another one grants.
    pub(super) fn granted(&self, by: &Self) -> Self {
        Self {
            tools: self.tools && by.tools,
            prompts: self.prompts && by.prompts,
            resources: self.resources && by.resources,
            uris: self.uris.iter().filter(|uri| by.uris.contains(uri)).cloned().collect(),
        }
    }

    /// As the parameters of `subscriptions/listen` and its acknowledgement say it. What is not wanted is left out.
    #[must_use]
    pub fn to_filter(&self) -> JsonObject {
        let lists = [
            ("toolsListChanged", self.tools),
            ("promptsListChanged", self.prompts),
            ("resourcesListChanged", self.resources),
        ];
        let mut filter: JsonObject = lists
            .into_iter()
            .filter(|(_, wanted)| *wanted)
            .map(|(key, _)| (key.to_owned(), Value::Bool(true)))
            .collect();
        if !self.uris.is_empty() {
            filter.insert("resourceSubscriptions".into(), self.uris.clone().into());
        }
        filter
    }

    /// Reads what [`Self::to_filter`] writes, and passes over what it does not know.
    #[must_use]
    pub fn of_filter(filter: &JsonObject) -> Self {
        let flag = |key: &str| filter.get(key).and_then(Value::as_bool).unwrap_or(false);
        let uris = filter.get("resourceSubscriptions").and_then(Value::as_array).into_iter().flatten();
        Self {
            tools: flag("toolsListChanged"),
            prompts: flag("promptsListChanged"),
            resources: flag("resourcesListChanged"),
            uris: uris.filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
        }
    }

    fn covers(&self, method: &str, params: &JsonObject) -> bool {
        match method {
            "notifications/tools/list_changed" => self.tools,
            "notifications/prompts/list_changed" => self.prompts,
            "notifications/resources/list_changed" => self.resources,
            "notifications/resources/updated" => {
                let updated = params.get("uri").and_then(Value::as_str).unwrap_or_default();
                // An update may name a part of what is watched.
                self.uris.iter().any(|uri| updated.starts_with(uri.as_str()))
            }
            _ => false,
        }
    }
}

/// The watches of one conversation, by number: in the modern era that of the request that asked for it.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    watching: HashMap<u64, Watching>,
    over: bool,
}

#[derive(Debug)]
struct Watching {
    notices: Arc<dyn Notices>,
    /// What was asked for, and then what was agreed to.
    what: Wanted,
    /// While the backend has not agreed: takes what it agrees to.
    agreeing: Option<oneshot::Sender<Wanted>>,
    /// Whether whoever asked for it has it.
    begun: bool,
}

impl Watches {
    /// A watch to which the backend must agree first. The receiver ends without a word if the backend ends it before.
    pub(super) fn ask(
        &self,
        id: u64,
        wanted: Wanted,
        notices: Arc<dyn Notices>,
    ) -> Result<oneshot::Receiver<Wanted>, Failure> {
        let (agreeing, agreed) = oneshot::channel();
        self.add(id, Watching { notices, what: wanted, agreeing: Some(agreeing), begun: false })?;
        Ok(agreed)
    }

    /// A watch that is agreed to.
    pub(super) fn hear(&self, id: u64, agreed: Wanted, notices: Arc<dyn Notices>) -> Result<(), Failure> {
        self.add(id, Watching { notices, what: agreed, agreeing: None, begun: false })
    }

    fn add(&self, id: u64, watching: Watching) -> Result<(), Failure> {
        let mut all = self.all();
        if all.over {
            return Err(Failure::Closed);
        }
        let uris: usize = all.watching.values().map(|watching| watching.what.uris.len()).sum();
        if all.watching.len() >= MAX_WATCHES {
            return Err(Failure::Unsupported("more than 256 watches at once"));
        }
        if uris.saturating_add(watching.what.uris.len()) > MAX_URIS {
            return Err(Failure::Unsupported("more than 1,000 watched resources"));
        }
        all.watching.insert(id, watching);
        Ok(())
    }

    /// Whoever asked for a watch has it: from now on its end is told. False if it has ended meanwhile.
    pub(super) fn begin(&self, id: u64) -> bool {
        self.all().watching.get_mut(&id).map(|watching| watching.begun = true).is_some()
    }

    /// Whether there is a watch of this number.
    pub(super) fn has(&self, id: u64) -> bool {
        self.all().watching.contains_key(&id)
    }

    /// Nobody watches any more.
    pub(super) fn leave(&self, id: u64) {
        let left = self.all().watching.remove(&id);
        // Dropped outside of the lock: it is another's.
        drop(left);
    }

    /// The backend has ended a watch.
    pub(super) fn end(&self, id: u64) {
        let ended = self.all().watching.remove(&id);
        if let Some(Watching { notices, begun: true, .. }) = ended {
            notices.ended();
        }
    }

    /// Nothing will be heard any more: every watch ends, as [`Self::end`], and no new one begins.
    pub(super) fn end_all(&self) {
        self.all().over = true;
        self.unheard();
    }

    /// Every watch ends, for what they wait for is not heard any more.
    pub(super) fn unheard(&self) {
        let ended = std::mem::take(&mut self.all().watching);
        for (_, watching) in ended {
            if watching.begun {
                watching.notices.ended();
            }
        }
    }

    /// Gives a notification to the watches that it is for, and back where it is none of theirs. `stream` is the request that it
    /// came in answer to.
    pub(super) fn told(&self, method: &str, mut params: JsonObject, stream: Option<u64>) -> Option<JsonObject> {
        match method {
            ACKNOWLEDGED => {
                let id = untag(&mut params).or(stream);
                let filter = params.get("notifications").and_then(Value::as_object);
                let granted = filter.map(Wanted::of_filter).unwrap_or_default();
                let mut all = self.all();
                if let Some(watching) = id.and_then(|id| all.watching.get_mut(&id)) {
                    watching.what = watching.what.granted(&granted);
                    if let Some(agreeing) = watching.agreeing.take() {
                        let _ = agreeing.send(watching.what.clone());
                    }
                }
            }
            "notifications/tools/list_changed"
            | "notifications/prompts/list_changed"
            | "notifications/resources/list_changed"
            | "notifications/resources/updated" => {
                let named = untag(&mut params);
                for notices in self.concerned(named, stream, method, &params) {
                    notices.notice(method, params.clone());
                }
            }
            _ => return Some(params),
        }
        None
    }

    fn concerned(
        &self,
        named: Option<u64>,
        stream: Option<u64>,
        method: &str,
        params: &JsonObject,
    ) -> Vec<Arc<dyn Notices>> {
        let all = self.all();
        // A notice without a name that came on the stream of a watch is for that watch.
        let one = named.or_else(|| stream.filter(|id| all.watching.contains_key(id)));
        let meant = all.watching.iter().filter(|(id, _)| one.is_none_or(|one| one == **id));
        meant
            .filter(|(_, watching)| watching.agreeing.is_none() && watching.what.covers(method, params))
            .map(|(_, watching)| Arc::clone(&watching.notices))
            .collect()
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the hop's own key out of `_meta`, and gives the number in it.
fn untag(params: &mut JsonObject) -> Option<u64> {
    let meta = params.get_mut("_meta")?.as_object_mut()?;
    let id = meta.shift_remove(SUBSCRIPTION)?;
    if meta.is_empty() {
        params.shift_remove("_meta");
    }
    inbox::number(&id)
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
