//! Serves MCP over Streamable HTTP, both eras on one endpoint, to clients on this machine.
//!
//! Who may come in is decided first (`guard`, `token`), what a message is next (`post`), then each era goes its way: `modern`
//! answers request by request, `legacy` keeps sessions and streams that can be resumed (`session`, `stream`). `server` holds the
//! connections within their limits. Knows no tool and no backend: a [`Front`] answers.
//!
//! The HTTP+SSE transport of 2024-11-05 is not served.

mod guard;
mod headers;
mod legacy;
mod limits;
mod modern;
mod post;
mod refusal;
mod routes;
mod server;
mod session;
mod sse;
mod stream;
mod token;

use std::{fmt, sync::Arc};

pub use self::{
    limits::Limits,
    server::serve,
    token::{MIN_CHARS, Token, TokenError},
};
use crate::{broker::front::Front, ids::ServerName};

/// What is served: all servers as one at `/mcp` (no name), and each by itself at `/servers/NAME/mcp`.
pub trait Fronts: fmt::Debug + Send + Sync {
    /// The front of a place; `None` where there is none.
    fn front(&self, server: Option<&ServerName>) -> Option<Front>;

    /// A client begins a conversation there: a session, or the first request without one.
    fn opened(&self, server: Option<&ServerName>) {
        let _ = server;
    }
}

/// What is served, to whom, and within which limits.
#[derive(Debug)]
pub struct Service {
    fronts: Arc<dyn Fronts>,
    token: Token,
    limits: Limits,
}

impl Service {
    /// Serves these fronts to whoever has the token.
    #[must_use]
    pub const fn new(fronts: Arc<dyn Fronts>, token: Token, limits: Limits) -> Self {
        Self { fronts, token, limits }
    }
}
