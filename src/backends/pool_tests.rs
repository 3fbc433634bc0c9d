//! The pool over a twin of a connector that opens at once, late or never.

use std::sync::{LazyLock, atomic::AtomicBool};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;
use crate::{
    backends::{Caller, Greeting, Notices, Request, Wanted, Watch},
    catalog::{JsonObject, RawListing},
    config::{Launch, StdioLaunch, ToolFilter},
};

#[derive(Debug, Default)]
struct Twin {
    opened: AtomicUsize,
    closed: Arc<AtomicUsize>,
    failing: AtomicBool,
    /// Where set, opening waits for it.
    gate: Option<Notify>,
}

/// What every twin says of itself: nothing.
static GREETING: LazyLock<Greeting> = LazyLock::new(|| Greeting::silent(Era::Legacy));

/// A client that cannot be asked anything.
static NOBODY: LazyLock<ClientCapabilities> = LazyLock::new(ClientCapabilities::none);

#[derive(Debug)]
struct TwinSession {
    over: AtomicBool,
    closed: Arc<AtomicUsize>,
}

#[async_trait]
impl Connect for Twin {
    async fn connect(
        &self,
        spec: &ServerSpec,
        _remembered: Option<Era>,
        _client: &ClientCapabilities,
    ) -> Result<Arc<dyn Session>, BackendError> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        if self.failing.load(Ordering::SeqCst) {
            return Err(BackendError::Handshake { server: spec.name.clone(), reason: "not today".into() });
        }
        Ok(Arc::new(TwinSession { over: AtomicBool::new(false), closed: Arc::clone(&self.closed) }))
    }
}

#[async_trait]
impl Session for TwinSession {
    fn greeting(&self) -> &Greeting {
        &GREETING
    }

    async fn listing(&self, _deadline: Duration) -> Result<RawListing, BackendError> {
        unreachable!("the pool reads no lists")
    }

    async fn request(&self, _request: Request, _caller: Arc<dyn Caller>) -> Result<JsonObject, BackendError> {
        Ok(JsonObject::new())
    }

    async fn watch(&self, wanted: Wanted, _notices: Arc<dyn Notices>) -> Result<Watch, BackendError> {
        Ok(Watch::new(wanted, ()))
    }

    fn is_closed(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn stderr_tail(&self) -> Vec<String> {
        Vec::new()
    }

    async fn close(&self, _grace: Duration) {
        if !self.over.swap(true, Ordering::SeqCst) {
            self.closed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn spec(name: &str) -> ServerSpec {
    ServerSpec {
        name: name.parse().unwrap(),
        launch: Launch::Stdio(StdioLaunch {
            command: "never-run".into(),
            args: Vec::new(),
            env: Default::default(),
            pass_env: Vec::new(),
            cwd: None,
        }),
        enabled: true,
        summary: None,
        start_timeout: Duration::from_secs(1),
        call_timeout: Duration::from_secs(1),
        tools: ToolFilter::everything(),
        results: crate::config::ResultBudget::of_all(None),
        resolved: Vec::new(),
    }
}

fn pool(twin: &Arc<Twin>, max_sessions: usize) -> Pool {
    let connector: Arc<dyn Connect> = Arc::<Twin>::clone(twin);
    let max_sessions = NonZeroUsize::new(max_sessions).unwrap();
    Pool::new(connector, &PoolSettings { max_sessions, idle_close: Duration::ZERO })
}

#[tokio::test]
async fn however_many_wait_a_backend_is_opened_once() {
    let twin = Arc::new(Twin { gate: Some(Notify::new()), ..Twin::default() });
    let (pool, spec) = (pool(&twin, 4), spec("a"));
    let leases = futures::future::join_all((0..20).map(|_| pool.lease(&spec, &NOBODY)));
    let open = async {
        tokio::task::yield_now().await;
        twin.gate.as_ref().unwrap().notify_one();
    };
    let (leases, ()) = tokio::join!(leases, open);
    assert!(leases.iter().all(Result::is_ok));
    assert_eq!(twin.opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn if_the_first_waiter_gives_up_the_next_starts_over() {
    let twin = Arc::new(Twin { gate: Some(Notify::new()), ..Twin::default() });
    let (pool, spec) = (pool(&twin, 4), spec("a"));
    {
        let mut first = Box::pin(pool.lease(&spec, &NOBODY));
        assert!(futures::poll!(&mut first).is_pending());
    }
    twin.gate.as_ref().unwrap().notify_one();
    pool.lease(&spec, &NOBODY).await.unwrap();
    assert_eq!(twin.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_least_recently_used_idle_session_makes_room_and_one_in_use_never_does() {
    let twin = Arc::new(Twin::default());
    let pool = pool(&twin, 2);
    let held = pool.lease(&spec("a"), &NOBODY).await.unwrap();
    drop(pool.lease(&spec("b"), &NOBODY).await.unwrap());
    drop(pool.lease(&spec("c"), &NOBODY).await.unwrap());
    let mut running: Vec<String> = pool.running().iter().map(ToString::to_string).collect();
    running.sort();
    assert_eq!(running, ["a", "c"]);
    assert!(!held.session().is_closed());
    pool.shutdown(Duration::from_secs(1)).await;
    assert_eq!(twin.closed.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_session_that_ended_is_replaced() {
    let twin = Arc::new(Twin::default());
    let (pool, spec) = (pool(&twin, 2), spec("a"));
    let lease = pool.lease(&spec, &NOBODY).await.unwrap();
    lease.session().close(Duration::ZERO).await;
    drop(lease);
    assert!(!pool.lease(&spec, &NOBODY).await.unwrap().session().is_closed());
    assert_eq!(twin.opened.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_backend_that_keeps_failing_is_left_alone_and_says_why() {
    let twin = Arc::new(Twin::default());
    twin.failing.store(true, Ordering::SeqCst);
    let (pool, spec) = (pool(&twin, 2), spec("a"));
    for _ in 0..3 {
        assert!(matches!(pool.lease(&spec, &NOBODY).await, Err(BackendError::Handshake { .. })));
    }
    let resting = pool.lease(&spec, &NOBODY).await.unwrap_err();
    assert!(matches!(resting, BackendError::Resting { failures: 3, .. }), "{resting}");
    assert_eq!(twin.opened.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn idle_sessions_are_closed_and_used_ones_kept() {
    let twin = Arc::new(Twin::default());
    let pool = pool(&twin, 4);
    let held = pool.lease(&spec("a"), &NOBODY).await.unwrap();
    drop(pool.lease(&spec("b"), &NOBODY).await.unwrap());
    pool.close_idle();
    assert_eq!(pool.running().len(), 1);
    assert!(!held.session().is_closed());
}
