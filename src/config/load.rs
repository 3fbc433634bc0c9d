//! From a file to checked settings: what is wrong with one server costs that server, anything else stops the start.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    BrokenServer, ConfigError, ContextSettings, Locations, PoolSettings, Problems, RefreshSettings, ServerSpec,
    Settings,
    env::Strings,
    mcp_json,
    problems::KeyPath,
    raw::{RawConfig, RawServer},
    schema::{config_schema, server_schema},
    server::Surroundings,
    shape,
    source::{self, Document, Format},
};
use crate::ids::{BUILT_IN_SERVER, ServerName};

/// A configuration that can be worked with.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Everything that is right.
    pub settings: Settings,
    /// Servers that cannot be used, and why.
    pub broken: Vec<BrokenServer>,
    /// What a person may want to know: names that were changed, entries that were left out.
    pub notes: Vec<String>,
}

/// Loads a file, TOML or JSON by its content; `None` is the user-level file, which may be absent.
pub fn load(path: Option<&Path>, env: &dyn Strings) -> Result<Loaded, ConfigError> {
    match path {
        None => Locations::find(None, None, env)?.load(env),
        Some(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
            let text = source::read(&path)?;
            load_text(&text, &path, env)
        }
    }
}

/// Loads a text that stands, or will stand, at `path`. Reads nothing but the environment.
pub fn load_text(text: &str, path: &Path, env: &dyn Strings) -> Result<Loaded, ConfigError> {
    let document = source::parse(text).map_err(|mut problems| {
        problems.place(path, &BTreeMap::new());
        ConfigError::Invalid { path: path.into(), problems }
    })?;
    let mut reading = Reading { path, env, document, general: Problems::default(), loaded: Loaded::default() };
    reading.loaded.settings.file = Some(path.to_path_buf());
    match reading.document.format {
        Format::Toml => reading.toml(),
        Format::Json => reading.json(),
    }
    reading.finish()
}

struct Reading<'a> {
    path: &'a Path,
    env: &'a dyn Strings,
    document: Document,
    /// Problems outside of any one server.
    general: Problems,
    loaded: Loaded,
}

impl Reading<'_> {
    fn toml(&mut self) {
        let mut root = std::mem::take(&mut self.document.root);
        let at = KeyPath::root();
        // Servers are compared one by one: what is wrong with one is not wrong with the file.
        let servers = match root.remove("servers") {
            Some(Value::Object(servers)) => servers,
            Some(mut other) => {
                shape::prune(
                    &config_schema()["properties"]["servers"],
                    &mut other,
                    &at.key("servers"),
                    &mut self.general,
                );
                Map::new()
            }
            None => Map::new(),
        };
        let mut rest = Value::Object(root);
        shape::prune(config_schema(), &mut rest, &at, &mut self.general);
        match serde_json::from_value::<RawConfig>(rest) {
            Ok(raw) => {
                let settings = &mut self.loaded.settings;
                settings.pool = raw.pool.check(&at.key("pool"), &mut self.general);
                settings.refresh = raw.refresh.check(&at.key("refresh"), &mut self.general);
                settings.context = raw.context.check(&at.key("context"), &mut self.general);
                settings.search = raw.search.check();
                settings.results = raw.results.check(&at.key("results"), &mut self.general);
                settings.offer = raw.offer.check();
                settings.crib = raw.crib.check();
            }
            Err(_) => {
                self.general.add(
                    &at,
                    "does not have the shape of a configuration",
                    "compare it with the documentation",
                );
            }
        }
        for (label, table) in servers {
            let at = at.key("servers").key(&label);
            let mut problems = Problems::default();
            let spec = match label.parse::<ServerName>() {
                Ok(name) => self.server(name, table, &at, &mut problems),
                Err(_) => {
                    let reason =
                        "is no server name: 1 to 32 of a-z, 0-9, `-` and `_`, beginning with a letter or digit";
                    let stand_in = mcp_json::name_from_label(&label, &BTreeSet::new());
                    let remedy =
                        stand_in.as_ref().map_or("call it something else".into(), |name| format!("call it `{name}`"));
                    problems.add(&at, reason, remedy);
                    // Checked all the same, so that its other problems are in the same report.
                    stand_in.and_then(|name| self.server(name, table, &at, &mut problems))
                }
            };
            self.keep(label, spec, problems);
        }
    }

    fn json(&mut self) {
        let mut root = std::mem::take(&mut self.document.root);
        let at = KeyPath::root();
        for at in &self.document.repeated {
            let line = self.document.lines.get(at.shown()).copied().unwrap_or_default();
            self.loaded.notes.push(format!("`{}` stands twice (line {line}); the last one counts", at.shown()));
        }
        if !mcp_json::SERVER_KEYS.iter().any(|key| root.contains_key(*key)) {
            self.general.add(&at, "has no `mcpServers`", "name a file with {\"mcpServers\": {…}}, or a toolcrib.toml");
        }
        let mut entries = Vec::new();
        for key in mcp_json::SERVER_KEYS {
            match root.remove(key) {
                Some(Value::Object(servers)) => {
                    entries.extend(servers.into_iter().map(|(label, entry)| (at.key(key).key(&label), label, entry)));
                }
                Some(_) => self.general.add(&at.key(key), "must be an object", "write {\"mcpServers\": {…}}"),
                None => {}
            }
        }
        // Labels that are names already keep them, wherever they stand; the others make way.
        entries.sort_by_key(|(_, label, _)| label.parse::<ServerName>().is_err());
        let mut taken = BTreeSet::new();
        for (at, label, entry) in entries {
            let Some(translated) = mcp_json::translate(&label, &entry) else {
                self.loaded.notes.push(format!("`{}` is toolcrib itself and was left out", at.shown()));
                continue;
            };
            for key in translated.ignored {
                self.loaded.notes.push(format!("`{}` has no meaning for this kind of server", at.key(key).shown()));
            }
            let mut problems = Problems::default();
            let Some(name) = mcp_json::name_from_label(&label, &taken) else {
                problems.add(&at, "has a name that too many others share", "give it another name");
                self.keep(label, None, problems);
                continue;
            };
            if name.as_str() != label {
                self.loaded.notes.push(format!("`{}` is called `{name}` here", at.shown()));
            }
            taken.insert(name.clone());
            let spec = self.server(name, translated.table, &at, &mut problems);
            self.keep(label, spec, problems);
        }
    }

    fn server(&self, name: ServerName, mut table: Value, at: &KeyPath, problems: &mut Problems) -> Option<ServerSpec> {
        if name.as_str() == BUILT_IN_SERVER {
            problems.add(at, "has the name of toolcrib's own server", "call it something else");
        }
        if !shape::prune(server_schema(), &mut table, at, problems) {
            return None;
        }
        let Ok(raw) = serde_json::from_value::<RawServer>(table) else {
            problems.add(at, "does not have the shape of a server", "compare it with the documentation");
            return None;
        };
        let around = Surroundings {
            env: self.env,
            folder: self.path.parent().unwrap_or(Path::new("")),
            result_tokens: self.loaded.settings.context.result_tokens,
        };
        raw.check(name, at, &around, problems)
    }

    fn keep(&mut self, label: String, spec: Option<ServerSpec>, mut problems: Problems) {
        match spec {
            Some(spec) if problems.is_empty() => {
                self.loaded.settings.servers.insert(spec.name.clone(), spec);
            }
            _ => {
                problems.place(self.path, &self.document.lines);
                self.loaded.broken.push(BrokenServer { name: label, problems });
            }
        }
    }

    fn finish(mut self) -> Result<Loaded, ConfigError> {
        self.loaded.broken.sort_by_key(|broken| broken.problems.iter().next().and_then(|problem| problem.line));
        if self.general.is_empty() {
            return Ok(self.loaded);
        }
        for broken in self.loaded.broken {
            self.general.append(broken.problems);
        }
        self.general.place(self.path, &self.document.lines);
        Err(ConfigError::Invalid { path: PathBuf::from(self.path), problems: self.general })
    }
}

impl Default for Settings {
    /// What holds where there is no file: no servers, and the default of everything else.
    fn default() -> Self {
        let (raw, mut none) = (RawConfig::default(), Problems::default());
        let at = KeyPath::root();
        Self {
            file: None,
            servers: BTreeMap::new(),
            pool: raw.pool.check(&at, &mut none),
            refresh: raw.refresh.check(&at, &mut none),
            context: raw.context.check(&at, &mut none),
            search: raw.search.check(),
            results: raw.results.check(&at, &mut none),
            offer: raw.offer.check(),
            crib: raw.crib.check(),
        }
    }
}

impl Default for PoolSettings {
    fn default() -> Self {
        Settings::default().pool
    }
}

impl Default for RefreshSettings {
    fn default() -> Self {
        Settings::default().refresh
    }
}

impl Default for ContextSettings {
    fn default() -> Self {
        Settings::default().context
    }
}
