//! How time and memory grow with the number of tools.
//!
//! `cargo bench -p toolcrib-index --bench scale [-- SIZE…]` prints a row of Markdown for each size, measured in a process of
//! its own. `--plot FILE` also draws them.

#![allow(clippy::print_stdout, reason = "a report is what this program is for")]

mod generated;
mod plot;

use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use generated::{Random, catalog};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use toolcrib_index::{Index, Query};

/// The variables that tell a process of its own what to measure: `build` or `open`, where, and of how many tools.
const STEP: &str = "TOOLCRIB_SCALE_STEP";
const DIR: &str = "TOOLCRIB_SCALE_DIR";
const SIZE: &str = "TOOLCRIB_SCALE_SIZE";

const SIZES: [usize; 5] = [2_400, 5_500, 20_000, 100_000, 1_000_000];
const QUERIES: usize = 200;
const KEY: &str = "scale";

/// What is drawn of one size.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Row {
    pub tools: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub memory_mb: f64,
}

/// What was measured of an index on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Opened {
    /// Of a search, the first of a word and later ones alike, in milliseconds.
    p50_ms: f64,
    p99_ms: f64,
    /// Every file read and checked, in milliseconds.
    open_ms: f64,
    /// What opening and searching added to the process, in MB.
    memory_mb: f64,
}

fn main() {
    if let (Ok(step), Ok(dir), Some(tools)) =
        (env::var(STEP), env::var(DIR), env::var(SIZE).ok().and_then(|size| size.parse().ok()))
    {
        let measured = if step == "build" { build(Path::new(&dir), tools) } else { open(Path::new(&dir)) };
        println!("{}", serde_json::to_string(&measured).unwrap_or_default());
        return;
    }
    let mut args = env::args().skip(1).filter(|arg| arg != "--bench");
    let (mut sizes, mut drawing) = (Vec::new(), None);
    while let Some(arg) = args.next() {
        match arg.parse() {
            Ok(size) => sizes.push(size),
            Err(_) if arg == "--plot" => drawing = args.next(),
            Err(_) => println!("neither a number of tools nor --plot FILE: {arg}"),
        }
    }
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    println!("| tools | search p50 | p99 | open | build | tools/s | memory |\n|---|---|---|---|---|---|---|");
    let rows: Vec<Row> = sizes.into_iter().filter_map(row).collect();
    if let Some(file) = drawing
        && let Err(error) = fs::write(&file, plot::draw(&rows))
    {
        println!("{file}: {error}");
    }
}

fn row(tools: usize) -> Option<Row> {
    let dir = tempfile::tempdir().ok()?;
    let build_s: f64 = in_a_process_of_its_own("build", dir.path(), tools)?;
    let Opened { p50_ms, p99_ms, open_ms, memory_mb } = in_a_process_of_its_own("open", dir.path(), tools)?;
    let each_s = tools as f64 / build_s;
    println!(
        "| {tools} | {p50_ms:.2} ms | {p99_ms:.2} ms | {open_ms:.1} ms | {build_s:.1} s | {each_s:.0} | {memory_mb:.0} MB |"
    );
    Some(Row { tools, p50_ms, p99_ms, memory_mb })
}

/// So that neither time nor memory of one step is another's.
fn in_a_process_of_its_own<T: DeserializeOwned>(step: &str, dir: &Path, tools: usize) -> Option<T> {
    let mut command = Command::new(env::current_exe().ok()?);
    let output = command.env(STEP, step).env(DIR, dir).env(SIZE, tools.to_string()).output().ok()?;
    serde_json::from_slice::<Option<T>>(&output.stdout).ok()?
}

/// On disk, vectors included, in seconds.
fn build(dir: &Path, tools: usize) -> Option<Value> {
    let documents = catalog(tools);
    let started = Instant::now();
    Index::build(dir, &documents, KEY).ok()?;
    Some(json!(started.elapsed().as_secs_f64()))
}

fn open(dir: &Path) -> Option<Value> {
    let before = resident_mb();
    let started = Instant::now();
    let index = Index::open(dir, KEY).ok()?;
    let open_ms = milliseconds(started.elapsed());
    let mut random = Random::new(11);
    let queries: Vec<String> = (0..QUERIES).map(|_| random.query()).collect();
    let mut times: Vec<Duration> = Vec::new();
    for text in queries.iter().cycle().take(3 * QUERIES) {
        let started = Instant::now();
        index.search(&Query { text, ..Query::default() }).ok()?;
        times.push(started.elapsed());
    }
    times.sort();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().map_or(0.0, milliseconds);
    let memory_mb = resident_mb() - before;
    serde_json::to_value(Opened { p50_ms: at(50), p99_ms: at(99), open_ms, memory_mb }).ok()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// What of the process is in memory, where the system says it.
fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
}
