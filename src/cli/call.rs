//! `toolcrib call`: a call of a tool, through the code that a model's call goes through.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::output::{ExitStatus, Printer};
use crate::{
    backends::Caller,
    broker::{Broker, Conversation, Hop},
    catalog::JsonObject,
};

/// Largest arguments read from standard input, in bytes; the same bound as for a request.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// Arguments of `call`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  toolcrib call time/get_current_time '{\"timezone\": \"UTC\"}'
  toolcrib call time/get_current_time timezone=UTC
  cat arguments.json | toolcrib call github/create_issue -")]
pub struct Args {
    /// The tool, as `server/tool` or by a name that only one server has
    pub tool: String,
    /// Its arguments: one JSON object, `-` for standard input, or `name=value` pairs (values are read as JSON where they are)
    pub arguments: Vec<String>,
    /// Keep only this part of a JSON result, by JSONPath
    #[arg(long, value_name = "JSONPATH")]
    pub select: Option<String>,
    /// A lower budget for the result, in tokens
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    /// Print the whole result object as JSON
    #[arg(long)]
    pub json: bool,
}

/// Collects what the server says while the call runs; printed at its end.
#[derive(Debug, Default)]
struct Listener(Mutex<Vec<String>>);

impl Caller for Listener {
    fn progress(&self, params: JsonObject) {
        let done = params.get("progress").map(Value::to_string).unwrap_or_default();
        let total = params.get("total").map(|total| format!(" of {total}")).unwrap_or_default();
        let message = params.get("message").and_then(Value::as_str).unwrap_or_default();
        self.keep(&format!("progress {done}{total} {message}"));
    }

    fn log(&self, params: JsonObject) {
        let level = params.get("level").and_then(Value::as_str).unwrap_or("log");
        let data = params.get("data").cloned().unwrap_or_default();
        self.keep(&format!("{level}: {}", data.as_str().map_or_else(|| data.to_string(), Into::into)));
    }

    fn wants_progress(&self) -> bool {
        true
    }
}

impl Listener {
    fn keep(&self, line: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.trim().to_owned());
    }
}

/// Calls.
///
/// # Errors
/// Where the arguments are no JSON object or the output fails.
pub async fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let arguments = read_arguments(&args.arguments)?;
    let mut request = json!({"tool": args.tool, "arguments": arguments});
    if let Some(select) = &args.select {
        request["select"] = select.as_str().into();
    }
    if let Some(max_tokens) = args.max_tokens {
        request["max_tokens"] = max_tokens.into();
    }
    let listener = Arc::new(Listener::default());
    let caller: Arc<dyn Caller> = Arc::<Listener>::clone(&listener);
    let result = broker.meta_call("call_tool", Some(request), Hop::first(caller), &Conversation::local()).await;
    for line in listener.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        out.say(line)?;
    }
    let failed = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
    if args.json {
        out.json(&result)?;
    } else {
        print_content(&result, out)?;
    }
    Ok(if failed { ExitStatus::ToolError } else { ExitStatus::Success })
}

fn print_content(result: &JsonObject, out: &mut Printer) -> io::Result<()> {
    let blocks = result.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for block in blocks {
        match block.get("text").and_then(Value::as_str) {
            Some(text) => out.data(text.trim_end_matches('\n'))?,
            None => {
                let kind = block.get("type").and_then(Value::as_str).unwrap_or("unknown");
                out.say(format_args!("[{kind} block; --json shows it]"))?;
            }
        }
    }
    match result.get("structuredContent") {
        Some(structured) if blocks.is_empty() => out.json(structured),
        _ => Ok(()),
    }
}

fn read_arguments(given: &[String]) -> anyhow::Result<Map<String, Value>> {
    let text = match given {
        [] => return Ok(Map::new()),
        [dash] if dash == "-" => {
            let mut text = String::new();
            io::stdin().take(MAX_INPUT_BYTES).read_to_string(&mut text).context("failed to read standard input")?;
            text
        }
        [object] if object.trim_start().starts_with('{') => object.clone(),
        pairs => return read_pairs(pairs),
    };
    serde_json::from_str(&text).context("the arguments are no JSON object; write '{\"name\": \"value\"}' or name=value")
}

fn read_pairs(pairs: &[String]) -> anyhow::Result<Map<String, Value>> {
    let read = |pair: &String| {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("`{pair}` is neither a JSON object nor name=value"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into()));
        Ok((name.to_owned(), value))
    };
    pairs.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(given: &[&str]) -> Value {
        read_arguments(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).map(Value::Object).unwrap()
    }

    #[test]
    fn pairs_are_read_as_json_where_they_are_json() {
        assert_eq!(
            arguments(&["n=3", "name=Ada Lovelace", "tags=[\"a\"]", "empty="]),
            json!({"n": 3, "name": "Ada Lovelace", "tags": ["a"], "empty": ""})
        );
    }

    #[test]
    fn one_object_is_taken_as_it_is() {
        assert_eq!(arguments(&["{\"a\": {\"b\": 1}}"]), json!({"a": {"b": 1}}));
        assert_eq!(arguments(&[]), json!({}));
    }
}
