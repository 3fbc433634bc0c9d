//! Conversations with backends: opening them, keeping a few alive, reading their lists, relaying calls.
//!
//! rmcp's client types and child processes stay in this room. Everything outside sees [`Connect`], [`Session`] and [`Pool`].

mod error;
mod session;

pub use error::BackendError;
pub use session::{CallRequest, Caller, Connect, Session};
