//! How much of anything one server gives, so that nobody can take it all.

use std::time::Duration;

/// Limits of one server. The defaults suit the clients of one person, with room for a few dozen agents at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. Many systems allow a process 1,024 files; half of that and more is left to the backends.
    pub connections: usize,
    /// How long a client may take for the head of a request, and how long a connection may be idle.
    pub head_time: Duration,
    /// How long it may take for the body.
    pub body_time: Duration,
    /// Longest body, in bytes.
    pub body_bytes: usize,
    /// Most messages in one array, from clients of the one version that has such.
    pub batch: usize,
    /// Sessions at once. Beyond it the one that was idle for longest gives way.
    pub sessions: usize,
    /// How long a session may be idle.
    pub session_idle: Duration,
    /// Streams kept in one session, those that have ended included.
    pub streams: usize,
    /// Messages kept of one stream.
    pub stream_messages: usize,
    /// Bytes kept of one stream, beyond its answer.
    pub stream_bytes: usize,
    /// Bytes kept of all streams, beyond their answers.
    pub all_bytes: usize,
    /// How long a stream that has ended can still be resumed.
    pub kept_for: Duration,
    /// How often an open stream says that it is alive. An answer that is not there by the first time becomes a stream.
    pub keep_alive: Duration,
    /// How long clients are told to wait before they resume a stream.
    pub retry: Duration,
    /// How long requests may go on when the server is asked to stop.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            body_bytes: 4 * 1024 * 1024,
            batch: 16,
            sessions: 1_000,
            session_idle: Duration::from_secs(30 * 60),
            streams: 64,
            stream_messages: 256,
            stream_bytes: 1024 * 1024,
            all_bytes: 64 * 1024 * 1024,
            kept_for: Duration::from_secs(60),
            keep_alive: Duration::from_secs(15),
            retry: Duration::from_secs(3),
            grace: Duration::from_secs(5),
        }
    }
}
