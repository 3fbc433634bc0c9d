//! JSON-RPC on raw JSON: messages read and written as they came, and the codecs that carry them.
//!
//! Knows no method, no era and no peer. Nothing of a message is lost here, so that whoever relays one can relay all of it.

pub mod events;
mod lines;
mod message;

pub use lines::{LineError, LineReader};
pub use message::{Id, JsonObject, Message, Notification, Request, Response, RpcError, answer, notification, request};
