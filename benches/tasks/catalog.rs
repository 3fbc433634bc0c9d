//! The sets of servers and tasks that are played: the sample servers that ship with the project, and, where a captured catalog is at
//! hand (`$TOOLCRIB_SHARED/catalog`), its real servers: twenty popular ones, and all.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use toolcrib::{
    catalog::{Era, JsonObject, RawListing},
    samples,
};

use crate::{
    popular::TWENTY,
    recorded::{self, Recorded},
};

/// Servers, and what is to be done with them.
pub struct Set {
    /// Prefix of its figures.
    pub name: &'static str,
    /// What it is, for a reader.
    pub title: String,
    /// Each server as it answered when it was read.
    pub servers: Vec<(String, RawListing)>,
    /// What is to be done; only what these servers can do.
    pub tasks: Vec<Task>,
    /// Recorded calls of these servers.
    pub recorded: Arc<Vec<Recorded>>,
}

/// One thing that a person wants done.
#[derive(Debug, Deserialize)]
pub struct Task {
    /// Its name in the set.
    pub id: String,
    /// In the person's words.
    pub query: String,
    /// Tools that each do the whole of it.
    #[serde(default)]
    relevant: Vec<String>,
    /// For each need, the tools that meet it; where absent, there is one need.
    #[serde(default)]
    groups: Vec<Vec<String>>,
}

impl Task {
    /// For each need, the tools that meet it.
    pub fn needs(&self) -> Vec<&[String]> {
        if self.groups.is_empty() { vec![&self.relevant] } else { self.groups.iter().map(Vec::as_slice).collect() }
    }
}

/// What is there to be played.
pub fn sets() -> anyhow::Result<Vec<Set>> {
    let mut sets = vec![samples_set()?];
    let shared = std::env::var_os("TOOLCRIB_SHARED").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let folder = shared.join("catalog");
    if folder.join("queries-dev.jsonl").is_file() {
        sets.extend(captured_sets(&folder)?);
    }
    Ok(sets)
}

fn samples_set() -> anyhow::Result<Set> {
    let read = |name: &&str| {
        let mut info = JsonObject::new();
        info.insert("description".into(), samples::description(name)?.into());
        Ok(((*name).to_owned(), listing(samples::definitions(name)?, info, None)))
    };
    let servers = samples::names().iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gold/queries.jsonl");
    Ok(Set {
        name: "samples",
        title: format!("{} sample servers", servers.len()),
        tasks: doable(tasks(&queries)?, &servers),
        servers,
        recorded: Arc::default(),
    })
}

fn captured_sets(folder: &Path) -> anyhow::Result<[Set; 2]> {
    let mut slugs: Vec<String> = fs::read_dir(folder.join("servers"))
        .with_context(|| format!("failed to list the servers of {}", folder.display()))?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".json").map(Into::into))
        .collect();
    slugs.sort();
    let recorded = Arc::new(recorded::read(&folder.join("calls.json"))?);
    let set = |name, wanted: &dyn Fn(&str) -> bool| {
        let servers = slugs.iter().filter(|slug| wanted(slug)).map(|slug| captured(folder, slug));
        let servers = servers.collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::Ok(Set {
            name,
            title: format!("{} real servers", servers.len()),
            tasks: doable(tasks(&folder.join("queries-dev.jsonl"))?, &servers),
            servers,
            recorded: Arc::clone(&recorded),
        })
    };
    Ok([set("twenty", &|slug| TWENTY.contains(&slug))?, set("all", &|_| true)?])
}

fn captured(folder: &Path, slug: &str) -> anyhow::Result<(String, RawListing)> {
    #[derive(Deserialize)]
    struct Capture {
        server: Server,
        tools: Vec<Value>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Server {
        #[serde(default)]
        server_info: JsonObject,
        instructions: Option<String>,
    }
    let path = folder.join("servers").join(format!("{slug}.json"));
    let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let capture: Capture = serde_json::from_str(&text).with_context(|| format!("failed to read {}", path.display()))?;
    Ok((slug.into(), listing(capture.tools, capture.server.server_info, capture.server.instructions)))
}

/// A reading of a server that offers tools alone.
pub fn listing(tools: Vec<Value>, server_info: JsonObject, instructions: Option<String>) -> RawListing {
    RawListing {
        era: Era::Legacy,
        protocol_version: "2025-11-25".into(),
        server_info,
        capabilities: JsonObject::new(),
        instructions,
        tools,
        prompts: Vec::new(),
        resources: Vec::new(),
        resource_templates: Vec::new(),
        notes: Vec::new(),
    }
}

fn tasks(path: &Path) -> anyhow::Result<Vec<Task>> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).with_context(|| format!("in {}: {line}", path.display()))).collect()
}

/// The tasks of which each need can be met by one of these servers, with the tools that are there.
fn doable(tasks: Vec<Task>, servers: &[(String, RawListing)]) -> Vec<Task> {
    let is_here = |tool: &String| servers.iter().any(|(name, _)| tool.split('/').next() == Some(name));
    let here = |mut task: Task| {
        task.relevant.retain(is_here);
        task.groups.iter_mut().for_each(|group| group.retain(is_here));
        let able = task.needs().iter().all(|need| !need.is_empty());
        able.then_some(task)
    };
    tasks.into_iter().filter_map(here).collect()
}
