//! `footprint --suggest-pins`: which tools use would have repaid as pinned, with the arithmetic.

use serde_json::json;

use super::{ExitStatus, Measured, Printer, grouped};
use crate::{
    broker::Broker,
    economy::pins::{self, LEAST_CONVERSATIONS, MARGIN_PERCENT, PinBalance},
};

/// How many that do not repay are shown, so that one sees how far off they are.
const NEAREST: usize = 3;

pub(super) fn run(
    as_json: bool,
    broker: &Broker,
    measured: &Measured,
    out: &mut Printer,
) -> anyhow::Result<ExitStatus> {
    let (repaid, others) = pins::balances(&measured.pin_candidates(broker));
    let status = if repaid.is_empty() { ExitStatus::NoMatch } else { ExitStatus::Success };
    if as_json {
        out.json(&json!({
            "days": measured.days,
            "conversations": measured.ledger.conversations,
            "margin_percent": MARGIN_PERCENT,
            "least_conversations": LEAST_CONVERSATIONS,
            "suggested": repaid,
            "not_repaid": others,
        }))?;
        return Ok(status);
    }
    if measured.is_empty() {
        out.say(format_args!("no conversation was counted in the last {} days", measured.days))?;
        return Ok(status);
    }
    let conversations = measured.ledger.conversations;
    if repaid.is_empty() {
        out.data(format_args!("No pin would have repaid its price {}.", measured.span()))?;
        if conversations < LEAST_CONVERSATIONS {
            out.data(format_args!(
                "{conversations} of the {LEAST_CONVERSATIONS} conversations that a suggestion takes."
            ))?;
        }
        if !others.is_empty() {
            out.data("\nNearest:")?;
            table(&others[..others.len().min(NEAREST)], out)?;
        }
    } else {
        out.data(format_args!("These pins would have repaid their price {}:\n", measured.span()))?;
        table(&repaid, out)?;
        let names: Vec<String> = repaid.iter().map(|balance| format!("{:?}", balance.tool.to_string())).collect();
        out.data(format_args!("\nIn the configuration:\n\n[context]\npin = [{}]", names.join(", ")))?;
    }
    out.data(
        "\nA pin costs the tool's definition in every conversation that its server takes part in, and saves the search and \
         describe\nreplies that led to calls of it. One is suggested where it saves at least a quarter more than it costs.",
    )?;
    pinned(broker, measured, out)?;
    Ok(status)
}

fn table(balances: &[PinBalance], out: &mut Printer) -> anyhow::Result<()> {
    let row = |balance: &PinBalance| {
        vec![
            balance.tool.to_string(),
            format!("{} of {}", grouped(balance.used_in), grouped(balance.conversations)),
            format!(
                "{} × {} = {}",
                grouped(balance.definition_tokens),
                grouped(balance.conversations),
                grouped(balance.cost_tokens)
            ),
            grouped(balance.saved_tokens),
        ]
    };
    out.table(
        &["tool", "used in conversations", "pinning costs", "and saves"],
        balances.iter().map(row).collect(),
        &[1, 2, 3],
    )?;
    Ok(())
}

/// What is pinned now: what it cost, and how often it was of use. What a search would have cost instead is not known any more,
/// so the mean search stands in for it.
fn pinned(broker: &Broker, measured: &Measured, out: &mut Printer) -> anyhow::Result<()> {
    let mean = measured.ledger.search_tokens.checked_div(measured.ledger.searches).unwrap_or_default();
    let mut rows = Vec::new();
    for pin in &broker.pins().shown {
        let server = measured.servers.iter().find(|server| server.name == pin.id.server);
        let used = server.and_then(|server| server.tools.iter().find(|tool| tool.name == pin.id.tool));
        let amounts = used.map(|used| used.amounts).unwrap_or_default();
        rows.push(vec![
            pin.id.to_string(),
            format!("{} of {}", grouped(amounts.used_in), grouped(amounts.conversations)),
            grouped(amounts.start_tokens),
            grouped(amounts.used_in.saturating_mul(mean)),
        ]);
    }
    if !rows.is_empty() {
        out.data(format_args!("\nPinned now; a search costs {mean} tokens in the mean:"))?;
        out.table(&["tool", "used in conversations", "cost", "a search for each"], rows, &[1, 2, 3])?;
    }
    Ok(())
}
