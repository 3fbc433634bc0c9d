//! `toolcrib eval`: how good and how fast search is, on labelled queries of one's own.
//!
//! Owns the files of a set and the shape of the report. What the measures mean is the index crate's to say; this file
//! only feeds it, through the same search that a model's queries take.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use toolcrib_index::{
    Index, Query, ToolDocument,
    eval::{Metrics, RANKED},
};

const TOOLS: &str = "tools.jsonl";
const SERVERS: &str = "servers.jsonl";
const QUERIES: &str = "queries.jsonl";

/// Measure search on labelled queries
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  toolcrib eval sets/mine\n  toolcrib eval sets --json\n  toolcrib eval sets/mine --run run.jsonl\n\n\
    DIR holds one JSON object per line in each of\n  \
    tools.jsonl    id, server, name, title, description, input_schema\n  \
    servers.jsonl  name, description (the file may be missing)\n  \
    queries.jsonl  id, query, groups (lists of interchangeable tool ids, one list per need; may be missing), tag\n\
    or it holds such folders, which are then measured one by one."
)]
pub struct Args {
    /// Folder of one set, or of several sets in folders of their own
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Print the measures as JSON
    #[arg(long)]
    pub json: bool,
    /// Also write what each query found, one JSON object per line: id, ranked, ms
    #[arg(long, value_name = "FILE")]
    pub run: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct ToolLine {
    id: String,
    server: String,
    name: String,
    title: Option<String>,
    description: Option<String>,
    #[serde(default)]
    input_schema: Value,
}

#[derive(Debug, Deserialize)]
struct ServerLine {
    name: String,
    description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct QueryLine {
    id: String,
    query: String,
    #[serde(default)]
    groups: Vec<Vec<String>>,
    tag: Option<String>,
}

#[derive(Debug, Serialize)]
struct RunLine<'a> {
    id: &'a str,
    ranked: &'a [String],
    ms: f64,
}

/// What came out for one set.
#[derive(Debug, Serialize)]
struct SetReport {
    set: String,
    tools: usize,
    queries: usize,
    labelled: usize,
    /// Means over the labelled queries; null where there are none.
    metrics: Option<Metrics>,
    /// The same for the queries of each tag, where there are several.
    tags: BTreeMap<String, TagReport>,
    p50_ms: f64,
    p95_ms: f64,
}

#[derive(Debug, Serialize)]
struct TagReport {
    labelled: usize,
    metrics: Metrics,
}

#[derive(Debug, Serialize)]
struct Report {
    sets: Vec<SetReport>,
    /// The mean of the sets, each counting the same; null where none is labelled.
    mean: Option<Metrics>,
}

/// Measures every set in `args.dir` and writes the report to `out`.
///
/// # Errors
/// A file that is missing or has a line that cannot be read, and whatever the index or `out` refuses.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut run_file = args.run.as_deref().map(create).transpose()?;
    let mut sets = Vec::new();
    for dir in set_folders(&args.dir)? {
        sets.push(measure(&dir, run_file.as_mut())?);
    }
    if let (Some(file), Some(path)) = (run_file.as_mut(), &args.run) {
        file.flush().with_context(|| format!("failed to write {}", path.display()))?;
    }
    let means: Vec<Metrics> = sets.iter().filter_map(|set| set.metrics).collect();
    let report = Report { sets, mean: Metrics::mean(&means) };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}", table(&report))?;
    }
    Ok(())
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| format!("failed to create {}", path.display()))?))
}

/// The folder itself if it is a set, else the sets in it, by name.
fn set_folders(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_set = |dir: &Path| dir.join(TOOLS).is_file() && dir.join(QUERIES).is_file();
    if is_set(dir) {
        return Ok(vec![dir.into()]);
    }
    let entries = fs::read_dir(dir).with_context(|| format!("failed to list {}", dir.display()))?;
    let mut sets: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_set(path)).collect();
    sets.sort();
    if sets.is_empty() {
        bail!("neither {} nor a folder in it has both {TOOLS} and {QUERIES}", dir.display());
    }
    Ok(sets)
}

fn measure(dir: &Path, mut run_file: Option<&mut BufWriter<File>>) -> anyhow::Result<SetReport> {
    let documents = read_documents(dir)?;
    let queries: Vec<QueryLine> = read_lines(&dir.join(QUERIES))?;
    let index = Index::in_memory(&documents)?;
    let mut times = Vec::new();
    let mut measured: Vec<(&QueryLine, Metrics)> = Vec::new();
    for line in &queries {
        let query = Query { text: &line.query, server: None, limit: RANKED };
        let start = Instant::now();
        let hits = index.search(&query)?;
        let time = start.elapsed();
        let ranked: Vec<String> = hits.into_iter().map(|hit| hit.id).collect();
        measured.extend(Metrics::of(&ranked, &line.groups).map(|metrics| (line, metrics)));
        times.push(time);
        if let Some(file) = &mut run_file {
            serde_json::to_writer(&mut **file, &RunLine { id: &line.id, ranked: &ranked, ms: milliseconds(time) })?;
            writeln!(file)?;
        }
    }
    times.sort_unstable();
    Ok(SetReport {
        set: dir.file_name().unwrap_or(dir.as_os_str()).to_string_lossy().into_owned(),
        tools: index.len(),
        queries: queries.len(),
        labelled: measured.len(),
        metrics: Metrics::mean(&measured.iter().map(|&(_, metrics)| metrics).collect::<Vec<_>>()),
        tags: by_tag(&measured),
        p50_ms: milliseconds(percentile(&times, 50)),
        p95_ms: milliseconds(percentile(&times, 95)),
    })
}

fn read_documents(dir: &Path) -> anyhow::Result<Vec<ToolDocument>> {
    let servers_file = dir.join(SERVERS);
    let servers: Vec<ServerLine> = if servers_file.exists() { read_lines(&servers_file)? } else { Vec::new() };
    let descriptions: HashMap<String, String> =
        servers.into_iter().map(|server| (server.name, server.description.unwrap_or_default())).collect();
    let tools: Vec<ToolLine> = read_lines(&dir.join(TOOLS))?;
    let document = |tool: ToolLine| ToolDocument {
        server_description: descriptions.get(&tool.server).cloned().unwrap_or_default(),
        id: tool.id,
        server: tool.server,
        name: tool.name,
        title: tool.title,
        description: tool.description.unwrap_or_default(),
        input_schema: tool.input_schema,
    };
    Ok(tools.into_iter().map(document).collect())
}

fn read_lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let file = File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
    let mut items = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.with_context(|| format!("failed to read {}", path.display()))?;
        if !line.trim().is_empty() {
            let item = serde_json::from_str(&line);
            items.push(item.with_context(|| format!("line {number} of {} cannot be read", path.display()))?);
        }
    }
    Ok(items)
}

fn by_tag(measured: &[(&QueryLine, Metrics)]) -> BTreeMap<String, TagReport> {
    let mut tags: BTreeMap<String, Vec<Metrics>> = BTreeMap::new();
    for (line, metrics) in measured {
        if let Some(tag) = &line.tag {
            tags.entry(tag.clone()).or_default().push(*metrics);
        }
    }
    if tags.len() < 2 {
        return BTreeMap::new(); // one tag for all says no more than the whole
    }
    let report = |(tag, all): (String, Vec<Metrics>)| {
        Some((tag, TagReport { labelled: all.len(), metrics: Metrics::mean(&all)? }))
    };
    tags.into_iter().filter_map(report).collect()
}

/// The smallest time that this share of the sorted times does not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let head = ["set", "queries"]
        .into_iter()
        .chain(Metrics::default().columns().map(|(name, _)| name))
        .chain(["p50 ms", "p95 ms"]);
    table.set_header(head);
    let row = |name: String, queries: String, metrics: Option<&Metrics>, times: [String; 2]| {
        let unmeasured = Metrics::default().columns().map(|_| "-".to_owned());
        let measures = metrics.map_or(unmeasured, |metrics| metrics.columns().map(|(_, value)| format!("{value:.3}")));
        [name, queries].into_iter().chain(measures).chain(times).collect::<Vec<String>>()
    };
    let no_times = || [String::new(), String::new()];
    for set in &report.sets {
        let times = [format!("{:.2}", set.p50_ms), format!("{:.2}", set.p95_ms)];
        table.add_row(row(set.set.clone(), set.queries.to_string(), set.metrics.as_ref(), times));
        for (tag, tagged) in &set.tags {
            let count = tagged.labelled.to_string();
            table.add_row(row(format!("  {tag}"), count, Some(&tagged.metrics), no_times()));
        }
    }
    if report.sets.len() > 1 {
        table.add_row(row("mean of sets".into(), String::new(), report.mean.as_ref(), no_times()));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn write_set(dir: &Path, queries: &[Value]) {
        let tools = [
            json!({"id": "git::commit", "server": "git", "name": "commit", "title": null, "description": "Record changes",
                "input_schema": {"properties": {"message": {}}}, "annotations": null}),
            json!({"id": "git::push", "server": "git", "name": "push", "description": null}),
            json!({"id": "mail::send", "server": "mail", "name": "send", "description": "Send a letter"}),
        ];
        let lines = |items: &[Value]| items.iter().map(|item| format!("{item}\n")).collect::<String>();
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join(TOOLS), lines(&tools)).unwrap();
        fs::write(dir.join(SERVERS), lines(&[json!({"name": "git", "description": "Version control"})])).unwrap();
        fs::write(dir.join(QUERIES), lines(queries)).unwrap();
    }

    fn eval(dir: &Path, json: bool, run_file: Option<PathBuf>) -> anyhow::Result<String> {
        let mut out = Vec::new();
        run(&Args { dir: dir.into(), json, run: run_file }, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn labelled() -> [Value; 3] {
        [
            json!({"id": "q1", "query": "record changes with a message", "groups": [["git::commit"]], "tag": "L1"}),
            json!({"id": "q2", "query": "send a letter", "groups": [["git::push"], ["mail::send"]], "tag": "L2"}),
            json!({"id": "q3", "query": "no such thing", "groups": [], "tag": "L5"}),
        ]
    }

    #[test]
    fn measures_are_reported_for_the_set_and_for_each_tag() {
        let dir = tempfile::tempdir().unwrap();
        write_set(dir.path(), &labelled());
        let report: Value = serde_json::from_str(&eval(dir.path(), true, None).unwrap()).unwrap();
        let set = &report["sets"][0];
        assert_eq!((&set["tools"], &set["queries"], &set["labelled"]), (&json!(3), &json!(3), &json!(2)));
        assert_eq!(set["metrics"]["recall_1"], json!(0.75));
        assert_eq!(set["tags"]["L2"]["metrics"]["recall_10"], json!(0.5));
        assert!(set["tags"].get("L5").is_none(), "a tag without labels has no measures");
    }

    #[test]
    fn a_folder_of_sets_is_measured_set_by_set() {
        let dir = tempfile::tempdir().unwrap();
        write_set(&dir.path().join("one"), &labelled());
        write_set(&dir.path().join("two"), &labelled());
        let text = eval(dir.path(), false, None).unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["set", "one", "L1", "L2", "two", "L1", "L2", "mean"]);
    }

    #[test]
    fn queries_without_labels_still_give_a_run() {
        let dir = tempfile::tempdir().unwrap();
        write_set(dir.path(), &[json!({"id": "a", "query": "commit"}), json!({"id": "b", "query": ""})]);
        let run_file = dir.path().join("run.jsonl");
        let text = eval(dir.path(), false, Some(run_file.clone())).unwrap();
        assert!(text.lines().nth(1).unwrap().contains(" - "), "{text}");
        let lines: Vec<Value> =
            fs::read_to_string(run_file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["ranked"], json!(["git::commit"]));
        assert_eq!((&lines[1]["id"], &lines[1]["ranked"]), (&json!("b"), &json!([])));
        assert!(lines[0]["ms"].is_number());
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        write_set(dir.path(), &labelled());
        fs::write(dir.path().join(QUERIES), "{\"id\": \"q\", \"query\": \"x\"}\n\n{oops\n").unwrap();
        let error = eval(dir.path(), false, None).unwrap_err().to_string();
        assert!(error.starts_with("line 3 of ") && error.contains(QUERIES), "{error}");
    }

    #[test]
    fn a_folder_without_a_set_says_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let error = eval(dir.path(), false, None).unwrap_err().to_string();
        assert!(error.contains("has both tools.jsonl and queries.jsonl"), "{error}");
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        let times: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(10));
        assert_eq!(percentile(&times, 95), Duration::from_millis(19));
        assert_eq!(percentile(&[], 95), Duration::ZERO);
    }
}
