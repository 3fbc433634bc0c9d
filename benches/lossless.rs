//! Whether signatures and describes keep their promises on real tools, and what they cost.
//!
//! `just lossless`: reads the definitions below `$TOOLCRIB_SHARED/catalog/servers`, prints every tool for which a promise does
//! not hold, and fails below its floors. Without definitions it says so and passes.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a check stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "a check prints what it finds")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and samples are small"
)]

#[path = "../src/economy/readback/mod.rs"]
mod readback;

use std::{collections::BTreeMap, env, fs, path::PathBuf, process::ExitCode};

use readback::{unsaid, verdict};
use serde_json::Value;
use toolcrib::{
    catalog::ToolEntry,
    economy::{self, describe, signature},
};

/// Least share of tools whose signature is complete.
const COMPLETE_FLOOR: f64 = 0.90;
/// Most tokens of a describe in the mean.
const DESCRIBE_CEILING: f64 = 300.0;
/// Samples a tool, for each promise; every describe sample has four neighbours, from both sides.
const SAMPLES: u64 = 24;

/// What was found over all tools.
#[derive(Default)]
struct Findings {
    tools: usize,
    complete: usize,
    /// Complete signatures of which no argument could be made or judged.
    unjudged: Vec<String>,
    broken_signatures: usize,
    broken_describes: usize,
    signature_samples: usize,
    describe_samples: usize,
    accepted_samples: usize,
    signature_tokens: Vec<usize>,
    describe_tokens: Vec<usize>,
    /// Largest describes, whole schemas, and the tokens of definitions, by tool.
    whole: usize,
    definition_tokens: usize,
    unsaid: usize,
}

fn main() -> ExitCode {
    let shared = env::var_os("TOOLCRIB_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let servers = shared.join("catalog/servers");
    let Ok(files) = fs::read_dir(&servers) else {
        println!("no definitions in {}: nothing checked", servers.display());
        return ExitCode::SUCCESS;
    };
    let files: BTreeMap<String, PathBuf> = files
        .map(|file| file.unwrap().path())
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect();
    let only = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let mut found = Findings::default();
    for (server, path) in files {
        let listed: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for definition in listed["tools"].as_array().into_iter().flatten() {
            let definition = definition.as_object().unwrap();
            let id = format!("{server}/{}", definition["name"].as_str().unwrap());
            if only.as_ref().is_some_and(|only| !id.contains(only.as_str())) {
                continue;
            }
            found.tool(&ToolEntry::new(id.parse().expect("a tool id"), definition), only.is_some());
        }
    }
    found.report()
}

impl Findings {
    fn tool(&mut self, tool: &ToolEntry, show: bool) {
        self.tools += 1;
        let signature = signature(tool);
        assert_eq!(signature.complete, !signature.text.contains('…'), "{}", signature.text);
        self.signature_tokens.push(economy::count(&signature.text));
        if show {
            println!("{}\n", signature.text);
        }
        if signature.complete {
            self.complete += 1;
            let verdict = verdict::of_signature(&signature.text, tool.input_schema(), SAMPLES);
            self.signature_samples += verdict.judged;
            if verdict.judged == 0 {
                self.unjudged.push(tool.id.to_string());
            }
            if let Some(fault) = verdict.faults.first() {
                self.broken_signatures += 1;
                println!("signature: {}\n    {}", signature.text, shortened(fault));
            }
        }
        let text = describe(tool);
        if show {
            println!("{text}\n");
        }
        self.describe_tokens.push(economy::count(&text));
        self.definition_tokens += economy::count(tool.definition_text());
        let (_, contract) = text.rsplit_once("\n\n").unwrap();
        self.whole += usize::from(contract.starts_with("schema "));
        let verdict = verdict::of_describe(&text, tool.input_schema(), SAMPLES);
        self.describe_samples += verdict.judged;
        self.accepted_samples += verdict.accepted;
        if let Some(fault) = verdict.faults.first() {
            self.broken_describes += 1;
            println!("describe: {}\n    {}", tool.id, shortened(fault));
        }
        let words = unsaid::words(&text, &clean(tool.description()));
        if !words.is_empty() {
            self.unsaid += 1;
            println!("unsaid words: {}: {}", tool.id, shortened(&words.join(" ")));
        }
        for words in unsaid::descriptions(&text, tool.input_schema()) {
            self.unsaid += 1;
            println!("unsaid: {}: {}", tool.id, shortened(&words));
        }
    }

    fn report(mut self) -> ExitCode {
        if self.tools == 0 {
            println!("no such tool");
            return ExitCode::FAILURE;
        }
        let share = self.complete as f64 / self.tools as f64;
        let mean = spread("describe", &mut self.describe_tokens);
        spread("signature", &mut self.signature_tokens);
        println!(
            "{} tools: {} ({:.1} %) signatures complete; {} of them not judged {:?}",
            self.tools,
            self.complete,
            100.0 * share,
            self.unjudged.len(),
            self.unjudged
        );
        println!(
            "{} arguments written by signatures; {} signatures broken",
            self.signature_samples, self.broken_signatures
        );
        println!(
            "{} samples of describes ({} accepted by the schema); {} describes broken; {} whole schemas; {} descriptions unsaid",
            self.describe_samples, self.accepted_samples, self.broken_describes, self.whole, self.unsaid
        );
        println!("definitions: {} tokens", self.definition_tokens);
        let holds = share >= COMPLETE_FLOOR
            && mean <= DESCRIBE_CEILING
            && self.broken_signatures == 0
            && self.broken_describes == 0
            && self.unsaid == 0;
        if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Without the invisible characters and the server's own handle, which no describe shows.
fn clean(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("ctx")).collect();
    lines.join("\n").chars().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{fe0f}')).collect()
}

/// Prints mean, 95th percentile and largest; returns the mean.
fn spread(what: &str, tokens: &mut [usize]) -> f64 {
    tokens.sort_unstable();
    let sum: usize = tokens.iter().sum();
    let mean = sum as f64 / tokens.len() as f64;
    let high = tokens[tokens.len() * 95 / 100];
    println!("{what}: {mean:.1} tokens in the mean, {high} at 95 %, {} at most, {sum} in all", tokens.last().unwrap());
    mean
}

fn shortened(text: &str) -> String {
    text.chars().take(600).collect()
}
