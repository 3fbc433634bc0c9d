//! When to stop: the process's signals as one future.

use std::io;

/// Waits for the first request to stop: Ctrl-C, or SIGTERM and SIGHUP where there are such.
///
/// Dropping the future stops the waiting; the signals keep being caught by the runtime.
///
/// # Errors
/// Where the signals cannot be listened to.
pub async fn requested() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped,
            _ = terminate.recv() => Ok(()),
            _ = hangup.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
