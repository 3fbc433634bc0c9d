//! `toolcrib serve`: the arguments only; serving is `app`'s.

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Standard output carries MCP and nothing else; problems go to standard error.
The catalog on disk answers the start, search and describe. A server starts at its first call.
Servers never read before, or not for long, are read in the background.

With --passthrough it is one server as it is, under its own names: started at its first request, in front of clients
and servers of both eras of the protocol.

Examples:
  toolcrib serve
  toolcrib serve --passthrough github
  toolcrib serve --config .mcp.json")]
pub struct Args {
    /// Read no server in the background; use the catalog as it is
    #[arg(long)]
    pub no_refresh: bool,

    /// Be this one server, its tools under their own names, instead of all of them
    #[arg(long, value_name = "SERVER")]
    pub passthrough: Option<String>,
}
