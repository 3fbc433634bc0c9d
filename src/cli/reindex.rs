//! `toolcrib reindex`: reads servers' tools into the catalog and says who is missing and why.

use std::{
    io::IsTerminal,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, bail};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::output::{ExitStatus, Printer};
use crate::{backends::Connect, broker::Broker, config::ServerSpec, ids::ServerName};

/// Arguments of `reindex`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Fails (exit code 1) only where no server could be read.

Examples:
  toolcrib reindex
  toolcrib reindex github linear")]
pub struct Args {
    /// Only these servers
    pub servers: Vec<String>,
    /// Print what became of each server as JSON
    #[arg(long)]
    pub json: bool,
}

/// Reads servers.
///
/// # Errors
/// Where a named server is not configured, or the registry or the output fails.
pub async fn run(
    args: &Args,
    broker: &Broker,
    connector: Arc<dyn Connect>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let library = broker.library();
    let specs = chosen(&args.servers, broker)?;
    if specs.is_empty() {
        out.say("no servers are configured")?;
        out.hint("`toolcrib import --apply` takes over those of your clients, `toolcrib servers add` adds one")?;
        return Ok(ExitStatus::NoMatch);
    }
    let begun = Instant::now();
    let bar = progress_bar(specs.len(), !args.json && out.is_watched() && std::io::stderr().is_terminal());
    let mut readings = broker.read_servers(connector, specs);
    let (mut report, mut read, mut missing) = (Vec::new(), 0_usize, Vec::new());
    while let Some(reading) = readings.next().await {
        bar.set_message(reading.server.to_string());
        bar.inc(1);
        let server = reading.server.clone();
        match &reading.outcome {
            Ok(listing) => {
                read += 1;
                report.push(json!({"server": server, "tools": listing.tools.len(), "notes": listing.notes}));
            }
            Err(error) => {
                report.push(json!({"server": server, "error": error.to_string(), "hint": error.hint()}));
                missing.push((server, error.to_string(), error.hint()));
            }
        }
        library.take(reading, SystemTime::now()).await.context("failed to write the registry")?;
    }
    bar.finish_and_clear();
    library.index().await.context("failed to build the search index")?;
    if args.json {
        report.sort_by_key(|entry| entry["server"].to_string());
        out.json(&report)?;
    } else {
        summarize(broker, read, &missing, begun.elapsed(), out)?;
    }
    Ok(if read == 0 { ExitStatus::Failure } else { ExitStatus::Success })
}

fn chosen(names: &[String], broker: &Broker) -> anyhow::Result<Vec<ServerSpec>> {
    let servers = &broker.library().settings().servers;
    if names.is_empty() {
        return Ok(servers.values().filter(|spec| spec.enabled).cloned().collect());
    }
    let mut specs = Vec::new();
    for name in names {
        match servers.get(name.as_str()) {
            Some(spec) => specs.push(spec.clone()),
            None => {
                let known: Vec<&str> = servers.keys().map(ServerName::as_str).collect();
                bail!("no server `{name}` is configured; there are {}", known.join(", "));
            }
        }
    }
    Ok(specs)
}

fn summarize(
    broker: &Broker,
    read: usize,
    missing: &[(ServerName, String, String)],
    took: Duration,
    out: &mut Printer,
) -> anyhow::Result<()> {
    let catalog = broker.library().catalog();
    let tools: usize = catalog.servers.values().map(|server| server.tools.len()).sum();
    out.say(format_args!(
        "read {read} of {} servers in {:.1} s; the catalog has {tools} tools of {} servers",
        read + missing.len(),
        took.as_secs_f32(),
        catalog.servers.len()
    ))?;
    for (server, error, hint) in missing {
        let stale = if catalog.servers.contains_key(server) { " (its tools of before stay searchable)" } else { "" };
        out.say(format_args!("missing: {server}: {error}{stale}"))?;
        out.hint(hint)?;
    }
    for (name, server) in &catalog.servers {
        for quarantined in &server.quarantined {
            out.say(format_args!("left out: {name}/{}: {}", quarantined.name, quarantined.reason))?;
        }
    }
    Ok(())
}

fn progress_bar(length: usize, shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    // The template is ours and tested by use; a bar without it would still count.
    if let Ok(style) = ProgressStyle::with_template("reading servers {bar:30} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}
