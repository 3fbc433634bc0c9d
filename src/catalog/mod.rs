//! What is known of servers and tools: an immutable snapshot, its fingerprints, and lenient reading of raw lists.
//!
//! Imports only `ids`: it knows no database, no index and no transport.

mod diff;
mod fingerprint;
mod lookup;
mod model;
mod reading;
mod snapshot;
mod tool;

pub use diff::{ListingChange, ToolChange, diff};
pub use fingerprint::{content_key, of_definition, of_listing};
pub use lookup::Resolution;
pub use model::{Era, Fingerprint, Health, JsonObject, Quarantined, RawListing, ServerEntry};
pub use snapshot::{Catalog, SharedCatalog};
pub use tool::ToolEntry;
