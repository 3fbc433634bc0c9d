//! Connections: taken, bounded in number and time, and ended in order.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    Service,
    guard::Known,
    limits::Limits,
    routes::{self, Shared},
};

/// Longest head of a request, in bytes, and most headers in it.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

/// Pause after the system could give no connection, for want of files for instance.
const PAUSE: Duration = Duration::from_millis(100);

/// What a client gets when there is no room, whatever it asks.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Serves until `stop` is cancelled: then nobody comes in any more, and what is open may end within [`Limits::grace`].
///
/// # Errors
/// Where the listener is not bound to this machine alone, or has no address.
pub async fn serve(listener: TcpListener, service: Service, stop: CancellationToken) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "only addresses of this machine alone are served"));
    }
    let limits = service.limits.clone();
    let shared = Arc::new(Shared::new(service, address.port(), stop.clone()));
    let connections = Connections::new(&limits);
    let router = routes::router(&shared);
    let mut sweeps = time::interval(limits.session_idle.min(limits.kept_for).max(Duration::from_millis(10)));
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = sweeps.tick() => {
                shared.sessions.sweep();
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => connections.take(stream, &router, &stop),
            Err(error) => {
                warn!(error = %error, "a connection could not be taken");
                let _ = stop.run_until_cancelled(time::sleep(PAUSE)).await;
            }
        }
    }
    drop(listener);
    shared.sessions.hang_up();
    connections.end(limits.grace).await;
    shared.sessions.end();
    shared.tasks.close();
    if time::timeout(limits.grace, shared.tasks.wait()).await.is_err() {
        warn!(grace_ms = limits.grace.as_millis(), "requests still ran at the end of the grace period");
    }
    Ok(())
}

/// The open connections.
struct Connections {
    most: usize,
    head_time: Duration,
    /// By their order of arrival.
    open: Arc<Mutex<Open>>,
    tasks: TaskTracker,
    cut: CancellationToken,
}

#[derive(Default)]
struct Open {
    next: u64,
    all: BTreeMap<u64, Connection>,
}

struct Connection {
    known: Known,
    gives_way: CancellationToken,
}

impl Connections {
    fn new(limits: &Limits) -> Self {
        Self {
            most: limits.connections,
            head_time: limits.head_time,
            open: Arc::default(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
        }
    }

    /// Serves a connection. Where there are too many, the oldest over which nobody has shown the token gives way: whoever only holds
    /// connections open keeps nobody out.
    fn take(&self, stream: TcpStream, router: &Router, stop: &CancellationToken) {
        let (known, gives_way) = (Known::default(), CancellationToken::new());
        let number = {
            let mut open = lock(&self.open);
            if open.all.len() >= self.most {
                let stranger = open.all.iter().find(|(_, other)| !other.known.is()).map(|(number, _)| *number);
                let Some(stranger) = stranger.and_then(|number| open.all.remove(&number)) else {
                    debug!("a connection was refused: all others are in use");
                    // Best effort: nobody waits for a client that does not read.
                    let _ = stream.try_write(NO_ROOM);
                    return;
                };
                stranger.gives_way.cancel();
            }
            let number = open.next;
            open.next += 1;
            open.all.insert(number, Connection { known: known.clone(), gives_way: gives_way.clone() });
            number
        };
        let serving = self.converse(stream, router, known, stop.clone());
        let (open, cut) = (Arc::clone(&self.open), self.cut.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = serving => {}
                () = gives_way.cancelled() => {}
                () = cut.cancelled() => {}
            }
            lock(&open).all.remove(&number);
        });
    }

    /// One connection until its end.
    fn converse(
        &self,
        stream: TcpStream,
        router: &Router,
        known: Known,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(known.clone());
            let answer = router.call(request);
            async move { answer.await as Result<Response, _> }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.head_time)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS);
        async move {
            // Small messages go out at once. A socket without this is only slower.
            let _ = stream.set_nodelay(true);
            let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(error = %error, "a connection broke off");
            }
        }
    }

    /// Waits for the end of all connections, and cuts what is left after `grace`.
    async fn end(&self, grace: Duration) {
        self.tasks.close();
        if time::timeout(grace, self.tasks.wait()).await.is_err() {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
