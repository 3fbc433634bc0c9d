//! What is said beside a tool: what it needs first, what its server is for, that its server fails.
//!
//! Worked out when first asked for and kept for as long as the catalog is the same, so a start pays nothing for it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use super::Broker;
use crate::{
    catalog::{Catalog, Health, ToolEntry},
    config::Settings,
    economy::{
        fold::Folded,
        neighbours::Neighbours,
        search_reply::Hit,
        summaries::{self, SummaryInput},
    },
    ids::{ServerName, ToolId},
};

/// What is known of one generation of the catalog.
#[derive(Debug, Default)]
pub(super) struct Asides {
    neighbours: Neighbours,
    purposes: OnceLock<HashMap<ServerName, String>>,
}

impl Asides {
    /// The tools that must be called before this one.
    pub(super) fn needs(&self, tool: &ToolEntry, catalog: &Catalog) -> Vec<ToolId> {
        let server = catalog.servers.get(&tool.id.server);
        server.map(|server| self.neighbours.needs(tool, server)).unwrap_or_default()
    }

    /// The hits as they are to be shown.
    pub(super) fn hits<'t>(&self, folded: Vec<Folded<'t>>, catalog: &Catalog, settings: &Settings) -> Vec<Hit<'t>> {
        let tied = tied(&folded);
        let hit = |Folded { tool, same }: Folded<'t>| Hit {
            tool,
            trouble: trouble(&tool.id.server, catalog),
            needs: self.needs(tool, catalog),
            same,
            purpose: tied.contains(&tool.id).then(|| self.purpose(&tool.id.server, catalog, settings)).flatten(),
        };
        folded.into_iter().map(hit).collect()
    }

    fn purpose(&self, server: &ServerName, catalog: &Catalog, settings: &Settings) -> Option<String> {
        let all = || summaries::purposes_by_name(&inputs(catalog, settings));
        self.purposes.get_or_init(all).get(server).cloned()
    }
}

impl Broker {
    /// What the summaries of the enabled servers are made of.
    pub(super) fn summary_inputs<'a>(&'a self, catalog: &'a Catalog) -> Vec<SummaryInput<'a>> {
        inputs(catalog, self.library().settings())
    }
}

fn inputs<'a>(catalog: &'a Catalog, settings: &'a Settings) -> Vec<SummaryInput<'a>> {
    let enabled = settings.servers.values().filter(|spec| spec.enabled);
    let input = |spec: &'a crate::config::ServerSpec| SummaryInput {
        name: &spec.name,
        summary: spec.summary.as_deref(),
        entry: catalog.servers.get(&spec.name).map(Arc::as_ref),
    };
    enabled.map(input).collect()
}

/// Tools of one name on different servers: only the servers tell them apart.
fn tied(hits: &[Folded<'_>]) -> HashSet<ToolId> {
    let mut by_name: HashMap<String, Vec<&ToolId>> = HashMap::new();
    for hit in hits {
        let name = hit.tool.name().as_str();
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        by_name.entry(plain).or_default().push(&hit.tool.id);
    }
    by_name.into_values().filter(|ids| ids.len() > 1).flatten().cloned().collect()
}

/// What must be said of a server that does not work.
pub(super) fn trouble(server: &ServerName, catalog: &Catalog) -> Option<String> {
    match catalog.health(server) {
        Health::Failed { reason, .. } => Some(format!("{server} is failing: {reason}")),
        Health::Good { .. } | Health::Unknown => None,
    }
}
