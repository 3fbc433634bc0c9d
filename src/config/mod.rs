//! Our own configuration file and environment, turned into checked settings with every problem in one report.
//!
//! Knows nothing of other clients' files beyond the shared `mcpServers` shape (those are in `import/`), and starts nothing.

mod docs;
mod duration;
mod edit;
mod env;
mod error;
mod load;
mod locations;
mod mcp_json;
mod problems;
mod raw;
mod schema;
mod server;
mod settings;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

use url::Url;

pub use docs::reference;
pub use edit::{EditError, ServerDraft, add_server, remove_server, set_enabled};
pub use env::{ProcessEnv, Strings};
pub use error::ConfigError;
pub use load::{Loaded, load, load_text};
pub use locations::Locations;
pub use mcp_json::name_from_label;
pub use problems::{BrokenServer, Problem, Problems};
pub use schema::config_schema;
pub use settings::{
    ContextSettings, CribSettings, HttpLaunch, HttpTransport, Launch, OfferSettings, Offered, PoolSettings,
    RefreshSettings, ResultBudget, ResultSettings, SearchSettings, ServerSpec, Settings, StdioLaunch, SummaryPlace,
    ToolFilter,
};
pub(crate) use source::JSON_DIALECT;
pub use write::write_atomically;

/// Whether a command line is toolcrib serving, so that putting it behind toolcrib would make it start itself without end.
#[must_use]
pub fn is_own_entry(command: &str, args: &[String]) -> bool {
    let program = Path::new(command).file_name().and_then(|name| name.to_str()).unwrap_or(command);
    let program = program.strip_suffix(".exe").unwrap_or(program);
    // Other commands of ours, such as the sample servers, end by themselves.
    program.eq_ignore_ascii_case("toolcrib") && (args.is_empty() || args.iter().any(|arg| arg == "serve"))
}

/// Whether an entry is likely to be toolcrib serving over HTTP on this machine: by what it is called, for an address says nothing.
#[must_use]
pub fn is_own_url(label: &str, url: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    label.eq_ignore_ascii_case("toolcrib")
        && host.is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]")
}
