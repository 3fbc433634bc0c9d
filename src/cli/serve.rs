//! `toolcrib serve`: the arguments only; serving is `app`'s.

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Standard output carries MCP and nothing else; problems go to standard error.
The catalog on disk answers the start, search and describe. A server starts at its first call.
Servers never read before, or not for long, are read in the background.

Examples:
  toolcrib serve
  toolcrib serve --config .mcp.json")]
pub struct Args {
    /// Read no server in the background; use the catalog as it is
    #[arg(long)]
    pub no_refresh: bool,
}
