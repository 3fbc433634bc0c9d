//! `toolcrib servers`: list, add, remove, enable, disable and test servers.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde::Serialize;

use super::output::{ExitStatus, Printer};
use crate::{
    backends::{ClientCapabilities, Connect},
    broker::Broker,
    catalog::Health,
    config::{self, Launch, Loaded, ServerDraft},
    ids::ServerName,
};

/// Longest wait for a session to end after a test.
const GRACE: Duration = Duration::from_secs(5);

/// Arguments of `servers`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  toolcrib servers
  toolcrib servers add time -- uvx mcp-server-time
  toolcrib servers add linear --url https://mcp.linear.app/mcp --header 'Authorization=Bearer ${LINEAR_TOKEN}'
  toolcrib servers disable slack
  toolcrib servers test time")]
pub struct Args {
    /// What to do with them; list them when absent
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with servers.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the configured servers with their state
    List {
        /// Print the list as JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a server to toolcrib.toml
    Add(AddArgs),
    /// Remove a server from toolcrib.toml
    Remove {
        /// Which one
        name: String,
    },
    /// Let a server take part again
    Enable {
        /// Which one
        name: String,
    },
    /// Leave a server out, and keep its entry
    Disable {
        /// Which one
        name: String,
    },
    /// Start servers once and say how it goes
    Test {
        /// Which ones; every enabled one when absent
        names: Vec<String>,
    },
}

/// Arguments of `servers add`.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Its name: 1 to 32 of a-z, 0-9, `-` and `_`
    pub name: String,
    /// Program and arguments, after `--`
    #[arg(last = true)]
    pub command: Vec<String>,
    /// Address, for a server that speaks MCP over HTTP
    #[arg(long, conflicts_with = "command")]
    pub url: Option<String>,
    /// A variable for the program, `NAME=VALUE`; write `'NAME=${NAME}'` to keep a secret out of the file
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// An HTTP header, `NAME=VALUE`
    #[arg(long = "header", value_name = "NAME=VALUE")]
    pub headers: Vec<String>,
    /// Working directory of the program
    #[arg(long)]
    pub cwd: Option<String>,
    /// One line that tells a model what it is for
    #[arg(long)]
    pub summary: Option<String>,
}

#[derive(Debug, Serialize)]
struct Listed {
    server: ServerName,
    transport: &'static str,
    launch: String,
    enabled: bool,
    tools: Option<usize>,
    read_seconds_ago: Option<u64>,
    state: String,
}

/// Lists, or carries out an edit of the configuration file.
///
/// # Errors
/// Where the file cannot be edited or the output fails.
pub async fn run(
    args: &Args,
    loaded: &Loaded,
    file: &Path,
    broker: &Broker,
    connector: Arc<dyn Connect>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    match &args.action {
        None => list(args.json, loaded, broker, out),
        Some(Action::List { json }) => list(*json || args.json, loaded, broker, out),
        Some(Action::Add(add)) => {
            let draft = draft(add)?;
            let name: ServerName = add.name.parse()?;
            edit_file(file, |text| config::add_server(text, &name, &draft))?;
            out.say(format_args!("added {} to {}", add.name, file.display()))?;
            out.hint(format_args!(
                "`toolcrib servers test {0}` starts it once, `toolcrib reindex {0}` reads its tools",
                add.name
            ))?;
            Ok(ExitStatus::Success)
        }
        Some(Action::Remove { name }) => {
            let name: ServerName = name.parse()?;
            edit_file(file, |text| config::remove_server(text, &name))?;
            out.say(format_args!("removed {name} from {}", file.display()))?;
            Ok(ExitStatus::Success)
        }
        Some(Action::Enable { name }) => {
            let name: ServerName = name.parse()?;
            edit_file(file, |text| config::set_enabled(text, &name, Switch::On.into()))?;
            out.say(format_args!("{name} takes part again"))?;
            Ok(ExitStatus::Success)
        }
        Some(Action::Disable { name }) => {
            let name: ServerName = name.parse()?;
            edit_file(file, |text| config::set_enabled(text, &name, Switch::Off.into()))?;
            out.say(format_args!("{name} is left out"))?;
            Ok(ExitStatus::Success)
        }
        Some(Action::Test { names }) => test(names, loaded, connector, out).await,
    }
}

/// A `bool` that says at the call what it means.
enum Switch {
    On,
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        matches!(switch, Switch::On)
    }
}

fn list(json: bool, loaded: &Loaded, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let catalog = broker.library().catalog();
    let now = SystemTime::now();
    let listed: Vec<Listed> = loaded
        .settings
        .servers
        .values()
        .map(|spec| {
            let (transport, launch) = match &spec.launch {
                Launch::Stdio(stdio) => {
                    let words = std::iter::once(&stdio.command).chain(&stdio.args).map(String::as_str);
                    ("stdio", words.collect::<Vec<_>>().join(" "))
                }
                Launch::Http(http) => ("http", http.shown_url()),
            };
            let state = match catalog.health.get(&spec.name) {
                _ if !spec.enabled => "disabled".into(),
                Some(Health::Failed { reason, failures, .. }) => format!("failed {failures}x: {reason}"),
                Some(Health::Good { .. }) => "good".into(),
                Some(Health::Unknown) | None => "never read".into(),
            };
            Listed {
                server: spec.name.clone(),
                transport,
                launch,
                enabled: spec.enabled,
                tools: catalog.servers.get(&spec.name).map(|server| server.tools.len()),
                read_seconds_ago: catalog.age(&spec.name, now).map(|age| age.as_secs()),
                state,
            }
        })
        .collect();
    if json {
        out.json(&listed)?;
    } else if !listed.is_empty() {
        let rows = listed.iter().map(|server| {
            let tools = server.tools.map_or_else(|| "-".into(), |tools| tools.to_string());
            let read = server.read_seconds_ago.map_or_else(|| "never".into(), ago);
            vec![server.server.to_string(), tools, read, server.state.clone(), server.launch.clone()]
        });
        out.table(&["server", "tools", "read", "state", "started as"], rows.collect(), &[1])?;
    }
    if listed.is_empty() && loaded.broken.is_empty() {
        out.say("no servers are configured")?;
        out.hint("`toolcrib import --apply` takes over those of your clients, `toolcrib servers add` adds one")?;
        return Ok(ExitStatus::NoMatch);
    }
    Ok(ExitStatus::Success)
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7_199 => format!("{} min ago", seconds / 60),
        7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn draft(add: &AddArgs) -> anyhow::Result<ServerDraft> {
    let mut words = add.command.iter().cloned();
    let command = words.next();
    if command.is_none() && add.url.is_none() {
        bail!("name a program after `--`, or an address with --url");
    }
    Ok(ServerDraft {
        command,
        args: words.collect(),
        env: pairs(&add.env)?,
        cwd: add.cwd.clone(),
        url: add.url.clone(),
        headers: pairs(&add.headers)?,
        summary: add.summary.clone(),
        ..ServerDraft::default()
    })
}

fn pairs(given: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').with_context(|| "a variable or header is written NAME=VALUE")?;
        Ok((name.trim().to_owned(), value.to_owned()))
    };
    given.iter().map(pair).collect()
}

fn edit_file<E: std::error::Error + Send + Sync + 'static>(
    path: &Path,
    change: impl FnOnce(&str) -> Result<String, E>,
) -> anyhow::Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read {}", path.display())),
    };
    if text.trim_start().starts_with('{') {
        bail!("{} is another client's JSON; toolcrib edits only toolcrib.toml", path.display());
    }
    let changed = change(&text).with_context(|| format!("failed to edit {}", path.display()))?;
    config::write_atomically(path, &changed).with_context(|| format!("failed to write {}", path.display()))
}

async fn test(
    names: &[String],
    loaded: &Loaded,
    connector: Arc<dyn Connect>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let mut failed = false;
    if let Some(name) = names.iter().find(|name| !loaded.settings.servers.contains_key(name.as_str())) {
        bail!("no server `{name}` is configured");
    }
    for spec in loaded.settings.servers.values() {
        let chosen = if names.is_empty() { spec.enabled } else { names.iter().any(|name| *name == spec.name.as_str()) };
        if !chosen {
            continue;
        }
        let begun = Instant::now();
        let outcome = match connector.connect(spec, None, &ClientCapabilities::none()).await {
            Ok(session) => {
                let listing = session.listing(spec.start_timeout).await;
                session.close(GRACE).await;
                listing
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(listing) => {
                let seconds = begun.elapsed().as_secs_f32();
                let version = &listing.protocol_version;
                out.data(format_args!(
                    "{}: good, {} tools in {seconds:.1} s ({version})",
                    spec.name,
                    listing.tools.len()
                ))?;
            }
            Err(error) => {
                failed = true;
                out.data(format_args!("{}: {error}", spec.name))?;
                out.hint(error.hint())?;
            }
        }
    }
    Ok(if failed { ExitStatus::Failure } else { ExitStatus::Success })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_a_person_would_use() {
        assert_eq!([5, 300, 10_000, 1_000_000].map(ago), ["5 s ago", "5 min ago", "2 h ago", "11 days ago"]);
    }
}
