//! SQLite, the truth on disk: listings as received, health, eras, use. One writer thread.
//!
//! Only this room knows SQL. Several toolcrib processes may share one file: each client starts its own. Nothing is ever
//! deleted because it is damaged; whoever finds damage decides, and [`Registry::set_aside`] keeps the file.

mod error;
mod file;
mod habits;
mod listings;
mod migrations;
mod results;
mod state;
mod usage;
mod writer;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use rusqlite::{Connection, Transaction};

pub use error::{Damage, RegistryError};
pub use file::path_in;
pub use habits::Habit;
pub use results::{KeptResult, ResultLimits, ResultStore};
pub use state::LoggedChange;
pub use usage::{Amounts, Ledger, LedgerEntry, MAX_DAYS as MAX_LEDGER_DAYS, UseEvent};

use crate::{
    catalog::{Catalog, Era, Health, ListingChange, ServerEntry},
    ids::ServerName,
};
use error::Fault;
use writer::{Writer, WriterGone};

/// The registry of one data directory. Dropping it lets queued writes finish in the background; [`Self::close`] waits.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    writer: Writer,
    reader: Arc<Mutex<Connection>>,
    /// The revision that this handle knows: loaded, or made by its own writes without a foreign one in between.
    seen: Arc<AtomicU64>,
    /// Use events that were not recorded.
    lost: Arc<AtomicU64>,
}

impl Registry {
    /// Opens the registry of a data directory; makes both where they are missing, for the user alone. Blocks for some
    /// milliseconds: call it at start.
    pub fn open(data_dir: &Path) -> Result<Self, RegistryError> {
        let path = path_in(data_dir);
        let first = file::open_first(data_dir)?;
        let reader = file::open_reader(data_dir)?;
        let seen = state::revision(&reader).map_err(|fault| fault.at(&path, "read the revision"))?;
        let writer = Writer::start(first).map_err(|source| RegistryError::Unusable { path: path.clone(), source })?;
        Ok(Self {
            path,
            writer,
            reader: Arc::new(Mutex::new(reader)),
            seen: Arc::new(AtomicU64::new(seen)),
            lost: Arc::default(),
        })
    }

    /// Moves a damaged registry, journal included, to a dated name beside it, so that the next [`Self::open`] makes a new
    /// one. Gives that name; `None` where there was nothing. Nothing is deleted. Only for a file that no toolcrib has open.
    pub fn set_aside(data_dir: &Path) -> Result<Option<PathBuf>, RegistryError> {
        file::set_aside(data_dir)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything known. Blocks for some milliseconds; a running server takes [`Self::reload`].
    pub fn load(&self) -> Result<Catalog, RegistryError> {
        read_now(&self.reader, &self.path, "load the catalog", load_and_note(&self.seen))
    }

    /// As [`Self::load`], without blocking.
    pub async fn reload(&self) -> Result<Catalog, RegistryError> {
        self.read("load the catalog", load_and_note(&self.seen)).await
    }

    /// Whether another process changed a listing, a health or an era since this handle last loaded the catalog. Costs
    /// microseconds; ask before serving from an old snapshot or reading a server again.
    pub async fn changed_elsewhere(&self) -> Result<bool, RegistryError> {
        let seen = Arc::clone(&self.seen);
        let look = move |c: &Connection| Ok(state::revision(c)? != seen.load(Ordering::Relaxed));
        self.read("read the revision", look).await
    }

    /// Counts every change of a listing, whoever made it.
    pub async fn generation(&self) -> Result<u64, RegistryError> {
        self.read("read the generation", state::generation).await
    }

    /// Stores a reading in place of the server's last one, in one transaction, and gives what changed. What means the same
    /// stays byte for byte as it was. Dropping the future does not undo it.
    pub async fn save_listing(&self, entry: Arc<ServerEntry>) -> Result<ListingChange, RegistryError> {
        self.write_noted("store a listing", move |t| listings::save(t, entry)).await
    }

    /// Stores how the last attempt to reach a server went. `reason` must hold no secret. Dropping the future does not
    /// undo it.
    pub async fn record_health(&self, server: ServerName, health: Health) -> Result<(), RegistryError> {
        self.write_noted("store the health of a server", move |t| state::set_health(t, &server, &health)).await
    }

    /// Stores which era a server speaks. Dropping the future does not undo it.
    pub async fn remember_era(&self, server: ServerName, era: Era) -> Result<(), RegistryError> {
        self.write_noted("store the era of a server", move |t| state::set_era(t, &server, era)).await
    }

    /// As [`Self::eras`], for the start: blocks.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn load_eras(&self) -> Result<BTreeMap<ServerName, Era>, RegistryError> {
        read_now(&self.reader, &self.path, "read the eras", state::eras)
    }

    /// The era each server spoke last.
    pub async fn eras(&self) -> Result<BTreeMap<ServerName, Era>, RegistryError> {
        self.read("read the eras", state::eras).await
    }

    /// Forgets a server: listing, health, era, use. False if nothing was known of it. Dropping the future does not undo it.
    pub async fn remove_server(&self, server: ServerName) -> Result<bool, RegistryError> {
        self.write_noted("remove a server", move |t| state::remove_server(t, &server)).await
    }

    /// The latest changes of listings, newest first; a thousand are kept.
    pub async fn changes(&self, limit: usize) -> Result<Vec<LoggedChange>, RegistryError> {
        self.read("read the changes", move |c| state::changes(c, limit)).await
    }

    /// Notes a use, some time soon. Never waits: what finds the queue full is lost and counted by [`Self::lost_events`].
    pub fn record_use(&self, event: UseEvent) {
        self.record_use_later(move || event);
    }

    /// As [`Self::record_use`]; what happened is put together on the writer's thread, in the order in which it was noted. For
    /// tokens, whose counting nobody should wait for. Keep what `event` holds small: it waits in memory.
    pub fn record_use_later(&self, event: impl FnOnce() -> UseEvent + Send + 'static) {
        let (lost, lost_later) = (Arc::clone(&self.lost), Arc::clone(&self.lost));
        let count = move || {
            lost_later.fetch_add(1, Ordering::Relaxed);
        };
        if !self.writer.try_write(event, |t, event| usage::record(t, &event), count) {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Uses that could not be counted since this handle was opened.
    #[must_use]
    pub fn lost_events(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// How servers and tools were used in the last `days` days up to `now`, today included; of 400 days at most.
    pub async fn ledger(&self, days: u32, now: SystemTime) -> Result<Ledger, RegistryError> {
        self.read("read the ledger", move |c| usage::read(c, days, now)).await
    }

    /// Forgets how servers and tools were used; how many days were counted. Dropping the future does not undo it.
    pub async fn forget_usage(&self) -> Result<usize, RegistryError> {
        self.write("erase the ledger", |t| usage::forget(t)).await
    }

    /// Which tools searches led to, the last used first.
    pub async fn habits(&self) -> Result<Vec<Habit>, RegistryError> {
        self.read("read what was learned from use", habits::all).await
    }

    /// Forgets which tools searches led to; how many such habits there were. Dropping the future does not undo it.
    pub async fn erase_habits(&self) -> Result<usize, RegistryError> {
        self.write("erase what was learned from use", |t| habits::erase(t)).await
    }

    /// The content key (see [`crate::catalog::content_key`]) of the search index on disk, if one was noted.
    pub async fn index_key(&self) -> Result<Option<String>, RegistryError> {
        self.read("read the key of the index", state::index_key).await
    }

    /// Notes the content key of the search index on disk. Dropping the future does not undo it.
    pub async fn set_index_key(&self, key: String) -> Result<(), RegistryError> {
        self.write("store the key of the index", move |t| state::set_index_key(t, &key)).await
    }

    /// Checks every page and every row, for `doctor`.
    pub async fn check(&self) -> Result<(), RegistryError> {
        let all = |c: &Connection| {
            file::quick_check(c)?;
            listings::load(c)?;
            state::eras(c)?;
            state::changes(c, usize::MAX)?;
            usage::read(c, MAX_LEDGER_DAYS, SystemTime::now())?;
            habits::all(c)?;
            Ok(())
        };
        self.read("check the file", all).await
    }

    /// Waits until everything queued is stored, then ends the writer. Later writes fail as closed; reads still work.
    /// Idempotent. Ends within the busy timeout for each queued write, and within half a minute for all.
    pub async fn close(&self) {
        self.writer.stop().await;
    }

    async fn write<T: Send + 'static>(
        &self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RegistryError> {
        match self.writer.write(write).await {
            Ok(outcome) => outcome.map_err(|fault| fault.at(&self.path, doing)),
            Err(WriterGone) => Err(RegistryError::Closed),
        }
    }

    /// A write that other processes should notice, and this one should not take for theirs.
    async fn write_noted<T: Send + 'static>(
        &self,
        doing: &'static str,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let seen = Arc::clone(&self.seen);
        self.write(doing, move |transaction| {
            let done = write(transaction)?;
            let revision = state::count_up(transaction, "revision")?;
            // Fails when somebody else wrote in between, which is what `changed_elsewhere` then tells.
            let _ = seen.compare_exchange(revision - 1, revision, Ordering::Relaxed, Ordering::Relaxed);
            Ok(done)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (reader, path) = (Arc::clone(&self.reader), self.path.clone());
        // The task fails only when the runtime ends or `read` panics, and nothing in this room panics.
        let task = tokio::task::spawn_blocking(move || read_now(&reader, &path, doing, read));
        task.await.unwrap_or(Err(RegistryError::Closed))
    }
}

/// Reads the catalog and notes at which revision.
fn load_and_note(seen: &Arc<AtomicU64>) -> impl FnOnce(&Connection) -> Result<Catalog, Fault> + Send + 'static {
    let seen = Arc::clone(seen);
    move |connection| {
        let catalog = listings::load(connection)?;
        seen.store(state::revision(connection)?, Ordering::Relaxed);
        Ok(catalog)
    }
}

/// Reads in a transaction, so that everything read belongs to one moment.
fn read_now<T>(
    reader: &Mutex<Connection>,
    path: &Path,
    doing: &'static str,
    read: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, RegistryError> {
    let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
    let transaction = reader.transaction().map_err(Fault::from);
    transaction.and_then(|transaction| read(&transaction)).map_err(|fault| fault.at(path, doing))
}

#[cfg(test)]
mod tests;
