//! The scripted sample servers that `toolcrib demo` starts: real MCP servers over standard streams.
//!
//! Owns twelve small servers of one fictional project: what each offers is data (`fixtures/samples/`), what each does is one
//! file here. They have no clock, no chance, no files and no network, so every reply can be snapshotted. They know
//! nothing of the broker: it must meet them as it meets anyone's server.

mod args;
mod chronicle;
mod code;
mod configuration;
mod council;
mod decisions;
mod fixture;
mod git_workflow;
#[cfg(test)]
mod gold;
mod knowledge;
mod model_forge;
mod orchestrator;
mod personas;
mod protocols;
mod script;
mod server;
mod tasks;
#[cfg(test)]
mod tests;

use std::io;

use rmcp::{
    ServiceExt,
    service::ServerInitializeError,
    transport::{async_rw::AsyncRwTransport, io::stdio_pipes},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::fixture::JsonObject;
use self::{fixture::Fixture, script::Script, server::SampleServer};

/// Why a sample server could not be built or served.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// No sample server has this name.
    #[error("there is no sample server `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The embedded definition of the server is not what its script expects.
    #[error("the definition of sample server `{name}` is broken")]
    Fixture {
        /// The server.
        name: &'static str,
        /// What the reader met.
        #[source]
        source: serde_json::Error,
    },
    /// The embedded input schema of a tool is no JSON Schema.
    #[error("the input schema of sample tool `{name}/{tool}` is broken")]
    Schema {
        /// The server.
        name: &'static str,
        /// Its tool.
        tool: String,
        /// What the compiler of schemas met.
        #[source]
        source: Box<jsonschema::ValidationError<'static>>,
    },
    /// The client opened the conversation with something that is neither `initialize` nor a modern request.
    #[error("sample server `{name}` could not open the conversation with its client")]
    Open {
        /// The server.
        name: &'static str,
        /// What came instead.
        #[source]
        source: Box<ServerInitializeError>,
    },
    /// The task that serves the conversation ended abnormally.
    #[error("sample server `{name}` ended before its client did")]
    Ended {
        /// The server.
        name: &'static str,
        /// How its task ended.
        #[source]
        source: io::Error,
    },
}

impl SampleError {
    /// What a person can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => format!("use one of: {}", names().join(", ")),
            Self::Fixture { name, .. } | Self::Schema { name, .. } => {
                format!("correct `fixtures/samples/{name}.json` and build again")
            }
            Self::Open { .. } => "send `initialize` or `server/discover` first".into(),
            Self::Ended { .. } => "start it again".into(),
        }
    }
}

/// One server: its definition, and what turns the definition's seed into something that answers calls.
struct Sample {
    name: &'static str,
    fixture: &'static str,
    script: fn(Value) -> serde_json::Result<Box<dyn Script>>,
}

macro_rules! samples {
    ($($name:literal => $script:ty),+ $(,)?) => {
        const NAMES: &[&str] = &[$($name),+];
        const SAMPLES: &[Sample] = &[$(Sample {
            name: $name,
            fixture: include_str!(concat!("../../fixtures/samples/", $name, ".json")),
            script: seeded::<$script>,
        }),+];
    };
}

samples! {
    "chronicle" => chronicle::Chronicle,
    "code" => code::Code,
    "config" => configuration::Configuration,
    "council" => council::Council,
    "decisions" => decisions::Decisions,
    "git-workflow" => git_workflow::GitWorkflow,
    "knowledge" => knowledge::Knowledge,
    "model-forge" => model_forge::ModelForge,
    "orchestrator" => orchestrator::Orchestrator,
    "personas" => personas::Personas,
    "protocols" => protocols::Protocols,
    "tasks" => tasks::Tasks,
}

fn seeded<S: Script + DeserializeOwned + 'static>(seed: Value) -> serde_json::Result<Box<dyn Script>> {
    Ok(Box::new(serde_json::from_value::<S>(seed)?))
}

fn sample(name: &str) -> Result<&'static Sample, SampleError> {
    SAMPLES.iter().find(|sample| sample.name == name).ok_or_else(|| SampleError::Unknown { name: name.into() })
}

impl Sample {
    fn fixture(&self) -> Result<Fixture, SampleError> {
        Fixture::read(self.fixture).map_err(|source| SampleError::Fixture { name: self.name, source })
    }

    fn server(&self) -> Result<SampleServer, SampleError> {
        let mut fixture = self.fixture()?;
        let script =
            (self.script)(fixture.seed.take()).map_err(|source| SampleError::Fixture { name: self.name, source })?;
        SampleServer::new(self.name, fixture, script)
    }
}

/// The names of the sample servers, sorted. Each is a valid server name.
#[must_use]
pub const fn names() -> &'static [&'static str] {
    NAMES
}

/// The tools of a sample server as it lists them: raw JSON, every key in its order.
///
/// # Errors
///
/// [`SampleError::Unknown`] when no sample server has this name.
pub fn definitions(name: &str) -> Result<Vec<Value>, SampleError> {
    let fixture = sample(name)?.fixture()?;
    Ok(fixture.tools.into_iter().map(|tool| Value::Object(tool.definition)).collect())
}

/// One call for each tool of a sample server, in the order of its list: the tool's name and arguments with which a fresh server
/// answers without an error.
///
/// # Errors
///
/// [`SampleError::Unknown`] when no sample server has this name.
pub fn examples(name: &str) -> Result<Vec<(String, JsonObject)>, SampleError> {
    let fixture = sample(name)?.fixture()?;
    Ok(fixture.tools.into_iter().map(|tool| (tool.name, tool.example)).collect())
}

/// What a sample server says of itself in `serverInfo.description`.
///
/// # Errors
///
/// [`SampleError::Unknown`] when no sample server has this name.
pub fn description(name: &str) -> Result<String, SampleError> {
    Ok(sample(name)?.fixture()?.description)
}

/// Serves one sample server on this process's standard streams until stdin closes. Nothing but MCP goes to stdout.
///
/// Each process has its own state, seeded anew. Dropping the future ends the conversation.
///
/// # Errors
///
/// [`SampleError::Unknown`] when no sample server has this name, [`SampleError::Open`] when the client does not speak MCP.
pub fn serve_stdio(name: &str) -> futures::future::BoxFuture<'_, Result<(), SampleError>> {
    // Boxed so that the server is compiled here, once, and not again into each program that serves a sample.
    Box::pin(async move {
        let (read, write) = stdio_pipes();
        serve(name, read, write).await
    })
}

/// Serves one sample server on any two streams until the first of them ends: for tests within one process.
///
/// # Errors
///
/// As [`serve_stdio`].
pub async fn serve<R, W>(name: &str, read: R, write: W) -> Result<(), SampleError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let sample = sample(name)?;
    let server = sample.server()?;
    let running = match server.serve(AsyncRwTransport::new_server(read, write)).await {
        Ok(running) => running,
        // A client that leaves before it said anything is no failure: `servers test` and a closed terminal do it.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(source) => return Err(SampleError::Open { name: sample.name, source: Box::new(source) }),
    };
    match running.waiting().await {
        Ok(_reason) => Ok(()),
        Err(source) => Err(SampleError::Ended { name: sample.name, source: source.into() }),
    }
}
