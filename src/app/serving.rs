//! `serve`: one client over standard streams, or many over HTTP, and what goes on beside them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use anyhow::Context;
use futures::StreamExt;
use rmcp::transport::io::stdio_pipes;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{App, GRACE};
use crate::{
    backends::{Connect, Pool},
    broker::{
        AllServers, Broker, Conversation, OneServer, Surface,
        front::{self, Front},
    },
    cli::{
        self,
        output::{ExitStatus, Printer},
    },
    config::{ProcessEnv, Strings},
    economy,
    http::{self, Fronts, Limits, Service, Token},
    ids::ServerName,
    shutdown,
};

/// Sets the token of HTTP clients, for service managers and the like.
const TOKEN_VARIABLE: &str = "TOOLCRIB_HTTP_TOKEN";

/// Serves until the client hangs up, or the process is asked to stop.
pub(super) async fn serve(app: App, args: &cli::serve::Args, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let stop = CancellationToken::new();
    let beside = Arc::new(Beside::new(&app, args, stop.clone()));
    let surface = app.broker.surface();
    let front = match &args.passthrough {
        None => Front::new(Arc::new(AllServers::new(Arc::clone(&app.broker), &surface))),
        Some(name) => one_server(&app.broker, name).with_context(|| no_such_server(&app.broker, name))?,
    };
    let served = match args.http {
        None => {
            let conversation = Arc::new(Conversation::local());
            let opened = || beside.opened(args.passthrough.is_none().then_some(&surface));
            let serving = front::stdio::serve(front, conversation, stdio_pipes(), stop.clone(), opened);
            until_asked_to_stop(serving, &stop).await
        }
        Some(address) => {
            let places = Arc::new(Places { front, surface, beside: Arc::clone(&beside) });
            serve_http(&app, address, args.new_token, places, &stop, out).await
        }
    };
    stop.cancel();
    beside.end().await;
    app.close().await;
    served.map(|()| ExitStatus::Success)
}

/// Serves HTTP until the process is asked to stop, and lets open requests end.
async fn serve_http(
    app: &App,
    address: SocketAddr,
    new_token: bool,
    places: Arc<Places>,
    stop: &CancellationToken,
    out: &mut Printer,
) -> anyhow::Result<()> {
    // Before the token: where nobody can be served, none is made.
    let listener = TcpListener::bind(address).await.with_context(|| format!("failed to listen at {address}"))?;
    let address = listener.local_addr()?;
    let token = token(app, address, new_token, out)?;
    let serving = http::serve(listener, Service::new(places, token, Limits::default()), stop.clone());
    out.say(format_args!("listening on http://{address}/mcp"))?;
    until_asked_to_stop(serving, stop).await
}

/// Serves until it ends by itself or the process is asked to stop; then it is told, and lets go of what it does.
async fn until_asked_to_stop(
    serving: impl Future<Output = std::io::Result<()>>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // First, so that signals are caught before anybody is served.
        biased;
        asked = shutdown::requested() => {
            stop.cancel();
            serving.await.context("serving ended abnormally")?;
            asked.context("failed to listen for signals")
        }
        served = serving.as_mut() => served.context("serving ended abnormally"),
    }
}

/// The operator's token, or the one of the data folder; a new one is shown.
fn token(app: &App, address: SocketAddr, anew: bool, out: &mut Printer) -> anyhow::Result<Token> {
    if let Some(chosen) = ProcessEnv.get(TOKEN_VARIABLE).filter(|chosen| !chosen.is_empty()) {
        anyhow::ensure!(!anew, "{TOKEN_VARIABLE} sets the token; `--new-token` makes none while it does");
        return Token::chosen(&chosen).with_context(|| format!("{TOKEN_VARIABLE} cannot be used"));
    }
    let (token, made) = Token::kept(&app.locations.data_dir, anew)?;
    if let Some(made) = made {
        out.say(format_args!(
            "A token for HTTP clients was made. It is shown this once:\n\n  {made}\n\n\
             Clients send it as a header, like\n  \
             claude mcp add --transport http toolcrib http://{address}/mcp --header \"Authorization: Bearer {made}\"\n\n\
             `toolcrib serve --http --new-token` makes another, and ends this one.\n"
        ))?;
    }
    Ok(token)
}

/// What is served over HTTP.
#[derive(Debug)]
struct Places {
    front: Front,
    surface: Surface,
    beside: Arc<Beside>,
}

impl Fronts for Places {
    fn front(&self, server: Option<&ServerName>) -> Option<Front> {
        match server {
            None => Some(self.front.clone()),
            Some(name) => one_server(&self.beside.broker, name.as_str()),
        }
    }

    fn opened(&self, server: Option<&ServerName>) {
        self.beside.opened(server.is_none().then_some(&self.surface));
    }
}

/// One server as it is.
fn one_server(broker: &Arc<Broker>, name: &str) -> Option<Front> {
    OneServer::new(Arc::clone(broker), name).map(|server| Front::new(Arc::new(server)))
}

fn no_such_server(broker: &Broker, name: &str) -> String {
    let enabled = broker.library().settings().servers.values().filter(|spec| spec.enabled);
    let names: Vec<&str> = enabled.map(|spec| spec.name.as_str()).collect();
    format!("there is no server `{name}` that takes part; there are: {}", names.join(", "))
}

/// What goes on beside serving.
#[derive(Debug)]
struct Beside {
    broker: Arc<Broker>,
    pool: Arc<Pool>,
    connector: Arc<dyn Connect>,
    refreshes: bool,
    /// The one server that is served, if not all are.
    only: Option<String>,
    has_begun: AtomicBool,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Beside {
    fn new(app: &App, args: &cli::serve::Args, stop: CancellationToken) -> Self {
        Self {
            broker: Arc::clone(&app.broker),
            pool: Arc::clone(&app.pool),
            connector: Arc::clone(&app.connector),
            refreshes: !args.no_refresh,
            only: args.passthrough.clone(),
            has_begun: AtomicBool::new(false),
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// A client begins a conversation. With the first one begins what goes on beside, so that the start itself shares the machine with
    /// nothing.
    /// `seen` is what a model sees of all servers; one server's own face costs what it costs without us.
    fn opened(&self, seen: Option<&Surface>) {
        if let Some(surface) = seen {
            self.broker.begin_conversation(surface);
        }
        if self.has_begun.swap(true, Ordering::Relaxed) {
            return;
        }
        self.tasks.spawn_blocking(economy::warm_up);
        let (pool, stop) = (Arc::clone(&self.pool), self.stop.clone());
        self.tasks.spawn(async move { stop.run_until_cancelled(pool.watch_idle()).await });
        let broker = Arc::clone(&self.broker);
        self.tasks.spawn(async move {
            if let Err(error) = broker.results().forget_expired().await {
                warn!(error = %error, "old results could not be forgotten");
            }
        });
        if self.refreshes {
            let (broker, connector, stop) = (Arc::clone(&self.broker), Arc::clone(&self.connector), self.stop.clone());
            let only = self.only.clone();
            self.tasks.spawn(async move { stop.run_until_cancelled(refresh(broker, connector, only)).await });
        }
    }

    /// Waits for the end of what goes on beside; `stop` must be cancelled by then.
    async fn end(&self) {
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            warn!(
                grace_ms = GRACE.as_millis(),
                "the background reading was still running at the end of the grace period"
            );
        }
    }
}

/// Reads the servers that were never read, or not for long; `only` this one, if one is named.
async fn refresh(broker: Arc<Broker>, connector: Arc<dyn Connect>, only: Option<String>) {
    let library = broker.library();
    let mut due = library.due(SystemTime::now());
    due.retain(|spec| only.as_ref().is_none_or(|only| spec.name.as_str() == only));
    if due.is_empty() {
        return;
    }
    info!(servers = due.len(), "reading servers in the background");
    let mut readings = broker.read_servers(connector, due);
    while let Some(reading) = readings.next().await {
        let server = reading.server.clone();
        if let Err(error) = library.take(reading, SystemTime::now()).await {
            warn!(server.name = %server, error = %error, "what the server answered could not be stored");
        }
    }
    if let Err(error) = library.index().await {
        warn!(error = %error, "the search index could not be built");
    }
}
