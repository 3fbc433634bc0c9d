//! What is known of servers and tools: an immutable snapshot, its fingerprints, and lenient reading of raw lists.
//!
//! Imports only `ids`: it knows no database, no index and no transport.

mod model;

pub use model::{Catalog, Era, Fingerprint, Health, JsonObject, Quarantined, RawListing, ServerEntry, ToolEntry};
