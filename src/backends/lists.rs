//! Reads a backend's lists: every page, within bounds, and what is refused costs nothing but a note.

use std::{collections::HashSet, future::Future, time::Duration};

use serde_json::Value;

use super::peer::Failure;
use crate::catalog::JsonObject;

/// Most pages of one list. No real server pages at all.
const MAX_PAGES: usize = 100;

/// Most items of one list that are kept. The catalog takes fewer; this only bounds the memory.
const MAX_ITEMS: usize = 10_000;

/// Longest wait for a list that is not the tools: some servers announce one and never answer.
const SIDE_LIST: Duration = Duration::from_secs(5);

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) tools: Vec<Value>,
    pub(super) prompts: Vec<Value>,
    pub(super) resources: Vec<Value>,
    pub(super) resource_templates: Vec<Value>,
    pub(super) notes: Vec<String>,
}

/// Reads the tools, then whatever else is announced. Only failing tools fail the whole. `ask` sends one request.
pub(super) async fn read<F>(
    capabilities: &JsonObject,
    deadline: Duration,
    ask: impl Fn(&'static str, JsonObject, Duration) -> F,
) -> Result<Lists, Failure>
where
    F: Future<Output = Result<JsonObject, Failure>>,
{
    let mut lists = Lists::default();
    // A server that announces no tools may still have some; one that has none answers with an error.
    let announced = capabilities.contains_key("tools");
    match pages("tools/list", "tools", deadline, &mut lists.notes, &ask).await {
        Ok(tools) => lists.tools = tools,
        Err(Failure::Rpc(_)) if !announced => {}
        Err(failure) => return Err(failure),
    }
    let side = deadline.min(SIDE_LIST);
    for (capability, method, key) in [
        ("prompts", "prompts/list", "prompts"),
        ("resources", "resources/list", "resources"),
        ("resources", "resources/templates/list", "resourceTemplates"),
    ] {
        if !capabilities.contains_key(capability) {
            continue;
        }
        let items = match pages(method, key, side, &mut lists.notes, &ask).await {
            Ok(items) => items,
            Err(failure) => {
                lists.notes.push(format!("{method} is announced and {}", refusal(&failure)));
                continue;
            }
        };
        match key {
            "prompts" => lists.prompts = items,
            "resources" => lists.resources = items,
            _ => lists.resource_templates = items,
        }
    }
    Ok(lists)
}

/// Reads the tools alone, for what their schemas say.
pub(super) async fn tools<F>(
    deadline: Duration,
    ask: impl Fn(&'static str, JsonObject, Duration) -> F,
) -> Result<Vec<Value>, Failure>
where
    F: Future<Output = Result<JsonObject, Failure>>,
{
    pages("tools/list", "tools", deadline, &mut Vec::new(), &ask).await
}

async fn pages<F>(
    method: &'static str,
    key: &str,
    deadline: Duration,
    notes: &mut Vec<String>,
    ask: &impl Fn(&'static str, JsonObject, Duration) -> F,
) -> Result<Vec<Value>, Failure>
where
    F: Future<Output = Result<JsonObject, Failure>>,
{
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut params = JsonObject::new();
        if let Some(cursor) = &cursor {
            params.insert("cursor".into(), cursor.as_str().into());
        }
        let mut page = ask(method, params, deadline).await?;
        match page.remove(key) {
            Some(Value::Array(page)) => items.extend(page),
            Some(_) | None => return Err(Failure::Protocol(format!("{method} has no array `{key}`"))),
        }
        if items.len() > MAX_ITEMS {
            items.truncate(MAX_ITEMS);
            notes.push(format!("{method} was cut at {MAX_ITEMS} items"));
            return Ok(items);
        }
        match page.remove("nextCursor") {
            Some(Value::String(next)) if !next.is_empty() => {
                if !seen.insert(next.clone()) {
                    notes.push(format!("{method} goes round in circles; what came before that was kept"));
                    return Ok(items);
                }
                cursor = Some(next);
            }
            Some(_) | None => return Ok(items),
        }
    }
    notes.push(format!("{method} was cut at {MAX_PAGES} pages"));
    Ok(items)
}

fn refusal(failure: &Failure) -> String {
    match failure {
        Failure::Rpc(error) => match error.get("code").and_then(Value::as_i64) {
            Some(code) => format!("refused with error {code}"),
            None => "refused".into(),
        },
        Failure::Timeout(after) => format!("not answered within {} s", after.as_secs()),
        Failure::Closed | Failure::Wire(_) => "ends the conversation".into(),
        Failure::Protocol(reason) => format!("answered wrongly: {reason}"),
        Failure::Unsupported(what) => format!("would need {what}"),
    }
}
