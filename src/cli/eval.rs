//! `toolcrib eval`: how good and how fast search is, on labelled queries of one's own.
//!
//! Owns the files of a set and the shape of the report. What the measures mean is the index crate's to say; this file
//! only feeds it, through the same search that a model's queries take.

mod experiments;
mod files;
mod report;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Serialize;
use toolcrib_index::{
    Index, Query,
    eval::{Metrics, RANKED},
};

use files::{QUERIES, QueryLine, read_documents, read_lines, set_folders};
use report::{Report, SetReport, TagReport, table};

/// Measure search on labelled queries
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  toolcrib eval sets/mine\n  toolcrib eval sets --json\n  toolcrib eval sets/mine --run run.jsonl\n\n\
    DIR holds one JSON object per line in each of\n  \
    tools.jsonl    id, server, name, title, description, input_schema\n  \
    servers.jsonl  name, description (the file may be missing)\n  \
    queries.jsonl  id, query, groups (lists of interchangeable tool ids, one list per need; may be missing), tag\n\
    or it holds such folders, which are then measured one by one. Queries of a folder NAME_infeasible beside NAME, which no\n\
    tool of NAME can serve, tell how many of them are refused."
)]
pub struct Args {
    /// Folder of one set, or of several sets in folders of their own
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Print the measures as JSON
    #[arg(long)]
    pub json: bool,
    /// Put one typing error into about a fifth of the words of each query
    #[arg(long)]
    pub misspell: bool,
    /// Also measure what learning from half of each tool's queries does to the other half
    #[arg(long)]
    pub learn: bool,
    /// Fail where a set's nDCG@10 is more than 0.005 below what this JSON file says of it
    #[arg(long, value_name = "FILE")]
    pub floor: Option<PathBuf>,
    /// Also write what each query found, one JSON object per line: id, ranked, ms
    #[arg(long, value_name = "FILE")]
    pub run: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct RunLine<'a> {
    id: &'a str,
    ranked: &'a [String],
    ms: f64,
}

/// Measures every set in `args.dir` and writes the report to `out`.
///
/// # Errors
/// A file that is missing or has a line that cannot be read, and whatever the index or `out` refuses.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut run_file = args.run.as_deref().map(create).transpose()?;
    let mut sets = Vec::new();
    for dir in set_folders(&args.dir)? {
        sets.push(measure(&dir, args, run_file.as_mut())?);
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
    match &args.floor {
        Some(file) => experiments::hold(file, &report),
        None => Ok(()),
    }
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| format!("failed to create {}", path.display()))?))
}

fn measure(dir: &Path, args: &Args, mut run_file: Option<&mut BufWriter<File>>) -> anyhow::Result<SetReport> {
    let documents = read_documents(dir)?;
    let mut queries: Vec<QueryLine> = read_lines(&dir.join(QUERIES))?;
    if args.misspell {
        queries.iter_mut().for_each(|line| line.query = experiments::misspelt(&line.query));
    }
    let index = Index::in_memory(&documents)?;
    let mut times = Vec::new();
    let mut refused = 0;
    let mut measured: Vec<(&QueryLine, Metrics)> = Vec::new();
    for line in &queries {
        let query = Query { text: &line.query, limit: RANKED, ..Query::default() };
        let start = Instant::now();
        let hits = index.search(&query)?;
        let time = start.elapsed();
        if !line.groups.is_empty() && experiments::is_refused(&hits) {
            refused += 1;
        }
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
        set: name_of(dir),
        tools: index.len(),
        queries: queries.len(),
        labelled: measured.len(),
        metrics: Metrics::mean(&measured.iter().map(|&(_, metrics)| metrics).collect::<Vec<_>>()),
        tags: by_tag(&measured),
        refused: f64::from(refused) / measured.len().max(1) as f64,
        infeasible_refused: experiments::infeasible_refused(dir, &index)?,
        learning: args.learn.then(|| experiments::learning(&index, &queries)).transpose()?,
        p50_ms: milliseconds(percentile(&times, 50)),
        p95_ms: milliseconds(percentile(&times, 95)),
    })
}

fn name_of(dir: &Path) -> String {
    let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    absolute.file_name().unwrap_or(dir.as_os_str()).to_string_lossy().into_owned()
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

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::{
        files::{SERVERS, TOOLS},
        *,
    };

    fn args(dir: &Path) -> Args {
        Args { dir: dir.into(), json: false, misspell: false, learn: false, floor: None, run: None }
    }

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
        run(&Args { json, run: run_file, ..args(dir) }, &mut out)?;
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
        assert_eq!(set["tags"]["L2"]["metrics"]["recall_1"], json!(0.5));
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
        assert_eq!(lines[0]["ranked"][0], json!("git::commit"));
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
    fn a_set_below_its_floor_fails_and_says_by_how_much() {
        let dir = tempfile::tempdir().unwrap();
        write_set(dir.path(), &labelled());
        let floor = dir.path().join("floor.json");
        let hold = |text: String| {
            fs::write(&floor, text).unwrap();
            run(&Args { floor: Some(floor.clone()), ..args(dir.path()) }, &mut Vec::new())
        };
        let name = name_of(dir.path());
        hold(json!({"other": 1.0}).to_string()).unwrap();
        hold(json!({&name: 0.5}).to_string()).unwrap();
        let error = hold(json!({&name: 1.2}).to_string()).unwrap_err().to_string();
        assert!(error.contains(&name) && error.contains("1.200"), "{error}");
    }

    #[test]
    fn learning_is_measured_on_queries_that_were_not_learned() {
        let dir = tempfile::tempdir().unwrap();
        let query = |id: &str, text: &str, tool: &str| json!({"id": id, "query": text, "groups": [[tool]]});
        let queries = [
            query("1", "record changes", "git::commit"),
            query("2", "record the changes", "git::commit"),
            query("3", "send a letter", "mail::send"),
        ];
        write_set(dir.path(), &queries);
        let mut out = Vec::new();
        run(&Args { json: true, learn: true, ..args(dir.path()) }, &mut out).unwrap();
        let learning = &serde_json::from_slice::<Value>(&out).unwrap()["sets"][0]["learning"];
        assert_eq!(
            (&learning["learned"], &learning["like"][0], &learning["unlike"][0]),
            (&json!(1), &json!(1), &json!(1))
        );
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        let times: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(10));
        assert_eq!(percentile(&times, 95), Duration::from_millis(19));
        assert_eq!(percentile(&[], 95), Duration::ZERO);
    }
}
