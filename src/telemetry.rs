//! Logs: to standard error or a file, never to standard output, which belongs to the protocol.

use std::{fs::OpenOptions, io, path::Path, sync::Mutex};

use tracing_subscriber::EnvFilter;

/// What is logged when nothing says otherwise: our own warnings, and of libraries only errors. rmcp warns of each odd
/// line of a backend, which the backend's own report holds already.
const DEFAULT_FILTER: &str = "toolcrib=warn,error";

/// Starts logging. `filter` is in the syntax of `tracing`'s `EnvFilter`, like `toolcrib=debug`.
///
/// # Errors
/// Where the log file cannot be opened.
pub fn start(filter: Option<&str>, file: Option<&Path>) -> io::Result<()> {
    let filter =
        filter.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(true);
    // A second start in one process keeps the first subscriber; that happens in tests only.
    let _ = match file {
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            builder.with_ansi(false).with_writer(Mutex::new(file)).try_init()
        }
        None => builder.with_ansi(false).with_writer(io::stderr).try_init(),
    };
    Ok(())
}
