//! `toolcrib search`: what a model would be told for a query.

use serde_json::json;

use super::output::{ExitStatus, Printer};
use crate::{
    broker::{Broker, Conversation, FoundTool, SearchRequest},
    economy,
};

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  toolcrib search \"create a ticket\"
  toolcrib search \"list files\" --server filesystem --limit 3
  toolcrib search \"refund a customer\" --explain
  toolcrib search                      every server
  toolcrib search --server github      every tool of one server")]
pub struct Args {
    /// What you want done, in plain words; leave it out to browse
    pub query: Vec<String>,
    /// Only tools of this server
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// Most hits, 1 to 20
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Show what each hit earned its score by
    #[arg(long)]
    pub explain: bool,
    /// Print hits with scores as JSON
    #[arg(long)]
    pub json: bool,
}

/// Searches.
///
/// # Errors
/// Where the output fails.
pub async fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let request = SearchRequest {
        query: args.query.join(" "),
        server: args.server.clone(),
        limit: args.limit,
        explain: args.explain,
    };
    let answer = broker.search(&request, &Conversation::local()).await;
    if args.json {
        out.json(&json!({
            "query": request.query,
            "hits": answer.hits,
            "reply": answer.text,
            "reply_tokens": economy::count(&answer.text),
        }))?;
    } else {
        out.data(answer.text.trim_end())?;
        if args.explain {
            explain(&answer.hits, out)?;
        }
    }
    Ok(if answer.matched { ExitStatus::Success } else { ExitStatus::NoMatch })
}

fn explain(hits: &[FoundTool], out: &mut Printer) -> std::io::Result<()> {
    for hit in hits {
        out.data(format_args!("\n{}  score {:.2}, fit {:.2}", hit.id, hit.score, hit.fit))?;
        if hit.exact {
            out.data("   named by the query, so it comes first")?;
        }
        for (points, why) in &hit.reasons {
            out.data(format_args!("  {points:+.2}  {why}"))?;
        }
    }
    Ok(())
}
