//! What stands in for a model, and its bill. It chooses well and says nothing, so that the ways of offering tools are compared and
//! not a model's luck. Its rules:
//!
//! 1. It searches with the words of the task.
//! 2. For each need of the task it takes the first tool in the reply that meets the need.
//! 3. Where the reply shows that tool's signature whole (no `…`, or at its end the number of optional parameters left out, since what
//!    it writes are the required ones), or its JSON Schema, it calls. Else it describes the tool first.
//! 4. Where no tool in the reply meets a need, it searches once more, with the same words and `limit: 20`. Then it gives up.
//! 5. Its arguments are what the schema requires (`arguments.rs`); the result is the tool's first recorded one, else a small one.
//! 6. Where every definition is loaded, it calls at once.
//!
//! A token is counted once: when the model writes it or first reads it.

use serde_json::{Value, json};
use toolcrib::{
    broker::{DEFAULT_LIMIT, SearchRequest},
    economy,
    ids::ToolId,
};

use crate::{
    arguments,
    catalog::{Set, Task},
    plain, recorded,
    stage::{Answer, Stage, text_of},
};

/// Hits of the second search.
const MORE: usize = 20;

/// What one task took.
#[derive(Debug, Default, Clone)]
pub struct Bill {
    /// Tokens that the model wrote: its calls.
    pub written: usize,
    /// Tokens that it read: the answers.
    pub read: usize,
    /// Tokens of each search reply.
    pub searches: Vec<usize>,
    /// Tokens of each description.
    pub describes: Vec<usize>,
    /// Calls of tools of servers.
    pub calls: usize,
    /// Of these, calls that were answered with an error.
    pub refused: usize,
    /// Whether every need was met.
    pub finished: bool,
    /// What happened beyond one search and one call for each need, for a reader.
    pub notes: Vec<String>,
}

impl Bill {
    pub const fn tokens(&self) -> usize {
        self.written + self.read
    }

    /// Answers that the model waited for.
    pub const fn round_trips(&self) -> usize {
        self.searches.len() + self.describes.len() + self.calls
    }

    /// One search, one call for each need, nothing else.
    pub fn is_straight(&self) -> bool {
        self.finished && self.searches.len() <= 1 && self.describes.is_empty()
    }

    fn wrote(&mut self, tool: &str, arguments: &Value) {
        self.written += economy::count(&json!({ "name": tool, "arguments": arguments }).to_string());
    }
}

/// Plays a task where every definition is loaded.
pub fn direct(task: &Task, set: &Set, stage: &Stage) -> Bill {
    let mut bill = Bill { finished: true, ..Bill::default() };
    for need in task.needs() {
        let Some(id) = need.iter().find_map(|id| known(id, stage)) else {
            bill.finished = false;
            continue;
        };
        bill.wrote(&plain::flat(&id), &arguments_for(&id, stage));
        bill.read += economy::count(&text_of(&recorded::result_of(&id.to_string(), set)));
        bill.calls += 1;
    }
    bill
}

/// Plays a task through the plain broker, which ranks as toolcrib does.
pub async fn through_plain(task: &Task, set: &Set, stage: &Stage) -> Bill {
    let mut bill = Bill::default();
    let mut open = task.needs();
    for limit in [stage.trial.limit, Some(MORE)] {
        bill.wrote("search_tools", &search_arguments(task, limit));
        let request = SearchRequest { query: task.query.clone(), server: None, limit, explain: false };
        let hits = stage.broker.search(&request, &stage.conversation).await.hits;
        let ids: Vec<ToolId> = hits.iter().filter_map(|hit| hit.id.parse().ok()).collect();
        let tokens = economy::count(&plain::reply(&ids, &stage.broker));
        bill.read += tokens;
        bill.searches.push(tokens);
        open.retain(|need| {
            let Some(id) = ids.iter().find(|id| need.contains(&id.to_string())) else { return true };
            let arguments = json!({ "name": plain::flat(id), "arguments": arguments_for(id, stage) });
            bill.wrote("call_tool", &arguments);
            bill.read += economy::count(&text_of(&recorded::result_of(&id.to_string(), set)));
            bill.calls += 1;
            false
        });
        if open.is_empty() {
            bill.finished = true;
            break;
        }
    }
    bill
}

/// Plays a task through toolcrib.
pub async fn through_toolcrib(task: &Task, set: &Set, stage: &Stage) -> Bill {
    let mut bill = Bill::default();
    let mut open = task.needs();
    for limit in [stage.trial.limit, Some(MORE)] {
        let asked = search_arguments(task, limit);
        bill.wrote("search_tools", &asked);
        let reply = stage.ask("search_tools", asked).await;
        bill.read += reply.tokens;
        bill.searches.push(reply.tokens);
        let mut left = Vec::new();
        for need in open {
            match first_shown(need, &reply) {
                Some(shown) => call(&shown, set, stage, &mut bill).await,
                None => left.push(need),
            }
        }
        open = left;
        if open.is_empty() {
            bill.finished = true;
            break;
        }
        let wanted = open.iter().map(|need| need.join(" or ")).collect::<Vec<_>>().join("; ");
        bill.notes.push(format!("not among {}: {wanted}", limit.unwrap_or(DEFAULT_LIMIT)));
    }
    bill
}

async fn call(shown: &Shown, set: &Set, stage: &Stage, bill: &mut Bill) {
    let id = &shown.id;
    if !shown.complete {
        let asked = json!({ "tools": [id.to_string()] });
        bill.wrote("describe_tool", &asked);
        let described = stage.ask("describe_tool", asked).await;
        bill.read += described.tokens;
        bill.describes.push(described.tokens);
        bill.notes.push(format!("described: {}", shown.line));
    }
    let asked = json!({ "tool": id.to_string(), "arguments": arguments_for(id, stage) });
    bill.wrote("call_tool", &asked);
    stage.answer_with(recorded::result_of(&id.to_string(), set));
    let result = stage.ask("call_tool", asked.clone()).await;
    if result.is_error {
        // The arguments are made from the schema, so a refusal is a mistake of this benchmark, or of toolcrib.
        bill.refused += 1;
        bill.notes.push(format!("refused: {asked}: {}", result.text));
    }
    bill.read += result.tokens;
    bill.calls += 1;
}

/// A tool as a search reply shows it.
struct Shown {
    id: ToolId,
    /// Its line holds the whole signature.
    complete: bool,
    line: String,
}

/// The first tool in a reply that meets a need. One that is only mentioned counts as shown without its signature.
fn first_shown(need: &[String], reply: &Answer) -> Option<Shown> {
    let with_line = reply.text.lines().find_map(|line| {
        let id = need.iter().find(|id| line.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('(')))?;
        Some(Shown { id: id.parse().ok()?, complete: is_enough(signature_of(line)), line: line.into() })
    });
    with_line.or_else(|| {
        let id = need.iter().find(|id| mentions(&reply.text, id))?;
        Some(Shown { id: id.parse().ok()?, complete: false, line: format!("{id}, mentioned only") })
    })
}

/// Whether a signature shows every parameter that is required.
fn is_enough(signature: &str) -> bool {
    let shown = match signature.rsplit_once("…+") {
        Some((before, rest)) if rest.trim_end().ends_with(" optional)") => before,
        _ => signature,
    };
    !shown.contains('…')
}

/// A hit's line up to the sentence: the first ` — ` outside quotes.
fn signature_of(line: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in line.char_indices() {
        match character {
            '"' if !escaped => quoted = !quoted,
            '—' if !quoted && line[..at].ends_with(") ") => return &line[..at],
            _ => {}
        }
        escaped = character == '\\' && !escaped;
    }
    line
}

/// Whether a name stands in a text by itself, and not as a part of a longer one.
fn mentions(text: &str, id: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    text.match_indices(id).any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + id.len()..].starts_with(is_part))
}

fn search_arguments(task: &Task, limit: Option<usize>) -> Value {
    match limit {
        None => json!({ "query": task.query }),
        Some(limit) => json!({ "query": task.query, "limit": limit }),
    }
}

fn arguments_for(id: &ToolId, stage: &Stage) -> Value {
    let catalog = stage.broker.library().catalog();
    catalog.tool(id).map_or_else(|| json!({}), |tool| arguments::for_schema(tool.input_schema()))
}

fn known(id: &str, stage: &Stage) -> Option<ToolId> {
    let id: ToolId = id.parse().ok()?;
    stage.broker.library().catalog().tool(&id).is_some().then_some(id)
}
