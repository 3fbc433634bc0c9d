//! `toolcrib habits`: what toolcrib learned from use, and how to make it forget.

use serde_json::json;

use super::output::{ExitStatus, Printer};
use crate::{broker::Broker, registry::Habit};

/// Arguments of `habits`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  toolcrib habits            which tools your searches led to
  toolcrib habits --erase    forget all of it

A search like one that led to a call before ranks the called tool higher. Kept on this machine only: the plain words of the
search and the tool's name, never arguments. `search.learn = false` in the configuration turns it off.")]
pub struct Args {
    /// Forget everything learned
    #[arg(long)]
    pub erase: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Shows or erases what was learned.
///
/// # Errors
/// Where the registry or the output fails.
pub async fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let registry = broker.library().registry();
    if args.erase {
        let erased = registry.erase_habits().await?;
        if args.json {
            out.json(&json!({"erased": erased}))?;
        } else {
            out.say(format_args!(
                "{erased} habits erased; a toolcrib that is serving now forgets them when it starts again"
            ))?;
        }
        return Ok(ExitStatus::Success);
    }
    let habits = registry.habits().await?;
    if args.json {
        let row = |habit: &Habit| json!({"words": habit.words, "tool": habit.tool.to_string(), "uses": habit.uses});
        out.json(&habits.iter().map(row).collect::<Vec<_>>())?;
    } else if habits.is_empty() {
        let learns = broker.library().settings().search.learn;
        out.say(if learns { "nothing learned yet" } else { "nothing learned: `search.learn` is off" })?;
    } else {
        for habit in &habits {
            out.data(format_args!("{} → {} ({}×)", habit.words, habit.tool, habit.uses))?;
        }
    }
    Ok(if habits.is_empty() { ExitStatus::NoMatch } else { ExitStatus::Success })
}
