//! Other clients' configuration files, one file per format: found, read into server entries, and given toolcrib's own entry.
//!
//! Knows the clients and nothing of the rest of the program but names and `toolcrib.toml`'s own editor. Reads no environment
//! variable and starts nothing: a reference to a variable stays a reference, a command line stays a list of words.

mod apply;
mod client;
mod error;
mod formats;
mod homes;
pub mod install;
mod model;
mod plan;
mod references;
mod shown;
mod source;
mod warnings;

pub use apply::{Applied, ApplyError, apply};
pub use client::{Client, UnknownClient};
pub use error::ImportError;
pub use formats::{identify, read};
pub use homes::{ClientHomes, Os};
pub use model::{Candidate, Found, Origin, Reach, Reading, Scope, SkipReason, Skipped, Transport};
pub use plan::{Decision, FilePlan, Plan, Planned, plan};
pub use shown::{command_line, plain};
pub use warnings::Warning;

/// The clients' files that exist, in the order in which they are read. A file that two clients share is listed once.
#[must_use]
pub fn find(homes: &ClientHomes) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for client in Client::ALL {
        for file in client.files(homes) {
            // Where the current folder is the home folder, a client's user file and project file are the same.
            if file.path.is_file() && !found.iter().any(|other| other.path == file.path) {
                found.push(file);
            }
        }
    }
    found
}
