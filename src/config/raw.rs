//! The configuration as it is written: one type per section, whose doc comments are the documentation of its keys.
//!
//! The schema (`schemas/config.schema.json`), the documentation (`docs/configuration.md`) and the comparison of a file with
//! both are made from these types; bounds and defaults stand here and nowhere else. No type here has a `Debug`, because
//! they hold secrets as written.

use std::{collections::BTreeMap, num::NonZeroUsize, ops::RangeInclusive, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    duration::RawDuration,
    problems::{KeyPath, Problems},
    settings::{
        ContextSettings, CribSettings, OfferSettings, Offered, PoolSettings, RefreshSettings, ResultSettings,
        SearchSettings, SummaryPlace,
    },
};
use crate::ids::ToolId;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// Bounds of `start_timeout`.
pub(super) const START_TIMEOUT: RangeInclusive<Duration> = SECOND..=Duration::from_secs(1_800);
/// Bounds of `call_timeout`.
pub(super) const CALL_TIMEOUT: RangeInclusive<Duration> = SECOND..=DAY;
const IDLE_CLOSE: RangeInclusive<Duration> = SECOND..=Duration::from_secs(7 * 86_400);
const KEEP_FOR: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(365 * 86_400);
/// Most pinned tools. Each costs its whole definition in every session, and some clients take no more than 40 tools in all.
const MAX_PINS: usize = 32;
const REFRESH_AFTER: RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(365 * 86_400);

/// The configuration of toolcrib.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "toolcrib.toml")]
pub(super) struct RawConfig {
    /// The MCP servers behind toolcrib. The name is yours to choose (`[a-z0-9][a-z0-9_-]{0,31}`); a tool is then called
    /// `name/tool`.
    #[schemars(extend("propertyNames" = { "pattern": "^[a-z0-9][a-z0-9_-]{0,31}$" }))]
    pub servers: BTreeMap<String, RawServer>,
    /// Limits of the sessions that are open at the same time.
    pub pool: RawPool,
    /// When and how the lists of tools are read again.
    pub refresh: RawRefresh,
    /// Budgets of what enters a model's context, in `o200k_base` tokens.
    pub context: RawContext,
    /// How tools are found.
    pub search: RawSearch,
    /// Results that were longer than their budget, kept whole on this machine so that the model can read on.
    pub results: RawResults,
    /// What of the servers is offered to clients besides tools.
    pub offer: RawOffer,
    /// The tools of toolcrib's own server `crib`. A model finds them by search; they cost nothing until then.
    pub crib: RawCrib,
}

/// One server: a program that speaks over its standard streams (`command`), or an HTTP endpoint (`url`).
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawServer {
    /// Program to start, looked up in `PATH` when it has no `/`. It is started without a shell. A relative path starts at
    /// the folder of this file.
    pub command: Option<String>,
    /// Arguments of the program, one element for each word.
    pub args: Vec<String>,
    /// Variables for the program. Its environment is clean otherwise, but for a short list such as `PATH` and `HOME`.
    pub env: BTreeMap<String, String>,
    /// Names of variables to pass on from toolcrib's own environment.
    pub pass_env: Vec<String>,
    /// Working directory of the program. A relative path starts at the folder of this file.
    pub cwd: Option<String>,
    /// Where an HTTP server is.
    pub url: Option<String>,
    /// Headers to send with every HTTP request.
    pub headers: BTreeMap<String, String>,
    /// How to talk to it. Detected when absent: `command` is `"stdio"`; a `url` is tried as Streamable HTTP (`"http"`),
    /// then as the older HTTP+SSE (`"sse"`).
    pub transport: Option<RawTransport>,
    /// One line that tells a model what the server is for, shown instead of anything derived from its tools.
    pub summary: Option<String>,
    /// Whether the server takes part at all.
    pub enabled: bool,
    /// Longest time from the start to the end of the handshake.
    pub start_timeout: RawDuration,
    /// Longest time a call may go without an answer or a sign of progress.
    pub call_timeout: RawDuration,
    /// Which of its tools are offered.
    pub tools: RawTools,
    /// Budget of one text result of this server, in `o200k_base` tokens, at least 200. 0 is none: its results pass exactly as they
    /// come. What `context.result_tokens` says when absent.
    #[schemars(range(max = 10_000_000))]
    pub result_tokens: Option<u32>,
    /// Budgets of single tools of this server, by name, as `result_tokens`.
    #[schemars(inner(range(max = 10_000_000)))]
    pub tool_result_tokens: BTreeMap<String, u32>,
}

/// Globs (`*`, `?`, `[ab]`, `{a,b}`) over the names of tools.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTools {
    /// Only tools that match one of these. Empty: every tool.
    pub include: Vec<String>,
    /// Never tools that match one of these, included or not.
    pub exclude: Vec<String>,
}

/// How to talk to a server.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawTransport {
    Stdio,
    Http,
    Sse,
}

/// Limits of the sessions that are open at the same time.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPool {
    /// Most sessions open at once. The least recently used idle one is closed first.
    #[schemars(range(min = 1, max = 1_024))]
    max_sessions: u32,
    /// A session without a call for this long is closed. Its tools stay searchable.
    idle_close: RawDuration,
}

/// When and how the lists of tools are read again.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRefresh {
    /// A list older than this is read again in the background while toolcrib serves.
    after: RawDuration,
    /// Servers read at the same time.
    #[schemars(range(min = 1, max = 64))]
    concurrency: u32,
}

/// Budgets of what enters a model's context, in `o200k_base` tokens.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawContext {
    /// All server summaries together, which every session starts with.
    #[schemars(range(min = 50, max = 20_000))]
    summary_tokens: u32,
    /// Where a model reads the server summaries: in the `"instructions"`, in the description of `"search_tools"`, or in
    /// `"both"`, which costs twice. `"auto"` takes the instructions, but for clients that are known not to show them.
    summaries: RawSummaryPlace,
    /// One reply of `search_tools`.
    #[schemars(range(min = 100, max = 20_000))]
    search_tokens: u32,
    /// One text result of `call_tool`. What is over it is kept, and the model is told how to read on.
    #[schemars(range(min = 200, max = 10_000_000))]
    result_tokens: u32,
    /// Tools, as `server/tool`, that every session starts with, beside the three: with their whole definition, called without
    /// a search. At most 32. `toolcrib footprint --suggest-pins` names those that use would have repaid.
    pin: Vec<String>,
}

/// Results that were longer than their budget.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawResults {
    /// A kept result is overwritten after this long.
    keep_for: RawDuration,
    /// Room for all kept results together, in MiB; the oldest go first. One result may take a quarter.
    #[schemars(range(min = 1, max = 100_000))]
    max_mib: u32,
}

/// What of the servers is offered to clients besides tools. It comes from the catalog; no server is started for it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawOffer {
    /// Prompts, as `server/name`. Clients show them to people, so they cost the model nothing.
    prompts: bool,
    /// Resources, as `crib://server/` before their own address. `"auto"`: to every client but those that give the model tools of
    /// their own once there are resources; `"always"`; `"never"`.
    resources: RawWhether,
}

/// Whether something is offered.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawWhether {
    Auto,
    Always,
    Never,
}

/// The tools of toolcrib's own server.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCrib {
    /// `crib/read_result` reads on in a result that was cut. Without it no result is kept.
    read_result: bool,
    /// `crib/status` says which servers run and which fail.
    status: bool,
    /// `crib/refresh` reads the lists of tools again.
    refresh: bool,
    /// `crib/history` says what the conversation searched and called. Kept in memory only.
    history: bool,
}

/// Where a model reads the server summaries.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSummaryPlace {
    Auto,
    Instructions,
    SearchTools,
    Both,
}

/// How tools are found.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSearch {
    /// Whether a search ranks a tool higher that was called after a search like it. Kept on this machine only: plain words
    /// of the search and the tool's name, never arguments. `toolcrib habits` shows and erases it.
    learn: bool,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            pass_env: Vec::new(),
            cwd: None,
            url: None,
            headers: BTreeMap::new(),
            transport: None,
            summary: None,
            enabled: true,
            // Real Python servers take 10 s and more to start on a busy machine.
            start_timeout: RawDuration::new("60s"),
            call_timeout: RawDuration::new("5m"),
            tools: RawTools::default(),
            result_tokens: None,
            tool_result_tokens: BTreeMap::new(),
        }
    }
}

impl Default for RawPool {
    fn default() -> Self {
        Self { max_sessions: 8, idle_close: RawDuration::new("10m") }
    }
}

impl Default for RawRefresh {
    fn default() -> Self {
        Self { after: RawDuration::new("24h"), concurrency: 4 }
    }
}

impl Default for RawContext {
    fn default() -> Self {
        Self {
            summary_tokens: 400,
            summaries: RawSummaryPlace::Auto,
            search_tokens: 500,
            result_tokens: 8_000,
            pin: Vec::new(),
        }
    }
}

impl Default for RawSearch {
    fn default() -> Self {
        Self { learn: true }
    }
}

impl Default for RawResults {
    fn default() -> Self {
        Self { keep_for: RawDuration::new("24h"), max_mib: 256 }
    }
}

impl Default for RawOffer {
    fn default() -> Self {
        Self { prompts: true, resources: RawWhether::Auto }
    }
}

impl RawOffer {
    pub(super) const fn check(self) -> OfferSettings {
        OfferSettings {
            prompts: self.prompts,
            resources: match self.resources {
                RawWhether::Auto => Offered::WhereFree,
                RawWhether::Always => Offered::Always,
                RawWhether::Never => Offered::Never,
            },
        }
    }
}

impl Default for RawCrib {
    fn default() -> Self {
        Self { read_result: true, status: true, refresh: true, history: true }
    }
}

impl RawResults {
    pub(super) fn check(self, at: &KeyPath, problems: &mut Problems) -> ResultSettings {
        ResultSettings {
            keep_for: self.keep_for.check(&at.key("keep_for"), &KEEP_FOR, problems),
            max_bytes: u64::from(self.max_mib) << 20,
        }
    }
}

impl RawCrib {
    pub(super) const fn check(self) -> CribSettings {
        CribSettings {
            read_result: self.read_result,
            status: self.status,
            refresh: self.refresh,
            history: self.history,
        }
    }
}

impl RawSearch {
    pub(super) const fn check(self) -> SearchSettings {
        SearchSettings { learn: self.learn }
    }
}

impl RawPool {
    pub(super) fn check(self, at: &KeyPath, problems: &mut Problems) -> PoolSettings {
        PoolSettings {
            max_sessions: at_least_one(self.max_sessions),
            idle_close: self.idle_close.check(&at.key("idle_close"), &IDLE_CLOSE, problems),
        }
    }
}

impl RawRefresh {
    pub(super) fn check(self, at: &KeyPath, problems: &mut Problems) -> RefreshSettings {
        RefreshSettings {
            after: self.after.check(&at.key("after"), &REFRESH_AFTER, problems),
            concurrency: at_least_one(self.concurrency),
        }
    }
}

impl RawContext {
    /// Whether a pinned tool exists is not known here: its server may never have been read.
    pub(super) fn check(self, at: &KeyPath, problems: &mut Problems) -> ContextSettings {
        let at = at.key("pin");
        if self.pin.len() > MAX_PINS {
            let reason = format!("names {} tools; at most {MAX_PINS} can be pinned", self.pin.len());
            problems.add(&at, reason, "keep those that nearly every session calls; search finds the others");
        }
        let mut pin: Vec<ToolId> = Vec::new();
        for (index, name) in self.pin.iter().enumerate() {
            match name.parse::<ToolId>() {
                Ok(id) if pin.contains(&id) => {}
                Ok(id) => pin.push(id),
                Err(error) => {
                    let remedy = "name one tool of one server, like \"github/create_issue\"";
                    problems.add_value(&at.index(index), format_args!("{name:?}"), error.to_string(), remedy);
                }
            }
        }
        ContextSettings {
            summary_tokens: self.summary_tokens as usize,
            summaries: match self.summaries {
                RawSummaryPlace::Auto => SummaryPlace::Auto,
                RawSummaryPlace::Instructions => SummaryPlace::Instructions,
                RawSummaryPlace::SearchTools => SummaryPlace::SearchTools,
                RawSummaryPlace::Both => SummaryPlace::Both,
            },
            search_tokens: self.search_tokens as usize,
            result_tokens: self.result_tokens as usize,
            pin,
        }
    }
}

/// The schema's lower bound has already refused zero.
fn at_least_one(number: u32) -> NonZeroUsize {
    NonZeroUsize::new(number as usize).unwrap_or(NonZeroUsize::MIN)
}
