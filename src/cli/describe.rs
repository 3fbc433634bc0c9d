//! `toolcrib describe`: what a model is told of a tool.

use super::output::{ExitStatus, Printer};
use crate::{
    broker::{Broker, Conversation, DescribeRequest},
    economy,
};

/// Arguments of `describe`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  toolcrib describe github/create_issue")]
pub struct Args {
    /// Tools, as `server/tool` or by a name that only one server has
    #[arg(required = true)]
    pub tools: Vec<String>,
    /// Print the definitions as their servers sent them, as JSON
    #[arg(long)]
    pub json: bool,
}

/// Describes.
///
/// # Errors
/// Where the output fails.
pub fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let answer = broker.describe(&DescribeRequest { tools: args.tools.clone() }, &Conversation::local());
    if args.json {
        let definitions: Vec<_> = answer.tools.iter().map(|tool| tool.definition()).collect();
        out.json(&definitions)?;
        if !answer.all_found {
            out.say(answer.text.trim_end())?;
        }
    } else {
        out.data(answer.text.trim_end())?;
        out.say(format_args!("({} o200k_base tokens)", economy::count(&answer.text)))?;
    }
    Ok(if answer.all_found { ExitStatus::Success } else { ExitStatus::NoMatch })
}
