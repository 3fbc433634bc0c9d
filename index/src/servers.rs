//! Which tool is on which server, and which servers a query names.
//!
//! Knows no scores. Numbers of servers mean nothing outside an opened index.

use std::collections::HashMap;

use tantivy::DocId;

use crate::{
    analyzer,
    rank::{Probe, Relation},
    segment::{Segment, rarity},
};

/// Words of servers' names that name none of them. Sorted stems.
const GENERIC: [&str; 12] =
    ["api", "client", "context", "integr", "mcp", "model", "offici", "protocol", "sdk", "server", "servic", "tool"];

/// A name's words must tell at least this share of what a word of a single tool tells, or `data` would name a server.
const MIN_NAME_RARITY: f32 = 0.45;

/// The server of a tool without one.
const NO_SERVER: u32 = u32::MAX;

/// The servers of a segment.
#[derive(Debug)]
pub(crate) struct Servers {
    /// By tool.
    of_tool: Vec<u32>,
    /// By server: the stems of its name that tell it apart, none where a query cannot name it.
    names: Vec<Vec<String>>,
    /// By stem: the servers whose name has it.
    with_stem: HashMap<String, Vec<u32>>,
}

impl Servers {
    pub(crate) fn read(segment: &Segment) -> tantivy::Result<Self> {
        let mut of_tool = vec![NO_SERVER; segment.tools() as usize];
        let mut names = Vec::new();
        segment.each_server(|name, tools| {
            let mut stems = analyzer::stems(name);
            stems.retain(|stem| GENERIC.binary_search(&stem.as_str()).is_err());
            tools.iter().for_each(|&tool| of_tool[tool as usize] = names.len() as u32);
            names.push(stems);
        })?;
        let least = MIN_NAME_RARITY * rarity(segment.tools(), 1);
        let mut with_stem: HashMap<String, Vec<u32>> = HashMap::new();
        for (number, stems) in (0..).zip(&mut names) {
            let mut told = 0.0;
            for stem in stems.iter() {
                told += rarity(segment.tools(), segment.tools_with(stem)?);
            }
            if told < least {
                stems.clear();
            }
            for stem in stems.iter() {
                with_stem.entry(stem.clone()).or_default().push(number);
            }
        }
        Ok(Self { of_tool, names, with_stem })
    }

    /// The number of a tool's server.
    pub(crate) fn of(&self, tool: DocId) -> u32 {
        self.of_tool.get(tool as usize).copied().unwrap_or(NO_SERVER)
    }

    /// The servers that a query names by all words of their names, slips forgiven. In their order.
    pub(crate) fn named(&self, probes: &[Probe]) -> Vec<u32> {
        let said = || probes.iter().flat_map(|probe| &probe.stems).filter(|stem| stem.relation != Relation::Meaning);
        let mut found: Vec<u32> = said().filter_map(|stem| self.with_stem.get(&stem.stem)).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|&server| {
            let stems = &self.names[server as usize];
            stems.iter().all(|stem| said().any(|said| said.stem == *stem))
        });
        found
    }
}
