//! Reads back what this room writes, to hold it to its promises: a signature without `…` is enough to call by, and a describe
//! says neither more nor less than the schema.
//!
//! Knows the texts alone, none of the types they were written from. Part of the tests and of `cargo bench --bench lossless`
//! only, so it stops at what it does not expect.

pub mod grammar;
pub mod neighbours;
pub mod samples;
pub mod strings;
pub mod unsaid;
pub mod verdict;
