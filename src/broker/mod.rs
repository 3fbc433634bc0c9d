//! The MCP server that clients see: search, describe, call, and the errors that teach.
