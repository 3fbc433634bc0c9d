//! Every decision about what enters a model's context: tokens, signatures, descriptions, summaries, budgets.
//!
//! Pure functions over the catalog. Knows no transport, no database and no protocol type.

mod clean;
mod describe;
mod description;
mod estimate;
mod footprint;
mod json_head;
mod parameters;
mod result;
mod schema;
pub mod search_reply;
mod select;
mod signature;
pub mod summaries;
pub mod surface;
mod terms;
mod tokens;

#[cfg(test)]
pub(crate) mod samples;

pub use describe::describe;
pub use description::{first_sentence, hit_line, sentence};
pub use estimate::estimate;
pub use footprint::{Footprint, ServerFootprint, ToolFootprint, footprint, start_tokens};
pub use result::{Copies, Cut, Fitted, Limits, fit, minified};
pub use select::{SelectError, select_from_result};
pub use signature::{Signature, signature};
pub use tokens::{count, fits, warm_up};

use crate::catalog::{JsonObject, ToolEntry};

/// A tool's definition as received: the one place in this room that knows how the catalog keeps it.
fn definition(tool: &ToolEntry) -> &JsonObject {
    tool.definition()
}
