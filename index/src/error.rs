//! What can go wrong with an index, and what the caller does about it.

use std::{error::Error, io, path::PathBuf};

/// Why an index cannot be used or written. None of these loses anything: an index can always be built again.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no index in the directory.
    #[error("no index in {}", dir.display())]
    Missing {
        /// Where one was looked for.
        dir: PathBuf,
    },
    /// The index was built from other documents, or by a version that analyzed them differently.
    #[error("the index in {} is not of these documents", dir.display())]
    Outdated {
        /// Where it is.
        dir: PathBuf,
    },
    /// Its files are not what was written.
    #[error("the index in {} is damaged", dir.display())]
    Damaged {
        /// Where it is.
        dir: PathBuf,
        /// What was found.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another process is building an index in this directory.
    #[error("another process is building the index in {}", dir.display())]
    Busy {
        /// Where it builds.
        dir: PathBuf,
    },
    /// The file system refused.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why it was refused.
        #[source]
        source: io::Error,
    },
    /// The documents could not be indexed.
    #[error("failed to index the tools")]
    Build {
        /// What the index library said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl IndexError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { .. } | Self::Outdated { .. } | Self::Damaged { .. } => {
                "run `toolcrib reindex` to build it again".into()
            }
            Self::Busy { .. } => "wait a moment and try again".into(),
            Self::Io { path, .. } => {
                format!("check that {} can be written and that its disk has room", path.display())
            }
            Self::Build { .. } => "check that the disk has room, then run `toolcrib reindex`".into(),
        }
    }

    /// Whether building the index again from the documents is the remedy.
    #[must_use]
    pub const fn is_cured_by_building(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Outdated { .. } | Self::Damaged { .. } => true,
            Self::Busy { .. } | Self::Io { .. } | Self::Build { .. } => false,
        }
    }
}
