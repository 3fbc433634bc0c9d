//! The summaries of real servers, to be read: every server's longest line, then the text at each size with its tokens.
//!
//! `just summaries` (or `cargo bench --bench summaries`). Reads the captured catalog under `$TOOLCRIB_SHARED/catalog` and
//! says so where there is none. Fails where a text is over its budget.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a report that stops at what it did not expect")]

use std::{
    env, fs,
    path::PathBuf,
    time::{Instant, SystemTime},
};

use serde_json::{Map, Value};
use toolcrib::{
    catalog::{Era, RawListing, ServerEntry},
    economy::{
        self,
        summaries::{self, SummaryInput},
        surface,
    },
};

#[path = "popular/mod.rs"]
mod popular;

use popular::TWENTY;

/// Most tokens of tools and instructions together: of the twenty, and of any number.
const START_OF_20: usize = 500;
const START_OF_ALL: usize = 900;

fn main() {
    let shared = env::var_os("TOOLCRIB_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let Ok(files) = fs::read_dir(shared.join("catalog/servers")) else {
        println!("no captured catalog under {}; nothing to show", shared.display());
        return;
    };
    let mut entries: Vec<ServerEntry> = files.map(|file| read(&file.unwrap().path())).collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let all: Vec<&ServerEntry> = entries.iter().collect();
    println!("{}\n", summaries::longest(&inputs(&all)).join("\n"));
    let twenty: Vec<&ServerEntry> = all.iter().copied().filter(|entry| TWENTY.contains(&entry.name.as_str())).collect();
    show(&twenty, START_OF_20);
    for count in [1, 5, 12, 40, 60, 100] {
        // Spread over the alphabet, so that each size shows other servers.
        let some: Vec<&ServerEntry> = (0..count).map(|at| all[at * all.len() / count]).collect();
        show(&some, START_OF_ALL);
    }
    show(&all, START_OF_ALL);
    for count in [300, 2_000] {
        let many: Vec<ServerEntry> = (0..count)
            .map(|at| {
                let mut entry = all[at % all.len()].clone();
                if at >= all.len() {
                    entry.name = format!("team{}-{}", at / all.len(), entry.name)
                        .chars()
                        .take(32)
                        .collect::<String>()
                        .parse()
                        .unwrap();
                }
                entry
            })
            .collect();
        show(&many.iter().collect::<Vec<_>>(), START_OF_ALL);
    }
}

fn inputs<'a>(entries: &[&'a ServerEntry]) -> Vec<SummaryInput<'a>> {
    entries.iter().map(|entry| SummaryInput { name: &entry.name, summary: None, entry: Some(entry) }).collect()
}

fn show(entries: &[&ServerEntry], most: usize) {
    let inputs = inputs(entries);
    let text = summaries::render(&inputs, 400);
    // The fastest of some: what else the machine does is not ours.
    let once = || {
        let begun = Instant::now();
        std::hint::black_box(summaries::render(&inputs, 400));
        begun.elapsed()
    };
    let spent = (0..20).map(|_| once()).min().unwrap_or_default();
    let instructions = surface::instructions(&text);
    let start = economy::count(&surface::tools_json(None)) + economy::count(&instructions);
    println!(
        "--- {} servers: {} tokens of summaries ({} estimated), {} characters of instructions, {start} tokens at start, {spent:.1?}\n{text}\n",
        entries.len(),
        economy::count(&text),
        economy::estimate(&text),
        instructions.chars().count(),
    );
    assert!(start <= most, "{start} tokens at start, over {most}");
    assert!(instructions.chars().count() < 2_000);
}

fn read(path: &std::path::Path) -> ServerEntry {
    let captured: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let items = |key: &str| captured[key].as_array().cloned().unwrap_or_default();
    let object = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let raw = RawListing {
        era: Era::Legacy,
        protocol_version: "2025-06-18".into(),
        server_info: object(&captured["server"]["serverInfo"]),
        capabilities: Map::new(),
        instructions: captured["server"]["instructions"].as_str().map(Into::into),
        tools: items("tools"),
        prompts: Vec::new(),
        resources: Vec::new(),
        resource_templates: Vec::new(),
        notes: Vec::new(),
    };
    let name = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    ServerEntry::read(name, raw, SystemTime::UNIX_EPOCH)
}
