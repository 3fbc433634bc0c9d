//! `toolcrib footprint`: what the configured servers cost in tokens, loaded directly and through toolcrib.

use super::output::{ExitStatus, Printer};
use crate::{broker::Broker, economy};

/// Arguments of `footprint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tokens are counted with o200k_base over what a client sends at start: the tools as JSON, and the instructions.
They stand for any one model's tokens to some percent.

Examples:
  toolcrib footprint
  toolcrib footprint --json")]
pub struct Args {
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

/// Counts.
///
/// # Errors
/// Where the output fails.
pub fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    let catalog = broker.library().catalog();
    let servers = catalog.servers.values().map(AsRef::as_ref);
    let footprint = economy::footprint(servers, &broker.surface().summaries);
    if args.json {
        out.json(&footprint)?;
        return Ok(ExitStatus::Success);
    }
    if footprint.servers.is_empty() {
        out.say("the catalog is empty")?;
        out.hint("`toolcrib reindex` reads your servers' tools")?;
        return Ok(ExitStatus::NoMatch);
    }
    let mut rows: Vec<Vec<String>> = footprint
        .servers
        .iter()
        .map(|server| vec![server.server.to_string(), server.tools.to_string(), grouped(server.direct_tokens)])
        .collect();
    rows.push(vec!["all, loaded directly".into(), footprint.tools.to_string(), grouped(footprint.direct_tokens)]);
    rows.push(vec!["through toolcrib".into(), "3".into(), grouped(footprint.toolcrib_tokens)]);
    out.table(&["server", "tools", "tokens at start"], rows, &[1, 2])?;
    out.data(format_args!(
        "\n{} % of {} tokens saved at start.",
        footprint.saved_percent,
        grouped(footprint.direct_tokens)
    ))?;
    Ok(ExitStatus::Success)
}

/// `287934` as `287,934`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 287_934].map(grouped), ["0", "999", "1,000", "287,934"]);
    }
}
