//! Takes servers over into `toolcrib.toml`: what is there stays as it is, comments and order included.

use std::{fs, io, path::Path};

use super::plan::Plan;
use crate::{
    config::{EditError, add_server, write_atomically},
    ids::ServerName,
};

/// What was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Applied {
    /// The servers that were added, in the order in which they stand in the file.
    pub added: Vec<ServerName>,
    /// Whether the file was made.
    pub created: bool,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The file does not take servers.
    #[error("cannot add servers to {path}")]
    Edit {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: EditError,
    },
    /// The file could not be read or written.
    #[error("cannot write {path}")]
    Write {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ApplyError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Edit { source, .. } => source.hint(),
            Self::Write { path, .. } => {
                format!("make {path} writable for this user, or name another file with --config")
            }
        }
    }
}

/// Adds every server that the plan takes over; all of them or none. The file is replaced whole, and private when it is new.
///
/// # Errors
/// Where the file is no `toolcrib.toml` or cannot be written.
pub fn apply(plan: &Plan, file: &Path) -> Result<Applied, ApplyError> {
    let path = || file.display().to_string();
    let (old, created) = match fs::read_to_string(file) {
        Ok(text) => (text, false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), true),
        Err(source) => return Err(ApplyError::Write { path: path(), source }),
    };
    let mut text = old.clone();
    let mut added = Vec::new();
    for (name, planned) in plan.taken() {
        text = add_server(&text, name, &planned.candidate.draft())
            .map_err(|source| ApplyError::Edit { path: path(), source })?;
        added.push(name.clone());
    }
    if text == old {
        return Ok(Applied { added, created: false });
    }
    if created {
        // The first table of an empty document starts with a blank line.
        text = text.trim_start_matches('\n').to_owned();
    }
    write_atomically(file, &text).map_err(|source| ApplyError::Write { path: path(), source })?;
    Ok(Applied { added, created })
}
