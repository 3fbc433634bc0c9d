//! toolcrib's own server, `crib`: found by search and called like any other, never advertised, started by nobody.
//!
//! Its tools answer from this process. They keep within the budget themselves, so nothing of them is cut or kept again.

mod history;
mod read_result;
mod refresh;
mod status;

use std::{collections::BTreeMap, sync::Arc, time::Duration, time::SystemTime};

use serde_json::{Value, json};

use super::{Broker, Conversation, reply};
use crate::{
    catalog::{Catalog, Era, JsonObject, RawListing, ServerEntry, ToolEntry},
    config::CribSettings,
    ids::{BUILT_IN_SERVER, ServerName},
};

pub(super) use read_result::READ_RESULT;

/// What the server's tools are for, for the search index.
pub(super) const PURPOSE: &str = "toolcrib itself: long results, state of the servers, what this conversation did";

/// A catalog of the one built-in server, with the tools that the operator leaves on.
pub(super) fn catalog(settings: CribSettings) -> Catalog {
    let all = [
        (settings.read_result, read_result::definition()),
        (settings.status, status::definition()),
        (settings.refresh, refresh::definition()),
        (settings.history, history::definition()),
    ];
    let tools: Vec<Value> = all.into_iter().filter(|(on, _)| *on).map(|(_, definition)| definition).collect();
    let mut servers = BTreeMap::new();
    // The name is one by its own rule; a test holds that.
    if let (Ok(name), false) = (BUILT_IN_SERVER.parse::<ServerName>(), tools.is_empty()) {
        let listing = RawListing {
            era: Era::Modern,
            protocol_version: String::new(),
            server_info: JsonObject::from_iter([("description".to_owned(), Value::from(PURPOSE))]),
            capabilities: JsonObject::new(),
            instructions: None,
            tools,
            prompts: Vec::new(),
            resources: Vec::new(),
            resource_templates: Vec::new(),
            notes: Vec::new(),
        };
        servers.insert(name.clone(), Arc::new(ServerEntry::read(name, listing, SystemTime::UNIX_EPOCH)));
    }
    Catalog::new(servers, BTreeMap::new(), 0)
}

/// The result of a built-in tool, and whether it is an error.
type Answer = Result<String, String>;

impl Broker {
    /// Calls a built-in tool with arguments that fit its schema. `budget` is in tokens.
    pub(super) async fn call_built_in(
        &self,
        tool: &ToolEntry,
        arguments: &JsonObject,
        budget: usize,
        conversation: &Conversation,
    ) -> JsonObject {
        let answer = match tool.name().as_str() {
            READ_RESULT => self.read_result(arguments, budget, conversation).await,
            status::STATUS => self.status(arguments, budget),
            refresh::REFRESH => self.refresh(arguments, budget).await,
            history::HISTORY => history::answer(conversation, budget),
            other => Err(format!("there is no {BUILT_IN_SERVER}/{other}")),
        };
        answer.map_or_else(|problem| reply::error(&problem), |text| reply::text(&text))
    }
}

/// A definition with these properties; `required` are the first of them.
fn definition(name: &str, description: &str, properties: &Value, required: &[&str], read_only: bool) -> Value {
    json!({
        "name": name,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
        "annotations": { "readOnlyHint": read_only, "openWorldHint": false },
    })
}

/// A span of time in its largest unit: `5 s`, `3 min`, `2 h`, `4 d`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Lines in at most `budget` tokens; the number of those left out is said.
fn bounded(lines: &[String], budget: usize) -> String {
    let mut left = budget.saturating_sub(12);
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines {
        let cost = crate::economy::count(line) + 1;
        if cost > left {
            kept.push(format!("and {} more", lines.len() - kept.len()));
            break;
        }
        left -= cost;
        kept.push(line.clone());
    }
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: CribSettings = CribSettings { read_result: true, status: true, refresh: true, history: true };

    fn names(settings: CribSettings) -> Vec<String> {
        catalog(settings).tools().map(|tool| tool.id.to_string()).collect()
    }

    #[test]
    fn each_built_in_tool_can_be_switched_off() {
        assert_eq!(names(ALL), ["crib/read_result", "crib/status", "crib/refresh", "crib/history"]);
        assert_eq!(names(CribSettings { status: false, history: false, ..ALL }), ["crib/read_result", "crib/refresh"]);
        let none = CribSettings { read_result: false, status: false, refresh: false, history: false };
        assert!(catalog(none).servers.is_empty());
    }

    #[test]
    fn their_signatures_are_complete() {
        let lines: Vec<String> = catalog(ALL).tools().map(|tool| crate::economy::hit_line(tool)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        crib/read_result(id: string, lines?: string, bytes?: string, pattern?: string, context?: integer 0..50 = 2, path?: string) — Read on in a result that was cut: a range of lines or bytes, the lines that match a regular expression, or the part...
        crib/status(server?: string) — State of the servers behind toolcrib: running, failing and with which error, when their tools were last read.
        crib/refresh(server?: string) — Read the tools of a server behind toolcrib again, after it was changed or repaired.
        crib/history() — What this conversation searched and called through toolcrib, newest first, with the ids of results that were cut.
        ");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines: Vec<String> = (0..50).map(|at| format!("line {at} of fifty")).collect();
        let text = bounded(&lines, 50);
        assert!(text.ends_with("and 44 more"), "{text}");
        assert!(crate::economy::count(&text) <= 50);
    }
}
