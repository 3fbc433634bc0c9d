//! The scripted sample servers that `toolcrib demo` starts: real MCP servers over standard streams.
