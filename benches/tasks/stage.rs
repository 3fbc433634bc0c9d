//! A real broker over a registry in a temporary folder. Its backends are no processes: each answers with what it is told to.

use std::{
    fs,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use async_trait::async_trait;
use serde_json::Value;
use tempfile::TempDir;
use toolcrib::{
    backends::{
        BackendError, Caller, ClientCapabilities, Connect, Greeting, Notices, Pool, Request, Session, Wanted, Watch,
    },
    broker::{Broker, Conversation, Hop, Library},
    catalog::{Era, JsonObject, RawListing, ServerEntry},
    config::{self, ProcessEnv, ServerSpec},
    economy,
    registry::{Registry, ResultLimits, ResultStore},
};

use crate::catalog::Set;

/// What differs from the defaults, to try a change.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// Budget of a search reply.
    pub search_tokens: Option<usize>,
    /// Hits of the first search.
    pub limit: Option<usize>,
}

/// The broker, and the result that the next call gets.
pub struct Stage {
    pub broker: Broker,
    pub conversation: Conversation,
    pub trial: Trial,
    next: Next,
    _home: TempDir,
}

/// What every backend says of itself: nothing.
static GREETING: LazyLock<Greeting> = LazyLock::new(|| Greeting::silent(Era::Legacy));

/// What the next call gets.
#[derive(Debug, Clone, Default)]
struct Next(Arc<Mutex<JsonObject>>);

/// A meta-tool's answer as a model reads it.
pub struct Answer {
    pub text: String,
    /// Tokens of the text and of structured content, if any is left.
    pub tokens: usize,
    pub is_error: bool,
}

impl Stage {
    /// Seeds a registry with the servers of a set and opens a broker over it, with every setting at its default but one.
    pub async fn set(set: &Set, trial: Trial) -> anyhow::Result<Self> {
        let home = tempfile::tempdir().context("failed to make a folder")?;
        // Learning is off: a task must not change what the next one finds.
        let mut configuration = String::from("[search]\nlearn = false\n");
        if let Some(tokens) = trial.search_tokens {
            configuration.push_str(&format!("[context]\nsearch_tokens = {tokens}\n"));
        }
        let registry = Registry::open(&home.path().join("data"))?;
        for (name, listing) in &set.servers {
            configuration.push_str(&format!("[servers.{name}]\ncommand = \"never-started\"\n"));
            let entry = ServerEntry::read(name.parse()?, listing.clone(), SystemTime::now());
            registry.save_listing(Arc::new(entry)).await?;
        }
        let file = home.path().join("toolcrib.toml");
        fs::write(&file, configuration)?;
        let settings = Arc::new(config::load(Some(&file), &ProcessEnv)?.settings);
        let next = Next::default();
        let pool = Pool::new(Arc::new(next.clone()), &settings.pool);
        let limits = ResultLimits { keep_for: settings.results.keep_for, max_bytes: settings.results.max_bytes };
        let results = ResultStore::new(home.path(), limits);
        let library = Library::open(settings, Arc::new(registry), home.path().join("index"))?;
        let broker = Broker::new(Arc::new(library), Arc::new(pool), results)?;
        Ok(Self { broker, conversation: Conversation::local(), trial, next, _home: home })
    }

    /// Ends what was started.
    pub async fn strike(self) {
        self.broker.library().registry().close().await;
    }

    /// Says what the next calls of backends answer.
    pub fn answer_with(&self, result: JsonObject) {
        *self.next.0.lock().unwrap_or_else(PoisonError::into_inner) = result;
    }

    /// Calls a meta-tool as a client does.
    pub async fn ask(&self, tool: &str, arguments: Value) -> Answer {
        let result = self.broker.meta_call(tool, Some(arguments), Hop::first(Arc::new(Deaf)), &self.conversation).await;
        let text = text_of(&result);
        let structured = result.get("structuredContent").map_or(0, |value| economy::count(&value.to_string()));
        Answer {
            tokens: economy::count(&text) + structured,
            is_error: result.get("isError") == Some(&Value::Bool(true)),
            text,
        }
    }
}

/// All text of a result.
pub fn text_of(result: &JsonObject) -> String {
    let blocks = result.get("content").and_then(Value::as_array).into_iter().flatten();
    blocks.filter_map(|block| block.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
}

/// Nobody listens for progress here.
#[derive(Debug)]
struct Deaf;

impl Caller for Deaf {}

#[async_trait]
impl Connect for Next {
    async fn connect(
        &self,
        _spec: &ServerSpec,
        _remembered: Option<Era>,
        _client: &ClientCapabilities,
    ) -> Result<Arc<dyn Session>, BackendError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Session for Next {
    fn greeting(&self) -> &Greeting {
        &GREETING
    }

    async fn listing(&self, _deadline: Duration) -> Result<RawListing, BackendError> {
        Ok(crate::catalog::listing(Vec::new(), JsonObject::new(), None))
    }

    async fn request(&self, _request: Request, _caller: Arc<dyn Caller>) -> Result<JsonObject, BackendError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn watch(&self, wanted: Wanted, _notices: Arc<dyn Notices>) -> Result<Watch, BackendError> {
        Ok(Watch::new(wanted, ()))
    }

    fn is_closed(&self) -> bool {
        false
    }

    fn stderr_tail(&self) -> Vec<String> {
        Vec::new()
    }

    async fn close(&self, _grace: Duration) {}
}
