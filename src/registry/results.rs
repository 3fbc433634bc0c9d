//! Results that were too long for a model, kept whole for reading on: for a while, up to a size, each for one principal.
//!
//! A file of its own beside the registry. It holds what tools answered, so it is the user's alone, what expires is overwritten,
//! and the whole file may be deleted at any time. Opened by the first result that is kept.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{
    error::{Fault, RegistryError},
    file, state,
};

/// Name of the file in the data directory.
const FILE_NAME: &str = "results.sqlite";

/// Format of the file. Another one is thrown away: it holds nothing that lasts.
const FORMAT: u32 = 1;

/// One result may take this part of all the room, so that it does not throw out every other.
const LARGEST_SHARE: u64 = 4;

/// Tries to find a name that is free. Names have three random bytes, and a store holds some hundreds.
const NAME_TRIES: usize = 8;

/// `secure_delete`: what was answered to somebody is not left readable in free pages.
const SETUP: &str = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA secure_delete = ON;";

const TABLE: &str = "CREATE TABLE IF NOT EXISTS kept_result (
    principal TEXT NOT NULL,
    id TEXT NOT NULL,
    tool TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    text TEXT NOT NULL,
    structured TEXT,
    PRIMARY KEY (principal, id)
) STRICT;
CREATE INDEX IF NOT EXISTS kept_result_by_age ON kept_result (kept_at);";

/// A result as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResult {
    /// The tool that answered it, as `server/tool`.
    pub tool: String,
    /// Its texts.
    pub text: String,
    /// Its structured content, where that says something else.
    pub structured: Option<String>,
}

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultLimits {
    /// A result is forgotten after this long.
    pub keep_for: Duration,
    /// All results together, in bytes of text; the oldest go first. One result may take a quarter.
    pub max_bytes: u64,
}

/// The kept results of one data directory. Several processes may share it.
#[derive(Debug)]
pub struct ResultStore {
    path: PathBuf,
    limits: ResultLimits,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl ResultStore {
    /// The store of a data directory. Opens and makes nothing.
    #[must_use]
    pub fn new(data_dir: &Path, limits: ResultLimits) -> Self {
        Self { path: data_dir.join(FILE_NAME), limits, connection: Arc::default() }
    }

    /// Keeps a result and gives the name to read it by; `None` where it is larger than any result may be. What has expired, and the
    /// oldest where room is needed, goes. Dropping the future does not undo it.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub async fn keep(&self, principal: &str, result: KeptResult) -> Result<Option<String>, RegistryError> {
        let bytes = (result.text.len() + result.structured.as_ref().map_or(0, String::len)) as u64;
        if bytes > self.limits.max_bytes / LARGEST_SHARE {
            return Ok(None);
        }
        let (principal, limits) = (principal.to_owned(), self.limits);
        self.with("keep a result", move |connection| keep(connection, &principal, &result, bytes, limits).map(Some))
            .await
    }

    /// The result of this name, if this principal has it and it has not expired.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub async fn read(&self, principal: &str, id: &str) -> Result<Option<KeptResult>, RegistryError> {
        if !self.path.exists() {
            return Ok(None);
        }
        let (principal, id) = (principal.to_owned(), id.to_owned());
        let oldest = oldest(self.limits, SystemTime::now());
        self.with("read a kept result", move |connection| {
            let sql =
                "SELECT tool, text, structured FROM kept_result WHERE principal = ?1 AND id = ?2 AND kept_at >= ?3";
            let row = connection.prepare(sql)?.query_row(params![principal, id, oldest], |row| {
                Ok(KeptResult { tool: row.get(0)?, text: row.get(1)?, structured: row.get(2)? })
            });
            Ok(row.optional()?)
        })
        .await
    }

    /// Overwrites what has expired, if there is anything; how many results that were.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub async fn forget_expired(&self) -> Result<usize, RegistryError> {
        if !self.path.exists() {
            return Ok(0);
        }
        let oldest = oldest(self.limits, SystemTime::now());
        self.with("forget old results", move |connection| {
            let gone = connection.execute("DELETE FROM kept_result WHERE kept_at < ?1", [oldest])?;
            connection.execute_batch("PRAGMA incremental_vacuum")?;
            Ok(gone)
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (slot, path) = (Arc::clone(&self.connection), self.path.clone());
        // The task fails only when the runtime ends or `work` panics, and nothing in this room panics.
        let task = tokio::task::spawn_blocking(move || {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = match &mut *slot {
                Some(connection) => connection,
                empty => empty.insert(open(&path)?),
            };
            let done = work(connection).map_err(|fault| fault.at(&path, doing));
            if matches!(done, Err(RegistryError::Damaged { .. })) {
                // The next use begins a new file.
                *slot = None;
            }
            done
        });
        task.await.unwrap_or(Err(RegistryError::Closed))
    }
}

/// Opens the file. One that is damaged or of another format goes: nobody misses results that cannot be read.
fn open(path: &Path) -> Result<Connection, RegistryError> {
    match open_existing(path) {
        Err(RegistryError::Damaged { .. } | RegistryError::Newer { .. }) => {
            remove(path).map_err(|source| RegistryError::Unusable { path: path.into(), source })?;
            open_existing(path)
        }
        opened => opened,
    }
}

fn open_existing(path: &Path) -> Result<Connection, RegistryError> {
    if let Some(folder) = path.parent() {
        file::make_directory(folder).map_err(|source| RegistryError::Unusable { path: folder.into(), source })?;
    }
    file::make_file(path)?;
    let connection = file::connect(path)?;
    let prepare = || -> Result<u32, Fault> {
        connection.execute_batch(SETUP)?;
        file::use_wal(&connection)?;
        let format: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format <= FORMAT {
            connection.execute_batch(TABLE)?;
            connection.pragma_update(None, "user_version", FORMAT)?;
        }
        Ok(format)
    };
    let found = prepare().map_err(|fault| fault.at(path, "open the kept results"))?;
    if found > FORMAT {
        let made_by = "another toolcrib".into();
        return Err(RegistryError::Newer { path: path.into(), found, known: FORMAT, made_by });
    }
    Ok(connection)
}

fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        match fs::remove_file(file::with_suffix(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn keep(
    connection: &mut Connection,
    principal: &str,
    result: &KeptResult,
    bytes: u64,
    limits: ResultLimits,
) -> Result<String, Fault> {
    let now = SystemTime::now();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM kept_result WHERE kept_at < ?1", [oldest(limits, now)])?;
    // The sum over the newest ones tells which of the oldest have no room any more.
    let room = signed(limits.max_bytes.saturating_sub(bytes));
    let sql = "DELETE FROM kept_result WHERE rowid IN (SELECT rowid FROM (SELECT rowid, \
               sum(bytes) OVER (ORDER BY kept_at DESC, rowid DESC) AS total FROM kept_result) WHERE total > ?1)";
    transaction.execute(sql, [room])?;
    let sql = "INSERT OR IGNORE INTO kept_result VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut name = None;
    for _ in 0..NAME_TRIES {
        let id: String = transaction.query_row("SELECT lower(hex(randomblob(3)))", [], |row| row.get(0))?;
        let row = params![principal, id, result.tool, state::nanos(now), signed(bytes), result.text, result.structured];
        if transaction.execute(sql, row)? == 1 {
            name = Some(id);
            break;
        }
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA incremental_vacuum")?;
    name.ok_or_else(|| Fault::contents("the names of kept results"))
}

/// When a result must have been kept to be there still.
fn oldest(limits: ResultLimits, now: SystemTime) -> i64 {
    now.checked_sub(limits.keep_for).map_or(i64::MIN, state::nanos)
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ResultLimits = ResultLimits { keep_for: Duration::from_secs(3600), max_bytes: 4_000 };

    fn result(text: &str) -> KeptResult {
        KeptResult { tool: "git/log".into(), text: text.into(), structured: Some("{\"a\":1}".into()) }
    }

    #[tokio::test]
    async fn what_was_kept_is_read_by_its_name_and_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = ResultStore::new(dir.path(), LIMITS);
        let id = store.keep("ada", result("long")).await.unwrap().unwrap();
        assert_eq!(store.read("ada", &id).await.unwrap(), Some(result("long")));
        assert_eq!(store.read("eve", &id).await.unwrap(), None);
        assert_eq!(store.read("ada", "000000x").await.unwrap(), None);
        // Another process finds it too.
        let other = ResultStore::new(dir.path(), LIMITS);
        assert_eq!(other.read("ada", &id).await.unwrap(), Some(result("long")));
    }

    #[tokio::test]
    async fn the_oldest_go_when_room_is_needed_and_what_is_too_large_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = ResultStore::new(dir.path(), LIMITS);
        assert_eq!(store.keep("ada", result(&"x".repeat(1_001))).await.unwrap(), None);
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(store.keep("ada", result(&"x".repeat(900))).await.unwrap().unwrap());
        }
        let mut there = Vec::new();
        for id in &ids {
            there.push(store.read("ada", id).await.unwrap().is_some());
        }
        assert_eq!(there, [false, false, true, true, true, true]);
    }

    #[tokio::test]
    async fn what_has_expired_is_neither_read_nor_left_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let secret = "the answer nobody should find";
        let store = ResultStore::new(dir.path(), LIMITS);
        let id = store.keep("ada", result(secret)).await.unwrap().unwrap();
        let none = ResultLimits { keep_for: Duration::ZERO, ..LIMITS };
        let later = ResultStore::new(dir.path(), none);
        assert_eq!(later.read("ada", &id).await.unwrap(), None);
        assert_eq!(later.forget_expired().await.unwrap(), 1);
        drop((store, later));
        // Both connections are closed: the journal is in the file.
        let bytes = fs::read(dir.path().join(FILE_NAME)).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }

    #[tokio::test]
    async fn a_damaged_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE_NAME), "no database ".repeat(200)).unwrap();
        let store = ResultStore::new(dir.path(), LIMITS);
        let id = store.keep("ada", result("long")).await.unwrap().unwrap();
        assert_eq!(store.read("ada", &id).await.unwrap(), Some(result("long")));
    }

    #[tokio::test]
    #[cfg(unix)]
    async fn the_file_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let store = ResultStore::new(dir.path(), LIMITS);
        store.keep("ada", result("long")).await.unwrap();
        let mode = fs::metadata(dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
