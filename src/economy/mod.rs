//! Every decision about what enters a model's context: tokens, signatures, descriptions, summaries, budgets.
//!
//! Pure functions over the catalog. Knows no transport, no database and no protocol type.

mod boilerplate;
mod clean;
mod describe;
mod description;
mod estimate;
pub mod fold;
mod footprint;
mod head;
pub mod listing;
pub mod neighbours;
mod orders;
mod parameters;
pub mod pins;
mod reading;
mod result;
mod schema;
pub mod search_reply;
mod select;
mod shares;
mod signature;
pub mod summaries;
pub mod surface;
mod terms;
mod tokens;

#[cfg(test)]
mod promises;
#[cfg(test)]
mod readback;
#[cfg(test)]
pub(crate) mod samples;

pub use describe::describe;
pub use description::{first_sentence, hit_line, sentence};
pub use estimate::estimate;
pub use footprint::{Footprint, ServerFootprint, ToolFootprint, direct_tokens, footprint, start_tokens};
pub use head::Next;
pub use reading::{ReadError, Span, Wanted, read_on};
pub use result::{Copies, Cut, Fitted, Limits, NOTICE_TOKENS, Whole, fit, minified, say_cut};
pub use select::{SelectError, select_from_result};
pub use shares::{ResultText, reply_shares, summary_shares};
pub use signature::{Signature, signature};
pub use tokens::{count, fits, warm_up};

use crate::catalog::{JsonObject, ToolEntry};

/// A tool's definition as received: the one place in this room that knows how the catalog keeps it.
fn definition(tool: &ToolEntry) -> &JsonObject {
    tool.definition()
}
