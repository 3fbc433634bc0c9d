//! Conversations with backends: opening them, keeping a few alive, reading their lists, relaying calls.
//!
//! Child processes and the wires of the protocol stay in this room. Everything outside sees [`Connect`], [`Session`] and
//! [`Pool`].

mod breaker;
mod bystanders;
mod connect;
mod endpoint;
mod era;
mod error;
mod http;
mod inbox;
mod levels;
mod lists;
mod live;
#[cfg(test)]
mod loopback;
mod mirror;
mod peer;
mod pool;
mod questions;
mod refresh;
#[cfg(test)]
mod scripted;
mod session;
mod sse;
mod standing;
mod stderr;
mod stdio;
mod subscriptions;
mod watch;
mod watching;
mod wire;

pub use bystanders::Bystander;
pub use connect::Connector;
pub use error::BackendError;
pub use pool::{Lease, Pool};
pub use refresh::{read, read_all};
pub use session::{Answers, Caller, ClientCapabilities, Connect, Greeting, Request, Session, not_supported};
pub use watch::{Notices, Wanted, Watch};
