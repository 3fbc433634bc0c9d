//! Checked settings: what the rest of the program sees of the configuration.
//!
//! Nothing here is optional in the sense of "use the default": defaults are filled in where the raw file is checked.
//! Nothing here shows a secret when it is printed for debugging.

use std::{collections::BTreeMap, fmt, num::NonZeroUsize, path::PathBuf, time::Duration};

use globset::GlobSet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Shorter values are no credentials, and hiding `1` or `debug` would make every other line unreadable.
const MIN_SECRET_BYTES: usize = 8;

use crate::ids::{ServerName, ToolId, ToolName};

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
    /// How tools are found.
    pub search: SearchSettings,
    /// How long results that were too long are kept.
    pub results: ResultSettings,
    /// What is offered besides tools.
    pub offer: OfferSettings,
    /// Which tools of toolcrib's own server are offered.
    pub crib: CribSettings,
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
    /// Budgets of its results.
    pub results: ResultBudget,
    /// Values that came from the environment into places that are no secrets by nature: arguments, the url, the
    /// command, the working directory; and the values of `pass_env`. Kept for [`ServerSpec::secrets`] only.
    pub resolved: Vec<SecretString>,
}

/// How much of a server's text results reaches a model, in o200k_base tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultBudget {
    /// For every tool that has none of its own; `None` where results pass as they come.
    pub general: Option<usize>,
    /// For single tools, likewise.
    pub tools: BTreeMap<ToolName, Option<usize>>,
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
#[derive(Clone)]
pub struct StdioLaunch {
    /// Program, looked up in `PATH` when it has no separator, else an absolute path.
    pub command: String,
    /// Arguments, as they are. They may hold credentials.
    pub args: Vec<String>,
    /// Variables added to the clean environment.
    pub env: BTreeMap<String, SecretString>,
    /// Names of variables passed through from toolcrib's own environment, besides the small built-in list.
    pub pass_env: Vec<String>,
    /// Working directory; toolcrib's own when absent.
    pub cwd: Option<PathBuf>,
}

/// An HTTP endpoint.
#[derive(Clone)]
pub struct HttpLaunch {
    /// Where it is. It may hold credentials: show [`HttpLaunch::shown_url`] instead.
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
    /// Where a model reads them.
    pub summaries: SummaryPlace,
    /// One reply of `search_tools`.
    pub search_tokens: usize,
    /// One text result of `call_tool`, unless a server says otherwise.
    pub result_tokens: usize,
    /// Tools that are advertised with their whole definition beside the three, in this order, each once.
    pub pin: Vec<ToolId>,
}

/// How long results that were too long are kept, and how many.
#[derive(Debug, Clone, Copy)]
pub struct ResultSettings {
    /// A result is forgotten after this long.
    pub keep_for: Duration,
    /// All kept results together, in bytes.
    pub max_bytes: u64,
}

/// What of the servers is offered besides tools.
#[derive(Debug, Clone, Copy)]
pub struct OfferSettings {
    /// Prompts.
    pub prompts: bool,
    /// Resources and their templates.
    pub resources: Offered,
}

/// To which clients something is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// To those whose model it costs nothing.
    WhereFree,
    /// To all.
    Always,
    /// To none.
    Never,
}

/// Which tools of toolcrib's own server are offered.
#[derive(Debug, Clone, Copy)]
pub struct CribSettings {
    /// Reading on in results; without it none is kept.
    pub read_result: bool,
    /// The state of the servers.
    pub status: bool,
    /// Reading servers again.
    pub refresh: bool,
    /// What the conversation did.
    pub history: bool,
}

/// Where a model reads the server summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryPlace {
    /// In the instructions, but for clients that are known not to show them.
    Auto,
    /// In the instructions.
    Instructions,
    /// In the description of `search_tools`.
    SearchTools,
    /// In both, which is paid for twice.
    Both,
}

/// How tools are found.
#[derive(Debug, Clone)]
pub struct SearchSettings {
    /// Whether a search ranks a tool higher that was called after a search like it.
    pub learn: bool,
}

impl ResultBudget {
    /// The same for every tool.
    #[must_use]
    pub const fn of_all(tokens: Option<usize>) -> Self {
        Self { general: tokens, tools: BTreeMap::new() }
    }

    /// Budget of one result of a tool; `None` where its results pass as they come.
    #[must_use]
    pub fn of(&self, tool: &ToolName) -> Option<usize> {
        self.tools.get(tool).copied().unwrap_or(self.general)
    }
}

impl ServerSpec {
    /// Every value of this server that may be a credential, longest first, so that one inside another is found whole.
    /// For taking them out of what the server or the way to it says.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretString> {
        let mut found: Vec<String> = self.resolved.iter().map(|value| value.expose_secret().to_owned()).collect();
        match &self.launch {
            Launch::Stdio(launch) => found.extend(launch.env.values().map(|value| value.expose_secret().to_owned())),
            Launch::Http(launch) => {
                for value in launch.headers.values().map(ExposeSecret::expose_secret) {
                    // A server that echoes `Authorization` mostly drops the scheme.
                    found.extend(value.split_once(' ').map(|(_, credentials)| credentials.to_owned()));
                    found.push(value.to_owned());
                }
                found.extend(launch.url.password().map(str::to_owned));
                found.extend(launch.url.query_pairs().map(|(_, value)| value.into_owned()));
                found.extend(launch.url.query().map(str::to_owned));
            }
        }
        // What a server prints arrives line by line, so a value of several lines is sought line by line.
        let mut lines: Vec<String> =
            found.iter().flat_map(|value| value.lines()).map(|line| line.trim().to_owned()).collect();
        lines.retain(|line| line.len() >= MIN_SECRET_BYTES);
        lines.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        lines.dedup();
        lines.into_iter().map(SecretString::from).collect()
    }
}

impl HttpLaunch {
    /// Scheme and host, which no credential can be part of. Paths and queries of real servers hold keys.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let origin = self.url.origin().ascii_serialization();
        if self.url.path() == "/" && self.url.query().is_none() { origin } else { format!("{origin}/…") }
    }
}

impl fmt::Debug for StdioLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioLaunch")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env)
            .field("pass_env", &self.pass_env)
            .field("cwd", &self.cwd)
            .finish()
    }
}

impl fmt::Debug for HttpLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLaunch")
            .field("url", &format_args!("{}", self.shown_url()))
            .field("headers", &self.headers)
            .field("transport", &self.transport)
            .finish()
    }
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
