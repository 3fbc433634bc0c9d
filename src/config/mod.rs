//! Our own configuration file and environment, turned into checked settings with every problem in one report.
//!
//! Knows nothing of other clients' files beyond the shared `mcpServers` shape (those are in `import/`), and starts nothing.

mod settings;

pub use settings::{
    ContextSettings, HttpLaunch, HttpTransport, Launch, PoolSettings, RefreshSettings, ServerSpec, Settings,
    StdioLaunch, ToolFilter,
};
