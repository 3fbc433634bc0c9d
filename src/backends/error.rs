//! What can go wrong between toolcrib and a backend, and what to do then.

use std::{io, sync::Arc, time::Duration};

use crate::{catalog::JsonObject, ids::ServerName};

/// A failure of a backend or of the way to it. Its text never holds arguments, results or secrets.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackendError {
    /// The program could not be started.
    #[error("failed to start backend `{server}`: cannot run `{command}`")]
    Spawn {
        /// Which backend.
        server: ServerName,
        /// The program as configured.
        command: String,
        /// Why.
        #[source]
        source: Arc<io::Error>,
    },
    /// The backend ended before or during the handshake.
    #[error("backend `{server}` ended during its start{}", last_words(.stderr))]
    DiedAtStart {
        /// Which backend.
        server: ServerName,
        /// Its last lines of standard error.
        stderr: Vec<String>,
    },
    /// The handshake took too long.
    #[error("backend `{server}` did not finish its start within {} s{}", .after.as_secs_f32(), last_words(.stderr))]
    StartTimeout {
        /// Which backend.
        server: ServerName,
        /// The deadline that passed.
        after: Duration,
        /// Its last lines of standard error.
        stderr: Vec<String>,
    },
    /// The backend could not be reached, or refused the conversation.
    #[error("backend `{server}` refused the conversation: {reason}")]
    Handshake {
        /// Which backend.
        server: ServerName,
        /// In a few words, without secrets.
        reason: String,
    },
    /// The backend wants credentials that it was not given.
    #[error("backend `{server}` wants authorization (HTTP {status})")]
    Unauthorized {
        /// Which backend.
        server: ServerName,
        /// 401 or 403.
        status: u16,
    },
    /// The conversation ended while a call waited.
    #[error("backend `{server}` closed the conversation before it answered; the call may have been carried out")]
    Closed {
        /// Which backend.
        server: ServerName,
    },
    /// The call got no answer in time and was cancelled.
    #[error("backend `{server}` did not answer within {} s; the call was cancelled and may have been carried out", .after.as_secs_f32())]
    CallTimeout {
        /// Which backend.
        server: ServerName,
        /// The deadline that passed.
        after: Duration,
    },
    /// The backend answered with a JSON-RPC error.
    #[error("{message}")]
    Rpc {
        /// Which backend.
        server: ServerName,
        /// JSON-RPC code.
        code: i64,
        /// The backend's message, as sent.
        message: String,
        /// The whole error object as sent.
        error: Box<JsonObject>,
    },
    /// The backend answered with something the protocol does not allow.
    #[error("backend `{server}` broke the protocol: {reason}")]
    Protocol {
        /// Which backend.
        server: ServerName,
        /// In a few words.
        reason: String,
    },
    /// The backend cannot do what was asked.
    #[error("backend `{server}` does not support {what}")]
    Unsupported {
        /// Which backend.
        server: ServerName,
        /// What was asked.
        what: &'static str,
    },
    /// The backend failed too often and is left alone for a while.
    #[error("backend `{server}` is resting after {failures} failures in a row ({reason})")]
    Resting {
        /// Which backend.
        server: ServerName,
        /// Failures in a row.
        failures: u32,
        /// When the next attempt is let through.
        retry_in: Duration,
        /// The last failure, in a few words.
        reason: String,
    },
}

impl BackendError {
    /// Which backend failed.
    #[must_use]
    pub const fn server(&self) -> &ServerName {
        match self {
            Self::Spawn { server, .. }
            | Self::DiedAtStart { server, .. }
            | Self::StartTimeout { server, .. }
            | Self::Handshake { server, .. }
            | Self::Unauthorized { server, .. }
            | Self::Closed { server }
            | Self::CallTimeout { server, .. }
            | Self::Rpc { server, .. }
            | Self::Protocol { server, .. }
            | Self::Unsupported { server, .. }
            | Self::Resting { server, .. } => server,
        }
    }

    /// What the operator or the model can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Spawn { server, command, .. } => {
                format!(
                    "install `{command}` or correct `servers.{server}.command`, then run `toolcrib servers test {server}`"
                )
            }
            Self::DiedAtStart { server, .. } | Self::StartTimeout { server, .. } | Self::Handshake { server, .. } => {
                format!("run `toolcrib doctor {server}` to see how its start goes; meanwhile use another tool")
            }
            Self::Unauthorized { server, .. } => {
                format!("give `servers.{server}.headers` valid credentials")
            }
            Self::Closed { .. } => "check whether it took effect before you call again".into(),
            Self::CallTimeout { server, .. } => {
                format!(
                    "check whether it took effect before you call again; `servers.{server}.call_timeout` sets the limit"
                )
            }
            Self::Rpc { .. } => "read the message, correct the arguments and call again".into(),
            Self::Protocol { server, .. } => format!("update or replace the server behind `{server}`"),
            Self::Unsupported { .. } => "use another tool".into(),
            Self::Resting { retry_in, .. } => {
                format!("call again in {} s, or use another tool", retry_in.as_secs().max(1))
            }
        }
    }

    /// In a few words, for a line of a search reply. Holds no secret.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Spawn { command, .. } => format!("cannot run `{command}`"),
            Self::DiedAtStart { .. } => "ended during its start".into(),
            Self::StartTimeout { after, .. } => format!("no start within {} s", after.as_secs()),
            Self::Handshake { .. } => "refused the conversation".into(),
            Self::Unauthorized { status, .. } => format!("wants authorization (HTTP {status})"),
            Self::Closed { .. } => "closed the conversation".into(),
            Self::CallTimeout { .. } => "did not answer a call".into(),
            Self::Rpc { code, .. } => format!("answered with error {code}"),
            Self::Protocol { .. } => "broke the protocol".into(),
            Self::Unsupported { what, .. } => format!("does not support {what}"),
            Self::Resting { reason, .. } => reason.clone(),
        }
    }

    /// Whether the failure says something about the backend's health, rather than about one call.
    #[must_use]
    pub const fn counts_against_health(&self) -> bool {
        match self {
            Self::Spawn { .. }
            | Self::DiedAtStart { .. }
            | Self::StartTimeout { .. }
            | Self::Handshake { .. }
            | Self::Unauthorized { .. }
            | Self::Closed { .. }
            | Self::Protocol { .. } => true,
            Self::CallTimeout { .. } | Self::Rpc { .. } | Self::Unsupported { .. } | Self::Resting { .. } => false,
        }
    }
}

/// The last line a dying child wrote, which names the cause more often than not.
fn last_words(stderr: &[String]) -> String {
    stderr
        .iter()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map_or_else(String::new, |line| format!(": {}", line.trim()))
}
