//! What can go wrong with the registry, and what to do then.

use std::{io, path::PathBuf};

use rusqlite::ErrorCode;

/// Why the registry could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The data directory or the file in it cannot be used at all.
    #[error("the registry {} cannot be used", path.display())]
    Unusable {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A newer toolcrib made it; this one would not understand it.
    #[error("the registry {} was made by {made_by} (format {found}); this toolcrib reads format {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
        /// The program that made it, like `toolcrib 0.9.0`.
        made_by: String,
    },
    /// It is a SQLite database of some other program.
    #[error("{} is a database, but not one of toolcrib", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It is no database, or one with broken contents.
    #[error("the registry {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Damage,
    },
    /// Another process held it for too long.
    #[error("the registry {} is held by another process", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("the registry {} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No room is left for it.
    #[error("there is no room for the registry {}", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// The SQLite library is one that can corrupt the file.
    #[error("SQLite {found} can damage a shared registry")]
    UnsafeLibrary {
        /// Version of the library.
        found: String,
    },
    /// Another failure of the database.
    #[error("failed to {doing} in the registry {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What failed.
        #[source]
        source: rusqlite::Error,
    },
    /// It was closed before.
    #[error("the registry is closed")]
    Closed,
}

/// What is broken in a damaged registry.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// SQLite noticed.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// A row holds what toolcrib never wrote.
    #[error("{what} is not what was stored")]
    Contents {
        /// Which part.
        what: String,
    },
    /// `quick_check` found broken pages.
    #[error("{finding}")]
    Check {
        /// Its first finding.
        finding: String,
    },
    /// The file holds something, but less than a database has at least.
    #[error("it is shorter than any database")]
    TooShort,
    /// There is a journal of changes, but the file it belongs to is empty or gone.
    #[error("its journal holds changes for a file that is empty or gone")]
    JournalOnly,
}

impl RegistryError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unusable { .. } => "name a directory that you can write with `--data-dir`".into(),
            Self::Newer { made_by, .. } => {
                format!("use {made_by} or newer, or name another directory with `--data-dir`")
            }
            Self::Foreign { .. } => "name another directory with `--data-dir`".into(),
            Self::Damaged { .. } => {
                "start toolcrib again: it keeps the file under another name and begins a new one; `toolcrib reindex` reads the servers anew".into()
            }
            Self::Busy { .. } => "try again; if it lasts, end the toolcrib process that hangs".into(),
            Self::ReadOnly { path } => format!("make {} and its directory writable", path.display()),
            Self::NoRoom { .. } => "free some disk space, or name another directory with `--data-dir`".into(),
            Self::UnsafeLibrary { .. } => "build toolcrib with its bundled SQLite".into(),
            Self::Database { source: rusqlite::Error::SqliteFailure(failure, _), .. }
                if failure.code == ErrorCode::SystemIoFailure =>
            {
                "check that its disk has room and works".into()
            }
            Self::Database { .. } => "run `toolcrib doctor` to check the file".into(),
            Self::Closed => "this is a bug in toolcrib: something was stored during shutdown".into(),
        }
    }

    /// Whether the file should be set aside and made anew (see [`super::Registry::set_aside`]).
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// A failure inside this room, before it is known which file it was and what was tried.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Damage(Damage),
    /// The write waited in the queue for longer than any caller should wait.
    Overdue,
}

impl Fault {
    /// A row holds what we never write.
    pub(super) fn contents(what: impl Into<String>) -> Self {
        Self::Damage(Damage::Contents { what: what.into() })
    }

    pub(super) fn at(self, path: &std::path::Path, doing: &'static str) -> RegistryError {
        let path = path.to_owned();
        let source = match self {
            Self::Damage(source) => return RegistryError::Damaged { path, source },
            Self::Overdue => return RegistryError::Busy { path },
            Self::Sqlite(source) => source,
        };
        match &source {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    RegistryError::Damaged { path, source: source.into() }
                }
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => RegistryError::Busy { path },
                ErrorCode::ReadOnly => RegistryError::ReadOnly { path },
                ErrorCode::DiskFull => RegistryError::NoRoom { path },
                // The index of the write-ahead log could not grow: how a full disk shows while the file is opened.
                _ if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => RegistryError::NoRoom { path },
                ErrorCode::CannotOpen => RegistryError::Unusable { path, source: io::Error::other(source) },
                _ => RegistryError::Database { path, doing, source },
            },
            // A column of another type or text that is no UTF-8: the tables are STRICT, so only damage does that.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => RegistryError::Damaged { path, source: source.into() },
            _ => RegistryError::Database { path, doing, source },
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}
