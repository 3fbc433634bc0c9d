//! The MCP server that clients see: search, describe, call, and the errors that teach.
//!
//! Answers search and describe from the catalog on disk; starts a backend only for a call. Names neither the database nor
//! a transport. `Broker` is what the command line uses too, so that `toolcrib search` is what a model gets.

mod audience;
mod call;
mod describe;
mod era;
mod habits;
mod library;
mod relay;
mod reply;
mod request;
mod search;
mod server;
mod validate;

use std::{collections::HashMap, pin::Pin, sync::Arc};

use futures::{Stream, StreamExt};
use serde_json::Value;

pub use self::{
    describe::DescribeAnswer,
    library::{Library, Reading},
    request::{
        CallRequest, DEFAULT_LIMIT, DescribeRequest, MAX_DESCRIBED, MAX_LIMIT, MetaCall, RequestError, SearchRequest,
    },
    search::{FoundTool, SearchAnswer},
    server::Front,
};
use crate::{
    backends::{self, Caller, Connect, Pool},
    catalog::{Era, JsonObject},
    config::ServerSpec,
    economy::{
        summaries::{self, SummaryInput},
        surface,
    },
    ids::ServerName,
};

/// Budget of a list of servers that was asked for, in o200k_base tokens: full lines for about 150 of them, names and groups of
/// any number.
const LISTING_TOKENS: usize = 2_000;

/// What a client sees at start.
#[derive(Debug, Clone)]
pub struct Surface {
    /// The three meta-tools, as `tools/list` carries them.
    pub tools: [Value; 3],
    /// The instructions, summaries included.
    pub instructions: String,
    /// The summaries alone, for clients that hide instructions.
    pub summaries: String,
}

/// Servers as they are read, each as soon as it is done.
pub type Readings = Pin<Box<dyn Stream<Item = Reading> + Send>>;

/// Finds, describes and calls tools.
#[derive(Debug)]
pub struct Broker {
    library: Arc<Library>,
    pool: Arc<Pool>,
    checker: validate::ArgumentChecker,
    learning: habits::Learning,
}

impl Broker {
    /// A broker over a library and a pool; it starts nothing.
    #[must_use]
    pub fn new(library: Arc<Library>, pool: Arc<Pool>) -> Self {
        Self { library, pool, checker: validate::ArgumentChecker::default(), learning: habits::Learning::default() }
    }

    /// What is known of servers and tools.
    #[must_use]
    pub const fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// What a client sees at start. Depends on the configuration and the catalog alone.
    #[must_use]
    pub fn surface(&self) -> Surface {
        let summaries = self.summaries(self.library.settings().context.summary_tokens);
        Surface { tools: surface::tools(None), instructions: surface::instructions(&summaries), summaries }
    }

    /// One line per enabled server whose name passes, as `write` puts them.
    fn summaries_of(
        &self,
        passes: impl Fn(&ServerName) -> bool,
        write: impl FnOnce(&[SummaryInput<'_>]) -> String,
    ) -> String {
        let catalog = self.library.catalog();
        let enabled = self.library.settings().servers.values().filter(|spec| spec.enabled && passes(&spec.name));
        let inputs: Vec<SummaryInput<'_>> = enabled
            .map(|spec| SummaryInput {
                name: &spec.name,
                summary: spec.summary.as_deref(),
                entry: catalog.servers.get(&spec.name).map(Arc::as_ref),
            })
            .collect();
        write(&inputs)
    }

    /// All enabled servers for the start, in at most `budget` tokens.
    fn summaries(&self, budget: usize) -> String {
        self.summaries_of(|_| true, |servers| summaries::render(servers, budget))
    }

    /// Enabled servers for somebody who asked for them.
    fn list_servers(&self, passes: impl Fn(&ServerName) -> bool) -> String {
        self.summaries_of(passes, |servers| summaries::listing(servers, LISTING_TOKENS))
    }

    /// Reads these servers, several at once. What comes is for [`Library::take`].
    ///
    /// Dropping the stream ends the conversations under way.
    #[must_use]
    pub fn read_servers(&self, connector: Arc<dyn Connect>, specs: Vec<ServerSpec>) -> Readings {
        let catalog = self.library.catalog();
        let era = |(name, entry): (&ServerName, &Arc<crate::catalog::ServerEntry>)| (name.clone(), entry.era);
        let eras: HashMap<ServerName, Era> = catalog.servers.iter().map(era).collect();
        let concurrency = self.library.settings().refresh.concurrency.get();
        let readings = backends::read_all(connector, specs, eras, concurrency);
        Box::pin(readings.map(|(server, outcome)| Reading { server, outcome }))
    }

    /// Carries out a call of a meta-tool, as it came. Whatever goes wrong is a result with `isError`, so that the model
    /// sees it; a protocol error it would not.
    ///
    /// `meta` is what of the request's `_meta` goes on to the backend. Dropping the future cancels the backend's call.
    pub async fn meta_call(
        &self,
        name: &str,
        arguments: Option<Value>,
        meta: JsonObject,
        caller: Arc<dyn Caller>,
    ) -> JsonObject {
        match MetaCall::parse(name, arguments) {
            Ok(MetaCall::Search(request)) => reply::text(&self.search(&request).await.text),
            Ok(MetaCall::Describe(request)) => {
                let answer = self.describe(&request);
                // With one tool found there is something to read; the rest is said beside it.
                if answer.tools.is_empty() { reply::error(&answer.text) } else { reply::text(&answer.text) }
            }
            Ok(MetaCall::Call(request)) => self.call(request, meta, caller).await,
            Err(error) => reply::error(&error.to_string()),
        }
    }
}
