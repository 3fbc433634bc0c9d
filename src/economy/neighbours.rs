//! Which tool must be called before another, as the definitions say it themselves.
//!
//! Read from descriptions, and from the descriptions of parameters that must be given, when a tool is first shown; kept for as long
//! as the catalog is the same. Only tools of the same server count, and nothing is said of tools that would need each other.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use self::{
    rules::Place,
    text::{Names, Sentence},
};
use super::{clean, terms, tokens};
use crate::{
    catalog::{ServerEntry, ToolEntry},
    ids::{ServerName, ToolId},
};

mod rules;
mod text;
mod view;
mod words;

/// Most tools named as needed by one tool.
const MAX_NEEDS: usize = 2;

/// How far a chain of needs is followed to see that it does not come back, in tools.
const MAX_CHAIN: usize = 24;

/// Most parameters whose descriptions are read, those inside others included.
const MAX_PARAMETERS: usize = 64;

/// How much of each is read, in bytes.
const MAX_PARAMETER_BYTES: usize = 2048;

/// How deep parameters are looked into.
const MAX_DEPTH: usize = 4;

/// The needs of a catalog's tools, worked out when they are asked for. One for each generation of the catalog.
#[derive(Debug, Default)]
pub struct Neighbours {
    servers: Mutex<HashMap<ServerName, Arc<Neighbourhood>>>,
}

/// One server's tools, by their places in its list.
#[derive(Debug)]
struct Neighbourhood {
    names: Names,
    /// A tool that says that all others need it.
    gate: Option<usize>,
    /// What other tools say that they must come before: by the later tool.
    announced: HashMap<usize, Vec<usize>>,
    /// What was worked out for each tool.
    direct: Mutex<HashMap<usize, Arc<[usize]>>>,
}

impl Neighbours {
    /// The tools that must be called before this one, two at most, first the one that comes first. `server` is the tool's.
    #[must_use]
    pub fn needs(&self, tool: &ToolEntry, server: &ServerEntry) -> Vec<ToolId> {
        let around = self.around(server);
        let Some(own) = around.names.get(tool.name().as_str()) else { return Vec::new() };
        let direct = around.direct(own, server);
        let open = direct.iter().filter(|&&need| !around.comes_back(need, own, server));
        open.take(MAX_NEEDS).filter_map(|&need| Some(server.tools.get(need)?.id.clone())).collect()
    }

    fn around(&self, server: &ServerEntry) -> Arc<Neighbourhood> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = servers.get(&server.name) {
            return Arc::clone(known);
        }
        let new = Arc::new(Neighbourhood::of(server));
        servers.insert(server.name.clone(), Arc::clone(&new));
        new
    }
}

impl Neighbourhood {
    fn of(server: &ServerEntry) -> Self {
        let names = Names::of(server);
        let mut announced: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut gates = Vec::new();
        for (at, tool) in server.tools.iter().enumerate() {
            let description = tool.description();
            // Nearly no description says so, and reading them all would take a while.
            if !description.contains("efore") && !description.contains("EFORE") && !description.contains("OTHER") {
                continue;
            }
            if text::is_gate(description) {
                gates.push(at);
            }
            for sentence in names.sentences(description) {
                for later in rules::follows(&sentence, at) {
                    announced.entry(later).or_default().push(at);
                }
            }
        }
        // Two that must each be first say nothing.
        let gate = if let [gate] = gates[..] { Some(gate) } else { None };
        Self { names, gate, announced, direct: Mutex::default() }
    }

    /// What a tool needs, whatever its needs need.
    fn direct(&self, own: usize, server: &ServerEntry) -> Arc<[usize]> {
        if let Some(known) = self.direct.lock().unwrap_or_else(PoisonError::into_inner).get(&own) {
            return Arc::clone(known);
        }
        let needs: Arc<[usize]> = server.tools.get(own).map(|tool| self.read(own, tool)).unwrap_or_default().into();
        self.direct.lock().unwrap_or_else(PoisonError::into_inner).insert(own, Arc::clone(&needs));
        needs
    }

    fn read(&self, own: usize, tool: &ToolEntry) -> Vec<usize> {
        let mut required = Vec::new();
        required_parameters(tool.input_schema(), 0, &mut required);
        let outer = required.iter().filter(|(depth, ..)| *depth == 0);
        let keys: Vec<Vec<String>> = outer.map(|(_, name, _)| terms::words(name)).collect();
        let description = self.names.sentences(tool.description());
        let refused: Vec<usize> = description.iter().flat_map(rules::refused).collect();
        let needed = |sentences: &[Sentence<'_>], place: Place<'_>| -> Vec<usize> {
            sentences.iter().flat_map(|sentence| rules::needed(sentence, place, own)).collect()
        };
        let mut needs: Vec<usize> = self.gate.into_iter().collect();
        needs.extend(needed(&description, Place::Description(&keys)));
        needs.extend(self.announced.get(&own).into_iter().flatten());
        for (_, _, text) in &required {
            needs.extend(needed(&self.names.sentences(text), Place::Required));
        }
        let mut seen = HashSet::from([own]);
        needs.retain(|need| !refused.contains(need) && seen.insert(*need));
        needs
    }

    /// Whether a chain of needs that begins with one tool ends at another.
    fn comes_back(&self, from: usize, to: usize, server: &ServerEntry) -> bool {
        let mut seen = HashSet::from([from]);
        let mut open = vec![from];
        while let Some(next) = open.pop() {
            for &need in self.direct(next, server).iter() {
                if need == to {
                    return true;
                }
                if seen.len() < MAX_CHAIN && seen.insert(need) {
                    open.push(need);
                }
            }
        }
        false
    }
}

/// `needs a/b, a/c`; nothing where nothing is needed. A tool that is known to the reader is named without its server.
pub fn note(needs: &[ToolId], is_known: impl Fn(&ToolId) -> bool) -> Option<String> {
    let name =
        |need: &ToolId| clean::line(&if is_known(need) { need.tool.as_str().to_owned() } else { need.to_string() });
    let names: Vec<String> = needs.iter().map(name).collect();
    (!names.is_empty()).then(|| format!("needs {}", names.join(", ")))
}

/// A tool's description with what it needs said behind its name.
#[must_use]
pub fn described(description: String, needs: &[ToolId]) -> String {
    let Some(note) = note(needs, |_| false) else { return description };
    let (name, rest) = description.split_at(description.find('\n').unwrap_or(description.len()));
    // Behind the name stands what the annotations say, if they say something.
    match name.strip_suffix(']') {
        Some(hints) => format!("{hints}, {note}]{rest}"),
        None => format!("{name} [{note}]{rest}"),
    }
}

/// The parameters without which no call is made: depth, name and description. Those inside one that must be given count where they
/// must be given too.
fn required_parameters<'s>(schema: &'s Value, depth: usize, found: &mut Vec<(usize, &'s str, &'s str)>) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(items) = schema.get("items") {
        required_parameters(items, depth, found);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let Some(property) = properties.get(name) else { continue };
        if found.len() >= MAX_PARAMETERS {
            return;
        }
        let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let text = &text[..tokens::floor_char_boundary(text, MAX_PARAMETER_BYTES)];
        found.push((depth, name, text));
        required_parameters(property, depth + 1, found);
    }
}

#[cfg(test)]
mod tests;
