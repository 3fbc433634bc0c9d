//! How long a search, an opening and a build take, by the number of tools.
//!
//! `cargo bench -p toolcrib-index`. The catalog is generated from a fixed seed: words are as unevenly frequent as in
//! real catalogs, names repeat across servers, and every tool has a few described arguments.

use std::{hint::black_box, sync::LazyLock};

use divan::Bencher;
use serde_json::{Map, json};
use toolcrib_index::{Index, Query, ToolDocument};

const SIZES: [usize; 2] = [2_400, 20_000];
const KEY: &str = "bench";

/// One short query, one sentence, one with an unknown word, one name.
const QUERIES: [&str; 4] = [
    "create github issue",
    "I need to list all open pull requests of the repository and send a summary to the team channel",
    "serach the calender for free rooms",
    "server7/create_issue",
];

const VERBS: [&str; 12] =
    ["create", "list", "get", "update", "delete", "search", "send", "read", "write", "fetch", "export", "merge"];
const NOUNS: [&str; 20] = [
    "issue",
    "repository",
    "pull_request",
    "message",
    "channel",
    "file",
    "calendar_event",
    "document",
    "page",
    "record",
    "invoice",
    "customer",
    "branch",
    "comment",
    "room",
    "task",
    "report",
    "summary",
    "user",
    "webhook",
];

fn main() {
    divan::main();
}

/// A linear congruential generator: the same catalog on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// A word out of 4,000, small numbers far more often than large ones.
    fn word(&mut self) -> String {
        let most = 1 + self.below(4_000);
        let number = self.below(most);
        ["ba", "co", "di", "fu", "le", "mo", "na", "pi", "ro", "ste"]
            .iter()
            .cycle()
            .skip(number % 10)
            .step_by(1 + number / 10 % 7)
            .take(2 + number / 70 % 3)
            .copied()
            .chain([["k", "n", "r", "s", "t"][number % 5]])
            .collect()
    }

    fn sentence(&mut self, words: usize) -> String {
        (0..words).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

fn catalog(tools: usize) -> Vec<ToolDocument> {
    let mut random = Random(7);
    let tool = |number: usize| {
        let server = format!("server{}", number / 20);
        let (verb, noun) = (random.pick(&VERBS), random.pick(&NOUNS));
        let name = format!("{verb}_{noun}_{}", random.word());
        let mut properties = Map::new();
        for _ in 0..4 {
            properties.insert(random.word(), json!({"type": "string", "description": random.sentence(8)}));
        }
        ToolDocument {
            id: format!("{server}/{name}_{number}"),
            title: None,
            description: format!("{verb} a {noun} {}", random.sentence(25)),
            input_schema: json!({"type": "object", "properties": properties}),
            server_description: format!("{server} for teams"),
            server,
            name,
        }
    };
    (0..tools).map(tool).collect()
}

static CATALOGS: LazyLock<[Vec<ToolDocument>; 2]> = LazyLock::new(|| SIZES.map(catalog));

fn of_size(tools: usize) -> &'static [ToolDocument] {
    let [small, large] = &*CATALOGS;
    if tools == SIZES[0] { small } else { large }
}

#[divan::bench(args = SIZES)]
fn search(bencher: Bencher<'_, '_>, tools: usize) {
    let Ok(index) = Index::in_memory(of_size(tools)) else { return };
    let mut turn = QUERIES.iter().cycle();
    bencher.with_inputs(|| turn.next().copied().unwrap_or_default()).bench_local_values(|text| {
        black_box(index.search(&Query { text, server: None, limit: 5 }).map(|hits| hits.len()))
    });
}

#[divan::bench(args = SIZES)]
fn open(bencher: Bencher<'_, '_>, tools: usize) {
    let Ok(dir) = tempfile::tempdir() else { return };
    if Index::build(dir.path(), of_size(tools), KEY).is_ok() {
        bencher.bench_local(|| black_box(Index::open(dir.path(), KEY).map(|index| index.len())));
    }
}

#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn build(bencher: Bencher<'_, '_>, tools: usize) {
    let Ok(dir) = tempfile::tempdir() else { return };
    bencher.bench_local(|| black_box(Index::build(dir.path(), of_size(tools), KEY).map(|index| index.len())));
}
