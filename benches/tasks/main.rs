//! Whole tasks, token by token: what a model writes and reads to get one thing done, in three ways of offering it the same tools.
//!
//! `just tasks` (`cargo test --bench tasks`, since it counts and does not time) prints the tables of `docs/context-economy.md` and
//! ends with an error where a bound of `benches/tasks/floor.json` does not hold. Options, behind `--`: `--why` lists what every task
//! took, `--ways` shows the start of each way; to try a change, `--search-tokens N` sets the budget of a search reply and `--limit N`
//! the hits of the first search.
//!
//! The ways: **direct** loads every definition at the start; **plain broker** searches with toolcrib's own ranking and answers
//! with name, description and JSON Schema of the hits; **toolcrib** is the real broker, called as a client calls it, with
//! backends that answer at once. Nothing is sent to a model: `model.rs` says what stands in for one.
#![expect(clippy::print_stdout, reason = "a benchmark's report")]

mod arguments;
mod catalog;
mod floor;
mod large;
mod model;
mod plain;
#[path = "../popular/mod.rs"]
mod popular;
mod recorded;
mod report;
mod stage;

use std::process::ExitCode;

use anyhow::Context;

use crate::{
    floor::Figures,
    report::Report,
    stage::{Stage, Trial},
};

fn main() -> anyhow::Result<ExitCode> {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| options.iter().any(|option| option == name);
    let number = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1)?.parse::<usize>().ok()
    };
    let trial = Trial { search_tokens: number("--search-tokens"), limit: number("--limit") };
    let runtime = tokio::runtime::Runtime::new().context("failed to start the runtime")?;
    let mut figures = Figures::default();
    if wants("--ways") {
        println!("The plain broker's tools: {}\n", plain::tools_json());
    }
    for set in catalog::sets()? {
        let report = runtime.block_on(async {
            let stage = Stage::set(&set, trial).await?;
            let report = Report::measure(&set, &stage).await;
            let large = large::play(&set, &stage).await?;
            stage.strike().await;
            anyhow::Ok((report, large))
        });
        let (report, large) = report.with_context(|| format!("set `{}`", set.name))?;
        println!("{}", report.table());
        println!("{}", large.table());
        if wants("--why") {
            println!("{}", report.reasons());
        }
        report.figures(&mut figures);
        large.figures(&mut figures);
    }
    let broken = floor::broken(&figures)?;
    for bound in &broken {
        println!("FAILED: {bound}");
    }
    println!("{} bounds broken", broken.len());
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
