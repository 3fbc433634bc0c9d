//! What would be taken over: every client's servers side by side, each under a name of its own, none twice.
//!
//! Two servers are the same when they are reached in the same way, whatever they are called. So an import can be repeated,
//! and renaming a server in `toolcrib.toml` does not bring it back.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item, TableLike};

use super::{
    error::ImportError,
    formats,
    model::{Candidate, Found, Reach, Skipped},
    warnings::{Warning, warnings_of},
};
use crate::{
    config::{ServerDraft, name_from_label},
    ids::ServerName,
};

/// What would be taken over, file by file.
#[derive(Debug)]
pub struct Plan {
    /// The files in the order in which they were read.
    pub files: Vec<FilePlan>,
}

/// What would be taken over of one file.
#[derive(Debug)]
pub struct FilePlan {
    /// Which file.
    pub found: Found,
    /// Its servers.
    pub servers: Vec<Planned>,
    /// Its entries that were left out.
    pub skipped: Vec<Skipped>,
    /// Why it could not be read.
    pub error: Option<ImportError>,
}

/// One server and what becomes of it.
#[derive(Debug)]
pub struct Planned {
    /// As read.
    pub candidate: Candidate,
    /// What deserves a second look.
    pub warnings: Vec<Warning>,
    /// What becomes of it.
    pub decision: Decision,
}

/// What becomes of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is taken over.
    Take {
        /// Under this name.
        name: ServerName,
        /// Whether another server has the name that its label would give.
        renamed: bool,
    },
    /// A server that is reached in the same way is taken over already.
    Same {
        /// Its name.
        name: ServerName,
    },
    /// `toolcrib.toml` has it.
    Present {
        /// Its name there.
        name: ServerName,
        /// Whether variables, headers or the folder differ there; the file's own stay as they are.
        differs: bool,
    },
}

/// Reads the files and decides what becomes of each server.
///
/// `toml` is the text of `toolcrib.toml`; what cannot be read of it counts as empty, because [`super::apply()`] refuses it.
#[must_use]
pub fn plan(files: &[Found], toml: &str) -> Plan {
    let mut known = Known::in_file(toml);
    let mut plan = Plan { files: Vec::new() };
    for found in files {
        let mut file = FilePlan { found: found.clone(), servers: Vec::new(), skipped: Vec::new(), error: None };
        match formats::read(found) {
            Ok(reading) => {
                file.skipped = reading.skipped;
                for candidate in reading.candidates {
                    let decision = known.decide(&candidate);
                    if let Decision::Same { name } = &decision
                        && candidate.enabled
                    {
                        // Switched on in one client is switched on.
                        plan.switch_on(name);
                        file.switch_on(name);
                    }
                    let warnings = warnings_of(&candidate.reach);
                    file.servers.push(Planned { candidate, warnings, decision });
                }
            }
            Err(error) => file.error = Some(error),
        }
        plan.files.push(file);
    }
    plan
}

impl Plan {
    /// The servers to take over.
    pub fn taken(&self) -> impl Iterator<Item = (&ServerName, &Planned)> {
        self.files.iter().flat_map(|file| &file.servers).filter_map(|planned| match &planned.decision {
            Decision::Take { name, .. } => Some((name, planned)),
            Decision::Same { .. } | Decision::Present { .. } => None,
        })
    }

    fn switch_on(&mut self, name: &ServerName) {
        self.files.iter_mut().for_each(|file| file.switch_on(name));
    }
}

impl FilePlan {
    fn switch_on(&mut self, name: &ServerName) {
        for planned in &mut self.servers {
            if matches!(&planned.decision, Decision::Take { name: taken, .. } if taken == name) {
                planned.candidate.enabled = true;
            }
        }
    }
}

impl Candidate {
    /// The server as `toolcrib.toml` would have it.
    #[must_use]
    pub fn draft(&self) -> ServerDraft {
        let mut draft = ServerDraft {
            summary: self.summary.clone(),
            enabled: self.enabled,
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            ..ServerDraft::default()
        };
        match self.reach.clone() {
            Reach::Stdio { command, args, env, cwd } => {
                draft.command = Some(command);
                draft.args = args;
                draft.env = env;
                draft.cwd = cwd;
            }
            Reach::Http { url, headers, transport } => {
                draft.url = Some(url);
                draft.headers = headers;
                draft.transport = transport.map(|transport| transport.name().to_owned());
            }
        }
        draft
    }
}

/// A way to reach a server in a form that can be compared. Never shown.
#[derive(PartialEq, Eq)]
struct Definition {
    /// Command and arguments, or the address.
    what: Vec<String>,
    /// Variables or headers, and the folder.
    with: Vec<String>,
}

struct Known {
    servers: Vec<(ServerName, Definition, Place)>,
    names: BTreeSet<ServerName>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    File,
    Plan,
}

impl Known {
    fn in_file(toml: &str) -> Self {
        let mut known = Self { servers: Vec::new(), names: BTreeSet::new() };
        let document: DocumentMut = toml.parse().unwrap_or_default();
        let servers = document.get("servers").and_then(Item::as_table_like);
        for (name, server) in servers.into_iter().flat_map(TableLike::iter) {
            // A name that is none is reported when the file is loaded.
            let (Ok(name), Some(server)) = (name.parse::<ServerName>(), server.as_table_like()) else { continue };
            known.names.insert(name.clone());
            known.servers.push((name, Definition::of_table(server), Place::File));
        }
        known
    }

    fn decide(&mut self, candidate: &Candidate) -> Decision {
        let definition = Definition::of_table(&candidate.draft().table());
        if let Some((name, _, place)) = self.servers.iter().find(|(_, known, _)| *known == definition) {
            return match place {
                Place::File => Decision::Present { name: name.clone(), differs: false },
                Place::Plan => Decision::Same { name: name.clone() },
            };
        }
        let nothing_taken = BTreeSet::new();
        let plain = name_from_label(&candidate.label, &nothing_taken);
        if let Some((name, _, _)) = self.servers.iter().find(|(name, known, place)| {
            // The same server under the same name: somebody has put a reference where a token was, for instance.
            *place == Place::File && Some(name) == plain.as_ref() && known.what == definition.what
        }) {
            return Decision::Present { name: name.clone(), differs: true };
        }
        let label = match &plain {
            Some(name) if self.names.contains(name) => with_client(name, candidate),
            _ => candidate.label.clone(),
        };
        // Ten thousand servers of one name leave none; then it is the same as the last one for all that matters.
        let Some(name) = name_from_label(&label, &self.names).or_else(|| plain.clone()) else {
            return Decision::Same { name: self.servers[0].0.clone() };
        };
        let renamed = plain.as_ref() != Some(&name);
        self.names.insert(name.clone());
        self.servers.push((name.clone(), definition, Place::Plan));
        Decision::Take { name, renamed }
    }
}

/// `github` of Cursor becomes `github-cursor`, shortened where the two do not fit.
fn with_client(name: &ServerName, candidate: &Candidate) -> String {
    let ending = candidate.origin.client.name();
    let room = 31 - ending.len();
    let start: String = name.as_str().chars().take(room).collect();
    format!("{}-{ending}", start.trim_end_matches(['-', '_']))
}

impl Definition {
    fn of_table(table: &dyn TableLike) -> Self {
        let text = |key: &str| table.get(key).and_then(Item::as_str).map(|text| format!("{key}={text}"));
        let list = |key: &str| {
            let items = table.get(key).and_then(Item::as_array).into_iter().flatten();
            items.map(|item| item.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        let pairs = |key: &str| {
            let pairs = table.get(key).and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
            let mut pairs: Vec<String> =
                pairs.map(|(name, value)| format!("{key}.{name}={}", value.as_str().unwrap_or_default())).collect();
            pairs.sort();
            pairs
        };
        Self {
            // `npx -y x@latest` and `npx x` start the same program.
            what: (text("command").into_iter().chain(text("url")))
                .chain(list("args").into_iter().filter(|arg| arg != "-y" && arg != "--yes"))
                .map(|word| word.strip_suffix("@latest").map(str::to_owned).unwrap_or(word))
                .collect(),
            with: [pairs("env"), pairs("headers"), text("cwd").into_iter().collect()].concat(),
        }
    }
}
