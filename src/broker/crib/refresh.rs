//! `crib/refresh`: reads the lists of tools again, now.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::{self, Instant};
use tracing::warn;

use super::{Answer, bounded};
use crate::{broker::Broker, catalog::JsonObject, config::ServerSpec, ids::ServerName};

/// The tool's name.
pub(super) const REFRESH: &str = "refresh";

/// Longest time one call takes. Clients give up after 60 s.
const MAX_WAIT: Duration = Duration::from_secs(50);

pub(super) fn definition() -> Value {
    super::definition(
        REFRESH,
        "Read the tools of a server behind toolcrib again, after it was changed or repaired. Without a server: of all.",
        &json!({ "server": { "type": "string" } }),
        &[],
        false,
    )
}

impl Broker {
    /// Reads servers again and says what changed. Those that have not answered in time are named.
    ///
    /// Dropping the future ends the conversations under way.
    pub(super) async fn refresh(&self, arguments: &JsonObject, budget: usize) -> Answer {
        let asked = arguments.get("server").and_then(Value::as_str).filter(|server| !server.is_empty());
        let servers = &self.library.settings().servers;
        let chosen = |spec: &&ServerSpec| spec.enabled && asked.is_none_or(|asked| spec.name.as_str() == asked);
        let specs: Vec<ServerSpec> = servers.values().filter(chosen).cloned().collect();
        if specs.is_empty() {
            let names: Vec<&str> =
                servers.values().filter(|spec| spec.enabled).map(|spec| spec.name.as_str()).collect();
            let asked = asked.map(|asked| format!(" `{asked}`")).unwrap_or_default();
            return Err(format!("there is no server{asked} to read; there are {}", names.join(", ")));
        }
        let mut waiting: Vec<ServerName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let mut lines = Vec::new();
        let mut readings = self.read_servers(Arc::clone(self.pool.connector()), specs);
        let end = Instant::now() + MAX_WAIT;
        while let Ok(Some(reading)) = time::timeout_at(end, readings.next()).await {
            let server = reading.server.clone();
            waiting.retain(|name| *name != server);
            let failure = reading.outcome.as_ref().err().map(|error| format!("{}; {}", error.in_short(), error.hint()));
            let taken = self.library.take(reading, SystemTime::now()).await;
            lines.push(match (failure, taken) {
                (Some(failure), _) => format!("{server}: could not be read: {failure}"),
                (None, Ok(Some(change))) if !change.is_empty() => format!("{server}: {change}"),
                (None, Ok(_)) => format!("{server}: unchanged"),
                (None, Err(error)) => {
                    warn!(server.name = %server, error = %error, "what the server answered could not be stored");
                    format!("{server}: read, but not stored: {error}")
                }
            });
        }
        if let Err(error) = self.library.index().await {
            warn!(error = %error, "the search index could not be built");
        }
        lines.sort();
        if !waiting.is_empty() {
            let names: Vec<&str> = waiting.iter().map(ServerName::as_str).collect();
            lines.push(format!(
                "not read within {} s: {}; name one to try it alone",
                MAX_WAIT.as_secs(),
                names.join(", ")
            ));
        }
        Ok(bounded(&lines, budget))
    }
}
