//! `crib/status`: which servers there are, which of them run and which fail.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Answer, bounded, span};
use crate::{
    broker::Broker,
    catalog::{Health, JsonObject},
    config::ServerSpec,
    ids::ServerName,
};

/// The tool's name.
pub(super) const STATUS: &str = "status";

pub(super) fn definition() -> Value {
    super::definition(
        STATUS,
        "State of the servers behind toolcrib: running, failing and with which error, when their tools were last read.",
        &json!({ "server": { "type": "string", "description": "only this one" } }),
        &[],
        true,
    )
}

impl Broker {
    /// Says how the servers are; those that fail first.
    pub(super) fn status(&self, arguments: &JsonObject, budget: usize) -> Answer {
        let asked = arguments.get("server").and_then(Value::as_str).filter(|server| !server.is_empty());
        let servers = &self.library.settings().servers;
        let catalog = self.library.catalog();
        let running = self.pool.running();
        let mut lines: Vec<(u8, String)> = Vec::new();
        for spec in servers.values().filter(|spec| asked.is_none_or(|asked| spec.name.as_str() == asked)) {
            let (rank, state) = self.state(spec, running.contains(&spec.name));
            let tools = catalog.servers.get(&spec.name).map_or(0, |entry| entry.tools.len());
            lines.push((rank, format!("{} ({tools}): {state}", spec.name)));
        }
        if let (Some(asked), true) = (asked, lines.is_empty()) {
            let names: Vec<&str> = servers.keys().map(ServerName::as_str).collect();
            return Err(format!("there is no server `{asked}`; there are {}", names.join(", ")));
        }
        lines.sort();
        let mut lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
        if asked.is_none() {
            let enabled = servers.values().filter(|spec| spec.enabled).count();
            lines.insert(0, format!("{enabled} servers, {} running; (n) is the number of tools", running.len()));
        }
        Ok(bounded(&lines, budget))
    }

    /// What there is to say of one server, and how much it matters: 0 most.
    fn state(&self, spec: &ServerSpec, runs: bool) -> (u8, String) {
        let catalog = self.library.catalog();
        let ago = |at: SystemTime| span(SystemTime::now().duration_since(at).unwrap_or_default());
        if !spec.enabled {
            return (4, "switched off".into());
        }
        if let Health::Failed { at, failures, reason } = catalog.health(&spec.name) {
            let times = if *failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
            return (0, format!("failed {times}, last {} ago: {reason}", ago(*at)));
        }
        let read = catalog.servers.get(&spec.name).map(|entry| format!("tools read {} ago", ago(entry.read_at)));
        match (runs, read) {
            (_, None) => (1, "its tools were never read".into()),
            (true, Some(read)) => (2, format!("running, {read}")),
            (false, Some(read)) => (3, format!("starts at its first call, {read}")),
        }
    }
}
