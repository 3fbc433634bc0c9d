//! A few live sessions: opened once however many wait, closed when idle or when room is needed, never while in use.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use lru::LruCache;
use tokio::{
    sync::{OnceCell, watch},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    BackendError, ClientCapabilities, Connect, Session,
    breaker::{Admit, Breaker},
};
use crate::{
    catalog::Era,
    config::{PoolSettings, ServerSpec},
    ids::ServerName,
};

/// How long a session that is retired may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// Live sessions of backends, most recently used kept.
///
/// Dropping the pool cuts its sessions; [`Pool::shutdown`] ends them properly.
#[derive(Debug)]
pub struct Pool {
    connector: Arc<dyn Connect>,
    settings: PoolSettings,
    state: Mutex<State>,
    /// Counts sessions that were opened, for whoever waits for one.
    opened: watch::Sender<u64>,
    /// Sessions that are being closed, and the idle watch.
    tasks: TaskTracker,
    stopping: CancellationToken,
}

#[derive(Debug)]
struct State {
    slots: LruCache<Key, Arc<Slot>>,
    breakers: HashMap<ServerName, Breaker>,
    eras: HashMap<ServerName, Era>,
}

/// Which session: a backend with a handshake is told once what its client can be asked, so clients that differ in that do not share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    server: ServerName,
    client: ClientCapabilities,
}

/// A place for one session, empty until its first lease.
#[derive(Debug)]
struct Slot {
    session: OnceCell<Arc<dyn Session>>,
    /// Leases held. Counted under the state's lock when taken, so that eviction cannot come between.
    leases: AtomicUsize,
    last_used: Mutex<Instant>,
}

/// The right to use a session. Its slot is not closed while a lease is held; dropping it gives the right back.
#[derive(Debug)]
pub struct Lease {
    session: Arc<dyn Session>,
    _hold: Hold,
}

/// Counts one user of a slot for as long as it lives, also while the session is still being opened.
#[derive(Debug)]
struct Hold(Arc<Slot>);

impl Hold {
    fn take(slot: &Arc<Slot>) -> Self {
        slot.leases.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(slot))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *self.0.last_used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.leases.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Lease {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &Arc<dyn Session> {
        &self.session
    }
}

impl Slot {
    fn new() -> Self {
        Self { session: OnceCell::new(), leases: AtomicUsize::new(0), last_used: Mutex::new(Instant::now()) }
    }

    fn is_free(&self) -> bool {
        self.leases.load(Ordering::Acquire) == 0
    }

    fn is_over(&self) -> bool {
        self.session.get().is_some_and(|session| session.is_closed())
    }

    fn idle_for(&self) -> Duration {
        self.last_used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Pool {
    /// A pool that opens its sessions with `connector`. Opens nothing and starts nothing.
    #[must_use]
    pub fn new(connector: Arc<dyn Connect>, settings: &PoolSettings) -> Self {
        let state = State { slots: LruCache::unbounded(), breakers: HashMap::new(), eras: HashMap::new() };
        Self {
            connector,
            settings: settings.clone(),
            state: Mutex::new(state),
            opened: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }
    }

    /// What opens the sessions; for conversations outside of the pool, such as reading lists.
    #[must_use]
    pub const fn connector(&self) -> &Arc<dyn Connect> {
        &self.connector
    }

    /// Tells the pool which era each backend spoke last time, so that the first connect need not try.
    pub fn remember(&self, eras: impl IntoIterator<Item = (ServerName, Era)>) {
        self.state().eras.extend(eras);
    }

    /// A session with the backend for a client that can be asked this: the live one, or a new one. However many ask at once, it is opened once; if the first
    /// gives up, the next starts over. A backend that failed too often answers [`BackendError::Resting`] at once.
    ///
    /// Dropping the future gives up the wait; an opening that nobody waits for any more is cut.
    ///
    /// # Errors
    /// Where the backend rests or cannot be opened within its start timeout.
    pub async fn lease(&self, spec: &ServerSpec, client: &ClientCapabilities) -> Result<Lease, BackendError> {
        let (slot, hold, era) = self.touch(spec, client)?;
        let is_first = !slot.session.initialized();
        let opened = slot.session.get_or_try_init(|| self.open(spec, era, client)).await;
        match opened {
            Ok(session) => {
                let lease = Lease { session: Arc::clone(session), _hold: hold };
                if is_first {
                    self.opened.send_modify(|count| *count += 1);
                }
                Ok(lease)
            }
            Err(error) => Err(error),
        }
    }

    /// The live session with a backend, for a client that can be asked this; opens none.
    #[must_use]
    pub fn live(&self, server: &ServerName, client: &ClientCapabilities) -> Option<Lease> {
        let key = Key { server: server.clone(), client: client.clone() };
        let state = self.state();
        // Looking is no use: the order of use stays.
        let slot = state.slots.peek(&key).filter(|slot| !slot.is_over())?;
        Some(Lease { session: Arc::clone(slot.session.get()?), _hold: Hold::take(slot) })
    }

    /// As [`Self::live`]; waits until somebody has it opened.
    ///
    /// Dropping the future stops the wait.
    pub async fn wait_for(&self, server: &ServerName, client: &ClientCapabilities) -> Lease {
        let mut opened = self.opened.subscribe();
        loop {
            opened.borrow_and_update();
            if let Some(lease) = self.live(server, client) {
                return lease;
            }
            // The sender lives as long as the pool.
            let _ = opened.changed().await;
        }
    }

    /// Reports how a call went, so that a session that ends under calls counts against its backend.
    pub fn note(&self, server: &ServerName, outcome: Result<(), &BackendError>) {
        let mut state = self.state();
        let breaker = state.breakers.entry(server.clone()).or_default();
        match outcome {
            Ok(()) => breaker.succeeded(),
            Err(error) if error.counts_against_health() => breaker.failed(Instant::now(), error.in_short()),
            Err(_) => {}
        }
    }

    /// Names of the backends that have a live session now.
    #[must_use]
    pub fn running(&self) -> Vec<ServerName> {
        let state = self.state();
        let live = state.slots.iter().filter(|(_, slot)| slot.session.initialized() && !slot.is_over());
        let mut names: Vec<ServerName> = live.map(|(key, _)| key.server.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Closes sessions that were idle for too long; call it now and then, see [`Pool::watch_idle`].
    pub fn close_idle(&self) {
        let idle = self.settings.idle_close;
        let old: Vec<Arc<Slot>> = {
            let mut state = self.state();
            let stale = |slot: &Slot| slot.is_free() && (slot.is_over() || slot.idle_for() >= idle);
            let keys: Vec<Key> =
                state.slots.iter().filter(|(_, slot)| stale(slot)).map(|(key, _)| key.clone()).collect();
            keys.iter().filter_map(|key| state.slots.pop(key)).collect()
        };
        for slot in old {
            self.retire(slot);
        }
    }

    /// Closes idle sessions until the pool is shut down.
    ///
    /// Dropping the future stops the watch.
    pub async fn watch_idle(&self) {
        // A quarter of the limit keeps a session at most a quarter longer than asked.
        let mut beat = time::interval((self.settings.idle_close / 4).max(Duration::from_millis(100)));
        while self.stopping.run_until_cancelled(beat.tick()).await.is_some() {
            self.close_idle();
        }
    }

    /// Ends every session and waits for all of them, `grace` at most for each.
    ///
    /// Dropping the future leaves the rest to the sessions' own drop, which kills.
    pub async fn shutdown(&self, grace: Duration) {
        self.stopping.cancel();
        let slots: Vec<Arc<Slot>> = {
            let mut state = self.state();
            let mut slots = Vec::with_capacity(state.slots.len());
            while let Some((_, slot)) = state.slots.pop_lru() {
                slots.push(slot);
            }
            slots
        };
        for slot in slots {
            self.tasks.spawn(close(slot, grace));
        }
        self.tasks.close();
        // Each close keeps its grace; the margin is for the scheduler.
        let _ = time::timeout(grace + Duration::from_secs(1), self.tasks.wait()).await;
    }

    async fn open(
        &self,
        spec: &ServerSpec,
        era: Option<Era>,
        client: &ClientCapabilities,
    ) -> Result<Arc<dyn Session>, BackendError> {
        let outcome = self.connector.connect(spec, era, client).await;
        let mut state = self.state();
        let breaker = state.breakers.entry(spec.name.clone()).or_default();
        match &outcome {
            Ok(session) => {
                breaker.succeeded();
                state.eras.insert(spec.name.clone(), session.era());
            }
            Err(error) => breaker.failed(Instant::now(), error.in_short()),
        }
        outcome
    }

    /// Finds or makes the backend's slot, marks it used, and makes room. The lock covers the maps, never an await.
    fn touch(
        &self,
        spec: &ServerSpec,
        client: &ClientCapabilities,
    ) -> Result<(Arc<Slot>, Hold, Option<Era>), BackendError> {
        let key = Key { server: spec.name.clone(), client: client.clone() };
        let mut evicted = Vec::new();
        let touched = {
            let mut state = self.state();
            let live = state.slots.get(&key).filter(|slot| !slot.is_over()).map(Arc::clone);
            match live {
                // Opened, or being opened by somebody whose end we share.
                Some(slot) if slot.session.initialized() || !slot.is_free() => {
                    let hold = Hold::take(&slot);
                    Ok((slot, hold, None))
                }
                _ => match state.breakers.entry(spec.name.clone()).or_default().admit(Instant::now()) {
                    Admit::Rest { retry_in, failures, reason } => {
                        Err(BackendError::Resting { server: spec.name.clone(), failures, retry_in, reason })
                    }
                    Admit::Yes | Admit::Probe => {
                        let slot = Arc::new(Slot::new());
                        let hold = Hold::take(&slot);
                        evicted.extend(state.slots.push(key, Arc::clone(&slot)).map(|(_, old)| old));
                        evicted.extend(state.make_room(self.settings.max_sessions));
                        let era = state.eras.get(&spec.name).copied();
                        Ok((slot, hold, era))
                    }
                },
            }
        };
        for slot in evicted {
            self.retire(slot);
        }
        touched
    }

    /// Ends a session in the background; [`Pool::shutdown`] waits for it.
    fn retire(&self, slot: Arc<Slot>) {
        if slot.session.initialized() {
            self.tasks.spawn(close(slot, GRACE));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes out the least recently used free slots until at most `most` are left. Slots in use stay, even above that.
    fn make_room(&mut self, most: NonZeroUsize) -> Vec<Arc<Slot>> {
        let surplus = self.slots.len().saturating_sub(most.get());
        let free: Vec<Key> = self
            .slots
            .iter()
            .rev()
            .filter(|(_, slot)| slot.is_free())
            .take(surplus)
            .map(|(key, _)| key.clone())
            .collect();
        free.iter().filter_map(|key| self.slots.pop(key)).collect()
    }
}

async fn close(slot: Arc<Slot>, grace: Duration) {
    if let Some(session) = slot.session.get() {
        session.close(grace).await;
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
