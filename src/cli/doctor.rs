//! `toolcrib doctor`: what is wrong and what to do about it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures::{StreamExt, stream};
use serde::Serialize;

use super::output::{ExitStatus, Printer};
use crate::{
    backends::{ClientCapabilities, Connect},
    broker::Broker,
    config::{Loaded, ServerSpec},
};

/// Longest wait for a session to end after a check.
const GRACE: Duration = Duration::from_secs(5);

/// Lines of a server's standard error shown with a failed start.
const LAST_LINES: usize = 5;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Checks the configuration, the folders, the catalog, the search index, and starts each server once.

Examples:
  toolcrib doctor
  toolcrib doctor github")]
pub struct Args {
    /// Start only these servers
    pub servers: Vec<String>,
    /// Start no server
    #[arg(long)]
    pub offline: bool,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// Where toolcrib keeps its files.
#[derive(Debug, Clone)]
pub struct Places {
    /// The configuration file, if there is one.
    pub config: Option<PathBuf>,
    /// Folder of registry and index.
    pub data_dir: PathBuf,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
struct Finding {
    what: String,
    good: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    fn good(what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { what: what.into(), good: true, detail: detail.into(), remedy: None }
    }

    fn bad(what: impl Into<String>, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), good: false, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}

/// Looks at everything.
///
/// # Errors
/// Where the output fails.
pub async fn run(
    args: &Args,
    loaded: &Loaded,
    places: &Places,
    broker: &Broker,
    connector: Arc<dyn Connect>,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let mut findings = configuration(loaded, places);
    findings.extend(folder(&places.data_dir));
    findings.extend(catalog(broker).await);
    findings.extend(pins(broker));
    if !args.offline {
        let wanted = |spec: &&ServerSpec| {
            if args.servers.is_empty() {
                spec.enabled
            } else {
                args.servers.iter().any(|name| *name == spec.name.as_str())
            }
        };
        let specs: Vec<ServerSpec> = loaded.settings.servers.values().filter(wanted).cloned().collect();
        let concurrency = loaded.settings.refresh.concurrency.get();
        let checks = stream::iter(specs).map(|spec| start(spec, Arc::clone(&connector)));
        findings.extend(checks.buffered(concurrency).collect::<Vec<_>>().await);
    }
    for name in args.servers.iter().filter(|name| !loaded.settings.servers.contains_key(name.as_str())) {
        findings.push(Finding::bad(name.as_str(), "is not configured", "`toolcrib servers` lists what is"));
    }
    report(args, &findings, out)
}

fn report(args: &Args, findings: &[Finding], out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let bad = findings.iter().filter(|finding| !finding.good).count();
    if args.json {
        out.json(&findings)?;
    } else {
        for finding in findings {
            let mark = if finding.good { "ok " } else { "BAD" };
            out.data(format_args!("{mark} {}: {}", finding.what, finding.detail.replace('\n', "\n      ")))?;
            if let Some(remedy) = &finding.remedy {
                out.data(format_args!("      {remedy}"))?;
            }
        }
        let verdict = if bad == 0 {
            "nothing is wrong".into()
        } else {
            format!("{bad} of {} checks found a fault", findings.len())
        };
        out.say(verdict)?;
    }
    Ok(if bad == 0 { ExitStatus::Success } else { ExitStatus::Failure })
}

fn configuration(loaded: &Loaded, places: &Places) -> Vec<Finding> {
    let enabled = loaded.settings.servers.values().filter(|spec| spec.enabled).count();
    let mut findings = match &places.config {
        Some(path) => {
            vec![Finding::good("configuration", format!("{}: {enabled} servers take part", path.display()))]
        }
        None => vec![Finding::bad(
            "configuration",
            "there is none",
            "`toolcrib import --apply` takes over the servers of your clients",
        )],
    };
    for broken in &loaded.broken {
        findings.push(Finding::bad(
            format!("servers.{}", broken.name),
            format!("is left out:\n{}", broken.problems),
            "correct the configuration file",
        ));
    }
    findings
}

fn folder(path: &Path) -> Vec<Finding> {
    let what = "data folder";
    let probe = path.join(".doctor");
    let finding = match fs::create_dir_all(path).and_then(|()| fs::write(&probe, b"")) {
        Ok(()) => {
            // The probe is empty; one that stays harms nobody.
            let _ = fs::remove_file(&probe);
            Finding::good(what, path.display().to_string())
        }
        Err(error) => Finding::bad(
            what,
            format!("{} cannot be written ({error})", path.display()),
            "give yourself the right to write there, or name another folder with --data-dir",
        ),
    };
    let mut findings = vec![finding];
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o077 != 0 {
            let remedy = format!("chmod 700 {}", path.display());
            findings.push(Finding::bad(what, "others on this machine can read it", remedy));
        }
    }
    findings
}

async fn catalog(broker: &Broker) -> Vec<Finding> {
    let library = broker.library();
    let catalog = library.catalog();
    let tools: usize = catalog.servers.values().map(|server| server.tools.len()).sum();
    let due = library.due(SystemTime::now());
    let mut findings = vec![Finding::good("catalog", format!("{tools} tools of {} servers", catalog.servers.len()))];
    let never: Vec<&str> =
        due.iter().filter(|spec| !catalog.servers.contains_key(&spec.name)).map(|spec| spec.name.as_str()).collect();
    if !never.is_empty() {
        findings.push(Finding::bad(
            "catalog",
            format!("never read: {}", never.join(", ")),
            "`toolcrib reindex` reads them",
        ));
    }
    for (name, server) in &catalog.servers {
        for quarantined in &server.quarantined {
            let detail = format!("left out: {}", quarantined.reason);
            let remedy = "tell the author of the server; its other tools work";
            findings.push(Finding::bad(format!("{name}/{}", quarantined.name), detail, remedy));
        }
    }
    let begun = Instant::now();
    findings.push(match library.index().await {
        Ok(_) => {
            let time = begun.elapsed().as_millis();
            Finding::good("search index", format!("ready in {time} ms, ranks by {}", toolcrib_index::RANKING))
        }
        Err(error) => Finding::bad("search index", error.to_string(), "`toolcrib reindex` builds it anew"),
    });
    findings
}

fn pins(broker: &Broker) -> Vec<Finding> {
    let pins = broker.pins();
    let mut findings = Vec::new();
    if !pins.shown.is_empty() {
        let names: Vec<String> = pins.shown.iter().map(|pin| format!("{} as {}", pin.id, pin.name)).collect();
        findings.push(Finding::good("pinned tools", names.join(", ")));
    }
    let left_out = pins.left_out.iter();
    findings.extend(left_out.map(|pin| Finding::bad(format!("pinned tool {}", pin.id), &pin.reason, &pin.remedy)));
    findings
}

async fn start(spec: ServerSpec, connector: Arc<dyn Connect>) -> Finding {
    let begun = Instant::now();
    let session = match connector.connect(&spec, None, &ClientCapabilities::none()).await {
        Ok(session) => session,
        Err(error) => return Finding::bad(spec.name.as_str(), error.to_string(), error.hint()),
    };
    let started = begun.elapsed();
    let listing = session.listing(spec.start_timeout).await;
    let stderr = session.stderr_tail();
    session.close(GRACE).await;
    match listing {
        Ok(listing) => {
            let mut detail = format!(
                "started in {:.1} s ({}), {} tools",
                started.as_secs_f32(),
                listing.protocol_version,
                listing.tools.len()
            );
            for note in &listing.notes {
                detail.push_str("\nnote: ");
                detail.push_str(note);
            }
            Finding::good(spec.name.as_str(), detail)
        }
        Err(error) => {
            let last = stderr.iter().rev().take(LAST_LINES).rev().map(|line| format!("\nstderr: {line}"));
            Finding::bad(spec.name.as_str(), format!("{error}{}", last.collect::<String>()), error.hint())
        }
    }
}
