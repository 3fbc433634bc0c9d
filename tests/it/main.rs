//! Stories: toolcrib as its users meet it, one module each.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a story ends where it does not go as told"
)]

mod audience;
mod bad_servers;
mod bridge;
mod broken_files;
mod eras;
mod fidelity;
mod http;
mod http_backends;
mod learning;
mod ledger;
mod long_results;
mod meta_tools;
mod offers;
mod pairs;
mod passthrough;
mod pins;
mod rooms;
mod search_replies;
mod subscriptions;
mod support;
mod surface;
