//! `toolcrib demo`: the main job, end to end, on twelve sample servers; no configuration, no network.
//!
//! Everything is real: the sample servers are processes, toolcrib before them is a process, and the conversation is MCP.
//! Only the model is missing; the demo says what one would, and counts what one would pay.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::output::{ExitStatus, Printer};
use crate::{
    backends::{Caller, ClientCapabilities, Connect, Request, Session},
    catalog::RawListing,
    config::{Launch, ResultBudget, ServerSpec, StdioLaunch, ToolFilter},
    economy, samples,
};

/// Longest any step may take. The whole demo takes a few seconds; a hang must still end.
const STEP: Duration = Duration::from_secs(60);

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  toolcrib demo --keep      leaves the configuration behind, to play with")]
pub struct Args {
    /// Keep the demo's configuration and catalog, and say where they are
    #[arg(long)]
    pub keep: bool,
}

/// The demo has no use for progress and logs.
#[derive(Debug)]
struct Deaf;

impl Caller for Deaf {}

/// The stage: a folder with a configuration of the sample servers, and this very program.
struct Stage {
    program: PathBuf,
    folder: PathBuf,
    config: PathBuf,
    data: PathBuf,
}

/// The client's end of a conversation with `toolcrib serve`, which keeps the bill.
struct Client {
    session: Arc<dyn Session>,
}

/// Runs the demo.
///
/// # Errors
/// Where a step fails; that is a fault of the installation or of toolcrib.
pub async fn run(args: &Args, connector: Arc<dyn Connect>, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let begun = Instant::now();
    let (stage, folder) = Stage::set(samples::names())?;
    out.data("toolcrib demo: twelve sample MCP servers of one software team, one broker before them\n")?;

    out.data("1. toolcrib reads the servers' tools once (`toolcrib reindex`); after that none of them runs.")?;
    stage.reindex().await?;
    let direct = direct_costs()?;
    let tools: usize = direct.iter().map(|cost| cost.tools).sum();
    let loaded: usize = direct.iter().map(|cost| cost.tokens).sum();
    out.data(format_args!("   {} servers, {tools} tools; loaded directly they cost {loaded} tokens.\n", direct.len()))?;

    out.data("2. A client starts `toolcrib serve` and lists its tools. This is all that the model sees at start:")?;
    let session = connector
        .connect(&stage.serve_spec()?, None, &ClientCapabilities::none())
        .await
        .context("failed to start `toolcrib serve`")?;
    let client = Client { session };
    let listing = client.session.listing(STEP).await.context("failed to list toolcrib's tools")?;
    let start = surface_tokens(&listing);
    for line in listing.instructions.as_deref().unwrap_or_default().lines() {
        out.data(format_args!("   | {line}"))?;
    }
    let names: Vec<&str> = listing.tools.iter().filter_map(|tool| tool.get("name")?.as_str()).collect();
    out.data(format_args!("   | tools: {}", names.join(", ")))?;
    out.data(format_args!("   = {start} tokens at start\n"))?;

    out.data("3. The model says what it wants in plain words.")?;
    let search = client.step(out, "search_tools", json!({"query": "create a task for a bug and assign it"})).await?;

    out.data("4. A signature without `…` is complete, so the model calls at once. Only now the server starts.")?;
    let arguments = json!({"title": "Map tiles stay blank after waking up", "assignee": "noor", "priority": "high"});
    let call = client.step(out, "call_tool", json!({"tool": "tasks/create_task", "arguments": arguments})).await?;

    out.data("5. A wrong call never reaches the server; the answer teaches the right one.")?;
    let wrong = json!({"tool": "tasks/create_task", "arguments": {"priority": "asap"}});
    client.step(out, "call_tool", wrong).await?;

    out.data("6. One query with two needs finds a tool for each.")?;
    client
        .step(out, "search_tools", json!({"query": "write release notes and record the decision", "limit": 4}))
        .await?;
    client.session.close(Duration::from_secs(5)).await;

    bill(out, &direct, loaded, start, search + call)?;
    out.data(format_args!(
        "\nDone in {:.1} s. Next: `toolcrib import` takes over the servers that you have.",
        begun.elapsed().as_secs_f32()
    ))?;
    if args.keep {
        let kept = folder.keep();
        out.data(format_args!(
            "Kept: try `toolcrib search \"who decided this\" --config {0}/toolcrib.toml --data-dir {0}/data`",
            kept.display()
        ))?;
    }
    Ok(ExitStatus::Success)
}

/// What one server costs when its definitions are loaded directly.
struct DirectCost {
    server: &'static str,
    tools: usize,
    tokens: usize,
}

fn direct_costs() -> anyhow::Result<Vec<DirectCost>> {
    let cost = |server: &&'static str| {
        let tools = samples::definitions(server).with_context(|| format!("sample server `{server}` is broken"))?;
        let tokens = economy::count(&Value::from(tools.clone()).to_string());
        Ok(DirectCost { server, tools: tools.len(), tokens })
    };
    samples::names().iter().map(cost).collect()
}

/// Tokens of what a client puts before the model at start: the tools and the instructions.
fn surface_tokens(listing: &RawListing) -> usize {
    let tools = Value::from(listing.tools.clone()).to_string();
    economy::count(&tools) + economy::count(listing.instructions.as_deref().unwrap_or_default())
}

fn bill(out: &mut Printer, direct: &[DirectCost], loaded: usize, start: usize, task: usize) -> anyhow::Result<()> {
    out.data("What it cost, in o200k_base tokens:\n")?;
    let mut rows: Vec<Vec<String>> = direct
        .iter()
        .map(|cost| vec![cost.server.to_owned(), cost.tools.to_string(), cost.tokens.to_string(), "0".into()])
        .collect();
    let tools: usize = direct.iter().map(|cost| cost.tools).sum();
    rows.push(vec!["at start, all".into(), tools.to_string(), loaded.to_string(), start.to_string()]);
    rows.push(vec!["+ one search, one call".into(), String::new(), loaded.to_string(), (start + task).to_string()]);
    out.table(&["", "tools", "loaded directly", "through toolcrib"], rows, &[1, 2, 3])?;
    let saved = 100.0 - 100.0 * (start + task) as f64 / loaded.max(1) as f64;
    out.data(format_args!(
        "\n{saved:.0} % saved with {} small servers. Real ones are larger: see `toolcrib footprint`.",
        direct.len()
    ))?;
    Ok(())
}

impl Client {
    /// Calls a meta-tool, shows both sides, and gives the tokens that the model wrote and read.
    async fn step(&self, out: &mut Printer, tool: &str, arguments: Value) -> anyhow::Result<usize> {
        let request = Request::call(&tool.parse()?, arguments.as_object().cloned().unwrap_or_default(), STEP);
        let begun = Instant::now();
        let result = self.session.request(request, Arc::new(Deaf)).await.with_context(|| format!("{tool} failed"))?;
        let took = begun.elapsed();
        let text = result.get("content").and_then(|content| content.get(0)?.get("text")?.as_str()).unwrap_or_default();
        ensure!(!text.is_empty(), "{tool} answered without a text");
        let asked = arguments.to_string();
        out.data(format_args!("   > {tool} {asked}"))?;
        for line in text.lines() {
            out.data(format_args!("   | {line}"))?;
        }
        let tokens = economy::count(&asked) + economy::count(text);
        out.data(format_args!("   = {tokens} tokens, {:.1} ms\n", took.as_secs_f64() * 1_000.0))?;
        Ok(tokens)
    }
}

impl Stage {
    fn set(servers: &[&str]) -> anyhow::Result<(Self, TempDir)> {
        let folder = tempfile::Builder::new().prefix("toolcrib-demo-").tempdir().context("failed to make a folder")?;
        let program = env::current_exe().context("failed to find this program")?;
        let config = folder.path().join("toolcrib.toml");
        fs::write(&config, configuration(&program, servers)).context("failed to write the demo's configuration")?;
        let stage = Self { program, config, data: folder.path().join("data"), folder: folder.path().to_path_buf() };
        Ok((stage, folder))
    }

    async fn reindex(&self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("reindex").arg("--config").arg(&self.config).arg("--data-dir").arg(&self.data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(STEP, command.output()).await.context("`toolcrib reindex` hangs")??;
        ensure!(output.status.success(), "`toolcrib reindex` failed:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn serve_spec(&self) -> anyhow::Result<ServerSpec> {
        let text = |path: &Path| path.display().to_string();
        let args = ["serve", "--no-refresh", "--config", &text(&self.config), "--data-dir", &text(&self.data)];
        Ok(ServerSpec {
            name: "toolcrib".parse()?,
            launch: Launch::Stdio(StdioLaunch {
                command: text(&self.program),
                args: args.into_iter().map(Into::into).collect(),
                env: BTreeMap::new(),
                pass_env: Vec::new(),
                cwd: Some(self.folder.clone()),
            }),
            enabled: true,
            summary: None,
            start_timeout: STEP,
            call_timeout: STEP,
            tools: ToolFilter::everything(),
            results: ResultBudget::of_all(None),
            resolved: Vec::new(),
        })
    }
}

fn configuration(program: &Path, servers: &[&str]) -> String {
    let entry = |server: &&str| {
        let command = Value::from(program.display().to_string());
        // A JSON string is a TOML string as well.
        format!("[servers.{server}]\ncommand = {command}\nargs = [\"sample-server\", \"{server}\"]\n")
    };
    servers.iter().map(entry).collect::<Vec<_>>().join("\n")
}
