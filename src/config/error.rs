//! Why a configuration could not be loaded at all.

use std::{io, path::PathBuf};

use super::Problems;

/// A failure that stops the start: without the file it would run something else than what the operator described.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named is not there.
    #[error("no configuration at {}", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// A directory was named.
    #[error("{} is a directory, not a configuration file", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("failed to read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("the configuration {} has more than {} MiB", path.display(), limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes it may have.
        limit: u64,
    },
    /// The file is not text.
    #[error("the configuration {} is not UTF-8 (line {line})", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First line that is not.
        line: usize,
    },
    /// The file cannot be parsed, or something outside of a single server is wrong.
    #[error("{problems}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything that is wrong, broken servers included.
        problems: Problems,
    },
    /// There is no home directory to look for the user-level files in.
    #[error("there is no home directory to find the configuration and the data in")]
    NoHome,
}

impl ConfigError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotFound { .. } => {
                "correct --config or TOOLCRIB_CONFIG, or create the file with `toolcrib import --apply`".into()
            }
            Self::Directory { .. } => "name the file inside it".into(),
            Self::Read { path, .. } => format!("make {} readable for this user", path.display()),
            Self::TooLarge { .. } => "name a toolcrib.toml, or a JSON file with `mcpServers`".into(),
            Self::NotUtf8 { .. } => "save the file as UTF-8".into(),
            Self::Invalid { .. } => "correct the lines above; docs/configuration.md describes every key".into(),
            Self::NoHome => "set HOME, or give --config and --data-dir".into(),
        }
    }
}
