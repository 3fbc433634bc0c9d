//! Checked settings: what the rest of the program sees of the configuration.
//!
//! Nothing here is optional in the sense of "use the default": defaults are filled in where the raw file is checked.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, time::Duration};

use globset::GlobSet;
use secrecy::SecretString;
use url::Url;

use crate::ids::{ServerName, ToolName};

/// Everything the operator decided, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file these settings came from; `None` where there is none and all is default.
    pub file: Option<PathBuf>,
    /// Every usable server, disabled ones included.
    pub servers: BTreeMap<ServerName, ServerSpec>,
    /// Limits of the pool of live sessions.
    pub pool: PoolSettings,
    /// When and how the catalog is read again.
    pub refresh: RefreshSettings,
    /// Budgets of what enters a model's context.
    pub context: ContextSettings,
}

/// One backend as the operator described it.
#[derive(Debug, Clone)]
pub struct ServerSpec {
    /// The operator's name for it.
    pub name: ServerName,
    /// How to reach it.
    pub launch: Launch,
    /// Whether it takes part at all.
    pub enabled: bool,
    /// The operator's own one-line summary, shown to models instead of anything derived.
    pub summary: Option<String>,
    /// Longest time from starting it to the end of its handshake.
    pub start_timeout: Duration,
    /// Longest time a call may go without an answer or a sign of progress.
    pub call_timeout: Duration,
    /// Which of its tools are offered.
    pub tools: ToolFilter,
    /// Budget of one text result of this server, in o200k_base tokens.
    pub result_tokens: usize,
}

/// How a backend is reached.
#[derive(Debug, Clone)]
pub enum Launch {
    /// A child process that speaks over its standard streams.
    Stdio(StdioLaunch),
    /// An HTTP endpoint.
    Http(HttpLaunch),
}

/// A child process. Started without a shell, in its own process group, with a clean environment.
#[derive(Debug, Clone)]
pub struct StdioLaunch {
    /// Program, looked up in `PATH` when it has no separator.
    pub command: String,
    /// Arguments, as they are.
    pub args: Vec<String>,
    /// Variables added to the clean environment.
    pub env: BTreeMap<String, SecretString>,
    /// Names of variables passed through from toolcrib's own environment, besides the small built-in list.
    pub pass_env: Vec<String>,
    /// Working directory; toolcrib's own when absent.
    pub cwd: Option<PathBuf>,
}

/// An HTTP endpoint.
#[derive(Debug, Clone)]
pub struct HttpLaunch {
    /// Where it is.
    pub url: Url,
    /// Headers sent with every request; values may be secrets.
    pub headers: BTreeMap<String, SecretString>,
    /// Which of the two HTTP transports it speaks.
    pub transport: HttpTransport,
}

/// The HTTP transports of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpTransport {
    /// Try Streamable HTTP, fall back to HTTP+SSE where the endpoint says it does not speak it.
    Detect,
    /// Streamable HTTP.
    Streamable,
    /// HTTP+SSE of 2024-11-05.
    Sse,
}

/// Globs over tool names. A tool is offered when it is included and not excluded.
#[derive(Debug, Clone)]
pub struct ToolFilter {
    /// Only tools that match one of these; `None` is every tool.
    pub include: Option<GlobSet>,
    /// Never tools that match one of these.
    pub exclude: GlobSet,
}

/// Limits of the pool of live sessions.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// Most sessions open at once. The least recently used idle one is closed first.
    pub max_sessions: NonZeroUsize,
    /// A session without a call for this long is closed.
    pub idle_close: Duration,
}

/// When and how the catalog is read again.
#[derive(Debug, Clone)]
pub struct RefreshSettings {
    /// A server's listing older than this is read again in the background.
    pub after: Duration,
    /// Servers read at the same time.
    pub concurrency: NonZeroUsize,
}

/// Budgets of what enters a model's context, in o200k_base tokens.
#[derive(Debug, Clone)]
pub struct ContextSettings {
    /// All server summaries together.
    pub summary_tokens: usize,
    /// One reply of `search_tools`.
    pub search_tokens: usize,
    /// One text result of `call_tool`, unless a server says otherwise.
    pub result_tokens: usize,
}

impl ToolFilter {
    /// Offers every tool.
    #[must_use]
    pub const fn everything() -> Self {
        Self { include: None, exclude: GlobSet::empty() }
    }

    /// Whether the operator offers this tool.
    #[must_use]
    pub fn offers(&self, tool: &ToolName) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(tool.as_str()))
            && !self.exclude.is_match(tool.as_str())
    }
}
