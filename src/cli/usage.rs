//! `toolcrib usage`: what conversations read, by server and tool, and which servers earn their keep.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{
    measured::{AmountsJson, Measured, ServerUse, grouped, unix_seconds},
    output::{ExitStatus, Printer},
};
use crate::{broker::Broker, registry::Amounts};

/// Unused servers named one by one; the rest is a number.
const MAX_NAMED: usize = 20;

/// Arguments of `usage`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Counts are kept for 400 days, on this machine only: how often and how many tokens, never what was asked or answered.
A conversation is one start of `toolcrib serve` by a client. Tokens are counted with o200k_base.

Examples:
  toolcrib usage                  which servers earn their keep
  toolcrib usage --days 7 --tools
  toolcrib usage --erase          forget all of it")]
pub struct Args {
    /// Count this many days, today included
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub days: u32,
    /// Show each tool that was used or shown
    #[arg(long)]
    pub tools: bool,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
    /// Forget everything counted
    #[arg(long, conflicts_with_all = ["days", "tools"])]
    pub erase: bool,
}

/// Shows or erases what was counted.
///
/// # Errors
/// Where the registry or the output fails.
pub async fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    if args.erase {
        let days = broker.library().registry().forget_usage().await?;
        if args.json {
            out.json(&json!({"erased_days": days}))?;
        } else {
            let noun = if days == 1 { "day" } else { "days" };
            out.say(format_args!("the counts of {days} {noun} are erased"))?;
        }
        return Ok(ExitStatus::Success);
    }
    let measured = Measured::read(broker, args.days, None).await?;
    if args.json {
        out.json(&as_json(&measured))?;
    } else if measured.is_empty() {
        out.say(format_args!("no conversation was counted in the last {} days", args.days))?;
        out.hint("`toolcrib install` puts toolcrib into a client; counting begins with its first start")?;
    } else {
        show(args, &measured, out)?;
    }
    Ok(if measured.is_empty() { ExitStatus::NoMatch } else { ExitStatus::Success })
}

fn show(args: &Args, measured: &Measured, out: &mut Printer) -> anyhow::Result<()> {
    let ledger = &measured.ledger;
    let mut rows = Vec::new();
    let mut servers: Vec<&ServerUse> = measured.servers.iter().collect();
    servers.sort_by_key(|server| (std::cmp::Reverse(server.amounts.calls), server.name.clone()));
    for server in servers {
        let direct = server.direct_tokens.map_or_else(|| "?".into(), |_| grouped(server.direct()));
        rows.push(row(server.name.as_str(), &server.amounts, direct, measured.ago(server.last_used)));
        if args.tools {
            let mut tools: Vec<_> = server.tools.iter().collect();
            tools.sort_by_key(|tool| (std::cmp::Reverse(tool.amounts.calls), tool.name.clone()));
            for tool in tools {
                let name = format!("  {}", tool.name.as_str());
                rows.push(row(&name, &tool.amounts, String::new(), measured.ago(tool.last_used)));
            }
        }
    }
    let header =
        ["server", "calls", "at start", "searches", "describes", "results", "kept out", "directly", "last called"];
    out.table(&header, rows, &[1, 2, 3, 4, 5, 6, 7])?;
    let without = match ledger.without_match {
        0 => String::new(),
        number => format!(" ({number} found nothing)"),
    };
    let searches = if ledger.searches == 1 { "search" } else { "searches" };
    out.data(format_args!(
        "\n{} and {} {searches}{without} {}.",
        measured.conversations(),
        grouped(ledger.searches),
        measured.span()
    ))?;
    out.data(format_args!(
        "Read through toolcrib: {} tokens at start, {} in searches, {} in describes: {} in all.",
        grouped(ledger.start_tokens),
        grouped(ledger.search_tokens),
        grouped(measured.describe_tokens()),
        grouped(measured.read_instead())
    ))?;
    out.data(format_args!(
        "With every server loaded directly, the same conversations would have begun with {}.",
        grouped(measured.direct())
    ))?;
    out.data(format_args!(
        "Results: {} tokens read, {} kept out by the budget.",
        grouped(measured.result_tokens()),
        grouped(measured.kept_out_tokens())
    ))?;
    show_unused(measured, out)
}

fn show_unused(measured: &Measured, out: &mut Printer) -> anyhow::Result<()> {
    if measured.is_too_early() {
        out.data(format_args!("Too early to say which servers are unused: counted {}.", measured.span()))?;
        return Ok(());
    }
    let unused = measured.unused();
    if unused.is_empty() {
        out.data(format_args!("Every server that had the chance was called {}.", measured.span()))?;
        return Ok(());
    }
    out.data(format_args!("\nNot called {}:", measured.span()))?;
    for server in unused.iter().take(MAX_NAMED) {
        out.data(format_args!(
            "  {}: cost {} tokens in {} conversations; loaded directly {}",
            server.name,
            grouped(server.read_instead()),
            grouped(server.amounts.conversations),
            server.direct_tokens.map_or_else(|| "unknown".into(), |_| grouped(server.direct()))
        ))?;
    }
    if unused.len() > MAX_NAMED {
        out.data(format_args!("  and {} more", unused.len() - MAX_NAMED))?;
    }
    out.hint("`toolcrib servers disable NAME` takes one out")?;
    Ok(())
}

fn row(name: &str, amounts: &Amounts, direct: String, last_used: String) -> Vec<String> {
    let calls = match amounts.errors {
        0 => grouped(amounts.calls),
        errors => format!("{} ({errors} failed)", grouped(amounts.calls)),
    };
    let mut row = vec![name.to_owned(), calls];
    let numbers = [
        amounts.start_tokens,
        amounts.search_tokens,
        amounts.describe_tokens,
        amounts.result_tokens,
        amounts.kept_out_tokens(),
    ];
    row.extend(numbers.map(grouped));
    row.extend([direct, last_used]);
    row
}

/// The figures as programs read them.
pub(super) fn as_json(measured: &Measured) -> Value {
    let time = |at: Option<SystemTime>| at.map(unix_seconds);
    let server = |server: &ServerUse| {
        let tools = server.tools.iter().map(|tool| {
            json!({
                "tool": tool.name,
                "amounts": AmountsJson::from(&tool.amounts),
                "last_called": time(tool.last_used),
            })
        });
        json!({
            "server": server.name,
            "takes_part": server.takes_part,
            "amounts": AmountsJson::from(&server.amounts),
            "direct_tokens_per_start": server.direct_tokens,
            "direct_tokens": server.direct_tokens.map(|_| server.direct()),
            "first_counted": time(server.first_seen),
            "last_called": time(server.last_used),
            "tools": tools.collect::<Vec<_>>(),
        })
    };
    let ledger = &measured.ledger;
    json!({
        "days": measured.days,
        "counted_since": time(ledger.since),
        "conversations": ledger.conversations,
        "start_tokens": ledger.start_tokens,
        "searches": ledger.searches,
        "searches_without_match": ledger.without_match,
        "search_tokens": ledger.search_tokens,
        "describe_tokens": measured.describe_tokens(),
        "read_tokens": measured.read_instead(),
        "direct_tokens": measured.direct(),
        "result_tokens": measured.result_tokens(),
        "kept_out_tokens": measured.kept_out_tokens(),
        "unused": measured.unused().iter().map(|server| &server.name).collect::<Vec<_>>(),
        "servers": measured.servers.iter().map(server).collect::<Vec<_>>(),
    })
}
