//! The file: making it, opening it, telling a damaged or foreign one from ours, and setting it aside.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags};

use super::{
    error::{Damage, Fault, RegistryError},
    migrations,
};

/// Name of the file in the data directory.
const FILE_NAME: &str = "registry.sqlite";

/// Longest wait for another process's write. Ours take milliseconds; this is for a machine that swaps.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Size of a page, in bytes, of a new file. Definitions have about 2 KiB: pages of the usual 4 KiB hold one each and waste
/// half the file, which a start would have to read.
const PAGE_BYTES: u32 = 16 * 1024;

/// The smallest page SQLite knows, in bytes. It takes a shorter file for an empty one and writes over it.
const MIN_FILE_BYTES: u64 = 512;

/// The first SQLite without the WAL-reset race that corrupts a file used by several processes.
const MIN_SQLITE_VERSION: i32 = 3_051_003;

/// Where the registry of a data directory is.
#[must_use]
pub fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// Makes directory and file where they are missing, for the user alone, and opens the first connection: migrated, in
/// WAL mode, ready to write.
pub(super) fn open_first(data_dir: &Path) -> Result<Connection, RegistryError> {
    if rusqlite::version_number() < MIN_SQLITE_VERSION {
        return Err(RegistryError::UnsafeLibrary { found: rusqlite::version().into() });
    }
    let path = path_in(data_dir);
    make_directory(data_dir).map_err(|source| RegistryError::Unusable { path: data_dir.into(), source })?;
    make_file(&path)?;
    let mut connection = connect(&path)?;
    migrations::run(&mut connection, &path)?;
    use_wal(&connection).map_err(|fault| fault.at(&path, "switch on the write-ahead log"))?;
    Ok(connection)
}

/// Opens a further connection to a file that [`open_first`] made ready.
pub(super) fn open_reader(data_dir: &Path) -> Result<Connection, RegistryError> {
    let path = path_in(data_dir);
    let connection = connect(&path)?;
    let guarded = connection.pragma_update(None, "query_only", "ON");
    guarded.map_err(|error| Fault::from(error).at(&path, "open a reader"))?;
    Ok(connection)
}

/// Renames a damaged registry, with its journal, to a dated name beside it and gives that name; `None` where there is
/// none. Nothing is deleted. Only for a file that no other toolcrib still uses: such a process would go on with the
/// renamed file until it ends.
pub fn set_aside(data_dir: &Path) -> Result<Option<PathBuf>, RegistryError> {
    let path = path_in(data_dir);
    let unusable = |source| RegistryError::Unusable { path: path.clone(), source };
    if ["", "-wal", "-shm"].iter().all(|suffix| !with_suffix(&path, suffix).exists()) {
        return Ok(None);
    }
    let date = today().map_err(|fault| fault.at(&path, "read the date"))?;
    let names = (1..=u32::MAX).map(|number| with_suffix(&path, &format!(".{date}.damaged-{number}")));
    let aside = names.into_iter().find(|name| !name.exists() && !with_suffix(name, "-wal").exists());
    let aside = aside.ok_or_else(|| unusable(io::ErrorKind::AlreadyExists.into()))?;
    // The file goes first: should we die in between, what is left is a journal without its file, which `make_file`
    // takes for damage. The other way round, a file without its journal would pass for whole.
    for suffix in ["", "-wal", "-shm"] {
        match fs::rename(with_suffix(&path, suffix), with_suffix(&aside, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable(error)),
        }
    }
    Ok(Some(aside))
}

/// The first finding of SQLite's own check of every page.
pub(super) fn quick_check(connection: &Connection) -> Result<(), Fault> {
    let finding: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if finding == "ok" { Ok(()) } else { Err(Fault::Damage(Damage::Check { finding })) }
}

pub(super) fn make_directory(data_dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data_dir)
}

/// Makes the empty file before SQLite would, so that it is never readable by others; SQLite gives its journal the same
/// mode. An existing file is looked at by name only: closing a handle of our own would drop SQLite's locks.
pub(super) fn make_file(path: &Path) -> Result<(), RegistryError> {
    let unusable = |source| RegistryError::Unusable { path: path.into(), source };
    // The journal is looked at first: another process that makes the file right now fills the file before the journal.
    let journal_bytes = fs::metadata(with_suffix(path, "-wal")).map_or(0, |meta| meta.len());
    match fs::metadata(path) {
        Ok(meta) if !meta.is_file() => return Err(unusable(io::ErrorKind::IsADirectory.into())),
        Ok(meta) if (1..MIN_FILE_BYTES).contains(&meta.len()) => {
            return Err(RegistryError::Damaged { path: path.into(), source: Damage::TooShort });
        }
        Ok(meta) if meta.len() > 0 => return restrict(path, &meta).map_err(unusable),
        Ok(_) if journal_bytes == 0 => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && journal_bytes == 0 => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        // SQLite would throw the journal away, and with it whatever it holds.
        Ok(_) | Err(_) => return Err(RegistryError::Damaged { path: path.into(), source: Damage::JournalOnly }),
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unusable(error)),
    }
}

/// Takes the file from everyone but its owner, where it is not so already.
#[cfg(unix)]
fn restrict(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if meta.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _meta: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

pub(super) fn connect(path: &Path) -> Result<Connection, RegistryError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).map_err(Fault::from);
    opened
        .and_then(|connection| configure(&connection).map(|()| connection))
        .map_err(|fault| fault.at(path, "open a connection"))
}

fn configure(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    // NORMAL keeps what was committed when a process dies; a power cut may cost the last writes, never the file. All
    // that is stored can be read from the servers again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    Ok(())
}

/// The mode is kept in the file. Changing it needs the file for a moment alone, and SQLite does not wait for that by
/// itself.
pub(super) fn use_wal(connection: &Connection) -> Result<(), Fault> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        let mode: Result<String, _> = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Err(error) if error.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) => {
                return Err(error.into());
            }
            Ok(_) | Err(_) if Instant::now() >= deadline => return Err(Fault::Overdue),
            Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Today's date, like `2026-11-21`. SQLite knows calendars, so we need no library for it.
fn today() -> Result<String, Fault> {
    Ok(Connection::open_in_memory()?.query_row("SELECT date('now')", [], |row| row.get(0))?)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests;
