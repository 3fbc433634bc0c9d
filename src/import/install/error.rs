//! Why toolcrib's entry could not be put into a client's file, or taken out.

use std::{io, path::PathBuf};

use crate::import::{client::Client, error::ImportError};

/// A client's file that stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] ImportError),
    /// The client has no file of its own for a project.
    #[error("{} keeps no servers in a project", .client.label())]
    NoProjectFile {
        /// Which client.
        client: Client,
    },
    /// Another server has the name.
    #[error("{} has another server called `{name}`", .path.display())]
    NameTaken {
        /// Which file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// The entry is not there.
    #[error("{} has no entry `{name}`", .path.display())]
    NotInstalled {
        /// Which file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// The entry of this name starts something else.
    #[error("the entry `{name}` of {} does not start toolcrib", .path.display())]
    NotOurs {
        /// Which file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// An edit would have changed more than the one entry.
    #[error("{} is written in a way that cannot be edited without changing more", .path.display())]
    CannotEdit {
        /// Which file.
        path: PathBuf,
        /// The key that servers are below.
        container: &'static str,
        /// What to put in by hand.
        snippet: String,
    },
    /// Taking the entry out would have changed more than the one entry.
    #[error("`{name}` cannot be taken out of {} without changing more", .path.display())]
    CannotRemove {
        /// Which file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// Somebody else wrote the file after it was read.
    #[error("{} was changed in the meantime", .path.display())]
    Changed {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}", .path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl InstallError {
    /// What the operator can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::NoProjectFile { client } => format!("run `toolcrib install {client}` without --project"),
            Self::NameTaken { .. } => "choose another name with --name".into(),
            Self::NotInstalled { .. } => "name the entry with --name, or add --project for a project's file".into(),
            Self::NotOurs { name, .. } => format!("take `{name}` out by hand if it should go"),
            Self::CannotEdit { container, snippet, .. } => {
                format!("put this in by hand, below `{container}`:\n{snippet}")
            }
            Self::CannotRemove { name, .. } => format!("take `{name}` out by hand"),
            Self::Changed { .. } => "run the command again; close the client first if it keeps happening".into(),
            Self::Write { path, .. } => format!("make {} writable for this user", path.display()),
        }
    }
}
