//! toolcrib: one MCP server in front of all of a person's MCP servers.
//!
//! The rooms and what each may import are in `docs/architecture.md`; a test holds them to it.

pub mod app;
pub mod backends;
pub mod broker;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod economy;
pub mod http;
pub mod ids;
pub mod import;
pub mod jsonrpc;
pub mod policy;
pub mod registry;
pub mod samples;
pub mod shutdown;
pub mod telemetry;
