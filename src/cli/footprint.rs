//! `toolcrib footprint`: what the configured servers cost in tokens, loaded directly and through toolcrib, measured and in
//! money; the page that people share.

mod chart;
mod page;
mod price;
mod suggest;
mod svg;

use std::{fs, io, path::PathBuf};

use anyhow::{Context, bail};
use clap::ValueHint;
use serde_json::json;

use self::price::Price;
use super::{
    measured::{Measured, grouped},
    output::{ExitStatus, Printer},
    usage,
};
use crate::{
    broker::Broker,
    config,
    economy::{self, Footprint, ServerFootprint},
};

/// Stands in every chart that we draw, so that no other file is replaced.
const MARK: &str = "<!-- drawn by toolcrib footprint -->";

/// Arguments of `footprint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Tokens are counted with o200k_base over what a client sends at start: the tools as JSON, and the instructions.
They stand for any one model's tokens to some percent. What was read since is counted while toolcrib serves;
`toolcrib usage` has more of it.

Examples:
  toolcrib footprint
  toolcrib footprint --price 3.00 --currency $
  toolcrib footprint --chart footprint.svg
  toolcrib footprint --suggest-pins")]
pub struct Args {
    /// Price of a million input tokens; shows what they cost
    #[arg(long, value_name = "AMOUNT", env = "TOOLCRIB_PRICE", value_parser = price::parse)]
    pub price: Option<f64>,
    /// Currency of the price, a sign or a code
    #[arg(long, value_name = "SIGN", env = "TOOLCRIB_CURRENCY", default_value = "", hide_default_value = true)]
    pub currency: String,
    /// Draw the figures into this file, an .svg or .html without scripts or links
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub chart: Option<PathBuf>,
    /// Let --chart replace a file that is no chart of toolcrib
    #[arg(long, requires = "chart")]
    pub force: bool,
    /// Name the tools whose pinning use would have repaid, with the arithmetic
    #[arg(long, conflicts_with = "chart")]
    pub suggest_pins: bool,
    /// Count use of this many days, today included
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub days: u32,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

/// Everything that is shown.
#[derive(Debug)]
struct Figures {
    footprint: Footprint,
    measured: Measured,
    price: Option<Price>,
}

/// Counts.
///
/// # Errors
/// Where the registry, the output or the chart's file fails.
pub async fn run(args: &Args, broker: &Broker, out: &mut Printer) -> anyhow::Result<ExitStatus> {
    if args.suggest_pins {
        let measured = Measured::read(broker, args.days, None).await?;
        return suggest::run(args.json, broker, &measured, out);
    }
    let catalog = broker.library().catalog();
    let servers = catalog.servers.values().map(AsRef::as_ref);
    let footprint = economy::footprint(servers, &broker.surface().summaries).with_pins(&broker.pins().shown);
    let measured = Measured::read(broker, args.days, Some(&footprint)).await?;
    let price = args.price.map(|per_million| Price::new(per_million, &args.currency));
    let figures = Figures { footprint, measured, price };
    if let Some(path) = &args.chart {
        draw(&figures, path, args.force)?;
        out.say(format_args!("drawn into {}", path.display()))?;
        return Ok(ExitStatus::Success);
    }
    if args.json {
        out.json(&as_json(&figures)?)?;
        return Ok(ExitStatus::Success);
    }
    if figures.footprint.servers.is_empty() {
        out.say("the catalog is empty")?;
        out.hint("`toolcrib reindex` reads your servers' tools")?;
        return Ok(ExitStatus::NoMatch);
    }
    show(&figures, out)?;
    for pin in &broker.pins().left_out {
        out.say(format_args!("note: {pin}"))?;
    }
    Ok(ExitStatus::Success)
}

fn show(figures: &Figures, out: &mut Printer) -> anyhow::Result<()> {
    let Figures { footprint, measured, price } = figures;
    let with_use = !measured.is_empty();
    let money = |tokens: usize| price.as_ref().map(|price| price.of(tokens as u64));
    let mut rows = Vec::new();
    for server in figures.by_cost() {
        let mut row = vec![server.server.to_string(), server.tools.to_string(), number(server.direct_tokens)];
        row.extend(money(server.direct_tokens));
        row.push(number(server.start_tokens));
        if with_use {
            let used = measured.servers.iter().find(|used| used.name == server.server);
            row.push(used.map_or_else(String::new, |used| grouped(used.read_instead())));
            row.push(used.map_or_else(String::new, |used| grouped(used.amounts.calls)));
            row.push(measured.ago(used.and_then(|used| used.last_used)));
        }
        rows.push(row);
    }
    let mut total = |name: &str, tools: usize, direct: Option<usize>, start: Option<usize>| {
        let mut row = vec![name.to_owned(), tools.to_string(), direct.map(number).unwrap_or_default()];
        row.extend(price.as_ref().map(|_| direct.and_then(money).unwrap_or_default()));
        row.push(start.map(number).unwrap_or_default());
        rows.push(row);
    };
    for pin in &footprint.pins {
        total(&format!("pinned: {}", pin.tool), 1, None, Some(pin.direct_tokens));
    }
    total("search, describe, call", 3, None, Some(figures.fixed_tokens()));
    total("all", footprint.tools, Some(footprint.direct_tokens), Some(footprint.toolcrib_tokens));
    let read_header = measured.read_header();
    let mut header = vec!["server", "tools", "loaded directly"];
    header.extend(price.as_ref().map(|_| "per start"));
    header.push("through toolcrib");
    if with_use {
        header.extend([read_header.as_str(), "calls", "last called"]);
    }
    let right: Vec<usize> = (1..header.len()).filter(|&at| header[at] != "last called").collect();
    out.table(&header, rows, &right)?;
    out.data("")?;
    for sentence in figures.sentences() {
        out.data(sentence)?;
    }
    Ok(())
}

/// Makes the file, or refuses where another stands in its place.
fn draw(figures: &Figures, path: &std::path::Path, force: bool) -> anyhow::Result<()> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let text = match extension.as_str() {
        "svg" => chart::svg(figures),
        "html" | "htm" => page::html(figures),
        _ => bail!("a chart is drawn as .svg or .html; `{}` ends in neither", path.display()),
    };
    match fs::read(path) {
        Ok(found) if !force && !found.windows(MARK.len()).any(|part| part == MARK.as_bytes()) => {
            bail!("{} exists and is no chart of toolcrib; name another file, or add --force", path.display())
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("failed to look at {}", path.display())),
    }
    config::write_atomically(path, &text).with_context(|| format!("failed to write {}", path.display()))
}

fn as_json(figures: &Figures) -> anyhow::Result<serde_json::Value> {
    let mut value = serde_json::to_value(&figures.footprint)?;
    value["measured"] = usage::as_json(&figures.measured);
    if let Some(price) = &figures.price {
        let (direct, through) = (figures.footprint.direct_tokens, figures.footprint.toolcrib_tokens);
        value["price"] = json!({
            "per_million_tokens": price.per_million,
            "currency": price.currency,
            "direct_per_start": price.amount(direct as u64),
            "toolcrib_per_start": price.amount(through as u64),
            "direct_measured": price.amount(figures.measured.direct()),
            "toolcrib_measured": price.amount(figures.measured.read_instead()),
        });
    }
    Ok(value)
}

impl Figures {
    /// Servers, the dearest first.
    fn by_cost(&self) -> Vec<&ServerFootprint> {
        let mut servers: Vec<&ServerFootprint> = self.footprint.servers.iter().collect();
        servers.sort_by_key(|server| (std::cmp::Reverse(server.direct_tokens), server.server.clone()));
        servers
    }

    /// What of the start belongs to no server and no pin: the three tools and the fixed words.
    fn fixed_tokens(&self) -> usize {
        let lines: usize = self.footprint.servers.iter().map(|server| server.start_tokens).sum();
        let pins: usize = self.footprint.pins.iter().map(|pin| pin.direct_tokens).sum();
        self.footprint.toolcrib_tokens.saturating_sub(lines + pins)
    }

    /// What the figures mean, a sentence each: on the terminal, in the page.
    fn sentences(&self) -> Vec<String> {
        let Self { footprint, measured, price } = self;
        let mut sentences = vec![match footprint.saved_tokens {
            0 => format!(
                "toolcrib costs {} tokens at start and replaces {}: it pays with more tools than these.",
                number(footprint.toolcrib_tokens),
                number(footprint.direct_tokens)
            ),
            _ => format!("{} % of {} tokens saved at start.", footprint.saved_percent, number(footprint.direct_tokens)),
        }];
        if let Some(price) = price {
            sentences.push(format!(
                "At {} for a million input tokens: {} for each start loaded directly, {} through toolcrib. Every request of a \
                 conversation carries its start again; a prompt cache makes that cheaper.",
                price.shown(),
                price.of(footprint.direct_tokens as u64),
                price.of(footprint.toolcrib_tokens as u64)
            ));
        }
        if !measured.is_empty() {
            let conversations = measured.conversations();
            let mut sentence = format!(
                "Measured {}: {conversations} read {} tokens of starts, searches and describes; loaded directly they would have \
                 begun with {}.",
                measured.span(),
                grouped(measured.read_instead()),
                grouped(measured.direct())
            );
            if let Some(price) = price {
                let (read, direct) = (price.of(measured.read_instead()), price.of(measured.direct()));
                sentence.push_str(&format!(" That is {read} instead of {direct}, each read once."));
            }
            sentences.push(sentence);
            sentences.push(format!(
                "Results come on top either way: {} tokens, {} more kept out by the budget.",
                grouped(measured.result_tokens()),
                grouped(measured.kept_out_tokens())
            ));
        }
        sentences
    }
}

/// A count of tokens as it is shown.
fn number(tokens: usize) -> String {
    grouped(tokens as u64)
}

#[cfg(test)]
mod tests;
