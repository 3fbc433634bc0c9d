//! Builds and wires everything; the only file that knows every room.

mod serving;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::runtime;

use crate::{
    backends::{Connect, Connector, Pool},
    broker::{Broker, Library},
    cli::{
        self, Cli, Command, Global,
        output::{ExitStatus, Printer},
    },
    config::{self, Loaded, Locations, ProcessEnv, Settings},
    import::ClientHomes,
    registry::{Registry, ResultLimits, ResultStore},
    samples, telemetry,
};

/// How long calls that still run at the end may take to finish, and backends to end.
const GRACE: Duration = Duration::from_secs(5);

/// Everything that most commands need.
struct App {
    loaded: Loaded,
    locations: Locations,
    pool: Arc<Pool>,
    connector: Arc<dyn Connect>,
    broker: Arc<Broker>,
}

/// Runs the program; gives its exit status.
#[must_use]
pub fn main(cli: Cli) -> ExitStatus {
    let mut out = Printer::standard();
    let outcome = start(&cli.global)
        .and_then(|()| runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime"))
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(cli, &mut out));
            // A blocked read of standard input must not hold up the end.
            runtime.shutdown_timeout(Duration::from_millis(200));
            outcome
        });
    outcome.unwrap_or_else(|error| failed(&error, &mut out))
}

fn start(global: &Global) -> anyhow::Result<()> {
    telemetry::start(global.log.as_deref(), global.log_file.as_deref()).context("failed to open the log file")
}

/// Says why a command failed. A reader that closed the pipe early has what it wanted.
fn failed(error: &anyhow::Error, out: &mut Printer) -> ExitStatus {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        kind == Some(std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitStatus::Success;
    }
    // Standard error may be closed as well; then nobody can be told.
    let _ = out.say(format_args!("error: {error:#}"));
    let usage = error.chain().any(<dyn std::error::Error>::is::<config::ConfigError>);
    if usage { ExitStatus::Usage } else { ExitStatus::Failure }
}

async fn run(cli: Cli, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let Cli { global, command } = cli;
    match command {
        Command::SampleServer { name } => {
            samples::serve_stdio(&name).await?;
            Ok(ExitStatus::Success)
        }
        Command::Completions(args) => cli::completions::run(&args, out),
        Command::Schema(args) => {
            cli::schema::run(&args, out.data_stream())?;
            Ok(ExitStatus::Success)
        }
        Command::Eval(args) => {
            cli::eval::run(&args, out.data_stream())?;
            Ok(ExitStatus::Success)
        }
        Command::Import(args) => cli::import::run(&args, &homes()?, &locations(&global)?.config_file, out),
        Command::Install(args) => cli::install::run(&args, &homes()?, global.config.as_deref(), out),
        Command::Uninstall(args) => cli::uninstall::run(&args, &homes()?, out),
        Command::Demo(args) => cli::demo::run(&args, Arc::new(Connector::default()), out).await,
        Command::Serve(args) => {
            let app = App::build(&global, out)?;
            for pin in &app.broker.pins().left_out {
                out.say(format_args!("note: {pin}"))?;
            }
            serving::serve(app, &args, out).await
        }
        Command::Reindex(args) => {
            with_app(&global, out, async |app, out| {
                cli::reindex::run(&args, &app.broker, Arc::clone(&app.connector), out).await
            })
            .await
        }
        Command::Search(args) => {
            with_app(&global, out, async |app, out| cli::search::run(&args, &app.broker, out).await).await
        }
        Command::Describe(args) => {
            with_app(&global, out, async |app, out| cli::describe::run(&args, &app.broker, out)).await
        }
        Command::Call(args) => {
            with_app(&global, out, async |app, out| cli::call::run(&args, &app.broker, out).await).await
        }
        Command::Footprint(args) => {
            with_app(&global, out, async |app, out| cli::footprint::run(&args, &app.broker, out).await).await
        }
        Command::Usage(args) => {
            with_app(&global, out, async |app, out| cli::usage::run(&args, &app.broker, out).await).await
        }
        Command::Habits(args) => {
            with_app(&global, out, async |app, out| cli::habits::run(&args, &app.broker, out).await).await
        }
        Command::Servers(args) => {
            with_app(&global, out, async |app, out| {
                let connector = Arc::clone(&app.connector);
                cli::servers::run(&args, &app.loaded, &app.locations.config_file, &app.broker, connector, out).await
            })
            .await
        }
        Command::Doctor(args) => {
            with_app(&global, out, async |app, out| {
                let places = cli::doctor::Places {
                    config: app.loaded.settings.file.clone(),
                    data_dir: app.locations.data_dir.clone(),
                };
                let connector = Arc::clone(&app.connector);
                cli::doctor::run(&args, &app.loaded, &places, &app.broker, connector, out).await
            })
            .await
        }
    }
}

/// Runs a command over the built parts and takes them down in order.
async fn with_app(
    global: &Global,
    out: &mut Printer,
    command: impl AsyncFnOnce(&App, &mut Printer) -> anyhow::Result<ExitStatus>,
) -> anyhow::Result<ExitStatus> {
    let app = App::build(global, out)?;
    let status = command(&app, out).await;
    app.close().await;
    status
}

impl App {
    /// Opens files; starts and serves nothing.
    fn build(global: &Global, out: &mut Printer) -> anyhow::Result<Self> {
        let locations = locations(global)?;
        let loaded = locations.load(&ProcessEnv)?;
        for broken in &loaded.broken {
            out.say(format_args!("server `{}` is left out:\n{}", broken.name, broken.problems))?;
        }
        for note in &loaded.notes {
            out.say(format_args!("note: {note}"))?;
        }
        let settings = Arc::new(loaded.settings.clone());
        let connector: Arc<dyn Connect> = Arc::new(Connector::default());
        let pool = Arc::new(Pool::new(Arc::clone(&connector), &settings.pool));
        let library = open_library(&settings, &locations.data_dir, out)?;
        pool.remember(library.eras());
        let limits = ResultLimits { keep_for: settings.results.keep_for, max_bytes: settings.results.max_bytes };
        let results = ResultStore::new(&locations.data_dir, limits);
        let broker = Arc::new(Broker::new(Arc::new(library), Arc::clone(&pool), results)?);
        Ok(Self { loaded, locations, pool, connector, broker })
    }

    async fn close(self) {
        self.pool.shutdown(GRACE).await;
        self.broker.library().registry().close().await;
    }
}

/// Opens the registry and reads the catalog. A damaged registry is moved aside, nothing of it deleted, and a new one begun:
/// what it held can be read again from the servers.
fn open_library(settings: &Arc<Settings>, data_dir: &Path, out: &mut Printer) -> anyhow::Result<Library> {
    let open = || {
        let registry = Arc::new(Registry::open(data_dir)?);
        Library::open(Arc::clone(settings), registry, data_dir.join("index"))
    };
    let opened = match open() {
        Err(error) if error.is_damage() => {
            out.say(format_args!("warning: {error}"))?;
            if let Some(aside) = Registry::set_aside(data_dir).context("failed to move the damaged registry aside")? {
                out.say(format_args!("it is kept as {}, and a new one begun", aside.display()))?;
            }
            out.hint("`toolcrib reindex` reads the servers again")?;
            open()
        }
        opened => opened,
    };
    opened.map_err(|error| {
        let hint = error.hint();
        anyhow::Error::new(error).context(format!("failed to open the registry ({hint})"))
    })
}

fn locations(global: &Global) -> anyhow::Result<Locations> {
    Ok(Locations::find(global.config.as_deref(), global.data_dir.as_deref(), &ProcessEnv)?)
}

fn homes() -> anyhow::Result<ClientHomes> {
    ClientHomes::of_this_user().context("failed to find your home folder")
}
