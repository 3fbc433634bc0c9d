//! JSON Schema as types that can be read in a line: what arguments a tool takes, and how that is said.
//!
//! Knows nothing of tools, budgets or descriptions of tools.

mod combine;
pub mod dialect;
mod disjoint;
mod equal;
mod formats;
pub mod kind;
pub(in crate::economy) mod leaf;
pub mod merge;
pub mod note;
mod object;
pub mod read;
pub mod write;
