//! `toolcrib-index`: turns tool documents and a query in plain words into ranked hits.
//!
//! Owns everything about ranking: what of a tool is searched, how text becomes terms, how terms become a score, how the
//! index lies on disk, and how good a ranking is. Knows no MCP, no async, no SQL and no clock: ids, servers and names
//! are texts that mean nothing to it. The ranking on one page is in `README.md` beside this crate.

mod analyzer;
mod document;
mod error;
pub mod eval;
mod exact;
mod generation;
mod habits;
mod index;
mod layout;
mod model;
mod needs;
mod postings;
mod query;
mod rank;
mod schema_text;
mod segment;
mod select;
mod servers;
mod spelling;
mod vectors;
mod view;

/// What this build ranks by, for people.
#[cfg(feature = "model")]
pub const RANKING: &str = "words and meaning";

/// What this build ranks by, for people.
#[cfg(not(feature = "model"))]
pub const RANKING: &str = "words alone: built without the feature `model`";

pub use document::ToolDocument;
pub use error::IndexError;
pub use habits::Habits;
pub use index::Index;
pub use query::{Hit, Query, Reason};
