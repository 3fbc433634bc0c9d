//! The command line: one file per command; only `output` prints.
//!
//! Commands take what they need as arguments; `app` builds it. None of them names a database, an index or a transport.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueHint};

pub mod call;
pub mod completions;
pub mod demo;
pub mod describe;
pub mod doctor;
pub mod eval;
pub mod footprint;
pub mod habits;
pub mod import;
pub mod install;
mod measured;
pub mod output;
pub mod reindex;
pub mod schema;
pub mod search;
pub mod serve;
pub mod servers;
pub mod uninstall;
pub mod usage;

/// One MCP server in front of all of your MCP servers.
///
/// The model sees three tools and one line per server; it searches in plain words, gets signatures it can call, and calls.
/// Nothing else enters its context, and no server runs until its first call.
#[derive(Debug, Parser)]
#[command(name = "toolcrib", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// Configuration: a toolcrib.toml, or any client's JSON with `mcpServers` [default: the user's toolcrib.toml]
    #[arg(long, global = true, value_name = "FILE", env = "TOOLCRIB_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Folder of the registry and the search index [default: the user's data folder, one per configuration]
    #[arg(long, global = true, value_name = "DIR", env = "TOOLCRIB_DATA_DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// What to log to standard error, like `toolcrib=debug`
    #[arg(long, global = true, value_name = "FILTER", env = "TOOLCRIB_LOG")]
    pub log: Option<String>,
    /// Log to this file instead of standard error
    #[arg(long, global = true, value_name = "FILE", env = "TOOLCRIB_LOG_FILE", value_hint = ValueHint::FilePath)]
    pub log_file: Option<PathBuf>,
}

/// What toolcrib can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve MCP over standard input and output; this is what a client starts
    Serve(serve::Args),
    /// Read the tools of every server (or the named ones) into the catalog
    Reindex(reindex::Args),
    /// Search the catalog, exactly as a model would
    Search(search::Args),
    /// Show what a model is told of a tool
    Describe(describe::Args),
    /// Call a tool, exactly as a model would
    Call(call::Args),
    /// List, add, remove, enable, disable and test servers
    Servers(servers::Args),
    /// Take over the servers that other clients have configured
    Import(import::Args),
    /// Put toolcrib into a client's configuration
    Install(install::Args),
    /// Take toolcrib back out of a client's configuration
    Uninstall(uninstall::Args),
    /// Show what your servers cost in tokens, loaded directly and through toolcrib
    Footprint(footprint::Args),
    /// Show what conversations really read, by server and tool, and which servers are unused
    Usage(usage::Args),
    /// Show what was learned from use, or forget it
    Habits(habits::Args),
    /// Find out what is wrong and what to do about it
    Doctor(doctor::Args),
    /// Watch toolcrib work on twelve sample servers; needs no configuration
    Demo(demo::Args),
    /// Measure the search on a set of tools and queries
    Eval(eval::Args),
    /// Print a JSON Schema of what toolcrib reads
    Schema(schema::Args),
    /// Print a completion script for your shell
    Completions(completions::Args),
    /// Run one of the demo's sample servers
    #[command(hide = true)]
    SampleServer {
        /// Which one
        name: String,
    },
}

const EXAMPLES: &str = "\
Examples:
  toolcrib demo                                  see it work, without any configuration
  toolcrib import --apply                        take over the servers of your clients
  toolcrib reindex                               read their tools
  toolcrib install claude-code                   put toolcrib into Claude Code
  toolcrib search \"open a pull request\"          what a model would find
  toolcrib serve --config .mcp.json              use a project's servers as they are

Exit codes: 0 done · 1 failed · 2 wrong command line or configuration · 3 nothing found · 4 the called tool answered with an error";
