//! The MCP server that clients see: search, describe, call, and the errors that teach.
//!
//! Answers search and describe from the catalog on disk; starts a backend only for a call. Names neither the database nor
//! a transport. `Broker` is what the command line uses too, so that `toolcrib search` is what a model gets.

mod all_servers;
mod asides;
mod audience;
mod call;
mod conversation;
mod crib;
mod describe;
mod era;
mod forward;
pub mod front;
mod habits;
mod ledger;
mod library;
mod offers;
mod one_server;
mod parking;
mod pins;
mod relay;
mod reply;
mod request;
mod search;
mod serving;
mod subscriptions;
mod validate;

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use futures::{Stream, StreamExt};
use serde_json::Value;

pub use self::{
    all_servers::AllServers,
    conversation::Conversation,
    describe::DescribeAnswer,
    era::{shaped, shaped_error},
    library::{Library, Reading},
    one_server::OneServer,
    pins::{LeftOutPin, Pins},
    request::{
        CallRequest, DEFAULT_LIMIT, DescribeRequest, MAX_DESCRIBED, MAX_LIMIT, MetaCall, RequestError, SearchRequest,
    },
    search::{FoundTool, SearchAnswer},
};
use crate::{
    backends::{self, Answers, Caller, Connect, Pool},
    catalog::{Era, JsonObject},
    config::ServerSpec,
    economy::{
        summaries::{self, SummaryInput},
        surface,
    },
    ids::ServerName,
    registry::ResultStore,
};

/// Budget of a list of servers that was asked for, in o200k_base tokens: full lines for about 150 of them, names and groups of
/// any number.
const LISTING_TOKENS: usize = 2_000;

/// What a client sees at start.
#[derive(Debug, Clone)]
pub struct Surface {
    /// The three meta-tools, as `tools/list` carries them.
    pub tools: [Value; 3],
    /// The pinned tools behind them.
    pub pins: Vec<Value>,
    /// Whether any server has prompts, and whether any has resources or templates of them.
    pub has_prompts: bool,
    /// See `has_prompts`.
    pub has_resources: bool,
    /// The instructions, summaries included.
    pub instructions: String,
    /// The summaries alone, for clients that hide instructions.
    pub summaries: String,
}

/// What of a client's request concerns the backend besides the arguments.
#[derive(Debug)]
pub struct Hop {
    /// What of the request's `_meta` goes on.
    pub meta: JsonObject,
    /// Who waits.
    pub caller: Arc<dyn Caller>,
    /// What the client answered to the backend's questions, where the request is a retry.
    pub answers: Option<Answers>,
}

impl Hop {
    /// A first request, with nothing but somebody who waits.
    #[must_use]
    pub fn first(caller: Arc<dyn Caller>) -> Self {
        Self { meta: JsonObject::new(), caller, answers: None }
    }
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
    results: ResultStore,
    parking: Arc<parking::Parking>,
    pins: OnceLock<Pins>,
    counting: ledger::Counting,
}

impl Broker {
    /// A broker over a library, a pool and the results that were too long; it starts and opens nothing.
    ///
    /// # Errors
    /// Where the system gives no random numbers.
    pub fn new(library: Arc<Library>, pool: Arc<Pool>, results: ResultStore) -> io::Result<Self> {
        let parking = parking::Parking::new()?;
        Ok(Self {
            library,
            pool,
            checker: validate::ArgumentChecker::default(),
            learning: habits::Learning::default(),
            pins: OnceLock::new(),
            counting: ledger::Counting::default(),
            results,
            parking: Arc::new(parking),
        })
    }

    /// Calls that wait for their clients.
    const fn parking(&self) -> &Arc<parking::Parking> {
        &self.parking
    }

    /// The results that were too long for a model.
    #[must_use]
    pub const fn results(&self) -> &ResultStore {
        &self.results
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
        let pins = self.pins().shown.iter().map(|pin| pin.definition.clone()).collect();
        let catalog = self.library.catalog();
        let mut servers = catalog.servers.values();
        let has_prompts = servers.clone().any(|server| !server.prompts.is_empty());
        let has_resources =
            servers.any(|server| !(server.resources.is_empty() && server.resource_templates.is_empty()));
        let instructions = surface::instructions(&summaries);
        Surface { tools: surface::tools(None), pins, has_prompts, has_resources, instructions, summaries }
    }

    /// One line per enabled server whose name passes, as `write` puts them.
    fn summaries_of(
        &self,
        passes: impl Fn(&ServerName) -> bool,
        write: impl FnOnce(&[SummaryInput<'_>]) -> String,
    ) -> String {
        let catalog = self.library.catalog();
        let inputs: Vec<SummaryInput<'_>> =
            self.summary_inputs(&catalog).into_iter().filter(|server| passes(server.name)).collect();
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
        let eras: HashMap<ServerName, Era> = self.library.eras().into_iter().collect();
        let concurrency = self.library.settings().refresh.concurrency.get();
        let readings = backends::read_all(connector, specs, eras, concurrency);
        Box::pin(readings.map(|(server, outcome)| Reading { server, outcome }))
    }

    /// Carries out a call of a meta-tool or a pinned one, as it came. Whatever goes wrong is a result with `isError`, so that the model
    /// sees it; a protocol error it would not.
    ///
    /// Dropping the future cancels the backend's call.
    pub async fn meta_call(
        &self,
        name: &str,
        arguments: Option<Value>,
        hop: Hop,
        conversation: &Conversation,
    ) -> JsonObject {
        let parsed = match self.pins().named(name) {
            Some(pin) => CallRequest::of_pin(name, &pin.id, arguments).map(MetaCall::Call),
            None => MetaCall::parse(name, arguments),
        };
        match parsed {
            Ok(MetaCall::Search(request)) => reply::text(&self.search(&request, conversation).await.text),
            Ok(MetaCall::Describe(request)) => {
                let answer = self.describe(&request, conversation);
                // With one tool found there is something to read; the rest is said beside it.
                if answer.tools.is_empty() { reply::error(&answer.text) } else { reply::text(&answer.text) }
            }
            Ok(MetaCall::Call(request)) => self.call(request, hop, conversation).await,
            Err(error) => reply::error(&error.to_string()),
        }
    }
}
