//! Recorded results over the default budget: what each costs where it is passed on whole, and through toolcrib.
//!
//! Rule: the model makes the recorded call and reads the answer; where the answer says how to read on, it does so once.

use std::fmt::Write;

use serde_json::{Value, json};
use toolcrib::catalog::JsonObject;

use crate::{catalog::Set, floor::Figures, recorded::Recorded, report::grouped, stage::Stage};

/// Results over so many tokens are played: the default budget.
const OVER: usize = 8_000;

/// What each large result cost.
pub struct Large {
    set: &'static str,
    rows: Vec<Row>,
}

struct Row {
    tool: String,
    text: usize,
    structured: usize,
    ours: usize,
    read_on: Option<usize>,
    is_whole: bool,
}

/// Makes every recorded call with a large result, once.
pub async fn play(set: &Set, stage: &Stage) -> anyhow::Result<Large> {
    let mut rows = Vec::new();
    let is_here = |call: &&Recorded| set.servers.iter().any(|(name, _)| call.tool.split('/').next() == Some(name));
    for call in set.recorded.iter().filter(|call| call.text_tokens > OVER).filter(is_here) {
        stage.answer_with(call.result.clone());
        let answer = stage.ask("call_tool", json!({ "tool": call.tool, "arguments": call.arguments })).await;
        anyhow::ensure!(!answer.is_error, "{} was not called: {}", call.tool, answer.text);
        let read_on = match call_to_read_on(&answer.text) {
            Some(arguments) => Some(stage.ask("call_tool", Value::Object(arguments)).await.tokens),
            None => None,
        };
        rows.push(Row {
            tool: call.tool.clone(),
            text: call.text_tokens,
            structured: call.structured_tokens,
            ours: answer.tokens,
            read_on,
            is_whole: call.is_whole,
        });
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.text + row.structured));
    Ok(Large { set: set.name, rows })
}

/// The `call_tool` arguments that a cut result gives for reading on: the last JSON object in the text that names the built-in tool.
fn call_to_read_on(text: &str) -> Option<JsonObject> {
    let named = text.rfind("crib/read_result")?;
    let starts = text[..named].rmatch_indices('{').map(|(at, _)| at);
    // The call itself, else the arguments that stand behind the tool's name.
    let whole = starts.take(3).find_map(|at| first_object(&text[at..]).filter(|object| object.contains_key("tool")));
    whole.or_else(|| {
        let behind = &text[named..];
        let arguments = first_object(&behind[behind.find('{')?..])?;
        json!({ "tool": "crib/read_result", "arguments": arguments }).as_object().cloned()
    })
}

fn first_object(text: &str) -> Option<JsonObject> {
    serde_json::Deserializer::from_str(text).into_iter::<JsonObject>().next()?.ok()
}

impl Large {
    /// The table, as Markdown; empty where nothing was recorded.
    pub fn table(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut out = String::from(
            "| result | text | text and structured | through toolcrib | … and read on once |\n| --- | --- | --- | --- | --- |\n",
        );
        for row in &self.rows {
            let mark = if row.is_whole { "" } else { " *" };
            let read_on = row.read_on.map_or_else(|| "–".into(), |tokens| grouped(row.ours + tokens));
            let both = grouped(row.text + row.structured);
            let _ = writeln!(
                out,
                "| `{}`{mark} | {} | {both} | {} | {read_on} |",
                row.tool,
                grouped(row.text),
                grouped(row.ours)
            );
        }
        let sum = |of: fn(&Row) -> usize| grouped(self.rows.iter().map(of).sum());
        let _ = writeln!(
            out,
            "| together | {} | {} | {} | |\n\n\\* grown from its recorded start to its recorded length.",
            sum(|row| row.text),
            sum(|row| row.text + row.structured),
            sum(|row| row.ours)
        );
        out
    }

    /// Adds the figures that bounds may be set on.
    pub fn figures(&self, figures: &mut Figures) {
        let most = |of: fn(&Row) -> usize| self.rows.iter().map(of).max().unwrap_or(0) as f64;
        figures.insert(format!("{}.result_most", self.set), most(|row| row.ours));
        figures.insert(format!("{}.read_on_most", self.set), most(|row| row.read_on.unwrap_or(0)));
    }
}
