//! `toolcrib serve`: the arguments only; serving is `app`'s.

use std::net::{Ipv4Addr, SocketAddr};

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Standard output carries MCP and nothing else; problems go to standard error.
The catalog on disk answers the start, search and describe. A server starts at its first call.
Servers never read before, or not for long, are read in the background.

With --passthrough it is one server as it is, under its own names: started at its first request, in front of clients
and servers of both eras of the protocol.

With --http, one process serves any number of clients on this machine, until it is stopped: all servers at /mcp, each one
as it is at /servers/NAME/mcp. Clients need its token, which is made and shown once, at the first start;
TOOLCRIB_HTTP_TOKEN sets one of your own (16 characters or more). A client's entry:
  {\"url\": \"http://127.0.0.1:7477/mcp\", \"headers\": {\"Authorization\": \"Bearer tcb_…\"}}

Examples:
  toolcrib serve
  toolcrib serve --config .mcp.json
  toolcrib serve --passthrough github
  toolcrib serve --http")]
pub struct Args {
    /// Read no server in the background; use the catalog as it is
    #[arg(long)]
    pub no_refresh: bool,

    /// Be this one server, its tools under their own names, instead of all of them
    #[arg(long, value_name = "SERVER")]
    pub passthrough: Option<String>,

    /// Serve over HTTP at this address of this machine, instead of over standard streams [if no address is given: 127.0.0.1:7477]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:7477", value_parser = address)]
    pub http: Option<SocketAddr>,
    /// Make a new token for HTTP clients; the old one ends
    #[arg(long, requires = "http")]
    pub new_token: bool,
}

/// An address to listen at: `IP:PORT`, `localhost:PORT` or a port. Port 0 means any that is free.
fn address(text: &str) -> Result<SocketAddr, String> {
    let local = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    let address = match (port.parse(), text.parse::<SocketAddr>()) {
        (Ok(port), _) => local(port),
        (Err(_), Ok(address)) => address,
        (Err(_), Err(_)) => return Err("write IP:PORT, like 127.0.0.1:7477".into()),
    };
    if !address.ip().is_loopback() {
        let why = "that address can be reached from other machines, and whoever has the token there could use all of your \
                   servers as you; use 127.0.0.1 or [::1]";
        return Err(why.into());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_taken() {
        for (text, expected) in [
            ("127.0.0.1:7477", Some("127.0.0.1:7477")),
            ("localhost:80", Some("127.0.0.1:80")),
            ("0", Some("127.0.0.1:0")),
            ("[::1]:7477", Some("[::1]:7477")),
            ("0.0.0.0:7477", None),
            ("[::]:7477", None),
            ("192.168.1.5:7477", None),
            ("[::ffff:127.0.0.1]:7477", None),
            ("example.com:7477", None),
            ("127.0.0.1", None),
            ("localhost", None),
            ("70000", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
        assert!(address("0.0.0.0:1").unwrap_err().contains("other machines"));
    }
}
